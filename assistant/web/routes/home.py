"""The first page with the list of sessions, the retention rule tried, and whether the program is there."""

import math
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import BrokenWorkflow
from ...settings import Retention, program_version
from ...workflow import Workflow
from ...workspace.listing import SORTS, STAGES, Listing, Wish, list_sessions
from ...workspace.lists import Summaries
from ...workspace.retention import due
from ..answers import page_answer, prefix_of, whole_number
from ..views.home import home_page
from ..views.retention import retention_page

WAIT = 0.8  # seconds that a page waits for sessions to be read


def add(app: Any, site: Any) -> None:
    @app.get("/")
    async def home(request: Request) -> Response:
        found: dict[str, Workflow | BrokenWorkflow] = {}
        for stem in site.workspace.workflow_files():
            try:
                found[stem] = site.workspace.workflow(stem)
            except BrokenWorkflow as error:
                found[stem] = error
        listing = await listed(site.workspace.lists, wish_of(request.query_params))
        deleted, seconds = site.trash.names, site.trash.seconds
        now = datetime.now(UTC)
        return page_answer(home_page(prefix_of(request), found, listing, deleted, seconds, now))

    @app.get("/retention")
    async def retention(request: Request) -> Response:
        """What a rule would remove: that of the settings, or the one in the query."""
        rule, now = site.settings.retention, datetime.now(UTC)
        asked = request.query_params
        tried = Retention(_positive(asked.get("days")), _positive(asked.get("megabytes"))) if asked else rule
        lists = site.workspace.lists
        await lists.read([summary.sid for summary in await lists.look()], WAIT)
        sessions = lists.glances()
        unread = sum(not summary.whole for summary in sessions)
        found = due(sessions, tried, now)
        return page_answer(retention_page(prefix_of(request), rule, tried, found, unread, now))

    @app.get("/healthz")
    async def healthz(request: Request) -> Response:
        return JSONResponse({"ok": True, "version": program_version()})


def wish_of(query: QueryParams) -> Wish:
    """What the address asks for; what it can not ask for is left out."""

    def one_of(name: str, known: dict[str, str]) -> str:
        value = query.get(name, "")
        return value if value in known else ""

    return Wish(
        " ".join(query.get("name", "").split())[:120],
        query.get("workflow", "")[:120],
        one_of("state", STAGES),
        query.get("archived") == "1",
        one_of("sort", SORTS) or "changed",
        max(1, whole_number(query.get("page")) or 1),
    )


async def listed(lists: Summaries, wish: Wish) -> Listing:
    """The page of the list; what is not read within a moment is missing from it, and counted."""
    sessions = await lists.look()
    if wish.whole:
        await lists.read([summary.sid for summary in sessions], WAIT)
    else:
        await lists.read([summary.sid for summary in list_sessions(sessions, wish).rows], WAIT)
    return list_sessions(lists.glances(), wish)


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None

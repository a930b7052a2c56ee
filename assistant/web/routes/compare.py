"""Two sessions compared, each now or as it was at an entry."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...compare import Side, compare
from ...errors import BrokenWorkflow, NotFound
from ...session import fold
from ...workspace import name_of
from ..answers import page_answer, prefix_of
from ..views.compare import PICKED, compare_page
from .sessions import LOOK, entry_number, opened


def add(app: Any, site: Any) -> None:
    @app.get("/compare")
    async def compared(request: Request) -> Response:
        chosen = request.query_params.get("a", ""), request.query_params.get("b", "")
        sides = [await _side(site, text) for text in chosen if text]
        found = await asyncio.to_thread(compare, *sides) if len(sides) == 2 else None
        lists = site.workspace.lists
        await lists.read([summary.sid for summary in lists.glances()[:PICKED]], LOOK)
        return page_answer(compare_page(prefix_of(request), lists.glances(), chosen, found))


async def _side(site: Any, reference: str) -> Side:
    """The session that `SID` or `SID@n` names; NotFound."""
    sid, _, number = reference.partition("@")
    handle = await opened(site, sid)
    at = entry_number(handle, number)
    entries = handle.log.entries[:at]
    session = handle.session() if at is None else await asyncio.to_thread(fold, entries)
    try:
        flow = site.workspace.workflow(session.workflow)
    except (NotFound, BrokenWorkflow):  # its values have their names, at least
        flow = None
    name = handle.session().name or name_of(handle.session())
    return Side(handle.sid, name, session, entries, handle.files, flow, at)

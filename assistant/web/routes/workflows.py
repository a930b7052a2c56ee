"""A workflow's own page: what it asks, what depends on what, its sessions."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...workspace import Summary
from ..answers import page_answer, prefix_of
from ..views.workflow import workflow_page

LATEST = 20  # sessions that are listed
WAIT = 0.8  # seconds that the page waits for them to be read


def add(app: Any, site: Any) -> None:
    @app.get("/workflows/{stem}")
    async def workflow(request: Request, stem: str) -> Response:
        flow = site.workspace.workflow(stem)
        lists, latest = site.workspace.lists, _latest(await site.workspace.lists.look(), stem)
        await lists.read([summary.sid for summary in latest], WAIT)
        return page_answer(workflow_page(prefix_of(request), flow, _latest(lists.glances(), stem)))


def _latest(sessions: list[Summary], stem: str) -> list[Summary]:
    return [each for each in sessions if each.workflow == stem and not each.archived][:LATEST]

"""A workflow's own page: what it asks, what depends on what, its sessions."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..answers import page_answer, prefix_of
from ..views.workflow import workflow_page

LATEST = 20  # sessions that are listed


def add(app: Any, site: Any) -> None:
    @app.get("/workflows/{stem}")
    async def workflow(request: Request, stem: str) -> Response:
        flow = site.workspace.workflow(stem)
        sessions = [
            each for each in site.workspace.summaries() if each.workflow == stem and not each.archived
        ]
        return page_answer(workflow_page(prefix_of(request), flow, sessions[:LATEST]))

"""The first page, and whether the program is there."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import BrokenWorkflow
from ...workflow import Workflow
from ..answers import page_answer, prefix_of
from ..views.home import home_page


def add(app: Any, site: Any) -> None:
    @app.get("/")
    async def home(request: Request) -> Response:
        found: dict[str, Workflow | BrokenWorkflow] = {}
        for stem in site.workspace.workflow_files():
            try:
                found[stem] = site.workspace.workflow(stem)
            except BrokenWorkflow as error:
                found[stem] = error
        return page_answer(home_page(prefix_of(request), found, site.workspace.summaries()))

    @app.get("/healthz")
    async def healthz(request: Request) -> Response:
        try:
            number = version("workflow-assistant")
        except PackageNotFoundError:  # run from the folder, not installed
            number = "unknown"
        return JSONResponse({"ok": True, "version": number})

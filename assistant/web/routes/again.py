"""A new session from values of earlier ones: again, and compose."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...again import again, candidates, compose
from ...errors import Refused
from ..answers import page_answer, prefix_of, text_of, whole_number
from ..views.compose import PICK, compose_page
from .sessions import entry_number, opened


def add(app: Any, site: Any) -> None:
    @app.post("/sessions/{sid}/again")
    async def run_again(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        made = await again(handle, entry_number(handle, await text_of(request, "at")))
        return RedirectResponse(f"{prefix_of(request)}/sessions/{made.sid}", 303)

    @app.get("/compose")
    async def offer(request: Request) -> Response:
        flow = site.workspace.workflow(_stem(request.query_params.get("workflow", "")))
        return page_answer(compose_page(prefix_of(request), flow, await candidates(site.workspace, flow)))

    @app.post("/compose")
    async def begin_with(request: Request) -> Response:
        stem = _stem(await text_of(request, "workflow"))
        picks = {
            name.removeprefix(PICK): _reference(value)
            for name, value in (await request.form()).items()
            if name.startswith(PICK) and value != ""
        }
        made = await compose(site.workspace, stem, picks)
        return RedirectResponse(f"{prefix_of(request)}/sessions/{made.sid}", 303)


def _stem(text: str) -> str:
    if not text:
        raise Refused(None, None, "Say which workflow to begin: `workflow` is missing.")
    return text


def _reference(value: Any) -> tuple[str, int]:
    """SESSION@n, as a form has it."""
    sid, _, number = str(value).partition("@")
    n = whole_number(number)
    if not sid or n is None:
        raise Refused(None, None, f"A pick is SESSION@n, a session and its entry, not {str(value)[:60]!r}.")
    return sid, n

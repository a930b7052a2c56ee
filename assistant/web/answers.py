"""How routes answer: a page, a fragment, a redirect that knows the prefix, an error as a sentence."""

from typing import Any

from fasthtml.components import P, to_xml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from ..errors import AssistantError, Refused
from .regions import partial
from .views.base import problem_page


def prefix_of(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def page_answer(component: Any, status: int = 200) -> HTMLResponse:
    return HTMLResponse(str(to_xml(component, indent=False)), status)


def by_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def whole_number(text: str | None) -> int | None:
    """Digits as a number; None for anything else (and for more digits than anything here has)."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 12 else None


def wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


async def text_of(request: Request, name: str) -> str:
    """A text field of the form that was sent; "" where it is absent or a file."""
    value = (await request.form()).get(name)
    return value if isinstance(value, str) else ""


async def place_of(request: Request, sid: str) -> str:
    """Where a form of the session leads back to: the record if it stands there, else the session's page."""
    back = await text_of(request, "back")
    return back if back.startswith(f"sessions/{sid}/record") and len(back) < 2_000 else f"sessions/{sid}"


def done(request: Request, address: str) -> Response:
    """After a change: nothing under htmx, since the stream brings it; else back to the page."""
    if by_htmx(request):
        return Response(status_code=204)
    return RedirectResponse(f"{prefix_of(request)}/{address}", 303)


def error_answer(request: Request, error: AssistantError, back: str = ".") -> Response:
    """The error's sentence, as a page, as a fragment for the page that is there, or as JSON."""
    # a reason names the field as the page does; who asks for JSON knows it by its name
    sentence = error.reason if isinstance(error, Refused) and not wants_json(request) else str(error)
    return sentence_answer(request, sentence, error.status, back)


def sentence_answer(request: Request, sentence: str, status: int, back: str = ".") -> Response:
    if by_htmx(request):
        return HTMLResponse(partial("#toast", "innerHTML", str(to_xml(P(sentence)))), status)
    if wants_json(request):
        return JSONResponse({"error": sentence}, status)
    return page_answer(problem_page(prefix_of(request), "That did not work", sentence, back), status)

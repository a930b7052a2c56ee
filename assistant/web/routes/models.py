"""Models: which there are, getting one, deleting one."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ... import live
from ...cli.settings_file import in_effect, path_of
from ...errors import AssistantError, ModelError, NotFound, Refused
from ...models import Catalogue
from ...models.catalogue import delete
from ..answers import by_htmx, page_answer, prefix_of, text_of, wants_json
from ..views.models import models_page, models_view, settings_view

Act = Callable[[str], Awaitable[None]]  # what is done with a model of this name


def add(app: Any, site: Any) -> None:
    @app.get("/models")
    async def models(request: Request) -> Response:
        found = await site.chat.look()
        if "text/html" not in request.headers.get("accept", "") and not request.query_params.get("part"):
            return JSONResponse(_json(found))
        session = _session(site, request.query_params.get("session"))
        if request.query_params.get("part"):
            suggested = site.chat.preferences.now().suggested
            return page_answer(models_view(found, list(live.pulls.values()), suggested, session))
        return page_answer(_page(site, request, found, session))

    @app.post("/models/pull")
    async def pull(request: Request) -> Response:
        async def start(name: str) -> None:
            site.pulls.start(name)

        return await _done(site, request, start, keeps=True)

    @app.post("/models/cancel")
    async def cancel(request: Request) -> Response:
        return await _done(site, request, site.pulls.cancel)

    @app.post("/models/delete")
    async def remove(request: Request) -> Response:
        async def away(name: str) -> None:
            await delete(site.chat.means.ollama, name)
            await site.chat.look(anew=True)

        return await _done(site, request, away)


def _page(
    site: Any, request: Request, found: Catalogue, session: str | None, trouble: str = "", typed: str = ""
) -> Any:
    file = path_of(site.settings.workspace)
    settings = settings_view(in_effect(site.settings), str(file) if file.exists() else None)
    pulls, preferences = list(live.pulls.values()), site.chat.preferences.now()
    prefix = prefix_of(request)
    return models_page(prefix, found, pulls, preferences, session, settings, trouble, typed)


async def _done(site: Any, request: Request, act: Act, keeps: bool = False) -> Response:
    """Back to the page; or the page that says why not, with the name that was typed if it `keeps` that."""
    name, session = await text_of(request, "name"), _session(site, await text_of(request, "session"))
    try:
        with _told():
            await act(name)
    except AssistantError as error:
        if by_htmx(request) or wants_json(request):
            raise
        typed = name if keeps and isinstance(error, Refused) else ""
        page = _page(site, request, await site.chat.look(), session, str(error), typed)
        return page_answer(page, error.status)
    query = f"?session={quote(session)}" if session else ""
    return RedirectResponse(f"{prefix_of(request)}/models{query}", 303)


@contextmanager
def _told() -> Iterator[None]:
    """A name that is none, or of nothing, is the user's to correct; the rest is Ollama's failure."""
    try:
        yield
    except ModelError as error:
        if error.kind == "not_found":
            raise NotFound(str(error)) from None
        if error.kind in ("bad_request", "cloud"):
            raise Refused(None, None, str(error)) from None
        raise


def _session(site: Any, sid: str | None) -> str | None:
    """The session to go back to, if there is one of that id."""
    if not sid:
        return None
    try:
        site.workspace.open(sid)
    except AssistantError:
        return None
    return sid


def _json(found: Catalogue) -> dict[str, Any]:
    return {
        "ollama": found.address,
        "version": found.version,
        "problem": found.problem,
        "notice": found.notice,
        "models": [
            {"name": m.name, "tools": m.tools, "thinking": m.thinking, "size": m.size, "context": m.context}
            for m in found.models
        ],
    }

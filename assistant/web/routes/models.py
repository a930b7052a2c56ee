"""Models: which there are, getting one, deleting one."""

from collections.abc import Iterator
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
from ..answers import page_answer, prefix_of, text_of
from ..views.models import models_page, models_view, settings_view


def add(app: Any, site: Any) -> None:
    @app.get("/models")
    async def models(request: Request) -> Response:
        found = await site.chat.look()
        if "text/html" not in request.headers.get("accept", "") and not request.query_params.get("part"):
            return JSONResponse(_json(found))
        session = _session(site, request.query_params.get("session"))
        pulls, preferences = list(live.pulls.values()), site.chat.preferences.now()
        if request.query_params.get("part"):
            return page_answer(models_view(found, pulls, preferences.suggested, session))
        file = path_of(site.settings.workspace)
        settings = settings_view(in_effect(site.settings), str(file) if file.exists() else None)
        return page_answer(models_page(prefix_of(request), found, pulls, preferences, session, settings))

    @app.post("/models/pull")
    async def pull(request: Request) -> Response:
        with _told():
            site.pulls.start(await text_of(request, "name"))
        return await back(request)

    @app.post("/models/cancel")
    async def cancel(request: Request) -> Response:
        await site.pulls.cancel(await text_of(request, "name"))
        return await back(request)

    @app.post("/models/delete")
    async def remove(request: Request) -> Response:
        name = await text_of(request, "name")
        with _told():
            await delete(site.chat.means.ollama, name)
        await site.chat.look(anew=True)
        return await back(request)

    async def back(request: Request) -> Response:
        session = _session(site, await text_of(request, "session"))
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

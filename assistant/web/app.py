"""The web application: one program's state, its routes, and the gate in front of everything."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fasthtml.core import FastHTML
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from .. import runs
from ..errors import AssistantError, NotFound
from ..launch import start_run
from ..models.pulls import Pulls
from ..settings import Settings
from ..turn import Chat
from ..workspace import Workspace
from .answers import error_answer, sentence_answer
from .assets import assets
from .gate import FAILED, Gate
from .routes import cards, chat, files, home, models, record, sessions, stream


@dataclass
class Site:
    """What the routes share (a class: it lives as long as the program)."""

    settings: Settings
    workspace: Workspace
    chat: Chat
    pulls: Pulls
    streams: dict[str, int] = field(default_factory=dict)  # open streams by session
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    look: asyncio.Task[Any] | None = None

    def looking(self) -> asyncio.Task[Any]:
        """The first look at Ollama, which goes on when a page does not wait for it."""
        if self.look is None or self.look.done():
            self.look = asyncio.create_task(self.chat.look())
        return self.look


def make_app(settings: Settings) -> ASGIApp:
    """The whole application for `settings`, behind the gate."""
    workspace = Workspace(settings)
    talk = Chat(workspace, start_run)
    site = Site(settings, workspace, talk, Pulls(talk.means.ollama, partial(talk.look, anew=True)))
    app = FastHTML(
        default_hdrs=False,
        canonical=False,
        sess_cls=None,
        secret_key="no sessions",  # else a key file is written into the current folder
        lifespan=partial(_lifespan, site),
        exception_handlers={AssistantError: _on_error, 404: _on_404, Exception: _on_failure},
    )
    app.state.site = site
    for part in (home, sessions, cards, chat, models, files, record, stream):
        part.add(app, site)
    app.router.routes.append(assets.route())
    return Gate(GZipMiddleware(app, minimum_size=1_000, compresslevel=5), settings)


async def _lifespan(site: Site, app: Any) -> AsyncIterator[dict[str, Any]]:
    watcher = asyncio.create_task(site.chat.watch(lambda: list(site.streams)))
    try:
        yield {"ending": site.ending}
    finally:
        site.ending.set()
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        await site.pulls.close()
        await site.chat.close()
        await runs.stop_all()


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AssistantError)
    return error_answer(request, error)


async def _on_failure(request: Request, error: Exception) -> Response:
    return sentence_answer(request, FAILED.sentence, FAILED.status)


async def _on_404(request: Request, error: Exception) -> Response:
    return error_answer(request, NotFound(f"There is nothing at {request.url.path[:200]}."))

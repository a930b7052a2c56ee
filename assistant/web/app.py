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
from ..actions.launch import start_run
from ..errors import AssistantError, NotFound
from ..models.pulls import Pulls
from ..settings import Settings
from ..turn import Chat
from ..workspace import Workspace
from ..workspace.tidying import tidy_daily
from ..workspace.trash import Trash
from .answers import error_answer, sentence_answer
from .assets import assets
from .gate import FAILED, Gate
from .routes import (
    again,
    cards,
    chat,
    compare,
    files,
    home,
    imports,
    models,
    record,
    redact,
    search,
    sessions,
    shelf,
    stream,
    workflows,
)


@dataclass
class Site:
    """What the routes share (a class: it lives as long as the program)."""

    settings: Settings
    workspace: Workspace
    chat: Chat
    pulls: Pulls
    trash: Trash
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
    trash = Trash(workspace, settings.undo_seconds)
    site = Site(settings, workspace, talk, Pulls(talk.means.ollama, partial(talk.look, anew=True)), trash)
    app = FastHTML(
        default_hdrs=False,
        canonical=False,
        sess_cls=None,
        secret_key="no sessions",  # else a key file is written into the current folder
        lifespan=partial(_lifespan, site),
        exception_handlers={AssistantError: _on_error, 404: _on_404, Exception: _on_failure},
    )
    app.state.site = site
    app.router.redirect_slashes = False  # what is not there is said, not looked for elsewhere
    pages = (home, sessions, shelf, again, compare, record, redact, imports, workflows, search)
    for part in (*pages, cards, chat, models, files, stream):
        part.add(app, site)
    app.router.routes.append(assets.route())
    return Gate(GZipMiddleware(app, minimum_size=1_000, compresslevel=5), settings)


async def _lifespan(site: Site, app: Any) -> AsyncIterator[dict[str, Any]]:
    site.trash.open()
    tidying = asyncio.create_task(tidy_daily(site.workspace, site.settings.retention))
    watcher = asyncio.create_task(site.chat.watch(lambda: list(site.streams)))
    try:
        yield {"ending": site.ending}
    finally:
        site.ending.set()
        watcher.cancel()
        tidying.cancel()
        await asyncio.gather(watcher, tidying, return_exceptions=True)
        await site.workspace.lists.close()
        await site.trash.close()
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

"""The stream of a session: fold, draw each region, send those that differ from what this connection had."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ... import live
from ...errors import AssistantError
from ...workspace import Handle
from ..answers import whole_number
from ..gather import gather, results_of, today
from ..regions import Sent, changes, draft_changes, forget_live
from ..views.shown import Shown
from .sessions import opened

LINE_ENDS = re.compile(r"\r\n|\r|\n")
LOOK = 0.25  # seconds between looks at the file, for what other programs append
ALIVE = 15.0  # seconds of silence before a comment keeps the connection open


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/events")
    async def events(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        given = request.headers.get("last-event-id") or request.query_params.get("after") or ""
        after = whole_number(given)
        if after is not None and after > handle.session().n:
            after = None  # another file than the page was made from: send everything
        again = "last-event-id" in request.headers
        return StreamingResponse(
            _follow(site, handle, after, again),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )


def message(n: int, parts: list[str]) -> str:
    """One SSE message; its id is the last entry that it shows. A lone CR ends a line there, too."""
    data = "".join(f"data: {line}\n" for part in parts for line in LINE_ENDS.split(part))
    return f"id: {n}\n{data}\n"


async def _follow(site: Any, handle: Handle, after: int | None, again: bool) -> AsyncIterator[str]:
    sid = handle.sid
    site.streams[sid] = site.streams.get(sid, 0) + 1
    sent, seen_n, silent = Sent(), -1, 0.0
    try:
        if after is not None and handle.log.damage is None:  # the page may be from before the damage
            _know(site, handle, after, again, sent)
        yield f"retry: 500\nid: {after if after is not None else ''}\n\n"
        stamp: Any = None
        while not site.ending.is_set():
            beat = live.beat(sid)
            try:
                session = handle.session()
                draft = live.drafts.get(sid)
                phase = draft and (draft.turn, draft.phase)
                shown_now = (session.n, live.progress.get(sid), phase, site.chat.catalogue, handle.log.damage)
                if shown_now != stamp:
                    stamp = shown_now
                    shown = await _shown(site, handle)
                    parts = list(changes(shown, results_of(shown, handle.files), today(), sent))
                else:
                    parts = list(draft_changes(draft, sent))
            except AssistantError:  # the session was deleted: the page learns it as it reloads
                return
            if parts or session.n != seen_n:
                seen_n, silent = session.n, 0.0
                yield message(session.n, parts)
            elif silent >= ALIVE:
                silent = 0.0
                yield ": alive\n\n"
            if not await live.changed(sid, beat, LOOK):
                silent += LOOK
    finally:
        site.streams[sid] -= 1
        if not site.streams[sid]:
            del site.streams[sid]


def _know(site: Any, handle: Handle, after: int, again: bool, sent: Sent) -> None:
    """What the page has, drawn at entry `after` or, where it connects `again`, following until then."""
    catalogue = site.chat.catalogue
    shown = gather(
        handle, None, None, catalogue, site.chat.model_of(handle.session()), site.workspace.summaries()
    )
    if after != shown.session.n:
        session = handle.session(after)
        shown = gather(handle, after, None, catalogue, site.chat.model_of(session))
    shown = _as_if_present(shown)
    for _ in changes(shown, results_of(shown, handle.files), today(), sent):
        pass
    forget_live(shown, again, sent)


def _as_if_present(shown: Shown) -> Shown:
    from dataclasses import replace

    return replace(shown, at=None, draft=None, progress=None)


async def _shown(site: Any, handle: Handle) -> Shown:
    session = handle.session()
    return gather(
        handle, None, None, site.chat.catalogue, site.chat.model_of(session), site.workspace.summaries()
    )


__all__ = ["add", "asyncio", "message"]

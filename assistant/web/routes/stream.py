"""The stream of a session: fold, draw each region, send those that differ from what this connection had."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ... import live
from ...again import kin_of
from ...errors import AssistantError, NotFound
from ...workspace import Handle
from ...workspace.listing import rail_of
from ..answers import whole_number
from ..gather import gather, results_of, today
from ..regions import RUNNING, SPOKEN, TALK, Sent, changes, draft_changes, forget_live
from ..views.shown import Shown
from .sessions import opened

LINE_ENDS = re.compile(r"\r\n|\r|\n")
LOOK = 0.25  # seconds between looks at the file, for what other programs append
RELOAD = "event: reload\ndata: \n\n"
ALIVE = 15.0  # seconds of silence before a comment keeps the connection open


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/events")
    async def events(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        given = request.headers.get("last-event-id") or request.query_params.get("after") or ""
        after, elsewhere = whole_number(given), False
        if after is not None and after > handle.session().n:
            after, elsewhere = None, True  # the page was made from another file: it loads itself again
        if after is not None and any(e.did == "redacted" for e in handle.log.entries[after:]):
            elsewhere = True  # it may show what is not there any more
        again = "last-event-id" in request.headers
        return StreamingResponse(
            _follow(site, handle, after, again, elsewhere),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )


def message(n: int, parts: list[str]) -> str:
    """One SSE message; its id is the last entry that it shows. A lone CR ends a line there, too."""
    data = "".join(f"data: {line}\n" for part in parts for line in LINE_ENDS.split(part))
    return f"id: {n}\n{data}\n"


@dataclass(frozen=True)
class Stamp:
    """What the page is drawn from: as long as it is the same, only the draft's words can differ."""

    n: int
    generation: int
    catalogue: Any
    progress: Any
    phase: Any


def _stamp(site: Any, handle: Handle) -> Stamp:
    draft, progress = live.drafts.get(handle.sid), live.progress.get(handle.sid)
    phase = draft and (draft.turn, draft.phase)
    return Stamp(handle.session().n, handle.log.generation, site.chat.catalogue, progress, phase)


def _only(handle: Handle, before: Stamp | None, now: Stamp) -> frozenset[str] | None:
    """The regions that may differ, or None for all: so that a word costs no more than a word."""
    if before is None or (before.generation, before.catalogue) != (now.generation, now.catalogue):
        return None
    if any(entry.did not in TALK for entry in handle.log.entries[before.n : now.n]):
        return None
    return SPOKEN | RUNNING if before.progress != now.progress else SPOKEN


async def _follow(
    site: Any, handle: Handle, after: int | None, again: bool, elsewhere: bool
) -> AsyncIterator[str]:
    sid = handle.sid
    site.streams[sid] = site.streams.get(sid, 0) + 1
    sent, seen_n, silent = Sent(), -1, 0.0
    stamp: Stamp | None = None
    forgotten = frozenset[str]()
    try:
        if after is not None:
            if after != handle.session().n:
                await asyncio.to_thread(handle.session, after)
            before = _stamp(site, handle)
            forgotten = _know(site, handle, after, again, sent)
            if handle.log.damage is not None:
                sent = Sent()  # the page may be from before the damage
            elif after == before.n:
                stamp = before
        if elsewhere:
            yield RELOAD
        yield f"retry: 500\nid: {after if after is not None else ''}\n\n"
        while not site.ending.is_set():
            await live.begun(sid)
            beat = live.beat(sid)
            try:
                session = handle.session()
                draft = live.drafts.get(sid)
                now = _stamp(site, handle)
                if stamp and stamp.generation != now.generation:
                    yield RELOAD  # what it shows may not be there any more
                if now != stamp or forgotten:
                    only = _only(handle, stamp, now)
                    only, forgotten = only and only | forgotten, frozenset()
                    stamp, shown = now, _shown(site, handle, listed=only is None or "rail" in only)
                    results = partial(results_of, shown, handle.files)
                    parts = list(changes(shown, results, today(), sent, only))
                else:
                    parts = list(draft_changes(draft, sent))
            except NotFound:  # deleted: the page says so as it loads itself again
                yield "event: reload\ndata: \n\n"
                return
            except AssistantError:  # it can not be read any more
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


def _know(site: Any, handle: Handle, after: int, again: bool, sent: Sent) -> frozenset[str]:
    """What the page has, drawn at entry `after` or, where it connects `again`, following until then.

    Returns the regions that are to be sent anew.
    """
    catalogue, suggested = site.chat.catalogue, site.chat.preferences.now().suggested
    shown = _shown(site, handle)
    if after != shown.session.n:
        session = handle.session(after)
        then = gather(handle, after, None, catalogue, site.chat.model_of(session), None, suggested)
        shown = replace(then, kin=shown.kin)
    shown = _as_if_present(shown)
    for _ in changes(shown, partial(results_of, shown, handle.files), today(), sent):
        pass
    return forget_live(shown, again, sent)


def _as_if_present(shown: Shown) -> Shown:
    return replace(shown, at=None, draft=None, progress=None)


def _shown(site: Any, handle: Handle, listed: bool = True) -> Shown:
    """What the page draws; without the other sessions where they are not `listed` anew."""
    model, suggested = site.chat.model_of(handle.session()), site.chat.preferences.now().suggested
    found = site.workspace.lists.recent(handle.sid) if listed else []
    beside, kin = rail_of(found, handle.sid), kin_of(found, handle.sid, handle.session())
    return replace(gather(handle, None, None, site.chat.catalogue, model, beside, suggested), kin=kin)

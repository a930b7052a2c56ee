"""Redaction: what would be taken out, and taking it out."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...errors import Conflict, Refused
from ...redaction import kin, look, redact, results, wanted
from ...redaction.removal import Wanted
from ...workspace import Handle
from ..answers import done, page_answer, prefix_of, whole_number
from ..gather import gather
from ..views.redact import Asked, Preview, redact_page
from .sessions import opened


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/redact")
    async def look_first(request: Request, sid: str) -> Response:
        """What would be taken out; nothing is changed."""
        return await _page(await opened(site, sid), _asked(request.query_params), request)

    @app.post("/sessions/{sid}/redact")
    async def take_out(request: Request, sid: str) -> Response:
        """Takes it out for good. With `look` only shows what would go: the text is in no address then."""
        handle, form = await opened(site, sid), await request.form()
        asked = _asked(form)
        if form.get("look"):
            return await _page(handle, asked, request)
        if not asked.anything:
            raise Refused(None, None, "Say what to take out: entries, a name, or a text.")
        if site.chat.running(sid):
            raise Conflict("A reply is under way and may write it again. Wait for its end, then take it out.")
        await redact(handle, await asyncio.to_thread(_wanted, handle, asked))
        return done(request, f"sessions/{sid}/record")


def _asked(given: Any) -> Asked:
    """What a form or an address asks for; Refused where a number is none."""

    def parts(*keys: str) -> list[str]:
        texts = [text for key in keys for text in given.getlist(key) if isinstance(text, str)]
        return [part for text in texts for part in text.replace(",", " ").split()]

    numbers = {part: whole_number(part) for part in parts("entries", "entry")}
    if odd := [part for part, n in numbers.items() if n is None]:
        raise Refused(None, None, f"{odd[0][:20]!r} is no number of an entry.")
    text = given.get("text") or given.get("pattern") or ""
    return Asked(
        tuple(dict.fromkeys(parts("name", "names"))),
        tuple(sorted({n for n in numbers.values() if n is not None})),
        text if isinstance(text, str) else "",
        *(bool(given.get(key)) for key in ("regex", "exact", "words")),
    )


def _wanted(handle: Handle, asked: Asked) -> Wanted:
    how = {"regex": asked.regex, "exact": asked.exact, "words": asked.words}
    return wanted(handle, asked.names, asked.entries, asked.text, **how)


async def _page(handle: Handle, asked: Asked, request: Request) -> Response:
    preview = await asyncio.to_thread(_preview, handle, asked) if asked.anything else Preview()
    return page_answer(redact_page(gather(handle), asked, preview, prefix_of(request)))


def _preview(handle: Handle, asked: Asked) -> Preview:
    """Blocks: it reads every session's log for what ties it to this one."""
    want = _wanted(handle, asked)
    entries = list(handle.log.entries)
    made = look(entries, want)
    if not made.changed:
        return Preview()
    return Preview(
        tuple((entries[n - 1], made.entries[n - 1]) for n in made.changed),
        made.look,
        made.short,
        tuple((each.sid, each.name, each.places) for each in kin(handle, want)),
        tuple((each.file, each.bytes) for each in results(handle, made)),
    )

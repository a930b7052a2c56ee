"""The chat: messages, stop, again, edit; questions, proposals and notes; which model answers, what it saw."""

from dataclasses import replace
from typing import Any

from fasthtml.components import to_xml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from ...chat.seen import seen
from ...errors import NotFound, Refused
from ...log import Fact
from ...models import GUIDE
from ...tools.desk import clean
from ...tools.settle import LONGEST
from ...turn import answer
from ...workspace import Handle
from ..answers import by_htmx, done, page_answer, place_of, prefix_of, text_of, wants_json, whole_number
from ..views.chat import earlier_page, window
from ..views.seen import seen_page
from .sessions import entry_number, opened, shown_of


def add(app: Any, site: Any) -> None:
    for part in (_saying, _replying, _reading, _answering, _choosing):
        part(app, site)


def _saying(app: Any, site: Any) -> None:
    """The user's words."""

    @app.post("/sessions/{sid}/messages")
    async def message(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        # a quick reply is said in place of what stands in the field
        quick, turn = await text_of(request, "quick"), await text_of(request, "edit")
        text = await text_of(request, "text")
        if turn and not quick:
            await site.chat.edit(handle, turn, text)
        else:
            await site.chat.say(handle, quick or text)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/messages/{turn}/edit")
    async def edit(request: Request, sid: str, turn: str) -> Response:
        handle = await opened(site, sid)
        await site.chat.edit(handle, turn, await text_of(request, "text"))
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/realign")
    async def realign(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await handle.write(lambda _: [Fact("user", "realigned")])
        return done(request, f"sessions/{sid}")


def _replying(app: Any, site: Any) -> None:
    """The reply that is being written, and another one."""

    @app.post("/sessions/{sid}/messages/stop")
    async def stop(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await site.chat.stop(handle)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/messages/{turn}/again")
    async def again(request: Request, sid: str, turn: str) -> Response:
        """Another reply; with `model` by that one, which answers from then on."""
        handle = await opened(site, sid)
        site.chat.may_ask_again(handle, turn)
        if name := await text_of(request, "model"):
            await _choose(site, handle, name)
        await site.chat.again(handle, turn)
        return done(request, f"sessions/{sid}")


def _reading(app: Any, site: Any) -> None:
    """What was said, and what the assistant saw."""

    @app.get("/sessions/{sid}/earlier")
    async def earlier(request: Request, sid: str) -> Response:
        """The messages before an entry: a part for the page that is there, or a page of their own."""
        handle = await opened(site, sid)
        before = whole_number(request.query_params.get("before")) or handle.session().n + 1
        shown = await shown_of(site, handle)
        # they are read; only a change can be taken back from there
        shown = replace(shown, at=shown.last, draft=None, reread=not shown.fixed)
        if by_htmx(request):
            return HTMLResponse("".join(str(to_xml(part, indent=False)) for part in window(shown, before)))
        return page_answer(earlier_page(shown, before, prefix_of(request)))

    @app.get("/sessions/{sid}/messages/{n}/text")
    async def words(request: Request, sid: str, n: int) -> Response:
        """What was said, as it was written: to copy."""
        handle = await opened(site, sid)
        entry = next((e for e in handle.session().chat if e.n == n and e.did == "said"), None)
        if entry is None:
            raise NotFound(f"Nothing was said in entry {n} of this session.")
        return PlainTextResponse(str(entry.get("text") or ""))

    @app.get("/sessions/{sid}/prompts/{digest}")
    async def prompt(request: Request, sid: str, digest: str) -> Response:
        """What the assistant saw."""
        handle = await opened(site, sid)
        found = seen(handle, digest)
        if wants_json(request):
            return JSONResponse(found)
        return page_answer(seen_page(await shown_of(site, handle), found, prefix_of(request)))


def _answering(app: Any, site: Any) -> None:
    """Answers to questions and suggestions, and what a person thinks of a reply."""

    @app.post("/sessions/{sid}/answers/{id}")
    async def answers(request: Request, sid: str, id: str) -> Response:
        handle = await opened(site, sid)
        form = await request.form()
        value = form.get("value")
        action = str(form.get("action") or "accept")
        names = [name for name in form if name.startswith("value.")]
        edited = {name.removeprefix("value."): str(form[name]) for name in names}
        text = str(value) if value is not None else None
        await answer(site.chat, handle, id, action, text, edited=edited)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/notes")
    async def notes(request: Request, sid: str) -> Response:
        """A thumb, a note, or both about an entry; with neither, its notes are taken back."""
        handle = await opened(site, sid)
        about = entry_number(handle, await text_of(request, "about"))
        fields = {name: clean((await text_of(request, name)).strip()) for name in ("text", "thumb")}
        given = {name: text for name, text in fields.items() if text}
        if not given and about in handle.session().notes:
            given = {"text": ""}  # takes the notes back
        if about is None or not given or fields["thumb"] not in ("", "up", "down"):
            raise Refused(None, None, "A note is about an entry, and has words or a thumb, up or down.")
        if len(fields["text"]) > LONGEST:
            raise Refused(None, None, f"A note has at most {LONGEST:,} characters.")
        await handle.write(lambda _: [Fact("user", "noted", {"about": about, **given})])
        return done(request, await place_of(request, sid))


def _choosing(app: Any, site: Any) -> None:
    """Which model answers."""

    @app.post("/sessions/{sid}/model")
    async def model(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await _choose(site, handle, await text_of(request, "model"))
        return done(request, f"sessions/{sid}")


async def _choose(site: Any, handle: Handle, name: str) -> None:
    """Lets a model of those that there are answer. Raises NotFound."""
    known = {GUIDE, *(found.name for found in (await site.chat.look()).models)}
    if name not in known:
        raise NotFound(f"There is no model {name[:80]!r} here. There are: {', '.join(sorted(known))}.")
    if name != site.chat.model_of(handle.session()):
        await handle.write(lambda _: [Fact("user", "chose", {"model": name})])

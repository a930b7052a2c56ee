"""The cards: Next, edit again, help, undo and redo; runs."""

import json
from typing import Any

import anyio.to_thread
from fasthtml.components import P, to_xml
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ... import actions, runs
from ...actions.launch import start_run
from ...cards import cards, help_due, open_card
from ...errors import Conflict, NotFound
from ...files import keep_upload
from ...log import Fact
from ...parameters import judge, read_form, to_json
from ...session import Session
from ...workflow import Step
from ...workspace import Handle
from ..answers import by_htmx, done, error_answer, place_of, text_of, wants_json, whole_number
from ..regions import partial
from ..views.cards import card_view
from ..views.fields import takes_files
from .sessions import opened, page_of, shown_of


def add(app: Any, site: Any) -> None:
    for part in (_cards, _undoing, _running):
        part(app, site)


def _cards(app: Any, site: Any) -> None:
    """One card: Next, Edit, and its help."""

    @app.post("/sessions/{sid}/steps/{step}")
    async def next_card(request: Request, sid: str, step: str) -> Response:
        handle = await opened(site, sid)
        found = _step(handle, step)
        try:
            async with request.form(max_fields=20_000, max_files=100) as form:
                _check_open(handle, step)  # before an upload is kept
                items, added = await _kept(handle, found, form)
            raw = read_form(found.fields, items)
            if added:
                await handle.write(lambda _: added)
            outcome = await actions.complete(handle, step, raw)
        except Conflict as error:
            return await _conflict(site, request, handle, error)
        if outcome.refused:
            typed = _typed(handle, found, raw, items, outcome)
            return await _not_taken(site, request, handle, step, typed)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/steps/{step}/reopen")
    async def reopen(request: Request, sid: str, step: str) -> Response:
        handle = await opened(site, sid)
        _step(handle, step)
        await actions.reopen(handle, step)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/steps/{step}/help")
    async def help_(request: Request, sid: str, step: str) -> Response:
        """The hidden trigger. The log decides whether the help was given already."""
        handle = await opened(site, sid)
        flow, found = handle.workflow(), _step(handle, step)
        text = "\n".join(part for part in (found.question, found.help) if part)

        def decide(session: Session) -> list[Fact]:
            card = open_card(cards(session, flow))
            due = card is not None and card.step.name == step and help_due(session, card)
            return [Fact("workflow", "helped", {"step": step, "text": text})] if due else []

        await handle.write(decide)
        return done(request, f"sessions/{sid}")


def _undoing(app: Any, site: Any) -> None:
    """Undo and redo."""

    @app.post("/sessions/{sid}/undo")
    async def undo(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        entry, name = whole_number(await text_of(request, "entry")), await text_of(request, "name")
        if entry and name:  # one value of several
            await actions.put_back(handle, name, entry)
        else:
            await actions.undo(handle, entry=entry)
        return done(request, await place_of(request, sid))

    @app.post("/sessions/{sid}/redo")
    async def redo(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await actions.redo(handle)
        return done(request, f"sessions/{sid}")


def _running(app: Any, site: Any) -> None:
    """The run: start and cancel."""

    @app.post("/sessions/{sid}/runs")
    async def run(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        try:
            await start_run(handle)
        except Conflict as error:
            return await _conflict(site, request, handle, error)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/runs/{run}/cancel")
    async def cancel(request: Request, sid: str, run: str) -> Response:
        handle = await opened(site, sid)
        known = handle.session().runs.get(run)
        if known is None:
            raise NotFound(f"There is no run {run[:40]!r} in this session.")
        if known.state == "running" and not await runs.cancel(run):
            raise Conflict("This run belongs to another program; cancel it there.")
        return done(request, f"sessions/{sid}")


async def _not_taken(
    site: Any, request: Request, handle: Handle, step: str, typed: dict[str, Any]
) -> Response:
    """422 with the card as it was sent, and what is wrong with it."""
    shown = await shown_of(site, handle, typed={step: typed})
    if wants_json(request):
        found = shown.session.refusals.items()
        refused = {key: str(entry.get("reason")) for key, entry in found if entry.get("step") == step}
        return JSONResponse({"refused": refused}, 422)
    if not by_htmx(request):
        return page_of(shown, handle, request, 422)
    number = next(n for n, card in enumerate(shown.cards, 1) if card.step.name == step)
    card = shown.cards[number - 1]
    markup = str(to_xml(card_view(shown, card, number), indent=False))
    return HTMLResponse(partial(f"#card-{step}", "outerMorph", markup), 422)


async def _conflict(site: Any, request: Request, handle: Handle, error: Conflict) -> Response:
    """409 with what is true now."""
    if wants_json(request):
        return error_answer(request, error)
    shown = await shown_of(site, handle)
    if not by_htmx(request):
        return page_of(shown, handle, request, 409)
    markup = [
        partial(f"#card-{card.step.name}", "outerMorph", str(to_xml(card_view(shown, card, n), indent=False)))
        for n, card in enumerate(shown.cards, 1)
    ]
    sentence = partial("#toast", "innerHTML", str(to_xml(P(str(error)))))
    return HTMLResponse("".join([*markup, sentence]), 409)


def _step(handle: Handle, name: str) -> Step:
    found = handle.workflow().find(name)
    if found is None:
        raise NotFound(f"There is no card {name[:80]!r} in this workflow.")
    return found


def _check_open(handle: Handle, step: str) -> None:
    if handle.log.damage or handle.log.newer_format:
        raise Conflict("This session can only be looked at.")
    card = next(card for card in cards(handle.session(), handle.workflow()) if card.step.name == step)
    if card.state not in ("open", "stale"):
        raise Conflict(f"The card “{card.step.question}” takes nothing now. The page shows what is true now.")


async def _kept(handle: Handle, step: Step, form: FormData) -> tuple[list[tuple[str, str]], list[Fact]]:
    """The form as text pairs; uploads are kept in the session's files, and named in their field's place."""
    items: list[tuple[str, str]] = []
    added: list[Fact] = []
    uploads = {field.name for field in step.fields if takes_files(field)}
    lists: dict[str, list[dict[str, Any]]] = {f.name: [] for f in step.fields if f.name in uploads and f.item}
    for name, value in form.multi_items():
        if isinstance(value, str):
            items.append((name, value))
        elif value.filename and name.split(".")[0] in uploads:
            fields = await anyio.to_thread.run_sync(keep_upload, handle.files, value.filename, value.file)
            added.append(Fact("user", "added", fields))
            if name in lists:
                lists[name].append({"file": fields["file"]})
            else:
                items.append((name, json.dumps({"file": fields["file"]})))
    for name, files in lists.items():
        if files:  # in place of those that were there
            items = [item for item in items if item[0] != name] + [(name, json.dumps(files))]
    return items, added


def _typed(
    handle: Handle, step: Step, raw: dict[str, Any], items: list[tuple[str, str]], outcome: actions.Outcome
) -> dict[str, Any]:
    """What stands in the form as it was sent, with the files that were kept; never a secret."""
    given = {name.split(".")[0] for name, _ in items}
    typed: dict[str, Any] = {}
    for field in step.fields:
        if takes_files(field):
            if raw.get(field.name) and field.name not in outcome.refused:
                typed[field.name] = to_json(judge(field, raw[field.name], place=handle.place()))
        elif field.kind != "secret" and (field.name in given or field.name in raw):
            typed[field.name] = raw.get(field.name, "")
    return typed

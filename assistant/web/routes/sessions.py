"""A session: begin it, look at it now or as it was, fork it."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ... import live
from ...actions import begin, open_due
from ...actions.launch import mark_interrupted
from ...again import kin_of
from ...chat.reply import words_of
from ...errors import BrokenWorkflow, NotFound
from ...session.undoing import redo_of, undo_of
from ...workspace import Handle, Summary
from ...workspace.listing import rail_of
from ..answers import page_answer, prefix_of, text_of, wants_json, whole_number
from ..gather import gather, results_of, today
from ..views.session import session_page
from ..views.shelf import deleted_page
from ..views.shown import Shown

LOOK = 0.25  # seconds that a page waits for the first look at Ollama


async def opened(site: Any, sid: str) -> Handle:
    """The session's handle; runs that ended without a word are marked as interrupted first."""
    handle: Handle = await site.workspace.reach(sid)
    await mark_interrupted(handle)
    return handle


async def shown_of(site: Any, handle: Handle, at: int | None = None, typed: Any = None) -> Shown:
    """Everything that the session's page draws."""
    if site.chat.catalogue is None:
        # a page never waits long for an Ollama that does not answer; the stream brings what is found
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(site.looking()), LOOK)
    if at is not None:
        await asyncio.to_thread(handle.session, at)  # so that it is there, however long the log is
    model = site.chat.model_of(handle.session())
    suggested = site.chat.preferences.now().suggested
    beside, kin = await sessions_beside(site, handle)
    return replace(gather(handle, at, typed, site.chat.catalogue, model, beside, suggested), kin=kin)


async def sessions_beside(site: Any, handle: Handle) -> tuple[list[Summary], list[Summary]]:
    """The sessions of the list beside this one, and its kin; one that takes long to read has no state yet."""
    lists, sid, session = site.workspace.lists, handle.sid, handle.session()
    found = await lists.look()
    wanted = [*rail_of(found, sid), *kin_of(found, sid, session)]
    await lists.read(list(dict.fromkeys(summary.sid for summary in wanted)), LOOK)
    found = lists.glances()
    return rail_of(found, sid), kin_of(found, sid, session)


def page_of(shown: Shown, handle: Handle, request: Request, status: int = 200) -> Response:
    undo = (bool(undo_of(shown.session)), bool(redo_of(shown.session)))
    results = results_of(shown, handle.files)
    return page_answer(session_page(shown, prefix_of(request), results, undo, today()), status)


def entry_number(handle: Handle, text: str | None) -> int | None:
    """`?at=n` as a number of an entry; None for the present."""
    if text is None or text == "":
        return None
    last, number = handle.session().n, whole_number(text)
    if number is None or not 1 <= number <= last:
        raise NotFound(f"There is no entry {text[:20]} in this session; it has {last}.")
    return number


def state_json(shown: Shown) -> dict[str, Any]:
    """The state as the contract has it."""
    run = shown.session.run
    return {
        "session": shown.sid,
        "workflow": shown.session.workflow,
        "n": shown.session.n,
        "open": shown.open.step.name if shown.open else None,
        "steps": {card.step.name: card.state for card in shown.cards},
        "values": shown.session.values,
        "origins": shown.session.origins,
        "run": {"run": run.id, "state": run.state, "reason": run.reason, "results": list(run.results)}
        if run
        else None,
    }


def add(app: Any, site: Any) -> None:
    @app.post("/sessions")
    async def begin_session(request: Request) -> Response:
        workflow = await text_of(request, "workflow")
        if not workflow:
            raise NotFound("Say which workflow to begin: the field `workflow` is missing.")
        handle = await begin(site.workspace, workflow)
        return RedirectResponse(f"{prefix_of(request)}/sessions/{handle.sid}", 303)

    @app.get("/sessions/{sid}")
    async def session(request: Request, sid: str) -> Response:
        if sid in site.trash.names and not wants_json(request):
            undo = deleted_page(prefix_of(request), sid, site.trash.names[sid], site.trash.seconds)
            return page_answer(undo, NotFound.status)
        handle = await opened(site, sid)
        if handle.log.failed:
            handle.log.read_again()  # loading the page again is how one looks what was saved
        at = entry_number(handle, request.query_params.get("at"))
        shown = await shown_of(site, handle, at)
        if wants_json(request):
            return JSONResponse(state_json(shown))
        if turn := request.query_params.get("edit"):
            shown = replace(shown, edit=words_of(shown.session, turn))
        return page_of(shown, handle, request)

    @app.get("/sessions/{sid}/status")
    async def status(request: Request, sid: str) -> Response:
        """What is under way, for a tab that is hidden."""
        run = (await opened(site, sid)).session().run
        return JSONResponse(
            {"answering": sid in live.drafts, "running": bool(run and run.state == "running")}
        )

    @app.post("/sessions/{sid}/fork")
    async def fork(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        at = entry_number(handle, await text_of(request, "at")) or handle.session().n
        made = await asyncio.to_thread(site.workspace.fork, handle, at)
        await mark_interrupted(made)
        with suppress(NotFound, BrokenWorkflow):  # it can be looked at without its workflow
            await open_due(made)
        return RedirectResponse(f"{prefix_of(request)}/sessions/{made.sid}", 303)

"""The tools that do something else than give values: reopen, ask, run, query; and the guide's own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .. import actions
from ..actions import Note, Outcome, new_id
from ..again import LOOKED
from ..cards import Card, cards, open_card
from ..errors import AssistantError, NotFound, Refused
from ..log import Fact
from ..models import Call
from ..parameters import MISSING, REDACTED, Field, show
from ..queries import QUERY, as_result, query, tables_of
from ..workspace import Handle
from ..workspace.offers import Taken, given
from ..workspace.summaries import name_of
from .asking import answer, ask, propose
from .desk import Desk, called, clean, tell

Action = Callable[[Desk, Call], Awaitable[dict[str, Any]]]
CLOSED = ("done", "skipped")


def _noted(
    desk: Desk, call: Call, results: list[dict[str, Any]], make: Callable[[Outcome], dict[str, Any]]
) -> Note:
    def note(outcome: Outcome) -> list[Fact]:
        results[:] = [make(outcome)]
        return [called(desk, call, results[0])]

    return note


async def _reopen(desk: Desk, call: Call) -> dict[str, Any]:
    step, results = call.arguments.get("step"), [{"ok": True}]
    try:
        await actions.reopen(
            desk.handle, str(step), desk.by, _noted(desk, call, results, lambda _: {"ok": True})
        )
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    return results[0]


async def _run(desk: Desk, call: Call) -> dict[str, Any]:
    session = desk.handle.session()
    try:
        if session.run and session.run.state == "running":
            return await tell(desk, call, {"error": "A run is under way already."})
        await actions.parameters_of(desk.handle)
        if desk.runs:  # the user's own words are the yes
            return await tell(desk, call, {"started": await desk.start_run(desk.handle, "user")})
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    open_ = next((id for id, entry in session.questions.items() if entry.get("about") == "run"), None)
    if open_:
        return await tell(desk, call, {"asked": open_})
    id = new_id("q")
    fields = {"id": id, "question": "Run the workflow now?", "about": "run", "turn": desk.turn}
    return await tell(desk, call, {"asked": id}, Fact(desk.by, "asked", fields))


async def _query(desk: Desk, call: Call) -> dict[str, Any]:
    tables, sql = tables_of(desk.handle.session(), desk.handle.files), call.arguments.get("sql")
    if not tables:
        return await tell(desk, call, {"error": "There is no table to ask: no run has finished with one."})
    if not isinstance(sql, str):
        return await tell(desk, call, {"error": "sql is missing."})
    try:
        answer = await asyncio.to_thread(query, tables, sql)
    except Refused as error:
        return await tell(desk, call, {"error": clean(error.reason)})
    return await tell(desk, call, as_result(answer))


async def _next(desk: Desk, call: Call) -> dict[str, Any]:
    """Next, said in the chat. Suggestions that nobody confirmed are asked about first."""
    session = desk.handle.session()
    found = cards(session, desk.handle.workflow())
    card = open_card(found)
    if card is None:
        return await tell(desk, call, {"error": "All cards are completed."})
    # nor does a default take the place of a value that was refused
    doubt = {
        name: value
        for name, value in card.suggestions.items()
        if card.sources[name] in ("model", "guide") or name in session.refusals
    }
    if doubt:
        listed = ", ".join(
            f"{f.label}: {show(f, doubt[f.name])}" for f in card.step.fields if f.name in doubt
        )
        id = new_id("q")
        fields = {
            "id": id,
            "question": f"You did not say this yourself: {listed}. Take it and go on?",
            "about": {"next": card.step.name},
            "turn": desk.turn,
        }
        return await tell(desk, call, {"asked": id}, Fact(desk.by, "asked", fields))
    return await _complete(desk, call, card, card.suggestions | card.values)


async def _skip(desk: Desk, call: Call) -> dict[str, Any]:
    card = open_card(cards(desk.handle.session(), desk.handle.workflow()))
    if card is None:
        return await tell(desk, call, {"error": "All cards are completed."})
    return await _complete(desk, call, card, card.values)


async def _complete(desk: Desk, call: Call, card: Card, raw: Mapping[str, Any]) -> dict[str, Any]:
    results: list[dict[str, Any]] = [{}]

    def make(outcome: Outcome) -> dict[str, Any]:
        refused = {name or card.step.name: reason for name, reason in outcome.refused.items()}
        return {"refused": refused} if refused else {"ok": True}

    try:
        # by the user, as their words are what presses Next
        await actions.complete(
            desk.handle, card.step.name, raw, "user", desk.turn, _noted(desk, call, results, make)
        )
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    if "refused" not in results[0]:
        after = open_card(cards(desk.handle.session(), desk.handle.workflow()))
        return results[0] | {"opened": after.step.name if after else None}
    return results[0]


async def _undo(desk: Desk, call: Call) -> dict[str, Any]:
    results: list[dict[str, Any]] = [{}]
    note = _noted(desk, call, results, lambda outcome: {"ok": True, "names": outcome.unchanged})
    try:
        if call.tool == "undo":
            await actions.undo(desk.handle, desk.by, note=note)
        else:
            await actions.redo(desk.handle, desk.by, note=note)
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    return results[0]


async def _start_over(desk: Desk, call: Call) -> dict[str, Any]:
    results: list[dict[str, Any]] = [{}]
    try:
        await actions.start_over(desk.handle, desk.by, _noted(desk, call, results, lambda _: {"ok": True}))
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    return results[0]


async def _use_last(desk: Desk, call: Call) -> dict[str, Any]:
    """The values of an earlier session of this workflow, as proposals where there is no value.

    What is the default anyway needs no proposal.
    """
    due = [c for c in cards(desk.handle.session(), desk.handle.workflow()) if c.state not in CLOSED]
    last, before = await _last(desk.handle, [_missing(card) for card in due])
    if last is None:
        reason = "No earlier session of this workflow has a value that is missing here, so nothing was taken."
        return await tell(desk, call, {"error": reason})
    facts: list[Fact] = []
    for card in due:
        values = {
            name: before[name].value
            for name in _missing(card)
            if name in before
            and before[name].value not in (card.defaults.get(name, MISSING), _suggested(card, name))
        }
        if values:
            fields = {"id": new_id("p"), "step": card.step.name, "values": values, "turn": desk.turn}
            origin = {"why": f"as in {last.sid}", "source": {name: before[name].source for name in values}}
            facts.append(Fact(desk.by, "proposed", fields | origin))
    found = {name: value for fact in facts for name, value in fact.fields["values"].items()}
    told = await _told(last, [before[name] for name in found or before])
    if not found:
        return await tell(desk, call, {"error": f"{told} has nothing but what stands here already."})
    return await tell(desk, call, {"proposed": found, "from": told, "session": last.sid}, *facts)


async def _last(handle: Handle, missing: Sequence[Sequence[str]]) -> tuple[Handle | None, dict[str, Taken]]:
    """The newest other session of the workflow with values for the open card, and its values.

    One whose run finished comes before one that was left; one that has only values for cards after it, last.
    `missing` are the names without a value, by card.
    """
    workspace, workflow = handle.workspace, handle.session().workflow
    own, every = {*missing[0]} if missing else set(), {name for names in missing for name in names}
    found: tuple[Handle | None, dict[str, Taken]] = (None, {})
    summaries = [s for s in await workspace.lists.look() if s.workflow == workflow and s.sid != handle.sid]
    best = 0
    for summary in summaries[: LOOKED if every else 0]:
        await asyncio.sleep(0)  # opening many sessions must not keep the others waiting
        try:
            other = await workspace.reach(summary.sid)
        except NotFound:  # deleted meanwhile
            continue
        session = other.session()
        there = {name: each for name, each in given(other.sid, session).items() if each.value != REDACTED}
        finished = session.run is not None and session.run.state == "finished"
        rank = 3 + finished if own & there.keys() else 1 + finished if every & there.keys() else 0
        if rank > best:
            best, found = rank, (other, there)
        if rank == 4:
            break
    return found


async def _told(last: Handle, taken: Sequence[Taken]) -> str:
    """The session by its name, when it got these values, and what became of its run."""
    when = _minute(max(each.at for each in taken))
    run = last.session().run
    ended = {"running": "its run is under way", "finished": "its run finished", "failed": "its run failed"}
    how = ended.get(run.state, f"its run was {run.state}") if run else "without a run"
    name, id = await _called(last)
    return f"“{name}” ({id}{when}{how})"


def _minute(at: str) -> str:
    """ "Set ..., " with the time of a log line as it is here; "" of one that is none."""
    try:
        return f"set {datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}, "
    except (ValueError, OverflowError):
        return ""


async def _called(last: Handle) -> tuple[str, str]:
    """The session's name, and its id where others have that name, too."""
    session, listed = last.session(), await last.workspace.lists.look()
    name = session.name or name_of(session)
    alike = any(other.name == name for other in listed if other.sid != last.sid)
    return name, f"{last.sid}, " if alike else ""


def _missing(card: Card) -> list[str]:
    """The fields without a value that an earlier session's can go to."""
    return [field.name for field in card.step.fields if _portable(field) and field.name not in card.values]


def _suggested(card: Card, name: str) -> Any:
    """What a model or the guide suggests for the field already; MISSING if nothing."""
    return card.suggestions[name] if card.sources.get(name) in ("model", "guide") else MISSING


def _portable(field: Field) -> bool:
    """Whether a value means the same in another session: a file and a secret are kept with their own."""
    kinds = {field.kind, *([field.item.kind] if field.item else [])}
    return kinds.isdisjoint({"upload", "secret"})


ACTIONS: dict[str, Action] = {
    "reopen_step": _reopen,
    "ask_user": ask,
    "propose_value": propose,
    "run_workflow": _run,
    QUERY: _query,
    "next_step": _next,
    "skip_step": _skip,
    "undo": _undo,
    "redo": _undo,
    "start_over": _start_over,
    "use_last": _use_last,
    "answer_question": answer,
}

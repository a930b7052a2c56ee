"""Plays a scenario on a session of its own, and tells what followed each turn and what should have.

Scenario ── set up ──▶ session ── turn by turn, through the chat and the cards ──▶ Played ──▶ faults
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import actions
from ..actions import Outcome, begin, complete, new_id
from ..cards import cards, open_card
from ..errors import AssistantError, Refused
from ..log import Entry, Fact
from ..parameters import judge, to_json
from ..session import Session
from ..session.undoing import VALUE_BY
from ..turn import Chat, answer
from ..workflow import Workflow
from ..workspace import Handle, Workspace
from .reading import STRICT, Scenario, Turn

Followed = dict[str, dict[str, Any]]  # by kind: what, and with which value where it has one


@dataclass(frozen=True)
class Played:
    """A turn as it went: the session before and after, and the entries between. `seconds` it took."""

    turn: Turn
    before: Session
    after: Session
    entries: tuple[Entry, ...]
    seconds: float


async def play(
    chat: Chat, scenario: Scenario, prepare: Callable[[Turn], None] = lambda turn: None
) -> list[Played]:
    """Makes a session in the chat's workspace and takes the turns.

    AssistantError: the set-up or an action that is not in the chat was refused.
    """
    return await take(chat, await set_up(chat.workspace, scenario), scenario.turns, prepare)


async def take(
    chat: Chat, handle: Handle, turns: Sequence[Turn], prepare: Callable[[Turn], None] = lambda turn: None
) -> list[Played]:
    """Takes the turns on this session; `prepare` is called before each."""
    found = []
    for turn in turns:
        prepare(turn)
        before, began = handle.session(), time.monotonic()
        await _act(chat, handle, turn)
        after, seconds = handle.session(), time.monotonic() - began
        found.append(Played(turn, before, after, tuple(handle.log.entries[before.n : after.n]), seconds))
    return found


async def set_up(workspace: Workspace, scenario: Scenario) -> Handle:
    """The session as the scenario finds it, and an earlier one where it has that."""
    if scenario.earlier is not None:
        await _finished(workspace, scenario.workflow, scenario.earlier)
    handle = await begin(workspace, scenario.workflow)
    flow, rest = handle.workflow(), dict(scenario.given)
    for name in scenario.done:
        step = next(step for step in flow.steps if step.name == name)
        raw = {field.name: rest.pop(field.name) for field in step.fields if field.name in rest}
        _accepted(await complete(handle, name, raw))
    _accepted(await actions.fill(handle, rest, "user"))
    return handle


async def _finished(workspace: Workspace, workflow: str, values: Mapping[str, Any]) -> None:
    handle = await begin(workspace, workflow)
    while card := open_card(cards(handle.session(), handle.workflow())):
        raw = {field.name: values[field.name] for field in card.step.fields if field.name in values}
        _accepted(await complete(handle, card.step.name, raw))
    await pretend_run(handle, "user")


def _accepted(outcome: Outcome) -> None:
    if outcome.refused:
        raise AssistantError(f"The scenario can not begin: {outcome.refused}.")


async def pretend_run(handle: Handle, by: str) -> str:
    """In place of a run: what was said is tried here, not what the workflow does."""
    run = new_id("r")
    await handle.write(lambda _: [Fact(by, "started", {"run": run}), Fact("app", "finished", {"run": run})])
    return run


async def _act(chat: Chat, handle: Handle, turn: Turn) -> None:
    match turn.action:
        case "say":
            await chat.say(handle, turn.given)
        case "card":
            await complete(handle, turn.given, turn.values)
        case "reopen":
            await actions.reopen(handle, turn.given)
        case "undo":
            await actions.undo(handle)
        case "redo":
            await actions.redo(handle)
        case _:
            session = handle.session()
            waiting = session.question or next(reversed(session.proposals.values()), None)
            if waiting is None:
                raise AssistantError("There is nothing to answer.")
            await answer(chat, handle, str(waiting["id"]), turn.given, turn.value)
    await chat.idle(handle.sid)


# --- what followed -----------------------------------------------------------------------------------


def followed(played: Played) -> Followed:
    """What the turn's entries did, by kind. Defaults that the program gave by itself do not count."""
    found: Followed = {}
    for entry in played.entries:
        for kind, what, value in _told(entry, played):
            found.setdefault(kind, {})[what] = value
    return found


def _told(entry: Entry, played: Played) -> list[tuple[str, str, Any]]:
    did, about = entry.did, entry.get("about")
    match did:
        case "set" if entry.by != "workflow":
            given = {n: v for n, v in entry["values"].items() if n not in (entry.get("defaulted") or ())}
            return [(did, name, value) for name, value in given.items()]
        case "proposed":
            return [(did, name, value) for name, value in entry["values"].items()]
        case "refused":
            return [(did, str(entry.get("name") or entry.get("step")), entry.get("value"))]
        case "asked" if isinstance(about, Mapping):
            return [(did, str(about.get("name") or "next"), about.get("value"))]
        case "asked":
            return [(did, str(about or "choice"), None)]
        case "answered":
            return [(did, str(entry["action"]), entry.get("value"))]
        case "undid" | "redid":
            lines = [played.after.lines[n] for n in entry["entries"] if n in played.after.lines]
            names = [name for line in lines if line.did in VALUE_BY for name in line.names]
            return [(did, name, None) for name in names if not _by_workflow(played.after, entry, name)]
        case "cleared":
            origins = played.before.origins
            return [(did, name, None) for name in entry["names"] if origins.get(name) != "workflow"]
        case "reopened":
            return [("stale" if entry.get("because") else did, str(entry["step"]), None)]
        case "advanced" | "opened" | "skipped":
            return [(did, str(entry["step"]), None)]
        case "called":
            return [(did, str(entry["tool"]), None)]
        case "started" | "failed":
            return [(did, "true", None)]
    return []


def _by_workflow(session: Session, entry: Entry, name: str) -> bool:
    """Whether the workflow derived what was taken back: it follows from the other values."""
    lines = [session.lines[n] for n in entry["entries"] if n in session.lines]
    return all(line.by == "workflow" for line in lines if name in line.names)


# --- what should have --------------------------------------------------------------------------------


def faults(played: Sequence[Played], flow: Workflow) -> list[str]:
    """Where the turns went otherwise than they must, one sentence each; none where all is right."""
    told = []
    for number, each in enumerate(played, 1):
        turn, found = each.turn, followed(each)
        where = f"turn {number} ({turn.action}{f' {turn.given!r}' if turn.given else ''})"
        for kind in dict.fromkeys((*STRICT, *turn.follows)):
            if kind not in turn.may and not _fits(turn.follows.get(kind), found.get(kind, {}), flow):
                told.append(
                    f"{where}: {kind} {_shown(found.get(kind))}, not {_shown(turn.follows.get(kind))}"
                )
        if turn.action == "say" and not any(e.did == "said" and e.by != "user" for e in each.entries):
            told.append(f"{where}: there was no reply")
        told += [f"{where}: {fault}" for fault in _state_faults(turn.state, each.after, flow)]
    return told


def _shown(value: Any) -> str:
    return "nothing" if value in (None, {}, []) else str(value)


def _fits(expected: Any, found: Mapping[str, Any], flow: Workflow) -> bool:
    """A mapping names values, a list or a word only what they are of, true only that there is some."""
    if expected is True:
        return bool(found)
    if isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(
            canonical(flow, name, value) in (found[name], canonical(flow, name, found[name]))
            for name, value in expected.items()
        )
    names = expected if isinstance(expected, list) else [] if expected in (None, False) else [expected]
    return found.keys() == set(names)


def canonical(flow: Workflow, name: str, raw: Any) -> Any:
    """The value as the log has it; as it is where it can not be judged."""
    field = flow.fields().get(name)
    try:
        return to_json(judge(field, raw)) if field else raw
    except Refused:
        return raw


def _state_faults(state: Mapping[str, Any], after: Session, flow: Workflow) -> list[str]:
    told = []
    for name, value in (state.get("values") or {}).items():
        if after.values.get(name) != canonical(flow, name, value):
            told.append(f"{name} is {_shown(after.values.get(name))}, not {value}")
    for name in state.get("missing") or ():
        if name in after.values:
            told.append(f"{name} is {after.values[name]}, where it should have no value")
    if "open" in state:
        card = open_card(cards(after, flow))
        if (card.step.name if card else None) != state["open"]:
            told.append(f"the open card is {card.step.name if card else 'none'}, not {state['open']}")
    return told

"""The tools of a turn, the same for a model and the guide: what they look like, and what a call does.

    call ── judge ──▶ unfit: refused
              └─▶ grounded in the user's words: set      no, and empty: proposed      no, and taken: asked

The calls of one round that only concern values become one write, together with their `called` lines.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import actions
from .actions import Note, Outcome, new_id
from .cards import Card, card_of, cards, open_card
from .errors import AssistantError, Refused
from .forms import schema, show
from .grounding import grounded
from .log import Entry, Fact
from .models import Call
from .parameters import MISSING, Field
from .session import Session
from .settle import StartRun, settle
from .workflow import Workflow
from .workspace import Handle

VALUES = ("set_values", "set_other_value")
FOR_MODELS = (*VALUES, "reopen_step", "ask_user", "run_workflow")
REPAIRS = 2  # times that a refused value may be tried again
RECENT = 2  # turns before this one whose words also count
WHY = 200
ARGUMENTS = 20_000


# --- what they look like -------------------------------------------------------------------------------


def definitions(flow: Workflow, card: Card | None) -> list[dict[str, Any]]:
    """The tools with `card` open, in a fixed order; nothing in them depends on the values so far."""
    offered = card.offered if card else {}
    own = {f.name: s for f in (card.step.fields if card else ()) if (s := schema(f, offered.get(f.name)))}
    others = [name for name, f in flow.fields().items() if name not in own and schema(f)]
    found = []
    if card and own:
        found.append(
            _tool(
                "set_values", f"Set values on the open card, {card.step.name}. Only what the user said.", own
            )
        )
    if others:
        found.append(
            _tool(
                "set_other_value",
                "Set one value of another card. Only what the user said.",
                {
                    "name": {"type": "string", "enum": others, "description": "The parameter."},
                    "value": {"type": "string", "description": "Its value as text; a list as JSON."},
                },
                ["name", "value"],
            )
        )
    steps = {
        "type": "string",
        "enum": [step.name for step in flow.steps],
        "description": "The card.",
    }
    question = {"type": "string", "description": "One short question."}
    options = {"type": "array", "items": {"type": "string"}, "description": "Two to five short answers."}
    return [
        *found,
        _tool("reopen_step", "Open a completed card again, to edit it.", {"step": steps}, ["step"]),
        _tool(
            "ask_user", "Ask the user to choose.", {"question": question, "options": options}, ["question"]
        ),
        _tool("run_workflow", "Run the workflow when all cards are completed. The user is asked first.", {}),
    ]


def _tool(
    name: str, told: str, properties: Mapping[str, Any], required: Sequence[str] = ()
) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict(properties), "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": told, "parameters": parameters}}


# --- what a call does ----------------------------------------------------------------------------------


@dataclass
class Desk:
    """What the calls of one turn share (a class: it counts).

    `by` is model or guide; `said` are the user's messages that count, the newest first; `runs` is whether
    this one plainly says to run; `leave` words a reason after too many repairs.
    """

    handle: Handle
    turn: str
    by: str
    said: Sequence[Entry]
    start_run: StartRun
    runs: bool = False
    leave: Callable[[str, str, str], str] = lambda reason, name, label: reason
    most: int = 12
    calls: int = 0
    repeats: int = 0
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # results by call
    refusals: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)  # labels of what was refused too often
    asked: bool = False
    changed: bool = False


def words_that_count(session: Session, turn: str) -> list[Entry]:
    """The user's message of this turn and those of the turns before it, the newest first."""
    said = [entry for entry in session.chat if entry.did == "said" and entry.by == "user"]
    at = next((i for i, entry in enumerate(said) if entry.get("turn") == turn), len(said) - 1)
    return list(reversed(said[max(0, at - RECENT) : at + 1]))


async def execute(desk: Desk, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Runs the calls in order and logs each; returns one result for each.

    A call that this turn made before is not run again, nor any after `desk.most`.
    """
    results: list[dict[str, Any]] = []
    batch: list[Call] = []

    async def flush() -> None:
        nonlocal batch
        results.extend(await _set(desk, batch))
        batch = []

    for call in calls:
        desk.calls += 1
        again = desk.made.get(_key(call)) if desk.by == "model" else None
        action = ACTIONS.get(call.tool) if desk.by == "guide" or call.tool in FOR_MODELS else None
        if (
            action
            or again
            or desk.calls > desk.most
            or any(_given(call).keys() & _given(e).keys() for e in batch)
        ):
            await flush()
        if desk.calls > desk.most:
            results.append(await _tell(desk, call, {"error": f"No more than {desk.most} calls in one turn."}))
        elif again:
            desk.repeats += 1
            results.append(await _tell(desk, call, _repeated(call, again)))
        elif action:
            results.append(await action(desk, call))
            desk.changed |= "error" not in results[-1] and "refused" not in results[-1]
        else:
            batch.append(call)
    await flush()
    desk.made |= {_key(call): result for call, result in zip(calls, results, strict=True)}
    return results


def _key(call: Call) -> str:
    return f"{call.tool} {json.dumps(call.arguments, sort_keys=True, default=str)}"


def _repeated(call: Call, before: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a call that was made before: nothing changed, and what was wrong still is."""
    kept = {key: before[key] for key in ("refused", "error", "proposed", "asked") if key in before}
    note = "The same call was made before in this turn, so it was not run again. Answer in words."
    return {"unchanged": list(_given(call)), **kept, "note": note}


def called(desk: Desk, call: Call, result: Mapping[str, Any]) -> Fact:
    """The line of a call, whatever came of it."""
    fields = desk.handle.workflow().fields()
    arguments = {
        name: {"secret": True} if (f := fields.get(name)) and f.kind == "secret" else value
        for name, value in call.arguments.items()
    }
    if (f := fields.get(str(arguments.get("name")))) and f.kind == "secret" and "value" in arguments:
        arguments["value"] = {"secret": True}
    return Fact(
        desk.by,
        "called",
        {
            "turn": desk.turn,
            "tool": clean(call.tool)[:200],
            "arguments": loggable(arguments),
            "result": dict(result),
        },
    )


def clean(text: str) -> str:
    """Text that can be written: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def loggable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as received, or cut where a line of the log cannot hold them."""
    try:
        text = clean(json.dumps(arguments, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        text = clean(repr(arguments))
    else:
        if len(text) <= ARGUMENTS and text.count("[") + text.count("{") < 80:
            found: dict[str, Any] = json.loads(text)
            return found
    return {"cut": text[:2_000]}


def _given(call: Call) -> dict[str, Any]:
    """The values that a call names, by parameter."""
    if call.tool == "set_values":
        return dict(call.arguments)
    if call.tool == "set_other_value" and isinstance(name := call.arguments.get("name"), str):
        return {name: call.arguments.get("value")}
    return {}


@dataclass(frozen=True)
class _Plan:
    """What becomes of one value: fill, propose, ask, refuse or omit. `why`: the words it is grounded in."""

    kind: str
    value: Any
    step: str | None = None
    why: str = ""
    reason: str = ""
    id: str = ""


async def _set(desk: Desk, batch: Sequence[Call]) -> list[dict[str, Any]]:
    """The calls that only concern values (or nothing that there is), in one write."""
    if not batch:
        return []
    session, flow = desk.handle.session(), desk.handle.workflow()
    found = cards(session, flow)
    plans = {
        name: _plan(desk, session, found, name, raw) for call in batch for name, raw in _given(call).items()
    }
    fill = {name: plan.value for name, plan in plans.items() if plan.kind == "fill"}
    why = next((plan.why for plan in plans.values() if plan.why), None)
    results: list[dict[str, Any]] = []

    def note(outcome: Outcome) -> list[Fact]:
        results[:] = [_result(desk, flow, call, plans, outcome) for call in batch]
        return [
            *(called(desk, call, result) for call, result in zip(batch, results, strict=True)),
            *_extra(desk, session, flow, plans),
        ]

    outcome = await actions.fill(desk.handle, fill, desk.by, desk.turn, why, note)
    desk.changed |= bool(outcome.set)
    for name in [*outcome.refused, *(n for n, p in plans.items() if p.kind == "refuse")]:
        desk.refusals[str(name)] += 1
    return results


def _plan(desk: Desk, session: Session, found: Sequence[Card], name: str, raw: Any) -> _Plan:
    card = card_of(found, name)
    field_ = card.step.field(name) if card else None
    if card is None or field_ is None:
        return _Plan("fill", raw)  # refused with the names that there are
    step = card.step.name
    if card.state == "skipped":
        return _Plan("refuse", raw, step, reason=f"The card “{card.step.question}” is not needed here.")
    if desk.refusals[name] > REPAIRS:
        desk.left[name] = field_.label
        reason = desk.leave("It was refused before.", name, field_.label)
        return _Plan("refuse", raw, step, reason=reason)
    nothing = raw is None or (isinstance(raw, str) and raw.strip().casefold() in ("", "null", "none"))
    try:
        value = actions.judge_one(desk.handle, card, field_, raw)
    except Refused:
        return _Plan("omit" if nothing else "fill", raw, step)
    if session.values.get(name, MISSING) == value and type(session.values[name]) is type(value):
        return _Plan("fill", raw, step)
    why = _why(desk, session, card, field_, value)
    if why:
        return _Plan("fill", raw, step, why)
    if nothing:
        return _Plan("omit", raw, step)  # small models fill in every argument; this is none
    if name in session.values or card.state == "done":
        return _Plan("ask", value, step, id=_open_question(session, name, value) or new_id("q"))
    return _Plan("propose", value, step, id=_open_proposal(session, name, value))


def _why(desk: Desk, session: Session, card: Card, field_: Field, value: Any) -> str:
    """The user's words that the value is found in; "" if there are none.

    Words from before the parameter's last change do not count: it was said, typed or undone after them.
    """
    changes = [change for change in session.history.get(field_.name, ()) if change.kind != "stale"]
    last = changes[-1] if changes else None
    for entry in desk.said:
        own = entry.get("turn") == desk.turn and not (last and last.by == "user")
        if last and last.n > entry.n and not own:
            continue
        text = str(entry.get("text"))
        as_default = card.sources.get(field_.name) == "default" and card.suggestions[field_.name] == value
        if grounded(field_, value, [text], card.offered.get(field_.name)) or (
            as_default and "default" in text.casefold()
        ):
            return text if len(text) <= WHY else text[: WHY - 1] + "…"
    return ""


def _open_question(session: Session, name: str, value: Any) -> str:
    for id, entry in session.questions.items():
        about = entry.get("about")
        if isinstance(about, Mapping) and about.get("name") == name and about.get("value") == value:
            return id
    return ""


def _open_proposal(session: Session, name: str, value: Any) -> str:
    return next(
        (i for i, e in session.proposals.items() if (e.get("values") or {}).get(name, MISSING) == value), ""
    )


def _extra(desk: Desk, session: Session, flow: Workflow, plans: Mapping[str, _Plan]) -> list[Fact]:
    """The lines for what was not filled: refused, asked, and one `proposed` for each step."""
    facts = []
    proposed: dict[str, dict[str, Any]] = {}
    for name, plan in plans.items():
        about = {"step": plan.step, "name": name}
        if plan.kind == "refuse":
            value = actions.loggable_value(plan.value)
            facts.append(
                Fact(desk.by, "refused", about | {"value": value, "reason": plan.reason, "turn": desk.turn})
            )
        elif plan.kind == "ask" and plan.id not in session.questions:
            field_ = flow.fields()[name]
            question = f"Set {field_.label} to {show(field_, plan.value)}?"
            if name in session.values:
                old = show(field_, session.values[name])
                question = f"Change {field_.label} from {old} to {show(field_, plan.value)}?"
            fields = {
                "id": plan.id,
                "question": question,
                "about": about | {"value": plan.value},
                "turn": desk.turn,
            }
            facts.append(Fact(desk.by, "asked", fields))
        elif plan.kind == "propose" and not plan.id:
            proposed.setdefault(str(plan.step), {})[name] = plan.value
    for step, values in proposed.items():
        facts.append(
            Fact(desk.by, "proposed", {"id": new_id("p"), "step": step, "values": values, "turn": desk.turn})
        )
    return facts


def _result(
    desk: Desk, flow: Workflow, call: Call, plans: Mapping[str, _Plan], outcome: Outcome
) -> dict[str, Any]:
    """What the model is told of one call."""
    given = _given(call)
    if not given:
        return {"error": _misused(call, flow)}
    found: dict[str, dict[str, Any]] = {"set": {}, "refused": {}, "proposed": {}, "asked": {}}
    unchanged = [name for name in given if name in outcome.unchanged]
    for name in given:
        plan = plans[name]
        if name in outcome.set:
            found["set"][name] = outcome.set[name]
        elif name in outcome.refused:
            found["refused"][name] = _reason(desk, flow, name, outcome.refused[name])
        elif plan.kind == "refuse":
            found["refused"][name] = plan.reason
        elif plan.kind == "propose":
            found["proposed"][name] = plan.value
        elif plan.kind == "ask":
            found["asked"][name] = plan.id
    result: dict[str, Any] = {key: value for key, value in found.items() if value}
    if unchanged:
        result["unchanged"] = unchanged
    if found["proposed"]:
        result["note"] = (
            "The user did not say it: it is only a suggestion on the card, for the user to confirm."
        )
    elif found["asked"]:
        result["note"] = "The user did not say it, so the user is asked whether to change it."
    return result or {"unchanged": []}


def _reason(desk: Desk, flow: Workflow, name: str, reason: str) -> str:
    field_ = flow.fields().get(name)
    if field_ and desk.refusals[name] >= REPAIRS:
        desk.left[name] = field_.label
        return desk.leave(reason, name, field_.label)
    return reason


def _misused(call: Call, flow: Workflow) -> str:
    if call.tool == "set_values":
        return "No value was given. Leave the call out if the user said none."
    if call.tool == "set_other_value":
        return f"name is missing. It is one of: {', '.join(flow.fields())}."
    return f"There is no tool {call.tool[:80]!r}. There are: {', '.join(FOR_MODELS)}."


# --- the other tools -----------------------------------------------------------------------------------

Action = Callable[[Desk, Call], Awaitable[dict[str, Any]]]


async def _tell(desk: Desk, call: Call, result: dict[str, Any], *facts: Fact) -> dict[str, Any]:
    line = called(desk, call, result)
    await desk.handle.write(lambda _: [line, *facts])
    return result


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
        return await _tell(desk, call, {"error": str(error)})
    return results[0]


async def _ask(desk: Desk, call: Call) -> dict[str, Any]:
    question = call.arguments.get("question")
    if not isinstance(question, str) or not question.strip():
        return await _tell(desk, call, {"error": "question is missing."})
    if desk.asked:
        return await _tell(desk, call, {"error": "One question at a time: the user has not answered yet."})
    desk.asked = True
    listed = call.arguments.get("options")
    options = (
        [clean(str(o))[:200] for o in listed if isinstance(o, str | int | float)]
        if isinstance(listed, list)
        else []
    )
    id = new_id("q")
    fields: dict[str, Any] = {"id": id, "question": clean(question.strip())[:2_000], "turn": desk.turn}
    if options:
        fields["options"] = list(dict.fromkeys(options))[:8]
    return await _tell(desk, call, {"asked": id}, Fact(desk.by, "asked", fields))


async def _run(desk: Desk, call: Call) -> dict[str, Any]:
    session = desk.handle.session()
    try:
        if session.run and session.run.state == "running":
            return await _tell(desk, call, {"error": "A run is under way already."})
        await actions.parameters_of(desk.handle)
        if desk.runs:  # the user's own words are the yes
            return await _tell(desk, call, {"started": await desk.start_run(desk.handle, "user")})
    except AssistantError as error:
        return await _tell(desk, call, {"error": str(error)})
    open_ = next((id for id, entry in session.questions.items() if entry.get("about") == "run"), None)
    if open_:
        return await _tell(desk, call, {"asked": open_})
    id = new_id("q")
    fields = {"id": id, "question": "Run the workflow now?", "about": "run", "turn": desk.turn}
    return await _tell(desk, call, {"asked": id}, Fact(desk.by, "asked", fields))


async def _next(desk: Desk, call: Call) -> dict[str, Any]:
    """Next, said in the chat. Suggestions that nobody confirmed are asked about first."""
    session = desk.handle.session()
    found = cards(session, desk.handle.workflow())
    card = open_card(found)
    if card is None:
        return await _tell(desk, call, {"error": "All cards are completed."})
    doubt = {n: v for n, v in card.suggestions.items() if card.sources[n] in ("model", "guide")}
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
        return await _tell(desk, call, {"asked": id}, Fact(desk.by, "asked", fields))
    return await _complete(desk, call, card, card.suggestions | card.values)


async def _skip(desk: Desk, call: Call) -> dict[str, Any]:
    card = open_card(cards(desk.handle.session(), desk.handle.workflow()))
    if card is None:
        return await _tell(desk, call, {"error": "All cards are completed."})
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
        return await _tell(desk, call, {"error": str(error)})
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
        return await _tell(desk, call, {"error": str(error)})
    return results[0]


async def _answer(desk: Desk, call: Call) -> dict[str, Any]:
    """The newest open question, answered in the user's own words."""
    question = desk.handle.session().question
    if question is None:
        return await _tell(desk, call, {"error": "There is no open question."})
    action, value = str(call.arguments.get("action")), call.arguments.get("value")
    try:
        answered = await settle(
            desk.handle,
            str(question["id"]),
            action,
            None if value is None else str(value),
            "user",
            desk.start_run,
        )
    except AssistantError as error:
        return await _tell(desk, call, {"error": str(error)})
    outcome = answered.outcome
    result: dict[str, Any] = {"ok": True}
    if outcome.set:
        result["set"] = outcome.set
    if outcome.refused:
        result["refused"] = {
            str(name or question.get("question")): why for name, why in outcome.refused.items()
        }
    if answered.run:
        result["started"] = answered.run
    return await _tell(desk, call, result)


ACTIONS: dict[str, Action] = {
    "reopen_step": _reopen,
    "ask_user": _ask,
    "run_workflow": _run,
    "next_step": _next,
    "skip_step": _skip,
    "undo": _undo,
    "redo": _undo,
    "answer_question": _answer,
}

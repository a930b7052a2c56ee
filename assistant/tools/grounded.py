"""Grounded writes: what becomes of the values that a call names.

    value ── judge ──▶ unfit: refused
               └─▶ grounded in the user's words: set      no, and empty: proposed      no, and taken: asked

The calls of one round that only concern values become one write, together with their `called` lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import actions
from ..actions import Outcome, new_id
from ..cards import Card, card_of, cards
from ..errors import Refused
from ..log import Fact
from ..models import Call
from ..parameters import MISSING, NUMBERS, Field, show
from ..session import Session
from ..words import grounded, says_default
from ..workflow import Workflow
from .desk import FOR_MODELS, Desk, called, given

WHY = 200  # characters of the user's words that are quoted


@dataclass(frozen=True)
class _Plan:
    """What becomes of one value: fill, propose, ask, refuse or omit. `why`: the words it is grounded in.

    `kept`: another one was refused, and the user says to leave this one, which stands there.
    """

    kind: str
    value: Any
    step: str | None = None
    why: str = ""
    reason: str = ""
    id: str = ""
    kept: bool = False


async def set_given(desk: Desk, batch: Sequence[Call]) -> list[dict[str, Any]]:
    """The calls that only concern values (or nothing that there is), in one write."""
    if not batch:
        return []
    session, flow = desk.handle.session(), desk.handle.workflow()
    found = cards(session, flow)
    plans = {
        name: _plan(desk, session, found, name, raw) for call in batch for name, raw in given(call).items()
    }
    fill = {name: plan.value for name, plan in plans.items() if plan.kind == "fill"}
    why = next((plan.why for plan in plans.values() if plan.why), None)
    results: list[dict[str, Any]] = []

    def note(outcome: Outcome) -> list[Fact]:
        results[:] = [_result(desk, flow, call, plans, outcome) for call in batch]
        kept = {name for name in outcome.unchanged if plans[name].kept}
        return [
            *(
                called(desk, call, result, [name for name in given(call) if name in kept])
                for call, result in zip(batch, results, strict=True)
            ),
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
    if desk.refusals[name] > desk.repairs:
        desk.left[name] = field_.label
        return _Plan("refuse", raw, step, reason="It was refused before, and was not tried again.")
    nothing = raw is None or (isinstance(raw, str) and raw.strip().casefold() in ("", "null", "none"))
    try:
        value = actions.judge_one(desk.handle, card, field_, raw)
    except Refused:
        return _Plan("omit" if nothing else "fill", raw, step)
    if session.values.get(name, MISSING) == value and type(session.values[name]) is type(value):
        kept = name in session.refusals and bool(_why(desk, session, card, field_, value))
        return _Plan("fill", raw, step, kept=kept)
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
    fields = desk.handle.workflow().fields()
    beside = [field for field in card.step.fields if field.name != field_.name]
    others = [field for name, field in fields.items() if card.step.field(name) is None]
    undone = (change for taken in session.taken.values() for name, change in taken if name == field_.name)
    changes = [c for c in (*session.history.get(field_.name, ()), *undone) if c.kind != "stale"]
    last = max(changes, key=lambda change: change.n, default=None)
    for entry in desk.said:
        own = entry.get("turn") == desk.turn and not (last and last.by == "user")
        if last and last.n > entry.n and not own:
            continue
        text = str(entry.get("text"))
        as_default = card.sources.get(field_.name) == "default" and card.suggestions[field_.name] == value
        by_rule = desk.by == "guide" and entry.get("turn") == desk.turn
        now, spoken = _before(session, card, field_.name, entry.n), _set_last(session, fields, entry.n)
        it = spoken == [field_.name]
        offered = card.offered.get(field_.name)
        if (
            by_rule
            or grounded(field_, value, [text], offered, None, now, beside, others, it)
            or (as_default and says_default(text))
        ):
            return text if len(text) <= WHY else text[: WHY - 1] + "…"
    return ""


def _before(session: Session, card: Card, name: str, n: int) -> Any:
    """What the parameter was as entry `n` was written: "2 more" is said of that, however often it is set."""
    changes = [change for change in session.history.get(name, ()) if change.n < n]
    return changes[-1].value if changes and changes[-1].kind == "set" else card.defaults.get(name)


def _set_last(session: Session, fields: Mapping[str, Field], n: int) -> list[str]:
    """The numbers that were set last before entry `n`, by somebody: "2 more" may be of these."""
    changes = [
        (change.n, name)
        for name, field in fields.items()
        for change in session.history.get(name, ())
        if change.n < n and change.kind == "set" and change.by != "workflow" and field.kind in NUMBERS
    ]
    newest = max((n for n, _ in changes), default=0)
    return [name for n, name in changes if n == newest]


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
    named = given(call)
    if not named:
        return {"error": _misused(call, flow)}
    found: dict[str, dict[str, Any]] = {"set": {}, "refused": {}, "proposed": {}, "asked": {}}
    unchanged = [name for name in named if name in outcome.unchanged]
    for name in named:
        plan = plans[name]
        if name in outcome.set:
            found["set"][name] = outcome.set[name]
        elif name in outcome.refused:
            found["refused"][name] = _reason(desk, flow, name, outcome.refused[name])
        elif plan.kind == "refuse":
            found["refused"][name] = _reason(desk, flow, name, plan.reason)
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
    if field_ and desk.refusals[name] >= desk.repairs:
        desk.left[name] = field_.label
        return desk.leave(reason, name, field_.label)
    return reason


def _misused(call: Call, flow: Workflow) -> str:
    if call.tool == "set_values":
        return "No value was given. Leave the call out if the user said none."
    if call.tool == "set_other_value":
        return f"name is missing. It is one of: {', '.join(flow.fields())}."
    return f"There is no tool {call.tool[:80]!r}. There are: {', '.join(FOR_MODELS)}."

"""Every change of a session's cards, one function each: judge, compute what follows, append in one write.

    complete · fill · reopen · undo · redo · answer ...
        └─ judge ──▶ facts ──▶ follow_up: stale cards, skipped cards, the card that opens ──▶ one write

A workflow's own functions run in a thread with a deadline and outside the lock; if the cards changed
meanwhile (another program), everything is computed again from the newest state.
"""

import secrets as random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cards import Card, card_of, cards, open_card, static_default
from .consequences import bounded, follow_up, pretend, sentence, typed
from .errors import AssistantError, Conflict, Refused
from .log import Entry, Fact
from .parameters import MISSING, Field, Place, Secret, judge, to_json
from .session import FORMAT, Session, fold, redo_of, undo_of
from .workflow import Step, Workflow, call
from .workspace import Handle, Workspace


@dataclass
class Outcome:
    """What came of an action: the parameters that were set and refused (None: the card), and the entries."""

    set: dict[str, Any] = field(default_factory=dict)
    refused: dict[str | None, str] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


Note = Callable[[Outcome], Sequence[Fact]]
"""Further lines for the same write, made from its outcome; it may raise, and may be called again."""


async def begin(workspace: Workspace, workflow: str, by: str = "user") -> Handle:
    """Makes a session and opens its first card."""
    flow = workspace.workflow(workflow)
    began = Fact(
        by, "began", {"workflow": workflow, "title": flow.title, "format": FORMAT, "source": flow.digest}
    )
    follow = await follow_up(
        flow, fold(pretend(Session(), [began])), (), Place(), workspace.settings.card_seconds
    )
    return workspace.create(workflow, lambda sid: [began, *follow])


async def complete(
    handle: Handle,
    step: str,
    raw: Mapping[str, Any],
    by: str = "user",
    turn: str | None = None,
    note: Note | None = None,
) -> Outcome:
    """A card's Next: judged whole. `raw` holds what the form has (absent: the default).

    Raises Conflict where the card is neither open nor stale.
    """

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        card = next((card for card in cards(session, flow) if card.step.name == step), None)
        if card is None:
            raise Conflict(f"There is no card {step!r} in this workflow.")
        if card.state not in ("open", "stale"):
            why = {"done": "is already completed", "locked": "is not open yet", "skipped": "is skipped"}[
                card.state
            ]
            raise Conflict(f"The card “{card.step.question}” {why}. The page shows what is true now.")
        return await _judge_card(handle, session, flow, card, raw, by, turn)

    return await _act(handle, plan, note)


async def _judge_card(
    handle: Handle,
    session: Session,
    flow: Workflow,
    card: Card,
    raw: Mapping[str, Any],
    by: str,
    turn: str | None,
) -> tuple[Outcome, list[Fact]]:
    place, outcome = handle.place(), Outcome()
    values: dict[str, Any] = {}
    defaulted: list[str] = []
    secrets: dict[str, str] = {}
    facts: list[Fact] = []
    for field_ in card.step.fields:
        name = field_.name
        given = raw.get(name, MISSING)
        kept = field_.kind in ("secret", "upload") and given in (MISSING, "", None) and name in session.values
        if kept:
            given = session.values[name]
        default = given is MISSING or (given == "" and field_.kind not in ("bool", "choices", "lines"))
        if default:
            given = _default(card, field_)
        try:
            if given is MISSING:
                raise Refused(name, None, f"{field_.label} is missing.")
            value = None if given is None and field_.optional else judge(
                field_, given, offered=card.offered.get(name), place=place
            )  # fmt: skip
        except Refused as error:
            outcome.refused[name] = error.reason
            facts.append(_refusal(card.step, field_, given, error.reason, by, turn))
            continue
        if isinstance(value, Secret) and not kept:
            secrets[name] = str(value)
        values[name] = to_json(value)
        if default or (values[name] == card.suggestions.get(name) and card.sources.get(name) == "default"):
            defaulted.append(name)
    if outcome.refused:
        return outcome, facts
    derived = await _check(handle, flow, card.step, session.values | values, secrets)
    if isinstance(derived, str):
        outcome.refused[None] = derived
        return outcome, [
            Fact(
                by,
                "refused",
                _turn({"step": card.step.name, "name": None, "value": None, "reason": derived}, turn),
            )
        ]
    handle.keep_secrets(secrets)
    new = {
        n: v for n, v in values.items() if n not in session.values or session.values[n] != v or n in secrets
    }
    outcome.set = new
    if new:
        fields: dict[str, Any] = {"step": card.step.name, "values": new}
        if named := [name for name in defaulted if name in new]:
            fields["defaulted"] = named
        facts.append(Fact(by, "set", _turn(fields, turn)))
    facts += _derived(card.step, derived, session)
    return outcome, [*facts, Fact(by, "advanced", {"step": card.step.name})]


def _default(card: Card, field_: Field) -> Any:
    """What an absent value becomes: the shown default, else a constant one, else None for an Optional."""
    if card.sources.get(field_.name) == "default":
        return card.suggestions[field_.name]
    default = static_default(field_)
    if default is not MISSING:
        return default
    return None if field_.optional else MISSING


def _refusal(step: Step, field_: Field, value: Any, reason: str, by: str, turn: str | None) -> Fact:
    shown = None if value is MISSING or field_.kind == "secret" else loggable_value(value)
    return Fact(
        by, "refused", _turn({"step": step.name, "name": field_.name, "value": shown, "reason": reason}, turn)
    )


def loggable_value(value: Any) -> Any:
    """A refused value as it may stand in the log: JSON, bounded, without what JSON cannot hold."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool | int | None) and len(text) < 400:
        return value
    return text.encode("utf-8", "replace").decode()[:2_000]


def _turn(fields: dict[str, Any], turn: str | None, why: str | None = None) -> dict[str, Any]:
    if turn:
        fields["turn"] = turn
    if why:
        fields["why"] = why
    return fields


def _derived(step: Step, derived: Mapping[str, Any], session: Session) -> list[Fact]:
    values = {name: to_json(value) for name, value in derived.items()}
    values = {n: v for n, v in values.items() if n not in session.values or session.values[n] != v}
    return [Fact("workflow", "set", {"step": step.name, "values": values})] if values else []


async def _check(
    handle: Handle, flow: Workflow, step: Step, values: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, Any] | str:
    """Runs the card's body: the derived values, or the reason why it refuses."""
    if not step.body:
        return {}
    place = handle.place()
    place = Place(files=place.files, secrets={**place.secrets, **secrets})
    seconds = handle.workspace.settings.card_seconds
    try:
        derived = await bounded(lambda: call(step.function, typed(flow, values, place)), seconds)
        asked = set(flow.fields())
        if derived is not None and (not isinstance(derived, dict) or asked & derived.keys()):
            raise TypeError(f"{step.name} must return a dict of new names, or nothing")
        return {name: to_json(value) for name, value in (derived or {}).items()}
    except Exception as error:  # a workflow's body may raise anything; it becomes the card's sentence
        reason = sentence(error, seconds)
        for secret in [*place.secrets.values()]:
            reason = reason.replace(secret, "••••") if len(secret) > 3 else reason
        return reason


async def fill(
    handle: Handle,
    given: Mapping[str, Any],
    by: str,
    turn: str | None = None,
    why: str | None = None,
    note: Note | None = None,
) -> Outcome:
    """Sets single values (a tool's or the command line's), each judged by itself.

    The good ones are set in one entry for each step, the others refused; a done card stays done if its
    body accepts the new values. Unknown names are refused with the names that there are.
    """

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        outcome, facts, found = Outcome(), [], cards(session, flow)
        by_step: dict[str, dict[str, Any]] = {}
        for name, raw in given.items():
            card = card_of(found, name)
            if card is None:
                outcome.refused[name] = f"There is no parameter {name}. There are {', '.join(flow.fields())}."
                facts.append(
                    Fact(
                        by,
                        "refused",
                        _turn(
                            {
                                "step": None,
                                "name": name,
                                "value": loggable_value(raw),
                                "reason": outcome.refused[name],
                            },
                            turn,
                        ),
                    )
                )
                continue
            field_ = card.step.field(name)
            assert field_ is not None
            try:
                value = judge_one(handle, card, field_, raw)
            except Refused as error:
                outcome.refused[name] = error.reason
                facts.append(_refusal(card.step, field_, raw, error.reason, by, turn))
                continue
            if name in session.values and session.values[name] == value:
                outcome.unchanged.append(name)
            else:
                by_step.setdefault(card.step.name, {})[name] = value
        for step, values in by_step.items():
            facts += await _fill_step(handle, session, flow, step, values, outcome, by, turn, why)
        return outcome, facts

    return await _act(handle, plan, note)


def judge_one(handle: Handle, card: Card, field_: Field, raw: Any) -> Any:
    """One value as a tool or the command line gives it, as JSON. Secrets and uploads are the card's alone."""
    if field_.kind in ("secret", "upload"):
        what = "a secret" if field_.kind == "secret" else "a file"
        raise Refused(field_.name, None, f"{field_.label} is {what}: it can be given on its card only.")
    if raw is None and field_.optional:
        return None
    return to_json(judge(field_, raw, offered=card.offered.get(field_.name), place=handle.place()))


async def _fill_step(
    handle: Handle, session: Session, flow: Workflow, step_: str, values: dict[str, Any], outcome: Outcome,
    by: str, turn: str | None, why: str | None,
) -> list[Fact]:  # fmt: skip
    step = flow.find(step_)
    assert step is not None
    status = session.status(step_)
    derived: dict[str, Any] | str = {}
    if status and status.did == "advanced":
        derived = await _check(handle, flow, step, session.values | values, {})
    if isinstance(derived, str):
        outcome.refused |= dict.fromkeys(values, derived)
        return [
            Fact(by, "refused", _turn({"step": step_, "name": name, "value": value, "reason": derived}, turn))
            for name, value in values.items()
        ]
    outcome.set |= values
    fact = Fact(by, "set", _turn({"step": step_, "values": values}, turn, why))
    return [fact, *_derived(step, derived, session)]


async def reopen(handle: Handle, step: str, by: str = "user", note: Note | None = None) -> Outcome:
    """Opens a completed card again, with its values."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        card = next((card for card in cards(session, flow) if card.step.name == step), None)
        if card is None:
            raise Conflict(f"There is no card {step!r} in this workflow.")
        if card.state in ("open", "locked"):
            return Outcome(), [] if card.state == "open" and step not in session.failures else [
                Fact(by, "reopened", {"step": step})
            ]
        return Outcome(), [Fact(by, "reopened", {"step": step})]

    return await _act(handle, plan, note)


async def undo(
    handle: Handle, by: str = "user", entry: int | None = None, note: Note | None = None
) -> Outcome:
    """Takes back the newest action on values, or that of `entry`; raises Conflict where there is none."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        numbers = undo_of(session, entry)
        if not numbers:
            raise Conflict("There is nothing to undo.")
        return _names(session, numbers), [Fact(by, "undid", {"entries": list(numbers)})]

    return await _act(handle, plan, note)


async def redo(handle: Handle, by: str = "user", note: Note | None = None) -> Outcome:
    """Brings back what the newest undo took; raises Conflict where there is nothing."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        numbers = redo_of(session)
        if not numbers:
            raise Conflict("There is nothing to redo.")
        return _names(session, numbers), [Fact(by, "redid", {"entries": list(numbers)})]

    return await _act(handle, plan, note)


def _names(session: Session, numbers: Sequence[int]) -> Outcome:
    names = [name for n in numbers if n in session.lines for name in session.lines[n].names]
    return Outcome(unchanged=list(dict.fromkeys(names)))


async def _act(
    handle: Handle,
    plan: Callable[[Session, Workflow], Awaitable[tuple[Outcome, list[Fact]]]],
    note: Note | None = None,
) -> Outcome:
    async with handle.busy:
        for _ in range(4):
            flow, session = handle.workflow(), handle.session()
            outcome, facts = await plan(session, flow)
            noted = [*note(outcome)] if note else []
            if not facts and not noted:
                return outcome
            if any(fact.did != "refused" for fact in facts):
                after = fold(pretend(session, facts), session)
                # a value that comes where there was none makes nothing stale: what depends on it was
                # said ahead of it, or has gone stale as the old value went
                changed = {n for n in session.values if session.values[n] != after.values.get(n, MISSING)}
                seconds = handle.workspace.settings.card_seconds
                facts += await follow_up(flow, after, changed, handle.place(), seconds)
            facts = [*noted, *facts]
            base = _card_lines(session)

            def decide(now: Session, base: Any = base, facts: list[Fact] = facts) -> list[Fact]:
                return facts if _card_lines(now) == base else []

            outcome.entries = await handle.write(decide)
            if outcome.entries:
                return outcome
        raise Conflict("Another program keeps changing this session's cards. Try again.")


def _card_lines(session: Session) -> tuple[int, int]:
    """Changes with every entry that matters to the cards, not with words and progress."""
    return (len(session.lines), len(session.undone))


def new_id(prefix: str) -> str:
    """A short id for a turn, a question, a proposal or a run."""
    return f"{prefix}{random.token_hex(3)}"


async def parameters_of(handle: Handle) -> dict[str, Any]:
    """The values to run with, by name. Raises Conflict naming the card that is not done."""
    session, flow = handle.session(), handle.workflow()
    card = open_card(cards(session, flow))
    if card:
        raise Conflict(f"The card “{card.step.question}” is not completed yet.")
    return dict(session.values)


async def set_on_card(
    handle: Handle, step: str, by: str, turn: str | None, note: Note | None = None
) -> Outcome:
    """Completes the card with the values and suggestions that stand on it, as Next would."""
    card = next((c for c in cards(handle.session(), handle.workflow()) if c.step.name == step), None)
    if card is None:
        raise AssistantError(f"There is no card {step!r}.")
    return await complete(handle, step, card.suggestions | card.values, by, turn, note)

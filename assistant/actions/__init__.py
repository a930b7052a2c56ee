"""Every change of a session's cards, one function each: judge, compute what follows, append in one write.

    complete · fill · reopen · undo · redo · answer ...
        └─ judge ──▶ facts ──▶ follow_up: stale cards, skipped cards, the card that opens ──▶ one write

A workflow's own functions run in a thread with a deadline and outside the lock; if the cards changed
meanwhile (another program), everything is computed again from the newest state.
"""

import secrets as random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ..cards import Card, card_of, cards, open_card
from ..errors import Conflict, Refused
from ..log import Fact
from ..parameters import MISSING, REDACTED, Place
from ..session import FORMAT, Session, fold
from ..session.undoing import VALUE_BY, redo_of, undo_of
from ..workflow import Workflow
from ..workspace import Handle, Workspace
from .checks import checked_again, refused_again, unfit
from .consequences import adopted, follow_up, open_step, pretend
from .judging import Author, Outcome, Source, fill_step, judge_card, judge_one, loggable_value, same

__all__ = [
    "Note", "Outcome", "begin", "complete", "fill", "judge_one", "loggable_value", "new_id", "open_due",
    "parameters_of", "put_back", "redo", "reopen", "reopen_unfit", "set_on_card", "start_over", "undo",
]  # fmt: skip


Note = Callable[[Outcome], Sequence[Fact]]
"""Further lines for the same write, made from its outcome; it may raise, and may be called again."""


async def begin(
    workspace: Workspace, workflow: str, by: str = "user", lineage: Mapping[str, Any] | None = None
) -> Handle:
    """Makes a session and opens its first card; `lineage` are more fields of its first line."""
    flow = workspace.workflow(workflow)
    fields = {"workflow": workflow, "title": flow.title, "format": FORMAT, "source": flow.digest}
    began = Fact(by, "began", {**fields, **(lineage or {})})
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
    sources: Mapping[str, Source] | None = None,
) -> Outcome:
    """A card's Next: judged whole. `raw` holds what the form has (absent: the default).

    `sources` says which values are taken from an earlier session. Raises Conflict where the card is neither
    open nor stale.
    """

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        card = _card(session, flow, step)
        if card.state not in ("open", "stale"):
            why = {"done": "is already completed", "locked": "is not open yet", "skipped": "is skipped"}[
                card.state
            ]
            raise Conflict(f"The card “{card.step.question}” {why}. The page shows what is true now.")
        before: list[Fact] = []
        # its choices and defaults may be those of earlier values, or of another version of the file
        if not session.is_opened(step) or adopted(flow, session):
            seconds = handle.workspace.settings.card_seconds
            before = await open_step(flow, card.step, session, handle.place(), seconds)
            session = fold(pretend(session, before), session)
            card = _card(session, flow, step)
            if card.state == "skipped":
                return Outcome(), before
        outcome, facts = await judge_card(
            handle, session, flow, card, raw, Author(by, turn, sources=sources or {})
        )
        return outcome, [*before, *facts]

    return await _act(handle, plan, note)


async def fill(
    handle: Handle,
    given: Mapping[str, Any],
    by: str,
    turn: str | None = None,
    why: str | None = None,
    note: Note | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Outcome:
    """Sets single values (a tool's or the command line's), each judged by itself.

    The good ones are set in one entry for each step, the others refused; a done card stays done if its
    body accepts the new values. Unknown names are refused with the names that there are.
    """

    author = Author(by, turn, why, sources or {})

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        outcome, values, facts = _judge_each(handle, session, flow, given, author)
        for step in flow.steps:
            if step.name in values:
                new = await fill_step(handle, session, flow, step, values[step.name], outcome, author)
                session = fold(pretend(session, new), session)
                facts += new
        return outcome, facts

    return await _act(handle, plan, note)


def _judge_each(
    handle: Handle, session: Session, flow: Workflow, given: Mapping[str, Any], author: Author
) -> tuple[Outcome, dict[str, dict[str, Any]], list[Fact]]:
    """The outcome so far, the values to set by step, and the refusals."""
    outcome, facts, found = Outcome(), list[Fact](), cards(session, flow)
    values: dict[str, dict[str, Any]] = {}
    for name, raw in given.items():
        card = card_of(found, name)
        field_ = card.step.field(name) if card else None
        if card is None or field_ is None:
            reason = outcome.refused[name] = (
                f"There is no parameter {name}. There are {', '.join(flow.fields())}."
            )
            facts.append(author.refusal(None, name, loggable_value(raw), reason))
            continue
        try:
            value = judge_one(handle, card, field_, raw)
            if card.state == "skipped":
                raise Refused(
                    name, None, f"The card “{card.step.question}” is not needed with the values so far."
                )
        except Refused as error:
            outcome.refused[name] = error.reason
            facts.append(author.refusal(card.step.name, name, error.value, error.reason))
            continue
        if same(session.values.get(name, MISSING), value):
            outcome.unchanged.append(name)
        else:
            values.setdefault(card.step.name, {})[name] = value
    return outcome, values, facts


async def open_due(handle: Handle) -> Outcome:
    """Opens the card that no line has opened: a fork may end before it, and a changed file may add one."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        place, seconds = handle.place(), handle.workspace.settings.card_seconds
        return Outcome(), await follow_up(flow, session, (), place, seconds)

    return await _act(handle, plan)


async def reopen(handle: Handle, step: str, by: str = "user", note: Note | None = None) -> Outcome:
    """Opens a completed card again, with its values. Conflict where it was not opened before."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        card = _card(session, flow, step)
        if card.state == "locked":
            raise Conflict(f"The card “{card.step.question}” is not open yet.")
        again = card.state in ("done", "skipped") or step in session.failures
        if not again:
            return Outcome(), []
        refused = refused_again(session, card, handle.place()) if card.state == "done" else []
        return Outcome(), [Fact(by, "reopened", {"step": step}), *refused]

    return await _act(handle, plan, note)


_SEEN = ("opened", "advanced", "skipped", "reopened")


async def start_over(handle: Handle, by: str = "user", note: Note | None = None) -> Outcome:
    """Takes all values out and opens the first card; one undo brings them back. Conflict: there are none."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        first, *later = cards(session, flow)
        again = [first.step.name] if first.state != "open" else []
        # what a later card offers is of values that are gone, also where it is the open one
        seen = ((card.step.name, session.mark(card.step.name, *_SEEN)) for card in later)
        again += [step for step, mark in seen if mark and (mark.did != "reopened" or mark.get("because"))]
        if not session.values and not again:
            raise Conflict("There is nothing to begin again: no value is set.")
        waiting = [*session.questions, *session.proposals]
        facts = [Fact(by, "answered", {"id": id, "action": "cancel"}) for id in waiting]
        facts += [Fact(by, "cleared", {"names": list(session.values)})]
        return Outcome(), facts + [Fact(by, "reopened", {"step": step}) for step in again]

    return await _act(handle, plan, note)


def _card(session: Session, flow: Workflow, step: str) -> Card:
    card = next((card for card in cards(session, flow) if card.step.name == step), None)
    if card is None:
        raise Conflict(f"There is no card {step!r} in this workflow.")
    return card


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


async def put_back(handle: Handle, name: str, entry: int, by: str = "user") -> Outcome:
    """Gives the parameter what it had before `entry` set it; the entry's other values stay.

    Raises Conflict where the value is another by now, or its earlier one is not taken any more.
    """
    changes = handle.session().history.get(name, ())
    if not changes or changes[-1].kind != "set" or changes[-1].n != entry:
        raise Conflict(f"{name} has another value by now, so entry {entry} is left as it is.")
    step = changes[-1].step
    before = next((change for change in reversed(changes[:-1]) if change.kind == "set"), None)
    if before is not None:
        outcome = await fill(handle, {name: before.value}, by, why=f"as before entry {entry}")
        if name in outcome.refused:
            raise Conflict(f"{name} stays as it is. {outcome.refused[name]}")
        return outcome

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        cleared = Fact(by, "cleared", {"names": [name], "step": step})
        done = any(card.step.name == step and card.state == "done" for card in cards(session, flow))
        return Outcome(), [cleared, *([Fact(by, "reopened", {"step": step})] if done else [])]

    return await _act(handle, plan)


async def redo(handle: Handle, by: str = "user", note: Note | None = None) -> Outcome:
    """Brings back what the newest undo took; raises Conflict where there is nothing."""

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        numbers = redo_of(session)
        if not numbers:
            raise Conflict("There is nothing to redo.")
        return _names(session, numbers), [Fact(by, "redid", {"entries": list(numbers)})]

    return await _act(handle, plan, note)


def _names(session: Session, numbers: Sequence[int]) -> Outcome:
    lines = [session.lines[n] for n in numbers if n in session.lines]
    names = [name for line in lines if line.did in VALUE_BY for name in line.names]
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
                changed = {n for n, v in session.values.items() if not same(v, after.values.get(n, MISSING))}
                seconds = handle.workspace.settings.card_seconds
                since = _since(session, facts)
                facts += await follow_up(flow, after, changed, handle.place(), seconds, since)
            facts = [*noted, *facts]
            base = _card_lines(session)

            def decide(now: Session, base: Any = base, facts: list[Fact] = facts) -> list[Fact]:
                return facts if _card_lines(now) == base else []

            outcome.entries = await handle.write(decide)
            if outcome.entries:
                return outcome
        raise Conflict("Another program keeps changing this session's cards. Try again.")


def _since(session: Session, facts: Sequence[Fact]) -> int:
    """The entry from which on cards go stale: an undo brings back what fitted together, a redo all of it.

    Where all values are cleared, there is nothing left to go stale.
    """
    numbers = [n for fact in facts if fact.did == "undid" for n in fact.fields["entries"]]
    whole = any(fact.did == "redid" or (fact.did == "cleared" and fact.by != "workflow") for fact in facts)
    return min(numbers, default=session.n + len(facts) + 1 if whole else 0)


def _card_lines(session: Session) -> tuple[int, frozenset[int]]:
    """Changes with every entry that matters to the cards, not with words and progress."""
    return (len(session.lines), session.undone)


def new_id(prefix: str) -> str:
    """A short id for a turn, a question, a proposal or a run."""
    return f"{prefix}{random.token_hex(3)}"


async def reopen_unfit(handle: Handle) -> str | None:
    """Opens the cards again that do not fit the workflow's file as it is now, with the reasons on them.

    Where the file has changed, their functions are called again: choices, `when`, bodies. What is to be done
    then, as a sentence; None where nobody is needed.
    """
    said: list[str] = []

    async def plan(session: Session, flow: Workflow) -> tuple[Outcome, list[Fact]]:
        said.clear()
        facts, is_new = list[Fact](), bool(adopted(flow, session))
        for card in cards(session, flow):
            if card.state not in ("done", "skipped"):
                continue
            look = checked_again if is_new and not said else unfit
            new, why = await look(handle, session, flow, card)
            session = fold(pretend(session, new), session)
            facts += new
            if why:
                said.append(f"{why} The card “{card.step.question}” is open again.")
        return Outcome(), facts

    await _act(handle, plan)
    return said[0] if said else None


async def parameters_of(handle: Handle) -> dict[str, Any]:
    """The values to run with, by name. Conflict names the card that is not done, or does not fit any more."""
    session, flow = handle.session(), handle.workflow()
    if card := open_card(cards(session, flow)):
        raise Conflict(f"The card “{card.step.question}” is not completed yet.")
    for card in cards(session, flow):
        if why := (await unfit(handle, session, flow, card))[1]:
            raise Conflict(f"{why} Open the card “{card.step.question}” again.")
    if gone := next((name for name, value in session.values.items() if value == REDACTED), None):
        raise Conflict(f"What {gone} was is taken out of the record. Edit the card that it comes from.")
    return dict(session.values)


async def set_on_card(
    handle: Handle, step: str, by: str, turn: str | None, note: Note | None = None
) -> Outcome:
    """Completes the card with the values and suggestions that stand on it, as Next would."""
    card = _card(handle.session(), handle.workflow(), step)
    return await complete(handle, step, card.suggestions | card.values, by, turn, note)

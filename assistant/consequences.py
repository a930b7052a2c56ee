"""What follows a change of a session's cards: which go stale, which are skipped, which one opens.

A workflow's own functions (`when`, `options`, `default`, bodies) run in a thread with a deadline; where one
fails or hangs, that is a sentence on the card.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from .cards import affected, cards, open_card
from .log import Entry, Fact
from .parameters import MISSING, Place, judge, to_json
from .session import Session, fold
from .workflow import Step, Workflow, call, default_of, options_of


async def bounded(function: Callable[[], Any], seconds: float) -> Any:
    """Runs a workflow's function in a thread of its own; TimeoutError where it takes longer.

    The thread is a daemon: a function that hangs for ever must not keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def finish(result: Any, error: BaseException | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(result)

    def work() -> None:
        try:
            result, error = function(), None
        except BaseException as caught:  # a SystemExit of the workflow's is its failure, not our end
            result, error = None, caught if isinstance(caught, Exception) else RuntimeError(repr(caught))
        loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wait_for(future, seconds)


def sentence(error: Exception, seconds: float) -> str:
    """What a person reads of an error in a workflow's own function."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"This took longer than {seconds:g} seconds and was given up. Try again, or change the values before it."
    text = str(error).strip()
    if isinstance(error, ValueError) and text:
        return text
    return f"The workflow failed here: {type(error).__name__}{': ' + text if text else ''}."


def typed(flow: Workflow, values: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """JSON values of the log as the Python values that the workflow's functions get."""
    fields = flow.fields()
    return {
        name: judge(fields[name], value, place=place) if name in fields and value is not None else value
        for name, value in values.items()
    }


def pretend(session: Session, facts: Sequence[Fact]) -> list[Entry]:
    """The entries that the facts will be, for a look ahead."""
    return [
        Entry(session.n + i, session.at, fact.by, fact.did, fact.fields) for i, fact in enumerate(facts, 1)
    ]


async def follow_up(
    flow: Workflow, session: Session, changed: Collection[str], place: Place, seconds: float
) -> list[Fact]:
    """What follows a change: cards that go stale, cards that are skipped, and the card that opens."""
    facts: list[Fact] = []

    def add(*new: Fact) -> None:
        nonlocal session
        session = fold(pretend(session, new), session)
        facts.extend(new)

    for step, because in affected(flow, set(changed)):
        status = session.status(step.name)
        touched = any(field_.name in session.values for field_ in step.fields)
        if session.opening(step.name) or touched or (status and status.did == "skipped"):
            add(Fact("app", "reopened", {"step": step.name, "because": because}))
    while card := open_card(cards(session, flow)):
        step = card.step
        marks = [mark.did for mark in session.live_marks(step.name) if mark.did != "helped"]
        if marks and marks[-1] == "opened":
            break
        new = await _open(flow, step, session, place, seconds)
        add(*new)
        if new[0].did != "skipped":
            break
    return facts


async def _open(flow: Workflow, step: Step, session: Session, place: Place, seconds: float) -> list[Fact]:
    """The facts that open the step, or skip it because its `when` says no."""
    failures: list[str] = []

    async def ask(function: Callable[[], Any], what: str) -> Any:
        try:
            return await bounded(function, seconds)
        except Exception as error:  # a workflow's own function may raise anything; the card says it
            failures.append(f"{what}: {sentence(error, seconds)}")
            return MISSING

    values = await ask(lambda: typed(flow, session.values, place), "The earlier values")
    if values is MISSING:
        values = {}
    when = step.when
    if when is not None:
        wanted = await ask(lambda: call(when, values), "Whether this card is needed")
        if wanted is not MISSING and not wanted:
            return await _skip(step, values, ask)
    offered, suggested = {}, {}
    for field_ in step.fields:
        if callable(field_.ask.options) or field_.ask.options is not None:
            found = await ask(lambda f=field_: options_of(f, values), f"The choices of {field_.label}")  # type: ignore[misc]
            if found is not MISSING and found is not None:
                offered[field_.name] = found
        if callable(field_.ask.default):
            default = await ask(
                lambda f=field_: to_json(default_of(f, values, MISSING)), f"The default of {field_.label}"
            )  # type: ignore[misc]
            if default is not MISSING:
                suggested[field_.name] = default
    fields: dict[str, Any] = {"step": step.name}
    if offered:
        fields["offered"] = offered
    if suggested:
        fields["suggested"] = suggested
    opened = Fact("app", "opened", fields)
    return [
        opened,
        *(
            Fact("workflow", "failed", {"where": "step", "step": step.name, "reason": reason})
            for reason in failures
        ),
    ]


async def _skip(
    step: Step, values: Mapping[str, Any], ask: Callable[[Callable[[], Any], str], Awaitable[Any]]
) -> list[Fact]:
    """The step's names are their defaults, or None."""
    defaults: dict[str, Any] = {}
    for field_ in step.fields:
        value = await ask(
            lambda f=field_: to_json(default_of(f, values, None)), f"The default of {field_.label}"
        )  # type: ignore[misc]
        defaults[field_.name] = None if value is MISSING else value
    skipped = Fact("app", "skipped", {"step": step.name})
    if not defaults:
        return [skipped]
    return [
        skipped,
        Fact("workflow", "set", {"step": step.name, "values": defaults, "defaulted": list(defaults)}),
    ]

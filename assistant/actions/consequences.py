"""What follows a change of a session's cards: which go stale, which are skipped, which one opens.

A workflow's own functions (`when`, `options`, `default`, bodies) run in a thread with a deadline; where one
fails or hangs, that is a sentence on the card.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ..calling import call
from ..cards import cards, open_card
from ..errors import Refused
from ..log import Entry, Fact
from ..parameters import MISSING, Field, Place, to_json
from ..session import Session, fold
from ..text import mask
from ..workflow import Step, Workflow, default_of, options_of, skipped_value, typed_values

LOGGED_BYTES = 400_000  # of what one function of a card gives; a line of the log has at most 1 MiB


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
        result: Any = None
        error: BaseException | None = None
        try:
            result = function()
        except (SystemExit, StopIteration) as caught:  # not our end, and not what a future takes
            error = RuntimeError(repr(caught))
        except BaseException as caught:
            error = caught
        try:
            loop.call_soon_threadsafe(finish, result, error)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
            pass

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wait_for(future, seconds)


def sentence(error: Exception, seconds: float, secrets: Mapping[str, str]) -> str:
    """What a person reads of an error in a workflow's own function; no secret stands in it."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"This took longer than {seconds:g} seconds and was given up. Change the values, or try again."
    text = mask(str(error).strip(), secrets).encode("utf-8", "replace").decode()[:2_000]
    if isinstance(error, ValueError) and text:
        return text
    return f"The workflow failed here: {type(error).__name__}{': ' + text if text else ''}."


def loggable(value: Any, secrets: Mapping[str, str]) -> Any:
    """The JSON value, if it may stand in the log; a ValueError says that it is too much or holds a secret."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if (size := len(text.encode())) > LOGGED_BYTES:
        raise ValueError(f"It gives {size:,} bytes; at most {LOGGED_BYTES:,} can be kept.")
    if mask(text, secrets) != text:
        raise ValueError("A secret must not stand in the log, and what this gives holds one.")
    return value


def pretend(session: Session, facts: Sequence[Fact]) -> list[Entry]:
    """The entries that the facts will be, for a look ahead."""
    return [
        Entry(session.n + i, session.at, fact.by, fact.did, dict(fact.fields))
        for i, fact in enumerate(facts, 1)
    ]


async def follow_up(
    flow: Workflow, session: Session, changed: Collection[str], place: Place, seconds: float, since: int = 0
) -> list[Fact]:
    """What follows a change: cards that go stale, cards that are skipped, and the card that opens.

    Only what happened from entry `since` on goes stale: an undo brings back the values of before, for which
    older cards were completed.
    """
    facts: list[Fact] = []
    names = set(changed)
    for step in flow.steps:
        mark = session.mark(step.name, "opened", "advanced", "skipped", "reopened")
        because = sorted(step.takes & names)
        if not because or mark is None or mark.n < since:
            continue  # it never opened, so what was said ahead for it stays
        settings = {n: c for n in session.values if (c := session.setting(n)) and c.step == step.name}
        if settings and all(change.n < since for change in settings.values()):
            # its values are those of before the undo, too: only its completion no longer holds
            if mark.did != "reopened":
                facts.append(Fact("app", "reopened", {"step": step.name}))
            continue
        if settings or mark.did != "reopened" or not mark.get("because"):
            facts.append(Fact("app", "reopened", {"step": step.name, "because": because[0]}))
        names |= {field.name for field in step.fields} | set(settings)
    session = fold(pretend(session, facts), session)
    while card := open_card(cards(session, flow)):
        known = session.is_opened(card.step.name) and session.last_opened == card.step.name
        if known and not adopted(flow, session):
            break
        new = await open_step(flow, card.step, session, place, seconds)
        session = fold(pretend(session, new), session)
        facts += new
    return facts


async def open_step(flow: Workflow, step: Step, session: Session, place: Place, seconds: float) -> list[Fact]:
    """The facts that open the step with its choices and defaults, or skip it because its `when` says no."""
    failures: list[str] = []

    async def ask(what: str, function: Callable[[], Any]) -> Any:
        try:
            return loggable(await bounded(function, seconds), place.secrets)
        except Exception as error:  # a workflow's own function may raise anything; the card says it
            failures.append(f"{what}: {sentence(error, seconds, place.secrets)}")
            return MISSING

    def failed() -> list[Fact]:
        fields = {"where": "step", "step": step.name, "reason": " ".join(failures)}
        return [Fact("workflow", "failed", fields)] if failures else []

    try:
        values = typed_values(flow, session.values, place)
    except Refused as error:  # the workflow's file has changed since
        failures.append(f"An earlier value does not fit any more. {error}")
        return [Fact("app", "opened", {"step": step.name, **adopted(flow, session)}), *failed()]
    when = step.when
    if when and not await ask("Whether this card is needed", lambda: bool(call(when, values))):
        found = {}
        for field in step.fields:
            value = await ask(f"The default of {field.label}", partial(skipped_value, field, values))
            found[field.name] = None if value is MISSING else value
        skipped = [Fact("app", "skipped", {"step": step.name})]
        if found:
            fields = {"step": step.name, "values": found, "defaulted": list(found)}
            skipped.append(Fact("workflow", "set", fields))
        return [*skipped, *failed()]
    opened: dict[str, Any] = {"step": step.name}
    offered, suggested = await _offered(step, values, ask)
    opened |= {"offered": offered} if offered else {}
    opened |= {"suggested": suggested} if suggested else {}
    return [Fact("app", "opened", opened | adopted(flow, session)), *failed()]


def adopted(flow: Workflow, session: Session) -> dict[str, str]:
    """The field that says a changed file of the workflow counts from here on; none where it is the same."""
    return {"source": flow.digest} if session.source and session.source != flow.digest else {}


async def _offered(step: Step, values: Mapping[str, Any], ask: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the functions of the step's fields give: the choices, and the defaults."""
    offered, suggested = {}, {}
    for field in step.fields:
        if field.ask.options is not None:
            found = await ask(f"The choices of {field.label}", partial(options_of, field, values))
            if found is not MISSING:
                offered[field.name] = found
        if callable(field.ask.default):
            found = await ask(f"The default of {field.label}", partial(_default, field, values))
            if found is not MISSING:
                suggested[field.name] = found
    return offered, suggested


def _default(field: Field, values: Mapping[str, Any]) -> Any:
    return to_json(default_of(field, values, None))

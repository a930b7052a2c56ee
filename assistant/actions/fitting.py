"""What of a session's values still fits its workflow's file, which may have changed since. Pure.

    values of the log ──▶ today's judge ──▶ Misfit: refused · altered · choices · gone · renamed · missing
                                                    · new

It calls none of the workflow's functions: choices that a function gives are those that the log says it gave.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..errors import Refused
from ..parameters import MISSING, Field, Place, judge, show, to_json
from ..session import Session
from ..workflow import Step, Workflow

ALIKE = 0.6  # of two names, from which on one may be the other's new name
CLOSED = ("advanced", "skipped")
SHOWN = 5  # choices that a sentence names


@dataclass(frozen=True)
class Misfit:
    """What does not fit, about one parameter. `step` is the card of today's workflow that asks it.

    `kind`: refused, altered (it becomes another value), choices (some are not offered any more), gone (nobody
    asks it), renamed (so, but a new name would take its value), missing (asked now, and there is no default)
    or new (so, with a default).
    """

    kind: str
    name: str
    sentence: str
    step: str | None = None
    heir: str | None = None  # the new name


def misfits(session: Session, flow: Workflow, place: Place, unknown: Collection[str] = ()) -> list[Misfit]:
    """All of them, in the order of the cards. `unknown` are values that can not be judged here."""
    found = [each for step in flow.steps for each in _of_values(session, step, place, unknown)]
    asked = list(_unanswered(session, flow))
    return [*found, *_gone(session, flow, asked, place), *(misfit for _, misfit in asked)]


def refusal(session: Session, step: Step, field: Field, place: Place) -> str | None:
    """Why today's rules refuse the value that the session has; None where they take it."""
    found = _judged(session, step, field, place)
    return found.reason if isinstance(found, Refused) else None


def _judged(session: Session, step: Step, field: Field, place: Place) -> Any:
    value = session.values[field.name]
    status = session.status(step.name)
    if value is None and (field.optional or (status is not None and status.did == "skipped")):
        return None
    opening = session.opening(step.name) if callable(field.ask.options) else None
    offered = (opening.get("offered") or {}).get(field.name) if opening else None
    try:
        return to_json(judge(field, value, offered=offered, place=place))
    except Refused as error:
        return error


def _of_values(session: Session, step: Step, place: Place, unknown: Collection[str]) -> Iterator[Misfit]:
    for field in step.fields:
        name = field.name
        if name in session.values and name not in unknown:
            value, judged = session.values[name], _judged(session, step, field, place)
            if isinstance(judged, Refused):
                yield Misfit("refused", name, judged.reason, step.name)
                continue
            if text_of(judged) != text_of(value):
                now, was = told_apart(field, judged, value)
                yield Misfit("altered", name, f"{field.label} is {now} now; it was {was}.", step.name)
        options = field.ask.options
        offered = () if options is None or callable(options) else [to_json(option) for option in options]
        if sentence := not_offered(session, step, field, offered):
            yield Misfit("choices", name, sentence, step.name)


def not_offered(session: Session, step: Step, field: Field, offered: Collection[Any]) -> str | None:
    """Which choices the card had, and has not among those `offered` now. None: all, or none are known now."""
    opening = session.opening(step.name)
    then = (opening.get("offered") or {}).get(field.name, ()) if opening else ()
    left = {text_of(choice) for choice in offered}
    gone = [choice for choice in then if left and text_of(choice) not in left]
    if not gone:
        return None
    more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
    return f"{field.label} does not offer {show(None, gone[:SHOWN])}{more} any more."


def text_of(value: Any) -> str:
    """The JSON text by which two values are compared: 1 is neither true nor 1.0."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def told_apart(field: Field | None, *values: Any) -> list[str]:
    """The values for reading; as JSON where they would read the same."""
    texts = [show(field, value) for value in values]
    return texts if len(set(texts)) == len(texts) else [text_of(value) for value in values]


def _unanswered(session: Session, flow: Workflow) -> Iterator[tuple[Field, Misfit]]:
    """The questions of cards which the session is past, but which it was not asked."""
    closed = [(s := session.status(step.name)) is not None and s.did in CLOSED for step in flow.steps]
    past = len(closed) if _is_complete(session) else max((i for i, c in enumerate(closed, 1) if c), default=0)
    for step, is_closed in zip(flow.steps[:past], closed, strict=False):
        if not is_closed and session.marks.get(step.name):
            continue  # it is being edited, or asked again
        for field in step.fields:
            if field.name in session.values:
                continue
            default = field.default if field.ask.default is MISSING else field.ask.default
            if default is MISSING and not field.optional:
                told, kind = "and it has no default", "missing"
            else:
                kind, made = "new", callable(default) and not isinstance(default, type)
                shown = show(field, None if default is MISSING or made else to_json(default))
                told = "its default is " + ("made from other values" if made else shown or "empty")
            sentence = f"“{step.question}” asks {_both(field)} now, {told}."
            yield field, Misfit(kind, field.name, sentence, step.name)


def _both(field: Field) -> str:
    """The label, and the name where that is another one."""
    same = field.label.casefold() == field.name.replace("_", " ").casefold()
    return field.label if same else f"{field.label} ({field.name})"


def _is_complete(session: Session) -> bool:
    """Whether no card waits: as one is completed, the next is opened in the same write."""
    kinds = ("opened", "reopened", *CLOSED)
    marks = [mark for step in session.marks if (mark := session.mark(step, *kinds))]
    return bool(marks) and all(mark.did in CLOSED for mark in marks)


def _gone(
    session: Session, flow: Workflow, asked: Iterable[tuple[Field, Misfit]], place: Place
) -> Iterator[Misfit]:
    """The values that nobody asks any more. Derived ones are the cards' own, and come and go with them."""
    fields, new = flow.fields(), {field.name: field for field, _ in asked}
    for name, value in session.values.items():
        if name in fields or session.origins.get(name) == "workflow":
            continue
        told = f"Nobody asks {name} any more; it was {show(None, value)}."
        setting = session.setting(name)
        likely = _closest(name, new) or _only(flow, setting.step if setting else None, new)
        heir = next((field for field in likely if _takes(field, value, place)), None)
        if heir is None:
            yield Misfit("gone", name, told)
            continue
        del new[heir.name]
        step = flow.step_of(heir.name)
        told += f" {_both(heir)} is new and takes that value: renamed?"
        yield Misfit("renamed", name, told, step.name if step else None, heir.name)


def _closest(name: str, fields: dict[str, Field]) -> list[Field]:
    alike = {field.name: SequenceMatcher(None, name, field.name).ratio() for field in fields.values()}
    likely = sorted((other for other in alike if alike[other] >= ALIKE), key=lambda other: -alike[other])
    return [fields[other] for other in likely]


def _only(flow: Workflow, step: str | None, fields: dict[str, Field]) -> list[Field]:
    """The one new name of the card, if it has no more than one."""
    asking = flow.find(step or "")
    found = [field for field in asking.fields if field.name in fields] if asking else []
    return found if len(found) == 1 else []


def _takes(field: Field, value: Any, place: Place) -> bool:
    if value is None:
        return field.optional
    try:
        judge(field, value, place=place)
    except Refused:
        return False
    return True

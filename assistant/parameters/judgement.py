"""The one judge: what a raw value is, or why it is refused."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from ..errors import Refused
from . import choosing, several, single
from .annotations import field_of
from .field import LISTS, MISSING, NOWHERE, NUMBERS, REDACTED, TEXTS, TIMES, Field, Place, Upload
from .refusal import No, allowed, complaint, say
from .texts import checked_text
from .values import to_json
from .wording import lengths, limits, show

LOGGED: Final = 10_000  # bytes of a refused value; a longer one is shortened


def make_field(name: str, annotation: Any, default: Any = MISSING) -> Field:
    """The field of an annotated name, its default judged too: of a float, 1 is 1.0.

    Raises TypeError with a sentence.
    """
    made = field_of(name, annotation, default)
    try:
        return replace(made, default=_check_given(made))
    except (No, TypeError, ValueError) as error:
        raise TypeError(f"{name}: what its Ask or default gives is refused. {error}") from None


def _check_given(made: Field) -> Any:
    """The default as it is when somebody gives it."""
    default = made.default
    if made.kind == "secret" and made.default not in (MISSING, None):
        raise No("a secret has no default; use Secret | None = None.", hide=True)
    if made.kind != "upload" and made.default is not MISSING:
        default = _judge(made, to_json(made.default), None, NOWHERE)
    to_json(made.ask.example)
    for said, meant in (made.ask.aliases or {}).items():
        try:
            _judge(made, to_json(meant), None, NOWHERE)
        except No as no:
            raise No(f"the alias {said!r} means what is refused. {no.reason}", no.hide) from None
    return default


def judge(field: Field, raw: Any, *, offered: Sequence[Any] | None = None, place: Place = NOWHERE) -> Any:
    """The typed value of `raw`: text from a form or a person, or JSON from a tool call, the log or a file.

    `offered` are the options as JSON where they are known. Raises Refused, and nothing else; its `value`
    can always be written to the log, and is None where it may hold a secret.
    """
    try:
        return _judge(field, raw, offered, place)
    except No as no:
        reason, hide = no.reason, no.hide or field.kind == "secret"
    # raised out here, so that no exception that holds the value hangs on it
    raise Refused(field.name, None if hide else _loggable(raw), reason)


def _judge(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    if isinstance(raw, dict) and raw == REDACTED:
        raise No(f"{field.label} was taken out of the record; give it again.")
    if isinstance(raw, str):
        raw = checked_text(field, raw)
    elif not isinstance(raw, bool | int | float | list | dict | Upload | None):
        try:
            raw = to_json(raw)
        except (TypeError, ValueError) as error:
            raise No(f"{field.label}: {error}.") from None
    if _is_nothing(field, raw):
        if field.optional:
            return None
        if raw is None or field.kind != "choice":
            raise No(f"{field.label} is missing: it is {allowed(field, offered)}.")
    value = _by_kind(field, raw, offered, place)
    _check_limits(field, value, raw)
    return value if field.adapter is None else _adapted(field, value)


def _by_kind(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    def inner(part: Field, entry: Any) -> Any:
        return _judge(part, entry, None, place)

    if field.kind in single.JUDGES:
        return single.JUDGES[field.kind](field, raw)
    if field.kind == "choice":
        return choosing.choice(field, raw, offered, inner)
    if field.kind == "choices":
        return choosing.choices(field, raw, offered, inner)
    if field.kind in ("secret", "upload"):
        return (single.secret if field.kind == "secret" else single.upload)(field, raw, place)
    return several.JUDGES[field.kind](field, raw, inner)


def _is_nothing(field: Field, raw: Any) -> bool:
    if raw is None:
        return True
    if not isinstance(raw, str):
        return False
    if field.kind in ("text", "long"):
        return field.optional and not raw.strip()
    if field.kind in LISTS and not field.optional:
        return False
    return not raw.strip() or (
        field.optional and field.kind not in (*TEXTS, "choice") and raw.strip() == "null"
    )


def _loggable(raw: Any) -> Any:
    """The value if it can stand in the log as it is, else a short text of it."""
    try:
        size = len(json.dumps(raw, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        return say(raw)
    return raw if size <= LOGGED else say(raw)


def _adapted(field: Field, value: Any) -> Any:
    try:
        return field.adapter.validate_python(value)
    except Exception as error:  # a validator of the workflow's author may raise anything
        reason = complaint(error)
    raise No(f"{field.label}: {reason}", hide=field.kind == "url")


def _check_limits(field: Field, value: Any, raw: Any) -> None:
    """The limits of the Ask: a range of a single value, the length of a text or list, a pattern."""
    ask = field.ask
    if field.kind in (*TEXTS, *LISTS, "dict"):
        _check_length(field, str(value) if field.kind == "url" else value)
    if field.kind not in (*TEXTS, *NUMBERS, *TIMES):
        return  # a list's entries and what a choice stands for have been checked by themselves
    if ask.pattern is not None and not re.fullmatch(ask.pattern, str(value)):
        such = f", such as {show(None, to_json(ask.example))}" if ask.example is not None else ""
        quoted = "what was given" if field.kind == "secret" else say(value)
        raise No(f"{field.label} is text that matches {ask.pattern}{such}; {quoted} was not taken.")
    try:
        passes = (
            (ask.ge is None or value >= ask.ge)
            and (ask.gt is None or value > ask.gt)
            and (ask.le is None or value <= ask.le)
            and (ask.lt is None or value < ask.lt)
        )
    except TypeError:  # a time with a zone beside one without
        passes = False
    if not passes:
        given = raw.strip() if isinstance(raw, str) and len(raw) <= 60 else say(raw)
        raise No(f"{field.label} is {limits(field)}; {given} was not taken.")


def _check_length(field: Field, value: Any) -> None:
    low, high = field.ask.min_length, field.ask.max_length
    size = len(value)
    if (low is not None and size < low) or (high is not None and size > high):
        given = "" if field.kind == "secret" else f" {size} {'was' if size == 1 else 'were'} given."
        raise No(
            f"{field.label} has {lengths(field)};{given}" if given else f"{field.label} has {lengths(field)}."
        )

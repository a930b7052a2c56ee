"""Why a value does not pass, as a sentence for a person."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from .choices import choices_of
from .field import NUMBERS, Field
from .wording import limits, listed, noun

DIGITS: Final = 300
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}([,_' ][0-9]{3})+(\.[0-9]*)?")


class No(ValueError):
    """Why a value does not pass, as a sentence; `hide` where the value may hold a secret."""

    def __init__(self, reason: str, hide: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hide = reason, hide


def say(raw: Any) -> str:
    """A raw value as a sentence may quote it: short, on one line."""
    if isinstance(raw, str):
        text = "".join(c if c.isprintable() else " " for c in raw[:61])
        return f'"{text[:60]}…"' if len(raw) > 60 else f'"{text}"'
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw) if abs(raw) < 10**DIGITS else "a number that long"
    if isinstance(raw, float | Decimal):
        return str(raw)
    return "null" if raw is None else "a list" if isinstance(raw, list) else "an object"


def allowed(field: Field, offered: Sequence[Any] | None = None) -> str:
    """What passes, in words: "a whole number, 1 to 20 letters"."""
    known = choices_of(field, offered) if field.kind in ("choice", "choices") else None
    if known is not None:
        which = (
            f"one of: {listed([choice.label for choice in known])}" if known else "nothing: no choice is left"
        )
        return which
    ranged = limits(field)
    return f"{noun(field)}, {ranged}" if ranged else noun(field)


def unfit(field: Field, raw: Any, hide: bool = False) -> No:
    quoted = "what was given" if hide else say(raw)
    grouped = field.kind in NUMBERS and isinstance(raw, str) and _GROUPED.fullmatch(raw.strip())
    hint = ", since it has separators; write only its digits" if grouped else ""
    return No(f"{field.label} is {allowed(field)}; {quoted} was not taken{hint}.", hide)


def complaint(error: Exception) -> str:
    """The first complaint of a model or validator, as a sentence."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        text = str(first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        where = ", ".join(str(part) for part in first["loc"])
        text = f"{where}: {text}" if where else text
    else:
        text = str(error) or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."

"""What a choice may be: the members of a Literal or Enum, or the options that are offered."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .field import MISSING, Field
from .values import plain, to_json


@dataclass(frozen=True)
class Choice:
    """One choice: its typed value (MISSING for options, which are JSON), JSON, text and label."""

    value: Any
    json: Any
    text: str
    label: str


def choices_of(field: Field, offered: Sequence[Any] | None = None) -> list[Choice] | None:
    """What a choice or choices field may be; None where anything is (its options are not known yet)."""
    if field.kind == "choices" and field.item is not None:
        return choices_of(field.item, offered)
    options = field.ask.options if offered is None else offered
    allowed = None if options is None or callable(options) else [to_json(option) for option in options]
    if not field.values:
        return (
            None
            if allowed is None
            else [Choice(MISSING, o, plain(o), plain(o)) for o in allowed if is_single(o)]
        )
    members = [Choice(value, to_json(value), plain(to_json(value)), _label(value)) for value in field.values]
    return [c for c in members if allowed is None or any(c.json == o or c.text == o for o in allowed)]


def is_single(value_json: Any) -> bool:
    return isinstance(value_json, str | int | float)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum) and not isinstance(value.value, str):
        return value.name.replace("_", " ").lower()
    return plain(to_json(value))


def choices(field: Field, offered: Sequence[Any] | None = None) -> list[tuple[str, str]]:
    """The (value text, label) pairs of a choice or choices field, in order."""
    return [(choice.text, choice.label) for choice in choices_of(field, offered) or ()]

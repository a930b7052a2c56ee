"""Text that comes in: bounded, readable, and read as lines or JSON where it holds several values."""

import re
from typing import Any, Final

from pydantic_core import from_json

from .field import Field
from .refusal import No, say, unfit
from .values import to_json
from .wording import noun

TEXT_BYTES: Final = 200_000
ENTRIES: Final = 10_000


def checked_text(field: Field, raw: str) -> Any:
    """The text, or what an alias of the field means by it."""
    if len(raw) > TEXT_BYTES or len(raw.encode("utf-8", "replace")) > TEXT_BYTES:
        raise No(
            f"{field.label} is at most {TEXT_BYTES // 1000} kB of text; {len(raw)} characters were not taken."
        )
    if "\0" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        raise No(f"{field.label} is readable text; it held a character that is not (NUL or half of a pair).")
    if field.ask.aliases and field.kind not in ("choice", "secret"):
        said = raw.strip().casefold()
        for alias, meant in field.ask.aliases.items():
            if alias.strip().casefold() == said:
                return to_json(meant)
    return raw


def parsed(field: Field, text: str) -> Any:
    try:  # bounded in depth, unlike json.loads
        return from_json(text, allow_inf_nan=False)
    except (ValueError, TypeError):
        raise No(f"{field.label} is {noun(field)}, as JSON; {say(text)} could not be read as that.") from None


def lines_of(text: str) -> list[str]:
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def entries_of(field: Field, raw: Any) -> list[Any]:
    if isinstance(raw, str):
        lines = lines_of(raw)
        if raw.lstrip().startswith("["):
            try:
                raw = parsed(field, raw)
            except No:
                if field.kind not in ("lines", "choices"):
                    raise
                raw = lines
        elif field.kind in ("lines", "choices") or not lines:
            raw = lines
        elif raw.lstrip().startswith("{") and field.kind != "list":
            raise No(f"{field.label} is a list, as JSON in [ ]; one object was not taken.")
    elif field.kind in ("lines", "choices") and isinstance(raw, bool | int | float):
        raw = [raw]
    if not isinstance(raw, list):
        raise unfit(field, raw)
    if len(raw) > ENTRIES:
        raise No(f"{field.label} has at most {ENTRIES} entries; {len(raw)} were not taken.")
    return raw

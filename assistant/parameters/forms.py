"""Reading a submitted form: pairs of names and texts become raw values for the judge."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from ..errors import Refused
from .field import LISTS, MISSING, Field

ROWS: Final = 1_000
Items = list[tuple[str, str]]


def read_form(fields: Sequence[Field], items: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A form's (name, text) pairs as raw values for the judge; what is left to its default is absent.

    An absent bool is False and an absent list []. Of the others, absent or blank is None where the field
    is Optional and has no default, else it is not in the result: the default, or missing. Blank rows are
    dropped. Raises Refused where a list has more than 1,000 rows.
    """
    own: dict[str, list[str]] = {}
    parts: dict[str, Items] = {}
    for name, text in items:
        head, dot, rest = name.partition(".")
        if dot:
            parts.setdefault(head, []).append((rest, text))
        else:
            own.setdefault(head, []).append(text)
    found = {field.name: _read(field, own.get(field.name, []), parts.get(field.name, [])) for field in fields}
    return {name: raw for name, raw in found.items() if raw is not MISSING}


def _read(field: Field, texts: list[str], parts: Items) -> Any:
    filled = [text for text in texts if text.strip()]
    if field.kind == "bool":
        return texts[-1] if filled or (texts and field.optional) else False
    if field.kind in ("lines", "choices", "list") and (texts or not parts):
        if field.optional and texts and not filled:
            return None
        return filled[0] if len(filled) == 1 else filled
    if filled:
        return filled[-1]
    if field.kind in LISTS:
        return _rows(field, parts)
    if parts and field.kind in ("dict", "nested", "tuple"):
        raw = {"dict": _dict, "nested": _nested, "tuple": _tuple}[field.kind](field, parts)
        if raw is not MISSING:
            return raw
    elif field.kind == "nested" and all(part.kind == "bool" for part in field.fields):
        return dict.fromkeys((part.name for part in field.fields), False)
    return (
        MISSING if field.default is not MISSING or callable(field.ask.default) or not field.optional else None
    )


def _numbered(field: Field, parts: Items) -> list[Items]:
    """The rows `0.name`, `7.name` ... in the order of their numbers, without the blank ones."""
    rows: dict[int, Items] = {}
    for name, text in parts:
        index, _, rest = name.partition(".")
        if re.fullmatch(r"[0-9]{1,6}", index):
            rows.setdefault(int(index), []).append((rest, text))
    if len(rows) > ROWS:
        raise Refused(field.name, None, f"{field.label} has at most {ROWS} rows; {len(rows)} were not taken.")
    return [rows[index] for index in sorted(rows) if any(text.strip() for _, text in rows[index])]


def _rows(field: Field, parts: Items) -> list[Any]:
    entry = replace(field.item, name="") if field.item else Field("", field.label, "text", str)
    if entry.kind == "nested":
        return [read_form(entry.fields, row) if row[0][0] else row[0][1] for row in _numbered(field, parts)]
    return [row[-1][1] for row in _numbered(field, parts)]


def _dict(field: Field, parts: Items) -> Any:
    """A dict; the rows as they are where a key is blank or doubled, for the judge to refuse."""
    entry = replace(field.item, name="value") if field.item else None
    rows = []
    for row in _numbered(field, parts):
        keys = [text for name, text in row if name == "key"]
        rest = [(name, text) for name, text in row if name != "key"]
        rows.append({"key": keys[-1] if keys else "", **(read_form([entry], rest) if entry else {})})
    distinct = {row["key"].strip() for row in rows} - {""}
    complete = len(distinct) == len(rows) and all("value" in row for row in rows)
    return {row["key"]: row["value"] for row in rows} if complete else rows


def _nested(field: Field, parts: Items) -> Any:
    raw = read_form(field.fields, parts)
    if any(text.strip() for _, text in parts):
        return raw
    needed = [part for part in field.fields if part.name not in raw and part.default is MISSING]
    return MISSING if needed or field.optional or field.default is not MISSING else raw


def _tuple(field: Field, parts: Items) -> Any:
    raw = read_form(field.fields, parts)
    return (
        [raw.get(part.name, "") for part in field.fields]
        if any(text.strip() for _, text in parts)
        else MISSING
    )

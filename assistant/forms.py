"""Fields to and from forms and people: choices, texts, sentences, schemas, and reading a form."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from .errors import Refused
from .fields import HIDDEN, LISTS, MISSING, TIMES, Field, plain, to_json

ROWS: Final = 1_000
ENUM: Final = 100  # more options than this are not listed to a model


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
            else [Choice(MISSING, o, plain(o), plain(o)) for o in allowed if _single(o)]
        )
    members = [Choice(value, to_json(value), plain(to_json(value)), _label(value)) for value in field.values]
    return [c for c in members if allowed is None or any(c.json == o or c.text == o for o in allowed)]


def _single(value_json: Any) -> bool:
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


def as_text(field: Field, value_json: Any) -> str:
    """The value as its input element takes it: lines for a list of single values, else JSON for several."""
    if value_json is None or field.kind == "secret":
        return ""
    if field.kind == "bool" and isinstance(value_json, bool):
        return "on" if value_json else "off"
    if field.kind == "upload" and isinstance(value_json, dict):
        return str(value_json.get("file", ""))
    if field.kind in ("lines", "choices") and isinstance(value_json, list):
        texts = [plain(entry) for entry in value_json if _single(entry)]
        if len(texts) == len(value_json) and all(map(_is_line, texts)) and not "".join(texts).startswith("["):
            return "\n".join(texts)
    return plain(value_json) if _single(value_json) else json.dumps(value_json, ensure_ascii=False)


def _is_line(text: str) -> bool:
    return bool(text) and text == text.strip() and "\n" not in text and "\r" not in text


def show(field: Field | None, value_json: Any) -> str:
    """The value for reading: "yes", "tutorial, library", "500 pages", "title: x, size: 3"."""
    if value_json is None or value_json == [] or value_json == {}:
        return "none"
    if (field and field.kind == "secret") or value_json == {"secret": True}:
        return HIDDEN
    if isinstance(value_json, bool):
        return "yes" if value_json else "no"
    if isinstance(value_json, list):
        parts = (
            field.fields if field and field.kind == "tuple" and len(field.fields) == len(value_json) else None
        )
        entries = parts or [field.item if field else None] * len(value_json)
        texts = [show(part, entry) for part, entry in zip(entries, value_json, strict=True)]
        return ("; " if any(isinstance(entry, list | dict) for entry in value_json) else ", ").join(texts)
    if isinstance(value_json, dict):
        if set(value_json) == {"file"}:
            return str(value_json["file"])
        named = {part.name: part for part in field.fields} if field else {}
        entry = field.item if field and field.kind == "dict" else None
        return ", ".join(
            f"{name}: {show(named.get(name, entry), inner)}" for name, inner in value_json.items()
        )
    return _show_single(field, value_json)


def _show_single(field: Field | None, value_json: Any) -> str:
    text = _number(value_json)
    if field is None:
        return text
    if field.kind == "choice":
        text = next((c.label for c in choices_of(field) or () if c.json == value_json), text)
    if field.kind == "datetime":
        text = text.replace("T", " ")
    unit = field.ask.unit
    if text == "1" and unit.endswith("s"):
        unit = unit.removesuffix("s")  # 1 page
    return f"{text} {unit}" if unit and text else text


def _number(value_json: Any) -> str:
    """Text for reading: 2.0 reads 2."""
    whole = isinstance(value_json, float) and value_json.is_integer() and abs(value_json) < 1e15
    return str(int(value_json)) if whole else plain(value_json)


_NOUNS: Final = {
    "text": "text", "long": "text",
    "int": "a whole number", "float": "a number", "decimal": "a decimal number",
    "bool": "yes or no", "date": "a date as 2026-11-21", "datetime": "a date and time as 2026-11-21T10:30",
    "time": "a time as 10:30", "url": "a web address that begins with http:// or https://",
    "email": "an e-mail address such as name@example.org", "upload": "a file", "secret": "text",
    "lines": "a list", "choices": "a list", "list": "a list", "nested_list": "a list", "tuple": "a list",
    "dict": "names with their values", "nested": "an object",
}  # fmt: skip


def noun(field: Field) -> str:
    """What the field takes, in words: "a whole number", "one of: a, b"."""
    if field.kind == "choice":
        known = choices_of(field)
        if known:
            return f"one of: {listed([choice.label for choice in known])}"
        return noun(field.item) if field.item else "one of its options"
    if field.kind in ("nested", "nested_list"):
        parts = field.fields if field.kind == "nested" else field.item.fields if field.item else ()
        return f"{_NOUNS[field.kind]} with {listed([part.name for part in parts])}"
    if field.kind == "tuple":
        return f"a list of {len(field.fields)} values"
    return _NOUNS[field.kind]


def listed(texts: Sequence[str], most: int = 12) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def limits(field: Field) -> str:
    """The range of a number, date or time in words: "1 to 20 letters", "0 seconds or more"; "" if none."""
    ask = field.ask
    ge, gt, le, lt = (None if x is None else _number(to_json(x)) for x in (ask.ge, ask.gt, ask.le, ask.lt))
    unit = f" {ask.unit}" if ask.unit else ""
    more, less = ("or later", "or earlier") if field.kind in TIMES else ("or more", "or less")
    if ge is not None and le is not None:
        return f"{ge} to {le}{unit}"
    if ge is not None and lt is None:
        return f"{ge}{unit} {more}"
    if le is not None and gt is None:
        return f"{le}{unit} {less}"
    low = f"at least {ge}" if ge is not None else f"more than {gt}" if gt is not None else ""
    high = f"at most {le}" if le is not None else f"less than {lt}" if lt is not None else ""
    both = " and ".join(part for part in (low, high) if part)
    return f"{both}{unit}" if both else ""


def lengths(field: Field) -> str:
    """How long a text or list may be, in words: "3 to 20 characters"; "" where that is free."""
    low, high = field.ask.min_length, field.ask.max_length
    what = "entr" if field.kind in (*LISTS, "dict") else "character"
    one, many = ("entry", "entries") if what == "entr" else ("character", "characters")
    if low is not None and high is not None:
        return f"exactly {low} {one if low == 1 else many}" if low == high else f"{low} to {high} {many}"
    bound = low if low is not None else high
    if bound is None:
        return ""
    return f"{'at least' if low is not None else 'at most'} {bound} {one if bound == 1 else many}"


_TYPES: Final = {
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "dict": "object",
}


def schema(field: Field, offered: Sequence[Any] | None = None) -> dict[str, Any] | None:
    """The field as a flat JSON schema for a tool, in only the keys that Ollama keeps.

    Range, unit, default and format are words in its description. None for what no tool can set: an
    upload, a secret, a list of uploads.
    """
    found = _shape(field, offered)
    if found is None:
        return None
    if field.optional:
        found["type"] = (
            [found["type"], "null"] if isinstance(found["type"], str) else [*found["type"], "null"]
        )
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found | {"description": _description(field, offered)}


def _shape(field: Field, offered: Sequence[Any] | None) -> dict[str, Any] | None:
    if field.kind in ("upload", "secret"):
        return None
    if field.kind == "choice":
        known = choices_of(field, offered)
        if known is None or not known:
            return _shape(field.item, None) if field.item else {"type": "string"}
        names = {_type_name(choice.json) for choice in known}
        found: dict[str, Any] = {"type": names.pop() if len(names) == 1 else sorted(names)}
        return found if len(known) > ENUM else found | {"enum": [choice.json for choice in known]}
    if field.kind in LISTS and field.item is not None:
        item = _shape(field.item, offered)
        return None if item is None else {"type": "array", "items": item}
    if field.kind == "tuple":
        parts = [_shape(part, None) for part in field.fields]
        distinct = [part for n, part in enumerate(parts) if part is not None and part not in parts[:n]]
        return {"type": "array", "items": distinct[0] if len(distinct) == 1 else {"anyOf": distinct}}
    if field.kind == "nested":
        inner = {part.name: own for part in field.fields if (own := schema(part)) is not None}
        needed = [part.name for part in field.fields if part.default is MISSING and not part.optional]
        return {"type": "object", "properties": inner, "required": [name for name in needed if name in inner]}
    return {"type": _TYPES.get(field.kind, "string")}


def _type_name(value_json: Any) -> str:
    if isinstance(value_json, bool):
        return "boolean"
    return "string" if isinstance(value_json, str) else "integer" if isinstance(value_json, int) else "number"


def _description(field: Field, offered: Sequence[Any] | None) -> str:
    ask, item = field.ask, field.item
    known = choices_of(field, offered) if field.kind in ("choice", "choices") else None
    told = [field.label, ask.help]
    if field.kind in TIMES or field.kind in ("url", "email"):
        told.append(noun(field))
    if item is not None and field.kind in LISTS and item.kind in (*TIMES, "url", "email"):
        told.append(f"each {noun(item)}")
    if field.kind == "dict" and item is not None:
        told.append(f"an object of names, each with {noun(item)}")
    if field.kind == "tuple":
        told.append(f"exactly {len(field.fields)}: {', '.join(noun(part) for part in field.fields)}")
    if known is not None and len(known) > ENUM:
        told.append(f"one of {len(known)}, such as {listed([c.label for c in known[:5]])}")
    ranged = limits(field)
    told.append(f"each {ranged}" if ranged and field.kind in LISTS else ranged or ask.unit)
    told += [lengths(field), f"matching {ask.pattern}" if ask.pattern else ""]
    if ask.example is not None:
        told.append(f"for example {show(field, to_json(ask.example))}")
    if field.default is not MISSING and not callable(ask.default):
        told.append(f"default {show(field, to_json(field.default))}")
    line = "; ".join(" ".join(text.split()).rstrip(".") for text in told if text)
    return line if line.endswith(("?", "!")) else f"{line}."


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

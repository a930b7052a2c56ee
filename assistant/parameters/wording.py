"""Fields and values as people read them: values, kinds, ranges and lengths in words."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from .choices import choices_of, is_single
from .field import HIDDEN, LISTS, REDACTED, TIMES, Field
from .values import plain, to_json


def as_text(field: Field, value_json: Any) -> str:
    """The value as its input element takes it: lines for a list of single values, else JSON for several."""
    if value_json is None or value_json == REDACTED or field.kind == "secret":
        return ""
    if field.kind == "bool" and isinstance(value_json, bool):
        return "on" if value_json else "off"
    if field.kind == "upload" and isinstance(value_json, dict):
        return str(value_json.get("file", ""))
    if field.kind in ("lines", "choices") and isinstance(value_json, list):
        texts = [plain(entry) for entry in value_json if is_single(entry)]
        if len(texts) == len(value_json) and all(map(_is_line, texts)) and not "".join(texts).startswith("["):
            return "\n".join(texts)
    return plain(value_json) if is_single(value_json) else json.dumps(value_json, ensure_ascii=False)


def _is_line(text: str) -> bool:
    return bool(text) and text == text.strip() and "\n" not in text and "\r" not in text


def show(field: Field | None, value_json: Any) -> str:
    """The value for reading: "yes", "tutorial, library", "500 pages", "title: x, size: 3"."""
    if value_json is None or value_json == [] or value_json == {}:
        return "none"
    if value_json == REDACTED:
        return "redacted"
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
    return _with_unit(field, text) if text else text


def _with_unit(field: Field, text: str, last: str = "") -> str:
    """The text with the field's unit, as it is said of the number that stands before it: "1 page"."""
    unit = field.ask.unit
    if (last or text) == "1":
        unit = _singular(unit)
    return f"{text} {unit}" if unit else text


_PER = re.compile(r" (?:per|of|an?|at|in|for|on) |/")
_SAME = frozenset("series species lens gas canvas atlas bias bus bonus".split())
_IE = frozenset("movies cookies calories pies ties".split())


def _singular(unit: str) -> str:
    """The unit of one: its last word in the plural before a "per" without it."""
    per = _PER.search(unit)
    end = per.start() if per else len(unit)
    words, rest = unit[:end].split(" "), unit[end:]
    for i in range(len(words) - 1, -1, -1):
        one = _one_of(words[i])
        if one != words[i]:
            return " ".join([*words[:i], one, *words[i + 1 :]]) + rest
    return unit


def _one_of(word: str) -> str:
    """ "copies" is copy, "boxes" box; "ms", "kbps" and "Celsius" are as they are."""
    low = word.lower()
    if len(low) < 4 or not re.search("[aeiouy]", low) or low in _SAME or not re.search("(?<![iu])s$", low):
        return word
    if low.endswith("ies") and low not in _IE:
        return word[:-3] + "y"
    if low.endswith("ss"):
        return word
    if low.endswith("es") and low[:-2] in _SAME:  # "lenses", but not "expenses"
        return word[:-2]
    return word[:-2] if re.search("(ch|sh|x|ss|zz)es$", low) else word[:-1]


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
    more, less = ("or later", "or earlier") if field.kind in TIMES else ("or more", "or less")
    if ge is not None and le is not None:
        return _with_unit(field, f"{ge} to {le}", le)
    if ge is not None and lt is None:
        return f"{_with_unit(field, ge)} {more}"
    if le is not None and gt is None:
        return f"{_with_unit(field, le)} {less}"
    low = f"at least {ge}" if ge is not None else f"more than {gt}" if gt is not None else ""
    high = f"at most {le}" if le is not None else f"less than {lt}" if lt is not None else ""
    both = " and ".join(part for part in (low, high) if part)
    return _with_unit(field, both, both.rpartition(" ")[2]) if both else ""


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

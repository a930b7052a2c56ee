"""Whether a value is in the user's words."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ..parameters import MISSING, NUMBERS, TIMES, Field
from .clauses import NOT, adds, negated
from .dates import clocks, dates
from .finding import find_moves
from .labels import words_of
from .moves import moves
from .options import Mention, Options, all_or_none, mentions, options_of, ordinals
from .quantities import Quantity, amounts, no_amount, quantities, single
from .reading import LONGEST, Part, fold, read
from .yes_no import bare_bool, bool_said

_EMPTY = frozenset("nothing none empty blank clear unset anything".split())


def grounded(
    field: Field,
    value: Any,
    texts: Sequence[str],
    offered: Sequence[Any] | None = None,
    today: date | None = None,
    now: Any = None,
    beside: Sequence[Field] = (),
    others: Sequence[Field] = (),
    spoken: bool = True,
) -> bool:
    """Whether the JSON value is found in one of the user's texts (this message and recent ones).

    `now` is the value so far: of a list, the words need to name only what is added to it or removed; a number
    may be what "2 more" makes of it, and is not the 2 itself. `beside` are the other fields of its card and
    `others` those elsewhere, which "2 more" may mean instead; `spoken`: whether "it" is this number.
    """
    day = today or date.today()
    said = [(text, read(text)) for text in (text[:LONGEST] for text in texts)]
    if field.kind in NUMBERS and now is not None:
        if any(_moved_to(field, value, now, text, beside, others, spoken) for text, _ in said):
            return True
        said = [(text, _unmoved(parts)) for text, parts in said]
    if any(_grounded_in(field, value, text, parts, offered, day) for text, parts in said):
        return True
    if not isinstance(value, list):
        return False
    if isinstance(now, list) and any(_changed(field, value, now, t, p, offered, day) for t, p in said):
        return True
    return len(value) > 1 and all(
        any(_grounded_in(field, [item], t, p, offered, day) for t, p in said) for item in value
    )


def _moved_to(
    field: Field, value: Any, now: Any, text: str,
    beside: Sequence[Field], others: Sequence[Field], spoken: bool,
) -> bool:  # fmt: skip
    """Whether the words move the number that stands to just this value, and no other number."""
    recent = field.name if spoken else None
    found = find_moves([field, *beside], text, None, {field.name: now}, recent, others)
    raws = {str(raw) for about, raw in found if about.name == field.name}
    return raws == {str(value)}


def _unmoved(parts: list[Part]) -> list[Part]:
    """The words without those that say by how much."""
    inside = {i for move in moves(parts, single(parts)) for i in range(move.first, move.last)}
    return [replace(p, kind="mark", text="", key="") if i in inside else p for i, p in enumerate(parts)]


def _changed(
    field: Field, value: list[Any], now: list[Any], text: str, parts: list[Part],
    offered: Sequence[Any] | None, today: date,
) -> bool:  # fmt: skip
    """Whether the words add to the list, or remove from it, just what is other in `value`."""
    more, gone = [x for x in value if x not in now], [x for x in now if x not in value]
    if more and not gone:
        return adds([part.text for part in parts]) and _grounded_in(field, more, text, parts, offered, today)
    if more or not gone:
        return False
    if options := options_of(field, offered):
        denied = {str(options[i][0]) for i, at, _ in mentions(parts, options) if negated(parts, at)}
        return {str(item) for item in gone} == denied
    inner = field.item or field
    said = all(_text_grounded(inner, str(item), text, parts) for item in gone)
    return said and bool(NOT & {part.text for part in parts})


def _grounded_in(
    field: Field, value: Any, text: str, parts: list[Part], offered: Sequence[Any] | None, today: date
) -> bool:
    if field.kind in ("secret", "nested", "nested_list") and not isinstance(value, dict | list):
        return False
    constant = field.default is not MISSING and not callable(field.default)
    if constant and value == field.default and _default_in(parts):
        return True
    if value is None or value == [] or value == "" or value == {}:
        return _says_empty(field, parts)
    if isinstance(value, bool):
        said = bool_said(field, parts)
        return said is value or (said is None and bare_bool(parts) is value)
    if isinstance(value, dict):
        return _dict_grounded(field, value, text, parts, today)
    options = options_of(field, offered)
    if options and _options_grounded(value, parts, options):
        return True
    if isinstance(value, list):
        if options and all_or_none(parts):
            return False
        inner = field.item or field
        return all(
            _grounded_in(inner, x, text, parts, offered if options else None, today)
            or (inner.kind in NUMBERS and _number_grounded(inner, x, parts, quantities(parts)))
            for x in value
        )
    if isinstance(value, int | float) or field.kind in NUMBERS:
        return _number_grounded(field, value, parts, single(parts))
    if field.kind in TIMES:
        return _day_grounded(field, str(value), parts, today)
    return not options and _text_grounded(field, str(value), text, parts)


def _dict_grounded(field: Field, value: dict[str, Any], text: str, parts: list[Part], today: date) -> bool:
    if field.kind in ("secret", "upload"):
        return field.kind == "upload" and _text_grounded(field, str(value.get("file", "")), text, parts)
    inner = {f.name: f for f in field.fields}
    known = all(isinstance(k, str) and (k in inner or _text_grounded(field, k, text, parts)) for k in value)
    return known and all(
        _grounded_in(inner.get(k, field.item or field), v, text, parts, None, today) for k, v in value.items()
    )


def says_default(text: str) -> bool:
    """Whether the words want a default."""
    return _default_in(read(text[:LONGEST]))


def _default_in(parts: Sequence[Part]) -> bool:
    """ "The default", but not "more than the default"."""
    return any(
        part.key == "default" and not negated(parts, i) and not {"than", "times"} & _two_before(parts, i)
        for i, part in enumerate(parts)
    )


def _two_before(parts: Sequence[Part], i: int) -> set[str]:
    return {part.text for part in parts[max(i - 2, 0) : i]}


def _says_empty(field: Field, parts: Sequence[Part]) -> bool:
    texts = {part.text for part in parts}
    if texts & _EMPTY:
        return True
    about = words_of(field)
    return any(
        p.text in ("no", "without") and any(q.key in about for q in parts[i + 1 : i + 3])
        for i, p in enumerate(parts)
    )


def _number_grounded(field: Field, value: Any, parts: Sequence[Part], said: Sequence[Quantity]) -> bool:
    try:
        wanted = Decimal(str(value))
    except ArithmeticError:
        return False
    for quantity in said:
        if negated(parts, quantity.first) and not (quantity.first and parts[quantity.first - 1].text == "no"):
            continue
        found = amounts(quantity, field)
        if quantity.unit in ("%", "percent") and not field.ask.unit:
            found = [quantity.value, quantity.value / 100]
        if any(float(x) == float(wanted) for x in found):
            return True
    return wanted == 0 and no_amount(field, parts) is not None


def _options_grounded(value: Any, parts: Sequence[Part], options: Options) -> bool:
    """Whether one option, or each of several, is named, in its place, or is one of "all" or "all but"."""
    named = mentions(parts, options) or ordinals(parts, len(options))
    every = [str(option) for option, _ in options]
    if not isinstance(value, list):
        return _one_grounded(str(value), parts, every, named)
    said, kind = {str(item) for item in value}, all_or_none(parts)
    if kind == "but":
        return said == set(every) - {every[i] for i, _, _ in named}
    if kind == "all" and said == set(every):
        return True
    return all(_one_grounded(item, parts, every, named) for item in said)


def _one_grounded(option: str, parts: Sequence[Part], every: Sequence[str], named: Sequence[Mention]) -> bool:
    if option not in every:
        return False
    index = every.index(option)
    if any(i == index and not negated(parts, at) for i, at, _ in named):
        return True
    if len(every) != 2:
        return False
    joined = " ".join(part.text for part in parts)
    other = any(i != index and negated(parts, at) for i, at, _ in named)
    return other or "other one" in joined or joined in ("the other", "other")


def _day_grounded(field: Field, value: str, parts: Sequence[Part], today: date) -> bool:
    try:
        if field.kind == "time":
            return any(said == time.fromisoformat(value).replace(tzinfo=None) for said, _, _ in clocks(parts))
        wanted = datetime.fromisoformat(value)
    except ValueError:
        return False
    if not any(wanted.date() in days and not negated(parts, at) for days, at, _ in dates(parts, today)):
        return False
    said_times = [said for said, _, _ in clocks(parts)]
    naive = wanted.time().replace(microsecond=0)
    return field.kind == "date" or any(
        x.replace(microsecond=0, tzinfo=None) == naive for x in said_times or [time()]
    )


def _bare_url(text: str) -> tuple[str, str]:
    scheme, found, rest = fold(text).partition("://")
    return (scheme, rest.rstrip("/")) if found else ("", fold(text).rstrip("/"))


def _text_grounded(field: Field, value: str, text: str, parts: Sequence[Part]) -> bool:
    scheme, address = _bare_url(value)
    if field.kind == "url" or scheme in ("http", "https", "ftp"):
        said = [_bare_url(part.text) for part in parts if part.kind == "url"]
        schemes = {part.text for part in parts if part.kind == "word"} & {"http", "https"}
        return any(
            a == address and (not s or not scheme or s == scheme or scheme in schemes) for s, a in said
        )
    wanted = re.findall(r"\w+", fold(value).replace("_", " "))
    if not wanted:
        return bool(value.strip()) and value.strip() in text
    plain = " ".join(re.findall(r"\w+", fold(text).replace("_", " ")))
    return f" {' '.join(wanted)} " in f" {plain} "

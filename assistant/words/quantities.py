"""Numbers in words and digits, with their units: "two hundred pages", "half a second", "2k"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ..parameters import Field
from .labels import words_of
from .reading import Part, key_of, keys

DIGITS = 40  # a longer run of digits is no number that somebody means
ONES = {
    word: i
    for i, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {w: 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12, "couple": 2}
_SIGNS = ("minus", "negative")
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_SUFFIXES = {"k": 10**3, "m": 10**6, "bn": 10**9}
_NOT_A_NUMBER_AFTER = frozenset(
    "the this that other which first second third last next any every each no another right good only".split()
)
UNITS = {  # unit: (dimension, how many of the dimension's base)
    "millisecond": ("time", Decimal("0.001")), "ms": ("time", Decimal("0.001")),
    "second": ("time", Decimal(1)), "sec": ("time", Decimal(1)), "s": ("time", Decimal(1)),
    "minute": ("time", Decimal(60)), "min": ("time", Decimal(60)),
    "hour": ("time", Decimal(3600)), "h": ("time", Decimal(3600)), "hr": ("time", Decimal(3600)),
    "day": ("time", Decimal(86400)), "d": ("time", Decimal(86400)),
    "week": ("time", Decimal(604800)), "w": ("time", Decimal(604800)),
    "fortnight": ("time", Decimal(1209600)),
    "byte": ("size", Decimal(1)), "kb": ("size", Decimal(10**3)), "kilobyte": ("size", Decimal(10**3)),
    "mb": ("size", Decimal(10**6)), "megabyte": ("size", Decimal(10**6)),
    "gb": ("size", Decimal(10**9)), "gigabyte": ("size", Decimal(10**9)),
    "mm": ("length", Decimal("0.001")), "cm": ("length", Decimal("0.01")), "metre": ("length", Decimal(1)),
    "meter": ("length", Decimal(1)), "km": ("length", Decimal(1000)), "kilometre": ("length", Decimal(1000)),
    "euro": ("euro", Decimal(1)), "eur": ("euro", Decimal(1)), "€": ("euro", Decimal(1)),
    "dollar": ("dollar", Decimal(1)), "usd": ("dollar", Decimal(1)), "$": ("dollar", Decimal(1)),
    "£": ("pound", Decimal(1)), "gbp": ("pound", Decimal(1)),
    "%": ("share", Decimal("0.01")), "percent": ("share", Decimal("0.01")),
}  # fmt: skip


SPELLED = frozenset({*ONES, *_TENS, *_SCALES, *_TIMES, *_SIGNS, "half", "and", "a", "point"})


@dataclass(frozen=True)
class Quantity:
    """A number in parts[first:last] and the key of the unit behind it; weak ("a second") needs a label."""

    value: Decimal
    first: int
    last: int
    unit: str = ""
    attached: str = ""  # a suffix such as the k of 2k, where it may also be a unit
    weak: bool = False


def quantities(parts: Sequence[Part]) -> list[Quantity]:
    """All numbers in the words, in order; numbers inside an address or another word are none."""
    found: list[Quantity] = []
    i = 0
    while i < len(parts):
        quantity = quantity_at(parts, i)
        if quantity is None:
            i += 1
            continue
        found.append(quantity)
        i = quantity.last
    return found


def single(parts: Sequence[Part]) -> list[Quantity]:
    """The numbers that may each be a value: "1,5" and "1.250,50" are one, "1,2,3" is a list and none."""
    merged = [*parts]
    last: dict[int, int] = {}  # where a joined number begins
    i = 0
    while i < len(parts):
        end = _joined(parts, i)
        if end > i + 1:
            last[end - 1] = i
            text = _decimal("".join(part.text for part in parts[i:end]))
            for n in range(i, end):
                merged[n] = replace(parts[n], kind="mark", text="")
            if text:
                merged[end - 1] = replace(parts[end - 1], kind="number", text=text)
        i = end
    return [replace(q, first=last.get(q.first, q.first)) for q in quantities(merged)]


def _joined(parts: Sequence[Part], i: int) -> int:
    """Where the numbers end that commas or apostrophes join to the one at `i` without a space."""
    end = i + 1
    while (
        parts[i].kind == "number"
        and end + 1 < len(parts)
        and parts[end].text in (",", "'")
        and parts[end + 1].kind == "number"
        and parts[end - 1].end == parts[end].start
        and parts[end].end == parts[end + 1].start
    ):
        end += 2
    return end


def _decimal(text: str) -> str:
    """One number in the way of countries with a decimal comma, or with apostrophes; "" if it is none."""
    if re.fullmatch(r"[-+]?\d{1,3}('\d{3})+([.,]\d+)?[a-z%]*", text):
        return text.replace("'", "").replace(",", ".")
    if re.fullmatch(r"[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+[a-z%]*", text):
        return text.replace(".", "").replace(",", ".")
    return ""


def quantity_at(parts: Sequence[Part], i: int) -> Quantity | None:
    """The number that begins at `i`."""
    word, after = parts[i].text, parts[i + 1].text if i + 1 < len(parts) else ""
    if parts[i].kind == "number":
        return _digits(parts, i) if len(word) <= DIGITS else None
    if parts[i].kind != "word":
        return None
    if word in _SIGNS:
        inner = quantity_at(parts, i + 1) if after and after not in _SIGNS else None
        return replace(inner, value=-inner.value, first=i, weak=False) if inner else None
    if word in _TIMES:
        return Quantity(
            Decimal(_TIMES[word]), i, i + 1, weak=word == "once" or (i > 0 and parts[i - 1].text == "at")
        )
    if word == "half":
        skip = i + 2 if after in ("a", "an") else i + 1
        if after == "a" and skip < len(parts) and parts[skip].text == "dozen":
            return _with_unit(parts, Decimal(6), i, skip + 1)
        return _with_unit(parts, Decimal("0.5"), i, skip, weak=UNITS.get(_unit_at(parts, skip)) is None)
    if word in ("a", "an"):
        if after in _SCALES:
            return _spelled(parts, i + 1, first=i)
        if after == "half":
            return _with_unit(parts, Decimal("0.5"), i, i + 2, weak=True)
        if key_of(after) in UNITS and len(after) > 2:
            return _with_unit(parts, Decimal(1), i, i + 1, weak=True)
        return None
    if word in ONES or word in _TENS or word in ("hundred", "thousand", "million", "billion", "dozen"):
        if word == "one" and (after == "of" or (i and parts[i - 1].text in _NOT_A_NUMBER_AFTER)):
            return None
        return _spelled(parts, i, first=i)
    return None


def _digits(parts: Sequence[Part], i: int) -> Quantity:
    match = re.fullmatch(r"([-+]?)([\d.,_]+)([a-z%]*)", parts[i].text)
    sign, digits, suffix = match.groups() if match else ("", "0", "")
    digits = digits.replace(",", ".") if re.fullmatch(r"0,\d+", digits) and len(digits) != 5 else digits
    value = Decimal(digits.replace(",", "").replace("_", "")) * (-1 if sign == "-" else 1)
    if suffix in UNITS:
        return Quantity(value, i, i + 1, suffix)
    if suffix in _SUFFIXES:
        quantity = _with_unit(parts, value * _SUFFIXES[suffix], i, i + 1)
        return Quantity(quantity.value, i, i + 1, quantity.unit, suffix)
    last = i + 1
    if last < len(parts) and parts[last].text in ("hundred", "thousand", "million", "billion", "dozen", "k"):
        value *= _SCALES.get(parts[last].text, 1000)
        last += 1
    return _with_unit(parts, value, i, last)


def _spelled(parts: Sequence[Part], i: int, first: int) -> Quantity:
    total, current, room = 0, 0, 10**12  # room: what the next word must be below
    while i < len(parts):
        word = parts[i].text
        if word in ONES and room > ONES[word]:
            current, room = current + ONES[word], 1 if ONES[word] else 0
        elif word in _TENS and room > 20:
            current, room = current + _TENS[word], 10
        elif word in ("hundred", "dozen", "couple"):
            current, room = (current or 1) * _SCALES[word], 100 if word == "hundred" else 0
        elif word in _SCALES:
            total, current, room = total + (current or 1) * _SCALES[word], 0, 1000
        elif word != "-" and not (word == "and" and room in (100, 1000) and _is_small(parts, i + 1)):
            break
        i += 1
    return _with_unit(parts, Decimal(total + current), first, i)


def _is_small(parts: Sequence[Part], i: int) -> bool:
    return i < len(parts) and (parts[i].text in ONES or parts[i].text in _TENS)


def _unit_at(parts: Sequence[Part], at: int) -> str:
    while at < len(parts) and parts[at].text in ("-", "of"):
        at += 1
    return parts[at].key if at < len(parts) and parts[at].kind in ("word", "mark") else ""


def _with_unit(parts: Sequence[Part], value: Decimal, first: int, last: int, weak: bool = False) -> Quantity:
    if first and parts[first - 1].text in ("€", "$", "£"):
        return Quantity(value, first, last, parts[first - 1].text)
    if [part.text for part in parts[last : last + 3]] == ["and", "a", "half"]:
        value, last = value + Decimal("0.5"), last + 3
    return Quantity(value, first, last, _unit_at(parts, last), weak=weak)


def json_number(value: Decimal, field: Field) -> Any:
    """The number as the field's JSON has it."""
    if field.kind == "decimal":
        return format(value.normalize(), "f")
    return int(value) if value == value.to_integral_value() else float(value)


def amounts(quantity: Quantity, field: Field) -> list[Decimal]:
    """The quantity in the field's unit: "two minutes" is 120 where that is seconds; none if it can not be."""
    own = UNITS.get(next(iter(keys(field.ask.unit or "")), field.ask.unit or ""))
    said = UNITS.get(quantity.unit)
    if quantity.attached == "m" and own and own[0] == "time":
        said, quantity = UNITS["min"], Quantity(quantity.value / 10**6, 0, 0)
    if said is None:
        found = [quantity.value]
    elif own:
        found = [quantity.value * said[1] / own[1]] if own[0] == said[0] else []
    elif said[0] == "share":
        found = [quantity.value * said[1]] if field.kind != "int" else [quantity.value]
    else:
        found = [] if field.ask.unit else [quantity.value]
    return [x for x in found if field.kind != "int" or x == x.to_integral_value()]


def is_duration(field: Field) -> bool:
    """Whether the field is a length of time."""
    unit = UNITS.get(next(iter(keys(field.ask.unit or "")), ""))
    return unit is not None and unit[0] == "time"


def no_amount(field: Field, parts: Sequence[Part]) -> int | None:
    """ "no pause", "no children" is 0 where that is a length of time or counts; "no limit" is not."""
    about, counts = words_of(field), field.kind == "int" and field.ask.ge == 0
    if not counts and not is_duration(field):
        return None
    limits = {"timeout", "limit", "deadline", "max", "maximum"}
    if about & limits or limits & {part.key for part in parts}:
        return None
    about -= set(keys(field.ask.unit or ""))
    for i, part in enumerate(parts):
        if part.text in ("no", "without") and any(p.key in about for p in parts[i + 1 : i + 3]):
            return i
    return None

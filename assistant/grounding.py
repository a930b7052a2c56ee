"""Whether a value is in the user's words (`grounded`), and which values are (`find`), by one normaliser.

    words ── read ──▶ parts ──▶ quantities, dates, options, negations ──▶ grounded: True or False
                                                                    └──▶ find: [Found, ...]

Nothing is ever made up: where the words leave a doubt, a value is not grounded and `find` gives nothing.
English only. Everything is pure; a day such as "tomorrow" is counted from `today`.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from .parameters import MISSING, Field, choices

NUMERIC = frozenset({"int", "float", "decimal"})
TEXTUAL = frozenset({"text", "long", "email", "url"})
LONGEST = 20_000  # characters of a message that are looked at
REACH = 12  # parts over which a "not" reaches
PLAIN = 120  # parts: a longer sentence is pasted text, in which nothing is said plainly
SEVERAL = frozenset({"choices", "list", "set", "lines", "tuple"})


@dataclass(frozen=True)
class Found:
    """A value that was said plainly: `raw` goes to the judge, `span` is where it stands in the words.

    `why` is label, unit, option, kind (the only field that takes such a value) or bare (the whole message).
    """

    name: str
    raw: Any
    span: tuple[int, int]
    why: str


# --- reading: words become parts ---------------------------------------------------------------------

_TOP = "com|org|net|io|dev|edu|gov|info|app|ai|eu|de|uk|fr|nl|ch|at|it|es|us|co"
_TOKEN = re.compile(
    rf"""(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    |(?P<url>(?:https?|ftp)://[^\s<>"'`]+
        |(?<![\w.-])(?:localhost|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|(?:[a-z0-9-]+\.)+(?:{_TOP}))(?![\w-]|\.\w)
         (?::\d+)?(?:[/?\#][^\s<>"'`]*)?)
    |(?P<iso>(?<!\w)\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?!\w))
    |(?P<clock>(?<![\w:])(?:\d{{1,2}}:\d\d(?::\d\d)?(?:\s?[ap]m)?|\d{{1,2}}\s?[ap]m)(?![\w:]))
    |(?P<path>(?<![\w)./*])[/*][^\s,;"'`]+)
    |(?P<ordinal>(?<!\w)\d+(?:st|nd|rd|th)(?!\w))
    |(?P<number>(?<![\w.])(?:(?<![^\s(\[=:,])[-+\u2212])?(?:\d{{1,3}}(?:[,_]\d{{3}})+|0,\d+|\d+)?
        (?:(?<=\d)|(?=\.\d))(?:\.\d+)?
        (?<=\d)(?:k|m|bn|%|ms|s|sec|min|h|d|w|kb|mb|gb|x)?(?![\w]|\.\d))
    |(?P<word>\w+(?:[-.'\u2019]\w+)*)
    |(?P<mark>\S)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Part:
    """A word, number, address, mark ... `text` is folded, `key` is also without a plural s."""

    kind: str
    text: str
    key: str
    start: int
    end: int


def fold(text: str) -> str:
    """Case, width and apostrophes made alike."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u2212", "-")


def _key(word: str) -> str:
    word = word.removesuffix("'s")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def read(words: str) -> list[Part]:
    """The words as parts; "c-api" is two parts, "don't" is one, an address is one."""
    parts: list[Part] = []
    for match in _TOKEN.finditer(words):
        kind, raw, start = str(match.lastgroup), match.group(), match.start()
        if kind in ("url", "path"):
            raw = raw.rstrip(".,;:!?)]}")
        if kind != "word":
            text = fold(raw)
            parts.append(Part(kind, text, text, start, start + len(raw)))
            if len(raw) < len(match.group()):  # what closed the sentence behind an address
                at = start + len(raw)
                parts.append(Part("mark", match.group()[len(raw)], match.group()[len(raw)], at, at + 1))
            continue
        for piece in re.finditer(r"[^-._]+", raw):
            text = fold(piece.group())
            kind = "word" if not any(c.isdigit() for c in text) else "piece"
            parts.append(Part(kind, text, _key(text), start + piece.start(), start + piece.end()))
    return parts


def keys(text: str) -> tuple[str, ...]:
    """The words of a label, a name or an option as they are compared."""
    return tuple(part.key for part in read(text.replace("_", " ")) if part.kind != "mark")


def _one_typo(a: str, b: str) -> bool:
    """Whether one letter was added, left out, replaced or swapped with its neighbour."""
    if a == b or abs(len(a) - len(b)) > 1:
        return a == b
    if len(a) > len(b):
        a, b = b, a
    i = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[i:] == b[i + 1 :]
    return a[i + 1 :] == b[i + 1 :] or (a[i + 2 :] == b[i + 2 :] and a[i : i + 2] == b[i : i + 2][::-1])


def _phrase_at(parts: Sequence[Part], at: int, phrase: Sequence[str], typo: bool = False) -> int:
    """The index behind `phrase` if it stands at `at` (hyphens between its words do not count), else -1."""
    for key in phrase:
        if at < len(parts) and parts[at].text in "-_./" and parts[at].kind == "mark":
            at += 1
        if at >= len(parts):
            return -1
        part = parts[at]
        same = part.key == key or (typo and len(key) >= 5 and len(part.key) >= 4 and _one_typo(part.key, key))
        if not same:
            return -1
        at += 1
    return at if phrase else -1


# --- quantities --------------------------------------------------------------------------------------

_ONES = {
    word: i
    for i, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {w: 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12, "couple": 2}
_SUFFIXES = {"k": 10**3, "m": 10**6, "bn": 10**9}
_NOT_A_NUMBER_AFTER = frozenset(
    "the this that other which first second third last next any every each no another right good only".split()
)
_UNITS = {  # unit: (dimension, how many of the dimension's base)
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
    "%": ("share", Decimal("0.01")), "percent": ("share", Decimal("0.01")),
}  # fmt: skip


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
        quantity = _quantity(parts, i)
        if quantity is None:
            i += 1
            continue
        found.append(quantity)
        i = quantity.last
    return found


def _quantity(parts: Sequence[Part], i: int) -> Quantity | None:
    if parts[i].kind not in ("word", "number"):
        return None
    word, after = parts[i].text, parts[i + 1].text if i + 1 < len(parts) else ""
    if word in ("minus", "negative"):
        inner = _quantity(parts, i + 1) if after else None
        return Quantity(-inner.value, i, inner.last, inner.unit, inner.attached) if inner else None
    if parts[i].kind == "number":
        return _digits(parts, i)
    if word in ("twice", "thrice", "once"):
        value = {"once": 1, "twice": 2, "thrice": 3}[word]
        return Quantity(
            Decimal(value), i, i + 1, weak=word == "once" or (i > 0 and parts[i - 1].text == "at")
        )
    if word == "half":
        skip = i + 2 if after in ("a", "an") else i + 1
        if after == "a" and skip < len(parts) and parts[skip].text == "dozen":
            return _with_unit(parts, Decimal(6), i, skip + 1)
        return _with_unit(parts, Decimal("0.5"), i, skip, weak=_UNITS.get(_unit_at(parts, skip)) is None)
    if word in ("a", "an"):
        if after in _SCALES:
            return _spelled(parts, i + 1, first=i)
        if after == "half":
            return _with_unit(parts, Decimal("0.5"), i, i + 2, weak=True)
        if _key(after) in _UNITS and len(after) > 2:
            return _with_unit(parts, Decimal(1), i, i + 1, weak=True)
        return None
    if word in _ONES or word in _TENS or word in ("hundred", "thousand", "million", "billion", "dozen"):
        if word == "one" and (after == "of" or (i and parts[i - 1].text in _NOT_A_NUMBER_AFTER)):
            return None
        return _spelled(parts, i, first=i)
    return None


def _digits(parts: Sequence[Part], i: int) -> Quantity:
    match = re.fullmatch(r"([-+]?)([\d.,_]+)([a-z%]*)", parts[i].text)
    sign, digits, suffix = match.groups() if match else ("", "0", "")
    digits = digits.replace(",", ".") if re.fullmatch(r"0,\d+", digits) and len(digits) != 5 else digits
    value = Decimal(digits.replace(",", "").replace("_", "")) * (-1 if sign == "-" else 1)
    if suffix in _UNITS:
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
        if word in _ONES and room > _ONES[word]:
            current, room = current + _ONES[word], 1 if _ONES[word] else 0
        elif word in _TENS and room > 20:
            current, room = current + _TENS[word], 10
        elif word in ("hundred", "dozen", "couple"):
            current, room = (current or 1) * _SCALES[word], 100 if word == "hundred" else 0
        elif word in _SCALES:
            total, current, room = total + (current or 1) * _SCALES[word], 0, 1000
        elif (
            word == "and"
            and room in (100, 1000)
            and i + 1 < len(parts)
            and parts[i + 1].text in _ONES | _TENS
        ):
            pass
        elif word == "-":
            pass
        else:
            break
        i += 1
    return _with_unit(parts, Decimal(total + current), first, i)


def _unit_at(parts: Sequence[Part], at: int) -> str:
    while at < len(parts) and parts[at].text in ("-", "of"):
        at += 1
    return parts[at].key if at < len(parts) and parts[at].kind in ("word", "mark") else ""


def _with_unit(parts: Sequence[Part], value: Decimal, first: int, last: int, weak: bool = False) -> Quantity:
    half = [part.text for part in parts[last : last + 3]] == ["and", "a", "half"]
    if half:
        value, last = value + Decimal("0.5"), last + 3
    return Quantity(value, first, last, _unit_at(parts, last), weak=weak)


def amounts(quantity: Quantity, field: Field) -> list[Decimal]:
    """The quantity in the field's unit: "two minutes" is 120 where that is seconds; none if it can not be."""
    own = _UNITS.get(next(iter(keys(field.ask.unit or "")), field.ask.unit or ""))
    said = _UNITS.get(quantity.unit)
    if quantity.attached == "m" and own and own[0] == "time":
        said, quantity = _UNITS["min"], Quantity(quantity.value / 10**6, 0, 0)
    if said is None:
        found = [quantity.value]
    elif own:
        found = [quantity.value * said[1] / own[1]] if own[0] == said[0] else []
    elif said[0] == "share":
        found = [quantity.value * said[1]] if field.kind != "int" else [quantity.value]
    else:
        found = [] if field.ask.unit else [quantity.value]
    return [x for x in found if field.kind != "int" or x == x.to_integral_value()]


# --- dates and times ---------------------------------------------------------------------------------

_MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


def _month(word: str) -> int:
    word = word.rstrip(".")
    return next(
        (i for i, m in enumerate(_MONTHS, 1) if word == m or (len(word) >= 3 and m[:4].startswith(word))), 0
    )


def _day_number(part: Part) -> int:
    digits = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", part.text)
    return int(digits[1]) if digits and part.kind in ("number", "ordinal") else 0


def _make_date(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)]
    except ValueError:
        return []


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper().replace(" ", "T"))
    except ValueError:
        return None


def dates(parts: Sequence[Part], today: date) -> list[tuple[list[date], int, int]]:
    """The days named in the words: each with what it can mean and where it stands."""
    found = []
    i = 0
    while i < len(parts):
        days, last = _date_at(parts, i, today)
        if days:
            found.append((days, i, last))
        i = last if days else i + 1
    return found


def _date_at(parts: Sequence[Part], i: int, today: date) -> tuple[list[date], int]:
    part, texts = parts[i], [p.text for p in parts[i : i + 5]]
    if part.kind == "iso":
        moment = _moment(part.text)
        return [moment.date()] if moment else [], i + 1
    near = {"today": 0, "tomorrow": 1, "yesterday": -1}
    if part.text in near:
        return [today + timedelta(near[part.text])], i + 1
    if part.text in ("in", "within") and i + 1 < len(parts):
        quantity = _quantity(parts, i + 1)
        days = {"day": 1, "week": 7}.get(quantity.unit) if quantity else None
        if quantity and days and quantity.value == int(quantity.value) and abs(quantity.value) < 10**5:
            return [today + timedelta(int(quantity.value) * days)], quantity.last + 1
    if part.text in _WEEKDAYS:
        coming = today + timedelta((_WEEKDAYS.index(part.text) - today.weekday() - 1) % 7 + 1)
        previous = parts[i - 1].text if i else ""
        if previous == "last":
            return [coming - timedelta(7)], i + 1
        return [coming, coming + timedelta(7)] if previous == "next" else [coming], i + 1
    numeric = re.match(r"(\d{1,2}) ([./]) (\d{1,2}) \2 (\d{4})$", " ".join(texts))
    if numeric:
        a, b, year = int(numeric[1]), int(numeric[3]), int(numeric[4])
        both = _make_date(year, b, a) + (_make_date(year, a, b) if numeric[2] == "/" and a != b else [])
        return both, i + 5
    if part.kind == "word" and re.fullmatch(r"\d{1,2}[./]\d{1,2}[./]\d{4}", part.text):
        return [], i + 1
    day, month, last = 0, 0, i + 2
    if len(texts) > 1:
        if _day_number(part):
            skip = 1 if texts[1] == "of" and len(texts) > 2 else 0
            day, month, last = _day_number(part), _month(texts[1 + skip]), i + 2 + skip
        elif part.kind == "word" and _month(part.text):
            day, month = _day_number(parts[i + 1]), _month(part.text)
    if not (day and month):
        return [], i + 1
    if (
        last < len(parts)
        and parts[last].text == ","
        and last + 1 < len(parts)
        and len(parts[last + 1].text) == 4
    ):
        last += 1
    if last < len(parts) and re.fullmatch(r"(19|20|21)\d\d", parts[last].text):
        return _make_date(int(parts[last].text), month, day), last + 1
    this, following = _make_date(today.year, month, day), _make_date(today.year + 1, month, day)
    return [d for d in this if d >= today] or following, last


def clocks(parts: Sequence[Part]) -> list[tuple[time, int, int]]:
    """The times of day named in the words."""
    found = []
    for i, part in enumerate(parts):
        match = (
            re.fullmatch(r"(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s?([ap]m)?", part.text)
            if part.kind == "clock"
            else None
        )
        if match:
            hour, half = int(match[1]), match[4]
            if half:
                hour = hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else 99
            if hour < 24 and int(match[2] or 0) < 60 and int(match[3] or 0) < 60:
                found.append((time(hour, int(match[2] or 0), int(match[3] or 0)), i, i + 1))
        elif part.text in ("noon", "midnight"):
            found.append((time(12 if part.text == "noon" else 0), i, i + 1))
        elif part.kind == "iso" and len(part.text) > 10:
            moment = _moment(part.text)
            found += [(moment.time(), i, i + 1)] if moment else []
    return found


# --- negation, options -------------------------------------------------------------------------------

_NOT = frozenset(
    "not no don't dont never without except excluding doesn't shouldn't isn't cannot can't drop "
    "remove".split()
)
_OFF = _NOT | frozenset(
    "off false ignore disable disobey disregard skip deactivate stop ignoring ignored disregarded "
    "skipped disabled neither nor".split()
)
_ON = frozenset(
    "on true yes with enable use respect follow obey obeyed respected followed enabled please do "
    "activate keep always sure".split()
)
_STOP = frozenset(
    "the a an of to in on at for and or is are be it its this that which what most least first found "
    "by".split()
)
_ENDS = frozenset(".!?;,") | {"and", "but", "then"}
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1}
_YES = frozenset("yes yep yeah y true on sure".split())
_NO = frozenset("no nope n false off".split())
_EMPTY = ("nothing", "none", "empty", "blank", "clear", "unset", "anything")


def _clause(parts: Sequence[Part], at: int) -> tuple[int, int]:
    """Where the clause around `at` begins and ends."""
    first = last = at
    while first > 0 and parts[first - 1].text not in _ENDS:
        first -= 1
    while last < len(parts) and parts[last].text not in _ENDS:
        last += 1
    return first, last


def _negated(parts: Sequence[Part], at: int) -> bool:
    """Whether what stands at `at` is what the user does not want: "not csv", "instead of 3"."""
    first = at
    while first > max(at - REACH, 0) and parts[first - 1].text not in _ENDS:
        first -= 1
    before = [part.text for part in parts[first:at]]
    pairs = {" ".join(pair) for pair in itertools.pairwise(before)}
    if {"instead of", "rather than", "do not"} & pairs:
        return True
    bound = {"no more", "not more", "no less", "no later"} & pairs
    return not bound and any(word in _NOT for word in before)


def _options(field: Field, offered: Sequence[Any] | None) -> list[tuple[Any, list[tuple[str, ...]]]]:
    """The field's options, each with the ways to say it."""
    found: list[tuple[Any, list[tuple[str, ...]]]] = []
    for i, (text, label) in enumerate(choices(field, offered)):
        value = offered[i] if offered is not None and i < len(offered) and str(offered[i]) == text else text
        names = {keys(text), keys(label)}
        for said, meant in (field.ask.aliases or {}).items():
            if str(getattr(meant, "value", meant)) == text:
                names.add(keys(said))
        found.append((value, sorted((n for n in names if n), key=len, reverse=True)))
    return found


def _mentions(
    parts: Sequence[Part], options: Sequence[tuple[Any, list[tuple[str, ...]]]]
) -> list[tuple[int, int, int]]:
    """Where options are named: (option, first, last). Exact names win over typos, long ones over short."""
    for typo in (False, True):
        found: list[tuple[int, int, int]] = []
        for at in range(len(parts)):
            hits = [
                (_phrase_at(parts, at, name, typo), i)
                for i, (_, names) in enumerate(options)
                for name in names
            ]
            last = max((last for last, _ in hits), default=-1)
            best = {i for end, i in hits if end == last}
            if last > at and len(best) == 1 and not (found and found[-1][2] > at):
                found.append((best.pop(), at, last))
        if found:
            break
    if found:
        taken = {i for i, _, _ in found}
        rest = [(v, names if i not in taken else []) for i, (v, names) in enumerate(options)]
        for at in range(len(parts)):  # "the tutorial and the libary": one right, one with a typo
            near = [
                (i, _phrase_at(parts, at, name, True)) for i, (_, names) in enumerate(rest) for name in names
            ]
            near = [(i, last) for i, last in near if last > at]
            if len({i for i, _ in near}) == 1 and not any(f <= at < e for _, f, e in found):
                found.append((near[0][0], at, near[0][1]))
    return sorted(found, key=lambda mention: mention[1])


def _ordinals(parts: Sequence[Part], count: int) -> list[tuple[int, int, int]]:
    """Options named by their place: "the second one", "the 2nd", "the last", "number 2", "the first two"."""
    found = []
    for i, part in enumerate(parts):
        after = parts[i + 1] if i + 1 < len(parts) else None
        place: int | None = None
        if part.kind == "ordinal":
            place = int(part.text[:-2]) - 1 if part.text[0] != "0" else None
        elif part.text in _ORDINALS and not (i and parts[i - 1].text in ("a", "an", "half", "every", "per")):
            place = _ORDINALS[part.text]
        elif part.text in ("number", "option") and after and after.text.isdecimal():
            place = int(after.text) - 1
        if place is None or part.text in ("number", "option"):
            if place is not None and 0 <= place < count:
                found.append((place, i, i + 2))
            continue
        several = _ONES.get(after.text, int(after.text) if after.text.isdecimal() else 0) if after else 0
        if part.text in ("first", "last") and 1 < several <= count:
            span = range(several) if place == 0 else range(count - several, count)
            found += [(n, i, i + 2) for n in span]
        elif after is None or after.text in ("one", "option", "choice", "and", "or") or after.kind == "mark":
            if -1 <= place < count:
                found.append((place % count, i, i + 1))
    return found


def _all_or_none(parts: Sequence[Part]) -> str:
    """ "all", "but" (all but those named), "none" or ""."""
    texts = [part.text for part in parts]
    joined = f" {' '.join(texts)} "
    if re.search(
        r" (all|everything|every one|any) (?:\w+ ){0,2}(but|except|without|excluding|besides|apart from) ",
        joined,
    ):
        return "but"
    if re.search(r" (all|everything|both)( of them)? ", joined) and not re.search(
        r" not (all|everything) | at all ", joined
    ):
        return "all"
    return "none" if re.search(r" (none|nothing|neither) ", joined) else ""


# --- is a value grounded? ----------------------------------------------------------------------------


def grounded(
    field: Field,
    value: Any,
    texts: Sequence[str],
    offered: Sequence[Any] | None = None,
    today: date | None = None,
) -> bool:
    """Whether the JSON value is found in one of the user's texts (this message and recent ones)."""
    day = today or date.today()
    short = [text[:LONGEST] for text in texts]
    said = [(text, read(text)) for text in short]
    if any(_grounded_in(field, value, text, parts, offered, day) for text, parts in said):
        return True
    if not isinstance(value, list) or len(value) < 2:
        return False
    return all(
        any(_grounded_in(field, [item], t, parts, offered, day) for t, parts in said) for item in value
    )


def _grounded_in(
    field: Field, value: Any, text: str, parts: list[Part], offered: Sequence[Any] | None, today: date
) -> bool:
    if field.kind in ("secret", "nested", "nested_list") and not isinstance(value, dict | list):
        return False
    if (
        _says_default(parts)
        and field.default is not MISSING
        and not callable(field.default)
        and value == field.default
    ):
        return True
    if value is None or value == [] or value == "" or value == {}:
        return _says_empty(field, parts)
    if isinstance(value, bool):
        said = _bool_said(field, parts)
        return said is value or (said is None and _bare_bool(parts) is value)
    options = _options(field, offered)
    if isinstance(value, list):
        if options and _all_or_none(parts):
            return _several_grounded(value, parts, options)
        inner = field.item or field
        return all(
            _grounded_in(inner, item, text, parts, offered if options else None, today) for item in value
        )
    if isinstance(value, dict):
        return _dict_grounded(field, value, text, parts, today)
    if options and _option_grounded(value, parts, options):
        return True
    if isinstance(value, int | float) or field.kind in NUMERIC:
        return _number_grounded(field, value, parts)
    if field.kind in ("date", "datetime", "time"):
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


def _says_default(parts: Sequence[Part]) -> bool:
    return any(part.key == "default" and not _negated(parts, i) for i, part in enumerate(parts))


def _says_empty(field: Field, parts: Sequence[Part]) -> bool:
    texts = {part.text for part in parts}
    if texts & set(_EMPTY):
        return True
    about = _words_of(field)
    return any(
        p.text in ("no", "without") and any(q.key in about for q in parts[i + 1 : i + 3])
        for i, p in enumerate(parts)
    )


def _words_of(field: Field) -> set[str]:
    own = set(keys(field.name)) | set(keys(field.label)) | set(keys(field.ask.unit or ""))
    return own - _STOP


def _bare_bool(parts: Sequence[Part]) -> bool | None:
    first = next((part.text for part in parts if part.kind != "mark"), "")
    return True if first in _YES else False if first in _NO else None


def _bool_said(field: Field, parts: Sequence[Part]) -> bool | None:
    """What the words say of a yes-or-no field by its name; None where they do not, or are not sure."""
    about = (set(keys(field.name)) | set(keys(field.label))) - _STOP - _OFF
    label = [key for key in keys(field.label) if key not in _STOP]
    said: set[bool] = set()
    at = 0
    while at < len(parts):
        first, last = _clause(parts, at)
        clause = parts[first:last]
        at = max(last, at) + 1
        nouns = about - ({label[0]} if len(label) > 1 else set())
        if not any(part.key in nouns for part in clause) or _hedged(clause):
            continue
        negations = sum(part.text in _OFF for part in clause if part.key not in nouns)
        verbs = any(part.text in _ON or (len(label) > 1 and part.key == label[0]) for part in clause)
        if negations:
            said.add(negations % 2 == 0)
        elif verbs:
            said.add(True)
    return said.pop() if len(said) == 1 else None


def _number_grounded(field: Field, value: Any, parts: Sequence[Part]) -> bool:
    try:
        wanted = Decimal(str(value))
    except ArithmeticError:
        return False
    for quantity in quantities(parts):
        if _negated(parts, quantity.first) and not (
            quantity.first and parts[quantity.first - 1].text == "no"
        ):
            continue
        found = amounts(quantity, field)
        if quantity.unit in ("%", "percent") and not field.ask.unit:
            found = [quantity.value, quantity.value / 100]
        if any(float(x) == float(wanted) for x in found):
            return True
    return wanted == 0 and _no_amount(field, parts) is not None


def _no_amount(field: Field, parts: Sequence[Part]) -> int | None:
    """ "no pause", "without a delay" is 0 where the unit is one of time; "no limit" is not."""
    unit = _UNITS.get(next(iter(keys(field.ask.unit or "")), ""))
    about = _words_of(field)
    if not unit or unit[0] != "time" or about & {"timeout", "limit", "deadline", "max", "maximum"}:
        return None
    about -= set(keys(field.ask.unit or ""))
    for i, part in enumerate(parts):
        if part.text in ("no", "without") and any(p.key in about for p in parts[i + 1 : i + 3]):
            return i
    return None


def _option_grounded(
    value: Any, parts: Sequence[Part], options: Sequence[tuple[Any, list[tuple[str, ...]]]]
) -> bool:
    index = next((i for i, (option, _) in enumerate(options) if str(option) == str(value)), None)
    if index is None:
        return False
    mentions = _mentions(parts, options) or _ordinals(parts, len(options))
    if any(i == index and not _negated(parts, at) for i, at, _ in mentions):
        return True
    if len(options) == 2:
        joined = " ".join(part.text for part in parts)
        other = any(i != index and _negated(parts, at) for i, at, _ in mentions)
        return other or "other one" in joined or joined in ("the other", "other")
    return False


def _several_grounded(
    value: Sequence[Any], parts: Sequence[Part], options: Sequence[tuple[Any, list[tuple[str, ...]]]]
) -> bool:
    kind = _all_or_none(parts)
    named = {i for i, _, _ in _mentions(parts, options) or _ordinals(parts, len(options))}
    said = {str(item) for item in value}
    if kind == "but":
        return said == {str(option) for i, (option, _) in enumerate(options) if i not in named}
    if kind == "all" and said == {str(option) for option, _ in options}:
        return True
    return all(_option_grounded(item, parts, options) for item in value)


def _day_grounded(field: Field, value: str, parts: Sequence[Part], today: date) -> bool:
    try:
        if field.kind == "time":
            return any(said == time.fromisoformat(value).replace(tzinfo=None) for said, _, _ in clocks(parts))
        wanted = datetime.fromisoformat(value)
    except ValueError:
        return False
    if not any(wanted.date() in days for days, _, _ in dates(parts, today)):
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


# --- which values are said? --------------------------------------------------------------------------

_ASKS = (
    "what why how which who when where whose whether should is are was does do did am explain tell "
    "describe has have "
    "must may might what's whats why's how's"
).split()
_ORDERS = frozenset("set make use change take put pick choose select add remove".split())
_HEDGES = (
    "not sure", "don't know", "dont know", "no idea", "don't care", "maybe", "perhaps", "what if", "unless",
    "whether",
    "suppose", "wonder", "if", "would be", "not certain", "might", "should i", "either",
)  # fmt: skip
_CORRECTS = frozenset("no sorry actually rather meant mean instead oops wait correction".split())
_LINKS = frozenset(
    "= : to of is as at be should by the a an my around about exactly now with just for equals than "
    "set it".split()
)
_BOUNDS = (
    ("at", "most"), ("up", "to"), ("no", "more", "than"), ("not", "more", "than"), ("maximum",), ("max",),
    ("a", "maximum"), ("maximally",),
)  # fmt: skip
_TAKES = frozenset(
    "use take pick choose select want only just from with make set include prefer like go read load "
    "need give it's "
    "be add also switch change instead rather meant mean and".split()
)
_FILLER = frozenset(
    "please ok okay well so hmm i i'd i'll we want would like the a an it to be is that just only "
    "and or let's make set use take "
    "choose pick select go with for then now one no not yes sorry actually meant mean rather instead "
    "of thanks , . ! : = my by "
    "option value in say about exactly here you can could have give me number them them all both but "
    "except also too add oops wait everything none nothing".split()
)


def _hedged(parts: Sequence[Part]) -> bool:
    joined = f" {' '.join(part.text for part in parts)} ".replace(" if possible ", " ").replace(
        " if you can ", " "
    )
    return any(f" {hedge} " in joined for hedge in _HEDGES)


def split(words: str) -> list[tuple[str, int, bool]]:
    """The sentences: (text, where it begins, whether it asks). "Depth 3, and what is a click?" is two."""
    parts = read(words[:LONGEST])
    cuts = [0]
    for i, part in enumerate(parts):
        following = parts[i + 1] if i + 1 < len(parts) else None
        if (part.kind == "mark" and part.text in ".!?;") or (
            following and "\n" in words[part.end : following.start]
        ):
            cuts.append(i + 1)
        elif (
            part.text in (",", "and", "but", "-")
            and following
            and i
            and parts[i - 1].text not in (",", "and", "but")
        ):
            at = i + 1 if following.text not in ("and", "but", "then") else i + 2
            word = parts[at].text if at < len(parts) else ""
            asks = bool(_ASKS.count(word)) and word not in ("do", "have", "is", "are", "tell", "may")
            if asks or (word in _ORDERS and _asks(parts[cuts[-1] : i])):
                cuts.append(at)
    found = []
    for first, last in zip(cuts, [*cuts[1:], len(parts)], strict=True):
        if first < last:
            start, end = parts[first].start, parts[last - 1].end
            found.append((words[start:end], start, _asks(parts[first:last])))
    return found


def _asks(parts: Sequence[Part]) -> bool:
    texts = [part.text for part in parts]
    while texts and texts[0] in (
        "and",
        "but",
        "so",
        "ok",
        "okay",
        "well",
        "please",
        "hmm",
        ",",
        "then",
        "also",
    ):
        texts = texts[1:]
    if texts[:2] and texts[0] in ("can", "could", "would", "will") and texts[1:2] in (["you"], ["we"]):
        return bool({"explain", "tell", "say", "help", "describe", "why", "what", "how"} & set(texts[2:5]))
    if texts and texts[0] in ("what", "how") and texts[1:2] == ["about"]:
        return True
    begins = bool(texts) and texts[0] in _ASKS and texts[:2] not in (["do", "not"], ["is", "="], ["do", "it"])
    if begins and texts[0] in (
        "do",
        "have",
        "has",
        "did",
        "is",
        "are",
        "was",
        "may",
        "might",
        "must",
        "should",
        "when",
    ):
        begins = texts[-1] == "?"
    return begins or (bool(texts) and texts[-1] == "?")


@dataclass(frozen=True)
class _Names:
    """The words by which one field is called."""

    field: Field
    phrases: tuple[tuple[str, ...], ...]  # its name and its label, strong
    hints: frozenset[str]  # single words of them, weak
    unit: str
    bound: bool  # its label is a bound such as "At most"


def _lexicon(fields: Iterable[Field]) -> list[_Names]:
    raw = []
    for field in fields:
        name, label = keys(field.name), keys(field.label)
        phrases = tuple(
            dict.fromkeys(p for p in (name, label) if p and not set(p) <= _STOP and p not in _BOUNDS)
        )
        unit = next(iter(keys(field.ask.unit or "")), field.ask.unit or "")
        hints = (set(name) | set(label)) - _STOP
        raw.append((field, phrases, hints, unit, label in _BOUNDS or name in _BOUNDS))
    found = []
    for i, (field, phrases, hints, unit, bound) in enumerate(raw):
        others = [x for j, x in enumerate(raw) if j != i]
        unique = frozenset(h for h in hints if h != unit and not any(h in x[2] or h == x[3] for x in others))
        own = tuple(p for p in phrases if not any(p in x[1] for x in others))
        found.append(_Names(field, own, unique, unit, bound))
    return found


def find(
    fields: Sequence[Field],
    words: str,
    offered: Mapping[str, Sequence[Any]] | None = None,
    expecting: str | None = None,
    values: Mapping[str, Any] | None = None,
    today: date | None = None,
    others: Sequence[Field] = (),
) -> list[Found]:
    """The values that the words say plainly, at most one for each field.

    `expecting` is the field that a bare value ("42", "no, I meant 3") is meant for, `values` are those so far
    ("also the library", "make that https"), `others` fields that the words may mean instead. Questions and
    doubts set nothing.
    """
    options = offered or {}
    names, foreign = _lexicon(fields), _lexicon(others)
    found: dict[str, list[Found]] = {}
    for text, start, asks in split(words):
        parts = read(text)
        if asks or len(parts) > PLAIN:
            continue
        day = today or date.today()
        looks = _Look(parts, text, start, names, foreign, options, expecting, values or {}, day)
        for item in looks.all():
            found.setdefault(item.name, []).append(item)
    return [item for name, items in found.items() for item in _decide(name, items, words)]


def _decide(name: str, items: list[Found], words: str) -> list[Found]:
    """One value: all the same, or the last one after a word such as "sorry"; else none."""
    if all(item.raw == items[0].raw for item in items):
        return items[:1]
    between = {part.text for part in read(words[items[-2].span[1] : items[-1].span[0]])}
    return items[-1:] if between & _CORRECTS else []


@dataclass(frozen=True)
class _Look:
    """One sentence under the eye, with all that is needed to tell what it says."""

    parts: list[Part]
    text: str
    start: int
    names: list[_Names]
    foreign: list[_Names]
    offered: Mapping[str, Sequence[Any]]
    expecting: str | None
    values: Mapping[str, Any]
    today: date

    def all(self) -> list[Found]:
        texts = self._labelled_texts()
        covered = [item.span for item in texts]
        free = [
            item
            for item in self._rest()
            if not any(a < item.span[1] and item.span[0] < b for a, b in covered)
        ]
        return texts + [item for item in free if item.name not in {t.name for t in texts}]

    def _rest(self) -> list[Found]:
        if not self.parts:
            return []
        return [
            *self._numbers(),
            *self._bools(),
            *self._choices(),
            *self._addresses(),
            *self._days(),
            *self._empties(),
        ]

    def _found(self, name: str, raw: Any, first: int, last: int, why: str) -> Found:
        return Found(
            name, raw, (self.start + self.parts[first].start, self.start + self.parts[last - 1].end), why
        )

    def _bare(self, spans: Iterable[tuple[int, int]], also: frozenset[str] = frozenset()) -> bool:
        """Whether nothing but filler stands beside these spans."""
        inside = {i for first, last in spans for i in range(first, last)}
        return all(i in inside or part.text in _FILLER | also for i, part in enumerate(self.parts))

    def _out(self, at: int) -> bool:
        first, last = _clause(self.parts, at)
        return _negated(self.parts, at) or _hedged(self.parts[first:last])

    def _called(self, names: _Names, first: int, last: int) -> bool:
        """Whether parts[first:last] hold the field's name, its label or a word of them."""
        span = range(max(first, 0), min(last, len(self.parts)))
        return any(
            self.parts[i].key in names.hints or any(_phrase_at(self.parts, i, p) > 0 for p in names.phrases)
            for i in span
        )

    # numbers

    def _numbers(self) -> list[Found]:
        all_found = [q for q in quantities(self.parts) if not self._in_date(q)]
        usable = [q for q in all_found if not self._out(q.first) and not self._range(q, all_found)]
        numeric = [n for n in self.names if n.field.kind in NUMERIC and not _options(n.field, None)]
        numeric = [n for n in numeric if not self.offered.get(n.field.name)]
        found: list[Found] = []
        previous: Quantity | None = None
        for quantity in usable:
            best = self._best(quantity, numeric)
            if best is None and len(all_found) == 1:
                best = self._for_bare(quantity, numeric)
            if best is None and found and self._corrects(previous, quantity):
                best = next((n, "label") for n in numeric if n.field.name == found[-1].name)
            previous = quantity
            if best:
                names, why = best
                exact = amounts(quantity, names.field)
                if exact:
                    raw = _json_number(exact[0], names.field)
                    last = quantity.last
                    if last < len(self.parts) and why == "unit" and self.parts[last].kind == "word":
                        last += 1
                    found.append(self._found(names.field.name, raw, quantity.first, last, why))
        for names in numeric:
            at = _no_amount(names.field, self.parts)
            if at is not None and not names.field.optional and not _hedged(self.parts):
                found.append(self._found(names.field.name, 0, at, at + 2, "label"))
        return self._one_each([item for item in found if not self._halved(item, found)])

    def _halved(self, item: Found, found: Sequence[Found]) -> bool:
        """Whether this is one half of "10 000": two numbers side by side that are not both somebody's."""
        said = quantities(self.parts)
        pairs = [pair for pair in itertools.pairwise(said) if pair[0].last == pair[1].first]
        starts = {f.span[0] - self.start for f in found}
        for pair in pairs:
            at = [self.parts[q.first].start for q in pair]
            if item.span[0] - self.start in at and not set(at) <= starts:
                return True
        return False

    def _one_each(self, found: list[Found]) -> list[Found]:
        kept = []
        for name in dict.fromkeys(item.name for item in found):
            kept += _decide(name, [item for item in found if item.name == name], " " * self.start + self.text)
        return kept

    def _corrects(self, previous: Quantity | None, quantity: Quantity) -> bool:
        """ "depth 3, no, 4": whether the number only takes the place of the one before."""
        between = {part.text for part in self.parts[previous.last : quantity.first]} if previous else set()
        return bool(between & _CORRECTS) and between <= _FILLER

    def _in_date(self, quantity: Quantity) -> bool:
        return any(first <= quantity.first < last for _, first, last in dates(self.parts, self.today))

    def _range(self, quantity: Quantity, others: Sequence[Quantity]) -> bool:
        """ "2 or 3", "3-5", "between 3 and 5", "more than 3": no value. "from 2 to 3": only the second."""
        texts = [part.text for part in self.parts]
        before = texts[max(quantity.first - 3, 0) : quantity.first]
        if before[-1:] == ["from"] or before[-2:-1] == ["between"] or before[-1:] == ["between"]:
            return True
        if before[-1:] == ["than"] and before[-3:-1] not in (["no", "more"], ["not", "more"]):
            return True
        for other in others:
            left, right = (other, quantity) if other.first < quantity.first else (quantity, other)
            joint = texts[left.last : right.first]
            joint = joint[1:] if len(joint) == 2 else joint  # "2 clicks or 3"
            if other is not quantity and joint in (["or"], ["-"], ["to"], ["and"], ["/"], ["\u2013"]):
                if joint == ["to"] and left.first and texts[left.first - 1] == "from":
                    return quantity is left
                if joint == ["and"] and not any(t == "between" for t in texts[: left.first]):
                    continue
                return True
        return False

    def _best(self, quantity: Quantity, numeric: Sequence[_Names]) -> tuple[_Names, str] | None:
        scores: list[tuple[int, str, _Names]] = []
        elsewhere = max((self._label_score(quantity, names) for names in self.foreign), default=0)
        for names in numeric:
            label = self._label_score(quantity, names)
            unit = self._unit_score(quantity, names, numeric)
            if label >= 4 and unit < 0:
                return None  # said for one field, in the unit of another
            if not amounts(quantity, names.field):
                continue
            if elsewhere >= 3 and label < elsewhere:
                continue
            score = max(label, 0) + max(unit, 0)
            needed = 3 if quantity.weak else 1
            if score >= needed and not (quantity.weak and label < 2):
                scores.append((score, "unit" if unit > 0 and label <= 1 else "label", names))
        scores.sort(key=lambda item: -item[0])
        if not scores or (len(scores) > 1 and scores[0][0] == scores[1][0]):
            return None
        return scores[0][2], scores[0][1]

    def _unit_score(self, quantity: Quantity, names: _Names, numeric: Sequence[_Names]) -> int:
        if not quantity.unit:
            return 0
        if quantity.unit == names.unit:
            return 3
        if any(quantity.unit == other.unit for other in numeric):
            return -1
        said, own = _UNITS.get(quantity.unit), _UNITS.get(names.unit)
        if said and own:
            return 3 if said[0] == own[0] else -1
        return -1 if said and names.unit else 0

    def _label_score(self, quantity: Quantity, names: _Names) -> int:
        """4 where the name stands before the number, 3 behind it, 2 for a word of it, 1 for "at most"."""
        bound, end = False, quantity.first
        while end > 0:
            behind = next((len(b) for b in sorted(_BOUNDS, key=len, reverse=True) if self._ends(end, b)), 0)
            if behind:
                bound, end = True, end - behind
            elif self.parts[end - 1].text in _LINKS and not self._ends_name(end, names):
                end -= 1
            elif end > 2 and self.parts[end - 1].kind == "number" and self.parts[end - 2].text == "from":
                end -= 2
            else:
                break
        if any(self._ends(end, phrase) for phrase in names.phrases):
            return 4
        if end and (
            self.parts[end - 1].key in names.hints or (names.unit and self.parts[end - 1].key == names.unit)
        ):
            if not any(
                _key(self.parts[end - 1].text) == q.unit for q in quantities(self.parts[:end]) if q.unit
            ):
                return 2
        behind_score = self._label_behind(quantity, names)
        return behind_score or (1 if bound and names.bound else 0)

    def _label_behind(self, quantity: Quantity, names: _Names) -> int:
        at = quantity.last
        numbers = {q.first for q in quantities(self.parts)}
        for i in range(at, min(at + 4, len(self.parts))):
            if self.parts[i].text in _ENDS or i in numbers or self.parts[i].text in ("=", ":"):
                return 0
            last = max((_phrase_at(self.parts, i, phrase) for phrase in names.phrases), default=-1)
            if last > 0:
                # "for depth" belongs to the number; "5 depth 3" does not: there the name has its own number
                return 3 if last not in numbers and not self._linked_number(last, numbers) else 0
            if self.parts[i].key in names.hints and not self._linked_number(i + 1, numbers):
                return 2
        return 0

    def _linked_number(self, at: int, numbers: set[int]) -> bool:
        while at < len(self.parts) and self.parts[at].text in _LINKS:
            at += 1
        return at in numbers

    def _ends(self, end: int, phrase: Sequence[str]) -> bool:
        return any(
            _phrase_at(self.parts, i, phrase) == end for i in range(max(end - 2 * len(phrase), 0), end)
        )

    def _ends_name(self, end: int, names: _Names) -> bool:
        return any(self._ends(end, phrase) for phrase in names.phrases)

    def _for_bare(self, quantity: Quantity, numeric: Sequence[_Names]) -> tuple[_Names, str] | None:
        unit = [quantity.last] if quantity.unit and quantity.last < len(self.parts) else []
        if quantity.weak and {"wait", "just", "hold"} & {part.text for part in self.parts}:
            return None  # "wait a second"
        foreign = quantity.unit and quantity.unit not in _FILLER and quantity.unit not in _UNITS
        if foreign or not self._bare([(quantity.first, quantity.last), *((u, u + 1) for u in unit)]):
            return None
        expected = [n for n in numeric if n.field.name == self.expecting]
        if not expected and len(numeric) == 1:
            expected = list(numeric)
        return (expected[0], "bare") if expected else None

    # yes or no

    def _bools(self) -> list[Found]:
        found = []
        for names in self.names:
            if names.field.kind != "bool":
                continue
            said = _bool_said(names.field, self.parts)
            if said is None and names.field.name == self.expecting and self._bare_yes_or_no():
                said = _bare_bool(self.parts)
            if said is not None:
                about = [i for i, part in enumerate(self.parts) if part.key in _words_of(names.field)]
                found.append(
                    self._found(
                        names.field.name, said, *_clause(self.parts, about[0] if about else 0), "label"
                    )
                )
        return found

    def _bare_yes_or_no(self) -> bool:
        rest = [part.text for part in self.parts if part.kind != "mark" and part.text not in _YES | _NO]
        return all(
            word in ("please", "thanks", "ok", "thank", "you", "it", "turn", "switch") for word in rest
        )

    # options

    def _choices(self) -> list[Found]:
        many = [n for n in self.names if self._options(n)]
        found: list[Found] = []
        for names in many:
            found += self._choice(names, [n for n in many if n is not names])
        return [
            f for f in found if not any(g is not f and g.span == f.span and g.why != "label" for g in found)
        ]

    def _options(self, names: _Names) -> list[tuple[Any, list[tuple[str, ...]]]]:
        return _options(names.field, self.offered.get(names.field.name))

    def _choice(self, names: _Names, others: Sequence[_Names]) -> list[Found]:
        options = self._options(names)
        several = names.field.kind in SEVERAL
        mentions = [m for m in _mentions(self.parts, options) if self._may_name(m, names, others)]
        called = self._called(names, 0, len(self.parts))
        if not mentions and (called or self.expecting == names.field.name or not others):
            mentions = [m for m in _ordinals(self.parts, len(options)) if self._bare_but(names, m)]
        wanted = [m for m in mentions if not self._out(m[1])]
        denied = [m for m in mentions if _negated(self.parts, m[1])]
        if _hedged(self.parts) or (
            not mentions and not called and self.expecting != names.field.name and others
        ):
            return []
        if several:
            return self._several(names, options, wanted, denied, called, not others)
        picked = {i for i, _, _ in wanted}
        if not mentions and self._other(names, options):
            return [
                self._found(names.field.name, self._other(names, options)[0], 0, len(self.parts), "option")
            ]
        if len(picked) > 1 and self._corrected(wanted):
            wanted, picked = wanted[-1:], {wanted[-1][0]}
        if len(picked) != 1 or self._alternatives(wanted) or not self._meant(names, mentions):
            return []
        index, first, last = wanted[-1]
        return [
            self._found(names.field.name, options[index][0], first, last, "label" if called else "option")
        ]

    def _corrected(self, wanted: Sequence[tuple[int, int, int]]) -> bool:
        return bool({p.text for p in self.parts[wanted[-2][2] : wanted[-1][1]]} & _CORRECTS)

    def _alternatives(self, wanted: Sequence[tuple[int, int, int]]) -> bool:
        return any(self.parts[first - 1].text == "or" for _, first, _ in wanted if first)

    def _other(self, names: _Names, options: Sequence[tuple[Any, Any]]) -> list[Any]:
        """The one of two options that does not stand there now."""
        joined = " ".join(part.text for part in self.parts if part.text not in ("please", "no", ",", "."))
        if len(options) != 2 or not re.fullmatch(r"(use |take |i (meant|want) )?(the )?other( one)?", joined):
            return []
        now = self.values.get(names.field.name)
        rest = [value for value, _ in options if str(value) != str(now)]
        return rest if len(rest) == 1 else []

    def _may_name(self, mention: tuple[int, int, int], names: _Names, others: Sequence[_Names]) -> bool:
        """Whether this word is meant as an option: one that also names a field needs the label beside it."""
        _, first, last = mention
        word = self.parts[first].key
        near = self._label_beside(names, first, last)
        alone = names.field.name == self.expecting and self._bare([(first, last)])
        if last - first == 1 and (
            word in _FILLER | _STOP | {"all", "none"} or len(word) < 2 or word.isdigit()
        ):
            return near or alone
        shared = any(_mentions(self.parts[first:last], self._options(o)) for o in others)
        lexical = any(
            word in n.hints or word == n.unit or any(word in p for p in n.phrases)
            for n in [*self.names, *self.foreign]
        )
        if lexical and last - first == 1:
            return (near and not self._names_next(first, last)) or alone
        return near or not shared or (names.field.name == self.expecting)

    def _names_next(self, first: int, last: int) -> bool:
        """Whether the word is followed by its own value ("colour, depth 3")."""
        return (last < len(self.parts) and self.parts[last].kind == "number") or self.parts[
            first - 1
        ].text == ","

    def _label_beside(self, names: _Names, first: int, last: int) -> bool:
        begin, end = _clause(self.parts, first)
        outside = [*range(begin, first), *range(last, end)]
        return any(
            self.parts[i].key in names.hints or any(_phrase_at(self.parts, i, p) > 0 for p in names.phrases)
            for i in outside
        )

    def _bare_but(self, names: _Names, mention: tuple[int, int, int]) -> bool:
        words = (
            {w for p in names.phrases for w in p}
            | names.hints
            | {"two", "three", "four", "five"}
            | set(_ORDINALS)
        )
        first, last = mention[1], mention[2]
        rest = [p for i, p in enumerate(self.parts) if not first <= i < last]
        return all(
            p.text in _FILLER or p.key in words or p.kind in ("ordinal", "mark", "number") for p in rest
        )

    def _meant(self, names: _Names, mentions: Sequence[tuple[int, int, int]]) -> bool:
        """An option word counts with its label, with a verb such as "use", or as the whole sentence.

        An alias also where the sentence begins with it ("crawl http://..." for site).
        """
        spans = [(first, last) for _, first, last in mentions]
        begin = tuple(part.key for part in self.parts[: spans[0][1]]) if spans and spans[0][0] == 0 else ()
        if begin and begin in {keys(said) for said in names.field.ask.aliases or {}}:
            return True
        words = {part.text for part in self.parts[: max((last for _, last in spans), default=0)]}
        return self._called(names, 0, len(self.parts)) or bool(words & _TAKES) or self._bare(spans)

    def _several(
        self,
        names: _Names,
        options: Sequence[tuple[Any, Any]],
        wanted: Sequence[tuple[int, int, int]],
        denied: Sequence[tuple[int, int, int]],
        called: bool,
        alone: bool,
    ) -> list[Found]:
        kind = _all_or_none(self.parts)
        now = self.values.get(names.field.name)
        texts = {part.text for part in self.parts}
        place = [(first, last) for _, first, last in [*wanted, *denied]]
        span = (min((f for f, _ in place), default=0), max((e for _, e in place), default=len(self.parts)))
        everything = [value for value, _ in options]
        named = {i for i, _, _ in [*wanted, *denied]}
        picked = [value for i, (value, _) in enumerate(options) if i in {w for w, _, _ in wanted}]
        bare = called or (self._bare(place) and not self._other_numbers())
        if kind == "but" and named:
            chosen = [value for i, value in enumerate(everything) if i not in named]
            return [self._found(names.field.name, chosen, *span, "option")]
        asked = called or self.expecting == names.field.name or (alone and (kind == "all" or "of" in texts))
        if kind in ("all", "none") and not named and bare and asked:
            return [self._found(names.field.name, everything if kind == "all" else [], *span, "option")]
        meant = self._meant(names, [*wanted, *denied]) or (denied and self._bare(place, _NOT))
        if self._alternatives([*wanted, *denied]) or not named or not meant:
            return []
        if denied:
            gone = {str(everything[i]) for i, _, _ in denied}
            if not isinstance(now, list) and not picked:
                return []
            kept = [] if picked else [value for value in now or [] if str(value) not in gone]
            return [self._found(names.field.name, [*kept, *picked], *span, "option")]
        if isinstance(now, list) and texts & {"also", "add", "too", "plus", "additionally"}:
            picked = [*now, *(value for value in picked if str(value) not in {str(x) for x in now})]
        return [self._found(names.field.name, picked, *span, "label" if called else "option")]

    def _other_numbers(self) -> bool:
        return bool(quantities(self.parts))

    # addresses

    def _addresses(self) -> list[Found]:
        found: list[Found] = []
        for kind in ("url", "email"):
            said = [i for i, part in enumerate(self.parts) if part.kind == kind and not self._out(i)]
            takers = [n for n in self.names if n.field.kind == kind]
            for i in said:
                raw = self.text[self.parts[i].start : self.parts[i].end]
                names = self._taker(i, takers)
                if names:
                    found.append(self._found(names.field.name, raw, i, i + 1, "kind"))
        return self._one_each(found) + self._scheme()

    def _taker(self, i: int, takers: Sequence[_Names]) -> _Names | None:
        if len(takers) == 1:
            return takers[0]
        first, _ = _clause(self.parts, i)
        near = [n for n in takers if self._called(n, first, i)]
        if len(near) == 1:
            return near[0]
        expected = [n for n in takers if n.field.name == self.expecting]
        return expected[0] if expected and not near else None

    def _scheme(self) -> list[Found]:
        """ "make that https": the address that is there, with the other scheme."""
        words = [part.text for part in self.parts]
        said = [w for w in words if w in ("http", "https")]
        takers = [n.field.name for n in self.names if n.field.kind == "url" and self.values.get(n.field.name)]
        name = takers[0] if len(takers) == 1 else self.expecting if self.expecting in takers else None
        if (
            len(said) != 1
            or name is None
            or len(words) > 8
            or _hedged(self.parts)
            or self._out(words.index(said[0]))
        ):
            return []
        _, found, rest = str(self.values[name]).partition("://")
        return [self._found(name, f"{said[0]}://{rest}", 0, len(self.parts), "label")] if found else []

    # dates

    def _days(self) -> list[Found]:
        found: list[Found] = []
        days = [d for d in dates(self.parts, self.today) if len(d[0]) == 1 and not self._out(d[1])]
        times = [t for t in clocks(self.parts) if not self._out(t[1])]
        for kind in ("date", "datetime", "time"):
            takers = [n for n in self.names if n.field.kind == kind]
            for said, first, last in times if kind == "time" else days:
                names = self._taker(first, takers)
                if names is None or (kind == "time" and not self._time_only(first)):
                    continue
                day = said if isinstance(said, time) else said[0]
                if kind == "datetime" and isinstance(day, date):
                    if len(times) != 1:
                        continue
                    day = datetime.combine(day, times[0][0])
                found.append(self._found(names.field.name, day.isoformat(), first, last, "kind"))
        return self._one_each(found)

    def _time_only(self, at: int) -> bool:
        return self.parts[at].kind != "iso"

    # nothing

    def _empties(self) -> list[Found]:
        """ "leave it empty", "no exclude", "clear the limit": None, or an empty list."""
        found = []
        joined = f" {' '.join(part.text for part in self.parts)} "
        empties = re.search(r" (empty|blank|nothing|none|unset) | clear (the|it|that|my) ", joined)
        for names in self.names:
            listed = names.field.kind in SEVERAL
            if not (names.field.optional or listed) or _hedged(self.parts) or " not " in joined:
                continue
            called = self._called(names, 0, len(self.parts))
            pointed = (
                self.expecting == names.field.name and len(self.parts) <= 6 and not self._names_another(names)
            )
            no_such = any(
                part.text == "no" and self._called(names, i + 1, i + 2) for i, part in enumerate(self.parts)
            )
            if (empties and (called or pointed) and not self._options(names)) or (
                no_such and names.field.kind != "bool"
            ):
                found.append(
                    self._found(names.field.name, [] if listed else None, 0, len(self.parts), "label")
                )
        return found

    def _names_another(self, names: _Names) -> bool:
        return any(self._called(n, 0, len(self.parts)) for n in self.names if n is not names)

    # texts, by their label

    def _labelled_texts(self) -> list[Found]:
        found = []
        for names in self.names:
            field = names.field
            free = field.kind in ("text", "long") or (field.kind in ("list", "set", "lines", "tuple"))
            if not free or self._options(names) or field.kind == "tuple":
                continue
            item = self._labelled(names)
            if item:
                found.append(item)
        return found

    def _labelled(self, names: _Names) -> Found | None:
        for i in range(len(self.parts)):
            phrases = [*names.phrases, *((hint,) for hint in sorted(names.hints))]
            at = max((_phrase_at(self.parts, i, phrase) for phrase in phrases), default=-1)
            if at < 0 or at >= len(self.parts) or _hedged(self.parts[: i + 1]) or self._out(i):
                continue
            plain = self.parts[at].text in ("=", ":", "to", "is", "as", "be")
            begin = at + 1 if plain else at
            if begin < len(self.parts) and self.parts[begin].text in ("only", "just") and not plain:
                begin += 1
            if begin >= len(self.parts):
                continue
            pathlike = self.parts[begin].kind in ("path", "url") or self.parts[begin].text in "\"'`"
            if plain or pathlike:
                return self._text_from(names, begin, plain)
        return None

    def _text_from(self, names: _Names, begin: int, plain: bool) -> Found | None:
        last = begin
        while last < len(self.parts) and not self._next_label(names, last, begin):
            last += 1
        while last > begin and self.parts[last - 1].text in (",", ".", "and", "!", ";"):
            last -= 1
        if last == begin:
            return None
        raw = self.text[self.parts[begin].start : self.parts[last - 1].end].strip()
        quoted = re.match(r"\"([^\"]+)\"|'([^']+)'|`([^`]+)`", raw)
        value: Any = next(g for g in quoted.groups() if g) if quoted else raw
        if names.field.kind in ("list", "set", "lines"):
            items = [x.strip(" \"'`") for x in re.split(r",|\band\b|\n", raw)]
            value = [x for x in items if x]
            if not plain and not all(re.search(r"[/*.\d]", x) for x in value) and not quoted:
                return None
        return self._found(names.field.name, value, begin, last, "label") if value else None

    def _next_label(self, names: _Names, at: int, begin: int) -> bool:
        """Whether another field begins here: ", depth 3" or ", exclude: /blog"."""
        if at <= begin or self.parts[at - 1].text not in (",", "and", ";", "then"):
            return False
        at += self.parts[at].text in ("and", "the", "set", "then")
        for other in self.names:
            for phrase in [*other.phrases, *((h,) for h in other.hints), *(_BOUNDS if other.bound else ())]:
                if other is not names and _phrase_at(self.parts, at, phrase) > 0:
                    return True
        return False


def _json_number(value: Decimal, field: Field) -> Any:
    if field.kind == "decimal":
        return format(value.normalize(), "f")
    return int(value) if value == value.to_integral_value() else float(value)

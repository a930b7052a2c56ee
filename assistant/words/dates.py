"""Days and times of day in words: "3 May 2026", "next Friday", "in two weeks", "2:30 pm"."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from .quantities import ONES, quantity_at
from .reading import Part

_MONTHS = "january february march april may june july august september october november december".split()
_NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1}
_PLACES = {
    "first": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "1st": 0,
    "2nd": 1,
    "3rd": 2,
    "4th": 3,
    "last": -1,
}
_ANY = frozenset("a any each every some".split())
_SPANS = frozenset("day week month year quarter end beginning start middle hour".split())
_MINUTES = {"half past": 30, "quarter past": 15, "quarter to": -15}
_HALVES = {
    ("in", "the", "morning"): 0, ("in", "the", "afternoon"): 12, ("in", "the", "evening"): 12,
}  # fmt: skip
_CLOCK = re.compile(r"(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s?([ap]m)?")
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


def _month(word: str) -> int:
    """1 to 12; also of "Jan" and "Sept"; 0 if it is none."""
    short = len(word) >= 3
    return next((i for i, m in enumerate(_MONTHS, 1) if word == m or (short and m[:4].startswith(word))), 0)


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
    """The days named in the words: each with what it can mean, if that is clear, and where it stands."""
    found = []
    i = 0
    while i < len(parts):
        days, last = _date_at(parts, i, today)
        if days:
            last = _named_after(parts, days, last)
            found.append(_counted(parts, days, i, last))
        i = last if days else i + 1
    return found


def _counted(parts: Sequence[Part], days: list[date], first: int, last: int) -> tuple[list[date], int, int]:
    """The day that is counted from this one: "two days after 5 May"; none where that is unclear."""
    p = first - 2 if first > 1 and parts[first - 1].text == "the" else first - 1
    word, unit = (parts[p].text, parts[p - 1].key) if p > 0 else ("", "")
    if word == "of":
        return [] if unit in _SPANS else days, first, last
    if word in ("after", "before") or (word == "from" and unit in _SPANS):
        count, begin = _how_many(parts, p - 1)
        count = 0 if begin and parts[begin - 1].text in ("after", "before") else count
        by = timedelta(count * {"day": 1, "week": 7}.get(unit, 0)) * (-1 if word == "before" else 1)
        moved = [day for old in days for day in _later(old, by)] if by else []
        return moved, begin if unit in _SPANS else first, last
    weekly = len(days) == 1 and last < len(parts) and parts[last].text == "week"  # "tomorrow week"
    return [] if weekly else days, first, last


def _later(day: date, by: timedelta) -> list[date]:
    try:
        return [day + by]
    except OverflowError:
        return []


def _how_many(parts: Sequence[Part], end: int) -> tuple[int, int]:
    """The whole number right before `end` and where it begins; 1 of "the day"; 0 where there is none."""
    for first in range(max(end - 4, 0), end):
        quantity = quantity_at(parts, first)
        if quantity and quantity.last == end and 0 < quantity.value < 10**4 and quantity.value % 1 == 0:
            return int(quantity.value), first
    the = end > 0 and parts[end - 1].text == "the"
    return int(the or end == 0), end - the


def _nth(parts: Sequence[Part], i: int, today: date) -> tuple[list[date], int]:
    """ "The first Friday of May", the coming one where no year is said."""
    month = _month(parts[i + 2].text) if i + 2 < len(parts) and parts[i + 1].text in ("of", "in") else 0
    place = _PLACES.get(parts[i - 1].text) if i else None
    if place is None or not month:
        return [], i + 1
    said = parts[i + 3].text if i + 3 < len(parts) else ""
    wanted, year = WEEKDAYS.index(parts[i].text), re.fullmatch(r"(19|20|21)\d\d", said)
    found = []
    for y in [int(said)] if year else [today.year, today.year + 1]:
        days = [d for n in range(1, 32) for d in _make_date(y, month, n) if d.weekday() == wanted]
        found += days[place : place + 1 or None]
    return [d for d in found if year or d >= today][:1], i + (4 if year else 3)


def _named_after(parts: Sequence[Part], days: Sequence[date], last: int) -> int:
    """Where "4 December (Friday)" ends: its weekday is no second day."""
    at = last
    while at < len(parts) and parts[at].text in (",", "(", "a"):
        at += 1
    same = at < len(parts) and len(days) == 1 and parts[at].text == WEEKDAYS[days[0].weekday()]
    return at + 1 if same else last


def _date_at(parts: Sequence[Part], i: int, today: date) -> tuple[list[date], int]:
    """What a day at `i` can mean, and the index behind it."""
    part, texts = parts[i], [p.text for p in parts[i : i + 5]]
    if part.kind == "iso":
        moment = _moment(part.text)
        return [moment.date()] if moment else [], i + 1
    if part.text in _NEAR:
        return [today + timedelta(_NEAR[part.text])], i + 1
    if part.text in ("in", "within") and i + 1 < len(parts):
        quantity = quantity_at(parts, i + 1)
        days = {"day": 1, "week": 7}.get(quantity.unit) if quantity else None
        if quantity and days and abs(quantity.value) < 10**5 and quantity.value == int(quantity.value):
            return [today + timedelta(int(quantity.value) * days)], quantity.last + 1
    if part.text in WEEKDAYS:
        return _weekday(parts, i, today)
    if numeric := re.fullmatch(r"(\d{1,2}) ([./]) (\d{1,2}) \2 (\d{4})", " ".join(texts)):
        a, b, year = int(numeric[1]), int(numeric[3]), int(numeric[4])
        both = _make_date(year, b, a) + (_make_date(year, a, b) if numeric[2] == "/" and a != b else [])
        return both, i + 5
    return _written(parts, i, today)


def _weekday(parts: Sequence[Part], i: int, today: date) -> tuple[list[date], int]:
    """ "Friday" is the coming one. "next Friday", and "Friday" on a Friday, may be either of two."""
    wanted, last = WEEKDAYS.index(parts[i].text), i + 1
    ahead, week = (wanted - today.weekday()) % 7, timedelta(7)
    coming = today + timedelta(ahead or 7)
    before = ["", "", *(part.text for part in parts[max(i - 2, 0) : i])][-2:]
    after = [part.text for part in parts[last : last + 2]]
    of_a_month = after[:1] == ["of"] or (after[:1] == ["in"] and bool(_month(after[-1])))
    if of_a_month or (before[1] in _PLACES and before[1] != "last"):
        return _nth(parts, i, today)
    if before[1] in _ANY or (
        after[:1] in (["before"], ["after"]) and not _an_hour(parts[last + 1 : last + 2])
    ):
        return [], last
    j = last + (after[:1] == [","])
    j += parts[j : j + 1] != [] and parts[j].text == "the"
    named, end = _date_at(parts, j, today) if j < len(parts) and _is_written(parts[j]) else ([], last)
    if named:
        return [day for day in named if day.weekday() == wanted] or [*named, coming], end
    if ["next", "week"] in (before, after):
        day = today + timedelta(7 - today.weekday() + wanted)
        both = today.weekday() == 6 and wanted != 6  # where weeks begin on Sunday, it is a week later
        return [day, day + week] if both else [day], last
    if before == ["weeks", "on"]:
        return [], last
    if before == ["week", "on"] or after[:1] == ["week"]:
        return [coming, coming + week], last
    if before[1] == "last":
        return [coming - week if ahead else today - week], last
    if before[1] == "next":
        return [coming, coming + week] if ahead else [coming], last
    return [coming] if ahead or before[1] in ("coming", "following") else [today, coming], last


def _an_hour(parts: Sequence[Part]) -> bool:
    return any(part.kind == "clock" or part.text in ("noon", "midnight", "lunch", "work") for part in parts)


def _is_written(part: Part) -> bool:
    return part.kind in ("iso", "number", "ordinal") or bool(_month(part.text))


def _written(parts: Sequence[Part], i: int, today: date) -> tuple[list[date], int]:
    """ "3 May 2026", "3rd of May", "May 3": the coming one where no year is said."""
    texts = [p.text for p in parts[i : i + 3]]
    day, month, last = _day_number(parts[i]), 0, i + 2
    if day and len(texts) > 1:
        last += len(texts) > 2 and texts[1] == "of"
        month = _month(parts[last - 1].text)
    elif parts[i].kind == "word" and len(texts) > 1:
        day, month = _day_number(parts[i + 1]), _month(texts[0])
    if not (day and month):
        return [], i + 1
    year = last + 1 if last + 1 < len(parts) and parts[last].text == "," else last
    if year < len(parts) and re.fullmatch(r"(19|20|21)\d\d", parts[year].text):
        return _make_date(int(parts[year].text), month, day), year + 1
    this, following = _make_date(today.year, month, day), _make_date(today.year + 1, month, day)
    return [d for d in this if d >= today] or following, last


def _worded(parts: Sequence[Part], i: int) -> tuple[time, int, int] | None:
    """ "Half past eight in the morning", "7 in the evening"; which half of the day has to be said."""
    texts = [part.text for part in parts[i : i + 7]]
    minutes = _MINUTES.get(" ".join(texts[:2]))
    at = 0 if minutes is None else 2
    said = texts[at] if at < len(texts) else ""
    hour = int(said) if said.isascii() and said.isdigit() and len(said) < 3 else ONES.get(said, 0)
    at += 2 if texts[at + 1 : at + 2] == ["o'clock"] else 1
    half = next((half for half in _HALVES if tuple(texts[at : at + len(half)]) == half), None)
    if half is None or not 1 <= hour <= 12:
        return None
    at += len(half)
    whole = hour % 12 + _HALVES[half]
    moment = datetime(2000, 1, 1) + timedelta(hours=whole, minutes=minutes or 0)
    return moment.time(), i, i + at


def clocks(parts: Sequence[Part]) -> list[tuple[time, int, int]]:
    """The times of day named in the words."""
    found: list[tuple[time, int, int]] = []
    for i, part in enumerate(parts):
        if found and i < found[-1][2]:
            continue
        match = _CLOCK.fullmatch(part.text) if part.kind == "clock" else None
        if match:
            hour, half = int(match[1]), match[4]
            if half:
                hour = hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else 99
            if hour < 24 and int(match[2] or 0) < 60 and int(match[3] or 0) < 60:
                found.append((time(hour, int(match[2] or 0), int(match[3] or 0)), i, i + 1))
        elif said := _worded(parts, i):
            found.append(said)
        elif part.text in ("noon", "midnight"):
            found.append((time(12 if part.text == "noon" else 0), i, i + 1))
        elif part.kind == "iso" and len(part.text) > 10:
            moment = _moment(part.text)
            found += [(moment.time(), i, i + 1)] if moment else []
    return found

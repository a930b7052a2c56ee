"""Days and times that move from what stands: "a day earlier", "two weeks later", "half an hour later"."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from .clauses import clause
from .labels import Names
from .quantities import Quantity, quantity_at
from .reading import Part
from .sentence import FILLER, Found, Sentence

LATER = {"later": 1, "earlier": -1, "sooner": -1}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_SECONDS = {"hour": 3600, "hr": 3600, "minute": 60, "min": 60}
_BESIDE = FILLER | frozenset(
    "start begin begins leave arrive end it's that's bring push move start ends".split()
)


def moved_days(sentence: Sentence) -> list[Found]:
    """The one day or time of day that the words move; none where another field may be meant."""
    found = []
    for at, text in enumerate(sentence.texts):
        if text in LATER and not sentence.hedged and not sentence.out(at):
            found += _moved(sentence, at)
    return found if len(found) == 1 else []


def _moved(sentence: Sentence, at: int) -> list[Found]:
    said = _length(sentence.parts, at)
    if said is None:
        return []
    first, length, in_days = said
    begin, end = clause(sentence.parts, at)
    kinds = ("date", "datetime") if in_days else ("time", "datetime")
    takers = [n for n in sentence.names if n.field.kind in kinds and n.field.name in sentence.values]
    named = [n for n in takers if sentence.calls(n, [*range(begin, first), *range(at + 1, end)])]
    takers, why = (named, "label") if named else (takers, "bare")
    beside = [p for i, p in enumerate(sentence.parts[begin:end], begin) if not first <= i <= at]
    if len(takers) != 1 or not all(_says_nothing(part, takers[0]) for part in beside):
        return []
    now = str(sentence.values[takers[0].field.name])
    raw = _from(now, takers[0].field.kind, length * LATER[sentence.texts[at]])
    return [sentence.found(takers[0].field.name, raw, first, at + 1, why)] if raw else []


def _says_nothing(part: Part, names: Names) -> bool:
    """Whether the word is filler, or what the field is called."""
    own = {word for phrase in names.phrases for word in phrase} | names.hints
    return part.kind == "mark" or part.text in _BESIDE or part.key in own


def _length(parts: Sequence[Part], at: int) -> tuple[int, timedelta, bool] | None:
    """How long the words right before `at` are, where they begin, and whether they count days."""
    for first in range(max(at - 5, 0), at):
        quantity = quantity_at(parts, first) or _one(parts, first)
        unit = parts[at - 1].key
        if quantity is None or not 0 <= at - quantity.last <= 1 or quantity.value <= 0:
            continue
        if unit in _DAYS and quantity.value < 10_000:
            return first, timedelta(days=float(quantity.value) * _DAYS[unit]), True
        if unit in _SECONDS and quantity.value < 10_000:
            return first, timedelta(seconds=float(quantity.value) * _SECONDS[unit]), False
    return None


def _one(parts: Sequence[Part], at: int) -> Quantity | None:
    """The one of "a day" and "an hour"."""
    return Quantity(Decimal(1), at, at + 1) if parts[at].text in ("a", "an") else None


def _from(now: str, kind: str, by: timedelta) -> str:
    """The day or time so much later; "" where it would be another day's, or none that there is."""
    try:
        if kind == "date":
            return "" if by.seconds else (date.fromisoformat(now) + by).isoformat()
        if kind == "datetime":
            return (datetime.fromisoformat(now) + by).isoformat()
        start = datetime.combine(date(2000, 1, 1), time.fromisoformat(now))
        return (start + by).time().isoformat() if (start + by).date() == start.date() else ""
    except (ValueError, OverflowError):
        return ""

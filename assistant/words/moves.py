"""By how much a number moves: "2 more", "double it", "half of that", "increase the depth by 3".

words ── moves ──▶ Move: an amount or a factor ── moved(field, value that stands) ──▶ the new value
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ..parameters import NUMBERS, Field
from .clauses import ENDS, REACH
from .labels import ADJECTIVES
from .quantities import UNITS, Quantity, amounts, json_number
from .reading import Part
from .sentence import FILLER

_MEASURES = {
    "wider": "wide", "broader": "wide", "narrower": "wide", "higher": "high", "lower": "high",
    "taller": "tall", "deeper": "deep", "shallower": "deep", "longer": "long", "shorter": "long",
    "thicker": "thick", "thinner": "thick", "older": "old", "younger": "old",
}  # fmt: skip
_UP = frozenset("more extra additional longer larger bigger higher deeper wider taller thicker broader older "
                "greater".split())  # fmt: skip
_DOWN = frozenset("less fewer lower shorter smaller shallower narrower thinner younger".split())
_RAISING = frozenset("increase raise lift extend lengthen bump grow widen deepen enlarge".split())
_CUTTING = frozenset("decrease reduce shorten cut shrink narrow".split())
VERBS = _RAISING | _CUTTING | {"lower"}
RAISES = _UP | _RAISING | {"up"}
CUTS = _DOWN | _CUTTING | {"down"}
_FACTORS = {"double": Decimal(2), "triple": Decimal(3), "quadruple": Decimal(4), "halve": Decimal("0.5")}
_FACTORS |= {word + "d": factor for word, factor in _FACTORS.items()}
_AS = frozenset("many much large big great high deep wide tall thick broad old long".split())
_OFFS = frozenset("take knock cut shave trim".split())  # ... 5 off, ... 5 away
_AWAY = frozenset({"off", "away"})
SHARES = ("%", "percent")
_THAT = frozenset("that it this the".split())
_NOW = frozenset("that now before this it".split())
_OWN = frozenset(
    "this by do need get than off away knock shave trim there will "
    "add another as many much from in on by even times half twice thrice".split()
)
BESIDE = FILLER | RAISES | CUTS | _FACTORS.keys() | _OWN | {"subtract", "deduct"}
"""What stands beside a move and says nothing else."""


@dataclass(frozen=True)
class Move:
    """What parts[first:last] say: an `amount`, to add (`sign` 1) or take away (-1), or a `factor`.

    With a sign of 0 it is unclear which, and nothing moves.
    `noun` is what is counted, `said` the comparative, `measure` its adjective ("wide" of "wider").
    """

    first: int
    last: int
    amount: Quantity | None = None
    sign: int = 1
    factor: Decimal | None = None
    noun: str = ""
    measure: str = ""
    said: str = ""


def moves(parts: Sequence[Part], said: Sequence[Quantity]) -> list[Move]:
    """All moves in the words, in order; `said` are the numbers in them."""
    texts = [part.text for part in parts]
    starts = {quantity.first: quantity for quantity in said}
    found: list[Move] = []
    i = 0
    while i < len(parts):
        move = _factor(parts, texts, i, starts.get(i)) or _amount(parts, texts, i, starts.get(i))
        found += [move] if move else []
        i = max(move.last, i + 1) if move else i + 1
    return found


def _factor(parts: Sequence[Part], texts: list[str], i: int, quantity: Quantity | None) -> Move | None:
    """ "double it", "half of that", "twice as wide", "three times as many"; "3x" alone is unclear."""
    if texts[i] in _FACTORS:
        return Move(i, i + 1, factor=_FACTORS[texts[i]])
    if quantity is None or quantity.value <= 0:
        return None
    last = quantity.last
    alone = parts[i].kind == "number" and texts[i].endswith("x")
    if texts[i] not in ("half", "twice", "thrice") and not alone:
        if texts[last : last + 1] != ["times"]:
            return None
        last += 1
    if texts[i] == "half" and texts[last : last + 1] == ["of"]:
        last += 1
    following = texts[last : last + 2]
    if following[:1] == ["as"] and following[1:] and following[1] in _AS:
        follows = _word(parts, last + 2) and texts[last + 2] not in BESIDE
        noun = parts[last + 2].key if follows else ""
        side = following[1] if following[1] in ADJECTIVES else ""
        return Move(i, last + 2, factor=quantity.value, noun=noun, measure=side, said=following[1])
    if texts[i] == "half" and i and texts[i - 1] in ("by", "in"):
        cuts = texts[i - 1] == "in" or bool(CUTS & _said_before(texts, i))
        return Move(i, i + 1, factor=Decimal("0.5") if cuts else Decimal("1.5"))
    if following and (following[0] in _THAT or (texts[i] == "half" and last > quantity.last)):
        return Move(i, last, factor=quantity.value)
    return Move(i, last, sign=0, factor=quantity.value) if alone else None


def _amount(parts: Sequence[Part], texts: list[str], i: int, quantity: Quantity | None) -> Move | None:
    """ "2 more", "a page less", "another 3", "add 2", "increase it by 3"."""
    if quantity is None:
        return _one(parts, texts, i)
    if quantity.value <= 0 or texts[i] in ("once", "twice", "thrice"):
        return None
    before, end = texts[i - 1] if i else "", quantity.last
    if _word(parts, end) and texts[end] == quantity.unit == "percent":
        end += 1
    said, noun, last = _comparative(parts, texts, end)
    sign = -1 if said in _DOWN else 1
    if not said:
        noun = parts[end].key if _word(parts, end) else ""
        verbs = _said_before(texts, i) if before == "by" else set()
        raises, cuts = bool(RAISES & verbs), bool(CUTS & verbs)
        away = _AWAY & {*texts[end : end + 2]} or texts[max(i - 2, 0) : i] == ["take", "away"]
        takes = bool(away and _OFFS & _said_before(texts, i))
        # "5 euros off" may as well be what is left; "depth 3 robots off" is neither
        behind = end + (noun in UNITS)
        if takes or texts[behind : behind + 1] == ["off"]:
            return Move(i, last, quantity, -takes, noun="" if noun in _AWAY else noun)
        if before not in ("another", "add", "subtract", "deduct") and not (before == "by" and raises | cuts):
            return None
        sign = -1 if before in ("subtract", "deduct") else raises - cuts if before == "by" else 1
    other = "than" in texts[end : last + 1] and not _NOW & {*texts[last + 1 : last + 2]}
    sign = 0 if other or noun == "time" else sign  # three times more is not three more
    return Move(i, last, quantity, sign, noun=noun, measure=_MEASURES.get(said, ""), said=said)


def _said_before(texts: Sequence[str], i: int) -> set[str]:
    """The words of the clause before `i`, as far back as a verb reaches; else the verb before it.

    "Raise the width and the height by 3".
    """
    near = texts[max(i - REACH, 0) : i][::-1]
    own = {*itertools.takewhile(lambda text: text not in ENDS, near)}
    joint = itertools.takewhile(lambda text: text in {",", "and"} or text not in ENDS, near)
    verb = next((text for text in joint if text in RAISES | CUTS), "")
    return own if own & (RAISES | CUTS) or not verb else {*own, verb}


def _one(parts: Sequence[Part], texts: list[str], i: int) -> Move | None:
    """ "a page more", "another page": one of them."""
    if not _word(parts, i + 1) or texts[i] not in ("a", "an", "another"):
        return None
    one = Quantity(Decimal(1), i, i + 1)
    noun = "" if texts[i + 1] == "one" else parts[i + 1].key
    if texts[i] == "another":
        return None if texts[i + 1] in _UP | _DOWN else Move(i, i + 2, one, noun=noun)
    said = texts[i + 2] if i + 2 < len(texts) else ""
    if said not in _UP | _DOWN or "than" in texts[i + 3 : i + 4]:
        return None
    sign = -1 if said in _DOWN else 1
    return Move(i, i + 3, one, sign, noun=noun, measure=_MEASURES.get(said, ""), said=said)


def _comparative(parts: Sequence[Part], texts: list[str], end: int) -> tuple[str, str, int]:
    """The word such as "more" behind a number, what is counted, and where both end."""
    for at in (end, end + 1):
        if at < len(parts) and texts[at] in _UP | _DOWN and (at == end or _word(parts, end)):
            follows = at == end and _word(parts, at + 1) and texts[at + 1] not in BESIDE
            noun = parts[end].key if at > end else parts[at + 1].key if follows else ""
            return texts[at], noun, at + 1
    return "", "", end


def _word(parts: Sequence[Part], at: int) -> bool:
    return at < len(parts) and parts[at].kind in ("word", "mark") and parts[at].text not in ENDS


def moved(move: Move, field: Field, now: Any) -> Any:
    """The JSON value that comes of the one that stands; None where none stands."""
    if field.kind not in NUMBERS or isinstance(now, bool) or not isinstance(now, int | float | str):
        return None
    try:
        stands = Decimal(str(now))
    except ArithmeticError:
        return None
    if not move.sign:
        return None
    if move.factor is not None:
        value = stands * move.factor
    elif move.amount is None:
        return None
    elif move.amount.unit in SHARES:
        if field.ask.unit in SHARES:
            return None  # of the percents, or so many percents more?
        value = stands * (1 + move.sign * move.amount.value / 100)
    else:
        unit = move.noun if move.noun in UNITS else move.amount.unit if move.amount.unit in UNITS else ""
        found = amounts(replace(move.amount, unit=unit), field)
        if not found:
            return None
        value = stands + move.sign * found[0]
    return json_number(value, field)

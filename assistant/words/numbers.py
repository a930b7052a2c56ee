"""The numbers that a sentence says: each for the field that its label, its unit or nothing else points to."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

from ..parameters import NUMBERS, Field
from .clauses import CORRECTS, DENIES, ENDS
from .dates import clocks, dates
from .labels import BOUNDS, Names
from .meant import in_range, is_meant
from .moves import VERBS, moves
from .quantities import UNITS, Quantity, amounts, json_number, no_amount
from .reading import key_of, phrase_at
from .sentence import FILLER, Found, Sentence

_LINKS = frozenset(
    "= : to of is as at be should by the a an my around about exactly now with just for equals than "
    "set it back € $ £".split()
)
_APART = frozenset("= : to from off than".split())  # "5 to the height" is added to it
_LONG = ("day", "week", "fortnight", "month", "year")
_BY_LENGTH = sorted(BOUNDS, key=len, reverse=True)


def numbers(sentence: Sentence) -> list[Found]:
    """The numbers, and "no pause" for 0 seconds."""
    days = [*dates(sentence.parts, sentence.today), *clocks(sentence.parts)]
    said = [q for q in sentence.quantities if not any(first <= q.first < last for _, first, last in days)]
    moved = {i for m in moves(sentence.parts, sentence.quantities) for i in range(m.first, m.last)}
    meant = [q for q in said if is_meant(sentence, q, said) and q.first not in moved]
    takers = [n for n in sentence.names if n.field.kind in NUMBERS and not sentence.options[n.field.name]]
    found: list[Found] = []
    previous: Quantity | None = None
    for quantity in meant:
        if in_range(sentence, quantity, said):
            continue
        best = _best(sentence, quantity, takers)
        if best is None and len(meant) == 1 and not moved:
            best = _for_bare(sentence, quantity, said, takers)
        if best is None and found and previous and _corrects(sentence, previous, quantity):
            best = next((n, "label") for n in takers if n.field.name == found[-1].name)
        previous = quantity
        if best and sentence.texts[quantity.first].startswith("+") and not _may_be_negative(best[0].field):
            continue  # so much more
        if best and (exact := amounts(quantity, best[0].field)):
            found.append(_found(sentence, quantity, exact[0], *best))
    for names in takers:
        at = no_amount(names.field, sentence.parts)
        if at is not None and not names.field.optional and not sentence.hedged:
            found.append(sentence.found(names.field.name, 0, at, at + 2, "label"))
    return sentence.one_each([item for item in found if not _halved(sentence, item, found)])


def _may_be_negative(field: Field) -> bool:
    least = field.ask.gt if field.ask.ge is None else field.ask.ge
    return least is None or least < 0


def _found(sentence: Sentence, quantity: Quantity, exact: Decimal, names: Names, why: str) -> Found:
    last = quantity.last
    if (
        (why == "unit" or (quantity.unit and quantity.unit == names.unit))
        and last < len(sentence.parts)
        and sentence.parts[last].kind == "word"
    ):
        last += 1
    return sentence.found(names.field.name, json_number(exact, names.field), quantity.first, last, why)


def _halved(sentence: Sentence, item: Found, found: Sequence[Found]) -> bool:
    """Whether this is one half of "10 000": two numbers side by side that are not both somebody's."""
    starts = {other.span[0] - sentence.start for other in found}
    for left, right in itertools.pairwise(sentence.quantities):
        at = {sentence.parts[left.first].start, sentence.parts[right.first].start}
        if left.last == right.first and item.span[0] - sentence.start in at and not at <= starts:
            return True
    return False


def _corrects(sentence: Sentence, previous: Quantity, quantity: Quantity) -> bool:
    """ "depth 3, no, 4": whether the number only takes the place of the one before."""
    between = set(sentence.texts[previous.last + bool(previous.unit) : quantity.first])
    return bool(between & CORRECTS) and between <= FILLER


def _best(sentence: Sentence, quantity: Quantity, takers: Sequence[Names]) -> tuple[Names, str] | None:
    """The field that the number is for, and why; None where none or more than one comes first."""
    scores: list[tuple[int, str, Names]] = []
    scored = [(_label_score(sentence, quantity, names), names) for names in sentence.foreign]
    for names in takers:
        label = _label_score(sentence, quantity, names)
        unit = _unit_score(quantity, names, takers)
        # "10 days" is no "Day" where days are what the field counts
        elsewhere = max((s for s, other in scored if unit <= 0 or other.field.kind in NUMBERS), default=0)
        if label >= 4 and unit < 0:
            return None  # said for one field, in the unit of another
        if not amounts(quantity, names.field) or (elsewhere >= 3 and label < elsewhere):
            continue
        score = label + max(unit, 0)
        if score >= 3 or (score >= 1 and not quantity.weak):
            if label >= 2 or not quantity.weak or _lasts(sentence, quantity):
                scores.append((score, "unit" if unit > 0 and label <= 1 else "label", names))
    scores.sort(key=lambda item: -item[0])
    if not scores or (len(scores) > 1 and scores[0][0] == scores[1][0]):
        return None
    return scores[0][2], scores[0][1]


def _lasts(sentence: Sentence, quantity: Quantity) -> bool:
    """ "for a week": a length of time, where "for a second" is only said so."""
    return sentence.texts[: quantity.first][-1:] == ["for"] and quantity.unit in _LONG


def _unit_score(quantity: Quantity, names: Names, takers: Sequence[Names]) -> int:
    """3 where the unit is the field's or can be made it, -1 where another's, 0 where it tells nothing."""
    if not quantity.unit:
        return 0
    if quantity.unit == names.unit:
        return 3
    if any(quantity.unit == other.unit for other in takers):
        return -1
    said, own = UNITS.get(quantity.unit), UNITS.get(names.unit)
    if said and own:
        return 3 if said[0] == own[0] else -1
    return -1 if said and names.unit else 0


def _label_score(sentence: Sentence, quantity: Quantity, names: Names) -> int:
    """4 where the name stands before the number, 3 behind it, 2 for a word of it, 1 for "at most"."""
    parts, (end, bound) = sentence.parts, _before_links(sentence, quantity.first, names)
    if any(_ends(sentence, end, phrase) for phrase in names.phrases):
        return 4
    before = parts[end - 1] if end else None
    if before and (before.key in names.hints or (names.unit and before.key == names.unit)):
        if not any(key_of(before.text) == q.unit for q in sentence.quantities if q.unit and q.last < end):
            return 2
    return _label_behind(sentence, quantity, names) or (1 if bound and names.bound else 0)


def _before_links(sentence: Sentence, end: int, names: Names) -> tuple[int, bool]:
    """Where the words "at most", "to", "from 2 to" before a number begin; whether one of them is a bound."""
    parts, bound = sentence.parts, False
    while end > 0:
        behind = next((len(b) for b in _BY_LENGTH if _ends(sentence, end, b)), 0)
        if behind:
            bound, end = True, end - behind
        elif parts[end - 1].text in _LINKS and not any(_ends(sentence, end, p) for p in names.phrases):
            end -= 1
        elif end > 2 and parts[end - 1].kind == "number" and parts[end - 2].text == "from":
            end -= 2
        else:
            break
    return end, bound


def _label_behind(sentence: Sentence, quantity: Quantity, names: Names) -> int:
    parts, at = sentence.parts, quantity.last
    starts = {q.first for q in sentence.quantities}
    for i in range(at, min(at + 4, len(parts))):
        if parts[i].text in ENDS | _APART or i in starts:
            return 0
        last = max((phrase_at(parts, i, phrase) for phrase in names.phrases), default=-1)
        if last > 0:
            # "for depth" belongs to the number; "5 depth 3" does not: there the name has its own number
            return 0 if _links_to(sentence, last, starts) else 3
        if parts[i].text in names.measures and _ends_there(sentence, i + 1):
            return 2  # "40 wide" of a width
        if parts[i].key in names.hints and not _links_to(sentence, i + 1, starts):
            return 2
    return 0


def _ends_there(sentence: Sentence, at: int) -> bool:
    """Whether nothing that "wide" could be said of follows."""
    following = sentence.texts[at : at + 1]
    return not following or following[0] in ENDS | FILLER | {"by", "x"}


def _links_to(sentence: Sentence, at: int, starts: set[int]) -> bool:
    """Whether a number follows, with nothing but links before it."""
    while at < len(sentence.parts) and sentence.texts[at] in _LINKS:
        at += 1
    return at in starts


def _ends(sentence: Sentence, end: int, phrase: Sequence[str]) -> bool:
    """Whether the phrase stands right before `end`."""
    begins = range(max(end - 2 * len(phrase), 0), end)
    return any(phrase_at(sentence.parts, i, phrase) == end for i in begins)


def _for_bare(
    sentence: Sentence, quantity: Quantity, said: Sequence[Quantity], takers: Sequence[Names]
) -> tuple[Names, str] | None:
    """The expected field, or the only one, for a number with nothing but filler and denied ones beside it."""
    if quantity.weak and {"wait", "just", "hold"} & set(sentence.texts):
        return None  # "wait a second"
    own = sentence.texts[quantity.first]
    if sentence.texts[: quantity.first][-1:] == ["plus"] or own.startswith("+") or own in ("twice", "thrice"):
        return None  # so much more, or so many times
    if quantity.unit and quantity.unit not in FILLER and quantity.unit not in UNITS:
        return None
    if not sentence.bare([(q.first, q.last + bool(q.unit)) for q in said], also=DENIES | VERBS):
        return None
    expected = [n for n in takers if n.field.name == sentence.expecting] or takers
    return (expected[0], "bare") if len(expected) == 1 else None

"""Whose value "2 more" moves: the field's that is named, counted or measured, else that was spoken of last.

Where the words say anything beside, nothing moves.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ..parameters import NUMBERS, Field
from .clauses import ENDS, clause
from .labels import Names
from .moves import BESIDE, CUTS, RAISES, SHARES, Move, moved, moves
from .quantities import SPELLED, UNITS
from .reading import phrase_at
from .sentence import FILLER, Found, Sentence

_IT = frozenset("that it this".split())
_ANY = frozenset("higher lower longer shorter".split())  # said of prices and times, too
_BOUNDS = frozenset({"up to", "more than", "less than", "fewer than", "at least", "at most"})
_VERBS = FILLER | RAISES | CUTS  # "raise the width and the height by 3"
_UNCLEAR = frozenset("or meant mean instead both all them everything none nothing number not".split())


def moved_values(sentence: Sentence) -> list[Found]:
    """The values that the sentence moves: of the field that it names, else of the one spoken of last."""
    found: list[Found] = []
    for move, names, why in _meant(sentence):
        for each, at, raw in _each(sentence, move, names):
            if raw is not None:
                found.append(sentence.found(each.name, raw, *at, why))
    return sentence.one_each(found)


def all_moved(sentence: Sentence) -> list[tuple[Field, Any]]:
    """Each field that the sentence moves with its new value; None where no value comes of it."""
    meant = ((move, names) for move, names, _ in _meant(sentence))
    return [(field, raw) for move, names in meant for field, _, raw in _each(sentence, move, names)]


def _each(sentence: Sentence, move: Move, names: Names) -> list[tuple[Field, tuple[int, int], Any]]:
    """The fields that one move is of: each with where it is said, and the new value."""
    found = [(names, (move.first, move.last)), *_alike(sentence, move, names)]
    return [(n.field, at, moved(move, n.field, sentence.values.get(n.field.name))) for n, at in found]


def _meant(sentence: Sentence) -> list[tuple[Move, Names, str]]:
    """Each move with the one field that it is for, and why: label, unit or moved (it was spoken of last)."""
    found = []
    for move in moves(sentence.parts, sentence.quantities) if not sentence.hedged else ():
        takers, why = _takers(sentence, move)
        if len(takers) == 1 and _only(sentence, move, takers[0], why):
            found.append((move, takers[0], "moved" if _refers(sentence, move) else why))
    return found


def _refers(sentence: Sentence, move: Move) -> bool:
    """Whether it is so many times what was spoken of: "half of that spare", "twice as many"."""
    after = sentence.texts[move.last : move.last + 1]
    return move.factor is not None and (bool(_IT & {*after}) or move.said != "")


def _alike(sentence: Sentence, move: Move, names: Names) -> list[tuple[Names, tuple[int, int]]]:
    """The other fields of "double the width and the height", each with where it is named.

    Their clauses stand beside the move's, and say nothing but what they are called.
    """
    first, last = clause(sentence.parts, move.first)
    others = [n for n in sentence.names if n is not names and n.field.kind in NUMBERS]
    found: list[tuple[Names, tuple[int, int]]] = []
    while after := _called(sentence, last, 1, others, ()):
        found.append(after)
        last = after[1][1]
    while before := _called(sentence, first - 1, -1, others, _VERBS):
        found.append(before)
        first = before[1][0]
    return found if sentence.calls(names) else []


def _called(
    sentence: Sentence, at: int, step: int, others: Sequence[Names], beside: Iterable[str]
) -> tuple[Names, tuple[int, int]] | None:
    """The one field that the next clause from `at` on only names, with where the clause is."""
    while 0 <= at < len(sentence.parts) and sentence.texts[at] in (",", "and"):
        at += step
    if not 0 <= at < len(sentence.parts) or sentence.texts[at] in ENDS:
        return None
    first, last = clause(sentence.parts, at)
    said = [part for part in sentence.parts[first:last] if part.text not in {"the", "my", *beside}]
    found = [n for n in others if (*(part.key for part in said),) in n.phrases]
    return (found[0], (first, last)) if len(found) == 1 and not sentence.out(first) else None


def _takers(sentence: Sentence, move: Move) -> tuple[list[Names], str]:
    first, last = clause(sentence.parts, move.first)
    inside = range(first, last)

    def phrased(names: Names) -> bool:
        return any(
            phrase_at(sentence.parts, i, p) > 0
            for i in inside
            if move.noun not in UNITS or sentence.parts[i].key != move.noun  # "2 days more" is of no "Day"
            for p in names.phrases
        )

    counts = range(move.first, move.amount.last if move.amount else move.first + 1)
    besides = [
        i for i in inside if i not in counts and sentence.texts[i] not in {*SPELLED, move.said}
    ]  # "one more" is of no "Spare ones"
    numbers = [n for n in sentence.names if n.field.kind in NUMBERS and not sentence.options[n.field.name]]
    recent = [n for n in numbers if n.field.name == sentence.recent]
    if move.measure and recent and recent[0].measures and move.measure not in recent[0].measures:
        recent = []  # nothing makes a width higher
    if any(map(phrased, sentence.foreign)) or any(phrased(n) for n in sentence.names if n not in numbers):
        return [], ""
    for called in ([n for n in numbers if phrased(n)], [n for n in numbers if sentence.calls(n, besides)]):
        if called:
            return called, "label"
    unit = move.noun or (move.amount.unit if move.amount else "")
    if unit in SHARES:
        either = any(n.unit in SHARES for n in (*sentence.names, *sentence.foreign))
        return ([] if either and not {"it", "that"} & {*sentence.texts[first:last]} else recent), "moved"
    counted = [n for n in numbers if unit and n.unit == unit] or [
        n for n in numbers if unit in UNITS and n.unit in UNITS and UNITS[unit][0] == UNITS[n.unit][0]
    ]
    measured = [n for n in numbers if move.measure in n.measures]
    elsewhere = not measured and any(move.measure in n.measures for n in sentence.foreign)
    if counted and (elsewhere or (measured and not [n for n in measured if n in counted])):
        return [], ""  # "one page deeper"
    if measured:
        other = move.said in _ANY and recent and recent != measured
        return (measured, "label") if len(measured) == 1 and not other else ([], "")
    if counted:
        again = [n for n in counted if n in recent]
        return (again, "moved") if again else (counted, "unit")
    return recent, "moved"


def _only(sentence: Sentence, move: Move, names: Names, why: str) -> bool:
    """Whether the clause says nothing but this move, of this field, and it is neither denied nor a range."""
    first, last = clause(sentence.parts, move.first)
    if sentence.out(move.first) or sum(first <= q.first < last for q in sentence.quantities) > 1:
        return False
    if why == "moved" and any(q.first not in range(move.first, move.last) for q in sentence.quantities):
        return False  # "8, and half of that" is half of another number
    if " ".join(sentence.texts[max(move.first - 2, 0) : move.first]) in _BOUNDS:
        return False
    own = {names.unit, move.said, *names.hints, *names.measures, *(w for p in names.phrases for w in p)}
    if move.measure in names.measures:
        own.add(move.noun)  # "2 levels deeper"
    if move.noun in UNITS or (move.amount and move.amount.unit in UNITS):
        own |= {move.noun, move.amount.unit if move.amount else ""}
    spoken = {"of", "many", "much"} if move.factor is not None else set()
    inner = range(move.first, move.first + 1 if move.amount is None else move.amount.last)
    return all(
        i in inner or part.kind == "mark" or part.text in BESIDE - _UNCLEAR or part.key in own | spoken
        for i, part in enumerate(sentence.parts[first:last], first)
    )

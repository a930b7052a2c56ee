"""Numbers that are joined: "30 by 40", "30x40". Which is which only their names tell."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..parameters import NUMBERS, Field
from .labels import Names, is_side
from .moves import moves
from .quantities import UNITS, Quantity, amounts, json_number
from .reading import keys, phrase_at
from .sentence import FILLER, Found, Sentence

_JOINTS = ("by", "x", "\u00d7", "*")
_MOST = 3  # numbers that are joined


def joined(sentence: Sentence) -> list[Quantity]:
    """All numbers of the sentence, if they are joined; each with the unit that stands behind the last."""
    said, texts = sentence.quantities, sentence.texts
    if not 2 <= len(said) <= _MOST or any(sentence.out(quantity.first) for quantity in said):
        return []
    if moves(sentence.parts, said):
        return []
    for left, right in itertools.pairwise(said):
        between = texts[left.last : right.first]
        if between[-1:] == [] or between[-1] not in _JOINTS or len(between) > 2:
            return []
    last = said[-1].unit if said[-1].unit in UNITS else ""
    return [q if q.unit in UNITS else replace(q, unit=last) for q in said]


def sides(sentence: Sentence, labelled: Sequence[Found]) -> list[Found]:
    """Joined numbers whose fields are named in the same order, or of which only one is not told yet.

    `labelled` are the numbers that have a name of their own ("width 30 by 40").
    """
    pair = joined(sentence)
    takers = [n for n in sentence.names if n.field.kind in NUMBERS and not sentence.options[n.field.name]]
    if not pair:
        return []
    for places in (range(pair[0].first), range(pair[-1].last, len(sentence.parts))):
        named = [n for i in places for n in takers if _named_at(sentence, i, n)]
        if len(named) == len(pair) == len({n.field.name for n in named}):
            return _found(sentence, list(zip(pair, named, strict=True)))
    if len(takers) != len(pair):
        return []
    told = {item.name for item in labelled}
    free = [n for n in takers if n.field.name not in told]
    at = {item.span[0] - sentence.start for item in labelled if item.name not in {n.field.name for n in free}}
    left = [q for q in pair if sentence.parts[q.first].start not in at]
    alike = len({(q.value, q.unit) for q in left}) == 1 and (told or _bare(sentence, takers))
    alike = alike and len({is_side(names.field) for names in free}) == 1  # a margin is no third side
    if len(left) != len(free) or not alike or _calculates(sentence):
        return []
    return _found(sentence, list(zip(left, free, strict=True)), "label" if told else "bare")


def _calculates(sentence: Sentence) -> bool:
    """ "The width is 2*15", "width = 2 x 15": one side and a sum rather than two sides."""
    return bool({"*", "="} & {*sentence.texts}) and sum(map(sentence.calls, sentence.names)) == 1


def _bare(sentence: Sentence, takers: Sequence[Names]) -> bool:
    """Whether nothing stands beside the numbers and their units."""
    spans = [(q.first, q.last) for q in sentence.quantities]
    return sentence.bare(spans, frozenset({*_JOINTS, *UNITS, *(names.unit for names in takers)}))


def _named_at(sentence: Sentence, i: int, names: Names) -> bool:
    return sentence.parts[i].key in names.hints or any(
        phrase_at(sentence.parts, i, phrase) > 0 for phrase in names.phrases
    )


def _found(sentence: Sentence, pairs: Sequence[tuple[Quantity, Names]], why: str = "label") -> list[Found]:
    found = []
    for quantity, names in pairs:
        exact = amounts(quantity, names.field)
        if not exact:
            return []
        raw = json_number(exact[0], names.field)
        found.append(sentence.found(names.field.name, raw, quantity.first, quantity.last, why))
    return found


def led(sentence: Sentence, item: Found) -> bool:
    """Whether the name stands before the number: of "20 x 30 copies", "width = 2 x 15" neither is told."""
    if _calculates(sentence):
        return False
    start = item.span[0] - sentence.start
    at = next(q.first for q in sentence.quantities if sentence.parts[q.first].start >= start)
    while at and sentence.texts[at - 1] in ("is", "of", ":", "=", "to"):
        at -= 1
    names = next(names for names in sentence.names if names.field.name == item.name)
    return bool(at) and sentence.calls(names, [at - 1])


def ways(sentence: Sentence, fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Each way in which the joined numbers can be the values of these fields, in the units that are said."""
    pair, found = [] if _calculates(sentence) else joined(sentence), list[dict[str, Any]]()
    own = {key for field in fields for key in keys(field.ask.unit or "")}
    units = {*UNITS, *FILLER, *_JOINTS, "on", *own}
    if not {q.unit for q in sentence.quantities} <= units | {""}:
        return []
    for order in itertools.permutations(fields) if pair and len(pair) == len(fields) else ():
        exact = [amounts(quantity, field) for quantity, field in zip(pair, order, strict=True)]
        way = {f.name: json_number(x[0], f) for f, x in zip(order, exact, strict=True) if x}
        found += [way] if len(way) == len(pair) and way not in found else []
    return found

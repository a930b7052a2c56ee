"""Whether a number is meant as a value: not denied, no range, not by how much, nor what is complained of."""

import itertools
from collections.abc import Sequence

from .clauses import ENDS, bounded, clause, complains
from .labels import BOUNDS, Names
from .later import LATER
from .quantities import Quantity
from .sentence import Sentence

_SUMS = frozenset("+ * = plus times".split())  # between two numbers that are calculated with
_STANDS = frozenset("default it that this now".split())
_LEAST = frozenset("least shortest smallest lowest minimum min minimal fewest".split())


def is_meant(sentence: Sentence, quantity: Quantity, said: Sequence[Quantity]) -> bool:
    """Whether the number is not denied, nor what is left; in "5, no 6" the second one is meant."""
    first, after = quantity.first, sentence.texts[quantity.last : clause(sentence.parts, quantity.first)[1]]
    behind = sentence.texts[quantity.last : quantity.last + 3]
    if "left" in behind[:2] or (behind[:2] == ["and", "more"] and (not behind[2:] or behind[2] in ENDS)):
        return False
    if _so_much_more(sentence, quantity) or LATER.keys() & {*behind[:2]}:
        return False
    if complains(after) or _by_so_much(sentence, first) or _on_top(sentence.texts[max(first - 2, 0) : first]):
        return False
    instead = sentence.texts[max(first - 2, 0) : first] == [",", "no"] and quantity is not said[0]
    return instead or not sentence.out(first)


def _so_much_more(sentence: Sentence, quantity: Quantity) -> bool:
    """ "100 pages or so more", "100 or more": by about how much, or no less than that."""
    after = sentence.texts[quantity.last : clause(sentence.parts, quantity.first)[1]][:4]
    pairs = set(itertools.pairwise(after))
    return bool({("so", "more"), ("so", "less"), ("so", "fewer"), ("or", "more")} & pairs)


def _on_top(before: Sequence[str]) -> bool:
    """ "The default plus 100", "it + 5": added to what stands."""
    return len(before) == 2 and before[0] in _STANDS and before[1] in ("plus", "+")


def _by_so_much(sentence: Sentence, first: int) -> bool:
    """ "By 10", which is no value; "30 by 40" is two."""
    ends = {q.last + n for q in sentence.quantities for n in (0, 1)}
    return first > 0 and sentence.texts[first - 1] == "by" and first - 1 not in ends


def in_range(sentence: Sentence, quantity: Quantity, others: Sequence[Quantity]) -> bool:
    """ "2 or 3", "3-5", "between 3 and 5", "more than 3": no value. "from 2 to 3": only the second."""
    texts = sentence.texts
    before = texts[max(quantity.first - 3, 0) : quantity.first]
    if before[-1:] == ["from"] or "between" in before[-2:]:
        return True
    if before[-2:] == ["at", "least"] and not any(map(_is_least, sentence.names)):
        return True
    if (
        before[-1:] == ["than"]
        and tuple(before[-3:]) not in BOUNDS
        and not bounded(_clause(sentence, quantity))
    ):
        return True
    for other in others:
        if other is quantity:
            continue
        left, right = (other, quantity) if other.first < quantity.first else (quantity, other)
        joint = texts[left.last : right.first]
        if _sums(left, right, joint):
            return True
        joint = joint[1:] if len(joint) == 2 else joint  # "2 clicks or 3"
        if joint == ["to"] and left.first and texts[left.first - 1] == "from":
            return quantity is left
        between = joint == ["and"] and "between" in texts[: left.first]
        if between or joint in (["or"], ["-"], ["to"], ["/"], ["\u2013"]):
            return True
    return False


def _sums(left: Quantity, right: Quantity, joint: Sequence[str]) -> bool:
    """ "10 + 20 cm", "2*15"; but "5 adults + 3 children" are two counts."""
    alike = not right.unit or left.unit == right.unit
    return joint[-1:] != [] and joint[-1] in _SUMS and len(joint) <= 1 + (left.unit != "" and alike)


def _clause(sentence: Sentence, quantity: Quantity) -> list[str]:
    return sentence.texts[clause(sentence.parts, quantity.first)[0] : quantity.first]


def _is_least(names: Names) -> bool:
    return bool(_LEAST & {*names.field.label.casefold().split()})

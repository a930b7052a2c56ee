"""How two compared sessions descend from each other and where they part, in words."""

from typing import Any

from ...compare import Comparison, Side, Value
from ...log import Entry
from ...parameters import MISSING, show
from ...sentences import sentence

TEXT = 300  # characters of a value
NAMES = 3  # parameters that are named in a sentence
SECRET = {"secret": True}


def kinship(comparison: Comparison) -> str:
    """How the two descend from each other; "" where they do not."""
    a, b, common = comparison.a, comparison.b, comparison.common
    if a.sid == b.sid:
        return f"Both are one session, the same up to entry {common}."
    for one, one_name, other, other_name in ((a, "A", b, "B"), (b, "B", a, "A")):
        began = other.session.began
        if _is_of(began.get("forked_from"), one):
            n = began["forked_from"].get("n")
            return f"{other_name} was forked from {one_name} at entry {n}: the same up to entry {common}."
        if _is_of(began.get("again_of"), one):
            n = began["again_of"].get("n")
            return f"{other_name} was made from the values of {one_name} at entry {n}."
        if one.sid in other.session.sources:
            return f"{other_name} has values of {one_name}."
    return f"They have the same beginning, up to entry {common}." if common else ""


def _is_of(origin: Any, side: Side) -> bool:
    return isinstance(origin, dict) and origin.get("session") == side.sid


def first_difference(comparison: Comparison) -> str:
    """The first difference in a sentence."""
    first = comparison.first
    if first.kind == "none":
        return "Nothing that is compared here differs."
    if first.kind == "entry":
        return _parting(comparison, first.a, first.b)
    if first.kind == "value":
        value = next(value for value in comparison.values if value.name == first.name)
        one, other = (in_words(side, value.name, held) for side, held in both(comparison, value))
        return (
            f"The first value that differs is {label_of(comparison, value.name)}: {one} in A, {other} in B."
        )
    if first.kind == "result":
        return f"All values that can be compared are the same; the result “{first.name}” differs."
    return "Values and results are the same; what was said differs."


def _parting(comparison: Comparison, a: Entry | None, b: Entry | None) -> str:
    """The sentence of two kin: where they part, and what each of them says there."""
    told = [
        f"{letter}, {clip(sentence(entry), 160).rstrip('.')}" if entry else f"{letter} has ended"
        for letter, entry in (("A", a), ("B", b))
    ]
    if a and b and (a.did, a.get("step")) == (b.did, b.get("step")) == ("set", a.get("step")):
        told = _given(comparison, a, b) or told
    where = " and ".join(dict.fromkeys(str(entry.n) for entry in (a, b) if entry))
    return f"They part at {'entries' if ' ' in where else 'entry'} {where}: {'; '.join(told)}."


def _given(comparison: Comparison, a: Entry, b: Entry) -> list[str]:
    """What two lines that set values of one card say of those that differ."""
    values = [entry.get("values") or {} for entry in (a, b)]
    names = [n for n in {**values[0], **values[1]} if values[0].get(n, MISSING) != values[1].get(n, MISSING)]
    told = []
    for name in names[:NAMES]:
        one, other = (
            in_words(side, name, held.get(name, MISSING))
            for side, held in zip((comparison.a, comparison.b), values, strict=True)
        )
        told.append(f"{label_of(comparison, name)} is {one.rstrip('.')} in A, {other.rstrip('.')} in B")
    return told + ([f"and {len(names) - NAMES} more"] if len(names) > NAMES else [])


def both(comparison: Comparison, value: Value) -> tuple[tuple[Side, Any], tuple[Side, Any]]:
    return (comparison.a, value.a), (comparison.b, value.b)


def label_of(comparison: Comparison, name: str) -> str:
    for side in (comparison.a, comparison.b):
        if side.flow and name in side.flow.fields():
            return f"“{side.flow.fields()[name].label}”"
    return name


def in_words(side: Side, name: str, held: Any) -> str:
    """A value in words; a secret is only said to be one."""
    if held is MISSING:
        return "missing"
    if held == SECRET:
        return "secret"
    return clip(show(side.flow.fields().get(name) if side.flow else None, held), TEXT)


def clip(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

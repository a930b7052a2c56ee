"""Options in words: by name, with a typo, by their place, all or none of them."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..parameters import Field, choices
from .quantities import ONES
from .reading import Part, keys, one_typo, phrase_at

Phrase = tuple[str, ...]
Options = list[tuple[Any, list[Phrase]]]  # each value with the ways to say it
Mention = tuple[int, int, int]  # which option, and parts[first:last]

TYPOS = 500  # parts: in a longer text no word is taken for an option with a typo
PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1}


def options_of(field: Field, offered: Sequence[Any] | None) -> Options:
    """The field's options, each with the ways to say it; the longest first."""
    found: Options = []
    for i, (text, label) in enumerate(choices(field, offered)):
        value = offered[i] if offered is not None and i < len(offered) and str(offered[i]) == text else text
        aliases = (field.ask.aliases or {}).items()
        meant = {keys(said) for said, meant in aliases if str(getattr(meant, "value", meant)) == text}
        names = {keys(text), keys(label), *meant} - {()}
        found.append((value, sorted(names, key=len, reverse=True)))
    return found


def mentions(parts: Sequence[Part], options: Options) -> list[Mention]:
    """Where options are named. Exact names win over typos, long ones over short."""
    found = _named(parts, options, lambda a, b: a == b)
    if len(parts) <= TYPOS:
        taken = {i for i, _, _ in found}
        rest = [(value, [] if i in taken else names) for i, (value, names) in enumerate(options)]
        near = _named(parts, rest, one_typo)
        found += [m for m in near if not any(m[1] < last and first < m[2] for _, first, last in found)]
    return sorted(found, key=lambda mention: mention[1])


def _named(parts: Sequence[Part], options: Options, same: Callable[[str, str], bool]) -> list[Mention]:
    begins: dict[str, list[tuple[int, Phrase]]] = {}
    for i, (_, names) in enumerate(options):
        for name in names:
            begins.setdefault(name[0], []).append((i, name))
    known = {part.key for part in parts}
    if same is one_typo:
        near = {key: [b for b in begins if one_typo(key, b)] for key in known}
    else:
        near = {key: [key] for key in known & begins.keys()}
    found: list[Mention] = []
    for at, part in enumerate(parts):
        hits = [
            (phrase_at(parts, at, name, same), i)
            for begin in near.get(part.key, ())
            for i, name in begins[begin]
        ]
        last = max((last for last, _ in hits), default=-1)
        best = {i for end, i in hits if end == last}
        if last > at and len(best) == 1 and not (found and found[-1][2] > at):
            found.append((best.pop(), at, last))
    return found


def ordinals(parts: Sequence[Part], count: int) -> list[Mention]:
    """Options named by their place: "the second one", "the 2nd", "the last", "number 2", "the first two"."""
    found = []
    for i, part in enumerate(parts):
        after = parts[i + 1] if i + 1 < len(parts) else None
        if part.text in ("number", "option"):
            number = _small(after)
            found += [(number - 1, i, i + 2)] if 0 < number <= count else []
            continue
        place = _place(parts, i)
        if place is None or not -1 <= place < count:
            continue
        several = _small(after)
        if part.text in ("first", "last") and 1 < several <= count:
            found += [(n % count, i, i + 2) for n in (range(-several, 0) if place else range(several))]
        elif after is None or after.text in ("one", "option", "choice", "and", "or") or after.kind == "mark":
            found.append((place % count, i, i + 1))
    return found


def _place(parts: Sequence[Part], i: int) -> int | None:
    part = parts[i]
    if part.kind == "ordinal":
        return int(part.text[:-2]) - 1 if part.text[0] != "0" and len(part.text) < 7 else None
    if i and parts[i - 1].text in ("a", "an", "half", "every", "per"):
        return None
    return PLACES.get(part.text)


def _small(part: Part | None) -> int:
    """The number that a word or digits say; 0 if none, or a large one."""
    if part is None:
        return 0
    digits = part.text.isascii() and part.text.isdigit() and len(part.text) < 5
    return int(part.text) if digits else ONES.get(part.text, 0)


def all_or_none(parts: Sequence[Part]) -> str:
    """ "all", "but" (all but those named), "none" or ""."""
    joined = f" {' '.join(part.text for part in parts)} "
    but = r" (all|everything|every one|any) (?:\w+ ){0,2}(but|except|without|excluding|besides|apart from) "
    if re.search(but, joined):
        return "but"
    if re.search(r" (all|everything|both)( of them)? ", joined):
        if not re.search(r" not (all|everything) | at all ", joined):
            return "all"
    return "none" if re.search(r" (none|nothing|neither) ", joined) else ""

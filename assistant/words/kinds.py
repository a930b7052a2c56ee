"""What a sentence says by its kind: addresses, days and times, yes or no, and nothing."""

import itertools
import re
from collections.abc import Sequence
from datetime import date, datetime, time

from ..parameters import LISTS, Field
from .clauses import clause
from .dates import clocks, dates
from .labels import Names, words_of
from .options import mentions
from .reading import phrase_at
from .sentence import Found, Sentence
from .yes_no import NO, YES, bare_bool, bool_said

_NEAR = 3  # parts between two days that "or" joins
_STATES = frozenset("it's it is is are we're they're be will should shall want like make".split())


def addresses(sentence: Sentence) -> list[Found]:
    """URLs and e-mail addresses."""
    found: list[Found] = []
    for kind in ("url", "email"):
        takers = [names for names in sentence.names if names.field.kind == kind]
        for i, part in enumerate(sentence.parts):
            if part.kind != kind or sentence.out(i):
                continue
            if names := sentence.taker(i, takers):
                raw = sentence.text[part.start : part.end]
                found.append(sentence.found(names.field.name, raw, i, i + 1, "kind"))
    return sentence.one_each(found) + _scheme(sentence)


def _scheme(sentence: Sentence) -> list[Found]:
    """ "make that https": the address that is there, with the other scheme."""
    at = [i for i, text in enumerate(sentence.texts) if text in ("http", "https")]
    takers = [n.field.name for n in sentence.names if n.field.kind == "url"]
    takers = [name for name in takers if sentence.values.get(name)]
    name = takers[0] if len(takers) == 1 else sentence.expecting
    if len(at) != 1 or name not in takers or len(sentence.parts) > 8:
        return []
    if sentence.hedged or sentence.out(at[0]):
        return []
    _, found, rest = str(sentence.values[name]).partition("://")
    raw = f"{sentence.texts[at[0]]}://{rest}"
    return [sentence.found(name, raw, 0, len(sentence.parts), "label")] if found else []


def days(sentence: Sentence) -> list[Found]:
    """Days, times of day, and both together."""
    found: list[Found] = []
    unclear = set[str]()  # what "Friday or Saturday" is for, where Saturday may be today
    named = [d for d in dates(sentence.parts, sentence.today) if not sentence.out(d[1])]
    times = [t for t in clocks(sentence.parts) if not sentence.out(t[1])]

    def add(kind: str, values: Sequence[date | time], first: int, last: int) -> None:
        takers = [names for names in sentence.names if names.field.kind == kind]
        if names := sentence.taker(first, takers):
            unclear.update([names.field.name] if len(values) != 1 else [])
            each = (value.isoformat() for value in values)
            found.extend(sentence.found(names.field.name, raw, first, last, "kind") for raw in each)

    for days_, first, last in named:
        add("date", days_, first, last)
        if len(times) == 1:
            add("datetime", [datetime.combine(day, times[0][0]) for day in days_], first, last)
    for said, first, last in times:
        if sentence.parts[first].kind != "iso":
            add("time", [said], first, last)
    return sentence.one_each([item for item in found if item.name not in unclear])


def open_days(sentence: Sentence) -> list[tuple[Field, list[str]]]:
    """Fields with the days that the words may mean for them, where that is more than one: "next Friday"."""
    named = [d for d in dates(sentence.parts, sentence.today) if not sentence.out(d[1])]
    times, found = [t for t in clocks(sentence.parts) if not sentence.out(t[1])], []
    either, first = _either(sentence, named)
    if len(either) > 1:
        for kind in ("date", "datetime"):
            takers = [names for names in sentence.names if names.field.kind == kind]
            names = sentence.taker(first, takers)
            if names and kind == "date":
                found.append((names.field, [day.isoformat() for day in either]))
            elif names and len(times) == 1:
                moments = [datetime.combine(day, times[0][0]) for day in either]
                found.append((names.field, [moment.isoformat() for moment in moments]))
    return found


def _either(sentence: Sentence, named: Sequence[tuple[list[date], int, int]]) -> tuple[list[date], int]:
    """The days that may be meant: by the only one that is said, or by those that "or" joins."""
    for (_, _, end), (_, start, _) in itertools.pairwise(named):
        if sentence.texts[end:start][:1] != ["or"] or start - end > _NEAR:
            return [], 0
    if not named or not all(days_ for days_, _, _ in named):
        return [], 0
    return list(dict.fromkeys(day for days_, _, _ in named for day in days_)), named[0][1]


def bools(sentence: Sentence) -> list[Found]:
    """Yes and no, said of a field by its name or bare to the one that is expected."""
    found = []
    for names in (names for names in sentence.names if names.field.kind == "bool"):
        said = bool_said(names.field, sentence.parts)
        if said is None and names.field.name == sentence.expecting and _bare_yes_or_no(sentence):
            said = bare_bool(sentence.parts)
        if said is None and _stated(sentence, names):
            said = True
        if said is not None:
            about = words_of(names.field)
            at = next((i for i, part in enumerate(sentence.parts) if part.key in about), 0)
            found.append(sentence.found(names.field.name, said, *clause(sentence.parts, at), "label"))
    return found


def _stated(sentence: Sentence, names: Names) -> bool:
    """ "It's outdoors", "I want capitals": the label alone, said of something."""
    spans = [(i, at) for i in range(len(sentence.parts)) for p in names.phrases
             if (at := phrase_at(sentence.parts, i, p)) > 0]  # fmt: skip
    said = _STATES & {*sentence.texts} and not sentence.hedged and not any(sentence.out(i) for i, _ in spans)
    return bool(said and spans) and sentence.bare(spans, _STATES)


def _bare_yes_or_no(sentence: Sentence) -> bool:
    beside = YES | NO | {"please", "thanks", "ok", "thank", "you", "it", "turn", "switch"}
    return all(part.text in beside for part in sentence.parts if part.kind != "mark")


def empties(sentence: Sentence) -> list[Found]:
    """ "leave it empty", "no exclude", "clear the limit": None, or an empty list."""
    joined = f" {' '.join(sentence.texts)} "
    if sentence.hedged or " not " in joined:
        return []
    empty = re.search(r" (empty|blank|nothing|none|unset) | clear (the|it|that|my) ", joined)
    found = []
    for names in sentence.names:
        listed = names.field.kind in LISTS
        if not (names.field.optional or listed) or names.field.kind == "bool":
            continue
        none_such = any(t == "no" and sentence.calls(names, [i + 1]) for i, t in enumerate(sentence.texts))
        options = sentence.options[names.field.name]
        cleared = not options or (sentence.calls(names) and not mentions(sentence.parts, options))
        emptied = empty and cleared and _meant(sentence, names)
        if none_such or emptied:
            raw: list[str] | None = [] if listed else None
            found.append(sentence.found(names.field.name, raw, 0, len(sentence.parts), "label"))
    return found


def _meant(sentence: Sentence, names: Names) -> bool:
    """Whether the sentence names the field, or is short, names no other and this one is expected."""
    if sentence.calls(names):
        return True
    if sentence.expecting != names.field.name or len(sentence.parts) > 6:
        return False
    return not any(sentence.calls(other) for other in sentence.names)

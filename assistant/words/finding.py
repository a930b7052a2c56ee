"""Which values the words say plainly, sentence by sentence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ..parameters import Field
from .clauses import PLAIN, split
from .kinds import addresses, bools, days, empties, open_days
from .labels import labels_of, lexicon, mended
from .later import moved_days
from .lists import changed_lists
from .moved import all_moved, moved_values
from .numbers import numbers
from .options import options_of
from .picks import picks
from .reading import read
from .sentence import Found, Sentence, decide
from .sides import joined, led, sides, ways
from .texts import labelled_texts


def find(
    fields: Sequence[Field],
    words: str,
    offered: Mapping[str, Sequence[Any]] | None = None,
    expecting: str | None = None,
    values: Mapping[str, Any] | None = None,
    today: date | None = None,
    others: Sequence[Field] = (),
    recent: str | None = None,
) -> list[Found]:
    """The values that the words say plainly, at most one for each field.

    `expecting` is the field that a bare value ("42", "no, I meant 3") is meant for, `values` are those so far
    ("also the library", "make that https"), `others` fields that the words may mean instead, `recent` the
    list or number that was changed last. Questions and doubts set nothing.
    """
    found: dict[str, list[Found]] = {}
    for sentence in _sentences(fields, words, offered, expecting, values, today, others, recent):
        for item in _said(sentence):
            found.setdefault(item.name, []).append(item)
    decided = [item for items in found.values() for item in decide(items, words)]
    # "8, and half of that" is half of another number than the one that stood there before
    return [item for item in decided if item.why != "moved" or len(decided) == 1]


def find_moves(
    fields: Sequence[Field],
    words: str,
    offered: Mapping[str, Sequence[Any]] | None = None,
    values: Mapping[str, Any] | None = None,
    recent: str | None = None,
    others: Sequence[Field] = (),
) -> list[tuple[Field, Any]]:
    """The numbers that "2 more" or "double the depth" moves, each with its new value; None if it has none."""
    return [
        pair
        for sentence in _sentences(fields, words, offered, None, values, None, others, recent)
        for pair in all_moved(sentence)
    ]


def find_sides(fields: Sequence[Field], words: str) -> list[dict[str, Any]]:
    """Each way in which "30 by 40" can be the values of just these fields."""
    said = (ways(each, fields) for each in _sentences(fields, words, None, None, None, None, (), None))
    found = [each for each in said if each]
    return found[0] if len(found) == 1 else []


def find_days(
    fields: Sequence[Field], words: str, expecting: str | None = None, today: date | None = None
) -> list[tuple[Field, list[str]]]:
    """The fields whose day may be either of several, with these: "next Friday", "03/05/2026"."""
    said = _sentences(fields, words, None, expecting, None, today, (), None)
    return [pair for sentence in said for pair in open_days(sentence)]


def _sentences(
    fields: Sequence[Field],
    words: str,
    offered: Mapping[str, Sequence[Any]] | None,
    expecting: str | None,
    values: Mapping[str, Any] | None,
    today: date | None,
    others: Sequence[Field],
    recent: str | None,
) -> Iterator[Sentence]:
    """The sentences that may say a value: no questions, and no pasted text."""
    names, foreign = lexicon(fields), lexicon(others)
    options = {field.name: options_of(field, (offered or {}).get(field.name)) for field in fields}
    day = today or date.today()
    for text, start, asks in split(words, labels_of([*fields, *others])):
        parts = read(text)
        if parts and not asks and len(parts) <= PLAIN:
            parts = mended(parts, [*names, *foreign])
            yield Sentence(parts, text, start, names, foreign, options, expecting, values or {}, day, recent)


def _said(sentence: Sentence) -> list[Found]:
    """The values in one sentence; what stands in a labelled text is part of it."""
    texts = changed_lists(sentence) or labelled_texts(sentence)
    named = {item.name for item in texts}
    single = numbers(sentence)
    joint = sides(sentence, single)
    single = [item for item in single if item.name not in {other.name for other in joint}]
    if 0 < len(single) < len(joined(sentence)) and not joint:
        single = [item for item in single if led(sentence, item)]
    plain = [
        *single,
        *joint,
        *(x for way in (moved_values, moved_days, addresses, days) for x in way(sentence)),
    ]
    others = [item for way in (bools, empties) for item in way(sentence)]
    rest = [*plain, *others, *picks(sentence, [*texts, *plain, *others])]
    return texts + [item for item in rest if item.name not in named and not _inside(item, texts)]


def _inside(item: Found, texts: Iterable[Found]) -> bool:
    return any(text.span[0] < item.span[1] and item.span[0] < text.span[1] for text in texts)

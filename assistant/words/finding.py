"""Which values the words say plainly, sentence by sentence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from ..parameters import Field
from .clauses import PLAIN, split
from .kinds import addresses, bools, days, empties
from .labels import labels_of, lexicon
from .lists import changed_lists
from .numbers import numbers
from .options import options_of
from .picks import picks
from .reading import read
from .sentence import Found, Sentence, decide
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
    list that was changed last. Questions and doubts set nothing.
    """
    names, foreign = lexicon(fields), lexicon(others)
    options = {field.name: options_of(field, (offered or {}).get(field.name)) for field in fields}
    day = today or date.today()
    found: dict[str, list[Found]] = {}
    for text, start, asks in split(words, labels_of([*fields, *others])):
        parts = read(text)
        if not parts or asks or len(parts) > PLAIN:
            continue
        sentence = Sentence(parts, text, start, names, foreign, options, expecting, values or {}, day, recent)
        for item in _said(sentence):
            found.setdefault(item.name, []).append(item)
    return [item for items in found.values() for item in decide(items, words)]


def _said(sentence: Sentence) -> list[Found]:
    """The values in one sentence; what stands in a labelled text is part of it."""
    texts = changed_lists(sentence) or labelled_texts(sentence)
    named = {item.name for item in texts}
    plain = [item for way in (numbers, addresses, days) for item in way(sentence)]
    others = [item for way in (bools, empties) for item in way(sentence)]
    rest = [*plain, *others, *picks(sentence, [*texts, *plain, *others])]
    return texts + [item for item in rest if item.name not in named and not _inside(item, texts)]


def _inside(item: Found, texts: Iterable[Found]) -> bool:
    return any(text.span[0] < item.span[1] and item.span[0] < text.span[1] for text in texts)

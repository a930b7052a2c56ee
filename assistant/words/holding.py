"""Whether words may hold a value at all, so that nobody need be asked what they say."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..parameters import NUMBERS, TIMES, Field
from .clauses import split
from .labels import labels_of, words_of
from .options import mentions, options_of, ordinals
from .quantities import SPELLED, UNITS, quantities
from .reading import LONGEST, keys, read
from .yes_no import NO, YES

_EMPTY = frozenset("none nothing empty blank clear unset default defaults all every everything both".split())
_SAID = frozenset({"word", "mark", "ordinal"})  # other parts are numbers, days, addresses ...
_ON_OFF = YES | NO | frozenset("not don't dont never without with off on".split())
_DAYS = frozenset(
    "today tomorrow yesterday tonight week weekend month year noon midnight day hour monday tuesday "
    "wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)
_TALK = frozenset(
    "hello hi hey hiya good great nice cool fine morning afternoon evening night day thanks thank you thx "
    "cheers bye goodbye ok okay please there again so very much many well welcome how are".split()
)
_PLAIN = frozenset({*NUMBERS, *TIMES, "bool", "choice", "choices", "secret", "upload", "url", "email"})
_NUMBERS = SPELLED - {"a", "and", "point"}


def may_hold(fields: Sequence[Field], words: str, offered: Mapping[str, Sequence[Any]] | None = None) -> bool:
    """Whether one of the fields could be meant by the words: far more than `find` takes for a value.

    Small talk holds none, nor does a question without a number, an option or a field's name in it.
    """
    if len(words) > LONGEST:
        return True
    options = [found for f in fields if (found := options_of(f, (offered or {}).get(f.name)))]
    own = {word for field in fields for word in words_of(field)}
    kinds = {field.kind for field in fields}
    free = any(not options_of(f, (offered or {}).get(f.name)) for f in fields if f.kind not in _PLAIN)
    for text, _, asks in split(words, labels_of(fields)):
        parts = read(text)
        said = {part.text for part in parts} | {part.key for part in parts}
        if quantities([p for p in parts if p.text not in ("a", "an")]) or said & (_NUMBERS | _EMPTY):
            return True
        if any(part.kind not in _SAID for part in parts) or ("bool" in kinds and said & _ON_OFF):
            return True
        if said & UNITS.keys() or (kinds & {*TIMES} and said & _DAYS):
            return True
        if any(mentions(parts, each) or ordinals(parts, len(each)) for each in options):
            return True
        if not asks and (said & own or (free and _tells(text))):
            return True
    return False


def _tells(text: str) -> bool:
    """Whether the words are more than small talk, so that they may be a text."""
    return bool(set(keys(text)) - _TALK)

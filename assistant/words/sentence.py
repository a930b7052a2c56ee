"""One sentence, with all that is needed to tell which values it says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from .clauses import CORRECTS, clause, hedged, negated
from .labels import Names
from .options import Options
from .quantities import Quantity, single
from .reading import Part, phrase_at, read

FILLER = frozenset(
    "please ok okay well so hmm i i'd i'll we we'll we'd want "
    "would like the a an it to be is that just only and or "
    "let's make set use take choose pick select go with for then now one no nope not yes sorry actually "
    "meant mean rather instead of thanks , . ! : = my by option value in say about exactly here you can "
    "could have give me number them all both but except also too add oops wait everything none "
    "nothing us better after plus also additionally back".split()
)


@dataclass(frozen=True)
class Found:
    """A value that was said plainly: `raw` goes to the judge, `span` is where it stands in the words.

    `why` is label, unit, option, kind (the only field that takes such a value), bare (the whole message) or
    moved ("2 more" of the number that was spoken of last).
    """

    name: str
    raw: Any
    span: tuple[int, int]
    why: str


@dataclass(frozen=True)
class Sentence:
    """A sentence that begins at `start` of the words, and the fields that it may speak of.

    `names` are the fields to find values for, `foreign` others that may be meant instead; `options` are
    those of each field, none where it has none; `recent` is the list or number that was
    changed last.
    """

    parts: list[Part]
    text: str
    start: int
    names: list[Names]
    foreign: list[Names]
    options: Mapping[str, Options]
    expecting: str | None
    values: Mapping[str, Any]
    today: date
    recent: str | None = None

    @cached_property
    def quantities(self) -> list[Quantity]:
        return single(self.parts)

    @cached_property
    def texts(self) -> list[str]:
        return [part.text for part in self.parts]

    @cached_property
    def hedged(self) -> bool:
        return hedged(self.parts)

    def found(self, name: str, raw: Any, first: int, last: int, why: str) -> Found:
        """The value that stands in parts[first:last]."""
        span = (self.start + self.parts[first].start, self.start + self.parts[last - 1].end)
        return Found(name, raw, span, why)

    def places(self, item: Found) -> tuple[int, int]:
        """Which parts the value stands in, with its label before it."""
        first, last = (at - self.start for at in item.span)
        inside = [i for i, part in enumerate(self.parts) if first <= part.start and part.end <= last]
        if not inside:
            return (0, 0)
        begin = inside[0]
        own = [names for names in self.names if names.field.name == item.name]
        while begin and (self.texts[begin - 1] in (":", "=", "is") or self.calls(own[0], [begin - 1])):
            begin -= 1
        return (begin, inside[-1] + 1)

    def bare(self, spans: Iterable[tuple[int, int]], also: frozenset[str] = frozenset()) -> bool:
        """Whether nothing but filler stands beside these spans."""
        inside = {i for first, last in spans for i in range(first, last)}
        return all(i in inside or text in FILLER | also for i, text in enumerate(self.texts))

    def out(self, at: int) -> bool:
        """Whether what stands at `at` is denied or in doubt."""
        first, last = clause(self.parts, at)
        return negated(self.parts, at) or hedged(self.parts[first:last])

    def calls(self, names: Names, span: Iterable[int] | None = None) -> bool:
        """Whether these parts (all, if not told) hold the field's name, its label or a word of them."""
        return any(
            self.parts[i].key in names.hints or any(phrase_at(self.parts, i, p) > 0 for p in names.phrases)
            for i in (range(len(self.parts)) if span is None else span)
            if 0 <= i < len(self.parts)
        )

    def taker(self, at: int, takers: Sequence[Names]) -> Names | None:
        """The field that the value at `at` is for: the only one, the one named before it, or expected."""
        if len(takers) == 1:
            return takers[0]
        near = [names for names in takers if self.calls(names, range(clause(self.parts, at)[0], at))]
        if len(near) == 1:
            return near[0]
        return next((n for n in takers if n.field.name == self.expecting and not near), None)

    def one_each(self, found: Sequence[Found]) -> list[Found]:
        """At most one value for each field."""
        names = dict.fromkeys(item.name for item in found)
        words = " " * self.start + self.text
        return [x for name in names for x in decide([item for item in found if item.name == name], words)]


def decide(items: list[Found], words: str) -> list[Found]:
    """Of values for one field: all the same, or the last one after a word such as "sorry"; else none."""
    if all(item.raw == items[0].raw for item in items):
        return items[:1]
    between = {part.text for part in read(words[items[-2].span[1] : items[-1].span[0]])}
    return items[-1:] if between & CORRECTS else []

"""What is looked for in all sessions: the words and the filters, and whether an entry fits them. Pure."""

from dataclasses import dataclass
from functools import cached_property

from ..log.lines import Entry
from .matching import bits, needles, size_for
from .texts import KINDS, Passage

SEARCHED = frozenset(did for dids in KINDS.values() for did in dids)


@dataclass(frozen=True)
class Query:
    """What is looked for. `words` are folded; a filter that is "" lets all through. Days are of UTC.

    `model`: what it said, and what was said to it or set in the same turn; the name's beginning will do.
    """

    words: tuple[str, ...]
    workflow: str = ""
    by: str = ""
    model: str = ""
    what: str = ""
    since: str = ""
    until: str = ""
    session: str = ""

    @cached_property
    def needles(self) -> tuple[bytes, ...]:
        return needles(self.words)

    @cached_property
    def size(self) -> int:
        return size_for(self.needles)

    @cached_property
    def bits(self) -> tuple[int, ...]:
        return bits(self.needles, self.size)


def is_wanted(by: bytes, did: bytes, query: Query) -> bool:
    """Whether such an entry may have what is looked for; that of a default is by whoever took it."""
    return query.by in ("", "default", by.decode()) and did.decode() in KINDS.get(query.what, SEARCHED)


def in_dates(entry: Entry, query: Query) -> bool:
    """Whether it is of one of the days."""
    day = entry.at[:10]
    return not (query.since and day < query.since) and not (query.until and day > query.until)


def is_of(entry: Entry, model: str, turns: set[str]) -> bool:
    """Whether the model said it, or it belongs to one of these turns, which the model answered."""
    by = str(entry.get("model") or "").casefold()
    return by.startswith(model.casefold()) or (entry.get("turn") is not None and str(entry["turn"]) in turns)


def matched(found: list[Passage], query: Query) -> tuple[Passage, ...]:
    """Those that hold some of the words, if all words are in one or another; else none."""
    kept = [each for each in found if query.by in ("", each.by) and query.what in ("", each.kind)]
    texts = [each.all.casefold() for each in kept]
    if not all(any(word in text for text in texts) for word in query.words):
        return ()
    found_in = zip(kept, texts, strict=True)
    return tuple(each for each, text in found_in if any(word in text for word in query.words))

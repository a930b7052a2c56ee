"""Search over all sessions: the entries that hold all the words, the last changed sessions first.

    marks of all logs ─▶ sieve: may it hold them? ─▶ the log's bytes ─▶ lines that hold them ─▶ their entries

Only lines that may hold all the words are decoded, and only their human text counts. What is kept of a log is
its sieve and a few facts, in memory, as long as its file is the same; never its text. Nothing is on disk.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from zlib import crc32

from ..disk import read_file
from ..errors import AssistantError
from ..log.lines import Entry, decode
from ..session import fold
from ..workspace.summaries import Mark, marks_of, name_of
from .matching import bits, bodies, fold_bytes, fold_text, may_hold, needles, places, sieves, size_for
from .texts import KINDS, Passage, passages

SESSIONS = 20  # of one page
HITS = 4  # shown of a session
ALL = 200  # shown of it where only one session is searched
COUNTED = 40  # hits of a session are counted so far
LEARN_SECONDS = 1.0  # of one search; what is left then is for `learn` or the next ones
NOTE_BYTES = 2**20  # a note of a run that is longer is not searched
MISSES = 32  # searches that are remembered to find nothing in a session
SEARCHED = frozenset(did for dids in KINDS.values() for did in dids)
_HEAD = re.compile(rb'"by":"(\w+)","did":"(\w+)"')
_CRC = len(',"crc":"01234567"}')
_BULK = tuple(f'"did":"{did}"'.encode() for did in ("said", "called", "progressed", "helped"))


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


@dataclass(frozen=True)
class Hit:
    """An entry that was found, and where in it."""

    n: int
    at: str
    passages: tuple[Passage, ...]
    model: str = ""
    undone: bool = False


@dataclass(frozen=True)
class Headline:
    """What is said of a session above its hits. `good`: how many entries there are before any damage."""

    sid: str
    name: str
    title: str
    workflow: str
    changed: str
    archived: bool
    good: int
    damaged: bool
    undone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Group:
    """A session with hits, the newest first, and how many more there are; `open_ended`: at least so many."""

    headline: Headline
    hits: tuple[Hit, ...]
    more: int = 0
    open_ended: bool = False


@dataclass(frozen=True)
class Page:
    """What was found. `older` is where the search goes on, None at its end."""

    groups: tuple[Group, ...] = ()
    older: str | None = None


@dataclass
class _Known:
    """What is kept of a log as long as its mark is the same."""

    mark: Mark
    workflow: str
    title: str
    first: str
    last: str
    heads: frozenset[tuple[bytes, bytes]] | None = None  # who did what, once that was asked for
    sieves: dict[int, tuple[bytes, ...]] = field(default_factory=dict)  # by the size of their groups
    headline: Headline | None = None
    misses: set[Query] = field(default_factory=set)

    def may_hold(self, query: Query) -> bool:
        if query in self.misses or (query.workflow and query.workflow != self.workflow):
            return False
        if (query.since and self.last[:10] < query.since) or (query.until and self.first[:10] > query.until):
            return False
        if self.heads and not any(_is_wanted(by, did, query) for by, did in self.heads):
            return False
        made = self.sieves.get(query.size)
        return made is None or may_hold(made, query.bits)


@dataclass(frozen=True)
class _Text:
    """A log as it was read, and what of each of its lines may hold text, folded."""

    data: bytes
    folded: bytes
    notes: dict[int, str]  # what the notes among its results say, by the place of their line

    @cached_property
    def lines(self) -> list[bytes]:
        return self.data.split(b"\n")


class Search:
    """Searches one workspace's sessions; not for two threads at once (a class: it remembers sieves)."""

    def __init__(self, conversations: Path) -> None:
        self.conversations = conversations
        self.behind = False  # whether there are sessions that it has not learned
        self._known: dict[str, _Known] = {}

    def find(self, query: Query, after: str = "", stop: Callable[[], bool] = lambda: False) -> Page:
        """A page of what is found, from `older` of the page before on. Blocks; ends early once `stop()`."""
        marks = marks_of(self.conversations)
        end, first = time.monotonic() + LEARN_SECONDS, not self._known
        for sid in self._known.keys() - marks.keys():
            del self._known[sid]
        groups: list[Group] = []
        older, last = None, ""
        for sid, mark in marks.items():
            place, learn = f"{mark[0]:020}-{sid}", time.monotonic() < end
            if stop() or not query.words:
                break
            if query.session not in ("", sid) or (after and place >= after):
                continue
            if len(groups) < SESSIONS:
                if group := self._look(sid, mark, query, learn):
                    groups.append(group)
                    last = place
            elif older is None:
                older = last if self._look(sid, mark, query, learn, 1) else None
            elif learn and first:
                self._learn(sid, mark)
            else:
                break
        self.behind = any(self._known_as(sid, mark) is None for sid, mark in marks.items())
        return Page(tuple(groups), older)

    def learn(self, stop: Callable[[], bool]) -> None:
        """Reads what no search has read yet, so that the next ones are quick. Blocks, until `stop()`."""
        for sid, mark in marks_of(self.conversations).items():
            if stop():
                return
            self._learn(sid, mark)

    def workflows(self) -> dict[str, str]:
        """The titles of the workflows of the sessions that were read, by their stem."""
        return {known.workflow: known.title for known in list(self._known.values()) if known.workflow}

    def memory(self) -> int:
        """The bytes of all sieves."""
        return sum(
            len(each) for known in self._known.values() for made in known.sieves.values() for each in made
        )

    def _look(self, sid: str, mark: Mark, query: Query, learn: bool, most: int = COUNTED) -> Group | None:
        """The session's hits; None where there are none, or it can not be read."""
        known = self._known_as(sid, mark)
        if known and not known.may_hold(query):
            return None
        data = self._read(sid)
        if not data or not (known or learn or _may_hold(data, query)):
            return None
        text = self._text(sid, data)
        known = known or self._keep(sid, mark, text)
        if known.heads is None and (query.by or query.what):
            known.heads = _heads(data)
        if query.size and query.size not in known.sieves:
            known.sieves[query.size] = sieves(text.folded, query.size)
        most = ALL + 1 if query.session else most
        hits = self._hits(sid, known, text, query, most) if known.may_hold(query) else []
        if not hits:
            if len(known.misses) >= MISSES:
                known.misses.clear()
            known.misses.add(query)
            return None
        shown = ALL if query.session else HITS
        headline = self._headline(sid, known, text)
        marked = tuple(replace(hit, undone=hit.n in headline.undone) for hit in hits[:shown])
        return Group(headline, marked, len(hits) - len(marked), len(hits) >= most)

    def _hits(self, sid: str, known: _Known, text: _Text, query: Query, most: int) -> list[Hit]:
        found: list[Hit] = []
        turns = _turns_of(query.model, text) if query.model else set()
        for place in places(query.needles, text.folded):
            entry = _entry(text.lines[place], place)
            if entry is None or not _in_dates(entry, query):
                continue
            if query.model and not _is_of(entry, query.model, turns):
                continue
            matched = _matched(passages(entry, text.notes.get(place, "")), query)
            if not matched or place >= self._headline(sid, known, text).good:
                continue
            found.append(Hit(entry.n, entry.at, matched, str(entry.get("model") or "")))
            if len(found) >= most:
                break
        return found

    def _known_as(self, sid: str, mark: Mark) -> _Known | None:
        known = self._known.get(sid)
        return known if known and known.mark == mark else None

    def _learn(self, sid: str, mark: Mark) -> None:
        if not self._known_as(sid, mark) and (data := self._read(sid)):
            self._keep(sid, mark, self._text(sid, data))

    def _read(self, sid: str) -> bytes:
        try:
            return read_file(self.conversations / sid / "log.jsonl")[0]
        except AssistantError:  # deleted meanwhile, or not ours to read
            return b""

    def _text(self, sid: str, data: bytes) -> _Text:
        folded, notes = bodies(data), dict[int, str]()
        if b'"kind":"note"' in folded:
            notes = _notes(self.conversations / sid / "files", data.split(b"\n"))
            lines = folded.split(b"\n")
            for place, note in notes.items():
                lines[place] += b" " + fold_text(note)
            folded = b"\n".join(lines)
        return _Text(data, folded, notes)

    def _keep(self, sid: str, mark: Mark, text: _Text) -> _Known:
        data = text.data
        first = _entry(data[: data.find(b"\n")], 0)
        began = first.fields if first and first.did == "began" else {}
        last = _entry(data[data.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\n"))
        workflow = str(began.get("workflow") or "")
        made = self._known[sid] = _Known(
            mark, workflow, str(began.get("title") or workflow), first.at if first else "",
            last.at if last else "9", sieves={4: sieves(text.folded, 4)},
        )  # fmt: skip
        return made

    def _headline(self, sid: str, known: _Known, text: _Text) -> Headline:
        if known.headline is None:
            known.headline = _headline(sid, known, text.lines)
        return known.headline


def _headline(sid: str, known: _Known, lines: list[bytes]) -> Headline:
    """Folds what a name and what is undone depend on: all lines but the many of the chat."""
    good = next((place for place, line in enumerate(lines) if not _is_whole(line)), len(lines))
    bulk = (_entry(line, place) for place, line in enumerate(lines[:good]) if not _is_bulk(line))
    session = fold(entry for entry in bulk if entry)
    changed = _entry(lines[good - 1]) if good else None
    name = session.name or name_of(session) or sid
    damaged = good < len(lines) - 1  # what stands behind the last newline was never acknowledged
    return Headline(
        sid, name, known.title, known.workflow, changed.at if changed else known.last, session.archived,
        good, damaged, session.undone,
    )  # fmt: skip


def _is_bulk(line: bytes) -> bool:
    return any(line.find(did, 0, 100) >= 0 for did in _BULK)


def _is_whole(line: bytes) -> bool:
    return line[-10:-2] == b"%08x" % crc32(line[:-_CRC])


def _entry(line: bytes, place: int | None = None) -> Entry | None:
    """The entry of a good line; None also where it is not the one that is due at this place."""
    try:
        entry = decode(line)
    except ValueError:
        return None
    return entry if place is None or entry.n == place + 1 else None


def _may_hold(data: bytes, query: Query) -> bool:
    """Whether a log that was not learned may hold all the words; a note may be in a file."""
    folded = fold_bytes(data)
    return b'"kind":"note"' in data or all(needle in folded for needle in query.needles)


def _heads(data: bytes) -> frozenset[tuple[bytes, bytes]]:
    """Who did what in a log; empty if a line does not say it in the way that ours do."""
    found = _HEAD.findall(data)
    return frozenset(found if len(found) >= data.count(b"\n") else ())


def _is_wanted(by: bytes, did: bytes, query: Query) -> bool:
    """Whether such an entry may have what is looked for; that of a default is by whoever took it."""
    return query.by in ("", "default", by.decode()) and did.decode() in KINDS.get(query.what, SEARCHED)


def _notes(files: Path, lines: list[bytes]) -> dict[int, str]:
    """What the files say that a run gave back as notes, by the place of their line."""
    found = {}
    for place, line in enumerate(lines):
        if b'"kind":"note"' not in line or not (entry := _entry(line, place)) or entry.did != "produced":
            continue
        path = files / str(entry.get("file"))
        try:
            if path.parent == files and path.stat().st_size <= NOTE_BYTES:
                found[place] = read_file(path)[0].decode("utf-8", "replace")
        except (AssistantError, OSError, ValueError):  # deleted by hand, or a name that is none
            continue
    return found


def _in_dates(entry: Entry, query: Query) -> bool:
    day = entry.at[:10]
    return not (query.since and day < query.since) and not (query.until and day > query.until)


def _turns_of(model: str, text: _Text) -> set[str]:
    """The turns that the model answered."""
    said = (_entry(text.lines[n], n) for n in places([b'"model":"' + fold_text(model)], text.folded))
    return {str(entry["turn"]) for entry in said if entry and entry.get("turn")}


def _is_of(entry: Entry, model: str, turns: set[str]) -> bool:
    by = str(entry.get("model") or "").casefold()
    return by.startswith(model.casefold()) or (entry.get("turn") is not None and str(entry["turn"]) in turns)


def _matched(found: list[Passage], query: Query) -> tuple[Passage, ...]:
    """Those that hold some of the words, if all words are in one or another; else none."""
    kept = [each for each in found if query.by in ("", each.by) and query.what in ("", each.kind)]
    texts = [each.all.casefold() for each in kept]
    if not all(any(word in text for text in texts) for word in query.words):
        return ()
    found_in = zip(kept, texts, strict=True)
    return tuple(each for each, text in found_in if any(word in text for word in query.words))

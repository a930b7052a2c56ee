"""Search over all sessions: the entries that hold all the words, the last changed sessions first.

    marks of all logs ─▶ sieve: may it hold them? ─▶ the log's bytes ─▶ lines that hold them ─▶ their entries

Only lines that may hold all the words are decoded, and only their human text counts. What is kept of a log is
its sieve and a few facts, in memory, as long as its file is the same; never its text. Nothing is on disk.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..disk import read_file
from ..errors import AssistantError
from ..workspace.summaries import Mark, marks_of, name_of
from .found import Group, Headline, Hit, Page
from .logs import Text, entry_of, folded_to, heads_of, may_hold, read_text, turns_of
from .matching import may_hold as sieved
from .matching import places, sieves
from .query import Query, in_dates, is_of, is_wanted, matched
from .texts import passages

__all__ = ["Group", "Headline", "Hit", "Page", "Query", "Search"]
SESSIONS = 20  # of one page
HITS = 4  # shown of a session
ALL = 200  # shown of it where only one session is searched
COUNTED = 40  # hits of a session are counted so far
LEARN_SECONDS = 1.0  # of one search; what is left then is for `learn` or the next ones
MISSES = 32  # searches that are remembered to find nothing in a session


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
        if self.heads and not any(is_wanted(by, did, query) for by, did in self.heads):
            return False
        made = self.sieves.get(query.size)
        return made is None or sieved(made, query.bits)


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
        if not data or not (known or learn or may_hold(data, query.needles)):
            return None
        text = read_text(self.conversations / sid, data)
        known = known or self._keep(sid, mark, text)
        if known.heads is None and (query.by or query.what):
            known.heads = heads_of(data)
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

    def _hits(self, sid: str, known: _Known, text: Text, query: Query, most: int) -> list[Hit]:
        found: list[Hit] = []
        turns = turns_of(query.model, text) if query.model else set()
        for place in places(query.needles, text.folded):
            entry = entry_of(text.lines[place], place)
            if entry is None or not in_dates(entry, query):
                continue
            if query.model and not is_of(entry, query.model, turns):
                continue
            found_in = matched(passages(entry, text.notes.get(place, "")), query)
            if not found_in or place >= self._headline(sid, known, text).good:
                continue
            found.append(Hit(entry.n, entry.at, found_in, str(entry.get("model") or "")))
            if len(found) >= most:
                break
        return found

    def _known_as(self, sid: str, mark: Mark) -> _Known | None:
        known = self._known.get(sid)
        return known if known and known.mark == mark else None

    def _learn(self, sid: str, mark: Mark) -> None:
        if not self._known_as(sid, mark) and (data := self._read(sid)):
            self._keep(sid, mark, read_text(self.conversations / sid, data))

    def _read(self, sid: str) -> bytes:
        try:
            return read_file(self.conversations / sid / "log.jsonl")[0]
        except AssistantError:  # deleted meanwhile, or not ours to read
            return b""

    def _keep(self, sid: str, mark: Mark, text: Text) -> _Known:
        data = text.data
        first = entry_of(data[: data.find(b"\n")], 0)
        began = first.fields if first and first.did == "began" else {}
        last = entry_of(data[data.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\n"))
        workflow = str(began.get("workflow") or "")
        made = self._known[sid] = _Known(
            mark, workflow, str(began.get("title") or workflow), first.at if first else "",
            last.at if last else "9", sieves={4: sieves(text.folded, 4)},
        )  # fmt: skip
        return made

    def _headline(self, sid: str, known: _Known, text: Text) -> Headline:
        if known.headline is None:
            known.headline = _headline(sid, known, text.lines)
        return known.headline


def _headline(sid: str, known: _Known, lines: list[bytes]) -> Headline:
    session, good = folded_to(lines)
    changed = entry_of(lines[good - 1]) if good else None
    name = session.name or name_of(session) or sid
    damaged = good < len(lines) - 1  # what stands behind the last newline was never acknowledged
    return Headline(
        sid, name, known.title, known.workflow, changed.at if changed else known.last, session.archived,
        good, damaged, session.undone,
    )  # fmt: skip

"""The lines of all sessions, kept as long as their logs are the same.

With a thousand sessions of a thousand lines, a page glances at all and reads as a whole only those it shows.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import AssistantError
from ..log import read
from ..session import Session, fold
from ..workflow import Workflow
from .summaries import Mark, Summary, glance, mark_of, marks_of, size_of, summarise

AT_ONCE = 50  # logs that are looked at before others get their turn


class Summaries:
    """The lines of all sessions (a class: what was read stays in memory, but no session is kept open)."""

    def __init__(
        self,
        conversations: Path,
        find: Callable[[str], Workflow | None],
        opened: Callable[[str], Session | None],
    ) -> None:
        """`find` gives a workflow by its stem, `opened` the state of a session that is open anyway."""
        self.conversations, self._find, self._opened = conversations, find, opened
        self._known: dict[str, tuple[Mark, Summary]] = {}
        self._flows: dict[str, Workflow | None] = {}
        self._due: dict[str, asyncio.Future[None]] = {}  # sessions to be read
        self._reader: asyncio.Task[None] | None = None

    def glances(self) -> list[Summary]:
        """A line of each session, the last changed first: whole where it has been read, else a glance."""
        marks = self._look()
        found = [self._known_or(sid, mark, self._glance) for sid, mark in marks.items()]
        return [summary for summary in found if summary]

    async def look(self) -> list[Summary]:
        """As `glances`; lets others go on meanwhile, as the first look at a thousand logs takes a while."""
        for count, (sid, mark) in enumerate(self._look().items()):
            self._known_or(sid, mark, self._glance)
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
        return self.glances()

    def wholes(self) -> list[Summary]:
        """A whole line of each session, the last changed first. Blocks as long as it takes to read all."""
        marks = self._look()
        found = [self._known_or(sid, mark, self._whole) for sid, mark in marks.items()]
        return [summary for summary in found if summary]

    async def read(self, sids: Sequence[str], seconds: float) -> None:
        """Reads these in the background, so that `glances` has their whole lines; waits at most `seconds`."""
        make = asyncio.get_running_loop().create_future
        asked = {sid: self._due.get(sid) or make() for sid in sids if not self._is_whole(sid)}
        if not asked:
            return
        self._due = asked | {sid: done for sid, done in self._due.items() if sid not in asked}
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_due())
        await asyncio.wait(asked.values(), timeout=seconds)

    async def _read_due(self) -> None:
        """In a thread, one after the other; what was asked for last comes first."""
        while self._due:
            sid = next(iter(self._due))
            path = self.conversations / sid / "log.jsonl"
            try:
                mark = mark_of(path)
                session = self._opened(sid) or await asyncio.to_thread(_read, path)
                if session:
                    self._keep(sid, mark, session)
            except (OSError, AssistantError):  # deleted meanwhile
                pass
            self._due.pop(sid).set_result(None)

    async def close(self) -> None:
        """Ends what is being read."""
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _is_whole(self, sid: str) -> bool:
        return sid in self._known and self._known[sid][1].whole

    def _look(self) -> dict[str, Mark]:
        """The marks of all; forgets the sessions that are gone and those whose workflow has changed."""
        marks = marks_of(self.conversations)
        stems = {summary.workflow for _, summary in self._known.values()}
        flows = {stem: self._find(stem) for stem in stems}
        changed = {stem for stem in stems if stem in self._flows and flows[stem] is not self._flows[stem]}
        self._flows = flows
        for sid, (_, summary) in list(self._known.items()):
            if sid not in marks or (summary.whole and summary.workflow in changed):
                del self._known[sid]
        return marks

    def _known_or(self, sid: str, mark: Mark, make: Callable[[str, Mark], Summary | None]) -> Summary | None:
        known = self._known.get(sid)
        if known and known[0] == mark and (known[1].whole or make == self._glance):
            return known[1]
        try:
            return make(sid, mark)
        except (OSError, AssistantError):  # deleted meanwhile, or not ours to read
            return None

    def _glance(self, sid: str, mark: Mark) -> Summary | None:
        if session := self._opened(sid):
            return self._keep(sid, mark, session)
        summary = glance(self.conversations / sid)
        if summary:
            self._known[sid] = (mark, summary)
        return summary

    def _whole(self, sid: str, mark: Mark) -> Summary | None:
        session = self._opened(sid) or _read(self.conversations / sid / "log.jsonl")
        return self._keep(sid, mark, session) if session else None

    def _keep(self, sid: str, mark: Mark, session: Session) -> Summary:
        if session.workflow not in self._flows:
            self._flows[session.workflow] = self._find(session.workflow)
        flow = self._flows[session.workflow]
        summary = summarise(sid, session, flow, size_of(self.conversations / sid))
        self._known[sid] = (mark, summary)
        return summary


def _read(path: Path) -> Session | None:
    """The session of a log; None where its first line was never acknowledged."""
    entries, damage = read(path)
    return fold(entries) if entries or damage else None

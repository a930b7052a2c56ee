"""The lines of all sessions, kept as long as their logs are the same.

With a thousand sessions of a thousand lines, a page glances at all and reads as a whole only those it shows.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import AssistantError
from ..session import Session
from ..workflow import Workflow
from .kept import Kept, state_in
from .summaries import Mark, Summary, glance, mark_of, marks_of, size_of, summarise

RECENT = 1.0  # seconds
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
        self._known = Kept[Summary]()
        self._flows: dict[str, Workflow | None] = {}
        self._due: dict[str, asyncio.Future[None]] = {}  # sessions to be read
        self._reader: asyncio.Task[None] | None = None
        self._recent: list[Summary] = []
        self._looked = -RECENT  # when that was

    def glances(self) -> list[Summary]:
        """A line of each session, the last changed first: whole where it has been read, else a glance."""
        marks = self._look()
        found = [self._known_or(sid, mark, self._glance) for sid, mark in marks.items()]
        return [summary for summary in found if summary]

    def recent(self, sid: str) -> list[Summary]:
        """As `glances`, but all except this session's line may be a moment old: so it costs one look."""
        now = time.monotonic()
        if now - self._looked > RECENT:
            self._recent, self._looked = self.glances(), now
        try:
            own = self._known_or(sid, mark_of(self.conversations / sid / "log.jsonl"), self._glance)
        except OSError:  # deleted meanwhile
            own = None
        if own and all(own is not summary for summary in self._recent):
            self._recent = [own, *(summary for summary in self._recent if summary.sid != sid)]
        return self._recent

    async def look(self) -> list[Summary]:
        """As `glances`; lets others go on meanwhile, as the first look at a thousand logs takes a while."""
        found = []
        for count, (sid, mark) in enumerate(self._look().items(), 1):
            found.append(self._known_or(sid, mark, self._glance))
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
        return [summary for summary in found if summary]

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
            try:
                mark = mark_of(self.conversations / sid / "log.jsonl")
                session = self._opened(sid)
                summary = self._summary(sid, session) if session else await asyncio.to_thread(self._read, sid)
                self._keep(sid, mark, summary)
            except (OSError, AssistantError):  # deleted meanwhile
                pass
            self._due.pop(sid).set_result(None)

    async def close(self) -> None:
        """Ends what is being read."""
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _is_whole(self, sid: str) -> bool:
        known = self._known.find(sid)
        return known is not None and known.whole

    def _look(self) -> dict[str, Mark]:
        """The marks of all; forgets the sessions that are gone and those whose workflow has changed."""
        marks = marks_of(self.conversations)
        every = self._known.all()
        stems = {summary.workflow for _, summary in every.values()}
        flows = {stem: self._find(stem) for stem in stems}
        changed = {stem for stem in stems if stem in self._flows and flows[stem] is not self._flows[stem]}
        self._flows = flows
        self._known.drop(
            sid
            for sid, (_, summary) in every.items()
            if sid not in marks or (summary.whole and summary.workflow in changed)
        )
        return marks

    def _known_or(self, sid: str, mark: Mark, make: Callable[[str, Mark], Summary | None]) -> Summary | None:
        known = self._known.find(sid, mark)
        if known and (known.whole or make == self._glance):
            return known
        try:
            return make(sid, mark)
        except (OSError, AssistantError):  # deleted meanwhile, or not ours to read
            return None

    def _glance(self, sid: str, mark: Mark) -> Summary | None:
        session = self._opened(sid)
        return self._keep(sid, mark, self._summary(sid, session) if session else glance(self._folder(sid)))

    def _whole(self, sid: str, mark: Mark) -> Summary | None:
        session = self._opened(sid)
        return self._keep(sid, mark, self._summary(sid, session) if session else self._read(sid))

    def _keep(self, sid: str, mark: Mark, summary: Summary | None) -> Summary | None:
        if summary:
            self._known.keep(sid, mark, summary)
        return summary

    def _read(self, sid: str) -> Summary | None:
        """The line of a session that is not open; None where its first line was never acknowledged."""
        session = state_in(self._folder(sid))
        return self._summary(sid, session) if session else None

    def _summary(self, sid: str, session: Session) -> Summary:
        flows, stem = self._flows, session.workflow
        if stem not in flows:
            flows[stem] = self._find(stem)
        return summarise(sid, session, flows[stem], size_of(self._folder(sid)))

    def _folder(self, sid: str) -> Path:
        return self.conversations / sid

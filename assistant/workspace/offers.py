"""The values that sessions offer to others, kept as long as their logs are the same.

The logs themselves are not kept: of each session its name, and what somebody gave. Secrets and files stay
where they are; whether they are there still is for those to ask who take them.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import AssistantError
from ..session import Session
from .kept import Kept, state_in
from .summaries import Mark, marks_of, name_of

ROOM = 4_000_000  # bytes of all values
AROUND = 500  # bytes of what is kept beside a value


@dataclass(frozen=True, slots=True)
class Taken:
    """A value of an earlier session as JSON, with the entry that set it, and who did; a file's checksum."""

    sid: str
    n: int
    at: str
    value: Any
    by: str
    sha256: str = ""

    @property
    def source(self) -> dict[str, Any]:
        return {"session": self.sid, "n": self.n}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one session has. `size`: about the bytes that it takes."""

    sid: str
    name: str
    given: Mapping[str, Taken]
    size: int


class Offers:
    """What the last changed sessions offer (a class: it stays in memory, as far as there is room)."""

    def __init__(self, conversations: Path, opened: Callable[[str], Session | None]) -> None:
        """`opened` gives the state of a session that is open anyway."""
        self.conversations, self._opened = conversations, opened
        self.kept = Kept[Offer](lambda offer: offer.size, ROOM)

    def look(self, most: int) -> dict[str, Mark]:
        """The marks of the last changed sessions; forgets what was made of others, or of older logs."""
        marks = dict(islice(marks_of(self.conversations).items(), most))
        self.kept.drop(sid for sid, (mark, _) in self.kept.all().items() if marks.get(sid) != mark)
        return marks

    async def find(self, sid: str, mark: Mark) -> Offer | None:
        """What the session offers; None where it was deleted meanwhile, or can not be read."""
        if known := self.kept.find(sid, mark):
            return known
        try:
            session = self._opened(sid) or await asyncio.to_thread(state_in, self.conversations / sid)
        except (OSError, AssistantError):
            return None
        if session is None:
            return None
        made = offer_of(sid, session)
        self.kept.keep(sid, mark, made)
        return made


def offer_of(sid: str, session: Session) -> Offer:
    """What the session offers now."""
    found = given(sid, session)
    size = sum(len(json.dumps(taken.value)) + AROUND for taken in found.values()) + AROUND
    return Offer(sid, session.name or name_of(session), found, size)


def given(sid: str, session: Session) -> dict[str, Taken]:
    """The values that somebody gave: not what the workflow derived, nor what a skipped card became."""
    found = {}
    for name, value in session.values.items():
        change = session.setting(name)
        line = session.lines.get(change.n) if change else None
        if change and line and line.by != "workflow":
            found[name] = Taken(sid, change.n, line.at, value, change.by, _checksum(value, session))
    return found


def _checksum(value: Any, session: Session) -> str:
    """That of a file which was uploaded; "" of anything else."""
    file = value.get("file") if isinstance(value, dict) else None
    entry = session.files.get(file) if isinstance(file, str) else None
    return str(entry.get("sha256") or "") if entry else ""

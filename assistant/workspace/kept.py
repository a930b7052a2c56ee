"""What was made of the sessions' logs, each kept as long as its log has the same mark."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from ..collector import paused
from ..log import read
from ..session import Session, fold
from .summaries import Mark

T = TypeVar("T")


class Kept(Generic[T]):
    """By session, with the mark that its log had before it was read (a class: it is what stays in memory).

    `size` tells how much of the `room` one takes. What finds no room is not kept; nothing else goes for it.
    """

    def __init__(self, size: Callable[[T], int] = lambda made: 0, room: int = 0) -> None:
        self._size, self.room = size, room
        self._known: dict[str, tuple[Mark, T]] = {}

    def find(self, sid: str, mark: Mark | None = None) -> T | None:
        """What was kept; with a mark, only what was made of the log as it is then."""
        known = self._known.get(sid)
        return known[1] if known and mark in (None, known[0]) else None

    def keep(self, sid: str, mark: Mark, made: T) -> None:
        """Takes the place of what was kept of the session."""
        self.drop([sid])
        if (size := self._size(made)) <= self.room:
            self.room -= size
            self._known[sid] = (mark, made)

    def drop(self, sids: Iterable[str]) -> None:
        """Forgets these."""
        for sid in sids:
            if known := self._known.pop(sid, None):
                self.room += self._size(known[1])

    def all(self) -> dict[str, tuple[Mark, T]]:
        """All that there is."""
        return dict(self._known)


def state_in(folder: Path) -> Session | None:
    """The state of a session that is not open; None where its first line was never acknowledged.

    AssistantError: its log is not there, or can not be read.
    """
    with paused():
        entries, damage = read(folder / "log.jsonl")
        return fold(entries) if entries or damage else None

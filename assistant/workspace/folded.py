"""The state of a log that is open: folded on from what is known, as far as the log was read."""

from ..collector import spare_what_is_there
from ..log import Log
from ..session import Session, fold

LONG = 10_000  # entries that nobody should wait for again


class Folded:
    """A log, and its state (a class: what was folded must change with what was read)."""

    def __init__(self, log: Log) -> None:
        """`log` has just been read."""
        self._log, self._generation, self._now = log, log.generation, fold(log.entries)
        self._past = (log.generation, fold(()))  # as it was at the entry that was looked at last
        if len(log.entries) > LONG:
            spare_what_is_there()

    def now(self) -> Session:
        """The state as far as the log was read."""
        if self._generation != self._log.generation:
            self._generation, self._now = self._log.generation, fold(())
        known = self._now  # an export folds in a thread of its own
        if len(self._log.entries) > known.n:
            known = self._now = fold(self._log.entries[known.n :], known)
        return known

    def at(self, at: int) -> Session:
        """As it was at entry `at`: folded on from the moment before, where a replay goes to the next."""
        generation, known = self._past
        if generation != self._log.generation or known.n > at:
            generation, known = self._log.generation, fold(())
        if entries := self._log.entries[known.n : at]:
            known = fold(entries, known)
        self._past = (generation, known)
        return known

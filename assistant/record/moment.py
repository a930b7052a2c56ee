"""A moment of a session: one entry among all, and how long it was until the next ones. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..log import Entry


@dataclass(frozen=True)
class Moment:
    """Entry `n` of `last`, written `at`; then, `wait` milliseconds later, came all up to entry `next`.

    Entries of one write share their time, so a replay shows them at once. At the end `next` is `n`.
    """

    n: int
    last: int
    at: str
    next: int
    wait: int


def moment_of(entries: Sequence[Entry], n: int) -> Moment:
    """The moment of entry `n`, from 1; of an empty log it is 0."""
    last = len(entries)
    if not last:
        return Moment(0, 0, "", 0, 0)
    now, following = entries[n - 1].at, n
    while following < last and entries[following].at in (now, entries[min(n, last - 1)].at):
        following += 1
    return Moment(n, last, now, following, _between(now, entries[following - 1].at))


def _between(earlier: str, later: str) -> int:
    """Milliseconds; 0 where a time can not be read or runs backwards."""
    try:
        passed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (TypeError, ValueError):
        return 0
    return max(0, int(passed.total_seconds() * 1_000))

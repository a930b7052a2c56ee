"""Which sessions may go by the rule in the settings, and why. Off unless the settings say otherwise.

Never one that is pinned, one that runs, one that can not be read, or the one that was changed last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..settings import Retention
from .summaries import Summary

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Due:
    """A session that would go, and why, as the end of a sentence."""

    summary: Summary
    why: str


def is_on(rule: Retention) -> bool:
    return rule.days is not None or rule.megabytes is not None


def due(sessions: Sequence[Summary], rule: Retention, now: datetime) -> list[Due]:
    """The sessions that go by the rule, the oldest first. `sessions` are all, and whole."""
    oldest_first = sorted(sessions, key=lambda summary: (changed(summary), summary.sid))
    candidates = [s for s in oldest_first[:-1] if not s.pinned and s.stage not in ("running", "damaged")]
    found: list[Due] = []
    if rule.days is not None:
        limit = now - timedelta(days=min(rule.days, 36_500))
        for summary in candidates:
            if changed(summary) < limit:
                found.append(Due(summary, f"not changed for {(now - changed(summary)).days:,} days"))
    if rule.megabytes is not None:
        gone = {one.summary.sid for one in found}
        total = sum(summary.bytes for summary in sessions if summary.sid not in gone)
        for summary in candidates:
            if total <= rule.megabytes * MEGABYTE:
                break
            if summary.sid not in gone:
                found.append(Due(summary, f"one of the oldest beyond {rule.megabytes:,g} MB"))
                total -= summary.bytes
    return found


def changed(summary: Summary) -> datetime:
    """When the session was changed last; the beginning of time where its log says no time."""
    try:
        found = datetime.fromisoformat(summary.changed)
    except ValueError:  # another program's idea of a time
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def freed(found: Sequence[Due]) -> int:
    """The bytes that the sessions take."""
    return sum(one.summary.bytes for one in found)

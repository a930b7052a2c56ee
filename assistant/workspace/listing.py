"""The list of sessions: which of them are wanted, in which order, and one page of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .summaries import Summary

PAGE = 50  # sessions
RAIL = 30  # sessions beside an open one, and the pinned
STAGES = {
    "steps": "In its steps",
    "ready": "Ready to run",
    "running": "Running",
    "finished": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted",
}
SORTS = {"changed": "Last change", "name": "Name", "size": "Size"}


@dataclass(frozen=True)
class Wish:
    """What the list is to show; as it is: all that are not archived, the last changed first."""

    name: str = ""
    workflow: str = ""
    state: str = ""
    archived: bool = False
    sort: str = "changed"
    page: int = 1

    @property
    def whole(self) -> bool:
        """Whether this can be told only of sessions that were read as a whole."""
        return bool(self.name or self.state or self.sort == "name")

    @property
    def filtered(self) -> bool:
        return bool(self.name or self.workflow or self.state)


@dataclass(frozen=True)
class Listing:
    """One page of the list, and what there is in all. `unread`: sessions that were not read in time."""

    wish: Wish
    rows: tuple[Summary, ...] = ()
    found: int = 0  # that fit, on all pages
    bytes: int = 0  # of those
    current: int = 0  # that are not archived
    archived: int = 0
    stored: int = 0  # bytes of all, archived or not
    unread: int = 0

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PAGE))


def list_sessions(sessions: Sequence[Summary], wish: Wish) -> Listing:
    """The page that is wished for; `sessions` are all, the last changed first."""
    found = [summary for summary in sessions if _fits(summary, wish)]
    if wish.sort == "name":
        found.sort(key=lambda summary: summary.name.casefold())
    elif wish.sort == "size":
        found.sort(key=lambda summary: -summary.bytes)
    else:
        found.sort(key=lambda summary: not summary.pinned)
    archived = sum(summary.archived for summary in sessions)
    page = min(wish.page, max(1, -(-len(found) // PAGE)))
    rows = tuple(found[(page - 1) * PAGE : page * PAGE])
    return Listing(
        wish,
        rows,
        len(found),
        sum(summary.bytes for summary in found),
        len(sessions) - archived,
        archived,
        sum(summary.bytes for summary in sessions),
        sum(not summary.whole for summary in (sessions if wish.whole else rows)),
    )


def _fits(summary: Summary, wish: Wish) -> bool:
    if summary.archived != wish.archived or (wish.workflow and summary.workflow != wish.workflow):
        return False
    if wish.state and summary.stage != wish.state:
        return False
    return wish.name.casefold() in summary.name.casefold()


def rail_of(sessions: Sequence[Summary], current: str) -> list[Summary]:
    """The sessions beside an open one: the pinned, the last changed, and itself."""
    listed = [summary for summary in sessions if not summary.archived]
    newest = {summary.sid for summary in [s for s in listed if not s.pinned][:RAIL]}
    return [summary for summary in sessions if summary.sid == current or summary.sid in newest
            or (summary.pinned and not summary.archived)]  # fmt: skip

"""What a session is made of: a parameter's change, a line as undo sees it, a run. Values only."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a parameter. `kind`: set, cleared, or stale (out of the values, kept as a suggestion)."""

    n: int
    kind: str
    value: Any = None
    by: str = ""
    step: str | None = None
    turn: str | None = None
    why: str | None = None
    source: dict[str, Any] | None = None  # {session, n}: the earlier session's entry that gave it


@dataclass(frozen=True, slots=True)
class Line:
    """What undo needs of an entry: lines of one write share `at`."""

    n: int
    at: str
    by: str
    did: str
    step: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its state is running, finished, failed, cancelled or interrupted."""

    id: str
    n: int
    at: str
    state: str = "running"
    ended: int = 0
    reason: str | None = None
    done: float | None = None
    total: float | None = None
    note: str = ""
    seconds: float | None = None
    results: tuple[dict[str, Any], ...] = ()

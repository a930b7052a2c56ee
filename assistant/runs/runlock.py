"""The lock of a session's runs, and the runs that ended without a word.

A run's process holds the lock as long as it lives, and the program that started it until the run's end is
written. So a run without an end in the log, whose lock is free, is `interrupted`.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..log import Entry, Fact

ENDS = frozenset({"finished", "failed", "cancelled", "interrupted"})


async def take(path: Path) -> int | None:
    """The lock, as a descriptor; None if it is held. A second look, for `held` has it for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    for wait in (0.02, 0.05, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            await asyncio.sleep(wait)
    os.close(descriptor)
    return None


def held(lock: Path) -> bool:
    """Whether a living process holds the lock file of a run."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def unfinished(entries: Iterable[Entry]) -> list[str]:
    """The runs that were started and have no end in the log, in order."""
    runs: dict[str, None] = {}
    for entry in entries:
        if entry.did == "started":
            runs[str(entry.get("run"))] = None
        elif entry.did in ENDS:
            runs.pop(str(entry.get("run")), None)
    return list(runs)


def interrupted(entries: Sequence[Entry], lock: Path) -> list[Fact]:
    """The `interrupted` entries that a session lacks: its runs without an end, if nobody holds their lock."""
    runs = unfinished(entries)
    return [Fact("app", "interrupted", {"run": run}) for run in runs] if runs and not held(lock) else []

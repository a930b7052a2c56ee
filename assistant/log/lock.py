"""A lock file: one writer at a time, across threads of this program and others."""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ..disk import OPEN
from ..errors import WriteFailed

LOCK_SECONDS = 10.0  # as long as a writer waits for another program


class LockFile:
    """A lock on a file that is kept open (a class: its descriptor is the lock). One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_open(self) -> bool:
        return self._descriptor is not None

    def try_lock(self) -> bool:
        """Whether we have the lock now. OSError: the file can not be made or locked."""
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | OPEN, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if os.fstat(self._descriptor).st_nlink:
            return True
        self.close()  # the file was deleted: others may have a new one
        return False

    def unlock(self) -> None:
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def pauses(self) -> Iterator[float]:
        """Seconds before each next try, as flock has no deadline. WriteFailed: it is held for too long."""
        end = time.monotonic() + LOCK_SECONDS
        pause = 0.000_5
        while time.monotonic() < end:
            yield pause
            pause = min(2 * pause, 0.02)
        raise WriteFailed(
            f"Nothing was written: another program has held {self.path.name} for {LOCK_SECONDS:g} s. "
            "Try again."
        )

"""The append-only log of one session: the only module that writes a log.jsonl.

    lock (thread, flock) ─ read what is new ─ decide(entries) ─ mend a torn tail ─ os.write ─ unlock ─ fsync

The order of lines is fixed under the lock. The fsync comes after it, so that nobody waits for another's disk
and several who wait share one; each is answered only when its own lines are on disk. POSIX only: flock,
O_NOFOLLOW. What was taken out of entries is the one thing that changes lines that are there: `rewrite`.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.disk import OPEN, failure, keep_aside, look, make_folder, read_file, sync_folder
from assistant.errors import Conflict, ReadOnly, WriteFailed
from assistant.log.lines import Damage, Entry, Fact, decode, encode, is_newer, next_at, scan
from assistant.log.lock import LockFile
from assistant.log.reading import CHECKED, Reading
from assistant.log.rewrite import drop_part, drop_torn, replace_file

__all__ = ["Change", "Damage", "Decide", "Entry", "Fact", "Log", "create", "decode", "encode", "read"]

NAME = "log.jsonl"
LOCK = "log.lock"
_fsyncs = ThreadPoolExecutor(
    4, "fsync"
)  # not the loop's own threads, which a workflow's function may hold up

Decide = Callable[[list[Entry]], Sequence[Fact | Entry]]
"""Gets all entries (the log's own list: look, do not change), says what to write. It must not use the log."""
Change = Callable[[list[Entry]], tuple[Sequence[Entry], Sequence[Fact]]]
"""As `Decide`; says what stands in the place of the entries, and what is written behind them."""


class Log(Reading):
    """One session's log, kept open; for all threads and tasks of one process, not across a fork.

    A class because it holds what must live together: descriptors, the lock, and how far the file was read.
    """

    def __init__(self, folder: Path) -> None:
        """Read the log in `folder`. NotFound: there is none (or a link, or a folder, in its place)."""
        super().__init__(folder / NAME)
        self.folder = folder
        self._file: int | None = None
        self._inode = 0  # of that descriptor
        self._lock = LockFile(folder / LOCK)
        self._state = threading.Lock()  # around all above; held only for short
        self._written = 0  # writes that asked for an fsync
        self._synced = 0  # of those, how many are on disk
        self._failed = ""  # why this log takes no more writes until it is read again
        self._lost = range(0)  # writes whose fsync failed before it was read again
        self._disk = threading.Lock()  # around an fsync
        self._syncing: asyncio.Future[None] | None = None
        self.catch_up()

    def catch_up(self) -> list[Entry]:
        """Read what is new in the file and return it. Costs one stat when there is nothing."""
        with self._state:
            return self._catch_up()

    def append(self, decide: Decide) -> list[Entry]:
        """Write what `decide` says, as one action; returns the entries once they are on disk. Blocks."""
        for pause in self._lock.pauses():
            if self._try_lock():
                break
            time.sleep(pause)
        written, goal = self._write_locked(decide)
        self._sync(goal)
        return written

    async def write(self, decide: Decide) -> list[Entry]:
        """As `append`, in an event loop: `decide` runs in it, the fsync in a thread, one for all who wait."""
        for pause in self._lock.pauses():
            if self._try_lock():
                break
            await asyncio.sleep(pause)
        written, goal = self._write_locked(decide)
        while not self._is_synced(goal):
            loop, running = asyncio.get_running_loop(), self._syncing
            if running is None or running.done() or running.get_loop() is not loop:
                running = self._syncing = loop.run_in_executor(_fsyncs, self._sync, goal)
                running.add_done_callback(_heard)
            await asyncio.shield(running)  # one who is cancelled leaves it to the others
        return written

    def rewrite(self, change: Change) -> list[Entry]:
        """Put other entries in the place of those that there are, whole or not at all; blocks.

        `change` says them, each with the n, at, by and did that it had, and what is written behind them. With
        nothing to write nothing is changed. Returns what was written, once all of it is on disk.
        """
        for pause in self._lock.pauses():
            if self._try_lock():
                break
            time.sleep(pause)
        try:
            self._prepare()
            entries, facts = change(self.entries)
            return self._rewrite(entries, facts) if facts else []
        finally:
            self._unlock()

    @property
    def failed(self) -> bool:
        """Whether the disk failed, so that nothing is written until the file is read again."""
        return bool(self._failed)

    def read_again(self) -> None:
        """Read the file from its start, with new descriptors: the way to write again after a failed fsync."""
        self.close()
        with self._state, self._disk:
            if self._failed:
                self._lost = range(self._synced + 1, self._written + 1)
                self._failed = ""
            self._read_all()

    def close(self) -> None:
        """Give the descriptors back; a later write opens them again."""
        with self._state:
            try:
                if not self._failed:
                    self._sync(self._written)
            finally:
                with self._disk:
                    if self._file is not None:
                        os.close(self._file)
                        self._file = None
                    self._lock.close()

    # Writing; self._state and the flock are held from _try_lock to _unlock

    def _try_lock(self) -> bool:
        if not self._state.acquire(blocking=False):
            return False
        locked = False
        try:
            if not self._lock.is_open:
                look(self._path)  # a session that is being deleted must not get a new file
            locked = self._lock.try_lock()
        except OSError as error:
            raise failure(self.folder, error) from error
        finally:
            if not locked:
                self._state.release()
        return locked

    def _unlock(self) -> None:
        try:
            self._lock.unlock()
        finally:
            self._state.release()

    def _write_locked(self, decide: Decide) -> tuple[list[Entry], int]:
        """The entries written, and the number of the fsync that they wait for (0: none)."""
        try:
            self._prepare()
            facts = decide(self.entries)
            if not facts:
                return [], 0
            written = self._write(facts)
            goal = 0
            if any([isinstance(fact, Entry) or fact.sync for fact in facts]):
                goal = self._written = self._written + 1
            return written, goal
        finally:
            self._unlock()

    def _prepare(self) -> None:
        self._catch_up()
        if self.damage:
            self._read_all()  # it was seen without the lock, perhaps in the midst of another's write
        self._check_writable()

    def _check_writable(self) -> None:
        if self.newer_format:
            raise ReadOnly(
                f"The session {self.folder.name} was written by a newer version of this program. "
                "It can be looked at, not changed; update the program to go on with it."
            )
        if self.damage:
            raise ReadOnly(
                f"{self.damage} The session can be looked at, not changed; fork it from there to go on."
            )
        if self._failed:
            raise WriteFailed(self._failed)

    def _lines(self, facts: Sequence[Fact | Entry]) -> list[bytes]:
        """The lines of what is to be written now."""
        at = next_at(self.entries[-1] if self.entries else None)
        lines = []
        for n, fact in enumerate(facts, len(self.entries) + 1):
            entry = fact if isinstance(fact, Entry) else Entry(n, at, fact.by, fact.did, dict(fact.fields))
            if entry.n != n:
                raise ValueError(f"entry {entry.n} can not stand at line {n}")
            lines.append(encode(entry))
        return lines

    def _rewrite(self, entries: Sequence[Entry], facts: Sequence[Fact]) -> list[Entry]:
        for old, new in zip(self.entries, entries, strict=True):
            if (old.n, old.at, old.by, old.did) != (new.n, new.at, new.by, new.did):
                raise ValueError(f"entry {old.n} may not become another one")
        known = len(entries)
        lines = [*map(encode, entries), *self._lines(facts)]
        try:
            drop_torn(self.folder)
            replace_file(self._path, b"\n".join([*lines, b""]))
        except OSError as error:
            raise failure(self.folder, error) from error
        with self._disk:
            if self._file is not None:
                os.close(self._file)
                self._file = None
            try:
                sync_folder(self.folder)
            except OSError as error:
                self._failed = (
                    f"The disk failed as the log of {self.folder.name} was replaced ({error.strerror}), so "
                    "the old one may come back. The session is read-only until it is opened again."
                )
                raise WriteFailed(self._failed) from error
            self._synced = self._written  # what others wait for is in the new file
        self._read_all()
        return self.entries[known:]

    def _write(self, facts: Sequence[Fact | Entry]) -> list[Entry]:
        lines = self._lines(facts)
        written = [decode(line) for line in lines]  # what a reader gets: lists for tuples, text for keys
        data = b"\n".join([*([b""] if self._bare else []), *lines, b""])
        try:
            descriptor = self._open()
            self._mend(descriptor)
            self._put(descriptor, data)
        except OSError as error:
            raise failure(self.folder, error) from error
        self._used += len(data)
        self._seen = (self._inode, self._used)
        self._last, self._bare = data[-CHECKED:], False
        self.entries += written
        self.newer_format = is_newer(self.entries)
        return written

    def _open(self) -> int:
        """The descriptor to write to: the file that the path names now, never a new or a deleted one."""
        if self._file is None or self._inode != self._seen[0]:
            drop_part(self._path)
            with self._disk:
                if self._file is not None:
                    os.close(self._file)
                    self._file = None
                self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | OPEN)
                self._inode = self._seen[0]
        return self._file

    def _mend(self, descriptor: int) -> None:
        """Keep what stands after the last good line in a file of its own, and cut it from the log."""
        if (torn := self._seen[1] - self._used) > 0:
            keep_aside(self.folder, len(self.entries) + 1, os.pread(descriptor, torn, self._used))
            os.ftruncate(descriptor, self._used)

    def _put(self, descriptor: int, data: bytes) -> None:
        done = self._os_write(descriptor, data)
        if done == len(data):
            return
        try:
            os.ftruncate(descriptor, self._used)
        except OSError:
            self._failed = (
                f"The log of {self.folder.name} ends in half a line; open the session again to write to it."
            )
        raise WriteFailed(
            f"Nothing was written: only {done:,} of {len(data):,} bytes found room, so the disk is probably "
            "full. Make room and try again."
        )

    def _is_synced(self, goal: int) -> bool:
        """Whether that write is on disk; WriteFailed if this can not be known any more."""
        if goal in self._lost or (goal > self._synced and self._failed):
            raise WriteFailed(
                self._failed or "The disk failed as this was saved, so it may be lost. Look, and try again."
            )
        return self._synced >= goal

    def _sync(self, goal: int) -> None:
        """Bring that write to the disk, and with it all that came before and since. Blocks."""
        with self._disk:
            if self._is_synced(goal):
                return
            reached = self._written
            assert self._file is not None  # closed only when all is on disk or has failed
            try:
                self._os_fsync(self._file)
            except OSError as error:
                # The kernel forgets the error and the data: a second fsync would succeed and mean nothing.
                self._failed = (
                    f"The disk failed as the log of {self.folder.name} was saved ({error.strerror}), so what "
                    "was written last may be lost. The session is read-only until it is opened again."
                )
                raise WriteFailed(self._failed) from error
            self._synced = reached

    # The two calls that a failing disk makes fail, for tests to stand in for it

    def _os_write(self, descriptor: int, data: bytes) -> int:
        return os.write(descriptor, data)

    def _os_fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)


def create(folder: Path, facts: Sequence[Fact | Entry]) -> Log:
    """Make a session's folder and its log with the first lines, all on disk. Conflict: it has a log already.

    A fork passes entries: they keep their time and who, and must stand at their own number.
    """
    try:
        make_folder(folder)
        os.close(os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600))
    except FileExistsError:
        raise Conflict(f"There is a session {folder.name} already; nothing was written.") from None
    except OSError as error:
        raise failure(folder, error) from error
    log = Log(folder)
    try:
        log.append(lambda _: facts)
        sync_folder(folder)
    except BaseException as error:
        log.close()
        os.unlink(folder / NAME)  # what was not acknowledged must not stand there as an empty session
        if isinstance(error, OSError):
            raise failure(folder, error) from error
        raise
    return log


def read(path: Path) -> tuple[list[Entry], Damage | None]:
    """All entries of a log file, up to the first damage. Reads only; a torn last line is left out."""
    entries: list[Entry] = []
    return entries, scan(read_file(path)[0], entries).damage


def _heard(done: asyncio.Future[None]) -> None:
    if not done.cancelled():
        done.exception()  # all who waited may be gone; the log keeps the failure

"""Private files and folders that are on disk before we go on, and sentences for what the system refuses."""

import errno
import itertools
import os
import stat
from pathlib import Path

from assistant.errors import AssistantError, NotFound, WriteFailed

OPEN = os.O_CLOEXEC | os.O_NOFOLLOW  # for every file that we open
Mark = tuple[int, int]
"""Inode and size in bytes: as long as they are the same, there is nothing new in a file that only grows."""


def look(path: Path) -> Mark:
    """The mark of a file now. NotFound: it is not there, or it is a link or a folder."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise NotFound(
            f"{path.parent.name}/{path.name} is a link or a folder, not a file, so it is not opened."
        )
    return found.st_ino, found.st_size


def read_file(path: Path, start: int = 0) -> tuple[bytes, Mark]:
    """The bytes of a file from `start` on, and its mark as they were read."""
    look(path)  # opening a pipe would wait
    try:
        descriptor = os.open(path, os.O_RDONLY | OPEN)
        try:
            found = os.fstat(descriptor)
            data = os.pread(descriptor, max(0, found.st_size - start), start)
            return data, (found.st_ino, found.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> AssistantError:
    """The sentence for a file that the system did not let us read."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return NotFound(f"There is no log in {path.parent.name}; the session was deleted, or never was.")
    return AssistantError(
        f"{path.parent.name}/{path.name} can not be read ({error.strerror}); nothing was changed."
    )


def failure(folder: Path, error: OSError) -> AssistantError:
    """The sentence for a write that the system refused."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return unreadable(folder / "log.jsonl", error)
        case errno.ENOSPC | errno.EDQUOT:
            why = "the disk is full. Make room and try again"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            why = f"the folder {folder} is read-only for this program. Change that and try again"
        case _:
            why = f"the system refused it ({error.strerror})"
    return WriteFailed(f"Nothing was written: {why}.")


def keep_aside(folder: Path, n: int, torn: bytes) -> None:
    """Store the bytes of a torn line n as log.torn-<n>, or log.torn-<n>-2 ... where that is taken."""
    for count in itertools.count(1):
        try:
            name = f"log.torn-{n}" if count == 1 else f"log.torn-{n}-{count}"
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
            break
        except FileExistsError:
            continue
    try:
        if os.write(descriptor, torn) != len(torn):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing: private (0700) and on disk."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; the fsync of a file alone does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A private file put in the place of another: whole and on disk, or not at all.

    part (0600, new) ── write ── fsync ── rename ── fsync of the folder

Killed before the rename, the old file is there as it was, and after it the new one. A part that was left
behind counts for nothing, and goes as the next one is made or the log is opened for writing.
"""

import os
from pathlib import Path

from assistant.disk import OPEN, sync_folder

PART = ".part"  # after the file's own name


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file. OSError: nothing was changed, and no part is left."""
    drop_part(path)
    part = path.with_name(path.name + PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def drop_part(path: Path) -> None:
    """Delete what an unfinished replacement of the file left."""
    try:
        os.unlink(path.with_name(path.name + PART))
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def drop_torn(folder: Path) -> None:
    """Delete the torn lines that were set aside: they were never acknowledged, and may say anything."""
    for path in folder.glob("log.torn-*"):
        path.unlink(missing_ok=True)

"""A session's files: names that lead nowhere else, and files that are there whole or not at all."""

import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .disk import sync_folder
from .errors import WriteFailed

NAME_BYTES = 120
CHUNK = 2**20
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)


def safe_name(text: str) -> str:
    """A file name of at most 120 bytes made of `text`: any script's letters stay, nothing leads elsewhere."""
    spaced = "".join(" " if unicodedata.category(c)[0] == "Z" else c for c in str(text))
    kept = "".join("-" if c in '<>:"/\\|?*' else c for c in spaced if unicodedata.category(c)[0] != "C")
    name = unicodedata.normalize("NFC", kept).lstrip(" .-~").rstrip(" .")
    if RESERVED.match(name):
        name = f"_{name}"
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > 20:
        stem, suffix = name, ""
    stem = stem.encode()[: NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return (stem + suffix).rstrip(" .") or "file"


def is_plain(name: str) -> bool:
    """Whether a name from elsewhere may be that of a session's file: `placed` gives no others."""
    odd = re.search(r'[<>:"/\\|?*]', name) or any(unicodedata.category(c)[0] == "C" for c in name)
    fits = 0 < len(name.encode("utf-8", "replace")) <= 255 and not name.startswith((".", "~", " ", "-"))
    return fits and not odd and not RESERVED.match(name)


def unique(folder: Path, name: str) -> Path:
    """A new empty file (0600) in `folder`, named `name`, or `name-2`, `name-3` ... where that is taken."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return path
        except FileExistsError:
            number += 1


@contextmanager
def placed(folder: Path, name: str) -> Iterator[tuple[IO[bytes], str]]:
    """A file being written, and the name that it gets in `folder` when it is whole and on disk."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = unique(folder, safe_name(name))
    try:
        descriptor, half = tempfile.mkstemp(prefix=".", dir=folder)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as target:
                yield target, path.name
                target.flush()
                os.fsync(target.fileno())
            os.replace(half, path)
        except BaseException:
            os.unlink(half)
            raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def keep_upload(folder: Path, name: str, source: IO[bytes]) -> dict[str, Any]:
    """Copy an upload into `folder` and return the fields of its `added` entry: file, bytes, sha256."""
    digest, size = hashlib.sha256(), 0
    try:
        with placed(folder, name) as (target, file):
            while chunk := source.read(CHUNK):
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise WriteFailed(
            f"The file {name!r} could not be kept: {error.strerror}. Nothing was changed."
        ) from error
    return {"file": file, "bytes": size, "sha256": digest.hexdigest()}

"""Whether a session is as it was written: its log line by line, and the files that the log names."""

import hashlib
from pathlib import Path

from .log import read, verify


def verify_session(folder: Path) -> tuple[int, list[str]]:
    """How many entries are good, and what is not as it should be, as sentences."""
    path = folder / "log.jsonl"
    entries, _ = read(path)
    said = verify(path)
    for entry in entries:
        if entry.did in ("added", "produced") and entry.get("file"):
            said += _check_file(
                folder / "files" / Path(str(entry["file"])).name, entry.n, entry.get("sha256")
            )
    return len(entries), said


def _check_file(path: Path, n: int, sha256: str | None) -> list[str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest() if sha256 else None
    except OSError as error:
        return [f"The file files/{path.name} of entry {n} can not be read: {error.strerror}."]
    return [] if digest == sha256 else [f"The file files/{path.name} is not the one that entry {n} added."]

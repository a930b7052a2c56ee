"""Whether a session is as it was written: its log line by line, and the files that the log names."""

import hashlib
from pathlib import Path

from .disk import read_file
from .log.lines import Entry, is_newer, scan
from .log.rewrite import PART


def verify_session(folder: Path) -> tuple[int, list[str]]:
    """How many entries are good, and what is not as it should be, as sentences."""
    entries, said = verify_log(folder / "log.jsonl")
    for entry in entries:
        if entry.did in ("added", "produced") and entry.get("file"):
            said += _check_file(
                folder / "files" / Path(str(entry["file"])).name, entry.n, entry.get("sha256")
            )
    return len(entries), said


def verify_log(path: Path) -> tuple[list[Entry], list[str]]:
    """The good entries of a log file, and what is not as it should be, as sentences; none if all is well."""
    entries: list[Entry] = []
    data, _ = read_file(path)
    found = scan(data, entries)
    said = []
    if not entries and not found.damage:
        said.append("The log has no entry.")
    if is_newer(entries):
        said.append("The log was written by a newer version of this program: it can be read, not changed.")
    if found.damage:
        said.append(str(found.damage))
    elif torn := len(data) - found.used:
        said.append(
            f"The log ends in {torn:,} bytes of a line that was never finished, so never acknowledged; "
            f"the next write keeps them in a file log.torn-{len(entries) + 1}."
        )
    elif found.bare:
        said.append("The last line is good but has no newline; the next write restores it.")
    if path.with_name(path.name + PART).exists():
        said.append(f"{path.name}{PART} was left by a redaction that did not end; the next write deletes it.")
    return entries, said


def _check_file(path: Path, n: int, sha256: str | None) -> list[str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest() if sha256 else None
    except OSError as error:
        return [f"The file files/{path.name} of entry {n} can not be read: {error.strerror}."]
    return [] if digest == sha256 else [f"The file files/{path.name} is not the one that entry {n} added."]

"""A session from a file of elsewhere, an archive or a log: checked whole before anything appears.

    file ── sniff ── unpack into .import-xxxx ── check the log ── check its files ── fsync, rename

A refused or killed import leaves nothing that is listed; what a killed one left goes with the next.
"""

import errno
import fcntl
import os
import re
import secrets as random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ..disk import OPEN, failure, make_folder, sync_folder
from ..errors import AssistantError, Refused
from ..files import CHUNK, is_plain
from ..log import Log
from ..log.lines import Entry, Fact, encode, is_newer, scan
from ..session import FORMAT
from ..session.shapes import sound
from ..workspace import Workspace
from ..workspace.summaries import SID
from .archive import Unfit, Unpacked, named_files, unpack

LOG_BYTES = 256 * 2**20
PREFIX = ".import-"
LEFT_SECONDS = 60.0  # a folder so old that no import can be about to lock it
TOLD = 20  # reasons that are told
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
ZIP, LOG = b"PK\3\4", b"{"


class ImportRefused(AssistantError):
    """A file that is not taken: `reasons` are sentences."""

    status = 422

    def __init__(self, reasons: list[str]) -> None:
        more = [f"And {len(reasons) - TOLD:,} more reasons."] if len(reasons) > TOLD else []
        self.reasons = [*reasons[:TOLD], *more]
        super().__init__("The file was not imported. " + " ".join(self.reasons))


def import_session(workspace: Workspace, file: IO[bytes]) -> str:
    """The id of the session that was made of the file. Blocks.

    It keeps its id where that is free; else it gets a new one, and a note in its log says so. Raises
    ImportRefused with the reasons, WriteFailed where the disk does.
    """
    try:
        make_folder(workspace.conversations)
        with _folder(workspace.conversations) as folder:
            try:
                wanted, entries = _checked(workspace, file, folder)
            except Unfit as error:
                raise ImportRefused(error.reasons) from None
            return _placed(workspace, folder, wanted, entries)
    except OSError as error:
        raise failure(workspace.conversations, error) from error


def _checked(workspace: Workspace, file: IO[bytes], folder: Path) -> tuple[str | None, list[Entry]]:
    """Writes the session into the folder; the id that it had (None: a log does not say) and its entries."""
    file.seek(0)
    start = file.read(len(ZIP))
    file.seek(0)
    if start == ZIP:
        most = workspace.settings.upload_bytes
        unpacked = unpack(file, folder, most, 4 * most)
        entries = _check_log(folder / "log.jsonl")
        _check_files(entries, unpacked)
        return unpacked.manifest["session"], entries
    if start[:1] != LOG:
        raise Unfit("It is neither an archive (session.zip) nor a log (log.jsonl) of a session.")
    descriptor = os.open(folder / "log.jsonl", os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
    with open(descriptor, "wb") as kept:
        shutil.copyfileobj(file, kept, CHUNK)
        kept.flush()
        os.fsync(kept.fileno())
    return None, _check_log(folder / "log.jsonl")


# --- the log -------------------------------------------------------------------------------------------


def _check_log(path: Path) -> list[Entry]:
    if (size := path.stat().st_size) > LOG_BYTES:
        raise Unfit(f"Its log has {size:,} bytes; at most {LOG_BYTES:,} are taken.")
    entries: list[Entry] = []
    data = path.read_bytes()
    found = scan(data, entries)
    if found.damage:
        raise Unfit(f"{found.damage} Take a file that was not changed.")
    if torn := len(data) - found.used:
        raise Unfit(f"Its log ends in {torn:,} bytes that are no whole line. Export the session again.")
    if not entries:
        raise Unfit("Its log has no entry.")
    if is_newer(entries):
        raise Unfit("Its log was written by a newer version of this program. Update this one first.")
    if reasons := [f"Entry {entry.n} {why}." for entry in entries if (why := _odd(entry))]:
        raise Unfit(*reasons)
    return entries


def _odd(entry: Entry) -> str | None:
    """Why the entry is none that this program could have written, if so."""
    if (entry.did == "began") != (entry.n == 1):
        return "does not begin a session" if entry.n == 1 else "begins the session once more"
    if entry.n == 1 and not (entry.get("format") == FORMAT and _is_stem(entry.get("workflow"))):
        return f"names no workflow in the form of version {FORMAT}"
    if not _is_time(entry.at):
        return f"has no time that can be read: {entry.at[:40]!a}"
    try:
        encode(entry)
    except (Refused, ValueError) as error:
        return f"is none that a log may have: {error}".rstrip(".")
    if sound(entry) != entry or not _has_columns(entry):
        return f"({entry.did[:20]!a}) has a field of another type than it should have"
    named = entry.get("file") if entry.did in ("added", "produced") else entry.get("output")
    if named is not None and not (isinstance(named, str) and is_plain(named)):
        return f"names a file that can not be in a session: {ascii(named)[:80]}"
    return None


def _is_stem(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 200 and is_plain(value)


def _is_time(text: str) -> bool:
    try:
        return bool(TIME.fullmatch(text)) and 1970 <= datetime.fromisoformat(text).year < 9999
    except ValueError:
        return False


def _has_columns(entry: Entry) -> bool:
    if entry.did != "produced":
        return True
    columns, rows = entry.get("columns"), entry.get("rows")
    kinds = [*columns.values()] if isinstance(columns, dict) else [columns or ""]
    return all(isinstance(kind, str) for kind in kinds) and (rows is None or type(rows) is int)


def _check_files(entries: list[Entry], unpacked: Unpacked) -> None:
    began, manifest, named = entries[0], unpacked.manifest, named_files(entries)
    reasons = []
    if (manifest["workflow"], manifest.get("source")) != (began["workflow"], began.get("source")):
        reasons.append("Its manifest.json names another workflow than its log.")
    for name, entry in named.items():
        if name not in unpacked.files:
            if name not in manifest["missing"]:
                reasons.append(f"files/{name}, which entry {entry.n} names, is not in it.")
        elif entry.did == "added" and entry.get("sha256") != unpacked.files[name]:
            reasons.append(f"files/{name} is not the file that entry {entry.n} added: its SHA-256 differs.")
    unknown = unpacked.files.keys() - named.keys()
    reasons += [f"files/{name} is in it, and the log does not name it." for name in unknown]
    if reasons:
        raise Unfit(*sorted(reasons))


# --- the folder ----------------------------------------------------------------------------------------


@contextmanager
def _folder(conversations: Path) -> Iterator[Path]:
    """A new private folder that no list shows; locked while it is filled, and gone if it was not renamed."""
    _drop_left(conversations)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=conversations))  # 0700
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _drop_left(conversations: Path) -> None:
    """Removes what imports left that were killed: old, and locked by nobody."""
    for folder in conversations.glob(f"{PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | OPEN)
        except OSError:  # gone, or no folder
            continue
        try:
            if time.time() - os.fstat(descriptor).st_mtime > LEFT_SECONDS:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue  # an import is under way
        finally:
            os.close(descriptor)


def _placed(workspace: Workspace, folder: Path, wanted: str | None, entries: list[Entry]) -> str:
    """Gives the folder its name as a session, its own one where that is free."""
    sid = wanted if wanted and SID.fullmatch(wanted) else _new_id(workspace, entries[0])
    while not _take_name(workspace, folder, sid):
        if sid == wanted:
            _note(folder, f"Imported under a new id, as there was a session {wanted} here already.")
        sid = _new_id(workspace, entries[0])
    return sid


def _take_name(workspace: Workspace, folder: Path, sid: str) -> bool:
    """Renames the folder, whole and on disk; False where another session has that name."""
    if not _is_free(workspace, sid):
        return False
    for part in (folder / "files", folder):
        if part.is_dir():
            sync_folder(part)
    try:
        folder.rename(workspace.conversations / sid)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # since we looked
            return False
        raise
    sync_folder(workspace.conversations)
    return True


def _note(folder: Path, text: str) -> None:
    log = Log(folder)
    try:
        log.append(lambda _: [Fact("app", "noted", {"about": 1, "text": text})])
    finally:
        log.close()
    (folder / "log.lock").unlink(missing_ok=True)


def _new_id(workspace: Workspace, began: Entry) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", str(began["workflow"]).lower()).strip("-")[:60] or "session"
    while True:
        sid = f"{began.at[:10]}-{slug}-{random.token_hex(2)}"
        if _is_free(workspace, sid):
            return sid


def _is_free(workspace: Workspace, sid: str) -> bool:
    return not (workspace.conversations / sid).exists() and not workspace.discarded(sid).exists()

"""A session as one zip, both ways: log.jsonl, the files that the log names, and a manifest. Never a secret.

    manifest.json   {"format": 1, "session", "workflow", "source", "files": [{"name", "bytes", "sha256"}],
                    "missing": [names]}
    log.jsonl
    files/NAME

`unpack` takes an archive from anywhere: it believes no name, no size and no sum in it.
"""

import hashlib
import json
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..disk import OPEN, failure, read_file
from ..files import CHUNK, is_plain
from ..log.lines import Entry, scan
from ..workspace import Handle

FORMAT = 1
MANIFEST, LOG = "manifest.json", "log.jsonl"
ENTRIES = 5_000
MANIFEST_BYTES = 2 * 2**20
DIRECTORY_BYTES = ENTRIES * 400  # of the zip's own list of names
FREE = 64 * 2**20  # what a small archive may unpack to; a large one RATIO times its size
RATIO = 100
_TIME = (1980, 1, 1, 0, 0, 0)  # one session, one archive, whenever it is made


class Unfit(Exception):
    """Why an archive is not taken: `reasons` are sentences."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = list(reasons)


@dataclass(frozen=True)
class Unpacked:
    """What an archive held: its manifest, and the SHA-256 of what is now in `files/`, by name."""

    manifest: dict[str, Any]
    files: dict[str, str]


def named_files(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The files that a log names, by name, with the entry that first does: uploads, results, output."""
    found: dict[str, Entry] = {}
    for entry in entries:
        key = "file" if entry.did in ("added", "produced") else "output"
        if (name := entry.get(key)) is not None and (key == "file" or entry.did in _ENDS):
            found.setdefault(str(name), entry)
    return found


_ENDS = ("finished", "failed", "cancelled", "interrupted")


# --- making one ----------------------------------------------------------------------------------------


def write_archive(handle: Handle) -> IO[bytes]:
    """The archive as an open temporary file, at its beginning; closing it removes it. Blocks."""
    try:
        made = tempfile.TemporaryFile(dir=handle.workspace.conversations)
        try:
            if _write(handle, made, zipfile.ZIP_DEFLATED) > allowed(made.seek(0, os.SEEK_END)):
                made.seek(0)  # so well packed that `unpack` would take it for a bomb
                made.truncate()
                _write(handle, made, zipfile.ZIP_STORED)
            made.seek(0)
            return made
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise failure(handle.folder, error) from error


def allowed(archive_bytes: int) -> int:
    """How many bytes an archive of this size may unpack to."""
    return max(FREE, RATIO * archive_bytes)


def _write(handle: Handle, made: IO[bytes], how: int) -> int:
    session = handle.session()
    listed: list[dict[str, Any]] = []
    missing: list[str] = []
    with zipfile.ZipFile(made, "w", how) as archive:
        data = read_file(handle.folder / LOG)[0]
        entries: list[Entry] = []
        found = scan(data, entries)
        good = data if found.damage else data[: found.used]  # a torn end was never acknowledged
        with archive.open(_info(LOG, len(good), how), "w") as target:
            target.write(good)
        listed.append({"name": LOG, "bytes": len(good), "sha256": hashlib.sha256(good).hexdigest()})
        for name in named_files(entries):
            path = handle.files / name
            if not is_plain(name) or path.is_symlink() or not path.is_file():
                missing.append(name)
                continue
            listed.append({"name": f"files/{name}", **_add(archive, f"files/{name}", path, how)})
        manifest = {"format": FORMAT, "session": handle.sid, "workflow": session.workflow,
                    "source": session.began.get("source"), "files": listed, "missing": missing}  # fmt: skip
        text = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
        archive.writestr(_info(MANIFEST, len(text), how), text)
    return sum(each["bytes"] for each in listed)


def _add(archive: zipfile.ZipFile, name: str, path: Path, how: int) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with open(os.open(path, os.O_RDONLY | OPEN), "rb") as source:
        info = _info(name, os.fstat(source.fileno()).st_size, how)
        with archive.open(info, "w") as target:
            while chunk := source.read(CHUNK):
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _info(name: str, size: int, how: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type, info.external_attr, info.file_size = how, (stat.S_IFREG | 0o600) << 16, size
    return info


# --- taking one ----------------------------------------------------------------------------------------


def unpack(file: IO[bytes], folder: Path, file_bytes: int, total_bytes: int) -> Unpacked:
    """Write what the archive holds into the empty `folder`, and check it against its manifest.

    No file may have more than `file_bytes`, all together not more than `total_bytes`. Raises Unfit with all
    reasons, or OSError where the disk fails; what was written then is for the caller to remove.
    """
    size = file.seek(0, os.SEEK_END)
    _check_end(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            _check_infos(infos, min(total_bytes, allowed(size)), file_bytes)
            manifest = _read_manifest(archive)
            (folder / "files").mkdir(mode=0o700)
            budget = min(total_bytes, allowed(size))
            found = {}
            for info in infos:
                if info.filename != MANIFEST:
                    found[info.filename] = _extract(archive, info, folder / info.filename, budget)
                    budget -= found[info.filename][0]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise Unfit(f"The archive is damaged: {error or 'it ends too early'}.") from error
    except (RuntimeError, ValueError, IndexError, OverflowError) as error:  # what zipfile lets through
        raise Unfit(f"The archive is damaged ({type(error).__name__}).") from error
    _compare(manifest, found)
    files = {name.removeprefix("files/"): digest for name, (_, digest) in found.items() if name != LOG}
    return Unpacked(manifest, files)


def _check_end(file: IO[bytes], size: int) -> None:
    """The zip's last bytes say how long its list of names is; zipfile reads it as a whole."""
    file.seek(max(0, size - 42))
    end = file.read(42)
    if len(end) < 22 or end[-22:-18] != b"PK\5\6" or end[-2:] != b"\0\0":
        raise Unfit("The archive is damaged or cut off: it does not end as a zip without a comment does.")
    if end[:4] == b"PK\6\7":
        raise Unfit("It is a ZIP64 archive, for more than 4 GiB; no session of this program is that large.")
    if int.from_bytes(end[-10:-6], "little") > DIRECTORY_BYTES:
        raise Unfit(f"It lists more than {ENTRIES:,} files.")


def _check_infos(infos: list[zipfile.ZipInfo], most: int, file_bytes: int) -> None:
    if len(infos) > ENTRIES:
        raise Unfit(f"It holds {len(infos):,} files; at most {ENTRIES:,} are taken.")
    reasons, seen = [], set[str]()
    for info in infos:
        name, shown = info.filename, ascii(info.orig_filename[:80])
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.orig_filename != name or not (name in (MANIFEST, LOG) or _is_file_name(name)):
            reasons.append(f"{shown} has no place in it: there are {LOG}, {MANIFEST} and files/NAME only.")
        elif name in seen:
            reasons.append(f"{shown} is in it twice.")
        elif kind not in (0, stat.S_IFREG):
            reasons.append(f"{shown} is a link or something else that is no plain file.")
        elif info.flag_bits & 0x1:
            reasons.append(f"{shown} is encrypted.")
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            reasons.append(f"{shown} is packed in a way that is not taken; store or deflate it.")
        elif info.file_size > file_bytes:
            reasons.append(f"{shown} has {info.file_size:,} bytes; at most {file_bytes:,} are taken.")
        seen.add(name)
    reasons += [f"It has no {name}." for name in (MANIFEST, LOG) if name not in seen]
    if (total := sum(info.file_size for info in infos)) > most:
        reasons.append(f"It unpacks to {total:,} bytes; {most:,} are the most for an archive of its size.")
    if reasons:
        raise Unfit(*reasons)


def _is_file_name(name: str) -> bool:
    return name.startswith("files/") and is_plain(name.removeprefix("files/"))


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(MANIFEST) as opened:
        data = opened.read(MANIFEST_BYTES + 1)
    if len(data) > MANIFEST_BYTES:
        raise Unfit(f"Its {MANIFEST} has more than {MANIFEST_BYTES:,} bytes.")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Unfit(f"Its {MANIFEST} is not JSON.") from None
    match found:
        case {"format": int(format)} if format > FORMAT:
            raise Unfit("It was made by a newer version of this program. Update this one, then try again.")
        case {"format": 1, "session": str(), "workflow": str(), "files": list(), "missing": list()}:
            return dict(found)
    raise Unfit(f"Its {MANIFEST} is not that of a session.")


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, budget: int) -> tuple[int, str]:
    """Write one file; its size and SHA-256. What the archive says about its size does not count."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
    with open(descriptor, "wb") as target, archive.open(info) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > budget:
                raise Unfit("It unpacks to more than it says, and more than is taken.")
            target.write(chunk)
            digest.update(chunk)
        target.flush()
        os.fsync(descriptor)
    return size, digest.hexdigest()


def _compare(manifest: dict[str, Any], found: dict[str, tuple[int, str]]) -> None:
    reasons, listed = [], set()
    for each in manifest["files"]:
        name = each.get("name") if isinstance(each, dict) else None
        listed.add(name if isinstance(name, str) else "")
        if not isinstance(name, str) or name not in found:
            reasons.append(f"{MANIFEST} lists {ascii(name)[:80]}, which is not in it.")
        elif (each.get("bytes"), each.get("sha256")) != found[name]:
            reasons.append(f"{ascii(name)[:80]} is not as {MANIFEST} says: it was changed.")
    reasons += [f"{ascii(name)[:80]} is not listed in {MANIFEST}." for name in found if name not in listed]
    if reasons:
        raise Unfit(*reasons)

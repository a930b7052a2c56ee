"""Says what would be different if a session were filled again with its workflow's file as it is now.

    log ── fold ──▶ values at its end ─┬─▶ judged by today's rules (fitting.py)
                                       └─▶ card by card through the real actions, in a copy (retrace.py)

The session itself is only read, and no run is started.
"""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..actions import begin
from ..actions.fitting import Misfit
from ..errors import AssistantError, NotFound
from ..headless import find_session
from ..log import Entry, read
from ..log.lines import is_newer
from ..session import Session, fold
from ..workspace import Handle, Workspace
from .retrace import Walk

STAND_IN = "a secret that is not known here"


@dataclass(frozen=True)
class Kept:
    """A log to be replayed, up to entry `at` (None: all of it). Its files and secrets are in its folder."""

    name: str
    log: Path
    at: int | None = None


@dataclass(frozen=True)
class Replayed:
    """What came of it: the differences, and sentences on what could not be checked."""

    name: str
    values: int
    differences: tuple[Misfit, ...]
    unknown: tuple[str, ...] = ()


def find_logs(workspace: Workspace, reference: str) -> list[Kept]:
    """The logs that `reference` names: a session's id or a part of it, a log file, a session's folder, or a
    folder of any of these. `@n` behind it means the session as it was at entry n. NotFound: there is none.
    """
    text, mark, number = reference.rpartition("@")
    if not mark or Path(reference).exists() or not (number.isascii() and number.isdigit()):
        text, at = reference, None
    else:
        at = int(number)
    path = Path(text).expanduser()
    if not path.exists():
        sid = find_session(workspace, text)
        return [Kept(sid, workspace.conversations / sid / "log.jsonl", at)]
    if path.is_file():
        return [Kept(str(path), path, at)]
    if (path / "log.jsonl").is_file():
        return [Kept(path.resolve().name, path / "log.jsonl", at)]
    found = [*path.glob("*.jsonl"), *path.glob("*/log.jsonl")]
    if not found:
        raise NotFound(f"There is no log in {path}: no file that ends in .jsonl, and no session's folder.")
    return [Kept(str(log.relative_to(path)).removesuffix("/log.jsonl"), log, at) for log in sorted(found)]


async def replay_all(workspace: Workspace, found: Iterable[Kept]) -> AsyncIterator[Replayed]:
    """Each log replayed, one after the other. Nothing is written but in a folder that is gone afterwards."""
    with _scratch(workspace) as scratch:
        for kept in found:
            try:
                yield await _replay(scratch, kept)
            except AssistantError as error:
                yield Replayed(kept.name, 0, (Misfit("unreadable", "", str(error)),))


@contextmanager
def _scratch(workspace: Workspace) -> Iterator[Workspace]:
    """The workspace with its workflows, but with a folder of its own for sessions."""
    with tempfile.TemporaryDirectory(prefix="assistant-replay-") as folder:
        scratch = Workspace(workspace.settings)
        scratch.conversations = Path(folder)
        yield scratch


async def _replay(scratch: Workspace, kept: Kept) -> Replayed:
    session = fold(_entries(kept))
    handle = await begin(scratch, session.workflow, "cli")
    try:
        unknown = _bring(kept.log.parent, session, handle)
        walk = Walk(session, handle, unknown)
        await walk.go()
    finally:
        handle.log.close()
    return Replayed(kept.name, len(session.values), tuple(walk.found), (*unknown.values(), *walk.untold))


def _entries(kept: Kept) -> Sequence[Entry]:
    entries, damage = read(kept.log)
    if damage:
        raise AssistantError(str(damage))
    if not entries:
        raise AssistantError("The log has no entry.")
    if is_newer(entries):
        raise AssistantError("The log was written by a newer version of this program.")
    if kept.at is not None and not 1 <= kept.at <= len(entries):
        raise AssistantError(f"There is no entry {kept.at}; the entries are 1 to {len(entries)}.")
    return entries[: kept.at]


def _bring(folder: Path, session: Session, handle: Handle) -> dict[str, str]:
    """Copies the session's secrets and uploads; what is not there, as a sentence by parameter."""
    unknown: dict[str, str] = {}
    known = _secrets(folder / "secrets.json")
    for name, value in session.values.items():
        if value == {"secret": True}:
            if name not in known:
                unknown[name] = f"{name} is a secret that is not kept beside the log."
            handle.keep_secrets({name: known.get(name, STAND_IN)})
        for file in _files_of(value):
            source = folder / "files" / file
            if Path(file).name != file or source.is_symlink() or not source.is_file():
                unknown[name] = f"{name} is the file {file}, which is not kept beside the log."
                continue
            handle.files.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(source, handle.files / file)
    return unknown


def _secrets(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _files_of(value: Any) -> Iterator[str]:
    match value:
        case {"file": str(name)} if len(value) == 1:
            yield name
        case list():
            for each in value:
                yield from _files_of(each)

"""A workspace: a folder with workflows/, prompts/ and conversations/. Opens sessions and loads workflows."""

import asyncio
import json
import os
import re
import secrets as random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from . import live
from .errors import BrokenWorkflow, NotFound, ReadOnly, WriteFailed
from .log import Entry, Fact, Log, create
from .parameters import Place
from .session import Session, fold
from .settings import Settings, shipped
from .workflow import Workflow, load

SID = re.compile(r"\d{4}-\d\d-\d\d-[a-z0-9-]{1,80}-[0-9a-f]{4}", re.ASCII)


class Handle:
    """One open session: its log, and its state folded as far as the log was read (a class: it has a life)."""

    def __init__(self, workspace: "Workspace", sid: str) -> None:
        self.workspace, self.sid = workspace, sid
        self.folder = workspace.conversations / sid
        self.log = Log(self.folder)
        self.busy = asyncio.Lock()  # one action on the cards at a time
        self._generation = self.log.generation
        self._session = fold(())

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def session(self, at: int | None = None) -> Session:
        """The state now, or as it was at entry `at`."""
        self.log.catch_up()
        return self._folded() if at is None else fold(self.log.entries[:at])

    def _folded(self) -> Session:
        if self._generation != self.log.generation:
            self._generation, self._session = self.log.generation, fold(())
        if len(self.log.entries) > self._session.n:
            self._session = fold(self.log.entries[self._session.n :], self._session)
        return self._session

    def workflow(self) -> Workflow:
        """The session's workflow as its file is now; raises NotFound or BrokenWorkflow."""
        return self.workspace.workflow(self.session().workflow)

    async def write(self, decide: Callable[[Session], Sequence[Fact]]) -> list[Entry]:
        """Appends what `decide` makes of the newest state, and wakes the session's streams."""

        written = await self.log.write(lambda _: decide(self._folded()))  # the log has just caught up
        if written:
            live.wake(self.sid)
        return written

    def secrets(self) -> dict[str, str]:
        """The values that are kept out of the log, by parameter."""
        try:
            found = json.loads((self.folder / "secrets.json").read_text("utf-8"))
            return {str(name): str(value) for name, value in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise ReadOnly(
                "The secrets of this session cannot be read: its secrets.json is damaged "
                f"({type(error).__name__}). Remove that file, then give the secrets again on their cards."
            ) from error

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Adds to secrets.json (mode 0600), whole or not at all."""
        if not values:
            return
        path = self.folder / "secrets.json"
        part = path.with_suffix(".part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.secrets() | dict(values), file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            raise WriteFailed(
                f"The secret could not be kept: {error.strerror}. Nothing was changed."
            ) from error

    def place(self) -> Place:
        return Place(files=self.files, secrets=self.secrets())


@dataclass(frozen=True)
class Summary:
    """A session as lists show it."""

    sid: str
    title: str
    workflow: str
    name: str
    state: str
    changed: str
    pinned: bool
    archived: bool
    steps_done: int = 0


class Workspace:
    """The folder that is served. Keeps open logs and loaded workflows (a class: it has a life)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.conversations = settings.workspace / "conversations"
        self._handles: dict[str, Handle] = {}
        self._workflows: dict[str, tuple[tuple[Any, ...], Workflow | BrokenWorkflow]] = {}
        self._summaries: dict[str, tuple[tuple[int, int], Summary]] = {}

    def workflow_files(self) -> dict[str, Path]:
        """Every workflow by its stem; of two with one stem the workspace's."""
        found: dict[str, Path] = {}
        for folder in (shipped("workflows"), self.settings.workspace / "workflows"):
            if folder.is_dir():
                found |= {p.stem: p for p in sorted(folder.glob("*.py")) if not p.stem.startswith("_")}
        return dict(sorted(found.items()))

    def workflow(self, stem: str) -> Workflow:
        """The workflow as its file is now. NotFound; BrokenWorkflow with the file's error and line."""
        path = self.workflow_files().get(stem)
        if path is None:
            raise NotFound(f"There is no workflow {stem!r}: no file workflows/{stem}.py.")
        try:
            stat = path.stat()
        except OSError:  # a link to nothing, or deleted just now
            raise NotFound(f"There is no workflow {stem!r} any more: {path} can not be read.") from None
        key = (path, stat.st_mtime_ns, stat.st_size)
        known = self._workflows.get(stem)
        if known is None or known[0] != key:
            try:
                known = (key, load(path))
            except BrokenWorkflow as error:
                known = (key, error)
            self._workflows[stem] = known
        if isinstance(known[1], BrokenWorkflow):
            raise known[1]
        return known[1]

    def open(self, sid: str) -> Handle:
        """The session's handle; raises NotFound."""
        folder = self.conversations / sid
        if not SID.fullmatch(sid) or not (folder / "log.jsonl").is_file():
            self._forget(sid)
            raise NotFound(f"There is no session {sid!r} in this workspace.")
        handle = self._handles.get(sid)
        if handle is None:
            handle = self._handles[sid] = Handle(self, sid)
        if not handle.session().n and handle.log.damage is None:
            raise NotFound(f"The session {sid!r} has no first line: it was never acknowledged.")
        return handle

    def create(self, workflow: str, facts: Callable[[str], Sequence[Fact | Entry]]) -> Handle:
        """Makes the session's folder with its first lines; `facts` gets the new session's id."""
        slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:60] or "session"
        while True:
            sid = f"{date.today().isoformat()}-{slug}-{random.token_hex(2)}"
            if not (self.conversations / sid).exists():
                break
        create(self.conversations / sid, list(facts(sid))).close()
        return self.open(sid)

    def fork(self, handle: Handle, at: int) -> Handle:
        """A new session with this one's entries up to `at`, its files and its secrets.

        Raises NotFound where there is no such entry. `actions.open_due` opens a card that it ends before.
        """
        handle.session()
        entries = handle.log.entries[:at]
        if not 1 <= at <= len(handle.log.entries):
            raise NotFound(f"There is no entry {at} in this session; it has {len(handle.log.entries)}.")
        first = replace(
            entries[0], fields={**entries[0].fields, "forked_from": {"session": handle.sid, "n": at}}
        )
        made = self.create(handle.session().workflow, lambda _: [first, *entries[1:]])
        if handle.files.is_dir():
            shutil.copytree(handle.files, made.files, symlinks=True)
        made.keep_secrets(handle.secrets())
        return made

    def session_ids(self) -> list[str]:
        """All sessions, the last changed first."""
        found = []
        if self.conversations.is_dir():
            for folder in self.conversations.iterdir():
                if SID.fullmatch(folder.name):
                    try:
                        found.append(((folder / "log.jsonl").stat().st_mtime_ns, folder.name))
                    except OSError:  # deleted meanwhile, or no session
                        continue
        return [sid for _, sid in sorted(found, reverse=True)]

    def handles(self) -> Iterator[Handle]:
        """All sessions that can be opened, the last changed first."""
        for sid in self.session_ids():
            try:
                yield self.open(sid)
            except NotFound:  # deleted meanwhile, or killed before its first line was on disk
                continue

    def summaries(self) -> list[Summary]:
        """All sessions as lists show them, the last changed first."""
        return [summary for sid in self.session_ids() if (summary := self._summary(sid))]

    def _summary(self, sid: str) -> Summary | None:
        try:
            stat = (self.conversations / sid / "log.jsonl").stat()
            key = (stat.st_mtime_ns, stat.st_size)
            known = self._summaries.get(sid)
            if known is None or known[0] != key:
                known = self._summaries[sid] = (key, summarise(sid, self.open(sid).session(), self))
        except (OSError, NotFound):
            return None
        return known[1]

    def delete(self, sid: str) -> None:
        """Removes the session's folder: that is all there is of it."""
        handle = self.open(sid)
        self._forget(sid)
        shutil.rmtree(handle.folder)

    def _forget(self, sid: str) -> None:
        handle = self._handles.pop(sid, None)
        if handle:
            handle.log.close()


def summarise(sid: str, session: Session, workspace: Workspace) -> Summary:
    """The session's line in lists: named by the person, else by its first value."""
    try:
        flow = workspace.workflow(session.workflow)
    except (NotFound, BrokenWorkflow):
        flow = None
    marks = [session.status(step.name) for step in flow.steps] if flow else []
    closed = [bool(mark and mark.did in ("advanced", "skipped")) for mark in marks]
    done, total = sum(closed), len(closed)
    run = session.run
    if run and run.state == "running":
        state = "running"
    elif run and done == total:
        tables = [f"{r['rows']} {r['name']}" for r in run.results if r.get("rows") is not None]
        state = ", ".join([{"finished": "done"}.get(run.state, run.state), *tables[:1]])
    elif flow is None:
        state = "its workflow is not there"
    elif done == total:
        state = "ready to run"
    else:
        state = f"step {closed.index(False) + 1} of {total}"
    return Summary(sid, session.title, session.workflow, session.name or name_of(session), state,
                   session.at, session.pinned, session.archived, done)  # fmt: skip


def name_of(session: Session) -> str:
    """A name made from the first telling value: an address's host, a file's name, a text."""
    for value in session.values.values():
        if isinstance(value, dict) and isinstance(value.get("file"), str):
            return str(value["file"])
        if isinstance(value, str) and "://" in value:
            return value.split("://", 1)[1].rstrip("/")[:60]
    texts = [value for value in session.values.values() if isinstance(value, str) and len(value) > 5]
    return texts[0][:60] if texts else session.title

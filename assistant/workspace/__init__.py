"""A workspace: a folder with workflows/, prompts/ and conversations/. Opens sessions and loads workflows."""

import asyncio
import os
import re
import secrets as random
import shutil
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from .. import live
from ..collector import paused
from ..disk import failure, look, sync_folder
from ..errors import AssistantError, NotFound, WriteFailed
from ..log import Entry, Fact, Log, create
from ..parameters import Place
from ..session import Session
from ..settings import Settings
from ..workflow import Workflow
from .folded import Folded
from .library import Library
from .lists import Summaries
from .offers import Offers
from .secrets import keep_secrets, secrets_in
from .summaries import SID, Summary, marks_of, name_of

__all__ = ["SID", "Handle", "Summary", "Workspace", "name_of"]
DISCARDED = ".deleted-"
OPEN = 32  # sessions that stay in memory though nobody uses them
LONG_BYTES = 200_000  # of a log that is read in a thread


class Handle:
    """One open session: its log, and its state folded as far as the log was read (a class: it has a life)."""

    def __init__(self, workspace: "Workspace", sid: str) -> None:
        self.workspace, self.sid = workspace, sid
        self.folder = workspace.conversations / sid
        self.busy = asyncio.Lock()  # one action on the cards at a time
        with paused():
            self.log = Log(self.folder)
            self._folded = Folded(self.log)

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def session(self, at: int | None = None) -> Session:
        """The state now, or as it was at entry `at`."""
        self.log.catch_up()
        return self._folded.now() if at is None else self._folded.at(at)

    def workflow(self) -> Workflow:
        """The session's workflow as its file is now; raises NotFound or BrokenWorkflow."""
        return self.workspace.workflow(self.session().workflow)

    async def write(self, decide: Callable[[Session], Sequence[Fact]]) -> list[Entry]:
        """Appends what `decide` makes of the newest state, and wakes the session's streams."""
        written = await self.log.write(lambda _: decide(self._folded.now()))  # the log has just caught up
        if written:
            live.wake(self.sid)
        return written

    def secrets(self) -> dict[str, str]:
        """The values that are kept out of the log, by parameter."""
        return secrets_in(self.folder)

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Adds to them, whole or not at all."""
        keep_secrets(self.folder, values)

    def place(self) -> Place:
        return Place(files=self.files, secrets=self.secrets())


class Workspace:
    """The folder that is served. Keeps logs open that are in use, and some more (a class: it has a life)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.conversations = settings.workspace / "conversations"
        self._handles = WeakValueDictionary[str, Handle]()  # each that a stream, a turn, a run ... still has
        self._used = OrderedDict[str, Handle]()  # the last used last; they stay though nobody has them
        self._left = deque[Log]()  # of handles that nobody has any more, to be closed
        self._changing = threading.Lock()  # around these
        self._opening: dict[str, asyncio.Task[Handle]] = {}
        self._library = Library(settings.workspace)
        self.lists = Summaries(self.conversations, self._library.find, self._opened)
        self.offers = Offers(self.conversations, self._opened)

    def workflow_files(self) -> dict[str, Path]:
        """Every workflow by its stem; of two with one stem the workspace's."""
        return self._library.files()

    def workflow(self, stem: str) -> Workflow:
        """The workflow as its file is now. NotFound; BrokenWorkflow with the file's error and line."""
        return self._library.workflow(stem)

    def open(self, sid: str) -> Handle:
        """The session's handle; raises NotFound."""
        folder = self.conversations / sid
        if not SID.fullmatch(sid) or not (folder / "log.jsonl").is_file():
            self._forget(sid)
            raise NotFound(f"There is no session {sid!r} in this workspace.")
        handle = self._use(sid, self._handles.get(sid) or Handle(self, sid))
        if not handle.session().n and handle.log.damage is None:
            raise NotFound(f"The session {sid!r} has no first line: it was never acknowledged.")
        return handle

    def _use(self, sid: str, handle: Handle) -> Handle:
        """The only handle of the session, now the last used. Beyond OPEN the least used go, unless in use."""
        with self._changing:
            known = self._handles.get(sid)
            if known is None:
                known = self._handles[sid] = handle
                finalize(handle, self._left.append, handle.log).atexit = False
            self._used[sid] = known
            self._used.move_to_end(sid)
            if len(self._used) > OPEN:
                self._used.popitem(last=False)
            while self._left:
                with suppress(WriteFailed):  # those who waited for its disk have heard
                    self._left.popleft().close()
        return known

    def close(self) -> None:
        """Gives back what its open logs hold; what is written later opens them again."""
        with self._changing:
            logs = [*(handle.log for handle in self._handles.values()), *self._left]
            self._left.clear()
        for log in logs:
            with suppress(WriteFailed):
                log.close()

    async def reach(self, sid: str) -> Handle:
        """As `open`; a long log that is not open is read in a thread, once for all who wait."""
        reading = self._opening.get(sid)
        if reading is None:
            if sid in self._handles or not self._is_long(sid):
                return self.open(sid)
            reading = self._opening[sid] = asyncio.create_task(asyncio.to_thread(self.open, sid))
            reading.add_done_callback(lambda _: self._opening.pop(sid, None))
        return await asyncio.shield(reading)  # one who leaves does not end it for the others

    def _is_long(self, sid: str) -> bool:
        try:
            return bool(SID.fullmatch(sid)) and look(self.conversations / sid / "log.jsonl")[1] > LONG_BYTES
        except AssistantError:  # `open` says so
            return False

    def create(self, workflow: str, facts: Callable[[str], Sequence[Fact | Entry]]) -> Handle:
        """Makes the session's folder with its first lines; `facts` gets the new session's id."""
        slug = re.sub(r"[^a-z0-9]+", "-", workflow.lower()).strip("-")[:60] or "session"
        while True:
            sid = f"{date.today().isoformat()}-{slug}-{random.token_hex(2)}"
            if not (self.conversations / sid).exists() and not self.discarded(sid).exists():
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
        return list(marks_of(self.conversations))

    def handles(self) -> Iterator[Handle]:
        """All sessions that can be opened, the last changed first."""
        for sid in self.session_ids():
            try:
                yield self.open(sid)
            except NotFound:  # deleted meanwhile, or killed before its first line was on disk
                continue

    def summaries(self) -> list[Summary]:
        """All sessions as lists show them, the last changed first. Reads every log that it does not know."""
        return self.lists.wholes()

    def _opened(self, sid: str) -> Session | None:
        """The state of a session that is open; None where it is not, or has no lines."""
        handle = self._handles.get(sid)
        session = handle.session() if handle else None
        return session if session and session.n else None

    def delete(self, sid: str) -> None:
        """Removes the session's folder: that is all there is of it."""
        self.discard(sid)
        self.remove(sid)

    def discard(self, sid: str) -> None:
        """Takes a session out of sight, by another name of its folder, until `restore` or `remove`."""
        folder = self.open(sid).folder
        self._forget(sid)
        try:
            os.utime(folder)  # since when, for a program that is started later
            folder.rename(self.discarded(sid))
            sync_folder(self.conversations)
        except OSError as error:
            raise failure(folder, error) from error

    def restore(self, sid: str) -> None:
        """Brings a discarded session back. NotFound: it has been removed, or never was there."""
        try:
            self.discarded(sid).rename(self.conversations / sid)
            sync_folder(self.conversations)
        except FileNotFoundError:
            raise NotFound(f"The session {sid} was deleted for good; it can not be brought back.") from None
        except OSError as error:
            raise failure(self.conversations / sid, error) from error

    def remove(self, sid: str) -> None:
        """Removes a discarded session for good; OSError where the system refuses it."""
        shutil.rmtree(self.discarded(sid))

    def discarded(self, sid: str) -> Path:
        """The folder of a session that was discarded: a name that no session has."""
        return self.conversations / f"{DISCARDED}{sid}"

    def all_discarded(self) -> list[str]:
        """The sessions that were discarded and not removed."""
        found = self.conversations.glob(f"{DISCARDED}*")
        sids = [path.name.removeprefix(DISCARDED) for path in found]
        return sorted(sid for sid in sids if SID.fullmatch(sid))

    def _forget(self, sid: str) -> None:
        with self._changing:
            handle = self._handles.pop(sid, None)
            self._used.pop(sid, None)
        if handle:
            handle.log.close()

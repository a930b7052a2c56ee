"""Deleted sessions that can still be brought back: out of sight at once, and removed after ten seconds.

A program that is stopped removes them at once; one that was killed leaves folders, and the next one goes on
with what is left of their time.
"""

import asyncio
import time

from loguru import logger

from ..errors import NotFound
from . import Workspace
from .summaries import glance


class Trash:
    """What waits to be removed (a class: it holds the tasks that will do it)."""

    def __init__(self, workspace: Workspace, seconds: float) -> None:
        self.workspace, self.seconds = workspace, seconds
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self.names: dict[str, str] = {}  # of those that can be brought back, the last deleted at the end

    def open(self) -> None:
        """Goes on with what an earlier program left."""
        for sid in self.workspace.all_discarded():
            folder = self.workspace.discarded(sid)
            try:
                left = folder.stat().st_mtime + self.seconds - time.time()
                found = glance(folder)
            except (OSError, NotFound):  # half removed
                left, found = 0.0, None
            self._wait(sid, found.name if found else sid, min(max(left, 0.0), self.seconds))

    def throw(self, sid: str, name: str) -> None:
        """Deletes a session, in `seconds` for good. NotFound where it is not there."""
        self.workspace.discard(sid)
        self._wait(sid, name, self.seconds)

    def take_back(self, sid: str) -> None:
        """Brings a session back. NotFound where its time is over."""
        if sid not in self.names:  # perhaps it is being removed
            raise NotFound(f"The session {sid} was deleted for good; it can not be brought back.")
        self.workspace.restore(sid)
        self.names.pop(sid, None)
        if task := self._waiting.pop(sid, None):
            task.cancel()

    async def close(self) -> None:
        """Removes what waits."""
        waiting = list(self.names)
        for task in self._waiting.values():
            task.cancel()
        await asyncio.gather(*self._waiting.values(), return_exceptions=True)
        for sid in waiting:
            await self._remove(sid)

    def _wait(self, sid: str, name: str, seconds: float) -> None:
        self.names[sid] = name
        self._waiting[sid] = asyncio.create_task(self._later(sid, seconds))

    async def _later(self, sid: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.names.pop(sid, None)
        await self._remove(sid)
        self._waiting.pop(sid, None)

    async def _remove(self, sid: str) -> None:
        try:
            await asyncio.to_thread(self.workspace.remove, sid)
        except OSError as error:
            logger.warning("The deleted session {} could not be removed: {}.", sid, error.strerror)

"""Models that are being fetched: begun, followed, cancelled. Ollama itself keeps what has come."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from loguru import logger

from .. import live
from ..errors import Conflict, ModelError, NotFound
from . import catalogue
from .ollama import Ollama


class Pulls:
    """The downloads of the program (a class: they are under way). What they show is in `live.pulls`."""

    def __init__(self, ollama: Ollama, arrived: Callable[[], Awaitable[object]]) -> None:
        self.ollama, self.arrived = ollama, arrived
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str) -> None:
        """Begins to fetch a model, or goes on. Raises Conflict (it is under way) or ModelError (its name)."""
        name = name.strip()
        catalogue.check_name(self.ollama, name)
        if name in self._tasks:
            raise Conflict(f"{name} is being fetched already.")
        live.pulls.pop(name, None)
        pull = live.pulls[name] = live.Pull(name)
        task = self._tasks[name] = asyncio.create_task(self._fetch(pull))
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def cancel(self, name: str) -> None:
        """Stops fetching; what has come is kept by Ollama. One that has ended is forgotten."""
        if name not in live.pulls:
            raise NotFound(f"{name[:80]!r} is not being fetched.")
        task = self._tasks.get(name)
        if task is None:
            del live.pulls[name]
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _fetch(self, pull: live.Pull) -> None:
        try:
            async with aclosing(catalogue.pull(self.ollama, pull.name)) as steps:
                async for step in steps:
                    pull.status = step.status
                    if step.total:
                        pull.completed, pull.total = step.completed or 0, step.total
            await self.arrived()
            live.pulls.pop(pull.name, None)
        except ModelError as error:
            pull.state, pull.reason = "failed", str(error)
        except asyncio.CancelledError:
            pull.state = "cancelled"
            raise
        except Exception as error:  # a fault of ours must be seen where the download is
            logger.opt(exception=error).error("Fetching {} broke.", pull.name)
            pull.state, pull.reason = "failed", f"The program failed ({type(error).__name__}). Try again."

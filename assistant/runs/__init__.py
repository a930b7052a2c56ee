"""Runs a workflow in a process of its own, and writes what becomes of it as entries.

    start ── lock ── started ── process ── progressed, produced ... ── finished | failed | cancelled

The parts: the lock (runlock), the process and its pipes (process, and child for its own side), what it prints
(output) and how fast it goes (pace).
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Conflict
from ..files import safe_name
from ..log import Fact
from .output import Output
from .pace import Pace
from .process import Child, death, spawn
from .runlock import take

CANCEL_SECONDS = 2.0  # from the polite signal to the other one
LOGGED_SECONDS = 1.0  # between two `progressed` entries
SHOWN_SECONDS = 0.1  # between two calls of on_progress

Write = Callable[[list[Fact]], Awaitable[object]]


@dataclass(frozen=True)
class Launch:
    """What a run needs: JSON `values`, `secrets` by name, the session's `files` folder, a `lock` file."""

    run: str
    workflow: Path
    values: Mapping[str, Any]
    files: Path
    lock: Path
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    by: str = "user"


@dataclass(frozen=True)
class ProgressNow:
    """How far a run is: `rate` per second, `left` seconds (None: unknown), `output` the end of its prints."""

    run: str
    done: float = 0
    total: float = 0
    note: str = ""
    rate: float | None = None
    left: float | None = None
    output: str = ""


OnProgress = Callable[[ProgressNow], None]

_running: dict[str, "Running"] = {}  # by run; only this process's


async def start(launch: Launch, write: Write, on_progress: OnProgress) -> asyncio.Task[None]:
    """Write `started`, and go on in a task. Conflict if the lock is held: another run is under way.

    `write` gets `started` alone and first; where it raises (a Conflict seen in the log), nothing starts.
    """
    lock = await take(launch.lock)
    if lock is None:
        raise Conflict("A run of this session is still under way; wait for it or cancel it.")
    try:
        parameters = {n: {"secret": True} if n in launch.secrets else v for n, v in launch.values.items()}
        await write([Fact(launch.by, "started", {"run": launch.run, "parameters": parameters})])
        running = Running(launch, write, on_progress, lock)
    except BaseException:
        os.close(lock)
        raise
    _running[launch.run] = running
    running.task = asyncio.create_task(running.go(), name=f"run {launch.run}")
    return running.task


async def execute(launch: Launch, write: Write, on_progress: OnProgress) -> None:
    """`start`, and wait for the end. Cancelling the caller's task kills the run."""
    await (await start(launch, write, on_progress))


async def cancel(run: str, by: str = "user") -> bool:
    """End a run of this server and all its processes, as `cancelled`. False if there is no such run."""
    running = _running.get(run)
    if running is None or running.task is None:
        return False
    running.cancelled_by = running.cancelled_by or by
    running.kill(signal.SIGTERM)
    done, _ = await asyncio.wait([running.task], timeout=CANCEL_SECONDS)
    if not done:
        running.kill(signal.SIGKILL)
        await asyncio.wait([running.task])
    return True


async def stop_all() -> None:
    """End every run of this process without an entry, as its own end would; they are `interrupted`."""
    tasks = [running.task for running in _running.values() if running.task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Running:
    """One run. A class because its process, and what that said so far, live and end together."""

    def __init__(self, launch: Launch, write: Write, on_progress: OnProgress, lock: int) -> None:
        self.launch, self.write, self.on_progress, self.lock = launch, write, on_progress, lock
        self.task: asyncio.Task[None] | None = None
        self.child: Child | None = None
        self.cancelled_by: str | None = None
        self.end: dict[str, Any] | None = None  # the child's last line
        self.progress: dict[str, Any] = {"done": 0, "total": 0, "note": ""}
        self.logged: dict[str, Any] = self.progress
        self.logged_at = -LOGGED_SECONDS
        self.pace = Pace()
        self.output = Output(launch.files / safe_name(f"{launch.run}-output.txt"), launch.secrets)
        self.timer: asyncio.TimerHandle | None = None

    async def go(self) -> None:
        began = time.monotonic()
        try:
            if not self.cancelled_by:
                await self._work()
            await self._say_end(round(time.monotonic() - began, 3))
        finally:
            self.kill(signal.SIGKILL)
            if self.timer is not None:
                self.timer.cancel()
            self.output.close()
            os.close(self.lock)
            _running.pop(self.launch.run, None)

    def kill(self, sign: signal.Signals) -> None:
        if self.child is not None:
            self.child.kill(sign)

    async def _work(self) -> None:
        launch = self.launch
        try:
            self.child = await spawn(self.lock)
        except OSError as error:
            reason = f"The run's process could not be started: {error.strerror}."
            self.end = {"failed": reason, "traceback": ""}
            return
        if self.cancelled_by:  # asked for while the process was being made
            self.kill(signal.SIGTERM)
        task = {
            "workflow": str(launch.workflow),
            "run": launch.run,
            "values": dict(launch.values),
            "secrets": dict(launch.secrets),
            "files": str(launch.files),
        }
        await self.child.live(task, self._read_reports, self._read_output)

    async def _read_reports(self, reader: asyncio.StreamReader) -> None:
        while self.end is None and (line := await reader.readline()):
            await self._reported(line)

    async def _reported(self, line: bytes) -> None:
        try:
            report = json.loads(line)
        except ValueError:  # only the workflow's own code can have written it there
            return
        if "progress" in report:
            await self._progressed(report["progress"])
        elif "produced" in report:
            await self._log_progress(always=True)
            await self.write([Fact("workflow", "produced", {"run": self.launch.run, **report["produced"]})])
        elif "failed" in report or "finished" in report:
            self.end = report

    async def _progressed(self, progress: dict[str, Any]) -> None:
        self.progress = progress
        self.pace.add(time.monotonic(), progress["done"])
        self._tell_soon()
        await self._log_progress()

    async def _log_progress(self, always: bool = False) -> None:
        """`progressed`, at most one a second, and the last one before a result or the end."""
        now = time.monotonic()
        if self.progress is not self.logged and (always or now - self.logged_at >= LOGGED_SECONDS):
            self.logged, self.logged_at = self.progress, now
            fields = {"run": self.launch.run, **self.progress}
            await self.write([Fact("workflow", "progressed", fields, sync=False)])

    async def _read_output(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(1 << 16):
            self.output.add(chunk)
            self._tell_soon()
            if len(chunk) > 1 << 14:  # a flood of words must not take the server's time
                await asyncio.sleep(0.01)

    def _tell_soon(self) -> None:
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(SHOWN_SECONDS, self._tell)

    def _tell(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
        rate, left = self.pace.rate(), self.pace.left(self.progress["total"])
        self.on_progress(
            ProgressNow(self.launch.run, **self.progress, rate=rate, left=left, output=self.output.tail())
        )

    async def _say_end(self, seconds: float) -> None:
        self.output.add(b"", last=True)
        self._tell()
        await self._log_progress(always=True)
        run = {"run": self.launch.run, "seconds": seconds, **self.output.named()}
        if self.end is not None and "finished" in self.end:
            fact = Fact("workflow", "finished", run)
        elif self.cancelled_by:
            fact = Fact(self.cancelled_by, "cancelled", run)
        elif self.end is not None:
            reason, trace = self.end["failed"], self.end["traceback"]
            fact = Fact("workflow", "failed", {"where": "run", "reason": reason, **run, "traceback": trace})
        else:
            reason = death(self.child.process.returncode if self.child else None)
            fact = Fact("app", "failed", {"where": "run", "reason": reason, **run})
        await self.write([fact])

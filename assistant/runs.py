"""Runs a workflow in a process of its own (child.py), and writes what becomes of it as entries.

    start ── lock ── started ── process ── progressed, produced ... ── finished | failed | cancelled

The lock is held by the process, and by us until the last of these entries is written. So a run without an end
in the log, whose lock is free, has ended without a word: it is `interrupted`.
"""

import asyncio
import fcntl
import json
import os
import re
import signal
import sys
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import Conflict
from .files import safe_name
from .log import Entry, Fact
from .settings import PACKAGE
from .text import MASK, mask

CANCEL_SECONDS = 2.0  # from the polite signal to the other one
EXIT_SECONDS = 5.0  # for a workflow's own clearing up, after its last result
PIPE_SECONDS = 1.0  # for what is still in the pipes of a process that is gone
LOGGED_SECONDS = 1.0  # between two `progressed` entries
SHOWN_SECONDS = 0.1  # between two calls of on_progress
RATE_SECONDS = 10.0  # the rate is that of the last ten seconds
LINE_BYTES = 4 * 2**20
OUTPUT_BYTES = 2**20
TAIL_CHARACTERS = 4_000
ENDS = frozenset({"finished", "failed", "cancelled", "interrupted"})
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

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
    lock = await _take(launch.lock)
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


# --- runs without an end -------------------------------------------------------------------------------


def held(lock: Path) -> bool:
    """Whether a living process holds the lock file of a run."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def unfinished(entries: Iterable[Entry]) -> list[str]:
    """The runs that were started and have no end in the log, in order."""
    runs: dict[str, None] = {}
    for entry in entries:
        if entry.did == "started":
            runs[str(entry.get("run"))] = None
        elif entry.did in ENDS:
            runs.pop(str(entry.get("run")), None)
    return list(runs)


def interrupted(entries: Sequence[Entry], lock: Path) -> list[Fact]:
    """The `interrupted` entries that a session lacks: its runs without an end, if nobody holds their lock."""
    runs = unfinished(entries)
    return [Fact("app", "interrupted", {"run": run}) for run in runs] if runs and not held(lock) else []


async def _take(path: Path) -> int | None:
    """The lock, as a descriptor; None if it is held. A second look, for `held` has it for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    for wait in (0.02, 0.05, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            await asyncio.sleep(wait)
    os.close(descriptor)
    return None


# --- one run -------------------------------------------------------------------------------------------


class Running:
    """One run. A class because its process, its pipes and what they said live and end together."""

    def __init__(self, launch: Launch, write: Write, on_progress: OnProgress, lock: int) -> None:
        self.launch, self.write, self.on_progress, self.lock = launch, write, on_progress, lock
        self.task: asyncio.Task[None] | None = None
        self.process: Process | None = None
        self.cancelled_by: str | None = None
        self.end: dict[str, Any] | None = None  # the child's last line
        self.ended = asyncio.Event()
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
                await self._make()
            await self._say_end(round(time.monotonic() - began, 3))
        finally:
            self.kill(signal.SIGKILL)
            if self.timer is not None:
                self.timer.cancel()
            self.output.close()
            os.close(self.lock)
            _running.pop(self.launch.run, None)

    def kill(self, sign: signal.Signals) -> None:
        """To the whole group: what the workflow started ends with it."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, sign)
            except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group of zombies
                pass

    async def _make(self) -> None:
        """Start the process, on pipes of our own: asyncio's make its exit wait for grandchildren."""
        stdin, task = os.pipe()
        report, report_end = os.pipe()
        output, output_end = os.pipe()
        try:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "assistant.child",
                stdin=stdin, stdout=output_end, stderr=output_end, pass_fds=(report_end, self.lock),
                start_new_session=True, env=_environment(),
            )  # fmt: skip
        except BaseException as error:
            for descriptor in (task, report, output):
                os.close(descriptor)
            if not isinstance(error, OSError):
                raise
            reason = f"The run's process could not be started: {error.strerror}."
            self.end = {"failed": reason, "traceback": ""}
            return
        finally:
            for descriptor in (stdin, report_end, output_end):
                os.close(descriptor)
        await self._live(self.process, report_end, task, report, output)

    async def _live(self, process: Process, report_end: int, task: int, report: int, output: int) -> None:
        """The life of the process, until it is gone and all that it said is read."""
        reports = asyncio.create_task(self._read_reports(report))
        prints = asyncio.create_task(self._read_output(output))
        ended, exit_ = asyncio.create_task(self.ended.wait()), asyncio.create_task(process.wait())
        async with _writing(task) as writer:
            try:
                writer.write(self._task_line(report_end))
                if self.cancelled_by:  # asked for while the process was being made
                    self.kill(signal.SIGTERM)
                await asyncio.wait([exit_, ended, reports], return_when=asyncio.FIRST_COMPLETED)
                if reports.done():
                    reports.result()  # raises where the log takes no more: no reason to go on
                await asyncio.wait([exit_], timeout=EXIT_SECONDS)
                self.kill(signal.SIGKILL)
                # A process that left the group may keep the pipes open: do not wait for it for ever.
                await asyncio.wait([exit_, reports, prints], timeout=PIPE_SECONDS)
                if reports.done():
                    reports.result()
            finally:
                self.kill(signal.SIGKILL)
                for waiting in (reports, prints, ended):
                    waiting.cancel()
                await asyncio.wait([exit_, reports, prints, ended], timeout=EXIT_SECONDS)

    def _task_line(self, report: int) -> bytes:
        launch = self.launch
        task = {
            "workflow": str(launch.workflow),
            "run": launch.run,
            "values": dict(launch.values),
            "secrets": dict(launch.secrets),
            "files": str(launch.files),
            "report": report,
            "lock": self.lock,
        }
        return json.dumps(task).encode() + b"\n"

    async def _read_reports(self, descriptor: int) -> None:
        async with _reading(descriptor) as reader:
            while line := await reader.readline():
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
            self.ended.set()

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

    async def _read_output(self, descriptor: int) -> None:
        async with _reading(descriptor) as reader:
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
            reason = death(self.process.returncode if self.process else None)
            fact = Fact("app", "failed", {"where": "run", "reason": reason, **run})
        await self.write([fact])


def death(code: int | None) -> str:
    """A sentence on a process that ended without a word; `code` is negative for a signal."""
    if code is None or code >= 0:
        return f"The run's process ended before the workflow did (exit status {code})."
    hints = {signal.SIGKILL: "killed; perhaps out of memory", signal.SIGTERM: "ended by another program"}
    try:
        hint = hints.get(signal.Signals(-code)) or signal.strsignal(-code) or "a crash"
    except ValueError:  # a signal without a name
        hint = "a crash"
    return f"The run's process ended by signal {-code} ({hint})."


def _environment() -> dict[str, str]:
    """Ours; and where the program is not installed but run from its folder, that folder is named."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
    if PACKAGE.parent.name not in ("site-packages", "dist-packages"):
        paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


@asynccontextmanager
async def _writing(descriptor: int) -> AsyncIterator[asyncio.WriteTransport]:
    pipe = os.fdopen(descriptor, "wb", 0)
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, pipe)
    try:
        yield transport
    finally:
        transport.close()


@asynccontextmanager
async def _reading(descriptor: int) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    pipe = os.fdopen(descriptor, "rb", 0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        yield reader
    finally:
        transport.close()


class Pace:
    """How fast a run goes: over the last ten seconds, or the last two steps where steps are slower."""

    def __init__(self) -> None:
        self.seen: deque[tuple[float, float]] = deque(maxlen=200)

    def add(self, now: float, done: float) -> None:
        if self.seen and done < self.seen[-1][1]:  # a new count begins
            self.seen.clear()
        self.seen.append((now, done))
        while len(self.seen) > 2 and now - self.seen[0][0] > RATE_SECONDS:
            self.seen.popleft()

    def rate(self) -> float | None:
        """Per second; None before there are two steps."""
        if len(self.seen) < 2 or self.seen[-1][0] <= self.seen[0][0]:
            return None
        (first, few), (last, many) = self.seen[0], self.seen[-1]
        return (many - few) / (last - first)

    def left(self, total: float) -> float | None:
        """Seconds; None where the total or the rate is not known."""
        rate = self.rate()
        return max(0.0, total - self.seen[-1][1]) / rate if rate and total else None


class Output:
    """What a run prints: the first MiB in a file, the end of it in memory, secrets masked in both."""

    def __init__(self, path: Path, secrets: Mapping[str, str]) -> None:
        self.path, self.secrets = path, secrets
        self.words = [value.encode() for value in secrets.values() if len(value) >= 4]
        self.held_back = b""  # the beginning of a secret, perhaps
        self.end = b""
        self.room = OUTPUT_BYTES
        self.file: int | None = None

    def add(self, chunk: bytes, last: bool = False) -> None:
        text = self.held_back + chunk
        for word in self.words:
            text = text.replace(word, MASK.encode())
        hold = 0 if last else self._begun(text)
        text, self.held_back = text[: len(text) - hold], text[len(text) - hold :]
        self.end = (self.end + text)[-4 * TAIL_CHARACTERS :]
        self._keep(text)

    def _begun(self, text: bytes) -> int:
        """How many bytes at the end of `text` may be the beginning of a secret."""
        longest = max((len(word) for word in self.words), default=1) - 1
        sizes = range(min(longest, len(text)), 0, -1)
        return next((size for size in sizes if any(word.startswith(text[-size:]) for word in self.words)), 0)

    def _keep(self, text: bytes) -> None:
        if not text or self.room <= 0:
            return
        kept = text[: self.room]
        self.room -= len(kept)
        try:
            if self.file is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
                self.file = os.open(self.path, flags, 0o600)
            os.write(self.file, kept if self.room else kept + "\n… the rest was not kept\n".encode())
        except (
            OSError
        ):  # a full disk must not end the run for the sake of its prints; the log will tell of it
            self.room = 0

    def tail(self) -> str:
        """The last lines as a terminal shows them: of a line that was written over, its last state."""
        text = TERMINAL_CODES.sub("", self.end.decode(errors="replace")).replace("\r\n", "\n")
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        return mask("\n".join(lines), self.secrets)[-TAIL_CHARACTERS:]

    def named(self) -> dict[str, str]:
        return {"output": self.path.name} if self.file is not None else {}

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None

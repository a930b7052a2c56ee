"""A run's process, seen from outside: started on pipes, read to its end, killed with what it started."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..settings import PACKAGE

EXIT_SECONDS = 5.0  # for a workflow's own clearing up, after its last result
PIPE_SECONDS = 1.0  # for what is still in the pipes of a process that is gone
LINE_BYTES = 4 * 2**20
Read = Callable[[asyncio.StreamReader], Awaitable[None]]


async def spawn(lock: int) -> "Child":
    """Start `python -m assistant.child`, which gets `lock` too. OSError: the system does not let us.

    The pipes are our own: with asyncio's, the end of the process would wait for that of its grandchildren.
    """
    stdin, task = os.pipe()
    report, report_end = os.pipe()
    output, output_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "assistant.child",
            stdin=stdin, stdout=output_end, stderr=output_end, pass_fds=(report_end, lock),
            start_new_session=True, env=_environment(),
        )  # fmt: skip
    except BaseException:
        for descriptor in (task, report, output):
            os.close(descriptor)
        raise
    finally:
        for descriptor in (stdin, report_end, output_end):
            os.close(descriptor)
    return Child(process, {"report": report_end, "lock": lock}, task, report, output)


@dataclass(frozen=True)
class Child:
    """The process: what it calls its `descriptors`, and our ends of its pipes, which `live` closes."""

    process: Process
    descriptors: Mapping[str, int]
    task: int
    report: int
    output: int

    async def live(self, task: Mapping[str, Any], reports: Read, prints: Read) -> None:
        """Give it its `task` and read what it says, until it is gone and all of that is read.

        `reports` returns after the last report. What it raises ends the process, and is raised here.
        """
        reporting = asyncio.create_task(_read(self.report, reports))
        printing = asyncio.create_task(_read(self.output, prints))
        gone = asyncio.create_task(self.process.wait())
        async with _writing(self.task) as writer:
            try:
                writer.write(json.dumps({**task, **self.descriptors}).encode() + b"\n")
                await asyncio.wait([gone, reporting], return_when=asyncio.FIRST_COMPLETED)
                if reporting.done():
                    reporting.result()  # raises where the log takes no more: no reason to go on
                await asyncio.wait([gone], timeout=EXIT_SECONDS)
                self.kill(signal.SIGKILL)
                # A process that left the group may keep the pipes open: do not wait for it for ever.
                await asyncio.wait([gone, reporting, printing], timeout=PIPE_SECONDS)
                if reporting.done():
                    reporting.result()
            finally:
                self.kill(signal.SIGKILL)
                reporting.cancel()
                printing.cancel()
                await asyncio.wait([gone, reporting, printing], timeout=EXIT_SECONDS)

    def kill(self, sign: signal.Signals) -> None:
        """To the whole group: what the workflow started ends with it."""
        try:
            os.killpg(self.process.pid, sign)
        except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group of zombies
            pass


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


async def _read(descriptor: int, read: Read) -> None:
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    pipe = os.fdopen(descriptor, "rb", 0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        await read(reader)
    finally:
        transport.close()

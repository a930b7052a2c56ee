"""What the log costs above the disk: one append against a bare write and fsync of as many bytes."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.log import Fact, Log, create

from . import program
from .figures import Figure

WRITES = 200  # of each kind, one after the other, so that a slow moment of the disk meets all
FACT = Fact(
    "user", "set", {"step": "start", "values": {"start": "http://127.0.0.1/", "depth": 3, "limit": 500}}
)


def measure(runs: int) -> Iterator[Figure]:
    with program.workspace() as folder:
        conversations = folder / "conversations"
        for name in ("one", "two"):
            begun = Fact("user", "began", {"workflow": "link_graph", "title": "Link graph", "format": 1})
            create(conversations / name, [begun]).close()
        first, second = Log(conversations / "one"), Log(conversations / "two")
        bare = Bare(folder / "bare", (conversations / "one" / "log.jsonl").stat().st_size)
        try:
            yield from asyncio.run(_compare(bare, first, second, WRITES * runs))
        finally:
            for each in (first, second, bare):
                each.close()


class Bare:
    """A file that lines are written to with nothing around them (a class: it holds a descriptor)."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._line = b"x" * size + b"\n"

    def write(self) -> None:
        os.write(self._file, self._line)
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


async def _compare(bare: Bare, first: Log, second: Log, count: int) -> list[Figure]:
    times: dict[str, list[float]] = {"bare": [], "append": [], "write": []}
    for _ in range(count):
        times["bare"].append(_timed(bare.write))
        times["append"].append(_timed(lambda: first.append(lambda _: [FACT])))
        begun = time.perf_counter()
        await second.write(lambda _: [FACT])
        times["write"].append(time.perf_counter() - begun)
    floor, append, write = (statistics.median(times[kind]) for kind in ("bare", "append", "write"))
    note = f"a bare write + fsync takes {1e3 * floor:.2f} ms here"
    return [
        Figure("append", append / floor, "times bare", 1.3, note),
        Figure(
            "append in the event loop", write / floor, "times bare", 1.3, "the fsync in a thread of its own"
        ),
    ]


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun

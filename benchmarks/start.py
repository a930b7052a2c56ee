"""From the command to the first page, and the memory that the program holds then."""

import time
from collections.abc import Iterator
from statistics import median

from . import program
from .figures import Figure


def measure(runs: int) -> Iterator[Figure]:
    seconds, megabytes = [], []
    with program.workspace() as folder:
        for _ in range(runs + 1):
            with program.server(folder) as server:
                seconds.append(time.perf_counter() - server.started)
                time.sleep(0.5)  # what goes on after the first page belongs to being idle
                megabytes.append(server.memory())
    note = "a process of its own, its bytecode compiled before"
    yield Figure("start to first page", median(seconds[1:]), "s", 0.8, note)
    yield Figure("idle memory", median(megabytes[1:]), "MB", 80, "resident, after the first page")

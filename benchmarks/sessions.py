"""Long sessions: opening the page of one, folding it, appending to it; and the list of many."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.log import Fact, Log, read
from assistant.log.lines import Entry, encode
from assistant.session import fold

from . import program
from .figures import Figure, median

WORKFLOW = "link_graph"
APPENDS = 100
MANY, LONG = 1_000, 1_000


def measure(runs: int) -> Iterator[Figure]:
    with program.workspace() as folder, program.server(folder) as server:
        server.get(server.begin(WORKFLOW))  # so that nothing is imported or compiled below
        for count, budget in ((10_000, 0.5), (100_000, 1.0)):
            yield from opened(server, count, budget, max(1, runs // 2 + 1))
        yield recorded(server, max(1, runs // 2 + 1))
        yield folded(folder, runs)
    with program.workspace() as folder:
        yield appended(folder)
    with program.workspace() as folder:
        yield from listed(folder, runs)


def opened(server: program.Server, count: int, budget: float, runs: int) -> Iterator[Figure]:
    """Each time a session that the program has never seen; then the same page again."""
    first: list[float] = []
    again: list[float] = []
    for _ in range(runs):
        sid = put(server.workspace, count)
        for times in (first, again):
            begun = time.perf_counter()
            server.get(f"/sessions/{sid}")
            times.append(time.perf_counter() - begun)
    yield Figure(
        f"open a session of {count:,} entries",
        statistics.median(first),
        "s",
        budget,
        "its page, never read before",
    )
    yield Figure(f"its page again, {count:,} entries", 1e3 * statistics.median(again), "ms")


def recorded(server: program.Server, runs: int) -> Figure:
    """The record page, each time of a session that the program has never seen."""
    times: list[float] = []
    for _ in range(runs):
        sid = put(server.workspace, 10_000)
        begun = time.perf_counter()
        page = server.get(f"/sessions/{sid}/record")
        times.append(time.perf_counter() - begun)
    note = f"never read before; {len(page) / 1_000:.0f} kB before compression"
    return Figure("record of 10,000 entries", statistics.median(times), "s", 1.0, note)


def folded(folder: Path, runs: int) -> Figure:
    sid = put(folder, 100_000)
    entries, _ = read(folder / "conversations" / sid / "log.jsonl")

    def timed() -> float:
        begun = time.perf_counter()
        fold(entries)
        return time.perf_counter() - begun

    return Figure("fold of 100,000 entries", median(timed, runs), "s")


def appended(folder: Path) -> Figure:
    """An append to a short log and one to a long log, in turn."""
    logs = [Log(folder / "conversations" / put(folder, count)) for count in (10, 100_000)]
    times: list[list[float]] = [[], []]
    fact = Fact("user", "set", {"step": "start", "values": {"depth": 3}})
    for _ in range(APPENDS):
        for log, taken in zip(logs, times, strict=True):
            begun = time.perf_counter()
            log.append(lambda _: [fact])
            taken.append(time.perf_counter() - begun)
    for log in logs:
        log.close()
    short, long = (1e3 * statistics.median(taken) for taken in times)
    note = f"{short:.2f} ms at entry 10, {long:.2f} ms at entry 100,000"
    return Figure("append at entry 100,000", long / short, "times entry 10", None, note)


def listed(folder: Path, runs: int) -> Iterator[Figure]:
    """The first page with many sessions that the program has never seen; then the same page again."""
    begun = put(folder, LONG)
    log = (folder / "conversations" / begun / "log.jsonl").read_bytes()
    with program.server(folder) as server:
        server.get("/")  # so that nothing is imported or compiled below
        for n in range(1, MANY):
            copy = folder / "conversations" / f"{begun[:-4]}{n:04x}"
            copy.mkdir(mode=0o700)
            (copy / "log.jsonl").write_bytes(log)
        first = _seconds(lambda: server.get("/"))
        again = median(lambda: _seconds(lambda: server.get("/")), runs)
    what = f"first page with {MANY:,} sessions of {LONG:,} entries"
    yield Figure(what, first, "s", 1.0, "never read before")
    yield Figure("the first page again", 1e3 * again, "ms", 100)


def _seconds(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def put(workspace: Path, count: int) -> str:
    """Puts a session of `count` entries into the workspace, as an export would be; its id."""
    sessions = workspace / "conversations"
    sid = f"2026-01-01-{WORKFLOW.replace('_', '-')}-{len(list(sessions.iterdir())):04x}"
    lines = [encode(entry) + b"\n" for entry in _entries(count)]
    folder = sessions / f".{sid}"
    folder.mkdir(mode=0o700)
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    folder.rename(sessions / sid)  # the program sees it whole or not at all
    return sid


def _entries(count: int) -> Iterator[Entry]:
    """A session that goes on: values set by hand and by the model, words, calls, corrections."""
    began = {"workflow": WORKFLOW, "title": "Link graph", "format": 1, "source": "0" * 16}
    yield Entry(1, _at(1), "user", "began", began)
    yield Entry(2, _at(1), "app", "opened", {"step": "source", "suggested": {"source": "site"}})
    yield Entry(3, _at(2), "user", "set", {"step": "source", "values": {"source": "site"}})
    yield Entry(4, _at(2), "user", "advanced", {"step": "source"})
    yield Entry(5, _at(2), "app", "opened", {"step": "start", "suggested": {"depth": 2, "limit": 500}})
    for n in range(6, count + 1):
        turn = f"t{n // 5}"
        match n % 5:
            case 1:
                yield Entry(n, _at(n), "user", "said", {"text": f"depth {n % 20}, please", "turn": turn})
            case 2:
                call = {
                    "tool": "set_values",
                    "arguments": {"depth": n % 20},
                    "result": {"set": {"depth": n % 20}},
                }
                yield Entry(n, _at(n), "model", "called", {"turn": turn, **call})
            case 3:
                values = {"depth": n % 20}
                yield Entry(n, _at(n), "model", "set", {"step": "start", "values": values, "turn": turn})
            case 4:
                said = {
                    "text": f"The depth is **{n % 20}** now.",
                    "turn": turn,
                    "model": "scripted",
                    "tokens": 9,
                }
                yield Entry(n, _at(n), "model", "said", said)
            case _:
                yield Entry(n, _at(n), "user", "set", {"step": "start", "values": {"limit": 1 + n % 500}})


def _at(n: int) -> str:
    minutes, rest = divmod(n, 60_000)
    return f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}Z"

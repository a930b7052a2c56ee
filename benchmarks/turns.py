"""A long conversation: what the program holds after 1,000 turns, and what a late turn takes."""

import statistics
import time
from collections.abc import Iterator

from tests.double import Round

from . import program
from .figures import Figure
from .model import NAME, Model, scripted

TURNS = 1_000
WORDS = "Tell me more about this."  # no command, which the guide would carry out
REPLY = Round(text=("Here", " are", " some", " words", " about", " the", " card."))


def measure(_: int) -> Iterator[Figure]:
    with scripted() as model, program.workspace() as folder:
        with program.server(folder, model.address, NAME) as server:
            path = server.begin()
            server.get(path)
            turn(model, server, path)
            before, seconds = server.memory(), [turn(model, server, path) for _ in range(TURNS)]
            grown = server.memory() - before
    early, late = statistics.median(seconds[:100]), statistics.median(seconds[-100:])
    yield Figure(f"memory more after {TURNS:,} turns", grown, "MB", note=f"it held {before:.0f} MB before")
    yield Figure("a turn, the last 100", 1e3 * late, "ms", note=f"{late / early:.1f} times the first 100")


def turn(model: Model, server: program.Server, path: str) -> float:
    """Seconds from the user's words until the reply is in the log."""
    model.enqueue(REPLY)
    log = server.workspace / "conversations" / path.split("/")[-1] / "log.jsonl"
    known = log.read_bytes().count(b'"by":"model","did":"said"')
    begun = time.perf_counter()
    server.post(f"{path}/messages", text=WORDS)
    size = 0
    while time.perf_counter() - begun < 30:
        if log.stat().st_size != size:
            size = log.stat().st_size
            if log.read_bytes().count(b'"by":"model","did":"said"') > known:
                return time.perf_counter() - begun
        time.sleep(0.001)
    raise RuntimeError("no reply came within 30 seconds")

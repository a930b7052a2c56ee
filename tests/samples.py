"""Small workflows that several tests of the served program use, and what is done in them."""

import time
from collections.abc import Callable

SMALL = '''
"""A small workflow."""
import time
from pathlib import Path
from typing import Annotated, Literal

from assistant import Ask, Download, Graph, Note, Progress, Table, Workflow

flow = Workflow("Small one", "Counts <down> & up.")


def names_for(depth):
    return [f"name {n}" for n in range(depth)]


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=20, unit="levels")],
    kind: Literal["tree", "star"] = "tree",
):
    """How deep?

    Any number from one to **twenty**.
    """
    if depth == 13:
        raise ValueError("Thirteen is not for us.")
    return {"double": 2 * depth}


@flow.step(when=lambda depth: depth > 5)
def deep(depth, reason: str):
    """Why so deep?"""


@flow.step
def finish(depth, names: Annotated[list[str], Ask("Names", options=names_for)] = []):
    """Which names?"""


@flow.run
def go(depth, double, names):
    yield Progress(1, 2, "half")
    if depth == 3:
        time.sleep(600)
    if depth == 4:
        raise RuntimeError("Four fails.")
    rows = [{"word": f"w{n:02}", "size": (n * 7) % 50, "share": n / 4} for n in range(50)]
    yield Table("numbers", rows)
    yield Note("# Done <script>alert(1)</script>")
    yield Graph("links", [{"id": "a"}, {"id": "b"}], [{"source": "a", "target": "b"}])
    path = Path("report #1 100%.html")
    path.write_text("<script>alert(1)</script>", "utf-8")
    yield Download(path)
    yield Progress(2, 2, "done")
'''

BROKEN = '''"""Broken."""
from assistant import Workflow

flow = Workflow("Broken")
1 / 0
'''


def complete(server, sid: str, depth: int = 2) -> str:
    """All cards of the small workflow, with this depth (5 or less skips the second)."""
    server.next(sid, "start", {"depth": str(depth), "kind": "star"})
    if depth > 5:
        server.next(sid, "deep", {"reason": "to see"})
    server.next(sid, "finish", {"names": "name 1"})
    return sid


def soon(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it holds; an AssertionError if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)

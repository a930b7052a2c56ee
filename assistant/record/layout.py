"""Where the boxes and lines of a drawing stand: a column for each step, the lines around the columns. Pure.

Lines between neighbours go through the gap between them, others through lanes above all columns; what the run
takes goes along one line below them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import east_asian_width

WIDE, GAP, EDGE = 156, 38, 8  # of a column, between columns, around all; in pixels, as everything here
HEAD, ROW, SPACE = 62, 38, 6  # heights of a step and of a value, and what is between them
LANE = 9  # between two lines that run beside each other
LETTERS, BOLD_LETTERS, SMALL_LETTERS = 20, 19, 23  # that fit in a line
MOST, MOST_IN_STEP, MOST_STEPS, MOST_LINES = 60, 14, 24, 40


@dataclass(frozen=True)
class Node:
    """A box. `kind`: step, value, run, result or more (what found no room). `n`: its entry, if it has one."""

    id: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]  # the last one is the smaller one of a step, the larger one of a value
    title: str
    by: str = ""
    state: str = ""
    n: int = 0


@dataclass(frozen=True)
class Edge:
    """A line through `points` from a node to another. `kind`: next, takes or run."""

    source: str
    target: str
    kind: str
    points: tuple[tuple[float, float], ...]
    title: str


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines with their places, in pixels. `by`: who set values, each once."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    summary: str
    by: tuple[str, ...] = ()


@dataclass
class Box:
    """A node before it has its place."""

    id: str
    kind: str
    lines: tuple[str, str]
    title: str
    by: str = ""
    state: str = ""
    n: int = 0


@dataclass
class Column:
    """A step or the run, what stands below it, the names that it takes, and those that it gives the run."""

    head: Box
    boxes: list[Box] = field(default_factory=list)
    takes: frozenset[str] = frozenset()
    feeds: list[str] = field(default_factory=list)


def laid_out(columns: Sequence[Column], summary: str, by: tuple[str, ...]) -> Drawing:
    """Gives every box its place: columns from left to right, the lines above and below them."""
    shown = _bounded(columns)
    lanes = _lanes(shown)
    top = EDGE + (len(lanes) + 1) * LANE if lanes else EDGE
    nodes = [node for i, column in enumerate(shown) for node in _placed(column, i, top)]
    places = {node.id: node for node in nodes}
    edges = [*_order(shown, places), *_takes(shown, places, lanes), *_feeds(shown, places)]
    bottom = max(node.y + node.height for node in nodes) + 2 * LANE + EDGE
    width = 2 * EDGE + len(shown) * WIDE + (len(shown) - 1) * GAP
    return Drawing(width, bottom, tuple(nodes), tuple(edges), summary, by)


def _bounded(columns: Sequence[Column]) -> list[Column]:
    """At most so many steps and values; what is left out is said."""
    *steps, run = columns
    left, shown = MOST, []
    for column in steps[:MOST_STEPS]:
        shown.append(
            Column(column.head, _first(column.boxes, min(left, MOST_IN_STEP)), column.takes, column.feeds)
        )
        left -= len(column.boxes[:MOST_IN_STEP])
        left = max(left, 0)
    if more := len(steps) - MOST_STEPS:
        if more > 0:
            shown.append(Column(Box("more-steps", "more", (f"and {more} more steps", ""), "")))
    return [*shown, Column(run.head, _first(run.boxes, MOST_IN_STEP), run.takes)]


def _first(boxes: list[Box], most: int) -> list[Box]:
    if len(boxes) <= most:
        return boxes
    kept = boxes[: max(0, most)]
    text = f"and {len(boxes) - len(kept)} more"
    return [*kept, Box(f"more-{boxes[0].id}", "more", (text, ""), text)]


def _placed(column: Column, i: int, top: float) -> Iterable[Node]:
    x, y = EDGE + i * (WIDE + GAP), top
    for box in (column.head, *column.boxes):
        height = HEAD if box is column.head else ROW
        if box.kind in ("value", "result", "more"):
            lines: tuple[str, ...] = (fit(box.lines[0], SMALL_LETTERS), fit(box.lines[1], LETTERS))
        else:
            lines = (*folded(box.lines[0], BOLD_LETTERS), fit(box.lines[1], SMALL_LETTERS))
        yield Node(box.id, box.kind, x, y, WIDE, height, lines, box.title, box.by, box.state, box.n)
        y += height + SPACE


def _wanted(columns: Sequence[Column]) -> list[tuple[int, str, int]]:
    """Each value that a later step takes: column, name, column of the step."""
    owner = {box.id: i for i, column in enumerate(columns) for box in column.boxes if box.kind == "value"}
    return [
        (owner[f"value-{name}"], name, j)
        for j, column in enumerate(columns)
        if column.head.kind == "step"
        for name in sorted(column.takes)
        if owner.get(f"value-{name}", j) < j
    ][:MOST_LINES]


def _lanes(columns: Sequence[Column]) -> dict[str, int]:
    """Above the columns a lane for each value that is taken by other steps than the next one."""
    far = dict.fromkeys(name for i, name, j in _wanted(columns) if j > i + 1)
    return {name: lane for lane, name in enumerate(far)}


def _order(columns: Sequence[Column], places: dict[str, Node]) -> Iterable[Edge]:
    for one, two in pairwise(columns):
        a, b = places[one.head.id], places[two.head.id]
        y = a.y + a.height / 2
        yield Edge(a.id, b.id, "next", ((a.x + WIDE, y), (b.x, y)), "")


def _takes(columns: Sequence[Column], places: dict[str, Node], lanes: dict[str, int]) -> Iterable[Edge]:
    arrivals: dict[str, int] = {}
    for i, name, j in _wanted(columns):
        a, b = places[f"value-{name}"], places[columns[j].head.id]
        arrivals[b.id] = arrivals.get(b.id, 0) + 1
        start = (a.x + WIDE, a.y + a.height / 2)
        end = (b.x, b.y + b.height - min(4 + 5 * arrivals[b.id], HEAD - 8))
        title = f"{columns[j].head.lines[0]} takes {name}"
        side = a.x + WIDE + 8 + 4 * (lanes.get(name, 0) % 4)
        if j == i + 1:
            middle: tuple[tuple[float, float], ...] = ((side, start[1]), (side, end[1]))
        else:
            lane, before = EDGE + lanes[name] * LANE, b.x - 10 - 4 * (lanes[name] % 3)
            middle = ((side, start[1]), (side, lane), (before, lane), (before, end[1]))
        yield Edge(a.id, b.id, "takes", (start, *middle, end), title)


def _feeds(columns: Sequence[Column], places: dict[str, Node]) -> Iterable[Edge]:
    """One line below all columns, into which each step leads whose values the run takes."""
    run = places["run"]
    low = max(node.y + node.height for node in places.values()) + 1.5 * LANE
    for column in columns[:-1]:
        if column.feeds:
            last = places[(column.boxes or [column.head])[-1].id]
            x, into = last.x + WIDE / 2, run.x - GAP / 2
            end = (run.x, run.y + HEAD - 8)
            points = ((x, last.y + last.height), (x, low), (into, low), (into, end[1]), end)
            title = f"The run takes {', '.join(column.feeds[:12])}"
            yield Edge(column.head.id, "run", "run", points, title)


def folded(text: str, letters: int) -> tuple[str, ...]:
    """The text in one or two lines of so many letters."""
    words, first = text.split()[:60], ""
    while words and fit(longer := f"{first} {words[0]}".strip(), letters) == longer:
        first, words = longer, words[1:]
    if not first:
        return (fit(text, letters),)
    return (first, fit(" ".join(words), letters)) if words else (first,)


def fit(text: str, letters: int) -> str:
    """The text cut to a line of so many letters; a wide one (as of Chinese) counts as two."""
    text = " ".join(text.split()[:60])
    taken = 0
    for i, letter in enumerate(text):
        taken += 2 if east_asian_width(letter) in "WF" else 1
        if taken > letters:
            return f"{text[: max(1, i - 1)]}…"
    return text

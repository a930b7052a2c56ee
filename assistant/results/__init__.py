"""What a run gives back, and how it is saved to a session's files.

Table ── frames, tables ──▶ name.csv          Graph ── frames, graphs ──▶ name.json
Download ──▶ a copy                           Note ──▶ note.md
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import placed
from ..text import clean
from .graphs import graph_json
from .tables import write_table


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` of `total` (0 if not known), and what it does now."""

    done: float
    total: float
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table: `frame` is a pandas DataFrame, a list of dicts, or a list of rows."""

    name: str
    frame: Any


@dataclass(frozen=True)
class Graph:
    """A graph: `nodes` is a frame with `id` (label, x, y and any column), `edges` a frame or pairs of ids.

    `colour` and `size` name a column of the nodes.
    """

    name: str
    nodes: Any
    edges: Any
    colour: str | None = None
    size: str | None = None


@dataclass(frozen=True)
class Download:
    """A file that the run made; it is copied into the session."""

    path: str | os.PathLike[str]


@dataclass(frozen=True)
class Note:
    """A text for the reader, in Markdown."""

    markdown: str


Result = Table | Graph | Download | Note


def save(result: Result, folder: Path) -> dict[str, Any]:
    """Write `result` into `folder` and return the fields of its `produced` entry. ValueError if unfit."""
    match result:
        case Table(name, frame):
            return {"name": clean(name), "kind": "table", **write_table(name, frame, folder)}
        case Graph(name, nodes, edges, colour, size):
            found = graph_json(name, nodes, edges, colour, size)
            content = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return {"name": clean(name), "kind": "graph", "file": _write(folder, f"{name}.json", content)}
        case Download(path):
            source = Path(path)
            if not source.is_file():
                raise ValueError(f"Download: there is no file {source}.")
            with source.open("rb") as opened, placed(folder, source.name) as (target, file):
                shutil.copyfileobj(opened, target)
            return {"name": clean(source.name), "kind": "file", "file": file}
        case Note(markdown):
            return {"name": "note", "kind": "note", "file": _write(folder, "note.md", str(markdown))}
    raise ValueError(f"A run gives back Table, Graph, Download or Note, not {type(result).__name__}.")


def _write(folder: Path, name: str, text: str) -> str:
    with placed(folder, name) as (target, file):
        target.write(text.encode("utf-8", "replace"))
    return file

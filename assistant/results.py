"""What a run gives back, how it lies in a session's files, and how a table is read again.

Tables are CSV that is safe to open in a spreadsheet: a text that could be taken for a formula gets a leading
`'`, and so does one that begins with `'`. So the escape can be taken off again: the CSV is the only file.
"""

import csv
import json
import math
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

MOST_COLUMNS = 1_000  # they are named in one log line
NAME_BYTES = 120
MASK = "••••"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'")  # full-width signs too: some spreadsheets take them
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
csv.field_size_limit(2**31 - 1)  # a cell may hold a whole page; the default refuses above 128 KiB


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


@dataclass(frozen=True)
class Page:
    """Some rows of a table: `columns` {name: kind}, typed `rows` (None: empty), `total` rows in the table."""

    columns: dict[str, str]
    rows: list[tuple[Any, ...]]
    total: int


def save(result: Result, folder: Path) -> dict[str, Any]:
    """Write `result` into `folder` and return the fields of its `produced` entry. ValueError if unfit."""
    match result:
        case Table():
            return _save_table(result, folder)
        case Graph():
            content = json.dumps(_graph(result), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            file = _write(folder, f"{result.name}.json", content)
            return {"name": clean(result.name), "kind": "graph", "file": file}
        case Download():
            source = Path(result.path)
            if not source.is_file():
                raise ValueError(f"Download: there is no file {source}.")
            with source.open("rb") as opened, _placed(folder, source.name) as (target, file):
                shutil.copyfileobj(opened, target)
            return {"name": clean(source.name), "kind": "file", "file": file}
        case Note():
            return {"name": "note", "kind": "note", "file": _write(folder, "note.md", str(result.markdown))}
    raise ValueError(f"A run gives back Table, Graph, Download or Note, not {type(result).__name__}.")


def _save_table(table: Table, folder: Path) -> dict[str, Any]:
    names, columns = _columns(table.frame, f"Table {table.name!r}")
    kinds = [_kind(column) for column in columns]
    with _placed(folder, f"{table.name}.csv") as (target, file):
        text = (list(map(_cell, row)) for row in zip(*columns, strict=True))
        lines = csv.writer(Encoded(target), lineterminator="\r\n")  # so a cell with either is quoted
        lines.writerow(map(escape, names))
        lines.writerows(text)
    rows = len(columns[0]) if columns else 0
    shape = {"rows": rows, "columns": dict(zip(names, kinds, strict=True))}
    return {"name": clean(table.name), "kind": "table", "file": file, **shape}


# --- from frames to columns ------------------------------------------------------------------------------


def _columns(frame: Any, what: str) -> tuple[list[str], list[list[Any]]]:
    """Names (each once) and values (plain Python, None for missing) of the columns of any kind of frame."""
    if hasattr(frame, "to_frame") and not hasattr(frame, "columns"):
        frame = frame.to_frame()
    if hasattr(frame, "iloc"):
        names, columns = _frame_columns(frame)
    elif isinstance(frame, Iterable) and not isinstance(frame, str | bytes | Mapping):
        names, columns = _row_columns(list(frame), what)
    else:
        given = type(frame).__name__
        raise ValueError(f"{what} is a DataFrame, a list of dicts or a list of rows, not {given}.")
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"{what} has {len(names):,} columns; at most {MOST_COLUMNS:,} can be shown.")
    return _distinct(names), [[_plain(value) for value in column] for column in columns]


def _frame_columns(frame: Any) -> tuple[list[Any], list[list[Any]]]:
    """Columns of a DataFrame; an index with a name, or that is no plain numbering, becomes columns too."""
    index = frame.index
    if any(name is not None for name in index.names) or index.dtype.kind not in "iu":
        frame = frame.reset_index(allow_duplicates=True)
    columns = (frame.iloc[:, place] for place in range(frame.shape[1]))  # by place: names may come twice
    values = [column.astype(object).where(column.notna(), None).tolist() for column in columns]
    return list(frame.columns), values


def _row_columns(rows: list[Any], what: str) -> tuple[list[Any], list[list[Any]]]:
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return names, [[row.get(name) for row in rows] for name in names]
    if not all(isinstance(row, Sequence) and not isinstance(row, str | bytes) for row in rows):
        raise ValueError(f"{what}: its rows are neither all dicts nor all lists.")
    width = max(len(row) for row in rows)
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    names = [f"column {number}" for number in range(1, width + 1)]
    return names, [list(column) for column in zip(*padded, strict=True)]


def _distinct(names: Iterable[Any]) -> list[str]:
    taken: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        text = clean(" ".join(map(str, name)) if isinstance(name, tuple) else str(name)) or f"column {number}"
        distinct, again = text, 2
        while distinct in taken:
            distinct, again = f"{text} ({again})", again + 1
        taken[distinct] = None
    return list(taken)


def _plain(value: Any) -> Any:
    """Python's own type for what numpy or pandas gave; None for what is missing (None, NaN, NaT, NA)."""
    if value is None or isinstance(value, str | bool | int):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
    try:
        return None if value is None or value != value else value
    except (TypeError, ValueError):  # pandas.NA has no truth, nor has an array
        return None if type(value).__name__ == "NAType" else value


def _kind(column: list[Any]) -> str:
    present = [value for value in column if value is not None]
    types = {type(value) for value in present}
    if not types:
        return "text"
    if types == {bool}:
        return "bool"
    if types == {int}:
        return "int"
    if types <= {int, float, Decimal}:
        return "float"
    if types == {date}:
        return "date"
    if all(issubclass(one, datetime) for one in types):
        return "datetime" if len({value.tzinfo is None for value in present}) == 1 else "text"
    return "text"


# --- cells -----------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def unescape(text: str) -> str:
    return text.removeprefix("'")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(float(value))
        case int() | Decimal():
            return str(value)
        case date():  # datetime too
            return value.isoformat()
    return escape(str(value))


def _finite_float(text: str) -> float | None:
    number = float(text)
    return None if math.isnan(number) else number


READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": _finite_float,
    "bool": lambda text: text == "true",
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "text": unescape,
}


def read_table(path: Path, columns: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """The rows of a table, typed by `columns` of its `produced` entry; ValueError if they do not fit."""
    readers = [READERS.get(kind, unescape) for kind in columns.values()]
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines, None)
        try:
            return [
                tuple([read(text) if text else None for read, text in zip(readers, line, strict=True)])
                for line in lines
                if line
            ]
        except (ValueError, csv.Error) as error:
            where = f"{path.name}, line {lines.line_num}"
            raise ValueError(f"{where}: this is not the table that the run wrote ({error}).") from error


@lru_cache(maxsize=4)
def _parsed(path: Path, columns: tuple[tuple[str, str], ...], mtime: int, size: int) -> list[tuple[Any, ...]]:
    return read_table(path, dict(columns))


def page(
    path: Path,
    columns: Mapping[str, str],
    sort: str | None = None,
    descending: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> Page:
    """`limit` rows from `offset`, sorted by the column `sort` (empty cells last; equals keep their order)."""
    facts = path.stat()
    rows = _parsed(path, tuple(columns.items()), facts.st_mtime_ns, facts.st_size)
    if sort is not None and sort in columns:
        at, folded = list(columns).index(sort), columns[sort] == "text"
        present = [row for row in rows if row[at] is not None]
        present.sort(key=lambda row: row[at].casefold() if folded else row[at], reverse=descending)
        rows = present + [row for row in rows if row[at] is None]
    start = max(0, offset)
    return Page(dict(columns), rows[start : start + max(0, limit)], len(rows))


# --- graphs ----------------------------------------------------------------------------------------------


def _graph(graph: Graph) -> dict[str, Any]:
    """A graph as JSON: ids are text, every end of an edge is a node, and numbers are finite or null."""
    what = f"Graph {graph.name!r}"
    nodes, kinds = _nodes(graph.nodes, what)
    edges = [pair for pair in _edges(graph.edges, what) if None not in pair]
    for end in (end for pair in edges for end in pair):
        nodes.setdefault(str(end), {"id": end, "label": end})
    for use, column in (("colour", graph.colour), ("size", graph.size)):
        if column is not None and column not in kinds:
            has = ", ".join(kinds) or "no columns"
            raise ValueError(f"{what}: {use} is {column!r}, but its nodes have {has}.")
    shape = {"columns": kinds, "nodes": list(nodes.values()), "edges": edges}
    return {"name": clean(graph.name), **shape, "colour": graph.colour, "size": graph.size}


def _nodes(given: Any, what: str) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    given = [] if given is None else given
    if isinstance(given, list | tuple | set) and not any(isinstance(node, Mapping) for node in given):
        given = [{"id": node} for node in given]
    names, columns = _columns(given, f"{what}: nodes")
    if "id" not in names and columns:
        raise ValueError(f"{what}: its nodes need a column 'id'; they have {', '.join(names)}.")
    kinds = {name: _kind(column) for name, column in zip(names, columns, strict=True)}
    own = [name for name in names if name not in ("id", "label", "x", "y")]
    shown = {name: "number" if kinds[name] in ("int", "float") else "text" for name in own}
    nodes: dict[str, dict[str, Any]] = {}
    for row in zip(*columns, strict=True):
        values = dict(zip(names, row, strict=True))
        key = _id(values["id"])
        if key is not None:
            label = values.get("label")
            node = {"id": key, "label": key if label is None else clean(str(label))}
            rest = {name: _json(value, kinds[name]) for name, value in values.items() if name not in node}
            nodes.setdefault(key, node | rest)
    return nodes, shown


def _edges(given: Any, what: str) -> list[list[str | None]]:
    names, columns = _columns(given if given is not None else [], f"{what}: edges")
    if not columns:
        return []
    if len(columns) < 2:
        raise ValueError(f"{what}: an edge has a source and a target.")
    named = "source" in names and "target" in names
    ends = [columns[names.index(end)] for end in ("source", "target")] if named else columns[:2]
    return [[_id(source), _id(target)] for source, target in zip(*ends, strict=True)]


def _id(value: Any) -> str | None:
    """A whole float is its integer: pandas makes floats of integers where a value is missing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else clean(str(value))


def _json(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in ("int", "float"):
        number = value if isinstance(value, int) else float(value)
        return number if math.isfinite(number) else None
    return clean(str(_cell(value) if isinstance(value, bool | date) else value))


# --- files -----------------------------------------------------------------------------------------------


def clean(text: str, most: int = 200) -> str:
    """One line of text, fit for the log: no control characters, no lone surrogates, at most `most` long."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text)[:most])
    return "".join(c for c in kept if unicodedata.category(c) != "Cs").strip()


def mask(text: str, secrets: Mapping[str, str]) -> str:
    """`text` with the values of `secrets` replaced; those under 4 characters would blacken ordinary words."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, MASK)
    return text


def safe_name(text: str) -> str:
    """A file name of at most 120 bytes made of `text`: any script's letters stay, nothing leads elsewhere."""
    spaced = "".join(" " if unicodedata.category(c)[0] == "Z" else c for c in str(text))
    kept = "".join("-" if c in '<>:"/\\|?*' else c for c in spaced if unicodedata.category(c)[0] != "C")
    name = unicodedata.normalize("NFC", kept).lstrip(" .-~").rstrip(" .")
    if RESERVED.match(name):
        name = f"_{name}"
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > 20:
        stem, suffix = name, ""
    stem = stem.encode()[: NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return (stem + suffix).rstrip(" .") or "file"


def unique(folder: Path, name: str) -> Path:
    """A new empty file (0600) in `folder`, named `name`, or `name-2`, `name-3` ... where that is taken."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return path
        except FileExistsError:
            number += 1


class Encoded:
    """A text file over `file` for the csv module, which leaves `file` open; lone surrogates become `?`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, text: str) -> int:
        return self.file.write(text.encode("utf-8", "replace"))


def _write(folder: Path, name: str, text: str) -> str:
    with _placed(folder, name) as (target, file):
        target.write(text.encode("utf-8", "replace"))
    return file


@contextmanager
def _placed(folder: Path, name: str) -> Iterator[tuple[IO[bytes], str]]:
    """A file being written, and the name that it gets in `folder` when it is whole and on disk."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = unique(folder, safe_name(name))
    descriptor, half = tempfile.mkstemp(prefix=".", dir=folder)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as target:
            yield target, path.name
            target.flush()
            os.fsync(target.fileno())
        os.replace(half, path)
    except BaseException:
        for left in (half, path):
            Path(left).unlink(missing_ok=True)
        raise
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)

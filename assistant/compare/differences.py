"""What differs between the results of two runs: rows, columns and cells, nodes and edges, files.

Files are read as far as the bounds go; `compare_results` belongs into a thread.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..results.tables import read_table

ROWS = 20_000  # of a table are compared
CELLS = 2_000_000  # of a table are read: fewer rows of a wide one
SHOWN = 50  # changed cells that are kept
KEYS = 8  # rows that are named where one table lacks them
GRAPH_BYTES = 20_000_000  # of a graph that is counted
HASH_BYTES = 100_000_000  # of a file whose content is compared

Row = Sequence[Any]
Fact = tuple[str, Any, Any]  # what, in a, in b
Produced = tuple[Sequence[Mapping[str, Any]], Path]
"""The fields of a run's `produced` entries, and the folder of their files."""


@dataclass(frozen=True)
class Cell:
    """A changed cell: the key of its row, or its number from 1."""

    row: Any
    column: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Tables:
    """How table b differs from table a; rows are matched by the column `key`, else by position.

    `cells` are the first of `changed`, `only_a` and `only_b` count rows, of which `keys_a` and `keys_b` are
    the first. `read` is how many rows of each were compared where that is not all.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    key: str | None = None
    only_a: int = 0
    only_b: int = 0
    keys_a: tuple[Any, ...] = ()
    keys_b: tuple[Any, ...] = ()
    changed: int = 0
    cells: tuple[Cell, ...] = ()
    read: int | None = None

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.only_a or self.only_b or self.changed)


@dataclass(frozen=True)
class Result:
    """A result in both, by its name. `facts` are (what, a, b); `trouble` says why it was not compared."""

    name: str
    kind: str
    in_a: bool
    in_b: bool
    same: bool | None
    facts: tuple[Fact, ...] = ()
    table: Tables | None = None
    trouble: str = ""


def compare_results(a: Produced, b: Produced) -> tuple[Result, ...]:
    """The results of both by kind and name; several of one name in their order."""
    ours, theirs = _by_name(a[0]), _by_name(b[0])
    folders = a[1], b[1]
    return tuple(_result(ours.get(key), theirs.get(key), folders) for key in dict.fromkeys([*ours, *theirs]))


def _by_name(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    found: dict[tuple[str, str, int], Mapping[str, Any]] = {}
    for result in results:
        kind, name = str(result.get("kind")), str(result.get("name"))
        found[kind, name, sum(key[:2] == (kind, name) for key in found)] = result
    return found


def _result(
    ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None, folders: tuple[Path, Path]
) -> Result:
    either = ours or theirs or {}
    kind, name = str(either.get("kind")), str(either.get("name"))
    if ours is None or theirs is None:
        return Result(name, kind, ours is not None, theirs is not None, False)
    try:
        paths = _path(folders[0], ours), _path(folders[1], theirs)
        if kind == "table":
            table = _tables(paths, ours, theirs)
            return Result(
                name, kind, True, True, table.same, (("rows", ours.get("rows"), theirs.get("rows")),), table
            )
        return _files(name, kind, paths)
    except (OSError, ValueError) as error:
        return Result(name, kind, True, True, None, trouble=f"This can not be compared: {error}")


def _files(name: str, kind: str, paths: tuple[Path, Path]) -> Result:
    """Files by size and content; of graphs nodes and edges, too."""
    facts: list[Fact] = []
    if kind == "graph":
        one, other = map(_graph, paths)
        facts += [(what, one[what], other[what]) for what in one if what in other]
    sizes = [path.stat().st_size for path in paths]
    facts.append(("bytes", sizes[0], sizes[1]))
    if max(sizes) > HASH_BYTES:
        alike = None if sizes[0] == sizes[1] else False
        trouble = f"Of files over {HASH_BYTES // 1_000_000} MB only the sizes are compared."
        return Result(name, kind, True, True, alike, tuple(facts), trouble=trouble)
    digests = [_digest(path) for path in paths]
    facts.append(("sha256", digests[0][:12], digests[1][:12]))
    return Result(name, kind, True, True, digests[0] == digests[1], tuple(facts))


def _path(folder: Path, result: Mapping[str, Any]) -> Path:
    name = result.get("file")
    path = folder / str(name)
    if not isinstance(name, str) or Path(name).name != name or path.is_symlink() or not path.is_file():
        raise ValueError(f"the file {str(name)[:80]!r} is not there.")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _graph(path: Path) -> dict[str, int]:
    if path.stat().st_size > GRAPH_BYTES:
        return {}
    found = json.loads(path.read_bytes())
    return {what: len(found[what]) for what in ("nodes", "edges") if isinstance(found.get(what), list)}


def _tables(paths: tuple[Path, Path], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Tables:
    kinds = [result.get("columns") or {} for result in (ours, theirs)]
    most = min(ROWS, CELLS // max(1, *map(len, kinds)))
    rows = [read_table(path, columns, most + 1) for path, columns in zip(paths, kinds, strict=True)]
    cut = any(len(each) > most for each in rows)
    columns = [list(each) for each in kinds]
    return compare_tables(columns[0], rows[0][:most], columns[1], rows[1][:most], most if cut else None)


def compare_tables(
    columns_a: list[str], rows_a: Sequence[Row], columns_b: list[str], rows_b: Sequence[Row],
    read: int | None = None,
) -> Tables:  # fmt: skip
    """How table b differs from a. Where both first columns are one key, rows are matched by it."""
    added = tuple(name for name in columns_b if name not in columns_a)
    removed = tuple(name for name in columns_a if name not in columns_b)
    key = columns_a[0] if columns_a and columns_a[:1] == columns_b[:1] else None
    if key is None or not (_is_key(rows_a) and _is_key(rows_b)):
        key = None
    by_a, by_b = ({row[0] if key else n: row for n, row in enumerate(rows, 1)} for rows in (rows_a, rows_b))
    shared = [(name, columns_a.index(name), columns_b.index(name)) for name in columns_a if name in columns_b]
    changed, cells = 0, list[Cell]()
    for label, one in by_a.items():
        other = by_b.get(label)
        for name, i, j in () if one == other and columns_a == columns_b else shared:
            if other is not None and one[i] != other[j]:
                changed += 1
                if len(cells) < SHOWN:
                    cells.append(Cell(label, name, one[i], other[j]))
    only_a, only_b = ([k for k in x if k not in y] for x, y in ((by_a, by_b), (by_b, by_a)))
    sample_a, sample_b = tuple(only_a[:KEYS]), tuple(only_b[:KEYS])
    return Tables(
        added, removed, key, len(only_a), len(only_b), sample_a, sample_b, changed, tuple(cells), read
    )  # fmt: skip


def _is_key(rows: Sequence[Row]) -> bool:
    """Whether the first column names each row."""
    values = {row[0] for row in rows}
    return len(values) == len(rows) and None not in values

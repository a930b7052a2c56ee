"""Tables as CSV that is safe to open in a spreadsheet, and their rows read again.

A text that could be taken for a formula gets a leading `'`, and so does one that begins with `'`. So the
escape can be taken off again: the CSV is the only file.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..files import placed
from .frames import columns_of, kind_of

FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'")  # full-width signs too: some spreadsheets take them
csv.field_size_limit(2**31 - 1)  # a cell may hold a whole page; the default refuses above 128 KiB


@dataclass(frozen=True)
class Page:
    """Some rows of a table: `columns` {name: kind}, typed `rows` (None: empty), `total` rows in the table."""

    columns: dict[str, str]
    rows: list[tuple[Any, ...]]
    total: int


def write_table(name: str, frame: Any, folder: Path) -> dict[str, Any]:
    """Write a frame as CSV; {file, rows, columns {name: kind}}. ValueError: it is no frame."""
    names, columns = columns_of(frame, f"Table {name!r}")
    with placed(folder, f"{name}.csv") as (target, file):
        write_csv(target, [map(escape, names)])
        write_csv(target, (map(cell, row) for row in zip(*columns, strict=True)))
    kinds = dict(zip(names, map(kind_of, columns), strict=True))
    return {"file": file, "rows": len(columns[0]) if columns else 0, "columns": kinds}


def write_csv(file: IO[bytes], rows: Iterable[Iterable[str]]) -> None:
    """Write rows of cells; lone surrogates become `?`. The file stays open."""
    text = io.TextIOWrapper(file, "utf-8", "replace", newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # so a cell with either is quoted
    text.detach()


def cell(value: Any) -> str:
    """A plain value as it stands in a CSV."""
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


def escape(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def unescape(text: str) -> str:
    return text.removeprefix("'")


def _float(text: str) -> float | None:
    number = float(text)
    return None if math.isnan(number) else number


READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": _float,
    "bool": lambda text: text == "true",
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "text": unescape,
}


def read_table(path: Path, columns: Mapping[str, str], most: int | None = None) -> list[tuple[Any, ...]]:
    """The rows of a table, typed by `columns` of its `produced` entry; ValueError if they do not fit.

    With `most`, no more rows than that are read.
    """
    readers = [READERS.get(kind, unescape) for kind in columns.values()]
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines, None)
        try:
            return [
                tuple([read(text) if text else None for read, text in zip(readers, line, strict=True)])
                for line in islice(filter(None, lines), most)
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

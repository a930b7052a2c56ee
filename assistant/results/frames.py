"""Frames (a DataFrame, a list of dicts, a list of rows) as columns of plain Python values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from ..text import clean

MOST_COLUMNS = 1_000  # they are named in one log line


def columns_of(frame: Any, what: str) -> tuple[list[str], list[list[Any]]]:
    """Names (each once) and values (plain Python, None for missing) of the columns of any kind of frame.

    ValueError, which begins with `what`: it is no frame.
    """
    if hasattr(frame, "to_frame") and not hasattr(frame, "columns"):
        frame = frame.to_frame()
    if hasattr(frame, "iloc"):
        names, columns = _of_frame(frame)
    elif isinstance(frame, Iterable) and not isinstance(frame, str | bytes | Mapping):
        names, columns = _of_rows(list(frame), what)
    else:
        given = type(frame).__name__
        raise ValueError(f"{what} is a DataFrame, a list of dicts or a list of rows, not {given}.")
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"{what} has {len(names):,} columns; at most {MOST_COLUMNS:,} can be shown.")
    return _distinct(names), [[_plain(value) for value in column] for column in columns]


def kind_of(column: list[Any]) -> str:
    """The kind of a column of plain values: text, bool, int, float, date or datetime."""
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


def _of_frame(frame: Any) -> tuple[list[Any], list[list[Any]]]:
    """Columns of a DataFrame; an index with a name, or that is no plain numbering, becomes columns too."""
    index = frame.index
    if any(name is not None for name in index.names) or index.dtype.kind not in "iu":
        frame = frame.reset_index(allow_duplicates=True)
    columns = (frame.iloc[:, place] for place in range(frame.shape[1]))  # by place: names may come twice
    values = [column.astype(object).where(column.notna(), None).tolist() for column in columns]
    return list(frame.columns), values


def _of_rows(rows: list[Any], what: str) -> tuple[list[Any], list[list[Any]]]:
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
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
    try:
        return None if value is None or value != value else value
    except (TypeError, ValueError):  # pandas.NA has no truth, nor has an array
        return None if type(value).__name__ == "NAType" else value

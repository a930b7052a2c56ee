"""What the guide says of a query that it made: what was found, and the query itself. Markdown."""

import re
from collections.abc import Mapping
from typing import Any

from .fields import as_sentence

ROWS = 10  # that stand in a message
CELL = 80  # characters


def answer(sql: str, result: Mapping[str, Any], note: str = "") -> str:
    """A single value in words, more as a table; then the query. `note` is said where no row fits."""
    if result.get("error"):
        return as_sentence(str(result["error"]))
    columns, rows, count = result["columns"], result["rows"], result["count"]
    if not rows:
        found = note or "No row fits."
    elif len(rows) == len(columns) == 1:
        value = "none" if rows[0][0] is None else _cell(rows[0][0])
        found = f"{_cell(columns[0].replace('_', ' '))}: **{value}**"
    else:
        head = f"| {' | '.join(map(_cell, columns))} |"
        rule = f"|{'|'.join(['---'] * len(columns))}|"
        lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows[:ROWS]]
        found = "\n".join([head, rule, *lines])
        if count > ROWS or result.get("more"):
            found += f"\n\nThe first {ROWS} of {'more than ' if result.get('more') else ''}{count:,} rows."
    return f"{found}\n\n```sql\n{sql}\n```"


def _cell(value: Any) -> str:
    """A cell that Markdown shows as it is: it may hold what a stranger wrote."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
    text = "" if value is None else " ".join(str(value).split())
    text = text if len(text) <= CELL else f"{text[: CELL - 1]}…"
    return re.sub(r"([\\`*_\[\]<>#|!&~])", r"\\\1", text)

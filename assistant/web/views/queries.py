"""A query over the results as the chat shows it: folded, the SQL and what it found."""

from collections.abc import Mapping
from typing import Any

from fasthtml.components import Code, Details, Div, P, Pre, Small, Summary, Table, Tbody, Td, Th, Thead, Tr

from ...log import Entry
from ...queries import QUERY
from .base import number

TEXT = 120  # characters of a cell


def is_query(entry: Entry) -> bool:
    """Whether the entry is a query that the chat shows; what the guide asked stands in its words."""
    return entry.did == "called" and entry.get("tool") == QUERY and entry.by != "guide"


def query_view(entry: Entry) -> Any:
    """The query, and its table or why there is none."""
    arguments, result = _mapping(entry.get("arguments")), _mapping(entry.get("result"))
    sql = str(arguments.get("sql") or arguments.get("cut") or "")
    found, told = _found(result)
    return Details(Summary("Query", Small(f": {told}")), Pre(Code(sql)), found, cls="thinking query")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _found(result: Mapping[str, Any]) -> tuple[Any, str]:
    """The table, or the reason, and what of it stands on the folded line."""
    columns, rows, count = result.get("columns"), result.get("rows"), result.get("count")
    if not isinstance(columns, list) or not isinstance(rows, list) or not isinstance(count, int):
        again = "It was asked before in this turn." if result.get("note") else ""
        return P(str(result.get("error") or again)), "no answer"
    all_ = f"more than {number(count)} rows" if result.get("more") else _rows(count)
    told = f"{number(len(rows))} of {all_}" if len(rows) < count else all_
    head = Thead(Tr(*[Th(str(column)[:TEXT], scope="col") for column in columns]))
    body = Tbody(*[Tr(*map(_cell, row)) for row in rows if isinstance(row, list)])
    return Div(Table(head, body), cls="scroll", tabindex="0", role="region", aria_label="What it found"), told


def _rows(count: int) -> str:
    return f"{number(count)} row{'' if count == 1 else 's'}"


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return Td("yes" if value else "no")
    if isinstance(value, int | float):
        return Td(f"{value:.4g}" if isinstance(value, float) else f"{value:,}", cls="number")
    text = "" if value is None else str(value)
    short = text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
    return Td(short, title=text if short != text else None)

"""What differs between results: runs, tables with their changed cells, graphs and files."""

from collections.abc import Sequence
from typing import Any

from fasthtml.components import (
    H3,
    Article,
    Caption,
    Div,
    Header,
    Li,
    Mark,
    P,
    Small,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
    Ul,
)

from ...compare.differences import Result, Tables
from ...results.tables import cell
from ...session import Session
from .runs import duration

CELL = 120  # characters of a cell
COLUMNS = 30  # that are named


def runs_view(sides: Sequence[tuple[str, Session]]) -> Any:
    """The newest run of each: how it ended and how long it took."""
    told = []
    for letter, session in sides:
        run, count = session.run, len(session.runs)
        if run is None:
            told.append(Li(f"{letter}: no run"))
            continue
        took = f" after {duration(run.seconds)}" if run.seconds is not None else ""
        of = f", the newest of {count} runs" if count > 1 else ""
        why = f": {run.reason}"[:300] if run.reason else ""
        told.append(Li(f"{letter}: {run.state}{took}{of}{why}"))
    return Ul(*told, cls="plain-list")


def result_view(result: Result, first: bool) -> Any:
    """One result by its name; `first` marks the first difference of all."""
    sign = {True: "equal", False: "differs", None: "not compared"}[result.same]
    if not (result.in_a and result.in_b):
        sign = f"only in {'A' if result.in_a else 'B'}"
    counts = [fact(what, a, b) for what, a, b in result.facts]
    return Article(
        Header(
            H3(result.name.replace("_", " ").capitalize()),
            Small(" · ".join([result.kind, sign, *counts])),
            Mark("first difference") if first else "",
        ),
        P(result.trouble) if result.trouble else "",
        _table(result.table) if result.table and not (result.same and result.table.read is None) else "",
        cls="result differs" if result.same is False else "result",
        data_result=result.name,
    )


def fact(what: str, a: object, b: object) -> str:
    """rows 50, or rows 50 and 48."""
    one, other = (f"{x:,}" if isinstance(x, int) else str(x) for x in (a, b))
    return f"{what} {one}" if a == b else f"{what} {one} in A, {other} in B"


def _table(table: Tables) -> Any:
    told = []
    if table.read is not None:
        told.append(f"Only the first {table.read:,} rows of each are compared.")
    how = f"Rows are matched by “{table.key}”." if table.key else "Rows are matched by their position."
    if table.changed or table.only_a or table.only_b:
        told.append(how)
    for letter, names in (("B", table.added), ("A", table.removed)):
        if names:
            more = " …" if len(names) > COLUMNS else ""
            told.append(f"Columns only in {letter}: {', '.join(names[:COLUMNS])}{more}.")
    for letter, count, keys in (("A", table.only_a, table.keys_a), ("B", table.only_b, table.keys_b)):
        if count:
            named = ", ".join(_cell(key) for key in keys)
            more = " …" if count > len(keys) else ""
            rows = "row" if count == 1 else "rows"
            told.append(f"{count:,} {rows} only in {letter}: {named}{more}.")
    if table.changed:
        cells = "1 changed cell" if table.changed == 1 else f"{table.changed:,} changed cells"
        cut = table.changed > len(table.cells)
        told.append(f"{cells}, the first {len(table.cells)} of them:" if cut else f"{cells}:")
    return Div(Ul(*map(Li, told), cls="plain-list"), _cells(table) if table.cells else "")


def _cells(table: Tables) -> Any:
    heads = [Th(text, scope="col") for text in (table.key or "Row", "Column", "A", "B")]
    rows = [
        Tr(Th(_cell(each.row), scope="row"), Td(each.column), Td(_cell(each.a)), Td(_cell(each.b)))
        for each in table.cells
    ]
    found = Table(Caption("Changed cells", cls="hidden"), Thead(Tr(*heads)), Tbody(*rows))
    return Div(found, cls="scroll", tabindex="0", role="region", aria_label="Changed cells")


def _cell(value: Any) -> str:
    text = "empty" if value is None else value if isinstance(value, str) else cell(value)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"

"""The run: start and cancel, progress, and its results (tables, graphs, notes, downloads)."""

from typing import Any
from urllib.parse import quote, urlencode

from fasthtml.components import (
    H2,
    H3,
    A,
    Article,
    B,
    Button,
    Caption,
    Details,
    Div,
    Form,
    Header,
    Input,
    P,
    Pre,
    Progress,
    Section,
    Small,
    Span,
    Summary,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
)

from ...parameters import show
from ...results.tables import Page
from ...session.parts import Run
from ...workspace.summaries import since_run
from ..markdown import markdown
from .base import clock, number
from .shown import Shown

ROWS = 20
DIFFERING = 4  # values that the line above earlier results names
STATES = {
    "running": "running",
    "finished": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted: the program ended before the run did",
}


def runs_view(shown: Shown) -> Any:
    """The run card: a button when all steps are done, the progress while it runs, how it ended."""
    run, ready = shown.session.run, bool(shown.cards) and shown.open is None
    number_ = len(shown.cards) + 1
    if run and run.state == "running" and shown.at is None:
        return Section(_running(shown, run), id="runs", aria_label="Run")
    parts = []
    if run:
        parts.append(_ended(shown, run))
    if not shown.fixed:
        parts.insert(0, _start(shown, run, ready, number_))
    return Section(*parts, id="runs", aria_label="Run")


def _start(shown: Shown, run: Run | None, ready: bool, number_: int) -> Any:
    # an id stands once in a page, and a step may be named "run"
    id = "card-run" if all(card.step.name != "run" for card in shown.cards) else "card-run-itself"
    title = "Run" if run is None or run.state == "finished" else "Run again"
    if run and run.state == "finished":
        title = "Run again"
    header = (Span(str(number_), cls="num"), H2(title))
    if not ready:
        waiting = next((n for n, card in enumerate(shown.cards, 1) if card.state == "open"), None)
        after = f"after step {waiting}" if waiting else ""
        return Article(Header(*header, Small(after)), cls="card", data_state="locked", id=id)
    address = f"{shown.address}/runs"
    button = Form(
        Button("Run", type="submit", cls="next"),
        method="post",
        action=address,
        hx_post=address,
        hx_swap="none",
        hx_sync="this:drop",
    )
    return Article(Header(*header, button), cls="card ready", data_state="open", id=id)


def _running(shown: Shown, run: Run) -> Any:
    live = shown.progress or {}
    done, total = live.get("done", run.done), live.get("total", run.total)
    bar = Progress(value=done, max=total, aria_label="Progress") if total else Progress(aria_label="Progress")
    parts = []
    if total:
        parts.append(f"{number(done or 0)} of {number(total)}")
    elif done:
        parts.append(number(done))
    if live.get("rate"):
        parts.append(f"{number(live['rate'])} a second")
    if live.get("left") is not None:
        parts.append(f"{duration(live['left'])} left")
    note = live.get("note") or run.note
    address = f"{shown.address}/runs/{run.id}/cancel"
    cancel = Form(
        Button("Cancel", cls="plain"), method="post", action=address, hx_post=address, hx_swap="none"
    )
    return Div(
        Div(B("Running"), "" if shown.fixed else cancel, cls="row"),
        bar,
        P(Small(" · ".join([*parts, note] if note else parts) or "starting", cls="note")),
        _output(live.get("output", "")),
        cls="run",
        data_run=run.id,
        data_state="running",
    )


def _output(text: str) -> Any:
    return Details(Summary("Output"), Pre(text[-4_000:])) if text.strip() else ""


def _ended(shown: Shown, run: Run) -> Any:
    took = f" after {duration(run.seconds)}" if run.seconds is not None else ""
    bar = ""
    if run.total and run.state != "finished":
        bar = Progress(value=run.done or 0, max=run.total, aria_label="Progress when it ended")
    how = Small(f"{STATES.get(run.state, run.state)}{took} · entry {run.ended or run.n}")
    return Div(
        Div(P(B("Last run"), " ", how), _again(shown), cls="row"),
        bar,
        P(run.reason, cls="note error") if run.reason else "",
        cls="run",
        data_run=run.id,
        data_state=run.state,
    )


def _again(shown: Shown) -> Any:
    """The same values in a new session, each open to change; this one stays as it is."""
    if shown.at is None and (shown.flow is None or shown.damaged):
        return ""
    address = f"{shown.address}/again"
    hidden = Input(type="hidden", name="at", value=str(shown.at)) if shown.at else ""
    button = Button("Run again with changes", cls="plain", title="In a new session, with these values")
    return Form(hidden, button, method="post", action=address, cls="run-again")


def duration(seconds: float | None) -> str:
    """Seconds for reading: 0.8 s, 31 s, 8 min, 2 h 5 min."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 3_600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds // 3_600:.0f} h {seconds % 3_600 // 60:.0f} min"


def results_view(shown: Shown, tables: dict[str, Page | str], notes: dict[str, str]) -> Any:
    """The newest run's results. `tables` and `notes` hold what was read of their files, or a sentence."""
    run = shown.session.run
    parts: list[Any] = []
    for result in run.results if run else ():
        file, name = str(result.get("file")), str(result.get("name"))
        kind = result.get("kind")
        if kind == "table":
            page = tables.get(file)
            shown_table = (
                table_view(shown.address, file, name, page) if isinstance(page, Page) else P(page or "")
            )
            parts.append(shown_table)
        elif kind == "graph":
            parts.append(_graph(shown, file, name))
        elif kind == "note":
            parts.append(Div(markdown(notes.get(file, "")), cls="result-note"))
        else:
            parts.append(P(A(name, href=file_address(shown.address, file), download=True), cls="download"))
    heading = H2("Results") if parts else ""
    return Section(heading, _of_before(shown) if parts else "", *parts, id="results", aria_label="Results")


def _of_before(shown: Shown) -> Any:
    """One line where values were changed since the run: of which run the results are, and what differs."""
    run, changed = shown.session.run, since_run(shown.session)
    if run is None or not changed:
        return ""
    fields = shown.flow.fields() if shown.flow else {}
    texts = [
        f"{field.label} {_short(show(field, changed[name][0]))} → {_short(show(field, changed[name][1]))}"
        for name, field in fields.items()
        if name in changed
    ]
    more = f" and {len(texts) - DIFFERING} more" if len(texts) > DIFFERING else ""
    which = f": {', '.join(texts[:DIFFERING])}{more}" if texts else ""
    again = "" if shown.fixed else A("Run again", href=f"{shown.address}#runs")
    text = f"These results are of the run at {clock(run.at)[:5]}, with other values{which}. "
    return P(text, again, cls="quiet", data_changed=True)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def file_address(address: str, file: str) -> str:
    return f"{address}/files/{quote(file, safe='')}"


def _graph(shown: Shown, file: str, name: str) -> Any:
    address = file_address(shown.address, file)
    return Article(
        Header(
            H3(name.replace("_", " ").capitalize()), A("Download", href=address, download=True, cls="chip")
        ),
        Div(id=f"graph-{_slug(file)}", cls="graph", data_src=address, hx_morph_skip="true"),
        cls="result graph-result",
    )


def _slug(file: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in file)


def table_view(
    address: str,
    file: str,
    name: str,
    page: Page,
    sort: str | None = None,
    descending: bool = False,
    offset: int = 0,
) -> Any:
    """A table's rows from `offset`, with links that sort and turn pages, under htmx without leaving."""
    id = f"table-{_slug(file)}"
    base = f"{address}/tables/{quote(file, safe='')}"

    def link(text: str, **query: Any) -> Any:
        href = (
            f"{base}?{urlencode({key: value for key, value in query.items() if value not in (None, False)})}"
        )
        return A(text, href=href, hx_get=href, hx_target=f"#{id}", hx_swap="outerHTML")

    heads = []
    for column, kind in page.columns.items():
        down = descending if sort == column else kind != "text" and sort != column
        # the first click on numbers shows the largest, on text the first of the alphabet
        flipped = not descending if sort == column else down
        order = {"aria_sort": "descending" if descending else "ascending"} if sort == column else {}
        heads.append(
            Th(
                link(column, sort=column, descending=int(flipped) or None),
                scope="col",
                cls=None if kind == "text" else "number",
                **order,
            )
        )
    rows = [
        Tr(*[_cell(value, kind) for value, kind in zip(row, page.columns.values(), strict=True)])
        for row in page.rows
    ]
    last = min(offset + len(page.rows), page.total)
    order_now = {"sort": sort, "descending": int(descending) or None}
    previous = link("Previous", **order_now, offset=max(0, offset - ROWS)) if offset > 0 else ""
    following = link("Next", **order_now, offset=offset + ROWS) if last < page.total else ""
    count = f"{offset + 1:,} to {last:,} of {page.total:,} rows" if page.total else "no rows"
    copy = Button("Copy", type="button", cls="plain copy", data_copy=f"{base}?text=1")
    download = A("Download", href=file_address(address, file), download=True, cls="chip")
    return Article(
        Header(H3(name.replace("_", " ").capitalize()), Small(count), copy, download),
        Div(
            Table(Caption(name, cls="hidden"), Thead(Tr(*heads)), Tbody(*rows)),
            cls="scroll",
            tabindex="0",
            role="region",
            aria_label=f"Table {name}",
        ),
        Div(previous, following, cls="pages") if previous or following else "",
        cls="result table-result",
        id=id,
        hx_morph_skip="true",
    )


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return Td("")
    if kind == "float":
        return Td(f"{value:.4g}", cls="number")
    if kind == "int":
        return Td(f"{value:,}", cls="number")
    text = {True: "yes", False: "no"}[value] if kind == "bool" else str(value)
    short = text if len(text) <= 120 else f"{text[:119]}…"
    return Td(short, title=text if short != text else None)

"""The list of sessions: which are shown, their rows, and what can be done with one or with several."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fastcore.xml import Safe
from fasthtml.components import (
    H2,
    A,
    Button,
    Details,
    Div,
    Form,
    Input,
    Label,
    Li,
    Nav,
    Option,
    P,
    Progress,
    Section,
    Select,
    Small,
    Span,
    Summary,
    Time,
    Ul,
    to_xml,
)

from ...workspace import summaries
from ...workspace.listing import SORTS, STAGES, Listing, Wish
from ...workspace.retention import changed
from .base import size_text
from .shelf import rename_form

DRAWN = 500  # rows that are kept: drawing fifty takes longer than all else that a page needs
NOTHING = "There are no sessions yet. Start one above; it stays here until you delete it."


def query_of(wish: Wish, **changes: Any) -> str:
    """The part of the list's address after the question mark; empty for the list as it is."""
    standard = Wish()
    fields = {name: getattr(wish, name) for name in vars(standard)} | changes
    kept = {name: value for name, value in fields.items() if value != getattr(standard, name)}
    return urlencode({name: 1 if value is True else value for name, value in kept.items()})


def address_of(wish: Wish, **changes: Any) -> str:
    query = query_of(wish, **changes)
    return f".?{query}" if query else "."


def list_section(listing: Listing, workflows: Mapping[str, str], now: datetime) -> Any:
    """The list, or how to begin where there is none. `workflows`: titles by stem."""
    if not listing.current and not listing.archived:
        return Section(H2("Sessions"), P(NOTHING, cls="quiet"), _import_form(), cls="go-on")
    wish = listing.wish
    back = query_of(wish)
    rows = [_row(summary, back, ago(changed(summary), now)) for summary in listing.rows]
    empty = P("No session fits. ", A("Show all", href="."), cls="quiet")
    if wish.archived and not wish.filtered:
        empty = P("Nothing is archived. ", A("Show the others", href="."), cls="quiet")
    elif not wish.filtered:
        empty = P("All sessions are archived.", cls="quiet")
    return Section(
        _heading(listing),
        _filter(listing, workflows),
        _still_reading(listing),
        _bulk(listing) if rows else "",
        Ul(*rows, cls="sessions") if rows else "" if listing.unread else empty,
        _pages(listing),
        _import_form(),
        cls="go-on",
        id="sessions",
    )


def _heading(listing: Listing) -> Any:
    wish = listing.wish
    what = "session" if listing.found == 1 else "sessions"
    count = f"{listing.found:,} {what}, {size_text(listing.bytes)}"
    if wish.filtered or wish.archived:
        count += f" of {size_text(listing.stored)}"
    other: Any = ""
    if wish.archived:
        other = A("Not archived", href=address_of(Wish()), cls="chip")
    elif listing.archived:
        other = A(f"Archived ({listing.archived:,})", href=address_of(Wish(archived=True)), cls="chip")
    return Div(
        H2("Archived sessions" if wish.archived else "Sessions"),
        Small(count),
        Nav(other, A("Retention", href="retention", cls="chip"), aria_label="Sessions"),
        cls="list-head",
    )


def _filter(listing: Listing, workflows: Mapping[str, str]) -> Any:
    wish = listing.wish

    def select(name: str, label: str, options: Mapping[str, str], chosen: str) -> Any:
        listed = [Option(text, value=value, selected=value == chosen) for value, text in options.items()]
        return Select(*listed, name=name, aria_label=label)

    return Form(
        Input(type="search", name="name", value=wish.name, placeholder="Name", aria_label="Name contains"),
        select("workflow", "Workflow", {"": "All workflows", **workflows}, wish.workflow),
        select("state", "State", {"": "Any state", **STAGES}, wish.state),
        select("sort", "Order", {key: f"By {text.lower()}" for key, text in SORTS.items()}, wish.sort),
        Input(type="hidden", name="archived", value="1") if wish.archived else "",
        Button("Show", cls="plain"),
        method="get",
        action=".",
        cls="filter",
        aria_label="Which sessions",
    )


def _still_reading(listing: Listing) -> Any:
    if not listing.unread:
        return ""
    what = "1 session is" if listing.unread == 1 else f"{listing.unread:,} sessions are"
    told = f"{what} still being read; the list follows."
    return P(told, cls="notice", role="status")


def _bulk(listing: Listing) -> Any:
    """What can be done with the ticked ones. The ticks are in the rows and belong to this form."""
    put_away = ("unarchive", "Take out of the archive") if listing.wish.archived else ("archive", "Archive")
    actions = [put_away, ("pin", "Pin"), ("unpin", "Unpin"), ("delete", "Delete")]
    return Form(
        Input(type="hidden", name="back", value=query_of(listing.wish)),
        Label(Input(type="checkbox", id="tick-all"), "All shown", cls="scripted"),
        Span("With the ticked ones:", cls="quiet"),
        *[Button(text, name="action", value=action, cls="plain") for action, text in actions],
        method="post",
        action="sessions/bulk",
        id="bulk",
        cls="row bulk",
    )


@lru_cache(DRAWN)
def _row(summary: summaries.Summary, back: str, when: str) -> Any:
    """A row as markup; `back` is the list that its forms lead back to, `when` the last change in words."""
    notes = [summary.title] if summary.name != summary.title else []
    notes += ["forked"] if summary.forked_from else []
    pinned = Span("pinned", cls="by", data_by="model") if summary.pinned else ""
    row = Li(
        Input(
            type="checkbox", name="sid", value=summary.sid, form="bulk", cls="tick",
            aria_label=f"Tick {summary.name}",
        ),
        Span(A(summary.name, href=f"sessions/{summary.sid}"), pinned, Small(" · ".join(notes)), cls="name"),
        Span(summary.state or "…", _progress(summary), cls="state"),
        Time(when, datetime=summary.changed, title=f"{changed(summary):%Y-%m-%d %H:%M} UTC", cls="when"),
        Small(size_text(summary.bytes), cls="size"),
        _tools(summary, back),
    )  # fmt: skip
    return Safe(to_xml(row, indent=False))


def _progress(summary: summaries.Summary) -> Any:
    done, total = summary.steps_done, summary.steps_total
    if summary.stage not in ("steps", "ready", "running") or not total:
        return ""
    return Progress(value=done, max=total, aria_label=f"{done} of {total} steps done")


def _tools(summary: summaries.Summary, back: str) -> Any:
    """What can be done with one session; the buttons belong to the form of the ticked ones."""
    address = f"sessions/{summary.sid}"

    def button(text: str, what: str, on: bool = True) -> Any:
        return Button(
            text, form="bulk", formaction=f"{address}/{what}", name="on", value=str(on).lower(),
            aria_label=f"{text} {summary.name}",
        )  # fmt: skip

    return Div(
        Details(
            Summary("Rename", aria_label=f"Rename {summary.name}"),
            rename_form(address, summary.name, Input(type="hidden", name="back", value=back)),
        ),
        button("Unpin" if summary.pinned else "Pin", "pin", not summary.pinned),
        button("Unarchive" if summary.archived else "Archive", "archive", not summary.archived),
        button("Delete", "delete"),
        cls="tools",
    )


def _pages(listing: Listing) -> Any:
    wish = listing.wish
    if listing.pages == 1:
        return ""
    here = min(wish.page, listing.pages)
    there = {page: f"{address_of(wish, page=page)}#sessions" for page in (here - 1, here + 1)}
    before = A("Previous", href=there[here - 1], rel="prev") if here > 1 else ""
    after = A("Next", href=there[here + 1], rel="next") if here < listing.pages else ""
    told = Small(f"page {here:,} of {listing.pages:,}")
    return Nav(before, told, after, cls="list-pages", aria_label="Pages")


def _import_form() -> Any:
    return Details(
        Summary("Import a session"),
        Form(
            Input(type="file", name="file", accept=".zip,.jsonl", required=True, aria_label="File"),
            Button("Import", cls="plain"),
            Small("session.zip or log.jsonl, as a session was exported"),
            method="post",
            action="import",
            enctype="multipart/form-data",
            cls="row",
        ),
        cls="import",
    )


def ago(when: datetime, now: datetime) -> str:
    """How long ago, in words; after a month the date."""
    seconds = (now - when).total_seconds()
    if seconds < 60:
        return "just now"
    for size, limit, unit in ((60, 60, "minute"), (3_600, 24, "hour"), (86_400, 31, "day")):
        count = int(seconds // size)
        if count < limit:
            if unit == "day" and count == 1:
                return "yesterday"
            return f"{count} {unit if count == 1 else f'{unit}s'} ago"
    return f"{when.day} {when:%b %Y}"

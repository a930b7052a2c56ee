"""The timeline over a session's entries, on the record and on the page: slider, step, play, go on from here.

Its script shows another entry without loading the page: it gets that page and takes over the parts in `swap`.
"""

from typing import Any
from urllib.parse import urlencode

from fasthtml.components import A, Button, Div, Form, Input, Label, Link, Option, Script, Select, Span

from ..assets import asset
from .base import clock
from .shown import Shown

SPEEDS = (1, 2, 5, 10, 20)
LONGEST_WAIT = 2_000  # milliseconds that a replay waits between two entries at most, at speed 1


def styles() -> Any:
    """For the head of a page that has a timeline or a drawing."""
    return Link(rel="stylesheet", href=asset("record.css"))


def timeline(shown: Shown, page: str, swap: str, **kept: str) -> Any:
    """`page` is the address that shows an entry, `kept` what else is in its query."""
    moment = shown.moment
    if moment is None or not moment.n:
        return ""
    slider = Input(
        type="range",
        name="at",
        min="1",
        max=str(moment.last),
        value=str(moment.n),
        aria_label="Entry",
        aria_valuetext=f"entry {moment.n} of {moment.last}, {clock(moment.at)}",
        id="timeline-at",
        autocomplete="off",
    )
    form = Form(
        Button("Play", type="button", cls="plain scripted", id="timeline-play"),
        _speeds(),
        _step(page, kept, "timeline-back", "←", "One entry back", moment.n - 1, moment.n > 1),
        Label(Span("Entry", cls="unseen"), slider, cls="slider"),
        _step(page, kept, "timeline-on", "→", "One entry on", moment.n + 1, moment.n < moment.last),
        *[Input(type="hidden", name=name, value=value) for name, value in kept.items() if value],
        Button("Show", cls="plain no-script"),
        Span(f"entry {moment.n} of {moment.last} · {clock(moment.at)}", cls="quiet", id="timeline-now"),
        method="get",
        action=page,
        id="timeline",
        data_swap=swap,
        data_next=moment.next,
        data_wait=min(moment.wait, LONGEST_WAIT),
    )
    links = Div(*_from_here(shown, page), id="timeline-links")
    return Div(form, links, Script(src=asset("timeline.js"), defer=True), cls="timeline")


def _speeds() -> Any:
    options = [Option(f"{speed}x", value=speed) for speed in SPEEDS]
    return Select(*options, aria_label="Speed", id="timeline-speed", cls="scripted")


def _step(page: str, kept: dict[str, str], id: str, text: str, label: str, to: int, is_there: bool) -> Any:
    query = urlencode({name: value for name, value in {**kept, "at": to}.items() if value})
    return A(
        text,
        href=f"{page}?{query}" if is_there else None,
        id=id,
        cls="chip",
        aria_label=label,
        title=label,
        aria_disabled=None if is_there else "true",
        data_at=to,
    )


def _from_here(shown: Shown, page: str) -> list[Any]:
    """Where one can go from the entry that is shown."""
    moment = shown.moment
    assert moment is not None
    record = f"{shown.address}/record"
    fork = Form(
        Input(type="hidden", name="at", value=moment.n),
        Button("Go on from here", cls="plain"),
        method="post",
        action=f"{shown.address}/fork",
    )
    found: list[Any] = [fork]
    if moment.n < moment.last:
        query = urlencode({"a": f"{shown.sid}@{moment.n}", "b": shown.sid})
        found.append(A("Compare then and now", href=f"compare?{query}", cls="chip"))
    if page == record:
        found.append(A("The page then", href=f"{shown.address}?at={moment.n}", cls="chip"))
    else:
        found.append(A("Record", href=f"{record}?at={moment.n}#c{moment.n}", cls="chip"))
        found.append(Span("Nothing can be changed here.", cls="quiet"))
    if shown.at is not None and page == record:
        found.append(A("To the present", href=page, cls="chip"))
    return found

"""The record: the conversation and the parameters side by side, as the log has them."""

import json
from collections import Counter
from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Aside,
    Button,
    Details,
    Div,
    Form,
    Input,
    Label,
    Li,
    Main,
    Option,
    Pre,
    Select,
    Small,
    Span,
    Summary,
    Ul,
)

from ...export import FORMATS
from ...record.account import DEFAULT, EARLIER, Account, Wanted, window
from ...record.drawing import drawing_of_session
from ...record.layout import Node
from ...session import Session
from .base import WHO, page, top
from .drawing import drawing_view
from .look import Look, look_at
from .record_conversation import conversation
from .record_parameters import parameters
from .shown import Shown
from .timeline import styles, timeline

LINES = 60  # of the log, drawn at once
LONGEST = 1_000  # characters of one
Counts = tuple[Counter[str], Counter[str]]
SWAP = "#counts, #filter, #conversation, #parameters, #drawing-now, #lines"


def record_page(
    shown: Shown, account: Account, now: Session, wanted: Wanted, near: int | None, prefix: str
) -> Any:
    """Both logs of a session up to entry `shown.at` (or its end), as far as they are `wanted`."""
    look = look_at(shown, account, now, wanted, near)
    counts = account.counts()
    exports = [Li(A(name, href=f"{shown.address}/export/{name}", download=True)) for name in FORMATS]
    body = Main(
        H1(f"Record · {shown.name}", cls="unseen"),
        timeline(shown, f"{shown.address}/record", SWAP, **vars(wanted)),
        _filter(look, counts),
        _drawing(look),
        Div(conversation(look), parameters(look), cls="two"),
        _lines(look),
    )
    return page(
        f"Record · {shown.name}",
        prefix,
        top(
            f"Record · {shown.name}",
            A("Take out a text", href=f"{shown.address}/redact", cls="chip wide"),
            A("Compare", href=f"compare?a={shown.sid}", cls="chip wide"),
            A("Back to the session", href=shown.address, cls="chip"),
            Details(Summary("Export", cls="chip", role="button"), Ul(*exports), cls="menu"),
        ),
        _counts(look, counts),
        body,
        cls="record",
        head=(styles(),),
        data_sid=shown.sid,
    )


def _counts(look: Look, counts: Counts) -> Any:
    """Who wrote how many entries, and of which kind: each a filter."""
    who, what = counts
    by = [_who_item(look, name, count, i == 0) for i, (name, count) in enumerate(who.most_common())]
    did = [_item(look, "what", name, [Span(name), Small(f"{n:,}")]) for name, n in what.most_common()]
    lists = [H2("Who"), Ul(*by, cls="counts"), H2("What"), Ul(*did, cls="counts")]
    return Aside(Div(*lists, id="counts"), cls="rail", aria_label="Who and what, as filters")


def _who_item(look: Look, name: str, count: int, first: bool) -> Any:
    by = name if name in WHO else "user" if name == EARLIER else "model"
    text = "earlier session" if name == EARLIER else WHO.get(name, name)
    tag = Span(text, cls="by", data_by=by)
    return _item(look, "who", name, [tag, Span(f"{count:,} entries" if first else f"{count:,}")])


def _item(look: Look, key: str, name: str, content: list[Any]) -> Any:
    """A link that shows only these; the one that is chosen shows all again."""
    chosen = getattr(look.wanted, key) == name
    changes: dict[str, Any] = {key: "" if chosen else name, "near": None}
    title = "Show all again" if chosen else None
    return Li(A(*content, href=look.href(**changes), aria_current="true" if chosen else None, title=title))


def _filter(look: Look, counts: Counts) -> Any:
    """The same as a form: works without scripts, keeps the entry."""
    wanted, shown = look.wanted, look.shown
    who, what = counts
    names = {name: "earlier session" if name == EARLIER else WHO.get(name, name) for name in who}
    names.setdefault(DEFAULT, DEFAULT)
    steps = {step.name: step.question for step in shown.flow.steps} if shown.flow else {}
    hidden = Input(type="hidden", name="at", value=shown.at) if shown.at is not None else ""
    told: Any = ""
    if wanted:
        all_ = look.href(who="", what="", step="", text="", near=None)
        told = Span(
            Small(f"{len(look.chosen):,} of {look.account.at:,} entries"), " ", A("Show all", href=all_)
        )
    return Form(
        _choice("who", "Who", "Everyone", names, wanted.who),
        _choice("what", "What", "Everything", {name: name for name in sorted(what)}, wanted.what),
        _choice("step", "Step", "Every step", steps, wanted.step),
        Label(
            Span("Text", cls="unseen"),
            Input(type="search", name="text", value=wanted.text, placeholder="Text", maxlength=200),
        ),
        hidden,
        Button("Filter", cls="plain"),
        told,
        method="get",
        action=f"{shown.address}/record",
        cls="sift",
        id="filter",
    )


def _choice(name: str, label: str, everything: str, options: dict[str, str], chosen: str) -> Any:
    known = options if not chosen or chosen in options else {chosen: chosen, **options}
    found = [Option(text[:60], value=key, selected=key == chosen) for key, text in known.items()]
    return Label(Span(label, cls="unseen"), Select(Option(everything, value=""), *found, name=name))


def _drawing(look: Look) -> Any:
    drawing = drawing_of_session(look.shown.session, look.shown.flow)
    view = drawing_view(drawing, lambda node: _entry_of(look, node))
    summary = Summary("Drawing: who set what, and what depends on it")
    return Details(summary, Div(view, id="drawing-now"), id="drawing", cls="fold")


def _entry_of(look: Look, node: Node) -> str | None:
    """Where the entry of a box stands: a value's among the parameters, all others in the conversation."""
    mark = f"{'p' if node.kind == 'value' else 'c'}{node.n}"
    if not node.n or mark in look.ids or node.kind == "value":
        return look.to(mark) if node.n else None
    return look.href(mark, who="", what="", step="", text="", near=None, at=node.n)  # which is always shown


def _lines(look: Look) -> Any:
    """The lines of the log as they are, around the entry that is looked at."""
    chosen = look.chosen
    part = window([entry.n for entry in chosen], look.near, LINES)
    texts = [json.dumps(entry.as_dict(), ensure_ascii=False) for entry in chosen[part]]
    cut = [text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in texts]
    summary = Summary(f"The lines of the log ({len(texts)} of {len(chosen):,})")
    return Details(summary, Pre("\n".join(cut), tabindex="0", id="lines"), cls="fold raw")

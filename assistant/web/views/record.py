"""The record: the conversation and the parameters side by side, as the log has them."""

import json
from typing import Any

from fasthtml.components import (
    H1,
    H2,
    H3,
    A,
    Article,
    Aside,
    B,
    Button,
    Code,
    Details,
    Div,
    Form,
    Input,
    Label,
    Li,
    Main,
    P,
    Pre,
    S,
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
    Ul,
)

from ...log import Entry
from ...parameters import show
from ..markdown import markdown
from .base import by_tag, clock, page, top
from .shown import Shown

TALK = ("said", "helped", "asked", "answered", "realigned")
FORMATS = ("log.jsonl", "conversation.md", "parameters.json", "parameters.csv")
ROWS = 400


def record_page(shown: Shown, entries: list[Entry], prefix: str) -> Any:
    """Both logs of a session up to entry `shown.at` (or its end)."""
    at = shown.at or shown.last
    seen = [entry for entry in entries if entry.n <= at]
    exports = [Li(A(name, href=f"{shown.address}/export/{name}", download=True)) for name in FORMATS]
    fork = Form(
        Input(type="hidden", name="at", value=str(at)),
        Button("Fork from here", cls="plain wide"),
        method="post",
        action=f"{shown.address}/fork",
    )
    body = Main(
        H1(f"Record · {shown.name}", cls="unseen"),
        timeline(shown, entries, at),
        Div(_conversation(shown, seen, at), _parameters(shown, seen, at), cls="two"),
        _raw(seen),
    )
    return page(
        f"Record · {shown.name}",
        prefix,
        top(
            f"Record · {shown.name}",
            A("Back to the session", href=shown.address, cls="chip"),
            fork,
            Details(Summary("Export", cls="chip", role="button"), Ul(*exports), cls="menu wide"),
        ),
        _counts(seen),
        body,
        cls="record",
        data_sid=shown.sid,
    )


def timeline(shown: Shown, entries: list[Entry], at: int) -> Any:
    """Any entry of the session: the record and the page as they were then."""
    last = shown.last
    entry = next((entry for entry in reversed(entries) if entry.n <= at), None)
    when = f" · {clock(entry.at)}" if entry else ""
    slider = Input(
        type="range", name="at", min="1", max=str(last), value=str(at), aria_label="Entry", id="timeline-at"
    )
    return Form(
        Label("Entry", slider, cls="slider"),
        Button("Show", cls="plain"),
        Span(f"entry {at} of {last}{when}", cls="quiet", id="timeline-now"),
        A("The page then", href=f"{shown.address}?at={at}", cls="chip"),
        method="get",
        action=f"{shown.address}/record",
        cls="timeline",
        id="timeline",
    )


def _counts(entries: list[Entry]) -> Any:
    who: dict[str, int] = {}
    what: dict[str, int] = {}
    for entry in entries:
        who[entry.by] = who.get(entry.by, 0) + 1
        what[entry.did] = what.get(entry.did, 0) + 1
    by = [
        Li(by_tag(name), Span(f"{count} entries" if n == 0 else str(count)))
        for n, (name, count) in enumerate(_most(who))
    ]
    did = [Li(Span(name), Small(str(count))) for name, count in _most(what)]
    return Aside(
        H3("Who"), Ul(*by, cls="counts"), H3("What"), Ul(*did, cls="counts"), cls="rail", aria_label="Counts"
    )


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _conversation(shown: Shown, entries: list[Entry], at: int) -> Any:
    """Words, help and questions, with the changes that a turn made."""
    talk = [
        e
        for e in entries
        if e.did in TALK or (e.get("turn") and e.did in ("set", "refused", "proposed", "failed"))
    ]
    left_out = len(talk) - ROWS
    earlier = P(f"{left_out} earlier ones are in log.jsonl", cls="quiet") if left_out > 0 else ""
    return Section(
        H2("Conversation"),
        Div(earlier, *[_message(shown, e, at) for e in talk[-ROWS:]], cls="chat-log"),
        id="conversation",
    )


def _message(shown: Shown, entry: Entry, at: int) -> Any:
    meta = [f"{entry.n} · {clock(entry.at)}"]
    if entry.did == "said" and entry.by != "user":
        meta.append(str(entry.get("model") or entry.by))
        meta += [word for word in ("stopped", "incomplete") if entry.get(word)]
    content: Any
    cls = "message"
    if entry.did == "helped":
        question, _, text = str(entry.get("text") or "").partition("\n")
        content, cls = (B(question), markdown(text, False)), "message help"
    elif entry.did == "said":
        content = (
            (markdown(str(entry.get("text") or "")),)
            if entry.by != "user"
            else (P(str(entry.get("text") or "")),)
        )
    elif entry.did in ("set", "proposed"):
        rows = [
            Code(f"{n} = {show(_field(shown, n), v)}"[:200]) for n, v in (entry.get("values") or {}).items()
        ]
        content = (
            Div(A(str(entry.n), href=f"{shown.address}/record?at={entry.n}#p{entry.n}"), *rows, cls="did"),
        )
    elif entry.did in ("refused", "failed"):
        content = (
            Div(Code(str(entry.get("name") or "")), Span(str(entry.get("reason"))), cls="did refused"),
        )
    elif entry.did == "asked":
        content = (Div(markdown(str(entry.get("question") or "")), cls="question"),)
    elif entry.did == "answered":
        content = (Small(f"answered: {entry.get('value') or entry.get('action')}"),)
    else:
        content = (Small(entry.did),)
    return Article(
        Small(" · ".join(meta)),
        *content,
        cls=f"{cls} at" if entry.n == at else cls,
        data_by=entry.by,
        data_n=entry.n,
        id=f"c{entry.n}",
    )


def _field(shown: Shown, name: str | None) -> Any:
    return (shown.flow.fields() if shown.flow else {}).get(name or "")


def _parameters(shown: Shown, entries: list[Entry], at: int) -> Any:
    """Each value that was set, suggested or refused, with who and why."""
    rows: list[Any] = []
    for entry in entries:
        before = len(rows)
        if entry.did in ("set", "proposed"):
            rows += [
                _value_row(shown, entry, name, value, at)
                for name, value in (entry.get("values") or {}).items()
            ]
        elif entry.did == "refused":
            rows.append(
                _row(
                    shown,
                    entry,
                    entry.get("name") or entry.get("step"),
                    S(show(_field(shown, entry.get("name")), entry.get("value"))),
                    entry.by,
                    f"refused: {entry.get('reason')}",
                    at,
                )
            )
        elif entry.did == "cleared":
            rows += [
                _row(shown, entry, name, "", entry.by, "cleared", at) for name in entry.get("names") or []
            ]
        elif entry.did in ("undid", "redid"):
            numbers = ", ".join(str(n) for n in entry.get("entries") or [])
            rows.append(_row(shown, entry, "", "", entry.by, f"{entry.did} {numbers}", at))
        if len(rows) > before:
            rows[before].id = f"p{entry.n}"  # where the conversation's links lead
    head = Thead(
        Tr(
            *[
                Th(text, scope="col")
                for text in ("n", "Parameter", "Value", "Who", "Why, and what else was on offer")
            ]
        )
    )
    left_out = len(rows) - ROWS
    earlier = P(f"{left_out} earlier ones are in log.jsonl", cls="quiet") if left_out > 0 else ""
    table = Div(
        Table(head, Tbody(*rows[-ROWS:])), cls="scroll", tabindex="0", role="region", aria_label="Parameters"
    )
    return Section(H2("Parameters"), earlier, table, id="parameters")


def _value_row(shown: Shown, entry: Entry, name: str, value: Any, at: int) -> Any:
    by = "default" if name in (entry.get("defaulted") or ()) else entry.by
    why = [f"“{entry.get('why')}”"] if entry.get("why") else []
    if entry.did == "proposed":
        why.append("suggested only")
    if entry.n in shown.session.undone:
        why.append("undone")
    step = entry.get("step")
    opening = shown.session.opening(step) if step else None
    offered = (opening.get("offered") or {}).get(name) if opening else None
    if offered:
        chosen = value if isinstance(value, list) else [value]
        others = [str(option) for option in offered if option not in chosen]
        why += [f"also {', '.join(others[:8])}{' …' if len(others) > 8 else ''}"] if others else []
    undone = entry.n in shown.session.undone
    text: Any = show(_field(shown, name), value)
    told: tuple[Any, ...] = (" · ".join(why),)
    if entry.did == "set" and entry.by != "workflow" and not undone and not shown.fixed:
        told = (*told, _take_back(shown, entry))
    return _row(shown, entry, name, S(text) if undone else text, by, told, at)


def _take_back(shown: Shown, entry: Entry) -> Any:
    """Undo of this one change, however old it is; its card is open again then."""
    hidden = Input(type="hidden", name="entry", value=str(entry.n))
    button = Button("Undo", cls="plain", aria_label=f"Undo entry {entry.n}")
    return Form(hidden, button, method="post", action=f"{shown.address}/undo", cls="take-back")


def _row(shown: Shown, entry: Entry, name: Any, value: Any, by: str, why: Any, at: int) -> Any:
    link = A(str(entry.n), href=f"{shown.address}/record?at={entry.n}#c{entry.n}")
    return Tr(
        Td(link),
        Td(str(name)),
        Td(value),
        Td(by_tag(by)),
        Td(*why) if isinstance(why, tuple) else Td(why),
        cls="at" if entry.n == at else None,
    )


def _raw(entries: list[Entry]) -> Any:
    lines = [json.dumps(entry.as_dict(), ensure_ascii=False) for entry in entries[-ROWS:]]
    return Details(Summary("The lines of the log"), Pre("\n".join(lines)), cls="raw")

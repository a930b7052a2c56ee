"""The page that shows what a redaction would take out, and asks before it does."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fasthtml.components import (
    H1,
    H2,
    A,
    B,
    Button,
    Code,
    Div,
    Form,
    Input,
    Label,
    Li,
    Main,
    Mark,
    Nav,
    P,
    Section,
    Small,
    Span,
    Table,
    Tbody,
    Td,
    Tr,
    Ul,
)

from ...log import Entry
from ...sentences import sentence
from .base import by_tag, clock, number, page, top
from .shown import Shown

ROWS = 60
_TAKEN = re.compile(r"(\[redacted\]|\bredacted\b)")


@dataclass(frozen=True)
class Asked:
    """What is to be taken out, as the form says it."""

    names: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    text: str = ""
    regex: bool = False
    exact: bool = False
    words: bool = False

    @property
    def anything(self) -> bool:
        return bool(self.names or self.entries or self.text.strip())


@dataclass(frozen=True)
class Preview:
    """What would come of it: entries as they are and as they will be, and where copies are."""

    changes: tuple[tuple[Entry, Entry], ...] = ()
    look: tuple[int, ...] = ()
    short: bool = False
    kin: tuple[tuple[str, str, int], ...] = ()  # sid, name, entries
    files: tuple[tuple[str, int], ...] = ()  # name, bytes


def redact_page(shown: Shown, asked: Asked, preview: Preview, prefix: str) -> Any:
    """Asks whether to take it out; with nothing asked for, asks for a text."""
    title = f"Take out · {shown.session.title}"  # its name may be what goes
    parts: list[Any] = []
    if asked.anything and not preview.changes:
        parts.append(P(_what(shown, asked), " Nothing of it is in the record."))
    elif asked.anything:
        parts += [P(_what(shown, asked), cls="asked"), _changes(shown, preview), _left(shown, asked, preview)]
        parts.append(_confirm(shown, asked, len(preview.changes)))
    back = A("Back to the record", href=f"{shown.address}/record", cls="chip")
    main = Main(H1("Take out of the record"), *parts, _search(shown, asked), cls="redact")
    return page(title, prefix, top(title, back), main, cls="plain")


def _what(shown: Shown, asked: Asked) -> Any:
    fields = shown.flow.fields() if shown.flow else {}
    told = []
    if asked.names:
        labels = [fields[name].label if name in fields else name for name in asked.names]
        told.append(f"every value of {', '.join(labels)}, and its text wherever it was said")
    if asked.entries:
        told.append(f"what {_entries(asked.entries)} says" + (" and its copies in the same turn"))
    if asked.text.strip():
        how = "all that matches" if asked.regex else "the text"
        told.append(f"{how} “{asked.text.strip()[:200]}”, wherever it stands")
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


def _entries(numbers: tuple[int, ...]) -> str:
    listed = ", ".join(map(str, numbers[:12])) + (" …" if len(numbers) > 12 else "")
    return f"entr{'y' if len(numbers) == 1 else 'ies'} {listed}"


def _changes(shown: Shown, preview: Preview) -> Any:
    counts = Counter(new.did for _, new in preview.changes)
    total = len(preview.changes)
    told = " · ".join(f"{count} {did}" for did, count in counts.most_common())
    rows = [_row(shown, old, new) for old, new in preview.changes[:ROWS]]
    more = P(f"and {number(total - ROWS)} more", cls="quiet") if total > ROWS else ""
    changing = "entry changes" if total == 1 else "entries change"
    name = "How they will read then"
    return Section(
        P(B(f"{number(total)} {changing}"), Span(told, cls="quiet")),
        Div(Table(Tbody(*rows)), cls="scroll", tabindex="0", role="region", aria_label=name),
        more,
    )


def _row(shown: Shown, old: Entry, new: Entry) -> Any:
    text = sentence(new).partition(" ")[2].replace('{"redacted": true}', "[redacted]")
    if text == sentence(old).partition(" ")[2]:
        named = [key for key, value in new.fields.items() if value != old.fields.get(key)]
        told: list[Any] = [text, " ", Small(f"(in its {', '.join(named)})")]
    else:
        told = [Mark(part) if at % 2 else part for at, part in enumerate(_TAKEN.split(text))]
    link = A(str(new.n), href=f"{shown.address}/record?at={new.n}#c{new.n}")
    return Tr(Td(link), Td(Small(clock(new.at))), Td(by_tag(new.by)), Td(*told))


def _left(shown: Shown, asked: Asked, preview: Preview) -> Any:
    """What stays, and where copies may be that nobody here can reach."""
    items: list[Any] = []
    for n in preview.look:
        link = A(f"Entry {n}", href=f"{shown.address}/redact?entries={n}")
        items.append(Li(link, " may say it in other words."))
    if preview.short:
        told = "A value of fewer than four characters is sought only where it was set, and in the same turn."
        items.append(Li(told))
    query = f"?{urlencode([('name', name) for name in asked.names])}" if asked.names else ""
    for sid, name, places in preview.kin:
        entries = "1 entry" if places == 1 else f"{number(places)} entries"
        has = f"has it in {entries}" if places else "has none of it"
        link = A(name, href=f"sessions/{sid}/redact{query}")
        items.append(Li("The session ", link, f", which shares entries or values, {has}."))
    for name, size in preview.files:
        link = A(Code(name), href=f"{shown.address}/files/{name}")
        items.append(Li("The file ", link, f" of a run with that value stays ({number(size)} bytes)."))
    return Section(
        H2("What is left"),
        Ul(
            *items,
            Li("The names and contents of files, and what a card derived from a value under another name."),
            Li("Exports, backups, saved pages, sessions just deleted: they can not be known from here."),
            Li("What a model has read stays in Ollama's memory until it unloads the model."),
        ),
    )


def _confirm(shown: Shown, asked: Asked, count: int) -> Any:
    given = [("name", name) for name in asked.names] + [("entries", str(n)) for n in asked.entries]
    given += [("text", asked.text)] if asked.text.strip() else []
    given += [(key, "on") for key in ("regex", "exact", "words") if getattr(asked, key)]
    address = f"{shown.address}/redact"
    return Form(
        P(
            "The lines stay in their place, without it. The prompts that models were given go, all of them. "
            "This can not be undone."
        ),
        *[Input(type="hidden", name=key, value=value) for key, value in given],
        Nav(
            Button("Take out for good", cls="danger", data_count=count),
            A("Keep it", href=f"{shown.address}/record", cls="chip"),
        ),
        method="post",
        action=address,
        cls="confirm",
    )


def _search(shown: Shown, asked: Asked) -> Any:
    def box(name: str, text: str) -> Any:
        return Label(Input(type="checkbox", name=name, value="on", checked=getattr(asked, name)), text)

    return Form(
        H2("A text, wherever it stands"),
        Input(
            name="text", value=asked.text, required=True, maxlength=1_000, autocomplete="off",
            aria_label="Text to take out", placeholder="a name, an address, a number",
        ),
        Div(
            box("words", "whole words"),
            box("exact", "match case"),
            box("regex", "regular expression"),
            cls="options",
        ),
        Input(type="hidden", name="look", value="on"),  # a text to take out has no place in an address
        Button("Look what would go", cls="plain"),
        P("One value or one message is taken out from the record, by the menu beside it.", cls="quiet"),
        method="post",
        action=f"{shown.address}/redact",
        cls="search-text",
    )  # fmt: skip

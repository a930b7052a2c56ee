"""The record's conversation: what was said, and under each reply what it changed."""

from typing import Any

from fasthtml.components import H2, A, Article, B, Code, Div, P, Section, Small, Span

from ...log import Entry
from ...parameters import show
from ...record.account import CHANGES
from ...sentences import sentence
from ..markdown import markdown
from .base import WHO, clock
from .entry_menu import menu, notes
from .look import Look
from .messages import model_name

LONGEST = 4_000  # characters of one message
ANSWERS = {"accept": "yes", "decline": "no", "cancel": "cancelled"}


def conversation(look: Look) -> Any:
    """The messages around the entry that is looked at, or the last ones."""
    part = look.messages_drawn
    numbers = [entry.n for entry, _ in look.messages]
    drawn = [_message(look, entry, changes) for entry, changes in look.messages[part]]
    none = P("Nothing was said here." if not look.wanted else "No message fits.", cls="quiet")
    return Section(
        H2("Conversation"),
        earlier(look, numbers, part),
        Div(*drawn or [none], cls="chat-log"),
        later(look, numbers, part),
        id="conversation",
    )


def earlier(look: Look, numbers: list[int], part: slice) -> Any:
    """A link to what stands before a window of rows with these numbers."""
    if part.start == 0:
        return ""
    return P(A(f"{part.start:,} earlier", href=look.href(near=numbers[part.start])), cls="quiet turn-page")


def later(look: Look, numbers: list[int], part: slice) -> Any:
    left = len(numbers) - part.stop
    if left <= 0:
        return ""
    return P(A(f"{left:,} later", href=look.href(near=numbers[part.stop - 1])), cls="quiet turn-page")


def _message(look: Look, entry: Entry, changes: tuple[Entry, ...]) -> Any:
    draw = {"said": _said, "helped": _helped, "asked": _asked}.get(entry.did)
    if entry.did in CHANGES:
        kind, content = "message change", [_change(look, entry, alone=True)]
    elif draw:
        kind, content = "message help" if entry.did == "helped" else "message", draw(look, entry)
    else:
        kind, content = "message line", [Small(_told(look, entry))]
    at = look.is_at(entry) or any(look.is_at(change) for change in changes)
    meta = Small(*_meta(look, entry))
    return Article(
        "" if entry.did in CHANGES or not draw else meta,
        *content,
        *[_change(look, change) for change in changes],
        *notes(look, entry),
        menu(look, entry, f"c{entry.n}"),
        cls=f"{kind} at" if at else kind,
        data_by=entry.by,
        data_n=entry.n,
        data_did=entry.did,
        id=f"c{entry.n}",
    )


def _meta(look: Look, entry: Entry) -> list[Any]:
    """Its number, when, by whom, and what the model saw of it."""
    parts: list[Any] = [f"{entry.n} · ", Span(clock(entry.at), title=entry.at)]
    if entry.did == "said" and entry.by != "user":
        parts.append(f" · {model_name(str(entry.get('model') or entry.by))}")
    parts += [f" · {word}" for word in ("stopped", "incomplete") if entry.get(word)]
    if look.now.is_replaced(entry.n):
        parts.append(" · replaced later")
    for name, text in (("prompt", "what it saw"), ("extraction", "what gave the values")):
        if isinstance(digest := entry.get(name), str):
            parts += [" · ", A(text, href=f"{look.shown.address}/prompts/{digest}")]
    return parts


def _said(look: Look, entry: Entry) -> list[Any]:
    text = _cut(str(entry.get("text") or ""))
    words = P(text, cls="words") if entry.by == "user" else Div(markdown(text), cls="words")
    return [words]


def _helped(look: Look, entry: Entry) -> list[Any]:
    question, _, text = str(entry.get("text") or "").partition("\n")
    return [B(question), markdown(_cut(text.strip()), False) if text.strip() else ""]


def _asked(look: Look, entry: Entry) -> list[Any]:
    options = [str(option) for option in entry.get("options") or ()]
    answer = look.shown.session.answers.get(str(entry.get("id")))
    told = "open"
    if answer:
        given = answer.get("value") or ANSWERS.get(str(answer.get("action")), answer.get("action"))
        told = f"answered: {given}"
    among = f"{', '.join(options)} · " if options else ""
    return [Div(markdown(_cut(str(entry.get("question") or ""))), Small(f"{among}{told}"), cls="question")]


def _change(look: Look, entry: Entry, alone: bool = False) -> Any:
    """What was set, suggested, refused or cleared, leading to its row; `alone`, a message of its own."""
    undone = entry.n in look.shown.session.undone
    href, told = look.to(f"p{entry.n}"), ""
    if entry.did == "refused":
        name, value = str(entry.get("name") or entry.get("step") or ""), entry.get("value")
        texts = [f"{name} = {show(_field(look, name), value)}" if value is not None else name]
        told = str(entry.get("reason") or "")
    elif entry.did == "cleared":
        texts, told = [str(name) for name in entry.get("names") or ()], "cleared"
    else:
        values = entry.get("values") or {}
        texts = [f"{name} = {show(_field(look, name), value)}" for name, value in values.items()]
        told = "suggested" if entry.did == "proposed" else ""
    told = " · ".join(part for part in (told, "undone" if undone else "") if part)
    kind = {"refused": "did refused", "proposed": "did proposed"}.get(entry.did, "did")
    who = look.account.who(entry)
    return Div(
        A(str(entry.n), href=href, title="Its row among the parameters"),
        *[Code(_cut(text, 200)) for text in texts],
        Span(_cut(told, 400)) if told else "",
        Span(f"{clock(entry.at)} · {WHO.get(who, who)}", cls="quiet", title=entry.at) if alone else "",
        cls=f"{kind} undone" if undone else kind,
        id=None if alone else f"c{entry.n}",
        data_n=None if alone else entry.n,
        data_by=None if alone else entry.by,
    )


def _told(look: Look, entry: Entry) -> Any:
    """Any other entry, as one line."""
    text = sentence(entry)
    who, _, rest = text.partition(" ")
    return f"{entry.n} · {clock(entry.at)} · {WHO.get(who, who)} {_cut(rest, 300)}"


def _field(look: Look, name: str) -> Any:
    return look.fields.get(name)


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

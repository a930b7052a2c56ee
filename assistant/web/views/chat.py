"""The chat pane: messages from the log, the reply being written, what can be said next."""

from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Article,
    Button,
    Code,
    Details,
    Div,
    Form,
    Input,
    Li,
    Main,
    P,
    Section,
    Small,
    Span,
    Summary,
    Textarea,
    Ul,
)

from ...cards import Card
from ...chat.slash import COMMANDS
from ...live import Draft
from ...models import GUIDE
from ...parameters import choices
from ..markdown import blocks, markdown
from .base import page, top
from .messages import WINDOW, message_view, model_name, newest
from .shown import Shown

PHASES = {
    "waiting": "waiting for the model",
    "loading": "loading the model",
    "reading": "reading",
    "thinking": "thinking",
    "writing": "writing",
    "preparing": "preparing a change",
}
OPTIONS = 6  # that are offered as quick replies
SHORT = 40  # characters of one


def chat_view(shown: Shown) -> Any:
    """The whole pane. The newest messages are drawn, and a link to those before them."""
    log = Div(
        *window(shown),
        draft_view(shown.draft),
        cls="chat-log",
        role="log",
        id="chat-log",
        aria_live="polite",
        tabindex="0",
        aria_label="Conversation",
    )
    return Section(log, "" if shown.fixed else composer(shown), cls="chat", id="chat", aria_label="Chat")


def window(shown: Shown, before: int | None = None) -> list[Any]:
    """The newest messages, or the newest before an entry, after a link to those before them."""
    entries = newest(shown.session, 2 * WINDOW, before)
    found = [message_view(shown, entry) for entry in entries[-WINDOW:]]
    if len(entries) <= WINDOW:
        return [P(id="earlier", hidden=True), *found]
    address = f"{shown.address}/earlier?before={entries[-WINDOW].n}"
    text = f"{min(WINDOW, len(entries) - WINDOW)} earlier messages"
    link = A(text, href=address, hx_get=address, hx_target="#earlier", hx_swap="outerHTML")
    return [P(link, id="earlier", cls="quiet"), *found]


def earlier_page(shown: Shown, before: int, prefix: str) -> Any:
    """The messages before an entry by themselves: for browsers without scripts, and for what was found."""
    return page(
        f"Chat · {shown.name}",
        prefix,
        top(shown.heading, A("Back to the session", href=shown.address, cls="chip")),
        Main(
            H1("Earlier messages"),
            H2("Chat", cls="unseen"),
            Div(*window(shown, before), cls="chat-log", aria_label="Conversation"),
            cls="earlier",
        ),
        cls="plain",
    )


# --- the reply being written ---------------------------------------------------------------------------


def draft_view(draft: Draft | None) -> Any:
    """The reply being written; empty while there is none."""
    if draft is None:
        return Div(id="draft", cls="message", hidden=True)
    finished, tail = blocks(draft.text)
    return Article(
        draft_meta(draft),
        Details(
            Summary("Thinking"),
            Div(draft.thinking, id="draft-thinking"),
            cls="thinking",
            id="draft-thought",
            hidden=not draft.thinking,
        ),
        Div(*[markdown(block) for block in finished], id="draft-done"),
        Div(markdown(tail, colours=False), id="draft-tail"),
        cls="message draft",
        id="draft",
        data_by=GUIDE if draft.model == GUIDE else "model",
        data_turn=draft.turn,
    )


def draft_meta(draft: Draft) -> Any:
    phase = PHASES.get(draft.phase, draft.phase)
    return Small(f"{model_name(draft.model)} · {phase}", Span(cls="pulse"), id="draft-meta")


# --- where the user writes -----------------------------------------------------------------------------


def composer(shown: Shown) -> Any:
    """Where the user writes, with what can be said with one click."""
    address = f"{shown.address}/messages"
    turn = str(shown.edit.get("turn")) if shown.edit else ""
    editing = Div(
        Small("Your message, to be said anew. What it had set stays; Undo takes that back."),
        A("Leave it", href=shown.address, id="leave"),
        cls="row",
        id="editing",
        hidden=not turn,
    )
    box = Div(
        Textarea(
            str(shown.edit.get("text")) if shown.edit else "",
            name="text",
            id="chat-input",
            aria_label="Message",
            aria_autocomplete="list",
            aria_controls="slash",
            placeholder="Ask, or say the values",
            rows=1,
            autocomplete="off",
        ),
        send_or_stop(shown),
        cls="box",
    )
    return Form(
        chips(shown),
        editing,
        Input(type="hidden", name="edit", value=turn, id="chat-edit"),
        box,
        commands(),
        Div(
            Small("/ for commands · ↑ edits · Esc stops", cls="keys"),
            A("Record", href=f"{shown.address}/record", cls="narrow"),
            A("Models", href=f"models?session={shown.sid}", cls="narrow"),
            _realign(shown),
            cls="foot",
        ),
        P(id="chat-notice", role="status"),
        method="post",
        action=address,
        hx_post=address,
        hx_swap="none",
        hx_sync="this:drop",
        id="chat-form",
    )


def commands() -> Any:
    """The list that completes what begins with a slash; hidden until then."""
    items = [
        Li(
            Code(f"/{each.name}{' ' * bool(each.takes)}{each.takes}"),
            Small(each.what),
            role="option",
            id=f"slash-{each.name}",
            aria_selected="false",
            data_command=f"/{each.name}",
            data_takes=each.takes or None,
        )
        for each in COMMANDS
    ]
    return Ul(*items, id="slash", role="listbox", aria_label="Commands", hidden=True)


def _realign(shown: Shown) -> Any:
    address = f"{shown.address}/realign"
    return Button(
        "Realign",
        type="submit",
        id="realign",
        cls="link",
        formaction=address,
        formnovalidate=True,
        hx_post=address,
        hx_swap="none",
        title="A fresh start for the model: what was said stays here, but it no longer reads it",
    )


def send_or_stop(shown: Shown) -> Any:
    busy = shown.draft is not None
    stop = Button(
        "Stop",
        id="chat-stop",
        type="submit",
        formaction=f"{shown.address}/messages/stop",
        cls="plain",
        formnovalidate=True,
        hx_post=f"{shown.address}/messages/stop",
        hx_swap="none",
        hidden=not busy,
    )
    return Div(stop, Button("Send", id="chat-send", type="submit"), id="chat-buttons")


def chips(shown: Shown) -> Any:
    """Things to say with one click, made from the open question and the open card."""
    run = shown.session.run
    ready = shown.cards and not shown.open and not (run and run.state == "running")
    question = shown.session.question
    asked = [str(option) for option in question.get("options") or ()] if question else []
    found = [*asked[:OPTIONS], *([] if asked else suggestions(shown.open)), *(["Run it"] if ready else [])]
    return Div(*[_chip(text) for text in dict.fromkeys(found)], cls="chips", id="chips")


def _chip(text: str) -> Any:
    shown = text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
    return Button(shown, type="submit", cls="chip", name="quick", value=text, formnovalidate=True)


def suggestions(card: Card | None) -> list[str]:
    """The options of the card's first choice that has no value yet, or what to ask about it."""
    if card is None:
        return []
    found: list[str] = []
    asked = [field for field in card.step.fields if field.name not in card.values]
    known = {field.name: choices(field, card.offered.get(field.name)) for field in asked}
    picks = [field for field in asked if field.kind == "choice" and 1 < len(known[field.name]) <= OPTIONS]
    if picks:
        labels = [label for _, label in known[picks[0].name]]
        several = len(picks) > 1
        found += [f"{picks[0].label}: {label}" if several else label for label in labels]
    elif any(known.values()):
        found.append("What can I choose?")
    if any(by == "default" for by in card.sources.values()):
        found.append("Use the default")
    if card.step.help or asked:
        found.append("Why do you need this?")
    return [*found, "Next"]

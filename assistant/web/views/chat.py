"""The chat pane: messages from the log, the reply being written, what can be said next."""

from typing import Any

from fasthtml.components import (
    Article,
    B,
    Button,
    Code,
    Details,
    Div,
    Form,
    Input,
    P,
    Section,
    Small,
    Span,
    Summary,
    Textarea,
)

from ...cards import Card
from ...live import Draft
from ...log import Entry
from ...models import GUIDE
from ...parameters import choices, show
from ...session import Session
from ..markdown import blocks, markdown
from .base import by_tag, clock
from .runs import duration
from .shown import Shown

WINDOW = 50
PHASES = {
    "waiting": "waiting for the model",
    "loading": "loading the model",
    "reading": "reading",
    "writing": "writing",
    "preparing": "preparing a change",
}


def chat_view(shown: Shown) -> Any:
    """The whole pane. The newest messages are drawn; earlier ones are on the record page."""
    entries = visible(shown.session)
    earlier = ""
    if len(entries) > WINDOW:
        from_record = f"{shown.address}/record#conversation"
        earlier = P(_link(f"{len(entries) - WINDOW} earlier messages", from_record), cls="quiet")
    log = Div(
        earlier,
        *[message_view(shown, entry) for entry in entries[-WINDOW:]],
        draft_view(shown.draft),
        cls="chat-log",
        role="log",
        id="chat-log",
        aria_live="polite",
        tabindex="0",
        aria_label="Conversation",
    )
    return Section(log, "" if shown.fixed else composer(shown), cls="chat", id="chat", aria_label="Chat")


def _link(text: str, address: str) -> Any:
    from fasthtml.components import A

    return A(text, href=address)


def visible(session: Session) -> list[Entry]:
    """The entries that the chat shows, in order."""
    return [entry for entry in session.chat if is_shown(entry)]


def is_shown(entry: Entry) -> bool:
    """Values typed on a card are not news to who typed them; what the model did and said is."""
    if entry.did in ("set", "cleared"):
        return entry.by in ("model", "guide", "mcp", "cli")
    if entry.did == "refused":
        return entry.by in ("model", "guide", "mcp", "cli")
    if entry.did == "failed":
        return entry.get("where") in ("model", "run")
    return entry.did not in ("answered", "started")


def flags(session: Session, entry: Entry) -> tuple[Any, ...]:
    """What else than the entry a message's markup depends on."""
    id = entry.get("id")
    return (
        entry.n in session.undone,
        id in session.answers,
        id in session.proposals,
        session.turns.get(entry.get("turn")) is entry if entry.did == "said" else None,
        was_answered(session, entry) if entry.did == "failed" else None,
    )


def was_answered(session: Session, failure: Entry) -> bool:
    """Whether a reply to the same words came after the failure."""
    answers = (e for e in reversed(session.chat) if e.did == "said" and e.by in ("model", "guide"))
    return any(e.n > failure.n and e.get("turn") == failure.get("turn") for e in answers)


def message_view(shown: Shown, entry: Entry) -> Any:
    """One entry as the chat shows it."""
    draw = {
        "said": _said,
        "helped": _helped,
        "set": _set,
        "refused": _refused,
        "proposed": _proposed,
        "asked": _asked,
        "failed": _failed,
    }.get(entry.did, _line)
    return draw(shown, entry)


def _message(entry: Entry, *content: Any, cls: str = "") -> Any:
    return Article(
        *content,
        cls=f"message {cls}".strip(),
        data_by=entry.by,
        data_n=entry.n,
        data_did=entry.did,
        id=f"m{entry.n}",
    )


def _said(shown: Shown, entry: Entry) -> Any:
    text = str(entry.get("text") or "")
    if entry.by == "user":
        waits = ""
        # words that no reply is being written to any more: the program ended meanwhile
        if shown.session.turns.get(entry.get("turn")) is entry and shown.draft is None and not shown.fixed:
            waits = _again(shown, str(entry.get("turn")), "No answer came: the program ended meanwhile.")
        return _message(entry, P(text, cls="words"), waits)
    if entry.by == "app":
        return _message(entry, Small(text), cls="line")
    meta = [model_name(entry.get("model") or entry.by)]
    if entry.get("tokens"):
        meta.append(f"{entry.get('tokens')} tokens")
    if entry.get("seconds") is not None:
        meta.append(duration(entry.get("seconds")))
    meta += [word for word in ("stopped", "incomplete") if entry.get(word)]
    thinking = entry.get("thinking")
    thought = Details(Summary("Thinking"), markdown(thinking), cls="thinking") if thinking else ""
    return _message(entry, Small(" · ".join(meta)), thought, Div(markdown(text), cls="words"))


def model_name(name: str) -> str:
    return "Built-in guide" if name == GUIDE else str(name)


def _again(shown: Shown, turn: str, sentence: str) -> Any:
    address = f"{shown.address}/messages/{turn}/again"
    ask = Form(
        Button("Ask again", cls="plain"), method="post", action=address, hx_post=address, hx_swap="none"
    )
    guide = f"{shown.address}/model"
    use = Form(
        Input(type="hidden", name="model", value=GUIDE),
        Button("Use the guide", cls="plain"),
        method="post",
        action=guide,
        hx_post=guide,
        hx_swap="none",
    )
    return Div(Small(sentence), Div(ask, use if shown.model != GUIDE else "", cls="row"), cls="again")


def _helped(shown: Shown, entry: Entry) -> Any:
    question, _, text = str(entry.get("text") or "").partition("\n")
    return _message(entry, B(question), markdown(text.strip(), False) if text.strip() else "", cls="help")


def _field(shown: Shown, name: str | None) -> Any:
    return (shown.flow.fields() if shown.flow else {}).get(name or "")


def _set(shown: Shown, entry: Entry) -> Any:
    undone = entry.n in shown.session.undone
    values = entry.get("values") or {}
    rows = [Code(f"{name} = {show(_field(shown, name), value)}"[:200]) for name, value in values.items()]
    if entry.did == "cleared":
        rows = [Code(f"{', '.join(entry.get('names') or [])} cleared")]
    why = Small(f"from “{entry.get('why')}”") if entry.get("why") else ""
    undo = ""
    if not undone and not shown.fixed:
        address = f"{shown.address}/undo"
        undo = Form(
            Input(type="hidden", name="entry", value=str(entry.n)),
            Button("Undo"),
            method="post",
            action=address,
            hx_post=address,
            hx_swap="none",
        )
    return _message(
        entry,
        Div(*rows, why, Small("undone") if undone else undo, cls="did undone" if undone else "did"),
        cls="change",
    )


def _refused(shown: Shown, entry: Entry) -> Any:
    name, value = entry.get("name"), entry.get("value")
    text = (
        f"{name} = {show(_field(shown, name), value)}"[:200] if name and value is not None else (name or "")
    )
    return _message(entry, Div(Code(text), Span(str(entry.get("reason"))), cls="did refused"), cls="change")


def _proposed(shown: Shown, entry: Entry) -> Any:
    values = entry.get("values") or {}
    rows = [Code(f"{name} = {show(_field(shown, name), value)}"[:200]) for name, value in values.items()]
    text = "Suggested, not from you"
    buttons: Any = ""
    if entry.get("id") in shown.session.proposals and not shown.fixed:
        buttons = Div(
            _answer(shown, entry, "accept", "Accept"), _answer(shown, entry, "decline", "Dismiss"), cls="row"
        )
    elif entry.get("id") in shown.session.answers:
        answer = shown.session.answers[str(entry.get("id"))]
        text = {"accept": "Suggested, and accepted", "decline": "Suggested, and dismissed"}.get(
            str(answer.get("action")), text
        )
    return _message(entry, Div(Small(text), *rows, buttons, cls="proposal"), cls="change")


def _answer(shown: Shown, entry: Entry, action: str, text: str, value: Any = None, plain: bool = True) -> Any:
    address = f"{shown.address}/answers/{entry.get('id')}"
    hidden = [Input(type="hidden", name="action", value=action)]
    if value is not None:
        hidden.append(Input(type="hidden", name="value", value=str(value)))
    return Form(
        *hidden,
        Button(text, cls="plain" if plain else ""),
        method="post",
        action=address,
        hx_post=address,
        hx_swap="none",
    )


def _asked(shown: Shown, entry: Entry) -> Any:
    id = str(entry.get("id"))
    answer = shown.session.answers.get(id)
    if answer is None and not shown.fixed:
        options = entry.get("options") or ["Yes"]
        buttons = [
            _answer(shown, entry, "accept", str(option), value=option, plain=n > 0)
            for n, option in enumerate(options)
        ]
        row: Any = Div(*buttons, _answer(shown, entry, "decline", "No"), cls="row")
    else:
        said = (
            {"accept": "yes", "decline": "no", "cancel": "cancelled"}.get(str(answer.get("action")), "")
            if answer
            else ""
        )
        value = answer.get("value") if answer else None
        row = Small(f"answered: {value or said}" if answer else "open")
    return _message(entry, Div(markdown(str(entry.get("question") or "")), row, cls="question"), cls="change")


def _failed(shown: Shown, entry: Entry) -> Any:
    reason = str(entry.get("reason") or "")
    if entry.get("where") == "run":
        return _message(entry, Div(B("The run failed. "), reason, cls="trouble"), cls="change")
    turn = entry.get("turn")
    later = was_answered(shown.session, entry)
    again = "" if later or shown.fixed or not turn else _again(shown, str(turn), "")
    return _message(entry, Div(reason, again, cls="trouble"), cls="change")


def _line(shown: Shown, entry: Entry) -> Any:
    who = {"user": "You", "guide": "The guide", "model": "The assistant"}.get(entry.by, entry.by.capitalize())
    took = f" after {duration(entry.get('seconds'))}" if entry.get("seconds") else ""
    text = {
        "undid": f"{who} undid the last change.",
        "redid": f"{who} redid the change.",
        "realigned": "A fresh start: earlier words stay here, but the model no longer sees them.",
        "chose": f"From here on: {model_name(str(entry.get('model')))}.",
        "finished": f"The run finished{took}.",
        "cancelled": "The run was cancelled.",
        "interrupted": "The run was interrupted: the program ended before it did. It can be started again.",
    }.get(entry.did, entry.did)
    return _message(entry, Small(text), cls="line")


def draft_view(draft: Draft | None) -> Any:
    """The reply being written; empty while there is none."""
    if draft is None:
        return Div(id="draft", cls="message", hidden=True)
    finished, tail = blocks(draft.text)
    return Article(
        draft_meta(draft),
        Div(*[markdown(block) for block in finished], id="draft-done"),
        Div(markdown(tail), id="draft-tail"),
        cls="message draft",
        id="draft",
        data_by=GUIDE if draft.model == GUIDE else "model",
        data_turn=draft.turn,
    )


def draft_meta(draft: Draft) -> Any:
    phase = PHASES.get(draft.phase, draft.phase)
    return Small(f"{model_name(draft.model)} · {phase}", Span(cls="pulse"), id="draft-meta")


def composer(shown: Shown) -> Any:
    """Where the user writes, with what can be said with one click."""
    address = f"{shown.address}/messages"
    box = Div(
        Textarea(
            name="text",
            id="chat-input",
            aria_label="Message",
            placeholder="Ask, or say the values",
            rows=1,
            autocomplete="off",
        ),
        send_or_stop(shown),
        cls="box",
    )
    return Form(
        chips(shown),
        box,
        method="post",
        action=address,
        hx_post=address,
        hx_swap="none",
        hx_sync="this:drop",
        id="chat-form",
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
    """Things to say, made from the open card."""
    run = shown.session.run
    ready = shown.cards and not shown.open and not (run and run.state == "running")
    found = [*suggestions(shown.open), *(["Run it"] if ready else [])]
    return Div(
        *[Button(text, type="button", cls="chip say", data_say=text) for text in found],
        cls="chips",
        id="chips",
    )


def suggestions(card: Card | None) -> list[str]:
    if card is None:
        return []
    found = []
    if any(choices(field, card.offered.get(field.name)) for field in card.step.fields):
        found.append("What can I choose?")
    if any(by == "default" for by in card.sources.values()):
        found.append("Use the default")
    return [*found, "Next"]


__all__ = ["by_tag", "chat_view", "clock", "message_view"]

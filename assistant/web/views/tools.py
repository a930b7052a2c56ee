"""What can be done with a message of the chat: copy, edit, ask again, feedback, and the links that it has."""

from typing import Any

from fasthtml.components import A, Button, Details, Div, Footer, Form, Input, Li, P, Small, Summary, Ul

from ...chat.slash import excerpt
from ...log import Entry
from ...models import GUIDE
from ...session import Session
from .shown import Shown


def is_last(session: Session, reply: Entry) -> bool:
    """Whether these are the last words in the chat, but for the program's own."""
    return next((e for e in reversed(session.chat) if e.did == "said" and e.by != "app"), None) is reply


def post(address: str, *content: Any, **attributes: Any) -> Any:
    """A form that posts, whose answer is what the stream brings."""
    return Form(*content, method="post", action=address, hx_post=address, hx_swap="none", **attributes)


def edit(shown: Shown, entry: Entry) -> Any:
    """A way to say the words anew. It has no text of its own: what stands in a message is what was said."""
    turn = str(entry.get("turn"))
    address = f"{shown.address}?edit={turn}#chat-input"
    return A(href=address, cls="edit", aria_label="Edit this message", title="Edit", data_edit=turn)


def again(shown: Shown, turn: str, sentence: str) -> Any:
    """The sentence, with a way to ask the words of `turn` again, or the guide instead."""
    address = f"{shown.address}/messages/{turn}/again"
    ask = post(address, Button("Ask again", cls="plain"))
    use = post(address, Input(type="hidden", name="model", value=GUIDE), Button("Use the guide", cls="plain"))
    return Div(Small(sentence), Div(ask, use if shown.model != GUIDE else "", cls="row"), cls="again")


def tools(shown: Shown, entry: Entry) -> Any:
    """What can be done with a reply."""
    address = shown.address
    found: list[Any] = [
        Button("Copy", type="button", cls="copy scripted", data_copy=f"{address}/messages/{entry.n}/text")
    ]
    waits = shown.draft is not None and shown.draft.turn == entry.get("turn")
    if entry.by == "model" and entry.get("turn") and not shown.fixed and not waits:
        if is_last(shown.session, entry):
            found.append(
                post(f"{address}/messages/{entry.get('turn')}/again", Button("Ask again"), cls="anew")
            )
    for name, text in (("prompt", "What it saw"), ("extraction", "What gave the values")):
        if isinstance(digest := entry.get(name), str):
            found.append(A(text, href=f"{address}/prompts/{digest}", title="What the assistant saw"))
    return Footer(*found, _feedback(shown, entry), cls="tools")


def _feedback(shown: Shown, entry: Entry) -> Any:
    """A thumb and a note; those that there are stand beside it."""
    notes = shown.session.notes.get(entry.n, ())
    thumb = next((note.get("thumb") for note in reversed(notes) if note.get("thumb")), None)
    mark = {"up": "good", "down": "not good"}.get(str(thumb), "")
    texts = [P(str(note.get("text"))) for note in notes if note.get("text")]
    noted = Div(*texts, cls="noted") if texts else ""
    summary = Summary("Feedback", Small(f": {mark}") if mark else Small(": noted") if texts else "")
    if shown.fixed:
        return Details(summary, noted, cls="feedback") if notes else ""
    form = post(
        f"{shown.address}/notes",
        Input(type="hidden", name="about", value=str(entry.n)),
        Input(
            name="text",
            placeholder="A note, if you like",
            aria_label="Note",
            maxlength=2_000,
            autocomplete="off",
        ),
        Div(
            Button("Only the note", cls="plain"),  # the first: Enter in the note presses it
            Button("Good", name="thumb", value="up", cls="plain"),
            Button("Not good", name="thumb", value="down", cls="plain"),
            cls="row",
        ),
    )
    return Details(summary, noted, form, cls="feedback")


def _use(shown: Shown, name: str) -> Any:
    hidden = Input(type="hidden", name="model", value=name)
    text = "Use the guide" if name == GUIDE else f"Use {name}"
    return post(f"{shown.address}/model", hidden, Button(text, cls="plain"))


def links(shown: Shown, entry: Entry) -> Any:
    """Where what was searched for stands, the files of an export, and the models to pick from."""
    models = [] if shown.fixed else [_use(shown, name) for name in entry.get("models") or ()]
    if models:
        return Div(*models, cls="row")
    exports = [
        Li(A(name, href=f"{shown.address}/export/{name}", download=True))
        for name in entry.get("exports") or ()
    ]
    wanted, sought = set(entry.get("found") or ()), str(entry.get("sought") or "")
    hits = [e for e in shown.session.chat if e.n in wanted] if wanted else []
    found = [
        Li(
            A(
                excerpt(e, sought),
                href=f"{shown.address}/earlier?before={e.n + 1}#m{e.n}",
                data_goto=f"m{e.n}",
            )
        )
        for e in reversed(hits)
    ]
    return Ul(*exports, *found, cls="links") if exports or found else ""

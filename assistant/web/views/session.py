"""The session page, now or at an earlier entry: sessions, cards, chat."""

from typing import Any

from fasthtml.components import A, Button, Div, Main

from .base import page, rail, refresh, top
from .cards import card_view, head, trigger, undo_bar
from .changed import changed_view
from .chat import chat_view
from .runs import runs_view
from .shelf import session_menu
from .shown import Shown
from .status import model_picker, notice, status_view
from .timeline import styles, timeline

SWAP = "#status, #head, #cards, #runs, #results, #chat-log"  # what the timeline's script takes over


def session_page(shown: Shown, prefix: str, results: Any, undo: tuple[bool, bool], today: str) -> Any:
    """The whole page. It listens to the session's stream from entry `shown.session.n` on."""
    cards = [card_view(shown, card, number) for number, card in enumerate(shown.cards, 1)]
    main = Main(
        timeline(shown, shown.address, SWAP) if shown.at is not None else "",
        Div(
            notice(shown),
            changed_view(shown),
            head(shown),
            undo_bar(shown, *undo),
            Div(*cards, id="cards"),
            runs_view(shown),
            trigger(shown),
            cls="cards",
        ),
        results,
        id="main",
    )
    controls = [
        status_view(shown),
        model_picker(shown),
        A("Record", href=f"{shown.address}/record", cls="chip wide"),
        "" if shown.fixed else session_menu(shown),
    ]
    if shown.at is not None:
        controls[2:] = [A("To the present", href=shown.address, cls="chip")]
    toggle = {"type": "button", "aria_expanded": "true"}
    fold = Button("Sessions", cls="plain wide", id="rail-toggle", aria_controls="rail", **toggle)
    sheet = Button("Chat", cls="plain narrow", id="chat-toggle", aria_controls="chat-log", **toggle)
    stream: Any = ""
    if shown.at is None:
        connect = {"hx-sse:connect": f"{shown.address}/events?after={shown.session.n}"}
        stream = Div(id="stream", hidden=True, hx_swap="none", hx_trigger="load, again", **connect)
    return page(
        shown.heading,
        prefix,
        top(shown.heading, fold, *controls, sheet),
        rail(shown.sessions, shown.sid, today),
        main,
        chat_view(shown),
        Div(id="toast", role="alert"),
        Div("The connection is lost. Trying again.", id="lost", role="status", hidden=True),
        stream,
        cls="session",
        data_sid=shown.sid,
        data_at=shown.at,
        data_title=shown.heading,
        head=(styles(),) if shown.at is not None else (refresh(3),) if shown.busy else (),
    )

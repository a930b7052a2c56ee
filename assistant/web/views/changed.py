"""What does not fit any more since the workflow's file has changed, and what to do about it."""

from itertools import groupby
from typing import Any

from fasthtml.components import H2, A, Article, Button, Div, Form, Li, P, Ul

from ...actions.fitting import Misfit
from ...cards import Card
from .shown import Shown

KEPT = "It is kept in the record."


def changed_view(shown: Shown) -> Any:
    """The list above the cards; one quiet line where all values fit, and empty where nothing has changed."""
    found = shown.outdated
    if found is None:
        return Div(id="changed")
    if not found.misfits:
        line = P("The workflow's file has changed since; all values still fit.", cls="quiet")
        return Div(line, id="changed")
    cards = {card.step.name: card for card in shown.cards}
    by_step = groupby(found.misfits, key=lambda misfit: misfit.step)
    rows = [_row(shown, cards.get(step or ""), list(misfits)) for step, misfits in by_step]
    return Article(
        H2("The workflow's file has changed"),
        P("What still fits is kept. This does not:"),
        Ul(*rows),
        cls="notice",
        id="changed",
        aria_label="The workflow's file has changed",
    )


def _row(shown: Shown, card: Card | None, misfits: list[Misfit]) -> Any:
    """What does not fit on one card, with the way there."""
    gone = KEPT if card is None else ""
    lines = [P(each.sentence, f" {gone}" if gone else "", data_kind=each.kind) for each in misfits]
    return Li(*lines, _way(shown, card) if card else "")


def _way(shown: Shown, card: Card) -> Any:
    if card.state in ("open", "stale", "locked"):
        text = "To the open card" if card.state == "open" else "It will be asked in its turn."
        return A(text, href=f"{shown.address}#card-{card.step.name}") if card.state == "open" else P(text)
    if shown.fixed:
        return ""
    address = f"{shown.address}/steps/{card.step.name}/reopen"
    button = Button("Open the card", cls="plain", aria_label=f"Open the card: {card.step.question}")
    return Form(button, method="post", action=address, hx_post=address, hx_swap="none")

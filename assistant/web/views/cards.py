"""The column of cards: what a step asks, what was answered and by whom, and what can be done."""

from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Article,
    Button,
    Dd,
    Details,
    Div,
    Dl,
    Dt,
    Footer,
    Form,
    Header,
    Noscript,
    P,
    Progress,
    Small,
    Span,
    Summary,
)

from ...cards import Card
from ...errors import Refused
from ...parameters import MISSING, show
from ...session.undoing import accepting, is_typed
from ...workflow import Step
from ..markdown import markdown
from .base import by_tag
from .fields import field_row, takes_files
from .lineage import lineage, taken_from
from .shown import Shown

KEPT = 60  # characters that are shown of a value which is kept for later


def head(shown: Shown) -> Any:
    """Title, description and how far the session is."""
    done = sum(card.state in ("done", "skipped") for card in shown.cards)
    total = len(shown.cards)
    bar = Progress(value=done, max=total, aria_label=f"{done} of {total} steps done") if total else ""
    description = shown.flow.description if shown.flow else ""
    about = Span(description, cls="quiet")
    return Div(H1(shown.session.title), about, bar, lineage(shown), cls="head", id="head")


def card_view(shown: Shown, card: Card, number: int) -> Any:
    """One card. A done one is folded to its values, the open one is a form, others say when their turn is."""
    body = {
        "done": _done,
        "skipped": _line,
        "locked": _line,
        "stale": _line,
        "open": _open,
    }[card.state]
    return Article(
        *body(shown, card, number),
        cls="card",
        id=f"card-{card.step.name}",
        data_state=card.state,
        aria_current="step" if card.state == "open" else None,
    )


def _header(card: Card, number: int, *right: Any) -> Any:
    return Header(Span(str(number), cls="num"), H2(card.step.question), *right)


def _post(shown: Shown, card: Card, what: str, text: str, **attributes: Any) -> Any:
    address = f"{shown.address}/steps/{card.step.name}/{what}"
    button = Button(text, cls="plain", **attributes)
    return Form(button, method="post", action=address, hx_post=address, hx_swap="none")


def _line(shown: Shown, card: Card, number: int) -> list[Any]:
    before = next((c for c in shown.cards if c.state == "open"), None)
    after = f"after step {shown.cards.index(before) + 1}" if before else ""
    text = {
        "locked": after,
        "stale": f"asks again, since {_label(shown, card.because)} changed",
        "skipped": "not needed",
    }[card.state]
    return [_header(card, number, Small(text)), _kept(card)]


def _kept(card: Card) -> Any:
    """What was said ahead for a card that has not opened yet."""
    if card.state != "locked":
        return ""
    values = [(field, card.values[field.name]) for field in card.step.fields if field.name in card.values]
    texts = [f"{field.label} {_short(show(field, value), KEPT)}" for field, value in values]
    return Dl(Div(Dt("kept for later"), *[Dd(text) for text in texts]), cls="values") if texts else ""


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _label(shown: Shown, name: str | None) -> str:
    """A parameter's label in a sentence; a derived value has only its name."""
    field = (shown.flow.fields() if shown.flow else {}).get(name or "")
    return f"“{field.label}”" if field else str(name).replace("_", " ")


def _done(shown: Shown, card: Card, number: int) -> list[Any]:
    edit = (
        "" if shown.fixed else _post(shown, card, "reopen", "Edit", aria_label=f"Edit: {card.step.question}")
    )
    return [_header(card, number, edit), values_list(card, shown)]


def values_list(card: Card, shown: Shown) -> Any:
    """The card's values, each with where it came from."""
    rows = []
    for field in card.step.fields:
        if field.name in card.values:
            text = show(field, card.values[field.name]) or "none"
            short = _short(text, 160)
            rows.append(
                Div(
                    Dt(field.label),
                    Dd(short, title=text if short != text else None),
                    Dd(_tag(shown, field.name, card.origins.get(field.name, ""))),
                )
            )
    return Dl(*rows, cls="values") if rows else ""


def errors_of(shown: Shown, card: Card) -> dict[str, str]:
    """Why values of this card were refused, by parameter; by `/step` for the card as a whole."""
    names = {f"/{card.step.name}", *(field.name for field in card.step.fields)}
    return {key: str(e.get("reason")) for key, e in shown.session.refusals.items() if key in names}


def fields_of(shown: Shown, card: Card) -> list[Any]:
    """The rows of the open card's fields."""
    errors, typed = errors_of(shown, card), shown.typed.get(card.step.name, {})
    rows = []
    for field in card.step.fields:
        held = typed.get(field.name, MISSING)
        entry = shown.session.refusals.get(field.name)
        if held is MISSING and entry is not None and entry.by == "user" and entry.get("value") is not None:
            held = entry.get("value")
        origin = _origin(shown, field.name)
        rows.append(field_row(card, field, errors.get(field.name), held, shown.fixed, origin))
    return rows


def _tag(shown: Shown, name: str, by: str) -> Any:
    """Who set the value; of one that is taken from an earlier session, its name in the title."""
    earlier = taken_from(shown, name)
    return by_tag(by, f"from {earlier[0]}", "earlier session") if earlier else by_tag(by)


def _origin(shown: Shown, name: str) -> Any:
    """Where a value that the user did not type came from, from which words, and a way to take it back."""
    setting = shown.session.setting(name)
    if setting is None:
        return ""
    answer = accepting(shown.session, setting.n)
    accepted = answer is not None and not is_typed(answer, name)
    undo = _undo(shown, name, setting.n)
    if earlier := taken_from(shown, name):
        told = Span("from ", A(earlier[0], href=earlier[1]))
        return P(_tag(shown, name, setting.by), told, undo if accepted else "", cls="note origin")
    if setting.by == "user":
        told = Span("suggested, and accepted by you")
        return P(by_tag(setting.by), told, undo, cls="note origin") if accepted else ""
    why = Span(f"from “{setting.why}”", title=setting.why) if setting.why else ""
    given = setting.by in ("model", "guide", "cli", "mcp")
    return P(by_tag(setting.by), why, undo if given else "", cls="note origin")


def _undo(shown: Shown, name: str, n: int) -> Any:
    """A button inside the card's form that posts elsewhere."""
    if shown.fixed:
        return ""
    address = f"{shown.address}/undo"
    return Button(
        "Undo",
        cls="plain",
        name="entry",
        value=str(n),
        formaction=address,
        hx_post=address,
        hx_vals=f'{{"entry": {n}}}',
        hx_swap="none",
        aria_label=f"Undo {name}",
    )


def _open(shown: Shown, card: Card, number: int) -> list[Any]:
    step = card.step
    error = errors_of(shown, card).get(f"/{step.name}", "")
    # a step may be named as one of its fields, and an id stands once in a page
    own = f"error-{step.name}" if step.field(step.name) is None else f"error-{step.name}-card"
    failure = shown.session.failures.get(step.name)
    again = "" if shown.fixed or not failure else _post(shown, card, "reopen", "Try again")
    trouble = Div(Span(str(failure.get("reason"))), again, cls="trouble", role="alert") if failure else ""
    because = (
        P(f"Asked again, since {_label(shown, card.because)} changed.", cls="note because")
        if card.because
        else ""
    )
    sends = {} if shown.fixed else _sends(shown, step)
    form = Form(
        Div(
            because,
            *fields_of(shown, card),
            P(error, cls="note error", id=own, role="alert" if error else None),
            cls="body",
        ),
        "" if shown.fixed else _footer(shown, card),
        id=f"form-{step.name}",
        novalidate=True,
        inert=shown.fixed,
        **sends,
    )
    unfold = ""
    if step.help:
        help_html = markdown(step.help, False)
        # without scripts nothing pushes the help into the chat, so it stands open on the card
        unfold = Div(Details(Summary("Help"), help_html), Noscript(Div(help_html)), cls="help-details")
    return [_header(card, number), unfold, trouble, form]


def _sends(shown: Shown, step: Step) -> dict[str, str]:
    """Where and how the card's form is sent."""
    address = f"{shown.address}/steps/{step.name}"
    sends = {
        "method": "post",
        "action": address,
        "hx_post": address,
        "hx_swap": "none",
        "hx_sync": "this:drop",
    }
    if any(takes_files(field) for field in step.fields):
        sends |= {"enctype": "multipart/form-data", "hx_encoding": "multipart/form-data"}
    return sends


def _footer(shown: Shown, card: Card) -> Any:
    index = shown.cards.index(card)
    back = next((c for c in reversed(shown.cards[:index]) if c.state == "done"), None)
    back_button = ""
    if back:
        address = f"{shown.address}/steps/{back.step.name}/reopen"
        back_button = Button(
            "Back",
            cls="plain",
            formaction=address,
            formnovalidate=True,
            hx_post=address,
            hx_swap="none",
            type="submit",
        )
    return Footer(
        Button("Next", type="submit", cls="next"),
        back_button,
        Small("Enter goes on · Esc stops the answer", cls="keys"),
    )


def trigger(shown: Shown) -> Any:
    """The hidden trigger: as a card opens, it has the step's help pushed into the chat."""
    card = shown.open
    if card is None or not shown.help_due:
        return Div(id="trigger", hidden=True)
    opening = shown.session.opening(card.step.name)
    address = f"{shown.address}/steps/{card.step.name}/help"
    return Div(
        id="trigger",
        hidden=True,
        hx_post=address,
        hx_trigger="load",
        hx_swap="none",
        data_opening=opening.n if opening else None,
    )


def undo_bar(shown: Shown, can_undo: bool, can_redo: bool) -> Any:
    """Undo and redo of the newest action on values."""

    def button(what: str, enabled: bool) -> Any:
        address = f"{shown.address}/{what}"
        return Form(
            Button(what.capitalize(), cls="plain", disabled=not enabled),
            method="post",
            action=address,
            hx_post=address,
            hx_swap="none",
        )

    return Div("" if shown.fixed else (button("undo", can_undo), button("redo", can_redo)), id="undo-bar")


__all__ = ["Refused", "card_view", "errors_of", "fields_of", "head", "trigger", "undo_bar", "values_list"]

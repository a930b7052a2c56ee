"""One field of a card: label, control, and the notes below it (origin, suggestion, error)."""

import json
from typing import Any

from fasthtml.components import (
    Button,
    Code,
    Details,
    Div,
    Fieldset,
    Input,
    Label,
    Legend,
    Option,
    P,
    Select,
    Small,
    Summary,
    Textarea,
)

from ...cards import Card
from ...parameters import MISSING, Field, as_text, choices, limits, show

RADIOS = 6
INPUTS = {
    "date": "date",
    "datetime": "datetime-local",
    "time": "time",
    "email": "email",
    "secret": "password",
}
MODES = {"int": "numeric", "float": "decimal", "decimal": "decimal", "url": "url"}


def field_row(
    card: Card, field: Field, error: str | None, typed: Any = MISSING, fixed: bool = False, origin: Any = ""
) -> Any:
    """The field with what it holds: what was typed and refused, else its value, else its suggestion.

    `origin` is the note that says where the value came from.
    """
    name = field.name
    value = card.values.get(name, card.suggestions.get(name))
    state = {"aria_invalid": "true"} if error else {}
    suggested = name in card.suggestions and card.sources.get(name) in ("model", "guide", "stale")
    describes = {"aria_describedby": f"error-{name}"} if error else {}
    control = _control(field, field.name, value, typed, card.offered.get(name), {**state, **describes})
    # the limits name the unit themselves
    about = (field.ask.unit, field.ask.help) if field.ask.help else (limits(field) or field.ask.unit,)
    rules = (*about, _may_be_empty(field))
    unit = " · ".join(part for part in rules if part)
    label = Label(
        field.label,
        Small(unit) if unit else "",
        fr=None if _grouped(field) else f"in-{name}",
        id=f"label-{name}",
    )
    notes = [origin, *_notes(card, field, error, suggested, fixed)]
    cls = "field suggested" if suggested else "field"
    return Div(label, Div(control, cls="control"), *notes, cls=cls, id=f"field-{name}", data_field=name)


def _may_be_empty(field: Field) -> str:
    return "optional" if field.optional and field.kind != "bool" else ""


def _grouped(field: Field) -> bool:
    return field.kind in ("choice", "choices", "nested", "nested_list", "dict", "tuple")


def _notes(card: Card, field: Field, error: str | None, suggested: bool, fixed: bool) -> list[Any]:
    name = field.name
    notes = []
    origin = card.origins.get(name)
    if suggested:
        by = card.sources[name]
        text = (
            "From before the change. Next takes it again, or change it."
            if by == "stale"
            else "Suggested, not from you. Next takes it, or clear it."
        )
        notes.append(P(text, cls="note suggest"))
    if not fixed and name in card.values:
        who = {"model": "assistant", "user": "another tab"}.get(origin or "", origin)
        theirs = (
            f"{who}: ",
            Code(show(field, card.values[name])),
            Button("use it", type="button", cls="plain use"),
        )
        notes.append(P(*theirs, cls="note theirs"))
    notes.append(P(error or "", cls="note error", id=f"error-{name}", role="alert" if error else None))
    return notes


def _control(
    field: Field, name: str, value: Any, typed: Any, offered: list[Any] | None, more: dict[str, Any]
) -> Any:
    kind = field.kind
    held = _held(field, value) if typed is MISSING else "" if typed is None else typed
    if kind == "bool":
        on = bool(value) if typed is MISSING else typed in ("on", True, "true")
        return Input(
            type="checkbox", name=name, value="on", checked=on, id=f"in-{name}", role="switch", **more
        )
    if kind == "choice" and (found := choices(field, offered)):
        return _choice(field, name, found, str(held), more)
    if kind == "choices" and (found := choices(field, offered)):
        chosen = _texts(value if typed is MISSING else [typed] if isinstance(typed, str) else typed)
        boxes = [
            Label(Input(type="checkbox", name=name, value=text, checked=text in chosen), label, cls="option")
            for text, label in found
        ]
        return Fieldset(
            *boxes, cls="many" if len(boxes) > 12 else "", aria_labelledby=f"label-{name}", **more
        )
    if kind in ("nested", "tuple", "nested_list", "dict"):
        return _parts(field, name, value, typed)
    if takes_files(field):
        return _upload(field, name, typed if isinstance(typed, dict | list) else value, more)
    if kind in ("long", "lines", "choices", "list"):
        text = "\n".join(held) if isinstance(held, list) and all(isinstance(x, str) for x in held) else held
        rows = 6 if kind == "long" else 3
        hint = "one in each line" if kind in ("lines", "choices") else None
        return Textarea(str(text), name=name, id=f"in-{name}", rows=rows, placeholder=hint, **more)
    return _line(field, name, held, value, more)


def _held(field: Field, value: Any) -> str:
    text = as_text(field, value)
    return text.removesuffix(".0") if isinstance(value, float) else text


def _texts(value: Any) -> list[str]:
    return [str(item) if isinstance(item, str) else json.dumps(item) for item in value or []]


def _line(field: Field, name: str, held: Any, value: Any, more: dict[str, Any]) -> Any:
    example = show(None, field.ask.example) if field.ask.example is not None else None
    if field.kind == "secret":
        example, held = ("kept, not shown; leave empty to keep it" if value else "not shown, not logged"), ""
        more = {**more, "autocomplete": "off"}
    return Input(
        type=INPUTS.get(field.kind, "text"),
        name=name,
        id=f"in-{name}",
        value=str(held),
        placeholder=example,
        inputmode=MODES.get(field.kind),
        spellcheck="false" if field.kind in ("url", "email") else None,
        step="any" if field.kind in ("time", "datetime") else None,
        **{"autocomplete": "off", **more},
    )


def _choice(field: Field, name: str, found: list[tuple[str, str]], held: str, more: dict[str, Any]) -> Any:
    options = [("", "none"), *found] if field.optional else found
    if len(options) <= RADIOS:
        radios = [
            Label(Input(type="radio", name=name, value=text, checked=text == held), label, cls="option")
            for text, label in options
        ]
        return Fieldset(*radios, role="radiogroup", aria_labelledby=f"label-{name}", **more)
    if not field.optional and held not in [text for text, _ in options]:
        options = [("", "choose one"), *options]
    return Select(
        *[Option(label, value=text, selected=text == held) for text, label in options],
        name=name,
        id=f"in-{name}",
        aria_labelledby=f"label-{name}",
        **more,
    )


def takes_files(field: Field) -> bool:
    """Whether the field's control is a picker, of one file or of several."""
    return field.kind == "upload" or (field.item is not None and field.item.kind == "upload")


def _upload(field: Field, name: str, value: Any, more: dict[str, Any]) -> Any:
    several = field.kind != "upload"
    accept = field.ask.accept or None
    picker = Input(type="file", name=name, id=f"in-{name}", accept=accept, multiple=several, **more)
    if not value:
        return picker
    # what is already there goes along, so that choosing none keeps it
    kept = Input(type="hidden", name=name, value=json.dumps(value))
    return Div(kept, Small("now: ", Code(show(field, value))), picker)


def _parts(field: Field, name: str, value: Any, typed: Any) -> Any:
    """Rows of inputs for what has parts; one blank row more, so that it works without scripts."""
    if isinstance(typed, str) and typed.strip():
        return Textarea(typed, name=name, id=f"in-{name}", rows=4)
    shown = value if typed is MISSING else typed
    if field.kind in ("nested", "tuple"):
        return Fieldset(*_inner(field, name, shown), cls="parts", aria_labelledby=f"label-{name}")
    if field.kind == "dict":
        pairs = list(shown.items()) if isinstance(shown, dict) else []
        rows = [_pair(field, f"{name}.{n}", key, item) for n, (key, item) in enumerate([*pairs, ("", None)])]
    else:
        items = shown if isinstance(shown, list) else []
        assert field.item is not None
        rows = [
            Div(*_inner(field.item, f"{name}.{n}", item), cls="row") for n, item in enumerate([*items, None])
        ]
    more = Button("Add a row", type="button", cls="plain add-row")
    return Fieldset(*rows, more, cls="parts rows", aria_labelledby=f"label-{name}", data_rows=name)


def _inner(field: Field, name: str, shown: Any) -> list[Any]:
    found = []
    for n, part in enumerate(field.fields):
        own = shown.get(part.name) if isinstance(shown, dict) else None
        if isinstance(shown, list | tuple) and n < len(shown):
            own = shown[n]
        if own is None and part.default is not MISSING and shown is None and field.kind != "nested":
            own = None
        inner = f"{name}.{part.name}"
        if part.kind in ("nested", "nested_list", "dict", "tuple"):
            text = json.dumps(own, ensure_ascii=False) if own is not None else ""
            control = Textarea(text, name=inner, rows=2, placeholder="JSON")
        else:
            control = _control(part, inner, own, MISSING, None, {"aria_label": part.label})
        found.append(Label(Small(part.label), control))
    return found


def _pair(field: Field, name: str, key: Any, item: Any) -> Any:
    assert field.item is not None
    text = as_text(field.item, item) if item is not None else ""
    return Div(
        Input(name=f"{name}.key", value=str(key), placeholder="name", aria_label="name"),
        Input(name=f"{name}.value", value=text, placeholder="value", aria_label="value"),
        cls="row pair",
    )


def help_details(question: str, help_html: Any, unfolded: bool) -> Any:
    """The step's help on its card, to unfold."""
    return Details(Summary("Help"), help_html, open=unfolded, cls="help-details", aria_label=question)


__all__ = ["Legend", "field_row", "help_details"]

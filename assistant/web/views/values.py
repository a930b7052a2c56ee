"""What the chat shows of values: set, cleared or refused, suggested, or asked about."""

from typing import Any

from fasthtml.components import Button, Code, Details, Div, Form, Input, Label, Small, Span, Summary

from ...log import Entry
from ...parameters import as_text, show
from ..markdown import markdown
from .shown import Shown
from .tools import post

VALUES = ("set", "cleared", "refused", "proposed", "asked")


def value_view(shown: Shown, entry: Entry) -> Any:
    """What an entry of these kinds says, and what can be done about it."""
    draw = {"refused": _refused, "proposed": _proposed, "asked": _asked}.get(entry.did, _set)
    return draw(shown, entry)


def _field(shown: Shown, name: str | None) -> Any:
    return (shown.flow.fields() if shown.flow else {}).get(name or "")


def _rows(shown: Shown, entry: Entry) -> list[Any]:
    values = entry.get("values") or {}
    return [Code(f"{name} = {show(_field(shown, name), value)}"[:200]) for name, value in values.items()]


def _set(shown: Shown, entry: Entry) -> Any:
    undone = entry.n in shown.session.undone
    rows = _rows(shown, entry)
    if entry.did == "cleared":
        rows = [Code(f"{', '.join(entry.get('names') or [])} cleared")]
    why = Small(f"from “{entry.get('why')}”") if entry.get("why") else ""
    undo = ""
    if not undone and (shown.reread or not shown.fixed):
        about = Input(type="hidden", name="entry", value=str(entry.n))
        address = f"{shown.address}/undo"
        if shown.reread:  # the stream does not follow it, so the page is loaded anew
            undo = Form(about, Button("Undo"), method="post", action=address)
        else:
            undo = post(address, about, Button("Undo"))
    return Div(*rows, why, Small("undone") if undone else undo, cls="did undone" if undone else "did")


def _refused(shown: Shown, entry: Entry) -> Any:
    name, value = entry.get("name"), entry.get("value")
    text = (
        f"{name} = {show(_field(shown, name), value)}"[:200] if name and value is not None else (name or "")
    )
    return Div(Code(text), Span(str(entry.get("reason"))), cls="did refused")


def _proposed(shown: Shown, entry: Entry) -> Any:
    text, rows = "Suggested, not from you", _rows(shown, entry)
    buttons: Any = ""
    if entry.get("id") in shown.session.proposals and not shown.fixed:
        buttons = Div(
            _answer(shown, entry, "accept", "Accept"),
            _answer(shown, entry, "decline", "Dismiss"),
            _edit(shown, entry, entry.get("values") or {}),
            cls="row",
        )
    elif entry.get("id") in shown.session.answers:
        answer = shown.session.answers[str(entry.get("id"))]
        text = {"accept": "Suggested, and accepted", "decline": "Suggested, and dismissed"}.get(
            str(answer.get("action")), text
        )
        if edited := _edited(shown, entry, answer):
            text, rows = "Suggested, and changed by you", edited
    return Div(Small(text), *rows, buttons, cls="proposal")


def _edited(shown: Shown, entry: Entry, answer: Entry) -> list[Any]:
    """The values as the user took them, each with what was suggested; none where nothing was changed."""
    values, taken = entry.get("values") or {}, answer.get("value")
    texts = taken if isinstance(taken, dict) else {name: taken for name in values} if len(values) == 1 else {}
    rows, changed = [], False
    for name, value in values.items():
        field, text = _field(shown, name), texts.get(name)
        if text is None or text == (as_text(field, value) if field else value):
            rows.append(Code(f"{name} = {show(field, value)}"[:200]))
        else:
            changed = True
            was = Small(f"suggested: {show(field, value)}"[:200])
            rows.append(Code(f"{name} = {text}"[:200], " ", was))
    return rows if changed else []


def _answer(shown: Shown, entry: Entry, action: str, text: str, value: Any = None, plain: bool = True) -> Any:
    hidden = [Input(type="hidden", name="action", value=action)]
    if value is not None:
        hidden.append(Input(type="hidden", name="value", value=str(value)))
    button = Button(text, cls="plain" if plain else "")
    return post(f"{shown.address}/answers/{entry.get('id')}", *hidden, button)


def _edit(shown: Shown, entry: Entry, values: dict[str, Any]) -> Any:
    """Another value in place of the suggested one."""
    fields = {name: field for name in values if (field := _field(shown, name))}
    if not fields:
        return ""
    texts = {name: as_text(field, values[name]) for name, field in fields.items()}
    inputs = [
        Label(field.label, Input(name=f"value.{name}", value=texts[name], autocomplete="off"))
        for name, field in fields.items()
    ]
    hidden = Input(type="hidden", name="action", value="accept")
    form = post(f"{shown.address}/answers/{entry.get('id')}", hidden, *inputs, Button("Use", cls="plain"))
    return Details(Summary("Edit"), form, cls="edit-value")


def _asked(shown: Shown, entry: Entry) -> Any:
    id = str(entry.get("id"))
    answer = shown.session.answers.get(id)
    if id in shown.session.questions and not shown.fixed:
        options = entry.get("options") or ["Yes"]
        buttons = [
            _answer(shown, entry, "accept", str(option), value=option, plain=n > 0)
            for n, option in enumerate(options)
        ]
        about = entry.get("about")
        named = {about["name"]: about.get("value")} if isinstance(about, dict) and "name" in about else {}
        no = _answer(shown, entry, "decline", "No")
        row: Any = Div(*buttons, no, _edit(shown, entry, named), cls="row")
    else:
        said = (
            {"accept": "yes", "decline": "no", "cancel": "cancelled"}.get(str(answer.get("action")), "")
            if answer
            else ""
        )
        value = answer.get("value") if answer else None
        open_ = "open" if id in shown.session.questions else "settled meanwhile"
        row = Small(f"answered: {show(None, value) if value else said}" if answer else open_)
    return Div(markdown(str(entry.get("question") or "")), row, cls="question")

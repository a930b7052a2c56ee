"""What the chat shows of values: set, cleared or refused, suggested, or asked about."""

from typing import Any

from fasthtml.components import Button, Code, Details, Div, Form, Input, Label, Small, Span, Summary

from ...log import Entry
from ...parameters import Field, as_text, show
from ...session.undoing import Fate, after_all, fates
from ..markdown import markdown
from .shown import Shown
from .tools import post

VALUES = ("set", "cleared", "refused", "proposed", "asked")
FATES = {
    "open": "not from you",
    "accepted": "accepted",
    "changed": "changed by you",
    "again": "suggested again",
    "dismissed": "dismissed",
    "aside": "left aside",
    "refused": "refused",
    "other": "another value was given",
    "lapsed": "not taken",
}


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
    rows = [Code(_cleared(shown, entry))] if entry.did == "cleared" else _rows(shown, entry)
    why = Small(f"from “{entry.get('why')}”") if entry.get("why") else ""
    undo = Small("undone") if undone else _undo(shown, entry.n)
    return Div(*rows, why, undo, cls="did undone" if undone else "did")


def _cleared(shown: Shown, entry: Entry) -> str:
    """What was cleared, as the cards call it and in their order, but for what the workflow had given."""
    names = entry.get("names") or []
    fields = shown.flow.fields() if shown.flow else {}
    labels = [f.label for name, f in fields.items() if name in names and not _derived(shown, entry.n, name)]
    return f"{', '.join(labels or names)} cleared"


def _derived(shown: Shown, n: int, name: str) -> bool:
    """Whether the workflow had given the value before entry `n`."""
    before = [change.n for change in shown.session.history.get(name, ()) if change.n < n]
    return bool(before) and shown.session.lines[before[-1]].by == "workflow"


def _undo(shown: Shown, n: int) -> Any:
    """A button that takes back what entry `n` set; none where nothing can be changed."""
    if shown.fixed and not shown.reread:
        return ""
    about, address = Input(type="hidden", name="entry", value=str(n)), f"{shown.address}/undo"
    if shown.reread:  # the stream does not follow it, so the page is loaded anew
        return Form(about, Button("Undo"), method="post", action=address)
    return post(address, about, Button("Undo", cls="plain"))


def _refused(shown: Shown, entry: Entry) -> Any:
    name, value = entry.get("name"), entry.get("value")
    text = (
        f"{name} = {show(_field(shown, name), value)}"[:200] if name and value is not None else (name or "")
    )
    return Div(Code(text), Span(str(entry.get("reason"))), cls="did refused")


def _proposed(shown: Shown, entry: Entry) -> Any:
    """The suggested values, and of each what became of it; together where that is the same."""
    found = fates(shown.session, entry)
    told = {name: _told(fate) for name, fate in found.items()}
    same = len(set(told.values())) == 1
    rows = [_suggested(shown, entry, name, fate, not same) for name, fate in found.items()]
    text = _together(found) if same else "Suggested"
    cls = "proposal" if entry.get("id") in shown.session.proposals else "proposal settled"
    return Div(Small(text), *rows, _ways(shown, entry, found), cls=cls)


def _told(fate: Fate) -> str:
    return f"{FATES[fate.what]}{', and undone' if fate.undone else ''}"


def _together(found: dict[str, Fate]) -> str:
    """What became of all of them."""
    fate = next(iter(found.values()))
    comma = "," if fate.what == "open" or fate.undone else ", and"
    return f"Suggested{comma} {_told(fate)}"


def _suggested(shown: Shown, entry: Entry, name: str, fate: Fate, alone: bool) -> Any:
    """A suggested value: where the user took another one, both; what became of it where that is its own."""
    field, value = _field(shown, name), (entry.get("values") or {})[name]
    taken = fate.value if fate.what == "changed" else value
    notes = [f"suggested: {show(field, value)}"[:200]] if fate.what == "changed" else []
    notes += [_told(fate)] if alone else []
    note = (" ", Small(", ".join(notes))) if notes else ()
    return Code(f"{name} = {show(field, taken)}"[:200], *note)


def _ways(shown: Shown, entry: Entry, found: dict[str, Fate]) -> Any:
    """What can be done about it: to answer, to take back what was accepted, to take it after all."""
    sets = [fate.n for fate in found.values() if fate.n and not fate.undone]
    if any(fate.what == "open" for fate in found.values()) and not shown.fixed:
        answers = _answer(shown, entry, "accept", "Accept"), _answer(shown, entry, "decline", "Dismiss")
        return Div(*answers, _edit(shown, entry, entry.get("values") or {}), cls="row")
    answered = entry.get("id") in shown.session.answers
    undo = _undo(shown, max(sets)) if sets and answered else ""
    left = {} if shown.fixed else after_all(shown.session, entry)
    text = "Take them after all" if len(left) > 1 else "Take it after all"
    take = _answer(shown, entry, "accept", text) if left else ""
    return Div(undo, take, cls="row") if undo or take else ""


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
    texts = {name: _text(field, values[name]) for name, field in fields.items()}
    inputs = [
        Label(field.label, Input(name=f"value.{name}", value=texts[name], autocomplete="off"))
        for name, field in fields.items()
    ]
    hidden = Input(type="hidden", name="action", value="accept")
    form = post(f"{shown.address}/answers/{entry.get('id')}", hidden, *inputs, Button("Use", cls="plain"))
    return Details(Summary("Edit"), form, cls="edit-value")


def _text(field: Field, value: Any) -> str:
    """The value as the card's own input has it: 120 for 120.0."""
    return as_text(field, value).removesuffix(".0" if isinstance(value, float) else "")


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

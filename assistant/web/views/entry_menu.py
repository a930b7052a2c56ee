"""What can be done with any entry of the record: note it, undo it, take it out; and the notes that it has."""

from html import escape
from typing import Any
from urllib.parse import urlencode

from fastcore.xml import Safe
from fasthtml.components import P

from ...log import Entry
from ...tools.settle import LONGEST
from .look import Look
from .shown import Shown

THUMBS = {"up": "good", "down": "not good"}


def menu(
    look: Look, entry: Entry, mark: str, name: str | None = None, undo: bool = False, one: bool = False
) -> Any:
    """A small menu that stands closed. `mark` is the entry's place on the page, where its forms lead back.

    `undo` is of the whole entry; with `one`, its value of `name` can be undone alone.

    It is written as text: there is one for each row, and components would take most of the page's time.
    """
    n, address = entry.n, escape(look.shown.address)
    back = f'<input type="hidden" name="back" value="{escape(look.href(mark))}">'
    parts = []
    if look.can_write:
        parts.append(
            f'<form method="post" action="{address}/notes" class="note-form">{back}'
            f'<input type="hidden" name="about" value="{n}"><textarea name="text" rows="2" required '
            f'maxlength="{LONGEST}" aria-label="Note on entry {n}"></textarea>'
            '<button class="plain">Note</button></form>'
        )
    if undo:
        parts.append(_undo(look, entry, back))
    if one and name:
        parts.append(_undo(look, entry, back, name))
    parts.append(f'<a href="{address}?at={n}">The page then</a>')
    if look.can_write:
        parts.append(f'<a href="{address}/redact?entries={n}">Take out</a>')
    if look.can_write and name:
        query = escape(urlencode({"name": name}))
        parts.append(f'<a href="{address}/redact?{query}">Take out all of {escape(name)}</a>')
    summary = f'<summary aria-label="More about entry {n}" title="More">⋯</summary>'
    return Safe(f'<details class="more">{summary}<div>{"".join(parts)}</div></details>')


def undo_only(look: Look, entry: Entry, mark: str, name: str) -> Any:
    """The menu of a further value of an entry that set several: what else can be done stands at the first."""
    back = f'<input type="hidden" name="back" value="{escape(look.href(mark))}">'
    summary = f'<summary aria-label="More about {escape(name)} of entry {entry.n}" title="More">⋯</summary>'
    return Safe(f'<details class="more">{summary}<div>{_undo(look, entry, back, name)}</div></details>')


def _undo(look: Look, entry: Entry, back: str, name: str | None = None) -> str:
    """Of this one change, however old it is, or of one of its values; its card may be open again then."""
    one = f'<input type="hidden" name="name" value="{escape(name)}">' if name else ""
    label = f"Undo {escape(name)} of entry {entry.n}" if name else f"Undo entry {entry.n}"
    text = f"Undo {escape(name)}" if name else "Undo"
    return (
        f'<form method="post" action="{escape(look.shown.address)}/undo">{back}{one}'
        f'<input type="hidden" name="entry" value="{entry.n}">'
        f'<button class="plain" aria-label="{label}">{text}</button></form>'
    )


def notes(look: Look, entry: Entry) -> list[Any]:
    """What was noted about the entry, by whomever and whenever."""
    found = []
    for note in look.now.notes.get(entry.n, ()):
        parts = [THUMBS.get(str(note.get("thumb")), ""), str(note.get("text") or "")]
        if text := ": ".join(part for part in parts if part):
            found.append(P(f"Note: {text}", cls="noted", data_n=note.n))
    return found


def can_undo(shown: Shown, entry: Entry) -> bool:
    undone = entry.n in shown.session.undone
    return entry.did == "set" and entry.by != "workflow" and not undone and not shown.fixed

"""The record's parameters: each value with who set it, when, why, and what else there was."""

from itertools import groupby
from typing import Any
from urllib.parse import quote

from fasthtml.components import H2, A, Div, P, S, Section, Small, Table, Tbody, Td, Th, Thead, Tr

from ...cards import static_default
from ...log import Entry
from ...parameters import MISSING, show
from ...record.account import Value
from ...session.folding import source_of
from .base import by_tag, clock
from .entry_menu import can_undo, menu, notes, undo_only
from .look import Look
from .record_conversation import earlier, later

LONGEST = 300  # characters of one value
OTHERS = 8  # of what was on offer
HEADS = ("n", "Parameter", "Value", "Who", "When", "Why, and what else was on offer")


def parameters(look: Look) -> Any:
    """The rows around the entry that is looked at, or the last ones, each entry's in a body of its own."""
    part = look.values_drawn
    numbers = [value.entry.n for value in look.values]
    bodies = []
    for n, values in groupby(look.values[part], key=lambda value: value.entry.n):
        rows = [_row(look, value, i == 0) for i, value in enumerate(values)]
        bodies.append(Tbody(*rows, id=f"p{n}", data_n=n))
    head = Thead(Tr(*[Th(text, scope="col") for text in HEADS]))
    empty = P("No value was set yet." if not look.wanted else "No value fits.", cls="quiet")
    table = Div(
        Table(head, *bodies), cls="scroll", tabindex="0", role="region", aria_label="Parameters, as a table"
    )
    return Section(
        H2("Parameters"),
        earlier(look, numbers, part),
        table if bodies else empty,
        later(look, numbers, part),
        id="parameters",
    )


def _row(look: Look, value: Value, first: bool) -> Any:
    entry, session = value.entry, look.shown.session
    undone = entry.n in session.undone
    setting = session.setting(value.name)
    holds = setting is not None and setting.n == entry.n
    text = _cut(show(look.fields.get(value.name), value.value)) if entry.did != "cleared" else ""
    struck = undone or entry.did == "refused"
    state = "undone" if struck else "holds" if holds else "past"
    beside: list[Any] = []
    undo, mark = can_undo(look.shown, entry), f"p{entry.n}"
    one = undo and holds and len(entry.get("values") or ()) > 1
    if first:
        beside = [*notes(look, entry), menu(look, entry, mark, value.name, undo, one)]
    elif one:
        beside = [undo_only(look, entry, mark, value.name)]
    return Tr(
        Td(A(str(entry.n), href=_message_of(look, entry), title="What was said")),
        Td(value.name),
        Td(S(text) if struck else text),
        Td(_who(look, value)),
        Td(Small(clock(entry.at), title=entry.at)),
        Td(*_why(look, value), *beside),
        cls=f"{state} at" if look.is_at(entry) else state,
    )


def _message_of(look: Look, entry: Entry) -> str:
    """Where the words are that set it: the user's of its turn, else the entry itself."""
    return look.to(f"c{look.spoken.get(str(entry.get('turn')), entry.n)}")


def _who(look: Look, value: Value) -> Any:
    """Its tag; a model by its name, and a value of an earlier session leads there."""
    if source := source_of(value.entry, value.name):
        sid, n = source["session"], source["n"]
        tag = by_tag(value.by, None, "earlier session")
        return A(tag, href=f"sessions/{quote(sid, safe='')}/record?at={n}#p{n}", title=sid)
    who = look.account.who(value.entry)
    named = value.by != "default" and who != value.by
    return by_tag(value.by, "the assistant", who) if named else by_tag(value.by)


def _why(look: Look, value: Value) -> list[Any]:
    """Everything that is known of how the value came about, between dots."""
    entry, parts = value.entry, list[str]()
    if entry.get("why"):
        parts.append(f"“{_cut(str(entry.get('why')))}”")
    parts += _fate(look, value)
    parts += _offer(look, value)
    if value.instead:
        told = [_instead(look, other) for other in value.instead[-3:]]
        more = f" and {len(value.instead) - 3} more" if len(value.instead) > 3 else ""
        parts.append(f"before it: {', '.join(told)}{more}")
    total = look.totals.get(value.name, 0)
    if value.number and total > 1:
        parts.append(f"{_ordinal(value.number)} value of {total}")
    return [" · ".join(parts)]


def _fate(look: Look, value: Value) -> list[str]:
    """What became of it."""
    entry, found = value.entry, []
    if entry.did == "refused":
        found.append(f"refused: {_cut(str(entry.get('reason') or '')).removesuffix('.')}")
    elif entry.did == "cleared":
        found.append("cleared")
    elif entry.did == "proposed":
        answer = look.shown.session.answers.get(str(entry.get("id")))
        action = str(answer.get("action")) if answer else ""
        found.append(
            {"accept": "suggested, and accepted", "decline": "suggested, and dismissed"}.get(
                action, "suggested only"
            )
        )
    if entry.n in look.shown.session.undone:
        found.append("undone")
    return found


def _offer(look: Look, value: Value) -> list[str]:
    """The other options at the time, and what the default was."""
    opening, found = value.opening, []
    if opening is None or value.entry.did == "cleared":
        return []
    field = look.fields.get(value.name)
    taken = value.value if isinstance(value.value, list) else [value.value]
    offered = (opening.get("offered") or {}).get(value.name) or (field.values if field else ())
    others = [show(field.item if field else None, option) for option in offered if option not in taken]
    if others:
        found.append(f"also {', '.join(map(_cut, others[:OTHERS]))}{' …' if len(others) > OTHERS else ''}")
    default = (opening.get("suggested") or {}).get(
        value.name, static_default(field) if field and field.kind != "secret" else MISSING
    )
    if (
        default is not MISSING
        and default not in (None, "", [])
        and value.by != "default"
        and default != value.value
    ):
        found.append(f"default was {_cut(show(field, default))}")
    return found


def _instead(look: Look, other: Value) -> str:
    text = _cut(show(look.fields.get(other.name), other.value), 60) if other.value is not None else "a value"
    return f"{text} ({'refused' if other.entry.did == 'refused' else 'suggested'})"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""What can be taken back: the entries of undo and redo, and what became of each suggested value. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ..log import Entry
from ..parameters import REDACTED
from . import Session
from .parts import Line

VALUE_BY = frozenset({"set", "cleared"})


def undo_of(session: Session, entry: int | None = None) -> tuple[int, ...]:
    """The entries that undo would take back: the newest action on values, or that of `entry`, and its card's
    completion. Only `entry` itself where later ones have given all its values anew. Empty: there is none."""
    newest, seen = None, []
    for line in reversed(session.lines.values()):
        if newest and line.n < newest.n and line.at != newest.at:
            break
        if line.n not in session.undone:
            seen.append(line)
            if newest is None and _is_action(line) and entry in (None, line.n):
                newest = line
    if newest is None:
        return ()
    changes = [changes[-1] for name in newest.names if (changes := session.history[name])]
    if entry is not None and all(change.n != entry for change in changes):
        return (entry,)
    taken = {line.n for line in seen if line.at == newest.at}
    steps = {line.step for line in seen if line.at == newest.at and _is_action(line)}
    others = {line.at for line in seen if _is_action(line)}  # writes that are actions of their own
    for done in seen:
        if done.n > newest.n and done.did == "advanced" and done.step in steps:
            taken |= {line.n for line in seen if line.at == done.at and done.at not in others} | {done.n}
    return tuple(sorted(taken - {line.n for line in seen if line.did == "helped"}))


def _is_action(line: Line) -> bool:
    return line.did in VALUE_BY and line.by != "workflow"


def redo_of(session: Session) -> tuple[int, ...]:
    """The entries that redo would bring back."""
    return tuple(session.redoable[-1].get("entries") or ()) if session.redoable else ()


# --- suggestions -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fate:
    """What became of a suggested value.

    `what` is open, accepted, changed (the user set `value` in place of it), again (suggested anew),
    dismissed, aside (cancelled), refused, other (another value was given) or lapsed. `n` is the entry that
    set it, and `undone` whether that was taken back.
    """

    what: str
    value: Any = None
    n: int | None = None
    undone: bool = False


def fates(session: Session, proposal: Entry) -> dict[str, Fate]:
    """What became of each value that was suggested, as the log tells it."""
    id, values = proposal.get("id"), proposal.get("values") or {}
    if id in session.proposals:
        return dict.fromkeys(values, Fate("open"))
    later = session.chat[bisect_right(session.chat, proposal.n, key=lambda entry: entry.n) :]
    answers = [entry for entry in later if entry.did == "answered" and entry.get("id") == id]
    found = {} if answers else {name: _overtaken(session, later, name, values[name]) for name in values}
    for answer in answers:
        for name, value in values.items():
            fate = _answered(session, answer, later, name, value)
            if name not in found or fate.n is not None:
                found[name] = fate
    return found


def _sets(entries: Sequence[Entry], name: str) -> list[Entry]:
    sets = (entry for entry in entries if entry.did == "set" and entry.by != "workflow")
    return [entry for entry in sets if name in (entry.get("values") or {})]


def _set_by(session: Session, entry: Entry, name: str, value: Any, other: str = "other") -> Fate:
    taken = entry["values"][name]
    return Fate("accepted" if taken == value else other, taken, entry.n, entry.n in session.undone)


def _overtaken(session: Session, later: Sequence[Entry], name: str, value: Any) -> Fate:
    """Of a suggestion that nobody answered: Next took it, or another value came in its place."""
    sets = _sets(later, name)
    return _set_by(session, sets[0], name, value) if sets else Fate("lapsed")


def _answered(session: Session, answer: Entry, later: Sequence[Entry], name: str, value: Any) -> Fate:
    write = [entry for entry in later if entry.at == answer.at]  # lines of one write share it
    again = (e for e in write if e.did == "proposed" and e.n > answer.n)
    if any(name in (entry.get("values") or {}) for entry in again):
        return Fate("again")
    sets, before = _sets(write, name), _sets([entry for entry in later if entry.n < answer.n], name)
    if answer.get("action") != "accept":
        what = "aside" if answer.get("action") == "cancel" else "dismissed"
        return Fate("other" if before else what)
    if sets:
        return _set_by(session, sets[0], name, value, "changed" if is_typed(answer, name) else "other")
    if any(entry.did == "refused" and entry.get("name") == name for entry in write):
        return Fate("refused")
    return Fate("other" if before and before[-1]["values"][name] != value else "accepted")


def is_typed(answer: Entry, name: str) -> bool:
    """Whether the user gave the value with the answer, in place of what was suggested."""
    given = answer.get("value")
    return name in given if isinstance(given, dict) else given is not None


def accepting(session: Session, n: int) -> Entry | None:
    """The answer that accepted what entry `n` set."""
    chat, at = session.chat, bisect_left(session.chat, n, key=lambda entry: entry.n)
    before = (chat[i] for i in range(at - 1, -1, -1))
    same = takewhile(lambda entry: at < len(chat) and (chat[at].n, chat[at].at) == (n, entry.at), before)
    return next((e for e in same if e.did == "answered" and e.get("action") == "accept"), None)


def after_all(session: Session, proposal: Entry) -> dict[str, Any]:
    """The values of a suggestion that was turned down, or taken back, which may be taken after all.

    None of a parameter that has a value by now, or of words that were said anew.
    """
    if session.is_replaced(proposal.n):
        return {}
    values = proposal.get("values") or {}
    waiting = [entry.get("values") or {} for entry in session.proposals.values()]
    return {
        name: values[name]
        for name, fate in fates(session, proposal).items()
        if (fate.what in ("dismissed", "aside") or fate.undone)
        and name not in session.values
        and values[name] != REDACTED
        and not any(name in others for others in waiting)
    }

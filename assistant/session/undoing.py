"""Which entries undo would take back, and which redo would bring back. Pure."""

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

"""What each kind of entry changes in a session's state: `APPLY`, by its `did`. Pure; `fold` calls it.

The state is a dict of the fields of `Session`. Undo is not a jump back: `undid` names entries, and what they
changed is computed again without them. `redid` takes them in again, and leaves out the lines that were
written with that `undid` and followed from it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..log import Entry
from ..parameters import REDACTED
from .parts import Change, Line, Run


def _list(items: dict[str, Any], key: str) -> list[Any]:
    """The tuple there, as a list while folding, so that the cost does not grow with its length."""
    if not isinstance(items.get(key), list):
        items[key] = list(items.get(key, ()))
    found: list[Any] = items[key]
    return found


def _change(state: dict[str, Any], name: str, change: Change) -> None:
    _list(state["history"], name).append(change)
    _value(state, name)


def _value(state: dict[str, Any], name: str) -> None:
    """Computes the parameter's value, origin and suggestion from its history."""
    for part in ("values", "origins", "suggestions"):
        state[part].pop(name, None)
    changes = state["history"].get(name, ())
    if changes and changes[-1].kind == "set":
        state["values"][name], state["origins"][name] = changes[-1].value, changes[-1].by
    elif changes and changes[-1].kind == "stale":
        kept = next((change for change in reversed(changes) if change.kind != "stale"), None)
        if kept and kept.kind == "set" and kept.value != REDACTED:
            state["suggestions"][name] = kept.value


def _line(state: dict[str, Any], entry: Entry, names: tuple[str, ...] = ()) -> None:
    state["lines"][entry.n] = Line(entry.n, entry.at, entry.by, entry.did, entry.get("step"), names)


def _mark(state: dict[str, Any], entry: Entry) -> None:
    if step := entry.get("step"):
        _list(state["marks"], step).append(entry)
    _line(state, entry)


def _began(state: dict[str, Any], entry: Entry) -> None:
    state["began"], state["began_at"] = dict(entry.fields), entry.at
    _adopt(state, entry)


def _adopt(state: dict[str, Any], entry: Entry) -> None:
    """A changed file counts from the first card that it opens, or the first run that it makes."""
    if isinstance(entry.get("source"), str):
        state["source"] = entry["source"]


def _opened(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    _adopt(state, entry)
    state["failures"].pop(entry.get("step"), None)


def _settle(state: dict[str, Any], *matters: tuple[str, Any]) -> None:
    """Questions about what has been done meanwhile are none any more: `matters` are parts of an `about`."""
    for id, question in list(state["questions"].items()):
        about = question.get("about")
        about = about if isinstance(about, dict) else {"": about}
        if any(key in about and about[key] == value for key, value in matters):
            del state["questions"][id]


def _set(state: dict[str, Any], entry: Entry) -> None:
    step, defaulted, turn, why = (entry.get(key) for key in ("step", "defaulted", "turn", "why"))
    for name, value in (entry.get("values") or {}).items():
        by = "default" if name in (defaulted or ()) else entry.by
        _change(state, name, Change(entry.n, "set", value, by, step, turn, why, source_of(entry, name)))
        state["refusals"].pop(name, None)
    state["refusals"].pop(f"/{step}", None)
    _line(state, entry, tuple(entry.get("values") or ()))
    _settle(state, *(("name", name) for name in entry.get("values") or ()))
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step and set(proposal.get("values") or ()) <= set(state["values"]):
            del state["proposals"][id]
    if entry.by != "workflow":
        state["redoable"].clear()


def source_of(entry: Entry, name: str) -> dict[str, Any] | None:
    """The session and entry that the line took the parameter's value from, if it did."""
    match entry.get("source"):
        case {**sources} if isinstance(source := sources.get(name), dict):
            return source if type(source.get("n")) is int and isinstance(source.get("session"), str) else None
    return None


def _advanced(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    step = entry.get("step")
    for key in [key for key, refusal in state["refusals"].items() if refusal.get("step") == step]:
        del state["refusals"][key]
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step:
            del state["proposals"][id]
    _settle(state, ("next", step))
    state["redoable"].clear()


def _reopened(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    step, stale = entry.get("step"), []
    for name, changes in list(state["history"].items()) if step and entry.get("because") else ():
        if changes and changes[-1].kind == "set" and changes[-1].step == step:
            _change(state, name, Change(entry.n, "stale", step=step))
            stale.append(name)
    _line(state, entry, tuple(stale))


def _cleared(state: dict[str, Any], entry: Entry) -> None:
    names = tuple(entry.get("names") or ())
    for name in names:
        _change(state, name, Change(entry.n, "cleared", by=entry.by, step=entry.get("step")))
    _line(state, entry, names)
    if entry.by != "workflow":
        state["redoable"].clear()


def _undid(state: dict[str, Any], entry: Entry) -> None:
    numbers = tuple(entry.get("entries") or ())
    state["undone"].update(numbers)
    state["redoable"].append(entry)
    _take(state, numbers)
    _recompute(state, numbers)


def _redid(state: dict[str, Any], entry: Entry) -> None:
    numbers = list(entry.get("entries") or ())
    undid = next((x for x in reversed(state["redoable"]) if list(x.get("entries") or ()) == numbers), None)
    followed = []
    if undid:
        state["redoable"].remove(undid)
        for line in reversed(state["lines"].values()):
            if line.n < undid.n:
                break
            if line.at == undid.at:
                followed.append(line.n)
    state["undone"].difference_update(numbers)
    state["undone"].update(followed)
    _take(state, followed)
    for n in numbers:
        for name, change in state["taken"].pop(n, ()):
            insort(_list(state["history"], name), change, key=lambda known: known.n)
    _recompute(state, (*numbers, *followed))


def _take(state: dict[str, Any], numbers: Iterable[int]) -> None:
    """Moves what the entries changed out of the history."""
    for n in numbers:
        found = []
        for name in state["lines"][n].names if n in state["lines"] else ():
            changes = _list(state["history"], name)
            at = bisect_left(changes, n, key=lambda known: known.n)
            if at < len(changes) and changes[at].n == n:
                found.append((name, changes.pop(at)))
        if found:
            state["taken"][n] = (*state["taken"].get(n, ()), *found)


def _recompute(state: dict[str, Any], numbers: Iterable[int]) -> None:
    touched = [state["lines"][n] for n in numbers if n in state["lines"]]
    for name in {name for line in touched for name in line.names}:
        _value(state, name)
    steps = {line.step for line in touched}
    for key in [key for key, refusal in state["refusals"].items() if refusal.get("step") in steps]:
        del state["refusals"][key]


def _refused(state: dict[str, Any], entry: Entry) -> None:
    if step := entry.get("step"):  # else of a name that no card asks
        if entry.get("value") == REDACTED:
            entry = replace(entry, fields={**entry.fields, "value": None})
        state["refusals"][entry.get("name") or f"/{step}"] = entry


def _called(state: dict[str, Any], entry: Entry) -> None:
    """Setting a value that stands there anyway would be nothing to undo, so the call alone tells of it."""
    for name in entry.get("kept") or ():
        state["refusals"].pop(name, None)


def _failed(state: dict[str, Any], entry: Entry) -> None:
    if entry.get("turn"):
        state["turns"].pop(entry.get("turn"), None)
    if entry.get("where") == "step" and entry.get("step"):
        state["failures"][entry.get("step")] = entry
    if entry.get("run"):
        _run(state, entry, state="failed", reason=entry.get("reason"))


def _asked(state: dict[str, Any], entry: Entry) -> None:
    state["questions"][str(entry.get("id"))] = entry


def _proposed(state: dict[str, Any], entry: Entry) -> None:
    left = {name: value for name, value in (entry.get("values") or {}).items() if value != REDACTED}
    if left or not entry.get("values"):
        fields = {**entry.fields, "values": left} if entry.get("values") else entry.fields
        state["proposals"][str(entry.get("id"))] = replace(entry, fields=fields)


def _answered(state: dict[str, Any], entry: Entry) -> None:
    id = str(entry.get("id"))
    state["questions"].pop(id, None)
    state["proposals"].pop(id, None)
    state["answers"][id] = entry


def _said(state: dict[str, Any], entry: Entry) -> None:
    turn = entry.get("turn")
    if entry.by != "user":
        state["turns"].pop(turn, None)
    elif turn:
        state["turns"][turn] = entry
    start = entry.get("replaces")
    if start is not None and 0 < start < entry.n:
        end = entry.n if entry.by == "user" else start + 1
        state["replaced"] = (*state["replaced"], (start, end))


def _noted(state: dict[str, Any], entry: Entry) -> None:
    if type(entry.get("about")) is int:
        state["notes"][entry["about"]] = (*state["notes"].get(entry["about"], ()), entry)
        if entry.get("text") == "" and not entry.get("thumb"):
            del state["notes"][entry["about"]]


def _started(state: dict[str, Any], entry: Entry) -> None:
    id = str(entry.get("run"))
    state["runs"][id] = Run(id, entry.n, entry.at)
    _settle(state, ("", "run"))
    _adopt(state, entry)


def _run(state: dict[str, Any], entry: Entry, /, **changes: Any) -> None:
    run = state["runs"].get(str(entry.get("run")))
    if run:
        ended = {"ended": entry.n, "seconds": entry.get("seconds")} if "state" in changes else {}
        state["runs"][run.id] = replace(run, **changes, **ended)


def _progressed(state: dict[str, Any], entry: Entry) -> None:
    _run(state, entry, done=entry.get("done"), total=entry.get("total"), note=entry.get("note") or "")


def _produced(state: dict[str, Any], entry: Entry) -> None:
    run = state["runs"].get(str(entry.get("run")))
    if run and isinstance(entry.get("file"), str) and entry.get("name"):
        _run(state, entry, results=(*run.results, {"n": entry.n, **entry.fields}))


def _is(key: str) -> Any:
    return lambda state, entry: state.__setitem__(key, entry.get("on") is not False)


APPLY: dict[str, Any] = {
    "began": _began,
    "opened": _opened,
    "helped": _mark,
    "skipped": _mark,
    "set": _set,
    "advanced": _advanced,
    "reopened": _reopened,
    "cleared": _cleared,
    "undid": _undid,
    "redid": _redid,
    "refused": _refused,
    "called": _called,
    "failed": _failed,
    "asked": _asked,
    "proposed": _proposed,
    "answered": _answered,
    "said": _said,
    "started": _started,
    "progressed": _progressed,
    "produced": _produced,
    "finished": lambda state, entry: _run(state, entry, state="finished"),
    "cancelled": lambda state, entry: _run(state, entry, state="cancelled"),
    "interrupted": lambda state, entry: _run(state, entry, state="interrupted"),
    "added": lambda state, entry: state["files"].__setitem__(str(entry.get("file")), entry),
    "noted": _noted,
    "chose": lambda state, entry: state.__setitem__("model", entry.get("model")),
    "named": lambda state, entry: state.__setitem__("name", entry.get("name")),
    "pinned": _is("pinned"),
    "archived": _is("archived"),
}

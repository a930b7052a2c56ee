"""The state of a session: `fold(entries)`, a pure function. It judges nothing and needs no workflow.

    entries ──▶ fold ──▶ Session    fold(a + b) == fold(b, start=fold(a))

Undo is not a jump back: `undid` names entries, and what they changed is computed again without them. `redid`
takes them in again, and leaves out the lines that were written with that `undid` and followed from it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .log import Entry

FORMAT = 1
CHAT = frozenset(
    "said helped asked answered set proposed refused failed undid redid cleared realigned chose "
    "started finished cancelled interrupted called".split()
)
VALUE_BY = frozenset({"set", "cleared"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a parameter. `kind`: set, cleared, or stale (out of the values, kept as a suggestion)."""

    n: int
    kind: str
    value: Any = None
    by: str = ""
    step: str | None = None
    turn: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What undo needs of an entry: lines of one write share `at`."""

    n: int
    at: str
    by: str
    did: str
    step: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its state is running, finished, failed, cancelled or interrupted."""

    id: str
    n: int
    at: str
    state: str = "running"
    ended: int = 0
    reason: str | None = None
    done: float | None = None
    total: float | None = None
    note: str = ""
    seconds: float | None = None
    results: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Session:
    """Everything that a session's entries say. Containers are never changed once folded."""

    n: int = 0
    at: str = ""
    began: dict[str, Any] = field(default_factory=dict)
    began_at: str = ""
    name: str | None = None
    pinned: bool = False
    archived: bool = False
    model: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    suggestions: dict[str, Any] = field(default_factory=dict)  # values that went stale
    history: dict[str, tuple[Change, ...]] = field(default_factory=dict)  # of a parameter, but what is undone
    taken: dict[int, tuple[tuple[str, Change], ...]] = field(default_factory=dict)  # that, by entry
    marks: dict[str, tuple[Entry, ...]] = field(default_factory=dict)  # opened, helped, advanced ... by step
    refusals: dict[str, Entry] = field(default_factory=dict)  # by parameter; by `/step` for the card's own
    failures: dict[str, Entry] = field(default_factory=dict)  # by step
    proposals: dict[str, Entry] = field(default_factory=dict)  # by id, not yet answered or overtaken
    questions: dict[str, Entry] = field(default_factory=dict)  # by id, not yet answered
    answers: dict[str, Entry] = field(default_factory=dict)  # by id
    undone: frozenset[int] = frozenset()
    lines: dict[int, Line] = field(default_factory=dict)
    redoable: tuple[Entry, ...] = ()  # each `undid` that can be taken back
    chat: tuple[Entry, ...] = ()
    turns: dict[str, Entry] = field(default_factory=dict)  # the user's words that have no reply yet, by turn
    runs: dict[str, Run] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)  # uploads
    replaced: tuple[tuple[int, int], ...] = ()  # [from, to): what was said anew later, and what followed it
    notes: dict[int, tuple[Entry, ...]] = field(default_factory=dict)  # by the entry that they are about

    @property
    def workflow(self) -> str:
        return str(self.began.get("workflow", ""))

    @property
    def title(self) -> str:
        return str(self.began.get("title") or self.workflow)

    @property
    def question(self) -> Entry | None:
        """The newest question that is still open."""
        return next(reversed(self.questions.values()), None)

    @property
    def run(self) -> Run | None:
        """The newest run."""
        return next(reversed(self.runs.values()), None)

    def mark(self, step: str, *did: str) -> Entry | None:
        """The newest line of these kinds about the step that was not undone."""
        live = (m for m in reversed(self.marks.get(step, ())) if m.n not in self.undone)
        return next((mark for mark in live if mark.did in did), None)

    def status(self, step: str) -> Entry | None:
        """What the step is: its newest advanced, skipped or reopened."""
        return self.mark(step, "advanced", "skipped", "reopened")

    def opening(self, step: str) -> Entry | None:
        """The step's newest `opened`."""
        return self.mark(step, "opened")

    def is_opened(self, step: str) -> bool:
        """Whether nothing has happened to the step since it was opened."""
        mark = self.mark(step, "opened", "advanced", "skipped", "reopened")
        return mark is not None and mark.did == "opened"

    def is_replaced(self, n: int) -> bool:
        """Whether the words of entry `n` gave way to others: an edited message, or a reply asked again."""
        return any(start <= n < end for start, end in self.replaced)

    def setting(self, name: str) -> Change | None:
        """What gave the parameter its value; None where it has none."""
        changes = self.history.get(name)
        return changes[-1] if changes and changes[-1].kind == "set" else None


def fold(entries: Iterable[Entry], start: Session | None = None) -> Session:
    """The session after `entries`, from `start` on (which is left as it is)."""
    begin = start or Session()
    state: dict[str, Any] = {f.name: getattr(begin, f.name) for f in fields(Session)}
    state = {key: value.copy() if isinstance(value, dict) else value for key, value in state.items()}
    # lists and a set while folding, so that what is added does not cost what is there
    state |= {"chat": list(begin.chat), "redoable": list(begin.redoable), "undone": set(begin.undone)}
    for entry in entries:
        state["n"], state["at"] = entry.n, entry.at
        apply = _APPLY.get(entry.did)
        if apply or entry.did in CHAT:
            entry = _sound(entry)
        if apply:
            apply(state, entry)
        if entry.did in CHAT:
            state["chat"].append(entry)
    for part in ("history", "marks"):
        for key in [key for key, items in state[part].items() if isinstance(items, list)]:
            state[part][key] = tuple(state[part][key])
    state |= {"chat": tuple(state["chat"]), "redoable": tuple(state["redoable"])}
    return Session(**state | {"undone": frozenset(state["undone"])})


def _all(kind: type) -> Any:
    return lambda items: isinstance(items, list | tuple) and all(isinstance(item, kind) for item in items)


_SHAPES: dict[str, Any] = {
    **dict.fromkeys(
        "workflow title step turn id run name because text reason question where model file kind why".split(),
        lambda value: isinstance(value, str),
    ),
    **dict.fromkeys(
        ("done", "total", "seconds", "first", "rate"), lambda value: isinstance(value, int | float)
    ),
    **dict.fromkeys(("values", "suggested"), lambda value: isinstance(value, dict)),
    "offered": lambda value: isinstance(value, dict) and _all(list)([*value.values()]),
    **dict.fromkeys(("names", "defaulted"), _all(str)),
    "options": _all(object),
    "replaces": lambda value: type(value) is int,
    "found": _all(int),
    "exports": _all(str),
    "entries": _all(int),
}


def _sound(entry: Entry) -> Entry:
    """The entry without fields of another type than theirs: an odd log must open, too."""
    odd = [
        key
        for key, value in entry.fields.items()
        if value is not None and (fits := _SHAPES.get(key)) and not fits(value)
    ]
    if not odd:
        return entry
    return replace(entry, fields={key: value for key, value in entry.fields.items() if key not in odd})


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
        if kept and kept.kind == "set":
            state["suggestions"][name] = kept.value


def _line(state: dict[str, Any], entry: Entry, names: tuple[str, ...] = ()) -> None:
    state["lines"][entry.n] = Line(entry.n, entry.at, entry.by, entry.did, entry.get("step"), names)


def _mark(state: dict[str, Any], entry: Entry) -> None:
    if step := entry.get("step"):
        _list(state["marks"], step).append(entry)
    _line(state, entry)


def _began(state: dict[str, Any], entry: Entry) -> None:
    state["began"], state["began_at"] = dict(entry.fields), entry.at


def _opened(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    state["failures"].pop(entry.get("step"), None)


def _set(state: dict[str, Any], entry: Entry) -> None:
    step, defaulted = entry.get("step"), entry.get("defaulted") or ()
    for name, value in (entry.get("values") or {}).items():
        by = "default" if name in defaulted else entry.by
        _change(state, name, Change(entry.n, "set", value, by, step, entry.get("turn"), entry.get("why")))
        state["refusals"].pop(name, None)
    state["refusals"].pop(f"/{step}", None)
    _line(state, entry, tuple(entry.get("values") or ()))
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step and set(proposal.get("values") or ()) <= set(state["values"]):
            del state["proposals"][id]
    if entry.by != "workflow":
        state["redoable"].clear()


def _advanced(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    step = entry.get("step")
    for key in [key for key, refusal in state["refusals"].items() if refusal.get("step") == step]:
        del state["refusals"][key]
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step:
            del state["proposals"][id]
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
        state["refusals"][entry.get("name") or f"/{step}"] = entry


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
    state["proposals"][str(entry.get("id"))] = entry


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


def _started(state: dict[str, Any], entry: Entry) -> None:
    id = str(entry.get("run"))
    state["runs"][id] = Run(id, entry.n, entry.at)


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


_APPLY: dict[str, Any] = {
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

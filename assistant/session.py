"""The state of a session: `fold(entries)`, a pure function. It judges nothing and needs no workflow.

    entries ──▶ fold ──▶ Session    fold(a + b) == fold(b, start=fold(a))

Undo is not a jump back: `undid` names entries, and what they changed is computed again without them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .log import Entry

FORMAT = 1
CHAT = frozenset(
    "said helped asked answered set proposed refused failed undid redid cleared realigned chose "
    "started finished cancelled interrupted".split()
)
VALUE_BY = frozenset({"set", "cleared"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a parameter. `kind` is set, cleared or stale (out of the values, kept as a suggestion)."""

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
    history: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    marks: dict[str, tuple[Entry, ...]] = field(
        default_factory=dict
    )  # opened, helped, advanced ... of a step
    refusals: dict[str, Entry] = field(default_factory=dict)  # by parameter; by `/step` for the card's own
    failures: dict[str, Entry] = field(default_factory=dict)  # by step
    proposals: dict[str, Entry] = field(default_factory=dict)  # by id, not yet answered or overtaken
    questions: dict[str, Entry] = field(default_factory=dict)  # by id, not yet answered
    answers: dict[str, Entry] = field(default_factory=dict)  # by id
    undone: frozenset[int] = frozenset()
    lines: dict[int, Line] = field(default_factory=dict)
    redoable: tuple[tuple[int, ...], ...] = ()
    chat: tuple[Entry, ...] = ()
    turns: dict[str, Entry] = field(default_factory=dict)  # the user's words that have no reply yet, by turn
    runs: dict[str, Run] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)  # uploads

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

    def live_marks(self, step: str) -> list[Entry]:
        return [mark for mark in self.marks.get(step, ()) if mark.n not in self.undone]

    def status(self, step: str) -> Entry | None:
        """The newest advanced, skipped or reopened of the step that was not undone."""
        for mark in reversed(self.marks.get(step, ())):
            if mark.n not in self.undone and mark.did in ("advanced", "skipped", "reopened"):
                return mark
        return None

    def opening(self, step: str) -> Entry | None:
        """The step's newest `opened`."""
        return next((m for m in reversed(self.live_marks(step)) if m.did == "opened"), None)

    def setting(self, name: str) -> Change | None:
        """What gave the parameter its value; None where it has none."""
        change = _newest(self.history.get(name, ()), self.undone)
        return change if change and change.kind == "set" else None


def fold(entries: Iterable[Entry], start: Session | None = None) -> Session:
    """The session after `entries`, from `start` on (which is left as it is)."""
    begin = start or Session()
    state: dict[str, Any] = {f.name: getattr(begin, f.name) for f in fields(Session)}
    state = {key: dict(value) if isinstance(value, dict) else value for key, value in state.items()}
    state["chat"] = list(begin.chat)
    for entry in entries:
        state["n"], state["at"] = entry.n, entry.at
        apply = _APPLY.get(entry.did)
        if apply:
            apply(state, entry)
        if entry.did in CHAT:
            state["chat"].append(entry)
    state["chat"] = tuple(state["chat"])
    for part in ("history", "marks"):
        for key in [key for key, items in state[part].items() if isinstance(items, list)]:
            state[part][key] = tuple(state[part][key])
    return Session(**state)


def _append(items: dict[str, Any], key: str, item: Any) -> None:
    """Adds to a tuple that is a list while folding, so that the cost does not grow with its length."""
    if not isinstance(items.get(key), list):
        items[key] = list(items.get(key, ()))
    items[key].append(item)


def _newest(changes: Sequence[Change], undone: frozenset[int], *but: str) -> Change | None:
    """The newest change that was not undone and whose kind is none of `but`."""
    live = (change for change in reversed(changes) if change.n not in undone)
    return next((change for change in live if change.kind not in but), None)


def _change(state: dict[str, Any], name: str, change: Change) -> None:
    _append(state["history"], name, change)
    _value(state, name)


def _value(state: dict[str, Any], name: str) -> None:
    """Computes the parameter's value, origin and suggestion from its history."""
    for part in ("values", "origins", "suggestions"):
        state[part].pop(name, None)
    changes = state["history"].get(name, ())
    newest = _newest(changes, state["undone"])
    if newest and newest.kind == "set":
        state["values"][name], state["origins"][name] = newest.value, newest.by
    elif newest and newest.kind == "stale":
        kept = _newest(changes, state["undone"], "stale")
        if kept and kept.kind == "set":
            state["suggestions"][name] = kept.value


def _line(state: dict[str, Any], entry: Entry, names: tuple[str, ...] = ()) -> None:
    state["lines"][entry.n] = Line(entry.n, entry.at, entry.by, entry.did, entry.get("step"), names)


def _mark(state: dict[str, Any], entry: Entry) -> None:
    step = str(entry.get("step"))
    _append(state["marks"], step, entry)
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
    names = tuple(entry.get("values") or ())
    _line(state, entry, names)
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step and set(proposal.get("values") or ()) <= set(state["values"]):
            del state["proposals"][id]
    if entry.by != "workflow":
        state["redoable"] = ()


def _advanced(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    step = entry.get("step")
    names = {name for name, changes in state["history"].items() if changes[-1].step == step}
    for key in [
        key for key, e in state["refusals"].items() if e.get("step") == step or key in names
    ]:
        del state["refusals"][key]
    for id, proposal in list(state["proposals"].items()):
        if proposal.get("step") == step:
            del state["proposals"][id]


def _reopened(state: dict[str, Any], entry: Entry) -> None:
    _mark(state, entry)
    if not entry.get("because"):
        return
    step = entry.get("step")
    for name, changes in list(state["history"].items()):
        newest = _newest(changes, state["undone"])
        if newest and newest.kind == "set" and newest.step == step:
            _change(state, name, Change(entry.n, "stale", step=step))


def _cleared(state: dict[str, Any], entry: Entry) -> None:
    names = tuple(entry.get("names") or ())
    for name in names:
        _change(state, name, Change(entry.n, "cleared", by=entry.by, step=entry.get("step")))
    _line(state, entry, names)
    state["redoable"] = ()


def _undid(state: dict[str, Any], entry: Entry) -> None:
    numbers = tuple(entry.get("entries") or ())
    state["undone"] = state["undone"] | frozenset(numbers)
    state["redoable"] = (*state["redoable"], numbers)
    _recompute(state, numbers)


def _redid(state: dict[str, Any], entry: Entry) -> None:
    numbers = tuple(entry.get("entries") or ())
    state["undone"] = state["undone"] - frozenset(numbers)
    state["redoable"] = tuple(item for item in state["redoable"] if item != numbers)
    _recompute(state, numbers)


def _recompute(state: dict[str, Any], numbers: tuple[int, ...]) -> None:
    for name, changes in state["history"].items():
        if any(change.n in numbers for change in changes):
            _value(state, name)
    touched = {state["lines"][n].step for n in numbers if n in state["lines"]}
    for key in [key for key, entry in state["refusals"].items() if entry.get("step") in touched]:
        del state["refusals"][key]


def _refused(state: dict[str, Any], entry: Entry) -> None:
    state["refusals"][entry.get("name") or f"/{entry.get('step')}"] = entry


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
    if entry.by == "user":
        state["turns"][turn] = entry
    else:
        state["turns"].pop(turn, None)


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
    if run:
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
    "chose": lambda state, entry: state.__setitem__("model", entry.get("model")),
    "named": lambda state, entry: state.__setitem__("name", entry.get("name")),
    "pinned": _is("pinned"),
    "archived": _is("archived"),
}


def undo_of(session: Session, entry: int | None = None) -> tuple[int, ...]:
    """The entries that undo would take back: the newest action on values (or that of `entry`), and its
    card's completion. Empty where there is none."""
    live = [line for line in session.lines.values() if line.n not in session.undone]
    actions = (x for x in reversed(live) if x.did in VALUE_BY and x.by != "workflow")
    newest = next((x for x in actions if entry is None or x.n == entry), None)
    if newest is None:
        return ()
    action = [x for x in live if x.at == newest.at]
    steps = {x.step for x in action if x.did in VALUE_BY}
    later = {x.at for x in live if x.n > newest.n and x.did == "advanced" and x.step in steps}
    taken = action + [x for x in live if x.at in later and x.at != newest.at]
    return tuple(sorted({x.n for x in taken if x.did != "helped"}))


def redo_of(session: Session) -> tuple[int, ...]:
    """The entries that redo would bring back."""
    return session.redoable[-1] if session.redoable else ()

"""The state of a session: `fold(entries)`, a pure function. It judges nothing and needs no workflow.

    entries ──▶ fold ──▶ Session    fold(a + b) == fold(b, start=fold(a))

What each kind of entry changes is in `folding.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from ..collector import paused
from ..log import Entry
from .folding import APPLY
from .parts import Change, Line, Run
from .shapes import sound

FORMAT = 1
CHAT = frozenset(
    "said helped asked answered set proposed refused failed undid redid cleared realigned chose "
    "started finished cancelled interrupted called".split()
)


@dataclass(frozen=True)
class Session:
    """Everything that a session's entries say. Containers are never changed once folded."""

    n: int = 0
    at: str = ""
    began: dict[str, Any] = field(default_factory=dict)
    began_at: str = ""
    source: str = ""  # the digest of the workflow's file by which the session goes
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

    @property
    def sources(self) -> tuple[str, ...]:
        """The earlier sessions that this one, or a value which holds now, was made from."""
        settings = (self.setting(name) for name in self.values)
        origins = [self.began.get("again_of"), *(setting.source for setting in settings if setting)]
        sids = [origin.get("session") for origin in origins if isinstance(origin, dict)]
        return tuple(dict.fromkeys(sid for sid in sids if isinstance(sid, str)))

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

    @property
    def last_opened(self) -> str | None:
        """The step that was opened last."""
        marks = [mark for step in self.marks if (mark := self.opening(step))]
        return str(max(marks, key=lambda mark: mark.n)["step"]) if marks else None

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
    with paused():
        for entry in entries:
            _apply(state, entry)
    for part in ("history", "marks"):
        for key in [key for key, items in state[part].items() if isinstance(items, list)]:
            state[part][key] = tuple(state[part][key])
    state |= {"chat": tuple(state["chat"]), "redoable": tuple(state["redoable"])}
    return Session(**state | {"undone": frozenset(state["undone"])})


def _apply(state: dict[str, Any], entry: Entry) -> None:
    state["n"], state["at"] = entry.n, entry.at
    apply = APPLY.get(entry.did)
    if apply or entry.did in CHAT:
        entry = sound(entry)
    if apply:
        apply(state, entry)
    if entry.did in CHAT:
        state["chat"].append(entry)

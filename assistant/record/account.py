"""What the record tells of a session: each message with its changes, each value with how it came about. Pure.

entries ─┬─ steps, models ──▶ chosen (by who, what, step and text) ──▶ messages ──▶ window
         └─ values_told: every value that was set, suggested or refused, with what else there was
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..log import Entry
from ..sentences import sentence
from ..session.shapes import sound

RUN = frozenset("started progressed produced finished cancelled interrupted".split())
CHANGES = frozenset("set proposed refused cleared".split())
TOLD = (
    CHANGES
    | frozenset("said helped asked answered failed undid redid chose realigned redacted".split())
    | (RUN - {"progressed", "produced"})
)
"""What the conversation shows unasked; the rest is there when it is what one looks for."""
DEFAULT, EARLIER = "default", "earlier"


@dataclass(frozen=True)
class Wanted:
    """What of the record one wants to see; "" is all of it.

    `who` is a `by`, the name of a model, `default` or `earlier` (a value of an earlier session); `what` a
    `did`, or `run` for all that a run writes; `text` is looked for in the entry's sentence and its words.
    """

    who: str = ""
    what: str = ""
    step: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.who or self.what or self.step or self.text)


Told = tuple[Entry, tuple[Entry, ...]]
"""A message, and the changes of its turn that it tells of."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value in an entry `set`, `proposed`, `refused` or `cleared`.

    `instead`: the suggestions and refusals of this parameter since it was last set. `opening`: its card's
    `opened` at the time. `number`: how many times it had been set by then, this one too.
    """

    entry: Entry
    name: str
    value: Any
    by: str
    instead: tuple["Value", ...] = ()
    opening: Entry | None = None
    number: int = 0

    def is_by(self, who: str) -> bool:
        """Whether it fits the filter; an entry may hold values that were given and some that are defaults."""
        return not who or (self.by == DEFAULT) == (who == DEFAULT)


class Account:
    """The entries of a session with what must be computed over all of them (a class: it is computed once)."""

    def __init__(self, entries: Sequence[Entry], at: int) -> None:
        self.at = at
        self.entries = [sound(entry) for entry in entries[:at]]
        self.models = models_of(entries)
        self.steps = steps_of(self.entries)

    def who(self, entry: Entry) -> str:
        """Who wrote the entry: its `by`, or the model by its name."""
        if entry.by != "model":
            return entry.by
        named = entry.get("model") if entry.did == "said" else None
        return str(named or self.models.get(str(entry.get("turn"))) or entry.by)

    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """How many entries each wrote, and how many there are of each kind."""
        who, kinds = Counter[str](), Counter[str]()
        for entry in self.entries:
            who[self.who(entry)] += 1
            kinds[kind_of(entry)] += 1
            if entry.did == "set":
                who[DEFAULT] += bool(entry.get("defaulted"))
                who[EARLIER] += is_earlier(entry)
        return +who, kinds

    def chosen(self, wanted: Wanted) -> list[Entry]:
        """The entries that are wanted, in order."""
        tests: list[Callable[[Entry], bool]] = []
        if wanted.what:
            tests.append(lambda entry: wanted.what in (entry.did, kind_of(entry)))
        if wanted.step:
            tests.append(lambda entry: self.steps[entry.n - 1] == wanted.step)
        if wanted.who:
            tests.append(lambda entry: wanted.who in self._names(entry))
        if wanted.text:
            sought = wanted.text.casefold()
            tests.append(lambda entry: sought in _words(entry).casefold())
        found = self.entries
        for test in tests:
            found = [entry for entry in found if test(entry)]
        return found

    def _names(self, entry: Entry) -> tuple[str, ...]:
        marks = (DEFAULT, bool(entry.get("defaulted"))), (EARLIER, is_earlier(entry))
        return (entry.by, self.who(entry), *(name for name, has in marks if has))

    def messages(self, chosen: Iterable[Entry], wanted: Wanted) -> list[Told]:
        """What the conversation shows, each reply with the changes of its turn that it tells of."""
        shown = [e for e in chosen if e.did in TOLD or wanted.what or wanted.who or e.n == self.at]
        held: dict[int, list[Entry]] = {}
        reply: dict[str, int] = {}
        found = []
        for entry in reversed(shown):
            turn = entry.fields.get("turn")
            if entry.did == "said" and entry.by != "user" and turn:
                reply[turn] = entry.n
            elif entry.did in CHANGES and turn in reply:
                held.setdefault(reply[turn], []).append(entry)
                continue
            found.append(entry)
        return [(entry, tuple(reversed(held.get(entry.n, ())))) for entry in reversed(found)]

    def spoken(self) -> dict[str, int]:
        """The entry of the user's words by their turn."""
        return {
            e.get("turn"): e.n for e in self.entries if e.did == "said" and e.by == "user" and e.get("turn")
        }


def models_of(entries: Iterable[Entry]) -> dict[str, str]:
    """The model that answered, by turn."""
    found = {}
    for entry in entries:
        if entry.did == "said" and entry.by == "model" and isinstance(entry.get("model"), str):
            found[str(entry.get("turn"))] = entry["model"]
    return found


def steps_of(entries: Iterable[Entry]) -> list[str]:
    """The step of each entry: its own, or the one that was opened last when it was written."""
    found, current = [], ""
    for entry in entries:
        own = entry.fields.get("step")
        if own and entry.did in ("opened", "reopened"):
            current = own
        found.append(own or current)
    return found


def is_earlier(entry: Entry) -> bool:
    """Whether it took values of an earlier session."""
    return entry.did == "set" and isinstance(entry.get("source"), dict)


def kind_of(entry: Entry) -> str:
    return "run" if entry.did in RUN or (entry.did == "failed" and entry.get("run")) else entry.did


def _words(entry: Entry) -> str:
    """What a search looks at: the sentence, and all of a long text."""
    return f"{sentence(entry)} {entry.get('text') or ''} {entry.get('question') or ''}"


def values_told(entries: Iterable[Entry]) -> list[Value]:
    """Each value that was set, suggested, refused or cleared, in order. `entries` are sound."""
    found: list[Value] = []
    since: dict[str, list[Value]] = {}
    openings: dict[str, Entry] = {}
    counts: Counter[str] = Counter()
    for entry in entries:
        step = entry.get("step")
        if entry.did == "opened" and step:
            openings[step] = entry
        elif entry.did == "set":
            defaulted = entry.get("defaulted") or ()
            for name, value in (entry.get("values") or {}).items():
                counts[name] += 1
                by = DEFAULT if name in defaulted else entry.by
                instead = tuple(since.pop(name, ()))
                found.append(Value(entry, name, value, by, instead, openings.get(step or ""), counts[name]))
        elif entry.did in ("proposed", "refused"):
            for each in _not_set(entry, openings.get(step or "")):
                found.append(each)
                since.setdefault(each.name, []).append(each)
        elif entry.did == "cleared":
            found += [Value(entry, name, None, entry.by) for name in entry.get("names") or ()]
    return found


def _not_set(entry: Entry, opening: Entry | None) -> list[Value]:
    if entry.did == "proposed":
        values: Mapping[str, Any] = entry.get("values") or {}
    else:
        values = {str(entry.get("name") or entry.get("step") or ""): entry.get("value")}
    return [Value(entry, name, value, entry.by, (), opening) for name, value in values.items()]


def window(numbers: Sequence[int], near: int | None, size: int) -> slice:
    """Of rows with these entry numbers, in order, the `size` around entry `near`, or the last."""
    most = max(0, len(numbers) - size)
    start = most if near is None else min(most, max(0, bisect_left(numbers, near) - size // 2))
    return slice(start, start + size)

"""The user's own finished sessions as scenarios: the values that the user confirmed are what is right.

Each message is tried by itself, on the session as it was before it: what a model made of the messages
before does not matter then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cards import card_of, cards
from ..chat.plain import is_command
from ..errors import BrokenWorkflow, NotFound
from ..log import Entry, Fact
from ..parameters import MISSING, REDACTED
from ..redaction.traces import GONE
from ..session import Session
from ..words import grounded
from ..workflow import Workflow
from ..workspace import Handle, Workspace
from .reading import Turn


@dataclass(frozen=True)
class Message:
    """A message of a session, as a turn: its values in `follows`, and in `free` those changed later on."""

    handle: Handle
    at: int  # the entry before it
    turn: Turn
    free: frozenset[str]

    async def begin(self, workspace: Workspace, model: str) -> Handle:
        """A session of its own in `workspace`, as it was before the message."""
        made = workspace.fork(self.handle, self.at)
        await made.write(lambda _: [Fact("user", "chose", {"model": model})])
        return made


def messages(workspace: Workspace, workflows: Sequence[str] = ()) -> list[Message]:
    """The messages of all sessions whose last run finished, the oldest session first."""
    found: list[Message] = []
    for handle in reversed(list(workspace.handles())):
        session = handle.session()
        finished = session.run is not None and session.run.state == "finished"
        if finished and (not workflows or session.workflow in workflows):
            try:
                found += _of(handle, session, handle.workflow())
            except (NotFound, BrokenWorkflow):
                continue  # it can not be gone on with, so there is nothing to try on it
    return found


def _of(handle: Handle, end: Session, flow: Workflow) -> Iterator[Message]:
    entries = handle.log.entries
    said = [e for e in entries if e.did == "said" and e.by == "user" and e.get("text")]
    of_message = _by_message(entries, {e.n: str(e.get("turn") or "") for e in said})
    busy = 0  # up to here what was said before is being answered
    for entry in said:
        before, text, followed = handle.session(entry.n - 1), str(entry["text"]), of_message[entry.n]
        waited, busy = entry.n > busy, max(busy, _answered(followed))
        if GONE in text or not waited:
            continue  # not what was said, or not said to the session as it was
        taken = {n: value for n, value in _offered(followed).items() if end.values.get(n, MISSING) == value}
        given = taken | _given(followed)
        gold = {
            name: value
            for name, value in given.items()
            if end.values.get(name, MISSING) == value
            and (taken.get(name, MISSING) == value or _says(flow, before, name, value, text))
        }
        by_default = {n for n, value in _given(followed, True).items() if _says(flow, before, n, value, text)}
        if gold or not is_command(text, before):
            turn = Turn("say", text, follows={"set": gold})
            yield Message(handle, entry.n - 1, turn, frozenset({*given, *by_default}))


def _answered(followed: Sequence[Entry]) -> int:
    """The last entry of the answer, but for one that was asked for again."""
    numbers = (e.n for e in followed if e.did in ("called", "said") and e.get("replaces") is None)
    return max(numbers, default=0)


def _by_message(entries: Sequence[Entry], said: Mapping[int, str]) -> dict[int, list[Entry]]:
    """What came of each message: what is of its turn, and by hand what was done until the next one.

    What answered a suggestion or question is also of the message which that was made of.
    """
    of_turn = {turn: n for n, turn in said.items() if turn}
    made: dict[str, int] = {}
    found: dict[int, list[Entry]] = {n: [] for n in said}
    last, accepted, at = 0, 0, ""
    for entry in entries:
        if entry.n in said:
            last = entry.n
            continue
        number, id = of_turn.get(str(entry.get("turn") or ""), 0), str(entry.get("id"))
        if entry.did in ("proposed", "asked"):
            made.setdefault(id, number or last)
        elif entry.did == "answered":
            accepted, at = made.get(id, 0), entry.at  # what it sets is in the same write
        owners = {number} if number else {last, accepted if entry.at == at else last}
        for each in owners - {0}:
            found[each].append(entry)
    return found


def _says(flow: Workflow, before: Session, name: str, value: Any, text: str) -> bool:
    """Whether the value is in the words."""
    field = flow.fields().get(name)
    card = card_of(cards(before, flow), name)
    if field is None or card is None:
        return False
    return bool(grounded(field, value, [text], card.offered.get(name), now=before.values.get(name)))


def _offered(entries: Sequence[Entry]) -> dict[str, Any]:
    """The values that were suggested or asked about; those of an earlier session were not in the words."""
    found: dict[str, Any] = {}
    for entry in entries:
        about = entry.get("about")
        if entry.did == "proposed" and not entry.get("source"):
            found |= entry.get("values") or {}
        elif entry.did == "asked" and isinstance(about, Mapping) and isinstance(about.get("name"), str):
            found[about["name"]] = about.get("value")
    return found


def _given(entries: Sequence[Entry], by_default: bool = False) -> dict[str, Any]:
    """The values that were set, by anyone but the workflow: as a default, or not so."""
    return {
        name: value
        for entry in entries
        if entry.did == "set" and entry.by != "workflow"
        for name, value in (entry.get("values") or {}).items()
        if (name in (entry.get("defaulted") or ())) == by_default and value != REDACTED
    }

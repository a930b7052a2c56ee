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
    said = [e for e in said if GONE not in str(e["text"])]  # else it is not what was said
    for entry, after in zip(said, [*said[1:], None], strict=True):
        before, text = handle.session(entry.n - 1), str(entry["text"])
        followed = [e for e in entries if entry.n < e.n < (after.n if after else end.n + 1)]
        given = _given(followed)
        gold = {
            name: value
            for name, value in given.items()
            if end.values.get(name, MISSING) == value and _meant(flow, before, name, value, text, followed)
        }
        if gold or not is_command(text, before):
            yield Message(handle, entry.n - 1, Turn("say", text, follows={"set": gold}), frozenset(given))


def _meant(
    flow: Workflow, before: Session, name: str, value: Any, text: str, followed: Sequence[Entry]
) -> bool:
    """Whether the message said the value, or a model made it of the message and the user took it."""
    field = flow.fields().get(name)
    card = card_of(cards(before, flow), name)
    if field is None or card is None:
        return False
    if grounded(field, value, [text], card.offered.get(name), now=before.values.get(name)):
        return True
    for entry in followed:
        about = entry.get("about")
        if entry.did == "proposed" and (entry.get("values") or {}).get(name, MISSING) == value:
            return True
        if entry.did == "asked" and isinstance(about, Mapping) and about.get("name") == name:
            if about.get("value") == value:
                return True
    return False


def _given(entries: Sequence[Entry]) -> dict[str, Any]:
    """The values that were set, by anyone but the workflow and not as a default."""
    return {
        name: value
        for entry in entries
        if entry.did == "set" and entry.by != "workflow"
        for name, value in (entry.get("values") or {}).items()
        if name not in (entry.get("defaulted") or ()) and value != REDACTED
    }

"""What the calls of one turn share: whose words count, how often was tried, and how a call is logged."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from typing import Any

from ..chat.slash import parse
from ..log import Entry, Fact
from ..models import Call
from ..queries import QUERY
from ..session import Session
from ..workspace import Handle
from .settle import StartRun

VALUES = ("set_values", "set_other_value")
FOR_MODELS = (*VALUES, "reopen_step", "ask_user", "run_workflow", QUERY)
RECENT = 2  # turns before this one whose words also count
ARGUMENTS = 20_000  # characters of arguments that are logged whole


@dataclass
class Desk:
    """What the calls of one turn share (a class: it counts).

    `by` is model or guide; `said` are the user's messages that count, the newest first; `runs` is whether
    this one plainly says to run; `leave` words a reason after too many repairs.
    """

    handle: Handle
    turn: str
    by: str
    said: Sequence[Entry]
    start_run: StartRun
    runs: bool = False
    leave: Callable[[str, str, str], str] = lambda reason, name, label: reason
    most: int = 12
    repairs: int = 2  # times that a refused value may be tried again
    calls: int = 0
    repeats: int = 0
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # results by call
    refusals: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)  # labels of what was refused too often
    asked: bool = False
    changed: bool = False


def words_that_count(session: Session, turn: str) -> list[Entry]:
    """The user's message of this turn and those of the turns before it, the newest first.

    Words that were edited since, and commands, are none of them.
    """

    def newest_first() -> Iterator[Entry]:
        return (e for e in reversed(session.chat) if e.did == "said" and e.by == "user")

    def counts(entry: Entry) -> bool:
        gone = session.is_replaced(entry.n) or parse(str(entry.get("text")))
        return entry.get("turn") == turn or not gone

    said = newest_first()
    if any(entry.get("turn") == turn for entry in newest_first()):
        said = dropwhile(lambda entry: entry.get("turn") != turn, said)
    return list(islice(filter(counts, said), RECENT + 1))


def called(desk: Desk, call: Call, result: Mapping[str, Any], kept: Sequence[str] = ()) -> Fact:
    """The line of a call, whatever came of it. `kept`: whose value, which had stood, the user said again."""
    fields = desk.handle.workflow().fields()
    arguments = {
        name: {"secret": True} if (f := fields.get(name)) and f.kind == "secret" else value
        for name, value in call.arguments.items()
    }
    if (f := fields.get(str(arguments.get("name")))) and f.kind == "secret" and "value" in arguments:
        arguments["value"] = {"secret": True}
    return Fact(
        desk.by,
        "called",
        {
            "turn": desk.turn,
            "tool": clean(call.tool)[:200],
            "arguments": loggable(arguments),
            "result": dict(result),
            **({"kept": [*kept]} if kept else {}),
        },
    )


def clean(text: str) -> str:
    """Text that can be written: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def loggable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as received, or cut where a line of the log cannot hold them."""
    try:
        text = clean(json.dumps(arguments, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        text = clean(repr(arguments))
    else:
        if len(text) <= ARGUMENTS and text.count("[") + text.count("{") < 80:
            found: dict[str, Any] = json.loads(text)
            return found
    return {"cut": text[:2_000]}


def given(call: Call) -> dict[str, Any]:
    """The values that a call names, by parameter."""
    if call.tool == "set_values":
        return dict(call.arguments)
    if call.tool == "set_other_value" and isinstance(name := call.arguments.get("name"), str):
        return {name: call.arguments.get("value")}
    return {}


async def tell(desk: Desk, call: Call, result: dict[str, Any], *facts: Fact) -> dict[str, Any]:
    line = called(desk, call, result)
    await desk.handle.write(lambda _: [line, *facts])
    return result

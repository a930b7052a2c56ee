"""The tools of a turn, the same for a model and the guide: what they look like, and who carries out a call.

calls ── in order ──▶ set_values, set_other_value ─▶ grounded.py, one write
                 └──▶ the others ─▶ commands.py, each its own
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..cards import Card
from ..models import Call
from ..parameters import schema, settable
from ..queries import QUERY, TableFile, described
from ..workflow import Workflow
from .commands import ACTIONS
from .desk import FOR_MODELS, Desk, given, tell
from .grounded import set_given

PARAMETERS = 6  # of a tool; a small model loses itself in more
LONGEST = 2_000  # characters of a description that names tables and columns


def definitions(
    flow: Workflow, card: Card | None, tables: Mapping[str, TableFile] | None = None
) -> list[dict[str, Any]]:
    """The tools with `card` open, in a fixed order; nothing in them depends on the values so far.

    Where a run has finished with `tables`, its results can be asked.

    What a card asks beyond PARAMETERS is set as that of another card is.
    """
    offered = card.offered if card else {}
    shapes = {f.name: s for f in (card.step.fields if card else ()) if (s := schema(f, offered.get(f.name)))}
    own = dict(list(shapes.items())[:PARAMETERS])
    others = [name for name, f in flow.fields().items() if name not in own and settable(f)]
    found = []
    if card and own:
        found.append(
            _tool(
                "set_values", f"Set values on the open card, {card.step.name}. Only what the user said.", own
            )
        )
    if others:
        found.append(
            _tool(
                "set_other_value",
                "Set one value that set_values does not have. Only what the user said.",
                {
                    "name": {"type": "string", "enum": others, "description": "The parameter."},
                    "value": {"type": "string", "description": "Its value as text; a list as JSON."},
                },
                ["name", "value"],
            )
        )
    steps = {
        "type": "string",
        "enum": [step.name for step in flow.steps],
        "description": "The card.",
    }
    question = {"type": "string", "description": "One short question."}
    options = {"type": "array", "items": {"type": "string"}, "description": "Two to five short answers."}
    return [
        *found,
        _tool("reopen_step", "Open a completed card again, to edit it.", {"step": steps}, ["step"]),
        _tool(
            "ask_user", "Ask the user to choose.", {"question": question, "options": options}, ["question"]
        ),
        _tool("run_workflow", "Run the workflow when all cards are completed. The user is asked first.", {}),
        *([_query(tables)] if tables else []),
    ]


def _query(tables: Mapping[str, TableFile]) -> dict[str, Any]:
    told = f"Answer a question about the results of the run. The tables: {described(tables)}"[:LONGEST]
    sql = {"type": "string", "description": "One SELECT in SQLite's SQL. A bool is 1 or 0, a date is text."}
    return _tool(QUERY, f"{told}.", {"sql": sql}, ["sql"])


def _tool(
    name: str, told: str, properties: Mapping[str, Any], required: Sequence[str] = ()
) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict(properties), "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": told, "parameters": parameters}}


async def execute(desk: Desk, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Runs the calls in order and logs each; returns one result for each.

    A call that this turn made before is not run again, nor any after `desk.most`.
    """
    results: list[dict[str, Any]] = []
    batch: list[Call] = []

    async def flush() -> None:
        nonlocal batch
        results.extend(await set_given(desk, batch))
        batch = []

    for call in calls:
        desk.calls += 1
        again = desk.made.get(_key(call)) if desk.by == "model" else None
        action = ACTIONS.get(call.tool) if desk.by == "guide" or call.tool in FOR_MODELS else None
        if (
            action
            or again
            or desk.calls > desk.most
            or any(given(call).keys() & given(e).keys() for e in batch)
        ):
            await flush()
        if desk.calls > desk.most:
            results.append(await tell(desk, call, {"error": f"No more than {desk.most} calls in one turn."}))
        elif again:
            desk.repeats += 1
            results.append(await tell(desk, call, _repeated(call, again)))
        elif action:
            results.append(await action(desk, call))
            desk.changed |= call.tool != QUERY and results[-1].keys().isdisjoint({"error", "refused"})
        else:
            batch.append(call)
    await flush()
    desk.made |= {_key(call): result for call, result in zip(calls, results, strict=True)}
    return results


def _key(call: Call) -> str:
    return f"{call.tool} {json.dumps(call.arguments, sort_keys=True, default=str)}"


def _repeated(call: Call, before: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a call that was made before: nothing changed, and what was wrong still is."""
    kept = {key: before[key] for key in ("refused", "error", "proposed", "asked") if key in before}
    note = "The same call was made before in this turn, so it was not run again. Answer in words."
    return {"unchanged": list(given(call)), **kept, "note": note}

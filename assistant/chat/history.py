"""What a model reads: the prefix, whole earlier turns as far as the budget goes, and the newest message.

    system (stable while a card is open) · turn · turn · ... · state of the cards + the user's words

The changing part stands in the newest message only, so that a server can keep what it has read.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cards import Card, cards, open_card
from ..log import Entry
from ..models import Request
from ..parameters import Field, choices, limits, listed, noun, show
from ..prompts import Prompts
from ..queries import tables_of
from ..session import Session
from ..settings import Bounds
from ..tools import definitions
from ..tools.desk import FOR_MODELS
from ..workflow import Workflow
from .slash import parse

TOKEN = 3.5  # characters, roughly
RESULT = 1_500  # characters of a tool's result
VALUE = 200
RESERVE = 600  # tokens kept for the calls of the turn itself

Message = dict[str, Any]


@dataclass(frozen=True)
class Prompt:
    """What a turn begins with. `left_out` are the earlier turns that found no room in `window` (tokens)."""

    messages: list[Message]
    tools: list[dict[str, Any]]
    left_out: int
    window: int


def prompt(
    prompts: Prompts, entries: Sequence[Entry], session: Session, flow: Workflow, turn: str, *,
    tools: bool, history_tokens: int, window: int, reserve: int = RESERVE,
) -> Prompt:  # fmt: skip
    """The messages and tools for the user's words of `turn`, or of no turn (""): words still to come.

    `window` is what a prompt may have, `reserve` what of it is kept for the calls of the turn (tokens).
    """
    found = cards(session, flow)
    card = open_card(found)
    offered = definitions(flow, card, tables_of(session)) if tools else []
    step, own = (card.step if card else None), session.workflow
    help_ = prompts.render("help", own, step=step) if step else ""
    system = prompts.render("system", own, flow=flow, step=step, help=help_)
    earlier, words = said_before(entries, turn)

    def newest(left_out: int) -> str:
        return alignment(prompts, session, flow, found, words, left_out, tools)

    last = newest(0)
    used = estimate([system, offered, last]) + reserve
    kept = _fit(_newest_first(entries, earlier, tools), min(history_tokens, window - used))
    if left_out := len(earlier) - len(kept):
        last = newest(left_out)
    messages = [{"role": "system", "content": system}, *(message for each in kept for message in each)]
    return Prompt([*messages, {"role": "user", "content": last}], offered, left_out, window)


def preview(
    prompts: Prompts, entries: Sequence[Entry], session: Session, flow: Workflow, bounds: Bounds
) -> str:
    """What a model that can use tools would get now, for reading; the user's words are still to come."""
    window = bounds.num_ctx - bounds.num_predict
    made = prompt(
        prompts, entries, session, flow, "", tools=True, history_tokens=bounds.history_tokens, window=window
    )
    parts = [f"--- {message['role']}\n{_readable(message)}" for message in made.messages]
    parts += [f"--- tool\n{json.dumps(tool['function'], ensure_ascii=False)}" for tool in made.tools]
    tokens = estimate([made.messages, made.tools])
    return "\n\n".join([*parts, f"--- about {tokens:,} of {window:,} tokens, without your next words"])


def _readable(message: Message) -> str:
    calls = [json.dumps(each["function"], ensure_ascii=False) for each in message.get("tool_calls", ())]
    return "\n".join([part for part in [message["content"]] if part] + calls)


def estimate(value: Any) -> int:
    """About how many tokens a text or JSON value is."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return int(len(text) / TOKEN) + 1


def digest(request: Request) -> str:
    """The first 16 hex digits of the SHA-256 of exactly what the model was given to read."""
    read = [list(request.messages), list(request.tools), *([request.format] if request.format else ())]
    told = json.dumps(read, ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]


def _fit(newest_first: Iterable[list[Message]], tokens: int) -> list[list[Message]]:
    """The newest whole turns that fit, in order."""
    kept: list[list[Message]] = []
    for each in newest_first:
        tokens -= estimate(each)
        if tokens < 0:
            break
        kept.append(each)
    return kept[::-1]


def said_before(entries: Sequence[Entry], turn: str) -> tuple[list[Entry], str]:
    """What the user said before `turn` since the last realignment, and the words of `turn`."""
    said = [e for e in entries if e.did == "said" and e.by == "user"]
    own = next((e for e in reversed(said) if e.get("turn") == turn), None) if turn else None
    if turn and own is None:
        return [], ""
    until = own.n if own else math.inf
    start = max((e.n for e in entries if e.did == "realigned" and e.n < until), default=0)
    edits = [(e["replaces"], e.n) for e in said if e.n <= until and type(e.get("replaces")) is int]
    earlier = [e for e in said if start < e.n < until and not _is_gone(e, edits)]
    return earlier, str(own.get("text")) if own else ""


def _newest_first(entries: Sequence[Entry], said: Sequence[Entry], calls: bool) -> Iterator[list[Message]]:
    """The turn of each of the user's words as messages; looks no further back than it is asked to.

    Without `calls` they are words only: a model without tools may refuse to read a call.
    """
    made: dict[str, list[Entry]] = {}
    end = len(entries)
    for words in reversed(said):
        for entry in reversed(entries[words.n : end]):  # what came of a turn stands behind its words
            if entry.by in ("model", "guide") and entry.get("turn"):
                made.setdefault(str(entry["turn"]), []).append(entry)
        end = words.n
        yield _messages(words, made.get(str(words.get("turn")), [])[::-1], calls)


def _is_gone(words: Entry, edits: Sequence[tuple[int, int]]) -> bool:
    """Whether a message gave way to an edited one, or is a command, which no model reads."""
    if parse(str(words.get("text"))):
        return True
    return any(start <= words.n < end for start, end in edits)


def _messages(words: Entry, made: Sequence[Entry], with_calls: bool) -> list[Message]:
    found: list[Message] = [{"role": "user", "content": str(words.get("text"))}]
    made_calls = (e for e in made if e.did == "called" and e.by == "model" and e.get("tool") in FOR_MODELS)
    calls = list(made_calls) if with_calls else []
    if calls:
        ids = [f"call_{words.get('turn')}_{n}" for n in range(len(calls))]
        asked = [
            {"id": id, "function": {"index": n, "name": e["tool"], "arguments": e["arguments"]}}
            for n, (id, e) in enumerate(zip(ids, calls, strict=True))
        ]
        found.append({"role": "assistant", "content": "", "tool_calls": asked})
        found += [result(id, e["tool"], e["result"]) for id, e in zip(ids, calls, strict=True)]
    reply = next((e for e in reversed(made) if e.did == "said"), None)
    if reply and reply.get("text"):
        found.append({"role": "assistant", "content": str(reply.get("text"))})
    if calls and found[-1]["role"] == "tool":
        found.append({"role": "assistant", "content": "(no words)"})
    return found


def result(id: str, tool: str, value: Mapping[str, Any]) -> Message:
    """A tool's result as a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= RESULT else text[: RESULT - 1] + "…"
    return {"role": "tool", "tool_name": tool, "tool_call_id": id, "content": text}


def alignment(
    prompts: Prompts, session: Session, flow: Workflow, found: Sequence[Card], words: str, left_out: int,
    tools: bool,
) -> str:  # fmt: skip
    """The newest message: what is true now, how to answer, then the user's words."""
    card = open_card(found)
    others = [
        {"name": field.name, "value": _cut(show(field, each.values[field.name]))}
        for each in found
        if each is not card
        for field in each.step.fields
        if field.name in each.values
    ]
    refused = [
        {"name": e.get("name") or f"the card {e.get('step')}", "reason": _cut(str(e.get("reason")))}
        for e in session.refusals.values()
    ]
    run = session.run
    return prompts.render(
        "alignment",
        session.workflow,
        vision=_cut(f"{flow.title}: {flow.description}" if flow.description else flow.title),
        card=card,
        fields=about(card) if card else [],
        others=others,
        refused=refused,
        question=session.question.get("question") if session.question else None,
        run=f"{run.state}{_results(run.results)}" if run else None,
        left_out=left_out,
        tools=tools,
        words=words,
    )


def about(card: Card) -> list[dict[str, Any]]:
    """The fields of a card as the prompts show them."""
    return [_about(card, field) for field in card.step.fields]


def _about(card: Card, field: Field) -> dict[str, Any]:
    known = choices(field, card.offered.get(field.name))
    rules = [listed([label for _, label in known], 20)] if known else [noun(field), limits(field)]
    suggested = card.suggestions.get(field.name)
    source = card.sources.get(field.name)
    return {
        "name": field.name,
        "label": field.label,
        "rules": _cut("; ".join(rule for rule in rules if rule), 600),
        "value": _cut(show(field, card.values[field.name])) if field.name in card.values else None,
        "by": card.origins.get(field.name, ""),
        "suggested": _cut(show(field, suggested)) if field.name in card.suggestions else None,
        "source": {"default": "default", "stale": "before it was"}.get(str(source), "suggested by you"),
        "needed": field in card.missing,
    }


def _results(results: Sequence[Mapping[str, Any]]) -> str:
    named = [
        f"{r.get('kind')} {r.get('name')}" + (f" ({r['rows']} rows)" if r.get("rows") is not None else "")
        for r in results
    ]
    return f"; results: {listed(named)}" if named else ""


def _cut(text: str, most: int = VALUE) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"

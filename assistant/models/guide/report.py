"""What a turn's calls came to, only as their results say it. Markdown."""

from typing import Any

from ...cards import Situation, card_of, open_card
from ...parameters import show
from ...queries import QUERY
from .context import still_open
from .fields import as_plain, as_sentence
from .session import refusal, whats_next

_ANSWERED = {"accept": "Answered.", "decline": "Declined.", "cancel": "Left aside."}


def report(situation: Situation) -> str:
    """What this turn's calls did, only as their results say it, and what comes next; nothing of queries."""
    made = [(call, result) for call, result in situation.results if call.tool != QUERY]
    if not made:
        return ""
    told: list[str] = []
    given: list[str] = []
    for n, (call, result) in enumerate(made, 1):
        named = call.arguments.get("names")
        if call.tool == "answer_question" and n < len(made) and result.get("ok") and not named:
            continue  # what followed tells it
        told += _outcome(situation, call.tool, call.arguments, result)
        given += [*(result.get("set") or {}), *(result.get("unchanged") or [])]
    _, result = made[-1]
    waits = any(result.get(key) for key in ("asked", "started", "refused"))
    if situation.session.question is not None and not waits:
        waits = True
        told.append(still_open(situation.session.question))
    if not waits:
        card = open_card(situation.cards)
        named = card is not None and f"“{card.step.question}”" in str(result.get("error"))
        told.append(whats_next(situation, given, named or bool(result.get("opened"))))
    return " ".join(told)


def _where(situation: Situation, tool: str, name: str) -> str:
    """For which card a value is that is none of the open one's."""
    card = card_of(situation.cards, name)
    return f" (for “{card.step.question}”)" if card and tool == "set_other_value" else ""


def _told(situation: Situation, tool: str, result: dict[str, Any]) -> list[str]:
    """What became of each value."""
    told = [
        f"{_label(situation, name)}: **{_shown(situation, name, value)}**{_where(situation, tool, name)}."
        for name, value in (result.get("set") or {}).items()
    ]
    told += [
        f"{_label(situation, name)} is {_shown(situation, name, situation.session.values.get(name))} already."
        for name in result.get("unchanged") or []
    ]
    told += [
        f"Only suggested, not set: {_label(situation, name)} {_shown(situation, name, value)}."
        for name, value in (result.get("proposed") or {}).items()
    ]
    told += [refusal(situation, name, str(reason)) for name, reason in (result.get("refused") or {}).items()]
    return told


def _asked(situation: Situation) -> list[str]:
    question = situation.session.question
    if question is None:
        return ["Please answer the question."]
    if question.get("options"):
        return ["Press one of them, or say which."]  # they stand beside the question
    return [f"{question.get('question', '')} Say **yes** or **no**."]


def _outcome(situation: Situation, tool: str, arguments: Any, result: dict[str, Any]) -> list[str]:
    if result.get("error"):
        return [as_sentence(str(result["error"]))]
    if result.get("asked"):
        return _told(situation, tool, result) + _asked(situation)
    if tool in ("next_step", "skip_step") and result.get("refused"):
        return [f"Not yet. {' '.join(as_sentence(str(reason)) for reason in result['refused'].values())}"]
    if tool == "use_last":
        proposed = (result.get("proposed") or {}).items()
        listed = ", ".join(f"{_label(situation, n)} {_shown(situation, n, value)}" for n, value in proposed)
        return [f"As in {result.get('from')}, only suggested until **next** confirms it: {listed}."]
    told = _told(situation, tool, result)
    if told:
        return told
    if tool == "start_over":
        return ["All values are taken out, and the first step is open. **undo** brings them back."]
    if tool == "next_step" and "asked" not in result:
        opened = result.get("opened")
        card = next((card for card in situation.cards if card.step.name == opened), None)
        return [f"On to **{card.step.question}**"] if card else []
    if tool == "skip_step":
        return ["Done with this step."] if result.get("ok") else []
    if tool == "reopen_step":
        card = next((card for card in situation.cards if card.step.name == arguments.get("step")), None)
        step = card.step.question if card else arguments.get("step")
        return [f"“{step}” is open again; its values are kept."]
    if tool in ("undo", "redo"):
        names = result.get("names") or []
        return [_again(situation, name) for name in names] or ["Undone." if tool == "undo" else "Done again."]
    if tool == "answer_question" and result.get("started"):
        return ["The run has started."]
    if tool == "answer_question" and arguments.get("names"):
        names = ", ".join(_label(situation, name) for name in arguments["names"])
        return [f"{_ANSWERED[str(arguments.get('action'))][:-1]}: {names}."]
    if tool == "answer_question":
        return [_ANSWERED[str(arguments.get("action"))]]
    if tool == "run_workflow":
        return ["The run has started."] if result.get("started") else []
    return []


def _again(situation: Situation, name: str) -> str:
    """What a value is after an undo or a redo."""
    card = card_of(situation.cards, name)
    label = _label(situation, name)
    if card and name in card.values:
        return f"{label} is {_shown(situation, name, card.values[name])} again."
    if card and card.sources.get(name) == "default" and card.suggestions[name] not in (None, []):
        return f"{label} is {_shown(situation, name, card.suggestions[name])} again, its default."
    return f"{label} is empty again."


def _label(situation: Situation, name: str) -> str:
    card = card_of(situation.cards, name)
    field = card.step.field(name) if card else None
    return field.label if field else name


def _shown(situation: Situation, name: str, value: Any) -> str:
    card = card_of(situation.cards, name)
    return as_plain(show(card.step.field(name) if card else None, value))

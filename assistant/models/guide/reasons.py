"""Why a field is asked and what a word means: help, what takes the value, rules, options. Markdown."""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...parameters import Field, choices
from ...words import keys
from .context import asked_for, missing_of, offered_of
from .fields import as_flow, as_help, rules


def need(field: Field, situation: Situation, alone: bool = True) -> str:
    """Why a field is asked: its help (or, `alone`, its step's), what takes its value later, what it takes."""
    card = card_of(situation.cards, field.name)
    told = [as_help(field.ask.help)] if field.ask.help else []
    if alone and card and not field.ask.help and card.step.help:
        told.append(_first_lines(card.step.help))
    uses = _uses(field, situation)
    told += uses or [f"Nothing in this workflow says what **{field.label}** is used for."]
    return " ".join([*told, f"It takes {rules(field, card)}."])


def _uses(field: Field, situation: Situation) -> list[str]:
    """What takes the field's value: later steps, what they offer and whether they come, and the run."""
    flow, name, told = situation.workflow, f"**{field.label}**", []
    if takers := [step.question for step in flow.steps if field.name in step.takes]:
        plural = "s" if len(takers) > 1 else ""
        told.append(f"{name} is used by the later step{plural} " + ", ".join(f"“{t}”" for t in takers) + ".")
    others = [f for f in flow.fields().values() if f is not field]
    ask = [(f.label, (f.ask.options, f.ask.default)) for f in others]
    if shaped := [label for label, functions in ask if any(_takes(f, field.name) for f in functions)]:
        told.append(f"What is offered for {', '.join(shaped)} depends on it.")
    if asked := [step.question for step in flow.steps if _takes(step.when, field.name)]:
        told.append(
            "Whether " + ", ".join(f"“{question}”" for question in asked) + " is asked depends on it."
        )
    if _takes(flow.run_function, field.name, all_too=True):
        told.append(f"The run uses {name}{' too' if told else ''}.")
    return told


def _takes(function: Callable[..., Any] | Any, name: str, all_too: bool = False) -> bool:
    if not callable(function):
        return False
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == name or (all_too and p.kind is p.VAR_KEYWORD) for p in parameters)


def need_step(card: Card, situation: Situation) -> str:
    """Why a step is there: its help, and what takes its values later."""
    told = [f"- **{field.label}**: {need(field, situation, alone=False)}" for field in card.step.fields]
    needs = "\n".join(told)
    return f"{as_flow(card.step.help)}\n\n{needs}" if card.step.help else needs


def need_now(situation: Situation) -> str:
    """Why that is asked which is asked now: the field that is waited for, else the open step."""
    card, asked = open_card(situation.cards), asked_for(situation)
    field = situation.workflow.fields().get(asked or "") or (
        missing_of(card)[0] if card and missing_of(card) else None
    )
    if field is None or card is None:
        return need_step(card, situation) if card else ""
    first = _first_lines(card.step.help) if card.step.help and card.step.field(field.name) else ""
    told = need(field, situation)
    return f"**{field.label}**: {told if first in told else f'{told} {first}'}"


def meanings(situation: Situation, about: str) -> str:
    """What an option means, for each field that has it; "" where none has."""
    wanted, told = keys(about), []
    for field in situation.workflow.fields().values():
        for text, label in choices(field, offered_of(situation).get(field.name)):
            also = [said for said, meant in (field.ask.aliases or {}).items() if _text(meant) == text]
            if wanted and wanted in {keys(text), keys(label), *map(keys, also)}:
                told.append(_meaning(field, text, label, also))
                break
    return "\n\n".join(told)


def _meaning(field: Field, text: str, label: str, also: Sequence[str]) -> str:
    told = [f"**{label}** is one of the choices for **{field.label}**."]
    own = _gloss(field.ask.help, {keys(text), keys(label)})
    if own or field.ask.help:
        told.append(as_help(own or f"{field.label}: {field.ask.help}"))
    told += [f"It may also be called {' or '.join(f'“{word}”' for word in also)}."] if also else []
    return " ".join(told)


def _gloss(help_: str, names: set[tuple[str, ...]]) -> str:
    """The part of a help text that is about one option: "section: the folder; depth: how many clicks"."""
    for piece in re.split(r";|\n|(?<=\.) ", help_):
        head, colon, _ = piece.partition(":")
        if colon and names & {keys(word) for word in re.split(r",|\bor\b|\band\b", head)}:
            return piece.strip()
    return ""


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))


def _first_lines(text: str) -> str:
    return as_help(text.split("\n\n")[0])

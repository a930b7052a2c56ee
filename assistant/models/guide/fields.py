"""What the guide says of one field or one step. Markdown."""

import inspect
from typing import Any

from ...cards import Card, Situation, card_of, static_default
from ...parameters import MISSING, Field, choices, lengths, limits, noun, show, to_json

MANY = 12  # options that are listed in one answer


def rules(field: Field, card: Card | None = None) -> str:
    """What the field takes, in a few words: "0 to 10 clicks", "one of: site, csv"."""
    options = [label for _, label in choices(field, card.offered.get(field.name) if card else None)]
    if options and len(options) <= MANY:
        which = "any of" if field.kind == "choices" else "one of"
        told = [f"{which}: {', '.join(options)}"]
    elif options:
        told = [f"one of {len(options)} options, such as {', '.join(options[:5])}"]
    else:
        told = [limits(field) or _noun(field), lengths(field)]
        if field.ask.example is not None:
            told.append(f"for example {show(field, to_json(field.ask.example))}")
    told += ["may be empty"] if field.optional else []
    return ", ".join(part for part in told if part)


def _noun(field: Field) -> str:
    return f"{noun(field)}, in {field.ask.unit}" if field.ask.unit else noun(field)


def default_of(field: Field, card: Card | None) -> Any:
    """The field's default as JSON, also one that a function gave as the card opened; MISSING without one."""
    if card and card.sources.get(field.name) == "default":
        return card.suggestions[field.name]
    return static_default(field)


def describe(field: Field, card: Card | None) -> str:
    """One field in one line: its label, help, rules, value and default."""
    told = [f"**{field.label}**: {rules(field, card)}."]
    if field.ask.help:
        told.append(as_sentence(field.ask.help))
    if card and field.name in card.values:
        told.append(f"It is {show(field, card.values[field.name])} now.")
    default = default_of(field, card)
    if default is not MISSING and default != (card.values.get(field.name) if card else None):
        told.append(f"Its default is {show(field, default)}.")
    return " ".join(told)


def about_step(card: Card) -> str:
    """The step's question, its help and its fields."""
    told = [f"**{card.step.question}**"]
    told += [card.step.help] if card.step.help else []
    if card.step.fields:
        told.append("\n".join(f"- {describe(field, card)}" for field in card.step.fields))
    return "\n\n".join(told)


def options(field: Field, card: Card | None) -> str:
    """The field's options, numbered; what it takes where it has none."""
    found = choices(field, card.offered.get(field.name) if card else None)
    if not found:
        return describe(field, card)
    shown = [label for _, label in found[:MANY]]
    lines = "\n".join(f"{n}. {label}" for n, label in enumerate(shown, 1))
    more = f" … and {len(found) - MANY} more" if len(found) > MANY else ""
    which = "any of these" if field.kind == "choices" else "one of these"
    return f"**{field.label}**, {which}:\n\n{lines}{more}"


def need(field: Field, situation: Situation) -> str:
    """Why a field is asked: its help, and what takes its value later."""
    card = card_of(situation.cards, field.name)
    flow = situation.workflow
    takers = [step.question for step in flow.steps if field.name in step.takes]
    told = [as_sentence(field.ask.help)] if field.ask.help else []
    if card and not field.ask.help and card.step.help:
        told.append(_first_lines(card.step.help))
    if takers:
        told.append(
            f"**{field.label}** is used by the later step{'s' if len(takers) > 1 else ''} "
            + ", ".join(f"“{taker}”" for taker in takers)
            + "."
        )
    run = flow.run_function
    taken = inspect.signature(run).parameters.values() if run else ()
    if any(p.name == field.name or p.kind is p.VAR_KEYWORD for p in taken):
        told.append(f"The run takes **{field.label}**{' too' if takers else ''}.")
    return " ".join(told) or f"Nothing in this workflow says what **{field.label}** is used for."


def need_step(card: Card, situation: Situation) -> str:
    """Why a step is there: its help, and what takes its values later."""
    needs = "\n".join(f"- {need(field, situation)}" for field in card.step.fields)
    return f"{card.step.help}\n\n{needs}" if card.step.help else needs


def as_sentence(text: str) -> str:
    """The text on one line, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."


def _first_lines(text: str) -> str:
    return as_sentence(text.split("\n\n")[0])

"""What the guide says of one field or one step. Markdown."""

import re
from typing import Any

from ...cards import Card, static_default
from ...parameters import LISTS, MISSING, Field, choices, lengths, limits, noun, show, to_json

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
            told.append(f"for example {as_plain(show(field, to_json(field.ask.example)))}")
    told += ["may be empty"] if field.optional else []
    return ", ".join(part for part in told if part)


def _noun(field: Field) -> str:
    if field.kind in LISTS and field.item and field.item.kind not in ("nested", "dict"):
        return f"a list, each entry {limits(field.item) or noun(field.item)}"
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
        told.append(as_help(field.ask.help))
    if card and field.name in card.values:
        told.append(f"It is {as_plain(show(field, card.values[field.name]))} now.")
    default = default_of(field, card)
    if default is not MISSING and default != (card.values.get(field.name) if card else None):
        told.append(f"Its default is {show(field, default)}.")
    return " ".join(told)


def about_step(card: Card) -> str:
    """The step's question, its help and its fields."""
    told = [f"**{card.step.question}**"]
    told += [as_flow(card.step.help)] if card.step.help else []
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


def as_plain(text: str) -> str:
    """The text with what Markdown would take for marks escaped."""
    return re.sub(r"([\\`*\[\]<>|~])", r"\\\1", text)


def as_flow(text: str) -> str:
    """A docstring's text without the line ends that only its file needs; lists and code keep theirs."""
    return text if "```" in text else re.sub(r"(?<=\S)\n(?=[^\W\d_])", " ", text)


def as_sentence(text: str) -> str:
    """The text on one line, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."


def as_help(text: str) -> str:
    """The same of a help text, with a capital."""
    first = text.split()[0].rstrip(".,;:!?") if text.split() else ""
    capital = first.isalpha() and first.islower()
    text = as_sentence(text)
    return text[0].upper() + text[1:] if capital else text

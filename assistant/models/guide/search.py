"""The lines of the help texts that answer a question best."""

import re

from ...cards import Situation
from ...words import keys
from .fields import as_help

_COMMON = frozenset(
    "the a an of to in on at for and or is are be it its this that which what how why when where who do does "
    "did can could should would will i you we my your me if with not no there here about one they them get "
    "have has as by from so up out".split()
)


def content_of(words: str) -> set[str]:
    """The words that tell what a question is about."""
    return {key for key in keys(words) if not key.isdigit()} - _COMMON


def search(situation: Situation, words: str) -> str | None:
    """The lines of all help texts that share the most words with the question; None where none does."""
    wanted = content_of(words)
    lines: list[tuple[str, str]] = [(situation.workflow.title, situation.workflow.description)]
    for card in situation.cards:
        lines += [(card.step.question, line.strip()) for line in _sentences(card.step.help)]
        lines += [(field.label, as_help(field.ask.help)) for field in card.step.fields if field.ask.help]
    counts = {word: sum(word in keys(f"{where} {line}") for where, line in lines) for word in wanted}
    scored = []
    for where, line in lines:
        shared = wanted & set(keys(f"{where} {line}"))
        score = sum(1 / counts[word] for word in shared if counts[word]) + 0.001 * len(shared)
        if line and len(shared) >= min(2, len(wanted)):
            scored.append((score, where, line))
    scored.sort(key=lambda item: -item[0])
    if not scored:
        return None
    return "From the help:\n\n" + "\n".join(f"> **{where}** {line}" for _, where, line in scored[:3])


def _sentences(text: str) -> list[str]:
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]
    return [part for block in blocks for part in re.split(r"(?<=[.!?])\s+", block) if part]

"""What words are about: a field, a step, or a line of the help texts."""

import re

from ...cards import Card, Situation, open_card
from ...parameters import Field
from ...words import keys

HERE = ("", "this", "that", "it", "here", "these", "this step", "this card", "them", "those")


def topic(situation: Situation, about: str) -> Field | Card | None:
    """The field or card that "the depth", "clicks", "step 2", "this" means; None where it is not clear."""
    number = re.fullmatch(r"(?:the )?(?:(?:step|card) (\w+)|(\w+)(?: step| card)?)", about.strip())
    index = _number((number[1] or number[2]) if number else "", len(situation.cards))
    if index is not None:
        return situation.cards[index]
    if about.strip() in HERE:
        return open_card(situation.cards)
    wanted = {key for key in keys(about)} - {"the", "a", "step", "card", "field", "value", "for", "of"}
    scores: list[tuple[float, Field | Card]] = []
    for card in situation.cards:
        near = 0.1 if card.state == "open" else 0.0
        step_words = set(keys(card.step.name)) | set(keys(card.step.question))
        scores.append((_overlap(wanted, step_words, set(keys(card.step.name))) - 0.3 + near, card))
        for field in card.step.fields:
            own = set(keys(field.name)) | set(keys(field.label))
            unit = set(keys(field.ask.unit)[:1])
            score = max(_overlap(wanted, own, set(keys(field.name))), 0.8 * _overlap(wanted, unit, unit))
            scores.append((score + near, field))
    best = max((score for score, _ in scores), default=0.0)
    hits = [item for score, item in scores if score == best]
    return hits[0] if best >= 0.5 and len(hits) == 1 else None


def _overlap(wanted: set[str], words: set[str], name: set[str]) -> float:
    if not wanted:
        return 0.0
    return len(wanted & words) / len(wanted) + (0.5 if wanted == name or (name and name <= wanted) else 0.0)


def _number(word: str, count: int) -> int | None:
    names = "one two three four five six seven eight nine ten".split()
    ordinals = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
    if word == "last":
        return count - 1
    for known in (names, ordinals, [str(n) for n in range(1, count + 1)]):
        if word in known and known.index(word) < count:
            return known.index(word)
    return None


def named_fields(situation: Situation, words: str) -> list[Field]:
    """The fields whose names stand in the words."""
    said, fields = set(keys(words)), situation.workflow.fields().values()
    return [f for f in fields if set(keys(f.name)) <= said or set(keys(f.label)) <= said]

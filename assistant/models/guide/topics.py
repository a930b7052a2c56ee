"""What words are about: a field, a step, or a line of the help texts."""

import math
import re
from typing import Any

from ...cards import Card, Situation, open_card
from ...parameters import REDACTED, Field, show
from ...words import keys

_AROUND = frozenset("the a an to of my your for not".split())
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


def suggested(situation: Situation) -> dict[str, Any]:
    """What was suggested and waited for an answer when the words were said, by parameter; the newest of it.

    What was said since in place of it is none of that. In every round of a turn it is the same.
    """
    session, found = situation.session, dict[str, Any]()
    said = (e.n for e in reversed(session.chat) if e.did == "said" and e.by == "user")
    now = next(said, 0) if situation.results else math.inf
    for entry in (e for e in session.chat if e.did == "proposed" and e.n < now):
        answer = session.answers.get(str(entry.get("id")))
        if entry.get("id") not in session.proposals and (answer is None or answer.n < now):
            continue
        for name, value in (entry.get("values") or {}).items():
            change = session.setting(name)
            if value != REDACTED and (change is None or not entry.n < change.n < now):
                found[name] = value
    return found


def suggested_names(situation: Situation, words: str) -> list[str]:
    """The suggested parameters that the words name, or whose values they say; none if a word is unclear."""
    found: list[str] = []
    for piece in re.split(r",|;|&|\band\b|\bor\b|\bnor\b", words):
        hits = _called(situation, piece)
        if len(hits) != 1:
            return []
        found += hits
    return list(dict.fromkeys(found))


def _called(situation: Situation, piece: str) -> list[str]:
    """The suggested parameters that a piece calls by name, else by value."""
    said = set(keys(piece)) - _AROUND
    by_name, by_value, fields = [], [], situation.workflow.fields()
    for name, value in suggested(situation).items():
        field = fields.get(name)
        own = {*keys(name), *keys(field.label if field else ""), "value", "suggestion"}
        by_name += [name] if said and said <= own else []
        by_value += [name] if said and said == set(keys(show(field, value))) else []
    return by_name or by_value

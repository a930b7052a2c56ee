"""Which number "2 more" or "double it" moves, and what is said where it can not be told or has no value."""

from collections.abc import Sequence
from typing import Any

from ...cards import Situation, open_card
from ...parameters import NUMBERS, Field
from ...words import CORRECTS, find, find_moves, read
from .context import asked_for, last_set, offered_of, shown_values, which_value
from .topics import named_fields


def number_spoken_of(situation: Situation) -> str | None:
    """The number that "it" means: the one that was set, asked about or asked for last; None if unclear."""
    fields = spoken_of(situation)
    return fields[0].name if len(fields) == 1 else None


def spoken_of(situation: Situation) -> list[Field]:
    """The numbers with a value that "it" may mean: set last, named before, or asked for."""
    known, now = situation.workflow.fields(), shown_values(situation)
    asked = asked_for(situation)
    named = [field.name for field in named_fields(situation, _words_before(situation))]
    names = dict.fromkeys([*_set_last(situation), *named, *([asked] if asked else [])])
    found = [known[name] for name in names if name in known]
    return [field for field in found if field.kind in NUMBERS and now.get(field.name) is not None]


def _set_last(situation: Situation) -> list[str]:
    """What was set last by somebody, unless a card was completed or opened again since."""
    settings = [situation.session.setting(name) for name in last_set(situation)]
    newest = max((change.n for change in settings if change), default=0)
    marks = [situation.session.status(card.step.name) for card in situation.cards]
    if any(mark.n > newest for mark in marks if mark):
        return []
    return [n for n, c in zip(last_set(situation), settings, strict=True) if c and c.by != "default"]


def _words_before(situation: Situation) -> str:
    """The user's message before this one."""
    said = [entry for entry in situation.session.chat if entry.did == "said" and entry.by == "user"]
    own = said[-1:] and str(said[-1].get("text")) == situation.words
    before = said[:-1] if own else said
    return str(before[-1].get("text")) if before else ""


def which_moves(situation: Situation, words: str) -> list[tuple[Field, Any]]:
    """The numbers that the words may move, each with the value that it would have."""
    card, spoken, now = open_card(situation.cards), spoken_of(situation), shown_values(situation)
    own = [field for field in (card.step.fields if card else ()) if field.kind in NUMBERS]
    found = dict[str, tuple[Field, Any]]()
    for field in (*spoken, *own):
        others = [other for other in own if other is not field]
        for _, raw in _moves(situation, words, [field], others, field.name):
            found |= {field.name: (field, raw)} if raw not in (None, now.get(field.name)) else {}
    if corrects_move(situation, words):
        return _now_or_before(situation, words, list(found.values())[:1])
    meant = [found[field.name] for field in spoken if field.name in found]
    return meant if len(meant) > 1 else list(found.values())


def corrects_move(situation: Situation, words: str) -> bool:
    """Whether "no, 3 more" follows on "2 more", so that it may be counted from now or from before."""
    corrects = CORRECTS & {part.text for part in read(words)}
    return bool(corrects) and says_how_much(situation, _words_before(situation))


def _now_or_before(
    situation: Situation, words: str, found: list[tuple[Field, Any]]
) -> list[tuple[Field, Any]]:
    for field, _ in found:
        earlier = [c for c in situation.session.history.get(field.name, ()) if c.kind == "set"][:-1]
        values = {field.name: earlier[-1].value if earlier else None}
        moved = find_moves([field], words, offered_of(situation), values, field.name)
        return [pair for pair in moved if pair[1] is not None] + found
    return []


def says_how_much(situation: Situation, words: str) -> bool:
    """Whether the words say nothing but by how much some number moves."""
    numbers = [field for field in situation.workflow.fields().values() if field.kind in NUMBERS]
    return any(_moves(situation, words, [field], (), field.name) for field in numbers)


def unmoved(situation: Situation, words: str) -> str:
    """Why no value comes of "double it": there is none to count from; else ""."""
    fields = list(situation.workflow.fields().values())
    found = _moves(situation, words, fields, recent=number_spoken_of(situation))
    if any(raw is not None for _, raw in found) or find(fields, words, offered_of(situation)):
        return ""
    now = shown_values(situation)
    for field, _ in found:
        if now.get(field.name) is None:
            told = f"**{field.label}** has no value yet, so there is nothing to count from."
            return f"{told} {which_value(field)}?"
    return ""


def _moves(
    situation: Situation,
    words: str,
    fields: Sequence[Field],
    others: Sequence[Field] = (),
    recent: str | None = None,
) -> list[tuple[Field, Any]]:
    return find_moves(fields, words, offered_of(situation), shown_values(situation), recent, others)

"""Free texts: a short message as the text that is asked for, or in place of the last one."""

import re
from collections.abc import Sequence
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...parameters import LISTS, Field, choices
from ...words import Found, find, keys, possible_lists, read
from .context import MORE, OTHER, asked_for, last_set, missing_of, offered_of, shown_values
from .message import Message
from .phrases import LONGEST
from .privacy import private

ODD = "odd"  # why a text is only proposed: it looks like nothing that somebody means

_CHATTY = frozenset(
    "i i'm i'd you we me please don't can ? haha hehe lol rofl omg wow huh h'm hm hmm oh ah aha ouch ugh meh "
    "is are was were has had moment minute second brb later soon wait hold sure fine thanks thank thx idk "
    "dunno maybe perhaps whatever something anything nothing yes no yep nope hello hi hey what why how sorry "
    "oops actually never always either neither both same other none all".split()
)
_SHOWS, _THEM = frozenset("show list print display".split()), frozenset("the me my all our us".split())
_ORDERS = frozenset("remove delete drop scrap omit add append keep leave stick".split())
_MEANT = re.compile(r"\bI mean(?:t)? (.+)", re.IGNORECASE)
_CALL = re.compile(
    r"^(?:(?:ok(?:ay)?|well|please|sure|yes)\b[, ]+)*"
    r"(?:(?:(?:let's|let us|i'd|just|simply) )?(?:call|name) it "
    r"|it's called |it is called )?(?:simply |just )?",
    re.IGNORECASE,
)
_THEN = re.compile(r"[, ]+(?:please|thanks|thank you)$", re.IGNORECASE)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm")
_TEXTS = ("text", "long", "lines")
_WORDS = 6  # of a text that is said by itself


def free_text(situation: Situation, card: Card, message: Message) -> list[Found]:
    """A short message as the value of the text field that is asked for next; odd ones are only proposed."""
    field = _text_asked(situation, card)
    words = message.left
    pasted = field is not None and field.kind != "long" and len(words) > LONGEST
    if field is None or pasted or "no" in message.kinds or private(situation, words):
        return []
    if field.kind != "long" and which_list(situation, words):
        return []
    text = (
        words.strip() if field.kind == "long" else _THEN.sub("", _CALL.sub("", words.strip())).strip(" .!;")
    )
    parts = [part.text for part in read(text)]
    plain = text.lower()
    if MORE.fullmatch(plain) or OTHER.fullmatch(plain) or not _plausible(situation, field, parts):
        return []
    texts = [piece for piece in (piece.strip() for piece in re.split(r",|;|\band\b", text)) if piece]
    raw: Any = texts if field.kind == "lines" else text.strip("\"“”'")
    return [Found(field.name, raw, (0, len(words)), ODD if _is_odd(text) else "bare")]


def which_list(situation: Situation, words: str) -> tuple[str, list[str]] | None:
    """The question which list of the open card an entry comes to or leaves, where the words fit several."""
    card, now = open_card(situation.cards), shown_values(situation)
    own = list(card.step.fields) if card else []
    others = [f for c in situation.cards if c is not card for f in c.step.fields]
    changes = possible_lists(own, words, offered_of(situation), now, others, recent_list(situation))
    options = []
    for change in changes if len(changes) > 1 else ():
        entries = " and ".join(str(entry) for entry in change.entries)
        said = f"{change.field.label}: {'remove' if change.gone else 'add'} {entries}"
        found = find(own, said, offered_of(situation), None, now, others=others)
        if [(item.name, item.raw) for item in found] == [(change.field.name, change.value)]:
            options.append(said)
    asks = "Which list is that to leave?" if changes and changes[0].gone else "Which list is that for?"
    return (asks, options) if len(options) > 1 and len(options) == len(changes) else None


def recent_list(situation: Situation) -> str | None:
    """The list that was set last, if it was what was set last: "also Eve" goes there."""
    fields = situation.workflow.fields()
    found = [name for name in last_set(situation) if (f := fields.get(name)) and f.kind in LISTS]
    return found[0] if len(found) == 1 else None


def awaited_text(situation: Situation) -> Field | None:
    """The text field of the open card that is asked for next."""
    card = open_card(situation.cards)
    return _text_asked(situation, card) if card else None


def _text_asked(situation: Situation, card: Card) -> Field | None:
    asked = asked_for(situation)
    missing = missing_of(card)
    first = next((f for f in missing if f.name == asked), missing[0] if missing else None)
    suggested = (f for f in missing if f.name in card.suggestions)  # other words may come in its place
    return next((f for f in (first, *suggested) if f and f.kind in _TEXTS and not choices(f)), None)


def _plausible(situation: Situation, field: Field, parts: Sequence[str]) -> bool:
    """Whether the words may be meant as the field's text: no talk, no other field, not its own name."""
    said = set(parts)
    if not any(text[:1].isalnum() for text in parts):
        return False
    if field.kind == "long":
        return parts[-1] != "?" and not said <= _CHATTY | {",", ".", "ok", "!"}
    orders = parts[0] in _ORDERS or (parts[0] in _SHOWS and parts[1:2] and parts[1] in _THEM)
    if len(parts) > _WORDS or orders or _CHATTY & said or _names_another(situation, field, parts):
        return False
    return not set(keys(" ".join(parts))) <= {*keys(field.name), *keys(field.label), "my", "the", "your"}


def _names_another(situation: Situation, field: Field, parts: Sequence[str]) -> bool:
    others = {key for f in situation.workflow.fields().values() if f is not field for key in keys(f.name)}
    return any(others & set(keys(text)[:1]) for text in parts)


def _is_odd(text: str) -> bool:
    """Whether each word looks like keys that were hit by chance: "asdf", "hjklöä", "xxxxxx"."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return bool(words) and all(_hit(word) for word in words)


def _hit(word: str) -> bool:
    if len(word) < 4:
        return False
    rows = any(word[i : i + 4] in row for row in _ROWS for i in range(len(word) - 3))
    return rows or len(set(word)) == 1 or (word.isascii() and not set(word) & set("aeiouy"))


def corrected_text(situation: Situation, message: Message) -> list[Found]:
    """ "No, Grace Hopper" after "Grace", "I meant Ada": the text that was set last, in other words."""
    names = last_set(situation)
    card = card_of(situation.cards, names[0]) if len(names) == 1 else None
    field = card.step.field(names[0]) if card else None
    if card is None or field is None or field.kind != "text" or choices(field, card.offered.get(field.name)):
        return []
    meant = _MEANT.search(message.left)
    text = (meant[1] if meant else message.beside_yes_or_no).strip(" .,!;\"“”'")
    near = "no" in message.kinds and set(keys(text)) & set(keys(str(card.values.get(field.name))))
    instead = "no" in message.kinds and not awaited_text(situation) and _just_set(situation, field)
    if not text or len(text.split()) > _WORDS or not (meant or near or instead):
        return []
    if not (meant or near) and _CHATTY & {part.text for part in read(text)}:
        return []
    return [Found(field.name, text, (0, len(message.left)), "bare")]


def _just_set(situation: Situation, field: Field) -> bool:
    """Whether the user's words before these set the field."""
    change = situation.session.setting(field.name)
    said = [e.get("turn") for e in situation.session.chat if e.did == "said" and e.by == "user"]
    return change is not None and change.turn is not None and change.turn in said[-2:]

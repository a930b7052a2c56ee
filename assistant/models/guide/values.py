"""The values that a message says, for the open card and for others."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...errors import Refused
from ...parameters import MISSING, Field, choices, judge
from ...words import Found, find, keys, read
from .fields import default_of
from .message import Message
from .phrases import rest
from .topics import topic

_CORRECTING = frozenset(
    "no sorry actually meant mean oops wait instead rather better correction that".split()
)
_CHATTY = frozenset(
    "i i'm i'd you we me please don't can ? haha hehe lol wow huh hm hmm oh ah aha ouch ugh meh "
    "is are was were has had moment minute second brb later soon wait hold sure fine".split()
)
_CHANGING = frozenset("change changed set use make take instead switch".split())
_MEANT = re.compile(r"\bI mean(?:t)? (.+)", re.IGNORECASE)
_IT = frozenset("make set change turn".split())


def said_values(situation: Situation, message: Message) -> dict[str, Any]:
    """The values that the words say plainly: for the open card, and for other cards where they name them."""
    if not message.left.strip(" .,!;"):
        return {}
    card = open_card(situation.cards)
    own = list(card.step.fields) if card else []
    others = [f for c in situation.cards if c is not card and c.state != "skipped" for f in c.step.fields]
    offered = {name: options for c in situation.cards for name, options in c.offered.items()}
    now = {name: value for c in situation.cards for name, value in c.values.items()}
    answered = any(call.tool == "answer_question" for call, _ in situation.results)
    if message.bare and (card is None or answered):
        return {}
    expecting = _corrected(situation, message.left) if not message.bare else None
    expecting = expecting or _expecting(situation, card)
    found = find(own, message.left, offered, expecting, now, others=others)
    left = rest(message.left, [item.span for item in found])
    found += [
        f
        for f in find(others, left, offered, expecting, now, others=own)
        if _meant_elsewhere(f, left, expecting, now)
    ]
    if not found and card and not message.bare and not message.kinds - {"yes", "no"}:
        found = _corrected_text(situation, message) or _free_text(situation, card, message.left)
    return {item.name: item.raw for item in found}


def _meant_elsewhere(item: Found, words: str, expecting: str | None, now: Mapping[str, Any]) -> bool:
    """For another card than the open one a value needs its label or unit, or a word of change.

    An address or a date may go into an empty field that is the only one to take it.
    """
    if (
        item.why in ("label", "unit")
        or item.name == expecting
        or (item.why == "kind" and item.name not in now)
    ):
        return True
    return item.why != "bare" and bool({part.text for part in read(words)} & (_CORRECTING | _CHANGING))


def _expecting(situation: Situation, card: Card | None) -> str | None:
    """The field that a bare value is for: the one asked about, or the first missing one of the open card."""
    asked = _asked_about(situation) or _refused_last(situation, card)
    if asked or card is None:
        return asked
    missing = card.missing or [field for field in card.step.fields if field.name not in card.values]
    if card.missing or len(missing) == 1:
        return missing[0].name
    return card.step.fields[0].name if len(card.step.fields) == 1 else None


def _refused_last(situation: Situation, card: Card | None) -> str | None:
    """The field of the open card whose value was refused, where nothing was set since."""
    settings = (situation.session.setting(name) for name in situation.session.values)
    newest = max((change.n for change in settings if change), default=0)
    known = situation.session.refusals.items()
    later = [name for name, entry in known if entry.n > newest and card and card.step.field(name)]
    return later[0] if len(later) == 1 else None


def _corrected(situation: Situation, words: str) -> str | None:
    """The field that "no, I meant 3" is for: of those set last the only one that could take it."""
    said = {part.text for part in read(words)}
    if not said & _CORRECTING and not ("it" in said and said & _IT):
        return None
    possible = []
    for name in _last_set(situation):
        card = card_of(situation.cards, name)
        field = card.step.field(name) if card else None
        if card is None or field is None:
            continue
        offered = {name: card.offered[name]} if name in card.offered else {}
        found = find([field], words, offered, name, card.values)
        if found and _would_pass(field, found[0].raw, card.offered.get(name)):
            possible.append(name)
    return possible[0] if len(possible) == 1 else None


def _would_pass(field: Field, raw: Any, offered: Sequence[Any] | None) -> bool:
    try:
        judge(field, raw, offered=offered)
    except Refused:
        return False
    return True


def _asked_about(situation: Situation) -> str | None:
    """The parameter that the open question is about."""
    about = situation.session.question.get("about") if situation.session.question else None
    name = about.get("name") if isinstance(about, Mapping) else about
    return name if isinstance(name, str) and card_of(situation.cards, name) else None


def _last_set(situation: Situation) -> list[str]:
    """The parameters that were set last, in one go, and still have that value."""
    settings = {name: situation.session.setting(name) for name in situation.session.values}
    numbers = {name: change.n for name, change in settings.items() if change and change.by != "workflow"}
    newest = max(numbers.values(), default=0)
    return [name for name, n in numbers.items() if n == newest]


def _corrected_text(situation: Situation, message: Message) -> list[Found]:
    """ "No, Grace Hopper" after "Grace", "I meant Ada": the text that was set last, in other words."""
    names = _last_set(situation)
    card = card_of(situation.cards, names[0]) if len(names) == 1 else None
    field = card.step.field(names[0]) if card else None
    if card is None or field is None or field.kind != "text" or choices(field, card.offered.get(field.name)):
        return []
    meant = _MEANT.search(message.left)
    text = (meant[1] if meant else message.beside_yes_or_no).strip(" .,!;\"“”'")
    near = "no" in message.kinds and set(keys(text)) & set(keys(str(card.values.get(field.name))))
    if not text or len(text.split()) > 6 or not (meant or near):
        return []
    return [Found(field.name, text, (0, len(message.left)), "bare")]


def _free_text(situation: Situation, card: Card, words: str) -> list[Found]:
    """A short message as the value of the text field that is asked for next."""
    field = card.missing[0] if card.missing else None
    if field is None or field.kind not in ("text", "long", "lines") or choices(field):
        return []
    parts = [part.text for part in read(words)]
    if not parts or (field.kind == "long" and parts[-1] == "?"):
        return []
    if field.kind != "long" and (len(parts) > 6 or _CHATTY & set(parts)):
        return []
    if field.kind != "long" and _names_another(situation, field, parts):
        return []
    if set(keys(" ".join(parts))) <= {*keys(field.name), *keys(field.label), "my", "the", "your"}:
        return []
    texts = [text for text in (text.strip() for text in words.split(",")) if text]
    raw: Any = texts if field.kind == "lines" else words.strip().strip("\"“”'")
    return [Found(field.name, raw, (0, len(words)), "bare")]


def _names_another(situation: Situation, field: Field, parts: Sequence[str]) -> bool:
    others = {key for f in situation.workflow.fields().values() if f is not field for key in keys(f.name)}
    return any(others & set(keys(text)[:1]) for text in parts)


def default_values(situation: Situation, message: Message) -> dict[str, Any]:
    """ "Use the defaults": of the named field, or of all fields of the open card that have no value."""
    found: dict[str, Any] = {}
    for intent in message.intents:
        if intent.kind != "defaults":
            continue
        fields, card = _default_fields(situation, intent.about)
        for field in fields:
            default = default_of(field, card)
            if default is not MISSING:
                found[field.name] = default
    return found


def _default_fields(situation: Situation, about: str) -> tuple[Sequence[Field], Card | None]:
    if about:
        target = topic(situation, about)
        if isinstance(target, Field):
            return [target], card_of(situation.cards, target.name)
        return (target.step.fields, target) if target else ([], None)
    card = open_card(situation.cards)
    missing = [field for field in card.step.fields if field.name not in card.values] if card else []
    return missing, card

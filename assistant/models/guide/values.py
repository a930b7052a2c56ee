"""The values that a message says, for the open card and for others."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...errors import Refused
from ...parameters import MISSING, NUMBERS, TIMES, Field, choices, judge
from ...words import FILLER, Found, find, find_sides, is_duration, is_side, keys, read
from .context import asked_for, last_set, missing_of, offered_of, said_on, shown_values
from .fields import default_of
from .message import Message
from .moving import corrects_move, number_spoken_of, says_how_much
from .phrases import LONGEST, rest
from .texts import awaited_text, corrected_text, free_text, recent_list
from .topics import topic

_CORRECTING = frozenset(
    "no nope sorry actually meant mean oops wait instead rather better correction that".split()
)
_CHANGING = frozenset("change changed set use make take instead switch".split())
_IT = frozenset("make set change turn raise lower increase decrease reduce cut bring".split())


def said_values(situation: Situation, message: Message) -> dict[str, Any]:
    """The values that the words say plainly: for the open card, and for other cards where they name them."""
    return {item.name: item.raw for item in said(situation, message)}


def said(situation: Situation, message: Message) -> list[Found]:
    """The same with where each stands in the words."""
    if not message.left.strip(" .,!;") or ("keep" in message.kinds and not message.beside_yes_or_no):
        return []
    card = open_card(situation.cards)
    own = list(card.step.fields) if card else []
    others = [f for c in situation.cards if c is not card and c.state != "skipped" for f in c.step.fields]
    offered, now, day = offered_of(situation), shown_values(situation), said_on(situation)
    known = {name for c in situation.cards for name in c.values}
    answered = any(call.tool == "answer_question" for call, _ in situation.results)
    if message.bare and (card is None or answered):
        return []
    expected = _corrected(situation, message.left) if not message.bare else None
    expected = expected or expecting(situation, card, message.left)
    recent = recent_list(situation) or number_spoken_of(situation)
    found = find(own, message.left, offered, expected, now, day, others, recent)
    left = rest(message.left, [item.span for item in found])
    ask = found or answered or situation.session.question or awaited_text(situation)
    alone = [] if ask else option_alone(situation, others, left)
    found += [
        f
        for f in find(others, left, offered, expected, now, day, own, recent)
        if _meant_elsewhere(f, left, expected, known) or (f in alone and f.name not in known)
    ]
    if says_how_much(situation, message.left):
        found = [item for item in found if not _may_be_of_another(situation, message.left, item)]
    found += _last_side(situation, message.left, found)
    if not found and card and not message.bare and not message.kinds - {"yes", "no"}:
        found = corrected_text(situation, message) or _free_text(situation, card, message)
    return found


def _may_be_of_another(situation: Situation, words: str, item: Found) -> bool:
    """Whether "2 days more" may be of a day that was set last, or "no, 3 more" of what stood there before."""
    fields, card = situation.workflow.fields(), open_card(situation.cards)
    near = [*(card.step.fields if card else ()), *(fields[n] for n in last_set(situation) if n in fields)]
    of_a_day = any(field.kind in TIMES for field in near)
    field = fields[item.name]
    by_unit = item.why == "unit" or {*keys(field.label)} <= {*keys(field.ask.unit)}
    return (of_a_day and by_unit and is_duration(field)) or corrects_move(situation, words)


def _free_text(situation: Situation, card: Card, message: Message) -> list[Found]:
    """A text that is asked for, unless the words are as well a value of another field of the card."""
    others = [f for f in card.step.fields if f.name not in card.values and f.kind in (*NUMBERS, *TIMES)]
    counted = read(message.left)[:1] and read(message.left)[0].kind == "number" and others
    moved = says_how_much(situation, message.left)
    if counted or moved or takers(situation, message.left, others) or corrected(situation, message.left):
        return []
    return free_text(situation, card, message)


def _meant_elsewhere(item: Found, words: str, expected: str | None, known: set[str]) -> bool:
    """For another card than the open one a value needs its label or unit, or a word of change.

    An address or a date may go into an empty field that is the only one to take it.
    """
    if (
        item.why in ("label", "unit", "moved")
        or item.name == expected
        or (item.why == "kind" and item.name not in known)
    ):
        return True
    return item.why != "bare" and bool({part.text for part in read(words)} & (_CORRECTING | _CHANGING))


def option_alone(situation: Situation, fields: Sequence[Field], words: str) -> list[Found]:
    """The options that the whole message names, where one field alone has them."""
    said = {part.key for part in read(words) if part.kind != "mark" and part.text not in FILLER}
    found = [item for item in find(fields, words, offered_of(situation)) if item.why == "option"]
    if len(found) != 1:
        return []
    item, known = found[0], situation.workflow.fields()
    picked = [str(value) for value in (item.raw if isinstance(item.raw, list) else [item.raw])]
    aliases = known[item.name].ask.aliases or {}
    named = {
        key
        for text, label in choices(known[item.name], offered_of(situation).get(item.name))
        if text in picked
        for name in (text, label, *(alias for alias, value in aliases.items() if str(value) == text))
        for key in keys(name)
    }
    return found if said and said <= named else []


def expecting(situation: Situation, card: Card | None, words: str = "") -> str | None:
    """The field that a bare value is for: the one asked about, or the first missing one of the open card.

    Where more than one of its kind is missing, only the one that was asked for.
    """
    asked = _asked_about(situation) or _refused_last(situation, card) or asked_for(situation)
    if asked or card is None:
        return asked
    corrects = bool(_CORRECTING & {part.text for part in read(words[:LONGEST])})  # nothing that is empty
    unset = [f for f in card.step.fields if f.name not in card.values and not corrects]
    missing = missing_of(card) or unset
    alike = [f for f in missing[1:] if f.kind == missing[0].kind and f.kind not in ("text", "long", "choice")]
    if (missing_of(card) and not alike) or len(missing) == 1:
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
    possible = corrected(situation, words)
    return possible[0][0].name if len(possible) == 1 else None


def corrected(situation: Situation, words: str) -> list[tuple[Field, Any]]:
    """The fields that were set last and could take what the words say instead, each with that value."""
    if len(words) > LONGEST:
        return []
    said = {part.text for part in read(words)}
    if not said & _CORRECTING and not ("it" in said and said & _IT):
        return []
    cards = [card_of(situation.cards, name) for name in last_set(situation)]
    fields = [c.step.field(name) for c, name in zip(cards, last_set(situation), strict=True) if c]
    return takers(situation, words, [field for field in fields if field])


def takers(situation: Situation, words: str, fields: Sequence[Field]) -> list[tuple[Field, Any]]:
    """Those of the fields that could take what the words say, if they were asked for it."""
    possible = []
    for field in fields if len(words) <= LONGEST else ():
        offered = offered_of(situation)
        found = find([field], words, offered, field.name, shown_values(situation), said_on(situation))
        if found and would_pass(field, found[0].raw, offered.get(field.name)):
            possible.append((field, found[0].raw))
    return possible


def _last_side(situation: Situation, words: str, found: Sequence[Found]) -> list[Found]:
    """The 40 of "width 30 by 40", where only one side is left."""
    told = {item.name: item.raw for item in found}
    fits = [w for w in sides_of(situation, words) if all(told.get(n, raw) == raw for n, raw in w.items())]
    if len(fits) != 1 or not told.keys() & fits[0].keys():
        return []
    rest_of = {name: raw for name, raw in fits[0].items() if name not in told}
    return [Found(name, raw, (0, len(words)), "label") for name, raw in rest_of.items()]


def sides_of(situation: Situation, words: str) -> list[dict[str, Any]]:
    """Each way in which "30 by 40" can be the values of the open card's numbers, of its sides first."""
    card = open_card(situation.cards)
    numbers = [f for f in (card.step.fields if card else ()) if f.kind in NUMBERS and not choices(f)]
    missing = [f for f in (missing_of(card) if card else ()) if f in numbers]
    named = [field for field in numbers if is_side(field)]
    unset = [field for field in numbers if card and field.name not in card.values]
    for fields in ([f for f in missing if f in named], named, missing, unset, numbers):
        known = {field.name: field for field in fields}
        found = find_sides(fields, words)
        if found:
            return [way for way in found if all(would_pass(known[n], raw, None) for n, raw in way.items())]
    return []


def would_pass(field: Field, raw: Any, offered: Sequence[Any] | None) -> bool:
    """Whether the judge takes the value, as far as that is known without its card."""
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

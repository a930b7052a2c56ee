"""What went before, read off the log: what was asked for, what was set last, what the cards show."""

import itertools
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ...cards import Card, Situation, open_card
from ...errors import Refused
from ...log import Entry
from ...parameters import LISTS, Field, judge

_ASKS = re.compile(r"(?:Still missing|Which value for): \*\*(.+?)\*\*")


# "the other one", "make it longer": what they mean is told by what went before
OTHER = re.compile(r"(?:no |use |take |i (?:meant|want) )*(?:the |an)?other(?: one)?(?: please)?")
MORE = re.compile(
    r"(?:(?:please|can you|could you|no|a|bit|much|even|make|set|have|let|it|that|them|be|should|little"
    r"|somewhat|way) )*(?:longer|shorter|bigger|larger|smaller|higher|lower|deeper|faster|slower|more|less"
    r"|fewer)"
    r"(?: please)?"
)


def missing_of(card: Card) -> list[Field]:
    """The fields without which the card can not be completed: also a list that may not be empty."""
    wanted = [field for field in card.step.fields if field.kind in LISTS and _empty_is_refused(card, field)]
    return [field for field in card.step.fields if field in card.missing or field in wanted]


def _empty_is_refused(card: Card, field: Field) -> bool:
    default = card.defaults.get(field.name) or []
    if field.name in card.values or default:
        return False
    try:
        judge(field, default, offered=card.offered.get(field.name))
    except Refused:
        return True
    return False


def still_missing(field: Field) -> str:
    """How a reply asks for a field; `asked_for` finds it again."""
    return f"Still missing: **{field.label}**"


def still_open(question: Entry) -> str:
    """How a reply says that a question waits."""
    return f"Still open: {question.get('question', '')}"


def which_value(field: Field) -> str:
    """How a reply asks for a value of a field that may have one."""
    return f"Which value for: **{field.label}**"


def asked_for(situation: Situation) -> str | None:
    """The field that the newest reply which asks for one asks for, if nothing was set since."""
    settings = (situation.session.setting(name) for name in situation.session.values)
    newest = max((change.n for change in settings if change), default=0)
    said = (e for e in reversed(situation.session.chat) if e.did == "said" and e.by in ("guide", "model"))
    since = itertools.takewhile(lambda entry: entry.n > newest, said)
    asks = next((found for entry in since if (found := _ASKS.findall(str(entry.get("text"))))), None)
    if not asks:
        return None
    card = open_card(situation.cards)
    own = [f for f in card.step.fields if f.label == asks[-1]] if card else []
    found = own or [f for f in situation.workflow.fields().values() if f.label == asks[-1]]
    return found[0].name if len(found) == 1 else None


def last_set(situation: Situation) -> Sequence[str]:
    """The parameters that were set last, in one go, and still have that value."""
    settings = {name: situation.session.setting(name) for name in situation.session.values}
    numbers = {name: change.n for name, change in settings.items() if change and change.by != "workflow"}
    newest = max(numbers.values(), default=0)
    also = _said_again(situation, newest)
    return [name for name, n in numbers.items() if n == newest or name in also]


def _said_again(situation: Situation, n: int) -> set[str]:
    """The parameters that the message behind entry `n` named with the value that they had already."""
    turns = [c.turn for changes in situation.session.history.values() for c in changes if c.n == n and c.turn]
    called = (e for e in situation.session.chat if e.did == "called" and turns and e.get("turn") == turns[0])
    return {name for entry in called for name in (entry.get("result") or {}).get("unchanged") or ()}


def said_on(situation: Situation) -> date | None:
    """The day here on which the user said the words, from which "tomorrow" is counted.

    They need not be the newest: an earlier message can be asked again.
    """
    said = [e for e in reversed(situation.session.chat) if e.did == "said" and e.by == "user"]
    own = (e for e in said if str(e.get("text")).strip().endswith(situation.words.strip()))
    entry = next(own, said[0] if said else None)
    try:
        return datetime.fromisoformat(entry.at).astimezone().date() if entry else None
    except (ValueError, OverflowError):
        return None  # an odd log


def shown_values(situation: Situation) -> dict[str, Any]:
    """What the cards show: values, and the defaults and earlier values that stand in empty fields.

    What a model suggested is none of them: nobody said it.
    """
    shown: dict[str, Any] = {}
    for card in situation.cards:
        own = {n: v for n, v in card.suggestions.items() if card.sources[n] in ("default", "stale")}
        shown |= own | card.values
    return shown


def offered_of(situation: Situation) -> dict[str, list[Any]]:
    """The options that workflows' functions gave, by parameter."""
    return {name: options for card in situation.cards for name, options in card.offered.items()}

""" "Keep it at 3", "leave the depth as it is": the values that are to stay what they are."""

import re
from collections.abc import Sequence
from typing import Any

from ...cards import Situation, card_of, open_card
from ...errors import Refused
from ...parameters import MISSING, Field, judge, to_json
from ...words import find, keys
from .context import last_set, offered_of, said_on
from .phrases import LONGEST, bare_of, plain_of

_STAYS = (
    r"(?: (?:alone|be|unchanged|so|as is|(?:just )?(?:as|like|how|what|the way) (?:it|they|that|this)"
    r"(?: is| are| was| were)?))?"
)
_IT = (
    r"it|that|this|them|these|those|everything|all(?: of it)?|things"
    r"|(?:the |my )?(?:old|current|present|previous|earlier|existing)(?: one| value| number| setting)?"
    r"|what (?:is|was) there|what (?:i|we) (?:had|have)"
)
_KEEP = re.compile(
    r"(?:(?:i'll|i will|we'll|we will|better|rather) )?"
    r"(?:keep|leave|stay (?:at|with|on)|stick (?:at|with|to)|(?:don't|do not) (?:change|touch)) "
    rf"(?:(?P<it>{_IT})(?: (?:at|to|with|on) (?P<at>.+))?|(?!out )(?P<x>.+?)){_STAYS}"
)
_AT = re.compile(r"(?P<label>.+?) (?:at|to|with|on) (?P<at>.+)")


def kept(situation: Situation, text: str) -> list[str] | None:
    """The parameters whose value is to stay; [] where that is of none, None where it is not what is said."""
    plain = plain_of(text)
    match = _KEEP.fullmatch(bare_of(plain)) if len(plain) <= LONGEST else None
    if match is None:
        return None
    if match["it"]:
        return _with(situation, match["at"]) if match["at"] else _refused(situation)
    said = match["x"]
    if named := _named(situation, said):
        return named
    if (at := _AT.fullmatch(said)) and (named := _named(situation, at["label"])):
        return named if _is(situation, named[0], at["at"]) else None
    return _with(situation, said)


def _refused(situation: Situation) -> list[str]:
    """The parameters that have a value, and were refused another one."""
    return [name for name in situation.session.refusals if name in situation.session.values]


def _named(situation: Situation, words: str) -> list[str]:
    """The one parameter with a value that is called so."""
    said = {*keys(words)} - {"the", "my", "our"}
    known, values = situation.workflow.fields(), situation.session.values
    found = [n for n, f in known.items() if n in values and said in ({*keys(n)}, {*keys(f.label)})]
    return found if len(found) == 1 else []


def _with(situation: Situation, words: str) -> list[str] | None:
    """The one parameter that has this value: of those refused another, else set last, else of the card."""
    card = open_card(situation.cards)
    own = [field.name for field in card.step.fields] if card else []
    ways: Sequence[Sequence[str]] = (_refused(situation), last_set(situation), own)
    found = next((hits for names in ways if (hits := [n for n in names if _is(situation, n, words)])), [])
    return found if len(found) == 1 else None


def _is(situation: Situation, name: str, words: str) -> bool:
    """Whether the words say the value that the parameter has."""
    card, now = card_of(situation.cards, name), situation.session.values.get(name, MISSING)
    field = card.step.field(name) if card else None
    if field is None or now is MISSING:
        return False
    said = find([field], words, offered_of(situation), name, today=said_on(situation))
    return any(_judged(field, item.raw) == now for item in said)


def _judged(field: Field, raw: Any) -> Any:
    try:
        return to_json(judge(field, raw))
    except Refused:
        return MISSING

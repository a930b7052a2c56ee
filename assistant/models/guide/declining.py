"""What the user would rather not say, and what they say to suggestions.

Of what is not said its default or nothing is taken instead; a needed value is explained.
"""

from typing import Any

from ...cards import Situation, card_of, empty_of, open_card
from ...parameters import LISTS, MISSING, Field
from .context import asked_for, missing_of
from .fields import default_of
from .message import Message
from .reasons import need
from .topics import suggested, topic

_ACTIONS = {"yes": "accept", "no": "decline", "decline": "decline", "cancel": "cancel"}
_NAMED = {"accept": "accept", "dismiss": "decline"}


def suggestion_answers(situation: Situation, message: Message) -> list[dict[str, Any]]:
    """The answers to what is suggested: to some by name, or a plain yes or no to all that stands there."""
    named = [
        {"action": _NAMED[intent.kind], "names": intent.about.split()}
        for intent in message.intents
        if intent.kind in _NAMED
    ]
    question = situation.session.question
    if named or question is not None:
        about = question.get("about") if question else None
        lapses = named and isinstance(about, dict) and about.get("next")  # it listed them
        return [*([{"action": "cancel", "value": None}] if lapses else []), *named]
    plain = message.bare or message.kinds in ({"cancel"}, {"decline"})
    action = _ACTIONS.get(next(iter(message.kinds), "")) if plain and len(message.kinds) == 1 else None
    if action is None or (message.bare and _asks_yes_or_no(situation)):
        return []
    waiting = list(situation.session.proposals.values())
    if len(waiting) == 1 and waiting[0].get("values", {}).keys() <= suggested(situation).keys():
        return [{"action": action, "value": None}]
    names = _together(situation)
    return [{"action": action, "names": names}] if names else []


def _together(situation: Situation) -> list[str]:
    """What is suggested on the open card, and elsewhere in the same turns."""
    card, waiting = open_card(situation.cards), situation.session.proposals.values()
    turns = {entry.get("turn") for entry in waiting if card and entry.get("step") == card.step.name}
    found = {name for entry in waiting if entry.get("turn") in turns for name in entry.get("values") or ()}
    return [name for name in suggested(situation) if name in found]


def _asks_yes_or_no(situation: Situation) -> bool:
    """Whether a field that takes yes or no is asked for, and none is suggested for it."""
    asked = asked_for(situation)
    field = situation.workflow.fields().get(asked) if asked else None
    return field is not None and field.kind == "bool" and asked not in suggested(situation)


def declined(situation: Situation, message: Message) -> Field | None:
    """The field that the user would rather leave out: the one that they name, or that is asked for."""
    about = [intent.about for intent in message.intents if intent.kind in ("decline", "omit")]
    card = open_card(situation.cards)
    if about and about[0]:
        target = topic(situation, about[0])
        return target if isinstance(target, Field) else None
    asked = asked_for(situation)
    if asked and (about or message.bare):
        return situation.workflow.fields().get(asked)
    return missing_of(card)[0] if about and card and missing_of(card) else None


def declined_values(situation: Situation, message: Message) -> dict[str, Any]:
    """What a field that is left out becomes, if it can be."""
    refuses = "decline" in message.kinds or (message.bare and message.kinds == {"no"})
    field = declined(situation, message) if refuses else None
    if field is None or field.kind in ("secret", "upload") or (message.bare and field.kind == "bool"):
        return {}
    default = default_of(field, card_of(situation.cards, field.name))
    if default is not MISSING:
        return {field.name: default}
    return {field.name: empty_of(field)} if field.optional or field.kind in LISTS else {}


def explained(situation: Situation, message: Message) -> str:
    """Why what the user would rather not say is needed; what may be left out is said to be."""
    field = declined(situation, message)
    if field is None:
        return "Nothing is asked that this could mean, so nothing was changed."
    if field.optional or field.kind in LISTS or default_of(field, None) is not MISSING:
        return f"**{field.label}** may be left as it is."
    return f"**{field.label}** can not be left out. {need(field, situation)}"

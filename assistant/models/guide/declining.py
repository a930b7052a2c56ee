"""What the user would rather not say: its default or nothing instead; a needed value is explained."""

from typing import Any

from ...cards import Situation, card_of, empty_of, open_card
from ...parameters import LISTS, MISSING, Field
from .context import asked_for
from .fields import default_of
from .message import Message
from .reasons import need
from .topics import topic


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
    return card.missing[0] if about and card and card.missing else None


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

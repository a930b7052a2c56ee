"""Cards that are completed, but not as the workflow's file, which may have changed, would have it now."""

from dataclasses import replace

from ..cards import Card
from ..log import Fact
from ..parameters import Place
from ..session import Session
from ..workflow import Workflow
from ..workspace import Handle
from .consequences import open_step
from .fitting import refusal
from .judging import Author, judge_card, loggable_value

Again = tuple[list[Fact], str | None]
"""The lines to be written, and why somebody has to look at the card; None where nobody has to."""


def refused_again(session: Session, card: Card, place: Place) -> list[Fact]:
    """The lines that say at the card's fields why today's rules refuse the values that it has."""
    facts = []
    for field in card.step.fields:
        if field.name in session.values and (why := refusal(session, card.step, field, place)):
            value = loggable_value(session.values[field.name])
            fields = {"step": card.step.name, "name": field.name, "value": value, "reason": why}
            facts.append(Fact("app", "refused", fields))
    return facts


async def unfit(handle: Handle, session: Session, flow: Workflow, card: Card) -> Again:
    """Opens the closed card again where its values are refused, or where it asks more. Calls no function."""
    reopened = Fact("app", "reopened", {"step": card.step.name})
    refused = refused_again(session, card, handle.place())
    new = [field.label for field in card.step.fields if field.name not in session.values]
    if not refused and not new:
        return [], None
    if card.state == "skipped":
        return [reopened], None  # what it is without being asked is computed again
    why = refused[0].fields["reason"] if refused else f"The card now asks {new[0]}, too."
    return [reopened, *refused], why


async def checked_again(handle: Handle, session: Session, flow: Workflow, card: Card) -> Again:
    """As `unfit`, and asks the card's functions too: whether it is needed, its choices, what it derives."""
    facts, why = await unfit(handle, session, flow, card)
    if facts:
        return facts, why
    place, seconds = handle.place(), handle.workspace.settings.card_seconds
    opened = await open_step(flow, card.step, session, place, seconds)
    reopened = Fact("app", "reopened", {"step": card.step.name})
    if opened[0].did == "skipped":
        return opened if card.state == "done" else [], None
    if card.state == "skipped":
        return [reopened], "The card is needed now."
    now = replace(card, offered=dict(opened[0].fields.get("offered") or {}))
    outcome, facts = await judge_card(handle, session, flow, now, card.values, Author("app"))
    if outcome.refused:
        return [reopened, *facts], next(iter(outcome.refused.values()))
    return [fact for fact in facts if fact.by == "workflow"], None

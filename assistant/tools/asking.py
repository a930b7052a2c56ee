"""The tools that ask and answer: a question with options, a suggestion, and what the user says to them."""

from typing import Any

from .. import actions
from ..actions import new_id
from ..cards import card_of, cards
from ..errors import AssistantError, Refused
from ..log import Fact
from ..models import Call
from .desk import Desk, clean, tell
from .settle import Answered, settle, settle_named


async def ask(desk: Desk, call: Call) -> dict[str, Any]:
    question = call.arguments.get("question")
    if not isinstance(question, str) or not question.strip():
        return await tell(desk, call, {"error": "question is missing."})
    if desk.asked:
        return await tell(desk, call, {"error": "One question at a time: the user has not answered yet."})
    desk.asked = True
    listed = call.arguments.get("options")
    options = (
        [clean(str(o))[:200] for o in listed if isinstance(o, str | int | float)]
        if isinstance(listed, list)
        else []
    )
    id = new_id("q")
    fields: dict[str, Any] = {"id": id, "question": clean(question.strip())[:2_000], "turn": desk.turn}
    if options:
        fields["options"] = list(dict.fromkeys(options))[:8]
    return await tell(desk, call, {"asked": id}, *_older(desk), Fact(desk.by, "asked", fields))


def _older(desk: Desk) -> list[Fact]:
    """The guide's own earlier question lapses with its next one: it asked what other words meant."""
    waiting = desk.handle.session().questions.items() if desk.by == "guide" else ()
    mine = [id for id, entry in waiting if entry.by == "guide" and entry.get("about") is None]
    return [Fact(desk.by, "answered", {"id": id, "action": "cancel"}) for id in mine]


async def propose(desk: Desk, call: Call) -> dict[str, Any]:
    """A text that may not be meant: it stands in its field until the user accepts it."""
    name, raw = str(call.arguments.get("name")), call.arguments.get("value")
    card = card_of(cards(desk.handle.session(), desk.handle.workflow()), name)
    field = card.step.field(name) if card else None
    if card is None or field is None:
        return await tell(desk, call, {"error": f"There is no parameter {name[:80]!r}."})
    try:
        value = actions.judge_one(desk.handle, card, field, raw)
    except Refused as error:
        return await tell(desk, call, {"error": error.reason})
    values = {name: value}
    fields = {"id": new_id("p"), "step": card.step.name, "values": values, "turn": desk.turn}
    return await tell(desk, call, {"proposed": values}, Fact(desk.by, "proposed", fields))


async def answer(desk: Desk, call: Call) -> dict[str, Any]:
    """The newest open question, or the only suggestion, answered in the user's own words.

    With `names` all that is suggested for these parameters.
    """
    session = desk.handle.session()
    action, value, names = (call.arguments.get(key) for key in ("action", "value", "names"))
    if isinstance(names, list):
        try:
            outcome = await settle_named(desk.handle, [str(name) for name in names], str(action), "user")
        except AssistantError as error:
            return await tell(desk, call, {"error": str(error)})
        return await tell(desk, call, _came_of(Answered(outcome), "these"))
    question = session.question
    if question is None and len(session.proposals) == 1:
        question = next(iter(session.proposals.values()))
    if question is None:
        return await tell(desk, call, {"error": "There is no open question."})
    try:
        answered = await settle(
            desk.handle,
            str(question["id"]),
            str(action),
            None if value is None else str(value),
            "user",
            desk.start_run,
        )
    except AssistantError as error:
        return await tell(desk, call, {"error": str(error)})
    return await tell(desk, call, _came_of(answered, str(question.get("question"))))


def _came_of(answered: Answered, asked: str) -> dict[str, Any]:
    outcome = answered.outcome
    result: dict[str, Any] = {"ok": True}
    if outcome.set:
        result["set"] = outcome.set
    if outcome.refused:
        result["refused"] = {str(name or asked): why for name, why in outcome.refused.items()}
    if answered.run:
        result["started"] = answered.run
    return result

"""Values by a second, small request: for models that have no tools, or that do not get a call right.

    words + open card ──▶ request with a JSON schema, no tools ──▶ one object ──▶ set_values, as any call

What comes is judged and grounded like a call; what is cut off or no such object is thrown away.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from ..cards import Card, cards, open_card
from ..errors import ModelError
from ..models import Call, Request
from ..parameters import schema
from ..session import Session
from ..tools import execute
from ..tools.desk import Desk
from ..words import may_hold
from .history import Message, about, digest
from .means import Means
from .stream import Reply, ask


async def extract(means: Means, desk: Desk, reply: Reply, words: str, before: Sequence[Message] = ()) -> bool:
    """Asks for the open card's values in `words`; whether there were any. Raises ModelError.

    `before` are messages that the model has just read, so that it need not read them anew. The ModelError is
    "extraction" where no answer could be used.
    """
    session = desk.handle.session()
    card = open_card(cards(session, desk.handle.workflow()))
    wanted = answer_schema(card) if card else None
    if card is None or wanted is None:
        return False
    problem = ""
    for _ in range(means.bounds.extractions):
        text = _told(means, session, card, wanted, words, problem)
        request = Request(
            reply.model, [*before, {"role": "user", "content": text}], format=wanted, think=False,
            options={"temperature": 0, "num_predict": means.bounds.extract_tokens},
        )  # fmt: skip
        reply.asked.append(request)
        reply.extraction = digest(request)
        came = await ask(means, request, desk.handle, reply, show=False)
        values, problem = read(came.text, wanted, came.done.reason)
        if not problem:
            break
    if problem:
        raise ModelError("extraction", f"{reply.model} could not say which values are meant: {problem}")
    if values:
        await reply.may_write()
        await execute(desk, [Call(f"call_{reply.turn}_{desk.calls}", "set_values", values)])
    return bool(values)


def may_say_values(desk: Desk, words: str) -> bool:
    """Whether it is worth asking: words answer an open question, or may hold a value of the open card."""
    session = desk.handle.session()
    card = open_card(cards(session, desk.handle.workflow()))
    if card is None or session.question is not None:
        return card is not None
    return may_hold(card.step.fields, words, card.offered)


def _told(
    means: Means, session: Session, card: Card, wanted: Mapping[str, Any], words: str, problem: str
) -> str:
    return means.prompts.render(
        "extraction",
        session.workflow,
        fields=[field for field in about(card) if field["name"] in wanted["properties"]],
        question=session.question.get("question") if session.question else None,
        problem=problem,
        words=words,
    )


def answer_schema(card: Card) -> dict[str, Any] | None:
    """The object of a card's values, each of which may be null; None if no tool can set any of them."""
    own = {f.name: s for f in card.step.fields if (s := schema(f, card.offered.get(f.name)))}
    properties = {name: _nullable(shape) for name, shape in own.items()}
    return {"type": "object", "properties": properties, "required": list(own)} if own else None


def _nullable(shape: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in shape:
        return {"enum": [*(each for each in shape["enum"] if each is not None), None]}
    types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    rest = {key: value for key, value in shape.items() if key not in ("type", "description")}
    kinds = [{"type": kind, **rest} for kind in types if kind != "null"]
    return {"anyOf": [*kinds, {"type": "null"}]}


def read(text: str, wanted: Mapping[str, Any], reason: str) -> tuple[dict[str, Any], str]:
    """The values that an answer names, and what is wrong with it ("" if nothing); null is no value."""
    if reason == "length":
        return {}, "it was too long and cut off."
    try:
        found = from_json(text.strip(), allow_inf_nan=False)
    except ValueError:
        return {}, "it was no JSON."
    if not isinstance(found, dict):
        return {}, "it was no JSON object."
    if unknown := sorted(found.keys() - wanted["properties"].keys()):
        return {}, f"there is no parameter {unknown[0][:80]!r}."
    return {name: value for name, value in found.items() if value is not None}, ""

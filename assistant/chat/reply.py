"""One reply, by the guide or by a model, from the user's words to the notices at its end.

Nothing is written here but what the calls do; what was said is written at the end, by turn.py.
"""

from typing import Any

from ..cards import Situation, cards
from ..log import Entry
from ..models import GUIDE, Call, Request, guide
from ..models.repair import claims_change
from ..session import Session
from ..tools import execute
from ..tools.desk import Desk
from ..workspace import Handle
from .means import Means
from .stream import Reply, stream
from .talk import Talk


async def guided(means: Means, handle: Handle, reply: Reply, desk: Desk, words: str) -> None:
    """The guide's rounds: it sees the situation in place of a prompt."""
    results: list[tuple[Call, dict[str, Any]]] = []
    for _ in range(means.bounds.rounds + 1):
        session, flow = handle.session(), handle.workflow()
        situation = Situation(flow, session, cards(session, flow), words, tuple(results), session.chat)
        came = await stream(guide.chat, Request(GUIDE, (), situation=situation), handle, reply)
        if came.text:
            reply.texts.append(came.text)
        if not came.calls:
            return
        calls = [
            Call(f"call_{reply.turn}_{len(results) + n}", c.tool, c.arguments)
            for n, c in enumerate(came.calls)
        ]
        await reply.may_write()
        results += zip(calls, await execute(desk, calls), strict=True)
    reply.notices.append(f"The guide was stopped after {means.bounds.rounds} rounds of changes.")


async def modelled(means: Means, handle: Handle, reply: Reply, desk: Desk, words: str) -> None:
    """A model's rounds. Raises ModelError where it fails; what the calls did before that stays."""
    talk = Talk(means, handle, reply, desk, words)
    await talk.prepare()
    while not await talk.round():
        pass
    session = handle.session()
    for label in desk.left.values():
        reply.notices.append(f"{label} was refused several times. Its field is on the card.")
    if not desk.changed and claims_change("\n".join(reply.texts)):
        reply.notices.append("Nothing was changed in this turn: what holds is what the cards show.")
    if reply.left_out and not _was_left_out(session):
        what = "message" if reply.left_out == 1 else "messages"
        reply.notices.append(
            f"{reply.left_out} earlier {what} no longer fit into what the model can read, and were left out."
        )


def _was_left_out(session: Session) -> bool:
    before = next((e for e in reversed(session.chat) if e.did == "said" and e.by == "model"), None)
    return before is not None and bool(before.get("left_out"))


def words_of(session: Session, turn: str) -> Entry | None:
    """The user's message of a turn."""
    said = (e for e in reversed(session.chat) if e.did == "said" and e.by == "user")
    return next((entry for entry in said if entry.get("turn") == turn), None)

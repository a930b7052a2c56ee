"""The built-in guide: a model without a model. It understands plain words by rules, and answers at once.

    words ── recognise ──▶ commands, questions        round 1: Delta(calls)
          └─ find ───────▶ values               results ──▶ round 2: what they came to, answers, what is next

It keeps no state: each round is computed from the situation, and what it reports it reads off the results.
"""

from collections.abc import AsyncIterator

from ...cards import Situation
from .. import Delta, Done, Request
from .phrases import recognise, rest
from .planning import plan
from .replying import reply

__all__ = ["chat", "plan", "recognise", "reply", "rest"]


async def chat(request: Request) -> AsyncIterator[Delta]:
    """One round: calls, or words when there is nothing (more) to do. Reads only `request.situation`."""
    situation: Situation = request.situation
    calls = plan(situation)
    if calls:
        yield Delta(calls=tuple(calls))
    else:
        yield Delta(text=reply(situation))
    yield Delta(done=Done())

"""One reply: rounds of words and calls, with a model or the guide, until there are only words.

    request ── stream ──▶ draft (live) ── done ──▶ repair ──▶ calls ── tools ──▶ results ──▶ next request
                                                        └──▶ words: the end

Nothing is written here but what the calls do; what was said is written at the end, by turn.py.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .cards import Situation, cards, open_card
from .desk import FOR_MODELS, Desk
from .errors import ModelError
from .history import Message, Prompt, digest, prompt, result
from .log import Entry
from .models import GUIDE, Call, Request, guide
from .models.ollama import Ollama
from .models.repair import claims_change, printed_calls, repair
from .prompts import Prompts
from .session import Session
from .settings import Bounds
from .stream import Reply, stream, watched
from .tools import execute
from .workspace import Handle

EMPTY = "The model gave an empty answer. Ask again, or use the guide."


@dataclass
class Means:
    """What all turns of the program share (a class: it remembers what it learned of the models)."""

    ollama: Ollama
    prompts: Prompts
    bounds: Bounds
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    toolless: set[str] = field(default_factory=set)
    told: set[tuple[str, str]] = field(default_factory=set)  # notices, each once in a session


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


async def modelled(means: Means, handle: Handle, reply: Reply, desk: Desk) -> None:
    """A model's rounds. Raises ModelError where it fails; what the calls did before that stays."""
    talk = _Talk(means, handle, reply, desk)
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


class _Talk:
    """The rounds of one turn with a model (a class: messages, tools and counters change together)."""

    def __init__(self, means: Means, handle: Handle, reply: Reply, desk: Desk) -> None:
        self.means, self.handle, self.reply, self.desk = means, handle, reply, desk
        self.base: list[Message] = []  # the prompt
        self.trail: list[Message] = []  # this turn's calls and results behind it
        self.tools: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.options: dict[str, Any] = {}
        self.opened: Any = None  # which card was open as the prompt was made
        self.rounds = 0
        self.first = sum(e.did == "called" and e.get("turn") == reply.turn for e in handle.log.entries)
        self.nudged = self.retried = False

    async def prepare(self) -> None:
        """Makes the prompt: as the turn begins, and again when another card has opened."""
        made, self.opened = await self._prompt(), self._open()
        self.base, self.tools, self.reply.left_out = made.messages, made.tools, made.left_out
        self.names = [tool["function"]["name"] for tool in made.tools]

    async def _prompt(self) -> Prompt:
        means, handle, model = self.means, self.handle, self.reply.model
        window = await means.ollama.num_ctx(model) - means.bounds.num_predict
        usable = model not in means.toolless
        if not usable:
            self._notice(f"{model} can not use tools: it can answer, but it can not fill in the card.")
        made = prompt(
            means.prompts, handle.log.entries, handle.session(), handle.workflow(), self.reply.turn,
            tools=usable, history_tokens=means.bounds.history_tokens, window=window,
        )  # fmt: skip
        if problem := means.prompts.notice():
            self._notice(problem)
        return made

    def _open(self) -> tuple[str, int] | None:
        session = self.handle.session()
        card = open_card(cards(session, self.handle.workflow()))
        opening = session.opening(card.step.name) if card else None
        return (card.step.name, opening.n if opening else 0) if card else None

    def _notice(self, text: str) -> None:
        key = (self.handle.sid, text)
        if key not in self.means.told:
            self.means.told.add(key)
            self.reply.notices.append(text)

    async def round(self) -> bool:
        """One request and what its calls do; True when the reply is whole."""
        reply, means = self.reply, self.means
        request = Request(
            reply.model, [*self.base, *self.trail], list(self.tools), options=dict(self.options)
        )
        reply.prompt = digest(request)
        try:
            async with means.locks[reply.model]:
                came = await watched(means.ollama, request, self.handle, reply)
        except ModelError as error:
            if not await self._recover(error):
                raise
            return False
        fixed = repair(
            came.text, came.thinking, came.calls if self.tools else (), self.names,
            turn=reply.turn, first=self.first + self.desk.calls,
        )  # fmt: skip
        reply.tokens += came.done.tokens or 0
        text = (
            "" if fixed.broken or (not self.tools and printed_calls(fixed.text, FOR_MODELS)) else fixed.text
        )
        if not text and not fixed.calls:
            self._nudge(fixed.broken)
            return False
        reply.thinking.append(fixed.thinking)
        if text:
            reply.texts.append(text)
        if not fixed.calls:
            reply.incomplete = came.done.reason == "length"
            return True
        await self._call(text, fixed.thinking, fixed.calls)
        return False

    async def _recover(self, error: ModelError) -> bool:
        """Whether the request is worth another try, and how: without tools, or with another seed."""
        reply = self.reply
        if error.kind == "no_tools" and self.tools:
            self.means.toolless.add(reply.model)
            await self.prepare()
            return True
        if error.kind == "parser_error" and not self.retried:
            self.retried, self.options = True, {"seed": 7, "temperature": 0.6}
            return True
        return False

    def _nudge(self, broken: bool) -> None:
        if self.nudged:
            raise ModelError("empty", EMPTY)
        self.nudged = True
        text = self.means.prompts.render("nudge", broken=broken)
        self.trail.append({"role": "user", "content": text})

    async def _call(self, text: str, thinking: str, calls: Sequence[Call]) -> None:
        """Runs the calls and puts them and their results behind the messages."""
        asked = [
            {"id": c.id, "function": {"index": n, "name": c.tool, "arguments": dict(c.arguments)}}
            for n, c in enumerate(calls)
        ]
        more = {"thinking": thinking} if thinking else {}
        await self.reply.may_write()
        results = await execute(self.desk, calls)
        if self._open() != self.opened:
            await self.prepare()  # another card: other tools, and another state
        self.trail.append({"role": "assistant", "content": text, **more, "tool_calls": asked})
        self.trail += [result(c.id, c.tool, r) for c, r in zip(calls, results, strict=True)]
        self.rounds += 1
        self._bound()

    def _bound(self) -> None:
        """Takes the tools away where a bound is reached: then there are words."""
        bounds, desk = self.means.bounds, self.desk
        reached = ""
        if desk.calls >= bounds.calls:
            reached = f"The model made {desk.calls} calls in one turn; more are not run."
        elif self.rounds >= bounds.rounds:
            reached = f"The model went on for {self.rounds} rounds; it was told to come to an end."
        elif desk.repeats >= 2:
            reached = "The model made the same call again and again; it was told to come to an end."
        if reached and self.tools:
            self.reply.notices.append(reached)
            self.tools, self.names = [], []
            self.trail.append({"role": "user", "content": self.means.prompts.render("words")})


def words_of(session: Session, turn: str) -> Entry | None:
    """The user's message of a turn."""
    said = (e for e in reversed(session.chat) if e.did == "said" and e.by == "user")
    return next((entry for entry in said if entry.get("turn") == turn), None)

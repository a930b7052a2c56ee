"""The rounds of one turn with a model: words, calls and their results, until there are only words.

request ── stream ──▶ repair ──▶ calls ── tools ──▶ results ──▶ next request
              │           └──▶ words: the end
              └ empty, unreadable, no tools ──▶ once more, in words, or extraction.py
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from ..cards import cards, open_card
from ..errors import ModelError
from ..models import Call, Request
from ..models.repair import claims_change, names_call, printed_calls, repair
from ..tools import execute
from ..tools.desk import FOR_MODELS, VALUES, Desk
from ..workspace import Handle
from .extraction import extract, may_say_values
from .history import RESERVE, Message, digest, estimate, result
from .means import Means, prompt_of
from .stream import Reply, Round, ask

EMPTY = "The model gave an empty answer. Ask again, or use the guide."
WORDLESS = "The model found no words. What it understood stands on the card."


class Talk:
    """The rounds of one turn with a model (a class: messages, tools and counters change together)."""

    def __init__(self, means: Means, handle: Handle, reply: Reply, desk: Desk, words: str) -> None:
        self.means, self.handle, self.reply, self.desk, self.words = means, handle, reply, desk, words
        self.base: list[Message] = []  # the prompt
        self.trail: list[Message] = []  # this turn's calls and results behind it
        self.tools: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.options: dict[str, Any] = {}
        self.opened: Any = None  # which card was open as the prompt was made
        self.window = self.rounds = 0
        newest = reversed(handle.log.entries)
        since = takewhile(lambda e: e.by != "user" or e.get("turn") != reply.turn, newest)
        self.first = sum(e.did == "called" and e.get("turn") == reply.turn for e in since)
        self.nudged = self.retried = False
        self.think = means.thinks(reply.model)

    async def prepare(self) -> None:
        """Makes the prompt: as the turn begins, when another card has opened, and when room is short."""
        reply, means = self.reply, self.means
        reserve = max(RESERVE, estimate(self.trail) if self.trail else 0)
        made, self.opened = (
            await prompt_of(means, self.handle, reply.model, reply.turn, reserve),
            self._open(),
        )
        self.base, self.tools = made.messages, made.tools
        reply.left_out, self.window = made.left_out, made.window
        self.names = [tool["function"]["name"] for tool in made.tools]
        if reply.model in means.toolless:
            told = f"{reply.model} can not use tools: values for the open card are read out of your words"
            able = f" Models that can: {', '.join(means.able[:3])}." if means.able else ""
            self._notice("toolless", f"{told} in a second request, and the rest is up to you.{able}")
        if problem := means.prompts.notice():
            self._notice(problem, problem)

    def _open(self) -> tuple[str, int] | None:
        session = self.handle.session()
        card = open_card(cards(session, self.handle.workflow()))
        opening = session.opening(card.step.name) if card else None
        return (card.step.name, opening.n if opening else 0) if card else None

    def _notice(self, about: str, text: str) -> None:
        key = (self.handle.sid, about)
        if key not in self.means.told:
            self.means.told.add(key)
            self.reply.notices.append(text)

    async def round(self) -> bool:
        """One request and what its calls do; True when the reply is whole."""
        reply = self.reply
        try:
            came = await self._ask()
        except ModelError as error:
            return await self._recover(error)
        fixed = repair(
            came.text, came.thinking, came.calls if self.tools else (), self.names,
            turn=reply.turn, first=self.first + self.desk.calls,
        )  # fmt: skip
        printed = not self.tools and printed_calls(fixed.text, FOR_MODELS)
        text = "" if fixed.broken or printed else fixed.text
        if not text and not fixed.calls:
            return await self._nothing(fixed.thinking, fixed.broken)
        reply.thinking.append(fixed.thinking)
        if text:
            reply.texts.append(text)
        if fixed.calls:
            await self._call(text, fixed.thinking, fixed.calls)
            return False
        if came.done.reason == "length":
            reply.incomplete = True
            most = self.means.bounds.num_predict
            reply.notices.append(f"The reply was cut: it may have {most:,} tokens. Ask for the rest.")
        await self._second_look(text)
        return True

    async def _ask(self) -> Round:
        reply, means = self.reply, self.means
        used = estimate([self.base, self.trail, self.tools])
        if self.trail and len(self.base) > 2 and used > self.window:
            bounded = not self.tools
            await self.prepare()
            if bounded:
                self.tools, self.names = [], []
        request = Request(
            reply.model, [*self.base, *self.trail], list(self.tools), think=self.think,
            options=dict(self.options),
        )  # fmt: skip
        reply.prompt, reply.asked[:1] = digest(request), [request]
        came = await ask(means, request, self.handle, reply)
        reply.read = came.done.prompt_tokens or 0
        self._check_read(estimate([request.messages, request.tools]))
        return came

    def _check_read(self, sent: int) -> None:
        """Alarm where the model read far less than was sent: then the rules or the tools were lost."""
        read = self.reply.read
        if self.means.counts and 0 < read < self.means.bounds.read_share * sent:
            told = f"{self.reply.model} read only {read:,} of about {sent:,} tokens that it was given"
            self._notice(
                "short", f"{told}, so it may not know the rules or the tools. Check its context length."
            )

    async def _recover(self, error: ModelError) -> bool:
        """Another try where that may help: without tools or thinking, another seed, values by JSON.

        True when the reply is whole then; raises `error` where nothing helps.
        """
        reply = self.reply
        if error.kind == "no_tools" and self.tools:
            self.means.toolless.add(reply.model)
            await self.prepare()
            return False
        if error.kind == "no_thinking" and self.think:
            self.means.thoughtless.add(reply.model)
            self._notice("thoughtless", f"{reply.model} can not think aloud; it answers without.")
            self.think = False
            return False
        if error.kind == "parser_error" and not self.retried:
            self.retried, self.options = True, {"seed": 7, "temperature": 0.6}
            return False
        if error.kind == "parser_error" and await self._extracted():
            return True
        raise error

    async def _nothing(self, thinking: str, broken: bool) -> bool:
        """A turn without words and calls failed: once more, then for the values alone, then it is said."""
        if thinking and self.think:
            self.think = False  # all went into thinking
            return False
        if not self.nudged:
            self.nudged = True
            text = self.means.prompts.render("repair", self._stem, broken=broken)
            self.trail.append({"role": "user", "content": text})
            return False
        if await self._extracted():
            return True
        raise ModelError("empty", EMPTY)

    @property
    def _stem(self) -> str:
        return self.handle.session().workflow

    async def _extracted(self) -> bool:
        """Whether the values alone could be had, where nothing was called yet; then that is said."""
        if self.desk.calls:
            return False
        try:
            if not await extract(self.means, self.desk, self.reply, self.words):
                return False
        except ModelError:
            return False  # the first failure is the one that is told
        self.reply.notices.append(WORDLESS)
        return True

    async def _second_look(self, text: str) -> None:
        """The values of a message that was only answered in words, though it should have been called."""
        if self.desk.calls:
            return
        reply, toolless = self.reply, self.reply.model in self.means.toolless
        if not toolless and not names_call(text, VALUES) and not claims_change(text):
            return
        if not may_say_values(self.desk, self.words):
            return
        said = [*self.base, *self.trail, {"role": "assistant", "content": text}] if toolless else []
        try:
            await extract(self.means, self.desk, reply, self.words, said)
        except ModelError as error:
            reply.notices.append(f"No value was set. {error}")

    async def _call(self, text: str, thinking: str, calls: Sequence[Call]) -> None:
        """Runs the calls and puts them and their results behind the messages."""
        asked = [
            {"id": c.id, "function": {"index": n, "name": c.tool, "arguments": dict(c.arguments)}}
            for n, c in enumerate(calls)
        ]
        more = {"thinking": thinking} if thinking else {}
        await self.reply.may_write()
        results = await execute(self.desk, calls)
        self.trail.append({"role": "assistant", "content": text, **more, "tool_calls": asked})
        self.trail += [result(c.id, c.tool, r) for c, r in zip(calls, results, strict=True)]
        if self._open() != self.opened:
            await self.prepare()  # another card: other tools, and another state
        self.rounds += 1
        self._bound()

    def _bound(self) -> None:
        """Takes the tools away where a bound is reached: then there are words."""
        bounds, desk = self.means.bounds, self.desk
        reached = ""
        if desk.calls >= bounds.calls:
            reached = f"The model made {desk.calls} calls in one turn; more than {bounds.calls} are not run."
        elif self.rounds >= bounds.rounds:
            reached = f"The model went on for {self.rounds} rounds; it was told to come to an end."
        elif desk.repeats >= 2:
            reached = "The model made the same call again and again; it was told to come to an end."
        if reached and self.tools:
            self.reply.notices.append(reached)
            self.tools, self.names = [], []
            self.trail.append({"role": "user", "content": self.means.prompts.render("summary", self._stem)})

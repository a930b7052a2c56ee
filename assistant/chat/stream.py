"""One request to a model: its stream, collected, and shown in the draft as it comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from .. import live
from ..errors import ModelError
from ..log import Fact
from ..models import GUIDE, Call, Chat, Delta, Done, Request
from ..models.catalogue import is_loaded
from ..models.ollama import Ollama
from ..models.repair import held, shown
from ..tools.desk import clean
from ..workspace import Handle
from .means import Means

TICK = 0.4  # seconds between looks at what phase a reply is in
QUIET = 0.8  # seconds of silence after which a model that was writing prepares a call


@dataclass
class Reply:
    """A reply as far as it is, and what is left of it when it is stopped. `notices` are our own words."""

    turn: str
    model: str
    draft: live.Draft
    replaces: int | None = None
    on_disk: asyncio.Future[Any] | None = None  # the user's line
    texts: list[str] = field(default_factory=list)  # of the rounds that ended
    thinking: list[str] = field(default_factory=list)
    tokens: int = 0
    read: int = 0  # tokens of the prompt, as the model counted them
    eval_seconds: float = 0.0  # that it wrote
    spent: float = 0.0  # seconds that requests took
    asked: list[Request] = field(default_factory=list)  # the last one for words, and those for values
    prompt: str = ""
    extraction: str = ""
    left_out: int = 0
    incomplete: bool = False
    notices: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    heard: float = 0.0  # when the last piece came; 0: none yet
    first: float | None = None  # seconds until the first piece of all
    thinking_bytes: int = 20_000

    @property
    def by(self) -> str:
        return "guide" if self.model == GUIDE else "model"

    def said(self, text: str, **marks: bool) -> Fact:
        """The line of what was said."""
        fields: dict[str, Any] = {"text": clean(text), "turn": self.turn, "model": self.model}
        thinking = "\n\n".join(part for part in self.thinking if part)
        if thinking := self.draft.thinking if marks.get("stopped") else thinking:
            fields["thinking"] = _bounded(clean(thinking), self.thinking_bytes)
        if self.tokens:
            fields["tokens"] = self.tokens
        if self.tokens and self.eval_seconds:
            fields["rate"] = round(self.tokens / self.eval_seconds, 1)
        fields["seconds"] = round(time.monotonic() - self.began, 3)
        if self.first is not None and self.by == "model":
            fields["first"] = round(self.first, 3)
        if self.read:
            fields["read"] = self.read
        if self.prompt:
            fields["prompt"] = self.prompt
        if self.extraction:
            fields["extraction"] = self.extraction
        if self.replaces is not None:
            fields["replaces"] = self.replaces
        if self.left_out:
            fields["left_out"] = self.left_out
        return Fact(self.by, "said", fields | {name: True for name, on in marks.items() if on})

    def facts(self) -> list[Fact]:
        """The lines of a reply that ended well."""
        notices = [Fact("app", "said", {"text": text, "turn": self.turn}) for text in self.notices]
        if notices and not self.texts and self.by == "model":
            return notices
        return [self.said("\n\n".join(self.texts), incomplete=self.incomplete), *notices]

    async def may_write(self) -> None:
        """Waits until the user's words are on disk: nothing of the reply may be written before."""
        if self.on_disk is not None:
            await asyncio.shield(self.on_disk)


@dataclass
class Round:
    """What came of one request."""

    text: str = ""
    thinking: str = ""
    calls: list[Call] = field(default_factory=list)
    done: Done = field(default_factory=Done)


def _bounded(text: str, most: int) -> str:
    data = text.encode()
    return text if len(data) <= most else data[:most].decode("utf-8", "ignore") + "…"


async def ask(means: Means, request: Request, handle: Handle, reply: Reply, *, show: bool = True) -> Round:
    """One request in its turn (one at a time for a model), counted. Raises ModelError."""
    total = means.bounds.total
    if reply.spent >= total:
        told = f"{reply.model} worked on this turn for {total:g} s and was stopped. Ask again."
        raise ModelError("timeout", told)
    async with means.locks[reply.model]:
        began = time.monotonic()
        try:
            came = await watched(means.ollama, request, handle, reply, show)
        finally:
            reply.spent += time.monotonic() - began
    reply.tokens += came.done.tokens or 0
    reply.eval_seconds += came.done.eval_seconds or 0.0
    return came


async def watched(ollama: Ollama, request: Request, handle: Handle, reply: Reply, show: bool = True) -> Round:
    """A model's stream, beside which a timer tells the phase."""
    reply.heard = 0.0
    _phase(handle, reply, "waiting")
    watch = asyncio.create_task(_tell_phase(ollama, handle, reply))
    try:
        return await stream(ollama.chat, request, handle, reply, show)
    finally:
        watch.cancel()


async def stream(speak: Chat, request: Request, handle: Handle, reply: Reply, show: bool = True) -> Round:
    """Collects one reply, and shows it as it comes. Words that may become a call are held back.

    Without `show` nothing of it is shown but that something is prepared.
    """
    came, draft = Round(), reply.draft
    before = "".join(f"{text}\n\n" for text in reply.texts)
    draft.text, draft.thinking = before.strip(), "\n\n".join(part for part in reply.thinking if part)
    free = False
    async for delta in _closing(speak(request)):
        reply.heard = time.monotonic()
        if reply.first is None and (delta.text or delta.thinking or delta.calls):
            reply.first = reply.heard - reply.began
        came.text += delta.text
        came.thinking += delta.thinking
        came.calls += delta.calls
        if delta.done:
            came.done = delta.done
        if not show:
            _phase(handle, reply, "preparing")
            continue
        draft.thinking += delta.thinking
        if delta.text and free:
            draft.text += delta.text
        elif delta.text and not held(came.text):
            free = True
            draft.text = before + shown(came.text)
        draft.phase = "preparing" if delta.calls else "writing" if came.text else "thinking"
        live.wake(handle.sid)
    return came


async def _closing(deltas: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
    """The deltas; the stream behind them is closed at once when nobody reads on."""
    try:
        async for delta in deltas:
            yield delta
    finally:
        if isinstance(deltas, AsyncGenerator):
            await deltas.aclose()


async def _tell_phase(ollama: Ollama, handle: Handle, reply: Reply) -> None:
    """Waiting, loading, reading before the first piece; preparing where the words stop. By timers."""
    while True:
        await asyncio.sleep(TICK)
        if not reply.heard:
            loaded = await is_loaded(ollama, reply.model)
            if loaded is not None and not reply.heard:
                _phase(handle, reply, "reading" if loaded else "loading")
        elif time.monotonic() - reply.heard > QUIET:
            _phase(handle, reply, "preparing")


def _phase(handle: Handle, reply: Reply, phase: str) -> None:
    if reply.draft.phase != phase:
        reply.draft.phase = phase
        live.wake(handle.sid)

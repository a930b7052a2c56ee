"""One request to a model: its stream, collected, and shown in the draft as it comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from . import live
from .desk import clean
from .log import Fact
from .models import GUIDE, Call, Chat, Delta, Done, Request
from .models.catalogue import is_loaded
from .models.ollama import Ollama
from .models.repair import held, shown
from .workspace import Handle

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
    prompt: str = ""
    left_out: int = 0
    incomplete: bool = False
    notices: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    heard: float = 0.0  # when the last piece came; 0: none yet

    @property
    def by(self) -> str:
        return "guide" if self.model == GUIDE else "model"

    def said(self, text: str, **marks: bool) -> Fact:
        """The line of what was said."""
        fields: dict[str, Any] = {"text": clean(text), "turn": self.turn, "model": self.model}
        thinking = "\n\n".join(part for part in self.thinking if part)
        if thinking:
            fields["thinking"] = clean(thinking)
        if self.tokens:
            fields["tokens"] = self.tokens
        fields["seconds"] = round(time.monotonic() - self.began, 3)
        if self.prompt:
            fields["prompt"] = self.prompt
        if self.replaces is not None:
            fields["replaces"] = self.replaces
        if self.left_out:
            fields["left_out"] = self.left_out
        return Fact(self.by, "said", fields | {name: True for name, on in marks.items() if on})

    def facts(self) -> list[Fact]:
        """The lines of a reply that ended well."""
        notices = [Fact("app", "said", {"text": text, "turn": self.turn}) for text in self.notices]
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


async def watched(ollama: Ollama, request: Request, handle: Handle, reply: Reply) -> Round:
    """A model's stream, beside which a timer tells the phase."""
    reply.heard = 0.0
    _phase(handle, reply, "waiting")
    watch = asyncio.create_task(_tell_phase(ollama, handle, reply))
    try:
        return await stream(ollama.chat, request, handle, reply)
    finally:
        watch.cancel()


async def stream(speak: Chat, request: Request, handle: Handle, reply: Reply) -> Round:
    """Collects one reply, and shows it as it comes. Words that may become a call are held back."""
    came, draft = Round(), reply.draft
    before = "".join(f"{text}\n\n" for text in reply.texts)
    draft.text, draft.thinking = before.strip(), "\n\n".join(part for part in reply.thinking if part)
    free = False
    async for delta in _closing(speak(request)):
        reply.heard = time.monotonic()
        came.text += delta.text
        came.thinking += delta.thinking
        came.calls += delta.calls
        draft.thinking += delta.thinking
        if delta.text and free:
            draft.text += delta.text
        elif delta.text and not held(came.text):
            free = True
            draft.text = before + shown(came.text)
        draft.phase = "preparing" if delta.calls else "writing"
        if delta.done:
            came.done = delta.done
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

"""What all turns of the program share, and the prompt of a turn made with it."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from ..models import Catalogue
from ..models.ollama import Ollama
from ..prompts import Prompts
from ..settings import Bounds
from ..workspace import Handle
from .history import RESERVE, Prompt, prompt

UNCACHED = "0.30.0"  # this Ollama does not count what it has read before


@dataclass
class Means:
    """What all turns of the program share (a class: it remembers what it learned of the models)."""

    ollama: Ollama
    prompts: Prompts
    bounds: Bounds
    think: bool = False
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    toolless: set[str] = field(default_factory=set)
    thoughtless: set[str] = field(default_factory=set)  # models that can not think aloud
    able: tuple[str, ...] = ()  # local models that can use tools
    counts: bool = True  # whether Ollama tells how much was read
    told: set[tuple[str, str]] = field(default_factory=set)  # notices, each once in a session

    def learn(self, found: Catalogue) -> None:
        """Takes over what a look at Ollama told of its models."""
        self.toolless |= {m.name for m in found.models if m.tools is False}
        self.thoughtless |= {m.name for m in found.models if m.thinking is False}
        self.able = tuple(m.name for m in found.models if m.tools and not m.cloud)
        self.counts = found.version != UNCACHED

    def thinks(self, model: str) -> bool:
        return self.think and model not in self.thoughtless


async def prompt_of(means: Means, handle: Handle, model: str, turn: str, reserve: int = RESERVE) -> Prompt:
    """The prompt for the user's words of `turn`; of no turn (""), for words that are still to come.

    Its window has room for the reply; `reserve` of it (tokens) is kept for the calls of the turn.
    """
    window = await means.ollama.num_ctx(model) - means.bounds.num_predict
    return prompt(
        means.prompts, handle.log.entries, handle.session(), handle.workflow(), turn,
        tools=model not in means.toolless, history_tokens=means.bounds.history_tokens,
        window=window, reserve=reserve,
    )  # fmt: skip

"""Lets a model read the beginning of the next prompt while nobody speaks: its first word comes sooner then.

card opens ─▶ load (as a chat would) ─▶ prompt without words, one token ─▶ thrown away
               └ goes on for a message     └ cancelled at once by a message
"""

import asyncio

from loguru import logger

from ..cards import cards, open_card
from ..errors import AssistantError
from ..models import Request
from ..workspace import Handle
from .means import Means, prompt_of


class Preloader:
    """One preload at a time (a class: it has a task, and remembers what it has done)."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self.done: set[tuple[str, int, str]] = set()  # session, the entry that opened the card, model
        self.task: asyncio.Task[None] | None = None
        self._loading = ""  # the model that is being loaded
        self._only_load = False

    def offer(self, handle: Handle, model: str) -> bool:
        """Begins a preload for the open card, unless one is under way or was made before; whether it did."""
        if (self.task and not self.task.done()) or self.means.locks[model].locked():
            return False
        session = handle.session()
        card = open_card(cards(session, handle.workflow()))
        entry = session.opening(card.step.name) if card else None
        opening = (handle.sid, entry.n, model) if entry else None
        if opening is None or opening in self.done:
            return False
        self.done.add(opening)
        self._only_load = False
        self.task = asyncio.create_task(self._preload(handle, model))
        return True

    def make_way(self, model: str) -> None:
        """A message for `model` comes: the preload ends at once.

        Only if it is loading that very model it goes on with that, as a load that is broken off begins anew.
        """
        if self.task is None or self.task.done():
            return
        if self._loading == model:
            self._only_load = True
        else:
            self.task.cancel()

    async def close(self) -> None:
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _preload(self, handle: Handle, model: str) -> None:
        means = self.means
        try:
            self._loading = model
            try:
                await means.ollama.preload(model)
            finally:
                self._loading = ""
            if self._only_load:
                return
            async with means.locks[model]:
                made = await prompt_of(means, handle, model, "")
                request = Request(
                    model, made.messages, made.tools, think=means.thinks(model), options={"num_predict": 1}
                )
                async for _ in means.ollama.chat(request):
                    pass
        except AssistantError as error:  # the chat itself meets the same trouble, and tells
            logger.debug("The prompt of {} was not preloaded: {}", handle.sid, error)

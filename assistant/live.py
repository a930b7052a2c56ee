"""Memory of what is under way: words and progress that are not in the log yet, and who waits for changes.

All of it may be lost at any moment; the log says what happened. One event loop uses it.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Draft:
    """A reply being written. `phase`: waiting, loading, reading, thinking, writing, preparing."""

    turn: str
    model: str
    phase: str = "waiting"
    text: str = ""
    thinking: str = ""
    began: float = field(default_factory=time.monotonic)


@dataclass
class Pull:
    """A model being fetched: bytes of the present part. `state`: running, failed (`reason`) or cancelled."""

    name: str
    status: str = ""
    completed: int = 0
    total: int = 0
    state: str = "running"
    reason: str = ""


@dataclass
class Pulse:
    """Counts a session's changes; streams sleep on it."""

    beat: int = 0
    event: asyncio.Event = field(default_factory=asyncio.Event)


MOMENT = 0.025  # seconds: nobody sees that words come so much later

drafts: dict[str, Draft] = {}
progress: dict[str, dict[str, Any]] = {}  # by session: done, total, note, rate, left, output
pulls: dict[str, Pull] = {}  # by model
_pulses: defaultdict[str, Pulse] = defaultdict(Pulse)


def wake(sid: str) -> None:
    """Something about the session changed: every stream of it looks again."""
    pulse = _pulses[sid]
    pulse.beat += 1
    pulse.event.set()
    pulse.event = asyncio.Event()


def beat(sid: str) -> int:
    return _pulses[sid].beat


async def changed(sid: str, seen: int, seconds: float) -> bool:
    """Waits until the session's beat differs from `seen`; False when `seconds` passed without it."""
    pulse = _pulses[sid]
    if pulse.beat != seen:
        await asyncio.sleep(0)  # a session that never rests must not keep others from theirs
        return True
    try:
        async with asyncio.timeout(seconds):
            await pulse.event.wait()
    except TimeoutError:
        return False
    return True


async def begun(sid: str) -> None:
    """Waits a moment for the first words of a reply: a quick one comes with what it answers, in one piece."""
    while (draft := drafts.get(sid)) and not (draft.text or draft.thinking):
        if (left := draft.began + MOMENT - time.monotonic()) <= 0:
            return
        await changed(sid, beat(sid), left)

"""What a search found: entries with the places in them, by session. Values only."""

from dataclasses import dataclass

from .texts import Passage


@dataclass(frozen=True)
class Hit:
    """An entry that was found, and where in it."""

    n: int
    at: str
    passages: tuple[Passage, ...]
    model: str = ""
    undone: bool = False


@dataclass(frozen=True)
class Headline:
    """What is said of a session above its hits. `good`: how many entries there are before any damage."""

    sid: str
    name: str
    title: str
    workflow: str
    changed: str
    archived: bool
    good: int
    damaged: bool
    undone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Group:
    """A session with hits, the newest first, and how many more there are; `open_ended`: at least so many."""

    headline: Headline
    hits: tuple[Hit, ...]
    more: int = 0
    open_ended: bool = False


@dataclass(frozen=True)
class Page:
    """What was found. `older` is where the search goes on, None at its end."""

    groups: tuple[Group, ...] = ()
    older: str | None = None

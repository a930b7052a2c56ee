"""The one interface behind which a model speaks: a Request goes in, Deltas come out.

    turn.py ── Request ──▶ ollama.chat / guide.chat ── Delta, Delta, ... Delta(done) ──▶ turn.py

A model knows nothing of the log and writes nothing; turn.py decides what becomes of its words and calls.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GUIDE = "guide"


@dataclass(frozen=True)
class Call:
    """One tool call as the model made it: nothing in it has been judged."""

    id: str
    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """How a reply ended. Times are in seconds; None where the model does not tell."""

    reason: str = "stop"
    prompt_tokens: int | None = None
    tokens: int | None = None
    load_seconds: float | None = None
    prompt_seconds: float | None = None
    seconds: float | None = None
    eval_seconds: float | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of a reply: words, thinking, whole calls, or (last, once) how it ended."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()
    done: Done | None = None


@dataclass(frozen=True)
class Request:
    """One request to a model.

    `messages` and `tools` are in the shape of Ollama's /api/chat. `situation` is what the built-in guide
    looks at instead of the prompt (see turn.Situation); no other model reads it. `format` is a JSON schema
    and excludes `tools`.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    format: Mapping[str, Any] | None = None
    think: bool | str = False
    options: Mapping[str, Any] = field(default_factory=dict)
    situation: Any = None


Chat = Callable[[Request], AsyncIterator[Delta]]


@dataclass(frozen=True)
class ModelInfo:
    """A model that can be picked: what it can do, how large it is (bytes), its trained window (tokens)."""

    name: str
    tools: bool | None = None
    thinking: bool | None = None
    size: int | None = None
    context: int | None = None
    cloud: bool = False


@dataclass(frozen=True)
class Catalogue:
    """What there is to pick from. `problem`: a sentence if no Ollama answers; `notice`: if it is too old."""

    address: str
    models: tuple[ModelInfo, ...] = ()
    version: str | None = None
    problem: str | None = None
    notice: str | None = None

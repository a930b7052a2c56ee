"""What the commands of the chat do that change no card: the lines that answer them. Pure."""

from collections.abc import Sequence
from typing import Any

from ..export import FORMATS
from ..log import Fact
from ..models import GUIDE, ModelInfo
from ..session import Session
from ..tools.desk import clean
from .slash import Slash, find, help_text, pick

MODELS = 30  # names in one sentence
OFFERED = 8  # buttons


def errand(slash: Slash, session: Session, turn: str, model: str, models: Sequence[ModelInfo]) -> list[Fact]:
    """The lines that a command gives; the last is what the guide says. `model` answers until now."""
    facts, text, more = list[Fact](), "", dict[str, Any]()
    if slash.name == "model":
        name = pick(slash.rest, models)
        text = f"{name} answers from here on." if name else _who(slash.rest, models)
        if name and name != model:
            facts = [Fact("user", "chose", {"model": name})]
        if not name:
            known = [GUIDE, *(each.name for each in models)]
            more = {"models": [each for each in known if each != model][:OFFERED]}
    elif slash.name == "realign":
        facts, text = [Fact("user", "realigned")], "The model starts afresh."
    elif slash.name == "find":
        text, more = _found(session, slash.rest, turn)
    elif slash.name == "export":
        text, more = "The session as a file:", {"exports": list(FORMATS)}
    else:
        text = help_text("" if slash.name == "help" else slash.name)
    return [*facts, Fact("guide", "said", {"text": clean(text), "turn": turn, "model": GUIDE, **more})]


def _who(name: str, models: Sequence[ModelInfo]) -> str:
    names = ", ".join(f"`{each}`" for each in [GUIDE, *(model.name for model in models)][:MODELS])
    return f"{f'There is no model `{name[:80]}`. ' if name else ''}Who can answer: {names}."


def _found(session: Session, words: str, turn: str) -> tuple[str, dict[str, Any]]:
    if not words:
        return "Say what to look for: `/find WORDS`.", {}
    found = [entry.n for entry in find(session.chat, words, turn)]
    if not found:
        return f"Nothing that was said here has “{words[:80]}”.", {}
    how_many = f"{len(found)} {'message has' if len(found) == 1 else 'messages have'}"
    return f"{how_many} “{words[:80]}”:", {"found": found, "sought": words[:200]}

"""Commands of the chat that begin with a slash: what there are, and what a message asks for. Pure.

"/undo"          ──▶  Slash("undo")              the guide carries it out, as it does the word
"/model qwen3"   ──▶  Slash("model", "qwen3")
"/etc/hosts"     ──▶  None                       words like others
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..log import Entry
from ..models import GUIDE, ModelInfo

HITS = 10
AROUND = 40  # characters shown on each side of what was found
FORM = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command: its name, what follows it (for reading), what it does, and the words that do the same."""

    name: str
    takes: str
    what: str
    words: str = ""


COMMANDS = (
    Command("help", "", "this list"),
    Command("undo", "", "take the last change back", "undo"),
    Command("redo", "", "bring it back", "redo"),
    Command("next", "", "complete the open card", "next"),
    Command("back", "", "open the card before", "back"),
    Command("skip", "", "go on without answers, where that is possible", "skip"),
    Command("run", "", "start the run", "run it"),
    Command("status", "", "what is set, and what is missing", "what have you got so far?"),
    Command("model", "NAME", "who answers from here on"),
    Command("realign", "", "a fresh start for the model: it sees nothing of what was said"),
    Command("find", "WORDS", "search what was said here"),
    Command("export", "", "the session as a file"),
)


@dataclass(frozen=True)
class Slash:
    """What a message asks for. `name` may be one that there is not."""

    name: str
    rest: str = ""

    @property
    def command(self) -> Command | None:
        return next((each for each in COMMANDS if each.name == self.name), None)

    @property
    def words(self) -> str:
        """The plain words of which this is a short form; "" where there are none."""
        return self.command.words if self.command else ""


def parse(text: str) -> Slash | None:
    """The command that a message is; None where it only begins like one, as a path does."""
    text = text.strip()
    found = FORM.fullmatch(text) if text.startswith("/") else None
    return Slash(found[1].lower(), (found[2] or "").strip()) if found else None


def help_text(unknown: str = "") -> str:
    """The list of commands, after a sentence where there is no command of that name."""
    first = f"There is no command `/{unknown[:40]}`. There are:" if unknown else "These are the commands:"
    rows = [f"- `/{each.name}{' ' * bool(each.takes)}{each.takes}`: {each.what}" for each in COMMANDS]
    last = "Plain words do the same: “undo that”, “next”, “what can I choose?”"
    return "\n".join([first, "", *rows, "", last])


def find(chat: Iterable[Entry], words: str, turn: str) -> list[Entry]:
    """The newest messages that have all the words, in any case; not those of `turn`, which asks."""
    wanted = words.casefold().split()
    said = [e for e in chat if e.did in ("said", "helped") and e.get("turn") != turn]
    found = [e for e in reversed(said) if wanted and all(word in _text(e).casefold() for word in wanted)]
    return [e for e in found if not (e.by == "user" and parse(_text(e)))][:HITS]


def excerpt(entry: Entry, words: str) -> str:
    """A line of the message around the first word that was found."""
    text = " ".join(_text(entry).split())
    places = [at for word in words.casefold().split() if (at := text.casefold().find(word)) >= 0]
    at = min(places, default=0)
    start, end = max(0, at - AROUND), at + 2 * AROUND
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


def _text(entry: Entry) -> str:
    return str(entry.get("text") or "")


def pick(name: str, models: Sequence[ModelInfo]) -> str | None:
    """The model that a person means: its name, its name without a tag, or the one that begins so."""
    wanted = name.casefold()
    if wanted in (GUIDE, "built-in guide"):
        return GUIDE
    known = [model.name for model in models]
    exact = [each for each in known if each.casefold() in (wanted, f"{wanted}:latest")]
    begins = [each for each in known if each.casefold().startswith(wanted)]
    return exact[0] if exact else begins[0] if wanted and len(begins) == 1 else None

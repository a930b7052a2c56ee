"""Which models are suggested, and which one a workflow wants: the workspace's models.toml, else our list.

[workflows]                      [[suggested]]
link_graph = "qwen3:4b"          name = "qwen3:4b"
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loguru import logger

SHIPPED = Path(__file__).with_name("suggested.toml")
MOST = 5


@dataclass(frozen=True)
class Suggestion:
    """A model to get; `size` and `about` are for reading."""

    name: str
    size: str = ""
    about: str = ""


@dataclass(frozen=True)
class Preferences:
    """What the file says. `workflows` maps a workflow's stem to a model; `problem` is why it was not read."""

    suggested: tuple[Suggestion, ...] = ()
    workflows: dict[str, str] = field(default_factory=dict)
    problem: str | None = None


class PreferencesFile:
    """The preferences of a workspace, read afresh when the file changes (a class: it keeps what it read)."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / "models.toml"
        self._shipped = read(SHIPPED)
        self._stamp: tuple[int, int] | None = None
        self._own = Preferences()

    def now(self) -> Preferences:
        """What holds now; the shipped suggestions where the workspace names none."""
        try:
            stat = self.path.stat()
        except OSError:
            return self._shipped
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self._stamp, own = stamp, read(self.path)
            suggested = own.suggested or self._shipped.suggested
            self._own = Preferences(suggested, own.workflows, own.problem)
            if own.problem:
                logger.warning(own.problem)
        return self._own


def read(path: Path) -> Preferences:
    """The preferences in a file; what is not as it must be is left out, with a sentence."""
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        return Preferences(problem=f"{path.name} was not read: {str(error).rstrip('.')}.")
    listed, wanted = found.get("suggested", []), found.get("workflows", {})
    if not isinstance(listed, list) or not isinstance(wanted, dict):
        told = f"{path.name}: [[suggested]] is a list of tables, and [workflows] a table of names."
        return Preferences(problem=told)
    named = [each for each in listed if isinstance(each, dict) and isinstance(each.get("name"), str)]
    suggested = tuple(
        Suggestion(each["name"], str(each.get("size", "")), str(each.get("about", ""))) for each in named
    )
    workflows = {stem: name for stem, name in wanted.items() if isinstance(name, str)}
    odd = len(named) < len(listed) or len(workflows) < len(wanted)
    problem = f'{path.name}: a model is named by text, as in name = "qwen3:4b".' if odd else None
    return Preferences(suggested[:MOST], workflows, problem)

"""The errors of the program: each one's text is a sentence for a person.

AssistantError            what went wrong, with which value, what to do next
├── Refused               a value (or a whole card) that did not pass; also a ValueError
├── NotFound              no such session, workflow, file ...              404
├── Conflict              true once, not any more (a card that is done)    409
├── WriteFailed           the log could not be written; nothing is lost    503
├── ReadOnly              the session may be looked at, not changed        409
├── BrokenWorkflow        a workflow file that does not load, with its line
└── ModelError            the model failed: what happened and what to do
"""

from typing import Any


class AssistantError(Exception):
    """Base of every expected error; `status` is the HTTP status that a page answers with."""

    status = 500


class Refused(AssistantError, ValueError):
    """A value that did not pass: `name` is the parameter (None for the card as a whole)."""

    status = 422

    def __init__(self, name: str | None, value: Any, reason: str) -> None:
        super().__init__(f"{name}: {reason}" if name else reason)
        self.name, self.value, self.reason = name, value, reason


class NotFound(AssistantError):
    status = 404


class Conflict(AssistantError):
    status = 409


class WriteFailed(AssistantError):
    status = 503


class ReadOnly(AssistantError):
    status = 409


class BrokenWorkflow(AssistantError):
    """A workflow file that does not load; `line` is where, as far as that is known."""

    status = 409

    def __init__(self, stem: str, reason: str, line: int | None = None) -> None:
        where = f", line {line}" if line else ""
        super().__init__(f"workflows/{stem}.py{where}: {reason}")
        self.stem, self.reason, self.line = stem, reason, line


class ModelError(AssistantError):
    """The model failed. `kind` is a short stable word (see models/ollama.py) that the turn decides by."""

    status = 502

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind

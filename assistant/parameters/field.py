"""What a parameter is: its Field, the Ask that its author wrote, and the types of its own."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
HIDDEN: Final = "••••"
REDACTED: Final = {"redacted": True}  # stands in the log where a value was taken out


@dataclass(frozen=True)
class Ask:
    """How a parameter is asked for and what it may be.

    `options` (a list, or a function of earlier values) restricts the value, or each entry of a list.
    `aliases` maps what a person may say to the value that is meant. `pattern` must match the whole text.
    On a list, the lengths are the list's and all other limits are each entry's.
    """

    label: str = ""
    _: dataclasses.KW_ONLY
    help: str = ""
    options: Sequence[Any] | Callable[..., Sequence[Any]] | None = None
    aliases: Mapping[str, Any] | None = None
    default: Any = MISSING
    unit: str = ""
    example: Any = None
    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    accept: str = ""
    long: bool = False


class Secret(str):
    """A text that is never logged or shown; `str(secret)` is its value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"


@dataclass(frozen=True)
class Upload(os.PathLike[str]):
    """A file that the user gave."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def suffix(self) -> str:
        return self.path.suffix

    def read_text(self, encoding: str = "utf-8") -> str:
        return self.path.read_text(encoding)

    def read_bytes(self) -> bytes:
        return self.path.read_bytes()

    def open(self) -> IO[bytes]:
        return self.path.open("rb")

    def __fspath__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Field:
    """One parameter. `kind` says how it is asked for and judged:

    text long int float decimal bool date datetime time url email choice upload secret: one value;
    lines (a list of single values), choices (a list of choices), list (of anything else), nested_list,
    tuple, dict, nested: several. `item` is a list's or dict's entry, or what a choice is without its
    options; `key` a dict's key; `fields` the parts of a tuple or a nested model; `values` the members of
    a Literal or Enum; `container` the type that a list becomes. `annotation` is bare: without Annotated
    and Optional. `default` is a Python value; a function that gives one stands in `ask.default`.
    """

    name: str
    label: str
    kind: str
    annotation: Any
    ask: Ask = Ask()
    default: Any = MISSING
    optional: bool = False
    item: "Field | None" = None
    key: "Field | None" = None
    fields: tuple["Field", ...] = ()
    values: tuple[Any, ...] = ()
    container: Any = list
    adapter: Any = dataclasses.field(default=None, compare=False, repr=False)


NUMBERS: Final = ("int", "float", "decimal")
TIMES: Final = ("date", "datetime", "time")
TEXTS: Final = ("text", "long", "url", "email", "secret")
SINGLE: Final = (*TEXTS, *NUMBERS, *TIMES, "bool", "choice")
LISTS: Final = ("lines", "choices", "list", "nested_list")


@dataclass(frozen=True)
class Place:
    """Where an upload's name and a secret's value are found; without one there are none."""

    files: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


NOWHERE: Final = Place()

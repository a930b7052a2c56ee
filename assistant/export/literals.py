"""Values as Python source: literals that give them again, and comments that say where each came from.

What stands in a log is anybody's text. It gets into a source only by `literal` and `comment`, which let it
do nothing there.
"""

import dataclasses
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel

from ..errors import BrokenWorkflow, NotFound, Refused
from ..files import is_plain
from ..parameters import MISSING, REDACTED, Field, judge, to_json
from ..text import clean
from ..workflow import Workflow
from ..workspace import Handle

WIDTH = 100  # of a value, and COLUMNS of its line with a comment
COLUMNS = 110
SECRET = {"secret": True}


@dataclass(frozen=True)
class Given:
    """A parameter as a source gives it. `value` is JSON; `origin` one line: who, when and why.

    `kind`: value, secret, redacted (taken out of the record) or missing (it must be given, and was not yet).
    `field` is None where the workflow does not ask it any more, or is not there.
    """

    name: str
    kind: Literal["value", "secret", "redacted", "missing"]
    value: Any = None
    origin: str = ""
    field: Field | None = None

    @property
    def label(self) -> str:
        return self.field.label if self.field else self.name


@dataclass(frozen=True)
class Part:
    """A step with the parameters that it asks; `question` and `help` are its docstring."""

    name: str
    question: str
    help: str
    given: tuple[Given, ...]


def workflow_of(handle: Handle) -> Workflow | None:
    """The session's workflow as its file is now; None where it is gone or does not load."""
    try:
        return handle.workflow()
    except (NotFound, BrokenWorkflow):
        return None


def parts_of(handle: Handle) -> tuple[list[Part], list[Given]]:
    """The steps with their parameters, and the values that no step asks (any more)."""
    session, flow, tell = handle.session(), workflow_of(handle), _teller(handle)
    values = {name: v for name, v in session.values.items() if session.origins[name] != "workflow"}
    parts = []
    for step in flow.steps if flow else ():
        given = []
        for field in step.fields:
            if field.name in values:
                given.append(_given(field.name, values.pop(field.name), tell(field.name), field))
            elif not step.when and not _has_default(field):
                given.append(Given(field.name, "missing", origin="not set in the session", field=field))
        parts.append(Part(step.name, step.question, step.help, tuple(given)))
    rest = [_given(name, value, tell(name), None) for name, value in values.items()]
    if flow is None and rest:  # without the workflow nobody knows better than the log
        return [Part(session.workflow, "Values of the session", "", tuple(rest))], []
    return parts, rest


def _has_default(field: Field) -> bool:
    return field.optional or field.default is not MISSING or field.ask.default is not MISSING


def _given(name: str, value: Any, origin: str, field: Field | None) -> Given:
    if value == SECRET and (field is None or field.kind == "secret"):
        return Given(name, "secret", None, origin, field)
    if value == REDACTED:
        return Given(name, "redacted", None, origin, field)
    return Given(name, "value", value, origin, field)


def _teller(handle: Handle) -> Callable[[str], str]:
    """A function of a parameter's name that says who set it, when and why."""
    session, entries = handle.session(), handle.log.entries
    models = {e.get("turn"): e.get("model") for e in session.chat if e.did == "said" and e.by == "model"}

    def tell(name: str) -> str:
        change = session.setting(name)
        if change is None:
            return ""
        who, model = str(session.origins[name]), models.get(change.turn)
        told = f"the model {model}" if who == "model" and model else who
        if change.source:
            told += f" (as in {change.source['session']}, entry {change.source['n']})"
        at = entries[change.n - 1].at[:19].replace("T", " ")
        return comment(f"{told}, {at} UTC, entry {change.n}{f': {change.why}' if change.why else ''}", 300)

    return tell


def comment(text: str, most: int = 200) -> str:
    """Text for one comment line: nothing in it ends the line, hides, or turns the direction of writing."""
    return "".join(c for c in clean(text, most) if unicodedata.category(c) not in ("Cf", "Co", "Cn"))


def with_origin(line: str, given: Given, indent: str = "") -> str:
    """The line with the parameter's origin behind it, or above it where that is too long."""
    origin = f"# {given.origin}{'; taken out of the record since: fill it in' * (given.kind == 'redacted')}"
    if "\n" in line or len(indent) + len(line) + len(origin) > COLUMNS:
        return f"{indent}{origin}\n{indent}{line}"
    return f"{indent}{line}  {origin}"


# --- literals ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Code:
    """Source that `literal` writes as it is; `text` is ours."""

    text: str


def with_paths(field: Field | None, value: Any, path: Callable[[str], Any]) -> Any:
    """The JSON value with `path(name)` in place of each upload that the field has in it."""
    match value:
        case {"file": str(name)} if field and field.kind == "upload" and is_plain(name):
            return path(name)
        case list() if field and field.item:
            return [with_paths(field.item, each, path) for each in value]
        case dict() if field and field.item:
            return {key: with_paths(field.item, each, path) for key, each in value.items()}
        case dict() if field and field.fields:
            parts = {part.name: part for part in field.fields}
            return {name: with_paths(parts.get(name), each, path) for name, each in value.items()}
    return value


def typed(given: Given, path: Callable[[str], Any]) -> Any:
    """The value as the workflow gets it (a date, a set ...), or as JSON where it does not fit any more."""
    value = with_paths(given.field, given.value, path)
    if given.field is None or value != given.value:
        return value
    try:
        return judge(given.field, value)
    except Refused:
        return value


def literal(value: Any, indent: str = "") -> str:
    """A Python expression that gives the value; where it is long, over several lines, the next at `indent`.

    Dates need `import datetime`, decimals `from decimal import Decimal`; a model is the dict of its parts.
    """
    return _written(_basic(value), indent)


def _basic(value: Any) -> Any:
    """The value made of Python's own types: enums, addresses and models as JSON has them."""
    if isinstance(value, Enum):
        return to_json(value)
    if value is None or isinstance(value, Code | bool | int | float | date | time | Decimal):
        return value
    if isinstance(value, BaseModel):
        return {name: _basic(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [part.name for part in dataclasses.fields(value) if part.init]
        return {name: _basic(getattr(value, name)) for name in parts}
    if isinstance(value, dict):
        return {_basic(key): _basic(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return {_basic(each) for each in value}
    if isinstance(value, list | tuple):
        return type(value)(_basic(each) for each in value)
    return str(value)


def _written(value: Any, indent: str) -> str:
    flat = _flat(value)
    if len(indent) + len(flat) <= WIDTH or not isinstance(value, str | list | tuple | dict | set):
        return flat
    deeper, before, after = indent + "    ", "[", "]"
    if isinstance(value, str):
        before, after, lines = "(", ")", [_quoted(piece) for piece in _pieces(value)]
    elif isinstance(value, dict):
        before, after = "{", "}"
        lines = [f"{_flat(key)}: {_written(each, deeper)}," for key, each in value.items()]
    else:
        if isinstance(value, set):
            before, after, value = "{", "}", _sorted(value)
        elif isinstance(value, tuple):
            before, after = "(", ")"
        lines = [f"{_written(each, deeper)}," for each in value]
    return "\n".join([before, *(deeper + line for line in lines), indent + after])


def _flat(value: Any) -> str:
    match value:
        case Code():
            return value.text
        case str():
            return _quoted(value)
        case dict():
            return f"{{{', '.join(f'{_flat(key)}: {_flat(each)}' for key, each in value.items())}}}"
        case list():
            return f"[{', '.join(map(_flat, value))}]"
        case tuple():
            return f"({', '.join(map(_flat, value))}{',' * (len(value) == 1)})"
        case set() if value:
            return f"{{{', '.join(map(_flat, _sorted(value)))}}}"
    return repr(value)


def _quoted(text: str) -> str:
    """As `repr` has it, in double quotes where nothing in it is escaped."""
    shown = repr(text)
    return f'"{text}"' if shown == f"'{text}'" and '"' not in text else shown


def _sorted(value: set[Any]) -> list[Any]:
    return sorted(value, key=repr)  # of whatever type, the same in every export


def _pieces(text: str) -> list[str]:
    """The text in its lines, and long ones cut."""
    return [line[at : at + 80] for line in text.splitlines(keepends=True) for at in range(0, len(line), 80)]

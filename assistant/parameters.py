"""Parameters and their one judge: the same for forms, tool calls, the command line and imports.

    annotation ── make_field ──▶ Field            text or JSON ── judge ──▶ typed value ── to_json ──▶ log

This module is what the rest of the program imports; `fields` and `forms` are its parts.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from . import fields as _fields
from .errors import Refused
from .fields import (
    HIDDEN,
    LISTS,
    MISSING,
    NUMBERS,
    SINGLE,
    TEXTS,
    TIMES,
    Ask,
    Field,
    Secret,
    Upload,
    plain,
    to_json,
)
from .forms import (
    Choice,
    as_text,
    choices,
    choices_of,
    lengths,
    limits,
    listed,
    noun,
    read_form,
    schema,
    show,
)  # fmt: skip

__all__ = [
    "HIDDEN", "MISSING", "Ask", "Field", "Place", "Secret", "Upload", "as_text", "choices", "judge",
    "lengths",
    "limits", "make_field", "noun", "plain", "read_form", "schema", "show", "to_json",
]  # fmt: skip

TEXT_BYTES: Final = 200_000
DIGITS: Final = 300
ENTRIES: Final = 10_000
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}([,_' ][0-9]{3})+(\.[0-9]*)?")
LOGGED: Final = 10_000  # bytes of a refused value; a longer one is shortened


@dataclass(frozen=True)
class Place:
    """Where an upload's name and a secret's value are found; without one there are none."""

    files: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


NOWHERE: Final = Place()


class _No(ValueError):
    """Why a value does not pass, as a sentence; `hide` where the value may hold a secret."""

    def __init__(self, reason: str, hide: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hide = reason, hide


def make_field(name: str, annotation: Any, default: Any = MISSING) -> Field:
    """The field of an annotated name, its default judged too. Raises TypeError with a sentence."""
    made = _fields.make_field(name, annotation, default)
    try:
        _check_given(made)
    except (_No, TypeError, ValueError) as error:
        raise TypeError(f"{name}: what its Ask or default gives is refused. {error}") from None
    return made


def _check_given(made: Field) -> None:
    if made.kind == "secret" and made.default not in (MISSING, None):
        raise _No("a secret has no default; use Secret | None = None.", hide=True)
    if made.kind != "upload" and made.default is not MISSING:
        _judge(made, to_json(made.default), None, NOWHERE)
    to_json(made.ask.example)
    for said, meant in (made.ask.aliases or {}).items():
        try:
            _judge(made, to_json(meant), None, NOWHERE)
        except _No as no:
            raise _No(f"the alias {said!r} means what is refused. {no.reason}", no.hide) from None


def judge(field: Field, raw: Any, *, offered: Sequence[Any] | None = None, place: Place = NOWHERE) -> Any:
    """The typed value of `raw`: text from a form or a person, or JSON from a tool call, the log or a file.

    `offered` are the options as JSON where they are known. Raises Refused, and nothing else; its `value`
    can always be written to the log, and is None where it may hold a secret.
    """
    try:
        return _judge(field, raw, offered, place)
    except _No as no:
        reason, hide = no.reason, no.hide or field.kind == "secret"
    # raised out here, so that no exception that holds the value hangs on it
    raise Refused(field.name, None if hide else _loggable(raw), reason)


def _judge(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    if isinstance(raw, str):
        raw = _checked_text(field, raw)
    elif not isinstance(raw, bool | int | float | list | dict | Upload | None):
        try:
            raw = to_json(raw)
        except (TypeError, ValueError) as error:
            raise _No(f"{field.label}: {error}.") from None
    if _is_nothing(field, raw):
        if field.optional:
            return None
        if raw is None or field.kind != "choice":
            raise _No(f"{field.label} is missing: it is {_allowed(field, offered)}.")
    value = _JUDGES[field.kind](field, raw, offered, place)
    _check_limits(field, value, raw)
    return value if field.adapter is None else _adapted(field, value)


def _is_nothing(field: Field, raw: Any) -> bool:
    if raw is None:
        return True
    if not isinstance(raw, str):
        return False
    if field.kind in ("text", "long"):
        return field.optional and not raw.strip()
    if field.kind in LISTS and not field.optional:
        return False
    return not raw.strip() or (
        field.optional and field.kind not in (*TEXTS, "choice") and raw.strip() == "null"
    )


def _checked_text(field: Field, raw: str) -> Any:
    """The text, or what an alias of the field means by it."""
    if len(raw) > TEXT_BYTES or len(raw.encode("utf-8", "replace")) > TEXT_BYTES:
        raise _No(
            f"{field.label} is at most {TEXT_BYTES // 1000} kB of text; {len(raw)} characters were not taken."
        )
    if "\0" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        raise _No(f"{field.label} is readable text; it held a character that is not (NUL or half of a pair).")
    if field.ask.aliases and field.kind not in ("choice", "secret"):
        said = raw.strip().casefold()
        for alias, meant in field.ask.aliases.items():
            if alias.strip().casefold() == said:
                return to_json(meant)
    return raw


def _say(raw: Any) -> str:
    """A raw value as a sentence may quote it: short, on one line."""
    if isinstance(raw, str):
        text = "".join(c if c.isprintable() else " " for c in raw[:61])
        return f'"{text[:60]}…"' if len(raw) > 60 else f'"{text}"'
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw) if abs(raw) < 10**DIGITS else "a number that long"
    if isinstance(raw, float | Decimal):
        return str(raw)
    return "null" if raw is None else "a list" if isinstance(raw, list) else "an object"


def _loggable(raw: Any) -> Any:
    """The value if it can stand in the log as it is, else a short text of it."""
    try:
        size = len(json.dumps(raw, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        return _say(raw)
    return raw if size <= LOGGED else _say(raw)


def _allowed(field: Field, offered: Sequence[Any] | None = None) -> str:
    """What passes, in words: "a whole number, 1 to 20 letters"."""
    known = choices_of(field, offered) if field.kind in ("choice", "choices") else None
    if known is not None:
        which = (
            f"one of: {listed([choice.label for choice in known])}" if known else "nothing: no choice is left"
        )
        return which
    ranged = limits(field)
    return f"{noun(field)}, {ranged}" if ranged else noun(field)


def _no(field: Field, raw: Any, hide: bool = False) -> _No:
    quoted = "what was given" if hide else _say(raw)
    grouped = field.kind in NUMBERS and isinstance(raw, str) and _GROUPED.fullmatch(raw.strip())
    hint = ", since it has separators; write only its digits" if grouped else ""
    return _No(f"{field.label} is {_allowed(field)}; {quoted} was not taken{hint}.", hide)


# single values: what each type takes as text, and as JSON


def _text(field: Field, raw: Any, offered: Any, place: Place) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        raw = str(raw)
    if not isinstance(raw, str):
        raise _no(field, raw)
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return text if field.kind == "long" else text.strip()


def _int(field: Field, raw: Any, offered: Any, place: Place) -> int:
    if isinstance(raw, float) and raw.is_integer() and abs(raw) <= 2**53:
        return int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        return raw
    if isinstance(raw, str) and re.fullmatch(rf"[+-]?[0-9]{{1,{DIGITS}}}", raw.strip()):
        return int(raw)
    raise _no(field, raw)


_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})")
_FLOAT: Final = re.compile(_NUMBER.pattern + r"([eE][+-]?[0-9]{1,3})?")


def _float(field: Field, raw: Any, offered: Any, place: Place) -> float:
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            value = float(raw)
        elif isinstance(raw, str) and _FLOAT.fullmatch(raw.strip()):
            value = float(raw)
        else:
            raise _no(field, raw)
    except OverflowError:
        raise _no(field, raw) from None
    if not math.isfinite(value):
        raise _no(field, raw)
    return value


def _decimal(field: Field, raw: Any, offered: Any, place: Place) -> Decimal:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        return Decimal(raw)
    if isinstance(raw, float) and math.isfinite(raw) and abs(raw) < 1e100:
        return Decimal(repr(raw))
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        return Decimal(raw.strip())
    raise _no(field, raw)


_BOOLS: Final = {
    "on": True,
    "true": True,
    "yes": True,
    "1": True,
    "off": False,
    "false": False,
    "no": False,
    "0": False,
}


def _bool(field: Field, raw: Any, offered: Any, place: Place) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw) if isinstance(raw, int) and raw in (0, 1) else raw
    if isinstance(text, str) and text.strip().casefold() in _BOOLS:
        return _BOOLS[text.strip().casefold()]
    raise _no(field, raw)


_CLOCK: Final = r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d)?)?"
_ISO: Final[dict[str, tuple[re.Pattern[str], Callable[[str], Any]]]] = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), date.fromisoformat),
    "time": (re.compile(_CLOCK, re.ASCII), time.fromisoformat),
    "datetime": (re.compile(rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK}", re.ASCII), datetime.fromisoformat),
}


def _iso(field: Field, raw: Any, offered: Any, place: Place) -> Any:
    pattern, parse = _ISO[field.kind]
    if isinstance(raw, str) and pattern.fullmatch(raw.strip()):
        try:
            return parse(raw.strip())
        except ValueError:
            pass  # February 30: the same sentence as for anything else
    raise _no(field, raw)


def _url(field: Field, raw: Any, offered: Any, place: Place) -> Any:
    text = raw.strip() if isinstance(raw, str) else ""
    hide = "@" in text
    if (
        not re.match(r"https?://[^/\\]", text, re.IGNORECASE)
        or re.search(r"[\s\\]", text)
        or not text.isprintable()
    ):
        raise _no(field, raw, hide)
    try:
        value = field.annotation(text)
    except ValidationError:
        value = None
    if value is None:
        raise _no(field, raw, hide)
    if value.username is not None or value.password is not None:
        raise _No(
            f"{field.label} is a web address without a user name and password in it; it was not taken.", hide
        )
    return value


_EMAIL: Final = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W_]([\w-]{0,61}[^\W_])"
)


def _email(field: Field, raw: Any, offered: Any, place: Place) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    local = text.partition("@")[0]
    if len(text) > 254 or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise _no(field, raw)
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise _no(field, raw)
    return text


def _choice(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    return _Chooser(field, offered, place).choose(field, raw)


class _Chooser:
    """The choices of a field, indexed once for all entries of a list."""

    def __init__(self, field: Field, offered: Sequence[Any] | None, place: Place) -> None:
        self.item, self.offered, self.place = field.item, offered, place
        known = choices_of(field, offered)
        self.free = known is None
        self.texts: dict[Any, Choice] = {}
        self.folded: dict[str, Choice | None] = {}
        for choice in known or ():
            self.texts.setdefault(choice.text, choice)
            if not isinstance(choice.json, str):
                self.texts.setdefault((isinstance(choice.json, bool), choice.json), choice)
        for choice in known or ():
            self.texts.setdefault(choice.label, choice)
            for said in (choice.text, choice.label, getattr(choice.value, "name", choice.text)):
                folded = said.strip().casefold()
                self.folded[folded] = choice if self.folded.get(folded, choice) is choice else None
        for said, meant in (field.ask.aliases or {}).items():
            if (choice_meant := self._find(to_json(meant))) is not None:
                self.folded.setdefault(said.strip().casefold(), choice_meant)

    def _find(self, raw: Any) -> Choice | None:
        if isinstance(raw, str):
            return self.texts.get(raw) or self.folded.get(raw.strip().casefold())
        return self.texts.get((isinstance(raw, bool), raw)) if isinstance(raw, int | float) else None

    def choose(self, field: Field, raw: Any) -> Any:
        found = None if self.free else self._find(raw)
        if found is None and self.item is not None:
            try:  # another way to write it, such as 1.50 for 1.5
                value = _judge(self.item, raw, None, self.place)
            except _No:
                if self.free:
                    raise
                value = MISSING
            if self.free:
                return value
            found = None if value is MISSING else self._find(to_json(value))
        if found is None:
            raise _No(f"{field.label} is {_allowed(field, self.offered)}; {_say(raw)} was not taken.")
        if found.value is not MISSING or self.item is None:
            return found.value
        return _judge(self.item, found.json, None, self.place)


def _upload(field: Field, raw: Any, offered: Any, place: Place) -> Upload:
    if isinstance(raw, Upload):
        found = raw
    else:
        if isinstance(raw, str) and raw.lstrip().startswith("{"):
            raw = _parsed(field, raw)
        name = raw.get("file") if isinstance(raw, dict) and set(raw) == {"file"} else raw
        if not isinstance(name, str):
            raise _no(field, raw)
        name = _checked_text(field, name)
        inside = name not in ("", ".", "..") and not re.search(r"[/\\\0]", name) and len(name.encode()) <= 255
        path = place.files / name if place.files is not None and inside else None
        if path is None or path.is_symlink() or not path.is_file():
            raise _No(f"{field.label} is a file of this session; there is no {_say(name)} in it.")
        found = Upload(path)
    accepted = [part.strip().casefold() for part in field.ask.accept.split(",") if part.strip()]
    if (
        accepted
        and all(part.startswith(".") for part in accepted)
        and found.suffix.casefold() not in accepted
    ):
        raise _No(
            f"{field.label} is a file that ends in {listed(accepted)}; {_say(found.name)} was not taken."
        )
    return found


def _secret(field: Field, raw: Any, offered: Any, place: Place) -> Secret:
    if isinstance(raw, dict) and raw == {"secret": True}:
        if field.name not in place.secrets:
            raise _No(f"{field.label} is not known here any more; enter it again.", hide=True)
        return Secret(place.secrets[field.name])
    if not isinstance(raw, str):
        raise _No(f"{field.label} is text; what was given was not taken.", hide=True)
    return Secret(raw.strip())


# several values: from JSON, or one JSON text, or lines


def _parsed(field: Field, text: str) -> Any:
    try:  # bounded in depth, unlike json.loads
        return from_json(text, allow_inf_nan=False)
    except (ValueError, TypeError):
        raise _No(
            f"{field.label} is {noun(field)}, as JSON; {_say(text)} could not be read as that."
        ) from None


def _lines(text: str) -> list[str]:
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def _entries(field: Field, raw: Any) -> list[Any]:
    if isinstance(raw, str):
        lines = _lines(raw)
        if raw.lstrip().startswith("["):
            try:
                raw = _parsed(field, raw)
            except _No:
                if field.kind not in ("lines", "choices"):
                    raise
                raw = lines
        elif field.kind in ("lines", "choices") or not lines:
            raw = lines
        elif raw.lstrip().startswith("{") and field.kind != "list":
            raise _No(f"{field.label} is a list, as JSON in [ ]; one object was not taken.")
    elif field.kind in ("lines", "choices") and isinstance(raw, bool | int | float):
        raw = [raw]
    if not isinstance(raw, list):
        raise _no(field, raw)
    if len(raw) > ENTRIES:
        raise _No(f"{field.label} has at most {ENTRIES} entries; {len(raw)} were not taken.")
    return raw


def _list(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    assert field.item is not None
    item, found = field.item, []
    for number, entry in enumerate(_entries(field, raw), 1):
        if field.kind == "nested_list":
            item = replace(item, label=f"{field.label}, row {number}")
        found.append(_judge(item, entry, offered, place))
    return field.container(found)


def _choices(field: Field, raw: Any, offered: Sequence[Any] | None, place: Place) -> Any:
    assert field.item is not None
    chooser = _Chooser(field.item, offered, place)
    entries = [raw] if isinstance(raw, str) and chooser._find(raw) else _entries(field, raw)
    if isinstance(raw, str) and len(entries) == 1 and not chooser.free and not chooser._find(entries[0]):
        parts = [part for part in str(entries[0]).split(",") if part.strip()]
        entries = parts if len(parts) > 1 else entries
    return field.container(
        [
            None if entry is None and field.item.optional else chooser.choose(field.item, entry)
            for entry in entries
        ]
    )


def _tuple(field: Field, raw: Any, offered: Any, place: Place) -> tuple[Any, ...]:
    if isinstance(raw, str):
        single = all(part.kind in SINGLE for part in field.fields)
        raw = _lines(raw) if single and not raw.lstrip().startswith("[") else _parsed(field, raw)
    if not isinstance(raw, list) or len(raw) != len(field.fields):
        raise _no(field, raw)
    return tuple(_judge(part, entry, None, place) for part, entry in zip(field.fields, raw, strict=True))


def _dict(field: Field, raw: Any, offered: Any, place: Place) -> dict[Any, Any]:
    assert field.key is not None and field.item is not None
    if isinstance(raw, str):
        raw = _parsed(field, raw)
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, list) and all(
        isinstance(row, dict) and row.keys() <= {"key", "value"} for row in raw
    ):
        pairs = [(row.get("key", ""), row.get("value")) for row in raw]
        if any(isinstance(key, str) and not key.strip() for key, _ in pairs):
            raise _No(f"{field.label}: a row has a value and no name; give it one, or clear it.")
    else:
        raise _no(field, raw)
    if len(pairs) > ENTRIES:
        raise _No(f"{field.label} has at most {ENTRIES} entries; {len(pairs)} were not taken.")
    found: dict[Any, Any] = {}
    for said, entry in pairs:
        key = _judge(field.key, said, None, place)
        if key in found:
            raise _No(f"{field.label} has each name once; {_say(said)} is in it twice.")
        try:
            found[key] = _judge(field.item, entry, None, place)
        except _No as no:
            raise _No(f"{field.label}, {_say(said)}: {no.reason}", no.hide) from None
    return found


def _nested(field: Field, raw: Any, offered: Any, place: Place) -> Any:
    if isinstance(raw, str):
        raw = _parsed(field, raw)
    names = [part.name for part in field.fields]
    if not isinstance(raw, dict):
        raise _no(field, raw)
    for name in raw:
        if name not in names:
            raise _No(f"{field.label} has no {_say(name)}; it has {listed(names)}.")
    found = {}
    for part in field.fields:
        if part.name not in raw and part.default is not MISSING:
            continue  # the model knows its own default
        if part.name not in raw and not part.optional:
            raise _No(f"{field.label}: {part.label} is missing.")
        try:
            found[part.name] = _judge(part, raw.get(part.name), None, place)
        except _No as no:
            raise _No(f"{field.label}: {no.reason}", no.hide) from None
    return _built(field, found)


def _built(field: Field, values: dict[str, Any]) -> Any:
    model = field.annotation
    try:
        if issubclass(model, BaseModel):
            return model.model_validate(values, by_alias=False, by_name=True)
        return model(**values)
    except Exception as error:  # a model's own checks may raise anything
        reason = _first(error)
    raise _No(f"{field.label}: {reason}")


def _adapted(field: Field, value: Any) -> Any:
    try:
        return field.adapter.validate_python(value)
    except Exception as error:  # a validator of the workflow's author may raise anything
        reason = _first(error)
    raise _No(f"{field.label}: {reason}", hide=field.kind == "url")


def _first(error: Exception) -> str:
    """The first complaint of a model or validator, as a sentence."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        text = str(first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        where = ", ".join(str(part) for part in first["loc"])
        text = f"{where}: {text}" if where else text
    else:
        text = str(error) or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."


_JUDGES: Final[dict[str, Callable[..., Any]]] = {
    "text": _text, "long": _text, "int": _int, "float": _float, "decimal": _decimal, "bool": _bool,
    "date": _iso, "datetime": _iso, "time": _iso, "url": _url, "email": _email, "choice": _choice,
    "upload": _upload, "secret": _secret, "lines": _list, "choices": _choices, "list": _list,
    "nested_list": _list, "tuple": _tuple, "dict": _dict, "nested": _nested,
}  # fmt: skip


def _check_limits(field: Field, value: Any, raw: Any) -> None:
    """The limits of the Ask: a range of a single value, the length of a text or list, a pattern."""
    ask = field.ask
    if field.kind in (*TEXTS, *LISTS, "dict"):
        _check_length(field, str(value) if field.kind == "url" else value)
    if field.kind not in (*TEXTS, *NUMBERS, *TIMES):
        return  # a list's entries and what a choice stands for have been checked by themselves
    if ask.pattern is not None and not re.fullmatch(ask.pattern, str(value)):
        such = f", such as {show(None, to_json(ask.example))}" if ask.example is not None else ""
        quoted = "what was given" if field.kind == "secret" else _say(value)
        raise _No(f"{field.label} is text that matches {ask.pattern}{such}; {quoted} was not taken.")
    try:
        passes = (
            (ask.ge is None or value >= ask.ge)
            and (ask.gt is None or value > ask.gt)
            and (ask.le is None or value <= ask.le)
            and (ask.lt is None or value < ask.lt)
        )
    except TypeError:  # a time with a zone beside one without
        passes = False
    if not passes:
        given = raw.strip() if isinstance(raw, str) and len(raw) <= 60 else _say(raw)
        raise _No(f"{field.label} is {limits(field)}; {given} was not taken.")


def _check_length(field: Field, value: Any) -> None:
    low, high = field.ask.min_length, field.ask.max_length
    size = len(value)
    if (low is not None and size < low) or (high is not None and size > high):
        given = "" if field.kind == "secret" else f" {size} {'was' if size == 1 else 'were'} given."
        raise _No(
            f"{field.label} has {lengths(field)};{given}" if given else f"{field.label} has {lengths(field)}."
        )

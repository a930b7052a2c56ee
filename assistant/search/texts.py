"""The human text of a log's entries, with where it stands: what a search looks through. Pure.

Only known fields hold text for people. What is left out is machine noise (checksums, digests, the names of
fields), the value of a secret, which is in no log, and what was redacted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..log import Entry

KINDS = {
    "conversation": ("said", "asked", "answered"),
    "value": ("set", "proposed"),
    "refused": ("refused",),
    "call": ("called",),
    "help": ("helped",),
    "result": ("produced",),
    "note": ("noted",),
    "file": ("added",),
    "failure": ("failed",),
    "name": ("named",),
}
"""What can be looked for, and the entries that have it."""
_HIDDEN = ({"secret": True}, {"redacted": True})


@dataclass(frozen=True)
class Passage:
    """A piece of text: its kind, where it stands in words, of what it is (a parameter, a tool), by whom."""

    kind: str
    where: str
    name: str
    text: str
    by: str

    @property
    def all(self) -> str:
        """All that can be found in it, on one line."""
        return " ".join(f"{self.name} {self.text}".split())


def passages(entry: Entry, note: str = "") -> list[Passage]:
    """The texts of an entry; `note` is what the file of a result has that is a note."""
    tell = _TELL.get(entry.did)
    try:
        found = list(tell(entry)) if tell else []
    except (TypeError, ValueError, AttributeError):  # fields in a form of another version
        return []
    if note and found:
        found = [replace(found[0], text=f"{found[0].text} {note}")]
    return found


def plain(value: Any) -> str:
    """A value as text, in the form that its line has; nothing of a secret or of what was redacted."""
    if isinstance(value, dict):
        if value in _HIDDEN:
            return ""
        if list(value) == ["file"]:
            return plain(value["file"])
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in what a tool gave back, without the names of its parts."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield plain(value)


def _said(entry: Entry) -> Iterator[Passage]:
    yield Passage("conversation", "conversation", "", _text(entry, "text"), entry.by)
    if entry.get("thinking"):
        yield Passage("conversation", "thinking", "", _text(entry, "thinking"), entry.by)


def _values(entry: Entry) -> Iterator[Passage]:
    where = "value of" if entry.did == "set" else "suggested value of"
    defaulted = entry.get("defaulted") or ()
    for name, value in (entry.get("values") or {}).items():
        yield Passage("value", where, name, plain(value), "default" if name in defaulted else entry.by)
    if entry.get("why"):
        yield Passage("value", "why", "", _text(entry, "why"), entry.by)


def _refused(entry: Entry) -> Iterator[Passage]:
    told = "; ".join(part for part in (plain(entry.get("value")), _text(entry, "reason")) if part)
    yield Passage("refused", "refused", _text(entry, "name"), told, entry.by)


def _called(entry: Entry) -> Iterator[Passage]:
    arguments = entry.get("arguments")
    given = plain(arguments) if isinstance(arguments, dict | list) else str(arguments or "")
    told = "; ".join(part for part in (given, " ".join(_leaves(entry.get("result")))) if part)
    yield Passage("call", "tool call", _text(entry, "tool"), told, entry.by)


def _asked(entry: Entry) -> Iterator[Passage]:
    options = entry.get("options") or ()
    told = " · ".join([_text(entry, "question"), *(plain(option) for option in options)])
    yield Passage("conversation", "question", "", told, entry.by)


def _produced(entry: Entry) -> Iterator[Passage]:
    told = dict.fromkeys([_text(entry, "name"), _text(entry, "file")])
    yield Passage("result", "result", "", " · ".join(filter(None, told)), entry.by)


def _of(kind: str, where: str, key: str) -> Callable[[Entry], Iterator[Passage]]:
    def tell(entry: Entry) -> Iterator[Passage]:
        if text := _text(entry, key):
            yield Passage(kind, where, "", text, entry.by)

    return tell


def _text(entry: Entry, key: str) -> str:
    return plain(entry.get(key))


_TELL: dict[str, Callable[[Entry], Iterator[Passage]]] = {
    "said": _said,
    "set": _values,
    "proposed": _values,
    "refused": _refused,
    "called": _called,
    "asked": _asked,
    "answered": _of("conversation", "answer", "value"),
    "helped": _of("help", "help", "text"),
    "produced": _produced,
    "noted": _of("note", "note", "text"),
    "added": _of("file", "file", "file"),
    "failed": _of("failure", "failure", "reason"),
    "named": _of("name", "name of the session", "name"),
}

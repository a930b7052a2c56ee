"""Where words and values stand in an entry, and the entry without them. Pure.

A parameter's value gives way to `REDACTED` as a whole; within words, `GONE` takes the text's place. What
holds the log together stays: ids, names of steps and parameters, files, numbers of entries.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..log import Entry
from ..parameters import REDACTED, plain

GONE = "[redacted]"
STRUCTURE = frozenset(
    "workflow title format source step id turn run model tool kind where file bytes sha256 output prompt "
    "extraction action thumb names defaulted kept entries replaces because forked_from again_of found "
    "exports models".split()
)
VALUES = ("values", "suggested", "parameters")
GIVES = ("set_values", "set_other_value")  # tools whose arguments are values

Sub = Callable[[str], str]
"""The text without what is taken out of it."""


def without(pattern: re.Pattern[str]) -> Sub:
    """Puts `GONE` in the place of what matches, but not within a `GONE` that is there."""

    def sub(text: str) -> str:
        return GONE.join([pattern.sub(_gone, part) for part in text.split(GONE)])

    return sub


def _gone(found: re.Match[str]) -> str:
    return GONE if found.group() else ""


def emptied(text: str) -> str:
    """The `Sub` that leaves nothing."""
    return GONE if text.strip() else text


@dataclass
class Sweep:
    """What goes out of an entry: texts, and all values of some parameters (a class: it notes what it took).

    With `whole` all that the entry says goes. `values` are those that are no more on offer.
    """

    sub: Sub
    names: frozenset[str] = frozenset()
    values: Sequence[Any] = ()
    whole: bool = False
    taken: set[str] = field(default_factory=set)  # parameters of which a value went

    def entry(self, entry: Entry, answers: frozenset[str] = frozenset()) -> Entry:
        """The entry without them, the same object where nothing goes. It `answers` about these parameters."""
        fields = {key: self._field(entry, key, value) for key, value in entry.fields.items()}
        if entry.did == "answered" and entry.get("value") is not None and self.names & answers:
            fields["value"] = GONE
        if "why" in fields and fields.get("values") != entry.get("values"):
            fields["why"] = GONE  # the words that the value was found in
        return entry if fields == entry.fields else replace(entry, fields=fields)

    def _field(self, entry: Entry, key: str, value: Any) -> Any:
        if key in STRUCTURE or (key == "name" and entry.did == "refused" and entry.get("step")):
            return value
        if isinstance(value, dict):
            if key in VALUES:
                found = self._values(value)
                if key == "suggested":  # a default that is gone is none
                    return {name: inner for name, inner in found.items() if inner != REDACTED}
                return found
            if key == "about":
                return self._beside(value, ("step", "name", "next"))
            if key == "arguments" and self.whole:
                return dict(REDACTED)
            if key == "arguments" and entry.get("tool") == GIVES[0]:
                return _renamed(self._values(value), self.sub)  # names as the model wrote them
            if key == "arguments" and entry.get("tool") == GIVES[1]:
                return self._beside(value)
            if key == "offered":
                left = {name: self._offered(name, options) for name, options in value.items()}
                return {name: options for name, options in left.items() if options or not value[name]}
            if key == "columns":
                return _renamed(value, self.sub)
        if key == "value" and entry.did == "refused":
            return self._value(str(entry.get("name")), value)
        return value if key == "about" else self._words(value, key == "result")

    def _value(self, name: str, value: Any) -> Any:
        if value is None or value == REDACTED:
            return value
        if self.whole or name in self.names or self._hit(value):
            self.taken.add(name)
            return dict(REDACTED)
        return value

    def _values(self, given: dict[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in given.items()}

    def _beside(self, given: dict[str, Any], kept: Sequence[str] = ()) -> dict[str, Any]:
        """A value that stands beside its parameter's name, and what else is said with it."""
        found = dict(given)
        for key, item in given.items():
            if key == "value":
                found[key] = self._value(str(given.get("name")), item)
            elif key not in kept:
                found[key] = self._words(item, False)
        return _renamed(found, self.sub) if not kept else found

    def _hit(self, value: Any) -> bool:
        return any(self.sub(text) != text for text in leaves(value))

    def _offered(self, name: str, options: Any) -> Any:
        if self.whole or not isinstance(options, list):
            return []
        gone = self.values if name in self.names else ()
        return [option for option in options if option not in gone and not self._hit(option)]

    def _words(self, value: Any, named: bool) -> Any:
        """The words without them, however deep. Where they are `named`, a key may be a parameter."""
        if isinstance(value, str):
            return self.sub(value)
        if isinstance(value, list):
            return [] if self.whole else [self._words(item, named) for item in value]
        if not isinstance(value, dict):
            return value
        if self.whole:
            return dict(REDACTED)
        inner = {
            key: dict(REDACTED)
            if named and key in self.names and item is not None
            else self._words(item, named)
            for key, item in value.items()
        }
        return _renamed(inner, self.sub)


def _renamed(items: dict[str, Any], sub: Sub) -> dict[str, Any]:
    """The items with their keys without them; two that become the same are told apart by a number."""
    found: dict[str, Any] = {}
    for key, item in items.items():
        new = name = sub(key)
        number = 2
        while new in found:
            new, number = f"{name} {number}", number + 1
        found[new] = item
    return found


def given(entry: Entry) -> Iterator[tuple[str, Any]]:
    """The parameters' values that stand in an entry, by name."""
    fields = [entry.get(key) for key in VALUES]
    if entry.did == "called":
        arguments = entry.get("arguments")
        if entry.get("tool") == GIVES[0]:
            fields.append(arguments)
        elif entry.get("tool") == GIVES[1] and isinstance(arguments, dict):
            yield str(arguments.get("name")), arguments.get("value")
    if entry.did == "refused":
        yield str(entry.get("name")), entry.get("value")
    if isinstance(about := entry.get("about"), dict):
        yield str(about.get("name")), about.get("value")
    for values in fields:
        yield from values.items() if isinstance(values, dict) else ()


def leaves(value: Any) -> Iterator[str]:
    """The texts of a value: its strings, its keys, its numbers as they read. A file's name is none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict) and value.keys() != {"file"} and value not in (REDACTED, {"secret": True}):
        yield from value
        yield from leaves([*value.values()])
    elif type(value) in (int, float):
        yield plain(value)

"""What a redaction takes out of a session's entries, and where else it may be. Pure.

    wanted: names, entries, a text ──▶ plan(entries) ──▶ the entries without them, and which of them changed

All values of a parameter go, and their text wherever it is said. A text of fewer than four characters goes
only from where its value is and from the same turn, and there only as a word of its own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..log import Entry
from ..parameters import plain
from .patterns import literal
from .traces import GONE, Sub, Sweep, emptied, given, leaves, without

SHORT = 4  # characters


@dataclass(frozen=True)
class Wanted:
    """What is to go: all values of these parameters, what these entries say, and what `sub` takes away."""

    names: frozenset[str] = frozenset()
    entries: frozenset[int] = frozenset()
    sub: Sub | None = None


@dataclass(frozen=True)
class Plan:
    """All entries as they will be, the numbers of those that change, and the parameters that lose a value.

    `look` are messages of the user with which such a value came, though none of its text is found in them:
    they may say it in other words. `short`: a value's text is so short that it may stand elsewhere, too.
    """

    entries: list[Entry]
    changed: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    look: tuple[int, ...] = ()
    short: bool = False


def plan(entries: Sequence[Entry], wanted: Wanted) -> Plan:
    """The entries without what is wanted; n, at, by and did stay as they are."""
    found, about = _find(entries, wanted.names), _about(entries)
    everywhere = [sub for sub in (wanted.sub, found.everywhere) if sub]
    messages = _messages(entries, wanted.entries)
    result: list[Entry] = []
    changed, look, taken = list[int](), list[int](), set[str]()
    for entry in entries:
        turn = str(entry.get("turn") or "")
        subs = list(everywhere)
        if found.near and (entry.n in found.tied or turn in found.turns):
            subs.append(found.near)
        if turn in messages:
            subs.append(messages[turn])
        # the arguments of a call are a copy of the message that it came from
        whole = entry.n in wanted.entries or (turn in messages and entry.did == "called")
        sweep = Sweep(emptied if whole else _all(subs), wanted.names, found.values, whole)
        new = entry
        if entry.did != "redacted":
            new = sweep.entry(entry, about.get(str(entry.get("id")), frozenset()))
        if turn in messages and new.get("why"):
            new = replace(new, fields={**new.fields, "why": GONE})
        if new is not entry:
            changed.append(entry.n)
        elif entry.did == "said" and entry.by == "user" and turn in found.said:
            look.append(entry.n)
        taken |= sweep.taken
        result.append(new)
    return Plan(result, tuple(changed), tuple(sorted(taken)), tuple(look), found.near is not None)


def texts_of(entries: Iterable[Entry]) -> Iterator[str]:
    """Every text that a plan may look at."""
    for entry in entries:
        yield from leaves([entry.fields])


def said_as(entries: Sequence[Entry], names: frozenset[str]) -> Sub | None:
    """Takes away the texts of these parameters' values, but the short ones; None where there are none."""
    return _find(entries, names).everywhere


@dataclass
class _Found:
    """What is known of the wanted parameters: their values, and the entries and turns that those are in.

    `everywhere` takes their texts from all entries, `near` the short ones from those entries and turns.
    """

    values: list[Any] = field(default_factory=list)
    tied: set[int] = field(default_factory=set)
    turns: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)  # turns that set or suggested one
    everywhere: Sub | None = None
    near: Sub | None = None


def _find(entries: Sequence[Entry], names: frozenset[str]) -> _Found:
    found, values = _Found(), dict[str, Any]()
    for entry in entries if names else ():
        for name, value in given(entry):
            if name not in names:
                continue
            found.tied.add(entry.n)
            if turn := entry.get("turn"):
                found.turns.add(str(turn))
            if turn and entry.did in ("set", "proposed"):
                found.said.add(str(turn))
            if value is not None:
                values.setdefault(json.dumps(value, sort_keys=True), value)
    found.values = [*values.values()]
    long, near = set[str](), set[str]()
    for text, pattern in (pair for value in found.values for pair in _forms(value)):
        if len(text) < SHORT:
            near.add(rf"(?<!\w){pattern}(?!\w)")
        else:
            long.add(pattern)
    found.everywhere, found.near = _any(long), _any(near)
    return found


def _forms(value: Any) -> Iterator[tuple[str, str]]:
    """The texts that a value is said with, and the pattern of each."""
    if isinstance(value, str):
        texts = {value.strip()}
        if "://" in value:
            texts.add(value.split("://", 1)[1].strip().rstrip("/"))
        if re.match(r"\d{4}-\d\d-\d\dT", value):
            texts.add(value.replace("T", " ", 1))
        yield from ((text, re.escape(text)) for text in texts if text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        whole = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
        for text in {plain(value), plain(whole), f"{whole:,}"}:
            yield text, rf"(?<!\d){re.escape(text)}(?!\d)"  # 2000 is not in 120000
    elif isinstance(value, list):
        for item in value:
            yield from _forms(item)
    elif isinstance(value, dict) and value.keys() not in ({"file"}, {"secret"}):
        for key, item in value.items():
            if not (key.isidentifier() and key.islower()):  # else it is the name of a field
                yield key, re.escape(key)
            yield from _forms(item)


def _any(patterns: Iterable[str]) -> Sub | None:
    """Takes away what matches one of them, the longest first."""
    ordered = sorted(patterns, key=len, reverse=True)
    return without(re.compile("|".join(ordered), re.IGNORECASE)) if ordered else None


def _all(subs: Sequence[Sub]) -> Sub:
    def sub(text: str) -> str:
        for each in subs:
            text = each(text)
        return text

    return sub


def _messages(entries: Sequence[Entry], numbers: frozenset[int]) -> dict[str, Sub]:
    """Of the user's messages among those entries, by turn, what takes their words away."""
    found = {}
    for entry in entries:
        if entry.n in numbers and (entry.did, entry.by) == ("said", "user") and entry.get("turn"):
            text = str(entry.get("text"))
            found[str(entry["turn"])] = literal(text, exact=True, words=len(text) < SHORT)
    return found


def _about(entries: Sequence[Entry]) -> dict[str, frozenset[str]]:
    """The parameters that each question and each suggestion is about, by its id."""
    return {
        str(entry.get("id")): frozenset(name for name, _ in given(entry))
        for entry in entries
        if entry.did in ("asked", "proposed")
    }

"""A log entry as one sentence: "user set depth 3". Pure; for the command line and the exports."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .log import Entry
from .parameters import show
from .text import clean

TEXT = 400  # characters of a text that are told


def clock(entry: Entry) -> datetime:
    """When the entry was written, in the time zone of this machine."""
    return datetime.fromisoformat(entry.at).astimezone()


def sentence(entry: Entry) -> str:
    """Who did what, on one line without control characters."""
    tell = _TOLD.get(entry.did)
    try:
        told = tell(entry) if tell else None
    except (TypeError, ValueError, AttributeError):  # fields in a form of another version
        told = None
    return f"{_line(entry.by)} {told or _unknown(entry)}"


def _line(value: Any) -> str:
    text = str(value)
    return clean(text, TEXT) + ("…" if len(text) > TEXT else "")


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{_line(name)} {_line(show(None, value))}" for name, value in (values or {}).items())


def _unknown(entry: Entry) -> str:
    return _line(f"{entry.did} {json.dumps(entry.fields, ensure_ascii=False) if entry.fields else ''}")


def _of(words: str, key: str) -> Callable[[Entry], str]:
    return lambda entry: f"{words} {_line(entry.get(key, ''))}".rstrip()


def _on(words: str, not_words: str) -> Callable[[Entry], str]:
    return lambda entry: not_words if entry.get("on") is False else words


def _why(entry: Entry) -> str:
    return f" ({_line(entry['why'])})" if entry.get("why") else ""


def _refused(entry: Entry) -> str:
    name, value = entry.get("name"), entry.get("value")
    what = f"{_line(name)} {_line(show(None, value)) if value is not None else ''}".rstrip() if name else ""
    return f"gave {what or 'the card ' + _line(entry.get('step'))}, refused: {_line(entry.get('reason'))}"


def _reopened(entry: Entry) -> str:
    because = f", because {_line(entry['because'])} changed" if entry.get("because") else ""
    return f"reopened {_line(entry.get('step'))}{because}"


def _answered(entry: Entry) -> str:
    value = f": {_line(show(None, entry['value']))}" if entry.get("value") is not None else ""
    return f"answered {_line(entry.get('action'))}{value}"


def _said(entry: Entry) -> str:
    how = next((f" ({word})" for word in ("stopped", "incomplete") if entry.get(word)), "")
    return f"said{how}: {_line(entry.get('text', ''))}"


def _called(entry: Entry) -> str:
    arguments = json.dumps(entry.get("arguments"), ensure_ascii=False)
    return f"called {_line(entry.get('tool'))} {_line(arguments)}"


def _failed(entry: Entry) -> str:
    where = _line(entry.get("step") or entry.get("run") or entry.get("where") or "")
    return f"reported a failure of {where}: {_line(entry.get('reason'))}"


def _progressed(entry: Entry) -> str:
    total = f" of {_line(entry['total'])}" if entry.get("total") else ""
    note = f": {_line(entry['note'])}" if entry.get("note") else ""
    return f"got to {_line(entry.get('done'))}{total}{note}"


def _produced(entry: Entry) -> str:
    rows = f", {entry['rows']} rows" if entry.get("rows") is not None else ""
    what = f"{_line(entry.get('kind'))} {_line(entry.get('name'))}"
    return f"produced the {what} ({_line(entry.get('file'))}{rows})"


def _numbers(words: str) -> Callable[[Entry], str]:
    return lambda entry: f"{words} {', '.join(str(n) for n in entry.get('entries') or ())}"


def _noted(entry: Entry) -> str:
    told = _line(entry.get("text") or entry.get("thumb") or "")
    return f"noted on entry {_line(entry.get('about'))}: {told}"


def _redacted(entry: Entry) -> str:
    names = ", ".join(_line(name) for name in entry.get("names") or ())
    numbers = [str(n) for n in entry.get("entries") or ()]
    where = ", ".join(numbers[:12]) + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")
    return f"took {f'values of {names}' if names else 'words'} out of entries {where}"


_TOLD: dict[str, Callable[[Entry], str]] = {
    "began": lambda entry: f"began {_line(entry.get('title') or entry.get('workflow'))}",
    "opened": _of("opened", "step"),
    "skipped": _of("skipped", "step"),
    "helped": _of("showed the help of", "step"),
    "set": lambda entry: f"set {_pairs(entry.get('values'))}{_why(entry)}",
    "proposed": lambda entry: f"suggested {_pairs(entry.get('values'))}{_why(entry)}",
    "refused": _refused,
    "cleared": lambda entry: f"cleared {', '.join(_line(name) for name in entry.get('names') or ())}",
    "advanced": _of("completed", "step"),
    "reopened": _reopened,
    "asked": _of("asked:", "question"),
    "answered": _answered,
    "undid": _numbers("took back entries"),
    "redid": _numbers("brought back entries"),
    "said": _said,
    "called": _called,
    "failed": _failed,
    "started": _of("started the run", "run"),
    "progressed": _progressed,
    "produced": _produced,
    "finished": _of("finished the run", "run"),
    "cancelled": _of("cancelled the run", "run"),
    "interrupted": _of("found interrupted the run", "run"),
    "added": lambda entry: f"added the file {_line(entry.get('file'))} ({_line(entry.get('bytes'))} bytes)",
    "chose": _of("chose the model", "model"),
    "realigned": lambda entry: "began the prompt afresh",
    "named": _of("named the session", "name"),
    "pinned": _on("pinned the session", "unpinned the session"),
    "archived": _on("archived the session", "brought the session back from the archive"),
    "noted": _noted,
    "redacted": _redacted,
}

"""A session as a file to take away: `export(handle, format)`. Secrets are in none of them."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

from .disk import read_file
from .errors import NotFound
from .sentences import clock, sentence
from .session import Session
from .tables import cell, escape, write_csv
from .text import clean
from .workspace import Handle, name_of

TOLD = frozenset(
    "set proposed refused cleared answered undid redid failed started finished cancelled".split()
)
"""What a conversation names beside its words."""


def export(handle: Handle, format: str) -> tuple[bytes, str, str]:
    """The bytes, their media type and a file name. NotFound names the formats that there are."""
    if format not in _FORMATS:
        raise NotFound(f"There is no export {clean(format, 40)!r}; there are {', '.join(_FORMATS)}.")
    make, media_type = _FORMATS[format]
    stem, _, suffix = format.rpartition(".")
    return make(handle), media_type, f"{handle.sid}-{stem}.{suffix}"


def parameters(session: Session) -> dict[str, Any]:
    """The values by name as JSON, without those that the workflow derives itself."""
    return {name: value for name, value in session.values.items() if session.origins[name] != "workflow"}


def _log(handle: Handle) -> bytes:
    return read_file(handle.folder / "log.jsonl")[0]


def _json(handle: Handle) -> bytes:
    return (json.dumps(parameters(handle.session()), ensure_ascii=False, indent=2) + "\n").encode()


def _csv(handle: Handle) -> bytes:
    session, file = handle.session(), BytesIO()
    rows = [["name", "value", "by"]]
    for name, value in parameters(session).items():
        plain = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        rows.append([escape(name), cell(plain), escape(session.origins[name])])
    write_csv(file, rows)
    return file.getvalue()


def _conversation(handle: Handle) -> bytes:
    """The words as they were said, and between them, as list items, what was done."""
    session = handle.session()
    parts = [
        f"# {_escaped(session.title)}: {_escaped(session.name or name_of(session))}",
        f"Session {handle.sid}, workflow {_escaped(session.workflow)}.",
    ]
    for entry in handle.log.entries:
        time = f"{clock(entry):%Y-%m-%d %H:%M:%S}"
        text = entry.get("question") if entry.did == "asked" else entry.get("text")
        if entry.did in ("said", "helped", "asked") and text:
            who = entry.get("model") or entry.by
            how = next((f", {word}" for word in ("stopped", "incomplete") if entry.get(word)), "")
            parts.append(f"**{_escaped(str(who))}** · {time}{how}")
            parts.append(str(text).strip())
        elif entry.did in TOLD:
            parts.append(f"- {time} {_escaped(sentence(entry))}")
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|!&~" else c for c in clean(text, 1_000))


_FORMATS: dict[str, tuple[Callable[[Handle], bytes], str]] = {
    "log.jsonl": (_log, "application/x-ndjson"),
    "conversation.md": (_conversation, "text/markdown; charset=utf-8"),
    "parameters.json": (_json, "application/json"),
    "parameters.csv": (_csv, "text/csv; charset=utf-8"),
}
FORMATS = tuple(_FORMATS)

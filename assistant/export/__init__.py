"""A session as a file to take away: `export(handle, format)`. Secrets are in none of them."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

from ..disk import read_file
from ..errors import NotFound
from ..parameters import REDACTED
from ..results.tables import cell, escape, write_csv
from ..sentences import clock, sentence
from ..session import Session
from ..text import clean
from ..workspace import Handle, name_of
from .archive import write_archive
from .to_notebook import escaped, notebook
from .to_script import script

TOLD = frozenset(
    "set proposed refused cleared answered undid redid failed started finished cancelled".split()
)
"""What a conversation names beside its words."""


def export(handle: Handle, format: str) -> tuple[IO[bytes], str, str]:
    """An open file at its beginning, its media type and its name. NotFound names the formats that there are.

    Blocks as long as it takes to make: an archive holds the session's files.
    """
    if format not in _FORMATS:
        raise NotFound(f"There is no export {clean(format, 40)!r}; there are {', '.join(_FORMATS)}.")
    make, media_type = _FORMATS[format]
    stem, _, suffix = format.rpartition(".")
    content = make(handle)
    opened = BytesIO(content) if isinstance(content, bytes) else content
    return opened, media_type, f"{handle.sid}-{stem}.{suffix}"


def parameters(session: Session) -> dict[str, Any]:
    """The values by name as JSON, without those that the workflow derives itself and those taken out."""
    values = session.values.items()
    return {n: value for n, value in values if session.origins[n] != "workflow" and value != REDACTED}


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
        f"# {escaped(session.title)}: {escaped(session.name or name_of(session))}",
        f"Session {handle.sid}, workflow {escaped(session.workflow)}.",
    ]
    for entry in handle.log.entries:
        time = f"{clock(entry):%Y-%m-%d %H:%M:%S}"
        text = entry.get("question") if entry.did == "asked" else entry.get("text")
        if entry.did in ("said", "helped", "asked") and text:
            who = entry.get("model") or entry.by
            how = next((f", {word}" for word in ("stopped", "incomplete") if entry.get(word)), "")
            parts.append(f"**{escaped(str(who))}** · {time}{how}")
            parts.append(str(text).strip())
        elif entry.did in TOLD:
            parts.append(f"- {time} {escaped(sentence(entry))}")
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


_FORMATS: dict[str, tuple[Callable[[Handle], bytes | IO[bytes]], str]] = {
    "log.jsonl": (_log, "application/x-ndjson"),
    "conversation.md": (_conversation, "text/markdown; charset=utf-8"),
    "parameters.json": (_json, "application/json"),
    "parameters.csv": (_csv, "text/csv; charset=utf-8"),
    "script.py": (lambda handle: script(handle).encode("utf-8", "replace"), "text/x-python; charset=utf-8"),
    "notebook.ipynb": (
        lambda handle: notebook(handle).encode("utf-8", "replace"),
        "application/json",
    ),
    "session.zip": (write_archive, "application/zip"),
}
FORMATS = tuple(_FORMATS)

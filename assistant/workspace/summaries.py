"""A session's line in lists.

glance       a few lines found in the log's bytes: enough to sort, to count, and to find the pinned
summarise    every line folded: the state, the steps, and a name made from the values
"""

import os
import re
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..disk import read_file
from ..log.lines import Entry, decode
from ..parameters import REDACTED, Ask, Field, show
from ..session import Session
from ..workflow import Workflow

SID = re.compile(r"\d{4}-\d\d-\d\d-[a-z0-9-]{1,80}-[0-9a-f]{4}", re.ASCII)
Mark = tuple[int, int, int]
"""When a log was changed (ns), its size and its inode: as long as they are the same, so is the session."""


@dataclass(frozen=True)
class Summary:
    """A session's line in lists. `bytes`: of all of its folder.

    `stage` is steps, ready, running, gone (its workflow does not load), damaged (its log can not be read), or
    how the newest run ended. A glance is not `whole`: no state, stage, steps, name from values, and only the
    sources that its first line names.
    """

    sid: str
    title: str
    workflow: str
    name: str
    state: str
    changed: str
    pinned: bool
    archived: bool
    steps_done: int = 0
    steps_total: int = 0
    forked_from: str | None = None
    sources: tuple[str, ...] = ()
    bytes: int = 0
    stage: str = ""
    whole: bool = True


def summarise(sid: str, session: Session, flow: Workflow | None, size: int = 0) -> Summary:
    """The session's line: named by the person, else by its first telling value."""
    marks = [session.status(step.name) for step in flow.steps] if flow else []
    closed = [bool(mark and mark.did in ("advanced", "skipped")) for mark in marks]
    done, total = sum(closed), len(closed)
    stage, state = _state(session, flow, closed)
    return Summary(
        sid, session.title, session.workflow, session.name or name_of(session) or sid, state, session.at,
        session.pinned, session.archived, done, total, _session_in(session.began.get("forked_from")),
        session.sources, size, stage,
    )  # fmt: skip


def _state(session: Session, flow: Workflow | None, closed: list[bool]) -> tuple[str, str]:
    run = session.run
    if not session.n:
        return "damaged", "its log is damaged"
    if run and run.state == "running":
        return "running", "running"
    if run and all(closed):
        tables = [_count(r["rows"], str(r["name"])) for r in run.results if r.get("rows") is not None]
        since = ["changed since"] if since_run(session) else []
        return run.state, ", ".join([{"finished": "done"}.get(run.state, run.state), *tables[:1], *since])
    if flow is None:
        return "gone", "its workflow does not load"
    if all(closed):
        return "ready", "ready to run"
    return "steps", f"step {closed.index(False) + 1} of {len(closed)}"


def _count(rows: Any, name: str) -> str:
    """So many of what the table is called after: "30 pages", "1 page"."""
    return show(Field("rows", "rows", "int", int, Ask(unit=name)), rows)


def since_run(session: Session) -> dict[str, tuple[Any, Any]]:
    """Which values differ from those of the newest run, by parameter: what it had, and what there is now.

    None stands for no value.
    """
    chat, n = session.chat, session.run.n if session.run else 0
    at = bisect_left(chat, n, key=lambda entry: entry.n)
    then = chat[at].get("parameters") if at < len(chat) and chat[at].n == n else None
    if not isinstance(then, dict):
        return {}
    pairs = {name: (then.get(name), session.values.get(name)) for name in {**then, **session.values}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and REDACTED not in pair}


def _session_in(origin: Any) -> str | None:
    """The session that `{"session": sid, "n": n}` names."""
    sid = origin.get("session") if isinstance(origin, dict) else None
    return sid if isinstance(sid, str) else None


def name_of(session: Session) -> str:
    """A name made from the first telling value: an address's host, a file's name, a text."""
    for value in session.values.values():
        if isinstance(value, dict) and isinstance(value.get("file"), str):
            return str(value["file"])
        if isinstance(value, str) and "://" in value:
            return value.split("://", 1)[1].rstrip("/")[:60]
    texts = [value for value in session.values.values() if isinstance(value, str) and len(value) > 5]
    return texts[0][:60] if texts else session.title


def glance(folder: Path) -> Summary | None:
    """What a few lines of the log tell; None where its first line was never acknowledged."""
    data, _ = read_file(folder / "log.jsonl")
    end = data.find(b"\n")
    first = _entry(data[:end] if end >= 0 else data)
    if first is None:
        return summarise(folder.name, Session(), None, size_of(folder)) if end >= 0 else None
    last = _entry(data[data.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\n")) or first
    named, pinned, archived = (_newest(data, did) for did in ("named", "pinned", "archived"))
    began = first.fields if first.did == "began" else {}
    workflow = str(began.get("workflow", ""))
    title = str(began.get("title") or workflow)
    again_of = _session_in(began.get("again_of"))
    return Summary(
        folder.name, title, workflow, str((named and named.get("name")) or title), "", last.at,
        bool(pinned and pinned.get("on") is not False), bool(archived and archived.get("on") is not False),
        forked_from=_session_in(began.get("forked_from")), sources=(again_of,) if again_of else (),
        bytes=size_of(folder), whole=False,
    )  # fmt: skip


def _newest(data: bytes, did: str) -> Entry | None:
    """The newest line of this kind."""
    sought, at = f'"did":"{did}"'.encode(), len(data)
    while (at := data.rfind(sought, 0, at)) >= 0:
        end = data.find(b"\n", at)
        entry = _entry(data[data.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(data)])
        if entry and entry.did == did:
            return entry
    return None


def _entry(line: bytes) -> Entry | None:
    try:
        return decode(line)
    except ValueError:
        return None


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder and those below it; links are not followed."""
    total = 0
    try:
        with os.scandir(folder) as found:
            for item in found:
                if item.is_dir(follow_symlinks=False):
                    total += size_of(Path(item.path))
                else:
                    total += item.stat(follow_symlinks=False).st_size
    except OSError:  # deleted meanwhile
        return total
    return total


def mark_of(path: Path) -> Mark:
    """The mark of one log; OSError where it is not there."""
    stat = os.stat(path, follow_symlinks=False)
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def marks_of(conversations: Path) -> dict[str, Mark]:
    """The mark of each session's log, the last changed first."""
    found = []
    try:
        names = os.listdir(conversations)
    except OSError:  # there are none yet
        return {}
    for name in names:
        if SID.fullmatch(name):
            try:
                stat = os.stat(f"{conversations}/{name}/log.jsonl", follow_symlinks=False)
            except OSError:  # deleted meanwhile, or no session
                continue
            found.append((stat.st_mtime_ns, name, stat.st_size, stat.st_ino))
    return {name: (mtime, size, inode) for mtime, name, size, inode in sorted(found, reverse=True)}

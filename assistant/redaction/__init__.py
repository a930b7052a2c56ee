"""Redaction: takes values and words out of a session's file for good, and finds what copies there may be.

    wanted ──▶ redact, under the log's lock: plan ── prompts, secrets ── the file is replaced ──▶ redacted

A fork, an export or a result's file is not touched: `kin` and `results` say where such copies are.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import live
from ..chat.seen import forget
from ..disk import failure, read_file, sync_folder
from ..errors import AssistantError, Conflict, NotFound, Refused
from ..log import Entry, Fact, read
from ..log.rewrite import replace_file
from ..session import fold
from ..workspace import Handle, name_of
from .patterns import Expression, checked, literal
from .removal import Plan, Wanted, plan, said_as, texts_of

_MENTIONED = re.compile(rb'"session":"([^"]{1,120})"')


@dataclass(frozen=True)
class Kin:
    """A session that shares entries or values with this one, and how many of its entries have it still."""

    sid: str
    name: str
    places: int


@dataclass(frozen=True)
class Left:
    """A file of a run that was made with a value which goes. Its content stays."""

    file: str
    bytes: int


def wanted(
    handle: Handle, names: Sequence[str] = (), entries: Sequence[int] = (), text: str = "", *,
    regex: bool = False, exact: bool = False, words: bool = False,
) -> Wanted:  # fmt: skip
    """What is asked for. NotFound: an entry that is not there. Refused: a text that can not be sought."""
    last = handle.session().n
    if odd := [n for n in entries if not 1 <= n <= last]:
        raise NotFound(f"There is no entry {odd[0]} in this session; it has {last}.")
    if not text.strip():
        return Wanted(frozenset(names), frozenset(entries))
    make = Expression if regex else literal
    return Wanted(frozenset(names), frozenset(entries), make(checked(text), exact=exact, words=words))


def look(entries: Sequence[Entry], wanted: Wanted) -> Plan:
    """What would be taken out. Refused: an expression that takes too long."""
    if isinstance(wanted.sub, Expression):
        wanted.sub.learn(texts_of(entries))
    return plan(entries, wanted)


async def redact(handle: Handle, wanted: Wanted, by: str = "user") -> list[Entry]:
    """Takes it out and returns the `redacted` entry, once the new file is on disk.

    Conflict: a reply or a run is under way, and would write it again. Refused: there is nothing of it.
    """

    def change(entries: list[Entry]) -> tuple[Sequence[Entry], Sequence[Fact]]:
        run = fold(entries).run
        if handle.sid in live.drafts or (run and run.state == "running"):
            what = "A run is" if handle.sid not in live.drafts else "A reply is"
            raise Conflict(f"{what} under way and may write it again. Wait for its end, then take it out.")
        made = look(entries, wanted)
        if not made.changed:
            raise Refused(None, None, "Nothing of it is in the record, so nothing was changed.")
        forget(handle)
        _drop_secrets(handle, frozenset(made.names))
        return made.entries, [Fact(by, "redacted", {"entries": [*made.changed], "names": [*made.names]})]

    async with handle.busy:
        written = await asyncio.to_thread(handle.log.rewrite, change)
    live.wake(handle.sid)
    return written


def _drop_secrets(handle: Handle, names: frozenset[str]) -> None:
    kept = handle.secrets()
    left = {name: value for name, value in kept.items() if name not in names}
    if left == kept:
        return
    try:
        replace_file(handle.folder / "secrets.json", json.dumps(left).encode())
        sync_folder(handle.folder)
    except OSError as error:
        raise failure(handle.folder, error) from error


def kin(handle: Handle, wanted: Wanted) -> list[Kin]:
    """The sessions that may have copies: those that this one came from, and those that came from it."""
    conversations = handle.workspace.conversations
    own, found = handle.log.entries, []
    wanted = replace(wanted, sub=wanted.sub or said_as(own, wanted.names))
    for sid in _family(handle):
        try:
            entries, _ = read(conversations / sid / "log.jsonl")
            same = frozenset(n for n in wanted.entries if n <= len(entries) and entries[n - 1] == own[n - 1])
            places = len(look(entries, replace(wanted, entries=same)).changed)
        except AssistantError:  # deleted meanwhile, or not ours to read
            continue
        session = fold(entries)
        found.append(Kin(sid, session.name or name_of(session), places))
    return found


def _family(handle: Handle) -> list[str]:
    """The sessions that are tied to this one by a fork or by values that were taken along."""
    ties: dict[str, set[str]] = {}
    sids = handle.workspace.session_ids()
    for sid in sids:
        for other in _mentioned(handle.workspace.conversations / sid / "log.jsonl"):
            ties.setdefault(sid, set()).add(other)
            ties.setdefault(other, set()).add(sid)
    family, waiting = {handle.sid}, [handle.sid]
    while waiting:
        new = ties.get(waiting.pop(), set()) - family
        family |= new
        waiting += new
    return [sid for sid in sids if sid in family and sid != handle.sid]


def _mentioned(path: Path) -> Iterator[str]:
    try:
        data, _ = read_file(path)
    except AssistantError:  # deleted meanwhile
        return
    for found in set(_MENTIONED.findall(data)):
        yield found.decode("utf-8", "replace")


def results(handle: Handle, made: Plan) -> list[Left]:
    """The files of the runs that began with a value which goes."""
    changed = set(made.changed)
    runs = {e.get("run") for e in handle.log.entries if e.did == "started" and e.n in changed}
    found = []
    for entry in handle.log.entries:
        named = [entry.get("file"), entry.get("output")] if entry.get("run") in runs else []
        for name in named:
            if isinstance(name, str) and (path := handle.files / Path(name).name).is_file():
                found.append(Left(path.name, path.stat().st_size))
    return found

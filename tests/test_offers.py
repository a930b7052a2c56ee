"""What sessions offer to a new one: kept by the mark of each log, so that a log is read once."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.actions import begin, complete, fill
from assistant.again import LOOKED, Candidate, candidates
from assistant.errors import NotFound
from assistant.log import Entry, Fact
from assistant.redaction import redact, wanted
from assistant.workspace import OPEN, Handle, Workspace
from assistant.workspace.kept import Kept
from assistant.workspace.offers import ROOM

pytestmark = pytest.mark.anyio

_counting: list[list[str]] = []


def _opened(event: str, arguments: tuple[Any, ...]) -> None:
    """Tells those who count of each log that this process opens."""
    if _counting and event == "open" and str(arguments[0]).endswith("/log.jsonl"):
        for found in _counting:
            found.append(Path(str(arguments[0])).parent.name)


sys.addaudithook(_opened)  # it can not be taken off again, so it does nothing where nobody counts


@contextmanager
def reads() -> Iterator[list[str]]:
    """The sessions whose logs are opened meanwhile, in order."""
    found: list[str] = []
    _counting.append(found)
    try:
        yield found
    finally:
        _counting.remove(found)


async def make(workspace: Workspace, days: int = 4, **more: str) -> str:
    """A trip with its first card done, and words enough to see whether they are kept.

    Each is an hour younger than the one before: changes in a row may have one and the same time.
    """
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "France", "days": str(days)})
    if more:
        await complete(handle, "city", {"town": "Lyon"})
        await complete(handle, "ticket", more)
    said = [Fact("user", "said", {"text": f"words {n}", "turn": f"t{n}"}) for n in range(5)]
    await handle.write(lambda _: said)
    hours = len(workspace.session_ids()) - 1000
    when = time.time_ns() + hours * 3600 * 10**9
    os.utime(handle.folder / "log.jsonl", ns=(when, when))
    return handle.sid


async def offered(workspace: Workspace, name: str) -> list[Any]:
    return [each.taken.value for each in await found(workspace, name)]


async def found(workspace: Workspace, name: str) -> list[Candidate]:
    return (await candidates(workspace, workspace.workflow("trip")))[name]


async def test_each_log_is_read_once_also_of_more_sessions_than_stay_open(workspace: Workspace) -> None:
    sids = [await make(workspace, days=1 + n % 3) for n in range(OPEN + 8)]
    fresh = Workspace(workspace.settings)
    with reads() as first:
        assert await offered(fresh, "days") == [1, 3, 2]
    with reads() as second:
        assert await offered(fresh, "days") == [1, 3, 2]
    assert sorted(first) == sorted(sids) and second == []


async def test_the_logs_are_not_kept_and_no_session_is_opened(workspace: Workspace) -> None:
    for _ in range(5):
        await make(workspace)
    fresh = Workspace(workspace.settings)
    gc.collect()
    before = sum(isinstance(each, Entry | Handle) for each in gc.get_objects())
    assert await offered(fresh, "days") == [4]
    await asyncio.sleep(0)  # until then the loop still has what was read last
    gc.collect()
    assert sum(isinstance(each, Entry | Handle) for each in gc.get_objects()) == before


async def test_only_a_session_that_has_changed_is_read_again(workspace: Workspace) -> None:
    sids = [await make(workspace, days=days) for days in (4, 5, 6)]
    fresh = Workspace(workspace.settings)
    assert await offered(fresh, "days") == [6, 5, 4]
    await fill(workspace.open(sids[0]), {"days": 7}, "user")  # as another program would
    with reads() as again:
        assert await offered(fresh, "days") == [7, 6, 5]
    assert again == [sids[0]]
    handle = fresh.open(sids[1])
    await handle.write(lambda _: [Fact("user", "named", {"name": "The fifth"})])
    with reads() as none:  # it is open, so its state is known
        assert {each.taken.value: each.name for each in await found(fresh, "days")}[5] == "The fifth"
    assert none == []


async def test_what_was_redacted_is_offered_no_more(workspace: Workspace) -> None:
    sid, other = await make(workspace, days=4), await make(workspace, days=5)
    for seen in (workspace, Workspace(workspace.settings)):
        assert 4 in await offered(seen, "days") or seen is not workspace
    watching = Workspace(workspace.settings)
    assert await offered(watching, "days") == [5, 4]
    handle = workspace.open(sid)
    await redact(handle, wanted(handle, ["days"]))
    assert await offered(watching, "days") == await offered(workspace, "days") == [5]
    assert [each.taken.sid for each in await found(watching, "days")] == [other]


async def test_a_deleted_session_offers_nothing_until_it_is_restored(workspace: Workspace) -> None:
    sid, _ = await make(workspace, days=4), await make(workspace, days=5)
    assert await offered(workspace, "days") == [5, 4]
    workspace.discard(sid)
    assert await offered(workspace, "days") == [5]
    workspace.restore(sid)
    assert await offered(workspace, "days") == [5, 4]
    workspace.delete(sid)
    assert await offered(workspace, "days") == [5]
    with pytest.raises(NotFound):
        workspace.open(sid)


async def test_a_log_that_took_anothers_place_is_read(workspace: Workspace) -> None:
    """Of the same size and time: as after a restore from a backup."""
    one, two = await make(workspace, days=5), await make(workspace, days=6)
    logs = [workspace.conversations / sid / "log.jsonl" for sid in (one, two)]
    assert await offered(fresh := Workspace(workspace.settings), "days") == [6, 5]
    before = logs[0].stat()
    part = logs[0].with_name("part")
    part.write_bytes(logs[1].read_bytes())
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    part.rename(logs[0])
    assert logs[0].stat().st_size == before.st_size
    assert await offered(fresh, "days") == [6]


async def test_secrets_are_looked_up_each_time_and_never_kept(workspace: Workspace) -> None:
    sid = await make(workspace, name="Ann", key="hunter2hunter2")
    fresh = Workspace(workspace.settings)
    assert await offered(fresh, "key") == [{"secret": True}]
    mark = fresh.offers.look(LOOKED)[sid]
    offer = await fresh.offers.find(sid, mark)
    assert offer and offer.given["key"].value == {"secret": True} and "hunter2" not in repr(offer)
    (workspace.conversations / sid / "secrets.json").unlink()
    assert await offered(fresh, "key") == []


async def test_what_is_kept_is_bounded(workspace: Workspace) -> None:
    """What finds no room is read each time, and offered all the same."""
    long = {"name": "n" * 9_000}
    sids = [await make(workspace, days=1 + n, **long) for n in range(4)]
    fresh = Workspace(workspace.settings)
    fresh.offers.kept.room = 3 * 14_000
    for _ in range(2):
        with reads() as read:
            assert await offered(fresh, "days") == [4, 3, 2, 1]
    assert read == sids[:1]  # the oldest; the first look took the newest first
    assert fresh.offers.kept.room >= 0
    workspace.delete(sids[3])
    for _ in range(2):
        with reads() as read:
            assert await offered(fresh, "days") == [3, 2, 1]
    assert read == []  # it has the room of the one that went
    for sid in sids[:3]:
        workspace.delete(sid)
    assert await offered(fresh, "days") == []
    assert fresh.offers.kept.room == 3 * 14_000 < ROOM


async def test_sessions_beyond_those_that_are_looked_at_are_forgotten(workspace: Workspace) -> None:
    sids = [await make(workspace) for _ in range(3)]
    for sid, mark in workspace.offers.look(3).items():
        assert await workspace.offers.find(sid, mark)
    assert set(workspace.offers.look(2)) == set(sids[1:]) == set(workspace.offers.kept.all())


async def test_logs_that_are_none_or_damaged(workspace: Workspace) -> None:
    sid, empty = await make(workspace, days=4), workspace.conversations / "2026-11-21-trip-0000"
    empty.mkdir()
    (empty / "log.jsonl").write_text("")
    pipe = workspace.conversations / "2026-11-21-trip-0001"
    pipe.mkdir()
    os.mkfifo(pipe / "log.jsonl")
    damaged = workspace.conversations / sid / "log.jsonl"
    damaged.write_bytes(damaged.read_bytes() + b"no line of ours\n")
    assert await offered(Workspace(workspace.settings), "days") == [4]


def test_kept_takes_what_there_is_room_for() -> None:
    kept = Kept[str](len, 10)
    kept.keep("a", (1, 1, 1), "12345")
    kept.keep("b", (1, 1, 1), "123456")
    assert (kept.find("a", (1, 1, 1)), kept.find("b"), kept.room) == ("12345", None, 5)
    kept.keep("a", (2, 1, 1), "1234567890")  # in the place of the other
    assert (kept.find("a", (1, 1, 1)), kept.find("a"), kept.room) == (None, "1234567890", 0)
    kept.drop(["a", "b"])
    assert (kept.all(), kept.room) == ({}, 10)

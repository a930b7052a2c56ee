"""Sessions as folders: ids, begin, fork, delete, lists; and runs that ended without a word."""

import asyncio
import gc
import json
import os
import re
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from assistant import live
from assistant.actions import begin, complete, fill, undo
from assistant.actions.launch import mark_interrupted, start_run
from assistant.errors import Conflict, NotFound
from assistant.log import Fact
from assistant.session import Session, fold
from assistant.settings import Settings
from assistant.verify import verify_session
from assistant.workspace import OPEN, Handle, Workspace
from assistant.workspace.summaries import since_run

pytestmark = pytest.mark.anyio


async def test_a_sessions_id_and_folder(workspace: Workspace) -> None:
    handle = await begin(workspace, "count_words")
    assert re.fullmatch(rf"{date.today()}-count-words-[0-9a-f]{{4}}", handle.sid)
    assert handle.folder == workspace.settings.workspace / "conversations" / handle.sid
    assert handle.folder.stat().st_mode & 0o777 == 0o700
    assert (handle.folder / "log.jsonl").stat().st_mode & 0o777 == 0o600
    assert workspace.open(handle.sid) is handle


@pytest.mark.parametrize(
    "sid",
    [
        "",
        "..",
        "../2026-11-21-trip-3f9a",
        "2026-11-21-trip-3f9a/..",
        "2026-11-21-trip-3f9a/../../x",
        "/etc",
        "2026-11-21-trip-3f9a\n",
        "2026-11-21-../x-3f9a",
        "2026-11-21-trip-3F9A",
        "\uff12\uff10\uff12\uff16-11-21-trip-3f9a",
        "2026-11-21-trip-0000",
    ],
)
async def test_what_is_no_session(workspace: Workspace, sid: str) -> None:
    folder = workspace.conversations / "2026-11-21-trip-3f9a"
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("")
    (workspace.conversations / "\uff12\uff10\uff12\uff16-11-21-trip-3f9a").mkdir()
    (workspace.conversations / "\uff12\uff10\uff12\uff16-11-21-trip-3f9a" / "log.jsonl").write_text("")
    with pytest.raises(NotFound):
        workspace.open(sid)
    with pytest.raises(NotFound):
        workspace.delete(sid)
    assert folder.is_dir()
    assert workspace.session_ids() == ["2026-11-21-trip-3f9a"]
    with pytest.raises(NotFound, match="no first line"):  # it was never acknowledged
        workspace.open("2026-11-21-trip-3f9a")
    assert workspace.summaries() == []


async def test_an_unknown_workflow_makes_no_session(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match=r"no file workflows/none\.py"):
        await begin(workspace, "none")
    assert workspace.session_ids() == []


async def with_secret(workspace: Workspace) -> Handle:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "France"})
    await complete(handle, "city", {"town": "Paris"})
    await complete(handle, "ticket", {"name": "Ada Lovelace", "key": "hunter2-hunter2"})
    handle.files.mkdir(mode=0o700)
    (handle.files / "a.txt").write_text("words")
    return handle


async def test_a_fork_has_the_same_beginning_the_files_and_the_secrets(workspace: Workspace) -> None:
    handle = await with_secret(workspace)
    at = handle.session().n - 1
    made = workspace.fork(handle, at)
    assert made.sid != handle.sid
    old, new = (
        [entry.as_dict() for entry in handle.log.entries[:at]],
        [entry.as_dict() for entry in made.log.entries],
    )
    assert new[0].pop("forked_from") == {"session": handle.sid, "n": at}
    assert new == old
    assert (made.files / "a.txt").read_text() == "words"
    assert made.secrets() == {"key": "hunter2-hunter2"}
    assert (made.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert made.files.stat().st_mode & 0o777 == 0o700
    await fill(made, {"name": "Grace"}, "user")
    assert handle.session().values["name"] == "Ada Lovelace"
    for wrong in (0, handle.session().n + 1):
        with pytest.raises(NotFound):
            workspace.fork(handle, wrong)


async def test_a_run_under_way_in_a_fork_is_interrupted(workspace: Workspace) -> None:
    handle = await with_secret(workspace)
    await handle.write(lambda _: [Fact("user", "started", {"run": "r1", "parameters": {}})])
    made = workspace.fork(handle, handle.session().n)
    await mark_interrupted(made)
    assert made.session().run is not None and made.session().run.state == "interrupted"
    assert [entry.did for entry in made.log.entries][-1] == "interrupted"
    await mark_interrupted(made)
    assert [entry.did for entry in made.log.entries].count("interrupted") == 1


async def test_deleting_a_session_leaves_nothing(workspace: Workspace) -> None:
    handle = await with_secret(workspace)
    other = await begin(workspace, "trip")
    workspace.delete(handle.sid)
    assert os.listdir(workspace.conversations) == [other.sid]
    with pytest.raises(NotFound):
        workspace.open(handle.sid)
    assert [summary.sid for summary in workspace.summaries()] == [other.sid]


async def test_a_folder_deleted_by_hand_is_no_session_any_more(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    workspace.summaries()
    (handle.folder / "log.jsonl").unlink()
    assert workspace.summaries() == []
    with pytest.raises(NotFound):
        workspace.open(handle.sid)


async def test_lists_show_how_far_a_session_is(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")

    def line() -> tuple[str, str, int]:
        (summary,) = workspace.summaries()
        return (summary.name, summary.state, summary.steps_done)

    assert line() == ("Plan a trip", "step 1 of 4", 0)
    await complete(handle, "start", {"country": "France"})
    await complete(handle, "city", {"town": "Paris"})
    assert line() == ("France", "step 4 of 4", 3)
    await complete(handle, "ticket", {"name": "Ada"})
    assert line()[1] == "ready to run"
    await handle.write(
        lambda _: [Fact("user", "started", {"run": "r1"}), Fact("user", "named", {"name": "Mine"})]
    )
    assert line()[:2] == ("Mine", "running")
    table = {"run": "r1", "name": "towns", "kind": "table", "file": "towns.csv", "rows": 7}
    await handle.write(
        lambda _: [
            Fact("workflow", "produced", table),
            Fact("workflow", "finished", {"run": "r1"}),
            Fact("user", "pinned", {"on": True}),
            Fact("user", "archived", {}),
        ]
    )
    assert line()[1] == "done, 7 towns"
    more = {**table, "run": "r2", "file": "r2.csv", "rows": 1}
    await handle.write(
        lambda session: [
            Fact("user", "started", {"run": "r2", "parameters": session.values}),
            Fact("workflow", "produced", more),
            Fact("workflow", "finished", {"run": "r2"}),
        ]
    )
    assert line()[1] == "done, 1 town"
    assert since_run(handle.session()) == {}
    await fill(handle, {"window": True}, "user")
    assert line()[1] == "done, 1 town, changed since"
    assert since_run(handle.session()) == {"window": (False, True)}
    await undo(handle)
    assert line()[1] == "done, 1 town"
    (summary,) = workspace.summaries()
    assert (summary.pinned, summary.archived) == (True, True)


async def test_a_session_whose_workflow_is_gone_opens(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "France"})
    (workspace.settings.workspace / "workflows" / "trip.py").unlink()
    fresh = Workspace(Settings(workspace.settings.workspace))
    assert fresh.summaries()[0].state == "its workflow does not load"
    assert fresh.open(handle.sid).session().values["country"] == "France"


async def test_sessions_are_listed_by_their_last_change(workspace: Workspace) -> None:
    first, second = await begin(workspace, "trip"), await begin(workspace, "count_words")
    os.utime(first.folder / "log.jsonl", (2e9, 2e9))
    assert workspace.session_ids() == [first.sid, second.sid]


async def test_a_session_at_an_earlier_entry(workspace: Workspace) -> None:
    handle = await with_secret(workspace)
    assert handle.session(2).values == {}
    assert handle.session(3).values == {"country": "France", "days": 4}
    assert handle.session(handle.session().n) == handle.session()


async def test_what_another_program_appends_is_seen(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    other = Workspace(Settings(workspace.settings.workspace)).open(handle.sid)
    await other.write(lambda _: [Fact("cli", "set", {"step": "start", "values": {"days": 5}})])
    assert handle.session().values == {"days": 5}
    assert handle.session() is handle.session()  # nothing new, nothing folded


async def test_secrets_are_kept_whole(workspace: Workspace) -> None:
    handle = await with_secret(workspace)
    handle.keep_secrets({"other": "x"})
    handle.keep_secrets({})
    assert json.loads((handle.folder / "secrets.json").read_text()) == {
        "key": "hunter2-hunter2",
        "other": "x",
    }
    assert not list(handle.folder.glob("*.part"))
    assert "hunter2" not in repr(handle.place())


async def test_a_run_from_launch_to_its_result(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    with pytest.raises(Conflict, match="not completed"):
        await start_run(handle)
    await complete(handle, "start", {"country": "France"})
    await complete(handle, "city", {"town": "Paris"})
    await complete(handle, "ticket", {"name": "Ada"})
    run = await start_run(handle)
    with pytest.raises(Conflict, match="under way"):
        await start_run(handle)
    await finish(run)
    done = handle.session().runs[run]
    assert (done.state, [result["kind"] for result in done.results]) == ("finished", ["note"])
    assert (handle.files / done.results[0]["file"]).read_text() == "Ada goes to Paris, France, 3 stars"


async def finish(run: str) -> None:
    await next(task for task in asyncio.all_tasks() if task.get_name() == f"run {run}")


async def test_a_long_log_is_read_once_for_all_who_wait(workspace: Workspace) -> None:
    handle = await begin(workspace, "count_words")
    await handle.write(lambda _: [Fact("user", "noted", {"about": 1, "text": "x" * 250_000})])
    read: list[str] = []

    class Counting(Workspace):
        def open(self, sid: str) -> Handle:
            read.append(sid)
            return super().open(sid)

    again = Counting(workspace.settings)
    first, second = await asyncio.gather(again.reach(handle.sid), again.reach(handle.sid))
    assert read == [handle.sid]
    assert first is second is again.open(handle.sid)
    assert first.session() == handle.session()
    with pytest.raises(NotFound):
        await again.reach("2026-11-21-trip-0000")


async def test_a_moment_is_the_same_from_whichever_one_looks(workspace: Workspace) -> None:
    handle = await begin(workspace, "count_words")
    for text in "abc":
        await handle.write(_noting(text))
    last = handle.session().n
    for at in (2, last, 1, last - 1, last - 1, last):
        assert handle.session(at) == fold(handle.log.entries[:at])


async def test_the_recent_lines_have_this_sessions_newest(workspace: Workspace) -> None:
    one, two = await begin(workspace, "count_words"), await begin(workspace, "count_words")
    assert {summary.sid for summary in workspace.lists.recent(one.sid)} == {one.sid, two.sid}
    await one.write(lambda _: [Fact("user", "named", {"name": "Mine"})])
    newest = workspace.lists.recent(one.sid)[0]
    assert (newest.sid, newest.name) == (one.sid, "Mine")


def _noting(text: str) -> Callable[[Session], list[Fact]]:
    return lambda _: [Fact("user", "noted", {"about": 1, "text": text})]


async def make_many(workspace: Workspace, count: int) -> list[str]:
    return [(await begin(workspace, "count_words")).sid for _ in range(count)]


def alive(workspace: Workspace) -> int:
    gc.collect()
    return sum(isinstance(each, Handle) and each.workspace is workspace for each in gc.get_objects())


def open_files(workspace: Workspace) -> int:
    """How many files of sessions this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the folder itself
            found.append(descriptor.readlink())
    return sum(path.is_relative_to(workspace.conversations) for path in found)


async def test_sessions_that_nobody_uses_do_not_stay_in_memory(workspace: Workspace) -> None:
    sids = await make_many(workspace, OPEN + 20)
    for sid in sids:
        handle = workspace.open(sid)
        await handle.write(lambda _: [Fact("user", "said", {"text": "hello", "turn": "t"})])
    del handle
    assert alive(workspace) == OPEN
    assert open_files(workspace) <= 2 * (OPEN + 1)  # those of the last are closed with the next
    assert sids[-1] in workspace._handles and sids[0] not in workspace._handles
    assert len(workspace.summaries()) == len(sids)


async def test_the_last_used_sessions_stay(workspace: Workspace) -> None:
    first, *others = await make_many(workspace, 2 * OPEN)
    for sid in others:
        workspace.open(sid)
        workspace.open(first)
    assert first in workspace._handles and others[0] not in workspace._handles


async def test_a_session_that_was_let_go_is_written_to_as_before(workspace: Workspace) -> None:
    first = await begin(workspace, "trip")
    await complete(first, "start", {"country": "Italy"})
    sid, before, gone = first.sid, first.session(), weakref.ref(first)
    del first
    await make_many(workspace, OPEN)
    assert gone() is None
    again = workspace.open(sid)
    assert again.session() == before
    await complete(again, "city", {"town": "Rome"})
    assert [entry.n for entry in again.log.entries] == list(range(1, len(again.log.entries) + 1))
    assert again.session().values["town"] == "Rome"
    assert verify_session(again.folder) == (len(again.log.entries), [])


async def test_one_that_is_held_stays_the_same_and_is_the_only_one_that_writes(workspace: Workspace) -> None:
    held = await begin(workspace, "count_words")

    async def follow() -> int:
        """As a stream does: it sees what comes while others are opened and let go."""
        mine, seen = workspace.open(held.sid), 0
        while seen < 40:
            beat = live.beat(mine.sid)
            seen = sum(entry.did == "said" for entry in mine.session().chat)
            await live.changed(mine.sid, beat, 5)
        assert workspace.open(mine.sid) is mine
        return id(mine)

    async def say(number: int) -> None:
        mine = await workspace.reach(held.sid)
        assert mine is held
        await mine.write(lambda _: [Fact("user", "said", {"text": str(number), "turn": "t"})])

    following = asyncio.create_task(follow())
    for number in range(40):
        await asyncio.gather(make_many(workspace, OPEN // 4), say(number))
    assert await following == id(held)
    assert verify_session(held.folder)[1] == []


async def test_threads_that_open_one_session_get_one_handle(workspace: Workspace) -> None:
    sids = await make_many(workspace, 8)
    for _ in range(20):
        await make_many(workspace, OPEN)
        await asyncio.sleep(0)  # until then the loop still has what was gathered
        assert not {*workspace._handles} & {*sids}
        found = await asyncio.gather(*(asyncio.to_thread(workspace.open, sid) for sid in sids * 4))
        for sid in sids:
            assert len({id(handle) for handle in found if handle.sid == sid}) == 1
        del found

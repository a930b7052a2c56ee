"""Replay: what would be different with a workflow's file as it is now. And the logs of earlier versions."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from test_command_line import Program

from assistant.actions import begin, complete
from assistant.errors import AssistantError
from assistant.headless import make_session
from assistant.log import read
from assistant.replay import find_logs, replay_all
from assistant.session import fold
from assistant.settings import Settings
from assistant.workspace import Workspace

LOGS = Path(__file__).parent / "logs"
KEPT = sorted(LOGS.glob("*/*.jsonl"))
TRIP = {"country": "France", "days": 9, "town": "Lyon", "name": "Ann", "stars": 4}


def replayed(workspace: Workspace, reference: str | Path):
    """What came of each log, as a list."""

    async def gather():
        return [each async for each in replay_all(workspace, find_logs(workspace, str(reference)))]

    return asyncio.run(gather())


def changed(workspace: Workspace, old: str, new: str) -> Workspace:
    """The workspace with its `trip` edited, as another program sees it."""
    path = workspace.settings.workspace / "workflows" / "trip.py"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    return Workspace(workspace.settings)


@pytest.fixture
def sid(workspace) -> str:
    """A trip whose cards are all completed."""
    handle, refused = asyncio.run(
        make_session(workspace, workspace.workflow("trip"), TRIP, {"key": "hush-hush"})
    )
    assert not refused
    return handle.sid


# --- the logs of each released version --------------------------------------------------------------------


def test_each_version_has_its_logs():
    assert KEPT
    assert all(path.with_suffix(".json").is_file() for path in KEPT)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_of_an_earlier_version_says_what_it_said_then(path):
    entries, damage = read(path)
    assert damage is None
    session, then = fold(entries), json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert session.n == then["n"]
    assert json.dumps(session.values) == json.dumps(then["values"])
    assert session.origins == then["origins"]
    assert {s: m.did for s in session.marks if (m := session.status(s))} == then["steps"]
    assert [run.state for run in session.runs.values()] == then["runs"]
    assert sum(entry.did == "said" for entry in session.chat) == then["said"]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_of_an_earlier_version_replays_the_same_today(path):
    [found] = replayed(Workspace(Settings(path.parent)), path)
    assert found.differences == ()
    assert found.values == len(json.loads(path.with_suffix(".json").read_text("utf-8"))["values"])


# --- what differs -----------------------------------------------------------------------------------------


def test_nothing_differs_where_nothing_changed(workspace, sid):
    [found] = replayed(workspace, sid)
    assert (found.differences, found.unknown, found.values) == ((), (), 9)


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        ("ge=1, le=30", "ge=1, le=8", "refused", "Days is 1 to 8; 9 was not taken."),
        ("days: Annotated[int,", "days: Annotated[float,", "altered", "Days is 9.0 now; it was 9."),
        ("stars: int = 3", "rank: str = 'x'", "renamed", "Nobody asks stars any more; it was 4."),
        ('"France": ["Paris", "Lyon"]', '"France": ["Paris"]', "choices", "Town does not offer Lyon"),
        ('"France": ["Paris", "Lyon"]', '"France": ["Paris"]', "refused", '"Lyon" was not taken'),
        ("return days - 1", "return days - 2", "default", "The default of Nights is 7 now, not 8."),
        ("name: str,", "name: str, age: int,", "missing", "asks Age now, and it has no default."),
        ("name: str,", "name: str, age: int = 30,", "new", "asks Age now, its default is 30."),
        ("return days > 7", "return days > 10", "skipped", "“Which hotel?” was asked and is skipped now."),
        ("== (\"Italy\", \"Lyon\")", "== (\"France\", \"Lyon\")", "refused", "is refused now: Lyon is"),
        ('f"{town}, {country}"', 'f"{town} in {country}"', "derived", "is Lyon in France now; it was Lyon, "),
        ('return {"address": f"{town}, {country}"}', "", "derived", "address is not derived any more"),
        ("def city(", "def town_of(", "derived", "The card that derived address is gone"),
        ("return TOWNS[country]", "return TOWNS[country][9]", "failed", "IndexError"),
    ],
)  # fmt: skip
def test_a_changed_file_is_told_of(workspace, sid, old, new, kind, said):
    [found] = replayed(changed(workspace, old, new), sid)
    told = {each.kind: each.sentence for each in found.differences}
    assert said in told[kind], found.differences


def test_a_card_that_was_skipped_and_is_asked_now(workspace):
    given = TRIP | {"days": 4}
    handle, _ = asyncio.run(make_session(workspace, workspace.workflow("trip"), given, {}))
    [found] = replayed(changed(workspace, "return days > 7", "return days > 3"), handle.sid)
    assert [each.kind for each in found.differences] == ["asked"]


@pytest.mark.parametrize(
    ("new", "heir"), [("star", "star"), ("rank", "rank"), ("stars_of_it", "stars_of_it")]
)
def test_a_new_name_that_takes_the_value_may_be_the_old_one(workspace, sid, new, heir):
    [found] = replayed(changed(workspace, "stars: int = 3", f"{new}: int = 3"), sid)
    renamed = next(each for each in found.differences if each.kind == "renamed")
    assert (renamed.name, renamed.heir) == ("stars", heir)
    assert renamed.sentence.endswith("is new and takes that value: renamed?")


def test_a_new_name_that_refuses_the_value_is_not_the_old_one(workspace, sid):
    source = "rating: Annotated[int, Ask(ge=5)] = 5"
    [found] = replayed(changed(workspace, "stars: int = 3", source), sid)
    assert [each.kind for each in found.differences if each.name == "stars"] == ["gone"]


def test_a_card_that_is_not_completed_is_not_judged_as_if_it_were(workspace):
    async def half():
        handle = await begin(workspace, "trip")
        await complete(handle, "start", {"country": "France"})
        return handle.sid

    sid = asyncio.run(half())
    assert replayed(workspace, sid)[0].differences == ()
    newer = changed(workspace, 'Ask("Town", options=towns)]', 'Ask("Town", options=towns)], spot: int')
    assert replayed(newer, sid)[0].differences == ()


def test_a_workflow_that_is_gone_or_broken_differs(workspace, sid):
    broken = changed(workspace, "flow = Workflow", "flow = Wor(kflow")
    assert "trip" in replayed(broken, sid)[0].differences[0].sentence
    (workspace.settings.workspace / "workflows" / "trip.py").unlink()
    assert "no workflow 'trip'" in replayed(Workspace(workspace.settings), sid)[0].differences[0].sentence


def test_a_damaged_log_differs(workspace, sid):
    path = workspace.conversations / sid / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"France"', b'"Italy "', 1))
    assert "damaged at line" in replayed(workspace, sid)[0].differences[0].sentence


# --- what it reads, and what it leaves alone ---------------------------------------------------------------


def looks(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_the_session_stays_as_it_is_and_no_run_is_made(workspace, sid):
    newer = changed(workspace, "    return Note(", "    open('ran', 'w')\n    return Note(")
    before = looks(workspace.conversations)
    assert replayed(newer, sid)[0].differences == ()
    assert looks(workspace.conversations) == before
    assert not Path("ran").exists()


def test_a_secret_comes_from_its_file_alone(workspace, sid):
    longer = changed(workspace, "key: Secret | None = None", "key: Annotated[Secret, Ask(min_length=12)]")
    [found] = replayed(longer, sid)
    assert [each.kind for each in found.differences] == ["refused"]
    assert "hush-hush" not in found.differences[0].sentence
    (workspace.conversations / sid / "secrets.json").unlink()
    [found] = replayed(longer, sid)
    assert found.differences == ()
    assert found.unknown == ("key is a secret that is not kept beside the log.",)


def test_an_upload_comes_from_beside_the_log(workspace, tmp_path):
    (tmp_path / "words.txt").write_text("one two two")
    given = {"text": tmp_path / "words.txt", "ignore": ["two"]}
    handle, _ = asyncio.run(make_session(workspace, workspace.workflow("count_words"), given, {}))
    assert replayed(workspace, handle.sid)[0].unknown == ()
    (handle.files / "words.txt").write_text("one one")
    kinds = [each.kind for each in replayed(workspace, handle.sid)[0].differences]
    assert kinds == ["choices", "refused"]
    (handle.files / "words.txt").unlink()
    [found] = replayed(workspace, handle.sid)
    assert found.differences == ()
    assert found.unknown[0] == "text is the file words.txt, which is not kept beside the log."
    assert "“Which text?” could not be replayed without text." in found.unknown
    assert "The cards after “Which text?” were not replayed." in found.unknown


def test_a_file_outside_the_session_is_not_read(workspace, tmp_path):
    (tmp_path / "words.txt").write_text("one")
    given = {"text": tmp_path / "words.txt"}
    handle, _ = asyncio.run(make_session(workspace, workspace.workflow("count_words"), given, {}))
    (handle.files / "words.txt").unlink()
    (handle.files / "words.txt").symlink_to(tmp_path / "words.txt")
    assert "not kept beside the log" in replayed(workspace, handle.sid)[0].unknown[0]


def test_what_names_a_log(workspace, sid, tmp_path):
    folder = workspace.conversations / sid
    log = folder / "log.jsonl"
    for text in (sid, sid[-4:], folder, log):
        assert [kept.log for kept in find_logs(workspace, str(text))] == [log]
    shutil.copyfile(log, tmp_path / "bare.jsonl")
    shutil.copytree(folder, tmp_path / "moved")
    assert [kept.name for kept in find_logs(workspace, str(tmp_path))] == ["bare.jsonl", "moved"]
    assert find_logs(workspace, f"{sid}@3")[0].at == 3
    assert find_logs(workspace, f"{log}@3")[0].at == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssistantError, match="no log in"):
        find_logs(workspace, str(tmp_path / "empty"))
    with pytest.raises(AssistantError, match="There is no session 'none'"):
        find_logs(workspace, "none")


def test_replay_as_of_an_entry(workspace, sid):
    [found] = replayed(changed(workspace, "ge=1, le=30", "ge=1, le=8"), f"{sid}@2")
    assert (found.values, found.differences) == (0, ())
    [found] = replayed(workspace, f"{sid}@999")
    assert "There is no entry 999" in found.differences[0].sentence


def test_the_command(workspace, sid):
    program = Program(workspace.settings.workspace)
    out, _ = program("replay", sid)
    assert out == f"{sid}: 9 values, no difference\nIt would be the same now.\n"
    changed(workspace, "ge=1, le=30", "ge=1, le=8")
    out, err = program("replay", sid[-4:], status=1)
    assert "  refused: Days is 1 to 8; 9 was not taken.\n" in out
    assert err == "1 of 1 sessions would be different now.\n"
    shutil.copytree(workspace.conversations / sid, workspace.conversations / f"{sid[:-4]}0000")
    out, err = program("replay", "conversations", status=1)
    assert out.count("1 difference\n") == 2
    assert err == "2 of 2 sessions would be different now.\n"
    assert "There is no session 'nothing'" in program("replay", "nothing", status=1)[1]

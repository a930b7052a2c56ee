"""Runs: real processes, and what the log says of them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import runs
from assistant.errors import Conflict
from assistant.log import Entry
from assistant.results.tables import read_table
from assistant.runs import Launch, ProgressNow, execute, process, start
from assistant.runs.output import OUTPUT_BYTES, TAIL_CHARACTERS
from assistant.runs.process import death
from assistant.runs.runlock import held, interrupted, unfinished

pytestmark = pytest.mark.anyio
HEAD = '''
import asyncio, os, re, signal, subprocess, sys, time
from pathlib import Path
from typing import Annotated
from assistant.parameters import Ask, Secret, Upload
from assistant.results import Download, Graph, Note, Progress, Table
from assistant.workflow import Workflow

flow = Workflow("Test")


@flow.step
def ask(depth: Annotated[int, Ask(le=9)] = 3, key: Annotated[Secret | None, Ask()] = None,
        text: Annotated[Upload | None, Ask()] = None):
    """?"""


@flow.run
'''
ALIVE = """
def count():
    below = "import signal, time; {ignore}print(1, flush=True); time.sleep(600)"
    grandchild = subprocess.Popen([sys.executable, "-c", below], stdout=subprocess.PIPE)
    grandchild.stdout.readline()
    Path({pids!r}).with_suffix(".half").write_text(f"{{os.getpid()}} {{grandchild.pid}}")
    Path({pids!r}).with_suffix(".half").rename({pids!r})
    {wait}
"""
IGNORE = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


@pytest.fixture(scope="module", params=["asyncio"])
def anyio_backend(request):
    return request.param


class Session:
    """A folder with a workflow, and what a run of it wrote and told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.lock = folder, folder / "files", folder / "run.lock"
        self.facts: list = []
        self.told: list[ProgressNow] = []

    def launch(self, body: str, **options) -> Launch:
        path = self.folder / "test_flow.py"
        path.write_text(HEAD + body.strip() + "\n", encoding="utf-8")
        return Launch(
            **{"run": "r1", "workflow": path, "values": {}, "files": self.files, "lock": self.lock} | options
        )

    async def write(self, facts) -> None:
        for fact in facts:
            json.dumps(dict(fact.fields), allow_nan=False)
        self.facts += facts

    async def run(self, body: str, **options) -> dict:
        """Runs it and returns the fields of the last entry, with `did`."""
        await execute(self.launch(body, **options), self.write, self.told.append)
        return {"did": self.facts[-1].did, **self.facts[-1].fields}

    def did(self) -> list[str]:
        return [fact.did for fact in self.facts]

    def produced(self) -> list[dict]:
        return [dict(fact.fields) for fact in self.facts if fact.did == "produced"]


@pytest.fixture
def session(tmp_path):
    return Session(tmp_path)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


async def until(condition) -> None:
    """Waits for what must come; the limit only ends a test that has failed."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  nothing wakes us when a process of another ends
            await asyncio.sleep(0.01)


def numbers(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()]


async def pids_in(path: Path) -> list[int]:
    await until(path.exists)
    return numbers(path)


# --- results, progress, output -------------------------------------------------------------------------


async def test_a_run_from_started_to_finished(session):
    end = await session.run(
        """
def count(depth):
    yield Progress(0, depth, "begun")
    yield Table("pages", [{"page": "=a", "n": depth}])
    yield Progress(depth, depth, "done")
    yield Note("# well")
""",
        values={"depth": 2},
    )
    assert session.did() == ["started", "progressed", "produced", "progressed", "produced", "finished"]
    assert session.facts[0].by == "user"
    assert session.facts[0].fields == {"run": "r1", "parameters": {"depth": 2}}
    assert session.facts[1].fields == {"run": "r1", "done": 0, "total": 2, "note": "begun"}
    assert [fact.sync for fact in session.facts] == [True, False, True, False, True, True]
    table = session.produced()[0]
    assert table == {
        "run": "r1", "name": "pages", "kind": "table", "file": "pages.csv", "rows": 1,
        "columns": {"page": "text", "n": "int"},
    }  # fmt: skip
    assert read_table(session.files / "pages.csv", table["columns"]) == [("=a", 2)]
    assert set(end) == {"did", "run", "seconds"}
    last = session.told[-1]
    assert (last.done, last.total, last.note, last.output) == (2, 2, "done", "")


@pytest.mark.parametrize(
    "body",
    [
        "def count(): return Note('x')",
        "def count(): return [Progress(1, 1), Note('x')]",
        "def count():\n    yield [Note('x')]\n    yield None",
        "async def count(): return Note('x')",
        "async def count():\n    await asyncio.sleep(0)\n    yield Note('x')",
        "def count(**values):\n    yield Note('x')\n    sys.exit()",
    ],
)
async def test_run_functions_of_every_kind(session, body):
    assert (await session.run(body))["did"] == "finished"
    assert [result["kind"] for result in session.produced()] == ["note"]


async def test_prints_do_not_break_the_reports_and_are_kept(session):
    end = await session.run(
        r"""
def count():
    print('{"finished": true}')
    print("\x1b[31mred\x1b[0m", file=sys.stderr)
    os.write(1, b"raw \xff\n 10%\r 20%\n")
    subprocess.run([sys.executable, "-c", "print('from below')"])
    print("input:", repr(sys.stdin.read()), "ü \ud800")
    yield Note("x")
    print("no newline", end="")
"""
    )
    assert end["did"] == "finished"
    output = (session.files / end["output"]).read_bytes()
    assert end["output"] == "r1-output.txt"
    assert b'{"finished": true}\n' in output and b"from below\ninput: ''" in output
    tail = session.told[-1].output
    assert "\nred\nraw \N{REPLACEMENT CHARACTER}\n 20%\n" in tail
    assert tail.endswith("ü \\ud800\nno newline")
    assert (session.files / end["output"]).stat().st_mode & 0o777 == 0o600


async def test_a_flood_of_output_is_bounded(session):
    end = await session.run("def count():\n    for n in range(40):\n        print(str(n) + 'x' * 50_000)")
    kept = (session.files / end["output"]).read_bytes()
    assert OUTPUT_BYTES < len(kept) < OUTPUT_BYTES + 100
    assert kept.endswith("… the rest was not kept\n".encode())
    assert len(session.told[-1].output) <= TAIL_CHARACTERS


async def test_much_progress_is_thinned_but_the_last_comes(session):
    await session.run(
        """
def count():
    for n in range(20_001):
        yield Progress(n, 20_000, f"page {n}")
"""
    )
    logged = [fact.fields for fact in session.facts if fact.did == "progressed"]
    assert logged[-1] == {"run": "r1", "done": 20_000, "total": 20_000, "note": "page 20000"}
    assert len(logged) < 200 and len(session.told) < 200
    assert session.told[-1].done == 20_000


async def test_the_last_progress_before_a_pause_is_told_during_the_pause(session):
    go_on = session.folder / "go"
    task = await start(
        session.launch(
            f"""
def count():
    yield Progress(1, 3)
    yield Progress(2, 3, "waiting")
    while not Path({str(go_on)!r}).exists():
        time.sleep(0.01)
"""
        ),
        session.write,
        session.told.append,
    )
    await until(lambda: session.told and session.told[-1].note == "waiting")
    go_on.touch()
    await task
    assert session.did()[-1] == "finished"


async def test_odd_progress_becomes_numbers(session):
    await session.run("def count():\n    yield Progress(float('nan'), float('inf'), 'a\\nb' + 'x' * 999)\n")
    note = session.told[-1].note
    assert (session.told[-1].done, session.told[-1].total, note[:4], len(note)) == (0, 0, "a bx", 200)


async def test_uploads_are_found_and_values_judged_again(session):
    session.files.mkdir()
    (session.files / "a.txt").write_text("words")
    body = "def count(text, depth):\n    yield Note(text.read_text() + str(depth + 1))"
    values = {"text": {"file": "a.txt"}, "depth": 3}
    assert (await session.run(body, values=values))["did"] == "finished"
    assert (session.files / "note.md").read_text() == "words4"
    end = await session.run(body, values=values | {"depth": 10})
    assert end["did"] == "failed" and end["reason"].startswith("depth: ")


# --- failures ------------------------------------------------------------------------------------------


async def test_a_failure_names_its_line_and_keeps_what_was_produced(session):
    body = "def count(depth):\n    yield Note('kept')\n    helper()\n\n\n"
    end = await session.run(body + "def helper():\n    raise KeyError('no such page')", values={"depth": 1})
    line = HEAD.count("\n") + 7
    assert end["did"] == "failed"
    assert (end["where"], end["run"]) == ("run", "r1")
    assert end["reason"] == f"test_flow.py, line {line}: KeyError: 'no such page'"
    assert "in helper" in end["traceback"] and "child.py" not in end["traceback"]
    assert len(session.produced()) == 1


@pytest.mark.parametrize(
    "body, reason",
    [
        ("def count():\n    sys.exit('no pages')", "sys.exit(no pages)"),
        ("def count():\n    sys.exit(3)", "sys.exit(3)"),
        ("def count():\n    os._exit(7)", "ended before the workflow did (exit status 7)"),
        ("def count():\n    os._exit(0)", "ended before the workflow did (exit status 0)"),
        (
            "def count():\n    os.kill(os.getpid(), signal.SIGKILL)",
            "signal 9 (killed; perhaps out of memory)",
        ),
        ("def count():\n    os.abort()", "signal 6"),
        ("def count():\n    raise MemoryError", "not enough memory"),
        ("def count():\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def count():\n    return 5", "not int"),
        ("def count():\n    yield Table('odd', 5)", "Table 'odd'"),
        ("def count():\n    yield Progress('a', 1)", "ValueError"),
        ("def count(nothing=1/0): pass", "ZeroDivisionError"),
        ("def count(: pass", "test_flow.py, line"),
        ("async def count():\n    yield Note('x')\n    raise OSError('disk')", "OSError: disk"),
    ],
)
async def test_every_way_to_fail_is_a_sentence(session, body, reason):
    end = await session.run(body)
    assert end["did"] == "failed"
    assert reason in end["reason"]
    assert session.did().count("started") == 1
    assert not held(session.lock)


async def test_what_happens_after_the_last_result(session, monkeypatch):
    end = await session.run("def count():\n    yield Note('x')\n    os.kill(os.getpid(), signal.SIGSEGV)")
    assert end["did"] == "failed" and "signal 11" in end["reason"]
    monkeypatch.setattr(process, "EXIT_SECONDS", 0.2)
    hang = (
        "import threading\n    threading.Thread(target=time.sleep, args=(600,)).start()\n    yield Note('x')"
    )
    assert (await session.run(f"def count():\n    {hang}"))["did"] == "finished"


async def test_secrets_are_masked_in_all_that_is_passed_on(session):
    end = await session.run(
        """
def count(key):
    print("key", key[:5], end="", flush=True)
    time.sleep(0.05)
    print(key[5:], "end", flush=True)
    yield Progress(1, 2, f"with {str.__str__(key)}")
    yield Table("t-" + key, [{"c-" + key: 1}])
    raise ValueError("x" * 495 + key)
""",
        values={"key": {"secret": True}},
        secrets={"key": "hunter2secret"},
    )
    assert end["did"] == "failed" and end["reason"].endswith("x••••")
    entries = json.dumps([dict(fact.fields) for fact in session.facts], ensure_ascii=False)
    assert "hunter2" not in entries and "2secret" not in entries
    assert session.produced()[0]["name"] == "t-••••"
    output = (session.files / end["output"]).read_text()
    assert output == "key ••••" + " end\n" == session.told[-1].output
    assert session.told[-1].note == "with ••••"


# --- ends from outside ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ignore", ["", IGNORE])
async def test_cancel_ends_the_run_and_what_it_started(session, ignore, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "CANCEL_SECONDS", 0.2)
    pids = tmp_path / "pids"
    wait = f"{ignore}yield Progress(1, 2)\n    time.sleep(600)"
    body = ALIVE.format(ignore=ignore, pids=str(pids), wait=wait)
    task = await start(session.launch(body), session.write, session.told.append)
    child, grandchild = await pids_in(pids)
    assert alive(child) and alive(grandchild) and held(session.lock)
    with pytest.raises(Conflict):
        await start(session.launch(body, run="r2"), session.write, session.told.append)
    assert await runs.cancel("r1", by="guide")
    assert task.done()
    assert (session.facts[-1].did, session.facts[-1].by) == ("cancelled", "guide")
    assert session.did().count("started") == 1
    await until(lambda: not alive(child) and not alive(grandchild))
    assert not held(session.lock)
    assert not await runs.cancel("r1")


async def test_cancel_at_once_starts_nothing_or_ends_it(session):
    task = await start(
        session.launch("def count():\n    time.sleep(600)"), session.write, session.told.append
    )
    assert await runs.cancel("r1")
    assert task.done() and session.did() == ["started", "cancelled"]


async def test_what_a_run_leaves_behind_ends_with_it(session, tmp_path):
    body = ALIVE.format(ignore=IGNORE, pids=str(tmp_path / "pids"), wait="return Note('x')")
    assert (await session.run(body))["did"] == "finished"
    _, grandchild = await pids_in(tmp_path / "pids")
    await until(lambda: not alive(grandchild))


async def test_a_process_that_left_the_group_does_not_keep_the_run_open(session, tmp_path):
    pids = tmp_path / "pids"
    body = ALIVE.format(ignore="import os; os.setsid(); ", pids=str(pids), wait="return Note('x')")
    body = body.replace("stdout=subprocess.PIPE", "stdout=subprocess.PIPE, stderr=sys.stderr")
    try:
        assert (await session.run(body))["did"] == "finished"
    finally:
        os.kill((await pids_in(pids))[1], signal.SIGKILL)


async def test_stop_all_leaves_a_run_without_an_end(session, tmp_path):
    body = ALIVE.format(ignore="", pids=str(tmp_path / "pids"), wait="time.sleep(600)")
    await start(session.launch(body), session.write, session.told.append)
    pids = await pids_in(tmp_path / "pids")
    await runs.stop_all()
    await until(lambda: not any(map(alive, pids)))
    assert session.did() == ["started"] and not held(session.lock)


async def test_a_log_that_takes_no_more_ends_the_run(session):
    async def write(facts):
        if facts[0].did == "produced":
            raise OSError("disk full")
        await session.write(facts)

    body = "def count():\n    yield Note('x')\n    time.sleep(600)"
    with pytest.raises(OSError, match="disk full"):
        await execute(session.launch(body), write, session.told.append)
    assert not held(session.lock)


async def test_a_start_that_is_not_written_starts_nothing(session):
    async def write(facts):
        raise Conflict("not now")

    with pytest.raises(Conflict):
        await start(session.launch("def count(): pass"), write, session.told.append)
    assert not held(session.lock) and not session.files.exists()


SERVER = """
import asyncio, sys
from pathlib import Path
from assistant.runs import Launch, execute

async def write(facts):
    print(*(fact.did for fact in facts), flush=True)

folder = Path(sys.argv[1])
launch = Launch("r1", folder / "test_flow.py", {}, folder / "files", folder / "run.lock")
asyncio.run(execute(launch, write, lambda now: None))
"""


def serve(folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(runs.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)], env=environment, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep(600)",
        "while True: pass",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); asyncio.run(asyncio.sleep(600))",
        pytest.param(
            "re.match('(a+)+$', 'a' * 60 + 'b')  # holds the interpreter for ever",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a closed pipe"),
        ),
    ],
)
async def test_nothing_outlives_a_killed_server(session, tmp_path, wait):
    pids = tmp_path / "pids"
    session.launch(ALIVE.format(ignore=IGNORE, pids=str(pids), wait=wait))
    server = serve(tmp_path)
    try:
        running = await pids_in(pids)
        assert all(map(alive, running)) and held(session.lock)
    finally:
        server.kill()
        said, _ = server.communicate()
    await until(lambda: not any(map(alive, running)))
    await until(lambda: not held(session.lock))
    assert said == b"started\n"


# --- without a process ---------------------------------------------------------------------------------


def entry(n: int, did: str, **fields) -> Entry:
    return Entry(n, "2026-11-21T10:03:01.123Z", "app", did, fields)


async def test_runs_without_an_end(tmp_path):
    log = [
        entry(1, "started", run="a"), entry(2, "finished", run="a"),
        entry(3, "started", run="b"), entry(4, "failed", where="model", turn="t"),
        entry(5, "progressed", run="b"),
        entry(6, "started", run="c"), entry(7, "failed", where="run", run="c"),
        entry(8, "started", run="d"), entry(9, "cancelled", run="d"),
    ]  # fmt: skip
    assert unfinished(log) == ["b"]
    facts = interrupted(log, tmp_path / "run.lock")
    assert [(fact.did, fact.fields) for fact in facts] == [("interrupted", {"run": "b"})]
    assert interrupted([*log, entry(10, "interrupted", run="b")], tmp_path / "run.lock") == []


async def test_a_held_lock_is_no_interruption(session):
    task = await start(
        session.launch("def count():\n    time.sleep(600)"), session.write, session.told.append
    )
    assert interrupted([entry(1, "started", run="r1")], session.lock) == []
    await runs.cancel("r1")
    await task
    assert len(interrupted([entry(1, "started", run="r1")], session.lock)) == 1


async def test_death_is_a_sentence():
    assert death(-9) == "The run's process ended by signal 9 (killed; perhaps out of memory)."
    assert "(ended by another program)" in death(-15)
    assert "Segmentation" in death(-11)
    assert "signal 250" in death(-250)

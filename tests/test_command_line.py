"""The command line: the real program, in workspaces of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import assistant
from assistant.log import Entry, encode
from assistant.runs.runlock import held
from assistant.sentences import sentence

ROOT = Path(assistant.__file__).parent.parent
FLOW = '''
"""A small workflow."""
import time
from typing import Annotated
from assistant import Ask, Note, Progress, Secret, Table, Upload, Workflow

flow = Workflow("Small")


@flow.step
def first(depth: Annotated[int, Ask(ge=1, le=9)], words: list[str] = []):
    """How deep?"""
    if depth == 8:
        raise ValueError("Eight is not for us.")
    return {"double": 2 * depth}


@flow.step(when=lambda depth: depth > 5)
def second(depth, text: Annotated[Upload | None, Ask(accept=".txt")] = None, key: Secret | None = None):
    """Which file?"""


@flow.run
def go(depth, words, double, text, key):
    yield Progress(1, 2, "half")
    if depth == 4:
        raise RuntimeError("four fails")
    if depth == 3:
        time.sleep(600)
    size = len(text.read_bytes()) if text else 0
    row = {"depth": depth, "double": double, "words": len(words), "size": size, "key": bool(key)}
    yield Table("numbers", [row])
    yield Progress(2, 2)
    yield Note("# done")
'''
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
DEAD = "http://127.0.0.1:9"  # where no Ollama is


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ASSISTANT_", "XDG_"))
        and name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    }
    return kept | {"PYTHONPATH": str(ROOT), "OLLAMA_HOST": DEAD, "TZ": "UTC"} | more


class Started(subprocess.Popen):
    """A process that does not outlive its `with`, so that a failed test ends instead of waiting."""

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class Program:
    """Runs the program in a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(
        self, *arguments: str, stdin: int | None = subprocess.DEVNULL, **more: str
    ) -> subprocess.Popen[str]:
        return Started(
            [sys.executable, "-m", "assistant", *arguments],
            cwd=self.folder, env=environment(**more), text=True,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __call__(self, *arguments: str, status: int = 0, stdin: str = "", **more: str) -> tuple[str, str]:
        """What it prints on stdout and stderr; its exit status must be `status`."""
        with self.start(*arguments, stdin=subprocess.PIPE, **more) as process:
            out, err = process.communicate(stdin, timeout=120)
        assert process.returncode == status, f"{out}\n{err}"
        assert "Traceback" not in err
        return out, err

    def sessions(self) -> list[str]:
        """Ids, the last changed first."""
        folders = (self.folder / "conversations").glob("*/log.jsonl")
        return [log.parent.name for log in sorted(folders, key=lambda log: -log.stat().st_mtime_ns)]

    def entries(self, sid: str) -> list[dict]:
        lines = (self.folder / "conversations" / sid / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def program(tmp_path) -> Program:
    (tmp_path / "work" / "workflows").mkdir(parents=True)
    (tmp_path / "work" / "workflows" / "small.py").write_text(FLOW, "utf-8")
    return Program(tmp_path / "work")


@pytest.fixture
def session(program) -> str:
    """A session whose first card is completed, and which has run."""
    program("run", "small", "--set", "depth=2")
    return program.sessions()[0]


# --- arguments, workspaces, environment ------------------------------------------------------------------


def test_public_names():
    names = "Workflow Ask Secret Upload Refused Progress Table Graph Download Note"
    assert set(assistant.__all__) == set(names.split())
    assert all(hasattr(assistant, name) for name in assistant.__all__)


def test_the_small_commands_load_nothing_heavy(program):
    code = "import assistant.__main__, sys; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    loaded = set(told.stdout.split())
    assert "assistant.headless" in loaded
    assert not {"fasthtml", "pandas", "ollama", "uvicorn", "starlette"} & loaded


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "small", "--set", "depth"], "'depth' is not of the form name=value."),
        (["run", "small", "--set", "depth=1", "--set", "depth=2"], "depth is given twice"),
        (["serve", "--port", "x"], "not a valid integer"),
        (["--port", "70000"], "70000"),
        (["--prefix", "x"], "--prefix"),
        (["--port", "5003", "sessions"], "No such option"),
        (["init"], "assistant init DIR"),
    ],
)
def test_wrong_use(program, arguments, said):
    assert said in program(*arguments, status=2)[1]


def test_help_and_version(program):
    assert "doctor" in program("--help")[0]
    assert "--parameters" in program("run", "--help")[0]
    assert len(program("--version")[0].splitlines()) == 1


def test_the_workspace_stands_before_or_after_the_command_or_in_the_environment(program, session, tmp_path):
    elsewhere = Program(tmp_path)
    folder = str(program.folder)
    assert session in elsewhere("--workspace", folder, "sessions")[0]
    assert session in elsewhere(f"--workspace={folder}", "sessions")[0]
    assert session in elsewhere("sessions", "--workspace", folder)[0]
    assert session in elsewhere("sessions", ASSISTANT_WORKSPACE=folder)[0]
    assert session in program("sessions")[0]


def test_without_a_workspace_it_is_one_in_the_data_directory(tmp_path):
    told, _ = Program(tmp_path)("sessions", XDG_DATA_HOME=str(tmp_path / "data"), HOME=str(tmp_path / "home"))
    assert told == "There are no sessions yet.\n"
    (place,) = tmp_path.rglob("workflows")
    assert tmp_path / "data" in place.parents or tmp_path / "home" in place.parents


def test_a_workspace_that_is_not_there(program):
    _, err = program("sessions", "--workspace", "nowhere", status=1)
    assert "There is no folder" in err
    assert "assistant init" in err


def test_an_ollama_host_that_is_no_address(program):
    assert "OLLAMA_HOST is" in program("sessions", OLLAMA_HOST="ftp://x", status=1)[1]


# --- init, new -------------------------------------------------------------------------------------------


def test_init_makes_a_workspace_once(tmp_path):
    program = Program(tmp_path)
    assert "is a workspace." in program("init", "made")[0]
    made = sorted(p.name for p in (tmp_path / "made").iterdir())
    assert made == ["conversations", "prompts", "settings.toml", "workflows"]
    assert (tmp_path / "made" / "conversations").stat().st_mode & 0o777 == 0o700
    assert "already" in program("init", "made")[0]


def test_init_where_a_file_is_in_the_way(tmp_path):
    (tmp_path / "made").write_text("x")
    assert "a file is in its way" in Program(tmp_path)("init", "made", status=1)[1]


def test_new_makes_a_workflow_that_runs(program):
    program("new", "first_try")
    out, _ = program("run", "first_try", "--set", "text=a b a")
    assert "table words, 2 rows" in out
    assert "is there already" in program("new", "first_try", status=1)[1]


@pytest.mark.parametrize("name", ["../up", "First", "with-hyphen", "1st", ""])
def test_new_refuses_names_that_are_no_file_names(program, name):
    assert "is no name for a workflow" in program("new", name, status=1)[1]
    assert [p.name for p in (program.folder / "workflows").iterdir()] == ["small.py"]


# --- run -------------------------------------------------------------------------------------------------


def test_run_with_results_copied_out(program):
    words = json.dumps(["a", "b"])
    out, err = program("run", "small", "--set", "depth=2", "--set", f"words={words}", "--out", "results")
    results = program.folder / "results"
    assert f"table numbers, 1 rows: {Path('results') / 'numbers.csv'}" in out
    assert "of 2" in err
    assert (results / "numbers.csv").read_text().splitlines() == [
        "depth,double,words,size,key",
        "2,4,2,0,false",
    ]
    assert (results / "note.md").read_text() == "# done"
    assert sorted(p.name for p in results.iterdir()) == ["note.md", "numbers.csv"]
    sid = program.sessions()[0]
    assert sid in err
    did = [(e["by"], e["did"]) for e in program.entries(sid)]
    assert did[0] == ("cli", "began")
    assert ("cli", "set") in did and ("cli", "started") in did
    assert did[-1] == ("workflow", "finished")


def test_a_second_run_replaces_the_results_and_follows_no_link(program):
    results = program.folder / "results"
    results.mkdir()
    (program.folder / "mine.csv").write_text("mine")
    (results / "numbers.csv").symlink_to(program.folder / "mine.csv")
    program("run", "small", "--set", "depth=1", "--out", "results")
    assert (results / "numbers.csv").read_text().splitlines()[1].startswith("1,")
    assert (program.folder / "mine.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["depth=12"], "depth: Depth is 1 to 9; 12 was not taken."),
        ([], "depth: Depth is missing."),
        (["depth=8"], "Eight is not for us."),
        (["deep=2"], "deep: there is no such parameter; there are depth, words, text, key."),
        (["depth=6", "key=abc"], "--secret key"),
        (["depth=6", "text=none.txt"], "none.txt"),
    ],
)
def test_run_refuses(program, pairs, said):
    arguments = [part for pair in pairs for part in ("--set", pair)]
    out, err = program("run", "small", *arguments, status=1)
    assert said in err
    assert out == ""
    assert all(e["did"] != "started" for sid in program.sessions() for e in program.entries(sid))


def test_the_refusal_is_in_the_log(program):
    program("run", "small", "--set", "depth=12", status=1)
    last = program.entries(program.sessions()[0])[-1]
    assert (last["by"], last["did"], last["value"]) == ("cli", "refused", "12")


def test_run_of_a_workflow_that_is_not_there_or_broken(program):
    assert "There is no workflow 'x'. There are: " in program("run", "x", status=1)[1]
    (program.folder / "workflows" / "broken.py").write_text("def (")
    assert "workflows/broken.py, line 1" in program("run", "broken", status=1)[1]


def test_a_run_that_fails(program):
    assert "four fails" in program("run", "small", "--set", "depth=4", status=1)[1]


def test_parameters_from_a_file_with_an_upload_and_a_secret(program, tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "a.txt").write_text("12345")
    (folder / "p.json").write_text(json.dumps({"depth": 7, "text": "a.txt", "words": ["x"]}))
    program("run", "small", "--parameters", str(folder / "p.json"), "--set", "depth=9", "--secret", "key",
            "--out", "out", stdin="hush-hush\n")  # fmt: skip
    assert (program.folder / "out" / "numbers.csv").read_text().splitlines()[1] == "9,18,1,5,true"
    sid = program.sessions()[0]
    assert "hush-hush" not in (program.folder / "conversations" / sid / "log.jsonl").read_text()
    added = next(e for e in program.entries(sid) if e["did"] == "added")
    assert (added["by"], added["file"], added["bytes"]) == ("cli", "a.txt", 5)
    assert program("verify", sid)[0].endswith("all good.\n")

    program("run", "small", "--from", sid, "--out", "again")
    assert (program.folder / "again" / "numbers.csv").read_text().splitlines()[1] == "9,18,1,5,true"
    exported, _ = program("export", sid, "parameters.json")
    assert json.loads(exported) == {
        "depth": 9,
        "words": ["x"],
        "text": {"file": "a.txt"},
        "key": {"secret": True},
    }


@pytest.mark.parametrize(("content", "said"), [("[1]", "does not hold one object"), ("{", "is not JSON")])
def test_parameters_that_are_none(program, content, said):
    (program.folder / "p.json").write_text(content)
    assert said in program("run", "small", "--parameters", "p.json", status=1)[1]


def test_values_of_a_session_as_they_were(program, session):
    program("set", session, "depth=5")
    program("run", "small", "--from", f"{session}@3", "--out", "old")
    program("run", "small", "--from", session, "--out", "new")
    assert (program.folder / "old" / "numbers.csv").read_text().splitlines()[1].startswith("2,4")
    assert (program.folder / "new" / "numbers.csv").read_text().splitlines()[1].startswith("5,10")
    assert "are 1 to" in program("run", "small", "--from", f"{session}@999", status=1)[1]


def test_values_of_a_skipped_card_are_not_used(program):
    (program.folder / "a.txt").write_text("12345")
    _, err = program("run", "small", "--set", "depth=2", "--set", "text=a.txt")
    assert "Not used, because the card is skipped: text." in err


def test_ctrl_c_cancels_the_run(program):
    with program.start("run", "small", "--set", "depth=3") as process:
        while "half" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The run was cancelled." in err
    last = program.entries(program.sessions()[0])[-1]
    assert (last["by"], last["did"]) == ("cli", "cancelled")


# --- sessions, log, verify, set, export ------------------------------------------------------------------


def test_sessions_and_parts_of_their_names(program, session):
    assert program("sessions")[0].split()[0] == session
    assert program("log", session[-4:])[0] == program("log", session)[0]
    program("run", "small", "--set", "depth=1")
    assert "fits 2 sessions" in program("log", "small", status=1)[1]
    assert "There is no session 'zzz'" in program("log", "zzz", status=1)[1]
    assert "There is no session '../x'" in program("log", "../x", status=1)[1]


def test_log_is_one_sentence_for_each_entry(program, session):
    lines = program("log", session)[0].splitlines()
    entries = program.entries(session)
    assert len(lines) == len(entries)
    at = entries[2]["at"][11:19]
    assert lines[2] == f"{at} cli set depth 2, words none"
    told = [json.loads(line) for line in program("log", session, "--json")[0].splitlines()]
    assert told == [{key: value for key, value in entry.items() if key != "crc"} for entry in entries]


@pytest.mark.parametrize(
    ("by", "did", "fields", "said"),
    [
        ("user", "set", {"step": "start", "values": {"depth": 3}}, "user set depth 3"),
        ("model", "set", {"values": {"on": True}, "why": "you said so"}, "model set on yes (you said so)"),
        ("user", "said", {"text": "a\nb\x1b[31m"}, "user said: a b [31m"),
        ("guide", "said", {"text": "x", "stopped": True}, "guide said (stopped): x"),
        ("user", "refused", {"step": "s", "name": None, "reason": "no"}, "user gave the card s, refused: no"),
        ("app", "reopened", {"step": "s", "because": "depth"}, "app reopened s, because depth changed"),
        ("user", "undid", {"entries": [3, 4]}, "user took back entries 3, 4"),
        ("user", "pinned", {"on": False}, "user unpinned the session"),
        ("user", "set", {"values": 7}, 'user set {"values": 7}'),
        ("app", "dreamt", {"of": "sheep"}, 'app dreamt {"of": "sheep"}'),
    ],
)  # fmt: skip
def test_sentences(by, did, fields, said):
    assert sentence(Entry(1, "2026-11-21T10:03:01.123Z", by, did, fields)) == said


def test_another_day_is_told(program):
    sid = "2026-11-20-small-0001"
    folder = program.folder / "conversations" / sid
    folder.mkdir(parents=True)
    entries = [
        Entry(
            1,
            "2026-11-20T23:59:59.000Z",
            "user",
            "began",
            {"workflow": "small", "title": "Small", "format": 1},
        ),
        Entry(2, "2026-11-21T00:00:01.000Z", "user", "named", {"name": "x"}),
    ]
    (folder / "log.jsonl").write_bytes(b"".join(encode(entry) + b"\n" for entry in entries))
    lines = program("log", sid)[0].splitlines()
    assert lines == ["23:59:59 user began Small", "2026-11-21 00:00:01 user named the session x"]


def test_log_follows(program, session):
    with program.start("log", session, "--follow") as process:
        for _ in program.entries(session):
            assert process.stdout.readline()
        program("set", session, "depth=5")
        told = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert any("cli set depth 5" in line for line in told)


def test_a_damaged_log(program, session):
    path = program.folder / "conversations" / session / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"depth":2', b'"depth":3', 1))
    _, err = program("verify", session, status=1)
    assert "The log is damaged at line 3" in err
    out, err = program("log", session, status=1)
    assert len(out.splitlines()) == 2
    assert "damaged at line 3" in err
    assert "can be looked at, not changed" in program("set", session, "depth=4", status=1)[1]
    assert program("export", session, "log.jsonl")[0].encode() == path.read_bytes()


def test_verify_looks_at_the_files_too(program, session):
    (program.folder / "conversations" / session / "files" / "numbers.csv").unlink()
    assert "numbers.csv of entry" in program("verify", session, status=1)[1]


def test_set(program, session):
    out, err = program("set", session, "depth=7", "deep=1", "key=x", status=1)
    assert out == "depth is now 7.\n"
    assert "deep: There is no parameter deep." in err
    assert "key: Key is a secret" in err
    assert program("set", session, "depth=7")[0] == "depth was that already.\n"
    sets = [e for e in program.entries(session) if e["did"] == "set" and e["by"] == "cli"]
    assert sets[-1]["values"] == {"depth": 7}


def test_exports(program):
    program("run", "small", "--set", "depth=2", "--set", 'words=["=1+1"]')
    sid = program.sessions()[0]
    assert json.loads(program("export", sid, "parameters.json")[0])["words"] == ["=1+1"]
    assert program("export", sid, "parameters.csv")[0].splitlines()[:3] == [
        "name,value,by",
        "depth,2,cli",
        'words,"[""=1+1""]",cli',
    ]
    assert "cli set depth 2" in program("export", sid, "conversation.md")[0]
    assert "there are log.jsonl, conversation.md" in program("export", sid, "x.pdf", status=1)[1]


def test_an_exported_text_is_no_formula_and_no_markup(program):
    program("new", "texts")
    program("run", "texts", "--set", "text==cmd <b>*x*</b>")
    sid = program.sessions()[0]
    assert "'=cmd" in program("export", sid, "parameters.csv")[0]
    assert "\\<b\\>\\*x\\*" in program("export", sid, "conversation.md")[0]


# --- serve -----------------------------------------------------------------------------------------------


@contextmanager
def serving(program: Program, *arguments: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that listens, and the address that it prints."""
    with program.start("--no-browser", *arguments, **more) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("Assistant at http://"), line + process.stderr.read()
            yield process, line.split()[2]
        finally:
            process.kill()


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_version(program):
    assert program("--version")[0].strip() == VERSION


def test_serve_until_ctrl_c(program):
    with serving(program, "--port", "0") as (process, address):
        status, told = get(f"{address}healthz")
        assert (status, json.loads(told)["version"]) == (200, VERSION)
        kept = json.loads((program.folder / "conversations" / ".server.json").read_text())
        assert kept == {"address": address, "pid": process.pid}
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert (program.folder / "conversations" / ".server.json").read_text() == ""


def test_an_open_stream_does_not_hold_the_end_up(program, session):
    with serving(program, "--port", "0") as (process, address):
        with urllib.request.urlopen(f"{address}sessions/{session}/events?after=0", timeout=30) as stream:
            assert stream.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_serve_until_sigterm(program):
    with serving(program, "serve", ASSISTANT_PORT="0") as (process, _):
        process.terminate()
        assert process.wait(60) == 0


def test_a_workspace_that_is_served_is_found(program):
    with serving(program, "--port", "0") as (process, address):
        out, _ = program("--no-browser", "--port", "0")
        assert out == f"This workspace is served already: {address} (process {process.pid}).\n"
        assert f"served now, at {address}" in program("doctor")[0]
        process.kill()  # no farewell: what it left must not keep the next one out
        process.wait()
    with serving(program, "--port", "0"):
        pass


def test_a_port_that_is_taken(program):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        _, err = program("--no-browser", "--port", str(port), status=1)
        assert f"Port {port} is taken" in err
        if Path("/proc/net/tcp").exists():
            assert f"(process {os.getpid()})" in err
        assert f"Port {port} is taken" in program("doctor", "--port", str(port), status=1)[0]


def test_another_host_is_warned_of_and_allowed(program):
    with serving(program, "--port", "0", "--host", "0.0.0.0", "--allow-host", "app.example.org") as (
        process,
        address,
    ):
        assert "There is no login" in process.stderr.readline()
        asked = urllib.request.Request(f"{address}healthz", headers={"Host": "app.example.org"})
        assert urllib.request.urlopen(asked, timeout=30).status == 200


def test_a_host_that_is_not_this_machine(program):
    assert "is no address of this machine" in program("--host", "192.0.2.1", status=1)[1]
    assert "There is no host" in program("--host", "no-such-host.invalid", status=1)[1]


def test_an_allowed_host_that_is_none(program):
    assert "not a host" in program("--port", "0", "--allow-host", "a b", status=1)[1]


def test_a_prefix_is_taken_with_and_without_the_proxy_cutting_it_off(program):
    with serving(program, "--port", "0", "--prefix", "/tools/x/") as (_, address):
        assert address.endswith("/tools/x/")
        assert get(f"{address}healthz")[0] == 200
        assert get(f"{address.removesuffix('tools/x/')}healthz")[0] == 200
        assert get(address)[0] == 200


def test_a_run_ends_with_the_server(program, session):
    """Ctrl-C ends what was started on the page; nothing is left behind."""
    with serving(program, "--port", "0") as (process, address):
        program("set", session, "depth=3")
        asked = urllib.request.Request(f"{address}sessions/{session}/runs", data=b"", method="POST")
        urllib.request.urlopen(asked, timeout=30)
        lock = program.folder / "conversations" / session / "run.lock"
        assert held(lock)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    while held(lock):
        time.sleep(0.01)

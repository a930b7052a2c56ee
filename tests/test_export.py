"""The session as a file to take away: script and notebook really run, the archive holds what it should."""

import ast
import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import anyio
import nbclient
import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SMALL, complete
from serving import ROOT, make_workspace, serving
from test_fields_web import CHOSEN, EVERY, KEY, LETTER, SCALARS, SEVERAL

from assistant import actions
from assistant.export import FORMATS, export
from assistant.export.literals import comment, literal
from assistant.log import Fact, create
from assistant.settings import Settings
from assistant.workspace import Handle, Workspace

EVIL = (
    '"""\n\'\'\'\nimport os; os.system("touch broken")\r\x0c\u2028print(1)\x00 \\" \\N{DASH} '
    "{x} %s \u202e # coding: rot13"
)
FOLDER = re.compile(r"(PosixPath\(['\"])[^'\"]*files/")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("export") / "work", every=EVERY, small=SMALL)
    with serving(workspace) as server:
        yield server


@pytest.fixture(scope="module")
def every(server) -> str:
    """A session of every kind of field, with a secret and uploads, that has run."""
    sid = server.begin("every")
    for step, form in (("scalars", SCALARS), ("chosen", CHOSEN), ("several", SEVERAL)):
        server.next(sid, step, form)
    pages = [("pages", ("p 1.txt", b"one", "text/plain")), ("pages", ("p'2\".txt", b"two", "text/plain"))]
    server.next(sid, "perhaps", {"since": "2026-01-02", "where": '{"x": 1}'}, files=pages)
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    assert server.run(sid)["state"] == "finished"
    return sid


def exported(server, sid: str, format: str) -> bytes:
    answer = server.get(f"sessions/{sid}/export/{format}")
    assert answer.status_code == 200, answer.text
    assert int(answer.headers.get("content-length", len(answer.content))) == len(answer.content)
    return answer.content


def taken_away(server, sid: str, folder: Path, format: str) -> Path:
    """A folder as on another machine: the export, the workflow, and the files of the archive."""
    (folder / "workflows").mkdir(parents=True)
    workflow = server.state(sid)["workflow"]
    (folder / "workflows" / f"{workflow}.py").write_bytes(
        (server.workspace / "workflows" / f"{workflow}.py").read_bytes()
    )
    with zipfile.ZipFile(io.BytesIO(exported(server, sid, "session.zip"))) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("files/")])
    path = folder / format
    path.write_bytes(exported(server, sid, format))
    return path


def run(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, path, *arguments], cwd=path.parent, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def rows_of(path: Path) -> list[list[str]]:
    """A table's rows; a path in a cell without the folder that the file is in."""
    with path.open(newline="", encoding="utf-8") as file:
        return [[FOLDER.sub(r"\1", cell) for cell in row] for row in csv.reader(file)]


def tables(server, sid: str) -> dict[str, list[list[str]]]:
    """The rows of the tables that the session's run gave, by name."""
    results = server.state(sid)["run"]["results"]
    files = server.folder(sid) / "files"
    return {r["name"]: rows_of(files / r["file"]) for r in results if r["kind"] == "table"}


# --- script --------------------------------------------------------------------------------------------


def test_the_script_gives_the_same_tables(server, every, tmp_path):
    path = taken_away(server, every, tmp_path, "script.py")
    done = run(path, "--out", "out", ASSISTANT_SECRET_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Table told, 34 rows" in done.stdout
    assert {"told": rows_of(tmp_path / "out" / "told.csv")} == tables(server, every)
    assert KEY not in path.read_text()


def test_the_script_reads_as_a_person_would_write_it(server, every):
    text = exported(server, every, "script.py").decode()
    for line in (
        "# scalars: Single values?", '"price": Decimal(\'19.90\'),  # user, 20',
        '"day": datetime.date(2026, 11, 21),  # user, 20', '"marks": {1, 3},', '"pair": (3, "three"),',
        '"off": False,', '"letter": FILES / "letter.txt",', '"key": secret("key", "Key"),',
        '"pages": [FILES / "p 1.txt", FILES / "p\'2%22.txt"],',
    ):  # fmt: skip
        assert f"\n        {line}" in text, line
    assert "\nimport os\n" in text and "from getpass import getpass" in text


def test_the_script_of_a_workflow_with_bodies_and_skipped_cards(server, tmp_path):
    sid = complete(server, server.begin("small"))
    assert server.run(sid)["state"] == "finished"
    path = taken_away(server, sid, tmp_path, "script.py")
    assert "double" not in path.read_text()  # derived
    done = run(path, "--out", "out")
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path / "out" / "numbers.csv") == tables(server, sid)["numbers"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "links.json", "note.md", "numbers.csv", "report #1 100%.html",
    ]  # fmt: skip


def test_the_script_without_its_workflow_says_what_to_do(server, tmp_path):
    sid = complete(server, server.begin("small"))
    path = taken_away(server, sid, tmp_path / "a" / "b" / "c" / "d", "script.py")
    workflow = path.parent / "workflows" / "small.py"
    elsewhere = tmp_path / "other.py"
    elsewhere.write_text(workflow.read_text() + "\n# changed")
    workflow.unlink()
    done = run(path)
    assert done.returncode == 1 and "There is no workflows/small.py here" in done.stderr
    done = run(path, str(elsewhere))
    assert done.returncode == 0 and "Table numbers, 50 rows" in done.stdout
    assert "has changed since the session" in done.stderr


def test_what_is_not_in_the_record_is_to_be_filled_in(server, tmp_path):
    sid = complete(server, server.begin("small"))
    server.tell(sid, Fact("user", "set", {"step": "start", "values": {"depth": {"redacted": True}}}))
    path = taken_away(server, sid, tmp_path, "script.py")
    done = run(path)
    assert done.returncode == 1
    assert "depth is not in the record of the session; fill it in" in done.stderr
    path.write_text(path.read_text().replace('"depth": ...', '"depth": 2'))
    assert run(path).returncode == 0
    book = json.loads(exported(server, sid, "notebook.ipynb"))
    assert book["cells"][1]["source"][0].startswith("depth = ...  # user, ")


def test_a_value_that_does_not_pass_is_named(server, tmp_path):
    sid = complete(server, server.begin("small"))
    path = taken_away(server, sid, tmp_path, "script.py")
    path.write_text(path.read_text().replace('"depth": 2', '"depth": 99'))
    done = run(path)
    assert done.returncode == 1 and "small.py does not take these values: depth: Depth is" in done.stderr


# --- notebook ------------------------------------------------------------------------------------------


def execute(path: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Any:
    for name, value in {
        "PYTHONPATH": str(ROOT),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **environment,
    }.items():
        monkeypatch.setenv(name, value)
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=60, resources={"metadata": {"path": str(path.parent)}}).execute()
    return book


def shown(book: Any) -> str:
    outputs = [o for cell in book.cells if cell.cell_type == "code" for o in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def test_the_notebook_runs_and_gives_the_same_table(server, every, tmp_path, monkeypatch):
    path = taken_away(server, every, tmp_path, "notebook.ipynb")
    book = nbformat.read(path, as_version=4)
    last = nbformat.v4.new_code_cell("print(__import__('json').dumps([r.frame for r in results]))")
    book.cells.append(last)
    nbformat.write(book, path)
    done = execute(path, monkeypatch, ASSISTANT_SECRET_KEY=KEY)
    (rows,) = json.loads(done.cells[-1].outputs[0].text)
    found = [list(rows[0]), *([FOLDER.sub(r"\1", cell) for cell in row.values()] for row in rows)]
    assert found == tables(server, every)["told"]
    assert KEY not in path.read_text()


def test_the_cells_are_those_of_the_steps_and_papermill_finds_the_parameters(server, tmp_path, monkeypatch):
    sid = complete(server, server.begin("small"))
    assert server.run(sid)["state"] == "finished"
    path = taken_away(server, sid, tmp_path, "notebook.ipynb")
    book = nbformat.read(path, as_version=4)
    tagged = [cell for cell in book.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert "depth = 2  # user, 20" in tagged[0].source and 'names = ["name 1"]' in tagged[0].source
    titles = [cell.source.split("\n")[0] for cell in book.cells if cell.cell_type == "markdown"]
    assert titles[1:4] == ["## How deep?", "## Why so deep?", "## Which names?"]
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    at = book.cells.index(tagged[0])  # what papermill does
    book.cells.insert(at + 1, nbformat.v4.new_code_cell("depth = 7\nreason = 'because'\nnames = ['name 6']"))
    book.cells.append(nbformat.v4.new_code_cell("print(values)"))
    nbformat.write(book, path)
    told = shown(execute(path, monkeypatch))
    assert "'depth': 7" in told and "'reason': 'because'" in told and "['name 6']" in told
    assert "w49" in told and "# Done" in told and "report #1" in told


CLASHING = '''
from assistant import Table, Workflow
flow = Workflow("Clash")
@flow.step
def first(
    values: int, flow: int, print: int, Path: str, results: str, runpy: int, display: int, isinstance: int
):
    """What?"""
@flow.run
def go(**given):
    return Table("given", [given])
'''


def test_parameters_with_the_names_that_a_notebook_uses(tmp_path, monkeypatch):
    make_workspace(tmp_path / "work", clash=CLASHING)

    async def made() -> Handle:
        handle = await actions.begin(Workspace(Settings(tmp_path / "work")), "clash")
        names = "values flow print Path results runpy display isinstance".split()
        outcome = await actions.complete(handle, "first", dict(zip(names, "12345678", strict=True)))
        assert not outcome.refused
        return handle

    handle = anyio.run(made)
    path = tmp_path / "work" / "a.ipynb"
    path.write_bytes(export(handle, "notebook.ipynb")[0].read())
    told = shown(execute(path, monkeypatch))
    assert "Table given" in told


# --- another's words in a source -----------------------------------------------------------------------


def evil_session(folder: Path, workflow: str = "small") -> Handle:
    """A session whose log says the worst that it can, in every place that a source could take it from."""
    sid = f"2026-11-21-{workflow}-0000"
    make_workspace(folder, small=SMALL)
    evil = EVIL.replace("\x00", "")
    name = "a = 1\nimport os; os.system('touch broken') #"
    began = {"workflow": workflow, "title": f"coding: utf-7 {evil}", "format": 1, "source": evil}
    values = {name: evil, "class": 1, "reason": evil, "names": [evil, {evil: evil}]}
    start = {"step": "start", "values": {"depth": 2, "kind": "star"}, "turn": "t1", "why": evil}
    facts = [
        Fact("user", "began", began),
        Fact("user", "said", {"text": evil, "turn": "t1"}),
        Fact("model", "said", {"text": evil, "turn": "t1", "model": evil}),
        Fact("model", "set", start | {"source": {"depth": {"session": evil, "n": 1}}}),
        Fact(evil, "set", {"step": evil, "values": values}),
        Fact("user", "named", {"name": evil}),
    ]
    create(folder / "conversations" / sid, facts).close()
    return Workspace(Settings(folder)).open(sid)


@pytest.mark.parametrize("workflow", ["small", "gone", '../x"""\nimport os#'])
def test_what_others_said_does_nothing_in_a_source(workflow, tmp_path):
    handle = evil_session(tmp_path / "w", "small")
    if workflow != "small":
        handle = evil_session(tmp_path / "v", "small")
        handle.session().began["workflow"] = workflow
    source = export(handle, "script.py")[0].read()
    clean_source = export(evil_session(tmp_path / "u"), "script.py")[0].read()
    kinds = [type(node).__name__ for node in ast.parse(source).body]
    assert kinds == [type(node).__name__ for node in ast.parse(clean_source).body]
    assert b"coding" not in b"\n".join(source.split(b"\n")[:2])
    assert not {c for c in source.decode() if not c.isprintable() and c != "\n"}
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    assert "os.system" not in calls and "print" in calls
    book = json.loads(export(handle, "notebook.ipynb")[0].read())
    nbformat.validate(nbformat.from_dict(book))
    for cell in book["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse(text)):
                assert not (isinstance(node, ast.Import) and "os" in [alias.name for alias in node.names])
                assert not (isinstance(node, ast.Attribute) and node.attr == "system")
    csv_rows = list(csv.reader(io.StringIO(export(handle, "parameters.csv")[0].read().decode())))
    assert all(len(row) == 3 for row in csv_rows)


def test_an_evil_session_s_script_runs_only_its_workflow(tmp_path):
    handle = evil_session(tmp_path / "w")
    path = tmp_path / "w" / "script.py"
    path.write_bytes(export(handle, "script.py")[0].read())
    done = run(path)
    assert "Names is" in done.stderr and done.returncode == 1  # the value does not pass
    assert "print(1)" not in done.stdout and not list(tmp_path.rglob("broken"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)))
    | st.text("a'\"\\\n\u2028\r ", min_size=90, max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_a_literal_gives_the_value_again(value):
    text = literal(value, "    ")
    found = ast.literal_eval(text)
    assert found == value and repr(found) == repr(value)
    assert all(c.isprintable() or c == "\n" for c in text)


@given(st.text())
def test_a_comment_is_one_line_that_is_seen_as_it_is(text):
    source = f"# {comment(text)}\nx = 1"
    assert [type(node) for node in ast.parse(source).body] == [ast.Assign]
    assert comment(text).isprintable() or not set(comment(text)) & set("\u202a\u202b\u202e\u2066\u2069\u200f")


# --- the others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1+1", "@x", "\tx", "\rx", "'x", "\uff1d1"])
def test_no_cell_of_the_parameters_is_a_formula(server, tmp_path, start):
    sid = server.begin("small")
    server.tell(sid, Fact("user", "set", {"step": "start", "values": {f"{start}name": start}}))
    text = exported(server, sid, "parameters.csv").decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1][:2] == [f"'{start}name", f"'{start}"]


def test_the_archive_holds_the_log_and_the_named_files_and_no_secret(server, every):
    (server.folder(every) / "files" / "stray.txt").write_text("not in the log")
    data = exported(server, every, "session.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.read("log.jsonl") == (server.folder(every) / "log.jsonl").read_bytes()
        contents = {name: archive.read(name) for name in names}
    assert {"log.jsonl", "manifest.json", "files/letter.txt", "files/p 1.txt"} < names
    assert not [
        name for name in names if "secret" in name or "prompts" in name or "stray" in name or "lock" in name
    ]
    assert all(KEY.encode() not in content for content in contents.values())
    assert manifest["session"] == every and manifest["workflow"] == "every" and manifest["missing"] == []
    assert {each["name"] for each in manifest["files"]} == names - {"manifest.json"}
    assert data == exported(server, every, "session.zip")  # the same session, the same archive
    (server.folder(every) / "files" / "stray.txt").unlink()


def test_the_command_writes_an_archive_to_a_file_and_not_to_a_terminal(server, every):
    command = [
        sys.executable,
        "-m",
        "assistant",
        "export",
        every,
        "session.zip",
        "--workspace",
        server.workspace,
    ]
    more = {"stdin": subprocess.DEVNULL, "timeout": 60, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    done = subprocess.run(command, capture_output=True, **more)
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        assert archive.testzip() is None and "log.jsonl" in archive.namelist()
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, **more)
        assert done.returncode == 1 and b"no text for a terminal" in done.stderr
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):  # not a byte
            os.read(ours, 1)
    finally:
        os.close(ours)
        os.close(theirs)


def test_every_format_is_there_and_is_offered(server, every):
    assert set(FORMATS) == {
        "log.jsonl", "conversation.md", "parameters.json", "parameters.csv", "script.py", "notebook.ipynb",
        "session.zip",
    }  # fmt: skip
    for format in FORMATS:
        answer = server.get(f"sessions/{every}/export/{format}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "sandbox"
    links = {a["href"] for a in server.page(f"sessions/{every}/record").select("a[download]")}
    assert {f"sessions/{every}/export/{format}" for format in FORMATS} <= links
    assert not list(server.workspace.glob("conversations/*/tmp*"))


def test_a_file_name_in_a_log_leads_nowhere(tmp_path):
    handle = evil_session(tmp_path / "w")
    log = handle.log
    log.append(
        lambda _: [
            Fact(
                "workflow",
                "produced",
                {"run": "r", "name": "x", "kind": "file", "file": "../../workflows/small.py"},
            )
        ]
    )
    with export(handle, "session.zip")[0] as made, zipfile.ZipFile(made) as archive:
        assert set(archive.namelist()) == {"log.jsonl", "manifest.json"}
        assert json.loads(archive.read("manifest.json"))["missing"] == ["../../workflows/small.py"]

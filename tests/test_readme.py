"""What the README says is so: its examples run, its tables and its tree are those of the code."""

import ast
import asyncio
import csv
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from assistant.__main__ import main
from assistant.chat.plain import is_command
from assistant.chat.slash import COMMANDS
from assistant.chat.stream import Reply
from assistant.cli.settings_file import read_settings
from assistant.live import Draft
from assistant.log import Entry, read
from assistant.log.lines import decode
from assistant.models import preferences
from assistant.models.guide.phrases import recognise
from assistant.models.guide.questions import asked
from assistant.queries import TableFile, query
from assistant.session import CHAT, Session
from assistant.session.folding import APPLY
from assistant.settings import Settings
from assistant.trial.player import Played, faults, play, pretend_run
from assistant.trial.reading import Scenario, check
from assistant.trial.reading import read as read_scenarios
from assistant.turn import Chat
from assistant.workflow import load
from assistant.workspace import Workspace
from benchmarks.figures import BLOCK, Figure, table, write_readme

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def section(title: str) -> str:
    """The text below a heading, up to the next heading of its level or above."""
    found = re.search(
        rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |^\1 |\Z)", README, re.DOTALL | re.MULTILINE
    )
    assert found, f"the README has no section {title!r}"
    return found[2]


def blocks(text: str, kind: str = "") -> list[str]:
    """What stands between fences of this kind."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [inside for each, inside in found if each == kind]


def first_cells(text: str) -> list[list[str]]:
    """What stands in backticks in the first cell of each row of a table."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [re.findall(r"`([^`]+)`", row) for row in rows[2:]]


# The workflow


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    text = section("A workflow of your own")
    [stem] = re.findall(r"Put this into `workflows/(\w+)\.py`", text)
    [source] = blocks(text, "python")
    (tmp_path / "workflows" / f"{stem}.py").write_text(source, encoding="utf-8")
    return tmp_path


def test_the_workflow_runs_as_plain_python(workspace: Path) -> None:
    flow = load(workspace / "workflows" / "split_bill.py")
    [shares] = flow(total=90, names=["Ann", "Bob", "Cy"])
    assert [dict(row) for row in shares.frame] == [
        {"name": name, "owes": 33.0} for name in ("Ann", "Bob", "Cy")
    ]


def test_the_call_that_is_named_in_the_list_works_too(workspace: Path) -> None:
    [call] = re.findall(r"`flow(\(.+?\))` does the same", section("A workflow of your own"))
    [shares] = eval(f"flow{call}", {"flow": load(workspace / "workflows" / "split_bill.py")})
    assert shares.name == "shares"


def test_the_workflow_is_short() -> None:
    [source] = blocks(section("A workflow of your own"), "python")
    assert len([line for line in source.splitlines() if line.strip()]) <= 20


def test_the_command_runs_the_workflow(workspace: Path) -> None:
    [line] = [each for each in blocks(section("A workflow of your own")) if each.startswith("assistant run")]
    program, *words = shlex.split(line)
    assert program == "assistant"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    done = subprocess.run(
        [sys.executable, "-m", "assistant", *words],
        cwd=workspace,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [result] = (workspace / "results").glob("*.csv")
    with result.open(encoding="utf-8-sig", newline="") as file:
        assert [row["owes"] for row in csv.DictReader(file)] == ["33.0"] * 3
    [log] = (workspace / "conversations").glob("*/log.jsonl")
    entries, _ = read(log)
    assert {"began", "set", "started", "produced", "finished"} <= {entry.did for entry in entries}
    assert undocumented(entries) == set()


# The chat, prompts, models.toml, scenarios


def test_each_slash_command_is_in_the_table_and_no_other() -> None:
    named = [name for cell in first_cells(section("In the chat")) for name in cell]
    assert sorted(named) == sorted(f"/{command.name}" for command in COMMANDS)


def examples(line: str) -> list[str]:
    """What stands in backticks in the item of a list that begins so."""
    [item] = re.findall(rf"^- {line}.*?(?=^- |\n\n)", section("In the chat"), re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", item)


def test_each_plain_command_is_understood() -> None:
    words = examples("Plain words do what the buttons do")
    kinds = [[intent.kind for intent in recognise(each)] for each in words]
    assert kinds == [["next"], ["back"], ["undo"], ["skip"], ["run"], ["start_over"], ["use_last"]]
    assert [each for each in words if not is_command(each, Session())] == []


def test_each_question_about_results_is_a_query_that_runs(tmp_path: Path) -> None:
    (tmp_path / "pages.csv").write_text(
        "url,depth,in_degree\nhttps://a/,0,1\nhttps://b/,2,4\n", encoding="utf-8"
    )
    columns = {"url": "text", "depth": "int", "in_degree": "int"}
    tables = {"pages": TableFile(tmp_path / "pages.csv", columns, 2)}
    questions = [each for each in examples("When a run has finished") if "?" in each]
    answers = [query(tables, found.sql).rows for each in questions if (found := asked(each, tables))]
    assert len(answers) == len(questions) == 3
    assert [rows[0] for rows in answers] == [(2,), ("https://b/", 4), (1.0,)]


def test_each_prompt_is_in_the_table_and_no_other() -> None:
    named = [cell[0] for cell in first_cells(section("Models and prompts"))]
    assert sorted(named) == sorted(path.name for path in (ROOT / "prompts").iterdir())


def test_the_models_file_is_read(tmp_path: Path) -> None:
    [text] = blocks(section("Models and prompts"), "toml")
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    found = preferences.read(path)
    assert found.problem is None
    assert found.workflows == {"link_graph": "qwen3:4b"}
    assert [model.name for model in found.suggested] == ["qwen3:4b"]


def test_the_settings_file_is_read(tmp_path: Path) -> None:
    [text] = blocks(section("Command line and settings"), "toml")
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    found = read_settings(Settings(tmp_path))
    assert (found.think, found.preload, found.bounds.rounds) == (True, False, 4)
    assert (found.retention.days, found.retention.megabytes) == (365, 2_000)


def test_the_scenarios_go_as_they_say(workspace: Path) -> None:
    text = section("Scenarios and the trial")
    [name] = re.findall(r"as `(workflows/\w+\.scenarios\.yaml)`", text)
    (workspace / name).write_text(*blocks(text, "yaml"), encoding="utf-8")
    scenarios = read_scenarios(workspace / name)
    assert len(scenarios) == 2
    for scenario in scenarios:
        found = Workspace(Settings(workspace, model="guide"))
        flow = found.workflow(scenario.workflow)
        assert check(scenario, flow) == []
        played = asyncio.run(taken(found, scenario))
        assert faults(played, flow) == []
        assert undocumented([entry for turn in played for entry in turn.entries]) == set()


async def taken(workspace: Workspace, scenario: Scenario) -> list[Played]:
    chat = Chat(workspace, pretend_run)
    try:
        return await play(chat, scenario)
    finally:
        await chat.close()


# The log


def written() -> set[str]:
    """Every `did` that the code writes in a literal."""
    found = set()
    for path in (ROOT / "assistant").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name("Fact"), args=[_, ast.Constant(did), *_]):
                    found.add(did)
                case ast.Call(func=ast.Attribute(attr="fact"), args=[ast.Constant(did), *_]):
                    found.add(did)
    return found


def test_the_table_of_entries_has_each_that_is_written_or_folded_and_no_other() -> None:
    documented = [did for cell in first_cells(section("The log")) for did in cell]
    known = written() | set(APPLY) | CHAT
    assert "said" in written(), "the search finds nothing"
    assert set(documented) == known
    assert len(documented) == len(set(documented))


def documented_fields() -> dict[str, set[str]]:
    """The fields of each `did`, as the table has them; those of a reply stand below it."""
    found = {}
    for line in section("The log").splitlines():
        if line.startswith("| `"):
            did, fields = (re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:3])
            found |= {name: set(fields) for name in did}
    [reply] = re.findall(r"^A reply has more fields.*?\n\n", section("The log"), re.DOTALL | re.MULTILINE)
    found["said"] |= set(re.findall(r"`(\w+)`", reply))
    return found


def undocumented(entries: list[Entry]) -> set[str]:
    """The fields that the entries have and the table does not."""
    known = documented_fields()
    return {f"{entry.did}: {name}" for entry in entries for name in entry.fields.keys() - known[entry.did]}


def test_each_field_of_a_reply_is_named() -> None:
    reply = Reply("t1", "qwen3:4b", Draft("t1", "qwen3:4b"), replaces=3)
    reply.tokens, reply.eval_seconds, reply.first, reply.read = 9, 1.0, 0.5, 20
    reply.prompt = reply.extraction = "0123456789abcdef"
    reply.thinking, reply.left_out = ["Hm."], 2
    fields = reply.said("Hello", stopped=True, incomplete=True).fields.keys()
    assert {"rate", "prompt", "left_out", "stopped"} <= fields
    assert fields - documented_fields()["said"] == set()


def test_the_sample_line_is_a_line_of_a_log() -> None:
    [line] = blocks(section("The log"))
    entry = decode(line.strip().encode())
    assert (entry.n, entry.did, entry["values"]) == (7, "set", {"depth": 3})


# The folders


def tree() -> dict[str, str]:
    """Every path of the tree, with what is said of it."""
    [text] = blocks(section("The folders"))
    found, above = {}, list[str]()
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, what = line.strip().partition(" ")
        above = [*above[:depth], name]
        found["".join(above)] = what.strip()
    return found


def test_each_path_of_the_tree_is_there() -> None:
    missing = [path for path in tree() if not (ROOT / path).exists()]
    assert missing == []


def test_each_file_of_ours_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:assistant|tests|benchmarks|scripts|prompts)/[\w./-]+)`", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_module_is_in_the_tree() -> None:
    named = tree()
    missing = []
    for path in sorted((ROOT / "assistant").rglob("*.py")):
        relative = path.relative_to(ROOT).as_posix()
        folder = f"{path.parent.relative_to(ROOT).as_posix()}/"
        in_words = path.stem in re.findall(r"\w+", named.get(folder, ""))
        if path.stem != "__init__" and relative not in named and not in_words:
            missing.append(relative)
    assert missing == []


def test_each_module_that_a_folder_names_is_there() -> None:
    for folder, what in tree().items():
        names = what.partition(": ")[2] if folder.endswith("/") else ""
        missing = [
            name for name in names.split(", ") if names and not (ROOT / folder / f"{name}.py").is_file()
        ]
        assert missing == [], folder


def test_each_module_that_the_text_names_is_there() -> None:
    text = section("How it works").partition("\n### The folders")[0]
    files = [path.relative_to(ROOT / "assistant").as_posix() for path in (ROOT / "assistant").rglob("*.py")]
    named = set(re.findall(r"[\w/]+\.py\b", text))
    assert {"turn.py", "runs.py", "live.py"} <= named
    assert {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)} == set()


def test_each_folder_of_the_repository_is_in_the_tree() -> None:
    named = {path.split("/")[0] for path in tree()}
    hidden = {"build", "dist", "result", "__pycache__"}
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert found - hidden - named == set()


# Dependencies, commands, settings, links


def test_each_dependency_has_its_reason() -> None:
    names = [re.split(r"[><=!~\[ ]", text)[0] for text in PROJECT["dependencies"]]
    assert [cell[0] for cell in first_cells(section("What it builds on"))] == names


def test_each_command_is_there_and_no_other() -> None:
    [text] = blocks(section("Command line and settings"))
    named = {word for line in text.splitlines() for word in re.findall(r"^assistant \[?(\w+)", line)}
    assert named == set(main.commands)


def test_each_option_is_one_of_its_command() -> None:
    text = blocks(section("Command line and settings"))[0].replace("\n   ", " ")
    for line in text.splitlines():
        command = main.commands[re.findall(r"^assistant \[?(\w+)", line)[0]]
        options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
        assert set(re.findall(r"--[a-z-]+", line)) == options - {"--workspace"}, line


def test_each_variable_that_is_read_is_named() -> None:
    files = [ROOT / "assistant" / "__main__.py", *(ROOT / "assistant" / "cli").glob("*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files]
    read = {name for text in sources for name in re.findall(r'"((?:ASSISTANT|OLLAMA)_[A-Z]+)"', text)}
    assert {cell[0] for cell in first_cells(section("Command line and settings"))} == read


def test_each_file_that_is_linked_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_change_log_tells_of_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", changes, re.MULTILINE)
    assert versions[:2] == ["Unreleased", PROJECT["version"]]


# The figures


def test_the_readme_has_one_block_of_figures() -> None:
    assert len(BLOCK.findall(README)) == 1


def test_the_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n", encoding="utf-8")
    write_readme(r"new \1", copy)
    wanted = "before\n<!-- figures -->\nnew \\1\n<!-- /figures -->\nafter\n"
    assert copy.read_text(encoding="utf-8") == wanted
    copy.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="0 blocks"):
        write_readme("new", copy)


def test_a_table_of_figures_is_aligned_and_has_the_ratio() -> None:
    text = table([Figure("start", 0.4, "s", 0.8), Figure("long one", 12_345, "ms", None, "as it is")])
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.findall(r"[^|\s]+(?: [^|\s]+)*", lines[2]) == ["start", "0.8", "0.4", "0.50", "s"]
    assert re.findall(r"[^|\s]+(?: [^|\s]+)*", lines[3]) == ["long one", "12,345", "ms", "as it is"]

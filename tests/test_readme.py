"""What the README says is so: its examples run, its tables and its tree are those of the code."""

import ast
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
from assistant.lines import decode
from assistant.session import _APPLY, CHAT
from assistant.workflow import load
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
    known = written() | set(_APPLY) | CHAT
    assert "said" in written(), "the search finds nothing"
    assert set(documented) == known
    assert len(documented) == len(set(documented))


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
    source = (ROOT / "assistant" / "__main__.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:ASSISTANT|OLLAMA)_[A-Z]+)"', source))
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

"""A workflow's file from a notebook: it loads, asks what the notebook set, and gives its tables."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import ROOT

from assistant import Note, Refused
from assistant.cli.initialise import new_from_notebook
from assistant.errors import AssistantError, Conflict, NotFound
from assistant.notebooks import docstring, from_notebook
from assistant.workflow import Workflow, load

Cells = list[tuple[str, str] | tuple[str, str, str]]


def notebook(folder: Path, cells: Cells, **metadata: Any) -> Path:
    """A notebook's file of (kind, source, tag) cells."""
    made = [
        {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": {"tags": list(tag)}}
        for kind, source, *tag in cells
    ]
    path = folder / "a.ipynb"
    path.write_text(
        json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}), "utf-8"
    )
    return path


def made_of(folder: Path, cells: Cells) -> tuple[Workflow, str, list[str]]:
    """The workflow, its source and the notes."""
    source, notes = from_notebook(notebook(folder, cells))
    path = folder / "made.py"
    path.write_text(source, "utf-8")
    return load(path), source, notes


IRIS: Cells = [
    ("markdown", "# Iris\n\nHow *large* are they?"),
    ("code", "import pandas as pd\n%matplotlib inline"),
    ("markdown", "## Which flowers?\n\nThe first ones."),
    ("code", "rows: int = 3  # how many of them\nkinds = ['a', 'b']\nlimit = rows * 2", "parameters"),
    ("code", "df = pd.DataFrame({'n': range(rows), 'kind': kinds[0]})\ndf"),
    (
        "code",
        "text = '''two\n  lines'''\nassert text[3:6] == '\\n  '\n_hidden = df\nmore = df[df.n < limit]",
    ),
]


def test_a_notebook_becomes_a_workflow_that_runs(tmp_path):
    flow, source, notes = made_of(tmp_path, IRIS)
    assert (flow.title, flow.description) == ("Iris", "How *large* are they?")
    (step,) = flow.steps
    assert (step.name, step.question, step.help) == ("which_flowers", "Which flowers?", "The first ones.")
    rows, kinds = step.fields
    assert (rows.kind, rows.default, rows.ask.help) == ("int", 3, "how many of them")
    assert (kinds.kind, kinds.default) == ("lines", ["a", "b"])
    results = flow(rows=2, kinds=["x"])
    assert [(r.name, len(r.frame), r.frame.kind[0]) for r in results] == [("df", 2, "x"), ("more", 2, "x")]
    with pytest.raises(Refused):
        flow(rows="many")
    assert "pass  # %matplotlib inline" in source
    assert notes == ["Cell 2 has lines that only a notebook understands; they are commented out."]


TYPES = {
    "True": "bool",
    "1": "int",
    "-2.5": "float",
    "'x'": "str",
    "None": "str | None",
    "[]": "list[str]",
    "[1, 2]": "list[int]",
    "[1, 2.5]": "list[float]",
    "{1, 2}": "set[int]",
    "(1, 'a')": "tuple[int, str]",
    "{'a': 1}": "dict[str, int]",
    "'''a\nb'''": "Annotated[str, Ask(long=True)]",
}


@pytest.mark.parametrize("text", TYPES)
def test_each_literal_has_its_type(tmp_path, text):
    flow, source, _ = made_of(tmp_path, [("code", f"x = {text}", "parameters")])
    assert f"    x: {TYPES[text]} = " in source
    assert flow.fields()["x"].default == ast.literal_eval(text)
    assert isinstance(flow()[0], Note)


@pytest.mark.parametrize(
    "line",
    [
        "x = [1, 'a']",
        "x = 1j",
        "x = b'a'",
        "x = f()",
        "x, y = 1, 2",
        "x.y = 1",
        "x = 1e999",
        "x = ()",
        "flow = 1",
        "x = 1; y = 2",
        "x: int",
        "x += 1",
        "x = y = 1",
        "import json as x",
        "x = 10**30",
        "x = [[1], ['a']]",
    ],
)
def test_what_is_no_simple_assignment_stays_code(tmp_path, line):
    flow, source, _ = made_of(tmp_path, [("code", f"a = 1\n{line}", "parameters")])
    assert list(flow.fields()) == ["a"]
    assert f"    {line}\n" in source


def test_several_tagged_cells_are_several_steps(tmp_path):
    flow, _, _ = made_of(
        tmp_path,
        [
            ("markdown", "# T"),
            ("code", "a = 1", "parameters"),
            ("markdown", "## Import\nfrom where"),
            ("code", "b = 2", "parameters"),
            ("markdown", "## Which values?"),
            ("code", "c = 3", "parameters"),
            ("code", "d = a + b + c\nimport pandas\nt = pandas.DataFrame([d])"),
        ],
    )
    assert [step.name for step in flow.steps] == ["which_values", "values", "which_values_2"]
    assert [step.question for step in flow.steps] == ["Which values?", "Import", "Which values?"]
    assert flow.steps[1].help == "from where"
    assert flow(b=10)[0].frame.values.tolist() == [[14]]


def test_without_a_tag_the_first_cell_of_assignments_is_taken_and_that_is_said(tmp_path):
    flow, _, notes = made_of(
        tmp_path, [("code", "import json"), ("code", "a = 1\n# so\nb = 'x'"), ("code", "c = 1")]
    )
    assert list(flow.fields()) == ["a", "b"]
    assert notes == ["No cell is tagged `parameters`, so cell 2 was taken: it only sets values."]
    flow, _, notes = made_of(tmp_path, [("code", "print(1)")])
    assert not flow.fields() and "asks nothing" in notes[0]
    assert isinstance(flow()[0], Note)


def test_what_papermill_put_in_is_the_default(tmp_path):
    cells: Cells = [("code", "a = 1\nb = 2", "parameters"), ("code", "a = 7\nc = 3", "injected-parameters")]
    flow, _, _ = made_of(tmp_path, [*cells, ("code", "assert a + b + c == 12")])
    assert {name: field.default for name, field in flow.fields().items()} == {"a": 7, "b": 2, "c": 3}
    flow()
    assert list(made_of(tmp_path, cells[1:])[0].fields()) == ["a", "c"]


def test_what_only_a_notebook_understands_is_commented_out(tmp_path):
    flow, source, notes = made_of(
        tmp_path,
        [
            ("code", "a = 1", "parameters"),
            ("code", "!ls\nfiles = !ls\nx = %who\na?\nif a:\n    %time b = 1\nb = 5"),
            ("code", "%%time\nc = b + 1"),
            ("code", "%%bash\necho 'd = 4\x00"),
            ("code", "e = (1 +"),
            ("code", "f = 17\\\n% 5\nassert (b, c, f) == (5, 6, 2)\ndisplay(f)"),
            ("code", "try:\n    from json import *\nexcept ImportError:\n    pass"),
        ],
    )
    assert "    # %%bash\n    # echo 'd = 4\n" in source and "    # e = (1 +" in source
    assert "f = 17\\\n    % 5" in source
    flow()
    assert [note.split(" ")[1] for note in notes] == ["2", "3", "4", "5", "7"]


def test_imports_of_everything_awaits_and_functions(tmp_path):
    flow, source, notes = made_of(
        tmp_path,
        [
            ("code", "n = 4", "parameters"),
            ("code", "from __future__ import annotations\nfrom math import *\nimport asyncio"),
            (
                "code",
                "def fact(k):\n    '''of\n  k'''\n    return k * fact(k - 1) if k else 1\n"
                "assert fact.__doc__ == 'of\\n  k'",
            ),
            ("code", "await asyncio.sleep(0)\nimport pandas as pd\ntable = pd.DataFrame([fact(n), sqrt(n)])"),
        ],
    )
    assert "async def run(n):" in source
    assert flow()[0].frame[0].tolist() == [24, 2]
    assert "runs as the file is loaded" in notes[0]


EVIL = 'x """ \\" \\\\ {0} %s \x00\x1b \u2028 \u202e \\N{DASH} \'\'\' # coding: x """"'


@given(st.text(st.sampled_from("a\"\\\n\t{x}\u202e\x00\u2028 'N#")))
def test_a_docstring_ends_where_it_should(text):
    tree = ast.parse(f'def f():\n    """{docstring(text)}"""\nx = 1')
    assert [type(node) for node in tree.body] == [ast.FunctionDef, ast.Assign]
    assert ast.literal_eval(f'"""{docstring(text)}"""') == text


def test_another_s_words_do_nothing_in_the_file(tmp_path):
    ran = tmp_path / "ran"
    evil = f'{EVIL}\nopen({str(ran)!r}, "w")'
    cells: Cells = [
        ("markdown", f"# {evil}\n\n{evil}"),
        ("markdown", f"## {evil}\n{evil}"),
        ("code", f"a = {evil.replace(chr(0), '')!r}  # {EVIL.replace(chr(0), '')}", "parameters"),
        ("code", f"%%html\n{evil}"),
        ("raw", evil),
        ("code", f"!{EVIL}\npass"),
        (evil, evil),
    ]
    flow, source, _ = made_of(tmp_path, cells)
    assert flow.fields()["a"].default.startswith('x """')
    flow()
    assert not ran.exists()
    assert all(c.isprintable() or c == "\n" for c in source)


def test_the_notebook_is_not_run(tmp_path):
    ran = tmp_path / "ran"
    flow, _, _ = made_of(tmp_path, [("code", "a = 1"), ("code", f"open({str(ran)!r}, 'w').close()")])
    assert not ran.exists()
    flow()
    assert ran.exists()


BROKEN = {
    b"": "it is not JSON",
    b"[" * 100_000: "it is not JSON",
    b"[]": "it has no list of cells",
    b'{"cells": 3}': "it has no list of cells",
    b"\xff\xfe": "it is not JSON",
    b'{"worksheets": [], "nbformat": 3}': "of an old format",
    b'{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}': "is a notebook in 'r'",
}


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_notebook_is_a_sentence(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(AssistantError, match=BROKEN[content]):
        from_notebook(path)


def test_odd_cells_are_passed_over(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [
        3,
        None,
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": 3, "metadata": []},
        {"cell_type": "code", "source": ["a = ", 3, "1\r\n"], "metadata": {"tags": "parameters"}},
        {"cell_type": "code", "source": "b = '\ud800'", "metadata": {"tags": [3, "x"]}},
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": 3}))
    source, _ = from_notebook(path)
    (tmp_path / "made.py").write_text(source, "utf-8")
    assert list(load(tmp_path / "made.py").fields()) == ["a"]


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    notebook(tmp_path, IRIS)
    path, notes = new_from_notebook(tmp_path, "iris", tmp_path / "a.ipynb")
    assert path == tmp_path / "workflows" / "iris.py" and len(notes) == 1
    path.write_text("mine")
    with pytest.raises(Conflict, match="it is there already"):
        new_from_notebook(tmp_path, "iris", tmp_path / "a.ipynb")
    assert path.read_text() == "mine"
    with pytest.raises(NotFound, match=r"There is no file .*b\.ipynb"):
        new_from_notebook(tmp_path, "other", tmp_path / "b.ipynb")


LINE = st.sampled_from(
    [
        "a = 1",
        "b = [1, 2]",
        "def f():",
        "    return 1",
        "'''",
        '"""',
        "%magic",
        "!ls x",
        "x?",
        "import math",
        "  y = 2",
        "from math import *",
        "if a:",
        "else:",
        "await f()",
        "yield 1",
        "return",
        "f'''{",
        "}'''",
        "(",
        ")",
        "# x",
        "\\",
        "\x0c",
        "global a",
        "a: int",
        "class A:",
        "    pass",
        "async for x in y: pass",
        "%%bash",
        "d = '\\",
        "]",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.lists(LINE, max_size=5), st.booleans()), max_size=4))
def test_whatever_the_cells_say_the_file_compiles(tmp_path_factory, cells):
    path = notebook(
        tmp_path_factory.mktemp("n"),
        [("code", "\n".join(lines), *(["parameters"] if tag else [])) for lines, tag in cells],
    )
    source, _ = from_notebook(path)
    assert compile(source, "made.py", "exec", dont_inherit=True)
    assert "def run(" in source and source.endswith("        yield _result\n")


def test_the_command(tmp_path):
    path = notebook(tmp_path, IRIS)
    (tmp_path / "workflows").mkdir()

    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "assistant", *arguments, "--workspace", str(tmp_path)],
            timeout=60,
            cwd=ROOT,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    done = program("new", "iris", "--from-notebook", str(path))
    assert done.returncode == 0, done.stderr
    assert "iris.py was made" in done.stdout and "commented out" in done.stderr
    done = program("run", "iris", "--set", "rows=2")
    assert done.returncode == 0 and "df" in done.stdout, done.stderr
    again = program("new", "iris", "--from-notebook", str(path))
    assert again.returncode == 1 and "it is there already" in again.stderr
    gone = program("new", "other", "--from-notebook", str(tmp_path / "no.ipynb"))
    assert gone.returncode == 1 and "There is no file" in gone.stderr and "Traceback" not in gone.stderr

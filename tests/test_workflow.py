"""Workflow files: what loads, what is refused with which sentence, and a workflow as plain Python."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant import Note, Refused, Secret, Upload
from assistant.calling import call, iterate
from assistant.errors import BrokenWorkflow, NotFound
from assistant.parameters import Place
from assistant.settings import Settings
from assistant.workflow import Workflow, load, typed_values
from assistant.workspace import Workspace

HEAD = """from typing import Annotated, Literal
from assistant import Ask, Download, Graph, Note, Progress, Refused, Secret, Table, Upload, Workflow

flow = Workflow("Made", "A test")

"""
RUN = "\n@flow.run\ndef go(**values):\n    return Note(repr(values))\n"


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """A function that loads a workflow file with this text."""

    def make(body: str, run: str = RUN, head: str = HEAD) -> Workflow:
        path = tmp_path / "made.py"
        path.write_text(head + body + run)
        return load(path)

    yield make
    sys.modules.pop("workflow_made", None)
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]


def told(results: list[Any]) -> Any:
    """The values that the run got."""
    return eval(results[0].markdown, {"Secret": Secret, "Upload": Upload})


# The example of the design


def test_the_example_loads(workspace: Workspace) -> None:
    flow = workspace.workflow("count_words")
    assert (flow.title, flow.stem, len(flow.digest)) == ("Count words", "count_words", 16)
    source, words = flow.steps
    assert (source.name, source.question) == ("source", "Which text?")
    assert source.help == "Any plain text file. It stays on this machine."
    assert [field.name for field in words.fields] == ["shortest", "ignore"]
    assert (words.passed, words.takes) == (("text",), {"text"})
    assert not source.body and not words.body
    assert list(flow.fields()) == ["text", "shortest", "ignore"]


def test_the_example_runs_in_plain_python(workspace: Workspace, tmp_path: Path) -> None:
    flow = workspace.workflow("count_words")
    path = tmp_path / "text.txt"
    path.write_text("long words and more long words")
    (table,) = flow(text=path, ignore=["more"])
    assert table.name == "words"
    assert table.frame.to_dict("list") == {"word": ["long", "words"], "times": [2, 2]}
    (table,) = flow(text=Upload(path), shortest=5)
    assert list(table.frame["word"]) == ["words"]


@pytest.mark.parametrize(
    "given, name, reason",
    [
        ({}, "text", "missing"),
        ({"text": "{folder}/none.txt"}, "text", "There is no file"),
        ({"text": "{folder}/a.txt", "shortest": 21}, "shortest", "1 to 20"),
        ({"text": "{folder}/a.txt", "shortest": True}, "shortest", "whole number"),
        ({"text": "{folder}/a.txt", "shortest": object()}, "shortest", "object"),
        ({"text": "{folder}/a.txt", "ignore": ["nowhere"]}, "ignore", "nowhere"),
        ({"text": "{folder}/a.csv"}, "text", ".txt"),
        ({"text": "{folder}/a.txt", "longest": 3}, "longest", "there are text, shortest, ignore"),
    ],
)
def test_a_refused_parameter_is_named(
    workspace: Workspace, tmp_path: Path, given: Any, name: str, reason: str
) -> None:
    for file in ("a.txt", "a.csv"):
        (tmp_path / file).write_text("some words")
    given = {n: v.format(folder=tmp_path) if isinstance(v, str) else v for n, v in given.items()}
    with pytest.raises(ValueError) as caught:
        workspace.workflow("count_words")(**given)
    assert isinstance(caught.value, Refused) and caught.value.name == name
    assert reason in caught.value.reason


def test_bodies_skipped_steps_and_derived_values_in_plain_python(workspace: Workspace) -> None:
    trip = workspace.workflow("trip")
    assert trip(country="France", town="Paris", name="Ada") == [Note("Ada goes to Paris, France, 3 stars")]
    assert trip(country="France", town="Paris", name="Ada", days=9, stars=5) == [
        Note("Ada goes to Paris, France, 5 stars")
    ]
    with pytest.raises(ValueError, match="Lyon is in France"):
        trip(country="Italy", town="Lyon", name="Ada")
    with pytest.raises(Refused, match="town"):
        trip(country="France", town="Rome", name="Ada")


# What does not load


@pytest.mark.parametrize(
    "body, line, reason",
    [
        ("x = (", 6, "'(' was never closed"),
        ("1 / 0", 6, "ZeroDivisionError: division by zero"),
        ("import nothing_like_that", 6, "No module named 'nothing_like_that'"),
        ("raise SystemExit('bye')", 6, "SystemExit: bye"),
        ("x = '\0'", None, "null byte"),
        ("@flow.step\ndef a(x: int, y): ...", 6, "bare names come first, y comes too late"),
        ("@flow.step\ndef a(x: int): ...\n@flow.step\ndef b(x: int): ...", 8, "step b: x is asked twice"),
        ("@flow.step\ndef a(x): ...", 6, "step a takes x, which no earlier step asks or derives"),
        ("@flow.step\ndef a(x=3): ...", 6, "x has a default and no type"),
        ("@flow.step\ndef a(*x): ...", 6, "*x cannot be a field"),
        ("@flow.step\ndef a(x: int, /): ...", 6, "take the / out"),
        ("@flow.step\ndef a(x: int): ...\n@flow.step\ndef a(y: int): ...", 8, "two steps named a"),
        ("@flow.step\ndef a(x: complex): ...", 6, "cannot be asked for"),
        ("@flow.step\ndef a(x: 'Nothing'): ...", 6, "name 'Nothing' is not defined"),
        ("@flow.step\ndef a(x: int = 'many'): ...", 6, "x: what its Ask or default gives is refused"),
        ("@flow.step(when=lambda y: y)\ndef a(x: int): ...", 6, "takes y, which no earlier step"),
        (
            "def o(y): return [y]\n@flow.step\ndef a(x: Annotated[str, Ask(options=o)]): ...",
            7,
            "step a: o takes y",
        ),
    ],
)
def test_a_file_that_does_not_load(made: Any, body: str, line: int | None, reason: str) -> None:
    with pytest.raises(BrokenWorkflow) as caught:
        made(body)
    assert reason in caught.value.reason
    if line is not None:
        assert caught.value.line in (line, line + 1)  # of a decorated function: the decorator's or its own
        assert f"made.py, line {caught.value.line}: " in str(caught.value)


def test_a_file_needs_one_workflow_and_one_run(made: Any) -> None:
    for head, run, reason in [
        ("", "", "there is no Workflow in it"),
        (HEAD + "other = Workflow('B')\n", RUN, "there are 2 Workflows"),
        (HEAD, "", "no function is marked with @flow.run"),
        (HEAD, RUN + RUN, "one @flow.run; go is a second one"),
        (HEAD, "\n@flow.run\ndef go(x): ...\n", "the run function go takes x, which no earlier step"),
    ]:
        with pytest.raises(BrokenWorkflow, match=reason):
            made("", run, head)
    assert made("same = flow\n").title == "Made"


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(BrokenWorkflow, match="can not be read"):
        load(tmp_path / "none.py")


# What does


def test_string_annotations_and_a_model_of_the_file(made: Any) -> None:
    flow = made(
        "from dataclasses import dataclass\n@dataclass\nclass Range:\n    low: int\n    high: int = 9\n"
        "@flow.step\ndef a(span: Range, more: list[Range]):\n"
        "    if span.low > span.high: raise ValueError('turned')\n"
        "    return {'size': span.high - span.low}",
        run="\n@flow.run\ndef go(span, size):\n    return Note(f'{type(span).__name__} {size}')\n",
        head="from __future__ import annotations\n" + HEAD,
    )
    assert flow(span={"low": 2}, more=[]) == [Note("Range 7")]
    with pytest.raises(ValueError, match="turned"):
        flow(span={"low": 10}, more=[])
    with pytest.raises(Refused, match="span"):
        flow(span={"low": "many"}, more=[])


def test_what_a_derived_value_is(made: Any) -> None:
    body = (
        "import datetime\n@flow.step\ndef a(n: int):\n"
        "    return [None, {'day': datetime.date(2026, 1, 1)}, {'n': 1}, 7, {3: 4}][n]"
    )
    flow = made(body)
    assert told(flow(n=0)) == {"n": 0}
    assert told(flow(n=1)) == {"n": 1, "day": "2026-01-01"}  # as it comes back from a log
    for n, reason in [(2, "n, which a card asks"), (3, "a dict or nothing"), (4, "a dict or nothing")]:
        with pytest.raises(TypeError, match=reason):
            flow(n=n)


def test_a_skipped_steps_names_are_their_defaults_or_none(made: Any) -> None:
    flow = made(
        "@flow.step\ndef a(x: int): ...\n"
        "@flow.step(when=lambda x: x > 1)\n"
        "def b(x, r: Annotated[int, Ask(default=lambda x: x + 1)], p: str, q: int = 4,\n"
        "      s: tuple[int, int] = (1, 2)): ..."
    )
    assert told(flow(x=1)) == {"x": 1, "p": None, "q": 4, "r": 2, "s": (1, 2)}
    assert told(flow(x=1, p="given"))["p"] is None
    with pytest.raises(Refused, match="p: P is missing"):
        flow(x=2)


@pytest.mark.parametrize(
    "run",
    [
        "def go(x):\n    return [Progress(1, 2, ''), Note('a'), [Note('b'), None]]",
        "def go(x):\n    yield Progress(1, 2, '')\n    yield Note('a')\n    yield [Note('b')]",
        "async def go(x):\n    return [Note('a'), Note('b')]",
        "async def go(x):\n    yield Note('a')\n    yield Progress(1, 2, '')\n    yield Note('b')",
        "def go(x, more='b'):\n    return Note('a'), Note(more)",
    ],
)
def test_kinds_of_run_functions(made: Any, run: str) -> None:
    flow = made("@flow.step\ndef a(x: int): ...\n", f"\n@flow.run\n{run}\n")
    assert flow(x=1) == [Note("a"), Note("b")]

    async def in_a_notebook() -> Any:
        return flow(x=1)

    assert asyncio.run(in_a_notebook()) == [Note("a"), Note("b")]


def test_a_run_that_gives_what_is_no_result(made: Any) -> None:
    flow = made("", "\n@flow.run\ndef go():\n    return 'text'\n")
    with pytest.raises(TypeError, match="Table, Graph, Download or Note, not str"):
        flow()


def test_async_steps_and_functions(made: Any) -> None:
    flow = made(
        "async def offered(x):\n    return [x, x + 1]\n@flow.step\nasync def a(x: int):\n"
        "    return {'y': x}\n"
        "@flow.step\ndef b(z: Annotated[int, Ask(options=offered)]): ..."
    )
    assert told(flow(x=1, z=2)) == {"x": 1, "y": 1, "z": 2}


def test_call_gives_what_is_named() -> None:
    assert call(lambda a, b=5, *, c: (a, b, c), {"a": 1, "c": 3, "d": 4}) == (1, 5, 3)
    assert call(lambda a, **rest: rest, {"a": 1, "c": 3}) == {"c": 3}
    with pytest.raises(TypeError, match="takes b, which no earlier step asked or derived"):
        call(lambda a, b: 0, {"a": 1})
    assert list(iterate(None)) == []


def test_typed_values(workspace: Workspace, tmp_path: Path) -> None:
    trip, words = workspace.workflow("trip"), workspace.workflow("count_words")
    place = Place(files=tmp_path, secrets={"key": "hunter2"})
    (tmp_path / "a.txt").write_text("words")
    found = typed_values(
        trip, {"key": {"secret": True}, "days": 3, "stars": None, "address": {"any": 1}}, place
    )
    assert found == {"key": "hunter2", "days": 3, "stars": None, "address": {"any": 1}}
    assert isinstance(found["key"], Secret)
    assert typed_values(words, {"text": {"file": "a.txt"}}, place) == {"text": Upload(tmp_path / "a.txt")}


# Workflows of a workspace


def test_a_changed_file_is_loaded_afresh_and_a_broken_one_hurts_no_other(workspace: Workspace) -> None:
    path = workspace.settings.workspace / "workflows" / "trip.py"
    first = workspace.workflow("trip")
    assert workspace.workflow("trip") is first
    text = path.read_text()
    path.write_text(text.replace("Plan a trip", "Plan a long trip"))
    assert workspace.workflow("trip").title == "Plan a long trip"
    assert workspace.workflow("trip").digest != first.digest
    path.write_text(text + "\n(")
    for _ in range(2):
        with pytest.raises(BrokenWorkflow, match=r"trip\.py, line"):
            workspace.workflow("trip")
    assert workspace.workflow("count_words")
    path.write_text(text)
    assert workspace.workflow("trip").title == "Plan a trip"
    path.unlink()
    with pytest.raises(NotFound):
        workspace.workflow("trip")


def test_the_workspaces_file_wins_over_a_shipped_one(tmp_path: Path) -> None:
    workspace = Workspace(Settings(tmp_path))
    shipped = workspace.workflow_files()["link_graph"]
    assert workspace.workflow("link_graph").stem == "link_graph"
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "link_graph.py").write_text(HEAD + RUN)
    (tmp_path / "workflows" / "_helper.py").write_text("")
    assert workspace.workflow("link_graph").title == "Made"
    assert workspace.workflow_files()["link_graph"] != shipped
    assert "_helper" not in workspace.workflow_files()


def test_a_bodys_refusal_is_refused_for_the_card_as_a_whole():
    flow = Workflow("Odd")

    @flow.step
    def number(n: int):
        if n == 13:
            raise ValueError("thirteen is unlucky")

    @flow.run
    def run(n):
        return []

    with pytest.raises(Refused, match="thirteen is unlucky") as caught:
        flow(n=13)
    assert caught.value.name is None and flow(n=12) == []

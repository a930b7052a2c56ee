"""Every scenario file: the guide's with the guide, a model's with its replies over a real socket."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.models import GUIDE
from assistant.settings import Settings, shipped
from assistant.trial.player import faults, play, pretend_run
from assistant.trial.reading import Scenario, Turn, check, of_workflow, read
from assistant.turn import Chat
from assistant.workspace import Workspace
from tests.double import Double, Round, say

HERE = Path(__file__).parent / "scenarios"
MODEL = "scripted:1b"
FILES = sorted(
    [*HERE.glob("*.yaml"), *(f for p in shipped("workflows").glob("*.py") if (f := of_workflow(p)).is_file())]
)
SCENARIOS = [(path, scenario) for path in FILES for scenario in read(path)]


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with Double(scripts=False) as running:
        running.add(MODEL, capabilities=("completion", "tools"))
        yield running


def workspace_in(folder: Path, double: Double, model: str) -> Workspace:
    """The workflows of the scenarios and the shipped ones; the sessions go to `folder`."""
    found = Workspace(Settings(HERE, ollama_host=double.address, model=model, card_seconds=5.0))
    found.conversations = found.lists.conversations = folder
    return found


async def went(workspace: Workspace, scenario: Scenario, double: Double) -> list[str]:
    """What went otherwise than it must."""
    chat, left = Chat(workspace, pretend_run), list[int]()

    def prepare(turn: Turn) -> None:
        left.append(len(double._queues.get(MODEL, ())))
        double.enqueue(MODEL, *rounds(turn))

    try:
        played = await play(chat, scenario, prepare)
    finally:
        await chat.close()
        workspace.close()
        unsaid = list(double._queues.pop(MODEL, ()))
    told = faults(played, workspace.workflow(scenario.workflow))
    return told + [f"the model was not asked for {len(unsaid)} of its replies"] * bool(unsaid)


def rounds(turn: Turn) -> list[Round]:
    """What the scripted model answers; it ends in words."""
    found = [
        Round(calls=tuple(reply["calls"])) if reply["calls"] else say(reply["say"]) for reply in turn.replies
    ]
    return [*found, say("So it is.")] if found and found[-1].calls else found


@pytest.mark.parametrize(
    ("path", "scenario"), SCENARIOS, ids=[f"{path.name.split('.')[0]}-{s.name}" for path, s in SCENARIOS]
)
def test_what_must_follow_does_and_nothing_else(
    path: Path, scenario: Scenario, tmp_path: Path, double: Double
) -> None:
    workspace = workspace_in(tmp_path, double, MODEL if scenario.scripted else GUIDE)
    assert check(scenario, workspace.workflow(scenario.workflow)) == []
    told = asyncio.run(went(workspace, scenario, double))
    assert not told, "\n".join(told)


WRONG = [
    ("scenarios: 3", "no list `scenarios`"),
    ("scenarios: [{name: a, workflow: site, turns: [{say: x}], goal: 3}]", "'goal' is not known here"),
    ("scenarios: [{name: a, turns: [{say: x}]}]", "a scenario has a name, a workflow and turns"),
    ("scenarios: [{name: a, workflow: site, turns: [{say: x, card: start}]}]", "a turn is one of"),
    ("scenarios: [{name: a, workflow: site, turns: [{say: 3}]}]", "put 3 in quotes"),
    ("scenarios: [{name: a, workflow: site, turns: [{say: x, sat: {}}]}]", "'sat' is not known here"),
    ("scenarios: [{name: a, workflow: site, turns: [{say: x, may: sat}]}]", "may has sat"),
    (
        "scenarios: [{name: a, workflow: b, turns: [{say: x, set: {a: 1}, set: {b: 1}}]}]",
        "line 1: 'set' stands",
    ),
    (
        "scenarios: [{name: a, workflow: b, turns: [{say: x}]}, {name: a, workflow: b, turns: [{say: x}]}]",
        "two",
    ),
    ("scenarios: [", "no YAML that can be read"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_file_with_a_mistake_says_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(AssistantError, match=re.escape(told)) as raised:
        read(path)
    assert str(path) in str(raised.value)


def test_words_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    turns = "[{say: no, set: {a: on, b: 2027-03-05, c: 12:30, d: 3, e: 1.5, f: true, g: null}}]"
    path.write_text(f"workflow: w\nscenarios: [{{name: a, turns: {turns}}}]")
    turn = read(path)[0].turns[0]
    assert turn.given == "no"
    wanted = {"a": "on", "b": "2027-03-05", "c": "12:30", "d": 3, "e": 1.5, "f": True, "g": None}
    assert turn.follows == {"set": wanted}


def test_what_goes_otherwise_is_told(tmp_path: Path, double: Double) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "workflow: site\nscenarios: [{name: a, turns: [{say: depth 3, set: {depth: 4}, values: {limit: 5}},"
        "{say: depth 99, missing: [depth], open: scope}]}]"
    )
    workspace = workspace_in(tmp_path / "sessions", double, GUIDE)
    told = asyncio.run(went(workspace, read(path)[0], double))
    assert told == [
        "turn 1 (say 'depth 3'): set {'depth': 3}, not {'depth': 4}",
        "turn 1 (say 'depth 3'): limit is nothing, not 5",
        "turn 2 (say 'depth 99'): refused {'depth': 99}, not nothing",
        "turn 2 (say 'depth 99'): depth is 3, where it should have no value",
        "turn 2 (say 'depth 99'): the open card is start, not scope",
    ]


def test_there_are_many_and_all_workflows_have_what_they_name() -> None:
    assert len(SCENARIOS) >= 80
    assert sum(scenario.scripted for _, scenario in SCENARIOS) >= 20

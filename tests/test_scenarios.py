"""Every scenario file: the guide's with the guide, a model's with its replies over a real socket."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.models import GUIDE
from assistant.play import faults, play, pretend_run
from assistant.scenarios import Scenario, Turn, check, of_workflow, read
from assistant.settings import Settings, shipped
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
    found.conversations = folder
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

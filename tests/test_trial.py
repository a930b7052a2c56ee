"""The trial: models on scenarios and on the user's own messages, over a real socket to a scripted Ollama."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assistant.__main__ import main
from assistant.actions import begin, complete, fill
from assistant.errors import AssistantError, NotFound
from assistant.log import Fact
from assistant.models import GUIDE
from assistant.settings import Settings
from assistant.trial import Score, trial
from assistant.trial.gold import messages
from assistant.trial.player import Played, pretend_run
from assistant.trial.reading import Turn
from assistant.trial.table import HEADS, WIDTH, lines_of
from assistant.turn import Chat, answer
from assistant.workspace import Handle, Workspace
from tests.double import Double, Round, call, say
from tests.serving import environment

FLOW = '''
from typing import Annotated, Literal

from assistant import Ask, Workflow

flow = Workflow("Crawl")


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")],
    limit: Annotated[int, Ask("Most pages", ge=1, unit="pages")] = 100,
):
    """How far?"""


@flow.run
def crawl(depth, limit):
    raise RuntimeError("a trial runs nothing")
'''
SCENARIOS = """
workflow: crawl
scenarios:
  - name: both
    turns:
      - say: 3 clicks and 200 pages
        set: {depth: 3, limit: 200}
      - say: no, 4 clicks
        set: {depth: 4}
  - name: small talk
    turns:
      - say: how are you?
  - name: too deep
    turns:
      - say: depth 9, or 5 if that is too much
        set: {depth: 5}
        may: [refused]
  - name: a scripted one is not tried
    turns:
      - say: something
        replies: [{say: Hm.}]
"""
MODEL = "tried:1b"


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(scripts=False) as running:
        running.add(MODEL)
        running.add("toolless:1b", capabilities=("completion",))
        yield running


@pytest.fixture
def workspace(tmp_path: Path, double: Double) -> Workspace:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "crawl.py").write_text(FLOW)
    (tmp_path / "workflows" / "crawl.scenarios.yaml").write_text(SCENARIOS)
    return Workspace(Settings(tmp_path, ollama_host=double.address))


def tried(workspace: Workspace, *models: str, sessions: bool = False) -> list[Score]:
    told: list[str] = []
    return asyncio.run(trial(workspace, models, ["crawl"], sessions, told.append))


def counts(score: Score) -> dict[str, Any]:
    """What is not 0, without times."""
    kept = {
        name: value for name, value in vars(score).items() if name not in ("model", "seconds", "speaking")
    }
    return {name: value for name, value in kept.items() if value}


def test_what_a_model_does_is_counted(workspace: Workspace, double: Double) -> None:
    double.enqueue(
        MODEL,
        call("set_values", depth=3), say("Three."),  # limit is missed
        call("set_values", depth=4, limit=7), say("Four."),  # a correction, and one that nobody said
        call("set_values", depth=2), say("Fine."),  # invented
        call("set_values", depth=9), call("set_values", depth=5), say("Five."),
    )  # fmt: skip
    guide, score = tried(workspace, MODEL)
    assert (guide.model, score.model) == (GUIDE, MODEL)
    assert counts(score) == {
        "right": 3, "missed": 1, "invented": 2, "corrections": 1, "corrected": 1, "refused": 1,
        "recovered": 1, "turns": 4, "tokens": score.tokens,
    }  # fmt: skip
    assert counts(guide)["right"] >= 3
    assert "invented" not in counts(guide) and "wrong" not in counts(guide)
    assert list(workspace.session_ids()) == []


def test_what_was_played_holds_no_file_open(workspace: Workspace) -> None:
    tried(workspace, GUIDE)
    before = len(os.listdir("/dev/fd"))
    tried(workspace, GUIDE)
    assert len(os.listdir("/dev/fd")) <= before


def test_wrong_and_spurious_values(workspace: Workspace, double: Double) -> None:
    double.enqueue(
        MODEL,
        call("set_values", depth=2, limit=3), say("Done."),  # nobody said 2, and 3 of the depth alone
        say("Four."), say("Well."), say("Hm."),
    )  # fmt: skip
    _, score = tried(workspace, MODEL)
    assert (score.right, score.wrong, score.missed) == (0, 2, 2)
    assert (score.corrections, score.corrected) == (0, 0)


def test_a_turn_that_fails_is_told_and_the_next_is_tried(workspace: Workspace, double: Double) -> None:
    double.enqueue(MODEL, Round(status=500, error="llama-server process has terminated"), *[say("Hm.")] * 3)
    _, score = tried(workspace, MODEL)
    assert (score.turns, score.missed, len(score.failures)) == (4, 4, 1)


async def finished_session(workspace: Workspace, double: Double) -> Handle:
    """Two messages: the first said the depth, the second got a proposal that the user took."""
    handle = await begin(workspace, "crawl")
    await handle.write(lambda _: [Fact("user", "chose", {"model": MODEL})])
    chat = Chat(workspace)
    double.enqueue(MODEL, call("set_values", depth=3), say("Three."))
    await chat.say(handle, "three clicks deep")
    await chat.idle(handle.sid)
    double.enqueue(MODEL, call("set_values", limit=50), say("Fifty?"))
    await chat.say(handle, "only a handful of pages")
    await chat.idle(handle.sid)
    await answer(chat, handle, next(iter(handle.session().proposals)), "accept")
    await fill(handle, {"depth": 4}, "user")
    await complete(handle, "start", {"depth": "4", "limit": "50"})
    await handle.write(
        lambda _: [Fact("user", "started", {"run": "r1"}), Fact("app", "finished", {"run": "r1"})]
    )
    await chat.close()
    return handle


def test_the_values_that_the_user_confirmed_are_what_is_right(workspace: Workspace, double: Double) -> None:
    handle = asyncio.run(finished_session(workspace, double))
    first, second = messages(workspace)
    assert (first.turn.given, first.turn.follows, first.free) == ("three clicks deep", {"set": {}}, {"depth"})
    assert second.turn.follows == {"set": {"limit": 50}}  # the depth was changed by hand afterwards
    double.enqueue(
        MODEL, call("set_values", depth=3), say("Three."), call("set_values", limit=50), say("Fifty?")
    )
    before = len(handle.log.entries)
    guide, score = tried(workspace, MODEL, sessions=True)
    assert counts(score) == {"right": 1, "turns": 2, "tokens": score.tokens}
    assert counts(guide) == {"missed": 1, "turns": 2}
    assert len(handle.log.entries) == before and workspace.session_ids() == [handle.sid]


def test_a_session_whose_workflow_is_gone_is_left_out(workspace: Workspace, double: Double) -> None:
    asyncio.run(finished_session(workspace, double))
    (workspace.settings.workspace / "workflows" / "crawl.py").write_text("1 / 0")
    assert messages(workspace) == []


def test_what_can_not_be_tried_is_said(workspace: Workspace, double: Double, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"Ollama has no model 'x:1b'. It has: toolless:1b, tried:1b"):
        tried(workspace, "x:1b")
    with pytest.raises(NotFound, match=r"'trip' has no scenarios. Those that have: crawl"):
        asyncio.run(trial(workspace, [], ["trip"], False, print))
    with pytest.raises(AssistantError, match="No session has finished a run after words"):
        tried(workspace, sessions=True)
    (tmp_path / "workflows" / "crawl.scenarios.yaml").write_text(SCENARIOS.replace("limit: 200", "lmit: 200"))
    with pytest.raises(AssistantError, match="both: the workflow crawl has no parameter 'lmit'"):
        tried(workspace)


def test_the_command_prints_a_table(workspace: Workspace, double: Double, tmp_path: Path) -> None:
    double.enqueue(MODEL, *[say("Hm.")] * 4)
    arguments = ["trial", "crawl", "--model", MODEL, "--workspace", str(tmp_path)]
    result = CliRunner(env={"OLLAMA_HOST": double.address}).invoke(main, arguments)
    assert result.exit_code == 0, result.output
    head, guide, model, *_ = [line.split() for line in result.stdout.splitlines()]
    assert tuple(head) == HEADS
    assert guide[0] == GUIDE and guide[1:6] == ["3", "0", "1", "0", "1/1"]
    assert model[:5] == [MODEL, "0", "0", "4", "0"]
    assert f"{MODEL}: 3 of 3, too deep" in result.stderr


@pytest.mark.parametrize("sessions", [False, True])
def test_all_that_is_printed_fits_a_terminal(
    workspace: Workspace, double: Double, tmp_path: Path, sessions: bool
) -> None:
    """With names of 60 characters, of which two differ in their middle only; numbers and endings stay."""
    long = [f"hf.co/somebody/{middle:-^38}:q4_K_M" for middle in ("one", "other")]
    scenarios = tmp_path / "workflows" / "crawl.scenarios.yaml"
    scenarios.write_text(SCENARIOS.replace("too deep", f"{'a deep one ' * 8}at last"))
    if sessions:
        asyncio.run(said_to_the_guide(workspace, "3 clicks", "200 pages"))
    for name in long:
        double.add(name)
        double.enqueue(name, Round(status=500, error="the runner stopped " * 10), *[say("Hm.")] * 8)
    tried_ones = [part for name in long for part in ("--model", name)]
    arguments = ["trial", "crawl", *tried_ones, "--workspace", str(tmp_path)]
    runner = CliRunner(env={"OLLAMA_HOST": double.address})
    result = runner.invoke(main, [*arguments, *["--from-sessions"] * sessions])
    assert result.exit_code == 0, result.output
    assert [line for line in result.output.splitlines() if len(line) > WIDTH] == []
    table, _, rest = result.stdout.partition("\n\n")
    for cut in (line.split()[0] for line in table.splitlines()[2:]):
        assert "…" in cut and cut.startswith("hf.co/some") and cut.endswith(":q4_K_M")
    assert all(f"\n  {name}\n" in rest for name in long)  # in full, in the order of the table
    told = " ".join(result.stderr.split())
    assert f"{long[1]}: 2 of " in told and "the runner stopped" in told
    assert sessions or "a deep one at last" in told


def test_the_table_fits_whatever_was_counted() -> None:
    named = [Score(name * 60, 1234, 1234, 1234, 123, 1000, 1000, 123, 100, 100, 9, 900.0) for name in "ab"]
    head, guide, *rest = lines_of([Score(GUIDE), *named])
    assert tuple(head.split()) == HEADS and guide.startswith(GUIDE)
    assert all(len(line) <= WIDTH for line in (head, guide, *rest))
    assert lines_of([Score("qwen3:4b")])[1].startswith("qwen3:4b ")
    legend = "\n".join(lines_of([]))
    assert all(name in legend for name in HEADS[1:])


async def said_to_the_guide(workspace: Workspace, *messages: str, waits: bool = True, **form: Any) -> Handle:
    """A finished session: these words, each waiting for its reply or not, then the card as it stands."""
    handle = await begin(workspace, "crawl")
    await handle.write(lambda _: [Fact("user", "chose", {"model": GUIDE})])
    chat = Chat(workspace)
    for text in messages:
        await chat.say(handle, text)
        if waits:
            await chat.idle(handle.sid)
    await chat.idle(handle.sid)
    await chat.close()
    await complete(handle, "start", handle.session().values | form)
    await pretend_run(handle, "user")
    return handle


@pytest.mark.parametrize("waits", [True, False])
def test_what_the_guide_set_rightly_is_right_in_the_trial(workspace: Workspace, waits: bool) -> None:
    """Also where the next words were said before it had answered."""
    asyncio.run(said_to_the_guide(workspace, "3 clicks", "200 pages", "how are you?", waits=waits))
    [guide, *_] = tried(workspace, sessions=True)
    assert (guide.right, guide.spurious, guide.missed) == ((2, 0, 0) if waits else (1, 0, 0))
    # the words that were said too early are no fair test: they were answered on another state
    assert next(each.turn.given for each in messages(workspace)) == "3 clicks"


def test_a_default_that_was_said_is_not_spurious(workspace: Workspace, double: Double) -> None:
    async def make() -> None:
        handle = await begin(workspace, "crawl")
        await handle.write(lambda _: [Fact("user", "chose", {"model": MODEL})])
        chat = Chat(workspace)
        double.enqueue(MODEL, say("Fine."))  # it missed both
        await chat.say(handle, "3 clicks, at most 100 pages")
        await chat.idle(handle.sid)
        await chat.close()
        await complete(handle, "start", {"depth": "3"})
        await pretend_run(handle, "user")

    asyncio.run(make())
    [message] = messages(workspace)
    assert (message.turn.follows, message.free) == ({"set": {"depth": 3}}, {"depth", "limit"})
    double.stop()
    [guide] = tried(workspace, sessions=True)
    assert counts(guide) == {"right": 1, "turns": 1}


def test_a_suggestion_that_was_taken_later_is_that_of_its_message(
    workspace: Workspace, double: Double
) -> None:
    async def make() -> None:
        handle = await begin(workspace, "crawl")
        await handle.write(lambda _: [Fact("user", "chose", {"model": MODEL})])
        chat = Chat(workspace)
        double.enqueue(
            MODEL, call("set_values", limit=50), say("Fifty?"), call("set_values", depth=2), say("2")
        )
        for text in ("only a handful of pages", "two clicks"):
            await chat.say(handle, text)
            await chat.idle(handle.sid)
        await answer(chat, handle, next(iter(handle.session().proposals)), "accept")
        await chat.close()
        await complete(handle, "start", handle.session().values)
        await pretend_run(handle, "user")

    asyncio.run(make())
    assert [each.turn.follows["set"] for each in messages(workspace)] == [{"limit": 50}, {"depth": 2}]
    assert [set(each.free) for each in messages(workspace)] == [{"limit"}, {"depth", "limit"}]


def test_what_came_from_an_earlier_session_was_not_said(workspace: Workspace) -> None:
    async def make() -> None:
        await said_to_the_guide(workspace, "4 clicks")
        await said_to_the_guide(workspace, "same as last time please", depth=4)

    asyncio.run(make())
    assert [each.turn.given for each in messages(workspace)] == ["4 clicks"]


def test_what_is_suggested_still_is_not_invented_anew(workspace: Workspace) -> None:
    async def make() -> Handle:
        handle = await begin(workspace, "crawl")
        values = {"depth": 3, "limit": 50}
        fields = {"id": "p1", "step": "start", "values": values, "turn": "t0"}
        await handle.write(lambda _: [Fact("model", "proposed", fields)])
        return handle

    handle = asyncio.run(make())
    before, flow = handle.session(), handle.workflow()
    again = Fact("guide", "proposed", {"id": "p2", "step": "start", "values": {"limit": 50}, "turn": "t1"})
    other = Fact("guide", "proposed", {"id": "p3", "step": "start", "values": {"depth": 4}, "turn": "t1"})
    words = Fact("guide", "said", {"text": "So.", "turn": "t1"})
    asyncio.run(handle.write(lambda _: [again, other, words]))
    score = Score(GUIDE)
    entries = tuple(handle.log.entries[before.n :])
    score.add(
        Played(Turn("say", "not that", follows={"set": {}}), before, handle.session(), entries, 0.1), flow
    )
    assert score.invented == 1


def test_a_session_that_was_filled_by_form_alone_says_nothing(workspace: Workspace) -> None:
    async def make() -> None:
        handle = await begin(workspace, "crawl")
        await complete(handle, "start", {"depth": "3"})
        await pretend_run(handle, "user")

    asyncio.run(make())
    assert messages(workspace) == []
    with pytest.raises(AssistantError, match="No session has finished a run after words"):
        tried(workspace, sessions=True)


def test_a_broken_prompt_is_told_of_once(workspace: Workspace, double: Double, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "system.md.j2").write_text("{{ nobody }}")
    (tmp_path / "prompts" / "alignment.md.j2").write_text("{% if")
    (tmp_path / "models.toml").write_text("no toml")
    for name in (MODEL, "second:1b"):
        double.add(name)
        double.enqueue(name, *[say("Hm.")] * 4)
    ran = subprocess.run(
        [sys.executable, "-m", "assistant", "trial", "crawl", "--model", MODEL, "--model", "second:1b"],
        cwd=tmp_path, env=environment(double.address), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = [line for line in ran.stderr.splitlines() if "prompts/" in line or "models.toml" in line]
    assert sorted(line.partition(":")[0] for line in told) == [
        "models.toml was not read", "prompts/alignment.md.j2, line 1", "prompts/system.md.j2, line 1",
    ]  # fmt: skip


def test_without_a_name_all_models_that_can_use_tools_are_tried(workspace: Workspace, double: Double) -> None:
    double.enqueue(MODEL, *[say("Hm.")] * 4)
    assert [score.model for score in tried(workspace)] == [GUIDE, MODEL]


def test_without_ollama_the_guide_is_tried(workspace: Workspace, double: Double) -> None:
    double.stop()
    assert [score.model for score in tried(workspace)] == [GUIDE]
    with pytest.raises(AssistantError, match="Ollama"):
        tried(workspace, MODEL)

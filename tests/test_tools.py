"""The tools: what they look like for the open card, and what single calls do to a session."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant import actions
from assistant.cards import cards, open_card
from assistant.log import Entry, Fact
from assistant.models import Call
from assistant.settings import Settings
from assistant.tools import definitions, execute
from assistant.tools.desk import FOR_MODELS, Desk, loggable, words_that_count
from assistant.workspace import Handle, Workspace

FLOW = '''
from typing import Annotated, Literal

from assistant import Ask, Secret, Upload, Workflow

flow = Workflow("Crawl", "Follow the links of a site.")


def sections(depth):
    return ["docs", "blog"] if depth < 3 else ["docs", "blog", "forum"]


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")],
    extra: bool = False,
    note: Annotated[str | None, Ask("Note")] = None,
):
    """How far?"""


@flow.step(when=lambda extra: extra)
def more(extra, size: Annotated[int, Ask("Size")] = 1):
    """How large?"""


@flow.step
def where(
    depth,
    parts: Annotated[list[str], Ask("Sections", options=sections)],
    page: Annotated[Upload | None, Ask("Page")] = None,
    key: Annotated[Secret | None, Ask("Key")] = None,
):
    """Which sections?"""
    if len(parts) > 2:
        raise ValueError("Two sections at most.")


@flow.run
def crawl(depth, parts):
    yield
'''


@pytest.fixture
async def handle(tmp_path: Path) -> Handle:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "crawl.py").write_text(FLOW)
    return await actions.begin(Workspace(Settings(tmp_path)), "crawl")


async def desk_for(handle: Handle, words: str, by: str = "model", turn: str = "t1") -> Desk:
    await handle.write(lambda _: [Fact("user", "said", {"text": words, "turn": turn})])

    async def start_run(handle: Handle, by: str) -> str:
        return f"run by {by}"

    return Desk(handle, turn, by, words_that_count(handle.session(), turn), start_run)


async def do(desk: Desk, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return await execute(desk, [Call(f"c{n}", tool, arguments) for n, (tool, arguments) in enumerate(calls)])


def lines(handle: Handle, did: str) -> list[Entry]:
    return [entry for entry in handle.log.entries if entry.did == did]


def shapes(handle: Handle) -> dict[str, dict[str, Any]]:
    found = cards(handle.session(), handle.workflow())
    made = definitions(handle.workflow(), open_card(found))
    return {tool["function"]["name"]: tool["function"]["parameters"] for tool in made}


@pytest.mark.anyio
async def test_the_open_card_makes_the_arguments_of_set_values(handle: Handle) -> None:
    first = shapes(handle)
    assert (*first, "query_results") == FOR_MODELS  # that one where a run has finished
    assert list(first["set_values"]["properties"]) == ["depth", "extra", "note"]
    assert first["set_values"]["required"] == []
    assert first["set_other_value"]["properties"]["name"]["enum"] == ["size", "parts"]
    await actions.complete(handle, "start", {"depth": "2"})
    second = shapes(handle)
    assert list(second["set_values"]["properties"]) == ["parts"]  # no upload, no secret
    assert second["set_values"]["properties"]["parts"]["items"]["enum"] == ["docs", "blog"]


@pytest.mark.anyio
async def test_the_tools_do_not_change_with_the_values(handle: Handle) -> None:
    before = json.dumps(shapes(handle))
    await actions.fill(handle, {"depth": 2}, "user")
    assert json.dumps(shapes(handle)) == before


@pytest.mark.anyio
async def test_a_value_of_another_card_is_set_too(handle: Handle) -> None:
    await actions.complete(handle, "start", {"depth": "2"})
    desk = await desk_for(handle, "the docs section please, and make depth 3")
    found = await do(
        desk, ("set_values", {"parts": ["docs"]}), ("set_other_value", {"name": "depth", "value": "3"})
    )
    assert found == [{"set": {"parts": ["docs"]}}, {"set": {"depth": 3}}]
    assert handle.session().values["depth"] == 3


@pytest.mark.anyio
async def test_a_call_that_names_one_value_twice_keeps_the_order(handle: Handle) -> None:
    desk = await desk_for(handle, "depth 2, no, depth 4")
    found = await do(desk, ("set_values", {"depth": 2}), ("set_values", {"depth": 4}))
    assert [result["set"]["depth"] for result in found] == [2, 4]
    assert handle.session().values["depth"] == 4


@pytest.mark.anyio
@pytest.mark.parametrize("nothing", [None, "", "null", "None"])
async def test_nothing_in_an_argument_is_no_value(handle: Handle, nothing: str | None) -> None:
    desk = await desk_for(handle, "depth 2")
    found = await do(desk, ("set_values", {"depth": 2, "note": nothing, "extra": nothing}))
    assert found == [{"set": {"depth": 2}}]
    assert lines(handle, "refused") == []
    assert lines(handle, "proposed") == []


@pytest.mark.anyio
async def test_nothing_that_the_user_asked_for_is_set(handle: Handle) -> None:
    await actions.fill(handle, {"note": "hello"}, "user")
    desk = await desk_for(handle, "no note")
    assert await do(desk, ("set_values", {"note": None})) == [{"set": {"note": None}}]


@pytest.mark.anyio
async def test_a_proposal_stands_on_the_card_once_and_is_no_value(handle: Handle) -> None:
    desk = await desk_for(handle, "hello")
    first = await do(desk, ("set_values", {"depth": 2}))
    again = await do(await desk_for(handle, "hm", turn="t2"), ("set_values", {"depth": 2}))
    assert first[0]["proposed"] == again[0]["proposed"] == {"depth": 2}
    assert len(lines(handle, "proposed")) == 1
    card = open_card(cards(handle.session(), handle.workflow()))
    assert card is not None and card.suggestions["depth"] == 2 and card.sources["depth"] == "model"
    assert not desk.changed


@pytest.mark.anyio
async def test_a_done_card_is_asked_about_and_its_body_may_refuse(handle: Handle) -> None:
    await actions.complete(handle, "start", {"depth": "4"})
    await actions.complete(handle, "where", {"parts": ["docs"]})
    found = await do(
        await desk_for(handle, "hm"), ("set_other_value", {"name": "parts", "value": '["blog"]'})
    )
    assert found[0]["asked"] == {"parts": lines(handle, "asked")[0]["id"]}
    desk = await desk_for(handle, "docs, blog and forum", turn="t2")
    found = await do(desk, ("set_other_value", {"name": "parts", "value": '["docs", "blog", "forum"]'}))
    assert found == [{"refused": {"parts": "Two sections at most."}}]
    assert handle.session().values["parts"] == ["docs"]


@pytest.mark.anyio
async def test_a_skipped_card_takes_no_value(handle: Handle) -> None:
    await actions.complete(handle, "start", {"depth": "2"})
    desk = await desk_for(handle, "size 5")
    found = await do(desk, ("set_other_value", {"name": "size", "value": "5"}))
    assert "not needed" in found[0]["refused"]["size"]
    assert handle.session().values["size"] == 1


@pytest.mark.anyio
async def test_words_said_before_a_value_was_typed_do_not_overwrite_it(handle: Handle) -> None:
    desk = await desk_for(handle, "depth 2")
    await actions.fill(handle, {"depth": 5}, "user")
    found = await do(desk, ("set_values", {"depth": 2}))
    assert "asked" in found[0]
    assert handle.session().values["depth"] == 5


@pytest.mark.anyio
async def test_wrong_calls_are_answered_and_logged(handle: Handle) -> None:
    desk = await desk_for(handle, "depth 2")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("fly", {"depth": 2}), ("set_values", {}), ("set_other_value", {"value": 1}),
        ("set_values", {"deep": 2}), ("reopen_step", {"step": "none"}), ("reopen_step", {}),
        ("ask_user", {}), ("next_step", {}),
    ]  # fmt: skip
    found = await do(desk, *calls)
    assert len(lines(handle, "called")) == len(calls)
    assert all("error" in result or "refused" in result for result in found)
    assert handle.session().values == {}
    assert "There is no tool 'fly'" in found[0]["error"]
    assert found[7]["error"].startswith("There is no tool 'next_step'")  # only the guide has it


@pytest.mark.anyio
async def test_reopening_and_one_question_at_a_time(handle: Handle) -> None:
    await actions.complete(handle, "start", {"depth": "2"})
    desk = await desk_for(handle, "change the first card")
    found = await do(
        desk,
        ("reopen_step", {"step": "start"}),
        ("ask_user", {"question": "Deeper?", "options": ["yes", "no", 3, {"x": 1}]}),
        ("ask_user", {"question": "Wider?"}),
    )
    assert found[0] == {"ok": True}
    assert lines(handle, "asked")[0]["options"] == ["yes", "no", "3"]
    assert "error" in found[2]
    card = open_card(cards(handle.session(), handle.workflow()))
    assert card is not None and card.step.name == "start"


@pytest.mark.anyio
async def test_the_guide_completes_skips_undoes_and_redoes(handle: Handle) -> None:
    desk = await desk_for(handle, "depth 2, next", by="guide")
    assert "depth" in (await do(desk, ("skip_step", {})))[0]["refused"]
    found = await do(desk, ("set_values", {"depth": 2}), ("next_step", {}))
    assert found[1] == {"ok": True, "opened": "where"}
    assert handle.session().origins["depth"] == "guide"
    undone = (await do(desk, ("undo", {})))[0]
    assert undone["ok"] and "extra" in undone["names"]  # the defaults that Next took
    card = open_card(cards(handle.session(), handle.workflow()))
    assert card is not None and card.step.name == "start"
    assert (await do(desk, ("redo", {})))[0] == undone
    assert handle.session().values["extra"] is False
    assert {entry.by for entry in lines(handle, "called")} == {"guide"}


def test_arguments_that_a_line_cannot_hold_are_cut() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    for arguments in ({"a": deep}, {"a": "x" * 50_000}, {"a": float("nan")}):
        assert set(loggable(arguments)) == {"cut"}
    assert loggable({"a": "\ud800", "b": [1, None]}) == {"a": "?", "b": [1, None]}


@pytest.mark.anyio
@pytest.mark.parametrize("by", ["guide", "model"])
async def test_a_refusal_goes_as_the_user_says_the_value_that_stands_there(handle: Handle, by: str) -> None:
    await do(await desk_for(handle, "3 clicks", by), ("set_values", {"depth": 3}))
    await do(await desk_for(handle, "depth 9", by, "t2"), ("set_values", {"depth": 9}))
    before = handle.session()
    assert set(before.refusals) == {"depth"}
    desk = await desk_for(handle, "no, keep 3", by, "t3")
    assert await do(desk, ("set_values", {"depth": 3})) == [{"unchanged": ["depth"]}]
    after = handle.session()
    assert after.refusals == {} and after.values == {"depth": 3} and after.lines == before.lines
    assert handle.session(before.n).refusals == before.refusals
    await actions.undo(handle)
    assert handle.session().values == {}


@pytest.mark.anyio
async def test_a_refusal_stays_where_only_the_model_names_the_value_again(handle: Handle) -> None:
    await do(await desk_for(handle, "3 clicks"), ("set_values", {"depth": 3}))
    desk = await desk_for(handle, "depth 9", turn="t2")
    await do(desk, ("set_values", {"depth": 9}))
    await do(desk, ("set_values", {"depth": 3}))
    assert set(handle.session().refusals) == {"depth"}
    await do(await desk_for(handle, "with extras", turn="t3"), ("set_values", {"depth": 3, "extra": True}))
    assert set(handle.session().refusals) == {"depth"}
    assert handle.session().values == {"depth": 3, "extra": True}


async def earlier(handle: Handle, run: str | None = None, **values: Any) -> Handle:
    """Another session of the workflow: with the first card completed, and a run that ended so."""
    made = await actions.begin(handle.workspace, "crawl")
    if values:
        await actions.complete(made, "start", values)
    if run:
        ended = Fact("app", run, {"run": "r1"})
        await made.write(lambda _: [Fact("user", "started", {"run": "r1"}), ended])
    return made


async def as_last_time(handle: Handle) -> dict[str, Any]:
    [result] = await do(await desk_for(handle, "same as last time", "guide"), ("use_last", {}))
    return result


@pytest.mark.anyio
async def test_as_last_time_takes_the_newest_that_has_values_for_the_open_card(handle: Handle) -> None:
    assert "error" in await as_last_time(handle)
    await earlier(handle, depth=2)
    newest = await earlier(handle, depth=3)
    await earlier(handle)  # without a value
    await earlier(handle, "failed")
    handle = await actions.begin(handle.workspace, "crawl")
    result = await as_last_time(handle)
    assert result["proposed"] == {"depth": 3}
    assert result["session"] == newest.sid
    at = datetime.fromisoformat(newest.log.entries[-1].at).astimezone()
    assert result["from"] == f"“Crawl” ({newest.sid}, set {at:%Y-%m-%d %H:%M}, without a run)"
    [proposed] = handle.session().proposals.values()
    assert proposed["source"]["depth"]["session"] == newest.sid


@pytest.mark.anyio
async def test_as_last_time_prefers_a_run_that_finished_and_says_how_it_ended(handle: Handle) -> None:
    for depth, run, told in ((2, "cancelled", "its run was cancelled"), (3, "failed", "its run failed")):
        await earlier(handle, run, depth=depth)
        assert (await as_last_time(handle))["from"].endswith(f", {told})")
    finished = await earlier(handle, "finished", depth=4)
    await earlier(handle, depth=5)
    result = await as_last_time(handle)
    assert (result["session"], result["proposed"]) == (finished.sid, {"depth": 4})
    assert result["from"].endswith(", its run finished)")


@pytest.mark.anyio
async def test_as_last_time_a_session_that_is_deleted_or_of_a_later_card_does_not_count(
    handle: Handle,
) -> None:
    gone = await earlier(handle, "finished", depth=4)
    handle.workspace.discard(gone.sid)
    later = await earlier(handle, "finished")
    await actions.fill(later, {"parts": ["blog"], "size": 9}, "user")
    old = await earlier(handle, depth=2)
    await actions.fill(later, {"size": 8}, "user")  # so that it was changed last
    result = await as_last_time(handle)
    assert (result["session"], result["proposed"]) == (old.sid, {"depth": 2})
    handle.workspace.discard(old.sid)
    result = await as_last_time(handle)
    assert result["session"] == later.sid
    assert "depth" not in result["proposed"]


@pytest.mark.anyio
async def test_as_last_time_with_nothing_left_to_give_says_so(handle: Handle) -> None:
    await earlier(handle, "finished", depth=4)
    await actions.fill(handle, {"depth": 1, "extra": False, "note": None, "parts": []}, "user")
    assert "nothing was taken" in (await as_last_time(handle))["error"]
    assert handle.session().proposals == {}

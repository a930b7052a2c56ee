"""What a model gets to read: the alignment header, a fresh window, and the preview of it all."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assistant import actions
from assistant.__main__ import main
from assistant.log import Fact
from tests.double import call, say
from tests.room import MODEL, Room, double_fixture, room_fixture

FLOW = '''
from typing import Annotated

from assistant import Ask, Secret, Workflow

flow = Workflow("Crawl", "Follow the links\\n  of a site.")


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")],
    limit: Annotated[int, Ask("Most pages", ge=1, le=5000, unit="pages")] = 100,
):
    """How far to go?

    A click is one link followed.
    """


@flow.step
def access(key: Annotated[Secret | None, Ask("Key")] = None):
    """A key?

    It opens the members' pages.
    """


@flow.run
def crawl(depth):
    yield
'''


double = double_fixture(scripts=False)
room = room_fixture(FLOW)


def contents(request: dict[str, Any]) -> list[str]:
    return [message["content"] for message in request["messages"]]


@pytest.mark.anyio
async def test_the_newest_message_alone_has_the_alignment_header(room: Room) -> None:
    await actions.fill(room.handle, {"limit": 7}, "user")
    room.script(call("set_values", depth=9), say("No."), say("Yes."))
    await room.say("depth 9")
    await room.say("is it all?")
    *before, newest = contents(room.requests[-1])
    header, _, words = newest.partition("[The user says]\n")
    assert words == "is it all?"
    lines = header.splitlines()
    assert "Goal: Crawl: Follow the links of a site." in lines  # the vision, in one line
    assert 'Open card: start ("How far to go?")' in lines
    assert "- depth: Depth; a whole number; 1 to 5 clicks; MISSING" in lines  # its rules
    assert "- limit: Most pages; a whole number; 1 to 5000 pages; set to 7 pages (by user)" in lines
    assert any(line.startswith("Refused lately: depth:") for line in lines)
    assert lines[-1].startswith("Answer in at most three short sentences")  # the budget of an answer
    assert not [text for text in before if "Goal:" in text or "[State" in text]
    assert before[1] == "depth 9"


@pytest.mark.anyio
async def test_the_header_follows_the_open_card(room: Room) -> None:
    await actions.complete(room.handle, "start", {"depth": "2"})
    room.script(say("Well."))
    await room.say("what now?")
    system, newest = contents(room.requests[-1])
    assert 'Open card: access ("A key?")' in newest
    assert "On other cards: depth = 2 clicks; limit = 100 pages" in newest
    assert system.endswith('Help for the open card, "A key?":\nIt opens the members\' pages.')


@pytest.mark.anyio
async def test_realigned_starts_a_fresh_window_and_keeps_what_holds(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."), say("Fresh."), say("On."))
    await room.say("depth 3")
    await room.handle.write(lambda _: [Fact("user", "realigned")])
    await room.say("and now?")
    fresh = room.requests[-1]
    assert [m["role"] for m in fresh["messages"]] == ["system", "user"]
    assert "set to 3 clicks" in fresh["messages"][-1]["content"]
    said = [e["text"] for e in room.handle.log.entries if e.did == "said"]
    assert said[0] == "depth 3"  # it stays in the log
    await room.say("what next?")
    assert contents(room.requests[-1])[1:3] == ["and now?", "Fresh."]
    assert room.requests[-1]["messages"][0] == room.requests[0]["messages"][0]


@pytest.mark.anyio
async def test_an_older_message_asked_again_sees_what_was_before_it_only(room: Room) -> None:
    room.script(say("One."), say("Two."), say("Three."), say("Three again."), say("Two again."))
    for words in ("first", "second", "third"):
        await room.say(words)
        if words == "first":
            await room.handle.write(lambda _: [Fact("user", "realigned")])
    said = [e for e in room.handle.log.entries if e.did == "said" and e.by == "user"]
    await room.handle.write(lambda _: [Fact("user", "realigned")])
    await room.chat.again(room.handle, said[2]["turn"])
    await room.quiet()
    assert contents(room.requests[-1])[1:3] == ["second", "Two."]
    assert contents(room.requests[-1])[-1].endswith("third")
    await room.chat.again(room.handle, said[1]["turn"])
    await room.quiet()
    assert [m["role"] for m in room.requests[-1]["messages"]] == ["system", "user"]
    assert contents(room.requests[-1])[-1].endswith("second")


@pytest.mark.anyio
async def test_a_workflows_own_prompt_is_used(room: Room) -> None:
    folder = room.chat.workspace.settings.workspace / "prompts" / "crawl"
    folder.mkdir(parents=True)
    (folder / "help.md.j2").write_text("Ask a librarian.")
    room.script(say("Hello."))
    await room.say("good morning")
    assert contents(room.requests[-1])[0].endswith("Ask a librarian.")


@pytest.mark.anyio
async def test_the_preview_prints_what_a_model_would_get_now(room: Room) -> None:
    await actions.complete(room.handle, "start", {"depth": "2"})
    await actions.complete(room.handle, "access", {"key": "s3cr3t-value"})
    await actions.reopen(room.handle, "start")
    room.script(call("set_values", depth=3), say("Set \x1b[31mit."), say("Yes."))
    await room.say("depth 3")
    folder = room.chat.workspace.settings.workspace
    (folder / "prompts").mkdir()
    (folder / "prompts" / "alignment.md.j2").write_text("{{ nobody }}")
    found = CliRunner().invoke(main, ["prompt", room.handle.sid, "--workspace", str(folder)])
    assert found.exit_code == 0, found.output
    assert "prompts/alignment.md.j2, line 1" in found.stderr
    (folder / "prompts" / "alignment.md.j2").unlink()
    await room.say("are you sure?")
    shown = found.stdout.splitlines()
    for part in room.requests[-1]["messages"][:-1]:
        for line in part["content"].replace("\x1b", " ").splitlines():
            assert line.strip() in shown
    for tool in room.requests[-1]["tools"]:
        assert f'{{"name": "{tool["function"]["name"]}", ' in found.stdout
    assert "s3cr3t-value" not in found.stdout
    assert "\x1b" not in found.stdout
    assert shown[-1].startswith("--- about ") and "of 7,168 tokens" in shown[-1]
    assert MODEL not in found.stdout


def test_the_preview_of_no_session_is_a_sentence(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["prompt", "nothing", "--workspace", str(tmp_path)])
    assert found.exit_code == 1
    assert "nothing" in found.stderr

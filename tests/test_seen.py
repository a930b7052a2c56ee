"""What the assistant saw: the prompt that each reply names, kept beside the log."""

import json
from pathlib import Path

import pytest

from assistant import actions
from assistant.chat import seen
from assistant.chat.seen import forget
from assistant.chat.seen import seen as look
from assistant.errors import NotFound
from assistant.settings import Bounds
from tests.double import Round, call, say
from tests.room import Room, double_fixture, room_fixture

FLOW = '''
from typing import Annotated

from assistant import Ask, Secret, Workflow

flow = Workflow("Crawl")


@flow.step
def start(depth: Annotated[int, Ask("Depth")], key: Annotated[Secret | None, Ask("Key")] = None):
    """How far to go?"""


@flow.step
def more(depth, note: Annotated[str | None, Ask("Note")] = None):
    """Anything else?"""


@flow.run
def crawl(depth):
    yield
'''


double = double_fixture(scripts=False)
room = room_fixture(FLOW, bounds=Bounds(prompts_kept=3))


def files(room: Room) -> list[Path]:
    return sorted((room.handle.folder / "prompts").iterdir())


@pytest.mark.anyio
async def test_a_reply_names_exactly_what_was_sent_last(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set.", prompt_tokens=1234))
    said = (await room.say("depth 3"))[-1]
    found = look(room.handle, said["prompt"])
    sent = room.requests[-1]
    assert found == {
        "digest": said["prompt"], "messages": sent["messages"], "tools": sent["tools"], "format": None,
        "tokens": 1234, "counted": True,
    }  # fmt: skip
    assert [path.name for path in files(room)] == [f"{said['prompt']}.json"]
    assert files(room)[0].stat().st_mode & 0o777 == 0o600
    assert files(room)[0].parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.anyio
async def test_the_request_for_values_is_kept_too(room: Room) -> None:
    room.script(say("I would call set_values."), say('{"depth": 3}'))
    said = (await room.say("depth 3"))[-1]
    found = look(room.handle, said["extraction"])
    assert found["format"] == room.requests[1]["format"]
    assert found["messages"] == room.requests[1]["messages"]
    assert found["tools"] == []
    assert found["counted"] is False and found["tokens"] > 20
    assert look(room.handle, said["prompt"])["messages"] == room.requests[0]["messages"]


@pytest.mark.anyio
async def test_of_a_stopped_or_broken_reply_too(room: Room) -> None:
    room.script(Round(text=("Half ", "of"), ending="drop"))
    said = (await room.say("depth 3"))[0]
    assert said["incomplete"] is True
    assert look(room.handle, said["prompt"])["messages"] == room.requests[-1]["messages"]


@pytest.mark.anyio
async def test_the_same_prompt_is_written_once(room: Room) -> None:
    room.script(say("One."), say("Two."))
    said = (await room.say("good morning"))[-1]
    before = files(room)[0].stat()
    await room.chat.again(room.handle, said["turn"])
    await room.quiet()
    assert room.handle.log.entries[-1]["prompt"] == said["prompt"]
    after = files(room)[0].stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.anyio
async def test_only_the_newest_are_kept(room: Room) -> None:
    replies = []
    for n in range(5):
        room.script(say(f"Reply {n}."))
        replies.append((await room.say(f"question {n}"))[-1])
    assert len(files(room)) == 3
    assert look(room.handle, replies[-1]["prompt"])
    with pytest.raises(NotFound, match="not kept"):
        look(room.handle, replies[0]["prompt"])


@pytest.mark.anyio
@pytest.mark.parametrize("digest", ["", "../secrets", "0" * 15, "0" * 16, "A" * 16, "0" * 16 + "\n"])
async def test_another_digest_is_not_found(room: Room, digest: str) -> None:
    (room.handle.folder / "prompts").mkdir()
    room.handle.keep_secrets({"key": "s3cr3t"})
    with pytest.raises(NotFound):
        look(room.handle, digest)


@pytest.mark.anyio
async def test_a_large_prompt_is_not_kept(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "LARGEST", 100)
    room.script(say("One."))
    said = (await room.say("good morning"))[-1]
    with pytest.raises(NotFound):
        look(room.handle, said["prompt"])


@pytest.mark.anyio
async def test_a_secret_is_in_no_prompt_and_forgetting_drops_all(room: Room) -> None:
    await actions.complete(room.handle, "start", {"depth": "2", "key": "s3cr3t-value"})
    room.script(say("Well."))
    await room.say("what do you know?")
    assert "s3cr3t-value" not in "".join(path.read_text() for path in files(room))
    forget(room.handle)
    assert files(room) == []
    forget(room.handle)


@pytest.mark.anyio
async def test_a_reply_is_kept_where_its_prompt_can_not_be(room: Room) -> None:
    (room.handle.folder / "prompts").write_text("in the way")
    room.script(say("Here I am."))
    assert (await room.say("good morning"))[-1]["text"] == "Here I am."


@pytest.mark.anyio
async def test_what_is_kept_is_plain_json(room: Room) -> None:
    room.script(say("Grüße."))
    await room.say("Schöne Grüße")
    assert "Schöne Grüße" in files(room)[0].read_text("utf-8")
    assert list(json.loads(files(room)[0].read_text("utf-8"))) == ["messages", "tools", "format"]

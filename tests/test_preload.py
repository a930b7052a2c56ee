"""A model reads the prompt's beginning before anybody speaks: once, as a chat would, and in nobody's way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from assistant import actions, turn
from assistant.log import Fact
from tests.double import Double, call, fail, say
from tests.room import MODEL, Room, make_room

FLOW = '''
from typing import Annotated

from assistant import Ask, Workflow

flow = Workflow("Crawl")


@flow.step
def start(depth: Annotated[int, Ask("Depth")]):
    """How far to go?"""


@flow.step
def more(depth, note: Annotated[str | None, Ask("Note")] = None):
    """Anything else?"""


@flow.run
def crawl(depth):
    yield
'''


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(scripts=False) as running:
        yield running


@pytest.fixture
async def room(tmp_path: Path, double: Double) -> AsyncIterator[Room]:
    async with make_room(tmp_path, double, FLOW) as made:
        await made.chat.look()
        yield made


async def preload(room: Room) -> bool:
    """Whether one was begun; when it is over."""
    begun = room.chat.preload([room.handle.sid])
    if room.chat.preloader.task:
        await asyncio.wait({room.chat.preloader.task})
    return begun


@pytest.mark.anyio
async def test_it_is_the_beginning_of_the_next_request(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."), say("One click."))
    await room.say("depth 3")
    assert await preload(room)
    await room.say("what is a click?")
    ahead, real = room.double.prefixes[0], room.requests[-1]
    assert ahead["options"] == real["options"] | {"num_predict": 1}
    for name in ("model", "tools", "think", "truncate", "shift", "keep_alive"):
        assert ahead[name] == real[name]
    assert ahead["messages"][:-1] == real["messages"][:-1]
    assert real["messages"][-1]["content"] == ahead["messages"][-1]["content"] + "\nwhat is a click?"
    assert len(room.double.loads) == 1


@pytest.mark.anyio
async def test_nothing_of_it_is_in_the_log_or_on_the_page(room: Room) -> None:
    before = room.handle.session().n
    assert await preload(room)
    assert room.handle.session().n == before
    assert not (room.handle.folder / "prompts").exists()


@pytest.mark.anyio
async def test_once_for_an_opening_and_a_model(room: Room) -> None:
    assert await preload(room)
    assert not await preload(room)
    await actions.fill(room.handle, {"depth": 2}, "user")
    assert not await preload(room)
    await actions.complete(room.handle, "start", {"depth": "2"})
    assert await preload(room)  # another card: other tools and another help
    room.double.add("other:1b")
    room.chat._looked = 0.0
    await room.chat.look()
    await room.model("other:1b")
    assert await preload(room)
    assert not await preload(room)
    assert [r["model"] for r in room.double.prefixes] == [MODEL, MODEL, "other:1b"]


@pytest.mark.anyio
async def test_a_message_cancels_it_at_once(room: Room) -> None:
    room.double.slow["prefix"] = 30.0
    assert room.chat.preload([room.handle.sid])
    assert await asyncio.to_thread(room.double.wait_for, lambda d: len(d.prefixes) == 1)
    room.script(say("Here I am."))
    entries = await room.say("good morning")
    assert entries[-1]["text"] == "Here I am."
    assert entries[-1]["first"] < 10
    assert await asyncio.to_thread(room.double.wait_for, lambda d: d.disconnected == 1)


@pytest.mark.anyio
async def test_a_load_goes_on_for_its_own_model_and_ends_for_another(room: Room) -> None:
    room.double.slow["load"] = 0.3
    loading = "/api/chat"
    assert room.chat.preload([room.handle.sid])
    assert await asyncio.to_thread(room.double.wait_for, lambda d: d.seen[-1].path == loading)
    room.script(say("Here I am."))
    await room.say("good morning")
    assert room.double.disconnected == 0
    await asyncio.wait({room.chat.preloader.task})
    assert room.double.prefixes == []  # the message has read it by now
    await actions.complete(room.handle, "start", {"depth": "2"})
    room.double.slow["load"] = 30.0
    assert room.chat.preload([room.handle.sid])
    assert await asyncio.to_thread(
        room.double.wait_for, lambda d: not (d.seen[-1].body or {}).get("messages", 1)
    )
    room.double.enqueue("other:1b", say("And I."))
    await room.model("other:1b")
    assert (await room.say("good evening"))[-1]["text"] == "And I."
    assert await asyncio.to_thread(room.double.wait_for, lambda d: d.disconnected == 1)


@pytest.mark.anyio
async def test_not_while_anybody_speaks_nor_without_an_open_card_or_a_local_model(room: Room) -> None:
    room.script(say("Here I am.", silence=0.3))
    await room.chat.say(room.handle, "good morning")
    assert not room.chat.preload([room.handle.sid])
    await room.quiet()
    await room.model("guide")
    assert not room.chat.preload([room.handle.sid])
    await room.model("gone:1b")
    assert not room.chat.preload([room.handle.sid])
    await room.model(MODEL)
    await actions.complete(room.handle, "start", {"depth": "2"})
    await actions.complete(room.handle, "more", {})
    assert not room.chat.preload([room.handle.sid])
    assert not room.chat.preload(["2026-11-21-nothing-0000"])
    assert room.double.prefixes == []


@pytest.mark.anyio
async def test_a_failure_is_nobodys_business(room: Room) -> None:
    room.double.models.pop(MODEL)  # deleted since the last look
    assert await preload(room)
    assert room.chat.preloader.task and room.chat.preloader.task.exception() is None
    room.double.add(MODEL)
    room.script(fail(500, "it fell over"), say("Here I am."))
    await room.say("good morning")
    assert (await room.say("good evening"))[-1]["text"] == "Here I am."


@pytest.mark.anyio
async def test_the_watch_preloads_for_an_open_page(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "BEAT", 0.01)
    watching = asyncio.create_task(room.chat.watch(lambda: [room.handle.sid]))
    assert await asyncio.to_thread(room.double.wait_for, lambda d: len(d.prefixes) == 1)
    await actions.complete(room.handle, "start", {"depth": "2"})
    assert await asyncio.to_thread(room.double.wait_for, lambda d: len(d.prefixes) == 2)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.anyio
async def test_a_setting_turns_it_off(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, preload=False) as room:
        await room.chat.look()
        assert not await preload(room)
        await room.handle.write(lambda _: [Fact("user", "chose", {"model": MODEL})])
        assert not await preload(room)
        assert double.prefixes == [] and double.loads == []

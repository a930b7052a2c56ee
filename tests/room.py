"""A session with its chat in this process, and a scripted Ollama that it talks to over a real socket."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant import actions
from assistant.log import Entry, Fact
from assistant.settings import Settings
from assistant.turn import Chat
from assistant.workspace import Handle, Workspace
from tests.double import Double

MODEL = "m:1b"

# how a workflow of these tests begins
CRAWL = """
from typing import Annotated, Literal

from assistant import Ask, Secret, Workflow

flow = Workflow("Crawl", "Follow the links of a site.")
"""


class Room:
    """One session with its chat; `runs` are the runs that were started."""

    def __init__(self, chat: Chat, handle: Handle, double: Double) -> None:
        self.chat, self.handle, self.double = chat, handle, double
        self.first = len(double.requests)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.double.requests[self.first :]

    def script(self, *rounds: Any) -> None:
        self.double.enqueue(MODEL, *rounds)

    async def quiet(self) -> None:
        await self.chat.idle(self.handle.sid)

    async def say(self, text: str) -> list[Entry]:
        """The entries that came of these words, without the words."""
        before = len(self.handle.log.entries)
        await self.chat.say(self.handle, text)
        await self.quiet()
        return self.handle.log.entries[before + 1 :]

    async def model(self, name: str) -> None:
        await self.handle.write(lambda _: [Fact("user", "chose", {"model": name})])

    @property
    def values(self) -> dict[str, Any]:
        return self.handle.session().values


@asynccontextmanager
async def make_room(folder: Path, double: Double, flow: str, **settings: Any) -> AsyncIterator[Room]:
    """A room in a workspace of its own, with this workflow and these settings."""
    (folder / "workflows").mkdir()
    (folder / "workflows" / "crawl.py").write_text(flow)
    workspace = Workspace(Settings(folder, ollama_host=double.address, model=MODEL, **settings))
    handle = await actions.begin(workspace, "crawl")
    started: list[str] = []

    async def start_run(handle: Handle, by: str) -> str:
        await handle.write(lambda _: [Fact(by, "started", {"run": f"r{len(started)}"})])
        started.append(by)
        return f"r{len(started) - 1}"

    double.add(MODEL, capabilities=("completion", "tools"))
    double._queues.pop(MODEL, None)
    chat = Chat(workspace, start_run)
    try:
        yield Room(chat, handle, double)
    finally:
        await chat.close()
        workspace.close()


def double_fixture(**options: Any) -> Any:
    """A fixture: one scripted Ollama for all tests of a module. To be called `double` there."""

    @pytest.fixture(scope="module")
    def double() -> Iterator[Double]:
        with Double(**options) as running:
            yield running

    return double


def room_fixture(flow: str, **settings: Any) -> Any:
    """A fixture: a room with this workflow. To be called `room`, beside a `double`."""

    @pytest.fixture
    async def room(tmp_path: Path, double: Double) -> AsyncIterator[Room]:
        async with make_room(tmp_path, double, flow, **settings) as made:
            yield made

    return room


def did(entries: list[Entry]) -> list[str]:
    return [entry.did for entry in entries]


def tool_results(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(m["content"]) for m in request["messages"] if m["role"] == "tool"]

"""What is under way: who waits for it, and for how long."""

import asyncio
import time

import pytest

from assistant import live

SID = "2026-01-01-small-0001"


@pytest.fixture
def draft(monkeypatch):
    """A reply that has just begun, which would be waited for as long as this test takes."""
    monkeypatch.setattr(live, "MOMENT", 1e6)
    draft = live.Draft("t1", "qwen3:4b")
    monkeypatch.setitem(live.drafts, SID, draft)
    return draft


async def waiting() -> "asyncio.Task[None]":
    """One who waits for the first words, as far as it comes without them."""
    task = asyncio.create_task(live.begun(SID))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def comes(task: "asyncio.Task[None]") -> bool:
    live.wake(SID)
    async with asyncio.timeout(30):
        await task
    return task.done()


def test_nobody_waits_where_no_reply_is_written():
    async def play():
        assert (await waiting()).done()

    asyncio.run(play())


@pytest.mark.parametrize("name", ["text", "thinking"])
def test_a_quick_reply_comes_with_what_it_answers(draft, name):
    async def play():
        task = await waiting()
        live.wake(SID)  # the user's words alone
        await asyncio.sleep(0.01)
        assert not task.done()
        setattr(draft, name, "Yes")
        assert await comes(task)
        assert (await waiting()).done()

    asyncio.run(play())


def test_a_reply_that_ended_without_a_word_keeps_nobody(draft):
    async def play():
        task = await waiting()
        live.drafts.pop(SID)
        assert await comes(task)

    asyncio.run(play())


def test_words_are_not_kept_from_a_page_for_longer_than_a_moment(draft, monkeypatch):
    async def play():
        draft.began = time.monotonic() - live.MOMENT
        assert (await waiting()).done()
        monkeypatch.setattr(live, "MOMENT", 0.01)
        draft.began = time.monotonic()
        async with asyncio.timeout(30):
            await live.begun(SID)
        assert not draft.text

    asyncio.run(play())

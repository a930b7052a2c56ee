"""The whole line by chat: words in, a real socket to a scripted Ollama, entries in a real log."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from assistant import actions, live, turn
from assistant.chat import stream
from assistant.errors import Conflict, NotFound, Refused
from assistant.log import Fact
from assistant.session import Session
from assistant.settings import Bounds, Settings
from assistant.turn import Chat, answer
from assistant.workspace import Workspace
from tests.double import SCRIPTS, Double, Round, call, fail, line, raw, say
from tests.room import CRAWL, MODEL, Room, did, double_fixture, room_fixture, tool_results

FLOW = (
    CRAWL
    + '''


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")],
    limit: Annotated[int, Ask("Most pages", ge=1, le=5000, unit="pages")] = 100,
    kind: Annotated[Literal["tutorial", "library"] | None, Ask("Kind")] = None,
):
    """How far to go?

    A click is one link followed.
    """


@flow.step
def words(depth, ignore: Annotated[list[str], Ask("Words to ignore", options=["the", "a", "of"])] = []):
    """Which words?"""


@flow.step
def access(key: Annotated[Secret | None, Ask("Key")] = None):
    """A key?"""


@flow.run
def crawl(depth, limit, kind, ignore, key):
    yield
'''
)


double = double_fixture()
room = room_fixture(FLOW, bounds=Bounds(history_tokens=1_000))


@pytest.mark.anyio
async def test_a_call_sets_what_the_user_said_and_the_words_are_kept(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Depth is 3."))
    entries = await room.say("go three clicks deep")
    assert did(entries) == ["called", "set", "said"]
    turn = entries[0]["turn"]
    assert entries[0].fields == {
        "turn": turn, "tool": "set_values", "arguments": {"depth": 3}, "result": {"set": {"depth": 3}},
    }  # fmt: skip
    assert entries[1].fields == {
        "step": "start", "values": {"depth": 3}, "turn": turn, "why": "go three clicks deep",
    }  # fmt: skip
    assert entries[0].at == entries[1].at  # one write
    assert (entries[2].by, entries[2]["text"], entries[2]["model"]) == ("model", "Depth is 3.", MODEL)
    assert len(entries[2]["prompt"]) == 16
    assert entries[2]["tokens"] > 0
    assert room.values == {"depth": 3}
    assert tool_results(room.requests[1]) == [{"set": {"depth": 3}}]


@pytest.mark.anyio
async def test_all_calls_of_one_round_are_one_write(room: Room) -> None:
    calls = (("set_values", {"depth": 3}), ("set_other_value", {"name": "ignore", "value": '["the"]'}))
    room.script(Round(calls=calls, where="done"), say("Done."))
    entries = await room.say("depth 3, ignore the word the")
    assert did(entries[:-1]) == ["called", "called", "set", "set"]
    assert len({entry.at for entry in entries[:-1]}) == 1
    assert room.values == {"depth": 3, "ignore": ["the"]}
    sent = room.requests[1]["messages"]
    assert [m["role"] for m in sent[-3:]] == ["assistant", "tool", "tool"]
    ids = [made["id"] for made in sent[-3]["tool_calls"]]
    assert ids == [m["tool_call_id"] for m in sent[-2:]]
    assert len(set(ids)) == 2


@pytest.mark.anyio
async def test_words_beside_a_call_are_kept_and_sent_back_with_it(room: Room) -> None:
    room.script(
        Round(text=("Setting it.",), calls=(("set_values", {"depth": 3}),), where="text"), say("There.")
    )
    entries = await room.say("depth 3")
    assert entries[-1]["text"] == "Setting it.\n\nThere."
    assert room.requests[1]["messages"][-2]["content"] == "Setting it."


@pytest.mark.anyio
async def test_a_refused_value_goes_back_with_its_reason_and_can_be_repaired(room: Room) -> None:
    room.script(call("set_values", depth=9, limit=50), call("set_values", depth=5), say("Depth is 5."))
    entries = await room.say("depth 9, or 5 if that is too much, and 50 pages")
    assert did(entries) == ["called", "refused", "set", "called", "set", "said"]
    assert room.values == {"limit": 50, "depth": 5}
    assert "1 to 5" in tool_results(room.requests[1])[0]["refused"]["depth"]


@pytest.mark.anyio
async def test_after_two_repairs_a_value_is_left_to_the_user(room: Room) -> None:
    room.script(*(call("set_values", depth=n) for n in (9, 8, 7, 4)), say("I could not."))
    entries = await room.say("make it nine, 8, 7 or depth 4")
    last = tool_results(room.requests[4])
    assert "leave it to the user" in last[2]["refused"]["depth"]
    assert "leave it to the user" in last[3]["refused"]["depth"]
    assert "depth" not in room.values
    assert [e["text"] for e in entries if e.by == "app"] == [
        "Depth was refused several times. Its field is on the card."
    ]


@pytest.mark.anyio
async def test_a_value_that_nobody_said_is_only_proposed(room: Room) -> None:
    room.script(call("set_values", depth=2, limit=None, kind=""), say("How about 2?"))
    entries = await room.say("hello")
    assert did(entries) == ["called", "proposed", "said"]
    assert entries[1]["values"] == {"depth": 2}
    assert room.values == {}
    await answer(room.chat, room.handle, entries[1]["id"], "accept")
    assert room.handle.session().origins == {"depth": "user"}
    with pytest.raises(Conflict):
        await answer(room.chat, room.handle, entries[1]["id"], "accept")
    with pytest.raises(NotFound):
        await answer(room.chat, room.handle, "q-none", "accept")
    with pytest.raises(Refused):
        await answer(room.chat, room.handle, entries[1]["id"], "maybe")


@pytest.mark.anyio
async def test_next_in_the_chat_asks_about_suggestions_and_yes_completes_the_card(room: Room) -> None:
    room.script(call("set_values", depth=2), say("How about 2?"))
    await room.say("hello")
    entries = await room.say("next")
    assert did(entries) == ["called", "asked", "said"]
    assert "Depth: 2 clicks" in entries[1]["question"]
    assert room.handle.session().status("start") is None
    entries = await room.say("yes")
    assert "advanced" in did(entries)
    assert room.values["depth"] == 2
    assert room.handle.session().origins["depth"] == "user"
    assert len(room.requests) == 2  # plain commands do not go to the model


@pytest.mark.anyio
async def test_a_value_set_by_hand_is_only_overwritten_in_the_users_words(room: Room) -> None:
    await actions.fill(room.handle, {"depth": 3}, "user")
    room.script(call("set_values", depth=5), say("Shall I?"))
    entries = await room.say("what about the depth?")
    assert did(entries) == ["called", "asked", "said"]
    assert entries[1]["about"] == {"step": "start", "name": "depth", "value": 5}
    assert entries[1]["question"] == "Change Depth from 3 clicks to 5 clicks?"
    assert room.values == {"depth": 3}
    room.script(call("set_values", depth=4), say("Depth is 4."))
    assert did(await room.say("no, make the depth 4")) == ["called", "set", "said"]
    assert room.values == {"depth": 4}
    with pytest.raises(Conflict, match="given in another way"):
        await answer(room.chat, room.handle, entries[1]["id"], "accept")
    assert room.values == {"depth": 4}


@pytest.mark.anyio
async def test_words_from_before_an_undo_do_not_count_any_more(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."))
    await room.say("depth 3")
    assert "undid" in did(await room.say("undo"))
    room.script(call("set_values", depth=3), say("Hm."))
    assert "set" not in did(await room.say("what is a click?"))
    assert room.values == {}


@pytest.mark.anyio
async def test_a_question_with_options_and_its_answer_goes_on(room: Room) -> None:
    room.script(call("ask_user", question="How deep?", options=["Two", "Three"]), say("Please choose."))
    entries = await room.say("I do not know")
    assert did(entries) == ["called", "asked", "said"]
    assert entries[1]["options"] == ["Two", "Three"]
    room.script(call("set_values", depth=3), say("Three it is."))
    await answer(room.chat, room.handle, entries[1]["id"], "accept", "Three")
    await room.quiet()
    assert room.values == {"depth": 3}
    assert room.handle.session().question is None


@pytest.mark.anyio
async def test_run_is_asked_first_and_started_at_once_in_plain_words(room: Room) -> None:
    room.script(call("run_workflow"), say("The cards come first."))
    assert "not completed" in (await room.say("please have it all run soon"))[0]["result"]["error"]
    for step, raw_ in (("start", {"depth": "2"}), ("words", {}), ("access", {})):
        await actions.complete(room.handle, step, raw_)
    room.script(call("run_workflow"), say("Shall I?"))
    entries = await room.say("everything is ready, I think")
    assert did(entries) == ["called", "asked", "said"]
    await answer(room.chat, room.handle, entries[1]["id"], "accept")
    run = room.handle.session().run
    assert run is not None and run.id == "r0"
    await room.handle.write(lambda _: [Fact("app", "finished", {"run": "r0"})])
    entries = await room.say("run it")
    assert [e.by for e in entries] == ["user", "guide", "guide"]
    assert entries[1]["result"] == {"started": "r1"}


@pytest.mark.anyio
async def test_the_same_call_is_not_run_again_and_then_the_tools_are_gone(room: Room) -> None:
    room.script(*[call("set_values", depth=3)] * 3, say("Depth is 3."))
    entries = await room.say("depth 3")
    assert did(entries) == ["called", "set", "called", "called", "said", "said"]
    assert entries[2]["result"]["unchanged"] == ["depth"]
    assert "tools" in room.requests[2]
    assert "tools" not in room.requests[3]
    assert entries[-1].by == "app" and "same call" in entries[-1]["text"]


@pytest.mark.anyio
async def test_rounds_and_calls_are_bounded(room: Room) -> None:
    room.script(*(call("set_values", limit=n) for n in range(1, 7)), say("Enough."))
    entries = await room.say("pages 1 or 2 or 3 or 4 or 5 or 6")
    assert did(entries).count("called") == 6
    assert "6 rounds" in entries[-1]["text"]
    many = tuple(("set_other_value", {"name": f"x{n}", "value": "1"}) for n in range(14))
    room.script(Round(calls=many), say("Enough."))
    entries = await room.say("again")
    called = [e for e in entries if e.did == "called"]
    assert [("error" in e["result"]) for e in called] == [False] * 12 + [True] * 2
    assert room.handle.session().n == entries[-1].n


@pytest.mark.anyio
async def test_stop_closes_the_stream_and_keeps_only_the_words(room: Room) -> None:
    set_ = line(MODEL, tool_calls=[{"function": {"name": "set_values", "arguments": {"depth": 3}}}])
    room.script(raw(line(MODEL, "Let me "), line(MODEL, "see"), set_, 0.9))
    before, gone = len(room.handle.log.entries), room.double.disconnected
    await room.chat.say(room.handle, "depth 3")
    sid = room.handle.sid
    while not (draft := live.drafts.get(sid)) or draft.text != "Let me see" or draft.phase != "preparing":
        assert await live.changed(sid, live.beat(sid), 5)
    assert await room.chat.stop(room.handle)
    entries = room.handle.log.entries[before + 1 :]
    assert did(entries) == ["said"]
    assert entries[0]["text"] == "Let me see"
    assert entries[0]["stopped"] is True
    assert await asyncio.to_thread(room.double.wait_for, lambda d: d.disconnected == gone + 1)
    assert room.handle.sid not in live.drafts
    assert room.values == {}
    assert not await room.chat.stop(room.handle)


@pytest.mark.anyio
async def test_a_broken_stream_keeps_the_words_and_commits_no_call(room: Room) -> None:
    broken = Round(text=("Half of",), calls=(("set_values", {"depth": 3}),), ending="drop")
    room.script(broken)
    entries = await room.say("depth 3")
    assert did(entries) == ["said", "failed"]
    assert entries[0]["text"] == "Half of"
    assert entries[0]["incomplete"] is True
    assert entries[1]["where"] == "model"
    assert room.values == {}
    assert entries[1]["turn"] not in room.handle.session().turns


@pytest.mark.anyio
async def test_a_message_during_a_turn_is_in_the_log_at_once_and_answered_after_it(room: Room) -> None:
    room.script(raw(line(MODEL, "One"), 0.3, line(MODEL, ".")[:-1] + b"\n", b'{"done":true}\n'), say("Two."))
    first = await room.chat.say(room.handle, "first")
    second = await room.chat.say(room.handle, "second")
    said = [e for e in room.handle.log.entries if e.did == "said"]
    assert [e["text"] for e in said] == ["first", "second"]
    await room.quiet()
    replies = [e for e in room.handle.log.entries if e.did == "said" and e.by == "model"]
    assert [(e["turn"], e["text"]) for e in replies] == [(first, "One."), (second, "Two.")]
    contents = [m["content"] for m in room.requests[1]["messages"]]
    assert contents[1:3] == ["first", "One."]
    assert contents[-1].endswith("second")


@pytest.mark.anyio
async def test_the_prefix_is_stable_while_a_card_is_open_and_options_never_change(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."), say("A click is one link."), say("Yes."))
    await room.say("depth 3")
    await room.say("what is a click?")
    await actions.fill(room.handle, {"limit": 7}, "user")
    await room.say("is it all?")
    requests = room.requests
    assert len({json.dumps([r["messages"][0], r["tools"]]) for r in requests}) == 1
    assert len({json.dumps([r["options"], r["truncate"], r["shift"]]) for r in requests}) == 1
    assert requests[1]["messages"][: len(requests[0]["messages"])] == requests[0]["messages"]
    before = requests[2]["messages"][:-1]
    assert requests[3]["messages"][: len(before)] == before
    assert "limit: Most pages" in requests[3]["messages"][-1]["content"]
    assert "set to 7 pages (by user)" in requests[3]["messages"][-1]["content"]
    assert not any("State of the workflow" in m["content"] for m in requests[3]["messages"][:-1])


@pytest.mark.anyio
async def test_history_is_whole_turns_within_a_budget_and_what_is_left_out_is_said(room: Room) -> None:
    for n in range(6):
        room.script(say(f"Reply {n}. " + "word " * 200))
        entries = await room.say(f"question {n} " + "why " * 100)
    roles = [m["role"] for m in room.requests[-1]["messages"]]
    assert roles[1:] == ["user", "assistant"] * ((len(roles) - 2) // 2) + ["user"]
    assert len(roles) < 12
    left = 5 - (len(roles) - 2) // 2
    assert entries[0]["left_out"] == left > 0
    told = [e["text"] for e in room.handle.log.entries if e.by == "app" and e.did == "said"]
    assert len(told) == 1 and "left out" in told[0]
    await room.handle.write(lambda _: [Fact("user", "realigned")])
    room.script(say("Fresh."))
    await room.say("and now?")
    assert [m["role"] for m in room.requests[-1]["messages"]] == ["system", "user"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name",
    [
        "not-found", "no-chat", "too-long", "load-failed", "bad-option", "forbidden", "cloud-disabled",
        "wrong-method", "not-json", "load-only", "error-in-stream", "parser-error", "no-done", "drop",
        "no-thinking", "busy", "empty", "thinking-only", "think-unclosed", "length-in-call", "same-call",
    ],
)  # fmt: skip
async def test_every_failure_is_a_sentence_in_the_log_and_sets_nothing(room: Room, name: str) -> None:
    assert name in SCRIPTS
    await room.model(name)
    entries = await room.say("good morning")
    assert entries[-1].did == "failed"
    assert entries[-1]["where"] == "model"
    assert entries[-1]["reason"].endswith((".", ")"))
    assert len(entries[-1]["reason"]) > 20
    assert "guide" not in {e.by for e in entries}
    assert room.values == {}


@pytest.mark.anyio
async def test_no_ollama_is_said_and_without_a_choice_the_guide_answers(room: Room) -> None:
    quiet = Settings(room.chat.workspace.settings.workspace, ollama_host="http://127.0.0.1:9")
    chat = Chat(Workspace(quiet))
    try:
        handle = chat.workspace.open(room.handle.sid)
        await chat.say(handle, "depth 3")
        await chat.idle(handle.sid)
        assert chat.model_of(handle.session()) == "guide"
        assert (await chat.look()).problem
        last = handle.log.entries[-1]
        assert (last.by, last.did, last["model"]) == ("guide", "said", "guide")
        assert handle.session().values == {"depth": 3}
        assert handle.session().origins == {"depth": "guide"}
    finally:
        await chat.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name",
    [
        "bare-json", "fenced-json", "decorated-name", "prefixed-name", "string-arguments", "call-in-done",
        "text-and-call", "missing-ids", "same-ids", "two-objects",
    ],
)  # fmt: skip
async def test_what_small_models_get_wrong_still_sets_the_value(room: Room, name: str) -> None:
    await room.model(name)
    entries = await room.say("depth 3, 5 pages, or 50 pages")
    assert room.values["depth"] == 3
    assert "{" not in entries[-1]["text"]


@pytest.mark.anyio
async def test_a_model_without_tools_answers_and_that_is_said_once(room: Room) -> None:
    room.double.add("plain:1b", capabilities=("completion", "tools"))
    room.double.enqueue(
        "plain:1b", fail(400, "plain:1b does not support tools"),
        say("Hello."), say("Again."), say('{"depth": null}'),
    )  # fmt: skip
    await room.model("plain:1b")
    entries = await room.say("good morning")
    assert [(e.by, e.did) for e in entries] == [("model", "said"), ("app", "said")]
    assert "can not use tools" in entries[1]["text"]
    assert did(await room.say("depth 3, then?")) == ["said"]
    assert ["tools" in r for r in room.requests] == [True, False, False, False]


@pytest.mark.anyio
async def test_a_claim_without_a_call_is_marked(room: Room) -> None:
    room.script(say("I've set the depth to 3."))
    entries = await room.say("good morning")
    assert entries[-1].by == "app" and "Nothing was changed" in entries[-1]["text"]


@pytest.mark.anyio
async def test_again_replaces_the_reply_and_keeps_the_words(room: Room) -> None:
    room.script(say("First."), say("Second."))
    entries = await room.say("good morning")
    turn = entries[0]["turn"]
    await room.chat.again(room.handle, turn)
    await room.quiet()
    last = room.handle.log.entries[-1]
    assert (last["text"], last["turn"], last["replaces"]) == ("Second.", turn, entries[0].n)
    assert room.requests[0]["messages"] == room.requests[1]["messages"]
    with pytest.raises(NotFound):
        await room.chat.again(room.handle, "t-none")


@pytest.mark.anyio
async def test_thinking_is_kept_for_the_round_and_never_sent_in_later_turns(room: Room) -> None:
    room.script(
        Round(thinking=("Hm, three.",), calls=(("set_values", {"depth": 3}),)), say("Set."), say("Yes.")
    )
    entries = await room.say("depth 3")
    assert entries[-1]["thinking"] == "Hm, three."
    assert room.requests[1]["messages"][-2]["thinking"] == "Hm, three."
    await room.say("sure about it?")
    assert "Hm, three." not in json.dumps(room.requests[2])


@pytest.mark.anyio
async def test_a_secret_is_set_by_no_tool_and_shown_to_no_model(room: Room) -> None:
    await actions.complete(room.handle, "start", {"depth": "2"})
    await actions.complete(room.handle, "words", {})
    room.script(call("set_other_value", name="key", value="hunter2"), say("Use the card."))
    entries = await room.say("what can you see?")
    assert "card only" in entries[0]["result"]["refused"]["key"]
    await actions.complete(room.handle, "access", {"key": "s3cr3t-value"})
    room.script(say("All done."))
    await room.say("and now?")
    assert "s3cr3t-value" not in json.dumps(room.double.requests)
    text = (room.handle.folder / "log.jsonl").read_text()
    assert "s3cr3t-value" not in text
    assert "hunter2" not in text


@pytest.mark.anyio
async def test_messages_are_bounded(room: Room) -> None:
    before = len(room.handle.log.entries)
    for text in ("", "  \n", "x" * 20_001):
        with pytest.raises(Refused):
            await room.chat.say(room.handle, text)
    assert len(room.handle.log.entries) == before


@pytest.mark.anyio
async def test_nothing_of_the_reply_is_written_before_the_users_line_is_on_disk(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync = room.handle.log._os_fsync

    def slow(descriptor: int) -> None:
        assert room.double.wait_for(lambda d: len(d.requests) > room.first)  # the model was asked meanwhile
        sync(descriptor)
        order.append(room.handle.log.entries[-1].did)

    monkeypatch.setattr(room.handle.log, "_os_fsync", slow)
    room.script(call("set_values", depth=3), say("Set."))
    await room.say("depth 3")
    assert order == ["said", "set", "said"]


@pytest.mark.anyio
async def test_a_chosen_model_without_its_ollama_fails_and_the_guide_does_not_step_in(room: Room) -> None:
    folder = room.chat.workspace.settings.workspace
    chat = Chat(Workspace(Settings(folder, ollama_host="http://127.0.0.1:9", model=MODEL)))
    handle = chat.workspace.open(room.handle.sid)
    await chat.say(handle, "depth 3")
    await chat.idle(handle.sid)
    last = handle.log.entries[-1]
    assert (last.did, last["where"], last["kind"]) == ("failed", "model", "unreachable")
    assert "ollama serve" in last["reason"]
    assert handle.session().values == {}
    await chat.close()


@pytest.mark.anyio
async def test_a_broken_prompt_of_the_workspace_is_said_in_the_chat_once(room: Room) -> None:
    folder = room.chat.workspace.settings.workspace / "prompts"
    folder.mkdir()
    (folder / "system.md.j2").write_text("You are\n{{ nobody }}")
    room.script(say("Hello."), say("Hello again."))
    entries = await room.say("good morning")
    assert "prompts/system.md.j2, line 2" in entries[-1]["text"]
    assert did(await room.say("good evening")) == ["said"]
    assert room.requests[0]["messages"][0]["content"].startswith("You are the assistant of the workflow")


@pytest.mark.anyio
async def test_a_page_is_woken_as_ollama_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WATCH", 0.01)
    monkeypatch.setattr(turn, "FRESH", 0.0)
    with Double(scripts=False) as own:
        own.add(MODEL)
        chat = Chat(Workspace(Settings(tmp_path, ollama_host=own.address)))
        session = Session()
        assert chat.model_of(session) == "guide"
        await chat.look()
        assert chat.model_of(session) == MODEL
        beat = live.beat("sid")
        watching = asyncio.create_task(chat.watch(lambda: ["sid"]))
    assert await live.changed("sid", beat, 10)
    assert chat.model_of(session) == "guide"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await chat.close()


@pytest.mark.anyio
async def test_the_draft_tells_what_the_model_is_doing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "TICK", 0.01)
    monkeypatch.setattr(stream, "QUIET", 0.05)
    loaded: list[bool] = [False]

    async def is_loaded(ollama: Any, model: str) -> bool:
        return loaded[0]

    monkeypatch.setattr(stream, "is_loaded", is_loaded)
    room.script(lambda _: Round(text=("One",), silence=0.4), raw(line(MODEL, "One"), 0.4, b'{"done":true}\n'))
    sid = room.handle.sid
    seen: list[str] = []

    async def follow(until: str) -> None:
        while (draft := live.drafts.get(sid)) is None or draft.phase != until:
            assert await live.changed(sid, live.beat(sid), 5)
        seen.append(until)

    await room.chat.say(room.handle, "good morning")
    await follow("loading")
    loaded[0] = True
    await follow("reading")
    await room.quiet()
    await room.chat.say(room.handle, "and now?")
    await follow("preparing")
    assert seen == ["loading", "reading", "preparing"]

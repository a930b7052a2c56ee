"""What a small model gets wrong, row by row: a scripted Ollama over a real socket, and what the log says."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from assistant import actions, live
from assistant.cards import cards, open_card
from assistant.chat import stream
from assistant.errors import ModelError
from assistant.log import Entry, Fact
from assistant.models import Request
from assistant.models.wire import encode_body
from assistant.settings import Bounds
from assistant.tools import definitions
from assistant.turn import answer
from tests.double import NESTED, Double, Round, call, fail, last_line, line, raw, say
from tests.room import CRAWL, MODEL, Room, did, double_fixture, make_room, room_fixture, tool_results

FLOW = (
    CRAWL
    + '''


@flow.step
def start(
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")],
    limit: Annotated[int, Ask("Most pages", ge=1, le=5000, unit="pages")] = 100,
    kind: Annotated[Literal["tutorial", "library"] | None, Ask("Kind", aliases={"lib": "library"})] = None,
    polite: Annotated[bool, Ask("Polite")] = True,
):
    """How far to go?

    A click is one link followed.
    """


@flow.step
def words(
    depth,
    ignore: Annotated[list[str], Ask("Words to ignore", options=["the", "a", "of"])] = [],
    note: Annotated[str | None, Ask("Note")] = None,
):
    """Which words?"""


@flow.run
def crawl(depth, limit, kind, ignore):
    yield
'''
)
LARGE = "".join(f"    part{n}: int | None = None,\n" for n in range(9))
SET_3 = ("set_values", {"depth": 3})
EMPTY = Round()


double = double_fixture()
room = room_fixture(FLOW)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Every state of the draft that a page could have drawn: phase, text, thinking."""
    found: list[tuple[str, str, str]] = []
    wake = live.wake

    def spy(sid: str) -> None:
        if draft := live.drafts.get(sid):
            found.append((draft.phase, draft.text, draft.thinking))
        wake(sid)

    monkeypatch.setattr(live, "wake", spy)
    return found


def values_json(**values: Any) -> Round:
    return say(json.dumps(values))


def replies(entries: list[Entry]) -> list[str]:
    return [e["text"] for e in entries if e.did == "said" and e.by == "model"]


def notices(entries: list[Entry]) -> str:
    return " ".join(e["text"] for e in entries if e.did == "said" and e.by == "app")


# --- calls that are none, or not quite --------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "text",
    [
        '{"name": "set_values", "arguments": {"depth": 3, "limit": 50}}',
        '```json\n{"name": "set_values", "parameters": {"depth": 3, "limit": 50}}\n```',
        '{"name": "set_values", "arguments": {"depth": 3}}\n'
        '{"name": "set_values", "arguments": {"limit": 50}}',
        '[{"function": {"name": "set_values", "arguments": {"depth": 3, "limit": 50}}}]',
    ],
)
async def test_row_01_call_printed_as_text(room: Room, drawn: list[tuple[str, str, str]], text: str) -> None:
    room.script(say(text), say("Both are set."))
    entries = await room.say("depth 3, 50 pages")
    assert room.values == {"depth": 3, "limit": 50}
    assert replies(entries) == ["Both are set."]
    assert not [shown for _, shown, _ in drawn if "{" in shown or "`" in shown]  # held back


@pytest.mark.anyio
async def test_row_01_json_inside_prose_is_no_call(room: Room) -> None:
    text = 'You could send {"name": "set_values", "arguments": {"depth": 3}} for that.'
    room.script(say(text), values_json(depth=None, limit=None, kind=None, polite=None))
    entries = await room.say("what would depth 3 be?")
    assert did(entries) == ["said"]
    assert room.values == {}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name", ["set_values<|channel|>analysis", "functions.set_values", "tool:Set-Values", "SET VALUES"]
)
async def test_row_02_decorated_tool_name(room: Room, name: str) -> None:
    room.script(Round(calls=((name, {"depth": 3}),)), say("Set."))
    entries = await room.say("depth 3")
    assert room.values == {"depth": 3}
    assert entries[0]["tool"] == "set_values"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["set_all_values", "set_value", "create_event"])
async def test_row_02_unknown_tool_name_is_told_which_there_are(room: Room, name: str) -> None:
    room.script(Round(calls=((name, {"depth": 3}),)), say("Sorry."))
    entries = await room.say("depth 3")
    assert room.values == {}  # the nearest name is not taken
    assert entries[0]["tool"] == name
    told = tool_results(room.requests[1])[0]["error"]
    assert "set_values, set_other_value, reopen_step, ask_user, run_workflow" in told


@pytest.mark.anyio
async def test_row_03_empty_turn(room: Room) -> None:
    room.script(EMPTY, EMPTY, values_json(depth=3, limit=None, kind=None, polite=None))
    entries = await room.say("depth 3")
    nudged, forced = room.requests[1:]
    assert "Your answer was empty" in nudged["messages"][-1]["content"]
    assert "tools" in nudged and "format" not in nudged
    assert "format" in forced and "tools" not in forced
    assert room.values == {"depth": 3}
    assert did(entries) == ["called", "set", "said"]
    assert "no words" in notices(entries)


@pytest.mark.anyio
async def test_row_03_empty_to_the_end_is_said(room: Room) -> None:
    room.script(EMPTY, EMPTY, EMPTY, EMPTY)
    entries = await room.say("depth 3")
    assert did(entries) == ["failed"]
    assert "empty answer" in entries[0]["reason"]
    assert len(room.requests) == 4
    assert room.values == {}


@pytest.mark.anyio
async def test_row_03_a_nudge_may_be_enough(room: Room) -> None:
    room.script(EMPTY, say("Good morning."))
    entries = await room.say("good morning")
    assert replies(entries) == ["Good morning."]
    assert len(room.requests) == 2


BROKEN = Round(error="XML syntax error on line 3: unexpected EOF")


@pytest.mark.anyio
async def test_row_04_servers_parser_fails(room: Room) -> None:
    room.script(BROKEN, call("set_values", depth=3), say("Set."))
    entries = await room.say("depth 3")
    first, second = (request["options"] for request in room.requests[:2])
    assert first != second
    assert first["num_ctx"] == second["num_ctx"]
    assert room.values == {"depth": 3}
    assert replies(entries) == ["Set."]


@pytest.mark.anyio
async def test_row_04_failing_twice_falls_back_to_values_alone(room: Room) -> None:
    room.script(BROKEN, BROKEN, values_json(depth=3, limit=None, kind=None, polite=None))
    assert did(await room.say("depth 3")) == ["called", "set", "said"]
    assert "format" in room.requests[2]
    room.script(BROKEN, BROKEN, BROKEN)
    entries = await room.say("depth 4")
    assert (entries[-1].did, entries[-1]["kind"]) == ("failed", "parser_error")
    assert room.values == {"depth": 3}


# --- values that are not quite right ------------------------------------------------------------------


@pytest.mark.anyio
async def test_row_05_numbers_and_truth_as_text(room: Room) -> None:
    room.script(call("set_values", depth="3", polite="false"), say("Set."))
    entries = await room.say("depth 3, polite: no")
    assert entries[0]["arguments"] == {"depth": "3", "polite": "false"}  # as received
    assert room.values == {"depth": 3, "polite": False}
    assert type(room.values["depth"]) is int


@pytest.mark.anyio
async def test_row_06_json_in_a_string(room: Room) -> None:
    room.script(
        Round(calls=(("set_values", '{"depth": 3}'),)),
        call("set_other_value", name="ignore", value='["the", "of"]'),
        say("Set."),
    )
    entries = await room.say("depth 3, ignore the and of")
    assert room.values == {"depth": 3, "ignore": ["the", "of"]}
    assert entries[0]["arguments"] == {"depth": 3}
    for request in room.requests:
        made = [c for m in request["messages"] for c in m.get("tool_calls", ())]
        assert all(isinstance(c["function"]["arguments"], dict) for c in made)


@pytest.mark.anyio
@pytest.mark.parametrize("nothing", [None, "", "null", "None"])
async def test_row_07_nothing_for_optional_arguments(room: Room, nothing: str | None) -> None:
    room.script(call("set_values", depth=3, kind=nothing, limit=nothing), say("Set."))
    entries = await room.say("depth 3")
    assert did(entries) == ["called", "set", "said"]
    assert room.values == {"depth": 3}


@pytest.mark.anyio
async def test_row_07_null_for_no_arguments_and_for_required_ones(room: Room) -> None:
    room.script(Round(calls=(("run_workflow", None),)), say("The cards come first."))
    entries = await room.say("have it all done")
    assert entries[0]["arguments"] == {}
    assert "not completed" in entries[0]["result"]["error"]
    room.script(call("set_values", depth=None), say("How deep?"))
    entries = await room.say("go deep")
    assert "depth" not in room.values
    card = open_card(cards(room.handle.session(), room.handle.workflow()))
    assert card and [field.name for field in card.missing] == ["depth"]


@pytest.mark.anyio
async def test_row_08_missing_argument_is_told_and_repaired(room: Room) -> None:
    room.script(
        call("set_other_value", value='["the"]'),
        call("set_other_value", name="ignore", value='["the"]'),
        say("Set."),
    )
    await room.say("ignore the word the")
    told = tool_results(room.requests[1])[0]["error"]
    assert "name is missing" in told and "ignore" in told
    assert room.values == {"ignore": ["the"]}


@pytest.mark.anyio
async def test_row_08_at_most_two_repairs_then_a_field_for_the_person(room: Room) -> None:
    room.script(*(call("set_values", depth=n) for n in (9, 8, 7, 4)), say("I could not."))
    entries = await room.say("depth nine, 8, 7 or 4")
    assert [e["value"] for e in entries if e.did == "refused"][:3] == [9, 8, 7]
    assert "depth" not in room.values  # the fourth is not even tried
    untried = [e["reason"] for e in entries if e.did == "refused"][3]
    assert untried == "It was refused before, and was not tried again."  # as a person reads it in the chat
    assert "leave it to the user" in tool_results(room.requests[4])[-1]["refused"]["depth"]
    assert "Depth was refused several times. Its field is on the card." in notices(entries)
    assert all(len(json.dumps(result)) < 400 for result in tool_results(room.requests[4]))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "value"), [("Tutorial", "tutorial"), (" LIBRARY ", "library"), ("lib", "library")]
)
async def test_row_09_right_choice_in_other_words(room: Room, given: str, value: str) -> None:
    room.script(call("set_values", kind=given), say("Set."))
    await room.say(f"the kind is {given.strip()}")
    assert room.values == {"kind": value}
    sent = room.requests[0]["tools"][0]["function"]["parameters"]["properties"]["kind"]
    assert sent["enum"] == ["tutorial", "library", None]


@pytest.mark.anyio
async def test_row_09_another_choice_is_refused_with_the_list(room: Room) -> None:
    room.script(call("set_values", kind="novel"), say("No."))
    await room.say("the kind is novel")
    reason = tool_results(room.requests[1])[0]["refused"]["kind"]
    assert "tutorial" in reason and "library" in reason
    assert room.values == {}


@pytest.mark.anyio
async def test_row_10_a_default_never_takes_a_refused_values_place(room: Room) -> None:
    room.script(call("set_values", depth=3, limit=9999), call("set_values", depth=3), say("All is set."))
    await room.say("depth 3, 9999 pages")
    assert room.values == {"depth": 3}
    entries = await room.say("next")
    asked = next(e for e in entries if e.did == "asked")
    assert "Most pages: 100 pages" in asked["question"]
    assert room.handle.session().status("start") is None  # it is not completed unasked
    await answer(room.chat, room.handle, asked["id"], "accept")
    assert room.values["limit"] == 100


@pytest.mark.anyio
async def test_row_11_same_call_for_ever(room: Room) -> None:
    room.script(*[call("set_values", depth=3)] * 3, say("Depth is 3."))
    entries = await room.say("depth 3")
    assert did(entries).count("set") == 1
    assert [e["result"].get("unchanged") for e in entries if e.did == "called"][1:] == [["depth"]] * 2
    assert ["tools" in request for request in room.requests] == [True, True, True, False]
    assert "same call" in notices(entries)


@pytest.mark.anyio
async def test_row_11_rounds_and_calls_have_a_cap(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(rounds=2, calls=3)) as room:
        room.script(call("set_values", limit=1), call("set_values", limit=2), say("Enough."))
        assert "2 rounds" in notices(await room.say("1 or 2 or 4 pages"))
        room.script(Round(calls=tuple(("set_values", {"limit": n}) for n in range(5, 10))), say("Enough."))
        entries = await room.say("5, 6, 7, 8 or 9 pages")
        assert "calls in one turn" in notices(entries)
        assert sum("error" in e["result"] for e in entries if e.did == "called") == 2


@pytest.mark.anyio
async def test_row_12_calls_a_tool_on_hello(room: Room) -> None:
    room.script(call("set_values", depth=2, limit=100, kind="library"), say("Hello!"))
    entries = await room.say("hello")
    assert room.values == {}
    assert did(entries) == ["called", "proposed", "said"]
    assert "hello" in room.requests[0]["messages"][0]["content"]  # the rule, with its example


@pytest.mark.anyio
async def test_row_13_claims_what_it_never_called(room: Room) -> None:
    room.script(say("I've set the depth to 3."))
    entries = await room.say("good morning")
    assert did(entries) == ["said", "said"]
    assert "Nothing was changed" in notices(entries)
    assert len(room.requests) == 1  # there is no value in a greeting to ask for
    room.script(say("I've set the depth to 3."), values_json(depth=None, limit=None, kind=None, polite=None))
    assert "Nothing was changed" in notices(await room.say("3 cheers for you"))
    room.script(say("I've set the depth to 3."), values_json(depth=3, limit=None, kind=None, polite=None))
    entries = await room.say("depth 3")
    assert did(entries) == ["called", "set", "said"]  # now it is true


# --- prompts that get lost ------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["All is set.", "Accepted!", "I've accepted it.", "Great, you're all set."])
async def test_row_13_claims_that_a_suggestion_was_accepted(room: Room, text: str) -> None:
    room.script(call("set_values", depth=2), say("I suggest two clicks."))
    await room.say("not far")
    room.script(say(text))
    entries = await room.say("that sounds reasonable to me")
    assert room.values == {}
    assert "Nothing was changed" in notices(entries)
    room.script(say(text))
    assert "Nothing was changed" in notices(await room.say("hello"))


@pytest.mark.anyio
async def test_row_14_system_prompt_or_tools_lost(room: Room) -> None:
    room.script(say("Hm.", prompt_tokens=40), say("Hm again.", prompt_tokens=60))
    entries = await room.say("good morning")
    assert "read only 40 of about" in notices(entries)
    assert notices(await room.say("good evening")) == ""  # said once
    for request in room.requests:
        assert request["options"]["num_ctx"] == 8192
        assert (request["truncate"], request["shift"]) == (False, False)


@pytest.mark.anyio
async def test_row_14_no_alarm_where_all_was_read(room: Room) -> None:
    room.script(say("Hm."))  # the double counts as a model would
    assert notices(await room.say("good morning")) == ""


@pytest.mark.anyio
async def test_row_14_an_ollama_that_does_not_count_its_cache_raises_no_alarm(
    room: Room, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(double, "version", "0.30.0")
    await room.chat.look()
    room.script(say("Hm.", prompt_tokens=40))
    assert notices(await room.say("good morning")) == ""


@pytest.mark.anyio
async def test_row_15_whole_turns_are_trimmed_and_the_users_words_stay(
    tmp_path: Path, double: Double
) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(history_tokens=600)) as room:
        for n in range(6):
            room.script(call("set_values", depth=1 + n % 5), say(f"Reply {n}. " + "word " * 150))
            await room.say(f"question {n}, depth {1 + n % 5}")
        messages = room.requests[-1]["messages"]
        roles = [m["role"] for m in messages]
        assert roles[:2] == ["system", "user"]  # a turn is kept from its beginning, or not at all
        assert roles[-3:] == ["user", "assistant", "tool"]
        assert messages[-3]["content"].endswith("question 5, depth 1")
        assert "question 0" not in json.dumps(messages)


@pytest.mark.anyio
async def test_row_15_a_result_has_a_cap(room: Room) -> None:
    room.script(call("set_other_value", name="note", value="word " * 1_000), say("Done."))
    await room.say("what else?")
    told = room.requests[1]["messages"][-1]
    assert told["role"] == "tool" and len(told["content"]) == 1_500


@pytest.mark.anyio
async def test_row_15_results_make_room_for_themselves(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(num_ctx=3_400)) as room:
        room.script(say("word " * 250))
        await room.say("tell me a story " + "please " * 50)
        room.script(Round(calls=tuple((f"tool_{n}" + "x" * 60, {}) for n in range(8))), say("Done."))
        await room.say("what else?")
        before, after = room.requests[1:]
        assert "tell me a story" in json.dumps(before["messages"])
        assert "tell me a story" not in json.dumps(after["messages"])  # the older turn goes, this one stays
        assert after["messages"][1]["content"].endswith("what else?")


# --- what a model can not do ------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_row_16_model_without_tools(room: Room, double: Double) -> None:
    double.add("plain:1b", capabilities=("completion", "tools"))  # what the catalogue says
    double.enqueue(
        "plain:1b", fail(400, "library/plain:1b does not support tools"),
        say("Three clicks."), values_json(depth=3, limit=None, kind=None, polite=None),
        say("Fifty."), values_json(depth=None, limit=50, kind=None, polite=None),
    )  # fmt: skip
    await room.chat.look()
    await room.model("plain:1b")
    entries = await room.say("depth 3")
    assert ["tools" in r for r in room.requests] == [True, False, False]  # never again as it was
    assert "can not use tools" in notices(entries) and "Models that can:" in notices(entries)
    assert room.values == {"depth": 3}
    assert notices(await room.say("and 50 pages")) == ""
    assert room.values == {"depth": 3, "limit": 50}
    told, asked = room.requests[3], room.requests[4]
    assert not any("tool_calls" in m or m["role"] == "tool" for m in told["messages"])  # its own calls
    assert asked["messages"][: len(told["messages"])] == told["messages"]  # nothing is read twice
    double.models.pop("plain:1b")


@pytest.mark.anyio
async def test_row_16_a_known_model_without_tools_is_not_sent_any(room: Room, double: Double) -> None:
    double.add("small:1b", capabilities=("completion",))
    nothing = values_json(depth=None, limit=None, kind=None, polite=None)
    double.enqueue("small:1b", say("Hello."), say("I see."), nothing)
    await room.chat.look()
    await room.model("small:1b")
    assert replies(await room.say("good morning")) == ["Hello."]  # small talk costs no second request
    assert replies(await room.say("5 is too deep")) == ["I see."]
    sent = [s.body for s in double.seen if (s.body or {}).get("model") == "small:1b" and "messages" in s.body]
    assert ["tools" in body for body in sent] == [False] * 3
    assert ["format" in body for body in sent] == [False, False, True]
    double.models.pop("small:1b")


@pytest.mark.anyio
async def test_row_17_thinking_in_the_text(room: Room, drawn: list[tuple[str, str, str]]) -> None:
    room.script(say("<think>The user greets.</think>\n\nGood morning."), say("Yes."))
    entries = await room.say("hello there")
    assert replies(entries) == ["Good morning."]
    assert entries[-1]["thinking"] == "The user greets."
    assert not [text for _, text, _ in drawn if "think" in text]
    await room.say("are you sure?")
    assert "The user greets" not in json.dumps(room.requests[1])
    assert [r["think"] for r in room.requests] == [False, False]


@pytest.mark.anyio
async def test_row_17_all_in_thinking_is_asked_again_without(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, think=True) as room:
        double.add(MODEL, capabilities=("completion", "tools", "thinking"))
        room.script(Round(thinking=("I should ", "answer.")), say("Good morning."))
        entries = await room.say("hello there")
        assert [r["think"] for r in room.requests] == [True, False]
        assert replies(entries) == ["Good morning."]
        room.script(say("<think>And so on and so on"), say("I am here."))
        assert replies(await room.say("are you there?")) == ["I am here."]


@pytest.mark.anyio
async def test_row_17_a_model_that_can_not_think_is_asked_without(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, think=True) as room:
        room.script(say("Good morning."), say("Good evening."))
        assert "can not think" in notices(await room.say("hello there"))
        await room.say("hello again")
        thinks = [s.body["think"] for s in double.seen if s.path == "/api/chat" and s.body["messages"]]
        assert thinks[-3:] == [True, False, False]


@pytest.mark.anyio
async def test_row_18_reasoning_between_tool_rounds(room: Room) -> None:
    room.script(
        Round(thinking=("Hm, three.",), text=("Setting it.",), calls=(SET_3,)), say("Set."), say("Yes.")
    )
    await room.say("depth 3")
    made = room.requests[1]["messages"][-2]
    assert (made["thinking"], made["content"]) == ("Hm, three.", "Setting it.")
    assert made["tool_calls"][0]["function"]["arguments"] == {"depth": 3}
    await room.say("are you sure?")
    assert "Hm, three." not in json.dumps(room.requests[2])


@pytest.mark.anyio
async def test_row_19_silence_has_a_phase(
    room: Room, drawn: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "TICK", 0.01)
    monkeypatch.setattr(stream, "QUIET", 0.05)
    made = line(MODEL, tool_calls=[{"function": {"name": "set_values", "arguments": {"depth": 3}}}])
    room.script(
        Round(silence=0.3, text=("Hello.",)),
        raw(line(MODEL, "I set it. "), 0.3, made, last_line(MODEL)),
        "Set.",
    )
    await room.say("good morning")
    assert drawn[0][0] == "waiting"
    assert {"loading", "reading"} & {phase for phase, *_ in drawn}
    drawn.clear()
    await room.say("depth 3")
    phases = [phase for phase, text, _ in drawn if text.strip() == "I set it."]
    assert phases.count("preparing") >= 2  # in the silence before the call, and as it came
    assert room.values == {"depth": 3}


@pytest.mark.anyio
async def test_row_20_format_and_tools_never_in_one_request(room: Room) -> None:
    room.script(
        say("I would call set_values with depth=3."), values_json(depth=3, limit=None, kind=None, polite=None)
    )
    await room.say("depth 3")
    assert [("tools" in r, "format" in r) for r in room.requests] == [(True, False), (False, True)]
    words = [{"role": "user", "content": "hello"}]
    both = Request(MODEL, words, tools=room.requests[0]["tools"], format={"type": "object"})
    with pytest.raises(ModelError, match="exclude each other"):
        encode_body(both, 8192, 1024, "30m")


@pytest.mark.anyio
async def test_row_21_the_request_for_values(room: Room) -> None:
    room.script(say("Let me call set_values."), values_json(depth=3, limit=None, kind="Library", polite=None))
    entries = await room.say("depth 3, a library")
    asked = room.requests[1]
    assert asked["think"] is False
    assert asked["options"] == {"num_ctx": 8192, "num_predict": 384, "temperature": 0}
    assert asked["format"]["required"] == ["depth", "limit", "kind", "polite"]
    assert asked["format"]["properties"]["kind"] == {"enum": ["tutorial", "library", None]}
    assert asked["format"]["properties"]["depth"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert [m["role"] for m in asked["messages"]] == ["user"]  # small
    assert room.values == {"depth": 3, "kind": "library"}  # the same judge
    assert did(entries) == ["called", "set", "said"]
    assert entries[0]["tool"] == "set_values"


@pytest.mark.anyio
async def test_row_21_the_same_grounding(room: Room) -> None:
    room.script(say("Let me call set_values."), values_json(depth=2, limit=9999, kind=None, polite=None))
    entries = await room.say("somewhere near, 9999 pages")
    assert room.values == {}
    assert [e["values"] for e in entries if e.did == "proposed"] == [{"depth": 2}]
    assert [e["name"] for e in entries if e.did == "refused"] == ["limit"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Round(text=('{"depth": 3}', "   \n" * 40), reason="length"), "too long"),
        (say('Here you are: {"depth": 3}'), "no JSON"),
        (say("[3]"), "no JSON object"),
        (say('{"colour": "red"}'), "colour"),
    ],
)
async def test_row_21_a_bad_answer_is_thrown_away_and_tried_once_more(
    room: Room, bad: Round, why: str
) -> None:
    room.script(say("Let me call set_values."), bad, values_json(depth=4))
    await room.say("depth 3 or 4")
    assert why in room.requests[2]["messages"][-1]["content"]
    assert room.values == {"depth": 4}
    room.script(say("Let me call set_values."), bad, bad)
    entries = await room.say("depth 3")
    assert did(entries) == ["said", "said"]
    assert "No value was set." in notices(entries) and why in notices(entries)
    assert room.values == {"depth": 4}


# --- calls and results on the wire ------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("ids", ["none", "same", "own"])
async def test_row_22_parallel_calls(room: Room, ids: str) -> None:
    calls = (SET_3, ("set_values", {"limit": 5}), ("set_other_value", {"name": "ignore", "value": '["the"]'}))
    room.script(Round(calls=calls, ids=ids), say("All set."))
    entries = await room.say("depth 3, 5 pages, ignore the")
    made = room.requests[1]["messages"]
    asked = made[-4]["tool_calls"]
    assert [m["tool_call_id"] for m in made[-3:]] == [c["id"] for c in asked]
    assert len({c["id"] for c in asked}) == 3
    assert [list(r["set"]) for r in tool_results(room.requests[1])] == [["depth"], ["limit"], ["ignore"]]
    called = [e for e in entries if e.did == "called"]
    assert [e["arguments"] for e in called] == [dict(arguments) for _, arguments in calls]
    assert {e["turn"] for e in called} == {entries[-1]["turn"]}


@pytest.mark.anyio
async def test_row_23_results_are_put_where_a_model_finds_them(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."))
    await room.say("depth 3")
    before, last = room.requests[1]["messages"][-2:]
    assert before["role"] == "assistant"
    assert (last["role"], last["tool_name"]) == ("tool", "set_values")
    assert last["content"] == '{"set": {"depth": 3}}'


@pytest.mark.anyio
async def test_row_24_types_of_what_is_sent(room: Room) -> None:
    room.script(Round(calls=(("set_values", '{"depth": 3}'),)), say("Set."), say("Yes."))
    await room.say("depth 3")
    await room.say("are you sure?")
    for message in room.requests[2]["messages"]:
        assert isinstance(message["content"], str)
        assert all(isinstance(c["function"]["arguments"], dict) for c in message.get("tool_calls", ()))
    assert any(m["role"] == "tool" for m in room.requests[2]["messages"])
    with pytest.raises(ModelError, match="not text"):
        encode_body(Request(MODEL, [{"role": "user", "content": {"set": 3}}]), 8192, 1024, "30m")


# --- loading, waiting, reading ----------------------------------------------------------------------------


@pytest.mark.anyio
async def test_row_25_cold_load(room: Room, double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    double.loaded.pop(MODEL, None)
    before = len(double.loads)
    monkeypatch.setitem(double.slow, "load", 0.3)
    await room.chat.look()
    assert room.chat.preload([room.handle.sid])
    assert await asyncio.to_thread(double.wait_for, lambda d: (d.seen[-1].body or {}).get("messages") == [])
    left = double.disconnected
    room.script(say("Good morning."))
    assert replies(await room.say("hello there")) == ["Good morning."]  # while it is loading
    assert double.disconnected == left  # the load was not broken off
    assert len(double.loads) == before + 1  # nor made again


@pytest.mark.anyio
async def test_row_26_nothing_makes_it_load_again(room: Room, double: Double) -> None:
    double.loaded.pop(MODEL, None)
    before, first = len(double.loads), len(double.prefixes)
    await room.chat.look()
    assert room.chat.preload([room.handle.sid])
    assert await asyncio.to_thread(double.wait_for, lambda d: len(d.prefixes) > first)
    room.script(BROKEN, say("I'd call set_values."), values_json(depth=3), say("Yes."))
    await room.say("depth 3")
    await room.say("are you sure?")
    assert double.loads[before:] == [(MODEL, 8192, False)]
    sent = [*double.prefixes[first:], *room.requests]
    assert {(r["options"]["num_ctx"], r["shift"], r["truncate"], r["keep_alive"]) for r in sent} == {
        (8192, False, False, "30m")
    }


@pytest.mark.anyio
async def test_row_27_the_prefix_is_byte_stable(room: Room) -> None:
    room.script(call("set_values", depth=3), say("Set."), say("One link."), say("Yes."))
    await room.say("depth 3")
    await room.say("what is a click?")
    await actions.fill(room.handle, {"limit": 7}, "user")
    await room.say("is it all?")
    sent = room.requests
    assert len({json.dumps([r["messages"][0], r["tools"]]) for r in sent}) == 1
    before = sent[2]["messages"][:-1]  # but the newest, which has the state
    assert sent[3]["messages"][: len(before)] == before
    assert sum("[State of the workflow now" in m["content"] for m in sent[3]["messages"]) == 1
    assert len(sent) == 4  # no side requests


@pytest.mark.anyio
async def test_row_28_overload(room: Room, double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    room.chat.means.ollama._backoff = 0.01
    busy = fail(503, "server busy, please try again.  maximum pending requests exceeded")
    room.script(busy, busy, say("Now I can."))
    assert replies(await room.say("good morning")) == ["Now I can."]
    room.script(busy, busy, busy)
    entries = await room.say("good evening")
    assert (entries[-1].did, entries[-1]["kind"]) == ("failed", "busy")
    other = await actions.begin(room.chat.workspace, "crawl")
    first = len(double.requests)
    one = raw(line(MODEL, "One"), 0.2, last_line(MODEL))
    ended: list[bool] = []
    room.script(one, lambda _: say("Two, after one." if ended else "Two, beside one."))
    watch = room.chat.means.ollama.chat

    async def watched(request: Request) -> AsyncIterator[Any]:
        async for delta in watch(request):
            yield delta
            if delta.done:
                ended.append(True)

    monkeypatch.setattr(room.chat.means.ollama, "chat", watched)
    await room.chat.say(room.handle, "one")
    await asyncio.to_thread(double.wait_for, lambda d: len(d.requests) > first)
    await room.chat.say(other, "two")
    while not (draft := live.drafts.get(other.sid)):
        assert await live.changed(other.sid, live.beat(other.sid), 5)
    assert draft.phase == "waiting"
    await room.quiet()
    await room.chat.idle(other.sid)
    assert other.log.entries[-1]["text"] == "Two, after one."


@pytest.mark.anyio
@pytest.mark.parametrize("ending", ["eof", "drop"])
async def test_row_29_stream_ends_without_done(room: Room, ending: str) -> None:
    room.script(Round(text=("Half of",), calls=(SET_3,), ending=ending))
    entries = await room.say("depth 3")
    assert did(entries) == ["said", "failed"]
    assert (entries[0]["text"], entries[0]["incomplete"]) == ("Half of", True)
    assert room.values == {}


@pytest.mark.anyio
async def test_row_29_done_reason_alone_is_an_end(room: Room) -> None:
    room.script(raw(line(MODEL, "All of it."), b'{"done_reason":"stop"}\n'))
    assert did(await room.say("good morning")) == ["said"]


@pytest.mark.anyio
async def test_row_30_loaded_is_no_answer(room: Room) -> None:
    room.script(Round(reason="load"))
    entries = await room.say("good morning")
    assert did(entries) == ["failed"]
    assert "answered nothing" in entries[0]["reason"]
    with pytest.raises(ModelError, match="no user message"):
        encode_body(Request(MODEL, [{"role": "user", "content": " "}]), 8192, 1024, "30m")


@pytest.mark.anyio
async def test_row_31_stop_stops_the_work(room: Room, double: Double) -> None:
    made = line(MODEL, tool_calls=[{"function": {"name": "set_values", "arguments": {"depth": 3}}}])
    room.script(raw(line(MODEL, "Let me "), made, 0.9, line(MODEL, "see"), last_line(MODEL)), say("Next."))
    gone = double.disconnected
    await room.chat.say(room.handle, "depth 3")
    sid = room.handle.sid
    while not (draft := live.drafts.get(sid)) or draft.phase != "preparing":
        assert await live.changed(sid, live.beat(sid), 5)
    assert await room.chat.stop(room.handle)
    assert await asyncio.to_thread(double.wait_for, lambda d: d.disconnected == gone + 1)
    last = room.handle.log.entries[-1]
    assert (last.did, last["text"].strip(), last["stopped"]) == ("said", "Let me", True)
    assert room.values == {}
    assert replies(await room.say("and now?")) == ["Next."]  # nothing of the stopped one in it


@pytest.mark.anyio
async def test_row_32_forbidden_with_an_empty_body(room: Room, double: Double) -> None:
    room.script(fail(403, body=""))
    entries = await room.say("good morning")
    assert entries[-1]["kind"] == "forbidden"
    assert "OLLAMA_HOST" in entries[-1]["reason"] and "OLLAMA_ORIGINS" in entries[-1]["reason"]
    headers = next(s.headers for s in reversed(double.seen) if s.path == "/api/chat")
    assert "origin" not in headers
    assert headers["host"].startswith("127.0.0.1")


@pytest.mark.anyio
async def test_row_33_a_broken_model_hides_no_other(tmp_path: Path) -> None:
    with Double(scripts=False) as own:
        own.add("good:1b")
        own.add("null:1b", details=None, size=None, modified_at=None)
        own.add("odd:1b", capabilities=())
        own.models["odd:1b"] |= {"details": [], "capabilities": None, "digest": None}
        own.shows["odd:1b"] = 500
        own.models["none"] = {"name": None}
        async with make_room(tmp_path, own, FLOW) as room:
            found = await room.chat.look()
            assert [m.name for m in found.models] == ["good:1b", MODEL, "null:1b", "odd:1b"]
            assert found.problem is None
            own.enqueue("odd:1b", say("Good morning."))
            await room.model("odd:1b")
            assert replies(await room.say("hello there")) == ["Good morning."]


@pytest.mark.anyio
async def test_row_34_few_tools_and_few_parameters(tmp_path: Path, double: Double) -> None:
    flow = FLOW.replace('    polite: Annotated[bool, Ask("Polite")] = True,\n', LARGE)
    async with make_room(tmp_path, double, flow) as room:
        card = open_card(cards(room.handle.session(), room.handle.workflow()))
        made = [tool["function"] for tool in definitions(room.handle.workflow(), card)]
        assert len(made) <= 8
        for function in made:
            verb, _, noun = function["name"].partition("_")
            assert verb in ("set", "reopen", "ask", "run", "query") and noun
            assert "\n" not in function["description"]
            properties = function["parameters"]["properties"]
            assert len(properties) <= 6
            flat = [each["type"] for each in properties.values()]
            assert "object" not in flat
        others = made[1]["parameters"]["properties"]["name"]["enum"]
        assert others == ["part3", "part4", "part5", "part6", "part7", "part8", "ignore", "note"]
        room.script(call("set_other_value", name="part8", value="7"), say("Set."))
        await room.say("part8 is 7")
        assert room.values == {"part8": 7}


@pytest.mark.anyio
async def test_a_prompt_over_the_window_is_a_sentence(room: Room) -> None:
    room.script(fail(400, NESTED))
    entries = await room.say("good morning")
    assert entries[-1]["kind"] == "too_long" and "Realign" in entries[-1]["reason"]


# --- every bound is a setting, and reaching it is said ------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("bounds", "reply", "said"),
    [
        (Bounds(num_predict=7), Round(text=("And so", " on"), reason="length"), "it may have 7 tokens"),
        (Bounds(reply_bytes=20), say("word " * 20), "went over 20 bytes"),
        (Bounds(token_bytes=300), say("w" * 400), "went over 300 bytes"),
        (Bounds(wire_bytes=900), say("word " * 20), "went over 900 bytes"),
        (Bounds(first_token=0.05), Round(text=("Hello",), silence=5.0), "was silent for 0.05 s"),
        (Bounds(gap=0.05), raw(line(MODEL, "One"), 0.9, last_line(MODEL)), "was silent for 0.05 s"),
        (Bounds(total=0.05), raw(line(MODEL, "One"), 0.9, last_line(MODEL)), "not done after 0.05 s"),
    ],
)  # fmt: skip
async def test_reaching_a_bound_is_said(
    tmp_path: Path, double: Double, bounds: Bounds, reply: Round, said: str
) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=bounds) as room:
        room.script(reply)
        last = (await room.say("good morning"))[-1]
        assert said in (last.get("reason") or last["text"])


@pytest.mark.anyio
async def test_the_time_of_a_turn_is_bounded_over_its_rounds(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(total=0.3)) as room:
        held = [Round(calls=(("set_values", {"limit": n}),), silence=0.16) for n in range(1, 4)]
        room.script(*held, say("Done."))
        entries = await room.say("1, 2 or 3 pages")
        assert entries[-1].did == "failed" and "0.3 s" in entries[-1]["reason"]
        assert len(room.requests) < 4


@pytest.mark.anyio
async def test_thinking_that_is_kept_is_bounded(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(thinking_bytes=21)) as room:
        room.script(Round(thinking=("Hm, ", "ü" * 40), text=("Good morning.",)))
        kept = (await room.say("hello there"))[-1]["thinking"]
        assert kept == "Hm, " + "ü" * 8 + "…"


@pytest.mark.anyio
async def test_repairs_and_extractions_are_settings(tmp_path: Path, double: Double) -> None:
    async with make_room(tmp_path, double, FLOW, bounds=Bounds(repairs=1, extractions=1)) as room:
        room.script(
            call("set_values", depth=9), call("set_values", depth=8), call("set_values", depth=3), say("No.")
        )
        await room.say("depth 9, 8 or 3")
        assert room.values == {}
        room.script(say("Let me call set_values."), say("no JSON"))
        entries = await room.say("depth 3")
        assert "No value was set." in notices(entries)


@pytest.mark.anyio
async def test_a_reply_tells_its_tokens_and_times(room: Room) -> None:
    room.script(Round(text=("One ", "two ", "three"), delay=0.02))
    said = (await room.say("good morning"))[-1]
    assert said["tokens"] == 3
    assert 0 < said["first"] < said["seconds"]
    assert said["rate"] > 0
    assert said["read"] > 100
    assert len(said["prompt"]) == 16


@pytest.mark.anyio
async def test_the_guide_tells_no_such_thing(room: Room) -> None:
    await room.handle.write(lambda _: [Fact("user", "chose", {"model": "guide"})])
    said = (await room.say("hello"))[-1]
    assert not {"tokens", "first", "rate", "read", "prompt"} & said.fields.keys()

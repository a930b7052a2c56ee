"""The model wire, over a real socket to the scripted double."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ModelError
from assistant.models import Call, Delta, Request
from assistant.models.catalogue import catalogue, delete, is_loaded, loaded, pull
from assistant.models.ollama import Ollama
from assistant.models.wire import check_messages, is_cloud, is_loopback, parse_host
from assistant.settings import Bounds, Settings
from tests.double import (
    SCRIPTS,
    THINKS,
    Double,
    Drop,
    Pull,
    Round,
    call,
    fail,
    last_line,
    line,
    raw,
    say,
    tokens,
)

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "set_values", "description": "Set.", "parameters": {}}}
pytestmark = pytest.mark.anyio


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(scale=0.1) as started:
        yield started


@pytest.fixture
async def connect(double: Double) -> AsyncIterator[Any]:
    """Make an Ollama for the double, with other bounds or settings where given."""
    made = []

    def make(address: str | None = None, show_cloud: bool = False, **bounds: Any) -> Ollama:
        settings = Settings(
            Path(), ollama_host=address or double.address, show_cloud=show_cloud, bounds=Bounds(**bounds)
        )
        made.append(Ollama(settings, backoff=0.01))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def collect(ollama: Ollama, model: str, **more: Any) -> list[Delta]:
    request = Request(model, more.pop("messages", [USER]), **more)
    async with aclosing(ollama.chat(request)) as deltas:
        return [delta async for delta in deltas]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def calls_of(deltas: list[Delta]) -> list[tuple[str, Any]]:
    return [(call.tool, call.arguments) for delta in deltas for call in delta.calls]


# Replies


async def test_text_comes_piece_by_piece_and_ends_with_done(connect: Any) -> None:
    deltas = await collect(connect(), "text")
    assert [delta.text for delta in deltas] == ["Hello,", " here", " I", " am.", ""]
    assert [delta.done is not None for delta in deltas] == [False, False, False, False, True]
    done = deltas[-1].done
    assert done and (done.reason, done.tokens, done.load_seconds) == ("stop", 4, 0.05)
    assert done.prompt_tokens and done.seconds and done.seconds < 1


@pytest.mark.parametrize(
    "model, calls",
    [
        ("call", [("set_values", {"depth": 3})]),
        ("two-calls", [("set_values", {"depth": 3}), ("set_other_value", {"name": "start", "value": "x"})]),
        ("call-in-done", [("set_values", {"depth": 3})]),
        ("text-and-call", [("set_values", {"depth": 3})]),
        ("string-arguments", [("set_values", {"depth": 3})]),
        ("null-arguments", [("run_workflow", {})]),
        ("missing-ids", [("set_values", {"depth": 3}), ("set_values", {"limit": 5})]),
        ("text-values", [("set_values", {"depth": "3", "polite": "false"})]),
    ],
)
async def test_calls_are_collected_from_every_line(connect: Any, model: str, calls: Any) -> None:
    assert calls_of(await collect(connect(), model, tools=[TOOL])) == calls


async def test_ids_are_kept_as_they_came(connect: Any) -> None:
    ids = [call.id for delta in await collect(connect(), "same-ids") for call in delta.calls]
    assert len(ids) == 2 and len(set(ids)) == 1 and ids[0].startswith("call_")
    assert [call.id for delta in await collect(connect(), "missing-ids") for call in delta.calls] == ["", ""]


async def test_thinking_is_apart_from_text(connect: Any) -> None:
    deltas = await collect(connect(), "thinking", think=True)
    assert "".join(delta.thinking for delta in deltas) == "The user greets."
    assert text_of(deltas) == "Good morning."


@pytest.mark.parametrize(
    "model, text",
    [
        ("unicode", "Grüße 日本!"),
        ("escapes", "a < b && c > d"),
        ("next-line", "before\u0085after \u2028 end"),
    ],
)
async def test_lines_survive_any_cut_and_any_character(connect: Any, model: str, text: str) -> None:
    assert text_of(await collect(connect(), model)) == text


async def test_every_cut_of_a_reply_gives_the_same_text(connect: Any, double: Double) -> None:
    body = line("x", "Grüße\u0085日本 😀") + line("x", "<b>") + last_line("x")
    ollama = connect()
    for cut in range(1, len(body), 7):
        double.enqueue("x", raw(body[:cut], 0.0, body[cut:]))
        assert text_of(await collect(ollama, "x")) == "Grüße\u0085日本 😀<b>"


async def test_done_reason_alone_and_a_last_line_without_newline_are_a_done(
    connect: Any, double: Double
) -> None:
    body = last_line("x").replace(b'"done":true,', b"").rstrip(b"\n")
    double.enqueue("x", raw(line("x", "Yes."), body))
    deltas = await collect(connect(), "x")
    assert text_of(deltas) == "Yes." and deltas[-1].done


async def test_missing_and_wrong_parts_of_a_line_hurt_nothing(connect: Any, double: Double) -> None:
    odd = b'{"message":null}\n{"message":{"content":null,"tool_calls":null}}\n\n'
    odd += b'{"message":{"tool_calls":[null,{}]}}\n'
    double.enqueue("x", raw(odd + b'{"message":{"content":"a\xffb"},"done":1}\n' + last_line("x")))
    deltas = await collect(connect(), "x")
    assert text_of(deltas) == "a\ufffdb"
    assert calls_of(deltas) == [("", {})]


async def test_a_reply_cut_by_length_says_so(connect: Any) -> None:
    done = (await collect(connect(), "length"))[-1].done
    assert done and done.reason == "length"


# Errors


@pytest.mark.parametrize(
    "model, kind, word",
    [
        ("not-found", "not_found", "ollama pull not-found"),
        ("absent", "not_found", "absent"),
        ("no-tools", "no_tools", "tools"),
        ("no-thinking", "no_thinking", "thinking"),
        ("no-chat", "no_chat", "Pick another"),
        ("too-long", "too_long", "9012 tokens"),
        ("load-failed", "load_failed", "killed"),
        ("bad-option", "bad_request", "num_ctx"),
        ("busy", "busy", "ask again"),
        ("forbidden", "forbidden", "OLLAMA_HOST"),
        ("cloud-disabled", "cloud", "cloud"),
        ("wrong-method", "not_json", "405"),
        ("error-in-stream", "stream_error", "Ask again"),
        ("parser-error", "parser_error", "line 3"),
        ("no-done", "incomplete", "Ask again"),
        ("drop", "dropped", "broke"),
        ("not-json", "not_json", "<html>"),
        ("load-only", "incomplete", "loaded"),
    ],
)
async def test_every_error_is_a_kind_and_a_sentence(connect: Any, model: str, kind: str, word: str) -> None:
    with pytest.raises(ModelError) as raised:
        await collect(connect(), model)
    assert raised.value.kind == kind
    assert word in str(raised.value) and str(raised.value)[-1] in ".)"


async def test_what_was_said_before_an_error_has_been_given(connect: Any) -> None:
    said = []
    for model in ("error-in-stream", "no-done", "drop"):
        with pytest.raises(ModelError):
            async for delta in connect().chat(Request(model, [USER])):
                said.append(delta.text)
    assert said == ["One ", "two ", "Half ", "of ", "Half ", "of "]


async def test_a_drop_within_a_line_and_a_cut_line_are_no_end(connect: Any, double: Double) -> None:
    half = line("x", "second")[:40]
    double.enqueue("x", raw(line("x", "one"), half, Drop()), raw(line("x", "one"), half))
    for kind in ("dropped", "incomplete"):
        with pytest.raises(ModelError) as raised:
            await collect(connect(), "x")
        assert raised.value.kind == kind


async def test_a_busy_server_is_tried_three_times_before_any_word(connect: Any, double: Double) -> None:
    assert text_of(await collect(connect(), "busy-once")) == "Now I can."
    assert len(double.requests) == 2
    with pytest.raises(ModelError, match="busy"):
        await collect(connect(), "busy")
    assert len(double.requests) == 5


async def test_nobody_there(connect: Any) -> None:
    with Double() as gone:
        address = gone.address
    with pytest.raises(ModelError, match=f"No Ollama at {address}") as raised:
        await collect(connect(address), "text")
    assert raised.value.kind == "unreachable"


async def test_somebody_else_there(connect: Any) -> None:
    answered = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        answered.append(writer)

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ModelError) as raised:
            await collect(connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), "text")
        for writer in answered:
            writer.close()
            await writer.wait_closed()
    assert raised.value.kind == "not_json"


@pytest.mark.parametrize(
    "model, bounds, told",
    [
        ("silent", {"first_token": 0.05}, "silent for 0.05 s"),
        ("gap", {"gap": 0.05}, "silent for 0.05 s"),
        ("tokens-1000-5", {"total": 0.1}, "not done after 0.1 s"),
    ],
)
async def test_each_watchdog_stops_the_model(
    connect: Any, double: Double, model: str, bounds: Any, told: str
) -> None:
    with pytest.raises(ModelError, match=told) as raised:
        await collect(connect(**bounds), model)
    assert raised.value.kind == "timeout"
    assert double.wait_for(lambda d: d.disconnected == 1)


async def test_a_patient_client_waits_out_both_silences(connect: Any) -> None:
    assert text_of(await collect(connect(), "silent")) == "At last."
    assert text_of(await collect(connect(), "gap")) == "First second."


async def test_a_reply_and_a_line_have_a_largest_size(connect: Any, double: Double) -> None:
    double.enqueue("x", tokens(500), raw(b'{"message":{"content":"' + b"a" * (2**20 + 1)), say("fine"))
    ollama = connect(reply_bytes=1_000)
    for told in ("1,000 bytes", "1,048,576 bytes"):
        with pytest.raises(ModelError, match=told) as raised:
            await collect(ollama, "x")
        assert raised.value.kind == "too_much"
    assert text_of(await collect(ollama, "x")) == "fine"


async def test_deep_nesting_is_no_crash(connect: Any, double: Double) -> None:
    double.enqueue("x", raw(b'{"message":' + b"[" * 100_000 + b"\n"), fail(500, "[" * 1_000))
    for kind in ("not_json", "stream_error"):
        with pytest.raises(ModelError) as raised:
            await collect(connect(), "x")
        assert raised.value.kind == kind


# Going away


async def test_closing_the_iterator_closes_the_connection_at_once(connect: Any, double: Double) -> None:
    deltas = connect().chat(Request("tokens-10000-5", [USER]))
    assert (await anext(deltas)).text == "The"
    await deltas.aclose()
    assert double.wait_for(lambda d: d.disconnected == 1)


@pytest.mark.parametrize("model", ["silent", "tokens-10000-5"])
async def test_cancelling_closes_the_connection_at_once(connect: Any, double: Double, model: str) -> None:
    double.scale = 100.0
    task = asyncio.create_task(collect(connect(), model))
    assert await asyncio.to_thread(double.wait_for, lambda d: len(d.requests) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(double.wait_for, lambda d: d.disconnected == 1)


async def test_a_whole_reply_is_no_disconnection(connect: Any, double: Double) -> None:
    ollama = connect()
    for _ in range(5):
        await collect(ollama, "text")
    assert double.disconnected == 0


# What goes out


async def test_the_next_question_needs_no_new_connection(connect: Any, double: Double) -> None:
    ollama = connect()
    for _ in range(4):
        double.enqueue("m", say("Hello"))
        assert text_of(await collect(ollama, "m")) == "Hello"
    # the window was asked for first, over the same one
    assert double.connections == 1


async def test_an_answer_whose_body_does_not_end_is_done_with_its_last_line(
    connect: Any, double: Double
) -> None:
    ollama = connect()
    double.enqueue("m", raw(line("m", "Hello"), last_line("m"), 3_000.0))
    assert text_of(await collect(ollama, "m")) == "Hello"
    assert double.wait_for(lambda d: d.disconnected == 1)
    double.enqueue("m", say("again"))
    assert text_of(await collect(ollama, "m")) == "again"


async def test_the_request_profile(connect: Any, double: Double) -> None:
    await collect(connect(), "call", tools=[TOOL], options={"seed": 7})
    sent = dict(double.requests[0])
    assert sent.pop("messages") == [USER] and sent.pop("tools") == [TOOL]
    assert sent == {
        "model": "call",
        "stream": True,
        "think": False,
        "truncate": False,
        "shift": False,
        "keep_alive": "30m",
        "options": {"num_ctx": 8192, "num_predict": 1024, "temperature": 0.2, "seed": 7},
    }


async def test_headers_carry_no_origin_and_no_key_and_no_proxy_is_used(
    connect: Any, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret")
    ollama = connect()
    await collect(ollama, "text")
    await loaded(ollama)
    assert {seen.path for seen in double.seen} == {"/api/chat", "/api/show", "/api/ps"}
    for seen in double.seen:
        assert not {"origin", "authorization", "referer"} & set(seen.headers)
        assert seen.headers["host"] == f"127.0.0.1:{double.port}"


async def test_the_window_is_the_trained_one_where_that_is_less_and_stays(
    connect: Any, double: Double
) -> None:
    double.add("small", context=2_048)
    ollama = connect(num_ctx=4_096)
    await ollama.preload("small")
    for options in ({}, {"temperature": 0.0, "num_predict": 256}):
        await collect(ollama, "small", options=options, think=False) if options else None
        double.enqueue("small", "ok")
    await collect(ollama, "small")
    assert double.loads == [("small", 2_048, False)]
    await collect(ollama, "text")
    assert double.loads[-1] == ("text", 4_096, False)
    assert [seen.path for seen in double.seen].count("/api/show") == 2


async def test_a_load_time_option_may_not_vary(connect: Any, double: Double) -> None:
    with pytest.raises(ModelError, match="num_ctx"):
        await collect(connect(), "text", options={"num_ctx": 1})
    assert not double.requests


async def test_the_prefix_of_the_next_request_is_the_same_bytes(connect: Any, double: Double) -> None:
    ollama = connect()
    first = [{"role": "system", "content": "Rules: é <b>"}, USER]
    await collect(ollama, "call", messages=first, tools=[TOOL])
    made = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "set_values", "arguments": {}}}],
    }
    then = [*first, made, {"role": "tool", "tool_name": "set_values", "content": "{}"}]
    assert text_of(await collect(ollama, "call", messages=then, tools=[TOOL])) == "All is set."
    assert double.requests[1]["messages"][:2] == double.requests[0]["messages"]
    assert double.requests[1]["options"] == double.requests[0]["options"]


async def test_gpt_oss_thinks_little_and_numbers_of_seconds_are_numbers(double: Double) -> None:
    double.enqueue("gpt-oss:20b", "Yes.")
    ollama = Ollama(Settings(Path(), ollama_host=double.address, keep_alive="300"))
    await collect(ollama, "gpt-oss:20b")
    await ollama.close()
    assert (double.requests[0]["think"], double.requests[0]["keep_alive"]) == ("low", 300)


async def test_a_schema_goes_without_tools_only(connect: Any, double: Double) -> None:
    await collect(connect(), "text", format={"type": "object"})
    assert double.requests[0]["format"] == {"type": "object"}
    with pytest.raises(ModelError, match="exclude"):
        await collect(connect(), "text", format={"type": "object"}, tools=[TOOL])


CALLED = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": "f", "arguments": {}}}] * 2,
}
RESULT = {"role": "tool", "tool_name": "f", "content": "{}"}
SAID = {"role": "assistant", "content": "Hi."}


@pytest.mark.parametrize(
    "messages, told",
    [
        ([], "no user message"),
        ([{"role": "user", "content": "  "}], "no user message"),
        ([{"role": "robot", "content": ""}], "role"),
        ([{"role": "user", "content": {"a": 1}}], "not text"),
        ([USER, SAID], "last message"),
        ([USER, SAID, SAID, USER], "follows another"),
        ([USER, CALLED, RESULT, USER], "before the result of f"),
        ([USER, CALLED, RESULT], "last message"),
        ([USER, CALLED, RESULT, {**RESULT, "tool_name": "g"}], "not the result"),
        ([USER, RESULT], "not the result"),
        ([{**CALLED, "role": "user", "content": "x"}], "has tool calls"),
        (
            [USER, {**SAID, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, RESULT],
            "not an object",
        ),
        ([USER, {**SAID, "tool_calls": [{"name": "f"}]}, RESULT], "without a name"),
    ],
)
async def test_what_ollama_would_refuse_or_lose_is_not_sent(messages: Any, told: str) -> None:
    with pytest.raises(ModelError, match=told) as raised:
        check_messages(messages)
    assert raised.value.kind == "bad_request"


async def test_good_messages_pass_and_json_that_is_none_does_not(connect: Any, double: Double) -> None:
    check_messages([{"role": "system", "content": ""}, USER, CALLED, RESULT, RESULT, SAID, USER])
    for odd in (float("nan"), "\ud800", object()):
        with pytest.raises(ModelError, match="JSON"):
            await collect(connect(), "text", messages=[{**USER, "extra": odd}])
    assert not double.requests


# The address


@pytest.mark.parametrize(
    "said, meant",
    [
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        (":11500", "http://127.0.0.1:11500"),
        ("http://x:1/", "http://x:1"),
        ("http://x", "http://x:80"),
        ("https://x", "https://x:443"),
        ("https://x:8443/ollama/", "https://x:8443/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1", "http://127.0.0.1:1"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:5", "http://[::1]:5"),
        ("::1", "http://[::1]:11434"),
        (' "localhost:5" ', "http://localhost:5"),
    ],
)
async def test_forms_of_ollama_host(said: str, meant: str) -> None:
    assert parse_host(said) == meant
    assert parse_host(meant) == meant


@pytest.mark.parametrize("said", ["ftp://x", "x:port", "x:70000"])
async def test_an_address_that_is_none_is_a_sentence(said: str) -> None:
    with pytest.raises(ValueError, match="OLLAMA_HOST is"):
        parse_host(said)


async def test_loopback_and_cloud_are_told_apart() -> None:
    assert [is_loopback(f"http://{each}:1") for each in ("127.8.0.1", "[::1]", "localhost")] == [True] * 3
    assert [is_loopback(f"http://{each}:1") for each in ("10.0.0.1", "x", "localhost.example")] == [False] * 3
    assert [is_cloud(each) for each in ("kimi:cloud", "a/gpt-oss:120b-cloud")] == [True] * 2
    assert [is_cloud(each) for each in ("cloud", "cloud:4b", "x-cloud")] == [False] * 3


# Which models there are


async def test_the_catalogue_lists_what_can_chat(connect: Any, double: Double) -> None:
    double.models.clear()
    double.add("b:4b", capabilities=["completion", "tools", "thinking"], context=4_096)
    double.add("a:1b", capabilities=["completion"])
    double.add("embed", capabilities=["embedding"])
    double.add("far", remote_host="https://example.com")
    double.add("kimi:cloud")
    found = await catalogue(connect())
    assert (found.version, found.problem, found.notice) == ("0.33.0", None, None)
    assert [(m.name, m.tools, m.thinking, m.context, m.cloud) for m in found.models] == [
        ("a:1b", False, False, 40_960, False),
        ("b:4b", True, True, 4_096, False),
        ("far", True, False, 40_960, True),
        ("kimi:cloud", True, False, 40_960, True),
    ]


async def test_older_servers_are_asked_per_model_and_one_bad_model_hides_none(
    connect: Any, double: Double
) -> None:
    double.models.clear()
    for name in ("good", "broken", "empty", "null"):
        double.add(name)
        del double.models[name]["capabilities"]
        double.models[name]["details"] = None
    double.shows["broken"] = 500
    double.shows["empty"] = {}
    double.shows["null"] = {"capabilities": None, "model_info": None}
    double.models["bare"] = {"model": "bare"}
    double.models["nameless"] = {"size": 1}
    ollama = connect()
    for _ in range(2):
        found = await catalogue(ollama)
        assert {m.name: (m.tools, m.context) for m in found.models} == {
            "good": (True, 40_960),
            "broken": (None, None),
            "empty": (None, None),
            "null": (None, None),
            "bare": (None, None),
        }
    asked = [seen.body["model"] for seen in double.seen if seen.path == "/api/show"]
    assert (asked.count("good"), asked.count("broken")) == (1, 2)


async def test_a_changed_model_is_asked_again(connect: Any, double: Double) -> None:
    double.models.clear()
    double.add("x", capabilities=["completion"])
    del double.models["x"]["capabilities"]
    ollama = connect()
    assert [m.tools for m in (await catalogue(ollama)).models] == [False]
    double.shows["x"] = {"capabilities": ["completion", "tools"]}
    double.models["x"]["digest"] = "another"
    assert [m.tools for m in (await catalogue(ollama)).models] == [True]


@pytest.mark.parametrize(
    "version, noticed",
    [
        ("0.12.9", True),
        ("0.9.6-rc1", True),
        ("0.12.10", False),
        ("1.0.0", False),
        ("0.0.0", False),
        ("", False),
    ],
)
async def test_an_old_ollama_is_noticed(connect: Any, double: Double, version: str, noticed: bool) -> None:
    double.version = version
    found = await catalogue(connect())
    assert bool(found.notice and "0.12.10 or newer" in found.notice) == noticed


async def test_no_ollama_is_a_problem_not_an_error(connect: Any) -> None:
    with Double() as gone:
        address = gone.address
    found = await catalogue(connect(address))
    assert found.models == ()
    assert found.problem == f"No Ollama at {address}. Start it with `ollama serve`."


async def test_cloud_models_are_refused_unless_asked_for(connect: Any, double: Double) -> None:
    double.enqueue("kimi:cloud", "From far away.")
    double.enqueue("alias", "From far away.")
    double.shows["alias"] = {"remote_host": "https://example.com", "remote_model": "x"}
    for model in ("kimi:cloud", "alias"):
        with pytest.raises(ModelError) as raised:
            await collect(connect(), model)
        assert raised.value.kind == "cloud"
    assert not double.requests
    assert text_of(await collect(connect(show_cloud=True), "kimi:cloud")) == "From far away."


async def test_what_is_loaded(connect: Any, double: Double) -> None:
    ollama = connect()
    assert await loaded(ollama) == ()
    await ollama.preload("text")
    assert not double.requests
    assert (await is_loaded(ollama, "text"), await is_loaded(ollama, "call")) == (True, False)
    (found,) = await loaded(ollama)
    assert (found.name, found.context, found.size) == ("text", 8_192, 2_620_788_260)
    assert found.until and found.until.year == 2026


async def test_preloading_fails_with_a_sentence(connect: Any) -> None:
    with pytest.raises(ModelError, match="ollama pull absent"):
        await connect().preload("absent")


# Getting and deleting


async def test_a_pull_tells_how_far_it_is(connect: Any, double: Double) -> None:
    found = [each async for each in pull(connect(), "new:1b")]
    assert [each.completed for each in found if each.total] == [1_000, 2_000, 3_000, 4_000]
    assert [each.done for each in found] == [False] * (len(found) - 1) + [True]
    assert "new:1b" in double.models


async def test_a_pull_that_fails_goes_on_where_it_stopped(connect: Any, double: Double) -> None:
    double.pulls["new:1b"] = Pull(error="unexpected EOF", error_after=2)
    with pytest.raises(ModelError, match=r"unexpected EOF.*goes on where it stopped") as raised:
        async for _ in pull(connect(), "new:1b"):
            pass
    assert raised.value.kind == "stream_error"
    assert "new:1b" not in double.models
    found = [each async for each in pull(connect(), "new:1b")]
    assert [each.completed for each in found if each.total] == [3_000, 4_000]


async def test_a_pull_can_be_stopped(connect: Any, double: Double) -> None:
    double.pulls["new:1b"] = Pull(size=10**9, delay=0.002)
    async with aclosing(pull(connect(), "new:1b")) as progress:
        async for each in progress:
            if each.completed:
                break
    assert await asyncio.to_thread(double.wait_for, lambda d: d.disconnected == 1)


async def test_names_that_do_not_exist_or_are_none(connect: Any, double: Double) -> None:
    ollama = connect()
    for name, kind in (("missing", "not_found"), ("../x", "bad_request"), ("x:cloud", "cloud")):
        with pytest.raises(ModelError) as raised:
            async for _ in pull(ollama, name):
                pass
        assert raised.value.kind == kind
    with pytest.raises(ModelError, match="no model absent here"):
        await delete(ollama, "absent")
    await delete(ollama, "text")
    assert "text" not in double.models


async def test_pull_and_loaded_without_an_ollama(connect: Any) -> None:
    with Double() as gone:
        ollama = connect(gone.address)
    with pytest.raises(ModelError) as raised:
        await loaded(ollama)
    assert raised.value.kind == "unreachable"
    with pytest.raises(ModelError) as raised:
        await anext(pull(ollama, "x"))
    assert raised.value.kind == "unreachable"


def test_the_package_is_not_imported_for_chatting() -> None:
    """It takes longer to import than all of the chat wire."""
    program = (
        "import sys, assistant.models.ollama, assistant.models.catalogue; print('ollama' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


# The double itself


async def test_every_script_is_listed_and_answers(connect: Any, double: Double) -> None:
    ollama = connect()
    failing = {
        *("error-in-stream", "parser-error", "not-found", "no-tools", "no-thinking", "no-chat", "too-long"),
        *("load-failed", "bad-option", "busy", "forbidden", "cloud-disabled", "wrong-method", "no-done"),
        *("drop", "not-json", "load-only"),
    }
    assert {model.name for model in (await catalogue(ollama)).models} == set(SCRIPTS)
    failed = set()
    for model in SCRIPTS:
        try:
            assert (await collect(ollama, model, think=model in THINKS))[-1].done
        except ModelError:
            failed.add(model)
    assert failed == failing


async def test_the_double_refuses_as_ollama_does(connect: Any, double: Double) -> None:
    for body in (
        {"messages": [{"role": "user", "content": {}}]},
        {"messages": [{**CALLED, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
        {"messages": [USER], "keep_alive": "300"},
        {"messages": [USER], "think": True},
    ):
        with pytest.raises(ModelError):
            await connect().ask("POST", "/api/chat", {"model": "text", **body})


async def test_enqueued_replies_come_in_order_and_may_look_at_the_request(
    connect: Any, double: Double
) -> None:
    def echo(body: dict[str, Any]) -> Round:
        return say(body["messages"][-1]["content"].upper())

    double.enqueue("x", call("set_values", depth=3), "plain", echo)
    ollama = connect()
    assert calls_of(await collect(ollama, "x")) == [("set_values", {"depth": 3})]
    assert text_of(await collect(ollama, "x")) == "plain"
    assert text_of(await collect(ollama, "x")) == "HELLO"
    with pytest.raises(ModelError, match="no more replies"):
        await collect(ollama, "x")


async def test_tokens_keep_to_the_clock(connect: Any) -> None:
    deltas = await collect(connect(), "tokens-20-5")
    done = deltas[-1].done
    assert len(deltas) == 21 and done and done.seconds and done.seconds >= 19 * 0.005


async def test_a_call_is_a_plain_value() -> None:
    assert Call("call_1_0", "f", {}) == Call("call_1_0", "f", {})

"""The stream of a session: what it sends and when, over real connections."""

import os
import signal
import socket
import time

import pytest
from samples import SMALL, complete, soon
from serving import HTMX, Stream, make_workspace, serving

from assistant.log import Fact, Log


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("stream") / "work", small=SMALL)) as server:
        yield server


@pytest.fixture
def sid(server):
    return server.begin("small")


@pytest.fixture
def other(server, sid):
    """Another program's hand on the session's log."""
    log = Log(server.folder(sid))
    yield lambda *facts: log.append(lambda _: facts)
    log.close()


def last(server, sid) -> int:
    return server.entries(sid)[-1].n


def reach(stream, n) -> dict[str, str]:
    """Everything up to the message that shows entry `n`, by target."""
    found: dict[str, str] = {}
    while True:
        message = stream.next()
        for target, markup in message.targets.items():
            found[target] = found.get(target, "") + markup
        if message.id == str(n):
            return found


def test_what_it_is(server, sid):
    with Stream(server, sid, after=2) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in stream.answer.headers
        assert stream.next().id == "2"


def test_each_message_has_the_last_entry_that_it_shows(server, sid):
    with Stream(server, sid, after=last(server, sid)) as stream:
        for values in ({"depth": "99"}, {"depth": "2"}):
            server.post(f"sessions/{sid}/steps/start", values, headers=HTMX)
            n = last(server, sid)
            before = [stream.next()]
            while before[-1].id != str(n):
                before.append(stream.next())
            ids = [int(message.id) for message in before]
            assert ids == sorted(ids)
        assert before[-1].targets.keys() >= {"#card-start", "#card-finish", "#head"}
        assert 'data-state="done"' in before[-1].targets["#card-start"]


def test_an_entry_between_the_page_and_the_stream_is_not_missed(server, sid):
    page = server.page(f"sessions/{sid}")
    address = page.select_one("#stream")["hx-sse:connect"]
    after = int(address.rsplit("=", 1)[1])
    server.next(sid, "start", {"depth": "2"})
    with Stream(server, sid, after=after) as stream:
        found = reach(stream, last(server, sid))
    assert 'data-state="done"' in found["#card-start"]
    assert 'data-state="open"' in found["#card-finish"]


def test_a_stream_goes_on_after_the_last_message_that_came(server, sid):
    with Stream(server, sid, after=last(server, sid)) as stream:
        server.next(sid, "start", {"depth": "2"})
        reach(stream, n := last(server, sid))
    server.next(sid, "finish", {"names": "name 1"})
    with Stream(server, sid, after=2, last_event_id=str(n)) as stream:  # the header counts, not the address
        found = reach(stream, last(server, sid))
    assert 'data-state="done"' in found["#card-finish"]
    assert "#card-start" not in found
    assert "#runs" in found


def test_a_stream_without_a_beginning_sends_everything(server, sid):
    server.next(sid, "start", {"depth": "2"})
    regions = {"#card-start", "#card-deep", "#card-finish", "#status", "#model", "#runs", "#results", "#head"}
    for after, header in ((None, None), (10_000, None), (None, "x"), (None, "9" * 5_000)):
        with Stream(server, sid, after, header) as stream:
            assert reach(stream, last(server, sid)).keys() >= regions, (after, header)


def test_two_connections_get_the_same(server, sid):
    after = last(server, sid)
    with Stream(server, sid, after) as one, Stream(server, sid, after) as two:
        reach(one, after)
        reach(two, after)
        server.next(sid, "start", {"depth": "2"})
        n = last(server, sid)
        assert reach(one, n) == reach(two, n)


def test_another_programs_entries_arrive(server, sid, other):
    with Stream(server, sid, after=last(server, sid)) as stream:
        (entry,) = other(Fact("mcp", "set", {"step": "start", "values": {"depth": 7}, "turn": "t1"}))
        found = reach(stream, entry.n)
    assert 'value="7"' in found["#field-depth"]
    assert 'data-by="mcp"' in found["#field-depth"]
    assert f'data-n="{entry.n}"' in found["#draft"]


def test_only_the_field_that_changed_is_sent(server, sid, other):
    with Stream(server, sid, after=last(server, sid)) as stream:
        (entry,) = other(Fact("cli", "set", {"step": "start", "values": {"depth": 7}}))
        fields = {
            target for target in reach(stream, entry.n) if target.startswith(("#card", "#field", "#form"))
        }
        assert fields == {"#field-depth"}
        (entry,) = other(Fact("cli", "set", {"step": "start", "values": {"kind": "star"}}))
        fields = {
            target for target in reach(stream, entry.n) if target.startswith(("#card", "#field", "#form"))
        }
        assert fields == {"#field-kind"}
        server.next(sid, "start", {"depth": "99", "kind": "star"}, 422, headers=HTMX)
        fields = {t for t in reach(stream, last(server, sid)) if t.startswith(("#card", "#field", "#form"))}
        assert fields == {"#field-depth"}


def test_a_value_that_came_before_the_stream_is_sent_by_its_field_too(server, sid, other):
    after = last(server, sid)
    (entry,) = other(Fact("cli", "set", {"step": "start", "values": {"depth": 7}}))
    with Stream(server, sid, after) as stream:
        found = reach(stream, entry.n)
    assert {t for t in found if t.startswith(("#card", "#field"))} == {"#field-depth"}


def test_nothing_is_sent_while_nothing_changes(server, sid, other):
    with Stream(server, sid, after=last(server, sid)) as stream:
        reach(stream, last(server, sid))
        time.sleep(0.6)
        first = stream.come()  # what the page could not know, such as who answers
        assert len(first) <= 2
        time.sleep(1.2)  # several looks at the file, in each of which something could be sent
        assert stream.come() == []
        (entry,) = other(Fact("cli", "noted", {"about": 1, "text": "x"}))
        assert stream.next().id == str(entry.n)


def test_messages_of_the_chat_come_once_and_in_order(server, sid):
    with Stream(server, sid, after=last(server, sid)) as stream:
        shown: list[str] = []
        for count, text in enumerate(["What can I choose?", "depth 7", "why?"], 1):
            server.post(f"sessions/{sid}/messages", {"text": text}, headers=HTMX)
            server.wait(sid, lambda s, count=count: sum(e.by == "guide" for e in s.did(sid, "said")) >= count)
        words = [e for e in server.entries(sid) if e.did == "said" or (e.did == "set" and e.by == "guide")]
        while len(shown) < len(words):
            for part in stream.next().data.split("<hx-partial"):
                if 'hx-target="#draft" hx-swap="beforebegin"' in part:
                    shown.append(part.split('data-n="', 1)[1].split('"', 1)[0])
    assert shown == [str(entry.n) for entry in words]


def test_line_ends_in_a_text_do_not_break_its_message(server, sid):
    text = "one\rtwo\r\nthree\nfour"
    with Stream(server, sid, after=last(server, sid)) as stream:
        server.next(sid, "start", {"depth": text}, 422, headers=HTMX)
        field = reach(stream, last(server, sid))["#field-depth"]
        assert all(word in field for word in ("one", "two", "three", "four", 'aria-invalid="true"'))
        server.post(f"sessions/{sid}/messages", {"text": text}, headers=HTMX)
        words = stream.until(lambda message: "one" in message.data and 'class="words"' in message.data)
        assert all(word in words.data for word in ("two", "three", "four</p>"))


def test_progress_and_results_of_a_run_arrive(server, sid):
    complete(server, sid)
    with Stream(server, sid, after=last(server, sid)) as stream:
        server.post(f"sessions/{sid}/runs", headers=HTMX)
        states = [stream.until(lambda m: "Running" in m.targets.get("#runs", ""))]
        states.append(stream.until(lambda m: 'data-state="finished"' in m.targets.get("#runs", "")))
        assert int(states[0].id) < int(states[1].id)
    assert server.state(sid)["run"]["state"] == "finished"


def test_a_stream_ends_when_its_session_is_deleted(server, sid):
    with Stream(server, sid, after=last(server, sid)) as stream:
        server.post(f"sessions/{sid}/delete")
        assert stream.ended()
    answer = server.get(f"sessions/{sid}/events")
    assert answer.status_code == 404


def test_a_log_that_is_damaged_while_it_is_followed_is_said(server, sid):
    with Stream(server, sid, after=last(server, sid)) as stream:
        with (server.folder(sid) / "log.jsonl").open("ab") as file:
            file.write(b'{"n":3,"at":"x"}\n')
        found = stream.until(lambda message: "damaged" in message.targets.get("#notice", ""))
        assert f"sessions/{sid}/fork" in found.targets["#notice"]


def test_a_cut_connection_leaves_nothing_behind(server, sid):
    for _ in range(20):
        with Stream(server, sid, after=1):
            pass
    server.next(sid, "start", {"depth": "2"})
    descriptors = f"/proc/{server.process.pid}/fd"
    with Stream(server, sid) as stream:
        reach(stream, last(server, sid))
        end = time.monotonic() + 20
        while sum("socket" in _link(descriptors, fd) for fd in os.listdir(descriptors)) > 15:
            assert time.monotonic() < end, "connections stay open"
            time.sleep(0.1)


def _link(folder: str, name: str) -> str:
    try:
        return os.readlink(f"{folder}/{name}")
    except OSError:
        return ""


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_program_ends_in_seconds_with_streams_open(tmp_path, by):
    workspace = make_workspace(tmp_path / "work", small=SMALL)
    with serving(workspace) as server:
        sid = complete(server, server.begin("small"), 3)
        with Stream(server, sid) as one, Stream(server, sid) as two:
            server.post(f"sessions/{sid}/runs")
            one.until(lambda m: "Running" in m.targets.get("#runs", ""))
            began = time.monotonic()
            assert server.end(by) == 0
            assert time.monotonic() - began < 10
            assert one.ended()
            assert two.ended()
    assert "Traceback" not in server.errors()
    with serving(workspace) as server:
        assert server.state(sid)["run"]["state"] == "interrupted"


def test_what_was_found_of_ollama_between_page_and_stream_is_sent(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        folder = make_workspace(tmp_path / "work", small=SMALL)
        with serving(folder, ollama=f"http://127.0.0.1:{silent.getsockname()[1]}") as server:
            sid = server.begin("small")
            page = server.page(f"sessions/{sid}")
            assert not page.select("#model optgroup")
            silent.close()
            soon(lambda: server.page(f"sessions/{sid}").select("#model optgroup"))
            with Stream(server, sid, after=last(server, sid)) as stream:
                assert stream.next().targets == {}
                assert "<optgroup" in stream.next().targets.get("#model", "")

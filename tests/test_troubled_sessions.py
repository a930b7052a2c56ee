"""Sessions in trouble: a workflow gone or broken, a log damaged, newer, removed or not writable."""

import json
import resource
import shutil
import zlib

import pytest
from samples import SMALL, complete
from serving import make_workspace, serving

from assistant.export import FORMATS as EXPORTS
from assistant.log import Fact, encode, read

STATE = {"session", "workflow", "n", "open", "steps", "values", "origins", "run"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("web") / "work", small=SMALL)) as server:
        yield server


@pytest.fixture
def sid(server):
    return server.begin("small")


def test_a_session_whose_workflow_is_gone_can_be_looked_at(server):
    path = server.workspace / "workflows" / "away.py"
    path.write_text(SMALL, "utf-8")
    sid = complete(server, server.begin("away"))
    path.unlink()
    page = server.page(f"sessions/{sid}")
    assert "no workflow" in page.select_one("#notice").text
    assert not page.select("#chat-input, .next")
    for address in ("/record", "/record?at=2", "?at=3", *(f"/export/{name}" for name in EXPORTS)):
        assert server.get(f"sessions/{sid}{address}").status_code == 200, address
    state = server.state(sid)
    assert set(state) == STATE
    assert state["values"]["depth"] == 2
    assert server.get(f"sessions/{sid}/export/parameters.json").json()["depth"] == 2
    assert server.get("").status_code == 200
    for address in ("steps/start", "steps/start/reopen", "steps/start/help", "runs", "undo"):
        assert 400 <= server.post(f"sessions/{sid}/{address}", {"depth": "3"}).status_code < 500
    server.post(f"sessions/{sid}/messages", {"text": "depth 3"})
    server.wait(sid, lambda s: bool(s.did(sid, "failed")))
    assert "no workflow" in server.did(sid, "failed")[0]["reason"]
    assert server.state(sid)["values"] == state["values"]
    path.write_text(SMALL, "utf-8")
    assert server.state(sid)["steps"]["finish"] == "done"
    assert not server.page(f"sessions/{sid}").select_one("#notice").text


def test_a_session_whose_workflow_broke_can_be_looked_at(server):
    path = server.workspace / "workflows" / "breaks.py"
    path.write_text(SMALL, "utf-8")
    sid = server.begin("breaks")
    path.write_text("def broken(:\n", "utf-8")
    page = server.page(f"sessions/{sid}")
    assert "line 1" in page.select_one("#notice").text
    assert 400 <= server.post(f"sessions/{sid}/steps/start", {"depth": "3"}).status_code <= 500
    assert len(server.entries(sid)) == 2


def test_a_session_whose_workflow_changed_goes_on_with_what_fits(server):
    path = server.workspace / "workflows" / "changes.py"
    path.write_text(SMALL, "utf-8")
    sid = complete(server, server.begin("changes"))
    changed = SMALL.replace("def finish(depth, names", "def last(depth, color: str, names").replace(
        ", names):", "):"
    )
    path.write_text(changed, "utf-8")
    page = server.page(f"sessions/{sid}")
    assert page.select_one("#card-start")["data-state"] == "done"
    assert page.select_one("#card-last")["data-state"] == "open"
    assert page.select_one("#form-last [name=color]")
    assert server.state(sid)["steps"] == {"start": "done", "deep": "skipped", "last": "open"}
    server.next(sid, "last", {"color": "red", "names": "name 1"})
    assert server.state(sid)["open"] is None
    assert server.get(f"sessions/{sid}/record").status_code == 200


def brought_in(server, sid, log: bytes) -> str:
    """A session that the server has never seen, with this log."""
    made = f"{sid[:-4]}{(int(sid[-4:], 16) + 1) % 65_536:04x}"
    folder = server.folder(f".{made}")
    folder.mkdir(mode=0o700)
    (folder / "log.jsonl").write_bytes(log)
    folder.rename(server.folder(made))
    return made


def test_a_log_that_is_damaged_in_the_middle_is_forked_from_its_last_good_entry(server):
    sid = complete(server, server.begin("small"))
    lines = (server.folder(sid) / "log.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"did"', b'"dId"', 1)
    sid = brought_in(server, sid, b"".join(lines))
    path = server.folder(sid) / "log.jsonl"
    damaged = path.read_bytes()
    page = server.page(f"sessions/{sid}")
    assert "Line 4" in page.select_one("#notice").text
    forms = page.select("form[method=post]")
    assert [form["action"] for form in forms] == [f"sessions/{sid}/fork"]
    for address in ("steps/start", "steps/start/help", "undo", "messages", "runs", "pin", "realign"):
        status = server.post(f"sessions/{sid}/{address}", {"depth": "3", "text": "x"}).status_code
        assert 400 <= status < 500, address
    assert path.read_bytes() == damaged
    for address in ("/record", "/record?at=2", "?at=3", *(f"/export/{name}" for name in EXPORTS)):
        assert server.get(f"sessions/{sid}{address}").status_code == 200, address
    assert server.get("").status_code == 200
    form = forms[0]
    answer = server.post(form["action"], {i["name"]: i["value"] for i in form.select("input")})
    assert answer.status_code == 303
    made = answer.headers["location"].rsplit("/", 1)[1]
    assert len(server.entries(made)) == 3
    assert server.state(made)["values"]["depth"] == 2
    server.post(f"sessions/{made}/steps/start/help")
    assert server.get(f"sessions/{made}").status_code == 200


def test_a_log_of_a_newer_format_can_only_be_looked_at(server, sid):
    entries, _ = read(server.folder(sid) / "log.jsonl")
    first = json.loads(encode(entries[0]))
    body = json.dumps({k: v for k, v in first.items() if k != "crc"} | {"format": 2}, separators=(",", ":"))[
        :-1
    ].encode()
    log = b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body)) + b"".join(encode(e) for e in entries[1:])
    sid = brought_in(server, sid, log)
    path = server.folder(sid) / "log.jsonl"
    before = path.read_bytes()
    page = server.page(f"sessions/{sid}")
    assert "newer version" in page.select_one("#notice").text
    assert not page.select("form[method=post]")
    for address in ("steps/start", "steps/start/help", "messages", "pin", "name"):
        status = server.post(
            f"sessions/{sid}/{address}", {"depth": "3", "text": "x", "name": "x"}
        ).status_code
        assert status == 409, address
    assert path.read_bytes() == before


def test_a_session_whose_folder_was_removed_is_gone(server, sid):
    server.next(sid, "start", {"depth": "2"})
    shutil.rmtree(server.folder(sid))
    assert server.post(f"sessions/{sid}/steps/finish", {}).status_code == 404
    assert server.get(f"sessions/{sid}").status_code == 404
    assert f"sessions/{sid}" not in server.get("").text
    assert not server.folder(sid).exists()


def test_a_log_that_was_put_back_to_an_earlier_one_is_read_again(server, sid):
    path = server.folder(sid) / "log.jsonl"
    before = path.read_bytes()
    server.next(sid, "start", {"depth": "2"})
    (path.parent / "earlier").write_bytes(before)
    (path.parent / "earlier").rename(path)
    assert server.state(sid)["open"] == "start"
    server.next(sid, "start", {"depth": "5"})
    assert server.state(sid)["values"]["depth"] == 5
    server.entries(sid)


def test_what_can_not_be_written_is_503_and_nothing_is_lost(server, sid):
    server.next(sid, "start", {"depth": "7"})
    before = (server.folder(sid) / "log.jsonl").read_bytes()
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (len(before) + 20, hard))  # a full disk
    try:
        for address in ("steps/deep", "messages", "undo", "steps/deep/help", "name"):
            form = {"reason": "to see", "text": "x" * 200, "name": "y" * 100}
            answer = server.post(f"sessions/{sid}/{address}", form)
            assert answer.status_code == 503, address
            assert "room" in answer.text or "large" in answer.text
        assert server.get(f"sessions/{sid}").status_code == 200
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert (server.folder(sid) / "log.jsonl").read_bytes() == before
    server.next(sid, "deep", {"reason": "to see"})
    assert server.state(sid)["values"]["reason"] == "to see"


def test_an_entry_of_a_kind_that_is_not_known_changes_nothing(server, sid):
    server.tell(sid, Fact("mcp", "sang", {"song": "la", "turn": "t9"}))
    assert server.get(f"sessions/{sid}").status_code == 200
    assert server.get(f"sessions/{sid}/record").status_code == 200
    server.next(sid, "start", {"depth": "2"})


def test_a_message_whose_program_died_can_be_asked_again(server, sid):
    server.tell(sid, Fact("user", "said", {"text": "depth 7", "turn": "t1"}))
    page = server.page(f"sessions/{sid}")
    assert page.select_one(f"form[action='sessions/{sid}/messages/t1/again']")
    assert server.post(f"sessions/{sid}/messages/t1/again").status_code == 303
    server.wait(sid, lambda s: any(e.by == "guide" for e in s.did(sid, "said")))
    assert server.state(sid)["values"]["depth"] == 7


def test_a_card_whose_options_fail_says_so_and_can_be_tried_again(server):
    path = server.workspace / "workflows" / "fails.py"
    path.write_text(SMALL.replace("return [f", "raise OSError('No such list.')\n    return [f"), "utf-8")
    sid = server.begin("fails")
    server.next(sid, "start", {"depth": "2"})
    page = server.page(f"sessions/{sid}")
    assert "No such list." in page.select_one("#card-finish").text
    path.write_text(SMALL, "utf-8")
    assert server.post(f"sessions/{sid}/steps/finish/reopen").status_code == 303
    page = server.page(f"sessions/{sid}")
    assert len(page.select("[name=names]")) == 2

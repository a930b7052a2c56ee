"""The addresses: what each answers, on the real server."""

import asyncio
import socket

import httpx
import pytest
from samples import BROKEN, SMALL, complete
from serving import HTMX, JSON, at_once, make_workspace, serving, soup
from starlette.routing import Route

from assistant.export import FORMATS as EXPORTS
from assistant.log import Fact
from assistant.settings import Settings
from assistant.web.app import make_app

STATE = {"session", "workflow", "n", "open", "steps", "values", "origins", "run"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("web") / "work", small=SMALL, broken=BROKEN)
    with serving(workspace) as server:
        yield server


@pytest.fixture
def sid(server):
    return server.begin("small")


@pytest.fixture(scope="module")
def ran(server):
    """A session whose run has finished."""
    sid = complete(server, server.begin("small"))
    assert server.run(sid)["state"] == "finished"
    return sid


# --- the first page, and sessions ----------------------------------------------------------------------


def test_healthz(server):
    answer = server.get("healthz")
    assert answer.status_code == 200
    assert answer.json()["version"]


def test_the_first_page_has_the_workflows_and_the_sessions(server, ran):
    page = server.page("")
    tile = page.select_one("[data-workflow=small]")
    assert "Small one" in tile.text
    assert "Counts <down> & up." in tile.text
    form = tile.find("form")
    assert (form["method"], form["action"]) == ("post", "sessions")
    assert form.find("input")["value"] == "small"
    assert page.select_one(f"a[href='sessions/{ran}']")


def test_a_broken_workflow_is_shown_with_its_line_and_hurts_no_other(server):
    page = server.page("")
    tile = page.select_one("[data-workflow=broken]")
    assert "line 5" in tile.text
    assert "ZeroDivisionError" in tile.text
    assert tile.find("form") is None
    answer = server.post("sessions", {"workflow": "broken"})
    assert answer.status_code >= 400
    assert "line 5" in answer.text
    assert server.begin("small")


def test_begin_makes_a_session_with_its_first_card_open(server, sid):
    first, second = server.entries(sid)[:2]
    assert (first.did, first["workflow"], first["format"]) == ("began", "small", 1)
    assert (second.did, second["step"]) == ("opened", "start")
    assert server.folder(sid).stat().st_mode & 0o777 == 0o700
    assert (server.folder(sid) / "log.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", [{}, {"workflow": ""}, {"workflow": "nothing"}, {"workflow": "../small"}])
def test_begin_without_a_workflow_that_there_is(server, form):
    assert server.post("sessions", form).status_code == 404


@pytest.mark.parametrize("sid", ["nothing", "2026-11-21-small-0000", "2026-11-21-small-00zz", "%2e%2e"])
def test_a_session_that_there_is_not(server, sid):
    for address in ("", "/record", "/events", "/export/log.jsonl", "/status"):
        assert server.get(f"sessions/{sid}{address}").status_code in (404, 405)
    for address in ("/undo", "/messages", "/runs", "/fork", "/delete", "/steps/start"):
        assert server.post(f"sessions/{sid}{address}", {"text": "x"}).status_code == 404


def test_the_state_as_json(server, sid):
    state = server.state(sid)
    assert set(state) == STATE
    assert state | {"n": 0} == {
        "session": sid, "workflow": "small", "n": 0, "open": "start", "values": {}, "origins": {},
        "run": None,
        "steps": {"start": "open", "deep": "locked", "finish": "locked"},
    }  # fmt: skip
    server.next(sid, "start", {"depth": "2"})
    state = server.state(sid)
    assert set(state) == STATE
    assert state["steps"] == {"start": "done", "deep": "skipped", "finish": "open"}
    assert state["values"] == {"depth": 2, "kind": "tree", "double": 4, "reason": None}
    origins = {"depth": "user", "kind": "default", "double": "workflow"}
    assert {name: by for name, by in state["origins"].items() if name in origins} == origins
    assert state["n"] == len(server.entries(sid))


def test_an_earlier_entry(server, ran):
    last = server.state(ran)["n"]
    for n in range(1, last + 1):
        answer = server.get(f"sessions/{ran}?at={n}", headers=JSON)
        assert answer.json()["n"] == n
    for n in ("0", str(last + 1), "-1", "x", "1.5", "9" * 30, "²"):
        assert server.get(f"sessions/{ran}", params={"at": n}).status_code == 404
        assert server.get(f"sessions/{ran}/record", params={"at": n}).status_code == 404


def test_an_earlier_entry_can_only_be_looked_at(server, ran):
    opened = next(e.n for e in server.entries(ran) if e.did == "opened" and e["step"] == "finish")
    page = server.page(f"sessions/{ran}?at={opened}")
    assert page.select_one("#card-finish")["data-state"] == "open"
    assert page.select_one("#card-start")["data-state"] == "done"
    posting = [form["action"] for form in page.select("form[method=post]")]
    assert posting == [f"sessions/{ran}/fork"]
    assert {e.get("hx-post") for e in page.select("[hx-post]")} <= {f"sessions/{ran}/fork"}
    assert not page.select("#stream, #chat-input, #chat-send")
    assert "meta http-equiv" not in str(page)


# --- cards ---------------------------------------------------------------------------------------------


def test_next_leads_back_to_the_page(server, sid):
    answer = server.next(sid, "start", {"depth": "2", "kind": "star"})
    assert answer.headers["location"].endswith(f"/sessions/{sid}")
    entries = server.entries(sid)
    dids = [entry.did for entry in entries if not (entry.did == "set" and entry["step"] == "deep")]
    assert dids == ["began", "opened", "set", "set", "advanced", "skipped", "opened"]
    assert (entries[2].by, entries[2]["values"]) == ("user", {"depth": 2, "kind": "star"})
    assert (entries[3].by, entries[3]["values"]) == ("workflow", {"double": 4})
    assert len({entry.at for entry in entries[2:]}) == 1
    assert entries[-1]["offered"] == {"names": ["name 0", "name 1"]}


def test_next_under_htmx_says_nothing(server, sid):
    answer = server.next(sid, "start", {"depth": "2"}, 204, headers=HTMX)
    assert answer.content == b""


def test_a_refused_card_sets_nothing(server, sid):
    page = soup(server.next(sid, "start", {"depth": "99", "kind": "star"}, 422))
    assert page.select_one("#card-start")["data-state"] == "open"
    assert "20" in page.select_one("#error-depth").text
    assert page.select_one("[name=depth]")["value"] == "99"
    assert page.select_one("[name=kind][checked]")["value"] == "star"
    (refused,) = server.did(sid, "refused")
    assert (refused.by, refused["step"], refused["name"], refused["value"]) == (
        "user",
        "start",
        "depth",
        "99",
    )
    assert refused["reason"]
    assert server.state(sid)["values"] == {}


def test_a_refused_card_under_htmx_is_the_fragment_alone(server, sid):
    fragment = soup(server.next(sid, "start", {"depth": "99"}, 422, headers=HTMX))
    assert fragment.find("html") is None
    assert fragment.select_one("hx-partial")["hx-target"] == "#card-start"
    assert fragment.select_one("article#card-start form#form-start [name=depth]")["value"] == "99"
    assert fragment.select_one("#error-depth").text


def test_a_program_gets_the_reasons_as_json(server, sid):
    json = {"Accept": "application/json"}
    answer = server.next(sid, "start", {"depth": "99", "kind": "star"}, 422, headers=json)
    assert list(answer.json()["refused"]) == ["depth"]
    assert "20" in answer.json()["refused"]["depth"]
    conflict = server.next(sid, "finish", {}, 409, headers=json)
    assert conflict.json()["error"]


def test_what_is_not_there_is_not_looked_for_elsewhere(server):
    assert server.get("static/nope.css").status_code == 404


def test_the_cards_own_refusal(server, sid):
    page = soup(server.next(sid, "start", {"depth": "13"}, 422))
    assert page.select_one("#error-start").text == "Thirteen is not for us."
    assert page.select_one("[name=depth]")["value"] == "13"
    (refused,) = server.did(sid, "refused")
    assert (refused["name"], refused["value"]) == (None, None)
    server.next(sid, "start", {"depth": "2"})
    server.post(f"sessions/{sid}/steps/start/reopen")
    assert server.page(f"sessions/{sid}").select_one("#error-start").text == ""


def test_what_was_refused_is_forgotten_once_it_passes(server, sid):
    server.next(sid, "start", {"depth": "99"}, 422)
    assert server.page(f"sessions/{sid}").select_one("#error-depth").text
    server.next(sid, "start", {"depth": "9"})
    server.post(f"sessions/{sid}/steps/start/reopen")
    page = server.page(f"sessions/{sid}")
    assert page.select_one("#error-depth").text == ""
    assert page.select_one("[name=depth]")["value"] == "9"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_card_that_is_done_or_locked_is_409_with_what_is_true_now(server, sid, headers):
    page = soup(server.next(sid, "finish", {"names": ""}, 409, headers=headers))
    assert page.select_one("#card-start")["data-state"] == "open"
    server.next(sid, "start", {"depth": "2"})
    page = soup(server.next(sid, "start", {"depth": "3"}, 409, headers=headers))
    assert page.select_one("#card-start")["data-state"] == "done"
    assert page.select_one("#card-finish")["data-state"] == "open"
    server.next(sid, "deep", {"reason": "x"}, 409, headers=headers)
    assert server.state(sid)["values"]["depth"] == 2
    assert server.did(sid, "refused") == []


def test_a_double_submit_counts_once(server, sid):
    answers = at_once(*[lambda: server.post(f"sessions/{sid}/steps/start", {"depth": "2"})] * 4)
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert len(server.did(sid, "advanced")) == 1


def test_a_step_that_there_is_not(server, sid):
    assert server.post(f"sessions/{sid}/steps/nothing", {"x": "1"}).status_code == 404
    assert server.post(f"sessions/{sid}/steps/nothing/reopen").status_code == 404
    assert server.post(f"sessions/{sid}/steps/nothing/help").status_code == 404


def test_reopen_and_what_goes_stale(server, sid):
    complete(server, sid)
    assert server.post(f"sessions/{sid}/steps/start/reopen").status_code == 303
    assert server.state(sid)["steps"]["start"] == "open"
    page = server.page(f"sessions/{sid}")
    assert page.select_one("[name=depth]")["value"] == "2"
    server.next(sid, "start", {"depth": "3", "kind": "star"})
    state = server.state(sid)
    assert state["steps"] == {"start": "done", "deep": "skipped", "finish": "open"}
    assert "names" not in state["values"]
    page = server.page(f"sessions/{sid}")
    assert page.select_one("[name=names][value='name 1']").has_attr("checked")
    server.next(sid, "finish", {"names": "name 1"})
    assert server.post(f"sessions/{sid}/steps/start/reopen", headers=HTMX).status_code == 204


def test_reopen_of_the_open_card_changes_nothing(server, sid):
    before = server.entries(sid)
    assert server.post(f"sessions/{sid}/steps/start/reopen").status_code in (303, 409)
    assert server.state(sid)["open"] == "start"
    assert server.entries(sid) == before


def test_undo_and_redo(server, sid):
    assert server.post(f"sessions/{sid}/undo").status_code == 409
    assert server.post(f"sessions/{sid}/redo").status_code == 409
    server.next(sid, "start", {"depth": "2", "kind": "star"})
    before = server.state(sid)
    assert server.post(f"sessions/{sid}/undo").status_code == 303
    state = server.state(sid)
    assert (state["open"], state["values"]) == ("start", {})
    assert server.did(sid, "undid")[0]["entries"]
    assert "You undid the change of Depth, Kind." in server.page(f"sessions/{sid}").find(id="chat-log").text
    assert server.post(f"sessions/{sid}/redo", headers=HTMX).status_code == 204
    state = server.state(sid)
    assert {key: state[key] for key in STATE - {"n"}} == {key: before[key] for key in STATE - {"n"}}
    assert server.post(f"sessions/{sid}/redo").status_code == 409


def test_undo_of_one_entry(server, sid):
    (written,) = server.tell(
        sid, Fact("model", "set", {"step": "start", "values": {"depth": 7}, "turn": "t1"})
    )
    server.next(sid, "start", {"depth": "7", "kind": "star"})
    assert server.post(f"sessions/{sid}/undo", {"entry": str(written.n)}).status_code == 303
    assert "depth" not in server.state(sid)["values"]
    for entry in (str(written.n), "1", "999999", "x"):
        assert server.post(f"sessions/{sid}/undo", {"entry": entry}).status_code in (303, 409)
    assert server.get(f"sessions/{sid}").status_code == 200


def test_help_is_given_once_for_each_opening(server, sid):
    page = server.page(f"sessions/{sid}")
    assert page.select_one("#trigger")["hx-post"] == f"sessions/{sid}/steps/start/help"
    statuses = at_once(*[lambda: server.post(f"sessions/{sid}/steps/start/help").status_code] * 5)
    assert statuses == [303] * 5
    assert server.post(f"sessions/{sid}/steps/start/help", headers=HTMX).status_code == 204
    (helped,) = server.did(sid, "helped")
    assert helped["step"] == "start"
    assert helped["text"].startswith("How deep?")
    page = server.page(f"sessions/{sid}")
    assert not page.select_one("#trigger").has_attr("hx-post")
    assert page.select_one(f".message[data-n='{helped.n}'] strong").text == "twenty"
    server.post(f"sessions/{sid}/steps/finish/help")  # it is not open
    assert len(server.did(sid, "helped")) == 1
    server.next(sid, "start", {"depth": "2"})
    server.post(f"sessions/{sid}/steps/start/reopen")
    for _ in range(2):
        server.post(f"sessions/{sid}/steps/start/help")
    assert [e["step"] for e in server.did(sid, "helped")] == ["start", "start"]


# --- record, export, fork, lists -----------------------------------------------------------------------


def test_exports(server, ran):
    log = server.get(f"sessions/{ran}/export/log.jsonl")
    assert log.content == (server.folder(ran) / "log.jsonl").read_bytes()
    parameters = server.get(f"sessions/{ran}/export/parameters.json").json()
    assert parameters == {"depth": 2, "kind": "star", "names": ["name 1"], "reason": None}
    table = server.get(f"sessions/{ran}/export/parameters.csv").text
    assert table.splitlines()[0] == "name,value,by"
    assert "# Small one" in server.get(f"sessions/{ran}/export/conversation.md").text
    for format in EXPORTS:
        answer = server.get(f"sessions/{ran}/export/{format}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "sandbox"
    for format in ("secrets.json", "..%2fsecrets.json", "log", "LOG.JSONL"):
        assert server.get(f"sessions/{ran}/export/{format}").status_code == 404


def test_a_fork_is_a_session_of_its_own(server, ran):
    at = next(e.n for e in server.entries(ran) if e.did == "opened" and e["step"] == "finish")
    answer = server.post(f"sessions/{ran}/fork", {"at": str(at)})
    assert answer.status_code == 303
    made = answer.headers["location"].rsplit("/", 1)[1]
    assert made != ran
    first = server.entries(made)[0]
    assert first["forked_from"] == {"session": ran, "n": at}
    assert [e.did for e in server.entries(made)] == [e.did for e in server.entries(ran)[:at]]
    before = server.entries(ran)
    server.next(made, "finish", {"names": "name 0"})
    assert server.state(made)["values"]["names"] == ["name 0"]
    assert server.entries(ran) == before
    for at in ("0", "99999", "x", "-1"):
        assert server.post(f"sessions/{ran}/fork", {"at": at}).status_code == 404


def test_a_session_is_deleted(server, sid):
    answer = server.post(f"sessions/{sid}/delete")
    assert answer.status_code == 303
    assert not server.folder(sid).exists()
    assert server.get(f"sessions/{sid}").status_code == 404
    assert server.post(f"sessions/{sid}/delete").status_code == 404
    assert server.get("").status_code == 200


def test_name_pin_archive(server, sid):
    assert server.post(f"sessions/{sid}/name", {"name": "  Grüße\n <i> "}).status_code == 303
    assert server.did(sid, "named")[-1]["name"] == "Grüße <i>"
    assert "Grüße &lt;i&gt;" in server.get("").text
    assert server.post(f"sessions/{sid}/name", {"name": " "}).status_code == 422
    assert server.post(f"sessions/{sid}/pin").status_code == 303
    assert server.did(sid, "pinned")[-1]["on"] is True
    assert server.post(f"sessions/{sid}/pin", {"on": "false"}).status_code == 303
    assert server.did(sid, "pinned")[-1]["on"] is False
    assert server.post(f"sessions/{sid}/archive", headers=HTMX).status_code == 204
    assert f"sessions/{sid}" not in server.get("").text
    assert server.get(f"sessions/{sid}").status_code == 200


# --- methods, and what changes nothing -----------------------------------------------------------------


def test_addresses_that_change_something_are_posts(server, ran):
    steps = ("steps/start", "steps/start/reopen", "steps/start/help", "undo", "redo", "runs")
    chat = ("messages", "messages/stop", "messages/t1/again", "realign", "model", "answers/q1")
    for address in (*steps, *chat, "fork", "delete", "name", "pin", "archive"):
        assert server.get(f"sessions/{ran}/{address}").status_code in (404, 405), address
    assert server.get("sessions").status_code in (404, 405)


def test_no_get_changes_anything(server, ran):
    before = {p: p.stat().st_mtime_ns for p in server.folder(ran).rglob("*") if p.is_file()}
    files = [e["file"] for e in server.did(ran, "produced")]
    for address in (
        "",
        "?at=3",
        "/record",
        "/record?at=3",
        "/status",
        "/export/log.jsonl",
        f"/files/{files[0]}",
    ):
        assert server.get(f"sessions/{ran}{address}").status_code == 200
    assert {p: p.stat().st_mtime_ns for p in server.folder(ran).rglob("*") if p.is_file()} == before


def test_errors_are_sentences_in_the_form_that_was_asked_for(server):
    page = server.get("sessions/2026-11-21-small-0000")
    assert "There is no session" in soup(page).text
    assert "There is no session" in server.get("sessions/2026-11-21-small-0000", headers=JSON).json()["error"]
    fragment = server.post("sessions/2026-11-21-small-0000/undo", headers=HTMX)
    assert soup(fragment).select_one("hx-partial")["hx-target"] == "#toast"
    assert server.get("nothing/here").status_code == 404
    for answer in (page, fragment, server.get("nothing/here")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


async def failing(request):
    raise RuntimeError("what was typed")


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_what_should_not_have_failed_is_a_sentence_too(tmp_path, headers):
    app = make_app(Settings(make_workspace(tmp_path / "work")))
    app.app.app.router.routes.insert(0, Route("/fails", failing))

    async def ask():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/fails", headers=headers)

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert "Something failed here" in answer.text
    assert "what was typed" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_body_over_the_limit_of_uploads_is_413_before_it_is_read(server, sid):
    host, port = httpx.URL(server.address).host, httpx.URL(server.address).port
    with socket.create_connection((host, port), 30) as connection:
        head = [f"POST /sessions/{sid}/steps/start HTTP/1.1", f"Host: {host}:{port}",
                f"Content-Length: {2**40}", "Content-Type: multipart/form-data; boundary=x",
                "Connection: close", "", "--x"]  # fmt: skip
        connection.sendall("\r\n".join(head).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_no_form_is_an_answer(server, sid):
    bodies = [
        ("multipart/form-data; boundary=x", b"nothing of the kind"), ("multipart/form-data", b"--x"),
        ("application/x-www-form-urlencoded; charset=nothing", b"depth=%ff%fe"),
        ("application/json", b'{"depth": 3}'),
        ("application/x-www-form-urlencoded", b"\xff\xfe&&&=%%%"), ("text/plain", b"x"),
    ]  # fmt: skip
    for kind, body in bodies:
        for address in ("steps/start", "messages"):
            answer = server.client.post(
                f"sessions/{sid}/{address}", content=body, headers={"Content-Type": kind}
            )
            assert 400 <= answer.status_code < 500, (kind, address, answer.status_code)
    assert server.state(sid)["open"] == "start"


def test_the_program_said_nothing_bad_all_along(server):
    assert "Traceback" not in server.errors()
    assert " failed with " not in server.errors()

"""The addresses: what each answers, on the real server."""

import asyncio
import csv
import io
import json
import resource
import shutil
import socket
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest
from samples import BROKEN, SMALL, complete
from serving import HTMX, JSON, make_workspace, serving, soup
from starlette.routing import Route

from assistant.log import Fact, Log, encode, read
from assistant.settings import Settings
from assistant.web.app import make_app

EXPORTS = ("log.jsonl", "conversation.md", "parameters.json", "parameters.csv")
STATE = {"session", "workflow", "n", "open", "steps", "values", "origins", "run"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(
        make_workspace(tmp_path_factory.mktemp("web") / "work", small=SMALL, broken=BROKEN)
    ) as server:
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


def tell(server, sid, *facts: Fact):
    """Append as another program does."""
    log = Log(server.folder(sid))
    try:
        return log.append(lambda _: facts)
    finally:
        log.close()


def at_once(*calls):
    """Call all at the same moment; what they return."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


# --- the first page, and sessions ------------------------------------------------------------------------


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
        "session": sid, "workflow": "small", "n": 0, "open": "start", "values": {}, "origins": {}, "run": None,
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


# --- cards -----------------------------------------------------------------------------------------------


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
    assert server.post(f"sessions/{sid}/redo", headers=HTMX).status_code == 204
    state = server.state(sid)
    assert {key: state[key] for key in STATE - {"n"}} == {key: before[key] for key in STATE - {"n"}}
    assert server.post(f"sessions/{sid}/redo").status_code == 409


def test_undo_of_one_entry(server, sid):
    (written,) = tell(
        server, sid, Fact("model", "set", {"step": "start", "values": {"depth": 7}, "turn": "t1"})
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


# --- runs, files, tables ---------------------------------------------------------------------------------


def test_a_run_needs_all_cards(server, sid):
    answer = server.post(f"sessions/{sid}/runs")
    assert answer.status_code == 409
    assert soup(answer).select_one("#card-start")["data-state"] == "open"
    assert server.did(sid, "started") == []


def test_a_run_and_its_results(server, ran):
    dids = [e.did for e in server.entries(ran) if e.did in ("started", "produced", "finished")]
    assert dids == ["started", "produced", "produced", "produced", "produced", "finished"]
    kinds = {e["kind"]: e for e in server.did(ran, "produced")}
    assert set(kinds) == {"table", "note", "graph", "file"}
    assert kinds["table"]["rows"] == 50
    page = server.page(f"sessions/{ran}")
    results = page.select_one("#results")
    assert "1 to 20 of 50 rows" in results.text
    assert results.select_one(".result-note h1").text.startswith("Done")
    assert not page.select("#results script")
    assert page.select_one("#runs [data-state=finished]")
    assert page.select_one("#runs form")["action"] == f"sessions/{ran}/runs"


def test_a_run_that_is_under_way_is_shown_and_cancelled(server, sid):
    complete(server, sid, 3)
    assert server.post(f"sessions/{sid}/runs", headers=HTMX).status_code == 204
    run = server.state(sid)["run"]
    assert run["state"] == "running"
    page = server.page(f"sessions/{sid}")
    assert page.select_one("#runs form")["action"] == f"sessions/{sid}/runs/{run['run']}/cancel"
    assert page.select_one("noscript meta[http-equiv=refresh]")
    assert server.get(f"sessions/{sid}/status").json() == {"answering": False, "running": True}
    assert server.post(f"sessions/{sid}/runs").status_code == 409
    assert server.post(f"sessions/{sid}/delete").status_code == 409
    assert server.post(f"sessions/{sid}/runs/r000000/cancel").status_code == 404
    assert server.post(f"sessions/{sid}/runs/{run['run']}/cancel").status_code == 303
    assert server.state(sid)["run"]["state"] == "cancelled"
    assert server.post(f"sessions/{sid}/runs/{run['run']}/cancel").status_code == 303
    assert len(server.did(sid, "cancelled")) == 1
    assert "http-equiv" not in str(server.page(f"sessions/{sid}"))


def test_a_run_that_fails_says_why(server, sid):
    complete(server, sid, 4)
    run = server.run(sid)
    assert run["state"] == "failed"
    assert "Four fails." in run["reason"]
    page = server.page(f"sessions/{sid}")
    assert "Four fails." in page.select_one("#runs").text
    assert page.select_one("#runs form")["action"] == f"sessions/{sid}/runs"


def test_two_starts_at_once_are_one_run(server, sid):
    complete(server, sid, 3)
    answers = at_once(*[lambda: server.post(f"sessions/{sid}/runs").status_code] * 3)
    assert sorted(answers) == [303, 409, 409]
    assert len(server.did(sid, "started")) == 1
    server.post(f"sessions/{sid}/runs/{server.state(sid)['run']['run']}/cancel")


def test_files_are_sent_to_be_kept_never_to_be_shown(server, ran):
    for produced in server.did(ran, "produced"):
        answer = server.get(f"sessions/{ran}/files/{quote(produced['file'])}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "html" not in answer.headers["content-type"]
        assert answer.content == (server.folder(ran) / "files" / produced["file"]).read_bytes()
    page = server.page(f"sessions/{ran}")
    for link in page.select("#results a[download]"):
        assert server.get(link["href"]).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["nothing.csv", "..%2flog.jsonl", "..%2Fsecrets.json", "%2e%2e%2flog.jsonl", "..%5clog.jsonl", "log.jsonl",
     "%2e%2e", "%00", "a%00.csv", "..%252flog.jsonl", "%2fetc%2fpasswd", "x" * 3_000, "run.lock"],
)  # fmt: skip
def test_files_that_the_log_does_not_name(server, ran, name):
    (server.folder(ran) / "files" / "stray.txt").write_text("not named in the log")
    for kind in ("files", "tables"):
        with httpx.Client() as client:  # the address as it is
            answer = client.request("GET", f"{server.address}sessions/{ran}/{kind}/{name}")
        assert answer.status_code in (404, 405), name
        assert "not named" not in answer.text
        assert '"crc"' not in answer.text
    assert server.get(f"sessions/{ran}/files/stray.txt").status_code == 404


def test_a_file_that_became_a_link_is_not_followed(server):
    sid = complete(server, server.begin("small"))
    server.run(sid)
    file = server.did(sid, "produced")[0]["file"]
    path = server.folder(sid) / "files" / file
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert server.get(f"sessions/{sid}/files/{file}").status_code == 404
    path.unlink()
    assert server.get(f"sessions/{sid}/files/{file}").status_code == 404
    assert server.get(f"sessions/{sid}").status_code == 200


def table_of(answer) -> list[list[str]]:
    return [[cell.text for cell in row.select("td")] for row in soup(answer).select("tbody tr")]


def test_tables_are_sorted_and_turned(server, ran):
    file = next(e["file"] for e in server.did(ran, "produced") if e["kind"] == "table")
    address = f"sessions/{ran}/tables/{file}"
    first = table_of(server.get(address))
    assert [row[0] for row in first] == [f"w{n:02}" for n in range(20)]
    assert [row[0] for row in table_of(server.get(f"{address}?offset=40"))] == [
        f"w{n:02}" for n in range(40, 50)
    ]
    sizes = [int(row[1]) for row in table_of(server.get(f"{address}?sort=size"))]
    assert sizes == list(range(20))
    sizes = [int(row[1]) for row in table_of(server.get(f"{address}?sort=size&descending=1&offset=20"))]
    assert sizes == list(range(29, 9, -1))
    text = server.get(f"{address}?text=1")
    assert text.headers["content-type"].startswith("text/plain")
    lines = text.text.split("\n")
    assert lines[0].split("\t") == ["word", "size", "share"]
    assert len(lines) == 51
    whole, part = soup(server.get(address)), soup(server.get(address, headers=HTMX))
    assert whole.find("html") is not None
    assert part.find("html") is None
    assert part.select_one("article")["id"] == whole.select_one("article.table-result")["id"]
    for query in (
        "?sort=nothing",
        "?offset=999999",
        "?offset=-1",
        "?offset=x",
        "?offset=²",
        f"?offset={'9' * 5_000}",
        "?descending=7",
    ):
        assert server.get(f"{address}{query}").status_code in (200, 404), query
    rows = list(
        csv.DictReader(io.StringIO(server.get(f"sessions/{ran}/files/{file}").content.decode("utf-8-sig")))
    )
    assert len(rows) == 50


# --- the chat --------------------------------------------------------------------------------------------


def replied(server, sid, count=1):
    """Wait until the guide has said so much."""
    server.wait(sid, lambda s: sum(e.by != "user" for e in s.did(sid, "said")) >= count)


def test_a_message_is_in_the_log_and_answered(server, sid):
    answer = server.post(f"sessions/{sid}/messages", {"text": "depth 7 <b>"})
    assert answer.status_code == 303
    said = server.did(sid, "said")[0]
    assert (said.by, said["text"]) == ("user", "depth 7 <b>")
    replied(server, sid)
    assert server.state(sid)["values"]["depth"] == 7
    assert server.state(sid)["origins"]["depth"] == "guide"
    page = server.page(f"sessions/{sid}")
    words = [m for m in page.select("#chat-log article.message[data-by=user]")]
    assert words[0].text.strip() == "depth 7 <b>"
    assert words[0]["data-n"] == str(said.n)
    assert page.select_one("#chat-log article.message[data-by=guide]")
    assert page.select_one("#field-depth [data-by=guide]")
    assert server.post(f"sessions/{sid}/messages", {"text": "why?"}, headers=HTMX).status_code == 204
    replied(server, sid, 2)


@pytest.mark.parametrize("text", ["", "  \n ", None])
def test_an_empty_message_is_refused(server, sid, text):
    assert (
        server.post(f"sessions/{sid}/messages", {"text": text} if text is not None else {}).status_code == 422
    )
    assert server.did(sid, "said") == []


def test_a_long_message_is_refused_or_kept_whole(server, sid):
    assert server.post(f"sessions/{sid}/messages", {"text": "x" * 500_000}).status_code == 422
    assert server.post(f"sessions/{sid}/messages", {"text": "x" * 1_200_000}).status_code == 413
    assert server.did(sid, "said") == []


def test_ask_again_and_stop(server, sid):
    server.post(f"sessions/{sid}/messages", {"text": "What can I choose?"})
    replied(server, sid)
    turn = server.did(sid, "said")[0]["turn"]
    assert server.post(f"sessions/{sid}/messages/{turn}/again").status_code == 303
    replied(server, sid, 2)
    assert server.did(sid, "said")[-1]["replaces"] == server.did(sid, "said")[1].n
    assert server.post(f"sessions/{sid}/messages/t000000/again").status_code == 404
    assert server.post(f"sessions/{sid}/messages/stop").status_code == 303


def test_the_model(server, sid):
    answer = server.get("models")
    assert answer.status_code == 200
    assert answer.json()["models"] == []
    assert answer.json()["problem"]
    assert server.post(f"sessions/{sid}/model", {"model": "guide"}).status_code == 303
    assert server.post(f"sessions/{sid}/model", {"model": "nothing:7b"}).status_code == 404
    assert server.post(f"sessions/{sid}/realign").status_code == 303
    assert server.did(sid, "realigned")


def test_a_proposal_is_answered_once(server, sid):
    proposal = {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}
    tell(server, sid, Fact("model", "proposed", proposal))
    page = server.page(f"sessions/{sid}")
    assert page.select_one("[name=depth]")["value"] == "8"
    assert "suggested" in page.select_one("#field-depth")["class"]
    assert server.state(sid)["values"] == {}
    assert server.post(f"sessions/{sid}/answers/p1", {"action": "perhaps"}).status_code == 422
    assert server.post(f"sessions/{sid}/answers/p9", {"action": "accept"}).status_code == 404
    answers = at_once(
        *[lambda: server.post(f"sessions/{sid}/answers/p1", {"action": "accept"}).status_code] * 3
    )
    assert sorted(answers) == [303, 409, 409]
    state = server.state(sid)
    assert (state["values"], state["origins"]) == ({"depth": 8}, {"depth": "user"})
    (answered,) = server.did(sid, "answered")
    assert (answered["id"], answered["action"]) == ("p1", "accept")


def test_a_proposal_is_declined(server, sid):
    tell(
        server,
        sid,
        Fact("model", "proposed", {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}),
    )
    assert server.post(f"sessions/{sid}/answers/p1", {"action": "decline"}, headers=HTMX).status_code == 204
    assert server.state(sid)["values"] == {}
    assert server.page(f"sessions/{sid}").select_one("[name=depth]")["value"] == ""


def test_a_question_is_answered(server, sid):
    tell(
        server,
        sid,
        Fact("model", "asked", {"id": "q1", "question": "Deep or flat?", "options": ["deep", "flat"]}),
    )
    page = server.page(f"sessions/{sid}")
    forms = page.select(f"form[action='sessions/{sid}/answers/q1']")
    assert [form.find("button").text for form in forms] == ["deep", "flat", "No"]
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "accept", "value": "flat"}).status_code == 303
    (answered,) = server.did(sid, "answered")
    assert (answered["action"], answered["value"]) == ("accept", "flat")
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "decline"}).status_code == 409
    replied(server, sid)


def test_a_question_about_running_starts_the_run(server, sid):
    complete(server, sid)
    tell(
        server,
        sid,
        Fact("guide", "asked", {"id": "q1", "question": "Run it?", "options": ["Yes"], "about": "run"}),
    )
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "accept", "value": "Yes"}).status_code == 303
    server.wait(sid, lambda s: bool(s.did(sid, "finished")))
    assert len(server.did(sid, "started")) == 1


# --- record, export, fork, lists -------------------------------------------------------------------------


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


# --- methods, and what changes nothing -------------------------------------------------------------------


def test_addresses_that_change_something_are_posts(server, ran):
    for address in ("steps/start", "steps/start/reopen", "steps/start/help", "undo", "redo", "messages", "runs", "fork",
                    "delete", "name", "pin", "archive", "realign", "model", "messages/stop", "answers/q1"):  # fmt: skip
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
        head = [f"POST /sessions/{sid}/steps/start HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {2**40}",
                "Content-Type: multipart/form-data; boundary=x", "Connection: close", "", "--x"]  # fmt: skip
        connection.sendall("\r\n".join(head).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_no_form_is_an_answer(server, sid):
    bodies = [
        ("multipart/form-data; boundary=x", b"nothing of the kind"), ("multipart/form-data", b"--x"),
        ("application/x-www-form-urlencoded; charset=nothing", b"depth=%ff%fe"), ("application/json", b'{"depth": 3}'),
        ("application/x-www-form-urlencoded", b"\xff\xfe&&&=%%%"), ("text/plain", b"x"),
    ]  # fmt: skip
    for kind, body in bodies:
        for address in ("steps/start", "messages"):
            answer = server.client.post(
                f"sessions/{sid}/{address}", content=body, headers={"Content-Type": kind}
            )
            assert 400 <= answer.status_code < 500, (kind, address, answer.status_code)
    assert server.state(sid)["open"] == "start"


# --- sessions in trouble ---------------------------------------------------------------------------------


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
    tell(server, sid, Fact("mcp", "sang", {"song": "la", "turn": "t9"}))
    assert server.get(f"sessions/{sid}").status_code == 200
    assert server.get(f"sessions/{sid}/record").status_code == 200
    server.next(sid, "start", {"depth": "2"})


def test_a_message_whose_program_died_can_be_asked_again(server, sid):
    tell(server, sid, Fact("user", "said", {"text": "depth 7", "turn": "t1"}))
    page = server.page(f"sessions/{sid}")
    assert page.select_one(f"form[action='sessions/{sid}/messages/t1/again']")
    assert server.post(f"sessions/{sid}/messages/t1/again").status_code == 303
    replied(server, sid)
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


def test_the_program_said_nothing_bad_all_along(server):
    assert "Traceback" not in server.errors()
    assert " failed with " not in server.errors()

"""Runs on the page: start, cancel, and the results as files and tables."""

import csv
import io
from urllib.parse import quote

import httpx
import pytest
from samples import SMALL, complete
from serving import HTMX, at_once, make_workspace, serving, soup


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("web") / "work", small=SMALL)) as server:
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
    assert results.select_one(".result-note :is(h2, h3, h4)").text.startswith("Done")
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
    ["nothing.csv", "..%2flog.jsonl", "..%2Fsecrets.json", "%2e%2e%2flog.jsonl", "..%5clog.jsonl",
     "log.jsonl",
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


def test_results_of_other_values_than_those_there_are_say_so(server):
    sid = complete(server, server.begin("small"))
    server.run(sid)
    assert not server.page(f"sessions/{sid}").select("#results [data-changed]")
    server.post(f"sessions/{sid}/steps/start/reopen")
    server.next(sid, "start", {"depth": "5", "kind": "star"})
    [line] = server.page(f"sessions/{sid}").select("#results [data-changed]")
    at = server.did(sid, "started")[0].at[11:16]
    differs = "Depth 2 levels → 5 levels, Names name 1 → none"
    told = f"These results are of the run at {at}, with other values: {differs}. Run again"
    assert line.text == told
    assert line.a["href"] == f"sessions/{sid}#runs"
    server.next(sid, "finish", {"names": "name 1"})
    assert "Names" not in server.page(f"sessions/{sid}").select_one("#results [data-changed]").text
    server.run(sid)
    assert not server.page(f"sessions/{sid}").select("#results [data-changed]")

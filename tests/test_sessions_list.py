"""The list of sessions: what it tells, how it is read, what is done in it; retention; delete with undo."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import Program, Tabs, until
from playwright.sync_api import Page, expect
from samples import SMALL, complete, soon
from serving import JSON, Server, Stream, make_workspace, serving, soup
from starlette.testclient import TestClient

from assistant.actions import begin
from assistant.actions import complete as next_card
from assistant.log import Fact
from assistant.log.lines import Entry, encode
from assistant.settings import Retention, Settings
from assistant.web.app import make_app
from assistant.web.routes import home
from assistant.web.views.base import size_text
from assistant.web.views.sessions import ago
from assistant.workspace import DISCARDED, Workspace
from assistant.workspace.listing import PAGE, RAIL, Wish, list_sessions, rail_of
from assistant.workspace.retention import due
from assistant.workspace.summaries import Summary, glance
from assistant.workspace.tidying import tidy
from assistant.workspace.trash import Trash

pytest_plugins = ["browser"]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOG = "log.jsonl"


def line(n: int = 1, /, **more: Any) -> Summary:
    """A session's line; number n was changed n days ago."""
    changed = f"{(NOW - timedelta(days=n)).isoformat(timespec='milliseconds')[:-6]}Z"
    known = Summary(
        f"2026-11-21-small-{n:04x}", "Small one", "small", f"name {n}", "step 1 of 3", changed, False, False
    )
    return replace(known, **{"stage": "steps", **more})


def put(workspace: Path, n: int, *lines: tuple[str, dict[str, Any]], days: float = 0) -> str:
    """A session's folder as another program may have left it, changed `days` ago; its id."""
    sid = f"2026-11-21-small-{n:04x}"
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")[:-6] + "Z"
    facts = [("began", {"workflow": "small", "title": "Small one", "format": 1, "source": "0"}), *lines]
    written = [encode(Entry(n, at, "user", did, fields)) for n, (did, fields) in enumerate(facts, 1)]
    folder = workspace / "conversations" / sid
    folder.mkdir(mode=0o700)
    (folder / LOG).write_bytes(b"".join(part + b"\n" for part in written))
    changed = time.time() - 86_400 * days
    os.utime(folder / LOG, (changed, changed))
    return sid


# --- what is listed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (Wish(), [3, 1, 2, 5]),
        (Wish(archived=True), [4]),
        (Wish(sort="size"), [5, 1, 2, 3]),
        (Wish(sort="name"), [5, 1, 2, 3]),
        (Wish(name="NAME 2"), [2]),
        (Wish(workflow="trip"), [2]),
        (Wish(state="finished"), [3, 5]),
        (Wish(state="running"), []),
        (Wish(page=9), [3, 1, 2, 5]),
    ],
)
def test_which_sessions_are_listed_and_in_which_order(wish: Wish, found: list[int]) -> None:
    sessions = [
        line(1, bytes=3),
        line(2, bytes=2, workflow="trip"),
        line(3, pinned=True, stage="finished"),
        line(4, archived=True),
        line(5, bytes=9, name="a first", stage="finished"),
    ]
    listing = list_sessions(sessions, wish)
    assert [int(summary.sid[-4:], 16) for summary in listing.rows] == found
    assert (listing.found, listing.current, listing.archived) == (len(found), 4, 1)


def test_what_was_not_read_is_counted() -> None:
    sessions = [line(n, whole=n > 2) for n in range(PAGE + 10)]
    asked = [Wish(), Wish(page=2), Wish(page=2, state="steps"), Wish(name="x"), Wish(sort="size")]
    assert [list_sessions(sessions, wish).unread for wish in asked] == [3, 0, 3, 3, 3]


def test_the_list_has_pages_of_fifty() -> None:
    sessions = [line(n) for n in range(120)]
    pages = [list_sessions(sessions, Wish(page=page)) for page in (1, 2, 3, 4)]
    assert [len(page.rows) for page in pages] == [PAGE, PAGE, 20, 20]
    assert [row for page in pages[:3] for row in page.rows] == sessions
    assert {page.pages for page in pages} == {3}


def test_beside_a_session_stand_the_pinned_the_newest_and_itself() -> None:
    sessions = [line(n, pinned=n in (90, 91), archived=n in (0, 91)) for n in range(100)]
    beside = rail_of(sessions, sessions[70].sid)
    assert [int(s.sid[-4:], 16) for s in beside] == [*range(1, RAIL + 1), 70, 90]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"), (59, "just now"), (60, "1 minute ago"), (3_599, "59 minutes ago"),
        (7_200, "2 hours ago"), (86_400, "yesterday"), (30 * 86_400, "30 days ago"),
        (31 * 86_400, "21 Oct 2026"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (9_960, "10 kB"), (141_000_000, "141 MB")],
)
def test_sizes_as_a_person_reads_them(count: int, text: str) -> None:
    assert size_text(count) == text


# --- how it is read -------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_glance_tells_what_the_whole_tells(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await next_card(handle, "start", {"country": "France"})
    (handle.folder / "prompts").mkdir()
    (handle.folder / "prompts" / "x").write_bytes(b"x" * 500)
    both = ("sid", "title", "workflow", "changed", "pinned", "archived", "bytes", "forked_from")

    def same() -> tuple[Summary, Summary]:
        found = glance(handle.folder)
        assert found and not found.whole
        (whole,) = Workspace(workspace.settings).summaries()
        assert [getattr(found, name) for name in both] == [getattr(whole, name) for name in both]
        return found, whole

    found, whole = same()
    assert (found.name, whole.name) == ("Plan a trip", "France")
    assert (
        whole.bytes == sum(path.stat().st_size for path in handle.folder.rglob("*") if path.is_file()) > 500
    )
    quoted = 'no "did":"pinned" here'
    for did, fields in [
        ("pinned", {"on": True}),
        ("named", {"name": "Mine"}),
        ("archived", {}),
        ("said", {"text": quoted, "turn": "t1"}),
        ("called", {"turn": "t1", "tool": "x", "arguments": {"did": "pinned", "on": False}, "result": {}}),
        ("pinned", {"on": False}),
        ("called", {"turn": "t2", "tool": "x", "arguments": {"did": "pinned"}, "result": {}}),
        ("archived", {"on": False}),
    ]:
        await handle.write(lambda _, did=did, fields=fields: [Fact("user", did, fields)])
        found, whole = same()
    assert found.name == whole.name == "Mine"
    made = workspace.fork(handle, 3)
    assert glance(made.folder).forked_from == handle.sid


def test_logs_that_are_no_sessions_or_damaged(tmp_path: Path) -> None:
    make_workspace(tmp_path / "work", small=SMALL)
    workspace = Workspace(Settings(tmp_path / "work"))
    torn, damaged = put(tmp_path / "work", 1), put(tmp_path / "work", 2)
    for sid, bytes in ((torn, b'{"n":1,"at"'), (damaged, b"{}\n{}\n")):
        (workspace.conversations / sid / LOG).write_bytes(bytes)
    assert [(s.sid, s.stage) for s in workspace.lists.glances()] == [(damaged, "damaged")]
    assert [(s.sid, s.stage) for s in workspace.summaries()] == [(damaged, "damaged")]


def test_reading_all_sessions_keeps_none_open(tmp_path: Path) -> None:
    make_workspace(tmp_path / "work", small=SMALL)
    for n in range(20):
        put(tmp_path / "work", n)
    workspace = Workspace(Settings(tmp_path / "work"))
    before = len(os.listdir("/proc/self/fd"))
    assert len(workspace.summaries()) == 20
    assert len(os.listdir("/proc/self/fd")) == before
    assert not workspace._handles


@pytest.mark.anyio
async def test_what_is_read_in_the_background_is_whole_then(tmp_path: Path) -> None:
    make_workspace(tmp_path / "work", small=SMALL)
    sids = [put(tmp_path / "work", n, ("pinned", {})) for n in range(5)]
    lists = Workspace(Settings(tmp_path / "work")).lists
    assert {(s.whole, s.pinned) for s in lists.glances()} == {(False, True)}
    await lists.read(sids[3:], 30)
    assert {s.sid for s in lists.glances() if s.whole} >= set(sids[3:])
    await lists.read([*sids, "2026-11-21-small-ffff"], 30)
    assert all(s.whole for s in lists.glances())
    os.truncate(tmp_path / "work" / "conversations" / sids[0] / LOG, 0)
    assert [s.sid for s in lists.glances() if not s.whole] == []
    assert sids[0] not in [s.sid for s in lists.glances()]
    await lists.close()


def test_a_changed_workflow_changes_the_list(tmp_path: Path) -> None:
    file = make_workspace(tmp_path / "work", small=SMALL) / "workflows" / "small.py"
    put(tmp_path / "work", 1)
    workspace = Workspace(Settings(tmp_path / "work"))
    assert workspace.summaries()[0].steps_total == 3
    file.write_text(SMALL.replace("@flow.step(when=lambda depth: depth > 5)\n", ""))
    assert workspace.summaries()[0].steps_total == 2
    file.unlink()
    assert workspace.summaries()[0].stage == "gone"


# --- retention ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        (Retention(), []),
        (Retention(days=10), [50, 40, 20]),
        (Retention(days=20), [50, 40]),
        (Retention(megabytes=3), [50, 40]),
        (Retention(megabytes=0.1), [50, 40, 20, 5]),
        (Retention(days=45, megabytes=3), [50, 40]),
        (Retention(megabytes=6), []),
    ],
)
def test_which_sessions_go_by_a_rule(rule: Retention, gone: list[int]) -> None:
    sessions = [line(n, bytes=1_000_000) for n in (1, 5, 20, 40, 50)]
    found = due([*sessions, line(60, bytes=0, pinned=True)], rule, NOW)
    assert [int(one.summary.sid[-4:], 16) for one in found] == gone
    assert len(found) == len({one.summary.sid for one in found})


def test_what_never_goes() -> None:
    rule = Retention(days=1, megabytes=0.000_001)
    kept = [line(90, pinned=True), line(91, stage="running"), line(92, stage="damaged"), line(80)]
    assert due(kept, rule, NOW) == []
    assert [one.why for one in due([line(3), line(120)], rule, NOW)] == ["not changed for 120 days"]
    odd = replace(line(1), changed="soon")
    assert [one.summary for one in due([odd, line(3)], Retention(megabytes=0.1), NOW)] == []


@pytest.mark.anyio
async def test_the_dry_run_is_what_is_done(tmp_path: Path) -> None:
    make_workspace(tmp_path / "work", small=SMALL)
    old = [put(tmp_path / "work", n, days=100 + n) for n in range(3)]
    kept = [put(tmp_path / "work", 8, ("pinned", {}), days=200), put(tmp_path / "work", 9, days=1)]
    rule = Retention(days=90)
    told = []
    with TestClient(make_app(Settings(tmp_path / "work")), base_url="http://127.0.0.1:5001") as client:
        page = soup(client.get("/retention?days=90"))
        told = [a["href"].removeprefix("sessions/") for a in page.select("ul.sessions a")]
        assert "days = 90" in page.select_one("pre").text
        assert "No rule is set" in soup(client.get("/retention")).text
        for wrong in ("-1", "nan", "inf", "x"):
            assert not soup(client.get(f"/retention?days={wrong}")).select("ul.sessions")
    workspace = Workspace(Settings(tmp_path / "work", retention=rule))
    assert sorted(os.listdir(workspace.conversations)) == sorted([*old, *kept])
    removed = await tidy(workspace, rule, datetime.now(UTC))
    assert [one.summary.sid for one in removed] == told == old[::-1]
    assert sorted(os.listdir(workspace.conversations)) == sorted(kept)
    assert await tidy(workspace, Retention(), datetime.now(UTC)) == []


def test_the_rule_is_applied_as_the_program_starts(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "work", small=SMALL)
    old, new = put(work, 1, days=100), put(work, 2)
    (work / "settings.toml").write_text("[retention]\ndays = 90\n")
    with serving(work) as server:
        soon(lambda: not server.folder(old).exists())
        assert server.folder(new).exists()
        soon(lambda: f"Retention removed the session {old}: not changed for 100 days" in server.errors())


# --- delete with undo -----------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Makes the application in this process, with a workspace and settings of the test's own."""
    make_workspace(tmp_path / "work", small=SMALL)
    made: list[TestClient] = []

    def make(**settings: Any) -> TestClient:
        app = make_app(Settings(tmp_path / "work", ollama_host="http://127.0.0.1:9", **settings))
        made.append(TestClient(app, base_url="http://127.0.0.1:5001", follow_redirects=False))
        made[-1].__enter__()
        return made[-1]

    yield make
    for each in made:
        each.__exit__(None, None, None)


def folders(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "work" / "conversations"))


def test_a_deleted_session_is_out_of_sight_and_comes_back(tmp_path: Path, client: Any) -> None:
    web = client(undo_seconds=600)
    sid, other = put(tmp_path / "work", 1, ("named", {"name": "<Mine>"})), put(tmp_path / "work", 2)
    before = (tmp_path / "work" / "conversations" / sid / LOG).read_bytes()
    web.get(f"/sessions/{sid}")
    answer = web.post(f"/sessions/{sid}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert folders(tmp_path) == [f"{DISCARDED}{sid}", other]
    page = soup(web.get("/"))
    assert "Deleted “<Mine>”." in page.select_one(".deleted").text
    assert not page.select(f"a[href='sessions/{sid}']")
    gone = web.get(f"/sessions/{sid}")
    assert gone.status_code == 404
    assert soup(gone).select_one("form.deleted")["action"] == f"sessions/{sid}/undelete"
    for address in ("events", "record", "status"):
        assert web.get(f"/sessions/{sid}/{address}").status_code == 404
    assert web.post(f"/sessions/{sid}/delete").status_code == 404
    answer = web.post(f"/sessions/{sid}/undelete")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{sid}")
    assert (tmp_path / "work" / "conversations" / sid / LOG).read_bytes()[: len(before)] == before
    assert web.get(f"/sessions/{sid}").status_code == 200
    assert not soup(web.get("/")).select(".deleted")
    assert web.post(f"/sessions/{sid}/undelete").status_code == 404


def test_a_deleted_session_is_removed_when_its_time_is_over(tmp_path: Path, client: Any) -> None:
    web = client(undo_seconds=0.05)
    sid = put(tmp_path / "work", 1)
    files = tmp_path / "work" / "conversations" / sid / "files"
    files.mkdir()
    (files / "a.csv").write_text("a")
    assert web.post(f"/sessions/{sid}/delete").status_code == 303
    soon(lambda: folders(tmp_path) == [])
    answer = web.post(f"/sessions/{sid}/undelete")
    assert answer.status_code == 404
    assert "deleted for good" in answer.text
    assert not soup(web.get("/")).select(".deleted")


def test_a_program_that_is_stopped_removes_what_was_deleted(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "work", small=SMALL)
    sid = put(work, 1)
    with serving(work) as server:
        server.post(f"sessions/{sid}/delete")
        assert folders(tmp_path) == [".served", f"{DISCARDED}{sid}"] or f"{DISCARDED}{sid}" in folders(
            tmp_path
        )
        server.end()
    assert not [name for name in folders(tmp_path) if "small" in name]


def test_a_program_that_was_killed_leaves_it_to_the_next(tmp_path: Path, client: Any) -> None:
    work = make_workspace(tmp_path / "other", small=SMALL)
    fresh, old = put(work, 1, ("named", {"name": "Mine"})), put(work, 2)
    with serving(work) as server:
        for sid in (fresh, old):
            server.post(f"sessions/{sid}/delete")
        server.end(signal.SIGKILL)
    long_ago = time.time() - 3_600
    os.utime(work / "conversations" / f"{DISCARDED}{old}", (long_ago, long_ago))
    (work / "conversations" / f"{DISCARDED}not-ours").mkdir()
    os.utime(work / "conversations" / f"{DISCARDED}{fresh}")
    app = make_app(Settings(work, ollama_host="http://127.0.0.1:9", undo_seconds=600))
    with TestClient(app, base_url="http://127.0.0.1:5001") as web:
        soon(lambda: not (work / "conversations" / f"{DISCARDED}{old}").exists())
        assert "Deleted “Mine”." in soup(web.get("/")).text
        assert web.post(f"/sessions/{fresh}/undelete", follow_redirects=False).status_code == 303
        assert (work / "conversations" / fresh / LOG).is_file()
    assert (work / "conversations" / f"{DISCARDED}not-ours").is_dir()


@pytest.mark.anyio
async def test_undo_never_overwrites_another_session(tmp_path: Path) -> None:
    make_workspace(tmp_path / "work", small=SMALL)
    workspace = Workspace(Settings(tmp_path / "work"))
    sid = put(tmp_path / "work", 1)
    trash = Trash(workspace, 600)
    trash.throw(sid, "one")
    put(tmp_path / "work", 1, ("named", {"name": "another"}))
    with pytest.raises(Exception, match="Nothing was written"):
        trash.take_back(sid)
    assert workspace.summaries()[0].name == "another"
    await trash.close()
    assert folders(tmp_path) == [sid]


def test_a_session_with_a_run_under_way_is_not_deleted(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "work", small=SMALL)
    with serving(work) as server:
        running, idle = complete(server, server.begin("small"), depth=3), put(work, 1)
        assert server.post(f"sessions/{running}/runs").status_code == 303
        answer = server.post(f"sessions/{running}/delete")
        assert answer.status_code == 409
        assert "under way" in answer.text
        answer = server.post(
            "sessions/bulk", {"sid": [running, idle, "2026-11-21-small-ffff"], "action": "delete"}
        )
        assert answer.status_code == 409
        assert "Done with 1 of 3 sessions." in answer.text
        assert "under way" in answer.text and "no session" in answer.text
        assert server.folder(running).is_dir() and not server.folder(idle).exists()


# --- the list on the page -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with 120 sessions, of which number 0 was changed last."""
    work = make_workspace(tmp_path_factory.mktemp("many") / "work", small=SMALL)
    for n in range(120):
        put(
            work, n, *([("pinned", {})] if n == 100 else []), *([("archived", {})] if n > 115 else []), days=n
        )
    with serving(work) as server:
        yield server


def rows(page: Any) -> list[str]:
    return [tick["value"] for tick in page.select("ul.sessions input[name=sid]")]


def test_the_list_in_pages(many: Server) -> None:
    first = many.page("")
    assert rows(first)[:3] == [f"2026-11-21-small-{n:04x}" for n in (100, 0, 1)]
    assert "116 sessions" in first.select_one(".list-head").text
    found, page = [], first
    while True:
        found += rows(page)
        if (after := page.select_one("a[rel=next]")) is None:
            break
        page = many.page(after["href"].removeprefix("."))
    assert sorted(found) == [f"2026-11-21-small-{n:04x}" for n in range(116)]
    archived = many.page("?archived=1")
    assert rows(archived) == [f"2026-11-21-small-{n:04x}" for n in range(116, 120)]
    assert "Archived (4)" in first.select_one(".list-head").text


def test_a_rows_parts(many: Server) -> None:
    row = many.page("?page=3").select("ul.sessions li")[0]
    assert row.select_one("progress")["max"] == "3"
    assert row.select_one(".state").text == "step 1 of 3"
    when = row.select_one("time")
    assert re.fullmatch(r"\d+ days ago|\d+ \w+ 2026", when.text)
    assert datetime.fromisoformat(when["datetime"]).tzinfo is not None
    assert row.select_one(".size").text.endswith("B")


def test_what_stands_around_the_list(many: Server) -> None:
    page = many.page("")
    tile = page.select_one("[data-workflow=small]")
    assert [a["href"] for a in tile.select("a")] == ["workflows/small", "compose?workflow=small"]
    sent = page.select_one("form[action=import]")
    assert (sent["method"], sent["enctype"]) == ("post", "multipart/form-data")
    assert sent.select_one("input[type=file][name=file]")["accept"] == ".zip,.jsonl"
    beside = many.page(f"sessions/{many.begin('small')}").select("#rail li")
    assert len(beside) == RAIL + 1  # and one that is pinned
    assert many.page("retention").select("input[name=days]")


def test_a_page_does_not_wait_until_all_is_read(tmp_path: Path, client: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(home, "WAIT", 0.0)
    web = client()
    for n in range(PAGE):
        put(tmp_path / "work", n, *[("noted", {"about": 1, "text": "x"})] * 200)
    page = soup(web.get("/"))
    assert "still being read" in page.text
    assert page.select("meta[http-equiv=refresh]")
    soon(lambda: not soup(web.get("/")).select("meta[http-equiv=refresh]"))
    assert "step 1 of 3" in soup(web.get("/?state=steps")).select_one("ul.sessions").text


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99999999999", "sort=<", "state=no", "name=%00", "archived=2"]
)
def test_what_a_list_can_not_be_asked_for(many: Server, query: str) -> None:
    assert many.get(f"?{query}").status_code == 200


def test_filter_by_name_and_state(many: Server) -> None:
    sid = "2026-11-21-small-0032"
    assert (
        many.post(f"sessions/{sid}/name", {"name": "Grüße <i>an</i> alle"}).headers["location"]
        == f"/sessions/{sid}"
    )
    found = many.page("?name=grüße")
    assert rows(found) == [sid]
    assert "Grüße <i>an</i> alle" in found.select_one("ul.sessions .name").text
    assert rows(many.page("?name=nothing")) == []
    assert len(rows(many.page("?state=steps"))) == PAGE
    assert rows(many.page("?state=finished")) == []
    assert rows(many.page("?workflow=none")) == []


def test_a_form_of_the_list_leads_back_to_it(many: Server) -> None:
    back = "page=2&sort=size&evil=https://example.org/"
    sid = "2026-11-21-small-0005"
    for what, form in (("name", {"name": "Five"}), ("pin", {"on": "false"}), ("archive", {"on": "false"})):
        answer = many.post(f"sessions/{sid}/{what}", {"back": back, **form})
        assert (answer.status_code, answer.headers["location"]) == (303, "/?sort=size&page=2#sessions")
    answer = many.post("sessions/bulk", {"sid": sid, "action": "unpin", "back": "//example.org"})
    assert answer.headers["location"] == "/#sessions"


@pytest.mark.parametrize(
    "form", [{}, {"action": "archive"}, {"action": "burn", "sid": "2026-11-21-small-0001"}]
)
def test_bulk_forms_that_are_refused(many: Server, form: dict[str, str]) -> None:
    assert many.post("sessions/bulk", form).status_code == 422


def test_several_at_once(many: Server) -> None:
    sids = [f"2026-11-21-small-{n:04x}" for n in (60, 61, 62)]
    for action, did, on in (
        ("archive", "archived", True), ("unarchive", "archived", False),
        ("pin", "pinned", True), ("unpin", "pinned", False),
    ):  # fmt: skip
        assert many.post("sessions/bulk", {"sid": sids, "action": action}).status_code == 303
        assert [many.did(sid, did)[-1]["on"] for sid in sids] == [on] * 3


def test_an_open_page_is_told_that_its_session_is_deleted(many: Server) -> None:
    sid = many.begin("small")
    with Stream(many, sid, after=many.state(sid)["n"]) as stream:
        many.post(f"sessions/{sid}/delete")
        assert stream.ended()
    assert many.get(f"sessions/{sid}", headers=JSON).status_code == 404


# --- in the browser -------------------------------------------------------------------------------------


def row(page: Page, name: str) -> Any:
    return page.locator("ul.sessions li").filter(has_text=name)


@pytest.fixture
def listed(program: Callable[..., Program]) -> Program:
    """A program with three named sessions."""
    running = program()
    for name in ("Autumn", "Winter", "Spring"):
        sid = running.begin("trip")
        running.post(f"sessions/{sid}/name", {"name": name})
    return running


def test_delete_and_undo_in_the_browser(listed: Program, tab: Tabs) -> None:
    page = tab(listed.address)
    row(page, "Winter").hover()
    row(page, "Winter").get_by_role("button", name="Delete").click()
    expect(page.locator(".deleted")).to_contain_text("Deleted “Winter”.")
    expect(row(page, "Winter")).to_have_count(0)
    page.locator(".deleted button").click()
    expect(row(page, "Winter")).to_have_count(1)
    expect(page.locator(".deleted")).to_have_count(0)


def test_a_session_that_is_deleted_while_it_is_open(listed: Program, tab: Tabs) -> None:
    tab.expect(r"status of 404")
    page = tab(listed.address)
    row(page, "Winter").get_by_role("link").first.click()
    sid = listed.sid_of(page)
    until(page, "!!document.querySelector('#stream')._htmx?.sse?.lastEventId")
    listed.post(f"sessions/{sid}/delete")
    expect(page.locator("form.deleted")).to_contain_text("“Winter” was deleted.")
    page.locator("form.deleted button").click()
    expect(page.locator("#cards")).to_be_visible()
    assert listed.folder(sid).is_dir()


def test_tick_all_and_archive(listed: Program, tab: Tabs) -> None:
    page = tab(listed.address)
    expect(page.locator(".bulk button").first).to_be_hidden()
    page.locator("#tick-all").check()
    page.locator(".bulk").get_by_role("button", name="Archive").click()
    expect(page.locator("ul.sessions li")).to_have_count(0)
    page.get_by_role("link", name="Archived (3)").click()
    expect(page.locator("ul.sessions li")).to_have_count(3)


def test_rename_in_the_list_and_on_the_sessions_page(listed: Program, tab: Tabs) -> None:
    page = tab(listed.address)
    row(page, "Autumn").hover()
    row(page, "Autumn").get_by_text("Rename").click()
    row(page, "Autumn").get_by_label("Name", exact=True).fill("Fall")
    page.keyboard.press("Enter")
    expect(row(page, "Fall")).to_have_count(1)
    row(page, "Fall").get_by_role("link").first.click()
    page.get_by_text("Session", exact=True).click()
    page.locator(".session-menu [name=name]").fill("Indian summer")
    page.keyboard.press("Enter")
    expect(page.locator("#where")).to_contain_text("Indian summer")
    expect(page.locator("#rail [aria-current]")).to_contain_text("Indian summer")


def test_the_list_without_scripts(listed: Program, tabs: Callable[..., Tabs]) -> None:
    page = tabs(java_script_enabled=False)(listed.address)
    page.locator(".tick").nth(0).check()
    page.locator(".tick").nth(1).check()
    page.locator(".bulk").get_by_role("button", name="Delete").click()
    expect(page.locator(".deleted")).to_contain_text("Deleted 2 sessions.")
    expect(page.locator("ul.sessions li")).to_have_count(1)
    page.locator(".deleted button").click()
    expect(page.locator("ul.sessions li")).to_have_count(3)

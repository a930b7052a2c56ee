"""Queries over a run's tables: what a SELECT finds, and that nothing else is possible. Also by a model."""

import json
import math
import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import Refused
from assistant.log import Entry, Fact
from assistant.queries import LOGGED, ROWS, TableFile, as_result, query, tables_of
from assistant.results.tables import write_table
from assistant.session import fold
from assistant.web.views.messages import is_shown
from assistant.web.views.queries import query_view
from tests.double import call, say
from tests.room import CRAWL, Room, did, double_fixture, room_fixture, tool_results

PAGES = [
    {
        "url": f"/{n}",
        "title": title,
        "depth": depth,
        "status": status,
        "in_degree": into,
        "out_degree": out,
        "pagerank": rank,
        "component": 1,
        "section": section,
        "live": status == 200,
        "seen": date(2026, 1, n + 1),
    }
    for n, (title, depth, status, into, out, rank, section) in enumerate(
        [
            ("Home", 0, 200, 3, 2, 0.5, "library"),
            ("=1+1", 1, 200, 1, 1, 0.25, "library"),
            ("'quoted'", 1, 404, 1, 0, 0.125, "tutorial"),
            (None, 2, 200, 0, 3, math.inf, None),
        ]
    )
]
LINKS = [("/0", "/1"), ("/0", "/2"), ("/1", "/0"), ("/3", "/0"), ("/3", "/0"), ("/3", "/1")]


def kept(folder: Path) -> list[dict[str, Any]]:
    """The `produced` fields of the two tables, whose files are in the folder."""
    links = [{"source": source, "target": target} for source, target in LINKS]
    return [
        {"run": "r1", "name": name, "kind": "table", **write_table(name, rows, folder)}
        for name, rows in (("pages", PAGES), ("links", links))
    ]


def entries(produced: list[dict[str, Any]], *ends: str) -> list[Entry]:
    facts = [("started", {"run": "r1"}), *(("produced", fields) for fields in produced)]
    facts += [(end, {"run": "r1"}) for end in ends]
    return [Entry(n, "", "app", word, fields) for n, (word, fields) in enumerate(facts, 1)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableFile]:
    folder = tmp_path_factory.mktemp("files")
    return tables_of(fold(entries(kept(folder), "finished")), folder)


def reason(tables: dict[str, TableFile], sql: str, **bounds: Any) -> str:
    with pytest.raises(Refused) as refused:
        query(tables, sql, **bounds)
    assert str(refused.value) == refused.value.reason
    return refused.value.reason


@pytest.mark.parametrize(
    "sql, rows",
    [
        ("SELECT count(*) FROM pages", [(4,)]),
        ("SELECT url FROM pages ORDER BY in_degree DESC LIMIT 1", [("/0",)]),
        ("SELECT title FROM pages WHERE url = '/1'", [("=1+1",)]),  # no escape is left
        ("SELECT title FROM pages WHERE url = '/2'", [("'quoted'",)]),
        ("SELECT title, section FROM pages WHERE title IS NULL", [(None, None)]),
        ("SELECT depth, pagerank, live, seen FROM pages LIMIT 1", [(0, 0.5, True, "2026-01-01")]),
        ("SELECT pagerank FROM pages WHERE url = '/3'", [("inf",)]),
        ("SELECT count(*) FROM pages WHERE live", [(3,)]),
        ("SELECT count(*) FROM pages WHERE live = true AND seen > '2026-01-01'", [(2,)]),
        ("SELECT avg(depth), sum(live) FROM pages", [(1.0, 3)]),
        (
            "SELECT url, count(*) FROM pages JOIN links ON target = url GROUP BY 1 ORDER BY 2 DESC, 1",
            [("/0", 3), ("/1", 2), ("/2", 1)],
        ),
        ("WITH a AS (SELECT depth FROM pages) SELECT count(*) FROM a", [(4,)]),
        ("SELECT row_number() OVER (ORDER BY url) FROM pages LIMIT 1", [(1,)]),
        (
            "WITH RECURSIVE r(u) AS (SELECT '/3' UNION SELECT target FROM links, r WHERE source = u) "
            "SELECT count(*) FROM r",
            [(4,)],
        ),
        ("/* DROP TABLE pages; */ SELECT 1; -- ATTACH", [(1,)]),
        ("VALUES (x'00ff')", [("x'00ff'",)]),
        ("SELECT url FROM pages WHERE url LIKE '%2'", [("/2",)]),
    ],
)
def test_a_select_finds_what_the_run_wrote(tables, sql, rows):
    answer = query(tables, sql)
    assert list(answer.rows) == rows
    assert [list(map(type, row)) for row in answer.rows] == [list(map(type, row)) for row in rows]
    assert not answer.truncated
    json.dumps(as_result(answer), allow_nan=False)


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH 'x.db' AS x",
        "DETACH main",
        "PRAGMA table_info(pages)",
        "PRAGMA query_only = OFF",
        "SELECT * FROM pragma_table_info('pages')",
        "SELECT count(*) FROM pragma_database_list",
        "INSERT INTO pages (url) VALUES ('x')",
        "REPLACE INTO pages (url) VALUES ('x')",
        "UPDATE pages SET url = 'x'",
        "DELETE FROM pages",
        "WITH a AS (SELECT 1) DELETE FROM pages",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x AS SELECT * FROM pages",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE z USING fts5(a)",
        "CREATE TRIGGER t AFTER INSERT ON pages BEGIN SELECT 1; END",
        "DROP TABLE pages",
        "ALTER TABLE pages RENAME TO x",
        "VACUUM",
        "VACUUM INTO 'x.db'",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT x",
        "REINDEX",
        "ANALYZE",
        "-- only a comment",
    ],
)
def test_nothing_but_a_select_is_run(tables, sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Only one SELECT is allowed" in reason(tables, sql)
    assert list(tmp_path.iterdir()) == []
    assert query(tables, "SELECT count(*), max(url) FROM pages").rows == ((4, "/3"),)


@pytest.mark.parametrize(
    "name, sql",
    [
        ("load_extension", "SELECT load_extension('x')"),
        ("randomblob", "SELECT randomblob(1000000000)"),
        ("zeroblob", "SELECT zeroblob(1000000000)"),
        ("printf", "SELECT printf('%1000000000d', 1)"),
        ("sqlite_version", "SELECT sqlite_version()"),
        ("hex", "SELECT hex(url) FROM pages"),
    ],
)
def test_a_function_that_is_not_known_to_be_harmless_is_denied_by_its_name(tables, name, sql):
    told = reason(tables, sql)
    assert f"The function {name} is not allowed" in told
    assert "group_concat" in told


@pytest.mark.parametrize(
    "sql, parts",
    [
        ("SELECT 1; SELECT 2", ["one statement"]),
        ("SELECT 1; DROP TABLE pages", ["one statement"]),
        ("", ["empty"]),
        (" ; ", ["empty"]),
        ("SELECT " + "1," * 6_000 + "1", ["10,000"]),
        ("SELECT nope FROM pages", ["no column nope", "in_degree int", "links (source text, target text)"]),
        ("SELECT * FROM nope", ["no table nope", "pages (url text"]),
        ("SELECT * FROM sqlite_master", ["no table sqlite_master"]),
        ("SELECT url FROM", ["SQLite can not run it", "pages (url text"]),
        ("SELECT :x", ["bind"]),
        ("SELECT 'a\0b'", ["no text"]),
        ("SELECT '\ud800'", ["no text"]),
        ("SELECT readfile('/etc/passwd')", ["no such function"]),
    ],
)
def test_why_there_is_no_answer_is_said_with_what_there_is(tables, sql, parts):
    told = reason(tables, sql)
    assert all(part in told for part in parts), told


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c",
        "SELECT count(*) FROM " + ", ".join(f"links a{n}" for n in range(16)),
        "SELECT a.url FROM pages a, " + ", ".join(f"links a{n}" for n in range(9)) + " ORDER BY a0.source",
    ],
)
def test_a_query_without_an_end_is_stopped(tables, sql):
    told = reason(tables, sql, seconds=0.1)
    assert "stopped after 0.1 s" in told or "too much memory" in told


def test_a_text_that_grows_and_grows_has_a_bound(tables):
    sql = "WITH RECURSIVE c(x) AS (SELECT 'ab' UNION ALL SELECT x || x FROM c) SELECT max(length(x)) FROM c"
    assert "200,000 bytes" in reason(tables, sql)


def test_rows_and_cells_have_bounds(tmp_path):
    rows = [{"n": n, "text": "x" * 20_000} for n in range(ROWS + 1)]
    written = write_table("Long one", rows, tmp_path)
    tables = {"Long one": TableFile(tmp_path / written["file"], written["columns"], written["rows"])}
    answer = query(tables, 'SELECT * FROM "Long one"')
    assert (len(answer.rows), answer.truncated) == (ROWS, True)
    assert (len(answer.rows[0][1]), answer.rows[0][1][-1]) == (500, "…")
    result = as_result(answer)
    assert (result["count"], result["more"], len(result["rows"])) == (ROWS, True, LOGGED)
    exact = as_result(query(tables, f'SELECT n FROM "Long one" WHERE n < {ROWS}'))
    assert (exact["count"], exact.get("more")) == (ROWS, None)


def test_a_wide_answer_names_its_bound_and_the_log_keeps_only_what_fits(tmp_path):
    rows = [{f"c{n}": "\x01" * 600 for n in range(60)} for _ in range(3)]
    written = write_table("wide", rows, tmp_path)
    tables = {"wide": TableFile(tmp_path / written["file"], written["columns"], 3)}
    assert "at most 50 columns" in reason(tables, "SELECT * FROM wide")
    columns = ", ".join(f"c{n}" for n in range(40))
    result = as_result(query(tables, f"SELECT {columns} FROM wide"))
    assert (result["count"], len(result["rows"])) == (3, 1)
    assert len(json.dumps(result)) < 2**18


def test_names_that_sql_would_take_for_one_or_for_its_own_are_told_apart(tmp_path):
    produced = [
        {"run": "r1", "kind": "table", **write_table(f"t{n}", [{"Page": n, "page": 7, 'a"b': 8}], tmp_path)}
        for n in range(3)
    ]
    for fields, name in zip(produced, ["Pages", "pages", "sqlite_x"], strict=True):
        fields["name"] = name
    tables = tables_of(fold(entries(produced, "finished")), tmp_path)
    assert list(tables) == ["Pages", "pages_2", "t_sqlite_x"]
    assert query(tables, 'SELECT page, page_2, "a""b" FROM pages_2').rows == ((1, 7, 8),)
    assert query(tables, "SELECT page FROM t_sqlite_x").rows == ((2,),)


def test_numbers_that_sqlite_can_not_hold_and_days_with_a_time(tmp_path):
    rows = [{"n": 10**400, "m": 2**70, "at": datetime(2026, 1, 2, 3, 4)}, {"n": 1, "m": -1, "at": None}]
    written = write_table("t", rows, tmp_path)
    tables = {"t": TableFile(tmp_path / written["file"], written["columns"], 2)}
    first, second = query(tables, "SELECT m, at, n FROM t").rows
    assert first == (2.0**70, "2026-01-02T03:04:00", "inf")
    assert second == (-1, None, 1)


def test_only_a_run_that_finished_can_be_asked(tmp_path):
    produced = kept(tmp_path)
    assert list(tables_of(fold(entries(produced, "finished")))) == ["pages", "links"]
    for ends in ((), ("failed",), ("cancelled",)):
        assert tables_of(fold(entries(produced, *ends))) == {}
    assert tables_of(fold([])) == {}
    odd = [
        produced[0] | {"file": "../pages.csv"},
        produced[0] | {"columns": None},
        {"run": "r1", "name": "x"},
    ]
    assert tables_of(fold(entries(odd, "finished"))) == {}


def test_a_table_that_is_gone_or_too_large_is_said(tmp_path):
    table = TableFile(tmp_path / "gone.csv", {"a": "int"}, 1)
    assert "can not be read" in reason({"gone": table}, "SELECT a FROM gone")
    large = TableFile(tmp_path / "gone.csv", {"a": "int"}, 2_000_000)
    assert "2,000,000 rows" in reason({"large": large}, "SELECT a FROM large")
    assert query({"gone": table}, "SELECT 1").rows == ((1,),)  # it is not read where it is not named
    (tmp_path / "gone.csv").write_text("a\r\nx\r\n")
    assert "not the table" in reason({"gone": table}, "SELECT a FROM gone")


def test_random_bytes_as_a_query_are_answered_or_refused(tables):
    dice = random.Random(7)
    words = "SELECT FROM pages WHERE url ( ) , ' \" ; -- /* * 1 count = JOIN WITH AS UNION x ORDER BY".split()
    found = 0
    for _ in range(400):
        sql = " ".join(dice.choices(words, k=dice.randrange(2, 9)))
        try:
            query(tables, sql, seconds=0.2)
            found += 1
        except Refused as error:
            assert error.reason
    assert found < 400


# --- by a model --------------------------------------------------------------------------------------

FLOW = (
    CRAWL
    + '''


@flow.step
def start(depth: Annotated[int, Ask("Depth", ge=1, le=5)]):
    """How deep?"""


@flow.run
def crawl(depth):
    yield
'''
)


double = double_fixture()
room = room_fixture(FLOW)


async def finish(room: Room) -> None:
    room.handle.files.mkdir(exist_ok=True)
    produced = [Fact("workflow", "produced", fields) for fields in kept(room.handle.files)]
    run = {"run": "r1"}
    ends = [Fact("user", "started", run), *produced, Fact("app", "finished", run)]
    await room.handle.write(lambda _: ends)


def offered(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {tool["function"]["name"]: tool["function"] for tool in request["tools"]}


@pytest.mark.anyio
async def test_a_model_asks_the_results_and_gets_the_rows(room: Room) -> None:
    room.script(say("Nothing ran yet."))
    await room.say("which page has the highest pagerank?")
    assert "query_results" not in offered(room.requests[0])
    await finish(room)
    sql = "SELECT url, in_degree FROM pages ORDER BY in_degree DESC LIMIT 1"
    room.script(call("query_results", sql=sql), say("It is /0, with 3."))
    made = await room.say("which page is linked most?")
    assert did(made) == ["called", "said"]
    tool = offered(room.requests[1])["query_results"]
    assert "pages (url text, title text, depth int" in tool["description"]
    assert tool["parameters"]["required"] == ["sql"]
    result = {"columns": ["url", "in_degree"], "count": 1, "rows": [["/0", 3]]}
    assert made[0].fields == {
        "turn": made[0]["turn"], "tool": "query_results", "arguments": {"sql": sql}, "result": result,
    }  # fmt: skip
    assert tool_results(room.requests[2]) == [result]
    shown = [entry for entry in room.handle.session().chat if is_shown(entry)]
    assert shown[-2].n == made[0].n


@pytest.mark.anyio
async def test_a_query_that_fails_goes_back_with_what_there_is(room: Room) -> None:
    await finish(room)
    room.script(
        call("query_results", sql="SELECT rank FROM pages"),
        call("query_results", sql="DROP TABLE pages"),
        call("query_results"),
        say("I could not find out."),
    )
    made = await room.say("what is the rank?")
    errors = [entry["result"]["error"] for entry in made if entry.did == "called"]
    assert "no column rank" in errors[0]
    assert "pagerank float" in errors[0]
    assert "Only one SELECT" in errors[1]
    assert errors[2] == "sql is missing."
    assert made[-1]["text"] == "I could not find out."


@pytest.mark.anyio
async def test_a_query_changes_nothing_so_that_a_claimed_change_is_still_noticed(room: Room) -> None:
    await finish(room)
    room.script(call("query_results", sql="SELECT count(*) FROM pages"), say("I have set depth to 4."))
    made = await room.say("how many pages?")
    assert any("Nothing was changed" in str(entry.get("text")) for entry in made)


@pytest.mark.anyio
async def test_the_guide_asks_by_itself_and_shows_query_and_table(room: Room) -> None:
    await room.model("guide")
    await finish(room)
    made = await room.say("how many pages are orphans?")
    assert did(made) == ["called", "said"]
    assert made[0]["result"]["rows"] == [[1]]
    assert "pages: **1**" in made[1]["text"]
    assert 'WHERE "in_degree" = 0\n```' in made[1]["text"]
    assert not is_shown(made[0])  # it stands in the words
    made = await room.say("the 2 largest by in_degree")
    lines = made[-1]["text"].split("\n")
    assert lines[:4] == [
        "| url | title | in\\_degree |",
        "|---|---|---|",
        "| /0 | Home | 3 |",
        "| /1 | =1+1 | 1 |",
    ]
    assert room.values == {}
    made = await room.say("which page has the highest betweenness?")
    assert did(made) == ["said"]
    assert "pagerank float" in made[0]["text"]


# --- in the chat -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, parts",
    [
        (
            {
                "arguments": {"sql": "SELECT '<b>'"},
                "result": {"columns": ["<i>"], "count": 1, "rows": [["<b>"]]},
            },
            ["<code>SELECT '&lt;b&gt;'</code>", "&lt;i&gt;", "<td>&lt;b&gt;</td>", ": 1 row<"],
        ),
        (
            {
                "arguments": {"sql": "x"},
                "result": {"columns": ["a"], "count": 200, "more": True, "rows": [[True], [1.23456], [None]]},
            },
            ["3 of more than 200 rows", "yes", "1.235", "<td></td>"],
        ),
        (
            {"arguments": {"sql": "x"}, "result": {"error": "No <such> table"}},
            ["No &lt;such&gt; table", "no answer"],
        ),
        ({"arguments": {"cut": "SELECT"}, "result": {"rows": 7}}, ["SELECT"]),
        ({"arguments": None, "result": None}, ["Query"]),
        ({}, ["Query"]),
    ],
)
def test_the_chat_shows_a_query_folded_whatever_is_in_the_entry(fields, parts):
    entry = Entry(1, "", "model", "called", {"tool": "query_results", **fields})
    assert is_shown(entry)
    markup = str(query_view(entry).__html__())
    assert markup.startswith("<details")
    assert all(part in markup for part in parts), markup


def test_other_calls_are_not_shown_in_the_chat():
    assert not is_shown(Entry(1, "", "model", "called", {"tool": "set_values"}))

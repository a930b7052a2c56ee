"""Comparing two sessions: values, results, words, and where they first differ."""

import io
import json

import pytest
from browsing import TRIP as SMALL_TRIP
from browsing import card, fill, follows, is_open, next_, run_state
from samples import SMALL, complete
from serving import JSON, make_workspace, serving
from test_again import counted, planned, rewrite

from assistant import actions
from assistant.again import again
from assistant.compare import Side, align, common_beginning, compare, compare_values
from assistant.compare.differences import KEYS, ROWS, SHOWN, compare_results, compare_tables
from assistant.files import keep_upload
from assistant.log import Entry, Fact
from assistant.parameters import MISSING
from assistant.results import Download, Graph, Note, Table, save
from assistant.results.graphs import graph_json
from assistant.results.tables import read_table

pytest_plugins = ["browser"]


def side(handle, at=None):
    session = handle.session(at)
    return Side(handle.sid, handle.sid, session, handle.log.entries[:at], handle.files, handle.workflow(), at)


def both(a, b):
    return compare(side(a), side(b))


def by_name(comparison):
    return {value.name: value for value in comparison.values}


# --- values --------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_values_who_set_them_and_what_is_missing(workspace):
    a = await planned(workspace, "France", 9, "Lyon")
    b = await planned(workspace, "Italy", 3, "Rome")
    await actions.reopen(b, "ticket")
    await actions.fill(b, {"window": True}, "guide", "t2")
    found = by_name(both(a, b))
    assert list(found) == ["country", "days", "town", "nights", "stars", "name", "key", "window", "address"]
    assert (found["country"].a, found["country"].b, found["country"].same) == ("France", "Italy", False)
    assert found["name"].same is True and found["key"].same is True
    assert (found["window"].by_a, found["window"].by_b) == ("default", "guide")
    assert (found["nights"].a, found["nights"].b) == (5, 2)
    assert (found["address"].by_a, found["address"].same) == ("workflow", False)
    empty = by_name(both(a, await actions.begin(workspace, "trip")))
    assert empty["country"].b is MISSING and empty["country"].same is False


@pytest.mark.anyio
async def test_whether_two_secrets_are_equal_is_not_told(workspace):
    a, b = await planned(workspace, key="hunter2hunter2"), await planned(workspace, key="hunter2hunter2")
    assert by_name(both(a, b))["key"].same is None
    assert by_name(both(a, await planned(workspace)))["key"].same is False  # one has none
    for handle in (a, b):
        values = {"name": {"redacted": True}}
        await handle.write(lambda _, v=values: [Fact("user", "set", {"step": "ticket", "values": v})])
    assert by_name(both(a, b))["name"].same is None


@pytest.mark.anyio
async def test_files_are_the_same_by_their_content(workspace):
    a, b = await counted(workspace), await counted(workspace)
    assert by_name(both(a, b))["text"].same is True
    other = await counted(workspace, b"something else")
    assert by_name(both(a, other))["text"].same is False
    # and under another name
    fields = keep_upload(b.files, "copy.txt", io.BytesIO(b"one two two three three three"))
    await b.write(lambda _: [Fact("user", "added", fields)])
    await actions.reopen(b, "source")
    await actions.complete(b, "source", {"text": {"file": "copy.txt"}})
    assert by_name(both(a, b))["text"].same is True


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        ([1, 2], [1, 2], True),
        ([1, 2], [2, 1], False),
        ({"x": [1]}, {"x": [1]}, True),
        ("2026-01-01", "2026-01-01", True),
        ("0.10", "0.1", False),
        ({"secret": True}, None, False),
    ],
)
def test_values_of_each_kind(a, b, same):
    from assistant.session import fold

    sides = [
        Side(
            sid,
            sid,
            fold([Entry(1, "", "user", "set", {"step": "s", "values": {"v": value}})]),
            [],
            None,
        )
        for sid, value in (("a", a), ("b", b))
    ]
    assert compare_values(*sides)[0].same is same


# --- where they part -----------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_fork_shares_its_beginning_and_parts_at_the_first_deed(workspace):
    a = await planned(workspace)
    n = next(e.n for e in a.log.entries if e.did == "advanced" and e["step"] == "hotel")
    b = workspace.fork(a, n)
    await actions.open_due(b)
    assert (both(a, b).common, both(a, b).first.b) == (n + 1 if a.log.entries[n].did == "set" else n, None)
    await actions.complete(b, "ticket", {"name": "Bob"})
    found = both(a, b)
    assert found.common >= n
    assert found.first.kind == "entry"
    assert found.first.a["values"]["name"] == "Ann" and found.first.b["values"]["name"] == "Bob"
    c = workspace.fork(a, n)  # of a common ancestor
    await actions.open_due(c)
    await actions.complete(c, "ticket", {"name": "Bob"})
    assert both(b, c).first.kind == "none" and both(b, c).common >= n


@pytest.mark.anyio
async def test_lines_are_compared_by_content_and_not_by_number(workspace):
    a, b = await planned(workspace), await planned(workspace)
    assert len(a.log.entries) == len(b.log.entries)
    assert both(a, b).common == 0 and both(a, b).first.kind == "none"


@pytest.mark.anyio
async def test_then_and_now(workspace):
    a = await planned(workspace)
    n = a.session().n
    await actions.reopen(a, "ticket")
    await actions.complete(a, "ticket", {"name": "Bob"})
    found = compare(side(a, n), side(a))
    assert found.common == n and found.first.a is None and found.first.b["step"] == "ticket"
    assert [v.name for v in found.values if v.same is False] == ["name"]


@pytest.mark.anyio
async def test_the_first_difference_of_strangers_is_a_value_then_a_result_then_words(workspace):
    a, b = await planned(workspace), await planned(workspace, town="Paris")
    assert (both(a, b).first.kind, both(a, b).first.name) == ("value", "town")
    b = await planned(workspace)
    words = [Fact("user", "said", {"text": "hello", "turn": "t9"})]
    await b.write(lambda _: words)
    assert both(a, b).first.kind == "words" and both(a, b).first.b["text"] == "hello"


@pytest.mark.anyio
async def test_other_workflows_and_changed_files(workspace):
    a, b = await planned(workspace), await counted(workspace)
    found = both(a, b)
    assert not found.same_workflow and not found.file_changed
    assert {v.name for v in found.values} >= {"country", "text"}
    c = await planned(workspace)
    assert not both(a, c).file_changed
    rewrite(workspace, "trip", "Where to?", "Where?")
    assert both(a, await planned(workspace)).file_changed
    assert both(a, await again(a)).file_changed


def entries(*texts):
    return [
        Entry(n, "", by, "said", {"text": text, "turn": "t"}) for n, (by, text) in enumerate(texts, 1)
    ]  # fmt: skip


def test_messages_are_aligned():
    a = entries(("user", "hi"), ("guide", "hello"), ("user", "depth 3"), ("guide", "set"))
    b = entries(("user", "hi"), ("guide", "hello"), ("user", "depth 2"), ("guide", "set"), ("user", "next"))
    blocks = align(a, b)
    assert [(x.same, len(x.a), len(x.b)) for x in blocks] == [
        (True, 2, 2), (False, 1, 1), (True, 1, 1), (False, 0, 1)
    ]  # fmt: skip
    # who says it counts
    assert not align(entries(("user", "x")), entries(("guide", "x")))[0].same


def test_a_common_beginning_ends_where_a_byte_of_it_differs():
    began = Entry(1, "t1", "user", "began", {"workflow": "w"})
    fork = Entry(1, "t1", "user", "began", {"workflow": "w", "forked_from": {"session": "a", "n": 2}})
    line, later = Entry(2, "t2", "user", "advanced", {"step": "s"}), Entry(2, "t3", "user", "advanced", {})
    assert common_beginning([began, line], [fork, line]) == 2
    assert common_beginning([began, line], [fork, later]) == 1
    assert common_beginning([], [began]) == 0


# --- results -------------------------------------------------------------------------------------------


def test_rows_are_matched_by_a_first_column_that_is_a_key():
    a = [("x", 1, "r"), ("y", 2, "g"), ("z", 3, "b")]
    b = [("z", 3, "b"), ("x", 1, "R"), ("w", 9, "k")]
    found = compare_tables(["id", "n", "c"], a, ["id", "n", "c"], b)
    assert found.key == "id" and (found.only_a, found.only_b) == (1, 1)
    assert found.keys_a == ("y",) and found.keys_b == ("w",)
    assert [(c.row, c.column, c.a, c.b) for c in found.cells] == [("x", "c", "r", "R")]
    assert compare_tables(["id", "n"], [("x", 1), ("y", 2)], ["id", "n"], [("y", 2), ("x", 1)]).same


def test_rows_without_a_key_are_matched_by_position():
    found = compare_tables(["w", "n"], [("x", 1), ("x", 2)], ["w", "n"], [("x", 1), ("x", 3), ("y", 4)])
    assert found.key is None and found.changed == 1 and found.only_b == 1
    assert (found.cells[0].row, found.cells[0].a, found.cells[0].b) == (2, 2, 3)
    empty = compare_tables(["w"], [(None,), ("x",)], ["w"], [(None,), ("y",)])
    assert empty.key is None and empty.changed == 1


def test_columns_that_one_lacks_and_columns_in_another_order():
    found = compare_tables(["id", "x", "y"], [(1, 2, 3)], ["id", "y", "z"], [(1, 2, 3)])
    assert (found.added, found.removed) == (("z",), ("x",))
    assert [(c.column, c.a, c.b) for c in found.cells] == [("y", 3, 2)]
    swapped = compare_tables(["id", "x", "y"], [(1, 2, 3)], ["id", "y", "x"], [(1, 3, 2)])
    assert swapped.same


def test_changed_cells_are_counted_and_the_first_shown():
    a, b = [(n, n) for n in range(300)], [(n, -n) for n in range(1, 400)]
    found = compare_tables(["id", "v"], a, ["id", "v"], b)
    assert found.changed == 299 and len(found.cells) == SHOWN
    assert (found.only_a, found.only_b) == (1, 100) and len(found.keys_b) == KEYS


def produced(folder, *results):
    return [save(result, folder) for result in results], folder


def test_files_graphs_and_notes_by_their_content(tmp_path):
    path = tmp_path / "made.bin"
    path.write_bytes(b"123")
    links = Graph("links", [{"id": "a"}], [("a", "b")])
    a = produced(tmp_path / "a", Note("one"), Note("two"), Download(path), links, Table("t", [{"x": 1}]))
    path.write_bytes(b"1234")
    links = Graph("links", [{"id": "a"}], [("a", "b"), ("b", "c")])
    b = produced(tmp_path / "b", Note("one"), Note("2"), Download(path), links, Graph("more", [], []))
    one, two, file, graph, table, more = compare_results(a, b)
    assert (one.same, two.same) == (True, False)
    assert file.same is False and ("bytes", 3, 4) in file.facts
    assert graph.same is False and {("nodes", 2, 3), ("edges", 1, 2)} <= set(graph.facts)
    assert (table.in_a, table.in_b, table.same) == (True, False, False)
    assert (more.in_a, more.in_b) == (False, True)
    assert graph_json("x", [], [], None, None)["nodes"] == []


def test_what_can_not_be_read_is_said(tmp_path):
    a, b = produced(tmp_path / "a", Table("t", [{"x": 1}])), produced(tmp_path / "b", Table("t", [{"x": 1}]))
    (tmp_path / "b" / "t.csv").write_text("x\nnot a number\n")
    assert compare_results(a, b)[0].same is None and "t.csv, line 2" in compare_results(a, b)[0].trouble
    (tmp_path / "b" / "t.csv").unlink()
    assert "is not there" in compare_results(a, b)[0].trouble
    (tmp_path / "secrets.json").write_text("x\n1\n")
    b[0][0]["file"] = "../secrets.json"
    assert "is not there" in compare_results(a, b)[0].trouble


def test_long_tables_are_compared_as_far_as_the_bound(tmp_path):
    rows = [{"id": n, "v": n} for n in range(ROWS + 5)]
    a = produced(tmp_path / "a", Table("t", rows))
    rows[3]["v"], rows[ROWS]["v"] = -1, -1
    b = produced(tmp_path / "b", Table("t", rows))
    table = compare_results(a, b)[0].table
    assert (table.read, table.changed) == (ROWS, 1)
    assert len(read_table(tmp_path / "a" / "t.csv", a[0][0]["columns"], 7)) == 7


# --- the pages -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    other = SMALL.replace('Workflow("Small one"', 'Workflow("Other one"')
    with serving(make_workspace(tmp_path_factory.mktemp("compare") / "work", small=SMALL, other=other)) as it:
        yield it


@pytest.fixture(scope="module")
def ran(server):
    sid = complete(server, server.begin("small"))
    server.run(sid)
    return sid


def made(answer):
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]


def text(element):
    return " ".join(element.get_text(" ").split())


def test_run_again_with_changes_and_compare(server, ran):
    page = server.page(f"sessions/{ran}")
    form = page.select_one("#runs form.run-again")
    assert form["action"] == f"sessions/{ran}/again" and "Run again with changes" in text(form)
    sid = made(server.post(f"sessions/{ran}/again"))
    state = server.state(sid)
    assert state["open"] is None and set(state["steps"].values()) == {"done", "skipped"}
    head = server.page(f"sessions/{sid}").select_one("#head .lineage")
    assert "Made from the values of" in text(head) and head.select_one(f"a[href='sessions/{ran}']")
    assert head.select_one("a[href^=compare]")["href"] == f"compare?a={ran}&b={sid}"
    assert sid in str(server.page(f"sessions/{ran}").select_one("#head .lineage"))
    tag = server.page(f"sessions/{sid}").select_one("#card-start .by")
    assert tag["data-by"] == "user" and tag["title"].startswith("from ")
    server.post(f"sessions/{sid}/steps/start/reopen")
    assert (
        server.page(f"sessions/{sid}")
        .select_one("#field-depth .origin a")["href"]
        .startswith(f"sessions/{ran}/record?at=")
    )
    server.next(sid, "start", {"depth": "5", "kind": "star"})
    server.next(sid, "finish", {"names": "name 1"})
    server.run(sid)
    page = server.page(f"compare?a={ran}&b={sid}")
    first = text(page.select_one("#first-difference"))
    assert "was made from the values of A" in first
    assert "The first value that differs is “Depth”: 2 levels in A, 5 levels in B." in first
    rows = page.select("#compare-values > .scroll tr.differs")
    assert [row["data-name"] for row in rows] == ["depth", "double"]
    assert "first difference" in text(rows[0]) and "differs" in text(rows[1])
    assert "3 equal values" in text(page.select_one("#compare-values details summary"))
    assert "4 equal results" in text(page.select_one("#compare-results details summary"))
    assert "A: finished" in text(page.select_one("#compare-results"))


def test_changed_cells_on_the_page(server):
    sids = [complete(server, server.begin(stem)) for stem in ("small", "other")]
    for sid in sids:
        server.run(sid)
    path = server.folder(sids[1]) / "files" / "numbers.csv"
    path.write_text(path.read_text().replace("w03,21,", "w03,22,").replace("w04,", "w99,"))
    page = server.page(f"compare?a={sids[0]}&b={sids[1]}")
    assert "The workflows differ" in text(page.select_one("#first-difference"))
    assert "the result “numbers” differs" in text(page.select_one("#first-difference"))
    article = page.select_one("[data-result=numbers]")
    assert "first difference" in text(article) and "rows 50" in text(article)
    assert "1 row only in A: w04" in text(article) and "1 row only in B: w99" in text(article)
    assert [text(td) for td in article.select("tbody tr > *")] == ["w03", "size", "21", "22"]


def test_a_fork_on_both_pages_and_then_and_now(server, ran):
    n = server.did(ran, "advanced")[0].n
    sid = made(server.post(f"sessions/{ran}/fork", {"at": str(n)}))
    head = server.page(f"sessions/{sid}").select_one("#head .lineage")
    assert f"at entry {n}" in text(head)
    assert head.select_one(f"a[href='sessions/{ran}/record?at={n}#c{n}']")
    assert "orked into" in text(server.page(f"sessions/{ran}").select_one("#head .lineage"))
    server.next(sid, "finish", {"names": "name 0"})
    page = server.page(f"compare?a={ran}&b={sid}")
    told = text(page.select_one("#first-difference"))
    assert f"B was forked from A at entry {n}: the same up to entry" in told
    assert "They part at entr" in told and "“Names” is name 1 in A, name 0 in B" in told
    then = server.page(f"compare?a={ran}@{n}&b={ran}")
    assert "Both are one session" in text(then.select_one("#first-difference"))
    assert f"entry {n}" in text(then.select_one(".side"))
    assert then.select_one(f"select[name=a] option[value='{ran}@{n}'][selected]")


def test_words_side_by_side(server):
    sids = [server.begin("small") for _ in range(2)]
    for sid, words in zip(sids, ("<b>one</b>", "two"), strict=True):
        server.tell(sid, Fact("user", "said", {"text": "hello", "turn": "t1"}))
        server.tell(sid, Fact("guide", "said", {"text": "hello, too", "turn": "t1", "model": "guide"}))
        server.tell(sid, Fact("user", "said", {"text": words, "turn": "t2"}))
        server.tell(sid, Fact("guide", "said", {"text": "yes", "turn": "t2", "model": "guide"}))
    page = server.page(f"compare?a={sids[0]}&b={sids[1]}")
    assert [text(each) for each in page.select("#compare-words summary")] == [
        "2 equal messages", "1 equal message"
    ]  # fmt: skip
    pair = page.select_one("#compare-words .pair")
    assert "<b>one</b>" in text(pair) and "two" in text(pair) and pair.find("b") is None
    assert "first difference" in text(pair)


def test_pickers_have_the_same_workflow_first(server, ran):
    page = server.page(f"compare?a={ran}")
    groups = page.select("select[name=b] optgroup")
    assert groups[0]["label"] == "Same workflow"
    assert {server.state(o["value"])["workflow"] for o in groups[0].select("option")} == {"small"}
    assert page.select_one(f"select[name=a] option[value='{ran}'][selected]")
    assert server.page("compare").select_one("form[action=compare]")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("compare?a=2026-01-01-small-0000&b=x", "no session"),
        ("compare?a=../../etc&b=x", "no session"),
        ("compare?a={sid}@0&b={sid}", "no entry 0"),
        ("compare?a={sid}@99999&b={sid}", "no entry 99999"),
        ("compare?a={sid}@x&b={sid}", "no entry x"),
        ("compose?workflow=nothing", "no workflow"),
    ],
)
def test_what_is_not_there_is_404_with_a_sentence(server, ran, address, words):
    answer = server.get(address.format(sid=ran))
    assert answer.status_code == 404 and words in answer.text


def test_what_can_not_be_made_is_refused_with_a_sentence(server, ran):
    before = len(list((server.workspace / "conversations").iterdir()))
    assert server.get("compose").status_code == 422
    assert server.post("compose").status_code == 422
    for pick, status, words in (
        ("x", 422, "SESSION@n"),
        (f"{ran}@x", 422, "SESSION@n"),
        (f"{ran}@1", 404, "no value of depth"),
    ):
        answer = server.post("compose", {"workflow": "small", "pick.depth": pick})
        assert answer.status_code == status and words in answer.text
    answer = server.post("compose", {"workflow": "small", "pick.colour": f"{ran}@3"})
    assert answer.status_code == 422 and "no such parameter" in answer.text
    assert server.post(f"sessions/{ran}/again", {"at": "99999"}).status_code == 404
    assert server.post("sessions/2026-01-01-small-0000/again").status_code == 404
    assert len(list((server.workspace / "conversations").iterdir())) == before


def test_compose_on_its_page(server, ran):
    page = server.page("compose?workflow=other")
    field = page.select_one("fieldset[data-name=depth]")
    assert field.select_one("input[checked]")["value"] == ""  # left open until one picks
    line = next(line for line in field.select("li") if "2 levels" in text(line))
    option = line.select_one("input")
    origin = option["value"].partition("@")[0]
    assert line.select_one("[data-by]") and line.a["href"].startswith(f"sessions/{origin}/record?at=")
    sid = made(server.post("compose", {"workflow": "other", option["name"]: option["value"]}))
    state = server.get(f"sessions/{sid}", headers=JSON).json()
    assert state["values"] == {"depth": 2} and state["open"] == "start"
    assert "ith values of" in text(server.page(f"sessions/{sid}").select_one("#head .lineage"))


def test_in_a_browser_run_again_with_one_value_changed_and_see_the_one_difference(program, tab):
    server = program(trip=SMALL_TRIP)
    page = tab(server.address)
    page.locator("[data-workflow=trip]").get_by_role("button", name="Start").click()
    is_open(page, "place")
    follows(page)
    fill(page, city="Trieste", nights="2")
    next_(page, "place")
    is_open(page, "budget")
    fill(page, money="100")
    next_(page, "budget")
    is_open(page, "papers")
    next_(page, "papers")
    page.locator("#card-run button").click()
    run_state(page, "finished")
    first = server.sid_of(page)
    page.get_by_role("button", name="Run again with changes").click()
    page.wait_for_url(lambda url: first not in url)
    second = server.sid_of(page)
    assert card(page, "budget").get_attribute("data-state") == "done"
    assert page.locator("#head .lineage").inner_text().startswith("Made from the values of Trieste")
    follows(page)
    page.get_by_role("button", name="Edit: What may it cost?").click()
    is_open(page, "budget")
    fill(page, money="60")
    next_(page, "budget")
    page.locator("#card-run button").click()
    run_state(page, "finished")
    page.locator("#head .lineage a", has_text="compare").click()
    page.wait_for_url(f"**/compare?a={first}&b={second}")
    assert page.locator("#compare-values > .scroll tr.differs").count() == 1
    assert "100 euros in A, 60 euros in B" in page.locator("#first-difference").inner_text()
    assert page.locator("[data-result=days] tbody tr").count() == 2
    assert json.loads(server.get(f"sessions/{second}", headers=JSON).text)["values"]["money"] == 60

"""Results: what is written to a session's files is what is read again, and harms nobody."""

import csv
import json
import math
import os
import stat
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.results import (
    Download,
    Graph,
    Note,
    Table,
    escape,
    mask,
    page,
    read_table,
    safe_name,
    save,
    unescape,
    unique,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
hostile = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'", "'=1", "''", "\uff1d1", 'a"b', "a,b"]
)
columns = {
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes(),
    "text": st.one_of(texts, hostile).filter(bool),
}


def rows_of(folder: Path, fields: dict) -> list[tuple]:
    return read_table(folder / fields["file"], fields["columns"])


def test_a_table_names_its_columns_and_kinds(tmp_path):
    frame = pd.DataFrame(
        {
            "page": ["/a", None, "=b"],
            "links": [1, 2, 3],
            "share": [0.5, math.nan, math.inf],
            "seen": pd.to_datetime(["2026-01-02", None, "2026-01-03 04:05"], format="mixed"),
            "live": [True, False, True],
        }
    )
    fields = save(Table("pages", frame), tmp_path)
    kinds = {"page": "text", "links": "int", "share": "float", "seen": "datetime", "live": "bool"}
    assert fields == {"name": "pages", "kind": "table", "file": "pages.csv", "rows": 3, "columns": kinds}
    assert (tmp_path / "pages.csv").read_bytes() == (
        b"page,links,share,seen,live\r\n/a,1,0.5,2026-01-02T00:00:00,true\r\n"
        b",2,,,false\r\n'=b,3,inf,2026-01-03T04:05:00,true\r\n"
    )
    assert rows_of(tmp_path, fields)[1] == (None, 2, None, None, False)


@pytest.mark.parametrize(
    "frame, columns, rows",
    [
        ([{"a": 1}, {"b": "x"}], {"a": "int", "b": "text"}, [(1, None), (None, "x")]),
        ([[1, "x"], [2]], {"column 1": "int", "column 2": "text"}, [(1, "x"), (2, None)]),
        ([], {}, []),
        (pd.DataFrame(), {}, []),
        (pd.DataFrame({"a": []}), {"a": "text"}, []),
        (pd.DataFrame({"a": [1, None]}, dtype="Int64"), {"a": "int"}, [(1,), (None,)]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {"a": "int", "a (2)": "int"}, [(1, 2)]),
        (
            pd.Series([3], index=pd.Index(["x"], name="word"), name="n"),
            {"word": "text", "n": "int"},
            [("x", 3)],
        ),
        (pd.DataFrame({"a": [5, 6, 7]}).query("a > 5"), {"a": "int"}, [(6,), (7,)]),
        ([{"a": Decimal("1.5")}, {"a": Decimal("NaN")}], {"a": "float"}, [(1.5,), (None,)]),
        ([{"a": pd.NA}, {"a": pd.NaT}, {"a": 1}], {"a": "int"}, [(None,), (None,), (1,)]),
        ([{"a": -5}, {"a": "-5"}, {"a": [1]}], {"a": "text"}, [("-5",), ("-5",), ("[1]",)]),
        ([{"a": date(2026, 1, 2)}, {"a": datetime(2026, 1, 2, tzinfo=UTC)}], {"a": "text"}, None),
        ([{"=a": "'"}], {"=a": "text"}, [("'",)]),
    ],
)
def test_frames_of_every_shape(tmp_path, frame, columns, rows):
    fields = save(Table("t", frame), tmp_path)
    assert fields["columns"] == columns
    assert fields["rows"] == len(rows or frame)
    assert rows is None or rows_of(tmp_path, fields) == rows


@pytest.mark.parametrize("frame", [5, "text", {"a": 1}, [1, 2], [{"a": 1}, [2]], [["x"] * 1_001]])
def test_what_is_no_frame_is_refused_with_the_table_s_name(tmp_path, frame):
    with pytest.raises(ValueError, match="Table 'odd'"):
        save(Table("odd", frame), tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(kind=st.sampled_from(sorted(columns)), data=st.data())
def test_every_column_comes_back_as_it_was(tmp_path_factory, kind, data):
    values = data.draw(st.lists(st.one_of(st.none(), columns[kind]), max_size=8))
    folder = tmp_path_factory.mktemp("round")
    fields = save(Table("t", [{"n": n, "v": value} for n, value in enumerate(values)]), folder)
    expected = kind if any(value is not None for value in values) else "text"
    assert not values or fields["columns"] == {"n": "int", "v": expected}
    read = rows_of(folder, fields)
    assert [row[1] for row in read] == values
    assert [type(row[1]) for row in read] == [type(value) for value in values]


@given(st.one_of(texts, hostile))
def test_no_cell_is_a_formula(text):
    safe = escape(text)
    assert not safe.startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
    assert unescape(safe) == text


def test_numbers_stay_numbers_and_names_are_escaped(tmp_path):
    fields = save(Table("t", [{"=x": -1, "@y": -0.5}]), tmp_path)
    with (tmp_path / fields["file"]).open(newline="") as file:
        assert list(csv.reader(file)) == [["'=x", "'@y"], ["-1", "-0.5"]]


def test_lone_surrogates_and_control_characters_do_not_stop_a_table(tmp_path):
    fields = save(Table("a\x00b\ud800\n", [{"c\ud800\n": "x\ud800\x00"}]), tmp_path)
    json.dumps(fields, ensure_ascii=False).encode()
    assert fields["name"] == "a b"
    assert rows_of(tmp_path, fields) == [("x?\x00",)]


def test_a_second_result_of_the_name_gets_a_number_and_nothing_else_is_left(tmp_path):
    files = [save(Table("pages", [{"a": n}]), tmp_path)["file"] for n in range(3)]
    assert files == ["pages.csv", "pages-2.csv", "pages-3.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "pages.csv").symlink_to(outside)
    assert save(Table("pages", [{"a": 1}]), folder)["file"] == "pages-2.csv"
    assert not outside.exists()


def test_download_copies_and_note_keeps_its_words(tmp_path):
    made = tmp_path / "chart.svg"
    made.write_bytes(b"<svg/>")
    files = tmp_path / "files"
    assert save(Download(made), files) == {"name": "chart.svg", "kind": "file", "file": "chart.svg"}
    assert (files / "chart.svg").read_bytes() == b"<svg/>"
    assert save(Note("# Häuser"), files) == {"name": "note", "kind": "note", "file": "note.md"}
    assert (files / "note.md").read_text(encoding="utf-8") == "# Häuser"
    with pytest.raises(ValueError, match="no file"):
        save(Download(tmp_path / "absent"), files)
    with pytest.raises(ValueError, match="not int"):
        save(5, files)


@pytest.fixture
def table(tmp_path):
    rows = [("b", 2), ("A", None), (None, 10), ("a", 2), ("C", -1)]
    fields = save(Table("t", [{"name": name, "n": n} for name, n in rows]), tmp_path)
    return tmp_path / fields["file"], fields["columns"]


@pytest.mark.parametrize(
    "options, names",
    [
        ({}, ["b", "A", None, "a", "C"]),
        ({"sort": "name"}, ["A", "a", "b", "C", None]),
        ({"sort": "name", "descending": True}, ["C", "b", "A", "a", None]),
        ({"sort": "n"}, ["C", "b", "a", None, "A"]),
        ({"sort": "n", "descending": True}, [None, "b", "a", "C", "A"]),
        ({"sort": "no such"}, ["b", "A", None, "a", "C"]),
        ({"offset": 3, "limit": 1}, ["a"]),
        ({"offset": -3, "limit": 2}, ["b", "A"]),
        ({"offset": 99}, []),
    ],
)
def test_pages(table, options, names):
    found = page(*table, **options)
    assert [row[0] for row in found.rows] == names
    assert found.total == 5


def test_a_changed_file_is_read_afresh(table):
    path, columns = table
    assert page(path, columns).total == 5
    path.write_text("name,n\r\nx,1\r\n")
    os.utime(path, ns=(1, 1))
    assert page(path, columns).rows == [("x", 1)]
    path.write_text("name,n\r\nx,word\r\n")
    with pytest.raises(ValueError, match=r"t\.csv, line 2"):
        page(path, columns)


def read_graph(folder: Path, fields: dict) -> dict:
    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads((folder / fields["file"]).read_text(encoding="utf-8"), parse_constant=refuse)


def test_a_graph_from_frames(tmp_path):
    nodes = pd.DataFrame(
        {
            "id": [1, 2],
            "links": [3.5, math.nan],
            "far": [math.inf, 1],
            "section": ["blog", None],
            "x": [0.1, 0.2],
        }
    )
    edges = pd.DataFrame({"weight": [1.0, 2.0], "source": [1, 2], "target": [2, math.nan]})
    fields = save(Graph("site", nodes, edges, colour="section", size="links"), tmp_path)
    assert fields == {"name": "site", "kind": "graph", "file": "site.json"}
    assert read_graph(tmp_path, fields) == {
        "name": "site",
        "columns": {"links": "number", "far": "number", "section": "text"},
        "nodes": [
            {"id": "1", "label": "1", "links": 3.5, "far": None, "section": "blog", "x": 0.1},
            {"id": "2", "label": "2", "links": None, "far": 1.0, "section": None, "x": 0.2},
        ],
        "edges": [["1", "2"]],
        "colour": "section",
        "size": "links",
    }


def test_a_graph_from_lists_gets_the_nodes_that_only_edges_name(tmp_path):
    nodes = [{"id": "a", "label": "Home", "new": True}]
    graph = read_graph(tmp_path, save(Graph("g", nodes, [("a", "b")]), tmp_path))
    assert graph["nodes"] == [{"id": "a", "label": "Home", "new": "true"}, {"id": "b", "label": "b"}]
    assert graph["columns"] == {"new": "text"}
    empty = read_graph(tmp_path, save(Graph("g", None, []), tmp_path))
    assert (empty["nodes"], empty["edges"]) == ([], [])
    names = read_graph(tmp_path, save(Graph("g", ["a", "b"], [("a", "b")]), tmp_path))
    assert [node["id"] for node in names["nodes"]] == ["a", "b"]


@pytest.mark.parametrize(
    "graph, reason",
    [
        (Graph("g", [{"name": "a"}], []), "need a column 'id'"),
        (Graph("g", [{"id": "a", "n": 1}], [], colour="m"), "colour is 'm', but its nodes have n"),
        (Graph("g", [], [("a",)]), "a source and a target"),
    ],
)
def test_a_graph_that_can_not_be_drawn(tmp_path, graph, reason):
    with pytest.raises(ValueError, match=reason):
        save(graph, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text, name",
    [
        ("pages.csv", "pages.csv"),
        ("../../etc/passwd", "etc-passwd"),
        ("..\\..\\x.txt", "x.txt"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("a\x00b\n.txt", "ab.txt"),
        ("name\u202etxt.exe", "nametxt.exe"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com¹.log", "_com¹.log"),
        ("Größe 長さ.csv", "Größe 長さ.csv"),
        ("trailing. . ", "trailing"),
        ("", "file"),
        ("///", "file"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
        ("é" * 300, "é" * 60),
    ],
)
def test_safe_names(text, name):
    assert safe_name(text) == name


@given(st.one_of(st.text(), texts.map(lambda t: t * 20), st.text("CONaux.:/ -~1", max_size=12)))
def test_every_name_is_safe_and_stays_as_it_is(text):
    name = safe_name(text)
    assert safe_name(name) == name
    assert 0 < len(name.encode()) <= 120
    assert Path(name).name == name and not name.startswith((".", "-", "~", " "))
    assert not set(name) & set('<>:"/\\|?*\x00\r\n')


def test_unique_makes_the_file(tmp_path):
    assert [unique(tmp_path, "a.txt").name for _ in range(3)] == ["a.txt", "a-2.txt", "a-3.txt"]


def test_masked_are_whole_secrets_of_four_characters_or_more():
    secrets = {"a": "abcd", "b": "abcdef", "c": "x"}
    assert mask("abcdef abcd x", secrets) == "•••• •••• x"

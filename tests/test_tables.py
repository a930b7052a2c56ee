"""Tables: what is written to a CSV is what is read again, and no spreadsheet takes it for a formula."""

import csv
import json
import math
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.results import Table, save
from assistant.results.tables import escape, page, read_table, unescape

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

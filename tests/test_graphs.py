"""Graphs: the JSON that the page draws, from frames and from lists."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from assistant.results import Graph, save


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

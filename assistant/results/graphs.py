"""A graph as the JSON that the page draws: ids are text, ends of edges are nodes, numbers are finite."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..text import clean
from .frames import columns_of, kind_of
from .tables import cell


def graph_json(name: str, nodes: Any, edges: Any, colour: str | None, size: str | None) -> dict[str, Any]:
    """{name, columns {name: number or text}, nodes, edges, colour, size}. ValueError: it can not be drawn."""
    what = f"Graph {name!r}"
    found, kinds = _nodes(nodes, what)
    pairs = [pair for pair in _edges(edges, what) if None not in pair]
    for end in (end for pair in pairs for end in pair):
        found.setdefault(str(end), {"id": end, "label": end})
    for use, column in (("colour", colour), ("size", size)):
        if column is not None and column not in kinds:
            has = ", ".join(kinds) or "no columns"
            raise ValueError(f"{what}: {use} is {column!r}, but its nodes have {has}.")
    shape = {"columns": kinds, "nodes": list(found.values()), "edges": pairs}
    return {"name": clean(name), **shape, "colour": colour, "size": size}


def _nodes(given: Any, what: str) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    given = [] if given is None else given
    if isinstance(given, list | tuple | set) and not any(isinstance(node, Mapping) for node in given):
        given = [{"id": node} for node in given]
    names, columns = columns_of(given, f"{what}: nodes")
    if "id" not in names and columns:
        raise ValueError(f"{what}: its nodes need a column 'id'; they have {', '.join(names)}.")
    kinds = {name: kind_of(column) for name, column in zip(names, columns, strict=True)}
    own = [name for name in names if name not in ("id", "label", "x", "y")]
    shown = {name: "number" if kinds[name] in ("int", "float") else "text" for name in own}
    nodes: dict[str, dict[str, Any]] = {}
    for row in zip(*columns, strict=True):
        values = dict(zip(names, row, strict=True))
        key = _id(values["id"])
        if key is not None:
            label = values.get("label")
            node = {"id": key, "label": key if label is None else clean(str(label))}
            rest = {name: _json(value, kinds[name]) for name, value in values.items() if name not in node}
            nodes.setdefault(key, node | rest)
    return nodes, shown


def _edges(given: Any, what: str) -> list[list[str | None]]:
    names, columns = columns_of(given if given is not None else [], f"{what}: edges")
    if not columns:
        return []
    if len(columns) < 2:
        raise ValueError(f"{what}: an edge has a source and a target.")
    named = "source" in names and "target" in names
    ends = [columns[names.index(end)] for end in ("source", "target")] if named else columns[:2]
    return [[_id(source), _id(target)] for source, target in zip(*ends, strict=True)]


def _id(value: Any) -> str | None:
    """A whole float is its integer: pandas makes floats of integers where a value is missing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else clean(str(value))


def _json(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in ("int", "float"):
        number = value if isinstance(value, int) else float(value)
        return number if math.isfinite(number) else None
    return clean(cell(value) if isinstance(value, bool | date) else str(value))

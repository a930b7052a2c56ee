"""Forms: reading one as the browser sends it, texts and sentences for people, schemas for tools."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, HttpUrl

from assistant.errors import Refused
from assistant.parameters import (
    MISSING,
    Ask,
    Secret,
    Upload,
    as_text,
    choices,
    judge,
    make_field,
    read_form,
    schema,
    show,
    to_json,
)

Pairs = list[tuple[str, str]]


class Colour(Enum):
    RED = "red"
    DEEP_BLUE = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: Annotated[int, Ask(ge=0, unit="px")] = 0
    fixed: bool = False


class Plot(BaseModel):
    title: str
    point: Point | None = None
    tags: list[str] = []


@dataclass(frozen=True)
class Flags:
    deep: bool
    fast: bool


def read(annotation: Any, items: Pairs, default: Any = MISSING) -> Any:
    return read_form([make_field("a", annotation, default)], items).get("a", MISSING)


FORMS: list[tuple[Any, Pairs, Any]] = [
    (int, [("a", "3")], "3"),
    (int, [("a", " ")], MISSING),
    (int, [], MISSING),
    (int, [("b", "3")], MISSING),
    (int | None, [("a", "")], None),
    (int | None, [], None),
    (str, [("a", " x ")], " x "),
    (bool, [("a", "on")], "on"),
    (bool, [], False),
    (bool, [("a", "off"), ("a", "on")], "on"),
    (bool | None, [("a", "")], ""),
    (list[str], [("a", "one\r\ntwo")], "one\r\ntwo"),
    (list[str], [("a", "")], []),
    (list[str], [], []),
    (list[str] | None, [("a", "")], None),
    (list[Colour], [("a", "red"), ("a", "2")], ["red", "2"]),
    (list[Colour], [("a", "red")], "red"),
    (list[Colour], [], []),
    (Point, [("a.x", "1"), ("a.y", ""), ("a.fixed", "on")], {"x": "1", "fixed": "on"}),
    (Point, [("a.x", ""), ("a.y", "")], MISSING),
    (Point, [("a", '{"x": 1}')], '{"x": 1}'),
    (Point | None, [("a.x", ""), ("a.y", "")], None),
    (Flags, [], {"deep": False, "fast": False}),
    (Plot, [("a.title", "t"), ("a.point.x", "5"), ("a.tags", "u\nv")],
     {"title": "t", "point": {"x": "5", "fixed": False}, "tags": "u\nv"}),
    (Plot, [("a.title", "t"), ("a.point.x", "")], {"title": "t", "tags": []}),
    (list[Point], [("a.2.x", "3"), ("a.0.x", "1"), ("a.1.x", " "), ("a.10.x", "4")],
     [{"x": "1", "fixed": False}, {"x": "3", "fixed": False}, {"x": "4", "fixed": False}]),
    (list[Point], [("a.0.x", "")], []),
    (list[Point], [], []),
    (list[Point], [("a", '[{"x": 1}]')], '[{"x": 1}]'),
    (dict[str, int], [("a.0.key", "u"), ("a.0.value", "1"), ("a.7.key", ""), ("a.7.value", "")], {"u": "1"}),
    (dict[str, int], [("a.0.key", ""), ("a.0.value", "")], {}),
    (dict[str, int], [], MISSING),
    (dict[str, int], [("a.0.key", "u"), ("a.0.value", "1"), ("a.1.key", "u"), ("a.1.value", "2")],
     [{"key": "u", "value": "1"}, {"key": "u", "value": "2"}]),
    (dict[str, Point], [("a.0.key", "u"), ("a.0.value.x", "1")], {"u": {"x": "1", "fixed": False}}),
    (tuple[int, str], [("a.0", "1"), ("a.1", "x")], ["1", "x"]),
    (tuple[int, str], [("a.0", ""), ("a.1", "")], MISSING),
    (Upload, [("a", '{"file": "old.txt"}'), ("a", "new.txt")], "new.txt"),
    (Upload, [("a", '{"file": "old.txt"}'), ("a", "")], '{"file": "old.txt"}'),
    (Secret, [("a", "")], MISSING),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "items", "raw"), FORMS)
def test_reading_a_form(annotation: Any, items: Pairs, raw: Any) -> None:
    assert read(annotation, items) == raw


DEFAULTED: list[tuple[Any, Any, Pairs, Any]] = [
    (int, 4, [("a", "")], MISSING),
    (int | None, 4, [], MISSING),
    (bool, True, [], False),
    (list[str], ["x"], [], []),
    (list[str], ["x"], [("a", "")], []),
    (Point, Point(1), [("a.x", "")], MISSING),
    (dict[str, int], {"u": 1}, [], MISSING),
    (dict[str, int], {"u": 1}, [("a.0.key", "")], {}),
    (Flags, Flags(True, True), [], {"deep": False, "fast": False}),
]


@pytest.mark.parametrize(("annotation", "default", "items", "raw"), DEFAULTED)
def test_what_is_left_out_is_its_default(annotation: Any, default: Any, items: Pairs, raw: Any) -> None:
    assert read(annotation, items, default) == raw


def test_a_default_from_a_function_is_left_out_too() -> None:
    assert read(Annotated[int | None, Ask(default=lambda: 3)], [("a", "")]) is MISSING


def test_what_a_form_gives_is_judged_as_typed() -> None:
    plots = make_field("plots", dict[str, Plot])
    items = [
        ("plots.3.key", "first"),
        ("plots.3.value.title", "T"),
        ("plots.3.value.point.x", "5"),
        ("plots.3.value.point.fixed", "on"),
        ("plots.3.value.tags", "u\r\nv"),
    ]
    raw = read_form([plots], items)["plots"]
    assert judge(plots, raw) == {"first": Plot(title="T", point=Point(5, 0, True), tags=["u", "v"])}
    with pytest.raises(Refused, match="in it twice"):
        doubled = [("plots.4.key", "first"), ("plots.4.value.title", "U")]
        judge(plots, read_form([plots], [*items, *doubled])["plots"])


def test_rows_are_bounded() -> None:
    points = make_field("points", list[Point])
    rows = [(f"points.{n}.x", "1") for n in range(1_001)]
    assert len(read_form([points], rows[1:])["points"]) == 1_000
    with pytest.raises(Refused, match="at most 1000 rows; 1001"):
        read_form([points], rows)
    assert read_form([points], [("points.99999999999.x", "1"), ("points.-1.x", "1"), ("points.x", "1")]) == {
        "points": []
    }


names = st.sampled_from(
    ["a", "b", "a.0", "a.x", "a.0.x", "a.0.key", "a.0.value", "a.1.value.x", "a.", ".", "a..x", "a.0."]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(names, st.sampled_from(["", " ", "1", "on", "[", "{}", "[1]"])), max_size=6))
def test_any_form_can_be_read_and_judged_or_refused(items: Pairs) -> None:
    for annotation, *_ in FORMS:
        one = make_field("a", annotation)
        raw = read_form([one], items)
        assert set(raw) <= {"a"}
        if raw:
            try:
                judge(one, raw["a"])
            except Refused as refused:
                assert refused.reason.endswith(".")


TEXTS: list[tuple[Any, Any, str]] = [
    (int, 5, "5"),
    (float, 0.5, "0.5"),
    (bool, True, "on"),
    (bool, False, "off"),
    (date, "2026-01-02", "2026-01-02"),
    (str, "a b", "a b"),
    (int | None, None, ""),
    (Literal[True, False], True, "true"),
    (Upload, {"file": "a.txt"}, "a.txt"),
    (Secret, {"secret": True}, ""),
    (list[str], ["a", "b c"], "a\nb c"),
    (list[int], [1, 2], "1\n2"),
    (list[str], ["a\nb"], '["a\\nb"]'),
    (list[str], ["[1]"], '["[1]"]'),
    (list[str], ["", "a"], '["", "a"]'),
    (Point, {"x": 1, "y": 2}, '{"x": 1, "y": 2}'),
]


@pytest.mark.parametrize(("annotation", "value", "text"), TEXTS)
def test_as_text(annotation: Any, value: Any, text: str) -> None:
    assert as_text(make_field("a", annotation), value) == text


SHOWN: list[tuple[Any, Any, str]] = [
    (bool, True, "yes"),
    (bool, False, "no"),
    (int | None, None, "none"),
    (Annotated[int, Ask(unit="pages")], 500, "500 pages"),
    (Annotated[int | None, Ask(unit="pages")], None, "none"),
    (Annotated[float, Ask(unit="s")], 2.0, "2 s"),
    (list[str], ["tutorial", "library"], "tutorial, library"),
    (list[str], [], "none"),
    (Point, {"x": 1, "y": 3, "fixed": True}, "x: 1, y: 3 px, fixed: yes"),
    (list[Point], [{"x": 1}, {"x": 2}], "x: 1; x: 2"),
    (dict[str, bool], {"a": True}, "a: yes"),
    (tuple[int, Annotated[int, Ask(unit="s")]], [1, 2], "1, 2 s"),
    (Colour, 2, "deep blue"),
    (list[Colour], ["red", 2], "red, deep blue"),
    (datetime, "2026-11-21T10:30:00", "2026-11-21 10:30:00"),
    (Upload, {"file": "a.txt"}, "a.txt"),
    (Secret, {"secret": True}, "••••"),
    (Secret, "hunter2", "••••"),
    (str, "T", "T"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), SHOWN)
def test_show(annotation: Any, value: Any, text: str) -> None:
    assert show(make_field("a", annotation), value) == text


def test_show_without_a_field() -> None:
    assert show(None, {"title": "x", "size": 3, "on": False}) == "title: x, size: 3, on: no"
    assert show(None, {"secret": True}) == "••••"
    assert show(None, {"file": "a.txt"}) == "a.txt"
    assert show(None, "") == ""


def test_choices() -> None:
    assert choices(make_field("a", Colour)) == [("red", "red"), ("2", "deep blue")]
    assert choices(make_field("a", list[Literal[1, True]])) == [("1", "1"), ("true", "yes")]
    options = make_field("a", Annotated[list[Decimal], Ask(options=lambda: [])])
    assert (choices(options), choices(options, ["1.5"])) == ([], [("1.5", "1.5")])
    assert choices(make_field("a", Annotated[int, Ask(options=[1, 2])])) == [("1", "1"), ("2", "2")]
    assert choices(make_field("a", Colour), ["red"]) == [("red", "red")]
    assert choices(make_field("a", int)) == []


SCHEMAS: list[tuple[Any, Any, dict[str, Any]]] = [
    (Annotated[int, Ask("Depth", help="How far\nto follow.", ge=1, le=5, unit="links", example=2)], 3,
     {"type": "integer",
      "description": "Depth; How far to follow; 1 to 5 links; for example 2 links; default 3 links."}),
    (Annotated[str, Ask(min_length=2, pattern="[a-z]+")], MISSING,
     {"type": "string", "description": "A; at least 2 characters; matching [a-z]+."}),
    (bool, MISSING, {"type": "boolean", "description": "A."}),
    (Annotated[bool, Ask("All", help="Really?")], MISSING,
     {"type": "boolean", "description": "All; Really?"}),
    (date | None, MISSING, {"type": ["string", "null"], "description": "A; a date as 2026-11-21."}),
    (Colour, Colour.RED,
     {"type": ["integer", "string"], "enum": ["red", 2], "description": "A; default red."}),
    (Literal[1, 2] | None, MISSING,
     {"type": ["integer", "null"], "enum": [1, 2, None], "description": "A."}),
    (list[Colour], MISSING,
     {"type": "array", "items": {"type": ["integer", "string"], "enum": ["red", 2]}, "description": "A."}),
    (Annotated[list[float], Ask(ge=0, min_length=1)], MISSING,
     {"type": "array", "items": {"type": "number"}, "description": "A; each 0 or more; at least 1 entry."}),
    (tuple[int, str], MISSING,
     {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
      "description": "A; exactly 2: a whole number, text."}),
    (dict[str, int], MISSING,
     {"type": "object", "description": "A; an object of names, each with a whole number."}),
    (Point, MISSING,
     {"type": "object", "required": ["x"], "description": "A.",
      "properties": {"x": {"type": "integer", "description": "X."},
                     "y": {"type": "integer", "description": "Y; 0 px or more; default 0 px."},
                     "fixed": {"type": "boolean", "description": "Fixed; default no."}}}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "default", "expected"), SCHEMAS)
def test_schema(annotation: Any, default: Any, expected: dict[str, Any]) -> None:
    assert schema(make_field("a", annotation, default)) == expected


KEPT = {"type", "items", "description", "enum", "properties", "required", "anyOf"}


def keys_of(found: Any) -> set[str]:
    if isinstance(found, list):
        return set().union(*map(keys_of, found))
    if not isinstance(found, dict):
        return set()
    inner = [keys_of(value) for key, value in found.items() if key != "properties"]
    inner += [keys_of(value) for value in found.get("properties", {}).values()]
    return set(found).union(*inner)


@pytest.mark.parametrize(
    "annotation", [row[0] for row in FORMS + TEXTS + SHOWN] + [list[Plot], list[HttpUrl]]
)
def test_a_schema_has_only_what_ollama_keeps(annotation: Any) -> None:
    one = make_field("a", annotation)
    found = schema(one)
    if one.kind in ("upload", "secret"):
        assert found is None
    else:
        assert keys_of(found) <= KEPT
        assert "\n" not in json.dumps(found, ensure_ascii=False)


def test_offered_options_are_the_enum_and_many_are_only_told_of() -> None:
    one = make_field("a", Annotated[str, Ask(options=lambda: [])])
    assert schema(one) == {"type": "string", "description": "A."}
    assert schema(one, ["x", "y"]) == {"type": "string", "enum": ["x", "y"], "description": "A."}
    many = schema(one, [f"v{n}" for n in range(101)])
    assert many == {"type": "string", "description": "A; one of 101, such as v0, v1, v2, v3, v4."}
    assert schema(make_field("a", list[Upload])) is None


def test_to_json_refuses_what_the_log_cannot_hold() -> None:
    for value in (float("nan"), float("inf"), Decimal("NaN"), [float("-inf")]):
        with pytest.raises(ValueError, match="must be finite"):
            to_json(value)
    with pytest.raises(TypeError, match="cannot be kept in the log"):
        to_json({"a": object()})

"""The judge: what each type accepts, what it says when it refuses, and the laws that hold for all of them."""

import dataclasses
import json
import traceback
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import annotated_types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, EmailStr, FtpUrl, HttpUrl, PositiveInt, field_validator
from pydantic import Field as PydanticField

from assistant.errors import Refused
from assistant.parameters import Ask, Place, Secret, Upload, as_text, judge, make_field, to_json

bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Kind(Enum):
    PAGE = "page"
    BOOK = "book"


class Level(IntEnum):
    LOW = 1
    VERY_HIGH = 2


class Shape(Enum):
    WIDE = (16, 9)
    TALL = (9, 16)


@dataclass(frozen=True)
class Size:
    width: Annotated[int, Ask(ge=1, unit="px")]
    height: int = 10


class Layer(BaseModel):
    title: str
    size: Size | None = None
    tags: list[str] = []
    when: date | None = None

    @field_validator("title")
    @classmethod
    def title_is_no_shouting(cls, value: str) -> str:
        if value.isupper():
            raise ValueError("a title is not all capitals")
        return value


@dataclass
class Positive:
    low: float
    high: float
    marks: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


TYPES: list[Any] = [
    str, Annotated[str, Ask(long=True)], int, float, Decimal, bool, date, datetime, time,
    Literal["a", "b c", "C"], Literal[1, 2, "three"], Literal[True, False], Kind, Level, Shape, HttpUrl,
    EmailStr, list[str], list[int], set[float], frozenset[Kind], list[Kind], list[Literal[1, 2]], list[date],
    tuple[int, str], tuple[int, ...], dict[str, int], dict[Kind, list[str]], dict[int, date], list[list[int]],
    Size, Layer, Positive, list[Size], list[Layer], dict[str, Layer], Upload, Secret, list[Upload],
    int | None, str | None, bool | None, Kind | None, list[int] | None, Size | None, list[int | None],
    Annotated[int, Ask(options=[1, 2, 3])], Annotated[list[str], Ask(options=["x", "y, z"])],
    Annotated[Decimal, Ask(options=[Decimal("1.5")], aliases={"a bit": Decimal("1.5")})],
    Annotated[str, Ask(min_length=2, max_length=5, pattern="[a-z]+")], PositiveInt, list[HttpUrl],
    Annotated[date, Ask(ge=date(2026, 1, 1))], Annotated[datetime, Ask(lt=datetime(2030, 1, 1))],
]  # fmt: skip
FIELDS = [make_field("thing", annotation) for annotation in TYPES]


def numbered(rows: list[tuple[Any, ...]]) -> list[str]:
    """Test ids; pytest's own would print a number of 5,000 digits, which Python refuses."""
    return [
        f"{n} {getattr(row[0], '__name__', row[0])} {repr(row[1])[:20] if type(row[1]) is str else ''}"
        for n, row in enumerate(rows)
    ]


def judged(annotation: Any, raw: Any, **more: Any) -> Any:
    return judge(make_field("thing", annotation), raw, **more)


def reason(annotation: Any, raw: Any, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        judge(make_field("thing", annotation), raw, **more)
    assert caught.value.name == "thing"
    return caught.value.reason


ACCEPTED: list[tuple[Any, Any, Any]] = [
    (int, "12", 12),
    (int, " -3 ", -3),
    (int, "+007", 7),
    (int, 3.0, 3),
    (int, "9" * 300, int("9" * 300)),
    (float, "2.5", 2.5),
    (float, ".5", 0.5),
    (float, "1e3", 1000.0),
    (float, 2, 2.0),
    (Decimal, "1.10", Decimal("1.10")),
    (Decimal, 0.1, Decimal("0.1")),
    (Decimal, 7, Decimal(7)),
    (bool, "on", True),
    (bool, "False", False),
    (bool, "NO", False),
    (bool, "1", True),
    (bool, 0, False),
    (date, "2026-11-21", date(2026, 11, 21)),
    (datetime, "2026-11-21T10:30", datetime(2026, 11, 21, 10, 30)),
    (datetime, "2026-11-21 10:30:05.5", datetime(2026, 11, 21, 10, 30, 5, 500_000)),
    (datetime, "2026-11-21T10:30Z", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
    (time, "10:30", time(10, 30)),
    (str, "  inner  space ", "inner  space"),
    (str, "a\r\nb", "a\nb"),
    (str, 5, "5"),
    (str, "", ""),
    (str, "null", "null"),
    (Annotated[str, Ask(long=True)], " a\r\n", " a\n"),
    (Literal[1, 2], "1", 1),
    (Literal[1, 2], 2.0, 2),
    (Literal["Ab", "c"], " ab ", "Ab"),
    (Literal["a", "A"], "A", "A"),
    (Literal[True, False], "no", False),
    (Literal[True, False], "true", True),
    (Kind, "BOOK", Kind.BOOK),
    (Kind, "Page", Kind.PAGE),
    (Level, "very high", Level.VERY_HIGH),
    (Level, "1", Level.LOW),
    (Level, "VERY_HIGH", Level.VERY_HIGH),
    (Shape, "wide", Shape.WIDE),
    (Annotated[Kind, Ask(aliases={"a novel": Kind.BOOK})], "A novel", Kind.BOOK),
    (Annotated[int, Ask(aliases={"a dozen": 12})], "a dozen", 12),
    (Annotated[int, Ask(aliases={"a dozen": 12})], " A Dozen ", 12),
    (Decimal, 1e22, Decimal(10**22)),
    (Annotated[float, Ask(options=[1.5, 2])], "1.50", 1.5),
    (Annotated[int, Ask(options=[1, 2])], "2", 2),
    (int | None, "", None),
    (int | None, "null", None),
    (int | None, None, None),
    (str | None, " ", None),
    (str | None, "null", "null"),
    (bool | None, "", None),
    (Literal["a", None], "", None),
    (Kind | None, "", None),
    (list[str], "one\r\n\n two \n", ["one", "two"]),
    (list[str], '["a b", "c"]', ["a b", "c"]),
    (list[str], "", []),
    (list[str], "[draft", ["[draft"]),
    (list[int], ["1", 2], [1, 2]),
    (list[int], 3, [3]),
    (set[int], "1\n1\n2", {1, 2}),
    (list[int] | None, "", None),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (tuple[int, str], "1\na", (1, "a")),
    (tuple[int, ...], "1\n2", (1, 2)),
    (list[Kind], "page, book", [Kind.PAGE, Kind.BOOK]),
    (list[Kind], "page", [Kind.PAGE]),
    (Annotated[list[str], Ask(options=["x", "y, z"])], "y, z", ["y, z"]),
    (Annotated[list[str], Ask(options=["x", "y, z"])], "X\ny, z", ["x", "y, z"]),
    (dict[str, int], '{"a": "1"}', {"a": 1}),
    (dict[int, str], {"1": "x"}, {1: "x"}),
    (dict[str, int], [], {}),
    (dict[str, int], [{"key": "a", "value": "1"}], {"a": 1}),
    (Size, {"width": "5"}, Size(5)),
    (Size, '{"width": 5, "height": 6}', Size(5, 6)),
    (list[Size], [{"width": 1}, {"width": 2.0}], [Size(1), Size(2)]),
    (
        Layer,
        {"title": "a", "size": {"width": 3}, "when": "2026-01-02"},
        Layer(title="a", size=Size(3), when=date(2026, 1, 2)),
    ),
    (Positive, {"low": 1, "high": 2}, Positive(1, 2)),
    (HttpUrl, "https://example.org", HttpUrl("https://example.org/")),
    (EmailStr, " jo@example.org ", "jo@example.org"),
    (EmailStr, "jörg@bücher.example", "jörg@bücher.example"),
    (PositiveInt, "3", 3),
]


@pytest.mark.parametrize(("annotation", "raw", "value"), ACCEPTED, ids=numbered(ACCEPTED))
def test_accepts(annotation: Any, raw: Any, value: Any) -> None:
    found = judged(annotation, raw)
    assert found == value
    assert type(found) is type(value)


REFUSED: list[tuple[Any, Any, str]] = [
    (int, "1,250", '"1,250" was not taken, since it has separators'),
    (int, "1_000", "a whole number"),
    (int, True, "a whole number"),
    (int, 3.5, "3.5 was not taken"),
    (int, 1e300, "a whole number"),
    (int, "٣", "a whole number"),
    (int, "", "missing"),
    (int, "9" * 5000, "a whole number"),
    (int, 10**5000, "a number that long was not taken"),
    (int, None, "missing"),
    (int, float("nan"), "nan was not taken"),
    (int, {"a": 1}, "an object was not taken"),
    (int, "null", "whole number"),
    (float, "nan", "a number"),
    (float, "Infinity", "a number"),
    (float, "1e999", "a number"),
    (float, 10**400, "a number"),
    (float, float("inf"), "inf was not taken"),
    (float, "1_0", "a number"),
    (float, True, "true was not taken"),
    (Decimal, "NaN", "a decimal number"),
    (Decimal, "1e5", "a decimal number"),
    (Decimal, 1e200, "a decimal number"),
    (Decimal, "sNaN", "a decimal number"),
    (bool, "maybe", "yes or no"),
    (bool, 2, "yes or no"),
    (bool, "", "missing"),
    (bool, 1.0, "yes or no"),
    (date, "1763683200", "2026-11-21"),
    (date, 1763683200, "2026-11-21"),
    (date, "2026-02-30", "2026-11-21"),
    (date, "20261121", "2026-11-21"),
    (date, "2026-W01-1", "2026-11-21"),
    (datetime, "3", "2026-11-21T10:30"),
    (datetime, "2026-11-21", "2026-11-21T10:30"),
    (datetime, "2026-11-21T25:00", "T10:30"),
    (time, "1030", "10:30"),
    (str, "a\0b", "not (NUL"),
    (str, "\ud800", "half of a pair"),
    (str, "x" * 200_001, "at most 200 kB"),
    (str, "ä" * 100_001, "at most 200 kB"),
    (str, 1.5, "1.5 was not taken"),
    (str, ["a"], "a list was not taken"),
    (Literal["a", "A"], "á", "one of: a, A"),
    (Literal[1, 2], True, "one of: 1, 2"),
    (Literal[True, False], 1, "yes, no"),
    (Literal["AB", "ab"], "Ab", "one of: AB, ab"),
    (Kind, None, "one of: page, book"),
    (Kind, "", "one of: page, book"),
    (list[int], "1\nx", 'Each entry of Thing is a whole number; "x" was not taken.'),
    (list[int], [[1]], "a list was not"),
    (list[str], {"a": 1}, "Thing is a list"),
    (list[str], ["a"] * 10_001, "at most 10000 entries"),
    (list[str], None, "missing"),
    (list[Kind], "page, boo", "one of: page, book"),
    (list[Size], "[" * 100_000, "could not be read"),
    (list[Size], [{"width": 1}, {"width": 0}], "Thing, row 2: Width is 1 px or more; 0 was"),
    (Size, {"width": 1, "depth": 2}, 'no "depth"'),
    (Size, {"height": 2}, "Width is missing"),
    (Size, [], "an object with width, height"),
    (Size, "{", "could not be read"),
    (Size, {"width": None}, "Width is missing"),
    (Layer, {"title": "LOUD"}, "a title is not all capitals"),
    (Positive, {"low": 2, "high": 1}, "low is above high"),
    (tuple[int, str], [1], "a list of 2 values"),
    (dict[str, int], {"a": "x"}, 'Thing, "a": Each entry of Thing is a whole number'),
    (dict[str, int], [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "in it twice"),
    (dict[str, int], [{"key": " ", "value": "1"}], "a value and no name"),
    (dict[str, int], [1], "names with their values"),
    (HttpUrl, "example.org", "begins with http:// or https://"),
    (HttpUrl, "ftp://example.org", "http://"),
    (HttpUrl, "javascript:alert(1)", "http://"),
    (HttpUrl, "http://exam\nple.org", "http://"),
    (HttpUrl, "https://u@example.org", "without a user name"),
    (EmailStr, "a@b", "name@example.org"),
    (EmailStr, "a..b@example.org", "name@example.org"),
    (EmailStr, "a@example.org, b@example.org", "name@example.org"),
    (PositiveInt, "0", "Thing is more than 0; 0 was not taken."),
    (Annotated[int, Ask(options=[])], "1", "no choice is left"),
]


@pytest.mark.parametrize(("annotation", "raw", "words"), REFUSED, ids=numbered(REFUSED))
def test_refuses(annotation: Any, raw: Any, words: str) -> None:
    text = reason(annotation, raw)
    assert words in text
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 300


LIMITED: list[tuple[Any, Any, str]] = [
    (
        Annotated[float, Ask("A pause", ge=0, unit="seconds")],
        "-1",
        "A pause is 0 seconds or more; -1 was not taken.",
    ),
    (Annotated[int, Ask(ge=1, le=20, unit="letters")], 21, "Thing is 1 to 20 letters; 21 was not taken."),
    (Annotated[int, Ask(gt=1, lt=5)], 5, "Thing is more than 1 and less than 5; 5 was not taken."),
    (Annotated[int, Ask(gt=1, le=5)], 6, "Thing is more than 1 and at most 5; 6 was not taken."),
    (Annotated[int, Ask(ge=1, lt=5)], 5, "Thing is at least 1 and less than 5; 5 was not taken."),
    (Annotated[int, Ask(le=5)], "6", "Thing is 5 or less; 6 was not taken."),
    (
        Annotated[date, Ask(ge=date(2026, 1, 1))],
        "2025-12-31",
        "Thing is 2026-01-01 or later; 2025-12-31 was not taken.",
    ),
    (Annotated[str, Ask(min_length=3)], "ab", "Thing has at least 3 characters; 2 were given."),
    (Annotated[str, Ask(max_length=1)], "ab", "Thing has at most 1 character; 2 were given."),
    (Annotated[list[int], Ask(min_length=2, ge=1)], "1", "Thing has at least 2 entries; 1 was given."),
    (
        Annotated[list[int], Ask(min_length=2, ge=1)],
        "1\n0",
        "Each entry of Thing is 1 or more; 0 was not taken.",
    ),
    (
        Annotated[list[str], Ask(max_length=1, options=["a", "b"])],
        ["a", "b"],
        "Thing has at most 1 entry; 2 were given.",
    ),
    (Annotated[str, Ask(pattern="[a-z]+", example="abc")], "ab1", 'such as abc; "ab1" was not taken.'),
    (Annotated[int, PydanticField(ge=2, le=4)], 5, "Thing is 2 to 4; 5 was not taken."),
    (Annotated[int, annotated_types.Interval(ge=2)], 1, "Thing is 2 or more; 1 was not taken."),
    (Annotated[float, Ask(ge=1, unit="euros")], 0, "Thing is 1 euro or more; 0 was not taken."),
    (Annotated[int, Ask(le=1, unit="copies")], 2, "Thing is 1 copy or less; 2 was not taken."),
    (Annotated[int, Ask(gt=1, unit="pages")], 1, "Thing is more than 1 page; 1 was not taken."),
    (Annotated[int, Ask(ge=0, le=1, unit="boxes")], 2, "Thing is 0 to 1 box; 2 was not taken."),
    (Annotated[int, Ask(ge=1, unit="pages per minute")], 0, "1 page per minute or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="degrees Celsius")], 0, "1 degree Celsius or more; 0 was not taken."),
    (Annotated[float, Ask(ge=1, unit="ms")], 0, "Thing is 1 ms or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="series")], 0, "Thing is 1 series or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="lens")], 0, "Thing is 1 lens or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="lenses")], 0, "Thing is 1 lens or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="litres of gas")], 0, "Thing is 1 litre of gas or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="gas")], 0, "Thing is 1 gas or more; 0 was not taken."),
    (Annotated[int, Ask(ge=1, unit="expenses")], 0, "Thing is 1 expense or more; 0 was not taken."),
    (Annotated[int, Ask(ge=11, unit="pages")], 0, "Thing is 11 pages or more; 0 was not taken."),
    (Annotated[str, annotated_types.Len(2, 3)], "a", "Thing has 2 to 3 characters; 1 was given."),
    (Annotated[Secret, Ask(min_length=8)], "hunter2", "Thing has at least 8 characters."),
]


@pytest.mark.parametrize(("annotation", "raw", "words"), LIMITED)
def test_limits_say_what_is_allowed(annotation: Any, raw: Any, words: str) -> None:
    assert reason(annotation, raw).endswith(words)


def test_a_time_with_a_zone_is_not_compared_with_one_without() -> None:
    limited = Annotated[datetime, Ask(ge=datetime(2026, 1, 1))]
    assert "or later" in reason(limited, "2026-11-21T10:30Z")
    assert judged(limited, "2026-11-21T10:30") == datetime(2026, 11, 21, 10, 30)


def test_other_metadata_goes_through_pydantic() -> None:
    def even(value: int) -> int:
        if value % 2:
            raise ValueError("an even number is needed")
        return value

    assert judged(Annotated[int, AfterValidator(even)], "4") == 4
    assert reason(Annotated[int, AfterValidator(even)], "3") == "Thing: an even number is needed."
    assert (
        reason(list[Annotated[int, AfterValidator(even)]], "2\n3")
        == "Each entry of Thing: an even number is needed."
    )


def test_offered_restricts_and_gives_the_canonical_value() -> None:
    assert judged(str, "B", offered=None) == "B"
    free = Annotated[str, Ask(options=lambda: ["never called"])]
    assert judged(free, "anything") == "anything"
    assert judged(free, " TWO ", offered=["one", "two"]) == "two"
    assert (
        reason(free, "three", offered=["one", "two"]) == 'Thing is one of: one, two; "three" was not taken.'
    )
    assert judged(Annotated[list[int], Ask(options=lambda: [])], "2\n1", offered=[1, 2]) == [2, 1]
    assert judged(Annotated[date, Ask(options=lambda: [])], "2026-01-02", offered=["2026-01-02"]) == date(
        2026, 1, 2
    )
    narrowed = Annotated[Kind, Ask(options=lambda: [])]
    assert judged(narrowed, "book", offered=["book"]) is Kind.BOOK
    assert reason(narrowed, "page", offered=["book"]).startswith("Thing is one of: book;")


def test_uploads_come_from_the_sessions_files_only(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "files" / "a.txt").write_text("hello", "utf-8")
    (tmp_path / "files" / "link.txt").symlink_to(tmp_path / "secrets.json")
    place = Place(files=tmp_path / "files")
    text = Annotated[Upload, Ask(accept=".txt, .MD")]
    for raw in ("a.txt", {"file": "a.txt"}, '{"file": "a.txt"}'):
        found = judged(text, raw, place=place)
        assert (found.read_text(), found.name, found.suffix, to_json(found)) == (
            "hello", "a.txt", ".txt", {"file": "a.txt"}
        )  # fmt: skip
    for bad in ("../secrets.json", str(tmp_path / "secrets.json"), "link.txt", "b.txt", ".", "..", "x" * 300):
        assert "there is no" in reason(Upload, bad, place=place)
    assert "there is no" in reason(Upload, "a.txt")
    (tmp_path / "files" / "a.csv").write_text("")
    assert (
        reason(text, "a.csv", place=place) == 'Thing is a file that ends in .txt, .md; "a.csv" was not taken.'
    )
    assert [u.name for u in judged(list[Upload], ["a.txt"], place=place)] == ["a.txt"]


def test_a_secret_is_never_shown() -> None:
    field = make_field("key", Annotated[Secret, Ask(pattern="[a-z]+", min_length=5)])
    place = Place(secrets={"key": "abcdef"})
    value = judge(field, " hunter \n")
    assert value == "hunter"
    assert "hunter" not in repr(value) + repr([value]) + repr(place)
    assert "abcdef" not in repr(place)
    assert to_json(value) == {"secret": True}
    assert judge(field, {"secret": True}, place=place) == "abcdef"
    with pytest.raises(Refused, match="enter it again"):
        judge(field, {"secret": True})
    for raw in ("HUNTER2", "hnt2", "HUNTER2\0", ["HUNTER2"], {"secret": "HUNTER2"}, "HUNTER2" * 100_000):
        with pytest.raises(Refused) as caught:
            judge(field, raw)
        error = caught.value
        assert error.value is None
        assert error.__context__ is None
        assert "HUNTER2" not in "".join(traceback.format_exception(error)).split("Refused")[-1]


def test_a_password_in_an_address_stays_out_of_the_refusal() -> None:
    for raw in ("https://jo:hunter2@example.org", "https://jo:hunter2@", "ftp://jo:hunter2@example.org"):
        for annotation, given_raw in ((HttpUrl, raw), (list[HttpUrl], [raw])):
            with pytest.raises(Refused) as caught:
                judge(make_field("page", annotation), given_raw)
            assert "hunter2" not in str(caught.value)
            assert caught.value.value is None
            assert caught.value.__context__ is None


NOT_FIELDS: list[tuple[Any, str]] = [
    (Path, "Upload for a file"),
    (object, "cannot be asked for"),
    (Annotated[str, Secret()], "is a type, not a mark"),
    (Annotated[str, Secret], "is a type, not a mark"),
    (int | str, "one of several types"),
    (list, "say what is in the list"),
    (dict, "say what is in the dict"),
    (bytes, "cannot be asked for"),
    (list[Secret], "a Secret is a parameter by itself"),
    (set[Size], "set are single values"),
    (dict[Size, int], "keys of a dict"),
    (Literal[1, "1"], "no two may read the same"),
    (Annotated[str, Ask(ge=1)], "for numbers"),
    (Annotated[int, Ask(pattern="x")], "for text"),
    (Annotated[int, Ask(min_length=1)], "for text and lists"),
    (Annotated[str, Ask(pattern="(")], "not valid"),
    (Annotated[bool, Ask(options=[True])], "options are for"),
    (Annotated[int, Ask(default="x")], "default"),
    (Annotated[int, Ask(ge=5, default=3)], "5 or more; 3 was not taken"),
    (Any, "cannot be asked for"),
    (Annotated[Secret, Ask(default="hunter2")], "a secret has no default"),
    (Annotated[int, Ask(ge="1")], "is not of its type"),
    (Annotated[date, Ask(ge=datetime(2026, 1, 1))], "is not of its type"),
    (Annotated[list[str], Ask(ge=1)], "for numbers"),
    (Annotated[Kind, Ask(aliases={"novel": "novella"})], "the alias 'novel' means what is refused"),
    (FtpUrl, "cannot be asked for"),
]


@pytest.mark.parametrize(("annotation", "words"), NOT_FIELDS)
def test_what_cannot_be_a_field_says_so(annotation: Any, words: str) -> None:
    with pytest.raises(TypeError, match="thing") as caught:
        make_field("thing", annotation)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_limits_of_a_list_are_those_of_its_entries_but_for_its_length() -> None:
    one = make_field("n", Annotated[dict[str, int], Ask(ge=1, max_length=1)])
    assert judge(one, {"a": "1"}) == {"a": 1}
    with pytest.raises(Refused, match="1 or more; 0 was"):
        judge(one, {"a": 0})
    with pytest.raises(Refused, match="at most 1 entry; 2 were"):
        judge(one, {"a": 1, "b": 2})


class Tree(BaseModel):
    name: str
    children: "list[Tree]" = []


def test_a_model_that_contains_itself_is_refused() -> None:
    with pytest.raises(TypeError, match="contains itself"):
        make_field("tree", Tree)


def test_a_default_is_what_it_would_be_if_somebody_gave_it() -> None:
    assert repr(make_field("height", float, 90).default) == "90.0"
    assert repr(make_field("heights", list[float], [1, 2]).default) == "[1.0, 2.0]"
    assert make_field("note", str | None, None).default is None


def test_defaults() -> None:
    assert make_field("n", int, 4).default == 4
    assert make_field("n", Annotated[int, Ask(default=4)]).default == 4
    assert make_field("n", int, None).optional
    with pytest.raises(TypeError, match="given twice"):
        make_field("n", Annotated[int, Ask(default=4)], 5)
    with pytest.raises(TypeError, match="one of: page, book"):
        make_field("n", Annotated[str, Ask(options=["page", "book"])], "x")


# laws

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)
words = texts.map(str.strip)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
sizes = st.builds(Size, st.integers(1, 10**9), st.integers())
layers = st.builds(
    Layer, title=words.filter(lambda t: not t.isupper()), size=st.none() | sizes, tags=st.lists(words),
    when=st.none() | st.dates(),
)  # fmt: skip
zones = st.none() | st.just(UTC)
urls = st.builds(
    lambda host, path: HttpUrl(f"https://{host}.example/{path}"),
    st.from_regex(r"[a-z]([a-z0-9]{0,10})", fullmatch=True),
    st.text("abcXYZ09-_~%äß/.?=&#:", max_size=12),
)
SINGLE_VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, words),
    (Annotated[str, Ask(long=True)], texts),
    (int, st.integers()),
    (float, floats),
    (Decimal, decimals),
    (bool, st.booleans()),
    (date, st.dates()),
    (datetime, st.datetimes(timezones=zones)),
    (time, st.times()),
    (Literal["a", "A", 1, True], st.sampled_from(["a", "A", 1, True])),
    (Kind, st.sampled_from(Kind)),
    (Level, st.sampled_from(Level)),
    (Shape, st.sampled_from(Shape)),
    (HttpUrl, urls),
    (int | None, st.none() | st.integers()),
    (Annotated[float, Ask(options=[0.1, 2.0])], st.sampled_from([0.1, 2.0])),
    (bool | None, st.sampled_from([None, True, False])),
    (Annotated[date, Ask(options=[date(2026, 1, 1)])], st.just(date(2026, 1, 1))),
]
SEVERAL: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (list[str], st.lists(words)),
    (list[int], st.lists(st.integers())),
    (set[float], st.sets(floats)),
    (frozenset[Kind], st.frozensets(st.sampled_from(Kind))),
    (list[Shape], st.lists(st.sampled_from(Shape))),
    (list[date], st.lists(st.dates())),
    (tuple[int, str], st.tuples(st.integers(), words)),
    (tuple[time, ...], st.lists(st.times()).map(tuple)),
    (dict[str, int], st.dictionaries(words.filter(bool), st.integers())),
    (dict[Kind, list[str]], st.dictionaries(st.sampled_from(Kind), st.lists(words))),
    (dict[int, date], st.dictionaries(st.integers(), st.dates())),
    (Size, sizes),
    (Layer, layers),
    (list[Layer], st.lists(layers, max_size=3)),
    (dict[str, Layer], st.dictionaries(words.filter(bool), layers, max_size=2)),
    (list[list[int]], st.lists(st.lists(st.integers(), max_size=3), max_size=3)),
    (list[int | None], st.lists(st.none() | st.integers())),
    (list[HttpUrl], st.lists(urls, max_size=3)),
    (
        Annotated[list[str], Ask(options=["x", "y, z", "[1]"])],
        st.lists(st.sampled_from(["x", "y, z", "[1]"])),
    ),
]


def _cases(kinds: list[tuple[Any, st.SearchStrategy[Any]]]) -> st.SearchStrategy[tuple[Any, Any]]:
    made = [(make_field("thing", annotation), values) for annotation, values in kinds]
    return st.one_of([st.tuples(st.just(field), values) for field, values in made])


@settings(bounded, max_examples=600)
@given(_cases(SINGLE_VALUES + SEVERAL))
def test_a_value_comes_back_from_the_log(case: tuple[Any, Any]) -> None:
    field, value = case
    stored = json.loads(json.dumps(to_json(value), allow_nan=False))
    found = judge(field, stored)
    assert found == value
    assert type(found) is type(value)


@settings(bounded, max_examples=400)
@given(_cases(SINGLE_VALUES + SEVERAL))
def test_a_value_comes_back_from_its_text(case: tuple[Any, Any]) -> None:
    field, value = case
    found = judge(field, as_text(field, to_json(value)))
    assert found == value
    assert type(found) is type(value)


odd_texts = st.sampled_from(
    ["", " ", "null", "nan", "[", "{}", "[]", "[null]", "1e999", "9" * 5000, "\0", "\ud800", "[" * 10_000,
     "-0", "true", "http://[", "http://a:b@c", "@", "page", '{"width": 1}', "2026-02-30", "1",
     "\u2028", "\u0130"]
)  # fmt: skip
keys = st.text(max_size=3) | st.sampled_from(
    ["width", "title", "size", "file", "key", "value", "low", "high"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | odd_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@settings(bounded, max_examples=200)
@given(anything)
def test_the_judge_raises_nothing_but_refused(raw: Any) -> None:
    check_all(raw)


@pytest.mark.parametrize(
    "name", ["deep", "deep text", "huge", "huge inside", "surrogate inside", "surrogate as name", "not JSON"]
)
def test_nor_does_it_for_what_is_too_deep_or_too_large(name: str) -> None:
    raws = {
        "deep": deep(50_000),
        "deep text": "[" * 100_000,
        "huge": 10**5000,
        "huge inside": {"width": 10**5000, "title": [10**5000]},
        "surrogate inside": {"width": ["\ud800"], "\udfff": 1},
        "surrogate as name": {"file": "\ud800"},
        "not JSON": object(),
    }
    check_all(raws[name])


@pytest.mark.parametrize("raw", [1.0926528142006617e-299, 5e-324, 1.7e308, -0.0, 1e99])
def test_nor_for_numbers_at_the_ends(raw: float) -> None:
    check_all(raw)


def check_all(raw: Any) -> None:
    """Every field takes it, and then again from its JSON, or refuses it in words that the log can hold."""
    for one in FIELDS:
        try:
            value = judge(one, raw)
        except Refused as refused:
            json.dumps(refused.value, allow_nan=False, ensure_ascii=False).encode()
            refused.reason.encode()
            assert len(refused.reason) < 1000
        else:
            if one.kind != "secret":
                assert judge(one, to_json(value)) == value


def test_a_refused_value_is_kept_as_it_was_where_it_can_be() -> None:
    for raw in ({"wïdth 😀": [1, None]}, "x", 12.5, True):
        with pytest.raises(Refused) as caught:
            judge(make_field("thing", Kind), raw)
        assert caught.value.value == raw

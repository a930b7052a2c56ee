"""Words without a model: what is grounded in them, and which values they say."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import HttpUrl

from assistant.parameters import Ask, Field, make_field
from assistant.words import find, find_days, grounded, may_hold, split

TODAY = date(2026, 11, 21)  # a Saturday
SECTIONS = ["tutorial", "library", "c-api", "whatsnew"]


def make(**annotations: Any) -> dict[str, Field]:
    return {name: make_field(name, annotation) for name, annotation in annotations.items()}


FIELDS = make(
    source=Annotated[Literal["site", "csv"], Ask("Source")],
    start=Annotated[HttpUrl, Ask("First page")],
    depth=Annotated[int, Ask("Clicks deep", unit="clicks", ge=0, le=10)],
    limit=Annotated[int, Ask("At most", unit="pages", ge=1)],
    delay=Annotated[float, Ask("Pause", unit="seconds", ge=0)],
    parallel=Annotated[int, Ask("Requests at once", ge=1)],
    robots=Annotated[bool, Ask("Obey robots.txt")],
    sections=Annotated[list[str], Ask("Sections", options=lambda: SECTIONS)],
    include=Annotated[list[str], Ask("Only addresses with")],
    exclude=Annotated[list[str], Ask("Leave out")],
    colour=Annotated[Literal["section", "depth", "degree"], Ask("Colour by")],
)
MORE = make(
    keep=Annotated[int, Ask("Keep for", unit="days")],
    shift=Annotated[int, Ask("Shift")],
    price=Annotated[Decimal, Ask("Price")],
    share=Annotated[float, Ask("Share", ge=0, le=1)],
    title=Annotated[str, Ask("Title")],
    note=Annotated[str | None, Ask("Note")],
    day=Annotated[date, Ask("Day")],
    at=Annotated[datetime, Ask("When")],
    hour=Annotated[time, Ask("Hour")],
    format=Annotated[
        Literal["png", "svg"], Ask("Picture", aliases={"bitmap": "png", "vector graphic": "svg"})
    ],
    sizes=Annotated[list[int], Ask("Sizes")],
    pair=Annotated[tuple[int, int], Ask("Pair")],
    who=Annotated[dict[str, int], Ask("Points")],
    level=Annotated[Literal[1, 2, 3], Ask("Level")],
)
ALL = FIELDS | MORE
START = "http://127.0.0.1:8000/"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("start", START, "crawl http://127.0.0.1:8000 please"),
        ("start", START, "it is at 127.0.0.1:8000"),
        ("start", "https://docs.python.org/3/", "take https://docs.python.org/3."),
        ("start", "https://example.org/", "the site is Example.org"),
        ("depth", 2, "two clicks deep"),
        ("depth", 2, "twice"),
        ("depth", 3, "depth=3"),
        ("depth", 10, "ten clicks"),
        ("limit", 200, "two hundred pages"),
        ("limit", 250, "two hundred and fifty"),
        ("limit", 2000, "at most 2k"),
        ("limit", 1250, "1,250 pages"),
        ("limit", 12, "a dozen pages"),
        ("limit", 1500000, "1.5 million"),
        ("limit", 25, "twenty-five pages"),
        ("limit", 6, "half a dozen"),
        ("limit", 200, "a 200-page crawl"),
        ("delay", 0.5, "half a second"),
        ("delay", 120, "wait two minutes"),
        ("delay", 1.5, "one and a half seconds"),
        ("delay", 0.3, "300ms"),
        ("delay", 0, "no pause at all"),
        ("delay", 0.5, "0,5"),
        ("keep", 7, "keep it for a week"),
        ("keep", 14, "two weeks"),
        ("shift", -3, "shift it by -3"),
        ("shift", -3, "minus three"),
        ("price", "1250.50", "it costs 1,250.50"),
        ("share", 0.5, "50%"),
        ("share", 0.5, "half"),
        ("robots", False, "don't obey robots"),
        ("robots", False, "ignore robots.txt"),
        ("robots", False, "without robots please"),
        ("robots", False, "turn off robots.txt"),
        ("robots", False, "no"),
        ("robots", True, "yes, please"),
        ("robots", True, "do obey robots.txt"),
        ("robots", True, "don't ignore robots.txt"),
        ("source", "csv", "take the CSV"),
        ("source", "csv", "the second one"),
        ("source", "csv", "the other one"),
        ("source", "csv", "not the site"),
        ("sections", ["tutorial", "library"], "just the tutorial and the libary"),
        ("sections", ["c-api"], "the C API"),
        ("sections", SECTIONS, "all of them"),
        ("sections", ["tutorial", "library", "c-api"], "all but whatsnew"),
        ("sections", ["whatsnew"], "the last one"),
        ("sections", ["tutorial", "library"], "the first two"),
        ("sections", [], "none"),
        ("include", ["/docs", "/api"], "include /docs and /api"),
        ("exclude", [], "leave it empty"),
        ("note", None, "nothing"),
        ("title", "My Graph", "call it “my  graph”!"),
        ("day", "2026-05-03", "on 2026-05-03"),
        ("day", "2026-05-03", "3 May 2026"),
        ("day", "2027-05-03", "May 3rd"),
        ("day", "2026-11-22", "tomorrow"),
        ("day", "2026-11-20", "yesterday"),
        ("day", "2026-11-27", "next Friday"),
        ("day", "2026-12-05", "in two weeks"),
        ("at", "2026-05-03T14:30:00", "3 May 2026 at 2:30 pm"),
        ("hour", "14:30:00", "at 14:30"),
        ("format", "png", "a bitmap"),
        ("format", "svg", "as vector graphic"),
        ("sizes", [1, 20], "1 and twenty"),
        ("sizes", [4, 5], "4,5"),
        ("delay", 1.5, "a pause of 1,5 seconds"),
        ("pair", [3, 4], "3 by 4"),
        ("who", {"anna": 3}, "Anna got 3"),
        ("level", 2, "level two please, 2"),
    ],
)
def test_is_grounded(name: str, value: Any, words: str) -> None:
    offered = SECTIONS if name == "sections" else None
    assert grounded(ALL[name], value, [words], offered, today=TODAY)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("limit", 8000, "crawl http://127.0.0.1:8000"),
        ("depth", 3, "python3 and web-3 and v1.3.7"),
        ("depth", 3, "deep"),
        ("depth", 3, "not 3"),
        ("depth", 3, "4 instead of 3"),
        ("depth", 1, "the second one"),
        ("depth", 2, "the second one"),
        ("depth", 5, "wait 5 seconds"),
        ("delay", 2, "two minutes"),
        ("delay", 0, "no limit"),
        ("limit", 0, "no limit"),
        ("limit", 5, "12,5 pages"),
        ("delay", 5, "1,5 seconds"),
        ("price", 1.25, "1.250,50"),
        ("limit", 200, "twenty pages"),
        ("start", "https://example.org/", "http://example.org/"),
        ("start", "https://example.org/", "https://example.org/docs"),
        ("start", "https://example.org/", "some site"),
        ("source", "csv", "not csv"),
        ("source", "csv", "the first one"),
        ("sections", ["tutorial", "library"], "the tutorial"),
        ("sections", SECTIONS, "the tutorial"),
        ("sections", ["whatsnew"], "all but whatsnew"),
        ("sections", [], "the tutorial"),
        ("exclude", [], "depth 3"),
        ("note", None, "depth 3"),
        ("robots", True, "depth 3"),
        ("robots", False, "what is robots.txt"),
        ("robots", True, "ignore robots.txt"),
        ("title", "graph", "photographs"),
        ("title", "My great graph", "my graph"),
        ("day", "2026-05-03", "3 June 2026"),
        ("day", "2026-11-22", "today"),
        ("hour", "15:30:00", "14:30"),
        ("format", "png", "a vector graphic"),
        ("pair", [3, 5], "3 by 4"),
        ("who", {"anna": 3}, "Bob got 3"),
    ],
)
def test_is_not_grounded(name: str, value: Any, words: str) -> None:
    offered = SECTIONS if name == "sections" else None
    assert not grounded(ALL[name], value, [words], offered, today=TODAY)


@pytest.mark.parametrize(
    "words",
    ["depth 3", "three", "a dozen", "the tutorial", "csv?", "don't obey", "http://x.example", "all of them",
     "the second one", "as by default", "the depth, then", "a week", "My first graph", "tomorrow",
     "a minute"],
)  # fmt: skip
def test_words_that_may_hold_a_value(words: str) -> None:
    assert may_hold(list(ALL.values()), words, {"sections": SECTIONS})


@pytest.mark.parametrize(
    "words",
    ["hello", "Good morning!", "thank you very much", "ok", "what is this?", "tell me a joke", "why?",
     "how are you", ""],
)  # fmt: skip
def test_words_that_hold_none(words: str) -> None:
    assert not may_hold(list(ALL.values()), words, {"sections": SECTIONS})


def test_words_hold_no_text_where_no_text_is_asked() -> None:
    assert may_hold([ALL["depth"], ALL["title"]], "I like trains")
    assert not may_hold([ALL["depth"], ALL["limit"]], "I like trains")


def test_a_recent_message_counts_too() -> None:
    assert grounded(ALL["depth"], 3, ["three clicks", "go on"])
    assert grounded(ALL["sections"], ["tutorial", "library"], ["the tutorial", "also the library"], SECTIONS)
    assert not grounded(
        ALL["sections"], ["tutorial", "c-api"], ["the tutorial", "also the library"], SECTIONS
    )


def said(
    words: str, expecting: str | None = None, values: dict[str, Any] | None = None, fields: Any = FIELDS
) -> Any:
    found = find(list(fields.values()), words, {"sections": SECTIONS}, expecting, values, today=TODAY)
    return {item.name: item.raw for item in found}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (
            "crawl http://127.0.0.1:8000 two clicks deep, at most 200 pages",
            {"start": "http://127.0.0.1:8000", "depth": 2, "limit": 200},
        ),
        ("depth 3", {"depth": 3}),
        ("depth: 3", {"depth": 3}),
        ("depth=3", {"depth": 3}),
        ("Set the depth to 3, please.", {"depth": 3}),
        ("can you set the depth to 3?", {"depth": 3}),
        ("change the depth from 2 to 3", {"depth": 3}),
        ("I'd like a depth of three", {"depth": 3}),
        ("three clicks", {"depth": 3}),
        ("3 levels deep", {"depth": 3}),
        ("3 for the depth", {"depth": 3}),
        ("depth 3 and limit 50", {"depth": 3, "limit": 50}),
        ("depth 3, limit 50, 4 requests at once", {"depth": 3, "limit": 50, "parallel": 4}),
        ("limit it to 2k pages", {"limit": 2000}),
        ("up to 1,000 pages", {"limit": 1000}),
        ("no more than 300 pages", {"limit": 300}),
        ("at most 2 clicks", {"depth": 2}),
        ("max depth 4", {"depth": 4}),
        ("at most 40", {"limit": 40}),
        ("wait 5 seconds", {"delay": 5}),
        ("a pause of half a second", {"delay": 0.5}),
        ("pause two minutes between pages", {"delay": 120}),
        ("pause 0.2", {"delay": 0.2}),
        ("no pause", {"delay": 0}),
        ("depth 3, no, 4", {"depth": 4}),
        ("depth 3. Sorry, depth 4", {"depth": 4}),
        ("not 3 but 4 clicks", {"depth": 4}),
        ("don't obey robots.txt", {"robots": False}),
        ("ignore robots and use depth 2", {"robots": False, "depth": 2}),
        ("obey robots", {"robots": True}),
        ("robots: no", {"robots": False}),
        ("csv", {"source": "csv"}),
        ("source csv", {"source": "csv"}),
        ("use the csv please", {"source": "csv"}),
        ("just the tutorial and the library", {"sections": ["tutorial", "library"]}),
        ("only the libary", {"sections": ["library"]}),
        ("all sections", {"sections": SECTIONS}),
        ("everything except whatsnew", {"sections": ["tutorial", "library", "c-api"]}),
        ("colour by depth", {"colour": "depth"}),
        ("colour: depth, depth 3", {"colour": "depth", "depth": 3}),
        ("include /docs and /api, depth 2", {"include": ["/docs", "/api"], "depth": 2}),
        ("exclude: /blog, *.pdf", {"exclude": ["/blog", "*.pdf"]}),
        ("leave exclude empty", {"exclude": []}),
        ("depth 2. What does the limit mean?", {"depth": 2}),
        ("depth 2, and what does a pause of 3 do?", {"depth": 2}),
        ("docs.python.org please, depth 1", {"start": "docs.python.org", "depth": 1}),
        ("start: https://docs.python.org/3/", {"start": "https://docs.python.org/3/"}),
    ],
)
def test_finds(words: str, values: dict[str, Any]) -> None:
    assert said(words) == values


@pytest.mark.parametrize(
    "words",
    [
        "should depth be 3?",
        "is a depth of 3 enough?",
        "what if depth was 3",
        "what about 3 clicks?",
        "maybe depth 3",
        "I'm not sure whether depth 3 is good",
        "don't set depth to 3",
        "42",
        "2 or 3 clicks",
        "between 3 and 5 clicks",
        "depth 3-5",
        "more than 3 clicks",
        "depth 3, depth 4",
        "depth 3 pages",
        "tell me about robots.txt",
        "my site is slow",
        "the site or the csv",
        "site, csv",
        "not csv or so",
        "wait a second",
        "I have 3 questions",
        "there are 3 dogs in my garden",
        "python3 is nice",
        "hello there",
        "the depth matters",
        "colour is nice and section too",
        "why 3?",
        "step 2",
        "without the tutorial",
        "no",
        "yes",
        "nothing",
        "",
        "???",
        "\u0000\ud800 ☃ \U0001d7db",
        "http://a.example http://b.example",
        "it took 5",
    ],
)
def test_invents_nothing(words: str) -> None:
    assert said(words) == {}


@pytest.mark.parametrize(
    ("words", "expecting", "values", "found"),
    [
        ("42", "limit", {}, {"limit": 42}),
        ("2k", "limit", {}, {"limit": 2000}),
        ("twelve, please", "limit", {}, {"limit": 12}),
        ("no, I meant 3", "depth", {"depth": 2}, {"depth": 3}),
        ("make that 5", "depth", {"depth": 2}, {"depth": 5}),
        ("sorry, 0.5", "delay", {"delay": 2}, {"delay": 0.5}),
        ("rather 4", "depth", {}, {"depth": 4}),
        ("42 and 43", "limit", {}, {}),
        ("42", "start", {}, {}),
        ("http://x.example", "depth", {}, {"start": "http://x.example"}),
        ("no", "robots", {}, {"robots": False}),
        ("yes please", "robots", {}, {"robots": True}),
        ("the second one", "source", {}, {"source": "csv"}),
        ("the second one", "sections", {}, {"sections": ["library"]}),
        ("the first and the last", "sections", {}, {"sections": ["tutorial", "whatsnew"]}),
        ("the first two", "sections", {}, {"sections": ["tutorial", "library"]}),
        ("all of them", "sections", {}, {"sections": SECTIONS}),
        ("none", "sections", {}, {"sections": []}),
        ("the other one", "source", {"source": "site"}, {"source": "csv"}),
        ("depth", "colour", {}, {"colour": "depth"}),
        ("also the library", None, {"sections": ["tutorial"]}, {"sections": ["tutorial", "library"]}),
        ("without the tutorial", None, {"sections": ["tutorial", "library"]}, {"sections": ["library"]}),
        ("make that https", None, {"start": START}, {"start": "https://127.0.0.1:8000/"}),
        ("leave it empty", "exclude", {}, {"exclude": []}),
        ("no, csv", "source", {"source": "site"}, {"source": "csv"}),
        ("should it be 42?", "limit", {}, {}),
        ("I have 42 cats", "limit", {}, {}),
    ],
)
def test_finds_what_is_expected(
    words: str, expecting: str, values: dict[str, Any], found: dict[str, Any]
) -> None:
    assert said(words, expecting, values) == found


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("only the tutorial", {"sections": ["tutorial"]}),
        ("only: the tutorial", {"only": ["the tutorial"]}),
        ("only /docs", {"only": ["/docs"]}),
        ("only Mondays please", {}),
    ],
)
def test_a_label_that_is_a_little_word_needs_more_than_words_behind_it(
    words: str, values: dict[str, Any]
) -> None:
    only = make(only=Annotated[list[str], Ask("Only")])["only"]
    assert said(words, fields={"sections": FIELDS["sections"], "only": only}) == values


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("bitmap for the talk", {"format": "png"}),
        ("the talk needs no bitmap", {}),
        ("keep for a week", {"keep": 7}),
        ("title: My first graph", {"title": "My first graph"}),
        ('set the title to "A, b and c"', {"title": "A, b and c"}),
        ("title is Links of 2026, format vector graphic", {"title": "Links of 2026", "format": "svg"}),
        ("level 2", {"level": "2"}),
        ("shift -4", {"shift": -4}),
        ("price 1,250.50", {"price": "1250.5"}),
        ("price 1.250,50", {"price": "1250.5"}),
        ("price 1'250", {"price": "1250"}),
        ("share 0,25", {"share": 0.25}),
        ("price 1,5", {"price": "1.5"}),
        ("keep 12,5 days", {}),
        ("keep 1,2,3 days", {}),
        ("price 1,00,000", {}),
        ("share 50%", {"share": 0.5}),
    ],
)
def test_finds_other_kinds(words: str, values: dict[str, Any]) -> None:
    fields = {name: field for name, field in MORE.items() if field.kind not in ("date", "datetime", "time")}
    assert said(words, fields=fields) == values


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("on 3 May 2026", {"day": "2026-05-03"}),
        ("tomorrow", {"day": "2026-11-22"}),
        ("May 3rd at 14:30", {"day": "2027-05-03", "hour": "14:30:00"}),
        ("next Friday", {}),
        ("on Friday", {"day": "2026-11-27"}),
        ("this Friday", {"day": "2026-11-27"}),
        ("this coming Saturday", {"day": "2026-11-28"}),
        ("next Saturday", {"day": "2026-11-28"}),
        ("last Saturday", {"day": "2026-11-14"}),
        ("Saturday", {}),
        ("this Saturday", {}),
        ("Friday next week", {"day": "2026-11-27"}),
        ("Friday, 4 December", {"day": "2026-12-04"}),
        ("Friday the 4th of December 2026", {"day": "2026-12-04"}),
        ("2026-12-04, a Friday", {"day": "2026-12-04"}),
        ("4 December (Friday)", {"day": "2026-12-04"}),
        ("Monday 4 December", {}),
        ("a week on Friday", {}),
        ("two weeks on Friday", {}),
        ("03/05/2026", {}),
        ("31 February 2026", {}),
    ],
)
def test_finds_days(words: str, values: dict[str, Any]) -> None:
    assert said(words, fields={name: MORE[name] for name in ("day", "hour")}) == values


@pytest.mark.parametrize(
    ("words", "now", "value"),
    [
        ("2 more", 5, 7),
        ("two clicks less", 5, 3),
        ("a click deeper", 5, 6),
        ("another click", 5, 6),
        ("increase the depth by 3", 5, 8),
        ("double it", 5, 10),
        ("half of that", 6, 3),
        ("make it three times as deep", 2, 6),
        ("20% more", 5, 6),
    ],
)
def test_by_how_much_is_counted_from_what_stands(words: str, now: int, value: int) -> None:
    depth = ALL["depth"]
    (item,) = find([depth, ALL["limit"]], words, values={"depth": now}, recent="depth")
    assert (item.name, item.raw) == ("depth", value)
    assert grounded(depth, value, [words], now=now)
    assert not grounded(depth, value + 1, [words], now=now)
    assert not find([depth, ALL["limit"]], words, recent="depth")  # nothing to count from


@pytest.mark.parametrize(
    ("words", "now", "value"),
    [
        ("2 more", 5, 2),
        ("a bit less", 5, 4),
        ("a little more", 5, 6),
        ("not 2 more", 5, 7),
        ("three times more", 2, 6),
        ("once more", 2, 3),
    ],
)
def test_by_how_much_is_not_how_much(words: str, now: int, value: int) -> None:
    assert not grounded(ALL["depth"], value, [words], now=now)
    assert not find([ALL["depth"]], words, values={"depth": now}, recent="depth") or words == "2 more"


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("40 wide", {"width": 40}),
        ("40 cm high and 30 cm wide", {"height": 40, "width": 30}),
        ("it is 5 deep", {}),
        ("40 wide margins", {}),
        ("30 by 40", {}),
        ("width 30 by 40", {"width": 30, "height": 40}),
        ("width x height 30x40", {"width": 30, "height": 40}),
        ("30 x 40 copies", {}),
        ("100 cm or so more", {}),
    ],
)
def test_finds_sides(words: str, values: dict[str, Any]) -> None:
    width, height = Annotated[int, Ask("Width", unit="cm")], Annotated[int, Ask("Height", unit="cm")]
    assert said(words, fields=make(width=width, height=height)) == values


@pytest.mark.parametrize(
    ("words", "today", "days"),
    [
        ("next Friday", date(2026, 11, 21), ["2026-11-27", "2026-12-04"]),
        ("next Friday", date(2026, 11, 23), ["2026-11-27", "2026-12-04"]),
        ("next Friday", date(2026, 11, 27), []),
        ("this Friday", date(2026, 11, 27), ["2026-11-27", "2026-12-04"]),
        ("Friday", date(2026, 11, 27), ["2026-11-27", "2026-12-04"]),
        ("Friday", date(2026, 11, 26), []),
        ("Friday next week", date(2026, 11, 22), ["2026-11-27", "2026-12-04"]),
        ("Friday next week", date(2026, 11, 23), []),
        ("03/05/2026", date(2026, 11, 21), ["2026-05-03", "2026-03-05"]),
        ("Monday 4 December", date(2026, 11, 21), ["2026-12-04", "2026-11-23"]),
        ("not next Friday", date(2026, 11, 21), []),
    ],
)
def test_days_that_may_be_either(words: str, today: date, days: list[str]) -> None:
    found = find_days([MORE["day"]], words, today=today)
    assert [raw for _, raws in found for raw in raws] == days


def test_a_found_value_says_where_it_stands() -> None:
    words = "please use depth 3, thanks"
    (item,) = find([FIELDS["depth"]], words)
    assert words[slice(*item.span)] == "3"


def test_every_found_value_is_grounded() -> None:
    words = "crawl http://127.0.0.1:8000 two clicks deep, at most 200 pages, csv, ignore robots, pause 0.5"
    found = find(list(FIELDS.values()), words, {"sections": SECTIONS})
    assert len(found) == 6
    assert all(grounded(FIELDS[item.name], item.raw, [words]) for item in found)


def test_a_message_of_two_sentences_is_split_where_it_begins_to_ask() -> None:
    assert [asks for _, _, asks in split("Depth 3, and what does limit mean? Go on.")] == [False, True, False]


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("friday or saturday", None),
        ("saturday or friday", None),
        ("not friday but monday", "2026-11-23"),
        ("the day after tomorrow", "2026-11-23"),
        ("the day before yesterday", "2026-11-19"),
        ("the day after the day after tomorrow", None),
        ("the friday after next", None),
        ("every friday", None),
        ("each friday", None),
        ("friday before christmas", None),
        ("a week from friday", "2026-12-04"),
        ("by friday", "2026-11-27"),
        ("the coming friday", "2026-11-27"),
    ],
)
def test_a_day_is_said_where_it_is_one_day(words: str, day: str | None) -> None:
    found = find([ALL["day"]], words, expecting="day", today=TODAY)
    assert [item.raw for item in found] == [day] * (day is not None)
    assert day is None or grounded(ALL["day"], day, [words], today=TODAY)
    for wrong in ("2026-11-22", "2026-11-27"):
        assert wrong == day or " or " in words or not grounded(ALL["day"], wrong, [words], today=TODAY)


def test_each_of_two_days_may_be_meant() -> None:
    (pair,) = find_days([ALL["day"]], "friday or saturday", "day", TODAY)
    assert pair == (ALL["day"], ["2026-11-27", "2026-11-21", "2026-11-28"])


def test_more_than_the_default_is_not_the_default() -> None:
    limit = make(limit=Annotated[int, Ask("At most", unit="pages", default=500)])["limit"]
    assert grounded(limit, 500, ["the default"])
    assert not grounded(limit, 500, ["100 pages more than the default"])
    assert not grounded(limit, 100, ["100 pages more than the default"], now=500)

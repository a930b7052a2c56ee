"""Conversations with the built-in guide, round by round, on cards built from real log entries."""

import inspect
import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import HttpUrl

from assistant import actions
from assistant.cards import Card, Situation, cards, open_card
from assistant.errors import Conflict, Refused
from assistant.log import Entry, Fact
from assistant.log.lines import decode, encode
from assistant.models import Call, Delta, Request
from assistant.models.guide import chat, plan, recognise, reply
from assistant.models.guide.questions import asked
from assistant.models.guide.reasons import need_step
from assistant.parameters import Ask, Secret, Upload, judge, to_json
from assistant.queries import TableFile
from assistant.session import fold
from assistant.settings import Settings
from assistant.tools import execute
from assistant.tools.desk import Desk, words_that_count
from assistant.tools.settle import settle_named
from assistant.trial.player import play, pretend_run
from assistant.trial.reading import Scenario, Turn
from assistant.turn import Chat
from assistant.workflow import Workflow
from assistant.workspace import Handle, Workspace
from tests import double as scripted
from tests.room import CRAWL, Room, did, double_fixture, room_fixture

SECTIONS = ["tutorial", "library", "c-api", "whatsnew"]
START = "http://127.0.0.1:8000/"
flow = Workflow("Link graph", "Crawl a web site and see how its pages link to each other.")


@flow.step
def where(
    start: Annotated[HttpUrl, Ask("First page", help="The crawl begins here.")],
    depth: Annotated[int, Ask("Clicks deep", unit="clicks", ge=0, le=10)] = 1,
    limit: Annotated[int, Ask("At most", unit="pages", ge=1, help="A bound, so that it ends")] = 500,
):
    """Where should the crawl start?

    Only links to the same host are followed.

    A crawl of 500 pages takes about eight minutes at a pause of one second.
    """


@flow.step
def which(
    start,
    sections: Annotated[list[str], Ask("Sections", options=lambda start: SECTIONS)] = [],  # noqa: B006
    delay: Annotated[float, Ask("Pause", unit="seconds", ge=0)] = 1.0,
    robots: Annotated[bool, Ask("Obey robots.txt", help="Sites say there what crawlers may read")] = True,
):
    """Which part of the site?

    Choose the sections that you care about.
    """


@flow.step
def picture(sections, colour: Annotated[Literal["section", "depth"], Ask("Colour by")]):
    """What should the picture show?"""


@flow.run
def crawl(start, depth, limit, sections, delay, robots, colour):
    """Crawls."""


class World:
    """A session in memory: applies the guide's calls as the tools do, as far as these tests need it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.calls: list[Call] = []
        self.add("began", workflow="link_graph", title="Link graph", format=1)
        self.add("opened", step="where")

    def add(self, did: str, by: str = "user", **fields: Any) -> None:
        n = len(self.entries) + 1
        self.entries.append(Entry(n, f"2026-11-21T10:00:{n:02d}.000Z", by, did, fields))

    def situation(self, words: str, results: tuple[Any, ...]) -> Situation:
        session = fold(self.entries)
        return Situation(flow, session, cards(session, flow), words, results)

    def at(self, step: str) -> "World":
        """Everything before `step` is done, and it is open."""
        given = {"where": {"start": START, "depth": 2, "limit": 500},
                 "which": {"sections": ["library"], "delay": 1.0, "robots": True},
                 "picture": {"colour": "section"}}  # fmt: skip
        for name in itertools.takewhile(lambda name: name != step, given):
            self.add("set", step=name, values=given[name])
            self.advance(name)
        return self

    def advance(self, step: str) -> str | None:
        self.add("advanced", step=step)
        after = open_card(cards(fold(self.entries), flow))
        if after:
            self.add(
                "opened",
                step=after.step.name,
                offered={"sections": SECTIONS} if after.step.name == "which" else {},
            )
        return after.step.name if after else None

    def run(self, call: Call) -> dict[str, Any]:
        session = fold(self.entries)
        card = open_card(cards(session, flow))
        if call.tool == "set_values":
            return self.set(call.arguments)
        if call.tool == "set_other_value":
            return self.set({call.arguments["name"]: call.arguments["value"]})
        if call.tool in ("next_step", "skip_step"):
            if card is None:
                return {"error": "Every step is done."}
            missing = {field.name: f"{field.label} is missing." for field in card.missing}
            return {"refused": missing} if missing else {"ok": True, "opened": self.advance(card.step.name)}
        if call.tool == "reopen_step":
            self.add("reopened", step=call.arguments["step"])
            return {"ok": True}
        if call.tool == "run_workflow":
            return {"error": f"“{card.step.question}” is not done yet."} if card else self.ask("Run it now?")
        if call.tool == "answer_question":
            open_ = session.question or next(iter(session.proposals.values()), None)
            self.add("answered", id=open_.get("id") if open_ else "", **call.arguments)
            return {"ok": True}
        return {"ok": True, "names": ["depth"]}

    def ask(self, question: str) -> dict[str, Any]:
        self.add("asked", "guide", id="q1", question=question, about="run")
        return {"asked": "q1"}

    def set(self, values: Mapping[str, Any]) -> dict[str, Any]:
        done: dict[str, Any] = {"set": {}, "refused": {}, "proposed": {}, "unchanged": []}
        session = fold(self.entries)
        for name, raw in values.items():
            step = flow.step_of(name)
            assert step is not None
            field = step.field(name)
            assert field is not None
            try:
                value = to_json(judge(field, raw, offered=SECTIONS if name == "sections" else None))
            except Refused as refused:
                done["refused"][name] = refused.reason
                self.add("refused", "guide", step=step.name, name=name, value=raw, reason=refused.reason)
                continue
            if session.values.get(name, ...) == value:
                done["unchanged"].append(name)
                continue
            done["set"][name] = value
        for step in flow.steps:
            values = {name: value for name, value in done["set"].items() if step.field(name)}
            if values:
                self.add("set", "guide", step=step.name, values=values)
        return done

    async def say(self, words: str) -> str:
        """The guide's words at the end of the turn; its calls are in `calls`."""
        self.add("said", text=words, turn="t")
        self.calls = []
        results: tuple[Any, ...] = ()
        for _ in range(6):
            deltas = [
                delta async for delta in chat(Request("guide", [], situation=self.situation(words, results)))
            ]
            assert deltas[-1].done and all(delta.done is None for delta in deltas[:-1])
            made = [call for delta in deltas for call in delta.calls]
            if not made:
                return "".join(delta.text for delta in deltas)
            self.calls += made
            results += tuple((call, self.run(call)) for call in made)
        raise AssertionError("the guide never came to words")

    def made(self) -> list[tuple[str, dict[str, Any]]]:
        return [(call.tool, dict(call.arguments)) for call in self.calls]


@pytest.fixture
def world() -> World:
    return World()


OUTING = Workflow("Outing", "When?")


@OUTING.step
def when(day: Annotated[date, Ask("Day of the outing")]):
    """When?"""


@OUTING.run
def go(day):
    """Goes."""


@pytest.mark.parametrize(
    ("words", "said_on", "options"),
    [
        ("next friday", "2026-11-23", ["Friday 2026-11-27", "Friday 2026-12-04"]),
        ("make it next friday please", "2026-11-21", ["Friday 2026-11-27", "Friday 2026-12-04"]),
        ("this friday", "2026-11-27", ["Friday 2026-11-27", "Friday 2026-12-04"]),
        ("03/05/2027", "2026-11-23", ["Monday 2027-05-03", "Friday 2027-03-05"]),
        ("Monday 4 December", "2026-11-21", ["Friday 2026-12-04", "Monday 2026-11-23"]),
    ],
)
def test_a_day_that_may_be_either_is_asked_with_its_dates(
    words: str, said_on: str, options: list[str]
) -> None:
    (call,) = plan(outing(words, said_on))
    assert (call.tool, call.arguments["options"]) == (
        "ask_user",
        [f"Day of the outing: {option}" for option in options],
    )
    for option in options:  # pressed, it is that day, whatever day that is done
        (call,) = plan(outing(f"Day of the outing: {option}", "2027-02-19"))
        assert call.arguments == {"day": option.split()[1]}


@pytest.mark.parametrize(
    ("words", "said_on", "day"),
    [
        ("friday", "2026-11-23", "2026-11-27"),
        ("this friday", "2026-11-23", "2026-11-27"),
        ("next friday", "2026-11-27", "2026-12-04"),
        ("tomorrow", "2026-11-27", "2026-11-28"),
        ("friday next week", "2026-11-23", "2026-12-04"),
    ],
)
def test_a_day_is_counted_from_the_one_on_which_it_was_said(words: str, said_on: str, day: str) -> None:
    (call,) = plan(outing(words, said_on))
    assert (call.tool, call.arguments) == ("set_values", {"day": day})


def outing(words: str, said_on: str) -> Situation:
    at = f"{said_on}T12:00:00.000Z"
    entries = [
        Entry(1, at, "user", "began", {"workflow": "outing", "title": "Outing", "format": 1}),
        Entry(2, at, "app", "opened", {"step": "when"}),
        Entry(3, at, "user", "said", {"text": words, "turn": "t"}),
    ]
    session = fold(entries)
    return Situation(OUTING, session, cards(session, OUTING), words, ())


CALLS = [
    (
        "where",
        "crawl http://127.0.0.1:8000 two clicks deep, at most 200 pages",
        [("set_values", {"start": "http://127.0.0.1:8000", "depth": 2, "limit": 200})],
    ),
    ("where", "depth 3. What does the limit mean?", [("set_values", {"depth": 3})]),
    ("where", "http://x.example/", [("set_values", {"start": "http://x.example/"})]),
    ("where", "http://x.example/, next", [("set_values", {"start": "http://x.example/"}), ("next_step", {})]),
    ("where", "use the default for depth", [("set_values", {"depth": 1})]),
    ("where", "use the defaults", [("set_values", {"depth": 1, "limit": 500})]),
    ("where", "next", [("next_step", {})]),
    ("where", "go", [("run_workflow", {})]),
    ("where", "undo", [("undo", {})]),
    ("where", "redo please", [("redo", {})]),
    ("which", "just the tutorial and the library", [("set_values", {"sections": ["tutorial", "library"]})]),
    (
        "which",
        "all but whatsnew, and don't obey robots",
        [("set_values", {"sections": SECTIONS[:3], "robots": False})],
    ),
    ("which", "wait half a second and go on", [("set_values", {"delay": 0.5}), ("next_step", {})]),
    ("which", "depth 3", [("set_other_value", {"name": "depth", "value": 3})]),
    (
        "which",
        "pause 2 and depth 3",
        [("set_values", {"delay": 2}), ("set_other_value", {"name": "depth", "value": 3})],
    ),
    ("which", "back", [("reopen_step", {"step": "where"})]),
    (
        "which",
        "go back to step 1 and set the depth to 3",
        [("reopen_step", {"step": "where"}), ("set_values", {"depth": 3})],
    ),
    ("which", "change the first page", [("reopen_step", {"step": "where"})]),
    ("which", "skip", [("skip_step", {})]),
    (
        "which",
        "make that https",
        [("set_other_value", {"name": "start", "value": "https://127.0.0.1:8000/"})],
    ),
    ("which", "colour by depth", [("set_other_value", {"name": "colour", "value": "depth"})]),
    ("picture", "depth", [("set_values", {"colour": "depth"})]),
    ("picture", "the second one", [("set_values", {"colour": "depth"})]),
    ("picture", "depth 4", [("set_other_value", {"name": "depth", "value": 4})]),
    ("picture", "set depth to 4", [("set_other_value", {"name": "depth", "value": 4})]),
    ("", "run it", [("run_workflow", {})]),
    ("", "back", [("reopen_step", {"step": "picture"})]),
    (
        "picture",
        "by depth, then run",
        [("set_values", {"colour": "depth"}), ("next_step", {}), ("run_workflow", {})],
    ),
    ("which", "reopen step 1", [("reopen_step", {"step": "where"})]),
    ("which", "none of them", [("set_values", {"sections": []})]),
    ("which", "robots.txt should be ignored", [("set_values", {"robots": False})]),
    (
        "where",
        "limit: 20\ndepth: 2\nstart: http://x.example/",
        [("set_values", {"limit": 20, "depth": 2, "start": "http://x.example/"})],
    ),
    ("", "start", [("run_workflow", {})]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("step", "words", "calls"), CALLS)
async def test_what_it_calls(world: World, step: str, words: str, calls: list[Any]) -> None:
    await world.at(step).say(words)
    assert world.made() == calls


@pytest.mark.anyio
@pytest.mark.parametrize("step", ["where", "which", "picture", ""])
@pytest.mark.parametrize(
    "words",
    [
        "hello",
        "thanks!",
        "how are you?",
        "the weather is nice",
        "should depth be 3?",
        "is a depth of 3 too much?",
        "what can I choose?",
        "help",
        "who are you?",
        "what have you got so far?",
        "why do you need this?",
        "yes",
        "no",
        "never mind",
        "maybe 3 clicks",
        "what about 3 clicks?",
        "write me a poem about 7 cats",
        "2 or 3 clicks",
        "???",
        "",
        "\u0000 \ud800 ☃",
        "don't set the depth to 3",
        "drop table sessions; --",
        "<script>alert(1)</script>",
        "wait a second",
        "what does next do?",
        "can I run it with 3 clicks?",
        "a" * 20_000,
        "1 " * 2_000,
        "step",
        "how deep can it go?",
        "minus " * 3_000,
        "depth " + "9" * 5_000,
        "." * 20_000,
        "1,1," * 5_000,
    ],
)
async def test_changes_nothing_and_still_says_something(world: World, step: str, words: str) -> None:
    said = await world.at(step).say(words)
    assert world.made() == []
    assert said.strip()


SAYS = [
    ("where", "help", ["Where should the crawl start?", "Clicks deep", "0 to 10 clicks", "next"]),
    ("where", "what does depth mean?", ["**Clicks deep**", "0 to 10 clicks", "default is 1"]),
    ("where", "what is the maximum depth?", ["0 to 10 clicks"]),
    ("where", "how many pages can I have?", ["**At most**", "A bound, so that it ends."]),
    ("where", "should depth be 3?", ["Clicks deep", "Nothing was changed"]),
    (
        "where",
        "why do you need the first page?",
        ["The crawl begins here.", "Which part of the site?", "The run uses"],
    ),
    ("where", "why do you need this?", ["Only links to the same host", "First page"]),
    ("where", "how long does a crawl of 500 pages take?", ["eight minutes"]),
    ("where", "what have you got so far?", ["Nothing is set yet", "First page"]),
    (
        "which",
        "what have you got so far?",
        ["First page: **http://127.0.0.1:8000/** (you)", "Clicks deep: **2 clicks**"],
    ),
    ("which", "what can I choose?", ["1. tutorial", "4. whatsnew"]),
    ("which", "which sections are there?", ["2. library"]),
    ("which", "what is robots.txt?", ["Sites say there what crawlers may read."]),
    ("which", "what's missing?", ["Nothing is missing", "**next**"]),
    ("picture", "what can I choose?", ["section", "depth"]),
    ("picture", "what's next?", ["**Colour by**", "one of: section, depth"]),
    ("which", "whatever", ["I choose nothing by myself", "use the defaults"]),
    ("where", "what is the difference between depth and limit?", ["**Clicks deep**", "**At most**"]),
    ("where", "how do I limit the crawl to one host?", ["Only links to the same host"]),
    ("", "what now?", ["Every step is done", "run it"]),
    ("where", "hello", ["built-in guide", "First page"]),
    ("where", "are you a real AI?", ["built-in guide", "no language model"]),
    ("where", "write me a poem", ["I can not do that without a model", "set values"]),
    ("where", "show me the results", ["Nothing has run yet"]),
    ("where", "start a new session", ["Nothing was changed", "new session", "start page"]),
    ("which", "how do I begin from scratch?", ["new session"]),
    ("where", "42", ["not sure which value", "nothing was changed"]),
    ("where", "yes", ["no open question"]),
    ("where", "back", ["no step before"]),
    ("where", "go to step 3", ["comes later"]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("step", "words", "parts"), SAYS)
async def test_what_it_says(world: World, step: str, words: str, parts: list[str]) -> None:
    said = await world.at(step).say(words)
    assert world.made() == []
    assert [part for part in parts if part not in said] == []


@pytest.mark.anyio
async def test_a_whole_session(world: World) -> None:
    said = await world.say("crawl http://127.0.0.1:8000 two clicks deep, at most 200 pages")
    assert "Clicks deep: **2 clicks**" in said and "At most: **200 pages**" in said and "**next**" in said
    said = await world.say("no, I meant 300")
    assert world.made() == [("set_values", {"limit": 300})] and "300 pages" in said
    assert "Which part of the site?" in await world.say("ok, next")
    assert "already" in await world.say("depth 2")
    said = await world.say("all of them, then go on")
    assert fold(world.entries).values["sections"] == SECTIONS and "What should the picture show?" in said
    assert "**run it**" in await world.say("depth, next")
    assert "Run it now? Say **yes** or **no**." in await world.say("go")
    assert "How many" not in await world.say("yes, run it")
    assert world.made() == [("answer_question", {"action": "accept", "value": None})]


def test_values_for_a_card_that_comes_later_are_taken_as_well() -> None:
    two = Workflow("Two", "Two cards.")

    @two.step
    def kind(source: Annotated[Literal["site", "csv"], Ask("Links from", aliases={"crawl": "site"})]):
        """Where do the links come from?"""

    two.step(where)
    entries = [
        Entry(
            1, "2026-11-21T10:00:01.000Z", "user", "began", {"workflow": "two", "title": "Two", "format": 1}
        ),
        Entry(2, "2026-11-21T10:00:02.000Z", "app", "opened", {"step": "kind"}),
    ]
    session = fold(entries)
    words = "crawl http://127.0.0.1:8000 two clicks deep, at most 200 pages"
    calls = plan(Situation(two, session, cards(session, two), words))
    assert calls[0].arguments == {"source": "site"}
    others = {call.arguments["name"]: call.arguments["value"] for call in calls[1:]}
    assert others == {"start": "http://127.0.0.1:8000", "depth": 2, "limit": 200}
    assert len({call.id for call in calls}) == 4


@pytest.mark.anyio
async def test_a_refusal_gives_the_reason_keeps_the_old_value_and_stops(world: World) -> None:
    world.add("set", step="where", values={"start": START, "depth": 2})
    said = await world.say("depth 30, next")
    assert [tool for tool, _ in world.made()] == ["set_values"]
    assert "0 to 10 clicks" in said and "stays 2 clicks" in said and "stopped there" in said
    said = await world.say("why was it refused?")
    assert "30" in said and "0 to 10 clicks" in said
    said = await world.say("depth 3 and pause -1")
    assert fold(world.entries).values["depth"] == 3
    assert "Clicks deep: **3 clicks**" in said and "was not taken" in said


@pytest.mark.anyio
async def test_a_value_and_a_question_in_one_message(world: World) -> None:
    said = await world.say("depth 3, and why do you need the limit?")
    assert world.made() == [("set_values", {"depth": 3})]
    assert "Clicks deep: **3 clicks**" in said and "A bound, so that it ends." in said


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "options", "answer"),
    [
        ("yes", [], ("accept", None)),
        ("ok, do it", [], ("accept", None)),
        ("no thanks", [], ("decline", None)),
        ("never mind", [], ("cancel", None)),
        ("cancel", ["red", "blue"], ("cancel", None)),
        ("blue please", ["red", "blue"], ("accept", "blue")),
        ("the first one", ["red", "blue"], ("accept", "red")),
        ("yes", ["yes", "no"], ("accept", "yes")),
        ("no", ["red", "blue"], ("decline", None)),
        ("for a talk in spring", [], ("accept", "for a talk in spring")),
    ],
)
async def test_answers_to_an_open_question(world: World, words: str, options: list[str], answer: Any) -> None:
    world.add("asked", "model", id="q1", question="Shall I?", options=options)
    await world.say(words)
    assert world.made() == [("answer_question", {"action": answer[0], "value": answer[1]})]
    assert fold(world.entries).question is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "options", "tail"),
    [
        ("no, yes", ["red", "blue"], "Say one of: red, blue."),
        ("yes", ["red", "blue"], "Say one of: red, blue."),
    ],
)
async def test_an_answer_that_is_none_is_told_what_would_be(
    world: World, words: str, options: list[str], tail: str
) -> None:
    world.add("asked", "model", id="q1", question="Which colour?", options=options)
    assert tail in await world.say(words)
    assert fold(world.entries).question is not None


@pytest.mark.anyio
async def test_yes_accepts_the_only_suggestion(world: World) -> None:
    world.add("proposed", "model", id="p1", step="where", values={"depth": 3})
    await world.say("yes, depth is nice")
    assert world.made() == []
    await world.say("yes please")
    assert world.made() == [("answer_question", {"action": "accept", "value": None})]
    assert not fold(world.entries).proposals


@pytest.mark.anyio
async def test_yes_accepts_what_is_suggested_on_the_open_card_and_nothing_elsewhere(world: World) -> None:
    world.add("proposed", "model", id="p1", step="where", values={"depth": 3}, turn="t1")
    world.add("proposed", "model", id="p2", step="where", values={"limit": 9}, turn="t2")
    world.add("proposed", "model", id="p3", step="which", values={"delay": 2}, turn="t3")
    await world.say("yes")
    assert world.made() == [("answer_question", {"action": "accept", "names": ["depth", "limit"]})]


@pytest.mark.anyio
async def test_yes_to_what_is_asked_for_accepts_no_suggestion(world: World) -> None:
    world.add("proposed", "model", id="p1", step="which", values={"delay": 2}, turn="t1")
    world.add("proposed", "model", id="p2", step="which", values={"sections": ["library"]}, turn="t2")
    await world.say("yes")
    assert world.made() == []


FLOW = '''
from typing import Annotated

from pydantic import HttpUrl

from assistant import Ask, Workflow

flow = Workflow("Pages", "Count pages.")


@flow.step
def pages(
    start: Annotated[HttpUrl, Ask("First page")],
    sections: Annotated[list[str], Ask("Sections", options=["tutorial", "library"])] = [],
    depth: Annotated[int, Ask("Clicks deep")] = 1,
):
    """Which pages?"""


@flow.run
def run(start, sections, depth):
    yield
'''


async def say(handle: Handle, turn: str, words: str) -> None:
    """A whole turn of the guide on a real session."""
    await handle.write(lambda _: [Fact("user", "said", {"text": words, "turn": turn})])

    async def start_run(handle: Handle, by: str) -> str:
        return "r1"

    desk = Desk(handle, turn, "guide", words_that_count(handle.session(), turn), start_run)
    results: list[Any] = []
    while True:
        session = handle.session()
        calls = plan(
            Situation(handle.workflow(), session, cards(session, handle.workflow()), words, tuple(results))
        )
        if not calls:
            return
        results += zip(calls, await execute(desk, calls), strict=True)


@pytest.mark.anyio
async def test_what_the_rules_find_is_set_and_not_asked_about(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "pages.py").write_text(FLOW)
    handle = await actions.begin(Workspace(Settings(tmp_path)), "pages")
    for turn, (words, name, value) in enumerate(
        [
            ("http://a.example, sections: tutorial", "sections", ["tutorial"]),
            ("also the library", "sections", ["tutorial", "library"]),
            ("without the tutorial", "sections", ["library"]),
            ("make that https", "start", "https://a.example/"),
            ("depth 3", "depth", 3),
            ("default depth", "depth", 1),
        ]
    ):
        await say(handle, f"t{turn}", words)
        session = handle.session()
        assert session.values[name] == value, words
        assert session.origins[name] == "guide"
        assert (session.question, dict(session.proposals)) == (None, {})
    suggested = {"id": "p1", "step": "pages", "values": {"depth": 4}}
    await handle.write(lambda _: [Fact("model", "proposed", suggested)])
    await say(handle, "t9", "yes")
    assert handle.session().values["depth"] == 4
    assert handle.session().origins["depth"] == "user"


@pytest.mark.anyio
@pytest.mark.parametrize("words", ["depth 3", "what does depth mean?", "red or blue?", "next"])
async def test_other_words_leave_the_question_open(world: World, words: str) -> None:
    world.add("asked", "model", id="q1", question="Which colour?", options=["red", "blue"])
    await world.say(words)
    assert "answer_question" not in [tool for tool, _ in world.made()]
    assert fold(world.entries).question is not None


@pytest.mark.anyio
async def test_a_question_about_a_parameter_is_answered_by_a_value(world: World) -> None:
    world.add("asked", "model", id="q1", question="How deep?", about="depth")
    await world.say("4")
    assert ("set_values", {"depth": 4}) in world.made()


@pytest.mark.anyio
async def test_it_reports_only_what_the_results_say(world: World) -> None:
    call = Call("guide-1", "set_values", {"depth": 3})
    for result, expected in [
        ({"set": {}, "proposed": {"depth": 3}}, "Only suggested, not set"),
        ({"error": "The session is read-only."}, "The session is read-only."),
        ({"asked": {"depth": "q7"}}, "answer the question"),
        ({"set": {}, "refused": {"depth": "No."}}, "Not taken: No."),
    ]:
        request = Request("guide", [], situation=world.situation("depth 3", ((call, result),)))
        said = "".join([delta.text async for delta in chat(request)])
        assert expected in said and "**3 clicks**" not in said


@pytest.mark.anyio
async def test_it_is_a_chat_function_and_quick(world: World) -> None:
    assert inspect.isasyncgenfunction(chat)
    situation = world.at("which").situation("all but whatsnew, depth 3, what can I choose?", ())
    start = time.process_time()
    deltas: list[Delta] = []
    for _ in range(20):
        deltas += [delta async for delta in chat(Request("guide", [], situation=situation))]
    assert (time.process_time() - start) / 20 < 0.1
    assert len({str(delta.calls) for delta in deltas if delta.calls}) == 1


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("yes please", ["yes"]),
        ("yes please run it", ["run"]),
        ("ok, next please", ["yes", "next"]),
        ("undo that, and redo", ["undo", "redo"]),
        ("start http://x.example", []),
        ("use the defaults and go on", ["defaults", "next"]),
        ("Could you run it?", ["run"]),
        ("why not 30?", ["refused"]),
        ("tell me about the pause", ["meaning"]),
        ("change depth to 3", []),
        ("run it again", ["run"]),
        ("default please", ["defaults"]),
        ("can you choose for me?", ["whatever"]),
        ("why is that?", ["need"]),
    ],
)
def test_intents(words: str, kinds: list[str]) -> None:
    assert [intent.kind for intent in recognise(words)] == kinds


bill = Workflow("Split a bill", "What does each of us owe?")


@bill.step
def shares(
    total: Annotated[float, Ask("Total", gt=0, unit="euros")],
    who: Annotated[list[str], Ask("Who", min_length=1)],
    why: Annotated[str | None, Ask("Occasion")] = None,
):
    """What is on the bill?"""


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("who: Ann, Bob and Cy", {"who": ["Ann", "Bob", "Cy"]}),
        ("total 90, who: Ann, Bob and Cy", {"total": 90, "who": ["Ann", "Bob", "Cy"]}),
        ("Total: 90\nWho: Ann, Bob", {"total": 90, "who": ["Ann", "Bob"]}),
        ("why: the dinner", {"why": "the dinner"}),
        ("who: Ann, Bob and Cy?", {}),
        ("who is Ann", {}),
        ("which: Ann", {}),
    ],
)
def test_a_label_with_a_colon_is_no_question(words: str, values: dict[str, Any]) -> None:
    entries = [Entry(1, "a", "user", "began", {}), Entry(2, "b", "workflow", "opened", {"step": "shares"})]
    session = fold(entries)
    calls = plan(Situation(bill, session, cards(session, bill), words, ()))
    assert [call.arguments for call in calls] == ([values] if values else [])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "early"),
    [
        ("which page has the highest pagerank?", True),
        ("How many pages were found?", True),
        ("What is the average number of links?", True),
        ("What does the limit mean?", False),
        ("what is the highest depth?", False),
        ("how many pages can I have?", False),
        ("how far is it?", False),
        ("what is the weather?", False),
    ],
)
async def test_results_are_not_asked_before_they_are_there(world: World, words: str, early: bool) -> None:
    sentence = "The run is not finished yet; ask again when it is."
    assert sentence not in await world.at("").say(words)
    world.add("started", run="r1")
    assert (await world.say(words) == sentence) is early
    world.add("finished", "app", run="r1")
    assert sentence not in await world.say(words)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "early"),
    [
        ("which page has the highest PageRank?", True),
        ("how many broken links are there?", True),
        ("what is the most linked page?", True),
        ("top 5 by depth", True),
        ("the top 5 pages by depth, please", True),
        ("show the table", True),
        ("list the broken pages", True),
        ("average links per page?", True),
        ("what does depth mean?", False),
        ("what is the highest depth?", False),
        ("how many clicks deep are allowed?", False),
        ("what is the weather?", False),
        ("show me the options", False),
        ("show my values", False),
    ],
)
async def test_before_a_run_it_is_said_that_there_are_no_results(
    world: World, words: str, early: bool
) -> None:
    said = await world.say(words)
    assert ("There are no results yet" in said) is early, said
    assert ("Still missing: **First page**" in said) or not early
    assert ("Colour by" in said) is early or not early
    assert world.made() == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("use model gpt-9", "`/model gpt-9`"),
        ("please switch to the model `qwen3:4b`", "`/model qwen3:4b`"),
        ("use llama3 as the model", "`/model llama3`"),
        ("change the model", "write `/model` to see"),
    ],
)
async def test_who_answers_is_no_value_and_where_it_is_chosen_is_said(
    world: World, words: str, told: str
) -> None:
    assert told in await world.say(words)
    assert world.made() == []


@pytest.mark.anyio
@pytest.mark.parametrize("words", ["accept all", "none of them", "dismiss them all", "yes to all of them"])
async def test_without_a_suggestion_it_is_said_that_there_is_none(world: World, words: str) -> None:
    assert "Nothing is suggested" in await world.say(words)
    assert world.made() == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "either"),
    [("which links are broken?", True), ("how much is the highest fee?", True), ("who won the cup?", False)],
)
async def test_a_question_that_may_be_about_results_is_told_that_there_are_none(
    world: World, words: str, either: bool
) -> None:
    assert ("no results yet" in await world.say(words)) is either
    assert world.made() == []


@pytest.mark.anyio
async def test_after_a_run_that_made_nothing_it_is_said_that_there_is_nothing_to_ask(world: World) -> None:
    world.at("").add("started", run="r1")
    world.add("failed", "app", run="r1", where="run", reason="It broke.")
    assert "The run failed, so there are no results" in await world.say("which page has the highest rank?")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("depth 3 and more is tiger", "“more is tiger”"),
        ("depth 3, tiger", "“tiger”"),
        ("depth 3, 99", "“99”"),
        ("200 pages, name bob", "“name bob”"),
        ("limit 20, x1, y2 and z3", "“x1”, “y2” and “z3”; nothing"),
        (
            "depth 3, ask Karl, call Anna, bring Otto, no Ida",
            "“ask Karl”, “call Anna”, “bring Otto” and “no Ida”;",
        ),
        (f"depth 3, {'so far ' * 20}Paris", f"“{'so far ' * 20}Paris”; nothing was set from that"),
        (
            "depth 3, a1, b2, c3, d4, e5, f6",
            "6 things: “a1”, “b2”, “c3” and 3 more; nothing was set from them",
        ),
        ("depth 3, tiger, tiger and tiger", "“tiger”; nothing"),
        ("crawl Wikipedia 3 clicks deep", "“Wikipedia”"),
    ],
)
async def test_what_was_not_understood_beside_a_value_is_said(world: World, words: str, told: str) -> None:
    said = await world.say(words)
    assert [tool for tool, _ in world.made()] == ["set_values"]
    assert f"I did not understand {told}" in said


@pytest.mark.anyio
@pytest.mark.parametrize(
    "words",
    [
        "please set the depth to 3 for me, thanks",
        "depth 3, not 2",
        "change it from 2 clicks to 3 clicks",
        "no wait, depth 3 rather than 4",
        "200 pages, 3 clicks",
        "Clicks deep should be 3, I think",
        "start at https://a.example/ and go 3 clicks deep",
    ],
)
async def test_what_was_understood_is_not_complained_about(world: World, words: str) -> None:
    assert "I did not understand" not in await world.say(words)
    assert world.made()


@pytest.mark.anyio
async def test_why_is_about_the_field_that_is_waited_for(world: World) -> None:
    said = await world.say("why do you need this?")
    assert "**First page**" in said and "The crawl begins here." in said
    assert "“Which part of the site?”" in said and "The run uses" in said and "It takes a web address" in said
    world.add("set", step="where", values={"start": START})
    assert "Which value for: **Clicks deep**" in await world.say("the depth, hmm")
    world.add("said", by="guide", text="Which value for: **Clicks deep**?", turn="t")
    said = await world.say("why do you need this?")
    assert "**Clicks deep**" in said and "0 to 10 clicks" in said and "First page" not in said


mask = Workflow("Mask", "Leaves addresses out.")


@mask.step
def masks(
    masks: Annotated[list[str], Ask("Masks", default=[], help="Patterns", example="*/api/*")],
    case: Annotated[bool, Ask("Match case")] = False,
):
    """Which addresses are left out?

    An address that fits one of these
    is not read.
    """


def test_each_field_of_a_step_is_named_and_the_lines_of_a_docstring_flow() -> None:
    told = need_step(Card(mask.steps[0], "open"), Situation(mask, fold([]), [], ""))
    help_, needs = told.split("\n\n")
    assert help_ == "An address that fits one of these is not read."
    first, second = needs.splitlines()
    assert first.startswith("- **Masks**: Patterns. ") and r"for example \*/api/\*." in first
    assert second.startswith("- **Match case**: ") and "An address" not in second


glossary = Workflow("Glossary", "Words that mean something.")


@glossary.step
def dots(
    size: Annotated[
        Literal["rank", "degree"],
        Ask(
            "Size by",
            help="rank: how often a reader comes by; degree: links to it",
            aliases={"links": "degree"},
        ),
    ],
    tags: Annotated[list[int], Ask("Numbers", default=[])],
    when: Annotated[bool, Ask("Again")] = False,
):
    """How large?"""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("what does rank mean?", ["**rank** is one of the choices for **Size by**", "how often a reader"]),
        ("what does links mean?", ["**degree**", "links to it", "“links”"]),
        ("what does size mean?", ["**Size by**", "rank, degree"]),
        ("what can I choose?", ["1. rank", "2. degree", "each entry a whole number", "yes or no"]),
    ],
)
async def test_words_options_and_rules_are_explained(words: str, parts: list[str]) -> None:
    entries = [Entry(1, "a", "user", "began", {}), Entry(2, "b", "workflow", "opened", {"step": "dots"})]
    session = fold(entries)
    situation = Situation(glossary, session, cards(session, glossary), words)
    said = "".join([delta.text async for delta in chat(Request("guide", [], situation=situation))])
    assert [part for part in parts if part not in said] == []


party = Workflow("Party", "With a password.")


@party.step
def invite(
    title: Annotated[str, Ask("Title")],
    seats: Annotated[int, Ask("Seats")] = 4,
    mail: Annotated[str | None, Ask("Mail")] = None,
    password: Annotated[Secret | None, Ask("Mail password")] = None,
    picture: Annotated[Upload | None, Ask("Picture")] = None,
):
    """Who comes?"""


@pytest.mark.parametrize(
    "words",
    [
        "my mail password is hunter2!X",
        "password: hunter2!X",
        "seats 5, password hunter2!X",
        "seats 5, hunter2!X",
        "hunter2!X",
        "my api key is hunter2!X and the rest",
        "what is hunter2!X?",
    ],
)
def test_what_may_be_a_password_is_neither_taken_nor_repeated(words: str) -> None:
    said, calls = spoken(party, "invite", words)
    assert "hunter2" not in said
    assert "hunter2" not in str([call.arguments for call in calls])


def test_a_secret_or_file_is_sent_to_its_card() -> None:
    for words, label in [("the mail password is abc", "Mail password"), ("my picture is cat.png", "Picture")]:
        said, calls = spoken(party, "invite", words)
        assert f"**{label}** can be given on its card only" in said
        assert calls == []


def spoken(workflow: Workflow, step: str, words: str) -> tuple[str, list[Call]]:
    """What the guide says and calls on the first card; values that it gives are taken as they are."""
    entries = [Entry(1, "a", "user", "began", {}), Entry(2, "b", "workflow", "opened", {"step": step})]
    session = fold(entries)
    calls = plan(Situation(workflow, session, cards(session, workflow), words))
    done = tuple((call, {"set": dict(call.arguments)}) for call in calls if call.tool == "set_values")
    return reply(Situation(workflow, session, cards(session, workflow), words, done)), calls


@pytest.mark.anyio
async def test_a_question_of_the_guide_is_in_the_log_and_each_option_says_its_value(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "pages.py").write_text(TWO)
    handle = await actions.begin(Workspace(Settings(tmp_path)), "pages")
    await say(handle, "t1", "5")
    again = Workspace(Settings(tmp_path)).open(handle.sid).session()  # another process, F5, a second tab
    assert again.question is not None and again.question.by == "guide"
    assert again.question["options"] == ["Clicks: 5", "Pages: 5"]
    await say(handle, "t2", "what does pages mean?")
    assert handle.session().question is not None and handle.session().values == {}
    await say(handle, "t3", "the pages")
    assert handle.session().values == {"pages": 5} and handle.session().question is None
    assert handle.session().answers[str(again.question["id"])]["value"] == "Pages: 5"


TWO = '''
from typing import Annotated

from assistant import Ask, Workflow

flow = Workflow("Pages", "Count pages.")


@flow.step
def how(clicks: Annotated[int, Ask("Clicks")], pages: Annotated[int, Ask("Pages")]):
    """How many?"""


@flow.run
def run(clicks, pages):
    yield
'''


LONG = [
    "a ",
    "1 ",
    "add x and ",
    "no ",
    "the other ",
    "make it longer ",
    "title: ",
    "-",
    "\u2603",
    '"',
    "not the a but the b, ",
]


@pytest.mark.parametrize("seed", LONG)
def test_no_message_is_so_long_that_the_rules_take_seconds(seed: str) -> None:
    start = time.process_time()
    spoken(party, "invite", (seed * 20_000)[:20_000])
    assert (
        time.process_time() - start < 2.0
    )  # some tenths of a second; a pattern that runs away takes minutes


double = double_fixture()
room = room_fixture(
    CRAWL
    + '''
@flow.step
def start(
    depth: Annotated[int, Ask("Depth", unit="clicks")],
    limit: Annotated[int, Ask("Limit")],
    tags: Annotated[list[str], Ask("Tags", default=["red"], options=["red", "blue", "green"])],
):
    """How deep?"""


@flow.run
def run(depth, limit):
    yield
'''
)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("yes", "accept"),
        ("ok", "accept"),
        ("sure", "accept"),
        ("yes please", "accept"),
        ("no", "decline"),
        ("no thanks", "decline"),
        ("I don't want that", "decline"),
        ("never mind", "cancel"),
    ],
)
async def test_a_plain_answer_to_the_one_thing_open_does_not_go_to_the_model(
    room: Room, words: str, action: str
) -> None:
    room.script(scripted.call("set_values", depth=2), scripted.say("How about 2?"))
    await room.say("hello")
    asked = len(room.requests)
    entries = await room.say(words)
    assert len(room.requests) == asked
    assert [e["action"] for e in entries if e.did == "answered"] == [action]
    assert room.values == ({"depth": 2} if action == "accept" else {})
    assert not room.handle.session().proposals


@pytest.mark.anyio
async def test_yes_goes_to_the_model_where_it_may_mean_something_else(room: Room) -> None:
    room.script(scripted.call("set_values", depth=2), scripted.say("How about 2?"))
    await room.say("hello")
    room.script(scripted.say("It is a link that is followed. Shall I say more?"))
    await room.say("what is a click?")
    room.script(scripted.say("More."))
    assert did(await room.say("yes")) == ["said"]  # to what was said last, not to the suggestion
    assert list(room.handle.session().proposals)
    room.script(scripted.call("ask_user", question="Deeper?"), scripted.say("?"))
    await room.say("hm")
    asked = len(room.requests)
    room.script(scripted.say("Then deeper."))
    await room.say("yes")
    assert len(room.requests) == asked + 1
    assert room.values == {}


@pytest.mark.anyio
async def test_what_a_model_adds_to_a_shown_default_in_the_users_words_is_set(room: Room) -> None:
    room.script(scripted.call("set_values", tags=["red", "blue"]), scripted.say("Added."))
    assert did(await room.say("add blue")) == ["called", "set", "said"]
    room.script(scripted.call("set_values", tags=["red", "blue", "green"]), scripted.say("Added."))
    assert "asked" in did(await room.say("what else is there?"))  # nobody said green
    assert room.values["tags"] == ["red", "blue"]


def test_a_message_that_is_asked_again_counts_days_from_its_own() -> None:
    at = "2026-11-20T12:00:00.000Z"
    entries = [
        Entry(1, at, "user", "began", {"workflow": "outing", "title": "Outing", "format": 1}),
        Entry(2, at, "app", "opened", {"step": "when"}),
        Entry(3, at, "user", "said", {"text": "/guide tomorrow", "turn": "t"}),
        Entry(4, "2026-11-25T12:00:00.000Z", "user", "said", {"text": "thanks", "turn": "u"}),
    ]
    session = fold(entries)
    (call,) = plan(Situation(OUTING, session, cards(session, OUTING), "tomorrow", ()))
    assert call.arguments == {"day": "2026-11-21"}


async def pages(folder: Path) -> Handle:
    (folder / "workflows").mkdir()
    (folder / "workflows" / "pages.py").write_text(FLOW)
    return await actions.begin(Workspace(Settings(folder)), "pages")


@pytest.mark.anyio
async def test_what_is_suggested_while_another_suggestion_is_accepted_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, fill = await pages(tmp_path), actions.fill

    async def suggest(id: str, depth: int) -> None:
        fields = {"id": id, "step": "pages", "values": {"depth": depth}}
        await handle.write(lambda _: [Fact("model", "proposed", fields)])

    async def late(*given: Any, **more: Any) -> Any:
        await suggest("p2", 4)
        return await fill(*given, **more)

    await suggest("p1", 3)
    monkeypatch.setattr(actions, "fill", late)
    await settle_named(handle, ["depth"], "accept", "user")
    answered = [e["id"] for e in handle.session().chat if e.did == "answered"]
    assert (answered, handle.session().values["depth"]) == (["p1"], 3)


@pytest.mark.anyio
async def test_what_was_answered_meanwhile_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, fill = await pages(tmp_path), actions.fill

    async def late(*given: Any, **more: Any) -> Any:
        await handle.write(lambda _: [Fact("user", "answered", {"id": "p1", "action": "decline"})])
        await handle.write(
            lambda _: [Fact("model", "proposed", {"id": "p2", "step": "pages", "values": {"depth": 4}})]
        )
        return await fill(*given, **more)

    await handle.write(
        lambda _: [Fact("model", "proposed", {"id": "p1", "step": "pages", "values": {"depth": 3}})]
    )
    monkeypatch.setattr(actions, "fill", late)
    with pytest.raises(Conflict):
        await settle_named(handle, ["depth"], "accept", "user")
    assert "depth" not in handle.session().values


@pytest.mark.anyio
async def test_an_earlier_session_whose_log_has_an_odd_time_can_be_taken_from(tmp_path: Path) -> None:
    before = await pages(tmp_path)
    await actions.fill(before, {"depth": 3}, "user")
    (log,) = before.folder.glob("*.jsonl")
    entries = [decode(line) for line in log.read_bytes().splitlines()]
    log.write_bytes(b"".join(encode(replace(entry, at="one day")) + b"\n" for entry in entries))
    handle = await actions.begin(Workspace(Settings(tmp_path)), "pages")
    await say(handle, "t", "same as last time")
    assert [e.get("values") for e in handle.session().chat if e.did == "proposed"] == [{"depth": 3}]


SHARES = {"shares": TableFile(Path("shares.csv"), {"who": "text", "paid": "float", "owed": "float"}, 3)}


@pytest.mark.parametrize(
    ("words", "column", "how"),
    [
        ("who owes the most?", "owed", "max"),
        ("who owes the least", "owed", "min"),
        ("who paid the most?", "paid", "max"),
        ("which who paid the least?", "paid", "min"),
    ],
)
def test_who_does_the_most_is_asked_of_a_column_that_says_it(words, column, how):
    found = asked(words, SHARES)
    assert found and f'{how}("{column}")' in found.sql and not found.weak and not found.loose


@pytest.mark.parametrize("words", ["who owes the most fun?", "who snores the most?", "who owes Ann?"])
def test_who_does_the_most_is_nothing_where_no_column_says_it(words):
    found = asked(words, SHARES)
    assert found is None or not found.sql


SIZE = {"width": 20, "height": 30}
DAYS = {"needed_by": "2026-12-20", "pick_up": "2026-12-21"}


async def replies(
    folder: Path, words: list[str], given: Mapping[str, Any], done: tuple[str, ...], earlier: Any = None
) -> list[str]:
    """What is replied to each of the words in a session of prints."""
    workspace = Workspace(Settings(Path(__file__).parent / "scenarios", model="guide", card_seconds=5.0))
    workspace.conversations = workspace.lists.conversations = folder
    turns = tuple(Turn("say", each) for each in words)
    talk = Chat(workspace, pretend_run)
    try:
        played = await play(talk, Scenario("x", "prints", turns, given, done, earlier))
    finally:
        await talk.close()
    return [
        "".join(str(e.get("text")) for e in each.entries if e.did == "said" and e.by == "guide")
        for each in played
    ]


STEPS = ("photo", "dates")
REPLIES = [  # words, what was given, which steps are done, what the last reply says, and what it does not
    (["note: hi"], SIZE | DAYS, STEPS, ["Still missing: **Who**"], ["Nothing is missing"]),
    (["width 20 leather, next"], {}, (), ["“leather”", "this step is still open"], []),
    (["frobnicate the gizmo, run it"], SIZE, (), ["“frobnicate the gizmo”", "nothing was run"], []),
    (["friday", "run it"], SIZE, ("photo",), ["Still open: Which one is that for?", "nothing was run"], []),
    (["blubber"], {}, (), ["“blubber”", "“width 10, height 10”", "size and paper?” is open"], ["depth"]),
    (["clear the width"], SIZE, (), ["**Width** can not be empty"], []),
    (["next"], SIZE | DAYS, (), ["On to **When do you want it?** Nothing is missing. Say"], ["“When"]),
    (["paper glossy"], SIZE, (), ["“Which size and paper?”. Tags and Delivery can still be set."], []),
    (["what have you got so far?"], SIZE, (), ["Which size and paper?\n\n- Width: **20 cm** (you)"], ["1."]),
    (["why do you need the height?"], {}, (), ["The run uses **Height**. It takes 10"], ["run takes"]),
    (["why do you need who?"], {}, (), ["Who gets a print."], []),
    (["width 20", "width 30", "undo"], {}, (), ["Width is 20 cm again."], ["Undone"]),
    (["width 20", "undo"], {}, (), ["Width is empty again."], ["Undone"]),
    (["paper canvas", "undo"], {}, (), ["Paper is matt again, its default."], []),
    (["needed by 2026-12-04"], {}, (), ["Needed by: **2026-12-04** (for “When do you want it?”)."], []),
    (["Ann and Bob"], SIZE | DAYS, STEPS, ["Who: **Ann, Bob**."], ["not understand"]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("words", "given", "done", "parts", "never"), REPLIES)
async def test_a_reply_tells_what_is_open_and_what_became_of_it(
    tmp_path: Path, words: list[str], given: Any, done: tuple[str, ...], parts: list[str], never: list[str]
) -> None:
    said = (await replies(tmp_path, words, given, done))[-1]
    assert [part for part in parts if part not in said] == [] and not [p for p in never if p in said], said


@pytest.mark.anyio
async def test_what_is_suggested_is_not_missing(tmp_path: Path) -> None:
    earlier = SIZE | DAYS | {"people": ["Ann"]}
    said = (await replies(tmp_path, ["same as last time"], {}, (), earlier))[-1]
    assert "Still missing" not in said and "take what is suggested: Width, Height" in said
    assert "As in “standard” (set " in said


def test_a_question_of_results_goes_before_a_field_that_is_called_so() -> None:
    table = {"kind": "table", "name": "shares", "file": "shares.csv", "rows": 2}
    columns = {"who": "text", "owed": "float"}
    facts: list[tuple[str, dict[str, Any]]] = [
        ("began", {"workflow": "bill", "title": "Bill", "format": 1}),
        ("set", {"step": "shares", "values": {"total": 9, "who": ["Ann", "Bob"]}}),
        ("advanced", {"step": "shares"}),
        ("started", {"run": "r1"}),
        ("produced", {"run": "r1", **table, "columns": columns}),
        ("finished", {"run": "r1"}),
    ]
    entries = [
        Entry(n, f"2026-11-21T10:00:0{n}.000Z", "user", did, fields)
        for n, (did, fields) in enumerate(facts, 1)
    ]
    session = fold(entries)
    situation = Situation(bill, session, cards(session, bill), "who owes the most?", ())
    assert [call.tool for call in plan(situation)] == ["query_results"]

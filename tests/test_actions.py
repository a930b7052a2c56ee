"""Actions on cards, on real sessions: what is judged, what is written, and what follows from it."""

import asyncio
import json
from typing import Any

import pytest

from assistant.actions import (
    begin,
    complete,
    fill,
    open_due,
    parameters_of,
    redo,
    reopen,
    set_on_card,
    undo,
)
from assistant.actions.judging import Outcome
from assistant.cards import cards, open_card
from assistant.errors import Conflict
from assistant.log import Fact
from assistant.session.undoing import undo_of
from assistant.settings import Settings
from assistant.workspace import Handle, Workspace

pytestmark = pytest.mark.anyio


def states(handle: Handle) -> dict[str, str]:
    return {card.step.name: card.state for card in cards(handle.session(), handle.workflow())}


def card(handle: Handle, step: str) -> Any:
    return next(card for card in cards(handle.session(), handle.workflow()) if card.step.name == step)


def lines(handle: Handle, after: int = 0) -> list[dict[str, Any]]:
    """The entries after that one, read from the file, without number and time."""
    text = (handle.folder / "log.jsonl").read_text("utf-8")
    found = [json.loads(line) for line in text.splitlines()][after:]
    return [{k: v for k, v in line.items() if k not in ("n", "at", "crc")} for line in found]


async def trip(workspace: Workspace, *done: str) -> Handle:
    """A trip whose first cards are done."""
    handle = await begin(workspace, "trip")
    given: dict[str, dict[str, Any]] = {
        "start": {"country": "France"},
        "city": {"town": "Paris"},
        "ticket": {"name": "Ada"},
    }
    for step in done:
        outcome = await complete(handle, step, given[step])
        assert not outcome.refused
    return handle


def make(workspace: Workspace, body: str) -> None:
    """A workflow `made`, with these steps."""
    head = (
        "import time\nfrom typing import Annotated\n"
        "from assistant import Ask, Note, Refused, Secret, Upload, Workflow\n"
        "flow = Workflow('Made')\n"
    )
    text = head + body + "\n@flow.run\ndef go(**values):\n    return Note('x')\n"
    (workspace.settings.workspace / "workflows" / "made.py").write_text(text)


# From begin to the end


async def test_begin_writes_the_session_and_opens_the_first_card(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    began, opened = lines(handle)
    source = began.pop("source")
    assert began == {"by": "user", "did": "began", "workflow": "trip", "title": "Plan a trip", "format": 1}
    assert len(source) == 16
    assert opened == {"by": "app", "did": "opened", "step": "start"}
    assert states(handle) == dict(start="open", city="locked", hotel="locked", ticket="locked")


async def test_a_card_is_one_write_of_set_advanced_and_opened(workspace: Workspace) -> None:
    handle = await trip(workspace, "start")
    assert lines(handle, 2) == [
        {
            "by": "user",
            "did": "set",
            "step": "start",
            "values": {"country": "France", "days": 4},
            "defaulted": ["days"],
        },
        {"by": "user", "did": "advanced", "step": "start"},
        {"by": "app", "did": "opened", "step": "city", "offered": {"town": ["Paris", "Lyon"]}},
    ]
    assert len({entry.at for entry in handle.log.entries[2:]}) == 1
    assert handle.session().origins == {"country": "user", "days": "default"}


async def test_a_skipped_card_has_its_defaults(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city")
    assert states(handle) == dict(start="done", city="done", hotel="skipped", ticket="open")
    skipped, values = lines(handle)[-3:-1]
    assert skipped == {"by": "app", "did": "skipped", "step": "hotel"}
    assert values == {
        "by": "workflow",
        "did": "set",
        "step": "hotel",
        "values": {"nights": 3, "stars": 3},
        "defaulted": ["nights", "stars"],
    }
    assert handle.session().values["address"] == "Paris, France"
    assert handle.session().origins["address"] == "workflow"


async def test_a_default_function_gives_a_suggestion_which_counts_only_once_confirmed(
    workspace: Workspace,
) -> None:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "Italy", "days": "12"})
    await complete(handle, "city", {"town": "Rome"})
    hotel = card(handle, "hotel")
    assert (hotel.state, hotel.suggestions, hotel.sources["nights"]) == (
        "open",
        {"nights": 11, "stars": 3},
        "default",
    )
    assert "nights" not in handle.session().values
    await complete(handle, "hotel", {"nights": "11", "stars": "5"})
    assert handle.session().origins["nights"] == "default"
    assert handle.session().origins["stars"] == "user"


async def test_values_to_run_with(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city")
    with pytest.raises(Conflict, match="Who travels"):
        await parameters_of(handle)
    await complete(handle, "ticket", {"name": "Ada"})
    assert await parameters_of(handle) == {
        "country": "France",
        "days": 4,
        "town": "Paris",
        "address": "Paris, France",
        "nights": 3,
        "stars": 3,
        "name": "Ada",
        "key": None,
        "window": False,
    }
    path = workspace.settings.workspace / "workflows" / "trip.py"
    path.write_text(path.read_text().replace("name: str,", "name: str, age: int,"))
    with pytest.raises(Conflict, match="now asks Age"):
        await parameters_of(handle)


# Judged whole


async def test_one_wrong_field_and_nothing_is_set(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    outcome = await complete(handle, "start", {"country": "France", "days": "99"})
    assert outcome.set == {} and set(outcome.refused) == {"days"}
    assert lines(handle, 2) == [
        {
            "by": "user",
            "did": "refused",
            "step": "start",
            "name": "days",
            "value": "99",
            "reason": outcome.refused["days"],
        }
    ]
    assert handle.session().values == {} and states(handle)["start"] == "open"
    await complete(handle, "start", {"country": "Spain", "days": "0"})
    assert [line["name"] for line in lines(handle, 3)] == ["country", "days"]
    assert handle.session().refusals["days"]["value"] == "0"


async def test_a_body_that_refuses_is_the_cards_own_refusal(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "Italy"})
    outcome = await complete(handle, "city", {"town": "Lyon"})
    assert outcome.refused == {None: "Lyon is in France."}
    refused = lines(handle)[-1]
    assert refused == {
        "by": "user",
        "did": "refused",
        "step": "city",
        "name": None,
        "value": None,
        "reason": "Lyon is in France.",
    }
    assert "town" not in handle.session().values
    assert set(handle.session().refusals) == {"/city"}


@pytest.mark.parametrize(
    "raw, values, defaulted",
    [
        ({"must": "a"}, {"must": "a", "may": None, "usual": 4, "tick": False, "several": []}, ["usual"]),
        (
            {"must": "a", "may": "", "usual": " ", "tick": "on", "several": ["x", "y"]},
            {"must": "a", "may": None, "usual": 4, "tick": True, "several": ["x", "y"]},
            ["usual"],
        ),
        (
            {"must": "a", "may": "2", "usual": "4"},
            {"must": "a", "may": 2, "usual": 4, "tick": False, "several": []},
            ["usual"],
        ),
    ],
)
async def test_an_empty_field(workspace: Workspace, raw: Any, values: Any, defaulted: Any) -> None:
    make(
        workspace,
        "@flow.step\n"
        "def one(must: str, tick: bool, several: list[str], may: int | None, usual: int = 4): ...",
    )
    handle = await begin(workspace, "made")
    outcome = await complete(handle, "one", raw)
    assert outcome.set == values
    assert next(line for line in lines(handle) if line["did"] == "set")["defaulted"] == defaulted


async def test_what_has_no_default_is_missing(workspace: Workspace) -> None:
    make(workspace, "@flow.step\ndef one(must: str, tick: bool): ...")
    handle = await begin(workspace, "made")
    assert (await complete(handle, "one", {"must": "  "})).refused == {"must": "Must is missing."}
    assert set((await complete(handle, "one", {}, "cli")).refused) == {"must", "tick"}  # no form, so no box


async def test_a_card_that_is_not_open_is_a_conflict(workspace: Workspace) -> None:
    handle = await trip(workspace, "start")
    for step, why in [("start", "already completed"), ("ticket", "not open yet"), ("nothing", "no card")]:
        with pytest.raises(Conflict, match=why):
            await complete(handle, step, {"country": "Italy"})
    assert handle.session().values["country"] == "France"


async def test_a_double_submit_counts_once(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    both = [complete(handle, "start", {"country": "France"}), complete(handle, "start", {"country": "Italy"})]
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert isinstance(first, Outcome) and isinstance(second, Conflict)
    assert handle.session().values["country"] == "France"
    assert sum(line["did"] == "advanced" for line in lines(handle)) == 1


async def test_of_two_submits_only_one_runs_the_body(workspace: Workspace) -> None:
    calls = workspace.settings.workspace / "calls"
    make(
        workspace,
        f"@flow.step\ndef one(n: int):\n    with open({str(calls)!r}, 'a') as file: file.write('x')",
    )
    handle = await begin(workspace, "made")
    both = [complete(handle, "one", {"n": 1}), complete(handle, "one", {"n": 2})]
    await asyncio.gather(*both, return_exceptions=True)
    assert calls.read_text() == "x"


async def test_what_is_posted_unchanged_keeps_its_origin(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await fill(handle, {"days": 6}, "model", "t1", "six days")
    outcome = await complete(handle, "start", {"country": "France", "days": "6"})
    assert outcome.set == {"country": "France"}
    assert handle.session().origins == {"days": "model", "country": "user"}


async def test_a_proposal_that_the_user_confirms_is_the_users(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    proposed = Fact("model", "proposed", {"id": "p1", "step": "start", "values": {"days": 9}, "turn": "t1"})
    await handle.write(lambda _: [proposed])
    start = card(handle, "start")
    assert (start.suggestions["days"], start.sources["days"], start.values) == (9, "model", {})
    await complete(handle, "start", {"country": "France", "days": "9"})
    assert handle.session().origins["days"] == "user"
    assert handle.session().proposals == {}


async def test_a_proposal_hides_no_default(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "France", "days": 9})
    await complete(handle, "city", {"town": "Paris"})
    proposed = Fact("model", "proposed", {"id": "p1", "step": "hotel", "values": {"nights": 2}, "turn": "t1"})
    await handle.write(lambda _: [proposed])
    assert (await complete(handle, "hotel", {"nights": ""})).set == {"nights": 8, "stars": 3}


async def test_next_in_the_chat_takes_what_stands_on_the_card(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await fill(handle, {"country": "Italy"}, "model", "t1")
    await set_on_card(handle, "start", "user", "t1")
    assert handle.session().origins == {"country": "model", "days": "default"}


# Secrets and uploads


async def test_a_secret_is_in_secrets_json_alone(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\ndef one(key: Annotated[Secret, Ask(min_length=9)], other: int):\n"
        "    if key.startswith('wrong'): raise ValueError(f'{key} is no key')\n"
        "    if other == 2: raise KeyError(str(key))\n"
        "    if other == 3: return {'leak': 'x' + key}\n",
    )
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"key": "hunter2", "other": "1"})  # too short
    await complete(handle, "one", {"key": "hunter2-hunter2", "other": "none"})
    outcome = await complete(handle, "one", {"key": "wrong-hunter2", "other": "1"})
    assert "is no key" in str(outcome.refused[None])
    for other in "23":
        assert set((await complete(handle, "one", {"key": "hunter2-hunter2", "other": other})).refused) == {
            None
        }
    await complete(handle, "one", {"key": "hunter2-hunter2", "other": "1"})
    assert handle.session().values == {"key": {"secret": True}, "other": 1}
    assert "hunter2" not in (handle.folder / "log.jsonl").read_text()
    assert handle.secrets() == {"key": "hunter2-hunter2"}
    assert (handle.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    await reopen(handle, "one")
    assert not (await complete(handle, "one", {"key": "", "other": "4"})).refused
    assert handle.secrets() == {"key": "hunter2-hunter2"}


async def test_a_new_secret_in_place_of_an_old_one_is_a_change(workspace: Workspace) -> None:
    make(workspace, "@flow.step\ndef one(key: Secret): ...")
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"key": "hunter2-hunter2"})
    await reopen(handle, "one")
    assert (await complete(handle, "one", {"key": "hunter3-hunter3"})).set == {"key": {"secret": True}}
    assert handle.secrets() == {"key": "hunter3-hunter3"}


async def test_an_upload_is_kept_when_its_field_is_left_empty(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\ndef zero(n: int): ...\n"
        "@flow.step(when=lambda n: n)\ndef one(n, text: Upload, more: list[Upload], old: str = ''): ...",
    )
    handle = await begin(workspace, "made")
    handle.files.mkdir()
    (handle.files / "a.txt").write_text("words")
    await complete(handle, "zero", {"n": 1})
    a = {"file": "a.txt"}
    assert not (await complete(handle, "one", {"text": a, "more": [a]})).refused
    await reopen(handle, "one")
    assert (await complete(handle, "one", {"text": "", "more": [], "old": "x"})).set == {"old": "x"}
    await fill(handle, {"n": 2}, "model")  # now it is stale
    assert (await complete(handle, "one", {"more": []})).set == {"text": a, "more": [a], "old": ""}
    (handle.files / "a.txt").unlink()
    await reopen(handle, "one")
    assert set((await complete(handle, "one", {})).refused) == {"text", "more"}


async def test_a_refused_address_with_a_password_is_not_in_the_log(workspace: Workspace) -> None:
    make(workspace, "from pydantic import HttpUrl\n@flow.step\ndef one(page: HttpUrl): ...")
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"page": "https://ada:hunter2@example.org"})
    await fill(handle, {"page": "https://ada:hunter2@example.org"}, "model")
    assert "hunter2" not in (handle.folder / "log.jsonl").read_text()


# Functions of the workflow that fail or hang


async def test_a_failing_or_hanging_function_is_a_sentence_and_the_card_opens(workspace: Workspace) -> None:
    make(
        workspace,
        "def broken(n): return 1 / n\ndef slow(n):\n    time.sleep(1.5)\ndef ends(n): raise StopIteration\n"
        "def fine(n): return ['x', n]\n"
        "@flow.step\ndef zero(n: int): ...\n"
        "@flow.step(when=ends)\ndef one(n, a: Annotated[str, Ask('A', options=broken)],\n"
        "    b: Annotated[int, Ask('B', default=slow)], c: Annotated[str, Ask(options=fine)]): ...",
    )
    workspace.settings.__dict__["card_seconds"] = 0.3
    handle = await begin(workspace, "made")
    await complete(handle, "zero", {"n": 0})
    opened, failed = lines(handle)[-2:]
    assert opened == {"by": "app", "did": "opened", "step": "one", "offered": {"c": ["x", 0]}}
    reason = failed.pop("reason")
    assert failed == {"by": "workflow", "did": "failed", "where": "step", "step": "one"}
    for part in (
        "Whether this card",
        "The choices of A: The workflow failed here: ZeroDivisionError",
        "The default of B: This took longer than 0.3 seconds",
    ):
        assert part in reason
    assert states(handle)["one"] == "open" and handle.session().failures["one"]
    await reopen(handle, "one")  # try again
    assert [line["did"] for line in lines(handle)[-3:]] == ["reopened", "opened", "failed"]


async def test_a_skipped_card_whose_default_fails_has_none(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step(when=lambda: False)\n"
        "def one(a: Annotated[int, Ask(default=lambda: 1 / 0)], b: int = 2): ...\n"
        "@flow.step(when=lambda: False)\ndef two(c: Annotated[int, Ask(ge=5, default=lambda: 1)]): ...",
    )
    handle = await begin(workspace, "made")
    assert states(handle) == dict(one="skipped", two="skipped")
    assert handle.session().values == {"a": None, "b": 2, "c": None}
    assert "ZeroDivisionError" in handle.session().failures["one"]["reason"]
    assert "5 or more" in handle.session().failures["two"]["reason"]


async def test_a_body_that_fails_or_hangs_refuses_the_card(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\ndef one(n: int):\n    if n == 1: time.sleep(1.5)\n    if n == 2: return {'n': 3}\n"
        "    if n == 3: raise Refused('n', 3, 'Not three.')\n    if n == 4: return 7\n"
        "    return {'m': {1.5}}",
    )
    workspace.settings.__dict__["card_seconds"] = 0.3
    handle = await begin(workspace, "made")
    reasons = [(await complete(handle, "one", {"n": n})).refused for n in (1, 2, 3, 4)]
    assert "longer than 0.3 seconds" in reasons[0][None]
    assert "n, which a card asks" in reasons[1][None]
    assert reasons[2] == {"n": "Not three."}
    assert "a dict or nothing" in reasons[3][None]
    await complete(handle, "one", {"n": 5})
    assert handle.session().values == {"n": 5, "m": [1.5]}


async def test_what_is_not_derived_any_more_is_gone(workspace: Workspace) -> None:
    make(workspace, "@flow.step\ndef one(n: int):\n    return {'big': n} if n > 5 else None")
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"n": 9})
    assert handle.session().values == {"n": 9, "big": 9}
    await fill(handle, {"n": 2}, "model")
    assert handle.session().values == {"n": 2}
    await undo(handle)
    assert handle.session().values == {"n": 9, "big": 9}


async def test_a_slow_body_blocks_nobody_else(workspace: Workspace) -> None:
    make(workspace, "@flow.step\ndef one(n: int):\n    time.sleep(0.5)")
    slow, other = await begin(workspace, "made"), await begin(workspace, "trip")
    task = asyncio.create_task(complete(slow, "one", {"n": 1}))
    await asyncio.sleep(0)
    await complete(other, "start", {"country": "France"})
    assert not task.done()
    await slow.write(lambda _: [Fact("user", "said", {"text": "hello", "turn": "t1"})])
    assert not task.done()
    assert (await task).set == {"n": 1}


async def test_too_many_choices_are_a_sentence(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\n"
        "def one(a: Annotated[str, Ask('A', options=lambda: ['x' * 99 + str(i) for i in range(9999)])]): ...",
    )
    handle = await begin(workspace, "made")
    assert "at most 400,000" in str(handle.session().failures["one"]["reason"])


# What goes stale


async def test_a_changed_value_makes_those_stale_that_take_it_and_no_others(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city", "ticket")
    before = handle.session().n
    await fill(handle, {"country": "Italy"}, "model", "t1", "to Italy")
    assert [(line["did"], line.get("step"), line.get("because")) for line in lines(handle, before)] == [
        ("set", "start", None),
        ("reopened", "city", "country"),
        ("reopened", "ticket", "address"),
        ("opened", "city", None),
    ]
    assert states(handle) == dict(start="done", city="open", hotel="skipped", ticket="stale")
    assert handle.session().values == {"country": "Italy", "days": 4, "nights": 3, "stars": 3}
    city = card(handle, "city")
    assert (city.suggestions, city.sources, city.because) == ({"town": "Paris"}, {"town": "stale"}, "country")
    assert city.offered == {"town": ["Rome", "Lyon"]}
    assert card(handle, "ticket").suggestions["name"] == "Ada"
    assert set((await complete(handle, "city", {"town": "Paris"})).refused) == {"town"}
    await complete(handle, "city", {"town": "Rome"})
    assert states(handle)["ticket"] == "open" and open_card(cards(handle.session(), handle.workflow()))
    await complete(handle, "ticket", {"name": "Ada"})
    assert handle.session().values["address"] == "Rome, Italy"


async def test_a_skipped_card_is_asked_when_it_is_needed_after_all(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city", "ticket")
    await fill(handle, {"days": 12}, "user")
    assert states(handle) == dict(start="done", city="done", hotel="open", ticket="done")
    assert card(handle, "hotel").suggestions == {"nights": 3, "stars": 3}  # as they were
    await fill(handle, {"days": 2}, "user")
    assert states(handle)["hotel"] == "skipped"
    assert handle.session().values["nights"] == 1


async def test_values_said_ahead_stay_as_their_card_opens(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await fill(handle, {"town": "Lyon"}, "model", "t1")
    await complete(handle, "start", {"country": "France"})
    assert card(handle, "city").values == {"town": "Lyon"}
    assert card(handle, "city").offered == {"town": ["Paris", "Lyon"]}


async def test_a_stale_card_can_be_completed_before_its_turn_with_the_choices_of_now(
    workspace: Workspace,
) -> None:
    make(
        workspace,
        "@flow.step\ndef a(x: int): ...\n@flow.step\ndef b(x, y: int): ...\n"
        "@flow.step\ndef c(x, z: Annotated[int, Ask(options=lambda x: [x, x + 1])]): ...\n"
        "@flow.step\ndef d(y, w: int):\n    return {'v': w}",
    )
    handle = await begin(workspace, "made")
    for step, raw in [("a", {"x": 1}), ("b", {"y": 1}), ("c", {"z": 1}), ("d", {"w": 1})]:
        await complete(handle, step, raw)
    await fill(handle, {"x": 5}, "user")
    assert states(handle) == dict(a="done", b="open", c="stale", d="stale")
    assert set((await complete(handle, "c", {"z": "1"})).refused) == {"z"}
    assert (await complete(handle, "c", {"z": "6"})).set == {"z": 6}
    assert states(handle)["c"] == "done"
    assert "complete “B” first" in str((await complete(handle, "d", {"w": 2})).refused[None])
    await reopen(handle, "d")
    assert states(handle)["d"] == "stale"  # to open it again does not make it less so


# Value by value


async def test_fill_sets_the_good_ones_and_refuses_the_others(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    given = {"country": "Italy", "days": "99", "colour": "red", "key": "hunter2-hunter2", "name": "Ada"}
    outcome = await fill(handle, given, "model", "t1", "to Italy")
    assert outcome.set == {"country": "Italy", "name": "Ada"}
    assert set(outcome.refused) == {"days", "colour", "key"}
    assert "There are country, days, town" in outcome.refused["colour"]
    assert "on its card only" in outcome.refused["key"]
    assert "hunter2" not in (handle.folder / "log.jsonl").read_text()
    assert lines(handle)[-2:] == [
        {"by": "model", "did": "set", "step": step, "values": values, "turn": "t1", "why": "to Italy"}
        for step, values in [("start", {"country": "Italy"}), ("ticket", {"name": "Ada"})]
    ]
    again = await fill(handle, {"country": "Italy"}, "model", "t2")
    assert (again.set, again.unchanged, again.entries) == ({}, ["country"], [])


async def test_a_done_card_has_to_accept_what_is_filled_in(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await complete(handle, "start", {"country": "Italy"})
    await complete(handle, "city", {"town": "Rome"})
    outcome = await fill(handle, {"town": "Lyon"}, "model", "t1")
    assert outcome.refused == {"town": "Lyon is in France."}
    assert handle.session().values["town"] == "Rome"
    assert "not needed" in (await fill(handle, {"stars": 5}, "model")).refused["stars"]
    workflow = workspace.settings.workspace / "workflows" / "trip.py"
    workflow.write_text(workflow.read_text().replace('"Rome", "Lyon"', '"Rome", "Bari"'))
    await reopen(handle, "city")
    await complete(handle, "city", {"town": "Rome"})
    await fill(handle, {"town": "Bari"}, "model", "t2")
    assert handle.session().values["address"] == "Bari, Italy"
    assert states(handle)["city"] == "done"


async def test_values_of_two_done_cards_are_checked_together(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\ndef one(low: int): ...\n"
        "@flow.step\ndef two(low, high: int):\n"
        "    if low > high: raise ValueError('turned')",
    )
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"low": 5})
    await complete(handle, "two", {"high": 6})
    assert not (await fill(handle, {"high": 3, "low": 1}, "cli")).refused
    assert handle.session().values["low"] == 1
    assert card(handle, "two").suggestions == {"high": 3}  # since what it takes has changed


async def test_true_in_place_of_1_is_a_change(workspace: Workspace) -> None:
    make(workspace, "@flow.step\ndef one(n: int):\n    return {'m': n > 1 if n else 1}")
    handle = await begin(workspace, "made")
    await complete(handle, "one", {"n": 0})
    await fill(handle, {"n": 2}, "user")
    assert handle.session().values["m"] is True


async def test_a_note_goes_into_the_same_write(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    outcome = await fill(
        handle, {"days": 5}, "model", "t1", note=lambda o: [Fact("model", "called", {"set": o.set})]
    )
    assert [entry.did for entry in outcome.entries] == ["called", "set"]
    assert len({entry.at for entry in outcome.entries}) == 1
    assert outcome.entries[0]["set"] == {"days": 5}


# Undo, redo, reopen


async def test_undo_and_redo_of_cards(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city")
    full = handle.session().values
    assert (await undo(handle)).unchanged == ["town", "address", "nights", "stars"]
    assert states(handle) == dict(start="done", city="open", hotel="locked", ticket="locked")
    assert handle.session().values == {"country": "France", "days": 4}
    await undo(handle)
    assert states(handle)["start"] == "open" and handle.session().values == {}
    with pytest.raises(Conflict, match="nothing to undo"):
        await undo(handle)
    await redo(handle)
    await redo(handle)
    assert handle.session().values == full
    assert states(handle) == dict(start="done", city="done", hotel="skipped", ticket="open")
    with pytest.raises(Conflict, match="nothing to redo"):
        await redo(handle)


async def test_undo_of_a_change_brings_back_what_went_stale(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city", "ticket")
    before = handle.session()
    await fill(handle, {"country": "Italy"}, "model", "t1")
    changed = handle.session()
    await undo(handle)
    assert handle.session().values == before.values and set(states(handle).values()) == {"done", "skipped"}
    await redo(handle)
    assert (handle.session().values, handle.session().suggestions) == (changed.values, changed.suggestions)
    assert states(handle) == dict(start="done", city="open", hotel="skipped", ticket="stale")


async def test_undo_after_the_user_went_on_from_a_models_value(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    await fill(handle, {"country": "Italy", "days": 4}, "model", "t1")
    await complete(handle, "start", {"country": "Italy", "days": "4"})
    assert states(handle)["city"] == "open"
    await undo(handle)
    assert handle.session().values == {} and states(handle)["start"] == "open"
    await redo(handle)
    assert states(handle)["city"] == "open"
    await undo(handle)
    await complete(handle, "start", {"country": "France"})
    with pytest.raises(Conflict, match="nothing to redo"):
        await redo(handle)


async def test_undo_of_one_entry_from_long_ago_makes_stale_what_was_built_on_it(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city")
    await fill(handle, {"country": "Italy"}, "model", "t1")
    entry = next(
        e.n for e in handle.log.entries if e.did == "set" and e.get("values") == {"country": "Italy"}
    )
    await complete(handle, "city", {"town": "Rome"})
    await undo(handle, entry=entry)
    assert handle.session().values["country"] == "France"
    assert states(handle)["city"] == "open" and card(handle, "city").suggestions == {"town": "Rome"}
    await redo(handle)
    assert handle.session().values["address"] == "Rome, Italy"
    assert states(handle)["city"] == "done"
    with pytest.raises(Conflict):
        await undo(handle, entry=1)


async def test_reopen_keeps_the_values(workspace: Workspace) -> None:
    handle = await trip(workspace, "start", "city")
    await reopen(handle, "start")
    assert states(handle) == dict(start="open", city="done", hotel="skipped", ticket="locked")
    assert card(handle, "start").values == {"country": "France", "days": 4}
    with pytest.raises(Conflict, match="not open yet"):
        await reopen(handle, "ticket")
    before = handle.session().n
    await reopen(handle, "start")  # it is open: nothing happens
    assert handle.session().n == before
    await complete(handle, "start", {"country": "France", "days": "4"})
    assert states(handle)["city"] == "done"


async def test_a_card_that_becomes_the_open_one_again_is_opened_again(workspace: Workspace) -> None:
    handle = await trip(workspace, "start")
    await reopen(handle, "start")
    done = await complete(handle, "start", {"country": "France", "days": "4"})
    opened = [entry["step"] for entry in done.entries if entry.did == "opened"]
    assert opened == ["city"] and handle.session().last_opened == "city"


async def test_a_fork_may_end_before_its_card_opened(workspace: Workspace) -> None:
    handle = await trip(workspace, "start")
    made = workspace.fork(handle, 4)  # set and advanced, and not yet opened
    assert states(made)["city"] == "open" and card(made, "city").offered == {}
    assert set((await complete(made, "city", {"town": "Rome"})).refused) == {"town"}
    made = workspace.fork(handle, 4)
    await open_due(made)
    assert card(made, "city").offered == {"town": ["Paris", "Lyon"]}
    assert (await open_due(made)).entries == []


# Two programs on one session


async def test_another_program_writes_meanwhile(workspace: Workspace) -> None:
    make(
        workspace,
        "@flow.step\ndef one(n: int):\n    time.sleep(0.3)\n    return {'m': n}\n@flow.step\n"
        "def two(n, k: int): ...",
    )
    handle = await begin(workspace, "made")
    other = Workspace(Settings(workspace.settings.workspace)).open(handle.sid)
    task = asyncio.create_task(complete(handle, "one", {"n": 1}))
    await asyncio.sleep(0)
    await other.write(lambda _: [Fact("cli", "set", {"step": "two", "values": {"k": 7}})])
    assert not task.done()
    await task  # computed again, from the newest state
    assert [e.did for e in handle.log.entries] == [
        "began",
        "opened",
        "set",
        "set",
        "set",
        "advanced",
        "opened",
    ]
    assert handle.session().values == {"k": 7, "n": 1, "m": 1} == other.session().values


async def test_two_programs_complete_one_card(workspace: Workspace) -> None:
    handle = await begin(workspace, "trip")
    other = Workspace(Settings(workspace.settings.workspace)).open(handle.sid)
    both = [complete(handle, "start", {"country": "France"}), complete(other, "start", {"country": "Italy"})]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Outcome"]
    assert sum(line["did"] == "advanced" for line in lines(handle)) == 1
    assert undo_of(handle.session()) == (3, 4, 5)

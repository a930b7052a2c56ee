"""A session whose workflow's file has changed: what fits is kept, and no run starts with what does not."""

import os
import re

import pytest
from browsing import card, fill, follows, is_open, next_, run_state
from playwright.sync_api import expect
from samples import SMALL, complete
from serving import Stream, make_workspace, serving, soup
from test_command_line import Program

from assistant.actions import begin
from assistant.actions import outdated as module
from assistant.actions.outdated import outdated

pytest_plugins = ["browser"]

STEM = iter(f"flow_{n}" for n in range(100))
FIT = "The workflow's file has changed since; all values still fit."
TRACED = '''
from pathlib import Path
from typing import Annotated

from assistant import Ask, Note, Workflow

flow = Workflow("Traced")


def traced(what, value):
    with Path(__file__).with_suffix(".calls").open("a") as file:
        file.write(what + "\\n")
    return value


@flow.step
def start(kind: Annotated[str, Ask(options=lambda: traced("options", ["one", "two"]))],
          size: Annotated[int, Ask(default=lambda: traced("default", 3))]):
    """Which kind?"""
    traced("body", None)


@flow.step(when=lambda kind: traced("when", True))
def more(kind, word: str = "x"):
    """Which word?"""


@flow.run
def go(kind):
    yield Note(kind)
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("changed") / "work", small=SMALL)) as server:
        yield server


def write(server, stem: str, source: str) -> str:
    """Writes the workflow's file as an editor does, so that it is seen as another one."""
    path = server.workspace / "workflows" / f"{stem}.py"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(source, "utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return stem


def changed(server, stem: str, *pairs: tuple[str, str], source: str = SMALL) -> None:
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    write(server, stem, source)


@pytest.fixture
def stem(server) -> str:
    """A workflow of the test's own."""
    return write(server, next(STEM), SMALL)


@pytest.fixture
def sid(server, stem) -> str:
    """A session whose cards are all completed: depth 2, kind star, names name 1."""
    return complete(server, server.begin(stem))


def region(server, sid):
    return server.page(f"sessions/{sid}").select_one("#changed")


def test_of_a_file_that_is_the_same_nothing_is_said(server, sid):
    assert region(server, sid).name == "div"
    assert region(server, sid).text == ""


def test_where_all_values_fit_one_line_says_so_until_the_file_is_used(server, stem, sid):
    changed(server, stem, ("How deep?", "How very deep?"))
    assert region(server, sid).text == FIT
    before = server.entries(sid)
    assert server.run(sid)["state"] == "finished"
    started = server.did(sid, "started")[0]
    assert started["source"] != before[0]["source"]
    assert region(server, sid).text == ""
    server.run(sid)
    assert server.did(sid, "started")[1].get("source") is None


def test_what_does_not_fit_is_listed_with_what_to_do(server, stem, sid):
    changed(
        server, stem, ("ge=1, le=20", "ge=5, le=20"), ("kind: Literal", "shape: Literal"),
        ("Ask(\"Names\", options=names_for)] = []", "Ask(\"Names\", options=names_for)] = [], age: int = 9"),
    )  # fmt: skip
    found = region(server, sid)
    assert found.name == "article"
    told = {p["data-kind"]: p.text for p in found.select("p[data-kind]")}
    assert told["refused"] == "Depth is 5 to 20 levels; 2 was not taken."
    assert told["renamed"].startswith("Nobody asks kind any more; it was star. Shape is new")
    assert told["new"] == "“Which names?” asks Age now, its default is 9."
    forms = [form["action"] for form in found.select("form")]
    assert forms == [f"sessions/{sid}/steps/start/reopen", f"sessions/{sid}/steps/finish/reopen"]
    assert server.state(sid)["values"]["kind"] == "star"


def test_a_new_value_whose_default_is_an_empty_text_is_told_as_that(server, stem, sid):
    changed(server, stem, ('Ask("Names", options=names_for)] = []', "Ask(\"Names\")] = [], word: str = ''"))
    assert "“Which names?” asks Word now, its default is empty." in region(server, sid).text


PICKS = '''
from typing import Annotated

from assistant import Ask, Note, Workflow

flow = Workflow("Picks")


@flow.step
def pick(
    fruit: Annotated[str, Ask("Fruit", options=["apple", "pear", "plum"])],
    cups: Annotated[list[str], Ask("Cups", options=["large", "small"])] = [],
):
    """Which fruit?"""


@flow.run
def go(fruit, cups):
    yield Note(fruit)
'''


def test_choices_that_are_gone_are_named_as_a_replay_names_them(server):
    stem = write(server, next(STEM), PICKS)
    sid = server.begin(stem)
    server.next(sid, "pick", {"fruit": "apple", "cups": "large"})
    fewer = ('["apple", "pear", "plum"]', '["plum", "apple", "fig"]'), (', "small"]', "]")
    changed(server, stem, *fewer, source=PICKS)
    found = {p.text: p["data-kind"] for p in region(server, sid).select("li p[data-kind]")}
    assert found == {
        "Fruit does not offer pear any more.": "choices", "Cups does not offer small any more.": "choices",
    }  # fmt: skip
    told, _ = Program(server.workspace)("replay", sid, status=1)
    assert all(sentence in told for sentence in found)
    assert server.run(sid)["state"] == "finished"
    assert region(server, sid).text == ""


def test_a_chosen_one_that_is_gone_is_told_once(server):
    stem = write(server, next(STEM), PICKS)
    sid = server.begin(stem)
    server.next(sid, "pick", {"fruit": "pear", "cups": "large"})
    changed(server, stem, ('["apple", "pear", "plum"]', '["apple"]'), source=PICKS)
    [line] = region(server, sid).select("li p[data-kind]")
    assert line["data-kind"] == "refused"


def test_a_value_that_nobody_asks_any_more_stays_in_the_record(server, stem, sid):
    changed(server, stem, ('    kind: Literal["tree", "star"] = "tree",\n', ""))
    assert region(server, sid).select_one("li").text == (
        "Nobody asks kind any more; it was star. It is kept in the record."
    )
    assert server.run(sid)["state"] == "finished"
    assert region(server, sid).text == ""
    assert "star" in server.page(f"sessions/{sid}/record").select_one("#parameters").text


def test_no_run_starts_with_a_value_that_is_refused_now(server, stem, sid):
    changed(server, stem, ("ge=1, le=20", "ge=5, le=20"))
    answer = server.post(f"sessions/{sid}/runs")
    assert answer.status_code == 409
    assert soup(answer).select_one("#error-depth").text == "Depth is 5 to 20 levels; 2 was not taken."
    assert server.did(sid, "started") == []
    assert server.state(sid)["steps"]["start"] == "open"
    refused = server.did(sid, "refused")[-1]
    assert (refused.by, refused["name"], refused["value"]) == ("app", "depth", 2)
    server.next(sid, "start", {"depth": "5", "kind": "star"})
    assert region(server, sid).text == ""
    server.next(sid, "finish", {"names": "name 1"})
    assert server.run(sid)["state"] == "finished"


def test_the_guide_starts_no_such_run_either(server, stem, sid):
    changed(server, stem, ("ge=1, le=20", "ge=5, le=20"))
    server.post(f"sessions/{sid}/messages", {"text": "run it"})
    server.wait(sid, lambda s: any(e.by == "guide" for e in s.did(sid, "said")))
    assert "Depth is 5 to 20 levels" in server.did(sid, "said")[-1]["text"]
    assert server.did(sid, "started") == []


def test_an_opened_card_shows_why_its_value_is_refused(server, stem, sid):
    changed(server, stem, ("ge=1, le=20", "ge=5, le=20"))
    server.post(f"sessions/{sid}/steps/start/reopen")
    page = server.page(f"sessions/{sid}")
    assert page.select_one("#error-depth").text == "Depth is 5 to 20 levels; 2 was not taken."
    assert page.select_one("[name=depth]")["value"] == "2"
    assert page.select_one("#changed a")["href"] == f"sessions/{sid}#card-start"


def test_a_card_that_asks_more_is_opened_by_a_run(server, stem, sid):
    changed(server, stem, ("names: Annotated", "age: int, names: Annotated"))
    answer = server.post(f"sessions/{sid}/runs", headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert "now asks Age, too" in answer.text
    assert server.state(sid)["open"] == "finish"


def test_a_skipped_card_is_computed_again_by_itself(server, stem, sid):
    changed(server, stem, ("reason: str)", 'reason: str, why: str = "so")'))
    assert server.run(sid)["state"] == "finished"
    assert server.state(sid)["values"]["why"] == "so"


@pytest.mark.parametrize(
    ("old", "new", "step", "said"),
    [
        ('f"name {n}"', 'f"title {n}"', "finish", '"name 1" was not taken.'),
        ("depth == 13", "depth == 2", "start", "Thirteen is not for us."),
        ("depth > 5", "depth > 1", "deep", "The card is needed now."),
    ],
)
def test_before_a_run_the_functions_of_a_changed_file_are_asked(server, stem, sid, old, new, step, said):
    changed(server, stem, (old, new))
    answer = server.post(f"sessions/{sid}/runs", headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert said in answer.json()["error"]
    assert server.state(sid)["open"] == step
    assert server.did(sid, "started") == []


def test_a_run_gets_what_the_changed_file_derives(server, stem, sid):
    changed(server, stem, ("2 * depth", "10 * depth"))
    assert server.run(sid)["state"] == "finished"
    assert server.state(sid)["values"]["double"] == 20
    started = server.did(sid, "started")[0]
    assert started["parameters"]["double"] == 20


def test_a_card_that_is_not_needed_any_more_is_skipped_by_a_run(server, stem):
    sid = complete(server, server.begin(stem), depth=9)
    changed(server, stem, ("depth > 5", "depth > 10"))
    assert server.run(sid)["state"] == "finished"
    assert server.state(sid)["steps"]["deep"] == "skipped"


def test_the_open_card_is_judged_by_the_choices_of_the_file_as_it_is(server, stem):
    sid = server.begin(stem)
    server.next(sid, "start", {"depth": "2"})
    changed(server, stem, ('f"name {n}"', 'f"title {n}"'))
    server.next(sid, "finish", {"names": "name 1"}, 422)
    server.next(sid, "finish", {"names": "title 1"})
    opened = server.did(sid, "opened")[-1]
    assert opened["offered"] == {"names": ["title 0", "title 1"]}
    assert opened["source"] != server.entries(sid)[0]["source"]
    assert region(server, sid).text == ""


def test_a_look_calls_nothing_of_the_workflow_and_writes_nothing(server):
    stem = write(server, next(STEM), TRACED)
    calls = server.workspace / "workflows" / f"{stem}.calls"
    sid = server.begin(stem)
    server.next(sid, "start", {"kind": "two", "size": "4"})
    server.next(sid, "more", {"word": "y"})
    assert set(calls.read_text().split()) == {"options", "default", "body", "when"}
    changed(server, stem, ('"one", "two"', '"one"'), ('"""Which word?"""', "return 1"), source=TRACED)
    calls.unlink()
    log = (server.folder(sid) / "log.jsonl").read_bytes()
    assert region(server, sid).text == FIT  # that "two" is no choice any more, only the function could say
    assert not calls.exists()
    assert (server.folder(sid) / "log.jsonl").read_bytes() == log


def test_an_earlier_entry_and_a_session_that_can_only_be_looked_at_say_nothing(server, stem, sid):
    changed(server, stem, ("ge=1, le=20", "ge=5, le=20"))
    assert server.page(f"sessions/{sid}?at=3").select_one("#changed").text == ""
    write(server, stem, "def (")
    assert region(server, sid).text == ""


def test_the_stream_takes_the_list_away(server, stem, sid):
    changed(server, stem, ("ge=1, le=20", "ge=5, le=20"))
    after = len(server.entries(sid))
    with Stream(server, sid, after) as stream:
        server.post(f"sessions/{sid}/steps/start/reopen")
        server.next(sid, "start", {"depth": "5", "kind": "star"})
        found = stream.until(lambda m: "Depth is 5" not in m.targets.get("#changed", "Depth is 5"))
    assert re.search(r'<div id="changed"></div>', found.targets["#changed"])


@pytest.mark.anyio
async def test_it_is_computed_once_for_each_entry_and_file(workspace, monkeypatch):
    handle = await begin(workspace, "trip")
    path = workspace.settings.workspace / "workflows" / "trip.py"
    path.write_text(path.read_text() + "\n# changed\n")
    flow, count, real = handle.workflow(), [], module.misfits
    monkeypatch.setattr(module, "misfits", lambda *given: count.append(1) or real(*given))
    assert outdated(handle, handle.session(), flow) is outdated(handle, handle.session(), flow)
    assert len(count) == 1


@pytest.mark.browser
def test_in_the_browser(program, tab):
    server = program(small=SMALL)
    sid = complete(server, server.begin("small"))
    page = tab(server.page_of(sid))
    follows(page)
    expect(page.locator("#changed")).to_be_empty()
    changed(server, "small", ("ge=1, le=20", "ge=5, le=20"))
    page.reload()
    follows(page)
    expect(page.locator("#changed p[data-kind=refused]")).to_have_text(
        "Depth is 5 to 20 levels; 2 was not taken."
    )
    page.get_by_role("button", name="Open the card: How deep?").click()
    is_open(page, "start")
    expect(card(page, "start").locator("#error-depth")).to_contain_text("2 was not taken")
    fill(page, depth="5")
    next_(page, "start")
    expect(page.locator("#changed")).to_be_empty()
    is_open(page, "finish")
    next_(page, "finish")
    page.locator("#runs button").first.click()
    run_state(page, "finished")


@pytest.mark.browser
def test_what_another_program_sets_stands_on_the_open_page(program, tab):
    server = program(small=SMALL)
    sid = server.begin("small")
    page = tab(server.page_of(sid))
    follows(page)
    Program(server.workspace)("set", sid, "depth=7")
    expect(page.locator("#cards [name=depth]")).to_have_value("7")
    expect(card(page, "start").locator("[data-by=cli]")).to_be_visible()

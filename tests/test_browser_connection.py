"""The connection in Chromium: the server is killed in the middle of things, and started again."""

import pytest
from browsing import (
    GONE,
    card,
    expect,
    fill,
    follows,
    hide,
    is_alive,
    is_open,
    next_,
    run_state,
    say,
    until,
    words,
)
from double import Round, line

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser
MODEL = "small:4b"


def endless():
    """A reply whose end never comes."""

    def pieces():
        yield line(MODEL, "It was going ")
        while True:
            yield 0.02

    return Round(pieces=pieces())


def mends(page):
    """Wait until the page follows the stream again; it must not have been loaded afresh."""
    expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
    assert page.evaluate("window.sameDocument")


@pytest.fixture
def opened(tab):
    """Opens a session's page and waits until it follows the stream."""

    def open_(server, sid):
        tab.expect(GONE)
        page = tab(server.page_of(sid))
        follows(page)
        page.evaluate("window.sameDocument = true")
        return page

    return open_


def test_killed_in_the_middle_of_a_card_the_page_says_so_mends_itself_and_loses_nothing(program, opened):
    server = program()
    sid = server.begin("trip")
    page = opened(server, sid)
    fill(page, city="Lisbon", nights="7")
    page.locator("#chat-input").fill("not sent yet")
    server.kill()
    expect(page.locator("#lost")).to_be_visible()
    next_(page, "place")
    expect(page.locator("#toast")).to_contain_text("What you typed is still here")
    server.start()
    mends(page)
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    expect(page.locator("[name=nights]")).to_have_value("7")
    expect(page.locator("#chat-input")).to_have_value("not sent yet")
    next_(page, "place")
    is_open(page, "budget")
    assert server.state(sid)["values"] == {"city": "Lisbon", "nights": 7}
    assert len(server.did(sid, "advanced")) == 1


def test_f5_keeps_what_is_typed_and_not_sent(program, opened):
    server = program()
    sid = server.begin("trip")
    server.next(sid, "place", {"city": "Lisbon"})
    page = opened(server, sid)
    fill(page, money="77")
    page.get_by_label("quick").check()
    page.locator("#chat-input").fill("not sent yet")
    page.reload()
    expect(page.locator("[name=money]")).to_have_value("77")
    expect(page.get_by_label("quick")).to_be_checked()
    expect(page.locator("#chat-input")).to_have_value("not sent yet")
    follows(page)
    next_(page, "budget")
    is_open(page, "papers")
    assert server.state(sid)["values"] | {"money": 77, "pace": "quick"} == server.state(sid)["values"]
    page.locator("#chat-send").click()
    expect(words(page, "user")).to_have_text("not sent yet")
    expect(words(page, "guide")).to_have_count(1)
    expect(page.locator("#chat-input")).to_have_value("")
    page.reload()
    expect(page.locator("#chat-input")).to_have_value("")


def test_what_happened_in_another_tab_while_the_server_was_away_is_there_afterwards(program, opened):
    server = program()
    sid = server.begin("trip")
    page = opened(server, sid)
    server.kill()
    expect(page.locator("#lost")).to_be_visible()
    server.start()
    server.next(sid, "place", {"city": "Lisbon"})
    mends(page)
    is_open(page, "budget")
    expect(card(page, "place")).to_contain_text("Lisbon")
    expect(page.locator(".message.help")).to_have_count(2)


def test_killed_in_the_middle_of_an_answer_it_can_be_asked_again(program, opened, double):
    double.add(MODEL)
    double.enqueue(MODEL, endless(), "Here is all of it.")
    server = program(double.address)
    sid = server.begin("trip")
    page = opened(server, sid)
    say(page, "Tell me something")
    expect(page.locator("#draft")).to_contain_text("It was going")
    server.kill()
    expect(page.locator("#lost")).to_be_visible()
    assert double.wait_for(lambda double: double.disconnected == 1)
    server.start()
    mends(page)
    expect(page.locator("#draft")).to_be_hidden()
    expect(page.locator("#chat-stop")).to_be_hidden()
    expect(page.locator(".again")).to_contain_text("No answer came")
    page.get_by_role("button", name="Ask again").click()
    expect(words(page, "model")).to_contain_text("Here is all of it.")
    expect(page.locator(".again")).to_have_count(0)
    expect(words(page, "user")).to_have_count(1)


def test_killed_in_the_middle_of_a_run_it_is_interrupted_and_can_be_started_again(program, opened, tmp_path):
    server = program()
    sid = server.begin("endless")
    server.next(sid, "until", {"file": str(tmp_path / "end")})
    page = opened(server, sid)
    page.locator("#card-run button").click()
    run_state(page, "running")
    expect(page.locator("#runs")).to_contain_text("waiting")
    children = server.children()
    assert children
    server.kill()
    expect(page.locator("#lost")).to_be_visible()
    while any(is_alive(pid) for pid in children):
        page.wait_for_timeout(20)
    server.start()
    mends(page)
    run_state(page, "interrupted")
    page.locator("#card-run button").click()
    run_state(page, "running")
    (tmp_path / "end").touch()
    run_state(page, "finished")
    expect(page.locator(".result-note")).to_have_text("It is over.")
    assert [entry.did for entry in server.entries(sid) if entry.did in ("interrupted", "finished")] == [
        "interrupted",
        "finished",
    ]


def test_a_run_is_cancelled_from_the_page_and_its_process_ends(program, opened, tmp_path):
    server = program()
    sid = server.begin("endless")
    server.next(sid, "until", {"file": str(tmp_path / "never")})
    page = opened(server, sid)
    page.locator("#card-run button").click()
    expect(page.locator("#runs")).to_contain_text("waiting")
    children = server.children()
    assert children
    page.locator("#runs").get_by_role("button", name="Cancel").click()
    run_state(page, "cancelled")
    assert not any(is_alive(pid) for pid in children)


def test_a_first_connection_that_fails_is_tried_again(program, tab):
    server = program()
    sid = server.begin("trip")
    tab.expect(GONE)
    tab.context.route("**/events*", lambda route: route.abort(), times=1)
    page = tab(server.page_of(sid))
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
    follows(page)
    server.next(sid, "place", {"city": "Lisbon"})
    is_open(page, "budget")


def test_a_hidden_tab_lets_its_stream_go_and_comes_back(program, tab):
    server = program()
    sid = server.begin("trip")
    page = tab(server.page_of(sid))
    follows(page)
    page.evaluate("""() => document.querySelector("#stream")
      .addEventListener("htmx:sse:before:connection", () => { window.waits = true; })""")
    hide(page, True)
    server.next(sid, "place", {"city": "Lisbon"})
    assert card(page, "place").get_attribute("data-state") == "open"
    hide(page, False)
    is_open(page, "budget")
    expect(page.locator("#lost")).to_be_hidden()
    until(page, "window.waits === true")

"""The chat in Chromium, with a scripted Ollama and with the guide."""

import re
import socket
import threading
import time

import pytest
from browsing import card, expect, fill, follows, hide, is_open, next_, run_state, say, until, words
from double import Double, Round, call, fail, last_line, line
from double import say as words_of_model

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser
MODEL = "small:4b"


def held(*parts, gate):
    """A reply that waits for the gate before each part but the first."""

    def pieces():
        for n, part in enumerate(parts):
            while n and not gate.is_set():
                yield 0.005
            yield line(MODEL, part)
        yield last_line(MODEL)

    return Round(pieces=pieces())


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def trip(program, double):
    """The program with a model of the double's, and the id of a new session of the small workflow."""
    double.add(MODEL)
    server = program(double.address)
    return server, server.begin("trip")


# --- a model -------------------------------------------------------------------------------------------


def test_a_reply_is_seen_as_it_is_written_and_then_stands_as_a_message(trip, tab, double, gate):
    server, sid = trip
    double.enqueue(MODEL, held("It is **bold**.\n\nAnd ", "then more.", gate=gate))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Tell me something")
    draft = page.locator("#draft")
    expect(draft).to_contain_text("And")
    expect(draft.locator("strong")).to_have_text("bold")
    expect(page.locator("#status")).to_have_attribute("data-state", "busy")
    expect(page.locator("#chat-stop")).to_be_visible()
    assert words(page, "model").count() == 0
    gate.set()
    expect(words(page, "model")).to_contain_text("And then more.")
    expect(words(page, "model").locator("strong")).to_have_text("bold")
    expect(draft).to_be_hidden()
    expect(page.locator("#chat-stop")).to_be_hidden()
    expect(page.locator("#status")).to_have_attribute("data-state", "ready")


def test_a_page_loaded_in_the_middle_of_a_reply_goes_on_with_it(trip, tab, double, gate):
    server, sid = trip
    double.enqueue(MODEL, held("First paragraph.\n\nSecond ", "ends.", gate=gate))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Tell me something")
    expect(page.locator("#draft")).to_contain_text("Second")
    page.reload()
    expect(page.locator("#draft")).to_contain_text("First paragraph.")
    gate.set()
    expect(words(page, "model")).to_contain_text("Second ends.")
    expect(page.locator("#draft")).to_be_hidden()


def test_what_the_user_said_is_set_and_what_the_model_made_up_is_only_suggested(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, call("set_values", city="Lisbon", nights=9), words_of_model("Lisbon it is."))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "I want to go to Lisbon")
    expect(words(page, "model")).to_contain_text("Lisbon it is.")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    expect(page.locator("#field-city [data-by=model]")).to_be_visible()
    expect(page.locator("[name=nights]")).to_have_value("9")
    expect(page.locator("#field-nights .suggest")).to_contain_text("not from you")
    assert server.state(sid)["values"] == {"city": "Lisbon"}
    page.locator(".proposal").get_by_role("button", name="Accept").click()
    expect(page.locator(".proposal")).to_contain_text("accepted")
    expect(page.locator("#field-nights .suggest")).to_have_count(0)
    expect(page.locator("[name=nights]")).to_have_value("9")
    state = server.state(sid)
    assert (state["values"]["nights"], state["origins"]["nights"]) == (9, "user")


def test_a_suggestion_is_dismissed_and_next_takes_one_that_stands(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, call("set_values", nights=9), words_of_model("How about nine?"))
    double.enqueue(MODEL, call("set_values", nights=8), words_of_model("Or eight?"))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "How long should I stay?")
    page.locator(".proposal").get_by_role("button", name="Dismiss").click()
    expect(page.locator("[name=nights]")).to_have_value("3")
    say(page, "Something else then?")
    expect(page.locator("[name=nights]")).to_have_value("8")
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    state = server.state(sid)
    assert (state["values"]["nights"], state["origins"]["nights"]) == (8, "user")


def test_a_value_set_by_the_model_is_undone_from_the_chat(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, call("set_values", city="Lisbon"), words_of_model("Done."))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Lisbon")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    page.locator(".message.change").get_by_role("button", name="Undo").click()
    expect(page.locator(".did.undone")).to_be_visible()
    expect(page.locator("[name=city]")).to_have_value("")
    assert "city" not in server.state(sid)["values"]


@pytest.mark.parametrize("by", ["button", "Escape"])
def test_stop_ends_the_reply_and_keeps_its_words(trip, tab, double, gate, by):
    server, sid = trip
    double.enqueue(MODEL, held("So far ", "and no further", gate=gate))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Tell me something")
    expect(page.locator("#draft")).to_contain_text("So far")
    if by == "button":
        page.locator("#chat-stop").click()
    else:
        page.keyboard.press("Escape")
    expect(words(page, "model")).to_contain_text("So far")
    expect(words(page, "model").locator("small")).to_contain_text("stopped")
    expect(page.locator("#draft")).to_be_hidden()
    assert double.wait_for(lambda double: double.disconnected == 1)
    assert [entry.get("stopped") for entry in server.did(sid, "said")] == [None, True]


WATCH = """() => new MutationObserver(() => { window.blamed ||= !!document.querySelector(".again"); })
  .observe(document.body, { childList: true, subtree: true })"""


def test_a_message_sent_during_a_reply_is_there_at_once_and_answered_after_it(trip, tab, double, gate):
    server, sid = trip
    double.enqueue(MODEL, held("One ", "is done.", gate=gate), words_of_model("Two is done."))
    page = tab(server.page_of(sid))
    follows(page)
    page.evaluate(WATCH)
    say(page, "first question")
    expect(page.locator("#draft")).to_contain_text("One")
    say(page, "second question")
    expect(words(page, "user")).to_have_count(2)
    assert words(page, "model").count() == 0
    gate.set()
    expect(words(page, "model")).to_have_count(2)
    expect(words(page, "model").last).to_contain_text("Two is done.")
    assert not page.evaluate("window.blamed")  # no answer was ever said to be lost


def test_send_pressed_twice_says_it_once(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, "Yes.")
    page = tab(server.page_of(sid))
    follows(page)
    page.locator("#chat-input").fill("Only once")
    page.locator("#chat-send").dblclick()
    expect(words(page, "model")).to_contain_text("Yes.")
    assert [entry["text"] for entry in server.did(sid, "said")] == ["Only once", "Yes."]


@pytest.mark.parametrize("pause", [0, 0.02, 0.5])
def test_who_types_on_at_once_has_the_next_message_in_the_field(trip, tab, double, pause):
    server, sid = trip
    double.enqueue(MODEL, "Yes.", "Indeed.")
    page = tab(server.page_of(sid))
    follows(page)
    box = page.locator("#chat-input")
    box.focus()
    page.keyboard.type("One")
    page.keyboard.press("Enter")
    time.sleep(pause)
    page.keyboard.type("Two")
    expect(words(page, "model")).to_contain_text("Yes.")
    expect(box).to_have_value("Two")
    page.keyboard.press("Enter")
    expect(words(page, "model")).to_have_count(2)
    expect(box).to_have_value("")
    assert [entry["text"] for entry in server.did(sid, "said") if entry.by == "user"] == ["One", "Two"]


def test_other_words_that_took_the_place_of_those_on_their_way_stay_whole(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, "Yes.", "Indeed.")
    page = tab(server.page_of(sid))
    follows(page)
    held = []
    page.route("**/messages", lambda route: held.append(route))
    box = page.locator("#chat-input")
    say(page, "ok")
    until(page, "!!document.querySelector('#chat-form.htmx-request')")
    box.fill("okay, nights 5")
    held[0].continue_()
    expect(words(page, "model")).to_contain_text("Yes.")
    expect(box).to_have_value("okay, nights 5")
    box.fill("city Rome")
    page.keyboard.press("Enter")
    until(page, "!!document.querySelector('#chat-form.htmx-request')")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("city Rome please")
    held[1].continue_()
    expect(words(page, "user")).to_have_count(2)
    page.wait_for_timeout(200)
    expect(box).to_have_value("city Rome please")


def test_what_a_model_writes_cannot_load_or_run_anything(trip, tab, double):
    server, sid = trip
    text = (
        "**fine** <img src='http://127.0.0.1:9/x.png' onerror='alert(1)'> ![x](http://127.0.0.1:9/y.png) "
        "<script>alert(1)</script> <form action='/sessions' method=post><button>Go</button></form>"
    )
    double.enqueue(MODEL, words_of_model(text))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Tell me something")
    expect(words(page, "model").locator("strong")).to_have_text("fine")
    assert words(page, "model").locator(".words").locator("img, script, form, button").count() == 0
    page.reload()
    assert words(page, "model").locator(".words").locator("img, script, form, button").count() == 0


def test_a_model_that_fails_says_so_and_can_be_asked_again(trip, tab, double):
    server, sid = trip
    double.enqueue(MODEL, fail(500, "the model fell over"), words_of_model("Now I can."))
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "Tell me something")
    trouble = page.locator(".trouble")
    expect(trouble).to_contain_text("fell over")
    expect(trouble.get_by_role("button", name="Use the guide")).to_be_visible()
    trouble.get_by_role("button", name="Ask again").click()
    expect(words(page, "model")).to_contain_text("Now I can.")
    expect(trouble.get_by_role("button", name="Ask again")).to_have_count(0)
    page.locator("#model select").select_option("guide")
    expect(page.locator(".message.line")).to_contain_text("Built-in guide")


# --- which model ---------------------------------------------------------------------------------------


def options(page):
    return page.locator("#model option")


def test_the_picker_offers_the_guide_and_ollamas_models_and_the_choice_stays(trip, tab, double):
    server, sid = trip
    double.add("plain:1b", capabilities=["completion"])
    page = tab(server.page_of(sid))
    follows(page)
    expect(options(page).filter(has_text="Built-in guide")).to_have_count(1)
    expect(options(page).filter(has_text=f"{MODEL} · tools")).to_have_count(1)
    expect(options(page).filter(has_text="plain:1b · no tools")).to_have_count(1)
    page.locator("#model select").select_option("guide")
    expect(page.locator(".message.line")).to_contain_text("Built-in guide")
    page.reload()
    expect(page.locator("#model select")).to_have_value("guide")
    say(page, "what have you got so far?")
    expect(words(page, "guide")).to_have_count(1)
    assert double.requests == []


def test_ollama_comes_and_goes_while_the_page_is_open(program, tab):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = program(f"http://127.0.0.1:{port}")
    page = tab(server.page_of(server.begin("trip")))
    follows(page)
    expect(page.locator("#model select")).to_have_value("guide")
    expect(page.locator("#model optgroup")).to_have_attribute(
        "label", re.compile(f"No Ollama at http://127.0.0.1:{port}.*ollama serve")
    )
    with Double(port=port, scripts=False) as double:
        double.add(MODEL)
        expect(options(page).filter(has_text=MODEL)).to_have_count(1, timeout=20_000)
        expect(page.locator("#model optgroup")).to_have_count(0)
    expect(page.locator("#model optgroup")).to_have_count(1, timeout=20_000)


# --- the tab's title -----------------------------------------------------------------------------------


def test_the_title_of_a_hidden_tab_says_that_an_answer_is_there(trip, tab, double, gate):
    server, sid = trip
    double.enqueue(MODEL, held("Thinking ", "done.", gate=gate))
    page = tab(server.page_of(sid))
    follows(page)
    expect(page).to_have_title("Trip")
    say(page, "Tell me something")
    expect(page.locator("#draft")).to_contain_text("Thinking")
    hide(page, True)
    gate.set()
    expect(page).to_have_title("Answered · Trip")
    hide(page, False)
    expect(page).to_have_title("Trip")
    expect(words(page, "model")).to_contain_text("Thinking done.")


def test_the_title_of_a_hidden_tab_says_that_a_run_has_ended(program, tab, tmp_path):
    server = program()
    sid = server.begin("endless")
    server.next(sid, "until", {"file": str(tmp_path / "end")})
    page = tab(server.page_of(sid))
    follows(page)
    page.locator("#card-run button").click()
    run_state(page, "running")
    title = page.title()
    hide(page, True)
    (tmp_path / "end").touch()
    expect(page).to_have_title(f"Run ended · {title}")
    hide(page, False)
    expect(page).to_have_title(title)
    run_state(page, "finished")


def test_the_title_is_the_sessions_name(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    expect(page).to_have_title("Trip")
    assert server.post(f"sessions/{sid}/name", {"name": "Autumn"}).status_code == 303
    expect(page).to_have_title("Autumn · Trip")
    expect(page.locator(".rail [aria-current]")).to_contain_text("Autumn")


# --- the guide -----------------------------------------------------------------------------------------


def test_the_whole_workflow_by_chat_with_the_guide(program, tab):
    server = program()
    sid = server.begin("trip")
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "5 nights")
    expect(page.locator("[name=nights]")).to_have_value("5")
    say(page, "city: Lisbon")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    page.locator(".chips").get_by_role("button", name="Next").click()
    is_open(page, "budget")
    say(page, "800 euros, a quick pace")
    expect(page.locator("[name=money]")).to_have_value("800")
    say(page, "next")
    is_open(page, "papers")
    say(page, "next")
    expect(card(page, "papers")).to_have_attribute("data-state", "done")
    say(page, "run it")
    run_state(page, "finished")
    until(page, "document.querySelectorAll('article.table-result tbody tr').length === 5")
    assert (
        server.state(sid)["values"] | {"ticket": None, "key": None, "remark": ""}
        == server.state(sid)["values"]
    )
    assert {"city": "Lisbon", "nights": 5, "money": 800, "pace": "quick"}.items() <= server.state(sid)[
        "values"
    ].items()

"""What a chat program can do, in Chromium: ask again, edit, commands, quick replies, file drop, models."""

import re

import pytest
from browsing import NARROW, card, expect, fill, follows, is_open, next_, say, until, words
from double import Double, Pull, Round
from double import say as words_of_model

from assistant.log import Fact

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser
MODEL = "small:4b"
DROP = """([name, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], name, { type: "text/plain" }));
  const chat = document.querySelector("#chat-log");
  for (const type of ["dragover", "drop"])
    chat.dispatchEvent(new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def ollama():
    with Double(scripts=False) as double:
        double.add(MODEL)
        yield double


@pytest.fixture(scope="module")
def server(tmp_path_factory, ollama):
    from browser import programs  # not before pytest has it as a plugin

    with programs(tmp_path_factory.mktemp("chat")) as make:
        yield make(ollama.address)


@pytest.fixture
def page(server, tab, ollama):
    """A page of a new session that follows its stream; the model has nothing to say yet."""
    ollama._queues.clear()
    page = tab(server.page_of(server.begin("trip")))
    follows(page)
    return page


def talk(page, ollama, *pairs):
    """Say each, and wait for the reply that the model has for it."""
    for said, reply in pairs:
        before = words(page, "model").count()
        ollama.enqueue(MODEL, reply)
        say(page, said)
        expect(words(page, "model")).to_have_count(before + 1)


def test_a_reply_is_asked_again(page, server, ollama):
    talk(page, ollama, ("Tell me", "The first try."))
    ollama.enqueue(MODEL, "The second try.")
    words(page, "model").get_by_role("button", name="Ask again").click()
    expect(words(page, "model").last.locator(".words")).to_have_text("The second try.")
    folded = page.locator(".message.replaced")
    expect(folded).to_have_count(1)
    expect(folded.locator(".words")).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator(".words")).to_have_text("The first try.")
    expect(page.get_by_role("button", name="Ask again")).to_have_count(1)


def test_up_edits_the_last_message_and_what_followed_is_folded(page, server, ollama):
    talk(page, ollama, ("I like blue", "Blue is fine."), ("I like red", "Red is fine."))
    box = page.locator("#chat-input")
    expect(box).to_have_value("")
    box.focus()
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("I like red")
    expect(page.locator("#editing")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#editing")).to_be_hidden()
    expect(box).to_have_value("")
    words(page, "user").first.locator("a.edit").click()
    expect(box).to_have_value("I like blue")
    expect(box).to_be_focused()
    ollama.enqueue(MODEL, "Green is fine.")
    box.fill("I like green")
    page.keyboard.press("Enter")
    expect(words(page, "model").last.locator(".words")).to_have_text("Green is fine.")
    expect(page.locator(".message.replaced")).to_have_count(4)
    expect(page.locator("#editing")).to_be_hidden()
    expect(box).to_have_value("")
    read = str(ollama.requests[-1]["messages"])
    assert "green" in read and "blue" not in read and "red" not in read.replace("required", "")
    page.reload()
    expect(page.locator(".message.replaced")).to_have_count(4)


def test_commands_are_completed_with_the_keyboard(page, server):
    box, listed = page.locator("#chat-input"), page.locator("#slash")
    box.press_sequentially("/r")
    expect(listed).to_be_visible()
    options = listed.get_by_role("option")
    expect(options).to_have_count(3)  # redo, run, realign
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "slash-run")
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(box).to_have_value("/r")
    box.fill("")
    box.press_sequentially("/mo")
    page.keyboard.press("Tab")
    expect(box).to_have_value("/model ")
    expect(listed).to_be_hidden()
    expect(box).to_be_focused()
    box.fill("")
    box.press_sequentially("/stat")
    page.keyboard.press("Enter")
    expect(words(page, "user").last).to_have_text("/status")
    expect(words(page, "guide").last).to_contain_text("City")
    expect(box).to_have_value("")
    box.press_sequentially("/hel")
    listed.get_by_role("option").first.click()
    expect(words(page, "guide").last).to_contain_text("/export")


def test_a_command_is_undone_by_a_command_and_realign_is_marked(page, server):
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    say(page, "/undo")
    is_open(page, "place")
    page.locator("#realign").click()
    expect(page.locator("[data-did=realigned]")).to_be_visible()


def test_what_was_found_is_shown_where_it_stands(page, server, ollama):
    talk(page, ollama, ("Say it", "The needle is here."), *[(f"Go on {n}", "Line\n\n" * 9) for n in range(3)])
    say(page, "/find NEEDLE")
    link = page.locator("ul.links a")
    expect(link).to_have_count(1)
    address = page.url
    link.click()
    expect(words(page, "model").first).to_be_in_viewport()
    assert page.url == address


def test_a_quick_reply_is_said_and_what_was_typed_stays(page, server, ollama):
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    chips = page.locator("#chips")
    expect(chips.get_by_role("button", name="quick")).to_be_visible()
    ollama.enqueue(MODEL, "Quick it is.")
    page.locator("#chat-input").fill("half a sen")
    chips.get_by_role("button", name="quick").click()
    expect(words(page, "user").last).to_have_text("quick")
    expect(words(page, "model")).to_have_count(1)
    expect(page.locator("#chat-input")).to_have_value("half a sen")


def test_a_file_dropped_on_the_chat_goes_to_the_field_that_takes_it(page, server):
    page.evaluate(DROP, ["ticket.txt", "LX 1"])
    expect(page.locator("#chat-notice")).to_have_text("No field of the open card takes ticket.txt.")
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    fill(page, money="400")
    next_(page, "budget")
    is_open(page, "papers")
    page.evaluate(DROP, ["ticket.pdf", "LX 1"])
    expect(page.locator("#chat-notice")).to_have_text("No field of the open card takes ticket.pdf.")
    page.evaluate(DROP, ["ticket.txt", "LX 1"])
    expect(page.locator("#chat-notice")).to_contain_text("ticket.txt is in the field “Ticket”")
    next_(page, "papers")
    expect(card(page, "papers")).to_have_attribute("data-state", "done")
    expect(page.locator("#chat-notice")).to_have_text("")
    sid = server.sid_of(page)
    assert server.state(sid)["values"]["ticket"] == {"file": "ticket.txt"}
    assert (server.folder(sid) / "files" / "ticket.txt").read_text() == "LX 1"


def test_earlier_messages_come_above_and_leave_the_place(page, server):
    expect(page.locator("[data-did=helped]")).to_be_visible()
    said = [{"text": f"message {n}", "turn": f"t{n}", "model": "guide"} for n in range(120)]
    server.tell(server.sid_of(page), *[Fact("guide", "said", fields) for fields in said])
    page.reload()
    follows(page)
    shown = page.locator("#chat-log .message[data-n]")
    expect(shown).to_have_count(50)
    page.locator("#chat-log").evaluate("log => log.scrollTop = 0")
    until(page, "document.querySelector('#chat-log').scrollTop === 0")
    first = shown.first.get_attribute("id")
    page.locator("#earlier a").click()
    expect(shown).to_have_count(100)
    expect(page.locator(f"#{first}")).to_be_in_viewport()
    page.locator("#earlier a").click()
    expect(shown).to_have_count(121)
    expect(page.locator("#earlier a")).to_have_count(0)
    texts = page.locator(".message[data-by=guide] .words").all_inner_texts()
    assert texts == [f"message {n}" for n in range(120)]


LOG = "document.querySelector('#chat-log')"
AT_END = f"{LOG}.scrollHeight - {LOG}.scrollTop - {LOG}.clientHeight < 2"


def test_who_answers_high_up_is_led_to_what_comes_of_it(page, server):
    asked = {"id": "q1", "question": "Which one?", "options": ["red", "blue"], "turn": "t1"}
    said = [{"text": f"message {n}", "turn": f"t{n}", "model": "guide"} for n in range(30)]
    told = [Fact("guide", "asked", asked), *[Fact("guide", "said", fields) for fields in said]]
    server.tell(server.sid_of(page), *told)
    option = page.locator(".question").get_by_role("button", name="red")
    option.scroll_into_view_if_needed()
    until(page, f"!({AT_END})")
    option.click()
    expect(page.locator(".question")).to_contain_text("answered: red")
    until(page, AT_END)


def test_the_end_of_the_chat_stays_in_sight_as_the_window_changes(page, server):
    said = [{"text": f"message {n}", "turn": f"t{n}", "model": "guide"} for n in range(30)]
    server.tell(server.sid_of(page), *[Fact("guide", "said", fields) for fields in said])
    expect(page.locator(".message", has_text="message 29")).to_be_in_viewport()
    until(page, AT_END)
    page.set_viewport_size({"width": 1200, "height": 420})
    until(page, AT_END)


def test_only_who_scrolls_up_leaves_the_end_of_the_chat(page, server):
    def tell(*numbers):
        said = [{"text": f"message {n}", "turn": f"t{n}", "model": "guide"} for n in numbers]
        server.tell(server.sid_of(page), *[Fact("guide", "said", fields) for fields in said])
        expect(page.locator(".message", has_text=f"message {numbers[-1]}")).to_be_attached()

    tell(*range(30))
    until(page, AT_END)
    page.evaluate(f"{LOG}.scrollTop -= 40")
    page.wait_for_timeout(100)
    page.evaluate(f"() => {{ {LOG}.scrollTop += 40; {LOG}.style.paddingBottom = '300px'; }}")
    page.wait_for_timeout(100)  # its jump is told after more has come below
    tell(30)
    until(page, AT_END)
    page.evaluate(f"{LOG}.scrollTop = 0")
    page.wait_for_timeout(100)
    tell(31)
    assert page.evaluate(f"{LOG}.scrollTop") == 0


def test_the_focus_goes_to_the_field_where_the_pressed_button_has_gone(page, server):
    asked = {"id": "q1", "question": "Which one?", "options": ["red", "blue"], "turn": "t1"}
    server.tell(server.sid_of(page), Fact("guide", "asked", asked))
    page.locator(".question").get_by_role("button", name="No").press("Enter")
    expect(page.locator(".question")).to_contain_text("answered: no")
    expect(page.locator("#chat-input")).to_be_focused()


def test_thinking_is_folded_while_it_comes_and_the_reader_may_open_it(page, server, ollama):
    ollama.enqueue(MODEL, Round(thinking=("Let ", "me ", "see"), text=("Yes.",), delay=1))
    say(page, "Is it so?")
    thought = page.locator("#draft-thought")
    expect(thought.locator("summary")).to_be_visible()
    expect(page.locator("#draft-thinking")).to_be_hidden()
    thought.locator("summary").click()
    expect(page.locator("#draft-thinking")).to_have_text("Let me see")
    expect(page.locator("#draft-done")).to_have_text("")
    reply = words(page, "model")
    expect(reply.locator(".words")).to_have_text("Yes.")
    expect(reply.locator("details.thinking")).to_contain_text("Let me see")


def test_feedback_is_given_with_a_note(page, server, ollama):
    talk(page, ollama, ("Hello", "Hello to you."))
    feedback = words(page, "model").locator(".feedback")
    feedback.locator("summary").click()
    feedback.locator("[name=text]").fill("short")
    feedback.get_by_role("button", name="Not good").click()
    expect(feedback.locator("summary")).to_contain_text("not good")
    [noted] = server.did(server.sid_of(page), "noted")
    assert (noted["text"], noted["thumb"]) == ("short", "down")


def test_what_the_assistant_saw_is_one_click_away(page, server, ollama):
    talk(page, ollama, ("Hello there", "Hello to you."))
    words(page, "model").get_by_role("link", name="What it saw").click()
    expect(page.locator("h1")).to_have_text("What the assistant saw")
    expect(page.locator("[data-role=user] pre").last).to_contain_text("Hello there")
    page.get_by_role("link", name="Back to the session").click()
    expect(words(page, "model")).to_have_count(1)


def test_a_reply_is_copied(page, server, ollama):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    talk(page, ollama, ("Hello", "It is **bold**."))
    words(page, "model").get_by_role("button", name="Copy").click()
    expect(words(page, "model").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "It is **bold**."


@pytest.mark.parametrize("by", ["button", "Escape"])
def test_stop_comes_after_the_list_and_the_edit(page, server, ollama, by):
    ollama.enqueue(MODEL, words_of_model("one two three four five six seven", delay=0.6))
    say(page, "Count")
    expect(page.locator("#draft-tail")).to_contain_text("one")
    page.locator("#chat-input").press_sequentially("/he")
    expect(page.locator("#slash")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#slash")).to_be_hidden()
    expect(page.locator("#chat-stop")).to_be_visible()
    if by == "button":
        page.locator("#chat-stop").click()
    else:
        page.keyboard.press("Escape")
    expect(words(page, "model").locator("small").first).to_contain_text("stopped")
    expect(page.locator("#chat-input")).to_have_value("/he")


def test_a_model_is_fetched_stopped_and_fetched_on(page, server, ollama):
    ollama.pulls["new:1b"] = pull = Pull(size=100_000, part=1_000, delay=0.05)
    page.get_by_role("link", name="Models").first.click()
    page.locator("#pull-name").fill("new:1b")
    page.keyboard.press("Enter")
    bar = page.locator(".pull progress")
    expect(bar).to_be_visible()
    until(page, "document.querySelector('.pull progress').value > 5000")  # it moves by itself
    page.get_by_role("button", name="Cancel new:1b").click()
    expect(page.locator(".pull")).to_have_attribute("data-state", "cancelled")
    pull.delay, pull.part = 0.01, 10_000
    page.get_by_role("button", name="Go on with new:1b").click()
    row = page.locator("tr[data-model='new:1b']")
    expect(row).to_be_visible()
    expect(page.locator(".pull")).to_have_count(0)
    looks = []
    page.on("request", lambda request: looks.append(request.url))
    page.wait_for_timeout(1_200)  # longer than between two looks
    assert not looks, "it looks no more once all is here"
    row.locator("summary").click()
    row.get_by_role("button").click()
    expect(page.locator("tr[data-model='new:1b']")).to_have_count(0)
    page.get_by_role("link", name="Back to the session").click()
    expect(page).to_have_url(re.compile("/sessions/"))


def test_on_a_phone_models_and_commands_are_reached_too(server, tabs):
    page = tabs(viewport=NARROW)(server.page_of(server.begin("trip")))
    follows(page)
    page.locator("#chat-input").press_sequentially("/e")
    expect(page.locator("#slash [role=option]:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator(".foot").get_by_role("link", name="Models").click()
    expect(page.locator("h1")).to_have_text("Models")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

"""The cards in Chromium: by hand, by keyboard, in two tabs, without JavaScript; and how the page looks."""

import json
import re

import pytest
from browsing import (
    NARROW,
    REFUSED,
    TRIP,
    card,
    expect,
    fill,
    focus_of,
    follows,
    is_open,
    next_,
    run_state,
    say,
)

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser


@pytest.fixture
def trip(shared_program):
    """The program, and the id of a new session of the small workflow."""
    return shared_program, shared_program.begin("trip")


def to_the_end(server, sid, **values):
    """Complete all cards of the small workflow."""
    server.next(sid, "place", {"city": "Lisbon", "nights": "45"} | values)
    server.next(sid, "budget", {"money": "900"})
    server.next(sid, "papers", {})


# --- by hand -------------------------------------------------------------------------------------------


def test_a_refused_card_says_why_keeps_what_was_typed_and_goes_on_when_it_is_right(trip, tab):
    server, sid = trip
    tab.expect(REFUSED)
    page = tab(server.page_of(sid))
    follows(page)
    fill(page, city="Lisbon", nights="400")
    next_(page, "place")
    expect(page.locator("#error-nights")).to_contain_text("90")
    expect(page.locator("[name=nights]")).to_have_value("400")
    expect(page.locator("[name=nights]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    assert server.state(sid)["values"] == {}
    fill(page, nights="4")
    next_(page, "place")
    is_open(page, "budget")
    expect(card(page, "place").locator("dl.values")).to_contain_text("4 nights")
    assert server.state(sid)["values"] == {"city": "Lisbon", "nights": 4}


def test_next_and_run_pressed_twice_happen_once(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    fill(page, city="Lisbon")
    page.locator("#form-place button.next").dblclick()
    is_open(page, "budget")
    fill(page, money="900")
    next_(page, "budget")
    is_open(page, "papers")
    next_(page, "papers")
    page.locator("#card-run button").dblclick()
    run_state(page, "finished")
    assert [entry["step"] for entry in server.did(sid, "advanced")] == ["place", "budget", "papers"]
    assert len(server.did(sid, "started")) == 1


def test_a_done_card_unfolds_to_edit_and_what_depends_on_it_asks_again(trip, tab):
    server, sid = trip
    to_the_end(server, sid)
    page = tab(server.page_of(sid))
    follows(page)
    card(page, "place").get_by_role("button", name="Edit").click()
    is_open(page, "place")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    expect(page.locator("[name=city]")).to_be_focused()
    fill(page, city="Porto")
    next_(page, "place")
    is_open(page, "budget")
    expect(card(page, "budget")).to_contain_text("Asked again, since “City” changed")
    expect(page.locator("[name=money]")).to_have_value("900")
    expect(card(page, "papers")).to_have_attribute("data-state", "done")
    next_(page, "budget")
    expect(page.locator("#card-run button")).to_be_enabled()
    assert server.state(sid)["values"]["money"] == 900


def test_a_card_that_waits_for_another_one_to_be_asked_again_is_stale(program, tab):
    server = program(trip=TRIP.replace("def papers(\n", "def papers(\n    nights,\n"))
    sid = server.begin("trip")
    to_the_end(server, sid)
    page = tab(server.page_of(sid))
    follows(page)
    card(page, "place").get_by_role("button", name="Edit").click()
    is_open(page, "place")
    fill(page, city="Porto", nights="2")
    next_(page, "place")
    is_open(page, "budget")
    expect(card(page, "papers")).to_have_attribute("data-state", "stale")
    expect(card(page, "papers")).to_contain_text("asks again, since “Nights” changed")


def test_undo_takes_the_last_action_back_and_redo_brings_it_again(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    undo.click()
    is_open(page, "place")
    expect(undo).to_be_disabled()
    redo.click()
    is_open(page, "budget")
    expect(card(page, "place")).to_contain_text("Lisbon")
    assert server.state(sid)["values"]["city"] == "Lisbon"


def test_each_value_says_where_it_came_from(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "5 nights")
    expect(page.locator("#field-nights [data-by=guide]")).to_be_visible()
    fill(page, city="Lisbon")
    next_(page, "place")
    is_open(page, "budget")
    fill(page, money="900")
    next_(page, "budget")
    is_open(page, "papers")
    assert card(page, "place").locator("[data-by=user]").count() >= 1
    assert card(page, "budget").locator(".by").evaluate_all("all => all.map(e => e.dataset.by)") == [
        "user",
        "default",
    ]


def test_an_upload_goes_through_the_card_and_a_secret_is_never_shown_again(trip, tab, tmp_path):
    server, sid = trip
    server.next(sid, "place", {"city": "Lisbon"})
    server.next(sid, "budget", {"money": "900"})
    page = tab(server.page_of(sid))
    follows(page)
    (tmp_path / "ticket.txt").write_text("seat 12\n")
    page.locator("[name=ticket]").set_input_files(tmp_path / "ticket.txt")
    page.locator("[name=key]").fill("xyzzy-secret")
    next_(page, "papers")
    expect(card(page, "papers")).to_have_attribute("data-state", "done")
    expect(card(page, "papers")).to_contain_text("ticket.txt")
    page.locator("#card-run button").click()
    run_state(page, "finished")
    expect(page.locator(".result-note")).to_contain_text("seat 12")
    card(page, "papers").get_by_role("button", name="Edit").click()
    is_open(page, "papers")
    expect(page.locator("[name=key]")).to_have_value("")
    expect(card(page, "papers")).to_contain_text("ticket.txt")
    page.reload()
    is_open(page, "papers")
    assert "xyzzy" not in page.content()
    assert "xyzzy" not in page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert "xyzzy" not in (server.folder(sid) / "log.jsonl").read_text()
    page.goto(f"{server.page_of(sid)}/record")
    assert "xyzzy" not in page.content()


def test_a_table_is_sorted_turned_and_copied(trip, tabs):
    server, sid = trip
    to_the_end(server, sid)
    server.run(sid)
    tab = tabs(permissions=["clipboard-read", "clipboard-write"])
    page = tab(server.page_of(sid))
    table = page.locator("article.table-result")
    first = table.locator("tbody tr").first.locator("td")
    expect(table).to_contain_text("1 to 20 of 45 rows")
    table.get_by_role("link", name="day").click()
    expect(first.first).to_have_text("45")
    expect(table.locator("th[aria-sort=descending]")).to_have_text("day")
    table.get_by_role("link", name="Next").click()
    expect(table).to_contain_text("21 to 40 of 45 rows")
    expect(first.first).to_have_text("25")
    table.get_by_role("button", name="Copy").click()
    expect(table.get_by_role("button", name="Copied")).to_be_visible()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].split("\t") == ["day", "where", "cost"]
    assert len(lines) == 46
    assert {"45\tLisbon\t20", "1\tLisbon\t900"} <= set(lines)


# --- help ----------------------------------------------------------------------------------------------


def test_help_is_pushed_once_for_each_opening_in_two_tabs_and_after_a_reload(trip, tab):
    server, sid = trip
    one, two = tab(server.page_of(sid)), tab(server.page_of(sid))
    for page in (one, two):
        expect(page.locator(".message.help")).to_have_count(1)
        page.reload()
        follows(page)
        expect(page.locator(".message.help")).to_have_count(1)
    fill(one, city="Lisbon")
    next_(one, "place")
    for page in (one, two):
        expect(page.locator(".message.help")).to_have_count(2)
        expect(page.locator(".message.help").last).to_contain_text("The whole budget")
    card(one, "place").get_by_role("button", name="Edit").click()
    for page in (one, two):
        is_open(page, "place")
        expect(page.locator(".message.help")).to_have_count(3)
        # whatever a tab's trigger still asks for is answered before this
        page.reload()
        expect(page.locator(".message.help")).to_have_count(3)
    assert [entry["step"] for entry in server.did(sid, "helped")] == ["place", "budget", "place"]


# --- two tabs ------------------------------------------------------------------------------------------


def test_a_second_tab_follows_the_cards_and_the_chat(trip, tab):
    server, sid = trip
    one, two = tab(server.page_of(sid)), tab(server.page_of(sid))
    follows(two)
    fill(one, city="Lisbon")
    next_(one, "place")
    is_open(two, "budget")
    expect(card(two, "place")).to_contain_text("Lisbon")
    expect(two.locator("#where")).to_have_text("Lisbon · Trip")
    say(one, "what have you got so far?")
    expect(two.locator(".message[data-by=user]")).to_have_text("what have you got so far?")
    expect(two.locator(".message[data-did=said][data-by=guide]")).to_contain_text("Lisbon")


def test_what_is_typed_in_one_tab_stays_as_the_other_sets_the_value(trip, tab):
    server, sid = trip
    one, two = tab(server.page_of(sid)), tab(server.page_of(sid))
    follows(one)
    nights = one.locator("[name=nights]")
    nights.fill("7")
    say(two, "5 nights")
    theirs = one.locator("#field-nights .theirs")
    expect(theirs).to_be_visible()
    expect(theirs).to_contain_text("5 nights")
    expect(nights).to_have_value("7")
    expect(two.locator("[name=nights]")).to_have_value("5")
    one.reload()
    expect(nights).to_have_value("7")
    expect(theirs).to_contain_text("5 nights")
    theirs.get_by_role("button", name="use it").click()
    expect(nights).to_have_value("5")
    expect(theirs).to_be_hidden()
    one.reload()
    expect(nights).to_have_value("5")


def test_a_field_that_is_typed_in_keeps_focus_and_caret_while_another_one_changes(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    city = page.locator("[name=city]")
    city.fill("Lisbon")
    city.evaluate("e => e.setSelectionRange(3, 3)")
    assert server.post(f"sessions/{sid}/messages", {"text": "5 nights"}).status_code == 303
    expect(page.locator("[name=nights]")).to_have_value("5")
    expect(city).to_be_focused()
    page.keyboard.type("-")
    expect(city).to_have_value("Lis-bon")


# --- without JavaScript --------------------------------------------------------------------------------


def test_all_of_it_works_without_javascript(shared_program, tabs):
    server = shared_program
    tab = tabs(java_script_enabled=False)
    tab.expect(REFUSED)
    page = tab(server.address)
    page.locator("[data-workflow=trip]").get_by_role("button", name="Start").click()
    sid = server.sid_of(page)
    expect(card(page, "place")).to_contain_text("Any city will do")
    fill(page, city="Lisbon", nights="400")
    next_(page, "place")
    expect(page.locator("#error-nights")).to_contain_text("90")
    expect(page.locator("[name=nights]")).to_have_value("400")
    expect(page.locator("[name=city]")).to_have_value("Lisbon")
    fill(page, nights="4")
    next_(page, "place")
    is_open(page, "budget")
    say(page, "the budget is 900 euros")
    expect(page.locator("[name=money]")).to_have_value("900", timeout=15_000)
    expect(page.locator("#draft")).to_be_hidden(timeout=15_000)
    page.locator("#form-budget button.next").click()
    is_open(page, "papers")
    next_(page, "papers")
    page.locator("#card-run button").click()
    run_state(page, "finished")
    expect(page.locator("article.table-result tbody tr")).to_have_count(4)
    assert server.state(sid)["values"]["money"] == 900


# --- by keyboard ---------------------------------------------------------------------------------------


def test_the_first_cards_and_the_chat_by_keyboard_only(trip, tab):
    server, sid = trip
    page = tab(server.page_of(sid))
    follows(page)
    press = page.keyboard.press
    for _ in range(30):
        press("Tab")
        if focus_of(page) == "city":
            break
    assert focus_of(page) == "city"
    page.keyboard.type("Lisbon")
    press("Tab")
    assert focus_of(page) == "nights"
    press("Control+a")
    page.keyboard.type("6")
    press("Enter")
    is_open(page, "budget")
    expect(page.locator("[name=money]")).to_be_focused()
    for _ in range(40):
        press("Tab")
        if focus_of(page) == "text":
            break
    expect(page.locator("#chat-input")).to_be_focused()
    page.keyboard.type("first line")
    press("Shift+Enter")
    page.keyboard.type("budget 900")
    press("Enter")
    expect(page.locator("[name=money]")).to_have_value("900")
    expect(page.locator("#chat-input")).to_be_focused()
    expect(page.locator("#chat-input")).to_have_value("")
    assert server.did(sid, "said")[0]["text"] == "first line\nbudget 900"
    page.keyboard.type("next")
    press("Enter")
    is_open(page, "papers")
    expect(page.locator("#chat-input")).to_be_focused()  # who talks is not taken away from the chat


# --- how it looks and reads ----------------------------------------------------------------------------


def test_the_theme_is_switched_and_stays(trip, tabs):
    server, sid = trip
    page = tabs(color_scheme="dark")(server.page_of(sid))
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(ground) == light
    page.goto(server.address)
    assert page.evaluate(ground) == light


PAGES = ["", "sessions/{sid}", "sessions/{sid}?at=3", "sessions/{sid}/record"]


def test_on_a_telephone_nothing_scrolls_sideways_and_the_chat_is_a_sheet_at_the_bottom(trip, tabs):
    server, sid = trip
    tab = tabs(viewport=NARROW, has_touch=True)
    to_the_end(server, sid, city="Llanfairpwllgwyngyllgogerychwyrndrob")
    server.run(sid)
    for address in PAGES:
        page = tab(server.address + address.format(sid=sid))
        sizes = "[document.documentElement.scrollWidth, document.querySelector('main').scrollWidth -" \
            " document.querySelector('main').clientWidth]"  # fmt: skip
        assert page.evaluate(sizes) == [390, 0], address
    sid = server.begin("trip")
    page = tab(server.page_of(sid))
    follows(page)
    chat = page.locator("#chat").bounding_box()
    assert chat["x"] == 0 and chat["width"] == 390 and chat["y"] > 844 / 2
    assert chat["y"] + chat["height"] == pytest.approx(844, abs=1)
    say(page, "5 nights")
    expect(page.locator("[name=nights]")).to_have_value("5")
    expect(page.locator(".message.change").last).to_be_in_viewport()
    fill(page, city="Lisbon")
    page.locator("#form-place button.next").tap()
    is_open(page, "budget")
    expect(page.locator("[name=money]")).to_be_in_viewport()


# controls without a name, ids that stand twice, references to ids that are not there, and the page's frame
LOOK_THROUGH = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const label = (e) => e.labels?.length && e.labels[0].textContent.trim();
  const named = (e) => label(e) || e.ariaLabel || e.textContent.trim() || e.hasAttribute("aria-labelledby");
  const refers = ["aria-labelledby", "aria-describedby", "aria-controls", "for"];
  const ids = all("[id]").map((e) => e.id);
  return {
    unnamed: all("input:not([type=hidden]), select, textarea, button, a[href]").filter((e) => !named(e))
      .map((e) => e.outerHTML),
    twice: ids.filter((id, n) => ids.indexOf(id) !== n),
    dangling: refers.flatMap((name) => all(`[${name}]`).map((e) => e.getAttribute(name)))
      .filter((id) => !ids.includes(id)),
    headings: all("h1").length,
    mains: all("main").length,
    lang: document.documentElement.lang,
    title: document.title.trim() !== "",
  };
}"""
SOUND = {
    "unnamed": [],
    "twice": [],
    "dangling": [],
    "headings": 1,
    "mains": 1,
    "lang": "en",
    "title": True,
}


def test_names_ids_headings_and_language_are_there_for_who_does_not_see_the_page(trip, tab):
    server, sid = trip
    server.next(sid, "place", {"city": "Lisbon"})
    page = tab(server.page_of(sid))
    follows(page)
    assert page.locator("#chat-log").get_attribute("aria-live") == "polite"
    assert page.locator("#chat-log").get_attribute("role") == "log"
    for address in [*PAGES, "sessions/nothing-here"]:
        tab.expect("status of 404")
        page.goto(server.address + address.format(sid=sid))
        assert page.evaluate(LOOK_THROUGH) == SOUND, address


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = {
    "--ground": ["--ink", "--soft", "--accent"],
    "--paper": ["--ink", "--soft", "--accent", "--bad", "--user", "--model", "--default", "--workflow"],
    "--accent-soft": ["--ink", "--soft"],
    "--accent": ["--on-accent"],
    "--bad-soft": ["--ink", "--bad"],
    "--warn-soft": ["--ink", "--soft", "--warn"],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_below_it(shared_program, tabs, scheme):
    page = tabs(color_scheme=scheme)(shared_program.address)
    names = sorted({*TEXTS, *(text for texts in TEXTS.values() for text in texts)})
    script = """(names) => {
      const probe = document.body.appendChild(document.createElement("i"));
      const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
      return names.map(colour);
    }"""
    colours = dict(zip(names, page.evaluate(script, names), strict=True))
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    ratios = {
        f"{text} on {below}": contrast(colours[text], colours[below])
        for below, texts in TEXTS.items()
        for text in texts
    }
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_an_earlier_entry_is_shown_as_it_was_and_the_record_has_both_logs(trip, tab):
    server, sid = trip
    server.next(sid, "place", {"city": "Lisbon"})
    n = server.state(sid)["n"]
    server.post(f"sessions/{sid}/messages", {"text": "the budget is 900 euros"})
    server.wait(sid, lambda server: "money" in server.state(sid)["values"])
    page = tab(f"{server.page_of(sid)}/record")
    expect(page.locator("#conversation")).to_contain_text("the budget is 900 euros")
    assert {"city", "nights", "money"} <= set(page.locator("#parameters td:nth-child(2)").all_inner_texts())
    page.goto(f"{server.page_of(sid)}?at={n}")
    expect(card(page, "place")).to_contain_text("Lisbon")
    assert page.locator("button.next").count() == 0
    assert page.locator("#chat-input").count() == 0
    assert json.dumps(server.state(sid)["values"]["money"]) == "900"

"""The record page and the timeline: what they tell of a session, where links lead, and how they play."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from browsing import NARROW, card, is_open, until
from playwright.sync_api import expect

from assistant.log import Entry, Fact
from assistant.log.lines import encode
from assistant.record.account import Account, Wanted, steps_of, values_told, window
from assistant.record.moment import moment_of
from assistant.web.views.look import MESSAGES, ROWS

pytest_plugins = ["browser"]
HOSTILE = '"><script>alert(1)</script>'
KINDS = "opened skipped helped advanced reopened called added noted named progressed redacted new".split()


def entry(n: int, did: str, by: str = "user", **fields) -> Entry:
    at = datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(seconds=n)
    return Entry(n, f"{at:%Y-%m-%dT%H:%M:%S}.000Z", by, did, fields)


def told(server) -> str:
    """A session in which a model sets, suggests and is refused values, and the user changes one of them."""
    sid = server.begin("trip")
    turn = {"turn": "t1"}
    server.tell(sid, Fact("user", "said", {"text": "five nights in Lisbon", **turn}))  # 3
    server.tell(
        sid,
        Fact("model", "called", {"tool": "set_values", "arguments": {}, "result": {}, **turn}),  # 4
        Fact("model", "proposed", {"id": "p1", "step": "place", "values": {"nights": 4}, **turn}),
        Fact(
            "model", "refused", {"step": "place", "name": "nights", "value": 200, "reason": "1 to 90", **turn}
        ),
        Fact(
            "model", "set", {"step": "place", "values": {"city": "Lisbon"}, "why": "in Lisbon", **turn}
        ),  # 7
        Fact("model", "set", {"step": "place", "values": {"nights": 5}, **turn}),
        Fact(
            "model", "said", {"text": "**Lisbon** it is", "model": "qwen3:4b", "prompt": "a" * 16, **turn}
        ),  # 9
    )
    server.next(sid, "place", {"city": "Lisbon", "nights": "6"})
    return sid


@pytest.fixture(scope="module")
def server(shared_program):
    return shared_program


@pytest.fixture
def sid(server):
    return told(server)


def record(server, sid, query=""):
    return server.page(f"sessions/{sid}/record{query}")


def rows(page) -> dict[str, list[str]]:
    """The cells of each row, by number and name."""
    found = {}
    for row in page.select("#parameters tbody tr"):
        cells = [cell.get_text(" ", strip=True) for cell in row.select("td")]
        found[f"{cells[0]} {cells[1]}"] = cells
    return found


def number(server, sid, did) -> int:
    return server.did(sid, did)[-1].n


# --- each value ----------------------------------------------------------------------------------------


def test_a_value_says_who_when_why_and_what_else_there_was(server, sid):
    found = rows(record(server, sid))
    assert found["7 city"][2:4] == ["Lisbon", "qwen3:4b"] and "“in Lisbon”" in found["7 city"][5]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", found["7 city"][4])
    assert "suggested only" in found["5 nights"][5] and "refused: 1 to 90" in found["6 nights"][5]
    assert "before it: 4 nights (suggested), 200 nights (refused)" in found["8 nights"][5]
    assert "1st value of 2" in found["8 nights"][5] and "default was 3" in found["8 nights"][5]
    changed = next(cells for key, cells in found.items() if key.endswith("nights") and "6 nights" in cells[2])
    assert changed[3] == "you" and "2nd value of 2" in changed[5]


def test_what_was_undone_is_struck_and_what_was_on_offer_is_named(server, sid):
    server.next(sid, "budget", {"money": "900", "pace": "quick"})
    n = number(server, sid, "set")
    assert "also slow" in rows(record(server, sid))[f"{n} pace"][5]
    server.post(f"sessions/{sid}/undo", {"entry": str(n), "back": f"sessions/{sid}/record#p{n}"})
    page = record(server, sid)
    assert [struck.text for struck in page.select(f"#p{n} s")] == ["900 euros", "quick"]
    assert "undone" in rows(page)[f"{n} money"][5]
    assert rows(record(server, sid, f"?at={n}"))[f"{n} money"][5].count("undone") == 0


def test_a_value_of_an_earlier_session_leads_there(server, sid):
    other = server.begin("trip")
    source = {"city": {"session": sid, "n": 7}, "nights": "nonsense"}
    values = {"city": "Lisbon", "nights": 2}
    server.tell(other, Fact("user", "set", {"step": "place", "values": values, "source": source}))
    page = record(server, other)
    link = page.select_one("#p3 a[title]:has(.by)")
    assert link.text == "earlier session" and link["href"] == f"sessions/{sid}/record?at=7#p7"
    assert rows(page)["3 nights"][3] == "you"
    assert [
        row.text for row in record(server, other, "?who=earlier").select("#parameters tbody td:nth-child(1)")
    ]


def test_an_accepted_suggestion_and_a_redacted_value_are_told(server):
    sid = server.begin("trip")
    proposal = {"id": "p9", "step": "place", "values": {"city": "Rome"}, "turn": "t1"}
    server.tell(sid, Fact("model", "proposed", proposal))
    server.post(f"sessions/{sid}/answers/p9", {"action": "accept"})
    server.tell(sid, Fact("user", "set", {"step": "place", "values": {"nights": {"redacted": True}}}))
    found = rows(record(server, sid))
    assert "suggested, and accepted" in found["3 city"][5]
    assert next(cells for key, cells in found.items() if key.endswith("nights"))[2].startswith("redacted")


# --- the conversation, and the links between both --------------------------------------------------------


def test_a_reply_tells_what_its_turn_changed_and_links_both_ways(server, sid):
    page = record(server, sid)
    reply = page.select_one("#c9")
    assert [part["id"] for part in reply.select(".did[id]")] == ["c5", "c6", "c7", "c8"]
    assert "qwen3:4b" in reply.small.text
    assert reply.select_one(f"a[href='sessions/{sid}/prompts/{'a' * 16}']").text == "what it saw"
    here = f"sessions/{sid}/record"
    assert reply.select_one("#c7 a")["href"] == f"{here}#p7"
    assert page.select_one("#p7 td a")["href"] == f"{here}#c3"  # the user's words of that turn
    page = record(server, sid, "?at=9")
    assert page.select_one("#p7 td a")["href"] == f"{here}?at=9#c3"
    assert "at" in page.select_one("#c9")["class"]
    assert [row.parent["id"] for row in page.select("#parameters tr.at")] == ["p5", "p6", "p7", "p8"]


def test_links_that_do_not_fit_the_filter_lead_out_of_it(server, sid):
    page = record(server, sid, "?what=set")
    assert page.select_one("#c3") is None
    assert page.select_one("#p7 td a")["href"] == f"sessions/{sid}/record?near=3#c3"


def test_every_entry_can_be_looked_at(server, sid):
    for n in range(1, number(server, sid, "set") + 1):
        page = record(server, sid, f"?at={n}")
        assert page.select_one(f"#conversation [id=c{n}]"), n
        assert page.select_one("#timeline input[name=at]")["value"] == str(n)


def test_what_was_said_anew_is_marked_also_before_that(server, sid):
    server.tell(sid, Fact("model", "said", {"text": "Faro, then", "turn": "t1", "model": "m", "replaces": 9}))
    for query in ("", "?at=9"):
        assert "replaced later" in record(server, sid, query).select_one("#c9 small").text


def test_nothing_of_what_others_wrote_becomes_markup(server, sid):
    server.tell(
        sid,
        Fact("user", "said", {"text": HOSTILE, "turn": HOSTILE}),
        Fact(
            "model", "set", {"step": HOSTILE, "values": {HOSTILE: HOSTILE}, "turn": HOSTILE, "why": HOSTILE}
        ),
        Fact("model", "said", {"text": HOSTILE, "turn": HOSTILE, "model": HOSTILE, "prompt": HOSTILE}),
        Fact("user", "noted", {"about": 7, "text": HOSTILE}),
        Fact("app", "failed", {"where": "model", "reason": HOSTILE}),
    )
    for query in ("", "?who=model", "?text=script", f"?who={HOSTILE}&step={HOSTILE}&what={HOSTILE}"):
        answer = server.get(f"sessions/{sid}/record{query}")
        assert answer.status_code == 200 and "<script>alert" not in answer.text
    assert HOSTILE in record(server, sid).select_one("#c7 .noted, #p7 .noted").text


def test_an_odd_log_has_a_record(server):
    sid = server.begin("trip")
    odd = [{"turn": []}, {"step": 3, "values": [1]}, {"values": {"city": None}, "source": [], "defaulted": 1}]
    dids = ("said", "set", "proposed", "refused", "asked", "answered", "cleared", "undid", "failed", "helped")
    server.tell(sid, *[Fact("model", did, fields) for did in (*dids, *KINDS) for fields in odd])
    for query in ("", "?who=model", "?what=set", "?text=a", "?at=9", "?near=5"):
        assert server.get(f"sessions/{sid}/record{query}").status_code == 200


# --- filters and windows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("who=model", {4, 5, 6, 7, 8, 9}),
        ("who=qwen3:4b", {4, 5, 6, 7, 8, 9}),
        ("what=refused", {6}),
        ("text=IT+is", {9}),
        ("who=user&what=said", {3}),
        ("step=budget&what=said", set()),
        ("step=place&what=said", {3, 9}),
    ],
)
def test_filters(server, sid, query, numbers):
    page = record(server, sid, f"?{query}&at=9")
    shown = {int(part["data-n"]) for part in page.select("#conversation [data-n]:not(.noted)")}
    assert shown - {9} == numbers - {9} and (9 in numbers) == (9 in shown)
    assert page.select_one("#filter input[name=at]")["value"] == "9"
    assert all("at=9" in a["href"] for a in page.select("#counts a"))
    lines = [line for line in page.select_one("#lines").text.splitlines() if line]
    assert len(lines) == len(numbers)


def test_the_counts_are_filters_that_keep_the_entry(server, sid):
    page = record(server, sid, "?at=9")
    link = next(a for a in page.select("#counts a") if "qwen3:4b" in a.text)
    assert link["href"] == f"sessions/{sid}/record?who=qwen3%3A4b&at=9" and "6" in link.text
    page = server.page(link["href"])
    chosen = page.select_one("#counts a[aria-current]")
    assert chosen["href"] == f"sessions/{sid}/record?at=9"
    assert page.select_one("#filter option[selected][value='qwen3:4b']")


def test_a_default_is_a_row_of_its_own_kind(server):
    sid = server.begin("trip")
    server.next(sid, "place", {"city": "Rome"})
    assert [key.split()[1] for key in rows(record(server, sid, "?who=default"))] == ["nights"]
    assert [key.split()[1] for key in rows(record(server, sid, "?who=user"))] == ["city"]


@pytest.fixture(scope="module")
def long(server):
    """A session of 10,000 entries, put there as a file."""
    sid = "2026-01-01-trip-0001"
    lines = [
        entry(1, "began", workflow="trip", title="Trip", format=1),
        entry(2, "opened", "app", step="place"),
    ]
    for n in range(3, 10_001):
        turn = f"t{n // 3}"
        match n % 3:
            case 0:
                lines.append(entry(n, "said", text=f"{n} nights {'and more ' * 30}", turn=turn))
            case 1:
                lines.append(entry(n, "set", "model", step="place", values={"nights": n}, turn=turn))
            case _:
                lines.append(entry(n, "said", "model", text=f"**{n}**", turn=turn, model="m"))
    folder = server.workspace / "conversations" / sid
    folder.mkdir(mode=0o700)
    (folder / "log.jsonl").write_bytes(b"".join(encode(line) + b"\n" for line in lines))
    return sid


def test_the_page_of_a_long_session_stays_small(server, long):
    for query in ("", "?at=5000", "?near=5000", "?who=model", "?what=said", "?at=10000&text=nights"):
        answer = server.get(f"sessions/{long}/record{query}")
        assert answer.status_code == 200 and len(answer.content) < 500_000, (query, len(answer.content))
        page = record(server, long, query)
        assert len(page.select("#conversation article")) <= MESSAGES
        assert len(page.select("#parameters tbody tr")) <= ROWS
    assert page.select_one("#timeline input[name=at]")["max"] == "10000"


def test_a_message_has_bounds(server, sid):
    server.tell(sid, *[Fact("user", "said", {"text": "long " * 50_000, "turn": f"x{n}"}) for n in range(3)])
    assert len(server.get(f"sessions/{sid}/record").content) < 100_000


def test_windows_follow_on_each_other_and_links_reach_what_is_not_drawn(server, long):
    page = record(server, long)
    seen = {int(a["data-n"]) for a in page.select("#conversation article")}
    assert max(seen) == 10_000
    link = page.select_one("#conversation .turn-page a")
    assert "earlier" in link.text
    before = server.page(link["href"])
    more = {int(a["data-n"]) for a in before.select("#conversation article")}
    assert min(more) < min(seen) <= max(more) and before.select("#conversation .turn-page a")[
        -1
    ].text.endswith("later")
    first = before.select_one("#parameters tbody td a")
    target = server.page(first["href"].split("#")[0])
    assert target.select_one(f"[id={first['href'].split('#')[1]}]")


# --- pure parts ----------------------------------------------------------------------------------------


def test_the_window_is_around_the_entry_or_the_last():
    numbers = list(range(0, 1000, 2))
    assert window(numbers, None, 10) == slice(490, 500) and window([], 5, 10) == slice(0, 10)
    assert window(numbers, 0, 10) == slice(0, 10) and window(numbers, 500, 10) == slice(245, 255)
    assert window(numbers, 5_000, 10) == slice(490, 500)


def test_a_moment_goes_on_to_the_end_of_the_next_write():
    found = [entry(1, "began"), entry(2, "opened"), entry(3, "set"), entry(4, "advanced"), entry(9, "said")]
    found[3] = Entry(4, found[2].at, "user", "advanced", {})
    assert [(moment_of(found, n).next, moment_of(found, n).wait) for n in (1, 2, 3, 4, 5)] == [
        (2, 1_000), (4, 1_000), (4, 0), (5, 6_000), (5, 0)
    ]  # fmt: skip
    found[4] = Entry(5, "yesterday", "user", "said", {})
    assert moment_of(found, 4).wait == 0 and moment_of([], 0).last == 0


def test_a_reply_takes_the_changes_before_it_and_no_others():
    found = [
        entry(1, "said", turn="t", text="a"),
        entry(2, "set", "model", turn="t", values={"a": 1}),
        entry(3, "said", "model", turn="t", text="b"),
        entry(4, "set", "model", turn="t", values={"a": 2}),
        entry(5, "said", "model", turn="t", text="asked again"),
        entry(6, "set", "model", turn="t", values={"a": 3}),
        entry(7, "set", values={"a": 4}),
    ]
    told = Account(found, 7).messages(found, Wanted())
    assert [(one.n, [change.n for change in changes]) for one, changes in told] == [
        (1, []), (3, [2]), (5, [4]), (6, []), (7, [])
    ]  # fmt: skip
    assert [(value.value, value.number) for value in values_told(found)] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    lines = [entry(1, "opened", step="x"), entry(2, "said"), entry(3, "set", step="y"), entry(4, "said")]
    assert steps_of(lines) == ["x", "x", "y", "x"]


def test_one_value_of_several_is_taken_back_alone(server):
    sid = server.begin("trip")
    server.next(sid, "place", {"city": "Rome", "nights": "3"})
    server.post(f"sessions/{sid}/steps/place/reopen")
    server.next(sid, "place", {"city": "Oslo", "nights": "5"})
    n = number(server, sid, "set")

    def undo(name):
        forms = record(server, sid).select(f"#p{n} form[action$='/undo']")
        form = next(form for form in forms if form.select(f"input[name=name][value={name}]"))
        sent = {field["name"]: field["value"] for field in form.select("input")}
        assert server.post(f"sessions/{sid}/undo", sent).status_code == 303
        return sent

    undo("nights")
    assert server.state(sid)["values"] == {"city": "Oslo", "nights": 3}  # as before, the other one stays
    assert server.did(sid, "set")[-1]["why"] == f"as before entry {n}"
    sent = undo("city")
    assert server.state(sid)["values"] == {"city": "Rome", "nights": 3}
    assert server.post(f"sessions/{sid}/undo", sent).status_code == 409  # it is another by now

    sid = server.begin("trip")
    server.next(sid, "place", {"city": "Rome", "nights": "4"})
    n = number(server, sid, "set")
    undo("city")  # there was none before
    state = server.state(sid)
    assert (state["values"], state["open"]) == ({"nights": 4}, "place")
    server.post(f"sessions/{sid}/undo")
    assert server.state(sid)["values"] == {"city": "Rome", "nights": 4}


# --- in the browser ------------------------------------------------------------------------------------


def test_a_note_is_added_on_its_row_and_stands_there_at_any_entry(server, sid, tab):
    page = tab(f"{server.page_of(sid)}/record?who=model&at=9")
    row = page.locator("#p7")
    row.hover()
    row.locator(".more summary").click()
    row.locator("textarea").fill("why not Porto?")
    row.get_by_role("button", name="Note").click()
    expect(page.locator("#p7 .noted")).to_have_text("Note: why not Porto?")
    assert page.url.endswith(f"{sid}/record?who=model&at=9#p7")
    assert server.did(sid, "noted")[0]["about"] == 7
    expect(page.locator("#p7 .more a", has_text="Take out").first).to_have_attribute(
        "href", f"sessions/{sid}/redact?entries=7"
    )


def test_a_click_on_a_value_marks_its_words_and_back(server, sid, tab):
    page = tab(f"{server.page_of(sid)}/record?at=9")
    page.evaluate("window.stayed = true")
    page.locator("#p7 td a").first.click()
    until(page, "document.querySelector(':target')?.id === 'c3'")
    page.locator("#c7 a").click()
    until(page, "document.querySelector(':target')?.id === 'p7'")
    assert page.evaluate("window.stayed") and "at=9" in page.url


def test_the_slider_moves_cards_and_chat_by_keyboard(server, sid, tab):
    last = server.state(sid)["n"]
    page = tab(f"{server.page_of(sid)}?at={last}")
    page.evaluate("window.stayed = true")
    is_open(page, "budget")
    page.locator("#timeline-at").focus()
    for _ in range(last - 3):
        page.keyboard.press("ArrowLeft")
    is_open(page, "place")
    expect(page.locator("#timeline-now")).to_contain_text(f"entry 3 of {last}")
    expect(page.locator("#chat-log article.message")).to_have_count(1)
    assert page.evaluate("window.stayed") and page.url.endswith("?at=3")
    assert page.evaluate("document.activeElement.id") == "timeline-at"
    page.keyboard.press("End")
    is_open(page, "budget")
    page.reload()
    is_open(page, "budget")


def test_steps_work_with_and_without_scripts(server, sid, tabs):
    for options in ({}, {"java_script_enabled": False}):
        page = tabs(**options)(f"{server.page_of(sid)}/record?what=set&at=7")
        page.locator("#timeline-on").click()
        expect(page.locator("#timeline-now")).to_contain_text("entry 8 of")
        expect(page.locator("#p8")).to_be_visible()
        assert page.url.endswith("record?what=set&at=8")
        page.locator("#timeline-back").click()
        expect(page.locator("#p8")).to_have_count(0)


def test_a_replay_ends_as_the_session_is_and_asks_no_model(server, sid, tab):
    server.next(sid, "budget", {"money": "900"})
    server.post(f"sessions/{sid}/steps/papers/help")
    before = server.entries(sid)
    now = tab(server.page_of(sid))
    page = tab(f"{server.page_of(sid)}?at=1")
    page.locator("#timeline-speed").select_option("20")
    page.locator("#timeline-play").click()
    expect(page.locator("#timeline-now")).to_contain_text(
        f"entry {len(before)} of {len(before)}", timeout=20_000
    )
    expect(page.locator("#timeline-play")).to_have_text("Play")
    for step in ("place", "budget"):
        state = card(now, step).get_attribute("data-state")
        expect(card(page, step)).to_have_attribute("data-state", state)
        assert card(page, step).locator("dl").inner_text() == card(now, step).locator("dl").inner_text()
    of = "els => els.map(e => e.dataset.n)"
    assert page.locator("#chat-log article[data-n]").evaluate_all(of) == now.locator(
        "#chat-log article[data-n]"
    ).evaluate_all(of)
    assert server.entries(sid) == before


def test_a_replay_can_be_paused(server, long, tab):
    page = tab(f"{server.page_of(long)}/record?at=1")
    page.locator("#timeline-play").click()  # its entries are a second apart
    expect(page.locator("#timeline-now")).to_contain_text("entry 3 of")
    expect(page.locator("#timeline-play")).to_have_text("Pause")
    page.locator("#timeline-play").click()
    expect(page.locator("#timeline-play")).to_have_text("Play")
    n = page.locator("#timeline-at").input_value()
    page.locator("#timeline-on").click()
    expect(page.locator("#timeline-now")).to_contain_text(f"entry {int(n) + 1} of")


def test_the_record_and_its_drawing_play_too(server, sid, tab):
    page = tab(f"{server.page_of(sid)}/record?at=1")
    page.locator("#drawing summary").click()
    page.locator("#timeline-speed").select_option("20")
    page.locator("#timeline-play").click()
    expect(page.locator("#p7")).to_be_visible()
    expect(page.locator("#drawing svg [data-node=value-city][data-by=model]")).to_be_visible()


def test_go_on_from_the_entry_that_the_slider_shows(server, sid, tab):
    page = tab(f"{server.page_of(sid)}/record")
    page.route(re.compile(r"/record\?"), lambda route: None)  # also before that entry has come
    page.locator("#timeline-at").focus()
    page.keyboard.press("Home")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#timeline-now")).to_contain_text("entry 7 of")
    page.get_by_role("button", name="Go on from here").click()
    page.wait_for_url(re.compile(r"sessions/(?!" + sid + r")[^/]+$"))
    made = server.sid_of(page)
    assert server.entries(made)[0]["forked_from"] == {"session": sid, "n": 7}
    assert server.state(made)["values"] == {"city": "Lisbon"}


def test_the_filter_works_without_scripts(server, sid, tabs):
    page = tabs(java_script_enabled=False)(f"{server.page_of(sid)}/record?at=9")
    page.locator("#filter [name=what]").select_option("refused")
    page.locator("#filter").get_by_role("button").click()
    expect(page.locator("#parameters tbody tr")).to_have_count(1)
    assert "at=9" in page.url
    page.get_by_role("link", name="Show all").click()
    assert page.url.endswith("record?at=9")


@pytest.mark.parametrize("path", ["sessions/{sid}/record?at=9", "sessions/{sid}?at=9", "workflows/trip"])
def test_a_narrow_page_does_not_scroll_sideways(server, sid, tabs, path):
    page = tabs(viewport=NARROW)(f"{server.address}{path.format(sid=sid)}")
    if "record" in path:
        page.locator("#drawing summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    main = page.locator("main")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    for drawing in page.locator(".drawing").all():
        assert drawing.bounding_box()["width"] > NARROW["width"]  # it scrolls in its own frame


def test_a_menu_closes_by_escape_or_a_click_elsewhere_and_is_there_on_a_narrow_page(server, sid, tabs):
    page = tabs(viewport=NARROW)(f"{server.page_of(sid)}/record")
    export, link = page.locator("header .menu > summary"), page.locator("header .menu a").first
    export.click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(export).to_be_focused()
    export.click()
    page.locator("#conversation h2").click()
    expect(link).to_be_hidden()


def test_from_a_narrow_page_the_record_can_be_reached(server, sid, tabs):
    page = tabs(viewport=NARROW)(server.page_of(sid))
    page.locator("#chat-form").get_by_role("link", name="Record").click()
    expect(page.locator("#parameters")).to_be_visible()


def test_a_workflow_has_a_page_with_its_graph(server, sid, tab):
    page = tab(f"{server.address}workflows/trip")
    expect(page.locator("h1")).to_have_text("Trip")
    expect(page.locator("svg.drawing [data-node=value-city]")).to_be_visible()
    expect(page.locator("#step-budget")).to_contain_text("takes city")
    expect(page.locator("#step-place")).to_contain_text("1 to 90 nights")
    page.locator("svg.drawing [data-node=step-budget]").click()
    until(page, "document.querySelector(':target')?.id === 'step-budget'")
    assert page.locator(f"ul.sessions a[href='sessions/{sid}']").count() == 1
    page.get_by_role("button", name="Start").click()
    is_open(page, "place")
    assert server.get("workflows/nothing").status_code == 404

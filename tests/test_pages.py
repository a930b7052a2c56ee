"""The pages' markup: the ids and attributes of the contract, and what no page may hold."""

import re
from itertools import pairwise

import pytest
from samples import BROKEN, SMALL, complete
from serving import make_workspace, serving, soup

from assistant.log import Fact, Log

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(
        make_workspace(tmp_path_factory.mktemp("pages") / "work", small=SMALL, broken=BROKEN)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def told(server):
    """A session in which everything happened that the chat and the record show."""
    sid = server.begin("small")
    server.post(f"sessions/{sid}/steps/start/help")
    server.post(f"sessions/{sid}/messages", {"text": "depth 9 <script>alert(1)</script>"})
    server.wait(sid, lambda s: any(e.by == "guide" for e in s.did(sid, "said")))
    hostile = (
        "[x](javascript:alert(1)) ![i](http://evil.example/i.png) <img src=x onerror=alert(1)> <style>*{}"
    )
    log = Log(server.folder(sid))
    log.append(
        lambda _: [
            Fact("user", "said", {"text": "and?", "turn": "t1"}),
            Fact("model", "said", {"text": hostile, "turn": "t1", "model": "m:1b", "thinking": hostile}),
            Fact("model", "asked", {"id": "q1", "question": hostile, "options": ["<b>", "b"]}),
            Fact("model", "proposed", {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}),
            Fact(
                "model",
                "refused",
                {"step": "start", "name": "depth", "value": hostile, "reason": hostile, "turn": "t1"},
            ),
            Fact("app", "failed", {"where": "model", "reason": hostile, "turn": "t2"}),
            Fact("model", "set", {"step": "start", "values": {"kind": "star"}, "turn": "t1", "why": hostile}),
            Fact("user", "named", {"name": hostile}),
        ]
    )
    log.close()
    return sid


@pytest.fixture(scope="module")
def ran(server):
    sid = complete(server, server.begin("small"))
    server.run(sid)
    return sid


@pytest.fixture(
    params=[
        "home",
        "new",
        "told",
        "refused",
        "ran",
        "past",
        "record",
        "record-past",
        "problem",
        "conflict",
        "compare",
        "compose",
    ]
)
def page(request, server, told, ran):
    """Each page there is."""
    sid = server.begin("small")
    match request.param:
        case "home":
            answer = server.get("")
        case "new":
            answer = server.get(f"sessions/{sid}")
        case "told":
            answer = server.get(f"sessions/{told}")
        case "refused":
            answer = server.next(sid, "start", {"depth": "<script>"}, 422)
        case "ran":
            answer = server.get(f"sessions/{ran}")
        case "past":
            answer = server.get(f"sessions/{told}?at=4")
        case "record":
            answer = server.get(f"sessions/{told}/record")
        case "record-past":
            answer = server.get(f"sessions/{ran}/record?at=6")
        case "compare":
            answer = server.get(f"compare?a={told}&b={ran}")
        case "compose":
            answer = server.get("compose?workflow=small")
        case "problem":
            answer = server.get("sessions/nothing")
        case "conflict":
            answer = server.next(sid, "finish", {}, 409)
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return soup(answer)


# --- every page ------------------------------------------------------------------------------------------


def test_nothing_that_the_policy_forbids(page):
    for script in page.find_all("script"):
        assert script.get("src")
        assert not script.text.strip()
    assert not page.find_all("style")
    for element in page.find_all(True):
        names = [name for name in element.attrs if name == "style" or name.startswith(("on", "hx-on"))]
        assert not names, element
        assert "javascript:" not in str(element.get("href", "")), element
        assert "js:" not in str(element.get("hx-vals", "")), element
    assert not page.select("iframe, object, embed, img[src^=http]")


def test_no_address_of_another_host(page):
    for element in page.find_all(True):
        for name in (
            "href",
            "src",
            "action",
            "formaction",
            "hx-get",
            "hx-post",
            "hx-sse:connect",
            "poster",
            "srcset",
        ):
            address = element.get(name)
            if address is not None:
                assert not re.match(r"[a-z]+:|//", address), element


def test_ids_stand_once(page):
    ids = [element["id"] for element in page.select("[id]")]
    assert len(ids) == len(set(ids)), sorted(id for id in ids if ids.count(id) > 1)
    for element in page.find_all(True):
        for name in ("for", "aria-controls", "aria-describedby", "aria-labelledby"):
            for target in element.get(name, "").split() if element.get(name) else ():
                assert target in ids or element.has_attr("hidden"), element


def test_every_form_that_can_be_sent_has_a_method_and_an_address(page):
    for form in page.find_all("form"):
        if form.find("button", attrs={"type": ["submit", None]}) is not None:
            assert form.get("method") in ("post", "get"), form
            assert form.get("action"), form
            assert form.get("hx-post", form["action"]) == form["action"]
    for button in page.select("[formaction][hx-post]"):
        assert button["formaction"] == button["hx-post"]


def test_everything_that_is_filled_in_or_pressed_has_a_name_for_people(page):
    for control in page.select("input:not([type=hidden]), select, textarea"):
        own = control.get("aria-label") or control.get("aria-labelledby") or control.find_parent("label")
        assert own or page.select_one(f"label[for='{control.get('id')}']"), control
    for button in page.select("button, a[href]"):
        assert button.text.strip() or button.get("aria-label"), button


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(heading.name[1]) for heading in page.select("main h1, main h2, main h3, main h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_the_page_says_what_it_is(page):
    assert page.html["lang"] == "en"
    assert page.title.text
    assert page.find("base")["href"] == "/"
    assert page.select_one("meta[name=viewport]")
    assert len(page.find_all("main")) == 1


def test_its_scripts_and_styles_are_there(server, page):
    for element in page.select("script[src], link[rel=stylesheet], link[rel=icon]"):
        answer = server.get(element.get("src") or element.get("href"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


# --- the ids and attributes ------------------------------------------------------------------------------


def test_the_session_page(server):
    sid = server.begin("small")
    server.next(sid, "start", {"depth": "7"})
    page = server.page(f"sessions/{sid}")
    cards = page.select("#cards > article")
    assert [card["id"] for card in cards] == ["card-start", "card-deep", "card-finish"]
    assert [card["data-state"] for card in cards] == ["done", "open", "locked"]
    form = page.select_one("#card-deep form#form-deep")
    assert (form["method"], form["action"]) == ("post", f"sessions/{sid}/steps/deep")
    assert form.select_one("[name=reason]")
    assert form.select_one("#error-reason") is not None
    assert form.select_one("#error-deep") is not None
    assert [e["data-by"] for e in page.select("#card-start [data-by]")] == ["user", "default"]
    assert page.select_one("#chat #chat-log")["role"] == "log"
    assert page.select_one("#chat-log #draft") is not None
    box = page.select_one("#chat-input")
    assert (box.name, box["name"]) == ("textarea", "text")
    assert box.find_parent("form")["action"] == f"sessions/{sid}/messages"
    assert page.select_one("#chat-send").find_parent("form") is box.find_parent("form")
    assert page.select_one("#chat-stop").has_attr("hidden")
    assert page.select_one("#chat-stop")["formaction"] == f"sessions/{sid}/messages/stop"
    assert page.select_one("#model select[name=model] option[selected]")["value"] == "guide"
    for id in ("status", "runs", "results"):
        assert page.find(id=id) is not None
    last = server.state(sid)["n"]
    assert page.select_one("#stream")["hx-sse:connect"] == f"sessions/{sid}/events?after={last}"
    assert page.body["data-sid"] == sid


def test_the_conversation(server, told):
    page = server.page(f"sessions/{told}")
    entries = {str(e.n): e for e in server.entries(told)}
    messages = page.select("#chat-log article.message[data-n]")
    assert [m["data-n"] for m in messages] == sorted((m["data-n"] for m in messages), key=int)
    assert {m["data-by"] for m in messages} >= {"user", "model", "guide", "workflow"}
    for message in messages:
        assert message["data-by"] == entries[message["data-n"]].by
    words = page.select_one("article.message[data-by=model] .words")
    assert not words.select("img, style, script")
    assert [b.text for b in page.select(f"form[action='sessions/{told}/answers/q1'] button")] == [
        "<b>",
        "b",
        "No",
    ]
    assert page.select_one("#field-depth .note.suggest, #field-depth [data-by]")
    assert page.select_one("#field-kind [data-by=model]")


def test_the_record_page(server, told, ran):
    page = server.page(f"sessions/{told}/record")
    for id in ("conversation", "parameters", "timeline"):
        assert page.find(id=id) is not None
    last = server.state(told)["n"]
    slider = page.select_one("#timeline input[type=range][name=at]")
    assert (slider["min"], slider["max"], slider["value"]) == ("1", str(last), str(last))
    assert page.select_one("#timeline")["method"] == "get"
    assert {"user", "guide", "model"} <= {
        m["data-by"] for m in page.select("#conversation article.message[data-n]")
    }
    exports = [a["href"] for a in page.select("a[download]")]
    assert f"sessions/{told}/export/log.jsonl" in exports
    for address in exports:
        assert server.get(address).status_code == 200
    page = server.page(f"sessions/{ran}/record?at=3")
    assert "double" not in page.select_one("#parameters").text
    assert "depth" in page.select_one("#parameters").text
    assert page.select_one("#timeline input")["value"] == "3"
    for link in page.select("#parameters a[href]"):
        assert server.get(link["href"].split("#")[0]).status_code == 200


def test_the_record_takes_back_any_single_value(server):
    sid = server.begin("small")
    server.next(sid, "start", {"depth": "2"})
    rows = server.page(f"sessions/{sid}/record").select("#parameters tbody tr:has(form)")
    row = next(row for row in rows if "depth" in row.text)
    form = row.select_one("form[action$='/undo']")
    sent = {hidden["name"]: hidden["value"] for hidden in form.select("input")}
    assert server.post(form["action"], sent).status_code == 303
    assert "depth" not in server.state(sid)["values"] and server.state(sid)["open"] == "start"
    page = server.page(f"sessions/{sid}/record")
    assert page.select("#parameters form[action$='/undo']") == [] and "2 levels" in [
        struck.text for struck in page.select("#parameters s")
    ]
    assert server.page(f"sessions/{sid}/record?at=3").select("#parameters form[action$='/undo']") == []


def test_everything_that_a_browser_can_get_from_the_pages_is_there(server, told, ran):
    seen = set()
    for address in (
        "",
        f"sessions/{told}",
        f"sessions/{ran}",
        f"sessions/{ran}/record",
        f"sessions/{told}?at=3",
    ):
        for link in server.page(address).select("a[href]"):
            seen.add(link["href"].split("#")[0])
    for address in seen - {""}:
        assert server.get(address).status_code == 200, address


def test_the_first_page_is_small(server):
    sid = server.begin("small")
    sizes = []
    page = server.get(f"sessions/{sid}", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    sizes.append(page.num_bytes_downloaded)
    for element in soup(page).select("script[src], link[rel=stylesheet], link[rel=icon]"):
        answer = server.get(element.get("src") or element.get("href"), headers={"Accept-Encoding": "gzip"})
        sizes.append(answer.num_bytes_downloaded)
    assert len(sizes) <= 10
    assert sum(sizes) <= 80_000

"""What a chat program can do, over HTTP: edit, notes, commands, earlier messages, prompts, models."""

import json
from urllib.parse import urlsplit

import pytest
from double import Double, Pull, Round, call, say
from samples import SMALL, soon
from serving import HTMX, JSON, Stream, make_workspace, serving, soup

from assistant import live
from assistant.log import Fact
from assistant.models import GUIDE
from assistant.settings import PACKAGE
from assistant.web.markdown import CLASSES, markdown
from assistant.web.regions import Sent, draft_changes
from assistant.web.views.messages import WINDOW

MODEL = "small:4b"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def double():
    with Double(scripts=False) as double:
        yield double


@pytest.fixture(scope="module")
def server(tmp_path_factory, double):
    folder = make_workspace(tmp_path_factory.mktemp("chat") / "work", small=SMALL, other=SMALL)
    with serving(folder, ollama=double.address) as server:
        yield server


@pytest.fixture
def sid(server, double):
    """A session that a model of the double's answers."""
    double.models.clear()
    double.add(MODEL)
    double._queues.clear()
    sid = server.begin("small")
    server.tell(sid, Fact("user", "chose", {"model": MODEL}))
    return sid


def tell(server, sid, text, replies=1, **more):
    """Say it, and wait for what is said back."""
    before = len(server.did(sid, "said"))
    answer = server.post(f"sessions/{sid}/messages", {"text": text, **more})
    assert answer.status_code == 303, answer.text
    server.wait(sid, lambda s: len(s.did(sid, "said")) >= before + 1 + replies)
    return server.did(sid, "said")[before:]


def messages(double, n=-1):
    """What the model was given to read in its last request, but for the instructions."""
    return [(m["role"], m["content"]) for m in double.requests[n]["messages"][1:]]


# --- edit and regenerate -------------------------------------------------------------------------------


def test_an_edited_message_takes_the_place_of_what_followed(server, sid, double):
    double.enqueue(MODEL, "Hello.", "Blue it is.", "A fish.", "Green it is.")
    tell(server, sid, "hello there")
    blue, _ = tell(server, sid, "my colour is blue")
    tell(server, sid, "what swims?")
    before = len(server.entries(sid))
    answer = server.post(f"sessions/{sid}/messages/{blue['turn']}/edit", {"text": "my colour is green"})
    assert answer.status_code == 303
    server.wait(sid, lambda s: len(s.did(sid, "said")) == 8)
    edited = server.entries(sid)[before]
    assert (edited.by, edited["text"], edited["replaces"]) == ("user", "my colour is green", blue.n)
    read = messages(double)
    assert read[:2] == [("user", "hello there"), ("assistant", "Hello.")]
    assert len(read) == 3 and read[2][1].endswith("my colour is green")
    assert "blue" not in str(read) and "swims" not in str(read)
    page = server.page(f"sessions/{sid}")
    folded = page.select("#chat-log .message.replaced")
    assert [m["data-by"] for m in folded] == ["user", "model", "user", "model"]
    assert all(m.select_one("details") and not m.select_one("details[open]") for m in folded)
    assert "my colour is blue" in folded[0].text
    twice = server.post(f"sessions/{sid}/messages/{blue['turn']}/edit", {"text": "red"})
    assert twice.status_code == 409
    assert server.post(f"sessions/{sid}/messages/{blue['turn']}/again").status_code == 409
    assert server.post(f"sessions/{sid}/messages/t0/edit", {"text": "red"}).status_code == 404
    assert server.post(f"sessions/{sid}/messages/{edited['turn']}/edit", {"text": " "}).status_code == 422


def test_words_that_were_edited_ground_nothing_any_more(server, sid, double):
    double.enqueue(MODEL, "Seven?", call("set_values", depth=7), say("Done."))
    seven, _ = tell(server, sid, "perhaps depth 7")
    tell(server, sid, "just do what you think", edit=seven["turn"])
    assert server.state(sid)["values"] == {}
    assert server.did(sid, "proposed")[0]["values"] == {"depth": 7}


def test_a_question_lapses_with_the_words_that_it_came_of(server, sid, double):
    double.enqueue(
        MODEL, call("ask_user", question="Deep or flat?", options=["deep", "flat"]), "Which?", "Fine."
    )
    first, *_ = tell(server, sid, "how deep should it be?")
    assert server.did(sid, "asked")
    chips = [chip["value"] for chip in server.page(f"sessions/{sid}").select("#chips .chip")]
    assert chips[:2] == ["deep", "flat"]
    tell(server, sid, "never mind all that", edit=first["turn"])
    assert [(e["action"], e["id"]) for e in server.did(sid, "answered")] == [
        ("cancel", server.did(sid, "asked")[0]["id"])
    ]
    assert "deep" not in [chip["value"] for chip in server.page(f"sessions/{sid}").select("#chips .chip")]


def test_a_message_is_edited_while_it_is_being_answered(server, sid, double):
    double.enqueue(MODEL, say("one two three four five six", delay=0.3), "The second.")
    server.post(f"sessions/{sid}/messages", {"text": "the first form"})
    assert double.wait_for(lambda double: double.requests and "the first form" in str(double.requests[-1]))
    [first] = server.did(sid, "said")
    server.post(f"sessions/{sid}/messages/{first['turn']}/edit", {"text": "the second form"})
    server.wait(sid, lambda s: s.did(sid, "said")[-1].get("text") == "The second.")
    said = server.did(sid, "said")
    assert [e.get("stopped") for e in said] == [None, True, None, None]
    assert said[2]["replaces"] == first.n
    assert "first form" not in str(messages(double))


def test_the_edit_link_works_without_scripts(server, sid, double):
    double.enqueue(MODEL, "Hello.", "Hello again.")
    first, _ = tell(server, sid, "helo <there>")
    page = server.page(f"sessions/{sid}")
    link = page.select_one(f"#m{first.n} a.edit")
    assert link["aria-label"] and page.select_one(f"#m{first.n}").text == "helo <there>"
    page = server.page(urlsplit(link["href"]).path + "?" + urlsplit(link["href"]).query)
    assert page.select_one("#chat-input").text.strip() == "helo <there>"
    assert not page.select_one("#editing").has_attr("hidden")
    turn = page.select_one("#chat-form [name=edit]")["value"]
    tell(server, sid, "hello there", edit=turn)
    assert server.did(sid, "said")[2]["replaces"] == first.n


def test_only_the_last_reply_offers_to_be_asked_again_and_the_one_before_is_folded(server, sid, double):
    double.enqueue(MODEL, "One.", "Two.", "Three.")
    tell(server, sid, "say one")
    turn = tell(server, sid, "say two")[0]["turn"]
    page = server.page(f"sessions/{sid}")
    forms = page.select("#chat-log form[action$='/again']")
    assert [form["action"] for form in forms] == [f"sessions/{sid}/messages/{turn}/again"]
    assert server.post(forms[0]["action"]).status_code == 303
    server.wait(sid, lambda s: len(s.did(sid, "said")) == 5)
    page = server.page(f"sessions/{sid}")
    assert [m.select_one(".words").text.strip() for m in page.select(".message.replaced")] == ["Two."]


# --- a reply -------------------------------------------------------------------------------------------


def test_what_stands_above_a_reply_is_sent_anew_when_it_is_whole(server, sid, double):
    double.enqueue(MODEL, say("One."))
    _, one = tell(server, sid, "first")
    double.enqueue(MODEL, Round(text=("Two", "."), delay=60))
    with Stream(server, sid, after=one.n) as stream:
        server.post(f"sessions/{sid}/messages", {"text": "second"})
        found = {}
        while "Two" not in found.get("#draft", "") + found.get("#draft-tail", ""):
            found |= stream.next().targets
        assert f"#m{one.n}" not in found
        server.post(f"sessions/{sid}/messages/stop", {})
        while f"#m{one.n}" not in found:
            found |= stream.next().targets
    assert "Ask again" not in found[f"#m{one.n}"]
    assert "Ask again" in found["#draft"]  # before which the new reply comes


def test_a_reply_tells_its_figures_its_thinking_and_its_text(server, sid, double):
    double.enqueue(MODEL, Round(thinking=("I think ", "so."), text=("It ", "is ", "**so**."), delay=0.02))
    _, reply = tell(server, sid, "is it so?")
    message = server.page(f"sessions/{sid}").select_one(f"#m{reply.n}")
    figures = message.select_one("small").text
    assert "5 tokens" in figures and "/s" in figures and "first after" in figures
    thought = message.select_one("details.thinking")
    assert not thought.has_attr("open") and "I think so." in thought.text
    assert message.select_one(".words").text.strip() == "It is so."
    copied = message.select_one("button.copy")["data-copy"]
    assert server.get(copied).text == "It is **so**."
    assert server.get(f"sessions/{sid}/messages/1/text").status_code == 404


def test_a_model_that_only_thinks_so_far_is_said_to_be_thinking(server, sid, double):
    double.enqueue(MODEL, Round(thinking=("Hm", "."), text=("Yes", "."), delay=0.5))
    with Stream(server, sid, after=server.entries(sid)[-1].n) as stream:
        server.post(f"sessions/{sid}/messages", {"text": "is it?"})
        seen = []
        while not any("Yes" in markup for message in seen for markup in message.targets.values()):
            seen.append(stream.next())
    told = [m.targets["#status"] for m in seen if "#status" in m.targets]
    assert "thinking" in "".join(told)
    assert "writing" in told[-1]


def test_thinking_is_streamed_apart_and_once(server):
    draft, sent = live.Draft("t1", MODEL), Sent()
    assert "hidden" in "".join(draft_changes(draft, sent))
    draft.thinking = "I <wonder"
    whole = "".join(draft_changes(draft, sent))
    assert "I &lt;wonder" in whole and 'id="draft-thought"' in whole
    draft.thinking += " about it"
    [more] = draft_changes(draft, sent)
    assert "#draft-thinking" in more and " about it" in more and "wonder" not in more
    draft.text = "Words."
    assert "thinking" not in "".join(draft_changes(draft, sent))
    assert list(draft_changes(draft, sent)) == []


@pytest.mark.parametrize(("reply", "told"), [("Yes.", "1 token ·"), ("Yes, two.", "2 tokens ·")])
def test_a_reply_tells_its_tokens(server, sid, double, reply, told):
    double.enqueue(MODEL, reply)
    _, said = tell(server, sid, "hello")
    assert told in server.page(f"sessions/{sid}").select_one(f"#m{said.n} small").text


def test_feedback_is_noted_and_shown(server, sid, double):
    double.enqueue(MODEL, "Hello.")
    _, reply = tell(server, sid, "hello")
    address = f"sessions/{sid}/notes"
    about = {"about": str(reply.n)}
    assert server.post(address, {**about, "thumb": "up"}).status_code == 303
    assert server.post(address, {**about, "text": "too <short>"}, headers=HTMX).status_code == 204
    assert server.post(address, {**about, "thumb": "down", "text": " and late "}).status_code == 303
    notes = [{k: e[k] for k in ("about", "text", "thumb") if e.get(k)} for e in server.did(sid, "noted")]
    assert notes == [
        {"about": reply.n, "thumb": "up"},
        {"about": reply.n, "text": "too <short>"},
        {"about": reply.n, "text": "and late", "thumb": "down"},
    ]
    feedback = server.page(f"sessions/{sid}").select_one(f"#m{reply.n} .feedback")
    assert "not good" in feedback.select_one("summary").text
    assert [p.text for p in feedback.select(".noted p")] == ["too <short>", "and late"]
    assert not feedback.select_one("form button").has_attr("name")  # Enter in the note presses the first


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"about": "2"}, 422),
        ({"thumb": "up"}, 422),
        ({"about": "2", "thumb": "sideways"}, 422),
        ({"about": "2", "text": "x" * 30_000}, 422),
        ({"about": "9999", "thumb": "up"}, 404),
    ],
)
def test_feedback_about_nothing_or_with_nothing_is_refused(server, sid, form, status):
    assert server.post(f"sessions/{sid}/notes", form).status_code == status
    assert server.did(sid, "noted") == []


def test_what_the_assistant_saw_is_a_page(server, sid, double):
    double.enqueue(MODEL, "Hello.")
    _, reply = tell(server, sid, "hello <b>you</b>")
    address = f"sessions/{sid}/prompts/{reply['prompt']}"
    link = server.page(f"sessions/{sid}").select_one(f"#m{reply.n} a[href='{address}']")
    assert link["title"] == "What the assistant saw"
    page = server.page(address)
    shown = [(part["data-role"], part.select_one("pre").text) for part in page.select("[data-role]")]
    sent = [(m["role"], m["content"]) for m in double.requests[-1]["messages"]]
    assert shown == sent
    assert {code.text for code in page.select("main details summary code")} >= {"set_values", "ask_user"}
    assert "tokens" in page.select_one("main > p").text
    found = server.get(address, headers=JSON).json()
    assert (found["digest"], found["counted"]) == (reply["prompt"], True)
    assert server.get(f"sessions/{sid}/prompts/{'0' * 16}").status_code == 404
    assert server.get(f"sessions/{sid}/prompts/..%2F..%2Fx").status_code == 404


# --- commands and quick replies ------------------------------------------------------------------------


def test_commands_do_what_the_words_do_and_never_reach_the_model(server, sid, double):
    asked = len(double.requests)
    server.post(f"sessions/{sid}/steps/start", {"depth": "2", "kind": "star"})
    tell(server, sid, "/back")
    assert server.state(sid)["open"] == "start"
    tell(server, sid, "/next")
    assert server.state(sid)["open"] == "finish"
    tell(server, sid, "/undo")
    assert server.state(sid)["open"] == "start"
    tell(server, sid, "/redo")
    assert server.state(sid)["open"] == "finish"
    reply = tell(server, sid, "/status")[-1]
    assert (reply.by, "Depth" in reply["text"]) == ("guide", True)
    assert "no command `/fly`" in tell(server, sid, "/fly high")[-1]["text"]
    assert len(double.requests) == asked
    double.enqueue(MODEL, "Hi.")
    tell(server, sid, "hello")
    assert [role for role, _ in messages(double)] == ["user"]  # no command is in what it reads


def test_realign_model_find_and_export(server, sid, double):
    double.enqueue(MODEL, "The sea is blue.", "What sea?")
    _, blue = tell(server, sid, "what is blue?")
    tell(server, sid, "/realign")
    line = server.page(f"sessions/{sid}").select("#chat-log [data-did=realigned]")
    assert len(line) == 1
    tell(server, sid, "which sea was that?")
    assert [role for role, _ in messages(double)] == ["user"]
    found = tell(server, sid, "/find SEA blue")[-1]
    assert found["found"] == [blue.n]
    link = server.page(f"sessions/{sid}").select_one(f"#m{found.n} ul.links a")
    assert link["data-goto"] == f"m{blue.n}" and "The sea is blue." in link.text
    hit = server.page(link["href"].partition("#")[0])
    assert hit.select_one(f"#m{blue.n}")
    exported = tell(server, sid, "/export")[-1]
    links = [a["href"] for a in server.page(f"sessions/{sid}").select(f"#m{exported.n} ul.links a")]
    assert f"sessions/{sid}/export/log.jsonl" in links
    assert all(server.get(link).status_code == 200 for link in links)
    tell(server, sid, "/model guide")
    assert server.did(sid, "chose")[-1]["model"] == GUIDE


def test_a_command_answers_no_question(server, sid):
    server.tell(sid, Fact("model", "asked", {"id": "q1", "question": "Which one?"}))
    tell(server, sid, "/status")
    assert server.did(sid, "answered") == []
    assert server.page(f"sessions/{sid}").select_one(f"form[action='sessions/{sid}/answers/q1']")


def test_a_path_is_no_command(server, sid, double):
    double.enqueue(MODEL, "A path.")
    assert tell(server, sid, "/etc/hosts is a file")[-1].by == "model"


def test_quick_replies_come_from_the_open_card_and_are_said(server, sid, double):
    double.enqueue(MODEL, "It is a tree.")
    chips = {chip["value"]: chip for chip in server.page(f"sessions/{sid}").select("#chips .chip")}
    assert list(chips) == ["tree", "star", "Use the default", "Why do you need this?", "Next"]
    assert {(chip["type"], chip["name"]) for chip in chips.values()} == {("submit", "quick")}
    before = len(server.did(sid, "said"))
    server.post(f"sessions/{sid}/messages", {"quick": "star", "text": "half typed", "edit": ""})
    assert server.did(sid, "said")[before]["text"] == "star"


# --- long conversations --------------------------------------------------------------------------------


def test_the_page_has_the_last_messages_and_links_to_those_before(server, sid):
    facts = [Fact("user", "said", {"text": f"message {n}", "turn": f"t{n}"}) for n in range(130)]
    facts += [Fact("guide", "said", {"text": "all answered", "turn": f"t{n}"}) for n in range(1)]
    server.tell(sid, *facts)
    page, seen = server.page(f"sessions/{sid}"), []
    while True:
        shown = page.select(".chat-log .message[data-n]")
        assert len(shown) <= WINDOW
        seen = [m.select_one(".words, small").text.strip() for m in shown] + seen
        link = page.select_one("#earlier a")
        if link is None:
            break
        part = server.get(link["href"], headers=HTMX)
        assert "<html" not in part.text and part.text.count('id="earlier"') == 1
        page = server.page(link["href"])
        assert not page.select("form[hx-post]"), "earlier words are read, not changed"
    assert [text for text in seen if text.startswith("message")] == [f"message {n}" for n in range(130)]


def test_a_change_can_be_undone_from_the_earlier_messages(server, sid):
    server.tell(sid, Fact("model", "set", {"step": "start", "values": {"depth": 3}, "turn": "t0"}))
    assert server.state(sid)["values"] == {"depth": 3}
    server.tell(sid, *[Fact("app", "said", {"text": f"line {n}", "turn": "t"}) for n in range(60)])
    page = server.page(server.page(f"sessions/{sid}").select_one("#earlier a")["href"])
    form = page.select_one(".change form")
    assert form["action"] == f"sessions/{sid}/undo" and "hx-post" not in form.attrs  # the page is loaded anew
    hidden = {field["name"]: field["value"] for field in form.select("input")}
    assert server.post(form["action"], hidden).status_code == 303
    assert server.state(sid)["values"] == {}


def test_the_stream_keeps_to_the_window(server, sid):
    server.tell(sid, *[Fact("app", "said", {"text": f"line {n}", "turn": "t"}) for n in range(200)])
    with Stream(server, sid, after=len(server.entries(sid))) as stream:
        server.tell(sid, Fact("app", "said", {"text": "the newest", "turn": "t"}))
        message = stream.until(lambda m: "the newest" in m.targets.get("#draft", ""))
        assert message.targets["#draft"].count("<article") == 1


# --- Markdown ------------------------------------------------------------------------------------------


def test_code_has_colours_where_its_language_is_known():
    html = str(markdown("```python\ndef f(x):\n    return '<b>' # no\n```"))
    assert '<span class="k">def</span>' in html and '<span class="s">' in html
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "<span" not in markdown("```nonsense\nx = 1\n```")
    assert "<span" not in markdown("```python\ndef f(): pass\n```", colours=False)
    assert "<span" not in markdown("```python\n" + "x = 1\n" * 20_000 + "```")
    assert "<span" not in markdown('<span class="k">x</span> <span style="x">y</span>')


def test_a_column_of_figures_stands_at_its_side():
    html = str(markdown("| name | pages |\n|:---:|---:|\n| a | 12 |"))
    assert '<td class="right">12</td>' in html and '<th class="center">name</th>' in html
    assert "style" not in html


def test_every_colour_has_its_rule():
    css = (PACKAGE / "web" / "static" / "app.css").read_text("utf-8")
    assert all(f"pre .{name}" in css for name in CLASSES)


# --- models --------------------------------------------------------------------------------------------


def test_the_page_of_models_tells_what_each_can_do(server, sid, double):
    double.add("thinker:8b", capabilities=("completion", "thinking"), context=131_072)
    double.add("far:cloud")
    soon(lambda: len(server.get("models", headers=JSON).json()["models"]) == 2)
    page = server.get("models", headers=HTML)
    rows = {row["data-model"]: row.text for row in soup(page).select("tr[data-model]")}
    assert set(rows) == {MODEL, "thinker:8b"}
    assert "thinking" in rows["thinker:8b"] and "131,072" in rows["thinker:8b"] and "2.6 GB" in rows[MODEL]
    assert "no tools" in rows["thinker:8b"]
    heads, cells = soup(page).select("#models th"), soup(page).select("#models tr[data-model] td")
    assert [head.get("class") for head in heads] == [cell.get("class") for cell in cells[: len(heads)]]
    picker = server.page(f"sessions/{sid}")
    assert picker.select_one(f"#model a[href='models?session={sid}']")
    assert "far:cloud" not in picker.select_one("#model").text
    assert server.post(f"sessions/{sid}/model", {"model": "far:cloud"}).status_code == 404
    assert server.post("models/pull", {"name": "far:cloud"}).status_code >= 400


def listed(server):
    return soup(server.get("models", headers=HTML))


def test_a_model_is_fetched_cancelled_resumed_and_deleted(server, double):
    double.pulls["new:1b"] = pull = Pull(size=200_000, part=1_000, delay=0.02)
    answer = server.post("models/pull", {"name": "new:1b"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/models")
    soon(lambda: pull.have > 3_000)
    page = listed(server)
    assert page.select_one(".pull[data-state=running] progress")["max"] == "200000"
    assert page.select_one("#models")["hx-trigger"].startswith("every")
    assert page.select_one("noscript meta[http-equiv=refresh]")
    again = server.post("models/pull", {"name": "new:1b"})
    assert (again.status_code, len(soup(again).select(".pull[data-state=running]"))) == (409, 1)
    server.post("models/cancel", {"name": "new:1b"})
    assert double.wait_for(lambda double: any(seen.left for seen in double.seen if seen.path == "/api/pull"))
    page = listed(server)
    assert "what has come is kept" in page.select_one(".pull[data-state=cancelled]").text
    assert not page.select_one("#models").has_attr("hx-trigger")
    kept, pull.delay, pull.part = pull.have, 0.0, 50_000
    assert 0 < kept < 200_000
    server.post("models/pull", {"name": "new:1b"})
    soon(lambda: listed(server).select_one("tr[data-model='new:1b']") is not None)
    assert not listed(server).select(".pull")
    assert server.post("models/delete", {"name": "new:1b"}).status_code == 303
    assert "new:1b" not in double.models
    assert listed(server).select_one("tr[data-model='new:1b']") is None
    assert server.post("models/delete", {"name": "new:1b"}).status_code == 404


def test_a_pull_that_fails_says_why_and_goes_on_when_asked(server, double):
    double.pulls["shaky:1b"] = Pull(error="unexpected EOF", error_after=2)
    server.post("models/pull", {"name": "shaky:1b"})
    soon(lambda: listed(server).select_one(".pull[data-state=failed]") is not None)
    pull = listed(server).select_one(".pull[data-state=failed]")
    assert "unexpected EOF" in pull.text and pull.select_one("[role=alert]")
    assert pull.select_one("form[action='models/pull'] [name=name]")["value"] == "shaky:1b"
    server.post("models/pull", {"name": "shaky:1b"})
    soon(lambda: "shaky:1b" in double.models and not listed(server).select(".pull"))


def test_a_model_that_there_is_not_is_said_and_dismissed(server, double):
    server.post("models/pull", {"name": "missing"})
    soon(lambda: listed(server).select_one(".pull[data-state=failed]") is not None)
    assert "missing" in listed(server).select_one(".pull").text
    assert listed(server).select_one(".pull form[action='models/pull'] button").text == "Try again"
    server.post("models/cancel", {"name": "missing"})
    assert not listed(server).select(".pull")
    assert server.post("models/cancel", {"name": "missing"}).status_code == 404


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 300])
def test_what_is_no_name_is_refused(server, name):
    assert server.post("models/pull", {"name": name}).status_code == 422
    assert server.post("models/delete", {"name": name}).status_code == 422
    assert server.post("models/pull", {"name": name}, headers=JSON).json()["error"]


def test_what_is_no_name_can_be_corrected_on_the_page(server, sid):
    page = soup(server.post("models/pull", {"name": "a b", "session": sid}, headers=HTML))
    assert "no name of a model" in page.select_one("main [role=alert]").text
    assert page.select_one("form.get [name=name]")["value"] == "a b"
    assert page.select_one(f"header a[href='sessions/{sid}']")
    assert page.select_one(f"form.get [name=session][value='{sid}']")
    gone = soup(server.post("models/delete", {"name": "gone:1b"}, headers=HTML))
    told = gone.select_one("main [role=alert]").text
    assert "gone:1b" in told and "ollama pull" not in told
    assert gone.select_one("form.get [name=name]").get("value") is None


def test_the_home_page_leads_to_the_models(server):
    assert server.page("").select_one("header nav a[href=models]").text == "Models"


def test_an_ollama_without_a_model_names_some_to_get(server, sid, double):
    double.models.clear()
    soon(lambda: server.get("models", headers=JSON).json()["models"] == [])
    names = [code.text for code in server.page(f"sessions/{sid}").select("#notice .first-run code")]
    assert 2 <= len(names) <= 3
    own = server.workspace / "models.toml"
    own.write_text('[[suggested]]\nname = "mine:2b"\n[workflows]\nother = "own:1b"\n', "utf-8")
    forms = server.page(f"sessions/{sid}").select("#notice .first-run form[action='models/pull']")
    assert [form.select_one("[name=name]")["value"] for form in forms] == ["mine:2b"]
    own.write_text("[[suggested]\n", "utf-8")
    assert "models.toml" in listed(server).select_one(".notice").text
    assert server.page(f"sessions/{sid}").select("#notice .first-run form")
    own.unlink()


def test_a_workflow_has_its_own_model_as_long_as_it_is_there(server, sid, double):
    own = server.workspace / "models.toml"
    own.write_text('[workflows]\nother = "own:1b"\n', "utf-8")
    double.add("own:1b")
    double.add("aaa:1b")
    soon(lambda: len(server.get("models", headers=JSON).json()["models"]) == 3)

    def model(sid):
        return server.page(f"sessions/{sid}").select_one("#model-select option[selected]")["value"]

    other, small = server.begin("other"), server.begin("small")
    assert (model(other), model(small)) == ("own:1b", "aaa:1b")
    server.post(f"sessions/{other}/model", {"model": MODEL})
    assert model(other) == MODEL
    del double.models["own:1b"]
    soon(lambda: len(server.get("models", headers=JSON).json()["models"]) == 2)
    assert model(server.begin("other")) == "aaa:1b"
    own.unlink()


def test_without_an_ollama_the_page_says_so(tmp_path):
    with serving(make_workspace(tmp_path / "work", small=SMALL)) as server:
        page = listed(server)
        assert page.select_one(".notice") and "built-in guide" in page.select_one("main").text
        assert not page.select("form[action='models/pull']")
        assert json.loads(server.get("models").text)["models"] == []

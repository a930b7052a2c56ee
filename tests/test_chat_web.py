"""The chat's addresses: messages, stop, again; questions and proposals; the model."""

import pytest
from double import Double, fail, say, tokens
from samples import SMALL, complete
from serving import HTMX, Stream, at_once, make_workspace, serving

from assistant.log import Fact

BILL = """
from typing import Annotated

from assistant import Ask, Workflow

flow = Workflow("Split a bill", "What does each of us owe?")


@flow.step
def bill(total: Annotated[float, Ask("Total", gt=0, unit="euros")]):
    '''What is on the bill?'''


@flow.run
def split(total):
    return None
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web") / "work"
    with serving(make_workspace(folder, small=SMALL, bill=BILL)) as server:
        yield server


@pytest.fixture
def sid(server):
    return server.begin("small")


def replied(server, sid, count=1):
    """Wait until the guide has said so much."""
    server.wait(sid, lambda s: sum(e.by != "user" for e in s.did(sid, "said")) >= count)


def test_a_message_is_in_the_log_and_answered(server, sid):
    answer = server.post(f"sessions/{sid}/messages", {"text": "depth 7 <b>"})
    assert answer.status_code == 303
    said = server.did(sid, "said")[0]
    assert (said.by, said["text"]) == ("user", "depth 7 <b>")
    replied(server, sid)
    assert server.state(sid)["values"]["depth"] == 7
    assert server.state(sid)["origins"]["depth"] == "guide"
    page = server.page(f"sessions/{sid}")
    words = [m for m in page.select("#chat-log article.message[data-by=user]")]
    assert words[0].text.strip() == "depth 7 <b>"
    assert words[0]["data-n"] == str(said.n)
    assert page.select_one("#chat-log article.message[data-by=guide]")
    assert page.select_one("#field-depth [data-by=guide]")
    assert server.post(f"sessions/{sid}/messages", {"text": "why?"}, headers=HTMX).status_code == 204
    replied(server, sid, 2)


@pytest.mark.parametrize("text", ["", "  \n ", None])
def test_an_empty_message_is_refused(server, sid, text):
    assert (
        server.post(f"sessions/{sid}/messages", {"text": text} if text is not None else {}).status_code == 422
    )
    assert server.did(sid, "said") == []


def test_a_long_message_is_refused_or_kept_whole(server, sid):
    assert server.post(f"sessions/{sid}/messages", {"text": "x" * 500_000}).status_code == 422
    assert server.post(f"sessions/{sid}/messages", {"text": "x" * 1_200_000}).status_code == 413
    assert server.did(sid, "said") == []


def test_ask_again_and_stop(server, sid):
    server.post(f"sessions/{sid}/messages", {"text": "What can I choose?"})
    replied(server, sid)
    turn = server.did(sid, "said")[0]["turn"]
    assert server.post(f"sessions/{sid}/messages/{turn}/again").status_code == 303
    replied(server, sid, 2)
    assert server.did(sid, "said")[-1]["replaces"] == server.did(sid, "said")[1].n
    assert server.post(f"sessions/{sid}/messages/t000000/again").status_code == 404
    assert server.post(f"sessions/{sid}/messages/stop").status_code == 303


def test_the_model(server, sid):
    answer = server.get("models")
    assert answer.status_code == 200
    assert answer.json()["models"] == []
    assert answer.json()["problem"]
    assert server.post(f"sessions/{sid}/model", {"model": "guide"}).status_code == 303
    assert server.post(f"sessions/{sid}/model", {"model": "nothing:7b"}).status_code == 404
    assert server.post(f"sessions/{sid}/realign").status_code == 303
    assert server.did(sid, "realigned")


def test_a_proposal_is_answered_once(server, sid):
    proposal = {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}
    server.tell(sid, Fact("model", "proposed", proposal))
    page = server.page(f"sessions/{sid}")
    assert page.select_one("[name=depth]")["value"] == "8"
    assert "suggested" in page.select_one("#field-depth")["class"]
    assert server.state(sid)["values"] == {}
    assert server.post(f"sessions/{sid}/answers/p1", {"action": "perhaps"}).status_code == 422
    assert server.post(f"sessions/{sid}/answers/p9", {"action": "accept"}).status_code == 404
    answers = at_once(
        *[lambda: server.post(f"sessions/{sid}/answers/p1", {"action": "accept"}).status_code] * 3
    )
    assert sorted(answers) == [303, 409, 409]
    state = server.state(sid)
    assert (state["values"], state["origins"]) == ({"depth": 8}, {"depth": "user"})
    (answered,) = server.did(sid, "answered")
    assert (answered["id"], answered["action"]) == ("p1", "accept")


def test_a_proposal_is_edited(server, sid):
    proposal = {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}
    server.tell(sid, Fact("model", "proposed", proposal))
    (edit,) = server.page(f"sessions/{sid}").select(".proposal details form")
    assert edit.select_one("input[name='value.depth']")["value"] == "8"
    address = f"sessions/{sid}/answers/p1"
    refused = server.post(address, {"action": "accept", "value.depth": "many"}, headers=HTMX)
    assert refused.status_code == 422
    assert "many" in refused.text
    assert not server.did(sid, "answered")  # it can be tried again
    assert server.post(address, {"action": "accept", "value.depth": "3"}).status_code == 303
    state = server.state(sid)
    assert (state["values"], state["origins"]) == ({"depth": 3}, {"depth": "user"})
    assert server.did(sid, "answered")[0]["value"] == "3"
    told = server.page(f"sessions/{sid}").select_one(".proposal").text
    assert "depth = 3" in told and "accepted" not in told
    assert "suggested: 8" in told


def test_a_proposal_is_declined(server, sid):
    server.tell(
        sid,
        Fact("model", "proposed", {"id": "p1", "step": "start", "values": {"depth": 8}, "turn": "t1"}),
    )
    assert server.post(f"sessions/{sid}/answers/p1", {"action": "decline"}, headers=HTMX).status_code == 204
    assert server.state(sid)["values"] == {}
    assert server.page(f"sessions/{sid}").select_one("[name=depth]")["value"] == ""


def test_a_question_is_answered(server, sid):
    server.tell(
        sid,
        Fact("model", "asked", {"id": "q1", "question": "Deep or flat?", "options": ["deep", "flat"]}),
    )
    page = server.page(f"sessions/{sid}")
    forms = page.select(f"form[action='sessions/{sid}/answers/q1']")
    assert [form.find("button").text for form in forms] == ["deep", "flat", "No"]
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "accept", "value": "flat"}).status_code == 303
    (answered,) = server.did(sid, "answered")
    assert (answered["action"], answered["value"]) == ("accept", "flat")
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "decline"}).status_code == 409
    replied(server, sid)


def test_a_question_about_running_starts_the_run(server, sid):
    complete(server, sid)
    server.tell(
        sid,
        Fact("guide", "asked", {"id": "q1", "question": "Run it?", "options": ["Yes"], "about": "run"}),
    )
    assert server.post(f"sessions/{sid}/answers/q1", {"action": "accept", "value": "Yes"}).status_code == 303
    server.wait(sid, lambda s: bool(s.did(sid, "finished")))
    assert len(server.did(sid, "started")) == 1


# --- what became of what was suggested -----------------------------------------------------------------


def suggest(server, sid, id="p1", **values):
    server.tell(
        sid,
        Fact("user", "said", {"text": "as usual", "turn": id}),
        Fact("model", "proposed", {"id": id, "step": "start", "values": values, "turn": id}),
        Fact("guide", "said", {"text": "Is it so?", "turn": id}),
    )


def spoken(server, sid, text):
    before = sum(e.by != "user" for e in server.did(sid, "said"))
    server.post(f"sessions/{sid}/messages", {"text": text})
    replied(server, sid, before + 1)


def boxes(server, sid):
    """The suggestions in the chat: what each says of itself, and of its values."""
    found = server.page(f"sessions/{sid}").select(".proposal")
    return [
        (box.small.text, [" ".join(code.stripped_strings) for code in box.select("code")]) for box in found
    ]


def test_a_suggestion_says_of_each_value_what_became_of_it(server, sid):
    suggest(server, sid, depth=8, kind="star")
    spoken(server, sid, "accept the depth and dismiss the rest")
    assert server.state(sid)["values"] == {"depth": 8}
    first, second = boxes(server, sid)
    assert first == ("Suggested", ["depth = 8 levels suggested again", "kind = star dismissed"])
    assert second == ("Suggested, and accepted", ["depth = 8 levels"])
    server.post(f"sessions/{sid}/undo")
    assert boxes(server, sid)[1][0] == "Suggested, accepted, and undone"
    server.post(f"sessions/{sid}/redo")
    assert boxes(server, sid)[1][0] == "Suggested, and accepted"


def test_a_suggestion_that_is_half_accepted_and_then_dismissed(server, sid):
    suggest(server, sid, depth=8, kind="star")
    spoken(server, sid, "all but the kind")
    first, second = boxes(server, sid)
    assert first == ("Suggested", ["depth = 8 levels accepted", "kind = star suggested again"])
    assert second == ("Suggested, and dismissed", ["kind = star"])


def test_a_suggestion_that_was_overtaken_says_so(server, sid):
    suggest(server, sid, depth=8, kind="star")
    server.next(sid, "start", {"depth": "8", "kind": "tree"})
    assert boxes(server, sid) == [
        ("Suggested", ["depth = 8 levels accepted", "kind = star another value was given"])
    ]


def test_an_open_page_is_told_what_became_of_a_suggestion(server, sid):
    suggest(server, sid, depth=8)
    box = f"#m{server.did(sid, 'proposed')[0].n}"
    with Stream(server, sid, after=server.state(sid)["n"]) as stream:

        def told(words):
            stream.until(lambda message: words in message.targets.get(box, ""))

        server.post(f"sessions/{sid}/answers/p1", {"action": "accept"})
        told("Suggested, and accepted")
        server.post(f"sessions/{sid}/undo")
        told("Suggested, accepted, and undone")
        server.post(f"sessions/{sid}/answers/p1", {"action": "accept"})
        told("Suggested, and accepted")


def test_an_accepted_suggestion_can_be_undone_at_the_field_and_in_the_chat(server, sid):
    for where in (".proposal form[action$='/undo']", "#field-depth .origin button[formaction$='/undo']"):
        suggest(server, sid, id=f"p{len(where)}", depth=8)
        assert not server.page(f"sessions/{sid}").select(where)
        server.post(f"sessions/{sid}/answers/p{len(where)}", {"action": "accept"})
        [found] = server.page(f"sessions/{sid}").select(where)
        n = (found.select_one("[name=entry]") or found)["value"]
        assert server.post(f"sessions/{sid}/undo", {"entry": n}).status_code == 303
        assert server.state(sid)["values"] == {}
        assert not server.page(f"sessions/{sid}").select(where)
    assert server.post(f"sessions/{sid}/redo").status_code == 303
    assert server.state(sid)["values"] == {"depth": 8}


def test_a_value_that_the_user_typed_in_place_of_a_suggestion_is_the_users_own(server, sid):
    suggest(server, sid, depth=8)
    server.post(f"sessions/{sid}/answers/p1", {"action": "accept", "value.depth": "3"})
    assert not server.page(f"sessions/{sid}").select("#field-depth .origin")


def test_a_dismissed_suggestion_can_be_taken_after_all(server, sid):
    suggest(server, sid, depth=8, kind="star")
    address = f"sessions/{sid}/answers/p1"
    server.post(address, {"action": "decline"})
    [after_all] = server.page(f"sessions/{sid}").select(".proposal form")
    assert (after_all["action"], after_all.button.text) == (address, "Take them after all")
    spoken(server, sid, "depth 4")  # what was given since stays
    answers = at_once(*[lambda: server.post(address, {"action": "accept"}).status_code] * 3)
    assert sorted(answers) == [303, 409, 409]
    state = server.state(sid)
    assert (state["values"], state["origins"]) == (
        {"depth": 4, "kind": "star"},
        {"depth": "guide", "kind": "user"},
    )
    assert boxes(server, sid)[0] == (
        "Suggested",
        ["depth = 8 levels dismissed", "kind = star accepted"],
    )
    assert server.post(address, {"action": "decline"}).status_code == 409
    server.post(f"sessions/{sid}/undo")
    assert server.state(sid)["values"] == {"depth": 4}
    assert server.post(address, {"action": "accept"}).status_code == 303
    assert server.state(sid)["values"]["kind"] == "star"


def test_the_edit_of_a_suggestion_shows_the_number_as_the_card_does(server):
    sid = server.begin("bill")
    server.tell(sid, Fact("model", "proposed", {"id": "p1", "step": "bill", "values": {"total": 120.0}}))
    page = server.page(f"sessions/{sid}")
    shown = page.select_one(".proposal input[name='value.total']")["value"]
    assert shown == page.select_one("#field-total input")["value"] == "120"
    server.post(f"sessions/{sid}/answers/p1", {"action": "accept", "value.total": shown})
    assert boxes(server, sid)[0][0] == "Suggested, and accepted"


def test_start_over_says_what_it_cleared_in_the_order_of_the_cards(server, sid):
    server.next(sid, "start", {"depth": "2", "kind": "star"})
    server.next(sid, "finish", {"names": "name 1"})
    spoken(server, sid, "start over")
    told = server.page(f"sessions/{sid}").select_one("[data-did=cleared] code").text
    assert told == "Depth, Kind, Names cleared"


def test_what_is_said_ahead_stands_on_the_card_that_it_is_for(server, sid):
    server.tell(sid, Fact("guide", "set", {"step": "finish", "values": {"names": ["<b>name 1", "x" * 900]}}))
    card = server.page(f"sessions/{sid}").select_one("#card-finish")
    assert card["data-state"] == "locked"
    told = " ".join(card.select_one("dl").stripped_strings)
    assert told.startswith("kept for later Names <b>name 1, xxx") and len(told) < 220
    assert not card.select("b")


# --- a model that takes its time -------------------------------------------------------------------------

MODEL = "small:4b"


@pytest.fixture(scope="module")
def double():
    with Double(scripts=False) as double:
        double.add(MODEL)
        yield double


@pytest.fixture(scope="module")
def slow(tmp_path_factory, double):
    """A server whose model is the double's."""
    workspace = make_workspace(tmp_path_factory.mktemp("slow") / "work", small=SMALL)
    with serving(workspace, "--model", MODEL, ollama=double.address) as server:
        yield server


def test_a_reply_being_written_is_drawn_streamed_and_stopped(slow, double):
    sid = slow.begin("small")
    double.enqueue(MODEL, tokens(3_000, 0.02))
    with Stream(slow, sid, after=2) as stream:
        slow.post(f"sessions/{sid}/messages", {"text": "tell me a story"})
        stream.until(lambda message: "#draft-tail" in message.targets)
        n = slow.entries(sid)[-1].n
        assert [stream.next().id for _ in range(3)] == [str(n)] * 3  # words that are not in the log yet
        page = slow.page(f"sessions/{sid}")
        assert (
            page.select_one("article#draft.message[data-by=model]")["data-turn"]
            == slow.did(sid, "said")[0]["turn"]
        )
        assert page.select_one("#draft-tail").text
        assert not page.select_one("#chat-stop").has_attr("hidden")
        assert page.select_one("#status")["data-state"] == "busy"
        assert page.select_one("noscript meta[http-equiv=refresh]")
        assert page.select_one("#model option[selected]")["value"] == MODEL
        assert slow.get(f"sessions/{sid}/status").json()["answering"] is True
        assert slow.post(f"sessions/{sid}/messages/stop", headers=HTMX).status_code == 204
        stream.until(lambda message: "stopped" in message.targets.get("#draft", ""))
    said = slow.did(sid, "said")[-1]
    assert (said.by, said["model"], said["stopped"]) == ("model", MODEL, True)
    page = slow.page(f"sessions/{sid}")
    assert page.select_one("#draft").has_attr("hidden")
    assert page.select_one("#chat-stop").has_attr("hidden")
    assert page.select_one(f".message[data-n='{said.n}'] .words").text.strip()


def test_a_model_that_fails_says_so_and_can_be_asked_again(slow, double):
    sid = slow.begin("small")
    double.enqueue(MODEL, fail(500, "out of memory"))
    slow.post(f"sessions/{sid}/messages", {"text": "tell me a story"})
    slow.wait(sid, lambda s: bool(s.did(sid, "failed")))
    (failed,) = slow.did(sid, "failed")
    assert failed["where"] == "model"
    message = slow.page(f"sessions/{sid}").select_one(f".message[data-n='{failed.n}']")
    again, guide = message.select(f"form[action='sessions/{sid}/messages/{failed['turn']}/again']")
    assert again.find("button").text == "Ask again"
    assert guide.find("button").text == "Use the guide"
    double.enqueue(MODEL, say("Once upon a time."))
    assert slow.post(again["action"]).status_code == 303
    slow.wait(sid, lambda s: any(e.by == "model" for e in s.did(sid, "said")))
    given = {field["name"]: field["value"] for field in guide.select("input")}
    assert slow.post(guide["action"], given).status_code == 303
    slow.wait(sid, lambda s: any(e.by == "guide" for e in s.did(sid, "said")))
    assert slow.did(sid, "chose")[-1]["model"] == "guide"
    assert slow.post(guide["action"], {"model": "nobody"}).status_code == 404
    assert slow.post(f"sessions/{sid}/messages/nosuch/again", {"model": MODEL}).status_code == 404
    assert slow.did(sid, "chose")[-1]["model"] == "guide"


def test_a_model_that_is_not_there_can_be_fetched_from_the_chat(slow, double):
    sid = slow.begin("small")
    double.enqueue(MODEL, fail(404, f"model '{MODEL}' not found"))
    slow.post(f"sessions/{sid}/messages", {"text": "tell me a story"})
    slow.wait(sid, lambda s: bool(s.did(sid, "failed")))
    trouble = slow.page(f"sessions/{sid}").select_one(".trouble")
    assert trouble.select_one("code").text == f"ollama pull {MODEL}" and "`" not in trouble.text
    assert trouble.select_one(f"a[href='models?session={sid}']").text == "Models"


def test_the_models_that_there_are(slow):
    found = slow.get("models").json()
    assert [model["name"] for model in found["models"]] == [MODEL]
    assert found["problem"] is None


def test_a_message_that_comes_while_one_is_answered_waits_its_turn(slow, double):
    sid = slow.begin("small")
    double.enqueue(MODEL, tokens(60, 0.01), say("The second."))
    for text in ("tell me a story", "and another"):
        assert slow.post(f"sessions/{sid}/messages", {"text": text}).status_code == 303
    assert [e["text"] for e in slow.did(sid, "said") if e.by == "user"] == ["tell me a story", "and another"]
    slow.wait(sid, lambda s: sum(e.by == "model" for e in s.did(sid, "said")) == 2)
    asked, answered = (
        [e["turn"] for e in slow.did(sid, "said") if (e.by == "user") is user] for user in (True, False)
    )
    assert asked == answered

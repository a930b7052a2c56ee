"""The chat's commands: what is one, what it maps to, and what comes of those that change no card."""

from types import SimpleNamespace
from typing import Any

import pytest
from fasthtml.common import to_xml

from assistant.chat.errands import errand
from assistant.chat.slash import AROUND, COMMANDS, HITS, Slash, excerpt, find, help_text, parse, pick
from assistant.export import FORMATS
from assistant.log import Entry
from assistant.models import GUIDE, ModelInfo
from assistant.models.guide import recognise
from assistant.session import Session, fold
from assistant.web.views.tools import links

MODELS = [ModelInfo("qwen3:4b"), ModelInfo("llama3.2:3b"), ModelInfo("gemma:latest")]


def chat(*said: tuple[str, str]) -> Session:
    """A session in which these said that, each in a turn of its own."""
    began = Entry(1, "", "app", "began", {"workflow": "w"})
    entries = [
        Entry(n, "", by, "said", {"text": text, "turn": f"t{n}"}) for n, (by, text) in enumerate(said, 2)
    ]
    return fold([began, *entries])


def run(
    text: str, session: Session | None = None, model: str = GUIDE
) -> list[tuple[str, str, dict[str, Any]]]:
    slash = parse(text)
    assert slash
    facts = errand(slash, session or chat(), "t99", model, MODELS)
    return [(fact.by, fact.did, fact.fields) for fact in facts]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/undo", Slash("undo")),
        ("  /UNDO  ", Slash("undo")),
        ("/model qwen3:4b", Slash("model", "qwen3:4b")),
        ("/find  two words ", Slash("find", "two words")),
        ("/find a\nline", Slash("find", "a\nline")),
        ("/nothing", Slash("nothing")),
        ("/etc/hosts", None),
        ("/ undo", None),
        ("/", None),
        ("//x", None),
        ("undo /next", None),
        ("/x.txt", None),
        ("", None),
    ],
)
def test_a_command_is_a_slash_and_a_word(text: str, wanted: Slash | None) -> None:
    assert parse(text) == wanted


def test_the_commands_of_the_cards_are_words_that_the_guide_knows() -> None:
    wanted = {"undo": "undo", "redo": "redo", "next": "next", "back": "back", "skip": "skip", "run": "run"}
    wanted |= {"status": "overview"}
    found = {each.name: recognise(each.words)[0].kind for each in COMMANDS if each.words}
    assert found == wanted


def test_each_command_that_was_promised_is_there() -> None:
    names = "help undo redo back skip next run status model realign find export"
    assert {each.name for each in COMMANDS} == set(names.split())


def test_an_unknown_command_gives_a_sentence_and_the_list() -> None:
    [(by, did, fields)] = run("/frobnicate now")
    assert (by, did, fields["model"]) == ("guide", "said", GUIDE)
    assert "no command `/frobnicate`" in fields["text"]
    assert all(f"`/{each.name}" in fields["text"] for each in COMMANDS)
    assert "no command" not in help_text()


def test_a_model_is_chosen_once_and_an_unknown_one_is_answered_with_the_list() -> None:
    chose, said = run("/model qwen3:4b")
    assert chose == ("user", "chose", {"model": "qwen3:4b"})
    assert said[2]["text"] == "qwen3:4b answers from here on."
    assert [did for _, did, _ in run("/model qwen3:4b", model="qwen3:4b")] == ["said"]
    [(_, did, fields)] = run("/model nothing:7b")
    assert did == "said" and "no model `nothing:7b`" in fields["text"] and "`llama3.2:3b`" in fields["text"]
    assert fields["models"] == ["qwen3:4b", "llama3.2:3b", "gemma:latest"]
    assert "There is no model" not in run("/model")[0][2]["text"]


def test_instead_of_an_unknown_model_those_that_there_are_are_offered_but_not_the_one_that_answers() -> None:
    [(_, did, fields)] = run("/model nothing", model="qwen3:4b")
    assert did == "said" and fields["models"] == [GUIDE, "llama3.2:3b", "gemma:latest"]
    chose, said = run("/model llama")
    assert chose[1] == "chose" and "models" not in said[2]


def test_the_models_that_are_offered_are_buttons_that_choose_them() -> None:
    entry = Entry(5, "", "guide", "said", {"text": "x", "models": [GUIDE, "a<b:1b"]})
    html = to_xml(links(SimpleNamespace(address="sessions/s", session=chat(), fixed=False), entry))
    assert html.count('action="sessions/s/model"') == 2
    assert 'name="model" value="guide"' in html and "Use the guide" in html and "Use a&lt;b:1b" in html
    assert links(SimpleNamespace(address="sessions/s", session=chat(), fixed=True), entry) == ""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("qwen3:4b", "qwen3:4b"),
        ("QWEN3:4B", "qwen3:4b"),
        ("llama", "llama3.2:3b"),
        ("gemma", "gemma:latest"),
        ("guide", GUIDE),
        ("", None),
        ("zephyr", None),
    ],
)
def test_a_model_is_named_whole_or_by_its_beginning(name: str, wanted: str | None) -> None:
    assert pick(name, MODELS) == wanted


def test_a_beginning_of_two_names_picks_none() -> None:
    assert pick("qwen3", [ModelInfo("qwen3:4b"), ModelInfo("qwen3:8b")]) is None


def test_realign_writes_the_line_and_says_so() -> None:
    assert [(by, did) for by, did, _ in run("/realign")] == [("user", "realigned"), ("guide", "said")]


def test_find_gives_the_newest_messages_with_all_words_but_no_commands() -> None:
    session = chat(
        ("user", "The Sea is blue"), ("guide", "a blue sea"), ("user", "/find sea"), ("user", "a blue car")
    )
    assert [entry.n for entry in find(session.chat, "SEA blue", "t99")] == [3, 2]
    assert [entry.n for entry in find(session.chat, "SEA blue", "t3")] == [2]
    [(_, _, fields)] = run("/find sea blue", session)
    assert (fields["found"], fields["sought"]) == ([3, 2], "sea blue")
    [(_, _, none)] = run("/find mountain", session)
    assert "mountain" in none["text"] and "found" not in none
    assert "/find WORDS" in run("/find")[0][2]["text"]


def test_find_is_bounded() -> None:
    session = chat(*[("user", f"the same {n}") for n in range(3 * HITS)])
    found = find(session.chat, "same", "")
    assert len(found) == HITS and found[0].n > found[-1].n
    assert find(session.chat, "", "") == []


def test_an_excerpt_stands_around_the_word() -> None:
    entry = Entry(1, "", "user", "said", {"text": "x " * 500 + "needle" + " y" * 500})
    found = excerpt(entry, "needle")
    assert "needle" in found and len(found) <= 3 * AROUND + 2
    assert (found[0], found[-1]) == ("…", "…")
    assert excerpt(Entry(1, "", "user", "said", {"text": "short"}), "no") == "short"


def test_export_names_every_format() -> None:
    assert run("/export")[0][2]["exports"] == list(FORMATS)

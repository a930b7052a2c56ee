"""fold: entries in, session out. Its laws, undo and redo, and logs of other hands."""

import time
from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.log import Entry
from assistant.session import CHAT, Session, fold
from assistant.session.folding import APPLY
from assistant.session.undoing import redo_of, undo_of


def entries(*lines: str | tuple[Any, ...]) -> list[Entry]:
    """Entries of (by, did, fields); a line of "-" begins a new write, so the lines between share a time."""
    found: list[Entry] = []
    write = 0
    for line in lines:
        if line == "-":
            write += 1
            continue
        by, did, own = line
        found.append(Entry(len(found) + 1, f"2026-11-21T10:00:00.{write:03}Z", by, did, own))
    return found


def values(step: str, by: str = "user", **own: Any) -> tuple[str, str, dict[str, Any]]:
    return (by, "set", {"step": step, "values": own})


def mark(did: str, step: str, by: str = "user", **own: Any) -> tuple[str, str, dict[str, Any]]:
    return (by, did, {"step": step} | own)


BEGAN = ("user", "began", {"workflow": "trip", "title": "Plan a trip", "format": 1})
TWO_CARDS = [
    BEGAN,
    mark("opened", "a", "app"),
    "-",
    values("a", x=1),
    mark("advanced", "a"),
    mark("opened", "b", "app"),
    "-",  # 3 4 5
    values("b", y=2),
    mark("advanced", "b"),
    "-",  # 6 7
]

# The laws

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.just(0.5),
    st.sampled_from(["", "a", "b", "x", "r1"]),
    st.lists(st.one_of(st.integers(0, 12), st.sampled_from(["x", "y"]), st.lists(st.just(1))), max_size=3),
    st.dictionaries(
        st.sampled_from(["x", "y", "n"]), st.one_of(st.integers(), st.lists(st.just(1))), max_size=2
    ),
)
NAMES = sorted(
    {
        "step",
        "values",
        "names",
        "kept",
        "entries",
        "defaulted",
        "turn",
        "id",
        "run",
        "name",
        "because",
        "on",
        "offered",
        "suggested",
        "where",
        "done",
        "total",
        "note",
        "seconds",
        "file",
        "model",
        "text",
        "about",
        "options",
        "action",
        "value",
        "workflow",
        "title",
        "n",
        "reason",
        "kind",
    }
)
FITTING = st.fixed_dictionaries(
    {},
    optional={
        "step": st.sampled_from("ab"),
        "values": st.dictionaries(st.sampled_from("xy"), st.integers(0, 3), max_size=2),
        "names": st.lists(st.sampled_from("xy"), max_size=2),
        "kept": st.lists(st.sampled_from("xy"), max_size=2),
        "entries": st.lists(st.integers(1, 20), max_size=4),
        "turn": st.sampled_from(["t1", "t2"]),
        "id": st.sampled_from(["q1", "q2"]),
        "run": st.sampled_from(["r1"]),
        "because": st.sampled_from("xy"),
        "name": st.sampled_from("xy"),
        "file": st.just("f.csv"),
    },
)
DID = st.sampled_from([*sorted(APPLY), "redacted", "realigned", "danced"])


@st.composite
def logs(draw: Any, own: Any = FITTING) -> list[Entry]:
    found, write = [], 0
    for n in range(1, draw(st.integers(0, 25)) + 1):
        write += draw(st.integers(0, 1))
        by = draw(st.sampled_from(["user", "model", "workflow", "app"]))
        found.append(Entry(n, f"{write:03}", by, draw(DID), draw(own)))
    return found


@settings(max_examples=300, deadline=None)
@given(logs(), st.integers(0, 25))
def test_folding_on_is_folding_all(log: list[Entry], cut: int) -> None:
    before = fold(log[:cut])
    copy = fold(log[:cut])
    assert fold(log[cut:], before) == fold(log)
    assert before == copy  # what was folded stays as it is


@settings(max_examples=300, deadline=None)
@given(logs(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=6)))
def test_no_field_of_another_type_keeps_a_log_from_opening(log: list[Entry]) -> None:
    session = fold(log)
    assert session.n == len(log)
    undo_of(session), redo_of(session), session.title, session.run, session.question
    for step in "ab":
        session.status(step), session.opening(step), session.is_opened(step)
    for name in session.history:
        session.setting(name)


def test_an_unknown_did_changes_nothing() -> None:
    log = entries(*TWO_CARDS)
    danced = Entry(len(log) + 1, log[-1].at, "user", "danced", {"step": "a", "values": {"x": 9}})
    before, after = fold(log), fold([*log, danced])
    assert after.n == before.n + 1
    for part in fields(Session):
        assert part.name in ("n", "at") or getattr(after, part.name) == getattr(before, part.name)


def test_every_kind_of_entry_is_folded_or_needs_not_be() -> None:
    assert set("redacted realigned".split()).isdisjoint(APPLY)
    assert CHAT - APPLY.keys() == {"realigned"}


def test_a_value_has_its_origin_and_a_default_is_none_of_the_users() -> None:
    session = fold(
        entries(
            BEGAN,
            ("user", "set", {"step": "a", "values": {"x": 1, "z": 3}, "defaulted": ["z"]}),
            values("a", "model", y=2),
        )
    )
    assert session.values == {"x": 1, "z": 3, "y": 2}
    assert session.origins == {"x": "user", "z": "default", "y": "model"}


def test_values_of_a_stale_step_are_suggestions() -> None:
    session = fold(entries(*TWO_CARDS, values("a", x=5), mark("reopened", "b", "app", because="x")))
    assert session.values == {"x": 5}
    assert session.suggestions == {"y": 2}
    assert fold(entries(*TWO_CARDS, mark("reopened", "b"))).values == {"x": 1, "y": 2}  # only to edit it


def test_a_refusal_goes_with_the_next_good_value_or_as_its_card_is_done() -> None:
    refused = [
        ("user", "refused", {"step": "a", "name": "x", "value": 0, "reason": "no"}),
        ("user", "refused", {"step": "a", "name": None, "value": None, "reason": "no"}),
        ("model", "refused", {"step": None, "name": "typo", "value": 1, "reason": "no such name"}),
    ]
    assert set(fold(entries(BEGAN, *refused)).refusals) == {"x", "/a"}
    assert set(fold(entries(BEGAN, *refused, values("a", z=1))).refusals) == {"x"}
    assert set(fold(entries(BEGAN, *refused, mark("advanced", "a"))).refusals) == set()
    kept = ("guide", "called", {"turn": "t", "tool": "set_values", "kept": ["x", "typo"]})
    assert set(fold(entries(BEGAN, *refused, kept)).refusals) == {"/a"}
    assert fold(entries(BEGAN, *refused, kept)).lines == fold(entries(BEGAN, *refused)).lines


def test_a_proposal_stands_until_it_is_answered_or_given() -> None:
    proposed = ("model", "proposed", {"id": "p1", "step": "a", "values": {"x": 7}, "turn": "t1"})
    assert set(fold(entries(BEGAN, proposed)).proposals) == {"p1"}
    answered = ("user", "answered", {"id": "p1", "action": "decline"})
    assert fold(entries(BEGAN, proposed, answered)).proposals == {}
    assert fold(entries(BEGAN, proposed, values("a", x=3))).proposals == {}


def test_a_question_goes_with_what_it_was_about() -> None:
    def asked(id: str, about: Any) -> tuple[str, str, dict[str, Any]]:
        return ("guide", "asked", {"id": id, "question": "So?", "about": about})

    log = entries(
        BEGAN,
        mark("opened", "a", "app"),
        asked("next", {"next": "a"}),
        asked("value", {"step": "a", "name": "x", "value": 2}),
        asked("run", "run"),
        asked("free", None),
        asked("other", {"next": "b"}),
        values("a", x=1),
        mark("advanced", "a"),
        ("user", "started", {"run": "r1"}),
    )
    open_ = [list(fold(log[:n]).questions) for n in (7, 8, 9, 10)]
    rest = ["free", "other"]
    assert open_ == [["next", "value", "run", *rest], ["next", "run", *rest], ["run", *rest], rest]


def test_a_run_from_start_to_end() -> None:
    run = {"run": "r1"}
    session = fold(
        entries(
            BEGAN,
            ("user", "started", run),
            ("workflow", "progressed", run | {"done": 1, "total": 2, "note": "half"}),
            (
                "workflow",
                "produced",
                run | {"name": "words", "kind": "table", "file": "words.csv", "rows": 3},
            ),
            ("workflow", "finished", run | {"seconds": 1.5}),
        )
    )
    assert session.run is not None
    assert (session.run.state, session.run.done, session.run.seconds) == ("finished", 1, 1.5)
    assert session.run.results[0]["rows"] == 3


# Undo and redo


def undone(log: list[Entry], *numbers: int, did: str = "undid", then: Any = ()) -> list[Entry]:
    at = f"2026-11-21T10:00:00.9{len(log):02}Z"
    new = [Entry(len(log) + 1, at, "user", did, {"entries": list(numbers)})]
    for by, did, own in then:
        new.append(Entry(len(log) + len(new) + 1, at, by, did, own))
    return log + new


def test_undo_takes_the_newest_action_with_its_cards_completion() -> None:
    log = entries(*TWO_CARDS)
    assert undo_of(fold(log)) == (6, 7)
    log = undone(log, 6, 7)
    session = fold(log)
    assert session.values == {"x": 1}
    assert session.status("b") is None
    assert undo_of(session) == (3, 4, 5)
    assert redo_of(session) == (6, 7)
    session = fold(undone(undone(log, 3, 4, 5), 3, 4, 5, did="redid"))
    assert session.values == {"x": 1}
    assert redo_of(session) == (6, 7)
    assert fold(undone(log, 6, 7, did="redid")).values == {"x": 1, "y": 2}


def test_undo_of_a_models_value_takes_the_next_that_the_user_pressed_after_it() -> None:
    log = entries(
        BEGAN,
        mark("opened", "a", "app"),
        "-",
        values("a", "model", x=1),
        "-",
        mark("advanced", "a"),
        mark("opened", "b", "app"),
    )
    assert undo_of(fold(log)) == (3, 4, 5)
    session = fold(undone(log, 3, 4, 5))
    assert session.is_opened("a") and session.status("a") is None and session.opening("b") is None


def test_a_later_completion_with_values_of_its_own_loses_only_the_completion() -> None:
    log = entries(
        BEGAN,
        mark("opened", "a", "app"),
        "-",
        values("a", "model", x=1),
        "-",
        values("a", z=2),
        mark("advanced", "a"),
        mark("opened", "b", "app"),
    )
    assert undo_of(fold(log), 3) == (3, 5)
    assert fold(undone(log, 3, 5)).values == {"z": 2}


def test_undo_of_one_entry_whose_values_were_given_anew_changes_no_card() -> None:
    log = entries(*TWO_CARDS, values("a", "model", x=5), "-")
    assert undo_of(fold(log), 3) == (3,)
    assert fold(undone(log, 3)).values == {"x": 5, "y": 2}
    assert undo_of(fold(undone(log, 3))) == (8,)
    assert fold(undone(undone(log, 3), 8)).values == {"y": 2}


def test_there_is_no_undo_of_what_is_no_action() -> None:
    log = entries(*TWO_CARDS, values("b", "workflow", derived=1))
    session = fold(log)
    for n in (1, 2, 4, 8, 99):
        assert undo_of(session, n) == ()
    assert undo_of(fold(entries(BEGAN))) == ()
    assert redo_of(session) == ()


def test_undo_brings_stale_values_back_and_redo_takes_them_again() -> None:
    log = entries(
        *TWO_CARDS, values("a", x=5), mark("reopened", "b", "app", because="x"), mark("opened", "b", "app")
    )
    assert undo_of(fold(log)) == (8, 9, 10)
    session = fold(undone(log, 8, 9, 10))
    assert session.values == {"x": 1, "y": 2}
    assert session.suggestions == {}
    assert session.status("b").did == "advanced"  # type: ignore[union-attr]
    session = fold(undone(undone(log, 8, 9, 10), 8, 9, 10, did="redid"))
    assert (session.values, session.suggestions) == ({"x": 5}, {"y": 2})


def test_redo_takes_back_what_followed_from_the_undo() -> None:
    stale = [mark("reopened", "b", "app", because="x"), mark("opened", "b", "app")]
    log = undone(entries(*TWO_CARDS), 3, then=stale)
    assert fold(log).suggestions == {"y": 2}
    session = fold(undone(log, 3, did="redid"))
    assert session.values == {"x": 1, "y": 2}
    assert session.status("b").did == "advanced"  # type: ignore[union-attr]


def test_a_new_action_ends_the_redo() -> None:
    log = undone(entries(*TWO_CARDS), 6, 7)
    after = len(log) + 1
    for did, own in [
        ("set", {"step": "b", "values": {"y": 3}}),
        ("advanced", {"step": "b"}),
        ("cleared", {"names": ["x"]}),
    ]:
        assert redo_of(fold([*log, Entry(after, "z", "user", did, own)])) == (), did
    derived = Entry(after, "z", "workflow", "set", {"step": "b", "values": {"d": 3}})
    assert redo_of(fold([*log, derived])) == (6, 7)


# Speed


def long_log(size: int) -> list[Entry]:
    found: list[Entry] = []
    for n in range(1, size + 1):
        did, own = [
            ("said", {"text": "some words", "turn": f"t{n}"}),
            ("called", {"turn": f"t{n}", "tool": "set_values", "arguments": {"x": n}}),
            ("set", {"step": "a", "values": {"x": n}, "turn": f"t{n}"}),
            ("advanced", {"step": "a"}),
            ("opened", {"step": "b"}),
            ("undid", {"entries": [n - 3, n - 2, n - 1]}),
            ("progressed", {"run": "r1", "done": n, "total": size}),
        ][n % 7]
        found.append(Entry(n, f"{n:09}", "user", did, own))
    return found


def cost(size: int) -> float:
    """Seconds of the processor to fold that many, the best of three."""
    log, best = long_log(size), 9e9
    for _ in range(3):
        start = time.process_time()
        fold(log)
        best = min(best, time.process_time() - start)
    return best


def test_the_cost_of_folding_grows_with_the_length_and_not_with_its_square() -> None:
    assert cost(40_000) < 25 * cost(4_000)  # a square would be 100


def test_edited_words_asked_again_replies_and_notes_fold_in_any_cut() -> None:
    said = [
        Entry(1, "", "user", "said", {"text": "a", "turn": "t1"}),
        Entry(2, "", "model", "said", {"text": "A", "turn": "t1"}),
        Entry(3, "", "model", "said", {"text": "AA", "turn": "t1", "replaces": 2}),
        Entry(4, "", "user", "noted", {"about": 3, "thumb": "up"}),
        Entry(5, "", "user", "said", {"text": "b", "turn": "t2"}),
        Entry(6, "", "user", "said", {"text": "c", "turn": "t3", "replaces": 5}),
        Entry(7, "", "user", "said", {"text": "d", "turn": "t4", "replaces": 900}),
        Entry(8, "", "user", "said", {"text": "e", "turn": "t5", "replaces": "x"}),
        Entry(9, "", "user", "noted", {"about": 3, "text": "why"}),
    ]
    whole = fold(said)
    assert [e.n for e in said if whole.is_replaced(e.n)] == [2, 5]
    assert [note.n for note in whole.notes[3]] == [4, 9]
    for cut in range(len(said)):
        assert fold(said[cut:], start=fold(said[:cut])) == whole

"""Cards: what a session and its workflow show together. Entries in, cards out; no file is touched."""

from typing import Annotated, Any

from assistant import Ask, Secret, Workflow
from assistant.cards import Card, card_of, cards, help_due, open_card
from assistant.log import Entry
from assistant.session import Session, fold

flow = Workflow("Three cards")


@flow.step
def first(x: int, y: int = 2):
    """First?"""


@flow.step
def second(
    x,
    z: Annotated[str, Ask(options=lambda x: [str(x)])],
    w: Annotated[int, Ask(default=lambda x: x + 1)],
    v: str | None = None,
):
    """Second?"""


@flow.step
def third(tick: bool, several: list[str], key: Secret):
    """Third?"""


def session(*facts: tuple[Any, ...]) -> Session:
    """The session after these (did, step, fields), by the user or the one given."""
    entries = []
    for n, (did, step, *more) in enumerate(facts, 1):
        own = more[0] if more else {}
        by = own.get("by", "user")
        entries.append(
            Entry(n, f"{n:03}", by, did, {"step": step, **{k: v for k, v in own.items() if k != "by"}})
        )
    return fold(entries)


def second_card(*facts: tuple[Any, ...]) -> Card:
    return cards(session(("advanced", "first"), *facts), flow)[1]


OPENED = ("opened", "second", {"offered": {"z": ["1"]}, "suggested": {"w": 2}})


def test_the_open_card_is_the_first_that_is_neither_done_nor_skipped() -> None:
    table = [
        ([], "open locked locked"),
        ([("advanced", "first")], "done open locked"),
        ([("advanced", "first"), ("skipped", "second")], "done skipped open"),
        ([("advanced", "first"), ("advanced", "third")], "done open done"),
        ([("advanced", "first"), ("advanced", "second"), ("advanced", "third")], "done done done"),
        ([("advanced", "first"), ("advanced", "second"), ("reopened", "first")], "open done locked"),
        ([("reopened", "second", {"because": "x"})], "open stale locked"),
        ([("advanced", "first"), ("reopened", "second", {"because": "x"})], "done open locked"),
        ([("reopened", "second")], "open locked locked"),
        ([("advanced", "first"), ("undid", None, {"entries": [1]})], "open locked locked"),
    ]
    for facts, states in table:
        found = cards(session(*facts), flow)
        assert " ".join(card.state for card in found) == states, facts
        shown = open_card(found)
        assert (shown.state if shown else None) == ("open" if "open" in states else None)


def test_suggestions_stand_where_there_is_no_value() -> None:
    stale = [
        ("set", "second", {"values": {"w": 7, "z": "1"}}),
        ("reopened", "second", {"because": "x"}),
        OPENED,
    ]
    proposed = ("proposed", "second", {"by": "model", "id": "p1", "values": {"w": 9, "other": 1}})
    table: list[tuple[list[Any], dict[str, Any], dict[str, str]]] = [
        ([], {"v": None}, {"v": "default"}),
        ([OPENED], {"v": None, "w": 2}, {"v": "default", "w": "default"}),
        (stale, {"v": None, "w": 7, "z": "1"}, {"v": "default", "w": "stale", "z": "stale"}),
        ([*stale, proposed], {"v": None, "w": 9, "z": "1"}, {"v": "default", "w": "model", "z": "stale"}),
        ([OPENED, ("set", "second", {"values": {"w": 5}})], {"v": None}, {"v": "default"}),
    ]
    for facts, suggestions, sources in table:
        card = second_card(*facts)
        assert (card.suggestions, card.sources) == (suggestions, sources), facts
    assert second_card(*stale, proposed).defaults == {"v": None, "w": 2}
    assert second_card(OPENED).offered == {"z": ["1"]}


def test_values_and_who_gave_them() -> None:
    card = second_card(("set", "second", {"by": "model", "values": {"z": "1", "elsewhere": 3}}))
    assert (card.values, card.origins) == ({"z": "1"}, {"z": "model"})


def test_what_is_missing_has_neither_value_nor_default_and_may_not_be_empty() -> None:
    first_card, second_card_, third_card = cards(session(OPENED), flow)
    assert [field.name for field in first_card.missing] == ["x"]
    assert [field.name for field in second_card_.missing] == ["z"]
    assert [field.name for field in third_card.missing] == ["key"]


def test_help_is_due_once_for_each_opening() -> None:
    def due(*facts: tuple[Any, ...]) -> bool:
        now = session(*facts)
        return help_due(now, open_card(cards(now, flow)))

    opened, helped = ("opened", "first"), ("helped", "first", {"text": "..."})
    assert not due()
    assert due(opened)
    assert not due(opened, helped)
    assert due(opened, helped, ("reopened", "first"), opened)
    assert not due(opened, helped, ("advanced", "first"), ("advanced", "second"), ("advanced", "third"))


def test_the_card_that_asks_a_name() -> None:
    found = cards(session(), flow)
    assert card_of(found, "w") is found[1]
    assert card_of(found, "nothing") is None


def test_odd_fields_of_an_opening_or_a_proposal_do_no_harm() -> None:
    odd = [
        ("opened", "second", {"offered": {"z": 3}, "suggested": [1]}),
        ("proposed", "second", {"id": ["p"], "values": "w"}),
        ("opened", ["second"]),
    ]
    assert second_card(*odd).offered == {}

"""Again and compose: a new session from values of earlier ones, each judged anew."""

import io
import json
import os

import pytest

from assistant import actions
from assistant.again import CANDIDATES, again, candidates, compose, kin_of
from assistant.cards import cards
from assistant.errors import NotFound, Refused
from assistant.files import keep_upload
from assistant.log import Entry, Fact
from assistant.session import fold
from assistant.workspace import Workspace

pytestmark = pytest.mark.anyio


def states(handle):
    return {card.step.name: card.state for card in cards(handle.session(), handle.workflow())}


def all_set(handle):
    return [entry for entry in handle.log.entries if entry.did == "set" and entry.by == "user"]


def rewrite(workspace, stem, old, new):
    """Changes a workflow's file, as its author would."""
    path = workspace.settings.workspace / "workflows" / f"{stem}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(path.stat().st_mtime_ns + 10**9, path.stat().st_mtime_ns + 10**9))


async def planned(workspace, country="France", days=9, town="Lyon", key=None):
    """A trip with every card done: the model said the town, the stars are the default."""
    handle = await actions.begin(workspace, "trip")
    await actions.complete(handle, "start", {"country": country, "days": str(days)})
    await actions.fill(handle, {"town": town}, "model", "t1")
    await actions.complete(handle, "city", {"town": town})
    if days > 7:
        await actions.complete(handle, "hotel", {"nights": "5"})
    await actions.complete(handle, "ticket", {"name": "Ann", **({"key": key} if key else {})})
    return handle


async def test_again_stands_ready_with_the_same_values_and_says_where_they_come_from(workspace):
    first = await planned(workspace)
    await first.write(lambda _: [Fact("user", "said", {"text": "hello", "turn": "t1"})])
    made = await again(first)
    session, before = made.session(), first.session()
    assert set(states(made).values()) == {"done"}
    assert session.values == before.values
    assert session.began["again_of"] == {"session": first.sid, "n": before.n}
    assert session.origins["town"] == "user" and session.origins["stars"] == "default"
    assert session.origins["address"] == "workflow"  # derived anew
    for name in ("country", "town", "nights", "name"):
        source = session.setting(name).source
        assert source == {"session": first.sid, "n": before.setting(name).n}
    assert "stars" not in {name for entry in all_set(made) for name in entry.get("source") or {}}
    assert session.sources == (first.sid,)
    assert not session.chat or all(entry.did != "said" for entry in session.chat)
    for card in cards(session, made.workflow()):  # each open to change
        await actions.reopen(made, card.step.name)


async def test_what_somebody_chose_is_no_default_again_though_it_is_the_same(workspace):
    first = await planned(workspace)
    for stars in (5, 3):
        await actions.fill(first, {"stars": stars}, "model", "t2")
    assert first.session().origins["stars"] == "model"
    setting = (await again(first)).session().setting("stars")
    assert setting.source == {"session": first.sid, "n": first.session().setting("stars").n}


async def test_again_takes_the_values_as_they_were_at_an_entry(workspace):
    first = await planned(workspace)
    n = first.session().n
    await actions.reopen(first, "ticket")
    await actions.complete(first, "ticket", {"name": "Bob"})
    assert (await again(first)).session().values["name"] == "Bob"
    made = await again(first, n)
    assert made.session().values["name"] == "Ann"
    assert made.session().began["again_of"]["n"] == n


async def test_a_card_that_was_open_stays_open_with_what_was_said_for_it(workspace):
    first = await actions.begin(workspace, "trip")
    await actions.complete(first, "start", {"country": "Italy", "days": "3"})
    await actions.fill(first, {"name": "Ann", "window": True}, "guide", "t1")
    made = await again(first)
    assert states(made) == {"start": "done", "city": "open", "hotel": "locked", "ticket": "locked"}
    assert made.session().values == {"country": "Italy", "days": 3, "name": "Ann", "window": True}


async def test_what_a_skipped_card_became_is_not_taken(workspace):
    first = await planned(workspace, days=3)
    made = await again(first)
    assert states(made)["hotel"] == "skipped"
    rewrite(workspace, "trip", "return days > 7", "return days > 2")
    made = await again(first)
    assert states(made) == {"start": "done", "city": "done", "hotel": "open", "ticket": "locked"}
    assert "nights" not in made.session().values and made.session().values["name"] == "Ann"


async def test_a_refused_value_leaves_its_card_open_with_the_value_and_the_reason(workspace):
    first = await planned(workspace)
    rewrite(workspace, "trip", "le=30)] = 4", "le=8)] = 4")
    made = await again(first)
    session = made.session()
    assert states(made)["start"] == "open"
    assert session.refusals["days"]["value"] == 9 and "1 to 8" in session.refusals["days"]["reason"]
    assert session.values["country"] == "France" and "days" not in session.values
    assert session.values["name"] == "Ann"  # and of the later cards what there is
    await actions.complete(made, "start", {"country": "France", "days": "8"})
    await actions.complete(made, "city", {"town": "Lyon"})
    assert made.session().values["address"] == "Lyon, France"


async def test_a_card_that_its_body_refuses_keeps_its_values_and_says_why(workspace):
    first = await planned(workspace)
    rewrite(workspace, "trip", '("Italy", "Lyon")', '("France", "Lyon")')
    made = await again(first)
    assert states(made)["city"] == "open"
    assert made.session().refusals["/city"]["reason"] == "Lyon is in France."
    assert made.session().values["town"] == "Lyon"


async def test_a_parameter_that_is_gone_is_said_and_a_new_one_is_asked(workspace):
    first = await planned(workspace)
    rewrite(workspace, "trip", "name: str, key", "who: str, key")
    rewrite(workspace, "trip", "stars, name):", "stars, who):")
    rewrite(workspace, "trip", "{name} goes", "{who} goes")
    made = await again(first)
    refused = {entry.get("name"): entry for entry in made.log.entries if entry.did == "refused"}
    assert "does not ask name any more" in refused["name"]["reason"]
    assert states(made)["ticket"] == "open" and "missing" in refused["who"]["reason"]


async def test_secrets_are_carried_and_stand_in_no_log(workspace):
    first = await planned(workspace, key="hunter2hunter2")
    made = await again(first)
    assert made.secrets() == {"key": "hunter2hunter2"}
    assert made.session().values["key"] == {"secret": True}
    assert "hunter2" not in (made.folder / "log.jsonl").read_text()
    assert (made.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    (first.folder / "secrets.json").unlink()
    assert states(await again(first))["ticket"] == "open"  # it is not known any more


async def counted(workspace, text=b"one two two three three three"):
    handle = await actions.begin(workspace, "count_words")
    fields = keep_upload(handle.files, "words.txt", io.BytesIO(text))
    await handle.write(lambda _: [Fact("user", "added", fields)])
    await actions.complete(handle, "source", {"text": {"file": "words.txt"}})
    await actions.complete(handle, "filter_words", {"shortest": "3", "ignore": ["two"]})
    return handle


async def test_an_upload_is_copied_with_its_line(workspace):
    first = await counted(workspace)
    made = await again(first)
    assert set(states(made).values()) == {"done"}
    assert made.session().values == first.session().values
    assert (made.files / "words.txt").read_bytes() == (first.files / "words.txt").read_bytes()
    assert made.session().files["words.txt"]["sha256"] == first.session().files["words.txt"]["sha256"]
    (made.files / "words.txt").write_text("other")  # a copy, not a link
    assert (first.files / "words.txt").read_text().startswith("one")


async def test_a_file_that_is_gone_or_leads_elsewhere_is_refused(workspace, tmp_path):
    first = await counted(workspace)
    (first.files / "words.txt").unlink()
    assert states(await again(first))["source"] == "open"
    (first.files / "words.txt").symlink_to(tmp_path / "workflows" / "trip.py")
    made = await again(first)
    assert states(made)["source"] == "open" and not list(made.files.glob("*"))
    away = {"step": "source", "values": {"text": {"file": "../log.jsonl"}}}
    await first.write(lambda _: [Fact("user", "set", away)])
    made = await again(first)
    assert states(made)["source"] == "open" and not list(made.files.glob("*"))


async def test_a_redacted_value_is_asked_again_and_not_shown(workspace):
    first = await planned(workspace)
    await first.write(
        lambda _: [Fact("user", "set", {"step": "ticket", "values": {"name": {"redacted": True}}})]
    )
    made = await again(first)
    assert states(made)["ticket"] == "open" and "name" not in made.session().values
    assert made.session().refusals["name"]["value"] is None


async def test_nothing_is_made_where_the_workflow_is_gone(workspace):
    first = await planned(workspace)
    (workspace.settings.workspace / "workflows" / "trip.py").unlink()
    before = workspace.session_ids()
    with pytest.raises(NotFound, match="no workflow 'trip'"):
        await again(first)
    assert workspace.session_ids() == before


OTHER = '''
"""Another workflow, of which some names are the same."""
from typing import Annotated

from assistant import Ask, Note, Secret, Upload, Workflow

flow = Workflow("Other")


@flow.step
def one(days: int, name: str, town: float, text: Upload | None = None, key: Secret | None = None):
    """One?"""


@flow.run
def run(days):
    return Note(str(days))
'''


@pytest.fixture
def other(workspace):
    (workspace.settings.workspace / "workflows" / "other.py").write_text(OTHER)
    return workspace


async def test_candidates_are_what_the_judge_takes_newest_first_and_none_twice(other):
    first, second = (
        await planned(other, days=9),
        await planned(other, "Italy", 12, "Rome", key="hunter2hunter2"),
    )
    same = await planned(other, "Italy", 12, "Rome", key="hunter2hunter2")
    await counted(other)
    found = await candidates(other, other.workflow("other"))
    assert [c.taken.value for c in found["days"]] == [12, 9]
    assert [c.taken.sid for c in found["days"]] == [same.sid, first.sid]
    assert found["town"] == []  # text is no number
    assert [c.taken.value for c in found["text"]] == [{"file": "words.txt"}]
    # whether two secrets are the same is not told
    assert {c.taken.sid for c in found["key"]} == {second.sid, same.sid}
    assert len(await planned_many(other)) > CANDIDATES
    assert len((await candidates(other, other.workflow("trip")))["days"]) == CANDIDATES


async def planned_many(workspace):
    return [await planned(workspace, days=days) for days in range(13, 13 + CANDIDATES + 2)]


async def test_compose_takes_values_of_several_sessions_each_with_its_origin(other):
    trip, words = await planned(other, key="hunter2hunter2"), await counted(other)
    picks = {
        "days": (trip.sid, trip.session().setting("days").n),
        "name": (trip.sid, trip.session().setting("name").n),
        "key": (trip.sid, trip.session().setting("key").n),
        "text": (words.sid, words.session().setting("text").n),
    }
    made = await compose(other, "other", picks)
    session = made.session()
    assert session.values == {
        "days": 9, "name": "Ann", "key": {"secret": True}, "text": {"file": "words.txt"}
    }  # fmt: skip
    assert states(made) == {"one": "open"}  # the town was left open
    assert set(session.sources) == {trip.sid, words.sid}
    assert session.setting("text").source == {"session": words.sid, "n": picks["text"][1]}
    assert made.secrets() == {"key": "hunter2hunter2"} and (made.files / "words.txt").is_file()
    await actions.complete(made, "one", {"days": "9", "name": "Ann", "town": "1.5"})
    assert states(made) == {"one": "done"}


async def test_compose_completes_the_cards_that_are_full(workspace):
    trip = await planned(workspace)
    setting = trip.session().setting
    picks = {name: (trip.sid, setting(name).n) for name in ("country", "days", "town", "name")}
    made = await compose(workspace, "trip", picks)
    assert states(made) == {"start": "done", "city": "done", "hotel": "open", "ticket": "locked"}
    assert made.session().values["name"] == "Ann"


async def test_compose_makes_nothing_of_a_pick_that_there_is_not(workspace):
    trip = await planned(workspace)
    before = workspace.session_ids()
    n = trip.session().setting("days").n
    with pytest.raises(Refused, match="no such parameter"):
        await compose(workspace, "trip", {"colour": (trip.sid, n)})
    with pytest.raises(NotFound, match="no value of days from entry 1 any more"):
        await compose(workspace, "trip", {"days": (trip.sid, 1)})
    with pytest.raises(NotFound, match="no session"):
        await compose(workspace, "trip", {"days": ("2026-01-01-trip-0000", n)})
    assert workspace.session_ids() == before


async def test_same_as_last_time_says_the_source_too(workspace):
    from assistant.tools.settle import settle

    first = await planned(workspace)
    made = await actions.begin(workspace, "trip")
    source = {"days": {"session": first.sid, "n": 3}, "country": {"session": first.sid, "n": 3}}
    values = {"days": 9, "country": "France"}
    fields = {"id": "p1", "step": "start", "values": values, "turn": "t1", "source": source}
    await made.write(lambda _: [Fact("guide", "proposed", fields)])
    n = made.session().n
    await settle(made, "p1", "accept", None, "user", None)
    assert made.session().setting("days").source == source["days"]
    # and where Next takes what stands there; what was changed has no source
    fork = other_way = made.workspace.fork(made, n)
    await actions.complete(fork, "start", {"country": "France", "days": "8"})
    assert other_way.session().setting("country").source == source["country"]
    assert other_way.session().setting("days").source is None


async def test_lineage_is_told_both_ways_in_lists_and_before_a_session_is_read(workspace):
    first = await actions.begin(workspace, "trip")  # without a value to take
    made, fork = await again(first), workspace.fork(first, 1)
    assert made.session().sources == (first.sid,)
    for fresh in (workspace, Workspace(workspace.settings)):  # that reads no more than a glance
        found = {summary.sid: summary for summary in fresh.lists.glances()}
        assert found[made.sid].sources == (first.sid,) and found[fork.sid].forked_from == first.sid
        kin = kin_of([*found.values()], first.sid, first.session())
        assert {summary.sid for summary in kin} == {made.sid, fork.sid}
        assert [s.sid for s in kin_of([*found.values()], fork.sid, fork.session())] == [first.sid]


def test_an_odd_source_in_a_log_is_left_out():
    for source in (None, 3, [], {"depth": 3}, {"depth": {"session": 3, "n": 1}}, {"depth": {"session": "x"}}):
        entry = Entry(1, "", "user", "set", {"step": "s", "values": {"depth": 3}, "source": source})
        assert fold([entry]).setting("depth").source is None
    assert json.dumps(fold([Entry(1, "", "user", "began", {"again_of": 3})]).sources) == "[]"

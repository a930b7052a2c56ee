"""Redaction: what was said or set is gone from the file and all that copies it; what holds the log stays."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from browsing import card, expect, fill, follows, next_, say
from conftest import TRIP
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import SMALL, complete, soon
from serving import HTMX, Server, Stream, make_workspace, reasons, serving

from assistant import actions, live
from assistant.cards import cards, open_card
from assistant.chat.seen import seen
from assistant.errors import Conflict, NotFound, ReadOnly, Refused, WriteFailed
from assistant.export import parameters
from assistant.log import Entry, Fact, Log, create, decode, read
from assistant.parameters import REDACTED
from assistant.redaction import kin, look, redact, results, wanted
from assistant.redaction.patterns import Expression, literal
from assistant.redaction.removal import Plan, Wanted, plan
from assistant.redaction.traces import GONE
from assistant.redaction.traces import given as given_in
from assistant.session import fold
from assistant.session.undoing import redo_of
from assistant.verify import verify_log
from assistant.workspace import Handle, Workspace

pytest_plugins = ["browser"]
ROOT = Path(__file__).resolve().parent.parent
BEGAN = Fact("user", "began", {"workflow": "trip", "title": "Trip", "format": 1})


def entries(*facts: tuple[str, str, dict[str, Any]]) -> list[Entry]:
    """The entries of a session, from the second line on."""
    found = [Entry(1, "2026-11-21T10:00:00.001Z", BEGAN.by, BEGAN.did, dict(BEGAN.fields))]
    for n, (by, did, fields) in enumerate(facts, 2):
        found.append(Entry(n, f"2026-11-21T10:00:00.{n:03}Z", by, did, fields))
    return found


def fields_of(made: Plan, n: int) -> dict[str, Any]:
    return made.entries[n - 1].fields


def names(*wanted: str) -> Wanted:
    return Wanted(names=frozenset(wanted))


TALK = entries(
    ("app", "opened", {"step": "place", "offered": {"city": ["Lisbon", "Rome"]}, "suggested": {"nights": 3}}),
    ("user", "said", {"text": "To lisbon, 5 nights, not 15", "turn": "t1"}),
    ("guide", "called", {"turn": "t1", "tool": "set_values", "arguments": {"city": "Lisbon", "nights": 5},
                         "result": {"set": {"city": "Lisbon", "nights": 5}}}),
    ("guide", "set", {"step": "place", "values": {"city": "Lisbon", "nights": 5}, "turn": "t1",
                      "why": "To lisbon, 5 nights, not 15"}),
    ("model", "said", {"text": "Lisbon for 5 nights.", "turn": "t1", "thinking": "LISBON it is",
                       "tokens": 5}),
    ("user", "refused", {"step": "place", "name": "nights", "value": 500,
                         "reason": "Nights is 1 to 90; 500 was not taken."}),
    ("guide", "asked", {"id": "q1", "question": "Change City from Lisbon to Rome?", "turn": "t2",
                        "about": {"step": "place", "name": "city", "value": "Rome"}}),
    ("user", "answered", {"id": "q1", "action": "accept", "value": "yes"}),
    ("user", "said", {"text": "What costs 5 in Lisbon?", "turn": "t3"}),
    ("user", "started", {"run": "r1", "parameters": {"city": "Lisbon", "nights": 5, "pace": "slow"}}),
    ("workflow", "produced", {"run": "r1", "name": "days in Lisbon", "kind": "table", "file": "days.csv",
                              "rows": 5, "columns": {"day": "int", "Lisbon": "text"}}),
    ("workflow", "failed", {"where": "run", "run": "r1", "reason": "No Lisbon.",
                            "traceback": "File Lisbon.py"}),
    ("user", "noted", {"about": 3, "text": "lisbon again"}),
    ("user", "named", {"name": "Lisbon in May"}),
)  # fmt: skip


def test_a_value_goes_from_everywhere_that_it_was_set_or_said() -> None:
    made = plan(TALK, names("city"))
    assert "lisbon" not in json.dumps([entry.fields for entry in made.entries]).casefold()
    assert fields_of(made, 2) == {"step": "place", "offered": {}, "suggested": {"nights": 3}}
    assert fields_of(made, 3)["text"] == f"To {GONE}, 5 nights, not 15"
    assert fields_of(made, 4)["arguments"] == {"city": REDACTED, "nights": 5}
    assert fields_of(made, 4)["result"] == {"set": {"city": REDACTED, "nights": 5}}
    assert fields_of(made, 5)["values"] == {"city": REDACTED, "nights": 5}
    assert fields_of(made, 5)["why"] == GONE
    assert fields_of(made, 6)["thinking"] == f"{GONE} it is" and fields_of(made, 6)["tokens"] == 5
    assert fields_of(made, 8)["question"] == f"Change City from {GONE} to {GONE}?"
    assert fields_of(made, 8)["about"] == {"step": "place", "name": "city", "value": REDACTED}
    assert fields_of(made, 9)["value"] == GONE
    assert fields_of(made, 11)["parameters"] == {"city": REDACTED, "nights": 5, "pace": "slow"}
    assert fields_of(made, 12)["name"] == f"days in {GONE}"
    assert fields_of(made, 12)["columns"] == {"day": "int", GONE: "text"}
    assert fields_of(made, 12)["file"] == "days.csv"
    assert made.names == ("city",) and made.look == ()
    assert made.changed == (2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15)


def test_a_short_value_goes_only_from_where_it_was_set_and_as_a_word() -> None:
    made = plan(TALK, names("nights"))
    assert fields_of(made, 3)["text"] == f"To lisbon, {GONE} nights, not 15"
    assert fields_of(made, 6)["text"] == f"Lisbon for {GONE} nights."
    assert fields_of(made, 7) == {
        "step": "place", "name": "nights", "value": REDACTED,
        "reason": f"Nights is 1 to 90; {GONE} was not taken.",
    }  # fmt: skip
    assert fields_of(made, 10)["text"] == "What costs 5 in Lisbon?"  # another turn
    assert fields_of(made, 12)["rows"] == 5
    assert "nights" not in fields_of(made, 2)["suggested"]


def test_words_in_which_a_value_is_not_found_are_named() -> None:
    log = entries(
        ("user", "said", {"text": "a fortnight", "turn": "t1"}),
        ("guide", "set", {"step": "place", "values": {"nights": 14}, "turn": "t1", "why": "a fortnight"}),
    )
    made = plan(log, names("nights"))
    assert made.look == (2,) and fields_of(made, 3)["why"] == GONE


def test_an_entry_loses_what_it_says_and_keeps_what_it_is() -> None:
    made = plan(TALK, Wanted(entries=frozenset({3, 12})))
    assert fields_of(made, 3) == {"text": GONE, "turn": "t1"}
    assert fields_of(made, 4)["arguments"] == REDACTED
    assert fields_of(made, 5)["values"] == {"city": "Lisbon", "nights": 5}  # an entry of its own
    assert fields_of(made, 5)["why"] == GONE
    assert fields_of(made, 12)["file"] == "days.csv" and fields_of(made, 12)["name"] == GONE
    assert set(made.changed) == {3, 4, 5, 12}


def test_a_text_goes_from_every_field_and_key_but_not_from_what_holds_the_log() -> None:
    made = plan(TALK, Wanted(sub=literal("place")))
    assert made.changed == ()
    made = plan(TALK, Wanted(sub=literal("lisbon")))
    assert "lisbon" not in json.dumps([entry.fields for entry in made.entries]).casefold()
    assert fields_of(made, 2)["offered"] == {"city": ["Rome"]}
    assert made.names == ("city",)
    assert plan(made.entries, Wanted(sub=literal("redacted"))).changed == ()
    assert 14 not in plan(TALK, Wanted(sub=literal("Lisbon", exact=True))).changed
    assert plan(TALK, Wanted(sub=literal("isbon", words=True))).changed == ()


def test_a_number_in_a_value_is_found_by_how_it_reads() -> None:
    log = entries(
        ("user", "set", {"step": "place", "values": {"pin": 48151, "others": [1481516], "on": True}})
    )
    assert fields_of(plan(log, Wanted(sub=literal("48151"))), 2)["values"] == {
        "pin": REDACTED, "others": REDACTED, "on": True,
    }  # fmt: skip
    assert fields_of(plan(log, names("pin")), 2)["values"]["others"] == [1481516]


def test_an_expression_is_bounded() -> None:
    mail = Expression(r"\w+@example\.\w+")
    log = entries(("user", "said", {"text": "ann@example.org or bob@example.org", "turn": "t1"}))
    assert fields_of(look(log, Wanted(sub=mail)), 2)["text"] == f"{GONE} or {GONE}"
    for pattern, word in [("a*", "everywhere"), ("(", "no regular expression"), ("x|", "everywhere")]:
        with pytest.raises(Refused, match=word):
            Expression(pattern)


def test_an_expression_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.redaction.patterns.SECONDS", 1.0)
    log = entries(("user", "said", {"text": "a" * 60 + "!", "turn": "t1"}))
    with pytest.raises(Refused, match="Write a simpler one"):
        look(log, Wanted(sub=Expression(r"(a+)+$")))


# Any session


NEEDLE = st.text('ÄÖ字あ"\\✓', min_size=4, max_size=8)
ODD = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from(["", "plain", GONE]) | NEEDLE,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("kl") | NEEDLE, inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip
DID = "said set proposed refused called asked answered opened started produced failed noted danced".split()


@st.composite
def sessions(draw: Any) -> tuple[str, list[Fact]]:
    """A text, and the lines of a session that may have it anywhere."""
    needle = draw(NEEDLE)
    words = st.tuples(st.sampled_from(["", "so ", GONE]), st.sampled_from([needle, needle * 2, "no"])).map(
        "".join
    )
    value = words | ODD | st.lists(words, max_size=2) | st.dictionaries(words, words, max_size=2)
    facts = [BEGAN]
    for _ in range(draw(st.integers(0, 12))):
        own = st.fixed_dictionaries(
            {},
            optional={
                "step": st.sampled_from("ab"), "turn": st.sampled_from(["t1", "t2"]), "id": st.just("q1"),
                "text": words, "why": words, "reason": words, "question": words, "thinking": words,
                "values": st.dictionaries(st.sampled_from("xy"), value, max_size=2),
                "suggested": st.dictionaries(st.sampled_from("xy"), value, max_size=2),
                "offered": st.dictionaries(st.sampled_from("xy"), st.lists(value, max_size=3), max_size=2),
                "parameters": st.dictionaries(st.sampled_from("xy"), value, max_size=2),
                "arguments": st.dictionaries(st.sampled_from(["x", "y", "name"]), value, max_size=2),
                "tool": st.sampled_from(["set_values", "set_other_value", "ask_user"]),
                "result": value, "value": value, "options": st.lists(words, max_size=2),
                "columns": st.dictionaries(words, st.just("text"), max_size=2),
                "name": st.sampled_from("xy"), "entries": st.just([2]), "odd": value,
            },
        )  # fmt: skip
        by = draw(st.sampled_from(["user", "model", "guide", "app"]))
        facts.append(Fact(by, draw(st.sampled_from(DID)), draw(own)))
    return needle, facts


def take(folder: Path, wanted: Wanted) -> list[Entry]:
    """Takes it out of a log's file; what is written behind it."""
    log = Log(folder)
    try:

        def change(known: list[Entry]) -> tuple[list[Entry], list[Fact]]:
            made = plan(known, wanted)
            facts = [Fact("user", "redacted", {"entries": [*made.changed], "names": [*made.names]})]
            return made.entries, facts if made.changed else []

        return log.rewrite(change)
    finally:
        log.close()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value if isinstance(value, list) else ():
        yield from texts(inner)
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from texts(inner)


def same_but_for_fields(before: list[Entry], after: list[Entry]) -> None:
    assert [(e.n, e.at, e.by, e.did) for e in before] == [(e.n, e.at, e.by, e.did) for e in after]


@settings(max_examples=50, deadline=None)
@given(sessions())
def test_no_byte_of_a_text_is_left_in_any_session(
    tmp_path_factory: Any, made: tuple[str, list[Fact]]
) -> None:
    needle, facts = made
    folder = tmp_path_factory.mktemp("any") / "s"
    create(folder, facts).close()
    before, _ = read(folder / "log.jsonl")
    written = take(folder, Wanted(sub=literal(needle)))
    data = (folder / "log.jsonl").read_bytes()
    after = [decode(line) for line in data.splitlines()]
    same_but_for_fields(before, after[: len(before)])
    assert not any(needle in text for entry in after for text in texts(entry.fields))
    assert json.dumps(needle, ensure_ascii=False)[1:-1].encode() not in data
    changed = [old.n for old, new in zip(before, after, strict=False) if old != new]
    assert [entry["entries"] for entry in written] == ([changed] if changed else [])
    assert verify_log(folder / "log.jsonl")[1] == []
    assert fold(after[:1]) == fold(before[:1]) and fold(after).n == len(after)
    assert take(folder, Wanted(sub=literal(needle))) == []  # a second time there is nothing


@settings(max_examples=50, deadline=None)
@given(sessions())
def test_no_value_of_a_name_is_left_in_any_session(
    tmp_path_factory: Any, made: tuple[str, list[Fact]]
) -> None:
    folder = tmp_path_factory.mktemp("any") / "s"
    create(folder, made[1]).close()
    before, _ = read(folder / "log.jsonl")
    take(folder, names("x"))
    after, damage = read(folder / "log.jsonl")
    assert damage is None
    same_but_for_fields(before, after[: len(before)])
    values = [value for entry in before for name, value in given_in(entry) if name == "x"]
    gone = {value.strip() for value in values if isinstance(value, str) and len(value.strip()) >= 4}
    left = [text for entry in after for text in texts(entry.fields)]
    assert not [text for text in gone if GONE not in text and any(text in each for each in left)]
    session = fold(after)
    assert session.values.get("x") in (None, REDACTED)
    assert "x" not in session.suggestions
    assert all(
        proposal["values"].get("x") is None
        for proposal in session.proposals.values()
        if proposal.get("values")
    )


# The file


SECRET = "the name of the rose"


def spoken(folder: Path, *texts_said: str) -> Path:
    """A session in which these were said."""
    said = [Fact("user", "said", {"text": text, "turn": f"t{n}"}) for n, text in enumerate(texts_said)]
    create(folder, [BEGAN, *said]).close()
    return folder / "log.jsonl"


def test_the_new_file_is_private_and_another_log_reads_it_afresh_and_writes_to_it(tmp_path: Path) -> None:
    path = spoken(tmp_path / "s", "hello", SECRET)
    other = Log(tmp_path / "s")
    other.append(lambda _: [Fact("user", "noted", {"about": 1, "text": "one"})])
    generation, inode = other.generation, path.stat().st_ino
    take(tmp_path / "s", Wanted(sub=literal(SECRET)))
    assert path.stat().st_ino != inode and path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["log.jsonl", "log.lock"]
    other.append(lambda known: [Fact("user", "noted", {"about": len(known), "text": "two"})])
    assert other.generation == generation + 1
    assert other.entries[2]["text"] == GONE
    assert other.entries == read(path)[0] and other.entries[-1]["about"] == 5
    other.close()
    assert verify_log(path)[1] == []


def test_a_file_of_the_same_inode_is_read_afresh_where_it_says_redacted(tmp_path: Path) -> None:
    """Of two rewritings in a row, the second may get the inode that the first gave back."""
    path = spoken(tmp_path / "s", SECRET, "hello")
    reader = Log(tmp_path / "s")
    old = path.read_bytes()
    take(tmp_path / "s", Wanted(sub=literal(SECRET, words=True)))
    new = path.read_bytes()
    path.write_bytes(old)
    reader.read_again()
    generation = reader.generation
    lines = new.splitlines(keepends=True)
    same = b"".join([*old.splitlines(keepends=True), lines[-1]])  # as if it had kept its length
    path.write_bytes(same)
    reader.catch_up()
    assert reader.generation == generation + 1


def test_nothing_else_than_fields_can_be_rewritten(tmp_path: Path) -> None:
    path = spoken(tmp_path / "s", "hello")
    before = path.read_bytes()
    log, done = Log(tmp_path / "s"), [Fact("user", "redacted", {})]
    for change in (lambda known: (known[:-1], done), lambda known: ([*reversed(known)], done)):
        with pytest.raises(ValueError):
            log.rewrite(change)
    assert log.rewrite(lambda known: ([], [])) == []
    log.close()
    assert path.read_bytes() == before


def test_a_damaged_and_a_newer_log_are_left_alone(tmp_path: Path) -> None:
    path = spoken(tmp_path / "s", "hello", SECRET, "more")
    damaged = path.read_bytes().replace(b"hello", b"hallo")
    path.write_bytes(damaged)
    with pytest.raises(ReadOnly):
        take(tmp_path / "s", Wanted(sub=literal(SECRET)))
    assert path.read_bytes() == damaged
    create(
        tmp_path / "n", [Fact("user", "began", {"format": 99}), Fact("user", "said", {"text": SECRET})]
    ).close()
    with pytest.raises(ReadOnly):
        take(tmp_path / "n", Wanted(sub=literal(SECRET)))


def test_a_torn_end_and_lines_that_were_set_aside_go(tmp_path: Path) -> None:
    path = spoken(tmp_path / "s", SECRET)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:-20])
    (tmp_path / "s" / "log.torn-3").write_bytes(SECRET.encode())
    take(tmp_path / "s", Wanted(sub=literal(SECRET)))
    assert not [p for p in path.parent.iterdir() if SECRET.encode() in p.read_bytes()]
    assert verify_log(path) == (read(path)[0], [])


def test_a_disk_that_fails_changes_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoken(tmp_path / "s", SECRET)
    before = path.read_bytes()

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    for name in ("write", "fsync", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(f"assistant.log.rewrite.os.{name}", full)
            with pytest.raises(WriteFailed):
                take(tmp_path / "s", Wanted(sub=literal(SECRET)))
        assert path.read_bytes() == before
        assert not path.with_name("log.jsonl.part").exists()
    assert take(tmp_path / "s", Wanted(sub=literal(SECRET)))


KILLED = """
import os, signal, sys
from pathlib import Path
from assistant import log
from assistant.log import rewrite
from assistant.log import Fact, Log
from assistant.redaction.patterns import literal
from assistant.redaction.removal import Wanted, plan

folder, step, half = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "half"
count = 0

class Os:
    def __getattr__(self, name):
        real = getattr(os, name)
        def call(*given):
            global count
            count += 1
            if count == step:
                if name == "write" and half:
                    os.write(given[0], bytes(given[1])[: len(given[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given)
        return call if callable(real) else real

rewrite.os = Os()
rewrite.sync_folder = log.sync_folder = lambda folder: rewrite.os.getppid()

def change(known):
    made = plan(known, Wanted(sub=literal("the name of the rose")))
    return made.entries, [Fact("user", "redacted", {"entries": [*made.changed], "names": []})]

Log(folder).rewrite(change)
print("done")
"""


def test_killed_at_any_step_the_old_or_the_new_file_is_there_whole(tmp_path: Path) -> None:
    kills = ends = 0
    for half in ("whole", "half"):
        for step in range(1, 40):
            folder = tmp_path / f"{half}-{step}"
            path = spoken(folder, "hello", SECRET)
            old = path.read_bytes()
            done = subprocess.run(
                [sys.executable, "-c", KILLED, folder, str(step), half],
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            assert done.returncode in (0, -signal.SIGKILL), done.stderr
            left = path.read_bytes()
            assert left == old or (SECRET.encode() not in left and read(path)[0][-1].did == "redacted")
            assert read(path)[1] is None
            part = path.with_name("log.jsonl.part")
            if part.exists():
                assert "left by a redaction" in verify_log(path)[1][0]
            log = Log(folder)  # the next writer
            log.append(lambda _: [Fact("user", "noted", {"about": 1, "text": "next"})])
            log.close()
            assert not part.exists()
            assert verify_log(path)[1] == [] and len(read(path)[0]) in (4, 5)
            if done.returncode == 0:
                ends += 1
                break
            kills += 1
    assert ends == 2 and kills >= 10


WRITER = """
import sys
from pathlib import Path
from assistant.log import Fact, Log
log, who = Log(Path(sys.argv[1])), sys.argv[2]
count = 0
print("ready", flush=True)
while not (Path(sys.argv[1]) / "stop").exists():
    count += 1
    text = f"{who} {count}"
    log.append(lambda known: [Fact("mcp", "noted", {"about": 1, "text": text, "known": len(known)})])
print(count)
"""


def test_two_programs_that_write_all_the_time_lose_no_line_to_redactions(tmp_path: Path) -> None:
    secrets = [f"secret number {n} of many" for n in range(20)]
    path = spoken(tmp_path / "s", *secrets)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "s", who], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for who in "ab"
    ]
    for writer in writers:
        assert writer.stdout and writer.stdout.readline() == "ready\n"
    for secret in secrets:
        assert take(tmp_path / "s", Wanted(sub=literal(secret)))
        after = len(read(path)[0])
        soon(lambda after=after: len(read(path)[0]) > after)  # they go on, in the new file
    (tmp_path / "s" / "stop").touch()
    counts = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    found, damage = read(path)
    assert damage is None and verify_log(path)[1] == []
    for who, count in zip("ab", counts, strict=True):
        own = [entry for entry in found if str(entry.get("text")).startswith(f"{who} ")]
        assert [entry["text"] for entry in own] == [f"{who} {n}" for n in range(1, count + 1)]
        assert all(entry["known"] == entry.n - 1 for entry in own)  # each knew all that was there
    assert min(counts) > 0
    assert sum(entry.did == "redacted" for entry in found) == len(secrets)
    assert not any(secret.encode() in path.read_bytes() for secret in secrets)


def test_a_line_that_waits_for_the_disk_is_on_it_with_the_new_file(tmp_path: Path) -> None:
    path = spoken(tmp_path / "s", SECRET)
    written, replaced, sync = Event(), Event(), Log._sync

    class Slow(Log):
        def _sync(self, goal: int) -> None:
            written.set()
            assert replaced.wait(30)
            sync(self, goal)

    def change(known: list[Entry]) -> tuple[list[Entry], list[Fact]]:
        made = plan(known, Wanted(sub=literal(SECRET)))
        return made.entries, [Fact("user", "redacted", {"entries": [*made.changed], "names": []})]

    log = Slow(tmp_path / "s")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(log.append, lambda _: [Fact("app", "noted", {"about": 1})])
        assert written.wait(30)
        assert [entry.n for entry in log.rewrite(change)] == [4]
        replaced.set()
        assert [entry.n for entry in waiting.result(30)] == [3]
    assert log.entries == read(path)[0] and log.entries[2]["about"] == 1
    log.close()


# A session with all that copies it


async def travelling(workspace: Workspace) -> Handle:
    """A trip to Rome, its cards completed, with a secret and a prompt that was kept."""
    handle = await actions.begin(workspace, "trip")
    for step, raw in [
        ("start", {"country": "Italy", "days": "5"}),
        ("city", {"town": "Rome"}),
        ("ticket", {"name": "Ann Elk", "key": "s3cr3t-key"}),
    ]:
        outcome = await actions.complete(handle, step, raw)
        assert not outcome.refused, outcome.refused
    (handle.folder / "prompts").mkdir()
    (handle.folder / "prompts" / "0123456789abcdef.json").write_text('{"messages": ["Ann Elk"], "tools": []}')
    return handle


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.anyio
async def test_after_it_the_session_opens_and_asks_anew(workspace: Workspace) -> None:
    handle = await travelling(workspace)
    generation = handle.log.generation
    written = await redact(handle, wanted(handle, ["name"]))
    assert [e["names"] for e in written] == [["name"]]
    assert b"Ann Elk" not in bytes_of(handle.folder)
    session = handle.session()
    assert handle.log.generation > generation and session.values["name"] == REDACTED
    assert "name" not in parameters(session) and parameters(session)["town"] == "Rome"
    with pytest.raises(NotFound, match="taken out"):
        seen(handle, "0123456789abcdef")
    with pytest.raises(Conflict, match="taken out of the record"):
        await actions.parameters_of(handle)
    await actions.reopen(handle, "ticket")
    opened = open_card(cards(handle.session(), handle.workflow()))
    assert opened and "name" not in opened.values and [f.name for f in opened.missing] == ["name"]
    outcome = await actions.complete(handle, "ticket", {"name": '{"redacted": true}', "key": "k2"})
    assert "name" in outcome.set  # as words it is a name like any other
    await actions.reopen(handle, "ticket")
    outcome = await actions.complete(handle, "ticket", {"name": REDACTED})
    assert "taken out of the record" in outcome.refused["name"]
    await actions.complete(handle, "ticket", {"name": "Bo"})
    assert (await actions.parameters_of(handle))["name"] == "Bo"
    for n in range(1, handle.session().n + 1):
        assert handle.session(n).values.get("name") in (None, REDACTED, '{"redacted": true}', "Bo")
    assert verify_log(handle.folder / "log.jsonl")[1] == []


@pytest.mark.anyio
async def test_undo_and_redo_bring_nothing_back(workspace: Workspace) -> None:
    handle = await actions.begin(workspace, "trip")
    await actions.complete(handle, "start", {"country": "Italy", "days": "5"})
    await actions.complete(handle, "city", {"town": "Rome"})
    await actions.undo(handle)
    await redact(handle, wanted(handle, ["town"]))
    assert b"Rome" not in (handle.folder / "log.jsonl").read_bytes()
    assert redo_of(handle.session())
    await actions.redo(handle)
    assert handle.session().values["town"] == REDACTED
    await actions.fill(handle, {"country": "France"}, "cli")
    assert "town" not in handle.session().suggestions  # it went stale, and is no suggestion


@pytest.mark.anyio
async def test_a_secret_goes_from_where_it_is_kept(workspace: Workspace) -> None:
    handle = await travelling(workspace)
    assert handle.secrets() == {"key": "s3cr3t-key"}
    await redact(handle, wanted(handle, ["key"]))
    assert handle.secrets() == {} and handle.session().values["key"] == REDACTED
    assert b"s3cr3t" not in bytes_of(handle.folder)


@pytest.mark.anyio
async def test_nothing_found_is_nothing_changed(workspace: Workspace) -> None:
    handle = await travelling(workspace)
    before = (handle.folder / "log.jsonl").read_bytes()
    for asked in (wanted(handle, ["moon"]), wanted(handle, text="Elks"), wanted(handle, entries=[1])):
        with pytest.raises(Refused, match="Nothing of it"):
            await redact(handle, asked)
    with pytest.raises(NotFound, match="no entry 999"):
        wanted(handle, entries=[999])
    with pytest.raises(Refused, match="2 to 1,000 characters"):
        wanted(handle, text="x")
    assert (handle.folder / "log.jsonl").read_bytes() == before
    assert (handle.folder / "prompts").is_dir() and handle.secrets()


@pytest.mark.anyio
async def test_while_a_reply_or_a_run_is_under_way_nothing_is_taken_out(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await travelling(workspace)
    monkeypatch.setitem(live.drafts, handle.sid, live.Draft("t1", "guide"))
    with pytest.raises(Conflict, match="A reply is under way"):
        await redact(handle, wanted(handle, ["name"]))
    monkeypatch.delitem(live.drafts, handle.sid)
    await handle.write(lambda _: [Fact("user", "started", {"run": "r1", "parameters": {"name": "Ann Elk"}})])
    with pytest.raises(Conflict, match="A run is under way"):
        await redact(handle, wanted(handle, ["name"]))
    assert handle.session().values["name"] == "Ann Elk"


@pytest.mark.anyio
async def test_where_copies_may_be_is_said(workspace: Workspace) -> None:
    handle = await travelling(workspace)
    await handle.write(
        lambda _: [
            Fact("user", "started", {"run": "r1", "parameters": {"name": "Ann Elk"}}),
            Fact("workflow", "produced", {"run": "r1", "name": "t", "kind": "file", "file": "t.txt"}),
            Fact("workflow", "finished", {"run": "r1", "seconds": 1}),
        ]
    )
    handle.files.mkdir()
    (handle.files / "t.txt").write_text("Ann Elk")
    fork = workspace.fork(handle, handle.session().n)
    early = workspace.fork(fork, 3)
    other = await travelling(workspace)
    asked = wanted(handle, ["name"])
    made = look(handle.log.entries, asked)
    assert {(each.sid, each.places) for each in kin(handle, asked)} == {(fork.sid, 2), (early.sid, 0)}
    assert {each.sid for each in kin(early, asked)} == {fork.sid, handle.sid}
    assert kin(other, asked) == []
    assert [(each.file, each.bytes) for each in results(handle, made)] == [("t.txt", 7)]
    number = next(e.n for e in handle.log.entries if "name" in (e.get("values") or {}))
    one = {each.sid: each.places for each in kin(handle, wanted(handle, entries=[number]))}
    assert one == {fork.sid: 1, early.sid: 0}
    await early.write(lambda _: [Fact("user", "said", {"text": "ann elk was here", "turn": "t1"})])
    assert {each.sid: each.places for each in kin(handle, asked)} == {fork.sid: 2, early.sid: 1}
    await redact(handle, asked)
    assert (handle.files / "t.txt").read_text() == "Ann Elk"
    assert {each.sid: each.places for each in kin(handle, asked)} == {fork.sid: 2, early.sid: 0}


# The page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = make_workspace(tmp_path_factory.mktemp("redaction"), small=SMALL, trip=TRIP)
    with serving(folder) as running:
        yield running


@pytest.fixture
def sid(server: Server) -> str:
    """A session in which a reason was given, and told."""
    sid = complete(server, server.begin("small"), 6)
    server.tell(sid, Fact("user", "said", {"text": "For the Quagga project", "turn": "t9"}))
    server.tell(sid, Fact("app", "said", {"text": "Noted: quagga.", "turn": "t9"}))
    return sid


def took(server: Server, sid: str, **data: Any) -> Entry:
    """What a redaction by the page wrote."""
    answer = server.post(f"sessions/{sid}/redact", data)
    assert answer.status_code == 303, reasons(answer)
    assert answer.headers["location"].endswith(f"/sessions/{sid}/record")
    return server.entries(sid)[-1]


def test_the_page_shows_what_would_go_and_changes_nothing(server: Server, sid: str) -> None:
    before = server.entries(sid)
    page = server.page(f"sessions/{sid}/redact?name=reason")
    assert "Every value of Reason" in page.get_text() and "to see" not in page.get_text()
    marks = [mark.get_text() for mark in page.select("mark")]
    assert marks and set(marks) <= {"redacted", "[redacted]"}
    assert page.select_one("form.confirm button").get_text() == "Take out for good"
    one = server.page(f"sessions/{sid}/redact?entries={before[-2].n}")
    assert "Quagga" not in one.get_text() and "1 entry changes" in one.get_text()
    nothing = server.page(f"sessions/{sid}/redact?text=zebra")
    assert "Nothing of it is in the record" in nothing.get_text() and not nothing.select("form.confirm")
    empty = server.page(f"sessions/{sid}/redact")
    assert empty.select_one("form [name=text]") and not empty.select("form.confirm")
    assert server.entries(sid) == before


def test_a_text_is_looked_for_without_an_address_that_names_it(server: Server, sid: str) -> None:
    before = server.entries(sid)
    answer = server.post(f"sessions/{sid}/redact", {"text": "quagga", "look": "on"})
    assert answer.status_code == 200 and "2 entries change" in answer.text
    assert server.entries(sid) == before


def test_what_is_taken_out_is_in_no_file_page_or_export(server: Server, sid: str) -> None:
    before = server.entries(sid)
    entry = took(server, sid, text="Quagga")
    assert (entry.did, entry.by) == ("redacted", "user")
    assert entry["entries"] == [before[-2].n, before[-1].n] and entry["names"] == []
    assert b"uagga" not in bytes_of(server.folder(sid))
    where = ["", "/record", "/export/log.jsonl", "/export/conversation.md", "/export/parameters.json"]
    for address in where:
        assert "uagga" not in server.get(f"sessions/{sid}{address}").text, address
    assert "uagga" not in server.get(f"sessions/{sid}?at={before[-1].n}").text
    assert took(server, sid, name="reason")["names"] == ["reason"]
    drawn = server.page(f"sessions/{sid}")
    assert "to see" not in "".join(part.get_text() for part in drawn.select("#cards, #chat, #where, title"))
    assert "reason" not in server.get(f"sessions/{sid}/export/parameters.json").json()
    done = server.page(f"sessions/{sid}").select_one("#card-deep")
    assert done["data-state"] == "done" and "redacted" in done.get_text()
    refused = server.post(f"sessions/{sid}/runs")
    assert refused.status_code in (303, 409) and server.state(sid)["run"] is None


def test_under_htmx_the_stream_brings_it_and_the_page_loads_itself_again(server: Server, sid: str) -> None:
    seen_by_page = server.entries(sid)[-1].n
    with server.client.stream("GET", f"sessions/{sid}/events?after={seen_by_page}") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        answer = server.post(f"sessions/{sid}/redact", {"text": "quagga"}, headers=HTMX)
        assert answer.status_code == 204
        told = ("event", ": alive")  # the second, where nothing comes
        assert next(line for line in lines if line.startswith(told)) == "event: reload"
    # nor does a page that was away keep what it had
    with server.client.stream("GET", f"sessions/{sid}/events?after={seen_by_page}") as stream:
        assert next(stream.iter_lines()) == "event: reload"
    with Stream(server, sid, after=seen_by_page + 1) as fresh:
        assert fresh.next().data == ""


@pytest.mark.parametrize(
    "data, status, word",
    [
        ({}, 422, "Say what to take out"),
        ({"entries": "x"}, 422, "no number"),
        ({"entries": "99999"}, 404, "no entry"),
        ({"name": "nobody"}, 422, "Nothing of it"),
        ({"text": "q"}, 422, "2 to 1,000"),
        ({"text": "(", "regex": "on"}, 422, "2 to 1,000"),
        ({"text": "(q", "regex": "on"}, 422, "no regular expression"),
        ({"pattern": "q*", "regex": "on"}, 422, "everywhere"),
    ],
)
def test_what_can_not_be_taken_out_is_said(
    server: Server, sid: str, data: dict[str, str], status: int, word: str
) -> None:
    before = server.entries(sid)
    answer = server.post(f"sessions/{sid}/redact", data)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text
    assert server.entries(sid) == before


def test_an_expression_takes_out_all_that_matches(server: Server, sid: str) -> None:
    took(server, sid, pattern=r"qu\w+a", regex="on")
    assert [e["text"] for e in server.did(sid, "said")][-2:] == [f"For the {GONE} project", f"Noted: {GONE}."]


def test_during_a_run_nothing_is_taken_out(server: Server) -> None:
    sid = complete(server, server.begin("small"), 3)
    server.post(f"sessions/{sid}/runs")
    answer = server.post(f"sessions/{sid}/redact", {"name": "kind"})
    assert answer.status_code == 409 and "under way" in answer.text
    run = server.state(sid)["run"]["run"]
    server.post(f"sessions/{sid}/runs/{run}/cancel")
    server.wait(sid, lambda server: server.state(sid)["run"]["state"] != "running")
    assert took(server, sid, name="kind")["names"] == ["kind"]


def test_any_entry_can_have_notes_which_can_be_taken_back(server: Server, sid: str) -> None:
    address, last = f"sessions/{sid}/notes", server.entries(sid)[-1].n
    for n in range(1, last + 1):
        assert server.post(address, {"about": str(n), "text": f"note on {n}"}).status_code == 303
    noted = fold(server.entries(sid)).notes
    assert [noted[n][0]["text"] for n in range(1, last + 1)] == [f"note on {n}" for n in range(1, last + 1)]
    assert server.post(address, {"about": "1", "text": ""}).status_code == 303
    assert server.post(address, {"about": "2", "thumb": "up"}).status_code == 303
    noted = fold(server.entries(sid)).notes
    assert 1 not in noted and len(noted[2]) == 2
    for data, status in [
        ({"about": "99999", "text": "x"}, 404), ({"about": "1", "text": ""}, 422), ({"text": "x"}, 422),
        ({"about": "1", "text": "x" * 100_000}, 422), ({"about": "1", "thumb": "sideways"}, 422),
    ]:  # fmt: skip
        assert server.post(address, data).status_code == status, data


@pytest.mark.browser
def test_a_value_that_was_said_is_taken_out_on_the_page(program: Any, tab: Any) -> None:
    server = program()
    sid = server.begin("trip")
    page = tab(server.page_of(sid))
    follows(page)
    say(page, "The city is Ljubljana")
    expect(page.locator("[name=city]")).to_have_value("Ljubljana")
    fill(page, nights="4")
    next_(page, "place")
    expect(card(page, "place")).to_have_attribute("data-state", "done")
    other = tab(f"{server.address}sessions/{sid}/redact?name=city")
    expect(other.get_by_text("Every value of City")).to_be_visible()
    assert "Ljubljana" not in other.content()
    other.get_by_role("button", name="Take out for good").click()
    other.wait_for_url("**/record")
    assert "Ljubljana" not in other.content()
    expect(page.get_by_text("Ljubljana")).to_have_count(0)  # it has loaded itself again
    expect(card(page, "place").locator(".values")).to_contain_text("redacted")
    assert "Ljubljana" not in server.get(f"sessions/{sid}/export/log.jsonl").text
    assert b"jubljana" not in bytes_of(server.folder(sid))

"""Random sessions against a plain dict: what is set, taken back, forked and looked at again.

The model knows three things: which names a step takes, that values which depend on a changed one go, and two
stacks of earlier dicts for undo and redo. Everything else is the program's own, on real files.
"""

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from assistant import actions, redaction
from assistant.cards import cards, open_card
from assistant.errors import Refused
from assistant.export import export
from assistant.export.importing import import_session
from assistant.log import Fact, read
from assistant.models import Call
from assistant.parameters import REDACTED
from assistant.session import fold
from assistant.session.undoing import redo_of, undo_of
from assistant.settings import Settings
from assistant.tools import execute
from assistant.tools.desk import Desk, words_that_count
from assistant.verify import verify_session
from assistant.workspace import Handle, Workspace

FLOW = '''
from typing import Annotated

from assistant import Ask, Workflow

flow = Workflow("Chain", "Each card looks at the one before.")


@flow.step
def one(x: Annotated[int, Ask(ge=1, le=4)], y: str = "a"):
    """First?"""


@flow.step
def two(x, z: Annotated[int, Ask(ge=1, le=4)]):
    """Second?"""


@flow.step
def three(z, w: list[str] = []):
    """Third?"""


@flow.step
def alone(v: Annotated[int, Ask(ge=1, le=4)] = 1):
    """Last?"""


@flow.run
def run(x, y, z, w, v):
    return None
'''
STEPS = {"one": ("x", "y"), "two": ("z",), "three": ("w",), "alone": ("v",)}
TAKES = {"two": "x", "three": "z"}
DEFAULTS = {"y": "a", "w": [], "v": 1}
NUMBERS = st.integers(0, 5)  # 0 and 5 are refused
TEXTS = st.sampled_from(["a", "b", "ü “q” \\ \n end", "*.csv"])
VALUES = {"x": NUMBERS, "z": NUMBERS, "v": NUMBERS, "y": TEXTS, "w": st.lists(TEXTS, max_size=2)}
GIVEN = st.sampled_from(list(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name]))


async def start_run(handle: Handle, by: str) -> str:
    raise AssertionError("nobody says to run")


class Sessions(RuleBasedStateMachine):
    """One session at a time, in a workspace that stays while others are made."""

    steps = 0  # of all that were made

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="laws-"))
        (self.folder / "workflows").mkdir()
        (self.folder / "workflows" / "chain.py").write_text(FLOW, "utf-8")
        self.loop = asyncio.new_event_loop()
        self.workspace = Workspace(Settings(self.folder))
        self.handle: Handle
        self.values: dict[str, Any] = {}
        self.undos: list[dict[str, Any]] = []
        self.redos: list[dict[str, Any]] = []
        self.known: dict[int, Any] = {}  # what the model knew at an entry

    def teardown(self) -> None:
        self.loop.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.handle = self.do(actions.begin(self.workspace, "chain"))

    # --- the model ---

    def change(self, new: dict[str, Any]) -> None:
        """Some values are given: those that depend on one that was another before go."""
        before = dict(self.values)
        changed = {name for name, value in new.items() if name in before and before[name] != value}
        differ = any(name not in before or before[name] != value for name, value in new.items())
        self.values |= new
        session = self.handle.session()
        for step, taken in TAKES.items():
            if taken in changed and session.mark(step, "opened", "advanced", "skipped", "reopened"):
                for name in STEPS[step]:
                    self.values.pop(name, None)
                changed |= set(STEPS[step])
        if differ:
            self.undos.append(before)
            self.redos.clear()

    @staticmethod
    def passes(name: str, value: Any) -> bool:
        return not isinstance(value, int) or 1 <= value <= 4

    # --- what can be done ---

    @rule(
        given=st.dictionaries(st.sampled_from(list(VALUES)), st.none(), min_size=1, max_size=3),
        data=st.data(),
    )
    def fill(self, given: dict[str, None], data: st.DataObject) -> None:
        new = {name: data.draw(VALUES[name], name) for name in given}
        good = {name: value for name, value in new.items() if self.passes(name, value)}
        # the model looks at the session as it is before
        self.change(good)
        outcome = self.do(actions.fill(self.handle, new, "cli"))
        assert outcome.refused.keys() == new.keys() - good.keys()

    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        card = open_card(cards(self.handle.session(), self.handle.workflow()))
        if card is None:
            return
        new = {name: data.draw(VALUES[name], name) for name in STEPS[card.step.name]}
        if all(self.passes(name, value) for name, value in new.items()):
            self.change(new)
            self.redos.clear()
        outcome = self.do(actions.complete(self.handle, card.step.name, new))
        assert bool(outcome.refused) == (not all(self.passes(n, v) for n, v in new.items()))

    @precondition(lambda self: self.given_by_words())
    @rule(data=st.data(), wrong=st.sampled_from([0, 5]), turn=st.uuids())
    def keep_the_value_after_a_refusal(self, data: st.DataObject, wrong: int, turn: object) -> None:
        name = data.draw(st.sampled_from(self.given_by_words()))
        before = self.handle.session()
        for value in (wrong, self.values[name]):
            words = Fact("user", "said", {"text": f"{name}: {value}", "turn": f"{turn}"})
            self.do(self.handle.write(lambda _, words=words: [words]))
            said = words_that_count(self.handle.session(), f"{turn}")
            desk = Desk(self.handle, f"{turn}", "guide", said, start_run)
            self.do(execute(desk, [Call("", "set_other_value", {"name": name, "value": value})]))
            assert (name in self.handle.session().refusals) == (value == wrong)
        assert undo_of(self.handle.session()) == undo_of(before)
        assert redo_of(self.handle.session()) == redo_of(before)

    def given_by_words(self) -> list[str]:
        """The numbers that have a value now; a card that is not asked refuses all words."""
        found = cards(self.handle.session(), self.handle.workflow())
        asked = {field.name for card in found if card.state != "skipped" for field in card.step.fields}
        return [name for name in ("x", "z", "v") if isinstance(self.values.get(name), int) and name in asked]

    @rule(step=st.sampled_from(list(STEPS)))
    def reopen(self, step: str) -> None:
        state = {card.step.name: card.state for card in cards(self.handle.session(), self.handle.workflow())}
        if state[step] == "done":
            self.do(actions.reopen(self.handle, step))

    @precondition(lambda self: self.values)
    @rule()
    def start_over(self) -> None:
        self.undos.append(dict(self.values))
        self.redos.clear()
        self.values = {}
        self.do(actions.start_over(self.handle))

    @precondition(lambda self: self.undos)
    @rule()
    def undo(self) -> None:
        self.redos.append(self.values)
        self.values = self.undos.pop()
        self.do(actions.undo(self.handle))

    @precondition(lambda self: self.redos)
    @rule()
    def redo(self) -> None:
        self.undos.append(self.values)
        self.values = self.redos.pop()
        self.do(actions.redo(self.handle))

    # --- the same from the file ---

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        n = data.draw(st.sampled_from(sorted(self.known)))
        then = self.handle.session(n)
        assert then == fold(self.handle.log.entries[:n])
        assert then.values == self.known[n][0]
        rest = self.handle.log.entries[n:]
        assert fold(rest, then) == self.handle.session()

    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        n = data.draw(st.sampled_from(sorted(self.known)))
        earlier = self.handle
        self.handle = self.workspace.fork(earlier, n)
        assert self.handle.log.entries[1:] == earlier.log.entries[1:n]
        assert self.handle.session().began["forked_from"] == {"session": earlier.sid, "n": n}
        self.values, self.undos, self.redos = copy.deepcopy(self.known[n])
        self.known = {m: known for m, known in self.known.items() if m <= n}
        self.do(actions.open_due(self.handle))

    @rule(name=st.sampled_from(["x", "z", "v"]))
    def redact(self, name: str) -> None:
        before = list(self.handle.log.entries)
        try:
            wanted = redaction.wanted(self.handle, names=[name])
            self.do(redaction.redact(self.handle, wanted))
        except Refused:
            assert name not in self.handle.session().history or self.is_gone(name)
            return
        after = self.handle.log.entries
        assert [(e.n, e.at, e.by, e.did) for e in before] == [(e.n, e.at, e.by, e.did) for e in after[:-1]]
        for values in self.all_values():
            if name in values:
                values[name] = REDACTED

    def is_gone(self, name: str) -> bool:
        """Whether the record holds no value of the parameter any more."""
        changes = self.handle.session().history[name]
        return all(change.value in (None, REDACTED) for change in changes)

    def all_values(self) -> Iterator[dict[str, Any]]:
        """Every dict that the model may come back to."""
        moments = [(self.values, self.undos, self.redos), *self.known.values()]
        for values, undos, redos in moments:
            yield from (values, *undos, *redos)

    @rule()
    def move_to_another_machine(self) -> None:
        before = self.handle.session()
        there = Workspace(Settings(Path(tempfile.mkdtemp(dir=self.folder))))
        archive, _, _ = export(self.handle, "session.zip")
        with archive:
            sid = import_session(there, archive)
        assert sid == self.handle.sid
        log = self.handle.folder / "log.jsonl"
        assert (there.conversations / sid / "log.jsonl").read_bytes() == log.read_bytes()
        assert there.open(sid).session() == before

    @rule()
    def start_the_program_again(self) -> None:
        before = self.handle.session()
        self.workspace = Workspace(Settings(self.folder))
        self.handle = self.workspace.open(self.handle.sid)
        assert self.handle.session() == before

    @invariant()
    def the_values_are_those_of_the_dict(self) -> None:
        Sessions.steps += 1
        session = self.handle.session()
        assert session.values == self.values
        assert session.origins.keys() == session.values.keys()
        self.known[session.n] = copy.deepcopy((self.values, self.undos, self.redos))

    @invariant()
    def the_file_says_the_same(self) -> None:
        entries, damage = read(self.handle.folder / "log.jsonl")
        assert damage is None
        assert entries == self.handle.log.entries
        assert fold(entries) == self.handle.session()
        count, said = verify_session(self.handle.folder)
        assert (count, said) == (len(entries), [])


def test_random_sessions() -> None:
    run_state_machine_as_test(
        Sessions,
        settings=settings(
            max_examples=270,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Sessions.steps >= 10_000

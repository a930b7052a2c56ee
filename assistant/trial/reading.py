"""Scenario files: what a user says and does, turn by turn, and which entries of the log must follow.

    workflow: site                    # for the whole file, or in one scenario
    scenarios:
      - name: a correction before the card is completed
        given: {depth: 2}             # values that the user has set by hand
        done: [start]                 # cards that are completed, with those of the values that are theirs
        turns:
          - say: no, I meant 3        # or card, reopen, answer, undo, redo
            set: {depth: 3}           # must follow; what is not named here must not
            values: {depth: 3}        # what holds after the turn

What must follow is told in the words of the log, never in the wording of a reply. Of the kinds in STRICT
whatever is not named must not follow, unless the turn says `may: [kind]`; those in LOOSE are only looked at
where they are named. A turn with `replies` is one of a scripted model, which says and calls just that.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import AssistantError
from ..workflow import Workflow

STRICT = tuple(
    "set proposed refused asked answered undid redid advanced reopened cleared started failed".split()
)
LOOSE = ("opened", "skipped", "stale", "called")
STATE = ("values", "missing", "open")
ACTIONS = ("say", "card", "reopen", "answer", "undo", "redo")
MORE = {"card": ("with",), "answer": ("value", "replies"), "say": ("replies",)}
TOP = ("workflow", "scenarios")
SCENARIO = ("name", "workflow", "given", "done", "earlier", "turns")
_STEPS = ("advanced", "reopened", "opened", "skipped", "stale")
_VALUES = ("set", "proposed", "values")
_NAMES = ("undid", "redid", "cleared", "missing")


@dataclass(frozen=True)
class Turn:
    """One thing that the user does: `action` with what is `given` (the words, a step, accept ...).

    `values` are those of a card's form, `value` that of an answer, `replies` what a scripted model does;
    `follows` is what must follow by kind, `may` the kinds that are free, `state` what holds afterwards.
    """

    action: str
    given: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    value: str | None = None
    replies: tuple[Mapping[str, Any], ...] = ()
    follows: Mapping[str, Any] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """Turns on a session of `workflow`; `earlier` are the values of a finished session before it."""

    name: str
    workflow: str
    turns: tuple[Turn, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    earlier: Mapping[str, Any] | None = None

    @property
    def scripted(self) -> bool:
        """Whether it says what a model does, so that it tells nothing of a real one."""
        return any(turn.replies for turn in self.turns)


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are truth values: yes, no, on and dates are words."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """As it was, but a key that stands there twice is an error, not lost."""
        known = set()
        for key, _ in node.value:
            if key.value in known:
                where = f"{key.start_mark.name}, line {key.start_mark.line + 1}"
                raise AssistantError(f"{where}: {key.value!r} stands there twice. Remove one.")
            known.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?\d+", list("-0123456789")),
    ("float", r"-?\d+\.\d+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def read(path: Path) -> list[Scenario]:
    """The scenarios of a file. AssistantError names the file and what is wrong in it."""
    try:
        with path.open(encoding="utf-8") as file:
            found = yaml.load(file, _Loader)  # a SafeLoader: it makes only plain values
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AssistantError(f"{path} is no YAML that can be read: {' '.join(str(error).split())}") from None
    top = _mapping(found, TOP, str(path))
    listed = top.get("scenarios")
    if not isinstance(listed, list) or not listed:
        raise AssistantError(f"{path} has no list `scenarios`.")
    scenarios = [_scenario(each, top.get("workflow"), path) for each in listed]
    names = [scenario.name for scenario in scenarios]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise AssistantError(f"{path} has two scenarios {twice!r}. Give one another name.")
    return scenarios


def _mapping(value: Any, keys: Sequence[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AssistantError(f"{where}: there should be {', '.join(keys)}, not {str(value)[:60]!r}.")
    if unknown := [key for key in value if key not in keys]:
        raise AssistantError(f"{where}: {unknown[0]!r} is not known here. There are {', '.join(keys)}.")
    return value


def _scenario(value: Any, workflow: Any, path: Path) -> Scenario:
    name = value.get("name") if isinstance(value, dict) else None
    where = f"{path}, {name}"
    found = _mapping(value, SCENARIO, where)
    flow, turns = found.get("workflow", workflow), found.get("turns")
    if not isinstance(name, str) or not isinstance(flow, str) or not isinstance(turns, list) or not turns:
        raise AssistantError(f"{where}: a scenario has a name, a workflow and turns.")
    return Scenario(
        name,
        flow,
        tuple(_turn(turn, f"{where}, turn {n}") for n, turn in enumerate(turns, 1)),
        found.get("given") or {},
        tuple(_list(found.get("done"))),
        found.get("earlier"),
    )


def _turn(value: Any, where: str) -> Turn:
    actions = [key for key in value if key in ACTIONS] if isinstance(value, dict) else []
    if len(actions) != 1:
        raise AssistantError(f"{where}: a turn is one of {', '.join(ACTIONS)}.")
    action = actions[0]
    found = _mapping(value, [action, *MORE.get(action, ()), *STRICT, *LOOSE, *STATE, "may"], where)
    given = found[action]
    if action in ("say", "card", "reopen", "answer") and not isinstance(given, str):
        raise AssistantError(f"{where}: {action} needs a text; put {given!r} in quotes.")
    may = frozenset(_list(found.get("may")))
    if unknown := may - {*STRICT}:
        raise AssistantError(f"{where}: may has {', '.join(sorted(unknown))}, which is none of {STRICT}.")
    return Turn(
        action,
        given if isinstance(given, str) else "",
        found.get("with") or {},
        found.get("value"),
        tuple(_reply(each, where) for each in found.get("replies") or ()),
        {did: found[did] for did in (*STRICT, *LOOSE) if did in found},
        may,
        {key: found[key] for key in STATE if key in found},
    )


def _reply(value: Any, where: str) -> dict[str, Any]:
    """One reply of a scripted model: {"say": words, "calls": [(tool, arguments), ...]}."""
    found = _mapping(value, ("say", "call", "with", "calls"), where)
    calls = [(found["call"], found.get("with") or {})] if "call" in found else found.get("calls") or []
    return {"say": found.get("say") or "", "calls": [(tool, dict(given)) for tool, given in calls]}


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def check(scenario: Scenario, flow: Workflow) -> list[str]:
    """What the scenario names that its workflow does not have: a spelling mistake is no test."""
    steps, names = {step.name for step in flow.steps}, set(flow.fields())
    told: list[str] = []

    def known(which: Any, there: set[str], what: str) -> None:
        told.extend(
            f"{scenario.name}: the workflow {scenario.workflow} has no {what} {each!r}."
            for each in _list(list(which) if isinstance(which, dict) else which)
            if isinstance(each, str) and each not in there
        )

    known(dict(scenario.given), names, "parameter")
    known(dict(scenario.earlier or {}), names, "parameter")
    known(list(scenario.done), steps, "card")
    for turn in scenario.turns:
        known(dict(turn.values), names, "parameter")
        if turn.action in ("card", "reopen"):
            known(turn.given, steps, "card")
        for key, expected in {**turn.follows, **turn.state}.items():
            if key in _STEPS or key == "open":
                known(expected, steps, "card")
            elif key in _VALUES or key in _NAMES:
                known(expected, names, "parameter")
            elif key == "refused":
                known(expected, names | steps, "parameter or card")
    return told


def of_workflow(path: Path) -> Path:
    """Where a workflow's own scenarios are: beside its file."""
    return path.with_name(f"{path.stem}.scenarios.yaml")

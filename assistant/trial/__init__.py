"""Tries models on scenarios: how many values each gets right, and how long it takes.

scenarios, or the user's messages ──▶ play, with each model ──▶ Played ──▶ Score ──▶ a table
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import AssistantError, NotFound
from ..models import GUIDE
from ..models.catalogue import catalogue
from ..models.ollama import Ollama
from ..parameters import MISSING
from ..settings import Settings
from ..turn import Chat
from ..workflow import Workflow
from ..workspace import Workspace
from .gold import Message, messages
from .player import Played, canonical, followed, play, pretend_run, take
from .reading import Scenario, check, of_workflow, read

Tell = Callable[[str], None]


@dataclass
class Score:
    """What a model did, counted (a class: it counts). `failures` are its turns without an answer."""

    model: str
    right: int = 0
    wrong: int = 0
    missed: int = 0
    invented: int = 0
    corrections: int = 0
    corrected: int = 0
    spurious: int = 0
    refused: int = 0
    recovered: int = 0
    turns: int = 0
    seconds: float = 0.0
    tokens: int = 0
    speaking: float = 0.0  # seconds in which the tokens were written
    failures: list[str] = field(default_factory=list)

    def add(self, played: Played, flow: Workflow, free: frozenset[str] = frozenset()) -> None:
        """Counts a turn that the model answered; others (buttons, plain commands) are not its doing."""
        by = "guide" if self.model == GUIDE else "model"
        answers = [e for e in played.entries if e.did in ("said", "failed") and e.by in (by, "app")]
        if played.turn.action != "say" or not any(e.by == by or e.did == "failed" for e in answers):
            return
        self.turns, self.seconds = self.turns + 1, self.seconds + played.seconds
        for entry in answers:
            if entry.did == "failed":
                self.failures.append(str(entry.get("reason")))
            elif entry.by == "model" and entry.get("tokens"):
                self.tokens, self.speaking = self.tokens + entry["tokens"], self.speaking + entry["seconds"]
        self._values(played, flow, free)

    def _values(self, played: Played, flow: Workflow, free: frozenset[str]) -> None:
        found, wanted = followed(played), _wanted(played, flow)
        wrote = found.get("set", {})
        asked = {name: value for name, value in found.get("asked", {}).items() if value is not None}
        offered = found.get("proposed", {}) | asked
        named = offered | wrote
        for name, value in wanted.items():
            right = name in named and canonical(flow, name, named[name]) == value
            self.right += right
            self.wrong += name in named and not right
            self.missed += name not in named
            if played.before.values.get(name, value) != value:
                self.corrections, self.corrected = self.corrections + 1, self.corrected + right
        may, follows = played.turn.may, played.turn.follows
        if "set" not in may:
            self.spurious += len(wrote.keys() - wanted.keys() - free)
        if not {"proposed", "asked"} & (may | {kind for kind, what in follows.items() if what is True}):
            standing = _standing(played)  # what waits for an answer is not said anew
            new = {name for name, value in offered.items() if standing.get(name, MISSING) != value}
            self.invented += len(new - wrote.keys() - wanted.keys() - free)
        refused = {name for name in found.get("refused", {}) if name in flow.fields()}
        wrongly = refused - ({*_names(follows.get("refused"))} - wanted.keys())
        self.refused += len(wrongly)
        self.recovered += len(wrongly & wrote.keys())


def _standing(played: Played) -> dict[str, Any]:
    """The values that were suggested before."""
    suggested = (entry.get("values") or {} for entry in played.before.proposals.values())
    return {name: value for values in suggested for name, value in values.items()}


def _wanted(played: Played, flow: Workflow) -> dict[str, Any]:
    """The values that the words mean, whether they can be set at once or must be confirmed."""
    expected = (played.turn.follows.get(kind) for kind in ("proposed", "asked", "set"))
    said = {name: value for each in expected if isinstance(each, Mapping) for name, value in each.items()}
    return {name: canonical(flow, name, value) for name, value in said.items()}


def _names(value: Any) -> Iterable[str]:
    return value if isinstance(value, list | dict) else [value] if isinstance(value, str) else []


# --- what is tried -----------------------------------------------------------------------------------


def sources(workspace: Workspace) -> Iterator[tuple[Path, Path]]:
    """The scenario files, each with the workspace that has its workflows: first those beside workflows."""
    here = workspace.settings.workspace
    for path in workspace.workflow_files().values():
        if of_workflow(path).is_file():
            yield here, of_workflow(path)
    tests = here / "tests" / "scenarios"
    if (tests / "workflows").is_dir():
        yield from ((tests, path) for path in sorted(tests.glob("*.yaml")))


def scenarios(workspace: Workspace, workflows: Sequence[str]) -> list[tuple[Path, Scenario]]:
    """The scenarios of these workflows (all where none is named), without those of a scripted model.

    NotFound names the workflows that have scenarios. AssistantError: a scenario names what there is not.
    """
    found = [
        (folder, each) for folder, path in sources(workspace) for each in read(path) if not each.scripted
    ]
    known = sorted({each.workflow for _, each in found})
    if unknown := sorted(set(workflows) - {*known}):
        listed = ", ".join(known) or "none"
        raise NotFound(f"The workflow {unknown[0]!r} has no scenarios. Those that have: {listed}.")
    chosen = [(folder, each) for folder, each in found if not workflows or each.workflow in workflows]
    for folder, each in chosen:
        flow = Workspace(replace(workspace.settings, workspace=folder)).workflow(each.workflow)
        if faults := check(each, flow):
            raise AssistantError("\n".join(faults))
    return chosen


async def models_of(settings: Settings, named: Sequence[str]) -> list[str]:
    """The guide, and the named models; without any, all local ones that can use tools."""
    ollama = Ollama(settings)
    try:
        seen = await catalogue(ollama)
    finally:
        await ollama.close()
    wanted = [name for name in named if name != GUIDE]
    if wanted and seen.problem:
        raise AssistantError(seen.problem)
    there = [model.name for model in seen.models]
    if unknown := [name for name in wanted if name not in there]:
        listed = ", ".join(there) or "none"
        raise NotFound(f"Ollama has no model {unknown[0]!r}. It has: {listed}.")
    return list(dict.fromkeys([GUIDE, *(wanted or (m.name for m in seen.models if m.tools and not m.cloud))]))


# --- trying ------------------------------------------------------------------------------------------


@contextmanager
def _room(settings: Settings, model: str) -> Iterator[Workspace]:
    """The workspace's workflows and prompts, with sessions that are thrown away."""
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        found = Workspace(replace(settings, model=model))
        found.conversations = Path(folder)
        try:
            yield found
        finally:
            found.close()


async def on_scenarios(
    settings: Settings, model: str, cases: Sequence[tuple[Path, Scenario]], tell: Tell
) -> Score:
    """The model's score on the scenarios; one that can not be played is among the failures."""
    score = Score(model)
    for number, (folder, scenario) in enumerate(cases, 1):
        tell(f"{model}: {number} of {len(cases)}, {scenario.name}")
        with _room(replace(settings, workspace=folder), model) as workspace:
            chat = Chat(workspace, pretend_run)
            try:
                for played in await play(chat, scenario):
                    score.add(played, workspace.workflow(scenario.workflow))
            except AssistantError as error:
                score.failures.append(f"{scenario.name}: {error}")
            finally:
                await chat.close()
    return score


async def on_messages(settings: Settings, model: str, cases: Sequence[Message], tell: Tell) -> Score:
    """The model's score on messages of the user's own sessions."""
    score = Score(model)
    with _room(settings, model) as workspace:
        chat = Chat(workspace, pretend_run)
        try:
            for number, case in enumerate(cases, 1):
                tell(f"{model}: {number} of {len(cases)}, {case.handle.sid}, entry {case.at + 1}")
                handle = await case.begin(workspace, model)
                for played in await take(chat, handle, [case.turn]):
                    score.add(played, handle.workflow(), case.free)
        finally:
            await chat.close()
    return score


async def trial(
    workspace: Workspace, models: Sequence[str], workflows: Sequence[str], from_sessions: bool, tell: Tell
) -> list[Score]:
    """The scores of the guide and of the models. AssistantError where there is nothing to try."""
    settings, tried = workspace.settings, await models_of(workspace.settings, models)
    if from_sessions:
        own = messages(workspace, workflows)
        if not own:
            raise AssistantError(
                "No session has finished a run after words in its chat, so there is nothing to try yet."
            )
        return [await on_messages(settings, model, own, tell) for model in tried]
    cases = scenarios(workspace, workflows)
    if not cases:
        raise AssistantError(
            "There are no scenarios: write some into workflows/NAME.scenarios.yaml, or try --from-sessions."
        )
    return [await on_scenarios(settings, model, cases, tell) for model in tried]

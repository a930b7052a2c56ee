"""A new session from values of earlier ones: `again` takes all of one, `compose` those picked from several.

given values ── files and secrets carried over ── card by card: judge ──▶ completed, as far as they pass

What does not pass leaves its card open, with the value and the reason on it. The conversation stays behind.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .actions import begin, complete
from .actions.judging import Author, same
from .cards import Card, cards
from .errors import NotFound, ReadOnly, Refused
from .files import keep_upload
from .log import Fact
from .parameters import Field, Place, judge, to_json
from .session import Session
from .workflow import Step, Workflow
from .workspace import Handle, Summary, Workspace
from .workspace.offers import Taken, given
from .workspace.secrets import secrets_in

BY = "user"
LOOKED = 300  # sessions that are looked at for values
CANDIDATES = 8  # values that are offered for one parameter


@dataclass(frozen=True)
class Candidate:
    """A value that a session offers for a parameter; `name` is the session's."""

    taken: Taken
    name: str

    @property
    def reference(self) -> str:
        """How a form names it: SESSION@n."""
        return f"{self.taken.sid}@{self.taken.n}"


def kin_of(sessions: Sequence[Summary], sid: str, session: Session) -> list[Summary]:
    """The sessions that this one came from, and those that came of it: by fork, or by values."""
    origins = {*session.sources}
    if isinstance(forked := session.began.get("forked_from"), dict):
        origins.add(str(forked.get("session")))
    return [s for s in sessions if s.sid in origins or s.forked_from == sid or sid in s.sources]


async def again(handle: Handle, at: int | None = None) -> Handle:
    """A new session of the same workflow with the values that `handle` has, or had at entry `at`.

    Raises NotFound or BrokenWorkflow, and then nothing is made.
    """
    session = handle.session(at)
    lineage = {"again_of": {"session": handle.sid, "n": session.n}}
    made = await begin(handle.workspace, session.workflow, BY, lineage)

    def was_done(step: Step) -> bool:
        status = session.status(step.name)
        return status is not None and status.did == "advanced"

    await _take_over(made, given(handle.sid, session), was_done)
    return made


async def compose(workspace: Workspace, workflow: str, picks: Mapping[str, tuple[str, int]]) -> Handle:
    """A new session of the workflow with values picked by parameter, each as (session, entry).

    Raises NotFound where there is no such session, value or workflow, Refused where the workflow asks no
    such parameter; then nothing is made.
    """
    asked = workspace.workflow(workflow).fields()
    for name in picks:
        if name not in asked:
            raise Refused(name, None, f"there is no such parameter; there are {', '.join(asked)}.")
    taken = {name: await _pick(workspace, name, sid, n) for name, (sid, n) in picks.items()}
    made = await begin(workspace, workflow, BY)
    await _take_over(made, taken, lambda step: False)
    return made


async def _pick(workspace: Workspace, name: str, sid: str, n: int) -> Taken:
    handle = await workspace.reach(sid)
    found = given(sid, handle.session()).get(name)
    if found is None or found.n != n:
        raise NotFound(f"The session {sid} has no value of {name} from entry {n} any more. Pick again.")
    return found


async def candidates(workspace: Workspace, flow: Workflow) -> dict[str, list[Candidate]]:
    """What earlier sessions of any workflow offer, by parameter: the newest first, no value twice."""
    fields = flow.fields()
    found: dict[str, list[Candidate]] = {name: [] for name in fields}
    seen: dict[str, set[str]] = {name: set() for name in fields}
    for sid, mark in workspace.offers.look(LOOKED).items():
        await asyncio.sleep(0)  # looking at many sessions must not keep the others waiting
        offer = await workspace.offers.find(sid, mark)
        if offer is None:  # deleted meanwhile, or killed before its first line was on disk
            continue
        for name, taken in offer.given.items():
            if name not in fields or len(found[name]) == CANDIDATES:
                continue
            key = _key(taken)
            if key not in seen[name] and _fits(workspace, fields[name], taken):
                seen[name].add(key)
                found[name].append(Candidate(taken, offer.name))
        if all(len(each) == CANDIDATES for each in found.values()):
            break
    return found


def _fits(workspace: Workspace, field: Field, taken: Taken) -> bool:
    """Whether today's judge takes the value, as far as that can be told without the other values.

    Nothing at all is no candidate: leaving it open gives the same.
    """
    if taken.value is None:
        return False
    folder = workspace.conversations / taken.sid
    try:
        secrets = secrets_in(folder) if field.kind == "secret" else {}
        _judge(field, taken.value, None, Place(files=folder / "files", secrets=secrets))
    except (Refused, ReadOnly):
        return False
    return True


def _key(taken: Taken) -> str:
    """The same for values that are the same. No secret is: that would tell something of it."""
    if taken.value == {"secret": True}:
        return taken.sid
    if isinstance(taken.value, dict) and isinstance(file := taken.value.get("file"), str):
        return taken.sha256 or f"{taken.sid} {file}"
    return json.dumps(taken.value, sort_keys=True)


async def _take_over(made: Handle, taken: Mapping[str, Taken], was_done: Callable[[Step], bool]) -> None:
    """Completes the cards in order as long as their values pass; sets what there is for those after them."""
    flow, added = made.workflow(), list[Fact]()
    values = await asyncio.to_thread(_carry, made, flow, taken, added)
    sources = {name: each.source for name, each in taken.items()}
    author = Author(BY, sources=sources)
    gone = [name for name in taken if name not in flow.fields()]
    lost = [author.refusal(None, name, None, f"The workflow does not ask {name} any more.") for name in gone]
    if added or lost:
        await made.write(lambda _: [*added, *lost])
    going = True
    for step in flow.steps:
        card = next(card for card in cards(made.session(), flow) if card.step.name == step.name)
        own = {field.name: values[field.name] for field in step.fields if field.name in values}
        if card.state != "skipped":
            whole = was_done(step) or (bool(own) and len(own) == len(step.fields))
            said = {name: source for name, source in sources.items() if not _is_default(card, taken, name)}
            going = await _card(made, card, own, replace(author, sources=said), going and whole)


def _is_default(card: Card, taken: Mapping[str, Taken], name: str) -> bool:
    """Whether nobody chose the value then, and it is what its field has by itself now."""
    there = card.sources.get(name) == "default" and same(card.suggestions[name], taken[name].value)
    return there and taken[name].by == "default"


async def _card(made: Handle, card: Card, own: Mapping[str, Any], author: Author, whole: bool) -> bool:
    """Completes the card, or sets what passes and says why the rest does not. True: it is completed."""
    good: dict[str, Any] = {}
    refusals: list[Fact] = []
    place = made.place()
    for field in card.step.fields:
        if field.name not in own:
            continue
        try:
            value = _judge(field, own[field.name], card.offered.get(field.name), place)
        except Refused as error:
            refusals.append(author.refusal(card.step.name, field.name, error.value, error.reason))
            continue
        # a default stands in its field anyway, and stays one
        if card.sources.get(field.name) != "default" or not same(card.suggestions[field.name], value):
            good[field.name] = value
    facts = [author.fact("set", {"step": card.step.name, "values": good})] if good else []
    if refusals or not whole:
        if facts or refusals:
            await made.write(lambda _: [*facts, *refusals])
        return False
    outcome = await complete(
        made,
        card.step.name,
        own,
        BY,
        note=lambda outcome: facts if outcome.refused else [],
        sources=author.sources,
    )
    return not outcome.refused


def _judge(field: Field, raw: Any, offered: list[Any] | None, place: Place) -> Any:
    """The value as JSON; raises Refused."""
    return to_json(judge(field, raw, offered=offered, place=place))


def _carry(made: Handle, flow: Workflow, taken: Mapping[str, Taken], added: list[Fact]) -> dict[str, Any]:
    """The values for the new session: their files are copied into it, their secrets kept in it."""
    values: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    fields = flow.fields()
    for name, each in taken.items():
        field = fields.get(name)
        if field is None:
            continue
        folder = made.workspace.conversations / each.sid
        values[name] = each.value
        if field.kind == "secret":
            known = secrets_in(folder)
            secrets |= {name: known[name]} if name in known else {}
        elif "upload" in (field.kind, field.item.kind if field.item else ""):
            values[name] = _copied(each.value, folder / "files", made.files, added)
    made.keep_secrets(secrets)
    return values


def _copied(value: Any, source: Path, target: Path, added: list[Fact]) -> Any:
    """The value with its files in `target`; a file that is not there is left to the judge."""
    if isinstance(value, list):
        return [_copied(each, source, target, added) for each in value]
    name = value.get("file") if isinstance(value, dict) else None
    path = source / name if isinstance(name, str) and Path(name).name == name else None
    if path is None or path.is_symlink() or not path.is_file():
        return value
    with path.open("rb") as opened:
        fields = keep_upload(target, path.name, opened)
    added.append(Fact(BY, "added", fields))
    return {"file": fields["file"]}

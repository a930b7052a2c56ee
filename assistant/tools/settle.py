"""Answers to questions and proposals: what accept, decline and cancel do.

Each is answered once; what was dismissed can still be taken after all, where no value has come since.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import actions
from ..actions import Outcome, new_id
from ..errors import Conflict, NotFound, Refused
from ..log import Entry, Fact
from ..session import Session
from ..session.folding import source_of
from ..session.undoing import after_all
from ..workspace import Handle

StartRun = Callable[[Handle, str], Awaitable[str]]
ACTIONS = ("accept", "decline", "cancel")
LONGEST = 20_000


@dataclass
class Answered:
    """What came of an answer: values that were set, a run that was started, words to go on with."""

    outcome: Outcome = field(default_factory=Outcome)
    run: str | None = None
    words: str | None = None


async def settle(
    handle: Handle,
    id: str,
    action: str,
    value: str | None,
    by: str,
    start_run: StartRun,
    edited: Mapping[str, str] | None = None,
) -> Answered:
    """Answers the question or proposal `id`. Accepted values are set by `by`, in the same write.

    `edited` are values, by name, in place of those that were suggested; where one does not pass, nothing is
    answered. Raises NotFound, Refused (an action that there is not) or Conflict (it was answered before, and
    there is nothing of it to take after all).
    """
    if action not in ACTIONS:
        raise Refused(None, action, f"An answer is one of {', '.join(ACTIONS)}, not {action[:40]!r}.")
    entry = _open(handle.session(), id, action)
    fields: dict[str, Any] = {"id": id, "action": action}
    if value is not None and entry.did == "asked" and entry.get("about") is None:
        fields["value"] = value.encode("utf-8", "replace").decode()[:LONGEST]

    about = entry.get("about")
    values = _values(entry)
    changed = {name: text for name, text in (edited or {}).items() if name in values}
    if changed:
        fields["value"] = changed if len(changed) > 1 else next(iter(changed.values()))

    def note(outcome: Outcome) -> list[Fact]:
        _open(handle.session(), id, action)
        for name in changed:
            if name in outcome.refused:
                raise Refused(name, changed[name], outcome.refused[name])
        return [Fact(by, "answered", fields)]

    if action == "accept" and values:
        sources = {n: found for n in values.keys() - changed if (found := source_of(entry, n))}
        return Answered(await actions.fill(handle, values | changed, by, note=note, sources=sources))
    if action == "accept" and isinstance(about, Mapping) and about.get("next"):
        return Answered(await actions.set_on_card(handle, str(about["next"]), by, None, note))
    answered = Answered(await actions.fill(handle, {}, by, note=note))
    if action == "accept" and about == "run":
        answered.run = await start_run(handle, by)
    elif action == "accept" and about is None and entry.did == "asked":
        answered.words = fields.get("value") or "Yes"
    return answered


async def settle_named(handle: Handle, names: Sequence[str], action: str, by: str) -> Outcome:
    """Answers all that is suggested for these parameters, in one write; what else was suggested stays so.

    Of two values for one parameter the newer one is accepted; what is suggested only while this is written
    stays open. Raises Refused (no such action), NotFound or Conflict (some of it was answered meanwhile).
    """
    if action not in ACTIONS:
        raise Refused(None, action, f"An answer is one of {', '.join(ACTIONS)}, not {action[:40]!r}.")
    meant = _naming(handle.session(), names)
    ids = {entry["id"] for entry in meant}
    values = {n: value for entry in meant for n, value in _values(entry).items() if n in names}
    sources = {n: found for entry in meant for n in values if (found := source_of(entry, n))}

    def over(entry: Entry, name: str) -> bool:
        """Whether the user gave another value since."""
        change = handle.session().setting(name)
        return change is not None and change.n > entry.n

    def note(outcome: Outcome) -> list[Fact]:
        facts, open_ = [], [e for e in handle.session().proposals.values() if e["id"] in ids]
        if len(open_) < len(ids):
            raise Conflict("Some of this was answered meanwhile. The page shows what is true now.")
        for entry in open_:
            facts.append(Fact(by, "answered", {"id": entry["id"], "action": action}))
            rest = {n: value for n, value in _values(entry).items() if n not in names and not over(entry, n)}
            if rest:
                facts.append(Fact(entry.by, "proposed", {**entry.fields, "id": new_id("p"), "values": rest}))
        return facts

    if action != "accept":
        return await actions.fill(handle, {}, by, note=note)
    return await actions.fill(handle, values, by, note=note, sources=sources)


def _naming(session: Session, names: Sequence[str]) -> list[Entry]:
    """The open suggestions that have a value for one of these parameters."""
    found = [entry for entry in session.proposals.values() if _values(entry).keys() & {*names}]
    if not found:
        raise NotFound(f"Nothing is suggested for {', '.join(names)[:200]}.")
    return found


def _open(session: Session, id: str, action: str) -> Entry:
    """The question or suggestion; of one that was turned down, what of it may be accepted after all."""
    entry = session.questions.get(id) or session.proposals.get(id)
    if entry is not None:
        return entry
    known = next((each for each in reversed(session.chat) if each.get("id") == id), None)
    if known is None:
        raise NotFound(f"There is no question {id[:40]!r} in this session.")
    proposal = next((e for e in session.chat if e.did == "proposed" and e.get("id") == id), None)
    left = after_all(session, proposal) if proposal and action == "accept" else {}
    if proposal is None or not left:
        raise Conflict("This was answered already, or its value was given in another way.")
    return replace(proposal, fields={**proposal.fields, "values": left})


def _values(entry: Entry) -> dict[str, Any]:
    """The values that accepting sets, by name."""
    if entry.did == "proposed":
        return dict(entry.get("values") or {})
    about = entry.get("about")
    if isinstance(about, Mapping) and isinstance(about.get("name"), str):
        return {about["name"]: about.get("value")}
    return {}

"""A card's values, judged before anything is written: a form whole, a tool call value by value.

Pure but for the card's body, which runs in a thread with a deadline, and secrets.json.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..cards import Card, empty_of
from ..errors import Refused
from ..log import Entry, Fact
from ..parameters import MISSING, Field, Place, Secret, judge, to_json
from ..session import Session
from ..session.folding import source_of
from ..workflow import Step, Workflow, typed_values
from ..workspace import Handle
from .consequences import bounded, loggable, sentence

Source = Mapping[str, Any]
"""{session, n}: the entry of an earlier session that a value is taken from."""

TICKED = ("user", "model", "guide")  # those for whom a box that is not ticked says no


@dataclass
class Outcome:
    """What came of an action: the parameters that were set and refused (None: the card), and the entries."""

    set: dict[str, Any] = field(default_factory=dict)
    refused: dict[str | None, str] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Author:
    """Who does it: `by` of the entries, the turn that they belong to, and the words that are the reason.

    `sources` says of values by name which entry of an earlier session they are taken from.
    """

    by: str
    turn: str | None = None
    why: str | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)

    def fact(self, did: str, fields: Mapping[str, Any]) -> Fact:
        more: dict[str, Any] = {"turn": self.turn} if self.turn else {}
        if did == "set":
            own = fields["values"].keys() - {*fields.get("defaulted", ())}
            source = {name: dict(self.sources[name]) for name in self.sources if name in own}
            more |= ({"why": self.why} if self.why else {}) | ({"source": source} if source else {})
        return Fact(self.by, did, {**fields, **more})

    def refusal(self, step: str | None, name: str | None, value: Any, reason: str) -> Fact:
        return self.fact("refused", {"step": step, "name": name, "value": value, "reason": reason})


async def judge_card(
    handle: Handle, session: Session, flow: Workflow, card: Card, raw: Mapping[str, Any], author: Author
) -> tuple[Outcome, list[Fact]]:
    """The facts of a completed card, or of its refusal. `raw` holds what its form has."""
    step, outcome, place = card.step, Outcome(), handle.place()
    facts: list[Fact] = []
    values: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    defaulted: list[str] = []
    for field_ in step.fields:
        name = field_.name
        given, default = _given(card, field_, raw.get(name, MISSING), author)
        try:
            value = _judged(field_, given, card, place)
        except Refused as error:
            outcome.refused[name] = error.reason
            facts.append(author.refusal(step.name, name, error.value, error.reason))
            continue
        if isinstance(value, Secret) and given != {"secret": True}:
            secrets[name] = str(value)
        values[name] = to_json(value)
        stands = card.sources.get(name) == "default" and same(card.suggestions[name], values[name])
        if default or (stands and name not in author.sources):
            defaulted.append(name)
    if outcome.refused:
        return outcome, facts
    derived = await check(handle, flow, step, session.values | values, secrets)
    if isinstance(derived, Refused):
        outcome.refused[derived.name] = derived.reason
        return outcome, [author.refusal(step.name, derived.name, None, derived.reason)]
    handle.keep_secrets(secrets)
    outcome.set = {
        n: v for n, v in values.items() if n in secrets or not same(session.values.get(n, MISSING), v)
    }
    if outcome.set:
        named = [name for name in defaulted if name in outcome.set]
        more = {"defaulted": named} if named else {}
        taken = {**author.sources, **_of_proposals(session, values)}
        facts.append(
            replace(author, sources=taken).fact("set", {"step": step.name, "values": outcome.set, **more})
        )
    facts += derived_facts(step, derived, session)
    return outcome, [*facts, Fact(author.by, "advanced", {"step": step.name})]


def _of_proposals(session: Session, values: Mapping[str, Any]) -> dict[str, Source]:
    """Where the values come from that a proposal had taken from an earlier session."""
    return {
        name: source
        for proposal in session.proposals.values()
        for name, value in (proposal.get("values") or {}).items()
        if name in values and same(values[name], value) and (source := source_of(proposal, name))
    }


def _given(card: Card, field_: Field, raw: Any, author: Author) -> tuple[Any, bool]:
    """What the form says of a field, and whether that is its default because nothing was given."""
    name = field_.name
    if field_.kind in ("bool", "choices", "lines"):
        empty = raw is MISSING
    else:
        empty = raw is MISSING or raw is None or (isinstance(raw, str) and not raw.strip())
    kept = card.values.get(name, card.suggestions[name] if card.sources.get(name) == "stale" else None)
    if _is_file(field_) and kept is not None and (empty or raw == []):
        return kept, False
    if not empty or raw is None:
        return raw, False
    if name in card.defaults:
        return card.defaults[name], True
    if field_.optional:
        return None, False
    nothing = empty_of(field_) if author.by in TICKED else None
    return (MISSING if nothing is None else nothing), False


def _is_file(field_: Field) -> bool:
    """Whether a form cannot show the value, so that an empty field means the one that is there."""
    return field_.kind in ("secret", "upload") or (field_.item is not None and field_.item.kind == "upload")


def _judged(field_: Field, given: Any, card: Card, place: Place) -> Any:
    if given is MISSING:
        raise Refused(field_.name, None, f"{field_.label} is missing.")
    if given is None and field_.optional:
        return None
    return judge(field_, given, offered=card.offered.get(field_.name), place=place)


def judge_one(handle: Handle, card: Card, field_: Field, raw: Any) -> Any:
    """One value as a tool or the command line gives it, as JSON. Secrets and uploads are the card's alone."""
    if _is_file(field_):
        what = "a secret" if field_.kind == "secret" else "a file"
        raise Refused(field_.name, None, f"{field_.label} is {what}: it can be given on its card only.")
    return to_json(_judged(field_, raw, card, handle.place()))


async def fill_step(
    handle: Handle, session: Session, flow: Workflow, step: Step, values: dict[str, Any], outcome: Outcome,
    author: Author,
) -> list[Fact]:  # fmt: skip
    """The facts of judged values on one card. A completed card's body has to accept them, too."""
    status = session.status(step.name)
    derived: dict[str, Any] | Refused | None = None
    if status and status.did == "advanced":
        derived = await check(handle, flow, step, session.values | values, {})
    if isinstance(derived, Refused):
        outcome.refused |= dict.fromkeys(values, derived.reason)
        return [author.refusal(step.name, name, value, derived.reason) for name, value in values.items()]
    outcome.set |= values
    facts = [author.fact("set", {"step": step.name, "values": values})]
    return facts if derived is None else [*facts, *derived_facts(step, derived, session)]


async def check(
    handle: Handle, flow: Workflow, step: Step, values: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, Any] | Refused:
    """Runs the card's body: what it derives, or why it refuses (by name a field of the card, or None)."""
    if not step.body:
        return {}
    for name in step.passed:
        if name not in values and (earlier := flow.step_of(name)):
            reason = (
                f"This card looks at {name}, which is not known yet: complete “{earlier.question}” first."
            )
            return Refused(None, None, reason)
    place = handle.place()
    place = Place(files=place.files, secrets={**place.secrets, **secrets})
    seconds = handle.workspace.settings.card_seconds
    try:
        derived = await bounded(lambda: flow.derive(step, typed_values(flow, values, place)), seconds)
        return {name: loggable(value, place.secrets) for name, value in derived.items()}
    except Exception as error:  # a workflow's body may raise anything; it becomes the card's sentence
        if isinstance(error, Refused) and error.name and step.field(error.name):
            return Refused(error.name, None, sentence(ValueError(error.reason), seconds, place.secrets))
        return Refused(None, None, sentence(error, seconds, place.secrets))


def derived_facts(step: Step, derived: Mapping[str, Any], session: Session) -> list[Fact]:
    """What the step derives now, and which names it does not derive any more."""
    new = {name: v for name, v in derived.items() if not same(session.values.get(name, MISSING), v)}
    gone = [
        name
        for name in session.values
        if name not in derived
        and not step.field(name)
        and (change := session.setting(name))
        and (change.by, change.step) == ("workflow", step.name)
    ]
    facts = [Fact("workflow", "set", {"step": step.name, "values": new})] if new else []
    return facts + ([Fact("workflow", "cleared", {"step": step.name, "names": gone})] if gone else [])


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same: 1 is neither true nor 1.0."""
    return type(a) is type(b) and a == b


def loggable_value(value: Any) -> Any:
    """A refused value as it may stand in the log: JSON, bounded, without what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
        if len(text) <= 2_000 and text.count("[") + text.count("{") < 80:
            return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        pass
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "replace").decode()[:2_000]

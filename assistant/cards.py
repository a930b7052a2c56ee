"""What a session and its workflow show together: one card for each step. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .log import Entry
from .parameters import LISTS, MISSING, REDACTED, Field, to_json
from .session import Session
from .workflow import Step, Workflow


@dataclass(frozen=True)
class Card:
    """A step as it stands. `state` is locked, open, done, stale or skipped; all values are JSON.

    `suggestions` stand in empty fields and count only once confirmed: values that went stale, proposals
    of the model, and defaults. `sources` says which of these each is: stale, model, guide or default.
    `defaults` are what a field that is left empty becomes, whatever is suggested for it.
    """

    step: Step
    state: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    suggestions: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    offered: dict[str, list[Any]] = field(default_factory=dict)
    because: str | None = None
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> list[Field]:
        """The fields that have neither a value nor a default and may not be empty."""
        known = self.values.keys() | self.defaults.keys()
        return [f for f in self.step.fields if f.name not in known and not f.optional and empty_of(f) is None]


def empty_of(field: Field) -> Any:
    """What an empty field of a form says: False for a bool, [] for a list, else None (nothing)."""
    return False if field.kind == "bool" else [] if field.kind in LISTS else None


def cards(session: Session, workflow: Workflow) -> list[Card]:
    """The cards in the order of the steps. The open one is the first that is neither done nor skipped."""
    found, opened = [], False
    for step in workflow.steps:
        status = session.status(step.name)
        did = status.did if status else None
        because = status.get("because") if status and did == "reopened" else None
        if did in ("advanced", "skipped"):
            state = "done" if did == "advanced" else "skipped"
        elif not opened:
            state, opened = "open", True
        else:
            state = "stale" if because else "locked"
        found.append(_card(session, step, state, because))
    return found


def _card(session: Session, step: Step, state: str, because: str | None) -> Card:
    names = [field.name for field in step.fields]
    opening = session.opening(step.name)
    found = {field_.name: static_default(field_) for field_ in step.fields}
    found |= (opening.get("suggested") or {}) if opening else {}
    defaults = {name: value for name, value in found.items() if value is not MISSING and name in names}
    suggestions, sources = dict(defaults), dict.fromkeys(defaults, "default")
    for name in names:
        if name in session.suggestions:
            suggestions[name], sources[name] = session.suggestions[name], "stale"
    for proposal in session.proposals.values():
        for name, value in (proposal.get("values") or {}).items():
            if name in names:
                suggestions[name], sources[name] = value, proposal.by
    values = {name: session.values[name] for name in names if name in session.values}
    if state != "done":  # what was taken out of the record is asked as if it had never been given
        values = {name: value for name, value in values.items() if value != REDACTED}
    return Card(
        step,
        state,
        values,
        {name: session.origins[name] for name in values},
        {name: value for name, value in suggestions.items() if name not in values},
        {name: by for name, by in sources.items() if name not in values},
        dict((opening.get("offered") or {}) if opening else {}),
        because,
        defaults,
    )


def static_default(field: Field) -> Any:
    """The field's constant default as JSON; MISSING where it has none or a function gives it."""
    from_ask = field.ask.default
    default = from_ask if from_ask is not MISSING and not callable(from_ask) else field.default
    if default is MISSING or callable(from_ask):
        return MISSING
    return to_json(default)


def open_card(found: Sequence[Card]) -> Card | None:
    return next((card for card in found if card.state == "open"), None)


def card_of(found: Sequence[Card], name: str) -> Card | None:
    """The card that asks the parameter `name`."""
    return next((card for card in found if card.step.field(name)), None)


def help_due(session: Session, card: Card | None) -> bool:
    """Whether the open card's help was not pushed since it opened."""
    mark = session.mark(card.step.name, "opened", "helped") if card else None
    return mark is not None and mark.did == "opened"


@dataclass(frozen=True)
class Situation:
    """What the guide looks at: the user's words, the cards, and this turn's calls with their results."""

    workflow: Workflow
    session: Session
    cards: list[Card]
    words: str
    results: tuple[tuple[Any, dict[str, Any]], ...] = ()
    said: tuple[Entry, ...] = ()

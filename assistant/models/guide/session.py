"""What the guide says of the whole session: values, what is missing, results, refusals. Markdown."""

from collections.abc import Sequence

from ...cards import Card, Situation, card_of, open_card
from ...parameters import Field, show
from ...queries import tables_of
from .context import missing_of, still_missing
from .fields import as_plain, as_sentence, rules

_MOST = 4  # fields that are named as free
_WHO = {"user": "you", "model": "the model", "workflow": "computed"}


def overview(situation: Situation) -> str:
    """All values so far, by step, and who gave them."""
    told = []
    for card in situation.cards:
        lines = []
        for field in (field for field in card.step.fields if field.name in card.values):
            by = card.origins.get(field.name, "")
            value = as_plain(show(field, card.values[field.name]))
            lines.append(f"- {field.label}: **{value}** ({_WHO.get(by, by)})")
        told += [f"{card.step.question}\n\n" + "\n".join(lines)] if lines else []
    if not told:
        return "Nothing is set yet. " + whats_next(situation)
    return "\n\n".join(["So far:", *told, whats_next(situation)])


def whats_next(situation: Situation, given: Sequence[str] = (), named: bool = False) -> str:
    """What the session waits for; `given` are names that were set in this turn.

    `named`: the open card's title was said right before.
    """
    card = open_card(situation.cards)
    if card is None:
        run = situation.session.run
        if run and run.state == "running":
            return "It is running."
        return "Every step is done. Say **run it** to start."
    wanted = [field for field in missing_of(card) if field.name not in given]
    missing = [field for field in wanted if field.name not in card.suggestions]
    suggested = [field.label for field in wanted if field not in missing]
    if missing:
        first = missing[0]
        more = f" Then: {', '.join(field.label for field in missing[1:])}." if len(missing) > 1 else ""
        more += f" Only suggested: {', '.join(suggested)}." if suggested else ""
        return f"{still_missing(first)}, {rules(first, card)}.{more}"
    where = "" if named else f" for “{card.step.question}”"
    if suggested:
        listed = ", ".join(suggested)
        return f"Nothing else is missing{where}. Say **next** to take what is suggested: {listed}."
    return f"Nothing is missing{where}.{_optional(card, given)} Say **next** to go on."


def _optional(card: Card, given: Sequence[str]) -> str:
    """The fields that may still be filled."""
    free = [f.label for f in card.step.fields if f.name not in card.values and f.name not in given]
    if len(free) > _MOST:
        free = [*free[: _MOST - 1], f"{len(free) - _MOST + 1} more"]
    told = " and ".join([", ".join(free[:-1]), free[-1]]) if len(free) > 1 else "".join(free)
    return f" {told} can still be set." if told else ""


def results(situation: Situation) -> str:
    """The newest run, and the names of what it made."""
    run = situation.session.run
    if run is None:
        return "Nothing has run yet. " + whats_next(situation)
    made = [
        f"{result.get('name') or result.get('file') or result.get('kind')}"
        + (f" ({result['rows']} rows)" if result.get("rows") is not None else "")
        for result in run.results
    ]
    told = [f"The run is {run.state}."] + ([f"{run.reason}"] if run.reason else [])
    if run.state == "running" and run.total:
        told.append(f"{run.done:g} of {run.total:g}{f': {run.note}' if run.note else ''}.")
    told += [f"It made {', '.join(made)}; they stand below the cards."] if made else []
    if tables := tables_of(situation.session):
        told.append(f"Ask about them, such as “how many {next(iter(tables))}?”")
    return " ".join(told)


def refused(situation: Situation, field: Field | None) -> str:
    """Why the newest value, or the one of `field`, was not taken."""
    known = situation.session.refusals
    found = [
        entry
        for key, entry in known.items()
        if field is None or key == field.name or entry.get("name") == field.name
    ]
    if not found:
        what = f" for **{field.label}**" if field else ""
        tail = f" It takes {rules(field, card_of(situation.cards, field.name))}." if field else ""
        return f"No value is refused now{what}.{tail}"
    entry = max(found, key=lambda entry: entry.n)
    return refusal(situation, entry.get("name"), str(entry.get("reason", "")))


def refusal(situation: Situation, name: str | None, reason: str) -> str:
    """A refusal with its reason, and what the parameter is still."""
    card = card_of(situation.cards, name) if name else None
    field = card.step.field(name) if card and name else None
    told = as_sentence(reason) if "not taken" in reason else f"Not taken: {as_sentence(reason)}"
    if card is None or field is None:
        return told
    if field.name in card.values:
        return f"{told} **{field.label}** stays {show(field, card.values[field.name])}."
    return f"{told} **{field.label}** is as it was."

"""What the built-in guide says: of cards, fields and values, and of what its calls came to. Markdown."""

import re
from collections.abc import Sequence
from typing import Any

from ..cards import Card, Situation, card_of, open_card, static_default
from ..parameters import MISSING, Field, choices, lengths, limits, noun, show, to_json
from ..words import keys

MANY = 12  # options that are listed in one answer
ABILITIES = (
    "I can set values (“depth 3, at most 200 pages”), take the defaults, go on (“next”), skip, go "
    "back, undo, redo and "
    "run, and I can explain every step and field (“what can I choose?”, “why do you need this?”, "
    "“what have you got so far?”)."
)
WHO = "I am the built-in guide: plain rules, no language model, no network. " + ABILITIES


# --- one field, one card -----------------------------------------------------------------------------


def rules(field: Field, card: Card | None = None) -> str:
    """What the field takes, in a few words: "0 to 10 clicks", "one of: site, csv"."""
    options = [label for _, label in choices(field, card.offered.get(field.name) if card else None)]
    if options and len(options) <= MANY:
        which = "any of" if field.kind == "choices" else "one of"
        told = [f"{which}: {', '.join(options)}"]
    elif options:
        told = [f"one of {len(options)} options, such as {', '.join(options[:5])}"]
    else:
        told = [limits(field) or _noun(field), lengths(field)]
        told += (
            [f"for example {show(field, to_json(field.ask.example))}"]
            if field.ask.example is not None
            else []
        )
    told += ["may be empty"] if field.optional else []
    return ", ".join(part for part in told if part)


def _noun(field: Field) -> str:
    return f"{noun(field)}, in {field.ask.unit}" if field.ask.unit else noun(field)


def default_of(field: Field, card: Card | None) -> Any:
    """The field's default as JSON, also one that a function gave as the card opened; MISSING without one."""
    if card and card.sources.get(field.name) == "default":
        return card.suggestions[field.name]
    return static_default(field)


def describe(field: Field, card: Card | None) -> str:
    """One field in one line: its label, help, rules, value and default."""
    told = [f"**{field.label}**: {rules(field, card)}."]
    if field.ask.help:
        told.append(_sentence(field.ask.help))
    if card and field.name in card.values:
        told.append(f"It is {show(field, card.values[field.name])} now.")
    default = default_of(field, card)
    if default is not MISSING and default != (card.values.get(field.name) if card else None):
        told.append(f"Its default is {show(field, default)}.")
    return " ".join(told)


def about_step(card: Card) -> str:
    """The step's question, its help and its fields."""
    told = [f"**{card.step.question}**"]
    told += [card.step.help] if card.step.help else []
    told += (
        ["\n".join(f"- {describe(field, card)}" for field in card.step.fields)] if card.step.fields else []
    )
    return "\n\n".join(told)


def options(field: Field, card: Card | None) -> str:
    found = choices(field, card.offered.get(field.name) if card else None)
    if not found:
        return describe(field, card)
    shown = [label for _, label in found[:MANY]]
    more = f" … and {len(found) - MANY} more" if len(found) > MANY else ""
    which = "any of these" if field.kind == "choices" else "one of these"
    return (
        f"**{field.label}**, {which}:\n\n"
        + "\n".join(f"{n}. {label}" for n, label in enumerate(shown, 1))
        + more
    )


def need(field: Field, situation: Situation) -> str:
    """Why a field is asked: its help, and what takes its value later."""
    card = card_of(situation.cards, field.name)
    flow = situation.workflow
    takers = [step.question for step in flow.steps if field.name in step.takes]
    told = [_sentence(field.ask.help)] if field.ask.help else []
    if card and not field.ask.help and card.step.help:
        told.append(_first_lines(card.step.help))
    if takers:
        told.append(
            f"**{field.label}** is used by the later step{'s' if len(takers) > 1 else ''} "
            + ", ".join(f"“{taker}”" for taker in takers)
            + "."
        )
    run = flow.run_function
    names = (
        run.__code__.co_varnames[: run.__code__.co_argcount + run.__code__.co_kwonlyargcount] if run else ()
    )
    if run and (field.name in names or run.__code__.co_flags & 8):
        told.append(f"The run takes **{field.label}**{' too' if takers else ''}.")
    return " ".join(told) or f"Nothing in this workflow says what **{field.label}** is used for."


def need_step(card: Card, situation: Situation) -> str:
    told = [card.step.help] if card.step.help else []
    told += [f"- {need(field, situation)}" for field in card.step.fields]
    return "\n\n".join([*told[:1], "\n".join(told[1:])]) if card.step.help else "\n".join(told)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."


def _first_lines(text: str) -> str:
    return _sentence(text.split("\n\n")[0])


# --- the whole session -------------------------------------------------------------------------------


def overview(situation: Situation) -> str:
    """All values so far, by step, and who gave them."""
    who = {
        "user": "you",
        "default": "default",
        "model": "the model",
        "guide": "guide",
        "workflow": "computed",
    }
    lines = []
    for number, card in enumerate(situation.cards, 1):
        for field in card.step.fields:
            if field.name in card.values:
                by = card.origins.get(field.name, "")
                lines.append(
                    f"- {number}. {field.label}: **{show(field, card.values[field.name])}** "
                    f"({who.get(by, by)})"
                )
    if not lines:
        return "Nothing is set yet. " + whats_next(situation)
    return "So far:\n\n" + "\n".join(lines) + "\n\n" + whats_next(situation)


def whats_next(situation: Situation, given: Sequence[str] = ()) -> str:
    """What the session waits for; `given` are names that were set in this turn."""
    card = open_card(situation.cards)
    if card is None:
        run = situation.session.run
        if run and run.state == "running":
            return "It is running."
        return "Every step is done. Say **run it** to start."
    missing = [field for field in card.missing if field.name not in given]
    if missing:
        first = missing[0]
        more = f" Then: {', '.join(field.label for field in missing[1:])}." if len(missing) > 1 else ""
        return f"Still missing: **{first.label}**, {rules(first, card)}.{more}"
    return f"Nothing is missing for “{card.step.question}”. Say **next** to go on."


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
    return _refusal(situation, entry.get("name"), str(entry.get("reason", "")))


def _refusal(situation: Situation, name: str | None, reason: str) -> str:
    card = card_of(situation.cards, name) if name else None
    field = card.step.field(name) if card and name else None
    told = _sentence(reason) if "not taken" in reason else f"Not taken: {_sentence(reason)}"
    if card is None or field is None:
        return told
    if field.name in card.values:
        return f"{told} **{field.label}** stays {show(field, card.values[field.name])}."
    return f"{told} **{field.label}** is as it was."


# --- what the calls came to --------------------------------------------------------------------------


def report(situation: Situation) -> str:
    """What this turn's calls did, only as their results say it, and what comes next."""
    told: list[str] = []
    given: list[str] = []
    for call, result in situation.results:
        told += _outcome(situation, call.tool, call.arguments, result)
        given += [*(result.get("set") or {}), *(result.get("unchanged") or [])]
    _, result = situation.results[-1]
    waits = any(result.get(key) for key in ("asked", "started", "refused"))
    if situation.session.question is not None and not waits:
        waits = True
        told.append(f"Still open: {situation.session.question.get('question', '')}")
    if not waits:
        told.append(whats_next(situation, given))
    return " ".join(told)


def _told(situation: Situation, result: dict[str, Any]) -> list[str]:
    """What became of each value."""
    told = [
        f"{_label(situation, name)}: **{_shown(situation, name, value)}**."
        for name, value in (result.get("set") or {}).items()
    ]
    told += [
        f"{_label(situation, name)} is {_shown(situation, name, _value(situation, name))} already."
        for name in result.get("unchanged") or []
    ]
    told += [
        f"Only suggested, not set: {_label(situation, name)} {_shown(situation, name, value)}."
        for name, value in (result.get("proposed") or {}).items()
    ]
    told += [_refusal(situation, name, str(reason)) for name, reason in (result.get("refused") or {}).items()]
    return told


def _asked(situation: Situation) -> list[str]:
    question = situation.session.question
    return [
        f"{question.get('question', '')} Say **yes** or **no**."
        if question
        else "Please answer the question."
    ]


def _outcome(situation: Situation, tool: str, arguments: Any, result: dict[str, Any]) -> list[str]:
    if result.get("error"):
        return [_sentence(str(result["error"]))]
    if result.get("asked"):
        return _told(situation, result) + _asked(situation)
    if tool in ("next_step", "skip_step") and result.get("refused"):
        return [f"Not yet. {' '.join(_sentence(str(reason)) for reason in result['refused'].values())}"]
    told = _told(situation, result)
    if told:
        return told
    if tool == "next_step" and "asked" not in result:
        opened = result.get("opened")
        card = next((card for card in situation.cards if card.step.name == opened), None)
        return [f"On to **{card.step.question}**"] if card else []
    if tool == "skip_step":
        return ["Done with this step."] if result.get("ok") else []
    if tool == "reopen_step":
        card = next((card for card in situation.cards if card.step.name == arguments.get("step")), None)
        return [
            f"“{card.step.question if card else arguments.get('step')}” is open again; its values are kept."
        ]
    if tool in ("undo", "redo"):
        names = ", ".join(_label(situation, name) for name in result.get("names") or [])
        return [f"{'Undone' if tool == 'undo' else 'Done again'}{f': {names}' if names else ''}."]
    if tool == "answer_question" and result.get("started"):
        return ["The run has started."]
    if tool == "answer_question":
        return [
            {"accept": "Answered.", "decline": "Declined.", "cancel": "Left aside."}[
                str(arguments.get("action"))
            ]
        ]
    if tool == "run_workflow":
        return ["The run has started."] if result.get("started") else []
    return []


def _label(situation: Situation, name: str) -> str:
    card = card_of(situation.cards, name)
    field = card.step.field(name) if card else None
    return field.label if field else name


def _value(situation: Situation, name: str) -> Any:
    return situation.session.values.get(name)


def _shown(situation: Situation, name: str, value: Any) -> str:
    card = card_of(situation.cards, name)
    return show(card.step.field(name) if card else None, value)


# --- what the words are about ------------------------------------------------------------------------


def topic(situation: Situation, about: str) -> Field | Card | None:
    """The field or card that "the depth", "clicks", "step 2", "this" means; None where it is not clear."""
    number = re.fullmatch(r"(?:the )?(?:(?:step|card) (\w+)|(\w+)(?: step| card)?)", about.strip())
    index = _number((number[1] or number[2]) if number else "", len(situation.cards))
    if index is not None:
        return situation.cards[index]
    if about.strip() in (
        "",
        "this",
        "that",
        "it",
        "here",
        "these",
        "this step",
        "this card",
        "them",
        "those",
    ):
        return open_card(situation.cards)
    wanted = {key for key in keys(about)} - {"the", "a", "step", "card", "field", "value", "for", "of"}
    scores: list[tuple[float, Field | Card]] = []
    for card in situation.cards:
        near = 0.1 if card.state == "open" else 0.0
        step_words = set(keys(card.step.name)) | set(keys(card.step.question))
        scores.append((_overlap(wanted, step_words, set(keys(card.step.name))) - 0.3 + near, card))
        for field in card.step.fields:
            own = set(keys(field.name)) | set(keys(field.label))
            unit = set(keys(field.ask.unit)[:1])
            scores.append(
                (
                    max(_overlap(wanted, own, set(keys(field.name))), 0.8 * _overlap(wanted, unit, unit))
                    + near,
                    field,
                )
            )
    best = max((score for score, _ in scores), default=0.0)
    hits = [item for score, item in scores if score == best]
    return hits[0] if best >= 0.5 and len(hits) == 1 else None


def _overlap(wanted: set[str], words: set[str], name: set[str]) -> float:
    if not wanted:
        return 0.0
    return len(wanted & words) / len(wanted) + (0.5 if wanted == name or (name and name <= wanted) else 0.0)


def _number(word: str, count: int) -> int | None:
    names = "one two three four five six seven eight nine ten".split()
    ordinals = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
    if word == "last":
        return count - 1
    for known in (names, ordinals, [str(n) for n in range(1, count + 1)]):
        if word in known and known.index(word) < count:
            return known.index(word)
    return None


_COMMON = frozenset(
    "the a an of to in on at for and or is are be it its this that which what how why when where who "
    "do does did can could "
    "should would will i you we my your me if with not no there here about one they them get have "
    "has as by from so up out".split()
)


def content(words: str) -> set[str]:
    """The words that tell what a question is about."""
    return {key for key in keys(words) if not key.isdigit()} - _COMMON


def search(situation: Situation, words: str) -> str | None:
    """The lines of all help texts that share the most words with the question; None where none does."""
    wanted = content(words)
    lines: list[tuple[str, str]] = [(situation.workflow.title, situation.workflow.description)]
    for card in situation.cards:
        lines += [(card.step.question, line.strip()) for line in _sentences(card.step.help)]
        lines += [(field.label, _sentence(field.ask.help)) for field in card.step.fields if field.ask.help]
    counts = {word: sum(word in keys(f"{where} {line}") for where, line in lines) for word in wanted}
    scored = []
    for where, line in lines:
        shared = wanted & set(keys(f"{where} {line}"))
        score = sum(1 / counts[word] for word in shared if counts[word]) + 0.001 * len(shared)
        if line and len(shared) >= min(2, len(wanted)):
            scored.append((score, where, line))
    scored.sort(key=lambda item: -item[0])
    if not scored:
        return None
    return "From the help:\n\n" + "\n".join(f"> **{where}** {line}" for _, where, line in scored[:3])


def _sentences(text: str) -> list[str]:
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]
    return [part for block in blocks for part in re.split(r"(?<=[.!?])\s+", block) if part]

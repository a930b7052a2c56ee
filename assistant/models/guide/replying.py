"""The words of a reply: what the calls came to, answers to what was asked, and what comes next."""

import re
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...parameters import LISTS, NUMBERS, Field, choices, show, to_json
from ...queries import QUERY, tables_of
from ...words import fold, keys, read
from .answering import answer
from .clarifying import numbers_meant, said_alone
from .context import MORE, offered_of, shown_values, still_open, which_value
from .declining import explained
from .fields import about_step, as_plain, describe, options, rules
from .leftover import leftover
from .message import Message, no_results, understand
from .phrases import LONGEST, Intent
from .planning import held, not_made, previous, target_of
from .privacy import private
from .questions import lists_something, of_results
from .reasons import meanings, need, need_now, need_step
from .report import report
from .search import content_of, search
from .session import overview, refused, results, whats_next
from .texts import awaited_text
from .topics import HERE, named_fields, suggested, topic
from .verdicts import verdicts

ABILITIES = (
    "I can set values{}, take the defaults, go on (“next”), skip, go back, undo, redo, start over and run, "
    "and I can explain every step and field (“what can I choose?”, “why do you need this?”, “what have you "
    "got so far?”)."
)
_OF_SOME = re.compile(
    r"\s*(?:(?:which|what) \w+(?: \w+)? (?:is|are|was|were|has|have|had|do|does|did)|how (?:many|much)) ",
    re.IGNORECASE,
)
WHO = "I am the built-in guide: plain rules, no language model, no network. "

_CLEARS = re.compile(r"\s*(?:please )?(?:clear|empty|unset|erase|delete|remove)\b", re.IGNORECASE)

OVER = (
    "Nothing was changed: every session keeps what was said and done in it. A new session can be "
    "begun from the start page; this one stays in its list."
)


def reply(situation: Situation) -> str:
    """What the calls came to, the answers to what was asked, and what comes next."""
    message = understand(situation)
    told = [report(situation)] if situation.results else []
    notes = {intent.about: intent.note for intent in message.intents}
    queries = [(call.arguments["sql"], result) for call, result in situation.results if call.tool == QUERY]
    told += [answer(sql, result, notes.get(sql, "")) for sql, result in queries]
    told.append(leftover(situation, message))
    told.append(_stopped(situation, message))
    for intent in message.intents:
        told += _say(situation, message, intent)
    told = [text for text in dict.fromkeys(told) if text]
    return "\n\n".join(told) or _nothing_found(situation, message)


def _stopped(situation: Situation, message: Message) -> str:
    """That next, skip or run was not carried out, and why it was not."""
    tools, why = [tool for tool, _ in not_made(situation, message)], held(situation, message)
    if not tools or not (why or situation.results):
        return ""
    nothing = "nothing was run" if "run_workflow" in tools else "this step is still open"
    question = situation.session.question
    if why != "open" or question is None or any(result.get("asked") for _, result in situation.results):
        return f"So I stopped there: {nothing}."
    return f"{still_open(question)} So {nothing}; say it again to go on without an answer."


def _say(situation: Situation, message: Message, intent: Intent) -> list[str]:
    kind = intent.kind
    if kind in _PLAIN:
        return [_PLAIN[kind](situation)] if not (situation.results and kind in _SMALL_TALK) else []
    if kind in ("options", "range", "meaning", "need", "refused", "default", "value"):
        return [_about(situation, intent)]
    if kind == "model":
        return [_who_answers(intent.about)]
    if kind == "unclear":
        return [intent.about]
    if kind == "search":
        return [_search(situation, intent)]
    if situation.results:
        return []
    if kind in ("back", "goto"):
        return [_not_reopened(situation, intent)]
    if kind == "keep":
        return [f"Nothing was changed. {whats_next(situation)}"]
    if kind in ("decline", "omit"):
        return [explained(situation, message)]
    if kind == "defaults":
        unknown = intent.about and topic(situation, intent.about) is None
        told = "I can not tell which field that means." if unknown else "There is no default to use here."
        return [f"{told} {whats_next(situation)}"]
    alone = message.bare or kind == "cancel" or situation.session.question is not None
    if kind in ("yes", "no", "cancel") and alone and not message.kinds - {"yes", "no", "cancel"}:
        return [_unasked(situation, kind)]
    return []


def _greet(situation: Situation) -> str:
    told = "Hello. I am the built-in guide; I work by plain rules, without a language model. "
    return told + whats_next(situation)


def _help(situation: Situation) -> str:
    card = open_card(situation.cards)
    return (about_step(card) + "\n\n" if card else "") + abilities(situation)


_PLAIN = {
    "greet": _greet,
    "thanks": lambda situation: "You are welcome. " + whats_next(situation),
    "bye": lambda situation: "Goodbye. Everything is kept; open this session again to go on.",
    "help": _help,
    "who": lambda situation: WHO + abilities(situation),
    "whatever": lambda situation: (
        "I choose nothing by myself. Say **use the defaults**, or **skip**. " + whats_next(situation)
    ),
    "over": lambda situation: OVER,
    "overview": overview,
    "missing": whats_next,
    "results": results,
}
_SMALL_TALK = ("greet", "thanks", "bye")


def _who_answers(name: str) -> str:
    name = re.sub(r"[^\w.:/-]", "", name)[:80]
    named = f"write `/model {name}`; " if name else ""
    return f"Nothing was changed. To choose who answers {named}write `/model` to see who there is."


def _about(situation: Situation, intent: Intent) -> str:
    target = topic(situation, intent.about)
    card = card_of(situation.cards, target.name) if isinstance(target, Field) else target
    if intent.kind == "refused":
        return refused(situation, target if isinstance(target, Field) else None)
    if intent.kind == "need" and intent.about in HERE:
        return need_now(situation)
    option = meanings(situation, intent.about) if intent.kind == "meaning" else ""
    if target is None or card is None or (option and not isinstance(target, Field)):
        return option or _search(situation, intent)
    if intent.kind == "options":
        return _options(situation, target, card)
    if isinstance(target, Field):
        if intent.kind == "need":
            return f"**{target.label}**: {need(target, situation)}"
        return "\n\n".join(text for text in (describe(target, card), option) if text)
    return need_step(target, situation) if intent.kind == "need" else about_step(target)


def _options(situation: Situation, target: Field | Card, card: Card) -> str:
    """The options of one field; of a card: of its fields that have some, and the rules of the others."""
    if isinstance(target, Field):
        return options(target, card)
    listed = [f for f in card.step.fields if choices(f, card.offered.get(f.name))]
    others = "\n".join(f"- {describe(field, card)}" for field in card.step.fields if field not in listed)
    return "\n\n".join([*(options(field, card) for field in listed), others]).strip() or whats_next(situation)


def _search(situation: Situation, intent: Intent) -> str:
    """The fields that the question is mostly about, else what the help texts say."""
    words = situation.words[slice(*intent.span)]
    named = named_fields(situation, words)
    content = content_of(words)
    own = {key for field in named for key in (*keys(field.name), *keys(field.label))}
    found = search(situation, words) if 2 * len(content & own) < len(content) or not named else None
    if found or not named:
        return found or _unanswered(situation, words)
    lines = "\n\n".join(describe(field, card_of(situation.cards, field.name)) for field in named)
    return lines + " Nothing was changed by the question." if any(c.isdigit() for c in words) else lines


def _unanswered(situation: Situation, words: str) -> str:
    """Where nothing answers a question: it may be about results that are not there yet."""
    if not tables_of(situation.session) and _OF_SOME.match(words):
        return f"I can not tell. {no_results(situation)}"
    return _cannot(situation, words)


def _named_field(situation: Situation, words: str) -> Field | None:
    """The one field that is named; a secret or a file before others that share a word with it."""
    named = named_fields(situation, words)
    kept = [field for field in named if field.kind in ("secret", "upload")] or named
    return kept[0] if len(kept) == 1 else None


def _not_reopened(situation: Situation, intent: Intent) -> str:
    card = previous(situation) if intent.kind == "back" else target_of(situation, intent.about)
    if card is None:
        return "There is no step before this one. " + whats_next(situation)
    if card.state == "open":
        return f"“{card.step.question}” is open. " + whats_next(situation)
    return f"“{card.step.question}” comes later. " + whats_next(situation)


def _unasked(situation: Situation, kind: str) -> str:
    question = situation.session.question
    if question is not None:
        listed = ", ".join(str(option) for option in question.get("options") or [])
        return f"{question.get('question', '')} Say {f'one of: {listed}' if listed else '**yes** or **no**'}."
    if kind == "cancel":
        undo = "To take back the last value say **undo**; a run has its own Cancel button."
        return f"There is no open question. {undo}"
    return "There is no open question, so nothing was changed. " + whats_next(situation)


def _nothing_found(situation: Situation, message: Message) -> str:
    """Where nothing was understood: which value is unclear, or what a guide can not do."""
    target = _named_field(situation, message.words)
    if target is None and (lists_something(message.words) or of_results(message.words)):
        known = tables_of(situation.session)
        return _cannot(situation, message.words) if known else no_results(situation)
    if target is None and len(read(message.words)) <= 3:
        meant = topic(situation, message.words)
        target = meant if isinstance(meant, Field) else None
    if target:
        if target.kind in ("secret", "upload"):
            return f"**{target.label}** can be given on its card only, so nothing was changed here."
        card = card_of(situation.cards, target.name)
        if _CLEARS.match(message.words) and not (target.optional or target.kind in LISTS):
            return f"**{target.label}** can not be empty, so nothing was changed. {describe(target, card)}"
        return f"I am not sure what to set, so nothing was changed. {describe(target, card)} {_which(target)}"
    if any(said.all for said in verdicts(message.words)) and not suggested(situation):
        return f"Nothing is suggested now, so nothing was changed. {whats_next(situation)}"
    if relative := _relative(situation, message):
        return relative
    if any(part.kind in ("number", "url", "path") for part in read(message.words)):
        return "I am not sure which value that is for, so nothing was changed. " + whats_next(situation)
    text = awaited_text(situation)
    if text and text.kind != "long" and not private(situation, message.words):
        card = card_of(situation.cards, text.name)
        return (
            f"Nothing was changed: I am not sure that this is the {text.label}. "
            f"If it is, say “{text.label}: …”. " + f"{_which(text)} It takes {rules(text, card)}."
        )
    found = search(situation, message.words) if len(fold(message.words).split()) > 1 else None
    return f"I can not do that without a model. {found}" if found else _cannot(situation, message.words)


def _which(field: Field) -> str:
    return f"{which_value(field)}?"


def _relative(situation: Situation, message: Message) -> str:
    """ "Make it longer": by how much is not said."""
    fields = numbers_meant(situation)
    if len(fields) != 1 or not MORE.fullmatch(message.left.strip(" .!,;").lower()):
        return ""
    card = card_of(situation.cards, fields[0].name)
    return f"I can not tell how much. {describe(fields[0], card)} {_which(fields[0])}"


def _cannot(situation: Situation, words: str) -> str:
    """What was not understood, what a guide can do, and what is open."""
    said = " ".join(words.split())
    told = f"I did not understand “{as_plain(said)}”. " if len(said) <= LONGEST else ""
    told = "" if private(situation, words) else told
    card, question = open_card(situation.cards), situation.session.question
    open_ = f"“{card.step.question}” is open. " if card else ""
    open_ = still_open(question) if question else open_ + whats_next(situation, named=card is not None)
    return f"{told}I can not do that without a model. {abilities(situation)}\n\n{open_}"


def abilities(situation: Situation) -> str:
    """What the guide can do, with values of the open card as an example."""
    card = open_card(situation.cards)
    said = [said for field in (card.step.fields if card else ()) if (said := _example(situation, field))]
    return ABILITIES.format(f" (“{', '.join(said[:2])}”)" if said else "")


def _example(situation: Situation, field: Field) -> str:
    """A value of the field as it can be said: "width 10 cm"."""
    found = choices(field, offered_of(situation).get(field.name))
    values: list[Any] = [value for value, _ in found[-1:]] if field.kind == "choice" else []
    if field.kind in NUMBERS:
        values += [shown_values(situation).get(field.name), to_json(field.ask.example), field.ask.ge, 3, 1]
    ways = [(value, text) for value in values if value is not None for text in (value, show(field, value))]
    for raw, text in ways:
        words = f"{field.label.lower()} {text}"
        if [(item.name, item.raw) for item in said_alone(situation, words)] == [(field.name, raw)]:
            return as_plain(words)
    return ""

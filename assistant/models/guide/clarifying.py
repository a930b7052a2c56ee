"""A question with buttons instead of a guess: which field a value is for, which option, which number.

Each option says its value by itself ("Adults: 5"), so that pressing it is the same as saying it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ...cards import Situation, open_card
from ...log import Entry
from ...parameters import NUMBERS, TIMES, Field, choices, show
from ...words import FILLER, SPELLED, WEEKDAYS, Found, find, find_days, fold, keys, read
from .context import MORE, OTHER, last_set, offered_of, said_on, shown_values
from .message import Message
from .moving import says_how_much, which_moves
from .phrases import LONGEST, ONWARDS, rest
from .texts import awaited_text, which_list
from .topics import named_fields
from .values import corrected, expecting, option_alone, said, sides_of, takers, would_pass

MOST = 8  # options of a question
_SHORT = 12  # parts of a message that can be asked about


def clarify(situation: Situation, message: Message) -> tuple[str, list[str]] | None:
    """The question and its options, where the words fit more than one thing equally; else None."""
    words = message.left.strip()
    others = message.kinds - {"no", "yes", *ONWARDS}
    if others or len(words) > LONGEST or not 0 < len(read(words)) <= _SHORT:
        return None
    plain = " ".join(part.text for part in read(words) if part.kind != "mark")
    if MORE.fullmatch(plain):
        fields = numbers_meant(situation)
        return ("Which one?", [field.label for field in fields][:MOST]) if len(fields) > 1 else None
    if says_how_much(situation, words):
        return _one_of(situation, which_moves(situation, words))
    if days := which_days(situation, words):
        return _which_of(days), days
    if ways := which_sides(situation, words):
        return _of_sides(ways)
    which = which_list(situation, words) or _which_option(situation, words, plain)
    return which or _which_field(situation, message) or _elsewhere(situation, message)


def clarify_rest(situation: Situation, message: Message) -> tuple[str, list[str]] | None:
    """The question which day or which side is meant, where other values of the same words are set already."""
    words, told = message.left, [result.get("set") or {} for _, result in situation.results]
    if not any(told) or len(words) > LONGEST:
        return None
    set_ = {name for values in told for name in values}
    days = which_days(situation, words)
    if days and not set_ & _names_in(situation, days):
        return _which_of(days), days
    ways = which_sides(situation, rest(words, [item.span for item in said(situation, message)]))
    return _of_sides(ways) if ways and not set_ & _names_in(situation, ways) else None


def _of_sides(ways: list[str]) -> tuple[str, list[str]]:
    return ("Which one is which?" if len(ways) > 1 else "Is this meant?"), ways


def _names_in(situation: Situation, options: Sequence[str]) -> set[str]:
    return {item.name for option in options for item in said_alone(situation, option)}


def _which_of(days: Sequence[str]) -> str:
    """How it is asked which of these is meant: days of one field, or of several."""
    labels = {day.partition(":")[0] for day in days}
    return "Which day is that?" if len(labels) == 1 else "Which one is that for?"


def numbers_meant(situation: Situation) -> list[Field]:
    """The numbers that "make it longer" may mean: those set last, else those of the open card."""
    known, card = situation.workflow.fields(), open_card(situation.cards)
    stems = {word[:-2] for word in fold(situation.words).split() if word.endswith("er")}
    named = [f for f in known.values() if f.kind in NUMBERS and stems & {*keys(f.name), *keys(f.label)}]
    found = [f for name in last_set(situation) if (f := known.get(name)) and f.kind in NUMBERS]
    return (
        named[:1] or found or [field for field in (card.step.fields if card else ()) if field.kind in NUMBERS]
    )


def _which_field(situation: Situation, message: Message) -> tuple[str, list[str]] | None:
    """ "What is 5 for?", of all fields that could take it."""
    words, card = message.left, open_card(situation.cards)
    found = corrected(situation, words)
    if not found and card:
        found = takers(situation, words, [f for f in card.step.fields if f.kind != "bool"])
    text, value = awaited_text(situation), message.beside_yes_or_no.strip(" .,!;\n")
    found = [(field, raw) for field, raw in found if _is_all(situation, words, field, raw)]
    options = _sayings(situation, found)
    if text and options and text.kind == "text" and not any(field is text for field, _ in found):
        options.append(f"{text.label}: {value}")
    return ("Which one is that for?", options[:MOST]) if len(options) > 1 else None


def _elsewhere(situation: Situation, message: Message) -> tuple[str, list[str]] | None:
    """ "Is this meant?", of an option that one field of another card alone has."""
    card = open_card(situation.cards)
    others = [f for c in situation.cards if c is not card and c.state != "skipped" for f in c.step.fields]
    unclear = message.bare or message.intents or named_fields(situation, message.left)
    found = [] if unclear else option_alone(situation, others, message.left)
    if any(situation.session.values.get(item.name) == item.raw for item in found):
        return None
    known = situation.workflow.fields()
    options = _sayings(situation, [(known[item.name], item.raw) for item in found])
    return ("Is this meant?", options) if options else None


def _sayings(situation: Situation, found: Sequence[tuple[Field, Any]]) -> list[str]:
    return [option for field, raw in found if (option := saying(situation, field, raw))]


def _one_of(situation: Situation, found: Sequence[tuple[Field, Any]]) -> tuple[str, list[str]] | None:
    options = _sayings(situation, [(field, raw) for field, raw in found if would_pass(field, raw, None)])
    question = "Which one is that for?" if len(options) > 1 else "Is this meant?"
    return (question, options[:MOST]) if options else None


def which_days(situation: Situation, words: str) -> list[str]:
    """Each day that "next friday" may be, of the fields that may take it; no day that the judge refuses."""
    options = [
        said
        for field, days in _days_of(situation, words)
        for raw in days
        if would_pass(field, raw, None)
        for said in [f"{field.label}: {WEEKDAYS[date.fromisoformat(raw[:10]).weekday()].title()} {raw}"]
        if {item.name: item.raw for item in said_alone(situation, said)} == {field.name: raw}
    ]
    return options[:MOST] if len(options) > 1 else []


def _days_of(situation: Situation, words: str) -> list[tuple[Field, list[str]]]:
    """The field of the open card that is meant, or else all that may be; or one of another card."""
    card, day = open_card(situation.cards), said_on(situation)
    own = [field for field in (card.step.fields if card else ()) if field.kind in TIMES]
    found = find_days(own, words, expecting(situation, card, words), day)
    if len(found) == 1:
        return found
    if own:
        return [pair for field in own for pair in find_days([field], words, None, day)]
    others = [f for c in situation.cards if c is not card and c.state != "skipped" for f in c.step.fields]
    found = find_days(others, words, None, day)
    return found if len(found) == 1 else []


def which_sides(situation: Situation, words: str) -> list[str]:
    """Each way in which "30 by 40" may be meant, as words that say it plainly."""
    fields, options = situation.workflow.fields(), list[str]()
    for way in sides_of(situation, words):
        pairs = [(fields[name], raw) for name, raw in way.items()]
        for option in (
            " and ".join(f"{field.label} {show(field, raw)}" for field, raw in pairs),
            " and ".join(f"{field.label} {raw}" for field, raw in pairs),
            " and ".join(f"{field.name} {raw}" for field, raw in pairs),
        ):
            if {item.name: item.raw for item in said_alone(situation, option)} == way:
                options.append(option)
                break
    return options[:MOST]


def _is_all(situation: Situation, words: str, field: Field, raw: Any) -> bool:
    """Whether the words say that value and nothing else; an option by its name, not by its place."""
    if field.kind in TIMES:
        spans = [item.span for item in find([field], words, None, field.name, None, said_on(situation))]
        return all(part.text in FILLER | {"on"} for part in read(rest(words, spans)))
    texts = [part for part in read(words) if part.kind != "mark" and part.text not in FILLER]
    if field.kind in ("choice", "choices"):
        named = {key for value in (raw if isinstance(raw, list) else [raw]) for key in keys(str(value))}
        return {part.key for part in texts} <= named
    own = {*keys(field.ask.unit or "")}
    return all(
        part.kind not in ("word", "piece") or part.key in own or part.text in SPELLED for part in texts
    )


def _which_option(situation: Situation, words: str, plain: str) -> tuple[str, list[str]] | None:
    """ "The other one" of three, "not this one": what is left to choose from."""
    other = bool(OTHER.fullmatch(plain))
    denied = re.fullmatch(r"(?:no )?not (?:the )?(.+)", plain)
    if not other and not denied:
        return None
    shown, fields = shown_values(situation), situation.workflow.fields()
    card = open_card(situation.cards)
    recent = [f for name in last_set(situation) if (f := fields.get(name)) and f.kind == "choice"]
    for field in recent or [f for f in (card.step.fields if card else ()) if f.kind == "choice"]:
        every = [label for text, label in choices(field, offered_of(situation).get(field.name))
                 if text != str(shown.get(field.name))]  # fmt: skip
        left = [label for label in every if not denied or keys(label) != keys(denied[1])]
        named = [
            keys(text) for pair in choices(field, offered_of(situation).get(field.name)) for text in pair
        ]
        if len(left) > 1 and (other or (denied and keys(denied[1]) in named)):
            return f"Which one for {field.label}?", [f"{field.label}: {label}" for label in left][:MOST]
    return None


def saying(situation: Situation, field: Field, raw: Any) -> str:
    """Words that say the value plainly, with the field's label or its name; "" if none do."""
    for label in (field.label, field.name):
        for value in dict.fromkeys((show(field, raw), str(raw))):
            words = f"{label}: {value}"
            if [(item.name, item.raw) for item in said_alone(situation, words)] == [(field.name, raw)]:
                return words
    return ""


def said_alone(situation: Situation, words: str) -> list[Found]:
    """The values in words that are not the user's, such as the option of a question."""
    return said(situation, Message(words, [], words))


def own_question(situation: Situation) -> Entry | None:
    """The open question, if it is one that the guide asked to understand the user."""
    question = situation.session.question
    return question if question and question.by == "guide" and question.get("about") is None else None


def settled(situation: Situation) -> str:
    """The option of the guide's own question that this turn picked; "" if none."""
    picked = [
        call for call, result in situation.results if call.tool == "answer_question" and result.get("ok")
    ]
    value = picked[0].arguments.get("value") if picked else None
    answered = next((e for e in reversed(situation.session.chat) if e.did == "answered"), None)
    asked = (e for e in situation.session.chat if answered and e.did == "asked" and e["id"] == answered["id"])
    question = next(asked, None)
    own = question is not None and question.by == "guide" and question.get("about") is None
    return str(value) if own and value is not None else ""


def picked_by_label(situation: Situation, words: str, options: list[str]) -> list[str]:
    """The one option whose label or words the user says: "the adults" of "Adults: 5" and "Children: 5"."""
    stop = {"the", "a", "one", "for", "it", "is", "mean", "meant", "i", "please", "of", "my", "to"}
    wanted = set(keys(words)) - stop
    given = {item.name: item.raw for item in said_alone(situation, words)}
    offers = {option: {item.name: item.raw for item in said_alone(situation, option)} for option in options}
    meant = _of_one_field(situation, words, offers)
    meant = meant or [o for o, values in offers.items() if given and given.items() <= values.items()]
    called = [o for o in options if wanted and wanted == set(keys(o.partition(":")[0]))]
    if len(meant) == 1 or len(called) == 1:
        return meant if len(meant) == 1 else called
    hits = [option for option in options if wanted and wanted <= set(keys(option))]
    if not hits:
        names = {f.label: set(keys(f.name)) for f in situation.workflow.fields().values()}
        hits = [o for o in options if wanted and wanted <= names.get(o.partition(":")[0], set())]
    return hits if len(hits) == 1 else []


def _of_one_field(situation: Situation, words: str, offers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The options with the value that the words say, where all are for one field and no other is named."""
    names = {name for values in offers.values() for name in values}
    field = situation.workflow.fields().get(next(iter(names))) if len(names) == 1 else None
    if field is None or any(other is not field for other in named_fields(situation, words)):
        return []
    offered, now, day = offered_of(situation), shown_values(situation), said_on(situation)
    found = find([field], words, offered, field.name, now, day)
    return [o for o, values in offers.items() if found and values.get(field.name) == found[0].raw]


def about_own(situation: Situation, names: list[str]) -> bool:
    """Whether values for these fields make the guide's own question superfluous."""
    question, known = own_question(situation), situation.workflow.fields()
    labels = (
        {fold(str(option).partition(":")[0]) for option in (question.get("options") or ())}
        if question
        else set()
    )
    about = [known[name] for name in names if name in known and known[name].kind != "text"]
    offered = (question.get("options") or ()) if question else ()
    told = {item.name for option in offered for item in said_alone(situation, str(option))}
    if told & {field.name for field in about}:
        return True
    return any(labels & {fold(field.label), fold(field.name)} for field in about)

"""The built-in guide: a model without a model. It understands plain words by rules, and answers at once.

    words ── recognise ──▶ commands, questions        round 1: Delta(calls)
          └─ find ───────▶ values               results ──▶ round 2: what they came to, answers, what is next

It keeps no state: each round is computed from the situation, and what it reports it reads off the results.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cards import Card, Situation, card_of, open_card
from ..errors import Refused
from ..parameters import MISSING, Field, choices, judge
from ..words import Found, find, fold, keys, read
from . import Call, Delta, Done, Request, answers
from .phrases import Intent, recognise, rest

_CORRECTING = frozenset("no sorry actually meant mean oops wait instead rather correction that".split())
_CHANGING = frozenset("change set use make take instead switch".split())
_FIRST, _VALUES, _LAST = 0, 1, 2  # the order in which calls are made
_ORDER = {
    "answer_question": _FIRST,
    "undo": _FIRST,
    "redo": _FIRST,
    "reopen_step": _FIRST,
    "set_values": _VALUES,
    "set_other_value": _VALUES,
    "next_step": _LAST,
    "skip_step": _LAST,
    "run_workflow": _LAST,
}


async def chat(request: Request) -> AsyncIterator[Delta]:
    """One round: calls, or words when there is nothing (more) to do. Reads only `request.situation`."""
    situation: Situation = request.situation
    calls = plan(situation)
    if calls:
        yield Delta(calls=tuple(calls))
    else:
        yield Delta(text=reply(situation))
    yield Delta(done=Done())


@dataclass(frozen=True)
class _Message:
    """The user's words, understood: what is wanted, and the words that are left for values."""

    words: str
    intents: list[Intent]
    left: str

    def kinds(self) -> set[str]:
        return {intent.kind for intent in self.intents}


def _understand(situation: Situation) -> _Message:
    intents = [i for i in recognise(situation.words) if i.kind != "goto" or answers.topic(situation, i.about)]
    left = rest(situation.words, [i.span for i in intents if i.kind not in ("yes", "no")])
    return _Message(situation.words, intents, left)


# --- calls -------------------------------------------------------------------------------------------


def plan(situation: Situation) -> list[Call]:
    """The calls of this round: first answers, undo and reopening, then values, then next, skip and run."""
    results = situation.results
    if any(result.get("error") or result.get("refused") or result.get("asked") for _, result in results):
        return []
    message = _understand(situation)
    reached = max((_ORDER.get(call.tool, _LAST) for call, _ in results), default=-1)
    made = sum(_ORDER.get(call.tool, _LAST) == _LAST for call, _ in results)
    wanted: list[tuple[str, dict[str, Any]]] = []
    if reached < _FIRST:
        wanted = _first_calls(situation, message)
    if not wanted and reached < _VALUES:
        wanted = _value_calls(situation, message)
    if not wanted:
        wanted = _last_calls(situation, message)[made : made + 1]
    return [
        Call(f"guide-{len(results) + n}", tool, arguments) for n, (tool, arguments) in enumerate(wanted, 1)
    ]


def _first_calls(situation: Situation, message: _Message) -> list[tuple[str, dict[str, Any]]]:
    calls: list[tuple[str, dict[str, Any]]] = []
    answer = _answer(situation, message)
    if answer:
        calls.append(("answer_question", answer))
    for intent in message.intents:
        if intent.kind in ("undo", "redo"):
            calls.append((intent.kind, {}))
        elif intent.kind in ("back", "goto"):
            step = _previous(situation) if intent.kind == "back" else _target(situation, intent.about)
            if step and step.state in ("done", "skipped"):
                calls.append(("reopen_step", {"step": step.step.name}))
    return calls


def _last_calls(situation: Situation, message: _Message) -> list[tuple[str, dict[str, Any]]]:
    """Next, skip and run, in the order of the words. To run completes the last card first if it is filled."""
    tools = {"next": "next_step", "skip": "skip_step", "run": "run_workflow"}
    made = {call.tool for call, _ in situation.results}
    kinds = [intent.kind for intent in message.intents if intent.kind in tools]
    if "answer_question" in made:
        kinds = [kind for kind in kinds if kind != "run"]  # the answer was what started it
    if kinds == ["run"] and ("next_step" in made or _only_one_left(situation)):
        kinds = ["next", "run"]
    return [(tools[kind], {}) for kind in kinds]


def _only_one_left(situation: Situation) -> bool:
    waiting = [card for card in situation.cards if card.state not in ("done", "skipped")]
    return len(waiting) == 1 and not waiting[0].missing


def _previous(situation: Situation) -> Card | None:
    """The step before the open one; the last one where none is open."""
    card = open_card(situation.cards)
    before = situation.cards[: situation.cards.index(card)] if card else situation.cards
    return next((c for c in reversed(before) if c.state == "done"), None)


def _target(situation: Situation, about: str) -> Card | None:
    found = answers.topic(situation, about)
    return card_of(situation.cards, found.name) if isinstance(found, Field) else found


def _answer(situation: Situation, message: _Message) -> dict[str, Any] | None:
    """What the words answer to the open question; None where they do not."""
    question = situation.session.question
    if question is None:
        return None
    asked = list(question.get("options") or [])
    kinds = message.kinds()
    if "cancel" in kinds:
        return {"action": "cancel", "value": None}
    if question.get("about") == "run" and "run" in kinds:
        return {"action": "accept", "value": None}
    words = rest(message.left, [i.span for i in message.intents if i.kind in ("yes", "no")]).strip(" .,!;")
    picked = _pick(message.left, asked) if asked else []
    if len(picked) == 1 and "no" not in kinds:
        return {"action": "accept", "value": picked[0]}
    bare = not words and kinds & {"yes", "no"} and not {"yes", "no"} <= kinds
    if bare and (not asked or "no" in kinds):
        return {"action": "accept" if "yes" in kinds else "decline", "value": None}
    free = not asked and not kinds and words and question.get("about") is None
    if free and not _values(situation, message):
        return {"action": "accept", "value": message.words.strip()}
    return None


def _pick(words: str, asked: Sequence[Any]) -> list[Any]:
    """The options of a question that the words name, by their own words or their place."""
    plain = f" {' '.join(keys(words))} "
    named = [option for option in asked if keys(str(option)) and f" {' '.join(keys(str(option)))} " in plain]
    longest = [
        o
        for o in named
        if not any(o != p and f" {' '.join(keys(str(o)))} " in f" {' '.join(keys(str(p)))} " for p in named)
    ]
    if longest:
        return longest
    places = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1}
    picked = [places[part.text] for part in read(words) if part.text in places]
    return [asked[picked[0]]] if len(picked) == 1 and -1 <= picked[0] < len(asked) else []


# --- values ------------------------------------------------------------------------------------------


def _value_calls(situation: Situation, message: _Message) -> list[tuple[str, dict[str, Any]]]:
    card = open_card(situation.cards)
    values = _values(situation, message) | _defaults(situation, message)
    own = {name: raw for name, raw in values.items() if card and card.step.field(name)}
    calls: list[tuple[str, dict[str, Any]]] = [("set_values", own)] if own else []
    return calls + [
        ("set_other_value", {"name": n, "value": raw}) for n, raw in values.items() if n not in own
    ]


def _values(situation: Situation, message: _Message) -> dict[str, Any]:
    """The values that the words say plainly: for the open card, and for other cards where they name them."""
    if not message.left.strip(" .,!;"):
        return {}
    card = open_card(situation.cards)
    own = list(card.step.fields) if card else []
    others = [f for c in situation.cards if c is not card and c.state != "skipped" for f in c.step.fields]
    offered = {name: options for c in situation.cards for name, options in c.offered.items()}
    now = {name: value for c in situation.cards for name, value in c.values.items()}
    bare = _is_bare_reply(message)
    if bare and card is None:
        return {}
    expecting = _corrected(situation, message.left) if not bare else None
    expecting = expecting or _expecting(situation, card)
    found = find(own, message.left, offered, expecting, now, others=others)
    left = rest(message.left, [item.span for item in found])
    found += [
        f
        for f in find(others, left, offered, expecting, now, others=own)
        if _meant_elsewhere(f, left, expecting, now)
    ]
    if not found and card and not message.kinds() - {"yes", "no"}:
        found = _free_text(situation, card, message.left)
    return {item.name: item.raw for item in found}


def _is_bare_reply(message: _Message) -> bool:
    spans = [intent.span for intent in message.intents if intent.kind in ("yes", "no")]
    return bool(spans) and not rest(message.left, spans).strip(" .,;!")


def _meant_elsewhere(item: Found, words: str, expecting: str | None, now: Mapping[str, Any]) -> bool:
    """For another card than the open one a value needs its label or unit, or a word of change.

    An address or a date may go into an empty field that is the only one to take it.
    """
    if (
        item.why in ("label", "unit")
        or item.name == expecting
        or (item.why == "kind" and item.name not in now)
    ):
        return True
    return item.why != "bare" and bool({part.text for part in read(words)} & (_CORRECTING | _CHANGING))


def _expecting(situation: Situation, card: Card | None) -> str | None:
    """The field that a bare value is for: the one asked about, or the first missing one of the open card."""
    asked = _asked_about(situation)
    if asked or card is None:
        return asked
    missing = card.missing or [field for field in card.step.fields if field.name not in card.values]
    if card.missing or len(missing) == 1:
        return missing[0].name
    return card.step.fields[0].name if len(card.step.fields) == 1 else None


def _corrected(situation: Situation, words: str) -> str | None:
    """The field that "no, I meant 3" is for: of those set last the only one that could take it."""
    if not {part.text for part in read(words)} & _CORRECTING:
        return None
    possible = []
    for name in _last_set(situation):
        card = card_of(situation.cards, name)
        field = card.step.field(name) if card else None
        if card is None or field is None:
            continue
        offered = {name: card.offered[name]} if name in card.offered else {}
        found = find([field], words, offered, name, card.values)
        if found and _would_pass(field, found[0].raw, card.offered.get(name)):
            possible.append(name)
    return possible[0] if len(possible) == 1 else None


def _would_pass(field: Field, raw: Any, offered: Sequence[Any] | None) -> bool:
    try:
        judge(field, raw, offered=offered)
    except Refused:
        return False
    return True


def _asked_about(situation: Situation) -> str | None:
    """The parameter that the open question is about."""
    about = situation.session.question.get("about") if situation.session.question else None
    name = about.get("name") if isinstance(about, Mapping) else about
    return name if isinstance(name, str) and card_of(situation.cards, name) else None


def _last_set(situation: Situation) -> list[str]:
    """The parameters that were set last, in one go, and still have that value."""
    settings = {name: situation.session.setting(name) for name in situation.session.values}
    numbers = {name: change.n for name, change in settings.items() if change and change.by != "workflow"}
    newest = max(numbers.values(), default=0)
    return [name for name, n in numbers.items() if n == newest]


def _free_text(situation: Situation, card: Card, words: str) -> list[Found]:
    """A short message as the value of the text field that is asked for next."""
    if not card.missing or card.missing[0].kind not in ("text", "long", "lines") or choices(card.missing[0]):
        return []
    field = card.missing[0]
    text, parts = words.strip(), [part.text for part in read(words)]
    chatty = {"i", "i'm", "i'd", "you", "we", "me", "please", "don't", "can", "?"} & set(parts)
    other = {key for f in situation.workflow.fields().values() if f is not field for key in keys(f.name)}
    if field.kind == "long":
        plain = len(parts) >= 1 and "?" not in parts[-1:]
    else:
        plain = 0 < len(parts) <= 6 and not chatty and not other & {keys(p)[0] for p in parts if keys(p)}
    if not plain:
        return []
    raw: Any = (
        [part.strip() for part in text.split(",") if part.strip()]
        if field.kind == "lines"
        else text.strip("\"“”'")
    )
    return [Found(field.name, raw, (0, len(words)), "bare")]


def _defaults(situation: Situation, message: _Message) -> dict[str, Any]:
    """ "Use the defaults": of the named field, or of all fields of the open card that have no value."""
    found: dict[str, Any] = {}
    for intent in message.intents:
        if intent.kind != "defaults":
            continue
        fields, card = _default_fields(situation, intent.about)
        for field in fields:
            default = answers.default_of(field, card)
            if default is not MISSING:
                found[field.name] = default
    return found


def _default_fields(situation: Situation, about: str) -> tuple[Sequence[Field], Card | None]:
    if about:
        target = answers.topic(situation, about)
        if isinstance(target, Field):
            return [target], card_of(situation.cards, target.name)
        return (target.step.fields, target) if target else ([], None)
    card = open_card(situation.cards)
    missing = [field for field in card.step.fields if field.name not in card.values] if card else []
    return missing, card


# --- words -------------------------------------------------------------------------------------------


def reply(situation: Situation) -> str:
    """What the calls came to, the answers to what was asked, and what comes next."""
    message = _understand(situation)
    told = [answers.report(situation)] if situation.results else []
    unfinished = len(_last_calls(situation, message)) - sum(
        _ORDER.get(call.tool) == _LAST for call, _ in situation.results
    )
    if situation.results and unfinished > 0:
        told.append("So I stopped there.")
    for intent in message.intents:
        told += _say(situation, message, intent)
    told = [text for text in dict.fromkeys(told) if text]
    return "\n\n".join(told) or _nothing_found(situation, message)


def _say(situation: Situation, message: _Message, intent: Intent) -> list[str]:
    kind = intent.kind
    if kind in _PLAIN:
        return [_PLAIN[kind](situation)] if not (situation.results and kind in _SMALL_TALK) else []
    if kind in ("options", "range", "meaning", "need", "refused", "default", "value"):
        return [_about(situation, intent)]
    if kind == "search":
        return [_search(situation, intent)]
    if situation.results:
        return []
    if kind in ("back", "goto"):
        return [_not_reopened(situation, intent)]
    if kind == "defaults":
        return ["There is no default to use here. " + answers.whats_next(situation)]
    bare = _is_bare_reply(message) or kind == "cancel" or situation.session.question is not None
    if kind in ("yes", "no", "cancel") and bare and not message.kinds() - {"yes", "no", "cancel"}:
        return [_unasked(situation, kind)]
    return []


def _greet(situation: Situation) -> str:
    return (
        "Hello. I am the built-in guide; I work by plain rules, without a language model. "
        + answers.whats_next(situation)
    )


def _help(situation: Situation) -> str:
    card = open_card(situation.cards)
    return (answers.about_step(card) + "\n\n" if card else "") + answers.ABILITIES


_PLAIN = {
    "greet": _greet,
    "thanks": lambda situation: "You are welcome. " + answers.whats_next(situation),
    "bye": lambda situation: "Goodbye. Everything is kept; open this session again to go on.",
    "help": _help,
    "who": lambda situation: answers.WHO,
    "whatever": lambda situation: (
        "I choose nothing by myself. Say **use the defaults**, or **skip**. " + answers.whats_next(situation)
    ),
    "overview": answers.overview,
    "missing": answers.whats_next,
    "results": answers.results,
}
_SMALL_TALK = ("greet", "thanks", "bye")


def _about(situation: Situation, intent: Intent) -> str:
    target = answers.topic(situation, intent.about)
    card = card_of(situation.cards, target.name) if isinstance(target, Field) else target
    if intent.kind == "refused":
        return answers.refused(situation, target if isinstance(target, Field) else None)
    if target is None or card is None:
        return _search(situation, intent)
    if intent.kind == "options":
        return _options(situation, target, card)
    if isinstance(target, Field):
        if intent.kind == "need":
            return answers.need(target, situation)
        return answers.describe(target, card)
    if intent.kind == "need":
        return answers.need_step(target, situation)
    return answers.about_step(target)


def _options(situation: Situation, target: Field | Card, card: Card) -> str:
    """The options of one field; of a card: of its fields that have some, else the rules of all."""
    if isinstance(target, Field):
        return answers.options(target, card)
    listed = [f for f in card.step.fields if choices(f, card.offered.get(f.name))]
    if listed:
        return "\n\n".join(answers.options(field, card) for field in listed)
    return "\n".join(
        f"- {answers.describe(field, card)}" for field in card.step.fields
    ) or answers.whats_next(situation)


def _search(situation: Situation, intent: Intent) -> str:
    """The fields that the question is mostly about, else what the help texts say."""
    words = situation.words[slice(*intent.span)]
    named = _named_fields(situation, words)
    content = answers.content(words)
    own = {key for field in named for key in (*keys(field.name), *keys(field.label))}
    found = answers.search(situation, words) if 2 * len(content & own) < len(content) or not named else None
    if found or not named:
        return found or _cannot()
    lines = "\n\n".join(answers.describe(field, card_of(situation.cards, field.name)) for field in named)
    return lines + " Nothing was changed by the question." if any(c.isdigit() for c in words) else lines


def _named_fields(situation: Situation, words: str) -> list[Field]:
    """The fields whose names stand in the words."""
    said, fields = set(keys(words)), situation.workflow.fields().values()
    return [f for f in fields if set(keys(f.name)) <= said or set(keys(f.label)) <= said]


def _named_field(situation: Situation, words: str) -> Field | None:
    named = _named_fields(situation, words)
    return named[0] if len(named) == 1 else None


def _not_reopened(situation: Situation, intent: Intent) -> str:
    card = _previous(situation) if intent.kind == "back" else _target(situation, intent.about)
    if card is None:
        return "There is no step before this one. " + answers.whats_next(situation)
    if card.state == "open":
        return f"“{card.step.question}” is open. " + answers.whats_next(situation)
    return f"“{card.step.question}” comes later. " + answers.whats_next(situation)


def _unasked(situation: Situation, kind: str) -> str:
    question = situation.session.question
    if question is not None:
        listed = ", ".join(str(option) for option in question.get("options") or [])
        return f"{question.get('question', '')} "
        f"{f'Say one of: {listed}.' if listed else 'Say **yes** or **no**.'}"
    if kind == "cancel":
        return "There is no open question. To take back the last value say **undo**; a run has its own "
        "Cancel button."
    return "There is no open question, so nothing was changed. " + answers.whats_next(situation)


def _nothing_found(situation: Situation, message: _Message) -> str:
    """Where nothing was understood: which value is unclear, or what a guide can not do."""
    target = _named_field(situation, message.words)
    if target is None and len(read(message.words)) <= 3:
        meant = answers.topic(situation, message.words)
        target = meant if isinstance(meant, Field) else None
    if target:
        card = card_of(situation.cards, target.name)
        return f"I am not sure what to set, so nothing was changed. {answers.describe(target, card)}"
    if any(part.kind in ("number", "url", "path") for part in read(message.words)):
        return "I am not sure which value that is for, so nothing was changed. " + answers.whats_next(
            situation
        )
    found = answers.search(situation, message.words) if len(fold(message.words).split()) > 1 else None
    return f"I can not do that without a model. {found}" if found else _cannot()


def _cannot() -> str:
    return f"I can not do that without a model. {answers.ABILITIES}"

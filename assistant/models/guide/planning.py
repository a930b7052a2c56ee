"""The calls of a round: first answers, undo and reopening, then values, then next, skip and run."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...cards import Card, Situation, card_of, open_card
from ...parameters import Field
from ...queries import QUERY
from ...words import keys, read
from .. import Call
from .clarifying import about_own, clarify, clarify_rest, own_question, picked_by_label, said_alone, settled
from .context import missing_of, still_open
from .declining import declined_values, suggestion_answers
from .leftover import left_over
from .message import Message, understand
from .phrases import ONWARDS
from .texts import ODD
from .topics import topic
from .values import default_values, said, said_values

_Calls = list[tuple[str, dict[str, Any]]]  # tools with their arguments

_FIRST = ("answer_question", "undo", "redo", "reopen_step", "start_over", "use_last")
_VALUES = ("set_values", "set_other_value")
_LAST = {"next": "next_step", "skip": "skip_step", "run": "run_workflow"}  # tools by what is wanted
_PLACES = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1}


def plan(situation: Situation) -> list[Call]:
    """The calls of this round, none where the turn is done or something stopped it."""
    results = situation.results
    if any(result.get("error") or result.get("refused") or result.get("asked") for _, result in results):
        return []
    message, made = understand(situation), [call.tool for call, _ in results]
    wanted: _Calls = []
    if not made:
        wanted = _first_calls(situation, message)
    if not wanted and all(tool in _FIRST for tool in made):
        wanted = _value_calls(situation, message)
    question = None if wanted else clarify_rest(situation, message) if made else clarify(situation, message)
    if question and "ask_user" not in made:
        wanted = [("ask_user", {"question": question[0], "options": question[1]})]
    if not wanted:
        wanted = _queries(message)[made.count(QUERY) :]
    if not wanted and not held(situation, message):
        wanted = not_made(situation, message)[:1]
    return [
        Call(f"guide-{len(results) + n}", tool, arguments) for n, (tool, arguments) in enumerate(wanted, 1)
    ]


def _queries(message: Message) -> _Calls:
    return [(QUERY, {"sql": intent.about}) for intent in message.intents if intent.kind == "query"]


def not_made(situation: Situation, message: Message) -> _Calls:
    """Next, skip and run as far as they were not called, in the order of the words.

    To run completes the last card first if it is filled.
    """
    made = [call.tool for call, _ in situation.results]
    kinds = [intent.kind for intent in message.intents if intent.kind in _LAST]
    answers = [call.arguments["action"] for call, _ in situation.results if call.tool == "answer_question"]
    if {*answers} - {"cancel"}:
        kinds = [kind for kind in kinds if kind != "run"]  # the answer was what started it
    if kinds == ["run"] and ("next_step" in made or _only_one_left(situation)):
        kinds = ["next", "run"]
    done = sum(tool in _LAST.values() for tool in made)
    return [(_LAST[kind], dict[str, Any]()) for kind in kinds[done:]]


def held(situation: Situation, message: Message) -> str:
    """Why next, skip and run wait: "left" where words were not understood, "open" with a question; else "".

    The guide's own question holds them up once.
    """
    made = {call.tool for call, _ in situation.results}
    if not message.kinds & {*ONWARDS} or made & {*_LAST.values()}:
        return ""
    if left_over(situation, message):
        return "left"
    return "open" if own_question(situation) and not _told_of_question(situation) else ""


def _told_of_question(situation: Situation) -> bool:
    """Whether the newest reply said already that the question is open."""
    question = own_question(situation)
    said = (e for e in reversed(situation.session.chat) if e.did == "said" and e.by == "guide")
    newest = next(said, None)
    return bool(question and newest and still_open(question) in str(newest.get("text")))


def _only_one_left(situation: Situation) -> bool:
    waiting = [card for card in situation.cards if card.state not in ("done", "skipped")]
    return len(waiting) == 1 and not missing_of(waiting[0])


def _first_calls(situation: Situation, message: Message) -> _Calls:
    answer = _answer(situation, message)
    answers = suggestion_answers(situation, message) or ([answer] if answer else [])
    calls: _Calls = [("answer_question", each) for each in answers]
    for intent in message.intents:
        if intent.kind in ("undo", "redo", "start_over", "use_last"):
            calls.append((intent.kind, {}))
        elif intent.kind in ("back", "goto"):
            step = previous(situation) if intent.kind == "back" else target_of(situation, intent.about)
            if step and step.state in ("done", "skipped"):
                calls.append(("reopen_step", {"step": step.step.name}))
    return calls


def _value_calls(situation: Situation, message: Message) -> _Calls:
    card = open_card(situation.cards)
    picked = settled(situation)
    found = said_alone(situation, picked) if picked else said(situation, message)
    odd = {item.name: item.raw for item in found if item.why == ODD}
    values = {item.name: item.raw for item in found if item.name not in odd}
    stays = [n for i in message.intents if i.kind == "keep" for n in i.about.split()]
    values |= {name: situation.session.values[name] for name in stays if name in situation.session.values}
    values |= default_values(situation, message) | (
        {} if _answers(situation) else declined_values(situation, message)
    )
    own = {name: raw for name, raw in values.items() if card and card.step.field(name)}
    calls: _Calls = [("set_values", own)] if own else []
    calls += [("set_other_value", {"name": n, "value": raw}) for n, raw in values.items() if n not in own]
    return calls + [("propose_value", {"name": name, "value": raw}) for name, raw in odd.items()]


def _answers(situation: Situation) -> bool:
    """Whether this turn answered a question already."""
    return any(call.tool == "answer_question" for call, _ in situation.results)


def previous(situation: Situation) -> Card | None:
    """The step before the open one; the last one where none is open."""
    card = open_card(situation.cards)
    before = situation.cards[: situation.cards.index(card)] if card else situation.cards
    return next((c for c in reversed(before) if c.state == "done"), None)


def target_of(situation: Situation, about: str) -> Card | None:
    found = topic(situation, about)
    return card_of(situation.cards, found.name) if isinstance(found, Field) else found


def _answer(situation: Situation, message: Message) -> dict[str, Any] | None:
    """What the words answer to the open question; None where they do not."""
    question, kinds = situation.session.question, message.kinds
    if question is None:
        return None
    asked, about = list(question.get("options") or []), question.get("about")
    if "keep" in kinds and about != "run":
        return {"action": "decline" if isinstance(about, Mapping) else "cancel", "value": None}
    if "cancel" in kinds:
        return {"action": "cancel", "value": None}
    if kinds == {"decline"} and not message.intents[0].about:
        return {"action": "decline", "value": None}
    if question.get("about") == "run" and "run" in kinds:
        return {"action": "accept", "value": None}
    own = own_question(situation)
    picked = _pick(message.left, asked) if asked else []
    if own and not picked and not kinds - {"yes", "no"}:
        picked = picked_by_label(situation, message.beside_yes_or_no, asked)
    if len(picked) == 1 and "no" not in kinds:
        return {"action": "accept", "value": picked[0]}
    if own and message.bare and "yes" in kinds and len(asked) == 1:
        return {"action": "accept", "value": asked[0]}
    if message.bare and (not asked or "no" in kinds):
        return {"action": "accept" if "yes" in kinds else "decline", "value": None}
    if own and about_own(situation, list(said_values(situation, message))):
        return {"action": "cancel", "value": None}  # the value itself was said
    if own and kinds & {*ONWARDS} and _told_of_question(situation) and not left_over(situation, message):
        return {"action": "cancel", "value": None}  # said again, so it lapses
    free = not asked and not kinds and message.beside_yes_or_no and question.get("about") is None
    if free and not said_values(situation, message):
        return {"action": "accept", "value": message.words.strip()}
    return None


def _pick(words: str, asked: Sequence[Any]) -> list[Any]:
    """The options of a question that the words name, by their own words or their place."""
    said = {option: f" {' '.join(keys(str(option)))} " for option in asked}
    plain = f" {' '.join(keys(words))} "
    named = [option for option, text in said.items() if text.strip() and text in plain]
    longest = [o for o in named if not any(o != other and said[o] in said[other] for other in named)]
    if longest:
        return longest
    picked = [_PLACES[part.text] for part in read(words) if part.text in _PLACES]
    return [asked[picked[0]]] if len(picked) == 1 and picked[0] < len(asked) else []

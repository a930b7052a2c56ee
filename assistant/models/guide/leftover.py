"""What of a message was not understood, so that nothing is dropped without a word."""

from collections.abc import Iterable, Sequence

from ...cards import Situation
from ...parameters import LISTS, choices
from ...words import ADDS, ENDS, FILLER, NOT, PLAIN, Part, find, keys, negated, read
from .clarifying import which_days
from .context import offered_of, shown_values
from .fields import as_plain
from .message import Message
from .phrases import ONWARDS, rest
from .privacy import private

MOST = 4  # pieces that are quoted whole
_FIRST = 3  # that are quoted of more of them
_LONGEST = 60  # characters of one of many
_TALK = (
    FILLER
    | ENDS
    | frozenset(
        "are was am we're i'm it's that's there here they them he she do does did can will shall should "
        "would really very quite maybe hmm hm oh ah ok hi hello hey thanks thank cheers me my us our this "
        "these those what which who so too much many some any at of in on by from as if when while because "
        "change put want need think guess suppose believe probably".split()
    )
)
_AGREES = frozenset(
    "look looks good fine nice great perfect cool right correct done ready enough else happy alright rest "
    "finished super lovely wonderful excellent sounds works everything".split()
)
_VALUES = ("number", "url", "email", "iso", "clock", "path")


def leftover(situation: Situation, message: Message) -> str:
    """A sentence that quotes what was not understood beside what was; "" where all was, or nothing."""
    pieces = left_over(situation, message)
    if not pieces or not (_given(situation) or message.kinds & {*ONWARDS}):
        return ""
    if private(situation, message.words):
        return "The rest of your message was left aside."
    if len(pieces) > MOST:
        quoted = ", ".join(f"“{_quoted(piece, _LONGEST)}”" for piece in pieces[:_FIRST])
        told = f"{len(pieces)} things: {quoted} and {len(pieces) - _FIRST} more"
        return f"I did not understand {told}; nothing was set from them."
    *before, last = [f"“{_quoted(piece, len(message.left))}”" for piece in pieces]
    told = f"{', '.join(before)} and {last}" if before else last
    return f"I did not understand {told}; nothing was set from that."


def left_over(situation: Situation, message: Message) -> list[str]:
    """The pieces of the words that neither became a value nor are a command, a question or talk."""
    given = _given(situation)
    if any(call.tool == "answer_question" for call, _ in situation.results):
        return []  # the words picked an option
    words = rest(message.left, [i.span for i in message.intents if i.kind in ("yes", "no")])
    parts = read(words)
    if len(parts) > PLAIN or _is_text(situation, given):
        return []
    inside = _understood(situation, words, given, parts)
    fields = situation.workflow.fields()
    if any(fields[name].kind in LISTS for name in given if name in fields):
        inside |= {
            i for i, part in enumerate(parts) if part.text in ADDS | NOT
        }  # what left is no longer there
    # a name in the midst of a clause is hardly said for nothing
    upper = [i for i, part in enumerate(parts) if words[part.start].isupper()]
    names = {i for i in upper if i and parts[i].text != "i"}
    said = _options_named(situation, parts)
    pieces = [words[p[0].start : p[-1].end] for p in _pieces(parts, inside, names, said)]
    asked = any(call.tool == "ask_user" for call, _ in situation.results)
    return [p for p in dict.fromkeys(pieces) if not (asked and _asked_about(situation, p))]


def _asked_about(situation: Situation, piece: str) -> bool:
    """Whether the open question asks what the piece means."""
    question = situation.session.question
    options = (question.get("options") if question else None) or ()
    offered = any({*keys(piece)} <= {*keys(str(option))} for option in options)
    return offered or bool(which_days(situation, piece))


def _options_named(situation: Situation, parts: Sequence[Part]) -> set[int]:
    """The parts that are an option of some field, by its one word."""
    offered, fields = offered_of(situation), situation.workflow.fields()
    known = {
        keys(text)
        for name, field in fields.items()
        for pair in choices(field, offered.get(name))
        for text in pair
    }
    return {i for i, part in enumerate(parts) if (part.key,) in known and part.text not in _TALK}


def _given(situation: Situation) -> list[str]:
    """The parameters that this turn's calls named."""
    found = [result for call, result in situation.results if call.tool in ("set_values", "set_other_value")]
    keys_ = ("set", "unchanged", "refused", "proposed", "asked")
    return list(dict.fromkeys(name for result in found for key in keys_ for name in result.get(key) or ()))


def _is_text(situation: Situation, names: Sequence[str]) -> bool:
    """Whether the message as a whole became a text."""
    fields = situation.workflow.fields()
    field = fields.get(names[0]) if len(names) == 1 else None
    if field is None or field.kind not in ("long", "text", "lines"):
        return False
    return not find([field], situation.words, values=shown_values(situation))


def _understood(situation: Situation, words: str, names: Sequence[str], parts: Sequence[Part]) -> set[int]:
    """The parts in which the values stand, each with what its field is called."""
    fields, offered, now = situation.workflow.fields(), offered_of(situation), shown_values(situation)
    meant = [fields[name] for name in names if name in fields]
    together = find(meant, words, offered, None, now, others=[f for f in fields.values() if f not in meant])
    spans, called = [found.span for found in together], set[str]()
    for name in (field.name for field in meant):
        if name not in {found.name for found in together}:
            alone = find([fields[name]], words, offered, name, now, recent=name)
            spans += [found.span for found in alone]
        called |= {*keys(name), *keys(fields[name].label), *keys(fields[name].ask.unit or "")}
    return {
        i
        for i, part in enumerate(parts)
        if part.key in called or any(first < part.end and part.start < last for first, last in spans)
    }


def _pieces(
    parts: Sequence[Part], inside: set[int], names: set[int], options: set[int]
) -> Iterable[list[Part]]:
    """Clauses of which nothing was understood, and values, names and options in the others."""
    values = options | {i for i, part in enumerate(parts) if part.kind in _VALUES}
    clause: list[int] = []
    for i in range(len(parts) + 1):
        if i < len(parts) and parts[i].text not in ENDS:
            clause.append(i)
            continue
        content = [n for n in clause if parts[n].kind != "mark" and parts[n].text not in _TALK]
        agrees = {parts[n].text for n in content} <= _AGREES and not NOT & {parts[n].text for n in clause}
        if agrees or all(n in values and negated(parts, n) for n in content):
            pass
        elif not inside & {*clause}:
            yield [parts[n] for n in clause]
        else:
            left = [n for n in content if n not in inside]
            beside = [n for n in left if n in values | names]
            if len(content) == sum(parts[n].kind != "mark" for n in clause):  # no talk: "width 20 leather"
                beside = [n for n in left if n in beside or any(m in inside for m in clause if m < n)]
            yield from ([parts[n]] for n in beside if not negated(parts, n) and not _replaced(parts, n))
        clause = []


def _replaced(parts: Sequence[Part], n: int) -> bool:
    """ "from 2 to 3": the value of before."""
    return n > 0 and parts[n - 1].text in ("from", "of", "than")


def _quoted(text: str, longest: int) -> str:
    text = " ".join(text.split())
    return as_plain(text if len(text) <= longest else f"{text[: longest - 1]}…")

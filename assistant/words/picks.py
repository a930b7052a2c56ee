"""The options that a sentence picks, of one or of several."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..parameters import LISTS
from .clauses import CORRECTS, NOT, TAKES_OUT, adds, clause, negated
from .labels import STOP, Names
from .options import PLACES, Mention, Options, all_or_none, mentions, ordinals
from .quantities import UNITS
from .reading import keys
from .sentence import FILLER, Found, Sentence
from .sides import joined

_TAKES = frozenset(
    "use take pick choose select want only just from with make set include prefer like go read load need "
    "give it's be add also switch change instead rather meant mean and".split()
)
_NICE = frozenset("on some would nice great good fine best lovely perfect same as well course".split())
_OTHER = re.compile(r"(use |take |i (meant|want) )?(the )?other( one)?")


@dataclass(frozen=True)
class _Pick:
    """What a sentence says of one field's options: those named, of them wanted and denied.

    `called`: the field is named too. `alone`: no other field has options. `expected`: it was asked about.
    """

    names: Names
    options: Options
    named: list[Mention]
    wanted: list[Mention]
    denied: list[Mention]
    called: bool
    alone: bool
    expected: bool
    beside: list[tuple[int, int]]


def picks(sentence: Sentence, beside: Sequence[Found] = ()) -> list[Found]:
    """The options, for all fields that have some; none for two fields at once.

    `beside` are the other values of the sentence ("Italy for 5 days"): an option needs no verb beside them.
    """
    spans = [sentence.places(item) for item in beside]
    if pair := joined(sentence):  # "30x40 canvas": which number is which may be open
        spans.append((pair[0].first, pair[-1].last))
    takers = [names for names in sentence.names if sentence.options[names.field.name]]
    found: list[Found] = []
    if not sentence.hedged:
        for names in takers:
            pick = _look(sentence, names, [other for other in takers if other is not names], spans)
            if pick.named or pick.called or pick.expected or pick.alone:
                take = _several if names.field.kind in LISTS else _one
                found += take(sentence, pick)
    return [f for f in found if not any(g is not f and g.span == f.span and g.why != "label" for g in found)]


def _look(sentence: Sentence, names: Names, others: Sequence[Names], beside: list[tuple[int, int]]) -> _Pick:
    options, called = sentence.options[names.field.name], sentence.calls(names)
    expected = sentence.expecting == names.field.name
    named = [m for m in mentions(sentence.parts, options) if _may_name(sentence, m, names, others)]
    listed = names.field.kind in LISTS and not any(other.field.kind in LISTS for other in others)
    if not named and (called or expected or listed or not others):
        places = [m for m in ordinals(sentence.parts, len(options)) if _only_places(sentence, names, m)]
        named = places if called or expected or not others or len(places) > 1 else []
    wanted = [m for m in named if not sentence.out(m[1])]
    denied = [m for m in named if negated(sentence.parts, m[1])]
    return _Pick(names, options, named, wanted, denied, called, listed or not others, expected, beside)


def _one(sentence: Sentence, pick: _Pick) -> list[Found]:
    """One option of a field that takes one."""
    name, wanted = pick.names.field.name, pick.wanted
    if not pick.named:
        other = _other(sentence, name, pick.options)
        return [sentence.found(name, value, 0, len(sentence.parts), "option") for value in other]
    if len({i for i, _, _ in wanted}) > 1 and set(sentence.texts[wanted[-2][2] : wanted[-1][1]]) & CORRECTS:
        wanted = wanted[-1:]
    if len({i for i, _, _ in wanted}) != 1 or _or(sentence, wanted) or not _meant(sentence, pick, pick.named):
        return []
    index, first, last = wanted[-1]
    why = "label" if pick.called else "option"
    return [sentence.found(name, pick.options[index][0], first, last, why)]


def _other(sentence: Sentence, name: str, options: Options) -> list[object]:
    """The one of two options that does not stand there now, if "the other one" is said."""
    joined = " ".join(text for text in sentence.texts if text not in ("please", "no", ",", "."))
    if len(options) != 2 or not _OTHER.fullmatch(joined):
        return []
    rest = [value for value, _ in options if str(value) != str(sentence.values.get(name))]
    return rest if len(rest) == 1 else []


def _several(sentence: Sentence, pick: _Pick) -> list[Found]:
    """Options of a field that takes several: named, all, none, all but some, more, or fewer."""
    kind, texts = all_or_none(sentence.parts), set(sentence.texts)
    every = [value for value, _ in pick.options]
    said = [*pick.wanted, *pick.denied]
    spans = [(first, last) for _, first, last in said]
    named, picked = {i for i, _, _ in said}, [every[i] for i in sorted({i for i, _, _ in pick.wanted})]

    def found(value: list[object], why: str = "option") -> list[Found]:
        first = min((first for first, _ in spans), default=0)
        last = max((last for _, last in spans), default=len(sentence.parts))
        return [sentence.found(pick.names.field.name, value, first, last, why)]

    if kind == "but" and named:
        return found([value for i, value in enumerate(every) if i not in named])
    if kind in ("all", "none") and not named:
        asked = pick.called or pick.expected or (pick.alone and (kind == "all" or "of" in texts))
        bare = pick.called or (sentence.bare([]) and not sentence.quantities)
        both = "both" in texts and len(every) != 2  # of which two was said before, if anywhere
        return found(every if kind == "all" else []) if asked and bare and not both else []
    meant = _meant(sentence, pick, said) or (pick.denied and sentence.bare(spans, NOT | TAKES_OUT | {"out"}))
    if not named or not meant or _or(sentence, said):
        return []
    value = _changed(pick, picked, sentence.values.get(pick.names.field.name), adds(sentence.texts))
    return [] if value is None else found(value, "label" if pick.called else "option")


def _changed(pick: _Pick, picked: list[Any], now: Any, more: bool) -> list[Any] | None:
    """What is picked; where more is, or only some denied, what stands there with and without them."""
    if (picked and not more) or not isinstance(now, list):
        return picked or None
    gone = {str(pick.options[i][0]) for i, _, _ in pick.denied}
    known = {str(value) for value in now}
    left = [value for value in now if str(value) not in gone]
    return [*left, *(value for value in picked if str(value) not in known)]


def _or(sentence: Sentence, said: Sequence[Mention]) -> bool:
    return any(first and sentence.texts[first - 1] == "or" for _, first, _ in said)


def _may_name(sentence: Sentence, mention: Mention, names: Names, others: Sequence[Names]) -> bool:
    """Whether this word is meant as an option: one that also names a field needs the label beside it."""
    parts, (_, first, last) = sentence.parts, mention
    word, single = parts[first].key, last - first == 1
    begin, end = clause(parts, first)
    near = sentence.calls(names, [*range(begin, first), *range(last, end)])
    expected = names.field.name == sentence.expecting
    alone = expected and sentence.bare([(first, last)])
    if single and (word in FILLER | STOP | {"all", "none"} or len(word) < 2 or word.isdigit()):
        return near or alone
    fields = [*sentence.names, *sentence.foreign]
    if single and any(word in n.hints or word == n.unit or any(word in p for p in n.phrases) for n in fields):
        own_value = last < len(parts) and parts[last].kind == "number"  # "colour, depth 3"
        return (near and not own_value and not (first and parts[first - 1].text == ",")) or alone
    shared = any(mentions(parts[first:last], sentence.options[other.field.name]) for other in others)
    return near or expected or not shared


def _only_places(sentence: Sentence, names: Names, mention: Mention) -> bool:
    """Whether nothing but filler, the label and other places stand beside "the second one"."""
    words = {word for phrase in names.phrases for word in phrase} | names.hints
    words |= {"two", "three", "four", "five", *PLACES}
    rest = [part for i, part in enumerate(sentence.parts) if not mention[1] <= i < mention[2]]
    return all(p.text in FILLER or p.key in words or p.kind in ("ordinal", "mark", "number") for p in rest)


def _meant(sentence: Sentence, pick: _Pick, said: Sequence[Mention]) -> bool:
    """An option word counts with its label, with a verb such as "use", or as the whole sentence.

    Three words count always, an alias also where the sentence begins with it ("crawl http://..." for site).
    """
    spans = [(first, last) for _, first, last in said]
    if pick.called or sentence.bare([*spans, *pick.beside], _NICE) or any(b - a >= 3 for a, b in spans):
        return True
    if pick.beside and all(_by_itself(sentence, span, pick.beside) for span in spans):
        return True
    begin = tuple(part.key for part in sentence.parts[: spans[0][1]]) if spans and not spans[0][0] else ()
    if begin and begin in {keys(alias) for alias in pick.names.field.ask.aliases or {}}:
        return True
    return bool(_TAKES & set(sentence.texts[: max((last for _, last in spans), default=0)]))


def _by_itself(sentence: Sentence, span: tuple[int, int], beside: Sequence[tuple[int, int]]) -> bool:
    """Whether in its clause are only other values: "linear, 12 years", "height 30 canvas"."""
    first, last = clause(sentence.parts, span[0])
    inside = {i for begin, end in (*beside, span) for i in range(begin, end)}
    units = {names.unit for names in sentence.names if names.unit} | {*UNITS} | _NICE
    return all(i in inside or sentence.texts[i] in FILLER | units for i in range(first, last))

"""Sentences and clauses: where they end, whether they ask, doubt or deny."""

import itertools
from collections.abc import Sequence
from functools import lru_cache

from .quantities import SPELLED
from .reading import LONGEST, Part, phrase_at, read

SENTENCES = 60  # what follows more than these is pasted text, and counts as one
PLAIN = 120  # parts: a longer sentence is pasted text, in which nothing is said plainly
REACH = 12  # parts over which a "not" reaches
ENDS = frozenset(".!?;,") | {"and", "but", "then"}
NOT = frozenset(
    "not no don't dont never without except excluding doesn't shouldn't isn't cannot can't "
    "drop remove scrap omit delete".split()
)
DENIES = frozenset("not instead rather than of but".split())
ADDS = frozenset("also add too plus additionally append invite".split())
CORRECTS = frozenset("no nope sorry actually rather meant mean instead oops wait correction".split())
_HEDGES = (
    "not sure", "don't know", "dont know", "no idea", "don't care", "maybe", "perhaps", "what if", "unless",
    "whether", "suppose", "wonder", "if", "would be", "not certain", "might", "should i", "either",
    "was told", "he", "she", "someone", "somebody", "people", "colleague", "friend", "used to", "last week",
    "last month", "last year", "last time", "had", "took", "there are", "there is", "there were", "it was",
    "probably", "i guess", "see", "i read", "i took", "i used", "you said", "says", "docs say",
    "repeat after",
)  # fmt: skip
_SURE = (
    " if possible ", " if you can ", " to see ", " would be nice ", " would be great ", " would be good ",
    " would be fine ", " would be best ",
)  # fmt: skip
TAKES_OUT = frozenset("take leave throw cross kick".split())  # ... out
_REPORTS = frozenset("said told suggested recommended thinks reckons".split())
_ASKS = frozenset(
    "what why how which who when where whose whether should is are was does do did am explain tell describe "
    "has have must may might what's whats why's how's".split()
)
_ALSO_TELL = frozenset("do have has did is are was may might must should when".split())  # without a "?"
_ORDERS = frozenset("set make use change take put pick choose select add remove".split())
_TOO = ("much", "many", "deep", "long", "large", "big", "high", "low", "small", "short", "few")
_LEADS = frozenset("and but so ok okay well please hmm , then also".split())


def clause(parts: Sequence[Part], at: int) -> tuple[int, int]:
    """Where the clause around `at` begins and ends."""
    first = last = at
    while first > 0 and parts[first - 1].text not in ENDS:
        first -= 1
    while last < len(parts) and parts[last].text not in ENDS:
        last += 1
    return first, last


def clauses(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """All clauses, without what ends them."""
    grouped = itertools.groupby(parts, lambda part: part.text in ENDS)
    return [list(group) for ends, group in grouped if not ends]


def negated(parts: Sequence[Part], at: int) -> bool:
    """Whether what stands at `at` is what the user does not want: "not csv", "instead of 3"."""
    first = at
    while first > max(at - REACH, 0) and parts[first - 1].text not in ENDS:
        first -= 1
    before = [part.text for part in parts[first:at]]
    pairs = {" ".join(pair) for pair in itertools.pairwise(before)}
    if {"instead of", "rather than", "do not", "take out"} & pairs or _taken_out(parts, first, at):
        return True
    if bounded(before):
        return False
    if {"no more", "not more", "no less", "no later", "no deeper", "no longer", "no larger"} & pairs:
        return False
    corrected = [f"no {word}" in pairs for word in ("wait", "sorry", "actually", "make", "set", "i")]
    return any(word in NOT and not (word == "no" and any(corrected)) for word in before)


def _taken_out(parts: Sequence[Part], first: int, at: int) -> bool:
    """Whether "take the gold out again" is what is said of it; `first` begins the clause."""
    ends = (i for i in range(at, min(at + REACH, len(parts))) if parts[i].text in ENDS)
    behind = {part.text for part in parts[at : next(ends, at + REACH)]}
    return "out" in behind and any(part.text in TAKES_OUT for part in parts[first:at])


def bounded(before: Sequence[str]) -> bool:
    """Whether words such as "don't read more than" before a number make it the most."""
    ends = [*before[-2:]] in (["more", "than"], ["longer", "than"], ["deeper", "than"], ["larger", "than"])
    return ends and bool({"not", "no", "don't", "dont", "never"} & {*before})


def complains(behind: Sequence[str]) -> bool:
    """Whether "is too many" or "isn't enough" follows on what is said."""
    pairs = set(itertools.pairwise(behind))
    return bool({("too", word) for word in _TOO} & pairs) or ("enough" in behind and bool(NOT & {*behind}))


def hedged(parts: Sequence[Part]) -> bool:
    """Whether the words are in doubt: "maybe", "not sure", "if"."""
    joined = f" {' '.join(part.text for i, part in enumerate(parts) if not _counted(parts, i))} "
    for plain in _SURE:
        joined = joined.replace(plain, " ")
    return any(f" {hedge} " in joined for hedge in _HEDGES) or _reported(parts)


def _reported(parts: Sequence[Part]) -> bool:
    """ "The boss said 500", "Tom thinks": what somebody else says; "I said 50" is the user's own word."""
    texts = [part.text for part in parts]
    at = next((i for i, text in enumerate(texts) if text in _REPORTS), 0)
    near = {*texts[max(at - 3, 0) : at]}
    own = {"i", "we", "as", "i've", "i'd"} & near and not {"think", "guess", "believe", "know"} & near
    return at > 0 and not own


def _counted(parts: Sequence[Part], at: int) -> bool:
    """Whether "people" are those of "5 people", who say nothing."""
    before = parts[at - 1] if at else None
    return parts[at].text == "people" and before is not None and (
        before.kind == "number" or before.text in SPELLED or before.text in ("more", "fewer")
    )  # fmt: skip


def adds(texts: Sequence[str]) -> bool:
    """Whether something comes to what is there: "also", "too", "as well", "and ..."."""
    pairs = set(itertools.pairwise(texts))
    beside = "too" in texts and {("too", word) for word in _TOO} & pairs
    return (bool(ADDS & {*texts}) and not beside) or ("as", "well") in pairs or _goes_on(texts)


def _goes_on(texts: Sequence[str]) -> bool:
    """Whether the words begin with "and", or put something on a list."""
    first = next((text for text in texts if text not in ("oh", "ok", "okay", "yes", ",")), "")
    return first == "and" or (first == "put" and bool({"on", "onto", "in"} & {*texts}))


@lru_cache(maxsize=8)  # every round of a turn asks for the same words
def split(words: str, labels: frozenset[tuple[str, ...]] = frozenset()) -> tuple[tuple[str, int, bool], ...]:
    """The sentences: (text, where it begins, whether it asks). "Depth 3, and what is a click?" is two.

    `labels` are what fields are called: "who: Ann" asks nothing where a field is called so.
    """
    parts = read(words[:LONGEST])
    cuts = [0]
    for i, part in enumerate(parts):
        following = parts[i + 1] if i + 1 < len(parts) else None
        breaks = following is not None and "\n" in words[part.end : following.start]
        if breaks or (part.kind == "mark" and part.text in ".!?"):
            cuts.append(i + 1)
        elif (
            i
            and part.text in (",", ";", "and", "but", "-")
            and parts[i - 1].text not in (",", ";", "and", "but")
        ):
            at = i + 2 if following and following.text in ("and", "but", "then") else i + 1
            word = parts[at].text if at < len(parts) else ""
            asks = word in _ASKS and word not in ("do", "have", "is", "are", "tell", "may")
            if asks or (word in _ORDERS and _asks(parts[cuts[-1] : i])):
                cuts.append(at)
    found = []
    for first, last in itertools.pairwise([*cuts[:SENTENCES], len(parts)]):
        if first < last:
            start, end = parts[first].start, parts[last - 1].end
            asks = _asks(parts[first:last]) and not _labelled(parts[first:last], labels)
            found.append((words[start:end], start, asks))
    return tuple(found)


def _labelled(parts: Sequence[Part], labels: frozenset[tuple[str, ...]]) -> bool:
    """Whether a label and a colon begin the sentence, or it is all of it, and no question mark ends it."""
    parts = list(itertools.dropwhile(lambda part: part.text in _LEADS, parts))
    ends = [at for label in labels if (at := phrase_at(parts, 0, label)) > 0]
    if any(len(label) > 1 and at == len(parts) for label in labels for at in [phrase_at(parts, 0, label)]):
        return True
    return any(part.text == ":" for at in ends for part in parts[at : at + 1]) and parts[-1].text != "?"


def _asks(parts: Sequence[Part]) -> bool:
    texts = [part.text for part in itertools.dropwhile(lambda part: part.text in _LEADS, parts)]
    if not texts:
        return False
    if texts[0] in ("can", "could", "would", "will") and texts[1:2] in (["you"], ["we"]):
        return bool({"explain", "tell", "say", "help", "describe", "why", "what", "how"} & set(texts[2:5]))
    if texts[0] in ("what", "how") and texts[1:2] == ["about"]:
        return True
    begins = texts[0] in _ASKS - _ALSO_TELL
    return begins or texts[-1] == "?"

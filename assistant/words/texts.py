"""Texts after the label of their field: "title: My graph", "include /docs and /api", "title Boat ride"."""

import re
from collections.abc import Sequence
from typing import Any

from ..parameters import LISTS
from .clauses import ENDS, adds, clause, hedged
from .dates import dates
from .labels import BOUNDS, Names
from .reading import phrase_at
from .sentence import FILLER, Found, Sentence

_KINDS = ("text", "long", *LISTS)
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|`([^`]+)`")
_AFTER = re.compile(r"[, ]+(?:instead|please|after all|thanks|thank you)$", re.IGNORECASE)
_LINKS = ("=", ":", "to", "is", "as", "be")
_MODAL = ("should", "shall", "will", "must")
_LEADS = frozenset("the my our a with and set please use change make then".split())
_NO_TEXT = FILLER - frozenset("and a an the of to in on for with all my back after in".split()) | frozenset(
    "are was were needed later again first last next unknown unclear missing wrong empty blank none".split()
)
_WORDS = 6  # of a text without a link before it


def labelled_texts(sentence: Sentence) -> list[Found]:
    """The texts of those fields whose label stands before one."""
    takers = [n for n in sentence.names if n.field.kind in _KINDS and not sentence.options[n.field.name]]
    return [item for names in takers if (item := _labelled(sentence, names))]


def _labelled(sentence: Sentence, names: Names) -> Found | None:
    parts, phrases = sentence.parts, [*names.phrases, *((hint,) for hint in sorted(names.hints))]
    for i in range(len(parts)):
        at = max((phrase_at(parts, i, phrase) for phrase in phrases), default=-1)
        if at < 0 or at >= len(parts) or hedged(parts[: i + 1]) or sentence.out(i):
            continue
        at += parts[at].text in _MODAL and parts[at + 1 : at + 2] != [] and parts[at + 1].text == "be"
        plain = parts[at].text in _LINKS
        begin = at + (plain or parts[at].text in ("only", "just"))
        if begin >= len(parts):
            continue
        if plain or parts[begin].kind in ("path", "url") or parts[begin].text in "\"'`":
            return _text_from(sentence, names, begin, plain)
        are = parts[begin].text == "are" and names.field.kind in LISTS
        begin += are and begin + 1 < len(parts)
        labels = [phrase for phrase in names.phrases if not set(phrase) <= FILLER]  # "only the tutorial"
        if any(phrase_at(parts, i, phrase) == at for phrase in labels) and _begins(sentence, i):
            found = _text_from(sentence, names, begin, plain)
            if found and _is_plain(sentence, names, found) and (not are or _are_names(found.raw)):
                return found
    return None


def _are_names(entries: Sequence[str]) -> bool:
    """Whether "the guests are ..." goes on with entries, not with "welcome"."""
    return len(entries) > 1 or entries[0] != entries[0].lower()


def _begins(sentence: Sentence, i: int) -> bool:
    """Whether a clause begins there, but for "the" or "with"."""
    return all(text in _LEADS for text in sentence.texts[clause(sentence.parts, i)[0] : i])


def _is_plain(sentence: Sentence, names: Names, found: Found) -> bool:
    """Whether a text right behind its label is meant as one: a few words that are no talk."""
    raw = found.raw if isinstance(found.raw, list) else [found.raw]
    words = [word for text in raw for word in re.findall(r"[\w']+", str(text))]
    if not words or len(words) > _WORDS or {word.lower() for word in words} & _NO_TEXT:
        return False
    return len(words) > 1 or words[0] != words[0].lower() or names.field.name == sentence.expecting


def _text_from(sentence: Sentence, names: Names, begin: int, plain: bool) -> Found | None:
    """The text from `begin` to where another field begins. `plain`: a link such as ":" stands before it."""
    parts, last = sentence.parts, begin
    while last < len(parts) and not (last > begin and _next_field(sentence, names, last)):
        last += 1
    while last > begin and parts[last - 1].text in (",", ".", "and", "!", ";"):
        last -= 1
    if last == begin:
        return None
    raw = sentence.text[parts[begin].start : parts[last - 1].end].strip()
    quoted = _QUOTED.match(raw)
    value: Any = next(g for g in quoted.groups() if g) if quoted else raw
    if names.field.kind == "text" and not quoted:
        value = _AFTER.sub("", raw)
    if names.field.kind in LISTS:
        value = [x for x in (x.strip(" \"'`") for x in re.split(r",|;|\band\b|\n", raw)) if x]
        named = plain or quoted or parts[begin].kind == "word"
        if not named and not all(re.search(r"[/*.\d]", x) for x in value):
            return None
        now = sentence.values.get(names.field.name)
        if isinstance(now, list) and adds(sentence.texts):
            value = [*now, *(text for text in value if text not in now)]
    return sentence.found(names.field.name, value, begin, last, "label") if value else None


def _next_field(sentence: Sentence, names: Names, at: int) -> bool:
    """Whether another field begins here: ", depth 3", ", exclude: /blog", ", 8 adults", "and on 1 May"."""
    parts = sentence.parts
    if parts[at - 1].text not in (",", "and", ";", "then"):
        return False
    at += at < len(parts) - 1 and parts[at].text in ("and", "the", "set", "then")
    others = [other for other in [*sentence.names, *sentence.foreign] if other is not names]
    if any(
        phrase_at(parts, at, phrase) > 0
        for other in sentence.names
        if other is not names
        for phrase in [*other.phrases, *((hint,) for hint in other.hints), *(BOUNDS if other.bound else ())]
    ):
        return True
    return names.field.kind != "long" and _speaks(sentence, others, at)


def _speaks(sentence: Sentence, others: Sequence[Names], at: int) -> bool:
    """Whether the clause from `at` on is about another field: "8 adults", "no children", a day."""
    end = next((i for i in range(at, len(sentence.parts)) if sentence.texts[i] in ENDS), len(sentence.parts))
    inside, kinds = sentence.parts[at:end], {other.field.kind for other in others}
    if any(part.kind in kinds & {"url", "email"} for part in inside):
        return True
    if "date" in kinds and dates(inside, sentence.today):
        return True
    says = any(at <= q.first < end for q in sentence.quantities) or {"no", "without"} & {
        p.text for p in inside
    }
    keys = {part.key for part in inside}
    return bool(says) and any(
        keys & other.hints or other.unit in keys or any(set(phrase) <= keys for phrase in other.phrases)
        for other in others
    )

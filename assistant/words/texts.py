"""Texts after the label of their field: "title: My graph", "include /docs and /api"."""

import re
from typing import Any

from .clauses import ADDS, hedged
from .labels import BOUNDS, Names
from .reading import phrase_at
from .sentence import Found, Sentence

_KINDS = ("text", "long", "list", "lines")
_REMOVES = frozenset("remove drop delete without".split())
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|`([^`]+)`")


def labelled_texts(sentence: Sentence) -> list[Found]:
    """The texts of those fields whose label stands before one."""
    takers = [n for n in sentence.names if n.field.kind in _KINDS and not sentence.options[n.field.name]]
    fewer = [item for names in takers if (item := _fewer(sentence, names))]
    return fewer or [item for names in takers if (item := _labelled(sentence, names))]


def _fewer(sentence: Sentence, names: Names) -> Found | None:
    """ "remove */old/*": the list without those of its texts that are named."""
    now = sentence.values.get(names.field.name)
    if not isinstance(now, list) or sentence.hedged or not _REMOVES & set(sentence.texts):
        return None
    gone = [text for text in now if f" {text} " in f" {sentence.text.strip(' .!')} "]
    rest = [text for text in now if text not in gone]
    return sentence.found(names.field.name, rest, 0, len(sentence.parts), "label") if gone else None


def _labelled(sentence: Sentence, names: Names) -> Found | None:
    parts, phrases = sentence.parts, [*names.phrases, *((hint,) for hint in sorted(names.hints))]
    for i in range(len(parts)):
        at = max((phrase_at(parts, i, phrase) for phrase in phrases), default=-1)
        if at < 0 or at >= len(parts) or hedged(parts[: i + 1]) or sentence.out(i):
            continue
        plain = parts[at].text in ("=", ":", "to", "is", "as", "be")
        begin = at + (plain or parts[at].text in ("only", "just"))
        if begin >= len(parts):
            continue
        if plain or parts[begin].kind in ("path", "url") or parts[begin].text in "\"'`":
            return _text_from(sentence, names, begin, plain)
    return None


def _text_from(sentence: Sentence, names: Names, begin: int, plain: bool) -> Found | None:
    """The text from `begin` to where another field begins. `plain`: a link such as ":" stands before it."""
    parts, last = sentence.parts, begin
    while last < len(parts) and not (last > begin and _next_label(sentence, names, last)):
        last += 1
    while last > begin and parts[last - 1].text in (",", ".", "and", "!", ";"):
        last -= 1
    if last == begin:
        return None
    raw = sentence.text[parts[begin].start : parts[last - 1].end].strip()
    quoted = _QUOTED.match(raw)
    value: Any = next(g for g in quoted.groups() if g) if quoted else raw
    if names.field.kind in ("list", "lines"):
        value = [x for x in (x.strip(" \"'`") for x in re.split(r",|\band\b|\n", raw)) if x]
        if not plain and not quoted and not all(re.search(r"[/*.\d]", x) for x in value):
            return None
        now = sentence.values.get(names.field.name)
        if isinstance(now, list) and ADDS & set(sentence.texts[:begin]):
            value = [*now, *(text for text in value if text not in now)]
    return sentence.found(names.field.name, value, begin, last, "label") if value else None


def _next_label(sentence: Sentence, names: Names, at: int) -> bool:
    """Whether another field begins here: ", depth 3" or ", exclude: /blog"."""
    parts = sentence.parts
    if parts[at - 1].text not in (",", "and", ";", "then"):
        return False
    at += parts[at].text in ("and", "the", "set", "then")
    return any(
        phrase_at(parts, at, phrase) > 0
        for other in sentence.names
        if other is not names
        for phrase in [*other.phrases, *((hint,) for hint in other.hints), *(BOUNDS if other.bound else ())]
    )

"""What comes to a list that has no options, or leaves it: "add Bob", "also */old/*", "remove the 2".

The list so far is `sentence.values`: what is set, or else the default that is shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..parameters import LISTS, NUMBERS, Field
from .clauses import ADDS, NOT, TAKES_OUT, adds, split
from .labels import STOP, Names, labels_of, lexicon
from .options import PLACES, mentions, options_of
from .quantities import quantities
from .reading import Part, fold, key_of, read
from .sentence import FILLER, Found, Sentence

_SHORT = 20  # parts of a sentence that is asked about
_WORDS = 4  # of an entry that is named by itself
_AROUND = re.compile(
    r"^(?:the|a|an|oh,?|also|and|plus|with|please|add|put|invite|append)\s+|\s+(?:too|as well|please|out)$"
    r"|\s+to (?:it|them|that|these|those|the list)$"
)
_BESIDE = FILLER | ADDS | NOT | TAKES_OUT | frozenset("out again well cannot come coming list".split())
_NO_ENTRY = FILLER - {"an", "a", "them"} | frozenset(
    "more another some any few bit i'm we're they're he she they his her not is are was were be do does did "
    "oh ok okay yes hi hey hello thanks sorry both either all everything everybody nobody "
    "i we you it that this what why how when where who which if because much many there here then".split()
)
_TEXTS = ("text", "url", "email")


def free_lists(sentence: Sentence) -> list[Names]:
    """The fields that are a list of texts, addresses or numbers without options."""
    return [
        names
        for names in sentence.names
        if names.field.kind in LISTS and not sentence.options[names.field.name] and names.field.item
        if names.field.item.kind in (*_TEXTS, *NUMBERS)
    ]


@dataclass(frozen=True)
class Change:
    """What a list could become: `entries` come to it, or are `gone`; `why` as of what is found."""

    field: Field
    value: list[Any]
    entries: list[Any]
    gone: bool
    why: str = "label"


def changed_lists(sentence: Sentence) -> list[Found]:
    """The free list that the sentence adds to or takes from, as it is then; none where that is unclear."""
    found = _changes(sentence)
    parts = len(sentence.parts)
    return [sentence.found(c.field.name, c.value, 0, parts, c.why) for c in found] if len(found) == 1 else []


def possible_lists(
    fields: Sequence[Field],
    words: str,
    offered: Mapping[str, Sequence[Any]],
    values: Mapping[str, Any],
    others: Sequence[Field] = (),
    recent: str | None = None,
) -> list[Change]:
    """The lists that the words may add to or take from, where they are one sentence and say nothing else."""
    sentences = split(words, labels_of([*fields, *others]))
    if len(sentences) != 1 or sentences[0][2] or not 0 < len(parts := read(sentences[0][0])) <= _SHORT:
        return []
    text, start, _ = sentences[0]
    options = {field.name: options_of(field, offered.get(field.name)) for field in fields}
    return _changes(
        Sentence(
            parts, text, start, lexicon(fields), lexicon(others), options, None, values, date.today(), recent
        )
    )


def _changes(sentence: Sentence) -> list[Change]:
    takers = free_lists(sentence)
    if not takers or sentence.hedged or len(sentence.parts) < 2:
        return []
    gone = [(names, found) for names in takers if (found := _leaving(sentence, names))]
    if gone:
        return [
            Change(names.field, [e for e in _now(sentence, names) if e not in gone_], gone_, True)
            for names, gone_ in [(n, found) for n, found in gone if sentence.calls(n)] or gone
        ]
    return [] if not adds(sentence.texts) or NOT & {*sentence.texts} else _added(sentence, takers)


def _now(sentence: Sentence, names: Names) -> list[Any]:
    now = sentence.values.get(names.field.name)
    return now if isinstance(now, list) else []


def _leaving(sentence: Sentence, names: Names) -> list[Any]:
    """The entries that the sentence says are not wanted: it says only them, and that."""
    texts = sentence.texts
    removes = NOT & {*texts} or (TAKES_OUT & {*texts} and "out" in texts)
    found, inside = [], set[int]()
    if removes and (placed := _placed(sentence, names)):
        return placed
    for entry in _now(sentence, names) if removes else ():
        spans = _spans(sentence.parts, entry)
        inside |= {i for span in spans for i in span}
        found += [entry] if spans else []
    beside = [p for i, p in enumerate(sentence.parts) if i not in inside and p.kind != "mark"]
    label = {word for phrase in names.phrases for word in phrase} | names.hints | STOP
    only = all(part.text in _BESIDE or part.key in label for part in beside)
    return found if only or sentence.calls(names) else []


def _placed(sentence: Sentence, names: Names) -> list[Any]:
    """The entry that is named by its place only: "the first tag", "the last one" of the list set last."""
    now, texts = _now(sentence, names), sentence.texts
    places = [i for i, part in enumerate(sentence.parts) if part.text in PLACES or part.kind == "ordinal"]
    called = sentence.calls(names)
    one = {"one", "entry", "item"} & {*texts} and names.field.name == sentence.recent
    rest = [p for i, p in enumerate(sentence.parts) if i not in places and p.kind != "mark"]
    if len(places) != 1 or not (called or one):
        return []
    if not all(p.text in _BESIDE | STOP | {"entry", "item"} or _called(p, names) for p in rest):
        return []
    text = texts[places[0]]
    at = PLACES[text] if text in PLACES else int(text[:-2]) - 1
    return [now[at]] if -1 <= at < len(now) and now else []


def _spans(parts: Sequence[Part], entry: Any) -> list[range]:
    """Where the entry stands: as it is, an address also without its scheme or by its host."""
    plain = fold(str(entry)).partition("://")[2]
    ways = {fold(str(entry)).rstrip("/"), plain.rstrip("/"), plain.split("/")[0]} - {""}
    texts, found = [part.text.rstrip("/") for part in parts], []
    for words in {tuple(part.text.rstrip("/") for part in read(way)) for way in ways}:
        found += [
            range(i, i + len(words)) for i in range(len(texts)) if (*texts[i : i + len(words)],) == words
        ]
    return found


def _added(sentence: Sentence, takers: Sequence[Names]) -> list[Change]:
    called = [names for names in takers if sentence.calls(names)]
    able = [(names, more) for names in called or takers if (more := _entries(sentence, names))]
    kinds = {names.field.name for names, _ in able if names.field.item and names.field.item.kind != "text"}
    able = [(names, more) for names, more in able if not kinds or names.field.name in kinds]
    expected = [(names, more) for names, more in able if names.field.name == sentence.recent]
    found = []
    for names, more in expected or able:
        now = _now(sentence, names)
        value = [*now, *(entry for entry in more if entry not in now)]
        found.append(Change(names.field, value, more, False, "label" if called or expected else "bare"))
    return found


def _entries(sentence: Sentence, names: Names) -> list[Any]:
    """What is to be added, in the kind of the list's entries; none where something else is said, too."""
    kind = names.field.item.kind if names.field.item else ""
    if kind in NUMBERS:
        meant = all(p.text in _BESIDE | STOP or p.kind in ("number", "mark") or _called(p, names)
                    for p in sentence.parts if not quantities([p]))  # fmt: skip
        numbers = [q.value for q in quantities(sentence.parts)] if meant else []
        return [int(n) if n == n.to_integral_value() else float(n) for n in numbers]
    if kind != "text":
        return [sentence.text[p.start : p.end] for p in sentence.parts if p.kind == kind]
    if any(mentions(sentence.parts, options) for options in sentence.options.values()):
        return []  # an option of another field
    text = _without_label(sentence, names)
    found = []
    for piece in re.split(r",|;|\n|\band\b|&", text):
        while (shorter := _AROUND.sub("", piece.strip(" .!\"'`"))) != piece:
            piece = shorter
        found += [piece] if piece and piece.lower() not in ("oh", "ok", "okay", "yes") else []
    return found if all(_is_entry(sentence, names, piece) for piece in found) else []


def _called(part: Part, names: Names) -> bool:
    return part.key in names.hints or any(part.key in phrase for phrase in names.phrases)


def _without_label(sentence: Sentence, names: Names) -> str:
    """The text without "to the guests" or "guests:"."""
    own = [p for p in sentence.parts if _called(p, names)]
    text = sentence.text
    for part in reversed(own):
        before = re.search(
            r"(?:\b(?:to|on|onto|in|into)\s+)?(?:(?:the|my|our|list of)\s+)*$", text[: part.start]
        )
        after = re.match(r"\s*(?:list)?\s*:?", text[part.end :])
        text = (
            text[: before.start() if before else part.start]
            + text[part.end + (after.end() if after else 0) :]
        )
    return text


def _is_entry(sentence: Sentence, names: Names, piece: str) -> bool:
    parts = read(piece)
    others = [other for other in [*sentence.names, *sentence.foreign] if other is not names]
    words = {key_of(part.text) for part in parts if part.kind == "word"}
    spoken = any(words & other.hints or (other.unit and other.unit in words) for other in others)
    return bool(parts) and len(parts) <= _WORDS + 2 and not words & _NO_ENTRY and not spoken and (
        any(p.kind in ("word", "path", "url", "piece") for p in parts) and not quantities(parts[:1])
    )  # fmt: skip

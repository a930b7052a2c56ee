"""What fields are called: their names, labels and units, and the words that only one of them has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..parameters import TIMES, Field
from .reading import ALIKE, Part, key_of, keys, slips

STOP = frozenset(
    "the a an of to in on at for and or is are be it its this that which what most least first "
    "found by".split()
)
BOUNDS = (
    ("at", "most"), ("up", "to"), ("no", "more", "than"), ("not", "more", "than"), ("maximum",), ("max",),
    ("a", "maximum"), ("maximally",), ("no", "deeper", "than"), ("no", "longer", "than"),
    ("no", "larger", "than"),
)  # fmt: skip

_OBJECTS = ("it", "them", "this", "that", "these", "those")
_LONG_ENOUGH = 5  # letters of a name in which a slip is put right

SIDES = {
    "width": ("wide",), "breadth": ("broad", "wide"), "height": ("high", "tall"), "depth": ("deep",),
    "length": ("long",), "thickness": ("thick",), "age": ("old",),
}  # fmt: skip
ADJECTIVES = frozenset(adjective for said in SIDES.values() for adjective in said)


@dataclass(frozen=True)
class Names:
    """The words by which one field is called."""

    field: Field
    phrases: tuple[tuple[str, ...], ...]  # its name and its label, strong
    hints: frozenset[str]  # single words of them, weak
    unit: str
    bound: bool  # its label is a bound such as "At most"
    measures: frozenset[str] = frozenset()  # adjectives of its side: "wide" of a width


def lexicon(fields: Iterable[Field]) -> list[Names]:
    """What each field is called that no other of these is."""
    raw = []
    for field in fields:
        name, label = keys(field.name), keys(field.label)
        phrases = tuple(
            dict.fromkeys(p for p in (name, label) if p and not set(p) <= STOP and p not in BOUNDS)
        )
        phrases += _spoken(phrases) if field.kind in TIMES else ()
        unit = next(iter(keys(field.ask.unit or "")), field.ask.unit or "")
        hints = (set(name) | set(label)) - STOP
        raw.append((field, phrases, hints, unit, label in BOUNDS or name in BOUNDS))
    found = []
    for i, (field, phrases, hints, unit, bound) in enumerate(raw):
        others = [x for j, x in enumerate(raw) if j != i]
        unique = frozenset(h for h in hints if h != unit and not any(h in x[2] or h == x[3] for x in others))
        own = tuple(p for p in phrases if not any(p in x[1] for x in others))
        measures = _measures(hints) - {a for x in others for a in _measures(x[2])}
        found.append(Names(field, own, unique, unit, bound, measures))
    return found


def _spoken(phrases: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """How a sentence says a label that begins with a participle: "need it by" of "Needed by"."""
    return tuple(
        (stem, key_of(it), *phrase[1:])
        for phrase in dict.fromkeys(phrases)
        if len(phrase) > 1 and phrase[0].endswith("ed")
        for stem in (phrase[0][:-2], phrase[0][:-1])
        for it in _OBJECTS
    )


def _measures(words: Iterable[str]) -> frozenset[str]:
    said = frozenset(words)
    return (said & ADJECTIVES) | {a for noun in said for a in SIDES.get(noun, ())}


def mended(parts: Sequence[Part], known: Iterable[Names]) -> list[Part]:
    """The parts with a slip in what a field is called put right: "chidlren", "coppies"."""
    called = {
        key for names in known for phrase in (*names.phrases, names.hints, (names.unit,)) for key in phrase
    }
    meant = {key: key for key in called} | {word: key for word, key in ALIKE.items() if key in called}
    long = {word: key for word, key in meant.items() if len(word) >= _LONG_ENOUGH}
    return [_mend(part, long) if part.kind == "word" and part.key not in called else part for part in parts]


def _mend(part: Part, meant: Mapping[str, str]) -> Part:
    found = {key for word, key in meant.items() if slips(part.key, word)}
    return replace(part, key=found.pop()) if len(found) == 1 else part


def labels_of(fields: Iterable[Field]) -> frozenset[tuple[str, ...]]:
    """The names and labels of the fields, as they are compared."""
    return frozenset(keys(text) for field in fields for text in (field.name, field.label))


def is_side(field: Field) -> bool:
    """Whether it is a width, a height ..."""
    return bool(_measures({*keys(field.name), *keys(field.label)}))


def words_of(field: Field) -> set[str]:
    """The words of a field's name, label and unit."""
    own = set(keys(field.name)) | set(keys(field.label)) | set(keys(field.ask.unit or ""))
    return own - STOP

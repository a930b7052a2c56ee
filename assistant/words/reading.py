"""Words become parts: addresses, numbers, words and marks, folded so that they can be compared."""

import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONG = 7  # letters of a word that is told by the others
LONGEST = 20_000  # characters of a message that are looked at
_TOP = "com|org|net|io|dev|edu|gov|info|app|ai|eu|de|uk|fr|nl|ch|at|it|es|us|co"
_TOKEN = re.compile(
    rf"""(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    |(?P<url>(?:https?|ftp)://[^\s<>"'`]+
        |(?<![\w.-])(?:localhost|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|(?:[a-z0-9-]+\.)+(?:{_TOP}|[a-z]{{2,12}}(?=/\w)))(?![\w-]|\.\w)
         (?::\d+)?(?:[/?\#][^\s<>"'`]*)?)
    |(?P<iso>(?<!\w)\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?!\w))
    |(?P<clock>(?<![\w:])(?:\d{{1,2}}:\d\d(?::\d\d)?(?:\s?[ap]m)?|\d{{1,2}}\s?[ap]m)(?![\w:]))
    |(?P<path>(?<![\w)./*])[/*][^\s,;"'`]+)
    |(?P<ordinal>(?<!\w)\d+(?:st|nd|rd|th)(?!\w))
    |(?P<number>(?<![\w.])(?:(?<![^\s(\[=:,])[-+\u2212])?(?:\d{{1,3}}(?:[,_]\d{{3}})+|0,\d+|\d+)?
        (?:(?<=\d)|(?=\.\d))(?:\.\d+)?
        (?<=\d)(?:k|m|bn|%|ms|s|sec|min|h|d|w|kb|mb|gb|mm|cm|km|x)?(?![\w]|\.\d))
    |(?P<word>\w+(?:[-.'\u2019]\w+)*)
    |(?P<mark>\S)""",
    re.VERBOSE | re.IGNORECASE,
)


_SIDES = re.compile(r"\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)+(?:mm|cm|m|km|px)?")  # 30x40
ALIKE = {"colour": "color", "grey": "gray", "centre": "center", "metre": "meter", "favourite": "favorite",
            "children": "child", "kid": "child", "people": "person"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A word, number, address, mark ... `text` is folded, `key` is also without a plural s."""

    kind: str
    text: str
    key: str
    start: int
    end: int


def fold(text: str) -> str:
    """Case, width and apostrophes made alike."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u2212", "-")


def key_of(word: str) -> str:
    """The word without a plural s, and in one of two spellings."""
    word = word.removesuffix("'s")
    word = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return ALIKE.get(word, word)


def read(words: str) -> list[Part]:
    """The words as parts; "c-api" is two parts, "30x40" three, "don't" and an address are one."""
    return list(_read(words))


@lru_cache(maxsize=64)  # a turn looks at the same words for each field
def _read(words: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for match in _TOKEN.finditer(words):
        kind, raw, start = str(match.lastgroup), match.group(), match.start()
        if kind in ("url", "path"):
            raw = raw.rstrip(".,;:!?)]}")
        if kind != "word":
            text, end = fold(raw), start + len(raw)
            parts.append(Part(kind, text, text, start, end))
            if end < match.end():  # what closed the sentence behind an address
                parts.append(Part("mark", words[end], words[end], end, end + 1))
            continue
        sides = _SIDES.fullmatch(raw.casefold())
        for piece in re.finditer(r"[\d.]+|[^\W\d]+" if sides else r"[^-._]+", raw):
            text = fold(piece.group())
            kind = "word" if not any(c.isdigit() for c in text) else "number" if sides else "piece"
            parts.append(Part(kind, text, key_of(text), start + piece.start(), start + piece.end()))
    return tuple(parts)


@lru_cache(maxsize=4_096)
def keys(text: str) -> tuple[str, ...]:
    """The words of a label, a name or an option as they are compared."""
    return tuple(part.key for part in read(text.replace("_", " ")) if part.kind != "mark")


def one_typo(said: str, key: str) -> bool:
    """Whether it is the key, or a longer one with a letter added, left out, replaced or swapped."""
    if said == key or abs(len(said) - len(key)) > 1 or len(key) < 5 or len(said) < 4:
        return said == key
    a, b = sorted((said, key), key=len)
    i = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[i:] == b[i + 1 :]
    return a[i + 1 :] == b[i + 1 :] or (a[i + 2 :] == b[i + 2 :] and a[i : i + 2] == b[i : i + 2][::-1])


def slips(said: str, key: str) -> bool:
    """Whether it is the key with two letters swapped or one doubled or single; of a long one, one lost.

    Fewer than `one_typo`: "weight" is no slip of "height".
    """
    if said[:1] != key[:1] or abs(len(said) - len(key)) > 1 or said == key:
        return False
    if len(said) == len(key):
        return one_typo(said, key) and sorted(said) == sorted(key)
    short, long = sorted((said, key), key=len)
    i = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    doubled = i > 0 and long[i] == long[i - 1]
    return short[i:] == long[i + 1 :] and (doubled or len(key) >= LONG)


def phrase_at(
    parts: Sequence[Part], at: int, phrase: Sequence[str], same: Callable[[str, str], bool] = operator.eq
) -> int:
    """The index behind `phrase` if it stands at `at` (hyphens between its words do not count), else -1."""
    for key in phrase:
        if at < len(parts) and parts[at].kind == "mark" and parts[at].text in "-_./":
            at += 1
        if at >= len(parts) or not same(parts[at].key, key):
            return -1
        at += 1
    return at if phrase else -1

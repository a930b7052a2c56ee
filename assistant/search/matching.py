"""What is looked for: words to match in text, and bytes to look for in a log before any line is read. Pure.

    red "big apple" GRÖSSE    ──▶    words  "red", "big apple", "grösse"

A log's bytes are folded as its words are: every letter's case by Unicode's rules, every escape in the form of
our own logs. So a word of a line is in the line's folded bytes, and what is not there need not be read.
A sieve tells of folded bytes, without them, what can not be in them: it holds which groups of three or four
bytes there are, as one bit each. It takes about a thirtieth of the log's size.
"""

import json
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

QUERY = 300  # characters of what is looked for
WORDS = 12  # of one search
BEFORE, AFTER = 60, 180  # characters of an excerpt around the first word
BLOCK = 2**18  # bytes of one sieve
FEW = 20  # lines that are decoded without a closer look
_BITS = 2**16  # of one sieve
_FACTOR = 2_654_435_761  # spreads a group over them: the upper half of the product's 32 bits
_UPPER = 1 if sys.byteorder == "little" else 0
_FIELDS = tuple(
    b"step text turn values value name reason tool arguments result question options about action id model "
    b"tokens rate seconds first read thinking prompt extraction left_out stopped incomplete replaces where "
    b"kind run output traceback file rows columns bytes sha256 on why defaulted source".split()
)
_SILENT = (b'began"', b'opened"', b'advanced"', b'progressed"', b'started"')  # lines without text to find
_WORD = re.compile(r'"([^"]*)"|“([^”]*)”|(\S+)')
_FOREIGN = re.compile(rb"[\x80-\xff]+")
_ESCAPE = re.compile(rb"\\\\|\\/|(?:\\u[0-9a-fA-F]{4})+")


def words_of(text: str) -> tuple[str, ...]:
    """What was typed as folded words and phrases, each once; what is between quotes is one."""
    found = []
    for match in _WORD.finditer(text[:QUERY]):
        word = match[1] or match[2] or (match[3] or "").strip('"“”')
        found.append(" ".join(word.casefold().split()))
    return tuple(dict.fromkeys(word for word in found if word))[:WORDS]


def needles(words: Iterable[str]) -> tuple[bytes, ...]:
    """The bytes that a folded line has which holds these words; of a phrase those of each word."""
    return tuple(dict.fromkeys(_as_json(part) for word in words for part in word.split()))


def _as_json(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace")


def fold_text(text: str) -> bytes:
    """A text as it would stand in a folded line."""
    return _as_json(" ".join(text.casefold().split()))


def fold_bytes(data: bytes) -> bytes:
    """A log's bytes as its words are folded. It has the same lines; they may be longer or shorter."""
    if b"\\" in data and (b"\\u" in data or b"\\/" in data):  # another program's; ours has few
        data = _ESCAPE.sub(_unescape, data)
    data = data.lower()
    return data if data.isascii() else _FOREIGN.sub(_fold_run, data)


def _unescape(found: re.Match[bytes]) -> bytes:
    if found[0] == rb"\\":
        return found[0]
    return _as_json(json.loads(b'"%b"' % found[0]))


def _fold_run(found: re.Match[bytes]) -> bytes:
    return found[0].decode("utf-8", "replace").casefold().encode()


def bodies(data: bytes) -> bytes:
    """Of each line of a log what may hold text, folded: what was done and what follows, without checksum."""
    cut = len(',"crc":"01234567"}')
    return fold_bytes(b"\n".join([line[line.find(b'"did":"') + 7 : -cut] for line in data.split(b"\n")]))


def places(needles: Sequence[bytes], folded: bytes) -> list[int]:
    """Which of the folded lines may have all these as text, the last first."""
    if not all(needle in folded for needle in needles):
        return []
    lines = folded.split(b"\n")
    longest, *others = sorted(needles, key=len, reverse=True)
    found = [n for n, line in enumerate(lines) if longest in line and not line.startswith(_SILENT)]
    for needle in others:
        found = [n for n in found if needle in lines[n]]
    for needle in needles:
        if len(found) > FEW:
            kept = _as_text(needle, folded)
            found = [n for n in found if n in kept]
    return found[::-1]


def _as_text(needle: bytes, folded: bytes) -> set[int]:
    """Which of the lines have the needle elsewhere than in words that the program wrote itself."""
    fields, text = [b'"%b":' % name for name in _FIELDS if needle in name], b"\n" + folded
    for did in (b"set", b"helped", b"refused", b"advanced", b"reopened", b"skipped", b"opened"):
        text = text.replace(b'\n%b","step":"%b"' % (did, needle), b"\n ")
    text = text.replace(b'\n%b","' % needle, b"\n ")  # what was done
    for field in fields:
        text = text.replace(field, b" ")
    found = {n for n, line in enumerate(text[1:].split(b"\n")) if needle in line} if needle in text else set()
    if fields:  # a parameter may have the name of one
        name = rb'"(?:values|arguments)":\{(?:[^{}\n]|\{[^{}\n]*\})*?"[^"\n]*%b[^"\n]*":' % re.escape(needle)
        found |= {folded.count(b"\n", 0, match.start()) for match in re.finditer(name, folded)}
    return found


# --- sieves ------------------------------------------------------------------------------------------------


def sieves(folded: bytes, size: int) -> tuple[bytes, ...]:
    """The sieves of folded lines, one for about each BLOCK of bytes. `size` of a group: 3 or 4."""
    return tuple(_sieve(block, size) for block in _blocks(folded))


def _blocks(text: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + BLOCK) + 1 or len(text)
        yield text[start:end]
        start = end


def _sieve(block: bytes, size: int) -> bytes:
    import numpy as np

    padded, held = block + bytes(4), np.zeros(_BITS, np.bool_)
    for offset in range(4):  # the groups that begin there and at every fourth byte after it
        groups = np.frombuffer(padded, "<u4", (len(padded) - offset) // 4, offset)
        if size == 3:
            groups = groups & np.uint32(0xFFFFFF)
        upper = (groups * np.uint32(_FACTOR)).view(np.uint16)[_UPPER::2]
        held[upper.astype(np.intp)] = True
    return np.packbits(held, bitorder="little").tobytes()


def size_for(wanted: Sequence[bytes]) -> int:
    """The size of groups of bytes that a sieve for these needles has; 0 where they are too short for one."""
    longest = max(map(len, wanted), default=0)
    return min(longest, 4) if longest >= 3 else 0


def bits(wanted: Iterable[bytes], size: int) -> tuple[int, ...]:
    """The bits of a sieve that are set where it has these needles; one too short for it has none."""
    groups = {needle[start : start + size] for needle in wanted for start in range(len(needle) - size + 1)}
    return tuple((int.from_bytes(group, "little") * _FACTOR & 0xFFFF_FFFF) >> 16 for group in groups if size)


def may_hold(made: Iterable[bytes], wanted: Sequence[int]) -> bool:
    """Whether one of the sieves has all these bits; if not, no line has all the needles."""
    return any(all(sieve[n >> 3] >> (n & 7) & 1 for n in wanted) for sieve in made)


# --- excerpts ----------------------------------------------------------------------------------------------


def excerpt(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """The part of a text around the first of the folded words, in pieces: whether each is one of them."""
    text = " ".join(text.split())
    folded = text.casefold()
    first = min((at for word in words if (at := folded.find(word)) >= 0), default=0)
    if len(folded) > len(text):  # some letters fold to two: find where it stands before that
        first = bisect_left(range(len(text)), first, key=lambda end: len(text[:end].casefold()))
    start, end = max(0, first - BEFORE), first + AFTER
    if start:
        start = text.find(" ", start, first) + 1 or start
    if end < len(text):
        end = max(text.rfind(" ", first + AFTER // 2, end), 0) or end
    pieces = _pieces(text[start:end], words)
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if end < len(text) else [])]


def _pieces(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    letters = [letter.casefold() for letter in text]
    places = [n for n, letter in enumerate(letters) for _ in letter]  # of each folded letter, its own
    folded, marked = "".join(letters), [False] * len(text)
    for word in words:
        at = folded.find(word)
        while at >= 0:
            for n in places[at : at + len(word)]:
                marked[n] = True
            at = folded.find(word, at + len(word))
    pieces: list[tuple[str, bool]] = []
    for letter, mark in zip(text, marked, strict=True):
        if pieces and pieces[-1][1] == mark:
            pieces[-1] = (pieces[-1][0] + letter, mark)
        else:
            pieces.append((letter, mark))
    return pieces

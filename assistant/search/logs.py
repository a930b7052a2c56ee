"""One log as the search reads it: its bytes, folded, and what little of its entries must be decoded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

from ..disk import read_file
from ..errors import AssistantError
from ..log.lines import Entry, decode
from ..session import Session, fold
from .matching import bodies, fold_bytes, fold_text, places

NOTE_BYTES = 2**20  # a note of a run that is longer is not searched
_HEAD = re.compile(rb'"by":"(\w+)","did":"(\w+)"')
_CRC = len(',"crc":"01234567"}')
_BULK = tuple(f'"did":"{did}"'.encode() for did in ("said", "called", "progressed", "helped"))


@dataclass(frozen=True)
class Text:
    """A log as it was read, and what of each of its lines may hold text, folded."""

    data: bytes
    folded: bytes
    notes: dict[int, str]  # what the notes among its results say, by the place of their line

    @cached_property
    def lines(self) -> list[bytes]:
        return self.data.split(b"\n")


def read_text(folder: Path, data: bytes) -> Text:
    """The log of a session's folder, with its bytes as they were read."""
    folded, notes = bodies(data), dict[int, str]()
    if b'"kind":"note"' in folded:
        notes = _notes(folder / "files", data.split(b"\n"))
        lines = folded.split(b"\n")
        for place, note in notes.items():
            lines[place] += b" " + fold_text(note)
        folded = b"\n".join(lines)
    return Text(data, folded, notes)


def _notes(files: Path, lines: list[bytes]) -> dict[int, str]:
    """What the files say that a run gave back as notes, by the place of their line."""
    found = {}
    for place, line in enumerate(lines):
        if b'"kind":"note"' not in line or not (entry := entry_of(line, place)) or entry.did != "produced":
            continue
        path = files / str(entry.get("file"))
        try:
            if path.parent == files and path.stat().st_size <= NOTE_BYTES:
                found[place] = read_file(path)[0].decode("utf-8", "replace")
        except (AssistantError, OSError, ValueError):  # deleted by hand, or a name that is none
            continue
    return found


def folded_to(lines: Sequence[bytes]) -> tuple[Session, int]:
    """What a name and what is undone depend on: all but the many lines of the chat, up to the first damage.

    With it, how many lines are good.
    """
    good = next((place for place, line in enumerate(lines) if not _is_whole(line)), len(lines))
    some = (entry_of(line, place) for place, line in enumerate(lines[:good]) if not _is_bulk(line))
    return fold(entry for entry in some if entry), good


def _is_bulk(line: bytes) -> bool:
    return any(line.find(did, 0, 100) >= 0 for did in _BULK)


def _is_whole(line: bytes) -> bool:
    return line[-10:-2] == b"%08x" % crc32(line[:-_CRC])


def entry_of(line: bytes, place: int | None = None) -> Entry | None:
    """The entry of a good line; None also where it is not the one that is due at this place."""
    try:
        entry = decode(line)
    except ValueError:
        return None
    return entry if place is None or entry.n == place + 1 else None


def may_hold(data: bytes, needles: Sequence[bytes]) -> bool:
    """Whether a log that was not learned may hold all the words; a note may be in a file."""
    folded = fold_bytes(data)
    return b'"kind":"note"' in data or all(needle in folded for needle in needles)


def heads_of(data: bytes) -> frozenset[tuple[bytes, bytes]]:
    """Who did what in a log; empty if a line does not say it in the way that ours do."""
    found = _HEAD.findall(data)
    return frozenset(found if len(found) >= data.count(b"\n") else ())


def turns_of(model: str, text: Text) -> set[str]:
    """The turns that the model answered."""
    said = (entry_of(text.lines[n], n) for n in places([b'"model":"' + fold_text(model)], text.folded))
    return {str(entry["turn"]) for entry in said if entry and entry.get("turn")}

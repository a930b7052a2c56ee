"""One line of a log: what it holds, how it is written and how it is read. Pure; `log.py` has the files.

    {"n":7,"at":"2026-11-21T10:03:01.123Z","by":"user","did":"set","step":"start","values":{"depth":3},"crc":"bd226573"}

The line number is `n`, so a missing or doubled line shows. `crc` is the CRC-32 of the bytes before the last
`,"crc"`, so a changed or half-written line shows.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from assistant.collector import paused
from assistant.errors import Refused

FORMAT = 1
MAX_LINE = 2**20  # bytes, with the newline
MAX_DEPTH = 100  # of lists and objects in one line; json.loads fails at about 1,000
_OWN = {"n", "at", "by", "did", "crc"}
_CRC = len(',"crc":"01234567"}')


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that was read. `at`: UTC, ISO form, milliseconds. `fields`: all others, without crc."""

    n: int
    at: str
    by: str
    did: str
    fields: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def get(self, key: str, default: Any = None) -> Any:
        """One of the entry's own fields, or `default`."""
        return self.fields.get(key, default)

    def as_dict(self) -> dict[str, Any]:
        """The entry as it stands in its line: n, at, by, did, then the own fields; without crc."""
        return {"n": self.n, "at": self.at, "by": self.by, "did": self.did, **self.fields}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line to be written; the log adds n, at and crc. `sync=False`: nobody waits until it is on disk."""

    by: str
    did: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    sync: bool = True


@dataclass(frozen=True)
class Damage:
    """Where a log can not be read on: the line (from 1), why, and `n` of the last good entry (0: none)."""

    line: int
    reason: str
    last_good: int

    def __str__(self) -> str:
        return (
            f"The log is damaged at line {self.line}: {self.reason}. Entries up to {self.last_good} are good."
        )


def encode(entry: Entry) -> bytes:
    """The line of an entry, without its newline. Refused: what JSON or UTF-8 can not hold; over 1 MiB."""
    if clash := _OWN & entry.fields.keys():
        raise ValueError(f"a log line's own fields may not be named {', '.join(sorted(clash))}")
    too_deep = f"it is nested more than {MAX_DEPTH} levels deep"
    try:
        body = _encoder.encode(entry.as_dict())[:-1].encode()
    except RecursionError:
        raise _refused(entry, too_deep) from None
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}"
        raise _refused(entry, f"its text has half of a character ({half}, a lone surrogate)") from None
    except ValueError as error:
        reason = "it has a number that is NaN or infinite" if "float" in str(error) else str(error)
        raise _refused(entry, reason) from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _deeper(entry.as_dict(), MAX_DEPTH):
        raise _refused(entry, too_deep)
    line = b'%b,"crc":"%08x"}' % (body, crc32(body))
    if len(line) >= MAX_LINE:
        raise _refused(entry, f"it has {len(line) + 1:,} bytes and a line may have {MAX_LINE:,} (1 MiB)")
    return line


def decode(line: bytes) -> Entry:
    """The entry of a line without its newline. ValueError: why it is none."""
    if line[-_CRC:-10] != b',"crc":"' or line[-2:] != b'"}':
        raise ValueError("it does not end with a checksum")
    body = line[:-_CRC]
    if line[-10:-2] != b"%08x" % crc32(body):
        raise ValueError("its checksum does not fit, so it was changed")
    try:
        text = body.decode() + "}"
        data, end = _decoder.raw_decode(text)
        if end != len(text):
            raise ValueError("it goes on after its end")
        if b"\\ud" in line or b"\\uD" in line:  # the only way in for half a character; we never write it
            json.dumps(data, ensure_ascii=False).encode()
        n, at, by, did = data.pop("n"), data.pop("at"), data.pop("by"), data.pop("did")
    except UnicodeError:
        raise ValueError("its text is not UTF-8") from None
    except KeyError as error:
        raise ValueError(f"it has no {error}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if type(n) is not int or type(at) is not str or type(by) is not str or type(did) is not str:
        raise ValueError("n must be a whole number; at, by and did must be text")
    return Entry(n, at, by, did, data)


@dataclass(frozen=True)
class Scan:
    """What `scan` found: bytes that are good lines, whether the last of them has no newline, and damage."""

    used: int
    bare: bool
    damage: Damage | None


def scan(data: bytes, entries: list[Entry]) -> Scan:
    """Read the lines that follow `entries` and add them there, up to the first that is not good.

    The last line may lack its newline: it counts if it is whole, else it is no damage but a torn write,
    which was never acknowledged: it is left out of `used`.
    """
    *lines, tail = data.split(b"\n")
    used, due = 0, len(entries) + 1
    try:
        with paused():
            for line in lines:
                entry = decode(line)
                if entry.n != due:
                    raise _misplaced(entry.n, due)
                entries.append(entry)
                used += len(line) + 1
                due += 1
        if not tail or (last := _whole(tail)) is None:
            return Scan(used, False, None)
        if last.n != due:
            raise _misplaced(last.n, due)
    except ValueError as error:
        return Scan(used, False, Damage(due, str(error), due - 1))
    entries.append(last)
    return Scan(used + len(tail), True, None)


def next_at(last: Entry | None) -> str:
    """The time of the next write: now, but at least 1 ms after the last entry, whatever the clock says."""
    now = datetime.now(UTC)
    at = _iso(now)
    if last is None or (len(last.at) == len(at) and last.at < at):
        return at
    try:
        after = datetime.fromisoformat(last.at) + timedelta(milliseconds=1)
        return _iso(max(now, after.astimezone(UTC)))
    except (ValueError, OverflowError):  # another program's idea of a time: the clock must do
        return at


def is_newer(entries: list[Entry]) -> bool:
    """Whether the first entry says a format that this version does not know how to write."""
    if not entries or entries[0].did != "began":
        return False
    said = entries[0].get("format", FORMAT)
    return not (isinstance(said, int) and said <= FORMAT)


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def _whole(line: bytes) -> Entry | None:
    try:
        return decode(line)
    except ValueError:
        return None


def _misplaced(n: int, due: int) -> ValueError:
    what = "a line is missing" if n > due else "a line is there twice"
    return ValueError(f"it is entry {n} where {due} was due, so {what}")


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list, tuple)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in inner)


def _refused(entry: Entry, reason: str) -> Refused:
    return Refused(None, None, f"This can not go into the log ({entry.did} by {entry.by}): {reason}.")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no number that a log may hold")
    return number


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)

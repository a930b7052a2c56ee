"""How far one log was read: its entries so far, and what is new in the file. Reads only.

A file that only grows is read from where the last look ended. One that was replaced, or that has a `redacted`
line since, has changed before that: it is read afresh.
"""

from pathlib import Path

from assistant.disk import Mark, look, read_file
from assistant.log.lines import Damage, Entry, is_newer, scan

CHECKED = 19  # bytes of a line's checksum, with the newline


class Reading:
    """The entries of one log file (a class: what was read and how far that was must change together)."""

    def __init__(self, path: Path) -> None:
        self.entries: list[Entry] = []
        self.damage: Damage | None = None
        self.newer_format = False
        self.generation = 0  # grows when the file was read afresh, so that earlier entries may have changed
        self._path = path
        self._seen: Mark = (0, 0)  # the file as it was at the last look
        self._used = 0  # bytes of good lines
        self._last = b""  # the end of them, a checksum: the next look sees whether it still stands there
        self._bare = False  # the last good line has no newline

    def _catch_up(self) -> list[Entry]:
        """Read what is new. Costs one stat when there is nothing."""
        known, now = len(self.entries), look(self._path)
        if now == self._seen:
            return []
        if self.damage or now[0] != self._seen[0] or not self._read_on():
            self._read_all()
        return self.entries[known:]

    def _read_all(self) -> None:
        self.generation += 1
        self._used, self._last, self._bare = 0, b"", False
        fresh: list[Entry] = []
        self.damage = self._read_into(fresh)
        self.entries[:] = fresh
        self.newer_format = is_newer(fresh)

    def _read_on(self) -> bool:
        """Read from where the last look ended; False if that does not fit: then all must be read again."""
        known = len(self.entries)
        fits = self._read_into(self.entries) is None
        # a file that took this one's place may have got its inode, and even its place in the bytes
        if fits and not any(entry.did == "redacted" for entry in self.entries[known:]):
            return True
        del self.entries[known:]
        return False

    def _read_into(self, entries: list[Entry]) -> Damage | None:
        data, seen = read_file(self._path, self._used - len(self._last))
        start = len(self._last)
        if self._bare and len(data) > start:
            start += 1
        if data[:start] != self._last + b"\n"[: start - len(self._last)]:
            return Damage(len(entries), "it is not the line that was there before", len(entries) - 1)
        found = scan(data[start:], entries)
        good = start + found.used
        self._used += good - len(self._last)
        self._bare = found.bare or (self._bare and start == len(self._last))
        self._last = data[max(0, good - CHECKED) : good]
        self._seen = seen
        return found.damage

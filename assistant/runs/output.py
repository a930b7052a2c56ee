"""What a run prints: the first MiB in a file, the end of it in memory, secrets masked in both."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..text import MASK, mask

OUTPUT_BYTES = 2**20
TAIL_CHARACTERS = 4_000
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Output:
    """The output of one run, added to as it comes. The file is made with the first words."""

    def __init__(self, path: Path, secrets: Mapping[str, str]) -> None:
        self.path, self.secrets = path, secrets
        self.words = [value.encode() for value in secrets.values() if len(value) >= 4]
        self.held_back = b""  # the beginning of a secret, perhaps
        self.end = b""
        self.room = OUTPUT_BYTES
        self.file: int | None = None

    def add(self, chunk: bytes, last: bool = False) -> None:
        text = self.held_back + chunk
        for word in self.words:
            text = text.replace(word, MASK.encode())
        hold = 0 if last else self._begun(text)
        text, self.held_back = text[: len(text) - hold], text[len(text) - hold :]
        self.end = (self.end + text)[-4 * TAIL_CHARACTERS :]
        self._keep(text)

    def tail(self) -> str:
        """The last lines as a terminal shows them: of a line that was written over, its last state."""
        text = TERMINAL_CODES.sub("", self.end.decode(errors="replace")).replace("\r\n", "\n")
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        return mask("\n".join(lines), self.secrets)[-TAIL_CHARACTERS:]

    def named(self) -> dict[str, str]:
        """{"output": the file's name}, or nothing where nothing was printed."""
        return {"output": self.path.name} if self.file is not None else {}

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def _begun(self, text: bytes) -> int:
        """How many bytes at the end of `text` may be the beginning of a secret."""
        longest = max((len(word) for word in self.words), default=1) - 1
        sizes = range(min(longest, len(text)), 0, -1)
        return next((size for size in sizes if any(word.startswith(text[-size:]) for word in self.words)), 0)

    def _keep(self, text: bytes) -> None:
        if not text or self.room <= 0:
            return
        kept = text[: self.room]
        self.room -= len(kept)
        try:
            if self.file is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
                self.file = os.open(self.path, flags, 0o600)
            os.write(self.file, kept if self.room else kept + "\n… the rest was not kept\n".encode())
        except OSError:  # a full disk must not end the run for the sake of its prints; the log tells of it
            self.room = 0

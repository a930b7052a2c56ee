"""A text to find: as it is written, or as a regular expression, in a process of its own with a deadline.

An expression may take for ever on a text that nearly fits, and nothing in this process could stop it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable

from ..errors import Refused
from .traces import GONE, Sub, without

LONGEST = 1_000  # characters of a text that is sought
SHORTEST = 2
SECONDS = 5.0

_CHILD = """
import json, re, sys
pattern, flags, gone, texts = json.load(sys.stdin)
found = re.compile(pattern, flags)
def sub(text):
    return gone.join(found.sub(lambda m: gone if m.group() else "", part) for part in text.split(gone))
if found.search(""):
    sys.exit("empty")
json.dump({text: new for text in texts if (new := sub(text)) != text}, sys.stdout)
"""


def literal(text: str, *, exact: bool = False, words: bool = False) -> Sub:
    """Takes a text away: in any case unless `exact`, only as words of their own with `words`."""
    inner = rf"(?<!\w){re.escape(text)}(?!\w)" if words else re.escape(text)
    return without(re.compile(inner, 0 if exact else re.IGNORECASE))


def checked(text: str) -> str:
    """The text as it is sought; Refused if it is too short or too long."""
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        told = f"A text to take out has {SHORTEST} to {LONGEST:,} characters; this one has {len(text):,}."
        raise Refused(None, None, told)
    return text


class Expression:
    """Takes away what a regular expression matches (a class: it remembers what became of each text)."""

    def __init__(self, pattern: str, *, exact: bool = False, words: bool = False) -> None:
        """Refused: it is no expression, or matches where nothing is."""
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise Refused(None, None, f"This is no regular expression: {error}.") from None
        self._pattern = rf"(?<!\w)(?:{pattern})(?!\w)" if words else pattern
        self._flags = 0 if exact else int(re.IGNORECASE)
        self._known: dict[str, str] = {}
        self.learn([""])

    def __call__(self, text: str) -> str:
        if text not in self._known:
            self.learn([text])
        return self._known[text]

    def learn(self, texts: Iterable[str]) -> None:
        """Find out what becomes of many texts at once. Refused: it takes too long."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if not new:
            return
        task = json.dumps([self._pattern, self._flags, GONE, new])
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _CHILD], input=task, capture_output=True, text=True,
                timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            told = f"The expression takes more than {SECONDS:g} s on what was said here. Write a simpler one."
            raise Refused(None, None, told) from None
        if done.returncode:
            empty = done.stderr.strip() == "empty"
            why = "it matches where nothing is, so everywhere" if empty else "it can not be used"
            raise Refused(None, None, f"Nothing was taken out by this expression: {why}. Write another one.")
        self._known |= {text: text for text in new} | json.loads(done.stdout)

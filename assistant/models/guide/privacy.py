"""What no reply repeats: words that may be a password, and what is said of a secret."""

import re

from ...cards import Situation
from ...words import keys, read

_NAMED = frozenset("password passwort passphrase passcode secret token apikey credential pin".split())
_LONGEST = 64


def private(situation: Situation, words: str) -> bool:
    """Whether the words speak of a secret, or hold something that looks like one."""
    said = set(keys(words))
    secrets = [f for f in situation.workflow.fields().values() if f.kind == "secret"]
    if said & _NAMED or {"api", "key"} <= said:
        return True
    if any(set(keys(f.name)) <= said or set(keys(f.label)) <= said for f in secrets):
        return True
    return bool(secrets) and any(map(_looks_secret, words[:20_000].split()))


def _looks_secret(word: str) -> bool:
    """Letters with digits or signs among them, as people and programs make passwords."""
    word = word.strip(".,;:!?\"'()")
    if not 6 <= len(word) <= _LONGEST or [p.kind for p in read(word)][:1] in (
        ["url"],
        ["email"],
        ["path"],
        ["iso"],
    ):
        return False
    letters, digits = re.search(r"[^\W\d_]", word), re.search(r"\d", word)
    signs = re.search(r"[^\w.,:'/*-]", word)
    inner = digits and re.search(r"\d.*[^\W\d_]|[^\W\d_]{3}.*\d", word)
    return bool(letters and (inner or (signs and (digits or word != word.lower()))))

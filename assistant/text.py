"""Somebody else's text, made fit to be kept and shown: one clean line, and no secret in it."""

import re
import unicodedata
from collections.abc import Mapping

MASK = "••••"


def clean(text: str, most: int = 200) -> str:
    """One line of text, fit for the log: no control characters, no lone surrogates, at most `most` long."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text)[:most])
    return "".join(c for c in kept if unicodedata.category(c) != "Cs").strip()


def mask(text: str, secrets: Mapping[str, str]) -> str:
    """`text` with the values of `secrets` replaced; those under 4 characters only as words of their own."""
    for value in sorted(filter(None, secrets.values()), key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, MASK)
        else:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
    return text

"""Words without a model: whether a value is in the user's words (`grounded`), and which are (`find`).

    words ── read ──▶ parts ──▶ quantities, dates, options, clauses ──▶ grounded: True or False
                                                              └──▶ find: [Found, ...]

Nothing is ever made up: where the words leave a doubt, a value is not grounded and `find` gives nothing.
English only. Everything is pure; a day such as "tomorrow" is counted from `today`.
"""

from .clauses import PLAIN, split
from .finding import find
from .grounding import grounded
from .labels import labels_of
from .reading import fold, keys, read
from .sentence import Found

__all__ = ["PLAIN", "Found", "find", "fold", "grounded", "keys", "labels_of", "read", "split"]

"""Words without a model: whether a value is in the user's words (`grounded`), and which are (`find`).

    words ── read ──▶ parts ──▶ quantities, dates, options, clauses ──▶ grounded: True or False
                                                              └──▶ find: [Found, ...]

Nothing is ever made up: where the words leave a doubt, a value is not grounded and `find` gives nothing.
English only. Everything is pure; a day such as "tomorrow" is counted from `today`.
"""

from .clauses import ADDS, ENDS, NOT, PLAIN, negated, split
from .finding import find
from .grounding import grounded
from .holding import may_hold
from .labels import labels_of
from .quantities import SPELLED
from .reading import Part, fold, keys, read
from .sentence import FILLER, Found

__all__ = [
    "ADDS", "ENDS", "FILLER", "NOT", "PLAIN", "SPELLED", "Found", "Part", "find", "fold", "grounded", "keys",
    "labels_of", "may_hold", "negated", "read", "split",
]  # fmt: skip

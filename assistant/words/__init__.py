"""Words without a model: whether a value is in the user's words (`grounded`), and which are (`find`).

    words ── read ──▶ parts ──▶ quantities, dates, options, clauses ──▶ grounded: True or False
                                                              └──▶ find: [Found, ...]

Nothing is ever made up: where the words leave a doubt, a value is not grounded and `find` gives nothing.
English only. Everything is pure; a day such as "tomorrow" is counted from `today`.
"""

from .clauses import ADDS, CORRECTS, ENDS, NOT, PLAIN, negated, split
from .dates import WEEKDAYS, dates
from .finding import find, find_days, find_moves, find_sides
from .grounding import grounded, says_default
from .holding import may_hold
from .labels import is_side, labels_of
from .lists import possible_lists
from .quantities import SPELLED, is_duration, quantities
from .reading import Part, fold, keys, read
from .sentence import FILLER, Found

__all__ = [
    "ADDS", "CORRECTS", "ENDS", "FILLER", "NOT", "PLAIN", "SPELLED", "WEEKDAYS", "Found", "Part", "dates",
    "find", "find_days", "find_moves", "find_sides", "fold", "grounded", "is_duration", "is_side", "keys",
    "labels_of", "may_hold", "negated", "possible_lists", "quantities", "read", "says_default",
    "split",
]  # fmt: skip

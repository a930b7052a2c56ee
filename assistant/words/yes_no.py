"""Yes and no: bare, or said of a field by its name."""

from collections.abc import Sequence

from ..parameters import Field
from .clauses import NOT, clauses, hedged
from .labels import STOP
from .reading import Part, keys

YES = frozenset("yes yep yeah y true on sure".split())
NO = frozenset("no nope n false off".split())
_OFF = NOT | frozenset(
    "off false ignore disable disobey disregard skip deactivate stop ignoring ignored disregarded skipped "
    "disabled neither nor".split()
)
_ON = frozenset(
    "on true yes with enable use respect follow obey obeyed respected followed enabled please do activate "
    "keep always sure".split()
)


def bare_bool(parts: Sequence[Part]) -> bool | None:
    """What the first word says by itself."""
    first = next((part.text for part in parts if part.kind != "mark"), "")
    return True if first in YES else False if first in NO else None


def bool_said(field: Field, parts: Sequence[Part]) -> bool | None:
    """What the words say of a yes-or-no field by its name; None where they do not, or are not sure."""
    label = [key for key in keys(field.label) if key not in STOP]
    verb = label[0] if len(label) > 1 else None  # the "Obey" of "Obey robots.txt"
    nouns = (set(keys(field.name)) | set(keys(field.label))) - STOP - _OFF - {verb}
    said: set[bool] = set()
    for clause in clauses(parts):
        if not any(part.key in nouns for part in clause) or hedged(clause):
            continue
        negations = sum(part.text in _OFF for part in clause if part.key not in nouns)
        if negations:
            said.add(negations % 2 == 0)
        elif any(part.text in _ON or part.key == verb for part in clause):
            said.add(True)
    return said.pop() if len(said) == 1 else None

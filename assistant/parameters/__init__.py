"""Parameters and their one judge: the same for forms, tool calls, the command line and imports.

    annotation ── make_field ──▶ Field            text or JSON ── judge ──▶ typed value ── to_json ──▶ log

The rest of the program imports from here, not from the parts.
"""

from .choices import choices
from .field import HIDDEN, LISTS, MISSING, NUMBERS, REDACTED, TIMES, Ask, Field, Place, Secret, Upload
from .forms import read_form
from .judgement import judge, make_field
from .schema import schema, settable
from .values import plain, to_json
from .wording import as_text, lengths, limits, listed, noun, show

__all__ = [
    "HIDDEN", "LISTS", "MISSING", "NUMBERS", "REDACTED", "TIMES", "Ask", "Field", "Place", "Secret", "Upload",
    "as_text", "choices", "judge", "lengths", "limits", "listed", "make_field", "noun", "plain", "read_form",
    "schema", "settable", "show", "to_json",
]  # fmt: skip

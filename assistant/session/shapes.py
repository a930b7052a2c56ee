"""The type that each field of an entry has. What is of another is left out: an odd log must open, too."""

from dataclasses import replace
from typing import Any

from ..log import Entry


def _all(kind: type) -> Any:
    return lambda items: isinstance(items, list | tuple) and all(isinstance(item, kind) for item in items)


_TYPES: dict[str, Any] = {
    **dict.fromkeys(
        "workflow title step turn id run name because text reason question where model file kind why".split(),
        str,
    ),
    **dict.fromkeys(("done", "total", "seconds", "first", "rate"), (int, float)),
    **dict.fromkeys(("values", "suggested", "offered"), dict),
}
_SHAPES: dict[str, Any] = {
    "offered": lambda value: _all(list)([*value.values()]),
    **dict.fromkeys(("names", "defaulted", "kept"), _all(str)),
    "options": _all(object),
    "replaces": lambda value: type(value) is int,
    "found": _all(int),
    **dict.fromkeys(("exports", "models"), _all(str)),
    "entries": _all(int),
}


def sound(entry: Entry) -> Entry:
    """The entry without fields of another type than theirs."""
    odd = [
        key
        for key, value in entry.fields.items()
        if value is not None
        and not (isinstance(value, _TYPES.get(key, object)) and (key not in _SHAPES or _SHAPES[key](value)))
    ]
    if not odd:
        return entry
    return replace(entry, fields={key: value for key, value in entry.fields.items() if key not in odd})

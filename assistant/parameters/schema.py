"""The JSON schema of a field, for a model's tools."""

from collections.abc import Sequence
from typing import Any, Final

from .choices import choices_of
from .field import LISTS, MISSING, TIMES, Field
from .values import to_json
from .wording import lengths, limits, listed, noun, show

ENUM: Final = 100  # more options than this are not listed to a model
_TYPES: Final = {
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "dict": "object",
}


def schema(field: Field, offered: Sequence[Any] | None = None) -> dict[str, Any] | None:
    """The field as a flat JSON schema for a tool, in only the keys that Ollama keeps.

    Range, unit, default and format are words in its description. None for what no tool can set: an
    upload, a secret, a list of uploads.
    """
    found = _shape(field, offered)
    if found is None:
        return None
    if field.optional:
        found["type"] = (
            [found["type"], "null"] if isinstance(found["type"], str) else [*found["type"], "null"]
        )
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found | {"description": _description(field, offered)}


def settable(field: Field) -> bool:
    """Whether it has a schema, which is the longer question."""
    item = field.item if field.kind in LISTS else None
    return field.kind not in ("upload", "secret") and (item is None or settable(item))


def _shape(field: Field, offered: Sequence[Any] | None) -> dict[str, Any] | None:
    if field.kind in ("upload", "secret"):
        return None
    if field.kind == "choice":
        known = choices_of(field, offered)
        if known is None or not known:
            return _shape(field.item, None) if field.item else {"type": "string"}
        names = {_type_name(choice.json) for choice in known}
        found: dict[str, Any] = {"type": names.pop() if len(names) == 1 else sorted(names)}
        return found if len(known) > ENUM else found | {"enum": [choice.json for choice in known]}
    if field.kind in LISTS and field.item is not None:
        item = _shape(field.item, offered)
        return None if item is None else {"type": "array", "items": item}
    if field.kind == "tuple":
        parts = [_shape(part, None) for part in field.fields]
        distinct = [part for n, part in enumerate(parts) if part is not None and part not in parts[:n]]
        return {"type": "array", "items": distinct[0] if len(distinct) == 1 else {"anyOf": distinct}}
    if field.kind == "nested":
        inner = {part.name: own for part in field.fields if (own := schema(part)) is not None}
        needed = [part.name for part in field.fields if part.default is MISSING and not part.optional]
        return {"type": "object", "properties": inner, "required": [name for name in needed if name in inner]}
    return {"type": _TYPES.get(field.kind, "string")}


def _type_name(value_json: Any) -> str:
    if isinstance(value_json, bool):
        return "boolean"
    return "string" if isinstance(value_json, str) else "integer" if isinstance(value_json, int) else "number"


def _description(field: Field, offered: Sequence[Any] | None) -> str:
    ask, item = field.ask, field.item
    known = choices_of(field, offered) if field.kind in ("choice", "choices") else None
    told = [field.label, ask.help]
    if field.kind in TIMES or field.kind in ("url", "email"):
        told.append(noun(field))
    if item is not None and field.kind in LISTS and item.kind in (*TIMES, "url", "email"):
        told.append(f"each {noun(item)}")
    if field.kind == "dict" and item is not None:
        told.append(f"an object of names, each with {noun(item)}")
    if field.kind == "tuple":
        told.append(f"exactly {len(field.fields)}: {', '.join(noun(part) for part in field.fields)}")
    if known is not None and len(known) > ENUM:
        told.append(f"one of {len(known)}, such as {listed([c.label for c in known[:5]])}")
    ranged = limits(field)
    told.append(f"each {ranged}" if ranged and field.kind in LISTS else ranged or ask.unit)
    told += [lengths(field), f"matching {ask.pattern}" if ask.pattern else ""]
    if ask.example is not None:
        told.append(f"for example {show(field, to_json(ask.example))}")
    if field.default is not MISSING and not callable(ask.default):
        told.append(f"default {show(field, to_json(field.default))}")
    line = "; ".join(" ".join(text.split()).rstrip(".") for text in told if text)
    return line if line.endswith(("?", "!")) else f"{line}."

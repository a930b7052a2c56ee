"""Several values: from JSON, one JSON text, or lines; each part goes to the judge again (`inner`)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from .field import MISSING, SINGLE, Field
from .refusal import No, complaint, say, unfit
from .texts import ENTRIES, entries_of, lines_of, parsed
from .wording import listed

Inner = Callable[[Field, Any], Any]  # the judge of a part


def _list(field: Field, raw: Any, inner: Inner) -> Any:
    assert field.item is not None
    item, found = field.item, []
    for number, entry in enumerate(entries_of(field, raw), 1):
        if field.kind == "nested_list":
            item = replace(item, label=f"{field.label}, row {number}")
        found.append(inner(item, entry))
    return field.container(found)


def _tuple(field: Field, raw: Any, inner: Inner) -> tuple[Any, ...]:
    if isinstance(raw, str):
        single = all(part.kind in SINGLE for part in field.fields)
        raw = lines_of(raw) if single and not raw.lstrip().startswith("[") else parsed(field, raw)
    if not isinstance(raw, list) or len(raw) != len(field.fields):
        raise unfit(field, raw)
    return tuple(inner(part, entry) for part, entry in zip(field.fields, raw, strict=True))


def _dict(field: Field, raw: Any, inner: Inner) -> dict[Any, Any]:
    assert field.key is not None and field.item is not None
    if isinstance(raw, str):
        raw = parsed(field, raw)
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, list) and all(
        isinstance(row, dict) and row.keys() <= {"key", "value"} for row in raw
    ):
        pairs = [(row.get("key", ""), row.get("value")) for row in raw]
        if any(isinstance(key, str) and not key.strip() for key, _ in pairs):
            raise No(f"{field.label}: a row has a value and no name; give it one, or clear it.")
    else:
        raise unfit(field, raw)
    if len(pairs) > ENTRIES:
        raise No(f"{field.label} has at most {ENTRIES} entries; {len(pairs)} were not taken.")
    found: dict[Any, Any] = {}
    for said, entry in pairs:
        key = inner(field.key, said)
        if key in found:
            raise No(f"{field.label} has each name once; {say(said)} is in it twice.")
        try:
            found[key] = inner(field.item, entry)
        except No as no:
            raise No(f"{field.label}, {say(said)}: {no.reason}", no.hide) from None
    return found


def _nested(field: Field, raw: Any, inner: Inner) -> Any:
    if isinstance(raw, str):
        raw = parsed(field, raw)
    names = [part.name for part in field.fields]
    if not isinstance(raw, dict):
        raise unfit(field, raw)
    for name in raw:
        if name not in names:
            raise No(f"{field.label} has no {say(name)}; it has {listed(names)}.")
    found = {}
    for part in field.fields:
        if part.name not in raw and part.default is not MISSING:
            continue  # the model knows its own default
        if part.name not in raw and not part.optional:
            raise No(f"{field.label}: {part.label} is missing.")
        try:
            found[part.name] = inner(part, raw.get(part.name))
        except No as no:
            raise No(f"{field.label}: {no.reason}", no.hide) from None
    return _built(field, found)


def _built(field: Field, values: dict[str, Any]) -> Any:
    model = field.annotation
    try:
        if issubclass(model, BaseModel):
            return model.model_validate(values, by_alias=False, by_name=True)
        return model(**values)
    except Exception as error:  # a model's own checks may raise anything
        reason = complaint(error)
    raise No(f"{field.label}: {reason}")


JUDGES: Final[dict[str, Callable[[Field, Any, Inner], Any]]] = {
    "lines": _list, "list": _list, "nested_list": _list, "tuple": _tuple, "dict": _dict, "nested": _nested,
}  # fmt: skip

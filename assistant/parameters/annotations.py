"""From an annotation, its Ask and its default to a Field."""

import dataclasses
import re
import types
import typing
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, Flag
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AnyHttpUrl, AnyUrl, BaseModel, EmailStr, HttpUrl, RootModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from .field import LISTS, MISSING, NUMBERS, SINGLE, TEXTS, TIMES, Ask, Field, Secret, Upload
from .values import plain, to_json

LIMITS: Final = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
_SCALARS: Final[dict[Any, str]] = {
    str: "text", int: "int", float: "float", Decimal: "decimal", bool: "bool", date: "date",
    datetime: "datetime", time: "time", EmailStr: "email", Secret: "secret", Upload: "upload",
}  # fmt: skip
_CONTAINERS: Final = (list, set, frozenset)


def field_of(
    name: str,
    annotation: Any,
    default: Any = MISSING,
    *,
    ask: Ask | None = None,
    within: tuple[Any, ...] = (),
) -> Field:
    """The field of one annotated name; `ask` holds where the annotation has none of its own.

    `within` are the models that this one is a part of. Raises TypeError with a sentence where the
    annotation, its limits or its options cannot be a field.
    """
    bare, own, extras, optional = _unwrap(name, annotation)
    ask = _with_limits(own or ask or Ask(), extras)
    if within and (callable(ask.options) or callable(ask.default)):
        raise TypeError(
            f"{name}: functions for options and default are for parameters, not for parts of a model"
        )
    if ask.default is not MISSING and not callable(ask.default):
        if default is not MISSING:
            raise TypeError(f"{name}: the default is given twice, in the signature and in Ask")
        default = ask.default
    label = ask.label or name.replace("_", " ").strip().capitalize()
    field = Field(name, label, "text", bare, ask, default, optional or default is None)
    field = replace(field, **_shape(field, within))
    if extras:
        if field.kind in ("secret", "upload"):
            raise TypeError(f"{name}: a {bare.__name__} takes an Ask and no other metadata")
        annotated: Any = Annotated[(bare, *extras)]
        field = replace(field, adapter=TypeAdapter(annotated))
    _check_limits(field)
    return _with_options(field)


def _unwrap(name: str, annotation: Any) -> tuple[Any, Ask | None, tuple[Any, ...], bool]:
    """The bare type, its Ask, other metadata, and whether it may be None."""
    ask, extras, optional = None, (), False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *metadata = get_args(annotation)
            ask = next((m for m in reversed(metadata) if isinstance(m, Ask)), ask)
            if any(m is Secret or isinstance(m, Secret) for m in metadata):
                raise TypeError(f"{name}: a Secret is a type, not a mark; write Annotated[Secret, Ask(...)]")
            extras = (*(m for m in metadata if not isinstance(m, Ask | str)), *extras)
        elif origin in (Union, types.UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                raise TypeError(
                    f"{name}: one of several types cannot be asked for; use one type, or X | None"
                )
            annotation, optional = members[0], True
        elif origin is Literal and None in get_args(annotation):
            annotation = Literal[tuple(value for value in get_args(annotation) if value is not None)]
            optional = True
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and not isinstance(annotation, type):  # a `type X = ...` alias
            annotation = annotation.__value__
        else:
            return annotation, ask, extras, optional


def _with_limits(ask: Ask, extras: Sequence[Any]) -> Ask:
    """The Ask with those limits that Pydantic's or annotated_types' metadata give and it has not."""
    for extra in extras:
        inner = extra.metadata if isinstance(extra, FieldInfo) else extra
        if isinstance(inner, list | tuple) or hasattr(type(inner), "__is_annotated_types_grouped_metadata__"):
            ask = _with_limits(ask, list(inner))
        found = {key: getattr(extra, key, None) for key in LIMITS if getattr(ask, key) is None}
        ask = replace(ask, **{key: value for key, value in found.items() if value is not None})
        if isinstance(extra, FieldInfo):
            ask = replace(ask, label=ask.label or extra.title or "", help=ask.help or extra.description or "")
    return ask


def _shape(field: Field, within: tuple[Any, ...]) -> dict[str, Any]:
    """The kind of a field and its parts, from its bare annotation."""
    name, bare, ask = field.name, field.annotation, field.ask
    origin, arguments = get_origin(bare), get_args(bare)
    if origin in _CONTAINERS or (origin is tuple and len(arguments) == 2 and arguments[1] is ...):
        return _list_shape(field, origin, arguments[0], within)
    if origin is tuple and arguments and arguments != ((),):
        return {"kind": "tuple", "container": tuple, "fields": _parts(field, arguments, within)}
    if origin is dict:
        item = _entry(field, arguments[1], within)
        key = field_of(name, arguments[0], ask=Ask(f"Each name in {field.label}"), within=(*within, dict))
        if key.kind not in SINGLE or key.kind == "secret" or key.optional:
            raise TypeError(f"{name}: the keys of a dict are single values, such as dict[str, int]")
        return {"kind": "dict", "container": dict, "key": key, "item": item}
    if origin is Literal:
        return {"kind": "choice", "values": _distinct(name, arguments)}
    if isinstance(bare, type):
        if bare in _SCALARS:
            kind = "long" if bare is str and ask.long else _SCALARS[bare]
            if within and kind == "secret":
                raise TypeError(f"{name}: a Secret is a parameter by itself, not a part of another")
            return {"kind": kind}
        if issubclass(bare, Enum) and not issubclass(bare, Flag):
            return {"kind": "choice", "values": _distinct(name, tuple(bare))}
        if bare is AnyUrl or issubclass(bare, HttpUrl | AnyHttpUrl):
            return {"kind": "url"}
        if dataclasses.is_dataclass(bare) or (
            issubclass(bare, BaseModel) and not issubclass(bare, RootModel)
        ):
            return {"kind": "nested", "fields": _model_parts(name, bare, within)}
        if issubclass(bare, PurePath):
            raise TypeError(
                f"{name}: a pathlib.Path cannot be asked for; use Upload for a file, or str for a path"
            )
        if bare in (*_CONTAINERS, tuple, dict):
            raise TypeError(
                f"{name}: say what is in the {bare.__name__}, such as list[str] or dict[str, int]"
            )
    raise TypeError(
        f"{name}: {bare!r} cannot be asked for; a parameter is str, int, float, Decimal, bool, date, "
        "datetime, time, Literal, an Enum, HttpUrl, EmailStr, Upload, Secret, a dataclass or Pydantic "
        "model, or a list, set, tuple or dict of these"
    )


def _list_shape(field: Field, container: Any, entry: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    item = _entry(field, entry, within)
    if item.kind in ("nested", "upload"):
        kind = {"nested": "nested_list", "upload": "list"}[item.kind]
    elif item.kind == "choice":
        kind = "choices"
    else:
        kind = "lines" if item.kind in SINGLE and item.kind != "long" else "list"
    if container in (set, frozenset) and kind not in ("lines", "choices"):
        raise TypeError(f"{field.name}: the entries of a set are single values; use a list")
    return {"kind": kind, "container": container, "item": item}


def _entry(field: Field, annotation: Any, within: tuple[Any, ...]) -> Field:
    """The field of each entry of a list or dict: it has its parent's limits, but not its lengths."""
    ask = replace(field.ask, label=f"Each entry of {field.label}", help="", options=None, default=MISSING,
                  min_length=None, max_length=None)  # fmt: skip
    item = field_of(field.name, annotation, ask=ask, within=(*within, list))
    return item if item.label == ask.label else replace(item, label=item.ask.label or ask.label)


def _parts(field: Field, annotations: Sequence[Any], within: tuple[Any, ...]) -> tuple[Field, ...]:
    parts = [
        field_of(str(n), annotation, within=(*within, tuple)) for n, annotation in enumerate(annotations)
    ]
    labels = [part.ask.label or f"{field.label}, part {n}" for n, part in enumerate(parts, 1)]
    return tuple(replace(part, label=label) for part, label in zip(parts, labels, strict=True))


def _model_parts(name: str, model: Any, within: tuple[Any, ...]) -> tuple[Field, ...]:
    if model in within:
        raise TypeError(f"{name}: {model.__name__} contains itself, and a form cannot")
    found: list[tuple[str, Any, Any]] = []
    if issubclass(model, BaseModel):
        for key, info in model.model_fields.items():
            default = (
                MISSING
                if info.is_required()
                else info.get_default(call_default_factory=True, validated_data={})
            )
            found.append((key, Annotated[(info.annotation, *info.metadata, info)], default))
    else:
        hints = typing.get_type_hints(model, include_extras=True)
        for part in (part for part in dataclasses.fields(model) if part.init):
            default = MISSING if part.default is dataclasses.MISSING else part.default
            if part.default_factory is not dataclasses.MISSING:
                default = part.default_factory()
            if isinstance(default, FieldInfo):
                default = default.get_default(call_default_factory=True, validated_data={})
                default = MISSING if default is PydanticUndefined else default
            found.append((part.name, hints[part.name], default))
    if not found:
        raise TypeError(f"{name}: {model.__name__} has no fields to ask for")
    return tuple(
        field_of(key, annotation, default, within=(*within, model)) for key, annotation, default in found
    )


def _distinct(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    texts = [plain(to_json(value)) for value in values if not isinstance(value, bytes)]
    if len(set(texts)) != len(values):
        raise TypeError(f"{name}: its choices must be text, numbers or bool, and no two may read the same")
    return values


def _with_options(field: Field) -> Field:
    """The field with its kind made `choice` or `choices` where it has options."""
    if field.ask.options is None or field.kind in ("choice", "choices"):
        return field
    free = replace(field.ask, options=None, default=MISSING)
    if field.kind in SINGLE and field.kind not in ("bool", "secret"):
        return replace(field, kind="choice", item=replace(field, ask=free, default=MISSING))
    if field.kind == "lines" and field.item is not None:
        item = replace(
            field.item, kind="choice", item=field.item, ask=replace(field.item.ask, options=field.ask.options)
        )
        return replace(field, kind="choices", item=item)
    raise TypeError(f"{field.name}: options are for a single value or a list of them, not for {field.kind}")


def _check_limits(field: Field) -> None:
    """Raises TypeError where the Ask has a limit that the type has not; a list's entries see to their own."""
    ask, several = field.ask, field.kind in (*LISTS, "dict")
    for limit in (limit for limit in (ask.ge, ask.gt, ask.le, ask.lt) if limit is not None and not several):
        if field.kind not in (*NUMBERS, *TIMES):
            raise TypeError(f"{field.name}: ge, gt, le and lt are for numbers, dates and times")
        number = isinstance(limit, int | float | Decimal) and not isinstance(limit, bool)
        if not number if field.kind in NUMBERS else type(limit) is not field.annotation:
            raise TypeError(f"{field.name}: the limit {limit!r} is not of its type, {field.kind}")
    if (ask.min_length is not None or ask.max_length is not None) and not several and field.kind not in TEXTS:
        raise TypeError(f"{field.name}: min_length and max_length are for text and lists")
    if ask.pattern is not None and not several:
        if field.kind not in TEXTS:
            raise TypeError(f"{field.name}: a pattern is for text")
        try:
            re.compile(ask.pattern)
        except re.error as error:
            raise TypeError(f"{field.name}: the pattern {ask.pattern!r} is not valid: {error}") from error

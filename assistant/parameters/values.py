"""The JSON form of values, for the log."""

import dataclasses
import math
import numbers
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import AnyUrl, BaseModel

from .field import Secret, Upload


def to_json(value: Any) -> Any:
    """The JSON form of a value, for the log: `judge(field, to_json(value)) == value`.

    Upload gives {"file": name} and Secret {"secret": true}. Raises TypeError or ValueError with a sentence
    where there is none.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        inner = to_json(value.value)
        return value.name if isinstance(inner, list | dict) or inner is None else inner
    if isinstance(value, Secret):
        return {"secret": True}
    if isinstance(value, Upload):
        return {"file": value.name}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be kept; a number must be finite")
        return format(value, "f")
    if isinstance(value, numbers.Integral):  # numpy's too
        return int(value)
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be kept; a number must be finite")
        return float(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, AnyUrl):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: to_json(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            part.name: to_json(getattr(value, part.name)) for part in dataclasses.fields(value) if part.init
        }
    if isinstance(value, Mapping):
        return {plain(to_json(key)): to_json(entry) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((to_json(entry) for entry in value), key=lambda entry: (str(type(entry)), entry))
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    raise TypeError(f"a {type(value).__name__} cannot be kept in the log; use plain Python values")


def plain(value_json: Any) -> str:
    """A single JSON value as the text that stands for it."""
    if value_json is None:
        return ""
    if isinstance(value_json, bool):
        return "true" if value_json else "false"
    return value_json if isinstance(value_json, str) else repr(value_json)

"""settings.toml of a workspace: settings of the user's own, read once at the start.

    model = "qwen3:4b"          [bounds]               [retention]
    upload_bytes = 100_000_000  rounds = 8             days = 90

What is not as it must be is refused with the file, the key, the value and what may stand there.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from ..errors import AssistantError
from ..settings import Bounds, Retention, Settings

NAME = "settings.toml"
KEYS = (
    "model",
    "host",
    "port",
    "show_cloud",
    "preload",
    "think",
    "keep_alive",
    "upload_bytes",
    "card_seconds",
)
TABLES = {"bounds": Bounds, "retention": Retention}
MOST = 10**12
DURATION = re.compile(r"-?\d+|(\d+(\.\d+)?(ms|s|m|h))+")
EXAMPLES = {"model": "qwen3:4b", "days": 90, "megabytes": 2_000}  # where there is no default


def path_of(workspace: Path) -> Path:
    return workspace / NAME


def read_settings(settings: Settings) -> Settings:
    """The settings with what the workspace's settings.toml says. AssistantError names what is wrong."""
    path = path_of(settings.workspace)
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return settings
    except OSError as error:
        raise AssistantError(f"{path} can not be read: {error.strerror}.") from error
    except ValueError as error:
        raise AssistantError(f"{path} is not TOML: {str(error).rstrip('.')}. Correct it.") from None
    changes: dict[str, Any] = {}
    for key, value in found.items():
        if key in TABLES:
            if not isinstance(value, Mapping):
                raise _wrong(path, key, value, f"a table: [{key}] on a line of its own, its keys below")
            changes[key] = replace(getattr(settings, key), **_table(path, TABLES[key], value, f"{key}."))
        else:
            changes |= _table(path, Settings, {key: value}, "", KEYS)
    return replace(settings, **changes)


def _table(
    path: Path, kind: type, found: Mapping[str, Any], where: str, keys: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values of one table, each judged by the type of its field."""
    hints = get_type_hints(kind)
    known = {name: hints[name] for name in keys or hints}
    for key, value in found.items():
        if key not in known:
            listed = ", ".join([*known, *(f"[{table}]" for table in TABLES if not where)])
            raise AssistantError(f"{path}: there is no setting {where}{key}; there are {listed}.")
        if allowed := _refusal(key, value, known[key]):
            raise _wrong(path, where + key, value, allowed)
    # an int stands for a float, too
    return {key: float(value) if _is(known[key], float) else value for key, value in found.items()}


def _is(hint: Any, kind: type) -> bool:
    return hint is kind or kind in getattr(hint, "__args__", ())


def _refusal(key: str, value: Any, hint: Any) -> str | None:
    """What the setting may be, where the value is not that."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = number and isinstance(value, int)
    if hint is bool:
        passes, allowed = isinstance(value, bool), "true or false"
    elif key == "keep_alive":
        passes = isinstance(value, str) and DURATION.fullmatch(value) is not None
        allowed = 'a time as Ollama takes it, such as "30m", "300" (seconds) or "-1" (always)'
    elif _is(hint, str):
        passes = isinstance(value, str) and value.isprintable() and bool(value.strip())
        allowed = f"a text, such as {json.dumps(EXAMPLES.get(key) or getattr(Settings, key))}"
    elif key == "port":
        passes, allowed = whole and 0 <= value <= 65_535, "a whole number from 0 to 65535"
    elif hint is int:
        passes, allowed = whole and 1 <= value <= MOST, f"a whole number from 1 to {MOST}"
    else:
        most = 1 if key == "read_share" else MOST
        passes, allowed = (
            number and 0 < value <= most,
            f"a number above 0, at most {most}",
        )  # so no nan, no inf
    return None if passes else allowed


def _wrong(path: Path, key: str, value: Any, allowed: str) -> AssistantError:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    short = text if len(text) <= 60 else f"{text[:60]}…"
    return AssistantError(f"{path}: {key} is {short}; it must be {allowed}.")


def in_effect(settings: Settings) -> Iterator[tuple[str, Any, bool]]:
    """Every setting that the file may change: its name, its value, and whether that is not the default."""
    standard = Settings(workspace=settings.workspace)
    for key in KEYS:
        yield key, getattr(settings, key), getattr(settings, key) != getattr(standard, key)
    for table in TABLES:
        mine, theirs = getattr(settings, table), getattr(standard, table)
        for part in fields(mine):
            value = getattr(mine, part.name)
            yield f"{table}.{part.name}", value, value != getattr(theirs, part.name)


def template() -> str:
    """A settings.toml in which everything is commented out."""
    lines = ["# Take away the # in front of a line to change it. The command line and the environment win."]
    for name, value, _ in in_effect(Settings(workspace=Path())):
        table, _, key = name.rpartition(".")
        if table and f"# [{table}]" not in lines:
            lines += ["", f"# [{table}]"]
        lines.append(f"# {key} = {json.dumps(EXAMPLES[key] if value is None else value)}")
    return "\n".join(lines) + "\n"

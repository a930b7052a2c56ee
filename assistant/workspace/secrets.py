"""A session's secrets.json: the values that are kept out of its log, by parameter."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import ReadOnly, WriteFailed


def secrets_in(folder: Path) -> dict[str, str]:
    """The secrets of the session in this folder. ReadOnly: the file is damaged."""
    try:
        found = json.loads((folder / "secrets.json").read_text("utf-8"))
        return {str(name): str(value) for name, value in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise ReadOnly(
            "The secrets of this session cannot be read: its secrets.json is damaged "
            f"({type(error).__name__}). Remove that file, then give the secrets again on their cards."
        ) from error


def keep_secrets(folder: Path, values: Mapping[str, str]) -> None:
    """Adds to secrets.json (mode 0600), whole or not at all."""
    if not values:
        return
    path = folder / "secrets.json"
    part = path.with_suffix(".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(secrets_in(folder) | dict(values), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise WriteFailed(f"The secret could not be kept: {error.strerror}. Nothing was changed.") from error

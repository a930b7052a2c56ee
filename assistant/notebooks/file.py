"""The cells of a notebook's file (nbformat 4); nothing in it is believed to be as it should."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AssistantError, NotFound

LARGEST = 64 * 2**20


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell: `kind` is code, markdown or raw."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


def read_cells(path: Path) -> list[Cell]:
    """The cells in order. AssistantError with what to do: it is not there, too large, or no notebook."""
    try:
        if path.stat().st_size > LARGEST:
            raise AssistantError(
                f"{path} has more than {LARGEST // 2**20} MiB. Clear its outputs, save it, and try again."
            )
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise AssistantError(f"{path} can not be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        raise AssistantError(f"{path} is no notebook: it is not JSON.") from None
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        older = isinstance(found, dict) and "worksheets" in found
        raise AssistantError(
            f"{path} is a notebook of an old format. Open and save it with a current Jupyter, then try again."
            if older
            else f"{path} is no notebook: it has no list of cells."
        )
    if (language := _language(found)) not in ("python", "ipython"):
        raise AssistantError(f"{path} is a notebook in {language[:40]!r}; a workflow is written in Python.")
    return [_cell(cell) for cell in found["cells"] if isinstance(cell, dict)]


def _language(found: dict[str, Any]) -> str:
    metadata = _dict(found.get("metadata"))
    named = [
        _dict(metadata.get("kernelspec")).get("language"),
        _dict(metadata.get("language_info")).get("name"),
    ]
    return next((name.lower() for name in named if isinstance(name, str) and name), "python")


def _cell(cell: dict[str, Any]) -> Cell:
    source, tags = cell.get("source"), _dict(cell.get("metadata")).get("tags")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    text = source if isinstance(source, str) else ""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    kept = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    return Cell(str(cell.get("cell_type")), text, kept)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

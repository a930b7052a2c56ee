"""What the assistant saw: each prompt that a reply names by its digest, kept in the session's folder.

prompts/<digest>.json is written once, is not part of the log, and goes with the session's folder. A secret is
in no prompt; words that were redacted may be, so `forget` drops them all.
"""

import json
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loguru import logger

from ..disk import OPEN
from ..errors import NotFound
from ..models import Request
from ..workspace import Handle
from .history import digest, estimate

LARGEST = 2**20  # bytes of one prompt
DIGEST = re.compile(r"[0-9a-f]{16}")


def keep(handle: Handle, requests: Sequence[Request], most: int) -> None:
    """Keeps what a model was given to read, and of all that only the newest `most`."""
    for request in requests:
        try:
            _keep(handle.folder, request, most)
        except OSError as error:  # the reply is worth more than its prompt
            logger.warning("A prompt of {} was not kept: {}", handle.sid, error)


def _keep(folder: Path, request: Request, most: int) -> None:
    """Raises OSError, also for a session that was deleted meanwhile: it stays deleted."""
    place = folder / "prompts"
    path = place / f"{digest(request)}.json"
    if path.exists():
        return
    found = {"messages": list(request.messages), "tools": list(request.tools), "format": request.format}
    data = json.dumps(found, ensure_ascii=False, default=str).encode("utf-8", "replace")
    if len(data) > LARGEST:
        return
    if not place.is_dir():
        place.mkdir(mode=0o700)
    part = place / f".{secrets.token_hex(8)}"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)
    kept = sorted(place.glob("*.json"), key=lambda each: (each != path, -each.stat().st_mtime_ns))
    for old in kept[most:]:
        old.unlink(missing_ok=True)


def seen(handle: Handle, digest: str) -> dict[str, Any]:
    """The prompt of a reply: digest, messages, tools, format (or None), tokens, and whether they are counted.

    `tokens` are those that the model counted as it read, else our estimate. NotFound: it is not kept.
    """
    try:
        if not DIGEST.fullmatch(digest):
            raise FileNotFoundError
        found = json.loads((handle.folder / "prompts" / f"{digest}.json").read_text("utf-8"))
    except (OSError, ValueError):
        told = (
            f"The prompt {digest[:16]!r} is not kept in this session: only the newest are, and "
            "all of them go when something is taken out of the record."
        )
        raise NotFound(told) from None
    said = (e for e in reversed(handle.session().chat) if e.did == "said" and e.get("prompt") == digest)
    counted = next((e.get("read") for e in said if e.get("read")), None)
    tokens = counted or estimate([found["messages"], found["tools"]])
    return {"digest": digest, **found, "tokens": tokens, "counted": counted is not None}


def forget(handle: Handle) -> None:
    """Drops all prompts of a session, as they may hold what was taken out of its log."""
    for path in (handle.folder / "prompts").glob("*"):
        path.unlink(missing_ok=True)

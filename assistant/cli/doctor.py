"""Checks what the program needs, each with what to do where it is not so."""

import fcntl
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import AssistantError, BrokenWorkflow
from ..models import GUIDE, Catalogue
from ..models.catalogue import catalogue
from ..models.ollama import Ollama
from ..settings import Settings
from ..workspace import Workspace
from ..workspace.retention import due, is_on
from .ports import listen
from .served import answers, server_of
from .settings_file import in_effect, path_of, read_settings

OLDEST_PYTHON = (3, 11)
LITTLE_BYTES = 2**30
TOO_LITTLE_BYTES = 50 * 2**20


@dataclass(frozen=True)
class Check:
    """One finding. `state`: ok, note (it works, but ...) or stop (it prevents the start)."""

    what: str
    state: str
    sentence: str


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which they matter."""
    folder = settings.workspace
    found = [_python(), *_folder(folder), _settings(folder)]
    if all(check.state != "stop" for check in found):
        workspace = Workspace(settings)
        found += [*_workflows(workspace), _disk(folder), *_retention(workspace)]
    return [*found, _port(settings), *await _models(settings)]


def _python() -> Check:
    told = f"{platform.python_version()} ({sys.executable})."
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", "stop", f"{told} Install 3.11 or newer.")
    return Check("Python", "ok", told)


def _folder(folder: Path) -> Iterator[Check]:
    what = "Workspace"
    if not folder.is_dir():
        yield Check(what, "stop", f"There is no folder {folder}. Make it with `assistant init {folder}`.")
        return
    conversations = folder / "conversations"
    place = conversations if conversations.exists() else folder
    try:
        with _own_file(place) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fsync(descriptor)
    except OSError as error:
        yield Check(
            what, "stop", f"{place} can not be written to or locked: {error.strerror}. "
            "Change that, or choose another folder with --workspace."
        )  # fmt: skip
        return
    yield Check(what, "ok", f"{folder}, writable.")


def _settings(folder: Path) -> Check:
    """Whether settings.toml can be used, and what it changes."""
    path = path_of(folder)
    if not path.exists():
        return Check("Settings", "ok", f"There is no {path}; the defaults hold.")
    try:
        changed = [name for name, _, is_new in in_effect(read_settings(Settings(workspace=folder))) if is_new]
    except AssistantError as error:
        return Check("Settings", "stop", str(error))
    return Check("Settings", "ok", f"{path} changes {', '.join(changed) or 'nothing'}.")


def _retention(workspace: Workspace) -> Iterator[Check]:
    """What the rule of the settings, if there is one, removes at the next start."""
    rule = workspace.settings.retention
    if not is_on(rule):
        return
    found = due(workspace.summaries(), rule, datetime.now(UTC))
    if not found:
        yield Check("Retention", "ok", "on; no session would go.")
        return
    told = f"on; {len(found):,} {'session' if len(found) == 1 else 'sessions'} would go at the next start:"
    names = ", ".join(one.summary.sid for one in found[:5]) + (" ..." if len(found) > 5 else "")
    yield Check("Retention", "note", f"{told} {names}. Pin what is to stay.")


@contextmanager
def _own_file(folder: Path) -> Iterator[int]:
    descriptor, path = tempfile.mkstemp(prefix=".doctor-", dir=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        os.unlink(path)


def _workflows(workspace: Workspace) -> Iterator[Check]:
    good, broken = [], []
    for stem in workspace.workflow_files():
        try:
            workspace.workflow(stem)
            good.append(stem)
        except BrokenWorkflow as error:
            broken.append(error)
    if good:
        yield Check("Workflows", "ok", f"{', '.join(good)}.")
    elif not broken:
        yield Check("Workflows", "note", "There are none. Make one with `assistant new NAME`.")
    for failure in broken:
        yield Check("Workflows", "note", f"{failure}. It is shown with its error; mend the file.")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    told = f"{free / 2**30:.1f} GiB are free."
    if free < TOO_LITTLE_BYTES:
        return Check("Disk", "stop", f"{told} Make room first.")
    return (
        Check("Disk", "note", f"{told} Make room soon.") if free < LITTLE_BYTES else Check("Disk", "ok", told)
    )


def _port(settings: Settings) -> Check:
    server = server_of(settings.workspace / "conversations")
    if server and answers(server):
        return Check("Port", "ok", f"This workspace is served now, at {server.address}.")
    try:
        listen(settings.host, settings.port).close()
    except AssistantError as error:
        return Check("Port", "stop", str(error))
    which = f"{settings.port} of {settings.host} is free" if settings.port else "A free one will be taken"
    return Check("Port", "ok", f"{which}.")


async def _models(settings: Settings) -> list[Check]:
    ollama = Ollama(settings)
    try:
        found = await catalogue(ollama)
    finally:
        await ollama.close()
    if found.problem:
        return [
            Check("Ollama", "note", f"{found.problem} Without it the built-in guide answers in the chat."),
            *_chosen(settings, found),
        ]
    version = f"{found.version} " if found.version else ""
    checks = [
        Check(
            "Ollama",
            "note" if found.notice else "ok",
            f"{version}at {found.address}. {found.notice or ''}".strip(),
        )
    ]
    for model in found.models:
        able = {True: "can use tools", False: "can not use tools", None: "may be able to use tools"}[
            model.tools
        ]
        where = ", in the vendor's cloud" if model.cloud else ""
        checks.append(Check("Model", "ok" if model.tools else "note", f"{model.name} {able}{where}."))
    if not any(model.tools is not False and not model.cloud for model in found.models):
        checks.append(
            Check("Model", "note", "None that can use tools. Get one, such as `ollama pull qwen3:4b`.")
        )
    return [*checks, *_chosen(settings, found)]


def _chosen(settings: Settings, found: Catalogue) -> list[Check]:
    """The model that was asked for, where it is not there."""
    name = settings.model
    if name is None or name == GUIDE or any(model.name == name for model in found.models):
        return []
    return [
        Check(
            "Model", "note", f"{name}, which is to be used, is not there. Get it with `ollama pull {name}`."
        )
    ]

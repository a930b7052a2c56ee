"""A session from its first card to its results without a page: what `assistant run` does.

given ── files into the session ── card by card: complete ── run ── results copied out
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import live, runs
from .actions import begin, complete
from .actions.launch import start_run
from .cards import cards, open_card
from .errors import AssistantError, NotFound, Refused
from .export import parameters
from .files import keep_upload
from .log import Fact
from .parameters import Field
from .session import Session
from .session.parts import Run
from .workflow import Step, Workflow
from .workspace import Handle, Workspace

BY = "cli"


def find_session(workspace: Workspace, text: str) -> str:
    """The session's id from any part of it that fits only one. NotFound says which fit."""
    ids = workspace.session_ids()
    fits = [sid for sid in ids if text == sid] or [sid for sid in ids if text.lower() in sid]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise NotFound(
            f"There is no session {text!r} in {workspace.conversations}. `assistant sessions` lists them."
        )
    named = ", ".join(fits[:5]) + (" ..." if len(fits) > 5 else "")
    raise NotFound(f"{text!r} fits {len(fits)} sessions: {named}. Give more of the name.")


def find_workflow(workspace: Workspace, stem: str) -> Workflow:
    """The workflow; NotFound names those that there are."""
    files = workspace.workflow_files()
    if stem not in files:
        raise NotFound(f"There is no workflow {stem!r}. There are: {', '.join(files) or 'none'}.")
    return workspace.workflow(stem)


def from_session(
    workspace: Workspace, reference: str, flow: Workflow
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values and the secrets of `SESSION` or `SESSION@n`; an upload is its path.

    Those of a skipped card are left out: nobody gave them.
    """
    text, at, number = reference.rpartition("@")
    sid = find_session(workspace, text if at else reference)
    handle = workspace.open(sid)
    last = handle.session().n
    if at and not (number.isascii() and number.isdigit() and 1 <= int(number) <= last):
        raise NotFound(f"{reference!r}: the entries of {sid} are 1 to {last}.")
    session = handle.session(int(number) if at else None)
    known = {field.name for step in flow.steps for field in step.fields if not is_skipped(session, step)}
    values = {name: value for name, value in parameters(session).items() if name in known}
    kept = handle.secrets()
    secrets = {
        name: kept[name] for name, value in values.items() if value == {"secret": True} and name in kept
    }
    return with_paths(flow, values, handle.files), secrets


def is_skipped(session: Session, step: Step | None) -> bool:
    """Whether the step's `when` said no."""
    status = session.status(step.name) if step else None
    return status is not None and status.did == "skipped"


def with_paths(flow: Workflow, values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values with each upload as its path, relative ones in `folder`, and without secrets.

    Refused: a name that the workflow does not ask, or a secret's value.
    """
    known, found = flow.fields(), {}
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            raise Refused(name, None, f"there is no such parameter; there are {', '.join(known)}.")
        if field.kind == "secret":
            if value is not None and value != {"secret": True}:
                raise Refused(
                    name,
                    None,
                    f"it is a secret, which others could read there; give it with --secret {name}.",
                )
        elif _is_upload(field):
            lines = isinstance(value, str) and field.kind != "upload"
            found[name] = _paths(value.splitlines() if lines else value, folder)
        else:
            found[name] = value
    return found


def _is_upload(field: Field) -> bool:
    return field.kind == "upload" or (field.item is not None and field.item.kind == "upload")


def _paths(value: Any, folder: Path) -> Any:
    match value:
        case list():
            return [_paths(each, folder) for each in value]
        case {"file": str(name)}:
            return folder / name
        case str() if value:
            return folder / Path(value).expanduser()
    return value


async def make_session(
    workspace: Workspace, flow: Workflow, given: Mapping[str, Any], secrets: Mapping[str, str]
) -> tuple[Handle, list[str]]:
    """A new session with its cards completed; the sentences of the first card that refuses, if one does."""
    for path in (p for value in given.values() for p in (value if isinstance(value, list) else [value])):
        if isinstance(path, Path) and not path.is_file():
            raise NotFound(f"There is no file {path}. Nothing was begun.")
    handle = await begin(workspace, flow.stem, BY)
    while card := open_card(cards(handle.session(), flow)):
        raw: dict[str, Any] = {}
        for field in card.step.fields:
            if field.name in given:
                raw[field.name] = await _kept(handle, given[field.name])
            elif field.name in secrets:
                raw[field.name] = secrets[field.name]
        outcome = await complete(handle, card.step.name, raw, BY)
        if outcome.refused:
            return handle, [f"{name}: {why}" if name else why for name, why in outcome.refused.items()]
    return handle, []


async def _kept(handle: Handle, value: Any) -> Any:
    """The value, with its files in the session."""
    if isinstance(value, list):
        return [await _kept(handle, each) for each in value]
    return await asyncio.to_thread(_keep, value, handle) if isinstance(value, Path) else value


def _keep(source: Path, handle: Handle) -> dict[str, str]:
    """Copies a file into the session and says so in its log."""
    size, most = source.stat().st_size, handle.workspace.settings.upload_bytes
    if size > most:
        raise AssistantError(f"{source} has {size:,} bytes; at most {most:,} are taken.")
    with source.open("rb") as opened:
        fields = keep_upload(handle.files, source.name, opened)
    handle.log.append(lambda _: [Fact(BY, "added", fields)])
    return {"file": str(fields["file"])}


async def run(handle: Handle, on_progress: Callable[[dict[str, Any]], None]) -> Run:
    """Runs the session's workflow to its end; Ctrl-C cancels it. The run, as the log has it then."""
    id = await start_run(handle, BY)
    task = next(task for task in asyncio.all_tasks() if task.get_name() == f"run {id}")
    loop, cancelling = asyncio.get_running_loop(), set[asyncio.Task[bool]]()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, lambda: cancelling.add(asyncio.create_task(runs.cancel(id, BY))))
    while not task.done():
        seen = live.beat(handle.sid)
        if progress := live.progress.get(handle.sid):
            on_progress(progress)
        await live.changed(handle.sid, seen, 1.0)
    await task  # raises what kept the log from being written
    return handle.session().runs[id]


def copy_results(run: Run, files: Path, folder: Path) -> list[Path]:
    """Copies the run's results to `folder`, in place of files of the same name; each whole or not at all."""
    copied = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in run.results:
            descriptor, half = tempfile.mkstemp(prefix=".", dir=folder)
            try:
                with os.fdopen(descriptor, "wb") as target, (files / result["file"]).open("rb") as source:
                    shutil.copyfileobj(source, target)
                copied.append(folder / result["file"])
                os.replace(half, copied[-1])
            except BaseException:
                Path(half).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise AssistantError(
            f"The results could not be copied to {folder}: {error.strerror}. They are in {files}."
        ) from error
    return copied

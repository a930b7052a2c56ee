"""A run's own process: `python -m assistant.child`.

stdin     a JSON line {workflow, run, values, secrets, files, report, lock}; when it closes, all ends
report    its own descriptor: JSON lines {"progress"}, {"produced"}, {"failed", "traceback"}, {"finished"}
lock      a descriptor that holds a lock as long as this process lives
stdout    whatever the workflow prints: the run's output
"""

import fcntl
import json
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from .calling import iterate
from .errors import AssistantError
from .parameters import Place
from .results import Graph, Progress, Result, Table, save
from .text import clean, mask
from .workflow import load, typed_values

PROGRESS_SECONDS = 0.1  # between two progress lines
REASON_CHARACTERS = 500
TRACEBACK_CHARACTERS = 4_000
PACKAGE = os.path.dirname(os.path.abspath(__file__))


class Reports:
    """Writes the report lines. A timer sends progress that came too soon, so that the last one gets out."""

    def __init__(self, descriptor: int, secrets: Mapping[str, str]) -> None:
        self.descriptor, self.secrets = descriptor, secrets
        self.lock = threading.RLock()
        self.pending: Progress | None = None
        self.timer: threading.Timer | None = None
        self.sent = -math.inf

    def progress(self, progress: Progress) -> None:
        with self.lock:
            self.pending = progress
            wait = self.sent + PROGRESS_SECONDS - time.monotonic()
            if wait <= 0:
                self.flush()
            elif self.timer is None:
                self.timer = threading.Timer(wait, self.flush)
                self.timer.daemon = True
                self.timer.start()

    def flush(self) -> None:
        with self.lock:
            if self.timer is not None:
                self.timer.cancel()
            progress, self.pending, self.timer = self.pending, None, None
            if progress is not None:
                self.sent = time.monotonic()
                note = clean(mask(str(progress.note), self.secrets))
                self._write(
                    {
                        "progress": {
                            "done": number(progress.done),
                            "total": number(progress.total),
                            "note": note,
                        }
                    }
                )

    def send(self, **fields: Any) -> None:
        with self.lock:
            self.flush()
            self._write(fields)

    def _write(self, fields: dict[str, Any]) -> None:
        line = json.dumps(fields, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self.descriptor, line) :]


def number(value: Any) -> int | float:
    """A finite number, an integer where it is one; 0 for what is none."""
    found = float(value) if value is not None else 0.0
    if not math.isfinite(found):
        return 0
    return int(found) if found.is_integer() else round(found, 6)


def main() -> None:
    os.umask(0o077)
    task = json.loads(_first_line())
    for descriptor in (task["report"], task["lock"]):
        os.set_inheritable(descriptor, False)
    reports = Reports(task["report"], task["secrets"])
    try:
        _run(task, reports)
    except BaseException as error:  # the workflow's code may raise anything; this is where a run's error ends
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            reports.send(**describe(error, task["workflow"], task["secrets"]))
            return
    reports.send(finished=True)


def _run(task: dict[str, Any], reports: Reports) -> None:
    flow, files = load(Path(task["workflow"])), Path(task["files"])
    values = typed_values(flow, task["values"], Place(files=files, secrets=task["secrets"]))
    for item in iterate(flow.call_run(values)):
        if isinstance(item, Progress):
            reports.progress(item)
        else:
            reports.send(produced=produce(item, files, task["secrets"]))


def produce(result: Result, files: Path, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Save a result and return its `produced` fields, in which no secret stands."""
    if isinstance(result, Table | Graph):
        result = replace(result, name=mask(str(result.name), secrets))
    fields = save(result, files)
    if "columns" in fields:
        fields["columns"] = {mask(name, secrets): kind for name, kind in fields["columns"].items()}
    return fields


def describe(error: BaseException, workflow: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """What failed: a sentence with its place in the workflow's file, and the traceback without our frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if os.path.dirname(f.filename) != PACKAGE]
    own = [frame.lineno for frame in frames if frame.filename == workflow]
    message = " ".join(mask(str(error), secrets).split())[:REASON_CHARACTERS]
    if isinstance(error, AssistantError):
        said = message
    elif isinstance(error, SystemExit):
        said = f"the workflow ended itself with sys.exit({message})."
    elif isinstance(error, MemoryError):
        said = "there is not enough memory."
    else:
        said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    where = f"{os.path.basename(workflow)}, line {own[-1]}: " if own else ""
    text = "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])
    return {"failed": where + said, "traceback": mask(text, secrets)[-TRACEBACK_CHARACTERS:]}


def _first_line() -> bytes:
    """The first line of stdin, which from then on is watched; the workflow itself gets an empty stdin."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            _end()
        line += chunk
    # The thread can not run while C code holds the interpreter; Linux can kill the group by itself.
    if hasattr(fcntl, "F_SETSIG") and os.getpgrp() == os.getpid():
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(pipe,), daemon=True).start()
    return line


def _watch(pipe: int) -> None:
    while os.read(pipe, 1 << 16):
        pass
    _end()


def _end() -> NoReturn:
    """Ends this process and every process it started, unless it shares its group with others."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()

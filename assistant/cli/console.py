"""What the command line reads and prints: progress and errors on stderr, the rest on stdout."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic_core import from_json

from ..errors import AssistantError, Refused
from ..log import Log
from ..sentences import clock, sentence
from ..session.parts import Run
from ..settings import program_version
from ..text import clean
from ..workflow import Workflow

SECONDS = 1.0  # between two lines of progress where it is no terminal


class Commands(click.Group):
    """Options may stand before the command too, and no command is `serve`; errors are one sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [p for c in self.commands.values() for p in c.params if isinstance(p, click.Option)]
        flags = {name for option in options if option.is_flag for name in option.opts}
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] not in ("--help", "--version", "-h"):
            at += 1 if "=" in args[at] or args[at] in flags else 2
        if at >= len(args):
            args = ["serve", *args]
        elif not args[at].startswith("-"):
            args = [args[at], *args[:at], *args[at + 1 :]]
        else:
            args = args[at:]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AssistantError as error:
            warn(str(error))
        except BrokenPipeError:
            raise  # who reads our output has gone; click knows what to do
        except OSError as error:
            warn(f"{error.filename or 'The system'}: {error.strerror or error}.")
        ctx.exit(1)


def say(text: str) -> None:
    """A line on stdout, at once."""
    click.echo(text)
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line on stderr."""
    click.echo(text, err=True)


def once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tells each text a single time: each of many chats notices by itself what is wrong with a file."""
    told = set[str]()

    def tell_new(text: str) -> None:
        if text not in told:
            told.add(text)
            tell(text.rstrip("\n"))

    return tell_new


class ProgressLine:
    """How far a run is: one line that is written over, or a line a second (it knows the last one)."""

    def __init__(self) -> None:
        self.terminal, self.last, self.at = sys.stderr.isatty(), "", -SECONDS

    def show(self, progress: dict[str, Any]) -> None:
        """`progress` as live.py has it: done, total, note, left."""
        text = progress_text(progress)
        if text == self.last or (not self.terminal and time.monotonic() - self.at < SECONDS):
            return
        self.last, self.at = text, time.monotonic()
        click.echo(f"\r\x1b[K{text}" if self.terminal else text, err=True, nl=not self.terminal)

    def end(self) -> None:
        if self.terminal and self.last:
            click.echo(err=True)


def progress_text(progress: dict[str, Any]) -> str:
    """Such as "12 of 40, reading, 10 s left"."""
    total = f" of {progress['total']:g}" if progress["total"] else ""
    parts = [f"{progress['done']:g}{total}", clean(progress["note"], 80)]
    if progress.get("left"):
        parts.append(f"{progress['left']:.0f} s left")
    return ", ".join(part for part in parts if part)


def result_lines(run: Run, paths: Sequence[object]) -> list[str]:
    """A line for each result of the run, with where it is."""
    lines = []
    for result, path in zip(run.results, paths, strict=True):
        rows = f", {result['rows']} rows" if result.get("rows") is not None else ""
        lines.append(f"{result['kind']} {clean(str(result['name']))}{rows}: {path}")
    return lines


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def pairs_of(pairs: Sequence[str]) -> dict[str, str]:
    """The values of name=value arguments."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{clean(pair, 80)!r} is not of the form name=value.")
        if name in found:
            raise click.UsageError(f"{name} is given twice.")
        found[name] = value
    return found


def read_parameters(path: Path) -> dict[str, Any]:
    try:
        found = from_json(path.read_bytes(), allow_inf_nan=False)
    except ValueError as error:
        raise AssistantError(f"{path} is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise AssistantError(f'{path} does not hold one object such as {{"depth": 3}}.')
    return found


def ask_secrets(flow: Workflow, names: Sequence[str]) -> dict[str, str]:
    """The secrets, typed without echo, or line by line from a stdin that is no terminal."""
    known = {name: field for name, field in flow.fields().items() if field.kind == "secret"}
    found: dict[str, str] = {}
    for name in names:
        if name not in known:
            raise Refused(
                name, None, f"it is no secret of this workflow; there are: {', '.join(known) or 'none'}."
            )
        if sys.stdin.isatty():
            found[name] = click.prompt(known[name].label, hide_input=True, err=True)
        elif line := sys.stdin.readline():
            found[name] = line.rstrip("\r\n")
        else:
            raise Refused(name, None, "stdin has no line for it.")
    return found


def tell(found: Log, known: int, as_json: bool) -> None:
    """Prints the entries after the first `known`; where another day begins, with its date."""
    for number in range(known, len(found.entries)):
        entry = found.entries[number]
        if as_json:
            say(json.dumps(entry.as_dict(), ensure_ascii=False, separators=(",", ":")))
            continue
        at = clock(entry)
        same_day = number == 0 or clock(found.entries[number - 1]).date() == at.date()
        say(f"{at:{'%H:%M:%S' if same_day else '%Y-%m-%d %H:%M:%S'}} {sentence(entry)}")


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a browser can open a window; without one, some would open in this very terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        say(program_version())
        context.exit()


version_option = click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)

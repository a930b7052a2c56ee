"""What the commands print: progress on stderr, results and tables on stdout."""

import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from .results import clean
from .session import Run

SECONDS = 1.0  # between two lines of progress where it is no terminal


def say(text: str) -> None:
    """A line on stdout, at once."""
    click.echo(text)
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line on stderr."""
    click.echo(text, err=True)


class ProgressLine:
    """How far a run is: one line that is written over, or a line a second (a class: it knows the last one)."""

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
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]

"""`python -m benchmarks [names]`: measures, and prints the figures as a table. It judges nothing."""

import argparse
import sys
import time
from collections.abc import Sequence

from . import chat, install, log, page, program, search, sessions, start, turns
from .figures import Figure, machine, table, write_readme

MEASURES = {
    "install": install.measure,
    "start": start.measure,
    "page": page.measure,
    "chat": chat.measure,
    "log": log.measure,
    "sessions": sessions.measure,
    "search": search.measure,
    "turns": turns.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against the budgets.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(MEASURES)}; else all")
    parser.add_argument("--runs", type=int, default=5, help="runs of each measure; the median counts")
    parser.add_argument("--write", action="store_true", help="put the table of all into README.md")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in MEASURES]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    if given.write and given.names:
        parser.error("--write takes no names: the README has all figures")
    if given.runs < 1:
        parser.error("--runs must be at least 1")
    figures, failed = measured(given.names or list(MEASURES), given.runs)
    with program.browser() as browser:
        told = machine(browser.version)
    text = f"{table(figures)}\n\nMedians, lower is better, on: {told}."
    print(text)
    if failed:
        print(f"Not measured: {', '.join(failed)}.", file=sys.stderr)
        return 1
    if given.write:
        write_readme(text)
    return 0


def measured(names: Sequence[str], runs: int) -> tuple[list[Figure], list[str]]:
    """The figures, and the names of the measures that did not work."""
    figures: list[Figure] = []
    failed = []
    for name in names:
        begun = time.perf_counter()
        try:
            figures += MEASURES[name](runs)
        except Exception as error:  # whatever keeps one figure from being measured, the others are wanted
            failed.append(name)
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())

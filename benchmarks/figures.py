"""A figure, the table of them, the machine they were measured on, and the marked block of the README."""

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
HEAD = ("what", "budget", "measured", "ratio", "unit", "note")


@dataclass(frozen=True)
class Figure:
    """One measured thing; lower is better. `budget` is in the same unit, None where there is none."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""


def median(measure: Callable[[], float], runs: int, warm: int = 1) -> float:
    """The median of `runs` measures, after `warm` ones that do not count."""
    for _ in range(warm):
        measure()
    return statistics.median(measure() for _ in range(runs))


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table that is also aligned to be read as it is."""
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    rule = ["-" * width if n in (0, 4, 5) else "-" * (width - 1) + ":" for n, width in enumerate(widths)]
    lines = []
    for row in (rows[0], rule, *rows[1:]):
        cells = [
            cell.ljust(width) if n in (0, 4, 5) else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    if figure.budget is None:
        budget = ratio = ""
    else:
        budget = _number(figure.budget)
        ratio = f"{figure.value / figure.budget:.2f}" if figure.budget else ""
    return figure.what, budget, _number(figure.value), ratio, figure.unit, figure.note


def _number(value: float) -> str:
    if value == int(value) or value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def machine(chromium: str = "") -> str:
    """The machine in one line: processor, cores, memory and versions; never a name or a path."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [_processor(), f"{os.cpu_count()} cores", f"{memory:.0f} GiB", platform.system()]
    parts.append(f"Python {platform.python_version()}")
    return ", ".join([*parts, *([f"Chromium {chromium}"] if chromium else [])])


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return _sysctl() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.machine()


def _sysctl() -> str:
    try:
        told = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
    except OSError:
        return ""
    return told.stdout.strip()


def write_readme(text: str, readme: Path = README) -> None:
    """Puts `text` between the README's marks. ValueError: it has not one such block."""
    before = readme.read_text(encoding="utf-8")
    after, count = BLOCK.subn(lambda found: f"{found[1]}{text}\n{found[2]}", before)
    if count != 1:
        raise ValueError(f"{readme.name} has {count} blocks of figures; it needs one.")
    readme.write_text(after, encoding="utf-8")

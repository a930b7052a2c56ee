"""How much an install brings: packages and bytes of what the program needs to run, in this environment."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .figures import ROOT, Figure


def measure(runs: int) -> Iterator[Figure]:
    found = closure(_own_requirements())
    size = sum(_bytes(path) for each in found.values() for path in _files(each))
    own = sum(_bytes(path) for path in (ROOT / "assistant").rglob("*") if "__pycache__" not in path.parts)
    yield Figure(
        "install, packages", len(found) + 1, "", 60, "with pandas and the program itself, without pip"
    )
    yield Figure("install, size", (size + own) / 1e6, "MB", 250, "with compiled bytecode")


def _own_requirements() -> list[str]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(told["project"]["dependencies"])


def closure(requirements: list[str]) -> dict[str, Distribution]:
    """The installed distributions that `requirements` need, and theirs, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(text), frozenset({""})) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        each, extras = waiting.pop()
        if each.marker and not any(each.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name, wanted = str(canonicalize_name(each.name)), frozenset({"", *each.extras})
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            raise RuntimeError(f"{name} is needed and not installed; run `make setup-dev`.") from None
        waiting += [(Requirement(text), wanted) for text in found[name].requires or []]
    return found


def _files(each: Distribution) -> set[Path]:
    """Its files, and what Python compiled of them."""
    paths = {Path(str(each.locate_file(file))) for file in each.files or []}
    return paths | {Path(cache_from_source(str(path))) for path in paths if path.suffix == ".py"}


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

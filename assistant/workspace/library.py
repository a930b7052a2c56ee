"""The workflow files of a workspace and the shipped ones, each loaded as it is now."""

from os.path import lexists
from pathlib import Path
from typing import Any

from ..errors import BrokenWorkflow, NotFound
from ..settings import shipped
from ..workflow import Workflow, load


class Library:
    """Loads each file once, and again when it has changed (a class: what was loaded stays in memory)."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._loaded: dict[str, tuple[tuple[Any, ...], Workflow | BrokenWorkflow]] = {}

    def files(self) -> dict[str, Path]:
        """Every workflow by its stem; of two with one stem the workspace's."""
        found: dict[str, Path] = {}
        for folder in (shipped("workflows"), self.workspace / "workflows"):
            if folder.is_dir():
                found |= {p.stem: p for p in sorted(folder.glob("*.py")) if not p.stem.startswith("_")}
        return dict(sorted(found.items()))

    def workflow(self, stem: str) -> Workflow:
        """The workflow as its file is now. NotFound; BrokenWorkflow with the file's error and line."""
        path = self._path(stem)
        if path is None:
            raise NotFound(f"There is no workflow {stem!r}: no file workflows/{stem}.py.")
        try:
            stat = path.stat()
        except OSError:  # a link to nothing, or deleted just now
            raise NotFound(f"There is no workflow {stem!r} any more: {path} can not be read.") from None
        key = (path, stat.st_mtime_ns, stat.st_size)
        known = self._loaded.get(stem)
        if known is None or known[0] != key:
            try:
                known = (key, load(path))
            except BrokenWorkflow as error:
                known = (key, error)
            self._loaded[stem] = known
        if isinstance(known[1], BrokenWorkflow):
            raise known[1]
        return known[1]

    def _path(self, stem: str) -> Path | None:
        """As `files` would have it: this is asked several times for each thing that happens."""
        if stem.startswith("_") or Path(stem).name != stem:
            return None
        places = (self.workspace / "workflows", shipped("workflows"))
        return next((path for place in places if lexists(path := place / f"{stem}.py")), None)

    def find(self, stem: str) -> Workflow | None:
        """As `workflow`; None where it is not there or does not load."""
        try:
            return self.workflow(stem)
        except (NotFound, BrokenWorkflow):
            return None

"""The texts that a model gets: Jinja files in prompts/, the workspace's own before the shipped ones.

For a workflow the files in prompts/<workflow>/ come before those in prompts/. A file that does not parse or
render is named with its line, and the next one is used in its place.
"""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from loguru import logger

from .errors import AssistantError
from .settings import shipped

ENDING = ".md.j2"


class Prompts:
    """The prompt files of one workspace, read afresh when they change (a class: it keeps what it parsed).

    `problems` says, by path, what is wrong with a file of the workspace as it is now.
    """

    def __init__(self, workspace: Path) -> None:
        self.folders = tuple(
            dict.fromkeys(each.resolve() for each in (workspace / "prompts", shipped("prompts")))
        )
        self.problems: dict[Path, str] = {}
        self._known: dict[Path, tuple[tuple[int, int], Template]] = {}
        self._environment = Environment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
        )

    def render(self, name: str, workflow: str = "", /, **values: Any) -> str:
        """The text of `name`.md.j2 with these values. Raises AssistantError if even the shipped one fails.

        `workflow` (a stem) prefers the file of that name in the folder of the workflow.
        """
        problem = f"There is no prompt {name}{ENDING}."
        for path in self._paths(name, workflow):
            try:
                text = self._template(path).render(**values).strip()
            except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
                problem = self._tell(path, error)
            else:
                self.problems.pop(path, None)
                return text
        raise AssistantError(problem)

    def warm(self) -> None:
        """Parses the files beforehand, so that the first message does not wait for it."""
        for path in [path for folder in self.folders for path in folder.rglob(f"*{ENDING}")]:
            try:
                self._template(path)
            except (TemplateError, ValueError, OSError) as error:
                self._tell(path, error)

    def notice(self) -> str:
        """What is wrong with the workspace's prompts; "" if nothing."""
        return " ".join(f"{problem} The shipped one is used." for problem in self.problems.values())

    def _paths(self, name: str, workflow: str) -> Iterator[Path]:
        own = (workflow, "") if re.fullmatch(r"[\w-]+", workflow) else ("",)
        for folder, part in product(self.folders, own):
            path = folder / part / f"{name}{ENDING}"
            if path.is_file():
                yield path
            else:
                self.problems.pop(path, None)

    def _template(self, path: Path) -> Template:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            source = path.read_text("utf-8")
            code = self._environment.compile(source, str(path), str(path))
            template = Template.from_code(self._environment, code, self._environment.make_globals(None))
            known = self._known[path] = (stamp, template)
        return known[1]

    def _tell(self, path: Path, error: Exception) -> str:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else _line(error, path)
        folder = "prompts" if path.parent.name == "prompts" else f"prompts/{path.parent.name}"
        where = f"{folder}/{path.name}" + (f", line {line}" if line else "")
        problem = f"{where}: {str(error).rstrip('.') or type(error).__name__}."
        if self.problems.get(path) != problem:
            self.problems[path] = problem
            logger.warning(problem)
        return problem


def _line(error: Exception, path: Path) -> int | None:
    """The line of the file that the error came from, as Jinja puts it into the traceback."""
    found, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found

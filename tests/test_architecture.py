"""The shape of the program: what imports what, what is public, and which words the log knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import assistant
from assistant.log import Entry
from assistant.session import CHAT, Session, fold
from assistant.session.folding import APPLY

ROOT = Path(assistant.__file__).parent

# From the top down. A module imports only from the rows below its own, and in its row from what stands to its
# right. A name with a star is a package whose modules may also use each other.
ROWS = """
__main__   cli  cli.run  cli.sessions  cli.options  cli.initialise  notebooks  notebooks.code  notebooks.file  cli.doctor  cli.serving  cli.served  cli.ports
web        web  web.app  web.routes.*  web.answers  web.gather  web.regions  web.views.*  web.markdown  web.assets  web.gate  web.exchange  web.headers  web.hosts
turns      trial.table  trial  trial.gold  trial.player  trial.reading  turn  chat  chat.plain  chat.reply  chat.talk  chat.extraction  chat.preload  chat.stream  search  search.logs  search.query  redaction  chat.seen  chat.means  chat.history  replay  replay.retrace  headless  chat.errands  export.importing  export  export.to_notebook  export.to_script  export.literals  export.archive  verify  compare  compare.differences
tools      tools  tools.grounded  tools.commands  tools.asking  tools.desk  tools.settle  chat.slash
models     models.guide.*  models.pulls  models.preferences  models.catalogue  models.ollama  models.wire  models.repair  models.failures  models  words.*
actions    actions.outdated  actions.launch  again  actions  actions.checks  actions.judging  actions.consequences  workspace.tidying  workspace.trash  workspace
state      cli.console  session.undoing  actions.fitting  record  record.drawing  record.layout  record.account  record.moment  cards  queries  workspace.lists  workspace.offers  workspace.folded  workspace.kept  workspace.secrets  workspace.retention  workspace.listing  workspace.summaries  session  session.folding  session.shapes  session.parts  redaction.removal  redaction.patterns  redaction.traces
work       child  runs  runs.process  runs.runlock  runs.output  runs.pace  sentences  workspace.library  workflow  calling
below      results  results.graphs  results.tables  results.frames  files  text  search.found  search.texts  search.matching  parameters.*  log  log.lock  log.reading  log.rewrite  log.lines  disk  prompts  live
base       cli.settings_file  collector  errors  settings
"""  # noqa: E501 - a table
PUBLIC = "Ask Download Graph Note Progress Refused Secret Table Upload Workflow".split()
DID = set(
    "began opened skipped helped set proposed refused cleared advanced reopened asked answered undid redid "
    "said called failed started progressed produced finished cancelled interrupted added chose realigned "
    "named pinned archived noted redacted".split()
)


def modules() -> dict[str, Path]:
    """Every module of the program by its name without `assistant.`; the package itself is ""."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "shipped" not in parts:
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def imported(name: str) -> Iterator[str]:
    """The modules of ours that a module imports, wherever in it, and the others by their full name."""
    path = MODULES[name]
    package = name.split(".") if path.name == "__init__.py" and name else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("assistant.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                start = package[: len(package) - node.level + 1]
                module = ".".join([*start, *filter(None, [module])])
            elif module == "assistant" or module.startswith("assistant."):
                module = module.removeprefix("assistant").removeprefix(".")
            for alias in node.names:
                whole = f"{module}.{alias.name}".lstrip(".")
                yield whole if whole in MODULES else module


def places() -> dict[str, tuple[int, int]]:
    """Of each module its row (0 is the top) and its place in it, from the left."""
    found = {}
    for row, line in enumerate(ROWS.strip().splitlines()):
        for place, name in enumerate(line.split()):
            if place and name.endswith(".*"):
                inside = [m for m in MODULES if m == name[:-2] or m.startswith(name[:-1])]
                found |= dict.fromkeys(inside, (row, place))
            elif place or name in MODULES:  # a row's first word is its name, and __main__ a module, too
                found[name] = (row, place)
    return found


def test_every_module_has_its_place() -> None:
    assert places().keys() == MODULES.keys() - {""}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {""}))
def test_imports_point_down_or_to_the_right(name: str) -> None:
    where = places()
    star = {m for m in MODULES if where.get(m) == where[name]}
    wrong = [
        other
        for other in set(imported(name))
        if other in where and other != name and where[other] <= where[name] and other not in star
    ]
    assert not wrong, f"{name} imports {', '.join(wrong)}, which stands above it or to its left"


def test_a_runs_own_process_needs_only_the_lower_rows() -> None:
    where, waiting, needed = places(), ["child"], set[str]()
    while waiting:
        found = {other for other in imported(waiting.pop()) if other in where} - needed
        needed |= found
        waiting += found
    assert needed.isdisjoint("session cards workspace log live runs turn web __main__".split()), sorted(
        needed
    )


def test_each_of_these_is_known_to_one_part_only() -> None:
    table = {
        "fasthtml": ("web",),
        "starlette": ("web", "cli.serving"),
        "uvicorn": ("cli.serving",),
        "ollama": ("models",),
        "httpx": ("models",),
        "jinja2": ("prompts",),
    }
    for package, parts in table.items():
        for name in MODULES:
            if any(other == package or other.startswith(f"{package}.") for other in imported(name)):
                assert any(f"{name}.".startswith(f"{part}.") for part in parts), f"{name} imports {package}"


def test_the_pure_modules_touch_no_file_and_no_network() -> None:
    pure = ("session", "cards", "actions.fitting", "record", "web.views")
    for name in [m for m in MODULES if any(f"{m}.".startswith(f"{part}.") for part in pure)]:
        for other in imported(name):
            assert other.split(".")[0] not in {"os", "socket", "subprocess", "shutil", "asyncio", "disk"}, (
                name
            )


def test_only_the_command_line_reads_the_environment() -> None:
    for name, path in MODULES.items():
        if name not in ("__main__", "runs.process"):  # that hands it down to a run's own
            assert "environ[" not in path.read_text() and "environ.get" not in path.read_text(), name


def test_the_package_gives_these_names_and_no_other() -> None:
    assert sorted(assistant.__all__) == PUBLIC
    code = "before = set(dir())\nfrom assistant import *\nprint(*sorted(set(dir()) - before - {'before'}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert found.stdout.split() == PUBLIC


def test_a_workflow_file_loads_no_heavy_library_and_no_server() -> None:
    code = "import assistant, sys\nprint(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    loaded = set(found.stdout.split())
    assert loaded.isdisjoint({"pandas", "numpy", "fasthtml", "starlette", "httpx", "ollama", "uvicorn"})
    assert "assistant.log" not in loaded


def words(path: Path) -> Iterator[tuple[int, str]]:
    """The words that a module writes or looks for as `did`, with their lines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found = {"Fact": node.args[1:2], "fact": node.args[:1], "mark": node.args[1:]}.get(called, [])
        elif (
            isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "did"
        ):
            found = [part for one in node.comparators for part in getattr(one, "elts", [one])]
        for part in found:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield node.lineno, part.value


def test_every_did_in_the_code_is_one_that_the_log_knows() -> None:
    used = {}
    for path in MODULES.values():
        for line, word in words(path):
            assert word in DID, f"{path.name}, line {line}: {word!r}"
            used[word] = path
    assert len(used) > 20
    assert APPLY.keys() | CHAT <= DID


def test_every_did_but_a_few_says_something_about_the_session() -> None:
    assert DID - APPLY.keys() == {"realigned", "redacted"}
    for word in DID:
        assert isinstance(fold([Entry(1, "", "user", word, {})]), Session)

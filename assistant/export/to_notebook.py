"""A session as a notebook (nbformat 4.5, written by hand): its values, its steps, a run, and the results.

The one cell tagged `parameters` has every value as a plain assignment; papermill can put others behind it.
Each step's cell takes its own into `values`, with which the workflow is called.
"""

import json
import keyword
import sys
from collections.abc import Iterable
from typing import Any

from ..files import safe_name
from ..session import Session
from ..workspace import Handle, name_of
from .literals import Given, Part, comment, literal, parts_of, with_origin, with_paths

USED = set("FileNotFoundError ValueError getattr isinstance next print str".split())
FIND = """\
package = Path(assistant.__file__).resolve().parent
folders = [Path.cwd(), *Path.cwd().parents[:3], package / "shipped", package.parent]
paths = [folder / "workflows" / {file} for folder in folders]
path = next((path for path in paths if path.is_file()), None)
if path is None:
    raise FileNotFoundError("There is no workflows folder here that has " + {file})
if hashlib.sha256(path.read_bytes()).hexdigest()[:16] != {digest}:
    print("The workflow's file has changed since the session, so the results may differ:", path)
sys.path.append(str(path.parent))  # what it imports from beside it
flow = next(value for value in runpy.run_path(str(path)).values() if isinstance(value, Workflow))"""
SHOW = {
    "table": """\
for result in results:
    if isinstance(result, Table) and result.name == {name}:
        display(pd.DataFrame(result.frame))""",
    "graph": """\
for result in results:
    if isinstance(result, Graph) and result.name == {name}:
        display(pd.DataFrame(result.nodes))""",
    "note": """\
for result in results:
    if isinstance(result, Note):
        print(result.markdown)""",
    "file": """\
for result in results:
    if isinstance(result, Download):
        print(result.path)""",
}
ALL = """\
for result in results:
    print(result.__class__.__name__, getattr(result, "name", ""))
display(*[pd.DataFrame(result.frame) for result in results if isinstance(result, Table)])"""


def notebook(handle: Handle) -> str:
    """The notebook's JSON. It runs where the package, the workflow's file and pandas are."""
    session = handle.session()
    parts, rest = parts_of(handle)
    given = [each for part in parts for each in part.given if _is_name(each.name)]
    values = "values"
    while any(each.name == values for each in given):
        values += "_"
    title, name = session.title, session.name or name_of(session)
    cells = [
        _markdown(
            f"# {escaped(title)}{f': {escaped(name)}' if name != title else ''}",
            f"Session {handle.sid} of the workflow `{safe_name(session.workflow)}`, "
            f"{escaped(session.began_at[:10])} to {escaped(session.at[:10])}. "
            "The values are in the next cell; papermill can put others behind it.",
        ),
        _code(_assignments(given, rest), tags=["parameters"]),
        _code(f"{values} = {{}}"),
    ]
    for part in parts:
        cells += _step(part, values)
    cells += [_markdown("## Run"), *(_code(text) for text in _run(session, given, values))]
    cells += _results(session)
    return json.dumps(
        {"cells": [{"id": f"cell-{n}", **cell} for n, cell in enumerate(cells, 1)],
         "metadata": {
             "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
             "language_info": {"name": "python", "version": "{}.{}".format(*sys.version_info)},
         },
         "nbformat": 4, "nbformat_minor": 5},
        ensure_ascii=False, indent=1,
    ) + "\n"  # fmt: skip


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|!&~$" else c for c in comment(text, 1_000))


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _assignments(given: Iterable[Given], rest: Iterable[Given]) -> str:
    lines = []
    for each in given:
        value = "None" if each.kind == "secret" else "..."
        if each.kind == "value":
            value = literal(with_paths(each.field, each.value, lambda name: f"files/{name}"))
        if each.kind == "secret":
            lines.append(f"# a secret: it is asked for below, or the environment has {_variable(each)}")
        lines.append(with_origin(f"{each.name} = {value}", each))
    lines += [f"# not asked any more: {comment(f'{each.name} = {each.value!r}')}" for each in rest]
    return "\n".join(lines) or "# The workflow asks nothing."


def _variable(secret: Given) -> str:
    return f"ASSISTANT_SECRET_{secret.name.upper()}"


def _step(part: Part, values: str) -> list[dict[str, Any]]:
    given = [each for each in part.given if _is_name(each.name)]
    who = [f"- {escaped(each.label)} (`{each.name}`): {escaped(each.origin)}" for each in given]
    told = _markdown(f"## {part.question}", part.help, "\n".join(who))
    pairs = "".join(f"    {literal(each.name)}: {each.name},\n" for each in given)
    return [told, _code(f"{values} |= {{\n{pairs}}}")] if pairs else [told]


def _run(session: Session, given: Iterable[Given], values: str) -> list[str]:
    """Every import is here, after the values were taken: a parameter may have the name of a module."""
    secrets = [each for each in given if each.kind == "secret"]
    clash = sorted({each.name for each in given} & USED)
    imports = ["import hashlib", *(["import os"] if secrets else []), "import runpy", "import sys"]
    imports += [f"from builtins import {', '.join(clash)}"] if clash else []
    imports += ["from getpass import getpass"] if secrets else []
    imports += ["from pathlib import Path", "", "import assistant", "import pandas as pd"]
    imports += ["from IPython.display import display", ""]
    imports += ["from assistant import Download, Graph, Note, Table, Workflow"]
    file = literal(f"{safe_name(session.workflow)}.py")
    found = ["\n".join(imports), FIND.format(file=file, digest=literal(str(session.began.get("source", ""))))]
    asked = [
        f"if {values}[{literal(each.name)}] is None:\n    {values}[{literal(each.name)}] = "
        f"os.getenv({literal(_variable(each))}) or getpass({literal(each.label + ': ')})"
        for each in secrets
    ]
    unset = (
        f"for name in {values}:\n    if {values}[name] is ...:\n"
        '        raise ValueError(name + " is not in the record of the session: fill it in.")'
    )
    asked += [unset] if any(each.kind in ("redacted", "missing") for each in given) else []
    return [*found, *asked, f"results = flow(**{values})"]


def _results(session: Session) -> list[dict[str, Any]]:
    """A cell for each result that the newest run of the session gave; one for all where there was none."""
    shown: dict[tuple[str, str], str] = {}
    for result in session.run.results if session.run else ():
        kind, name = str(result.get("kind")), str(result["name"])
        if kind in SHOW:
            shown.setdefault((kind, name if kind in ("table", "graph") else ""), name)
    cells = [_markdown("## Results")]
    for (kind, _), name in shown.items():
        cells += [_markdown(f"### {escaped(name if kind in ('table', 'graph') else kind.capitalize())}")]
        cells += [_code(SHOW[kind].format(name=literal(name, " " * 50)))]
    return cells if shown else [*cells, _code(ALL)]


def _markdown(*paragraphs: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines("\n\n".join(filter(None, paragraphs)))}


def _code(text: str, tags: Iterable[str] = ()) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [],
            "source": _lines(text)}  # fmt: skip


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)

"""A workflow's file from a notebook, which is read and never run.

    cell tagged `parameters`        ──▶  a step: each simple assignment is a parameter, typed by its literal
    the Markdown before it          ──▶  its question and help
    all other code cells, in order  ──▶  the body of run(); each DataFrame in it is a result

To load the file runs nothing of the notebook but a `from ... import *`, which may stand nowhere else.
"""

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from keyword import iskeyword
from pathlib import Path
from textwrap import indent
from types import GenericAlias
from typing import Any

from ..errors import AssistantError
from ..export.literals import literal
from ..parameters import make_field
from ..text import clean
from .code import Translation, parsed, translate
from .file import Cell, read_cells

TAGS = ("parameters", "injected-parameters")  # the second is papermill's own, with what it was given
TAKEN = frozenset({"flow", "run", "display", "locals", "_results"})
LONG = 80  # characters of a text that gets a larger field
TEMPLATE = '''"""{head}"""

from typing import Annotated, Any

from assistant import Ask, Note, Table, Workflow
{top}
flow = Workflow({title}, {description})


{steps}


def _results(found: dict[str, Any]) -> Any:
    """Each table that the notebook made. run() may yield others: Table, Graph, Download, Note, Progress."""
    tables = [Table(n, v) for n, v in found.items() if type(v).__name__ == "DataFrame" and n[0] != "_"]
    yield from tables or [Note("It ran to its end, and made no table.")]


@flow.run
{begin}def run({names}):
{body}

    for _result in _results({{**locals()}}):
        yield _result
'''


@dataclass(frozen=True)
class Parameter:
    """A simple assignment: its name, type and value, and the comment behind it."""

    name: str
    type: Any
    value: Any
    help: str


@dataclass(frozen=True)
class Group:
    """The parameters of one cell, with the Markdown before it."""

    heading: str
    parameters: dict[str, Parameter]


def from_notebook(path: Path) -> tuple[str, list[str]]:
    """The source of the workflow's file, and what a person should know of it, as sentences.

    AssistantError: it is no notebook that can be read, with what to do.
    """
    cells = read_cells(path)
    chosen, notes = _chosen(cells)
    title, description, title_cell = _title(cells, path.stem)
    groups: list[Group] = []
    body = Translation(notes)
    for number, cell in enumerate(cells, 1):
        if cell.kind != "code" or (TAGS[1] in cell.tags and number - 1 not in chosen):
            continue
        source = cell.source
        if number - 1 in chosen:
            known = {name for group in groups for name in group.parameters}
            found, source = _split(source, known)
            before = cells[number - 2] if number > 1 and cells[number - 2].kind == "markdown" else None
            heading = before.source if before and before is not title_cell else ""
            groups += [Group(heading, found)] if found else []
        if source.strip():
            translate(source, number, body)
    groups = _injected(
        groups, [cell for n, cell in enumerate(cells) if TAGS[1] in cell.tags and n not in chosen]
    )
    return _whole(path, title, description, groups, body), notes


def _chosen(cells: Sequence[Cell]) -> tuple[set[int], list[str]]:
    """The cells with the parameters, by their place, and what to say of the choice."""
    for tag in TAGS:
        if found := {n for n, cell in enumerate(cells) if cell.kind == "code" and tag in cell.tags}:
            return found, []
    for n, cell in enumerate(cells):
        if cell.kind == "code" and cell.source.strip() and not _split(cell.source, ())[1].strip():
            return {n}, [f"No cell is tagged `parameters`, so cell {n + 1} was taken: it only sets values."]
    return set(), ["No cell is tagged `parameters`, and none only sets values: the workflow asks nothing."]


def _split(source: str, known: Collection[str]) -> tuple[dict[str, Parameter], str]:
    """The simple assignments of a cell, and the lines of it that are something else."""
    tree = parsed(source)
    if tree is None:
        return {}, source
    found: dict[str, Parameter] = {}
    lines = source.split("\n")
    for node in tree.body:
        parameter = _parameter(node, lines)
        alone = not any(other is not node and other.lineno <= (node.end_lineno or 0) and
                        (other.end_lineno or 0) >= node.lineno for other in tree.body)  # fmt: skip
        if parameter and alone and parameter.name not in known:
            found[parameter.name] = parameter
            for n in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[n] = ""
    rest = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return found, "\n".join(lines).strip("\n") if rest else ""


def _parameter(node: ast.stmt, lines: list[str]) -> Parameter | None:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value, simple=1)
        ):
            pass
        case _:
            return None
    try:
        found = ast.literal_eval(value)
        kind = _type(found)
        made = make_field(name, kind, found) if kind is not None and name not in TAKEN else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    behind = lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset :].decode()
    help_text = clean(behind.partition("#")[2]) if behind.lstrip().startswith("#") else ""
    return Parameter(name, kind, found, help_text) if made else None


def _type(value: Any) -> Any:
    """The type that a parameter with this default has; None where it can be no parameter."""
    if value is None:
        return str | None
    if isinstance(value, bool | int | float | str):
        return type(value)
    if isinstance(value, tuple) and value:
        parts = tuple(_type(each) for each in value)
        return None if None in parts else GenericAlias(tuple, parts)
    if isinstance(value, list | set):
        item = _common(value)
        return None if item is None else GenericAlias(type(value), item)
    if isinstance(value, dict):
        types = _common(value), _common(value.values())
        return None if None in types else GenericAlias(dict, types)
    return None


def _common(values: Iterable[Any]) -> Any:
    types = {_type(value) for value in values} or {str}
    if types == {int, float}:
        return float
    return types.pop() if len(types) == 1 else None


def _injected(groups: list[Group], cells: Iterable[Cell]) -> list[Group]:
    """The groups with the values that papermill put behind them."""
    given: dict[str, Parameter] = {}
    for cell in cells:
        given |= _split(cell.source, ())[0]
    made = []
    for group in groups:
        found = {name: given.pop(name, parameter) for name, parameter in group.parameters.items()}
        made.append(Group(group.heading, found))
    if given and made:
        made[0].parameters.update(given)
    return made


# --- the file ------------------------------------------------------------------------------------------


def _title(cells: Sequence[Cell], stem: str) -> tuple[str, str, Cell | None]:
    """The notebook's title, its first paragraph, and the cell that has them."""
    for cell in cells:
        if cell.kind == "markdown" and (found := re.search(r"^# +(.+)$", cell.source, re.MULTILINE)):
            paragraphs = [p.strip() for p in cell.source[found.end() :].split("\n\n") if p.strip()]
            return clean(found[1]), clean(paragraphs[0]) if paragraphs else "", cell
    return clean(stem.replace("_", " ").replace("-", " ")).capitalize() or "Notebook", "", None


def _whole(path: Path, title: str, description: str, groups: list[Group], body: Translation) -> str:
    names: list[str] = []
    steps = []
    for group in groups or [Group("Ready?", {})]:
        steps.append(_step(group, names))
    asked = [name for group in groups for name in group.parameters]
    display = ["", "display = print  # a notebook has one of its own"] if body.displays else []
    source = TEMPLATE.format(
        head=docstring(f"{title}: from the notebook {clean(path.name)}. Its code is in run()."),
        top="\n".join([*body.top, *display, *([""] if body.top or display else [])]),
        title=repr(title),
        description=repr(description),
        steps="\n\n\n".join(steps),
        begin="async " if body.awaits else "",
        names=", ".join(asked),
        body="\n\n".join(body.parts) or "    # the notebook has no other code",
    )
    try:
        compile(source, path.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise AssistantError(
            f"{path} can not be made a workflow: its code does not stand in a function ({error})."
        ) from None
    return source


def _step(group: Group, names: list[str]) -> str:
    """The source of a step; its name is made of its heading, and added to `names`."""
    question, _, help_text = group.heading.strip().partition("\n")
    question = clean(question.lstrip("# ")) or "Which values?"
    slug = re.sub(r"\W+", "_", question.lower(), flags=re.ASCII)[:40].strip("_")
    base = slug if slug.isidentifier() and not iskeyword(slug) and slug not in TAKEN else "values"
    name = next(n for n in chain([base], (f"{base}_{k}" for k in count(2))) if n not in names)
    names.append(name)
    text = f"{question}\n\n{help_text.strip()}\n" if help_text.strip() else question
    told = indent(docstring(text), "    ").lstrip(" ") + ("    " if text.endswith("\n") else "")
    fields = "".join(f"\n    {_field(parameter)}," for parameter in group.parameters.values())
    fields += "\n" if fields else ""
    return f'@flow.step\ndef {name}({fields}):\n    """{told}"""'


def _field(parameter: Parameter) -> str:
    kind = parameter.type.__name__ if parameter.type in (bool, int, float, str) else repr(parameter.type)
    asks = [f"help={literal(parameter.help)}"] if parameter.help else []
    if isinstance(parameter.value, str) and (len(parameter.value) > LONG or "\n" in parameter.value):
        asks.append("long=True")
    kind = f"Annotated[{kind}, Ask({', '.join(asks)})]" if asks else kind
    return f"{parameter.name}: {kind} = {literal(parameter.value, '    ')}"


def docstring(text: str) -> str:
    """The text as it stands between three double quotes; nothing in it can end them."""
    kept = text.replace("\\", "\\\\")
    kept = kept.replace('"', '\\"') if '"""' in text or text.endswith('"') else kept
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in kept)

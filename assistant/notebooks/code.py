"""The code of a notebook's cells as it stands in a function: what only a notebook can is commented out."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

TIMED = ("%%time", "%%timeit", "%%capture", "%%prun")  # their cell's other lines are plain Python
MAGIC = re.compile(r"\s*([%!?]|[\w.,\[\] ]+=\s*[%!])|.*[^#]\?\s*$")
INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
ASYNC = ast.Await | ast.AsyncFor | ast.AsyncWith


@dataclass
class Translation:
    """What the cells gave so far: `parts` of a function, lines for the `top` of its file, and notes."""

    notes: list[str]
    parts: list[str] = field(default_factory=list)
    top: list[str] = field(default_factory=list)
    awaits: bool = False
    displays: bool = False


def parsed(source: str) -> ast.Module | None:
    """The tree of a source; None where it has none."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def translate(source: str, number: int, found: Translation) -> None:
    """Adds the code of cell `number`."""
    tree = parsed(source)
    if tree is None:
        source, tree = _without_magic(source, number, found)
    if tree is not None:
        source, tree = _without_top_lines(source, tree, found)
    inside = _indented(source, tree) if tree is not None else ""
    if tree is None or not _stands(inside):
        found.notes.append(
            f"Cell {number} is no plain Python that can stand in a function; it is commented out."
        )
        inside = "\n".join(f"    # {_printable(line)}".rstrip() for line in source.split("\n"))
    else:
        found.awaits |= any(isinstance(node, ASYNC) for node in _own(tree))
        if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
            found.notes.append(f"Cell {number} says `global`; in a function that is another variable.")
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        found.displays |= "display" in names
    found.parts.append(f"    # cell {number}\n{inside}")


def _without_magic(source: str, number: int, found: Translation) -> tuple[str, ast.Module | None]:
    lines = source.split("\n")
    if lines[0].startswith("%%") and not lines[0].startswith(TIMED):
        return source, None
    kept = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        kept.append(f"{indent}pass  # {_printable(line.strip())}" if MAGIC.match(line) else line)
    text = "\n".join(kept)
    if (tree := parsed(text)) is not None:
        found.notes.append(
            f"Cell {number} has lines that only a notebook understands; they are commented out."
        )
    return text, tree


def _without_top_lines(source: str, tree: ast.Module, found: Translation) -> tuple[str, ast.Module]:
    """Takes out `import *`, which goes to the top of the file, `__future__`, and `global` of no function."""
    lines = source.split("\n")
    starts = Counter(node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt))
    for node in _own(tree):
        if isinstance(node, ast.stmt) and starts[node.lineno] > 1:
            continue  # the line says something else, too
        if isinstance(node, ast.ImportFrom) and node in tree.body and node.names[0].name == "*":
            found.top.append(ast.unparse(node))
            found.notes.append(f"`{ast.unparse(node)}` stands at the top, so it runs as the file is loaded.")
        elif not isinstance(node, ast.Global) and getattr(node, "module", "") != "__future__":
            continue
        assert isinstance(node, ast.stmt)
        for n in range(node.lineno - 1, node.end_lineno or node.lineno):
            indent = lines[n][: len(lines[n]) - len(lines[n].lstrip())]
            lines[n] = f"{indent}pass  # {_printable(lines[n].strip())}"
    text = "\n".join(lines)
    return text, parsed(text) or tree


def _indented(source: str, tree: ast.Module) -> str:
    """The source four columns to the right, but for the lines that begin inside a text."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        ):
            inside |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    lines = source.strip("\n").split("\n")
    skipped = len(source) - len(source.lstrip("\n"))
    return "\n".join(
        line if n in inside or not line.strip() else f"    {line}"
        for n, line in enumerate(lines, 1 + skipped)
    )


def _stands(inside: str) -> bool:
    """Whether it compiles as part of an async function's body, as every plain cell does."""
    try:
        compile(f"async def run():\n{inside}\n    yield\n", "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _own(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run with the cell itself, not in a function of its own."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, INNER):
            yield from _own(node)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)

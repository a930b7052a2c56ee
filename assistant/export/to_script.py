"""A session as a Python script: its values, where each came from, and a run of the workflow with them."""

from ..files import safe_name
from ..workspace import Handle, name_of
from .literals import Code, Given, Part, comment, literal, parts_of, typed, with_origin

PATHS = """
def find_workflow():
    \"\"\"The workflow's file: in a `workflows` folder here or above, else that of the package.\"\"\"
    package = Path(assistant.__file__).resolve().parent
    folders = [HERE, *HERE.parents[:3], Path.cwd(), package / "shipped", package.parent]
    for path in (folder / "workflows" / f"{WORKFLOW}.py" for folder in folders):
        if path.is_file():
            return path
    raise SystemExit(f"There is no workflows/{WORKFLOW}.py here; name the file: python {__file__} FILE.py")
"""
SECRET = """
def secret(name, label):
    \"\"\"Is asked for, unless the environment has it.\"\"\"
    return os.getenv(f"ASSISTANT_SECRET_{name.upper()}") or getpass(f"{label}: ")
"""
MAIN = """
def tell(result, out):
    \"\"\"Prints what a result is, and saves it in the folder `out` if there is one.\"\"\"
    rows = f", {len(result.frame)} rows" if isinstance(result, Table) else ""
    file = f": {out / save(result, out)['file']}" if out else ""
    print(f"{type(result).__name__} {getattr(result, 'name', '')}".strip() + rows + file)


def main():
    options = argparse.ArgumentParser(description=f"Run {WORKFLOW} with the values of a session.")
    options.add_argument("workflow", type=Path, nargs="?", help="the workflow's file")
    options.add_argument("--out", type=Path, metavar="DIR", help="save the results there; tables as CSV")
    given = options.parse_args()
    path = given.workflow or find_workflow()
    if hashlib.sha256(path.read_bytes()).hexdigest()[:16] != DIGEST:
        print(f"{path} has changed since the session, so the results may differ.", file=sys.stderr)
    sys.path.append(str(path.parent))  # what it imports from beside it
    found = runpy.run_path(str(path)).values()
    flow = next(value for value in found if isinstance(value, Workflow))
    try:
        results = flow(**parameters())
    except Refused as error:
        raise SystemExit(f"{path.name} does not take these values: {error}") from None
    for result in results:
        tell(result, given.out)


if __name__ == "__main__":
    main()
"""
OPEN = """    for name, value in values.items():
        if value is ...:
            raise SystemExit(f"{name} is not in the record of the session; fill it in, in {__file__}.")
"""


def script(handle: Handle) -> str:
    """The source. It needs the package and the workflow's file; uploads are read from `files/` beside it."""
    session = handle.session()
    parts, rest = parts_of(handle)
    given = [each for part in parts for each in part.given]
    values = "\n".join([line for part in parts for line in _part(part)] + [_unused(each) for each in rest])
    names = {
        "datetime": "datetime." in values,
        "os": any(each.kind == "secret" for each in given),
    }
    imports = sorted(["argparse", "hashlib", "runpy", "sys", *(name for name, used in names.items() if used)])
    froms = ["from decimal import Decimal"] if "Decimal(" in values else []
    froms += ["from getpass import getpass"] if names["os"] else []
    title, name = comment(session.title), comment(session.name or name_of(session))
    head = [
        "#!/usr/bin/env python3",
        "# A session of the workflow assistant as a script.",  # no other's word in the first two: see PEP 263
        "#",
        f"# {title}{f': {name}' if name != title else ''}",
        f"# Session {handle.sid}, {comment(session.began_at[:10])} to {comment(session.at[:10])}",
        "#",
        "#     python FILE                        run it, and name the results",
        "#     python FILE --out DIR              and save them in DIR",
        "#     python FILE path/to/workflow.py    with this file of the workflow",
        "",
        *(f"import {name}" for name in imports),
        *froms,
        "from pathlib import Path",
        "",
        "import assistant",
        "from assistant import Refused, Table, Workflow",
        "from assistant.results import save",
        "",
        f"WORKFLOW = {literal(safe_name(session.workflow))}",
        f"DIGEST = {literal(str(session.began.get('source', '')))}  # of the workflow's file, then",
        "HERE = Path(__file__).resolve().parent",
        *(['FILES = HERE / "files"  # the uploads: session.zip has them'] if "FILES / " in values else []),
        "",
        "",
        "def parameters():",
        f'    """What the workflow was given; {len(given)} in all."""',
        "    values = {",
        values,
        "    }",
    ]
    unset = OPEN if any(each.kind in ("redacted", "missing") for each in given) else ""
    secret = f"\n{SECRET}" if names["os"] else ""
    return "\n".join(head) + f"\n{unset}    return values\n{secret}\n{PATHS}\n{MAIN}"


def _part(part: Part) -> list[str]:
    """The entries of a step's values."""
    lines = [with_origin(f"{literal(each.name)}: {_value(each)},", each, " " * 8) for each in part.given]
    return [f"        # {comment(part.name)}: {comment(part.question)}", *lines] if lines else []


def _value(given: Given) -> str:
    if given.kind == "secret":
        return f"secret({literal(given.name)}, {literal(given.label)})"
    if given.kind != "value":
        return "..."
    return literal(typed(given, lambda name: Code(f"FILES / {literal(name)}")), " " * 8)


def _unused(given: Given) -> str:
    """A value that the workflow does not ask any more."""
    return f"        # not asked any more: {comment(f'{given.name} = {given.value!r}')} ({given.origin})"

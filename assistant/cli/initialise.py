"""New workspaces and new workflow files."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import AssistantError, Conflict
from ..notebooks import from_notebook
from . import settings_file

FOLDERS = ("workflows", "prompts", "conversations")
STEM = re.compile(r"[a-z][a-z0-9_]{0,59}")
TEMPLATE = '''"""{title}: say in one line what it is for."""

from typing import Annotated

from assistant import Ask, Note, Progress, Table, Workflow

flow = Workflow("{title}", "Say in one sentence what it does.")


# One function is one card. An annotated name is asked here; its docstring is the question and the help.
@flow.step
def start(
    text: Annotated[str, Ask("Text", help="Any words.", long=True)] = "one two two",
    shortest: Annotated[int, Ask("Shortest word", ge=1, le=20, unit="letters")] = 1,
):
    """Which text?

    Its words are counted. What stands here can be unfolded on the card.
    """
    # A body is optional: it checks the card as a whole, and may return a dict of derived values.
    if not text.split():
        raise ValueError("There is no word in this text. Give at least one.")


# Gets the values by name, in a process of its own, and yields how far it is and what it found.
@flow.run
def count(text, shortest):
    words = [word for word in text.lower().split() if len(word) >= shortest]
    distinct = sorted(set(words))
    yield Progress(1, 1, "counted")
    yield Table("words", [{{"word": word, "times": words.count(word)}} for word in distinct])
    yield Note(f"{{len(words)}} words, {{len(distinct)}} of them distinct.")
'''


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where the workspace is if none is named: in the user's data directory."""
    if sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        data = Path(environment.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        data = Path(environment.get("XDG_DATA_HOME") or "")  # one that is not absolute does not count
        data = data if data.is_absolute() else Path.home() / ".local" / "share"
    return data / "workflow-assistant"


def init(folder: Path) -> list[Path]:
    """Makes what a workspace lacks, and returns what was made."""
    made = []
    for name in FOLDERS:
        path = folder / name
        if not path.is_dir():
            try:
                path.mkdir(mode=0o700, parents=True)
            except (FileExistsError, NotADirectoryError):
                raise Conflict(
                    f"{path} can not be made: a file is in its way. Move it, or choose another folder."
                ) from None
            except OSError as error:
                raise AssistantError(
                    f"{path} can not be made: {error.strerror}. Choose another folder."
                ) from error
            made.append(path)
    if folder / "workflows" in made:
        _write_template(settings_file.path_of(folder))
    return made


def _write_template(path: Path) -> None:
    """A settings.toml that changes nothing. One that is there stays as it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(settings_file.template())
    except FileExistsError:
        pass
    except OSError as error:
        raise AssistantError(f"{path} can not be written: {error.strerror}.") from error


def new(workspace: Path, stem: str) -> Path:
    """Writes `workflows/<stem>.py` from the template. Conflict: there is one already."""
    return _write(workspace, stem, TEMPLATE.format(title=stem.replace("_", " ").strip().capitalize()))


def new_from_notebook(workspace: Path, stem: str, notebook: Path) -> tuple[Path, list[str]]:
    """Writes `workflows/<stem>.py` from a notebook, which is not run; what a person should know of it."""
    source, notes = from_notebook(notebook)
    return _write(workspace, stem, source), notes


def _write(workspace: Path, stem: str, source: str) -> Path:
    if not STEM.fullmatch(stem):
        raise AssistantError(
            f"{stem[:80]!r} is no name for a workflow: take small letters, digits and _, such as count_words."
        )
    path = workspace / "workflows" / f"{stem}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(source)
    except FileExistsError:
        raise Conflict(f"{path} can not be made: it is there already. Choose another name.") from None
    except OSError as error:
        raise AssistantError(f"{path} can not be written: {error.strerror}.") from error
    return path

"""The command line: `assistant`, or `python -m assistant`. The only place that reads the environment."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic_core import from_json

from . import initialise
from .actions import fill
from .console import ProgressLine, columns, result_lines, say, warn
from .doctor import examine
from .errors import AssistantError, Refused
from .export import export as exported
from .headless import copy_results, find_session, find_workflow, from_session, make_session, run, with_paths
from .log import Log
from .models.wire import parse_host
from .parameters import show
from .results import clean
from .sentences import clock, sentence
from .settings import Settings
from .verify import verify_session
from .workflow import Workflow
from .workspace import Handle, Workspace

FLAGS = ("--no-browser", "--json", "--follow")
FOLLOW_SECONDS = 0.2
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(click.Group):
    """Options may stand before the command too, and no command is `serve`; errors are one sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] not in ("--help", "--version", "-h"):
            at += 1 if "=" in args[at] or args[at] in FLAGS else 2
        if at >= len(args):
            args = ["serve", *args]
        elif not args[at].startswith("-"):
            args = [args[at], *args[:at], *args[at + 1 :]]
        else:
            args = args[at:]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AssistantError as error:
            warn(str(error))
        except BrokenPipeError:
            raise  # who reads our output has gone; click knows what to do
        except OSError as error:
            warn(f"{error.filename or 'The system'}: {error.strerror or error}.")
        ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="workflow-assistant", message="%(version)s")
def main() -> None:
    """Fill the parameters of a workflow by form and by chat, run it, and keep a log of both.

    Without a command it serves the page. --workspace DIR goes with every command; without it the workspace is
    the current folder if it has a workflows folder, else one in your data directory.
    """
    os.umask(0o077)  # sessions hold what was said, and results


# --- settings ------------------------------------------------------------------------------------------


def workspace_option(command: Command) -> Command:
    return click.option("--workspace", metavar="DIR", envvar="ASSISTANT_WORKSPACE", help="The workspace.")(command)


def server_options(command: Command) -> Command:
    for add in (
        click.option("--model", metavar="NAME", envvar="ASSISTANT_MODEL", help="The model of new sessions."),
        click.option("--port", type=click.IntRange(0, 65_535), envvar="ASSISTANT_PORT", default=5001, show_default=True,
                     help="Where to listen; 0 takes a free port."),
        click.option("--host", envvar="ASSISTANT_HOST", default="127.0.0.1", show_default=True,
                     help="The address to listen on."),
    ):  # fmt: skip
        command = add(command)
    return workspace_option(command)


def settings_of(workspace: str | None, **given: Any) -> Settings:
    """The settings of a command. AssistantError where the workspace or an address is wrong."""
    try:
        ollama = parse_host(os.environ.get("OLLAMA_HOST", ""))
    except ValueError as error:
        raise AssistantError(f"{error} Correct the environment variable.") from None
    settings = Settings(workspace=_folder(workspace), ollama_host=ollama)
    return replace(settings, **given)


def _folder(given: str | None) -> Path:
    if given:
        return Path(given).expanduser().absolute()
    here = Path.cwd()
    return here if (here / "workflows").is_dir() else _data_folder()


def _data_folder() -> Path:
    """The workspace in the user's data directory, made if it is missing."""
    if sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        data = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or "")  # one that is not absolute does not count
        data = data if data.is_absolute() else Path.home() / ".local" / "share"
    folder = data / "workflow-assistant"
    initialise.init(folder)
    return folder


def workspace_of(workspace: str | None) -> Workspace:
    """The workspace of a command, which must be there."""
    settings = settings_of(workspace)
    if not settings.workspace.is_dir():
        raise AssistantError(
            f"There is no folder {settings.workspace}. Make it with `assistant init {settings.workspace}`."
        )
    return Workspace(settings)


def handle_of(workspace: str | None, session: str) -> Handle:
    found = workspace_of(workspace)
    return found.open(find_session(found, session))

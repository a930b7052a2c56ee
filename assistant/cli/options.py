"""What the commands share: their options, and the settings that come of them.

    command line ──▶ environment ──▶ settings.toml of the workspace ──▶ defaults        the first that has it

`__main__` hands the environment down in click's context; nothing here reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import AssistantError
from ..headless import find_session
from ..models.wire import parse_host
from ..settings import Settings
from ..workspace import Handle, Workspace
from . import initialise
from .settings_file import read_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def workspace_option(command: Command) -> Command:
    """Adds --workspace."""
    return click.option("--workspace", metavar="DIR", envvar="ASSISTANT_WORKSPACE", help="The workspace.")(
        command
    )


def server_options(command: Command) -> Command:
    """Adds --workspace, --host, --port and --model; those not given are None, for settings.toml to say."""
    for add in (
        click.option("--model", metavar="NAME", envvar="ASSISTANT_MODEL", help="The model of new sessions."),
        click.option("--port", type=click.IntRange(0, 65_535), envvar="ASSISTANT_PORT",
                     help=f"Where to listen; 0 takes a free port.  [default: {Settings.port}]"),
        click.option("--host", envvar="ASSISTANT_HOST",
                     help=f"The address to listen on.  [default: {Settings.host}]"),
    ):  # fmt: skip
        command = add(command)
    return workspace_option(command)


def environment() -> Mapping[str, str]:
    """The environment, as the command line was given it."""
    found: Mapping[str, str] = click.get_current_context().find_root().obj or {}
    return found


def folder_of(given: str | None) -> Path:
    """The workspace's folder: the one named, else the current one, else one in the user's data directory."""
    if given:
        return Path(given).expanduser().absolute()
    here = Path.cwd()
    if (here / "workflows").is_dir():
        return here
    folder = initialise.data_folder(environment())
    initialise.init(folder)
    return folder


def settings_of(workspace: str | None, **given: Any) -> Settings:
    """The settings of a command; what is given as None is not given.

    AssistantError where settings.toml or an address is wrong.
    """
    return _with_given(read_settings(Settings(workspace=folder_of(workspace))), given)


def settings_to_examine(workspace: str | None, **given: Any) -> Settings:
    """As `settings_of`, but a settings.toml that is wrong counts for nothing: the doctor tells of it."""
    settings = Settings(workspace=folder_of(workspace))
    try:
        settings = read_settings(settings)
    except AssistantError:
        pass  # the doctor reads it again, and says what it says
    return _with_given(settings, given)


def _with_given(settings: Settings, given: Mapping[str, Any]) -> Settings:
    try:
        settings = replace(settings, ollama_host=parse_host(environment().get("OLLAMA_HOST", "")))
    except ValueError as error:
        raise AssistantError(f"{error} Correct the environment variable.") from None
    if cloud := environment().get("ASSISTANT_CLOUD", ""):
        settings = replace(settings, show_cloud=cloud != "0")
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def workspace_of(workspace: str | None, **given: Any) -> Workspace:
    """The workspace of a command, which must be there."""
    folder = folder_of(workspace)
    if not folder.is_dir():
        raise AssistantError(f"There is no folder {folder}. Make it with `assistant init {folder}`.")
    return Workspace(settings_of(workspace, **given))


def handle_of(workspace: str | None, session: str) -> Handle:
    """The session of a command, by its id or a part of it."""
    found = workspace_of(workspace)
    return found.open(find_session(found, session))

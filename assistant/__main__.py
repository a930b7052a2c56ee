"""The command line: `assistant`, or `python -m assistant`. The only place that reads the environment."""

import asyncio
import os
import re
from dataclasses import replace
from pathlib import Path

import click

from .cli import initialise
from .cli import sessions as session_commands
from .cli.console import Commands, columns, has_display, once, say, version_option, warn
from .cli.doctor import examine
from .cli.options import folder_of, server_options, settings_to_examine, workspace_of, workspace_option
from .cli.run import run_
from .errors import AssistantError

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99})
@version_option
@click.pass_context
def main(context: click.Context) -> None:
    """Fill the parameters of a workflow by form and by chat, run it, and keep a log of both.

    Without a command it serves the page; `assistant serve --help` shows its options.

    --workspace DIR goes with every command. Without it the workspace is the current folder if that has a
    workflows folder, else one in your data directory.
    """
    os.umask(0o077)  # sessions hold what was said, and results
    context.obj = os.environ


main.add_command(run_)
for command in session_commands.group.commands.values():
    main.add_command(command)


@main.command()
@server_options
@click.option("--prefix", metavar="/x", default="", help="The path below which a proxy shows us.")
@click.option("--no-browser", is_flag=True, help="Open no browser, only print the address.")
@click.option(
    "--allow-host", metavar="NAME", multiple=True, help="A host name that a proxy sends; may be repeated."
)
@click.option(
    "--allow-origin", metavar="URL", multiple=True, help="An origin that a proxy sends; may be repeated."
)
def serve(
    workspace: str | None, host: str | None, port: int | None, model: str | None, prefix: str,
    no_browser: bool, allow_host: tuple[str, ...], allow_origin: tuple[str, ...],
) -> None:  # fmt: skip
    """Serve the page (what `assistant` alone does)."""
    prefix = prefix.rstrip("/")
    if not PREFIX.fullmatch(prefix):
        raise click.BadParameter(
            "it begins with / and has letters, digits and . _ ~ - only", param_hint="--prefix"
        )
    settings = replace(
        workspace_of(workspace, host=host, port=port, model=model or None).settings,
        prefix=prefix, allowed_hosts=allow_host, allowed_origins=allow_origin,
    )  # fmt: skip
    # the web framework takes longer to import than the small commands take to run
    from .cli.serving import serve as serve_workspace

    serve_workspace(settings, say, warn, browser=not no_browser and has_display(os.environ))


@main.command()
@workspace_option
@click.argument("folder", metavar="DIR", required=False)
def init(workspace: str | None, folder: str | None) -> None:
    """Make a workspace in DIR."""
    if not (folder or workspace):
        raise click.UsageError("Name the folder: assistant init DIR.")
    path = folder_of(folder or workspace)
    made = initialise.init(path)
    say(f"{path} is a workspace{'' if made else ' already'}. Start it with: assistant --workspace {path}")


@main.command()
@workspace_option
@click.argument("name")
@click.option(
    "--from-notebook",
    "notebook",
    metavar="FILE.ipynb",
    type=click.Path(path_type=Path),
    help="Make it of a notebook, which is not run.",
)
def new(workspace: str | None, name: str, notebook: Path | None) -> None:
    """Write workflows/NAME.py, a small workflow to begin with."""
    folder = workspace_of(workspace).settings.workspace
    if notebook:
        path, notes = initialise.new_from_notebook(folder, name, notebook)
        for note in notes:
            warn(note)
    else:
        path = initialise.new(folder, name)
    say(f"{path} was made. It runs as it is: assistant run {name} --workspace {path.parent.parent}")


@main.command()
@workspace_option
@click.argument("workflows", metavar="[WORKFLOW]...", nargs=-1)
@click.option(
    "--model",
    "models",
    metavar="NAME",
    multiple=True,
    help="A model to try; without it, all that can use tools.",
)
@click.option(
    "--from-sessions", is_flag=True, help="Try them on the messages of your own sessions that ran to the end."
)
def trial(
    workspace: str | None, workflows: tuple[str, ...], models: tuple[str, ...], from_sessions: bool
) -> None:
    """Try models on the scenarios of WORKFLOW (or all), and compare what each gets right.

    Scenarios are in workflows/NAME.scenarios.yaml. Nothing is run, and no session is kept.
    """
    # what a chat needs takes longer to import than the small commands take to run
    from loguru import logger

    from .trial import trial as compare
    from .trial.table import lines_of, wrapped

    logger.remove()
    logger.add(once(warn), format="{message}", level="WARNING", backtrace=False, diagnose=False)

    def tell(text: str) -> None:
        warn(wrapped(text))

    scores = asyncio.run(compare(workspace_of(workspace), models, workflows, from_sessions, tell))
    for line in lines_of(scores):
        say(line)
    for score in scores:
        for failure in dict.fromkeys(score.failures):
            tell(f"{score.model}: {failure}")


@main.command()
@server_options
def doctor(workspace: str | None, host: str | None, port: int | None, model: str | None) -> None:
    """Check what the program needs, and say what to do."""
    checks = asyncio.run(examine(settings_to_examine(workspace, host=host, port=port, model=model or None)))
    for line in columns([(check.state, check.what, check.sentence) for check in checks]):
        say(line)
    stops = [check.what for check in checks if check.state == "stop"]
    if stops:
        raise AssistantError(f"It can not start yet: see {', '.join(stops)}.")


if __name__ == "__main__":
    main(prog_name="assistant")

"""The command line: `assistant`, or `python -m assistant`. The only place that reads the environment."""

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from . import initialise
from .actions import fill
from .console import (
    Commands,
    ProgressLine,
    ask_secrets,
    columns,
    has_display,
    pairs_of,
    read_parameters,
    result_lines,
    say,
    tell,
    version_option,
    warn,
)
from .doctor import examine
from .errors import AssistantError
from .export import export as exported
from .headless import (
    copy_results,
    find_session,
    find_workflow,
    from_session,
    is_skipped,
    make_session,
    run,
    with_paths,
)
from .models.wire import parse_host
from .parameters import show
from .settings import Settings
from .text import clean
from .verify import verify_session
from .workflow import Workflow
from .workspace import Handle, Workspace

FOLLOW_SECONDS = 0.2
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99})
@version_option
def main() -> None:
    """Fill the parameters of a workflow by form and by chat, run it, and keep a log of both.

    Without a command it serves the page; `assistant serve --help` shows its options.

    --workspace DIR goes with every command. Without it the workspace is the current folder if that has a
    workflows folder, else one in your data directory.
    """
    os.umask(0o077)  # sessions hold what was said, and results


# --- settings ------------------------------------------------------------------------------------------


def workspace_option(command: Command) -> Command:
    return click.option("--workspace", metavar="DIR", envvar="ASSISTANT_WORKSPACE", help="The workspace.")(
        command
    )


def server_options(command: Command) -> Command:
    for add in (
        click.option("--model", metavar="NAME", envvar="ASSISTANT_MODEL", help="The model of new sessions."),
        click.option("--port", type=click.IntRange(0, 65_535), envvar="ASSISTANT_PORT", default=5001,
                     show_default=True, help="Where to listen; 0 takes a free port."),
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
    cloud = os.environ.get("ASSISTANT_CLOUD", "") not in ("", "0")
    settings = Settings(workspace=_folder(workspace), ollama_host=ollama, show_cloud=cloud)
    return replace(settings, **given)


def _folder(given: str | None) -> Path:
    if given:
        return Path(given).expanduser().absolute()
    here = Path.cwd()
    if (here / "workflows").is_dir():
        return here
    folder = initialise.data_folder(os.environ)
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


# --- commands ------------------------------------------------------------------------------------------


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
    workspace: str | None, host: str, port: int, model: str | None, prefix: str, no_browser: bool,
    allow_host: tuple[str, ...], allow_origin: tuple[str, ...],
) -> None:  # fmt: skip
    """Serve the page (what `assistant` alone does)."""
    prefix = prefix.rstrip("/")
    if not PREFIX.fullmatch(prefix):
        raise click.BadParameter(
            "it begins with / and has letters, digits and . _ ~ - only", param_hint="--prefix"
        )
    settings = replace(
        workspace_of(workspace).settings, host=host, port=port, model=model or None, prefix=prefix,
        allowed_hosts=allow_host, allowed_origins=allow_origin,
    )  # fmt: skip
    # the web framework takes longer to import than the small commands take to run
    from .serving import serve as serve_workspace

    serve_workspace(settings, say, warn, browser=not no_browser and has_display(os.environ))


@main.command()
@workspace_option
@click.argument("folder", metavar="DIR", required=False)
def init(workspace: str | None, folder: str | None) -> None:
    """Make a workspace in DIR."""
    if not (folder or workspace):
        raise click.UsageError("Name the folder: assistant init DIR.")
    path = _folder(folder or workspace)
    made = initialise.init(path)
    say(f"{path} is a workspace{'' if made else ' already'}. Start it with: assistant --workspace {path}")


@main.command()
@workspace_option
@click.argument("name")
def new(workspace: str | None, name: str) -> None:
    """Write workflows/NAME.py, a small workflow to begin with."""
    path = initialise.new(workspace_of(workspace).settings.workspace, name)
    say(f"{path} was made. It runs as it is: assistant run {name} --workspace {path.parent.parent}")


@main.command("run")
@workspace_option
@click.argument("workflow")
@click.option(
    "--set", "pairs", metavar="NAME=VALUE", multiple=True, help="A value, as in a form; an upload is a path."
)
@click.option(
    "--parameters",
    metavar="FILE.json",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values as {name: value}; paths in it are relative to its folder.",
)
@click.option(
    "--from", "source", metavar="SESSION[@n]", help="The values of a session, as they were at entry n."
)
@click.option(
    "--secret",
    "secret_names",
    metavar="NAME",
    multiple=True,
    help="Asks for a secret, or reads it as a line of stdin where that is no terminal.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy the results there, in place of files of the same name.",
)
def run_(
    workspace: str | None, workflow: str, pairs: tuple[str, ...], parameters: Path | None, source: str | None,
    secret_names: tuple[str, ...], out: Path | None,
) -> None:  # fmt: skip
    """Run WORKFLOW without a page, in a session of its own.

    --set wins over --parameters, and that over --from; what is not given is its default.
    """
    found = workspace_of(workspace)
    flow = find_workflow(found, workflow)
    set_values = pairs_of(pairs)
    given, secrets = from_session(found, source, flow) if source else ({}, {})
    if parameters:
        given |= with_paths(flow, read_parameters(parameters), parameters.absolute().parent)
    given |= with_paths(flow, set_values, Path.cwd())
    secrets |= ask_secrets(flow, secret_names)
    asyncio.run(_run(found, flow, given, secrets, out))


async def _run(
    workspace: Workspace, flow: Workflow, given: dict[str, Any], secrets: dict[str, str], out: Path | None
) -> None:
    handle, refused = await make_session(workspace, flow, given, secrets)
    warn(f"Session {handle.sid}")
    if refused:
        raise AssistantError("\n".join(refused))
    named = [name for name, value in given.items() if value is not None]
    if skipped := [name for name in named if is_skipped(handle.session(), flow.step_of(name))]:
        warn(f"Not used, because the card is skipped: {', '.join(skipped)}.")
    line = ProgressLine()
    try:
        ended = await run(handle, line.show)
    finally:
        line.end()
    paths = (
        copy_results(ended, handle.files, out) if out else [handle.files / r["file"] for r in ended.results]
    )
    for text in result_lines(ended, paths):
        say(text)
    if ended.state != "finished":
        raise AssistantError(
            f"The run {ended.state}: {ended.reason}" if ended.reason else f"The run was {ended.state}."
        )


@main.command()
@workspace_option
def sessions(workspace: str | None) -> None:
    """List the sessions, the last changed first."""
    found = workspace_of(workspace).summaries()
    rows = [(s.sid, "archived" if s.archived else s.state, clean(s.name)) for s in found]
    for line in columns(rows) if rows else ["There are no sessions yet."]:
        say(line)


@main.command()
@workspace_option
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="Each entry as one line of JSON.")
@click.option("--follow", is_flag=True, help="Go on with what is appended, until Ctrl-C.")
def log(workspace: str | None, session: str, as_json: bool, follow: bool) -> None:
    """Tell a session's log, one sentence for each entry."""
    found = handle_of(workspace, session).log
    tell(found, 0, as_json)
    try:
        while follow and not found.damage:
            known = len(found.entries)
            if not found.catch_up():
                time.sleep(FOLLOW_SECONDS)
            tell(found, known, as_json)
    except KeyboardInterrupt:
        return  # the way to stop it
    if found.damage:
        raise AssistantError(str(found.damage))


@main.command()
@workspace_option
@click.argument("session")
def verify(workspace: str | None, session: str) -> None:
    """Check that a session's log and files are as they were written."""
    handle = handle_of(workspace, session)
    count, said = verify_session(handle.folder)
    if said:
        raise AssistantError("\n".join(said))
    say(f"{handle.sid}: {count} entries, all good.")


@main.command("set")
@workspace_option
@click.argument("session")
@click.argument("pairs", metavar="NAME=VALUE...", nargs=-1, required=True)
def set_(workspace: str | None, session: str, pairs: tuple[str, ...]) -> None:
    """Set values of a session; each is judged by itself."""
    handle, given = handle_of(workspace, session), pairs_of(pairs)
    outcome = asyncio.run(fill(handle, given, "cli"))
    fields = handle.workflow().fields()
    for name, value in outcome.set.items():
        say(f"{name} is now {clean(show(fields[name], value))}.")
    for name in outcome.unchanged:
        say(f"{name} was that already.")
    if outcome.refused:
        raise AssistantError(
            "\n".join(f"{name}: {why}" if name else why for name, why in outcome.refused.items())
        )


@main.command("export")
@workspace_option
@click.argument("session")
@click.argument("format")
def export_(workspace: str | None, session: str, format: str) -> None:
    """Write a session to stdout as FORMAT: log.jsonl, conversation.md, parameters.json or parameters.csv."""
    content, _, _ = exported(handle_of(workspace, session), format)
    sys.stdout.buffer.write(content)


@main.command("prompt")
@workspace_option
@click.argument("session")
def prompt_(workspace: str | None, session: str) -> None:
    """Print what a model would get to read now."""
    handle = handle_of(workspace, session)
    # templates take longer to import than the small commands take to run
    from .history import preview
    from .prompts import Prompts

    prompts = Prompts(handle.workspace.settings.workspace)
    bounds = handle.workspace.settings.bounds
    found = preview(prompts, handle.log.entries, handle.session(), handle.workflow(), bounds)
    if problem := prompts.notice():
        warn(problem)
    say("\n".join(clean(line, len(line)) for line in found.splitlines()))


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
    from .trial import HEADS, LEGEND
    from .trial import trial as compare

    scores = asyncio.run(compare(workspace_of(workspace), models, workflows, from_sessions, warn))
    for line in columns([HEADS, *(score.row() for score in scores)]):
        say(line)
    say(f"\n{LEGEND}")
    for score in scores:
        for failure in dict.fromkeys(score.failures):
            warn(f"{score.model}: {failure}")


@main.command()
@server_options
def doctor(workspace: str | None, host: str, port: int, model: str | None) -> None:
    """Check what the program needs, and say what to do."""
    checks = asyncio.run(examine(settings_of(workspace, host=host, port=port, model=model or None)))
    for line in columns([(check.state, check.what, check.sentence) for check in checks]):
        say(line)
    stops = [check.what for check in checks if check.state == "stop"]
    if stops:
        raise AssistantError(f"It can not start yet: see {', '.join(stops)}.")


if __name__ == "__main__":
    main(prog_name="assistant")

"""`assistant run`: a workflow without a page, in a session of its own."""

import asyncio
from pathlib import Path
from typing import Any

import click

from ..errors import AssistantError
from ..headless import copy_results, find_workflow, from_session, is_skipped, make_session, run, with_paths
from ..workflow import Workflow
from ..workspace import Workspace
from .console import ProgressLine, ask_secrets, pairs_of, read_parameters, result_lines, say, warn
from .options import workspace_of, workspace_option


@click.command("run")
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

"""The commands about sessions: list, tell, check, change and write them out. `group` has them all."""

import asyncio
import shutil
import sys
import time

import click

from ..actions import fill
from ..errors import AssistantError
from ..export import export as exported
from ..parameters import show
from ..replay import Kept, find_logs, replay_all
from ..text import clean
from ..verify import verify_session
from ..workspace import Workspace
from .console import columns, pairs_of, say, tell, warn
from .options import handle_of, workspace_of, workspace_option

FOLLOW_SECONDS = 0.2

group = click.Group()


@group.command()
@workspace_option
def sessions(workspace: str | None) -> None:
    """List the sessions, the last changed first."""
    found = workspace_of(workspace).summaries()
    rows = [(s.sid, "archived" if s.archived else s.state, clean(s.name)) for s in found]
    for line in columns(rows) if rows else ["There are no sessions yet."]:
        say(line)


@group.command()
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


@group.command()
@workspace_option
@click.argument("session")
def verify(workspace: str | None, session: str) -> None:
    """Check that a session's log and files are as they were written."""
    handle = handle_of(workspace, session)
    count, said = verify_session(handle.folder)
    if said:
        raise AssistantError("\n".join(said))
    say(f"{handle.sid}: {count} entries, all good.")


@group.command("set")
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


@group.command()
@workspace_option
@click.argument("session")
def replay(workspace: str | None, session: str) -> None:
    """Say what would be different if SESSION were filled again with its workflow as it is now.

    SESSION is an id or a part of it, a log file, a session's folder, or a folder of these; @n behind it means
    as it was at entry n. The exit status is 1 if anything differs. Nothing is run, and nothing is changed.
    """
    found = workspace_of(workspace)
    logs = find_logs(found, session)
    differ = asyncio.run(_replay(found, logs))
    if differ:
        raise AssistantError(f"{differ} of {len(logs)} sessions would be different now.")
    say("It would be the same now." if len(logs) == 1 else f"All {len(logs)} sessions would be the same now.")


async def _replay(found: Workspace, logs: list[Kept]) -> int:
    """Tells what came of each; how many differ."""
    differ = 0
    async for replayed in replay_all(found, logs):
        differ += bool(replayed.differences)
        told = f"{len(replayed.differences)} differences" if replayed.differences else "no difference"
        say(f"{replayed.name}: {replayed.values} values, {told.replace('1 differences', '1 difference')}")
        for each in replayed.differences:
            say(f"  {each.kind}: {clean(each.sentence, 600)}")
        for sentence in replayed.unknown:
            say(f"  not known: {clean(sentence, 600)}")
    return differ


@group.command("export")
@workspace_option
@click.argument("session")
@click.argument("format")
def export_(workspace: str | None, session: str, format: str) -> None:
    """Write a session to stdout as FORMAT, such as parameters.json or session.zip."""
    if format == "session.zip" and sys.stdout.isatty():
        raise AssistantError("An archive is no text for a terminal. Add > session.zip to the command.")
    content, _, _ = exported(handle_of(workspace, session), format)
    with content:
        shutil.copyfileobj(content, sys.stdout.buffer)


@group.command("prompt")
@workspace_option
@click.argument("session")
def prompt_(workspace: str | None, session: str) -> None:
    """Print what a model would get to read now."""
    handle = handle_of(workspace, session)
    # templates take longer to import than the small commands take to run
    from ..chat.history import preview
    from ..prompts import Prompts

    prompts = Prompts(handle.workspace.settings.workspace)
    bounds = handle.workspace.settings.bounds
    found = preview(prompts, handle.log.entries, handle.session(), handle.workflow(), bounds)
    if problem := prompts.notice():
        warn(problem)
    say("\n".join(clean(line, len(line)) for line in found.splitlines()))

"""Starts a session's run with its values, and notices runs that ended without a word."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from .. import live, runs
from ..cards import cards, open_card
from ..errors import Conflict
from ..log import Entry, Fact
from ..runs import runlock
from ..session import Session
from ..workspace import Handle
from . import new_id, parameters_of, reopen_unfit
from .consequences import adopted


async def start_run(handle: Handle, by: str = "user") -> str:
    """Starts a run and returns its id. Conflict where a step is open or a run is under way."""
    if sentence := await reopen_unfit(handle):
        raise Conflict(sentence)
    values = await parameters_of(handle)
    flow = handle.workflow()
    run = new_id("r")

    async def write(facts: list[Fact]) -> list[Entry]:
        def decide(session: Session) -> Sequence[Fact]:
            if facts[0].did == "started":
                if session.run and session.run.state == "running":
                    raise Conflict("A run of this session is still under way; wait for it or cancel it.")
                if session.values != values or open_card(cards(session, flow)):
                    raise Conflict("The values have just changed. Look at them, then start the run again.")
                return [replace(facts[0], fields={**facts[0].fields, **adopted(flow, session)})]
            return facts

        return await handle.write(decide)

    def tell(now: runs.ProgressNow) -> None:
        live.progress[handle.sid] = asdict(now)
        live.wake(handle.sid)

    asked = flow.fields()
    secrets = {name: value for name, value in handle.secrets().items() if name in asked}
    path = handle.workspace.workflow_files()[flow.stem]
    lock = handle.folder / "run.lock"
    task = await runs.start(runs.Launch(run, path, values, handle.files, lock, secrets, by), write, tell)

    def ended(_: object) -> None:
        live.progress.pop(handle.sid, None)
        live.wake(handle.sid)

    task.add_done_callback(ended)
    return run


async def mark_interrupted(handle: Handle) -> None:
    """Ends the runs that have no end in the log and whose process is gone."""
    running = any(run.state == "running" for run in handle.session().runs.values())
    if handle.log.damage or handle.log.newer_format or not running:
        return
    await handle.write(lambda _: runlock.interrupted(handle.log.entries, handle.folder / "run.lock"))

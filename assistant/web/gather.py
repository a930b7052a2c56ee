"""Gathers what the views of a session draw: the only place between the workspace and the views."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import live
from ..actions.outdated import outdated
from ..cards import cards
from ..errors import BrokenWorkflow, NotFound
from ..models import Catalogue
from ..models.preferences import Suggestion
from ..record.moment import moment_of
from ..results.tables import Page, page
from ..session import Session
from ..workspace import Handle, Summary, name_of
from .views.runs import ROWS, results_view
from .views.shown import Shown

NOTE_BYTES = 200_000


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def gather(
    handle: Handle,
    at: int | None = None,
    typed: Mapping[str, dict[str, Any]] | None = None,
    catalogue: Catalogue | None = None,
    model: str = "guide",
    sessions: list[Summary] | None = None,
    suggested: tuple[Suggestion, ...] = (),
) -> Shown:
    """The session as it is drawn now, or as it was at entry `at`."""
    now = handle.session()
    session = now if at is None else handle.session(at)
    problem, damaged = trouble(handle)
    try:
        flow = handle.workspace.workflow(session.workflow)
        shown_cards = cards(session, flow)
    except (NotFound, BrokenWorkflow) as error:
        flow, shown_cards = None, []
        problem = problem or f"{str(error).rstrip('.')}. The session can be looked at, but not continued."
    here = at is None
    return Shown(
        handle.sid,
        session,
        flow,
        shown_cards,
        session.name or name_of(session),
        at,
        problem,
        damaged,
        handle.log.damage.last_good if handle.log.damage else 0,
        now.n,
        live.drafts.get(handle.sid) if here else None,
        live.progress.get(handle.sid) if here else None,
        catalogue,
        model,
        sessions or [],
        dict(typed or {}),
        handle.workspace.settings.upload_bytes,
        suggested,
        outdated=outdated(handle, session, flow) if flow and here and not problem else None,
        moment=moment_of(handle.log.entries, at or now.n),
    )


def trouble(handle: Handle) -> tuple[str | None, bool]:
    """Why the session can only be looked at, if so; and whether its log is damaged."""
    damage = handle.log.damage
    if damage:
        return (
            f"Line {damage.line} of log.jsonl is damaged: {damage.reason}. What stands before it is shown; "
            "the file is kept as it is, and nothing is added to it.",
            True,
        )
    if handle.log.newer_format:
        return (
            "This session was written by a newer version of the program. It can be looked at, not changed.",
            False,
        )
    return None, False


def results_of(shown: Shown, files: Path) -> Any:
    """The results region, with the first rows of each table."""
    return results_view(shown, *read_results(shown.session, files))


def read_results(session: Session, files: Path) -> tuple[dict[str, Page | str], dict[str, str]]:
    tables: dict[str, Page | str] = {}
    notes: dict[str, str] = {}
    for result in session.run.results if session.run else ():
        file = str(result.get("file"))
        try:
            if result.get("kind") == "table":
                tables[file] = page(files / file, result.get("columns") or {}, limit=ROWS)
            elif result.get("kind") == "note":
                with (files / file).open(encoding="utf-8", errors="replace") as opened:
                    notes[file] = opened.read(NOTE_BYTES)
        except (OSError, ValueError) as error:
            tables[file] = f"{file} cannot be shown: {error}"
    return tables, notes

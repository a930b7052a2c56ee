"""Removes what the rule in the settings lets go: when the program starts, and once a day."""

import asyncio
from datetime import UTC, datetime

from loguru import logger

from ..errors import AssistantError
from ..settings import Retention
from . import Workspace
from .retention import Due, due, is_on

DAY = 86_400.0  # seconds


async def tidy(workspace: Workspace, rule: Retention, now: datetime) -> list[Due]:
    """Removes the sessions that go by the rule, and says so of each; returns those that are gone."""
    if not is_on(rule):
        return []
    lists, removed = workspace.lists, []
    await lists.read([summary.sid for summary in lists.glances()], DAY)
    for one in due(lists.glances(), rule, now):
        sid = one.summary.sid
        try:
            workspace.discard(sid)
            await asyncio.to_thread(workspace.remove, sid)
        except (OSError, AssistantError) as error:
            logger.warning("Retention could not remove the session {}: {}", sid, error)
            continue
        logger.info("Retention removed the session {}: {}.", sid, one.why)
        removed.append(one)
    return removed


async def tidy_daily(workspace: Workspace, rule: Retention) -> None:
    """Until it is cancelled."""
    while is_on(rule):
        await tidy(workspace, rule, datetime.now(UTC))
        await asyncio.sleep(DAY)

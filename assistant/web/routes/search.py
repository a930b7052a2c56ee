"""The search over all sessions. One at a time: it takes the processor, and who left does not wait for it."""

import asyncio
import re
import threading
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...errors import BrokenWorkflow
from ...models import GUIDE
from ...search import Page, Query, Search
from ...search.matching import QUERY, words_of
from ...workspace import SID
from ..answers import page_answer, prefix_of
from ..views.base import WHO
from ..views.search import WHAT, Asked, search_page

AFTER = re.compile(rf"\d{{20}}-{SID.pattern}", re.ASCII)
LOOK = 0.05  # seconds between two looks whether the browser still waits


def add(app: Any, site: Any) -> None:
    search, alone = Search(site.workspace.conversations), asyncio.Lock()
    waiting: set[Request] = set()  # for the answer to a search; what is left to learn gives way to them
    learning: set[asyncio.Task[None]] = set()

    async def learn() -> None:
        async with alone:
            await asyncio.to_thread(search.learn, lambda: bool(waiting) or site.ending.is_set())

    @app.get("/search")
    async def found(request: Request) -> Response:
        asked = asked_of(request)
        after = request.query_params.get("after", "")
        after = after if AFTER.fullmatch(after) else ""
        query = query_of(asked)
        waiting.add(request)
        try:
            async with alone:
                page = await _find(search, query, after, request)
        finally:
            waiting.discard(request)
        if search.behind and not waiting:
            task = asyncio.create_task(learn())
            learning.add(task)  # which keeps it
            task.add_done_callback(learning.discard)
        workflows = {**search.workflows(), **_titles(site.workspace)}
        known = site.chat.catalogue.models if site.chat.catalogue else ()
        models = [GUIDE, *(model.name for model in known)]
        return page_answer(
            search_page(prefix_of(request), asked, query.words, page, workflows, models, after)
        )


def asked_of(request: Request) -> Asked:
    """What the address asks for; what can not be meant is left out, and said."""
    given = {name: request.query_params.get(name, "").strip()[:QUERY] for name in vars(Asked())}
    given = {name: value.encode("utf-8", "replace").decode() for name, value in given.items()}
    trouble = []
    for name, known in (("by", WHO), ("what", WHAT)):
        if given[name] and given[name] not in known:
            trouble.append(f"{name} is one of {', '.join(known)}, not “{given[name]}”.")
            given[name] = ""
    for name in ("since", "until"):
        if given[name] and not _is_date(given[name]):
            trouble.append(f"A date is written as {date.today().isoformat()}; “{given[name]}” was left out.")
            given[name] = ""
    return Asked(**given | {"trouble": " ".join(trouble)})


def query_of(asked: Asked) -> Query:
    """What is looked for, as the search takes it."""
    return Query(
        words_of(asked.q), asked.workflow, asked.by, asked.model, asked.what, asked.since, asked.until,
        asked.session,
    )  # fmt: skip


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def _find(search: Search, query: Query, after: str, request: Request) -> Page:
    """Searches in a thread, until the browser leaves."""
    if not query.words or await request.is_disconnected():
        return Page()
    left = threading.Event()
    task = asyncio.create_task(asyncio.to_thread(search.find, query, after, left.is_set))
    try:
        while not (await asyncio.wait({task}, timeout=LOOK))[0]:
            if await request.is_disconnected():
                left.set()
        return task.result()
    finally:
        left.set()


def _titles(workspace: Any) -> dict[str, str]:
    """The titles of the workflows that there are, by their stem."""
    found = {}
    for stem in workspace.workflow_files():
        try:
            found[stem] = workspace.workflow(stem).title
        except BrokenWorkflow:
            found[stem] = stem
    return found

"""The record of a session, and the session as a file."""

import os
from collections.abc import Iterator
from typing import IO, Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...collector import paused
from ...export import export
from ...files import CHUNK
from ...record.account import Account, Wanted
from ..answers import page_answer, prefix_of, whole_number
from ..gather import gather
from ..views.record import record_page
from .sessions import entry_number, opened

LONGEST = 200  # characters of a filter


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/record")
    async def record(request: Request, sid: str) -> Response:
        """Up to entry `at`, around entry `near`, what is wanted of it: `who`, `what`, `step`, `text`."""
        handle, query = await opened(site, sid), request.query_params
        at = entry_number(handle, query.get("at"))
        wanted = Wanted(*(query.get(name, "").strip()[:LONGEST] for name in ("who", "what", "step", "text")))
        near, prefix = whole_number(query.get("near")), prefix_of(request)

        def drawn() -> Any:
            with paused():
                account = Account(handle.log.entries, at or shown.session.n)
                return record_page(shown, account, now, wanted, near, prefix)

        if at is not None:
            await anyio.to_thread.run_sync(handle.session, at)
        now, shown = handle.session(), gather(handle, at)
        return page_answer(await anyio.to_thread.run_sync(drawn))

    @app.get("/sessions/{sid}/export/{format}")
    async def exported(request: Request, sid: str, format: str) -> Response:
        handle = await opened(site, sid)
        content, kind, name = await anyio.to_thread.run_sync(export, handle, format)
        headers = {
            "Content-Security-Policy": "sandbox",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(content.seek(0, os.SEEK_END)),
        }
        if format == "session.zip":
            headers["Content-Encoding"] = "identity"  # packed already
        content.seek(0)
        return StreamingResponse(_pieces(content), media_type=kind, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK):
            yield piece

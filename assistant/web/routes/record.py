"""The record of a session."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...export import export
from ..answers import page_answer, prefix_of
from ..gather import gather
from ..views.record import record_page
from .sessions import entry_number, opened


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/record")
    async def record(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        at = entry_number(handle, request.query_params.get("at"))
        shown = gather(handle, at)
        return page_answer(record_page(shown, handle.log.entries, prefix_of(request)))

    @app.get("/sessions/{sid}/export/{format}")
    async def exported(request: Request, sid: str, format: str) -> Response:
        handle = await opened(site, sid)
        content, kind, name = export(handle, format)
        headers = {
            "Content-Security-Policy": "sandbox",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        return Response(content, media_type=kind, headers=headers)

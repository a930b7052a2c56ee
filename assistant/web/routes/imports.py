"""A session from a file of elsewhere."""

from typing import Any

import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from ...export.importing import ImportRefused, import_session
from ..answers import page_answer, prefix_of, wants_json
from ..views.imports import refused_page


def add(app: Any, site: Any) -> None:
    @app.post("/import")
    async def import_(request: Request) -> Response:
        """The field `file` is an archive (session.zip) or a log; its content says which, not its name."""
        try:
            async with request.form(max_files=1, max_fields=10) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile) or not (file.filename or file.size):
                    raise ImportRefused(["No file was sent. Choose a session.zip or a log.jsonl first."])
                sid = await anyio.to_thread.run_sync(import_session, site.workspace, file.file)
        except ImportRefused as error:
            if wants_json(request):
                return JSONResponse({"error": str(error), "reasons": error.reasons}, error.status)
            return page_answer(refused_page(prefix_of(request), error.reasons), error.status)
        return RedirectResponse(f"{prefix_of(request)}/sessions/{sid}", 303)

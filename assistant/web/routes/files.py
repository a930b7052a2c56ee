"""A session's files: results and uploads, and the rows of a table."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from ...errors import NotFound
from ...results.tables import page
from ...workspace import Handle
from ..answers import by_htmx, page_answer, prefix_of, whole_number
from ..views.base import page as whole_page
from ..views.base import top
from ..views.runs import ROWS, table_view
from .sessions import opened

NUMBERED = re.compile(r"-\d+(?=(\.[^.]+)?$)")
COPIED_ROWS = 100_000


def add(app: Any, site: Any) -> None:
    @app.get("/sessions/{sid}/files/{name}")
    async def file(request: Request, sid: str, name: str) -> Response:
        """A result or an upload, to be kept, never to be run in the page."""
        handle = await opened(site, sid)
        path, shown = _known(handle, name)
        headers = {
            "Content-Security-Policy": "sandbox",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(shown, safe='')}",
        }
        kind = "application/json" if path.suffix == ".json" else "application/octet-stream"
        return FileResponse(path, headers=headers, media_type="text/csv" if path.suffix == ".csv" else kind)

    @app.get("/sessions/{sid}/tables/{name}")
    async def table(request: Request, sid: str, name: str) -> Response:
        """Rows of a table: sorted, from an offset; as text to copy; alone where there are no scripts."""
        handle = await opened(site, sid)
        path, _ = _known(handle, name)
        result = next(
            (r for run in handle.session().runs.values() for r in run.results if r.get("file") == name), {}
        )
        columns = result.get("columns") or {}
        query = request.query_params
        sort, descending = query.get("sort"), query.get("descending") == "1"
        offset = whole_number(query.get("offset")) or 0
        if query.get("text"):
            rows = page(path, columns, sort, descending, 0, COPIED_ROWS)
            lines = ["\t".join(columns), *("\t".join(_cell(value) for value in row) for row in rows.rows)]
            return PlainTextResponse("\n".join(lines))
        rows = page(path, columns, sort, descending, offset, ROWS)
        address = f"sessions/{sid}"
        view = table_view(address, name, str(result.get("name") or name), rows, sort, descending, offset)
        if by_htmx(request):
            return page_answer(view)
        from fasthtml.components import A, Main

        back = A("Back to the session", href=address, cls="chip")
        return page_answer(whole_page(name, prefix_of(request), top(name, back), Main(view), cls="plain"))


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


def _known(handle: Handle, name: str) -> tuple[Path, str]:
    """The path of a file that the log names, and what to call it outside. NotFound for all others."""
    session = handle.session()
    results = {str(r.get("file")): r for run in session.runs.values() for r in run.results}
    if name in results or name in session.files:
        path = handle.files / name
        if path.is_file() and not path.is_symlink():
            shown = name
            if name in results and results[name].get("kind") == "table":
                shown = f"{NUMBERED.sub('', Path(name).stem)}{path.suffix}"
            return path, shown
    raise NotFound(f"There is no file {name[:120]!r} in this session.")

"""Static files: addresses that change with the content, so browsers keep them for ever; compressed once."""

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FOREVER = "public, max-age=31536000, immutable"
TYPES = {  # our own table: the `mimetypes` module answers differently from machine to machine
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
COMPRESSED_ALREADY = {".png", ".webp", ".woff2"}


@dataclass(frozen=True)
class Stamp:
    """What tells cheaply whether files have changed."""

    mtime_ns: tuple[int, ...] = ()
    size: tuple[int, ...] = ()


@dataclass
class Asset:
    """Files sent as one, as they were at `stamp`; read when first asked for, the gzip form likewise."""

    paths: tuple[Path, ...]
    stamp: Stamp = field(default=Stamp())

    @property
    def suffix(self) -> str:
        return self.paths[-1].suffix

    @cached_property
    def body(self) -> bytes:
        return b"\n".join(path.read_bytes() for path in self.paths)

    @cached_property
    def digest(self) -> str:
        """Eight hex digits of the content's SHA-256."""
        return hashlib.sha256(self.body).hexdigest()[:8]

    @cached_property
    def zipped(self) -> bytes | None:
        """The gzip form, or None where it saves nothing."""
        if self.suffix in COMPRESSED_ALREADY:
            return None
        small = gzip.compress(self.body, 9, mtime=0)
        return small if len(small) < len(self.body) else None


class Assets:
    """The static files of one folder; a class because it keeps the table of what it has read.

    Only names of the table are ever served, and only `bundle`, called by our own pages, adds to it: no
    address leads out of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
        self.table = {name: _look(folder / name) for name in names if not _hidden(name)}

    def asset(self, name: str) -> str:
        """The file's address, relative to the page's base: `static/{digest}/{name}`.

        A file that has changed since is read again, so an edit shows without a restart. FileNotFoundError if
        there is none.
        """
        return self.bundle(name, name)

    def bundle(self, name: str, *parts: str) -> str:
        """The address of several files joined in that order: a page's first load takes fewer requests."""
        now = _look(*(self.folder / part for part in parts))
        known = self.table.get(name)
        if known is None or known.stamp != now.stamp:
            self.table[name] = known = now
        return f"static/{known.digest}/{quote(name)}"

    async def serve(self, request: Request) -> Response:
        """Answer `GET /static/{digest}/{name:path}`; an address of other content than we have is a 404."""
        known = self.table.get(request.path_params["name"])
        if known is None or known.digest != request.path_params["digest"]:
            return PlainTextResponse("There is no such static file (any more). Load the page again.\n", 404)
        small = known.zipped if takes_gzip(request.headers.get("accept-encoding", "")) else None
        etag = f'"{known.digest}-gzip"' if small else f'"{known.digest}"'
        headers = {"cache-control": FOREVER, "etag": etag, "vary": "Accept-Encoding"}
        had = request.headers.get("if-none-match", "").split(",")
        if etag in (tag.strip().removeprefix("W/") for tag in had):
            return Response(status_code=304, headers=headers)
        headers["content-type"] = TYPES.get(known.suffix, "application/octet-stream")
        if small:
            headers["content-encoding"] = "gzip"
        return Response(small or known.body, headers=headers)

    def route(self) -> Route:
        """The route to put into the app: GET and HEAD."""
        return Route("/static/{digest}/{name:path}", self.serve, methods=["GET"])


def takes_gzip(accept: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not with a weight of zero."""
    for part in accept.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or weight == ""
    return False


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _look(*paths: Path) -> Asset:
    seen = [path.stat() for path in paths]
    return Asset(paths, Stamp(tuple(s.st_mtime_ns for s in seen), tuple(s.st_size for s in seen)))


assets = Assets(Path(__file__).parent / "static")
asset, bundle = assets.asset, assets.bundle

"""The headers that every answer carries."""

from collections.abc import Iterable

from starlette.types import Scope

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OURS = {name for name, _ in _ALWAYS}

Pairs = Iterable[tuple[bytes, bytes]]


def dress(headers: Pairs, public: bool) -> list[tuple[bytes, bytes]]:
    """An answer's headers with ours: our values win, but for a CSP that the answer brings itself.

    A value with a line break or NUL is a ValueError: it would start a header of somebody else's choice.
    """
    replaced = _OURS if public else _OURS | {b"cache-control"}
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in replaced]
    kept = [(name, value) for name, value in kept if not name.startswith(b"access-control-")]
    if any(char in value for _, value in kept for char in (b"\r", b"\n", b"\0")):
        raise ValueError("A header of this answer holds a line break, so the answer is not sent.")
    names = {name for name, _ in kept}
    kept += _ALWAYS
    if b"content-security-policy" not in names:
        kept.append((b"content-security-policy", CSP.encode()))
    if b"cache-control" not in names:
        kept.append((b"cache-control", b"no-store"))
    return kept


def route_path(scope: Scope) -> str:
    """The path below the prefix, cut off as Starlette's router does it."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :]
    return path


def is_public(path: str) -> bool:
    """Whether this address holds nothing of the user's: the static files, and that the server lives."""
    return path == "/healthz" or (path.startswith("/static/") and ".." not in path)

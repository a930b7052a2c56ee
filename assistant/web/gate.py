"""The gate: one ASGI layer in front of everything. It decides who comes in and what every answer carries.

    Host not ours                                 421    any method, so a rebound DNS name gets nothing
    WebSocket                                     403
    OPTIONS                                       405    no other site may call these addresses
    a change that another site sends              403
    a private page or stream for another site     403    except a link that the person follows
    a body over its limit                         413    counted as it comes, never held
    an exception that escaped                     500

Whatever passes streams through. The headers that every answer carries are in `dress`.
"""

import asyncio
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, ip_address

from loguru import logger
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import AssistantError
from ..settings import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)
BODY_BYTES = 2**20
LINGER_SECONDS = 5.0  # how long a refused body is still read (and thrown away)

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OURS = {name for name, _ in _ALWAYS}
_CARD = re.compile(r"/sessions/[^/]+/steps/[^/]+")
_HOST = re.compile(
    r"(?:\[(?P<ip6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?)(?::(?P<port>[0-9]{1,5}))?"
)
_IP4_LOOPBACK = IPv4Network("127.0.0.0/8")

Pairs = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Host:
    """A host in lower case, without brackets and last dot; `port` is None where none is named."""

    name: str
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        if self.name == "localhost":
            return True
        try:
            address = ip_address(self.name)
        except ValueError:
            return False
        return address in _IP4_LOOPBACK or address == IPv6Address("::1")


@dataclass(frozen=True)
class Refusal:
    """An answer that the gate gives itself; `sentence` is what the person reads."""

    status: int
    sentence: str


_UNCHANGED = "This request comes from another site, so nothing was changed."
_PRIVATE = Refusal(403, "Another site asked for this page, and it is private. Open it in a tab of its own.")
_NO_WEBSOCKET = Refusal(403, "There is no WebSocket here; the page uses plain requests.")
_NO_OPTIONS = Refusal(405, "OPTIONS is not answered: no other site may call these addresses.")
FAILED = Refusal(
    500,
    "Something failed here that should not have. What was saved before is still there: go back and try "
    "again. The terminal that the program runs in says where it failed.",
)


def parse_host(text: str) -> Host | None:
    """`name`, `name:port`, `[v6]` or `[v6]:port`; None for anything else (user info, blanks, lists)."""
    found = _HOST.fullmatch(text.lower()) if len(text) <= 300 else None
    if found is None or int(found["port"] or 0) > 65_535:
        return None
    name = found["name"]
    if name is None:
        try:
            name = str(IPv6Address(found["ip6"]))
        except ValueError:
            return None
    return Host(name, int(found["port"]) if found["port"] else None)


def parse_origin(text: str) -> tuple[str, Host] | None:
    """An origin's scheme, and its host with the port it stands for; None for `null` and all else."""
    scheme, _, rest = text.lower().partition("://")
    host = parse_host(rest) if scheme in ("http", "https") else None
    return (scheme, _with_port(host, scheme)) if host else None


def _with_port(host: Host, scheme: str) -> Host:
    return host if host.port is not None else Host(host.name, 443 if scheme == "https" else 80)


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


def _is_followed_link(headers: Headers) -> bool:
    """Whether the answer becomes the page of a tab: another site can open it so, but not read it."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


class Gate:
    """The ASGI layer around `app`; a class because it keeps the rules that it read from the settings.

    An allowed host that does not parse is an AssistantError, and so is an allowed origin.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = frozenset(_allowed_host(text) for text in settings.allowed_hosts)
        self.origins = frozenset(_allowed_origin(text) for text in settings.allowed_origins)
        self.upload_bytes = settings.upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _refuse_websocket(scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self.judge(scope):
            await _answer(_Exchange(scope, receive, send, 0), refusal)
        else:
            await self._let_in(scope, receive, send)

    def judge(self, scope: Scope) -> Refusal | None:
        """Why this request is refused before its body is read, or None."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = parse_host(hosts[0]) if len(hosts) == 1 else None
        if host is None or not self._is_ours(host):
            return Refusal(421, _not_ours(hosts, host))
        if "websocket" in headers.get("upgrade", "").lower():
            return _NO_WEBSOCKET
        if scope["method"] == "OPTIONS":
            return _NO_OPTIONS
        return self._judge_source(scope, headers, host) or self._judge_length(scope, headers)

    def limit(self, scope: Scope, headers: Headers) -> int:
        """How many bytes this request's body may have."""
        path = route_path(scope)
        form = headers.get("content-type", "").lower().startswith("multipart/form-data")
        upload = scope["method"] == "POST" and (path == "/import" or (form and _CARD.fullmatch(path)))
        return self.upload_bytes if upload else BODY_BYTES

    def _is_ours(self, host: Host) -> bool:
        return host.is_loopback or host in self.hosts or Host(host.name) in self.hosts

    def _judge_source(self, scope: Scope, headers: Headers, host: Host) -> Refusal | None:
        sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
        from_here = all(site in ("same-origin", "none") for site in sites)
        own_origin = all(self._is_own(origin, host) for origin in origins)
        if scope["method"] in ("GET", "HEAD"):
            passes = is_public(route_path(scope)) or _is_followed_link(headers) or (from_here and own_origin)
            return None if passes else _PRIVATE
        if sites:  # the browser's own judgement; it holds behind a proxy that changes Host, too
            return None if from_here else Refusal(403, f"{_UNCHANGED} Do it on the page itself.")
        if own_origin:
            return None
        origin = printable(", ".join(origins)) or "empty"
        return Refusal(
            403, f"{_UNCHANGED} Its Origin was {origin}. If that is your proxy, --allow-origin allows it."
        )

    def _is_own(self, text: str, host: Host) -> bool:
        origin = parse_origin(text)
        return origin is not None and (origin in self.origins or origin[1] == _with_port(host, origin[0]))

    def _judge_length(self, scope: Scope, headers: Headers) -> Refusal | None:
        limit = self.limit(scope, headers)
        for length in headers.getlist("content-length"):
            if not re.fullmatch("[0-9]+", length):
                return Refusal(400, "Content-Length is not a number, so the request was not read.")
            if len(length) > 18 or int(length) > limit:
                return _too_large(limit)
        return None

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send, self.limit(scope, Headers(scope=scope)))
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass  # the browser left, or we cut the body off: nothing that failed here
        except Exception as error:  # whatever it is, the person gets an answer, and the answer its headers
            if not exchange.too_large:
                _log(scope, error)
        if exchange.too_large and not exchange.started:
            await _answer(exchange, _too_large(exchange.limit))
        elif not exchange.started:
            await _answer(exchange, FAILED)


class _Exchange:
    """One request and its answer on their way through; a class because both directions share what was seen.

    A body over the limit ends for the app as if the browser had left, so it cleans up as it must anyway.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        headers = Headers(scope=scope)
        self.scope, self.limit = scope, limit
        self.pending = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self.waits = "expect" in headers  # it sends its body only after we asked for it
        self.taken, self.too_large, self.started = 0, False, False
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        if self.too_large:
            return {"type": "http.disconnect"}
        message = await self.receive_any()
        if self.taken > self.limit:
            self.too_large = True
            return {"type": "http.disconnect"}
        return message

    async def receive_any(self) -> Message:
        """The next message, whatever the limit says."""
        message = await self._receive()
        self.waits = False
        self.taken += len(message.get("body", b""))
        self.pending = bool(message.get("more_body", False))
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.started:
            return  # what the app says about the cut is not the answer; 413 is
        if message["type"] == "http.response.start":
            headers = dress(message.get("headers", ()), is_public(route_path(self.scope)))
            message = {**message, "headers": headers}
            self.started = True
        await self._send(message)

    async def send_own(self, message: Message) -> None:
        """Send an answer of the gate's own."""
        self.started = True
        await self._send(message)


async def _answer(exchange: _Exchange, refusal: Refusal) -> None:
    """Send the refusal as plain text.

    What is still coming in is read for a moment: a connection closed on unread bytes is reset, and the
    browser shows that instead of our sentence. The answer itself is whole before that.
    """
    body, headers = _plain(refusal)
    linger = exchange.pending and not exchange.waits
    if exchange.pending:
        headers.append((b"connection", b"close"))
    await exchange.send_own({"type": "http.response.start", "status": refusal.status, "headers": headers})
    shown = b"" if exchange.scope["method"] == "HEAD" else body
    await exchange.send_own({"type": "http.response.body", "body": shown, "more_body": linger})
    if not linger:
        return
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while exchange.pending:
                await exchange.receive_any()
    except TimeoutError:
        pass  # long enough
    await exchange.send_own({"type": "http.response.body", "body": b""})


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server says 403
        return
    body, headers = _plain(_NO_WEBSOCKET)
    await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _plain(refusal: Refusal) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    body = (refusal.sentence + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 405:
        headers.append((b"allow", b"GET, HEAD, POST"))
    return body, dress(headers, public=False)


def printable(text: str) -> str:
    """Somebody else's text, fit for one line of an answer or of our output: ASCII, at most 100 characters."""
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text[:100])


def _not_ours(hosts: Sequence[str], host: Host | None) -> str:
    if len(hosts) != 1:
        return f"A request must name one Host, and this one names {len(hosts)}."
    shown = f"This address is not one of ours: Host was {printable(hosts[0]) or 'empty'}."
    if host is None:
        return f"{shown} Open the address that was printed."
    return f"{shown} Start with --allow-host {host.name} to allow it."


def _too_large(limit: int) -> Refusal:
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit} bytes"
    return Refusal(
        413, f"This is larger than {size}, the most that is taken here, so it was not kept. Send less."
    )


def _allowed_host(text: str) -> Host:
    bare = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    if host := parse_host(bare):
        return host
    raise AssistantError(f"--allow-host {printable(text)}: not a host. Give a name such as app.example.org.")


def _allowed_origin(text: str) -> tuple[str, Host]:
    if origin := parse_origin(text.removesuffix("/")):
        return origin
    raise AssistantError(
        f"--allow-origin {printable(text)}: not an origin. Give one such as https://app.example.org."
    )


def _log(scope: Scope, error: BaseException) -> None:
    """Say where it failed. Not the error's own text: it may quote a body, and so a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    where = printable(route_path(scope))
    logger.error("{} {} failed with {}:\n{}", scope["method"], where, type(error).__name__, frames.rstrip())

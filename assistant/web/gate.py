"""The gate: one ASGI layer in front of everything. It decides who comes in and what every answer carries.

    Host not ours                                 421    any method, so a rebound DNS name gets nothing
    WebSocket                                     403
    OPTIONS                                       405    no other site may call these addresses
    a change that another site sends              403
    a private page or stream for another site     403    except a link that the person follows
    a body over its limit                         413    counted as it comes, never held
    an exception that escaped                     500

Whatever passes streams through. The headers that every answer carries are in headers.dress.
"""

import re
import traceback
from collections.abc import Sequence

from loguru import logger
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings import Settings
from .exchange import Exchange, Refusal, answer, refuse_websocket
from .headers import is_public, route_path
from .hosts import Host, allowed_host, allowed_origin, parse_host, parse_origin, printable, with_port

BODY_BYTES = 2**20
_CARD = re.compile(r"/sessions/[^/]+/steps/[^/]+")
_UNCHANGED = "This request comes from another site, so nothing was changed."
_PRIVATE = Refusal(403, "Another site asked for this page, and it is private. Open it in a tab of its own.")
_NO_WEBSOCKET = Refusal(403, "There is no WebSocket here; the page uses plain requests.")
_NO_OPTIONS = Refusal(405, "OPTIONS is not answered: no other site may call these addresses.")
FAILED = Refusal(
    500,
    "Something failed here that should not have. What was saved before is still there: go back and try "
    "again. The terminal that the program runs in says where it failed.",
)


class Gate:
    """The ASGI layer around `app`; a class because it keeps the rules that it read from the settings.

    An allowed host that does not parse is an AssistantError, and so is an allowed origin.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = frozenset(allowed_host(text) for text in settings.allowed_hosts)
        self.origins = frozenset(allowed_origin(text) for text in settings.allowed_origins)
        self.upload_bytes = settings.upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await refuse_websocket(_NO_WEBSOCKET, scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self.judge(scope):
            await answer(Exchange(scope, receive, send, 0), refusal)
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
        upload = form and scope["method"] == "POST" and (path == "/import" or _CARD.fullmatch(path))
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
        return origin is not None and (origin in self.origins or origin[1] == with_port(host, origin[0]))

    def _judge_length(self, scope: Scope, headers: Headers) -> Refusal | None:
        limit = self.limit(scope, headers)
        for length in headers.getlist("content-length"):
            if not re.fullmatch("[0-9]+", length):
                return Refusal(400, "Content-Length is not a number, so the request was not read.")
            if len(length) > 18 or int(length) > limit:
                return _too_large(limit)
        return None

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, self.limit(scope, Headers(scope=scope)))
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass  # the browser left, or we cut the body off: nothing that failed here
        except Exception as error:  # whatever it is, the person gets an answer, and the answer its headers
            if not exchange.too_large:
                _log(scope, error)
        if exchange.too_large and not exchange.started:
            await answer(exchange, _too_large(exchange.limit))
        elif not exchange.started:
            await answer(exchange, FAILED)


def _is_followed_link(headers: Headers) -> bool:
    """Whether the answer becomes the page of a tab: another site can open it so, but not read it."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


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


def _log(scope: Scope, error: BaseException) -> None:
    """Say where it failed. Not the error's own text: it may quote a body, and so a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    where = printable(route_path(scope))
    logger.error("{} {} failed with {}:\n{}", scope["method"], where, type(error).__name__, frames.rstrip())

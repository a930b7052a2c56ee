"""One request and its answer on their way through the gate, and the answers that the gate gives itself."""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from .headers import dress, is_public, route_path

LINGER_SECONDS = 5.0  # how long a refused body is still read (and thrown away)


@dataclass(frozen=True)
class Refusal:
    """An answer that the gate gives itself; `sentence` is what the person reads."""

    status: int
    sentence: str


class Exchange:
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


async def answer(exchange: Exchange, refusal: Refusal) -> None:
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


async def refuse_websocket(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the refusal where the server can, else its own plain 403."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server says 403
        return
    body, headers = _plain(refusal)
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _plain(refusal: Refusal) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    body = (refusal.sentence + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 405:
        headers.append((b"allow", b"GET, HEAD, POST"))
    return body, dress(headers, public=False)

"""Talking with a model in Ollama: POST /api/chat, read line by line.

    request ── check, encode ──▶ POST ── bytes ──▶ lines ──▶ Delta, Delta, ... Delta(done)
                                          └ silent too long, too much, broken, no last line: ModelError

The `ollama` package is not used here: it loses call ids, `truncate` and `shift`, takes a stream that breaks
off for a finished one, and splits lines at characters that JSON leaves as they are. What it does not lose
(pull, delete, what is loaded) goes through it, in catalogue.py.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import httpx

from assistant.errors import ModelError
from assistant.models import Delta, Request
from assistant.models.failures import cloud_refused, line_failure, status_failure, too_much
from assistant.models.wire import decode_line, encode_body, encode_preload, is_cloud, parse_host, read_delta
from assistant.settings import Settings

TIMEOUT = httpx.Timeout(connect=3.0, write=30.0, read=None, pool=None)
QUICK = httpx.Timeout(connect=3.0, write=30.0, read=10.0, pool=None)
ANSWER_BYTES = 2**24
ERROR_BYTES = 2**16
ERROR_SECONDS = 10.0
TRIES = 3
END = 0.1  # seconds for the end of an answer behind its last line

T = TypeVar("T")


class Ollama:
    """One Ollama server: a class, because its connections and what it learned of the models live with it.

    Made once per program; `close` it. `backoff` is the pause in seconds before the second try at a busy
    server (twice that before the third).
    """

    def __init__(self, settings: Settings, *, backoff: float = 0.5) -> None:
        self.settings = settings
        self.address = parse_host(settings.ollama_host)
        self.shown: dict[str, dict[str, Any]] = {}  # answers of /api/show by digest; see catalogue.py
        self._backoff = backoff
        self._num_ctx: dict[str, int] = {}
        # trust_env off: no proxy may see the conversation. No redirect is followed, and no Origin sent.
        self._client = httpx.AsyncClient(
            base_url=self.address,
            timeout=TIMEOUT,
            trust_env=False,
            verify=self.address.startswith("https:"),  # else certificates would be read for nothing
            headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def chat(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The reply, piece by piece; the last Delta, and only that, has `done`.

        Use it under `contextlib.aclosing`: closing or cancelling it closes the connection at once, which
        stops the model. Every failure is a ModelError; calls count only once `done` has come.
        """
        model, bounds = request.model, self.settings.bounds
        self._refuse_cloud(model)
        body = encode_body(request, await self.num_ctx(model), bounds.num_predict, self.settings.keep_alive)
        length = 0
        async with aclosing(self._lines(body, model)) as lines:
            async for line in lines:
                delta = read_delta(line)
                length += len(delta.text.encode()) + len(delta.thinking.encode())
                length += sum(len(str(call.arguments)) for call in delta.calls)
                if length > bounds.reply_bytes:
                    raise too_much(model, bounds.reply_bytes)
                if delta.done and delta.done.reason in ("load", "unload"):
                    raise ModelError("incomplete", f"{model} was loaded, but answered nothing. Ask again.")
                yield delta
                if delta.done:
                    await _ended(lines)
                    return
        raise ModelError("incomplete", f"The reply of {model} ended before it was finished. Ask again.")

    async def preload(self, model: str) -> None:
        """Load a model before its first question, with the very options of a chat. May take minutes."""
        self._refuse_cloud(model)
        bounds = self.settings.bounds
        body = encode_preload(model, await self.num_ctx(model), bounds.num_predict, self.settings.keep_alive)
        async with aclosing(self._lines(body, model)) as lines:
            async for _ in lines:
                pass

    async def num_ctx(self, model: str) -> int:
        """The window (tokens) to ask for: the setting, or less where the model was trained for less.

        Once known it stays the same for a model, because another window makes Ollama load it again. Raises
        ModelError "cloud" for a model that turns out to run elsewhere.
        """
        if model in self._num_ctx:
            return self._num_ctx[model]
        wanted = self.settings.bounds.num_ctx
        try:
            shown = await self.ask("POST", "/api/show", {"model": model})
        except ModelError:
            return wanted  # the chat itself meets the same trouble, and tells
        if shown.get("remote_host") and not self.settings.show_cloud:
            raise cloud_refused(model)
        self._num_ctx[model] = min(wanted, trained_context(shown) or wanted)
        return self._num_ctx[model]

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One short question with one JSON object as its answer. Raises ModelError."""
        model = str(body.get("model", "")) if body else ""
        try:
            async with self._client.stream(method, path, json=body, timeout=QUICK) as response:
                data = await self._bounded(response, ANSWER_BYTES)
        except httpx.HTTPError as error:
            raise self.broken(error) from None
        if response.status_code != 200:
            raise status_failure(response.status_code, data, model, self.address)
        return decode_line(data)

    def broken(self, error: httpx.HTTPError) -> ModelError:
        """What a connection that failed means."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ModelError("unreachable", f"No Ollama at {self.address}. Start it with `ollama serve`.")
        if isinstance(error, httpx.TimeoutException):
            return ModelError("timeout", f"Ollama at {self.address} does not answer. Is it busy? Ask again.")
        told = str(error)
        if isinstance(error, httpx.RemoteProtocolError) and not ("closed" in told or "disconnected" in told):
            return ModelError("not_json", f"What answers at {self.address} is not Ollama. Check OLLAMA_HOST.")
        return ModelError("dropped", f"The connection to Ollama at {self.address} broke. Ask again.")

    def _refuse_cloud(self, model: str) -> None:
        if is_cloud(model) and not self.settings.show_cloud:
            raise cloud_refused(model)

    async def _lines(self, body: bytes, model: str) -> AsyncGenerator[dict[str, Any], None]:
        """The lines of one answer of /api/chat, split at newlines only. An error line is raised."""
        bounds = self.settings.bounds
        ends = time.monotonic() + bounds.total
        response = await self._open(body, model, ends)
        try:
            chunks, rest, size, limit = response.aiter_raw(), b"", 0, bounds.first_token
            while (chunk := await self._within(anext(chunks, None), limit, ends, model)) is not None:
                size += len(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                longest = max(map(len, [*whole, rest]))
                if size > bounds.wire_bytes or longest > bounds.token_bytes:
                    long_line = longest > bounds.token_bytes
                    raise too_much(model, bounds.token_bytes if long_line else bounds.wire_bytes)
                for line in whole:
                    if line.strip():
                        limit = bounds.gap
                        yield _checked(line, model)
            if rest.rstrip().endswith(b"}"):  # else it was cut, and the reply is incomplete
                yield _checked(rest, model)
        finally:
            await response.aclose()

    async def _open(self, body: bytes, model: str, ends: float) -> httpx.Response:
        """Send, and wait for the head of the answer, which comes with the first word of the model."""
        limit = self.settings.bounds.first_token
        for trial in range(TRIES):
            post = self._client.build_request("POST", "/api/chat", content=body)
            response = await self._within(self._client.send(post, stream=True), limit, ends, model)
            if response.status_code == 200:
                return response
            try:
                data = await self._within(self._bounded(response, ERROR_BYTES), ERROR_SECONDS, ends, model)
            finally:
                await response.aclose()
            if response.status_code != 503 or trial == TRIES - 1:
                break
            await asyncio.sleep(self._backoff * 2**trial)
        raise status_failure(response.status_code, data, model, self.address)

    async def _within(self, waiting: Awaitable[T], limit: float, ends: float, model: str) -> T:
        """Await something of the connection, for `limit` seconds and not beyond the clock's `ends`."""
        seconds = min(limit, ends - time.monotonic())
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await waiting
        except TimeoutError:
            if seconds < limit:
                told = f"{model} was still not done after {self.settings.bounds.total:g} s and was stopped."
            else:
                told = f"{model} was silent for {limit:g} s and was stopped."
            raise ModelError("timeout", f"{told} Ask again, or pick a smaller model.") from None
        except httpx.HTTPError as error:
            raise self.broken(error) from None

    async def _bounded(self, response: httpx.Response, most: int) -> bytes:
        data = b""
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > most:
                raise ModelError("too_much", f"What answers at {self.address} sent over {most:,} bytes.")
        return data


def trained_context(shown: dict[str, Any]) -> int | None:
    """The window that a model was trained for (tokens), from an answer of /api/show."""
    info = shown.get("model_info")
    found = info.get(f"{info.get('general.architecture')}.context_length") if isinstance(info, dict) else None
    return found if isinstance(found, int) and found > 0 else None


async def _ended(lines: AsyncGenerator[dict[str, Any], None]) -> None:
    """Reads to the end, which comes with the last line: the next question then needs no new connection."""
    with suppress(TimeoutError, ModelError):
        async with asyncio.timeout(END):
            async for _ in lines:
                pass


def _checked(line: bytes, model: str) -> dict[str, Any]:
    found = decode_line(line)
    if found.get("error"):
        raise line_failure(found["error"], model)
    return found

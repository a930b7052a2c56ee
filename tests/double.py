"""A scripted double of Ollama: a real HTTP server on the loopback interface that speaks its wire.

    with Double() as double:
        double.enqueue("qwen3:4b", say("Hello"), call("set_values", depth=3), "plain text")
        ... the program runs against double.address ...
        assert double.requests[0]["options"]["num_ctx"] == 8192

What a model answers is chosen by its name: first what was enqueued for it, then the scripts of SCRIPTS (whose
last round repeats), then `tokens-COUNT-MILLISECONDS`, such as tokens-500-5. Headers come with the first line
only, as Ollama's do. It can run alone too: `python -m tests.double --port 11434`.
"""

import argparse
import asyncio
import itertools
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Calls = Sequence[tuple[str, Any]]  # (tool, arguments)


@dataclass(frozen=True)
class Drop:
    """In the pieces of a round: the connection breaks here."""


@dataclass(frozen=True)
class Round:
    """One reply to /api/chat, in the order of its fields. Times are in seconds.

    `where`: calls come in lines of their own ("line"), with the first text ("text"), or with `done` ("done").
    `pieces` (bytes to send as they are, seconds to wait, Drop) take the place of all lines.
    """

    text: tuple[str, ...] = ()
    thinking: tuple[str, ...] = ()
    calls: Calls = ()
    where: str = "line"
    ids: str = "own"  # "own": call_xxxxxxxx; "none"; "same": every call the same id and index 0
    delay: float = 0.0  # before each token but the first, kept to the clock
    silence: float = 0.0  # before the headers
    reason: str | None = "stop"
    error: str | None = None  # a line in place of `done`; with a status, the body
    status: int = 200
    body: str | None = None  # of an answer with a status; None: {"error": error}
    ending: str = "done"  # "done", "eof" (a clean end without it) or "drop"
    pieces: tuple[bytes | float | Drop, ...] | None = None
    prompt_tokens: int | None = None


Reply = Round | str | Callable[[dict[str, Any]], Round]


def say(text: str = "", **more: Any) -> Round:
    """A text, token by token (a word and the space before it)."""
    return Round(text=tuple(re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", text)), **more)


def call(tool: str, /, **arguments: Any) -> Round:
    return Round(calls=((tool, arguments),))


def fail(status: int, error: str | None = None, body: str | None = None) -> Round:
    return Round(status=status, error=error, body=body)


def raw(*pieces: bytes | float | Drop) -> Round:
    return Round(pieces=pieces)


def tokens(count: int, delay: float = 0.0) -> Round:
    """`count` tokens, all at once or `delay` seconds apart: paragraphs with a list and some emphasis."""
    words = (
        "The",
        " *crawl*",
        " follows",
        " every",
        " link",
        " to",
        " a",
        " **depth**",
        " of",
        " three",
        ".",
    )
    lines = ("\n\n- one", " item", "\n- `another`", " one", "\n\n")
    cycle = words * 4 + lines
    return Round(text=tuple(cycle[n % len(cycle)] for n in range(count)), delay=delay)


def encode(value: Any) -> bytes:
    """JSON as Go writes it, with the newline."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode() + b"\n"


def line(model: str, content: str = "", *, done: bool = False, **more: Any) -> bytes:
    """One line of a reply; `more` goes into its message."""
    message = {"role": "assistant", "content": content, **more}
    return encode({"model": model, "created_at": "2026-08-22T10:00:01.1Z", "message": message, "done": done})


_OVER = "request (9012 tokens) exceeds the available context size (8192 tokens), try increasing it"
NESTED = json.dumps({"error": {"code": 400, "message": _OVER, "type": "exceed_context_size_error"}})
_SET = ("set_values", {"depth": 3})
_WAIT = 5.0  # silences last this times the double's `scale`


def _unicode(model: str) -> Round:
    """A reply cut in the middle of a character and of a line, and two lines in one packet."""
    body = line(model, "Grüße ") + line(model, "日本") + line(model, "!") + last_line(model)
    cut, inside = body.index("ü".encode()) + 1, body.index("日".encode()) + 2
    return raw(body[:cut], 0.01, body[cut : cut + 9], 0.01, body[cut + 9 : inside], 0.01, body[inside:])


def last_line(model: str, *, reason: str | None = "stop", count: int = 2, **more: Any) -> bytes:
    """The line that ends a reply; `more` replaces fields of it (message, durations in ns, counts)."""
    return encode(
        {
            "model": model,
            "created_at": "2026-08-22T10:00:02Z",
            "message": {"role": "assistant", "content": ""},
            "done": True,
            **({"done_reason": reason} if reason else {}),
            "total_duration": 900_000_000,
            "load_duration": 50_000_000,
            "prompt_eval_count": 4_120,
            "prompt_eval_duration": 300_000_000,
            "eval_count": count,
            "eval_duration": 60_000_000,
            **more,
        }
    )


AFTER = "All is set."
SCRIPTS: dict[str, tuple[Reply | Callable[[str], Round], ...]] = {
    "text": (say("Hello, here I am."),),
    "call": (Round(calls=(_SET,)), say(AFTER)),
    "two-calls": (Round(calls=(_SET, ("set_other_value", {"name": "start", "value": "x"}))), say(AFTER)),
    "call-in-done": (Round(calls=(_SET,), where="done"), say(AFTER)),
    "text-and-call": (Round(text=("Setting it.",), calls=(_SET,), where="text"), say(AFTER)),
    "thinking": (Round(thinking=("The user ", "greets."), text=("Good ", "morning.")),),
    "thinking-only": (Round(thinking=("I should answer ", "now.")),),
    "bare-json": (say('{"name": "set_values", "parameters": {"depth": 3}}'), say(AFTER)),
    "fenced-json": (say('```json\n{"name": "set_values", "arguments": {"depth": 3}}\n```'), say(AFTER)),
    "two-objects": (
        say(
            '{"name": "set_values", "arguments": {"depth": 3}}\n'
            '{"name": "set_values", "arguments": {"limit": 50}}'
        ),
        say(AFTER),
    ),
    "decorated-name": (Round(calls=(("set_values<|channel|>analysis", {"depth": 3}),)), say(AFTER)),
    "prefixed-name": (Round(calls=(("functions.Set-Values", {"depth": 3}),)), say(AFTER)),
    "unknown-tool": (Round(calls=(("set_all_values", {"depth": 3}),)), say(AFTER)),
    "empty": (Round(),),
    "text-values": (Round(calls=(("set_values", {"depth": "3", "polite": "false"}),)), say(AFTER)),
    "string-arguments": (Round(calls=(("set_values", '{"depth": 3}'),)), say(AFTER)),
    "null-values": (
        Round(calls=(("set_values", {"depth": None, "limit": "null", "start": ""}),)),
        say(AFTER),
    ),
    "null-arguments": (Round(calls=(("run_workflow", None),)), say(AFTER)),
    "missing-argument": (Round(calls=(("set_other_value", {"name": "depth"}),)), say(AFTER)),
    "wrong-case": (Round(calls=(("set_values", {"kinds": ["Tutorial", "LIBRARY"]}),)), say(AFTER)),
    "same-call": (Round(calls=(_SET,)),),
    "call-on-hello": (Round(calls=(("set_values", {"depth": 7}),)), say("Hello!")),
    "claims": (say("I've set the depth to 3."),),
    "think-in-text": (say("<think>The user greets.</think>\n\nGood morning."),),
    "think-unclosed": (say("<think>The user greets, so I"),),
    "error-in-stream": (
        Round(text=("One ", "two "), error="an error was encountered while running the model"),
    ),
    "parser-error": (Round(text=("One ",), error="XML syntax error on line 3: unexpected EOF"),),
    "not-found": (lambda model: fail(404, f"model '{model}' not found"),),
    "no-tools": (
        lambda model: fail(400, f"registry.ollama.ai/library/{model}:latest does not support tools"),
    ),
    "no-thinking": (lambda model: fail(400, f'"{model}" does not support thinking'),),
    "no-chat": (lambda model: fail(400, f'"{model}" does not support chat'),),
    "too-long": (fail(400, NESTED),),
    "load-failed": (fail(500, "llama-server process has terminated: signal: killed"),),
    "bad-option": (fail(500, 'option "num_ctx" must be of type integer'),),
    "busy": (fail(503, "server busy, please try again.  maximum pending requests exceeded"),),
    "busy-once": (fail(503, "server busy, please try again."), say("Now I can.")),
    "forbidden": (fail(403, body=""),),
    "cloud-disabled": (fail(403, "ollama cloud is disabled: remote model is unavailable"),),
    "wrong-method": (fail(405, body="405 method not allowed"),),
    "no-done": (Round(text=("Half ", "of "), ending="eof"),),
    "drop": (Round(text=("Half ", "of "), ending="drop"),),
    "silent": (say("At last.", silence=_WAIT),),
    "gap": (lambda model: raw(line(model, "First "), _WAIT, line(model, "second."), last_line(model)),),
    "unicode": (_unicode,),
    "escapes": (say("a < b && c > d"),),
    "next-line": (say("before\u0085after \u2028 end"),),
    "missing-ids": (Round(calls=(_SET, ("set_values", {"limit": 5})), ids="none"), say(AFTER)),
    "same-ids": (Round(calls=(_SET, ("set_values", {"limit": 5})), ids="same"), say(AFTER)),
    "length-in-call": (Round(text=('{"name": "set_values", "argum',), reason="length"),),
    "length": (Round(text=("And so ", "on"), reason="length"),),
    "not-json": (raw(b"<html>hello</html>\n"),),
    "load-only": (Round(reason="load"),),
}
NO_TOOLS = {"no-tools"}
THINKS = {"thinking", "thinking-only"}


@dataclass
class Seen:
    """A request that came in; `left` turns true when its client goes away before the end."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None
    left: bool = False


@dataclass
class Pull:
    """What pulling a name does: its size, an error after so many progress lines."""

    size: int = 4_000
    error: str | None = None
    error_after: int = 2
    part: int = 1_000
    delay: float = 0.0
    have: int = 0  # bytes that are there already; kept over tries


class Double:
    """The server, in a thread of its own. Everything public may be read and changed from the test's thread.

    models   name: the entry of /api/tags (without "capabilities" in it, as older servers, it takes /api/show)
    shows    name: the answer of /api/show; an int is a status
    requests bodies of /api/chat that carry messages; `seen` has every request
    prefixes the same of those that ask for one token only: no reply of a script is used up by them
    loads    every load of a model, as (name, num_ctx, shift): another window or shift loads it again
    slow     seconds that a load, and a prefix, take ("load" and "prefix")
    scale    factor on the silences of the scripts
    """

    def __init__(self, *, scale: float = 1.0, scripts: bool = True, port: int = 0) -> None:
        self.version, self.scale, self.port = "0.33.0", scale, port
        self.models: dict[str, dict[str, Any]] = {}
        self.shows: dict[str, dict[str, Any] | int] = {}
        self.pulls = {"missing": Pull(error="pull model manifest: file does not exist", error_after=0)}
        self.requests: list[dict[str, Any]] = []
        self.prefixes: list[dict[str, Any]] = []
        self.slow: dict[str, float] = {}
        self.seen: list[Seen] = []
        self.loads: list[tuple[str, Any, Any]] = []
        self.disconnected = 0
        self.connections = 0
        self.loaded: dict[str, tuple[Any, Any]] = {}  # name: (num_ctx, shift)
        self._queues: dict[str, deque[Reply]] = {}
        self._tries: dict[str, int] = {}
        self._ids = 0
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        for name in SCRIPTS if scripts else ():
            more = ["tools"] * (name not in NO_TOOLS) + ["thinking"] * (name in THINKS)
            self.add(name, capabilities=["completion", *more])

    # For tests

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(
        self,
        name: str,
        *,
        capabilities: Sequence[str] = ("completion", "tools"),
        context: int = 40_960,
        **more: Any,
    ) -> None:
        """Install a model."""
        digest = f"{sum(name.encode()):064x}"
        self.models[name] = {
            "name": name,
            "model": name,
            "modified_at": "2026-08-01T10:00:00Z",
            "size": 2_620_788_260,
            "digest": digest,
            "details": {
                "parent_model": "",
                "format": "gguf",
                "family": "qwen3",
                "families": ["qwen3"],
                "parameter_size": "4.0B",
                "quantization_level": "Q4_K_M",
                "context_length": context,
            },
            "capabilities": list(capabilities),
            **more,
        }
        self.shows[name] = {
            "modelfile": "",
            "parameters": "num_ctx    8192",
            "template": "",
            "details": self.models[name]["details"],
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": context},
            "capabilities": list(capabilities),
        }

    def enqueue(self, model: str, *rounds: Reply) -> None:
        """Give a model its next replies: a Round, a text, or a function of the request that gives a Round."""
        if model not in self.models:
            self.add(model, capabilities=("completion", "tools", "thinking"))
        self._queues.setdefault(model, deque()).extend(rounds)

    def wait_for(self, condition: Callable[["Double"], bool], seconds: float = 5.0) -> bool:
        """Wait until something has been seen, e.g. `lambda d: d.disconnected == 1`."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), seconds)

    def start(self) -> "Double":
        ready = threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._serve(ready))
            except OSError as error:
                failed.append(error)
                ready.set()

        self._thread = threading.Thread(target=run, name="ollama-double", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            raise failed[0]
        return self

    def stop(self) -> None:
        if self._loop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(10)

    def __enter__(self) -> "Double":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # The server

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            ahead = bytearray()
            while seen := await _read(reader, ahead):
                with self._changed:
                    self.seen.append(seen)
                    self._changed.notify_all()
                await self._answer(seen, _Wire(reader, writer, ahead))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, seen: Seen, wire: "_Wire") -> None:
        """Answer a request, and stop as soon as its client goes away."""
        work = asyncio.ensure_future(self._route(seen, wire))
        watch = asyncio.ensure_future(wire.gone())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                if isinstance(error := work.exception(), ConnectionError) and not wire.dropped:
                    self._left(seen)
                if error:
                    raise error
            else:
                self._left(seen)
                raise ConnectionResetError("the client went away")
        finally:
            for task in (work, watch):
                task.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    def _left(self, seen: Seen) -> None:
        with self._changed:
            seen.left = True
            self.disconnected += 1
            self._changed.notify_all()

    async def _route(self, seen: Seen, wire: "_Wire") -> None:
        body = seen.body if isinstance(seen.body, dict) else {}
        match seen.method, seen.path:
            case "GET" | "HEAD", "/":
                await wire.whole(200, b"Ollama is running", "text/plain")
            case "GET", "/api/version":
                await wire.json(200, {"version": self.version})
            case "GET", "/api/status":
                await wire.json(200, {"cloud": {"disabled": True, "source": "env"}})
            case "GET", "/api/tags":
                await wire.json(200, {"models": list(self.models.values())})
            case "GET", "/api/ps":
                await wire.json(200, {"models": [self._running(name) for name in self.loaded]})
            case "POST", "/api/show":
                await self._show(body, wire)
            case "POST", "/api/chat":
                await self._chat(body, wire)
            case "POST", "/api/pull":
                await self._pull(body, wire)
            case "DELETE", "/api/delete":
                await self._delete(body, wire)
            case _, "/api/chat" | "/api/tags" | "/api/show" | "/api/pull":
                await wire.whole(405, b"405 method not allowed", "text/plain")
            case _:
                await wire.whole(404, b"404 page not found", "text/plain")

    def _running(self, name: str) -> dict[str, Any]:
        entry = self.models.get(name, {})
        kept = {key: entry.get(key) for key in ("name", "model", "size", "digest", "details")}
        window = self.loaded[name][0]
        return {**kept, "expires_at": "2026-08-22T10:05:00Z", "size_vram": 0, "context_length": window}

    async def _show(self, body: dict[str, Any], wire: "_Wire") -> None:
        answer = self.shows.get(body.get("model", ""), 404)
        if isinstance(answer, int):
            await wire.json(answer, {"error": f"model '{body.get('model')}' not found"})
        else:
            await wire.json(200, answer)

    async def _delete(self, body: dict[str, Any], wire: "_Wire") -> None:
        name = body.get("model", "")
        if self.models.pop(name, None) is None:
            await wire.json(404, {"error": f"model '{name}' not found"})
        else:
            self.shows.pop(name, None)
            await wire.whole(200, b"", "text/plain")

    async def _pull(self, body: dict[str, Any], wire: "_Wire") -> None:
        name = str(body.get("model", ""))
        pull = self.pulls.setdefault(name, Pull())
        await wire.line(encode({"status": "pulling manifest"}))
        sent = 0
        while pull.have < pull.size or pull.error:
            if pull.error and sent >= pull.error_after:
                error, pull.error = pull.error, pull.error if pull.error_after == 0 else None
                await wire.line(encode({"error": error}))
                return await wire.end()
            await asyncio.sleep(pull.delay)
            pull.have = min(pull.size, pull.have + pull.part)
            sent += 1
            part = {"status": "pulling 970aa74c0a90", "digest": "sha256:970a", "total": pull.size}
            await wire.line(encode({**part, "completed": pull.have}))
        for status in ("verifying sha256 digest", "writing manifest", "success"):
            await wire.line(encode({"status": status}))
        self.add(name)
        await wire.end()

    async def _chat(self, body: dict[str, Any], wire: "_Wire") -> None:
        model = body.get("model", "")
        if refused := self._refusal(body):
            status, told = refused
            return await wire.json(status, {"error": told})
        window = (body.get("options", {}).get("num_ctx"), body.get("shift"))
        reload = self.loaded.get(model) != window
        if not body.get("messages"):
            await asyncio.sleep(self.slow.get("load", 0.0))
            self._load(model, window, reload)
            answer = {"model": model, "message": {"role": "assistant", "content": ""}, "done": True}
            return await wire.line(encode({**answer, "done_reason": "load"}), last=True)
        prefix = body.get("options", {}).get("num_predict") == 1
        with self._changed:
            (self.prefixes if prefix else self.requests).append(body)
            self._changed.notify_all()
        if prefix:
            await asyncio.sleep(self.slow.get("prefix", 0.0))
        reply = Round(text=("The",), reason="length") if prefix else self._next(model, body)
        if reply.status == 200:
            self._load(model, window, reload)
        await self._play(model, body, reply, wire)

    def _load(self, model: str, window: tuple[Any, Any], reload: bool) -> None:
        if reload:
            self.loads.append((model, *window))
        self.loaded[model] = window

    def _refusal(self, body: dict[str, Any]) -> tuple[int, str] | None:
        """What Ollama itself would not take, as (status, text)."""
        model = body.get("model", "")
        if model not in self.models and not re.fullmatch(r"tokens-\d+-\d+", model):
            return 404, f"model '{model}' not found"
        for message in body.get("messages", []):
            if not isinstance(message.get("content", ""), str):
                return (
                    400,
                    "json: cannot unmarshal object into Go struct field Message.content of type string",
                )
            for made in message.get("tool_calls", []):
                if not isinstance(made.get("function", {}).get("arguments"), dict):
                    return 400, "Value looks like object, but can't find closing '}' symbol"
        if isinstance(alive := body.get("keep_alive"), str) and not re.fullmatch(
            r"-?[\d.]+(?:ms|s|m|h)", alive
        ):
            return 400, f'time: missing unit in duration "{alive}"'
        able = self.models.get(model, {}).get("capabilities") or ["completion", "tools", "thinking"]
        if body.get("tools") and "tools" not in able:
            return 400, f"registry.ollama.ai/library/{model} does not support tools"
        if body.get("think") and "thinking" not in able and not model.startswith("gpt-oss"):
            return 400, f'"{model}" does not support thinking'
        return None

    def _next(self, model: str, body: dict[str, Any]) -> Round:
        if queue := self._queues.get(model):
            reply: Any = queue.popleft()
            found = reply(body) if callable(reply) else reply
        elif model in SCRIPTS:
            script = SCRIPTS[model]
            before = self._rounds_before(model, script, body)
            reply = script[min(before, len(script) - 1)]
            found = reply(model) if callable(reply) else reply
        elif bench := re.fullmatch(r"tokens-(\d+)-(\d+)", model):
            found = tokens(int(bench[1]), int(bench[2]) / 1000)
        else:
            found = fail(500, f"the double has no more replies for {model}")
        return say(found) if isinstance(found, str) else found

    def _rounds_before(self, model: str, script: Sequence[Any], body: dict[str, Any]) -> int:
        """Rounds of this turn so far, as its messages tell; a failed try leaves none there and is counted."""
        if isinstance(script[0], Round) and script[0].status != 200:
            self._tries[model] = self._tries.get(model, -1) + 1
            return self._tries[model]
        since = itertools.takewhile(lambda each: each.get("role") != "user", reversed(body["messages"]))
        return sum(each.get("role") == "assistant" for each in since)

    async def _play(self, model: str, body: dict[str, Any], reply: Round, wire: "_Wire") -> None:
        await asyncio.sleep(reply.silence * self.scale)
        if reply.status != 200:
            told = encode({"error": reply.error}).rstrip() if reply.body is None else reply.body.encode()
            kind = "application/json" if reply.body is None else "text/plain"
            return await wire.whole(reply.status, told, kind)
        if reply.pieces is not None:
            return await self._play_pieces(reply.pieces, wire)
        started = time.perf_counter()
        lines = self._lines(model, reply)
        for n, each in enumerate(lines):
            if reply.delay and (pause := started + n * reply.delay - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            await wire.line(each, drain=bool(reply.delay) or n % 50 == 49)
        if reply.error is not None:
            await wire.line(encode({"error": reply.error}))
        elif reply.ending == "drop":
            return await wire.drop()
        elif reply.ending == "done":
            await wire.line(self._last(model, body, reply, len(lines), time.perf_counter() - started))
        await wire.end()

    async def _play_pieces(self, pieces: Sequence[bytes | float | Drop], wire: "_Wire") -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                await wire.line(piece)
            elif isinstance(piece, Drop):
                return await wire.drop()
            else:
                await asyncio.sleep(piece * self.scale if piece >= 1 else piece)
        await wire.end()

    def _lines(self, model: str, reply: Round) -> list[bytes]:
        found = [line(model, thinking=each) for each in reply.thinking]
        made = self._made(reply)
        if reply.where == "text" and made:
            found.append(line(model, reply.text[0] if reply.text else "", tool_calls=made))
            return found + [line(model, each) for each in reply.text[1:]]
        found += [line(model, each) for each in reply.text]
        if reply.where == "line":
            found += [line(model, tool_calls=[each]) for each in made]
        return found

    def _made(self, reply: Round) -> list[dict[str, Any]]:
        made = []
        for index, (tool, arguments) in enumerate(reply.calls):
            self._ids += reply.ids != "same" or index == 0
            same = reply.ids == "same"
            function = {"index": 0 if same else index, "name": tool, "arguments": arguments}
            made.append(
                {"function": function}
                if reply.ids == "none"
                else {"id": f"call_{self._ids:08}", "function": function}
            )
        return made

    def _last(self, model: str, body: dict[str, Any], reply: Round, count: int, seconds: float) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        if reply.where == "done" and reply.calls:
            message["tool_calls"] = self._made(reply)
        prompt = len(json.dumps([body.get("messages"), body.get("tools")], ensure_ascii=False)) // 4
        return last_line(
            model,
            reason=reply.reason,
            count=count,
            message=message,
            total_duration=int(seconds * 1e9) + 2_000_000,
            prompt_eval_count=prompt if reply.prompt_tokens is None else reply.prompt_tokens,
            eval_duration=int(seconds * 1e9),
        )


async def _read(reader: asyncio.StreamReader, ahead: bytearray) -> Seen | None:
    """One request, or None when the client has closed. `ahead` is what was already read of it."""
    first = bytes(ahead) + await reader.readline()
    ahead.clear()
    if not first.strip():
        return None
    method, path, _ = first.decode("latin-1").split(" ", 2)
    headers = {}
    while (each := (await reader.readline()).strip()) != b"":
        name, _, value = each.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    try:
        found = json.loads(body) if body else None
    except ValueError:
        found = body
    return Seen(method, path, headers, found)


class _Wire:
    """One answer: its head goes out with its first line, its lines as chunks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ahead: bytearray) -> None:
        self._reader, self._writer, self._ahead = reader, writer, ahead
        self._begun = self.dropped = False

    async def gone(self) -> None:
        """Returns when the client has closed its side; what it sends instead is kept for the next request."""
        with suppress(ConnectionError):
            while byte := await self._reader.read(1):
                self._ahead += byte

    async def whole(self, status: int, body: bytes, kind: str) -> None:
        reason = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}.get(status, "Error")
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        await self._writer.drain()

    async def json(self, status: int, value: Any) -> None:
        await self.whole(status, encode(value).rstrip(), "application/json; charset=utf-8")

    async def line(self, data: bytes, *, drain: bool = True, last: bool = False) -> None:
        head = b""
        if not self._begun:
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            self._begun = True
        self._writer.write(head + b"%x\r\n%b\r\n" % (len(data), data) + (b"0\r\n\r\n" if last else b""))
        if drain:
            await self._writer.drain()

    async def end(self) -> None:
        if not self._begun:
            await self.line(b"\n")
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def drop(self) -> None:
        self.dropped = True
        self._writer.transport.abort()
        raise ConnectionResetError("dropped by the script")


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted double of Ollama.")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the silences of the scripts")
    found = parser.parse_args()
    with Double(port=found.port, scale=found.scale) as double:
        print(f"A double of Ollama at {double.address}, until Ctrl-C.", *double.models, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()

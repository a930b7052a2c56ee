"""The gate: who comes in, and what every answer carries."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from loguru import logger
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from assistant.errors import AssistantError
from assistant.settings import Settings
from assistant.web.gate import BODY_BYTES, Gate
from assistant.web.headers import dress
from assistant.web.hosts import Host, parse_host, parse_origin, printable

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)
CARRIED = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
HERE = "http://localhost:5001"
EVIL = "http://evil.example"
UPLOAD_BYTES = 2 * BODY_BYTES
FORM = {"content-type": "multipart/form-data; boundary=x"}
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class World:
    """What the small app behind the gate saw, and the event that lets its stream go on."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.read = 0
        self.go_on = threading.Event()


def small_app(world: World) -> Starlette:
    async def page(request: Request) -> Response:
        world.reached.append(request.method)
        return PlainTextResponse("a page", headers={"cache-control": "public, max-age=60"})

    async def take(request: Request) -> Response:
        async for chunk in request.stream():
            world.read += len(chunk)
        return PlainTextResponse(f"{world.read} bytes")

    async def events(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            await asyncio.to_thread(world.go_on.wait, 20)
            yield b"data: last\n\n"

        return StreamingResponse(body(), media_type="text/event-stream")

    async def broken(request: Request) -> Response:
        hidden = (await request.body()).decode()
        raise RuntimeError(f"boom {hidden}")

    async def conflict(request: Request) -> Response:
        raise HTTPException(409, "not any more")

    async def file(request: Request) -> Response:
        return Response(b"x", headers={"Content-Security-Policy": "sandbox"})

    async def cors(request: Request) -> Response:
        return Response(headers={"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "sniff"})

    async def inject(request: Request) -> Response:
        return Response(headers={"x-name": "a\r\nset-cookie: b=c"})

    async def socket_(websocket: WebSocket) -> None:
        world.reached.append("websocket")
        await websocket.accept()

    routes = [
        Route("/", page, methods=["GET"]),
        Route("/healthz", page),
        Route("/static/1/a.css", page),
        Route("/sessions", page, methods=["POST", "PUT", "DELETE"]),
        Route("/sessions/s/steps/start", take, methods=["POST"]),
        Route("/sessions/s/steps/start/help", take, methods=["POST"]),
        Route("/sessions/s/messages", take, methods=["POST"]),
        Route("/import", take, methods=["POST"]),
        Route("/events", events),
        Route("/broken", broken, methods=["GET", "POST"]),
        Route("/conflict", conflict),
        Route("/file", file),
        Route("/cors", cors),
        Route("/inject", inject),
        WebSocketRoute("/", socket_),
    ]
    return Starlette(routes=routes)


@pytest.fixture
def world() -> World:
    return World()


def settings(**changes: Any) -> Settings:
    return Settings(workspace=Path(), upload_bytes=UPLOAD_BYTES, **changes)


def client(world: World, root_path: str = "", **changes: Any) -> TestClient:
    return TestClient(Gate(small_app(world), settings(**changes)), base_url=HERE, root_path=root_path)


def assert_carries_all(response: Any, **other: str) -> None:
    expected = CARRIED | {name.replace("_", "-"): value for name, value in other.items()}
    assert {name: response.headers.get(name) for name in expected} == expected
    assert not [name for name in response.headers if name.startswith("access-control-")]


# Host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost")),
        ("LocalHost:5001", Host("localhost", 5001)),
        ("localhost.:5001", Host("localhost", 5001)),
        ("[::1]:5001", Host("::1", 5001)),
        ("[0:0:0:0:0:0:0:1]", Host("::1")),
        ("my_app-1.example.org", Host("my_app-1.example.org")),
        *(
            (bad, None)
            for bad in ("", " ", "a b", "localhost:", "localhost:x", "localhost:65536", "a@localhost")
        ),
        *((bad, None) for bad in ("::1", "[::1", "[::g]", "[::1%25lo]", "[127.0.0.1]", "a/b", "a,b", "ä.de")),
        *((bad, None) for bad in ("localhost\n", "localhost..", ".localhost", "http://localhost", "a" * 301)),
    ],
)
def test_parse_host(text: str, host: Host | None) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost", ("http", Host("localhost", 80))),
        ("https://App.example.org", ("https", Host("app.example.org", 443))),
        ("https://[::1]:8443", ("https", Host("::1", 8443))),
        *(
            (bad, None)
            for bad in ("null", "", "localhost", "file://", "ftp://localhost", "http://localhost/")
        ),
        *((bad, None) for bad in ("http://a@localhost", "http://localhost, http://evil.example")),
    ],
)
def test_parse_origin(text: str, origin: tuple[str, Host] | None) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "host",
    (
        "localhost localhost:1 LOCALHOST:5001 localhost. 127.0.0.1:5001 127.8.9.1 [::1]:5001 [fe80::1]:5001 "
        "app.example.org app.example.org:81 APP.example.org. port.example.org:82"
    ).split(),
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_our_hosts_come_in(world: World, host: str, method: str) -> None:
    own = client(world, allowed_hosts=("App.example.org", "port.example.org:82", "fe80::1"))
    answer = own.request(method, "/" if method == "GET" else "/sessions", headers={"host": host})
    assert (answer.status_code, world.reached) == (200, [method])


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.com", "localhost.evil.com", "evil-localhost", "app.localhost"),
        *("0.0.0.0", "127.1", "2130706433", "0177.0.0.1", "192.168.1.5", "[::]", "[::ffff:127.0.0.1]"),
        *(
            "localhost@evil.com",
            "evil.com#localhost",
            "localhost/",
            "localhost evil.com",
            "localhost,evil.com",
        ),
        *("", "port.example.org", "port.example.org:83", "sub.app.example.org"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("HEAD", "/"), ("POST", "/sessions"), ("OPTIONS", "/"), ("GET", "/healthz")],
)
def test_other_hosts_get_421(world: World, host: str, method: str, path: str) -> None:
    own = client(world, allowed_hosts=("app.example.org", "port.example.org:82"))
    answer = own.request(method, path, headers={"host": host, "sec-fetch-site": "same-origin"})
    assert (answer.status_code, world.reached) == (421, [])
    assert_carries_all(answer)


def test_421_says_what_to_do(world: World) -> None:
    answer = client(world).get("/", headers={"host": "box.example:5001"})
    assert answer.text == (
        "This address is not one of ours: Host was box.example:5001. "
        "Start with --allow-host box.example to allow it.\n"
    )
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_echoed_host_is_short_and_printable(world: World) -> None:
    answer = client(world).get("/", headers={"host": b"\xff\x1b[31m" + b"<b>" * 200})
    assert answer.text.isascii() and answer.text.strip().isprintable() and len(answer.text) < 250
    assert "--allow-host" not in answer.text
    assert printable("a\r\nb\x00ä") == "a??b??"


@pytest.mark.parametrize("option", [{"allowed_hosts": ("a b",)}, {"allowed_hosts": ("http://a",)}])
def test_a_wrong_allowed_host_is_a_sentence(option: dict[str, Any]) -> None:
    with pytest.raises(AssistantError, match=r"--allow-host .*: not a host"):
        Gate(Starlette(), settings(**option))


@pytest.mark.parametrize("origin", ["app.example.org", "null", "https://a/b", "*"])
def test_a_wrong_allowed_origin_is_a_sentence(origin: str) -> None:
    with pytest.raises(AssistantError, match=r"--allow-origin .*: not an origin"):
        Gate(Starlette(), settings(allowed_origins=(origin,)))


# Where a request comes from

CHANGES = [
    ({}, 200),
    ({"sec-fetch-site": "same-origin"}, 200),
    ({"sec-fetch-site": "none"}, 200),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "something"}, 403),
    ({"sec-fetch-site": ""}, 403),
    ({"sec-fetch-site": "cross-site", "origin": HERE}, 403),
    ({"sec-fetch-site": "cross-site", **NAVIGATION}, 403),
    ({"sec-fetch-site": "same-origin", "origin": "https://outside.example"}, 200),
    ({"origin": HERE}, 200),
    ({"origin": "HTTP://LOCALHOST:5001"}, 200),
    ({"origin": "https://proxy.example"}, 200),
    ({"origin": "https://proxy.example:443"}, 200),
    ({"origin": "http://proxy.example"}, 403),
    ({"origin": "https://proxy.example:444"}, 403),
    ({"origin": "http://localhost:5002"}, 403),
    ({"origin": "http://localhost"}, 403),
    ({"origin": "http://127.0.0.1:5001"}, 403),
    ({"origin": EVIL}, 403),
    ({"origin": "http://localhost:5001.evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": ""}, 403),
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(("headers", "status"), CHANGES)
def test_changes(world: World, method: str, headers: dict[str, str], status: int) -> None:
    own = client(world, allowed_origins=("https://Proxy.example/",))
    answer = own.request(method, "/sessions", headers=headers)
    assert (answer.status_code, world.reached) == (status, [method] if status == 200 else [])
    assert_carries_all(answer)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost", "http://localhost", 200),
        ("localhost", "https://localhost", 200),
        ("localhost:80", "http://localhost", 200),
        ("localhost:80", "https://localhost", 403),
        ("[::1]:5001", "http://[::1]:5001", 200),
        ("[::1]:5001", "http://[::1]", 403),
    ],
)
def test_an_origin_is_compared_with_its_port(world: World, host: str, origin: str, status: int) -> None:
    assert client(world).post("/sessions", headers={"host": host, "origin": origin}).status_code == status


GETS = [
    ({}, 200),
    ({"sec-fetch-site": "none"}, 200),
    ({"sec-fetch-site": "same-origin"}, 200),
    ({"origin": HERE}, 200),
    ({"sec-fetch-site": "cross-site", **NAVIGATION}, 200),
    ({"sec-fetch-site": "same-site", **NAVIGATION}, 200),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "document"}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
    ({"origin": EVIL}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://localhost:5002"}, 403),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("headers", "status"), GETS)
def test_gets(world: World, method: str, headers: dict[str, str], status: int) -> None:
    answer = client(world).request(method, "/", headers=headers)
    assert (answer.status_code, world.reached) == (status, [method] if status == 200 else [])
    assert_carries_all(answer)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": EVIL}])
def test_no_stream_for_another_site(world: World, headers: dict[str, str]) -> None:
    world.go_on.set()
    assert client(world).get("/events", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/static/1/a.css"])
def test_public_addresses_hold_nothing_private(world: World, path: str) -> None:
    answer = client(world).get(path, headers={"origin": EVIL, "sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert_carries_all(answer, cache_control="public, max-age=60")


@pytest.mark.parametrize("path", ["/static/../sessions/s", "/statics", "/healthz/x"])
def test_what_only_looks_public_is_private(path: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
    scope["headers"].append((b"origin", EVIL.encode()))
    refusal = Gate(Starlette(), settings()).judge(scope)
    assert refusal is not None and refusal.status == 403


@pytest.mark.parametrize("headers", [{}, {"origin": EVIL, "access-control-request-method": "POST"}])
def test_options_is_405(world: World, headers: dict[str, str]) -> None:
    answer = client(world).options("/", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert_carries_all(answer)


def test_a_host_is_named_once() -> None:
    gate = Gate(Starlette(), settings())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    one = (b"host", b"localhost")
    statuses = [
        refusal and refusal.status
        for refusal in (gate.judge({**scope, "headers": [one] * n}) for n in range(3))
    ]
    assert statuses == [421, None, 421]


# WebSockets


@pytest.mark.parametrize("headers", [{}, {"origin": HERE}, {"origin": EVIL}, {"host": "evil.example"}])
def test_websockets_are_refused_before_they_are_accepted(world: World, headers: dict[str, str]) -> None:
    own = client(world)
    with pytest.raises(WebSocketDisconnect), own.websocket_connect("/", headers=headers):
        pass
    assert world.reached == []


def test_an_upgrade_that_arrives_as_a_get_is_refused(world: World) -> None:
    answer = client(world).get("/", headers={"connection": "upgrade", "upgrade": "WebSocket"})
    assert (answer.status_code, world.reached) == (403, [])


# Bodies


@pytest.mark.parametrize(
    ("path", "headers", "limit"),
    [
        ("/sessions/s/messages", {}, BODY_BYTES),
        ("/sessions/s/messages", FORM, BODY_BYTES),
        ("/sessions/s/steps/start", {}, BODY_BYTES),
        ("/sessions/s/steps/start", FORM, UPLOAD_BYTES),
        ("/sessions/s/steps/start/help", FORM, BODY_BYTES),
        ("/import", {}, BODY_BYTES),
        ("/import", FORM, UPLOAD_BYTES),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("prefix", ["", "/x/y"])
def test_body_limits(
    world: World, path: str, headers: dict[str, str], limit: int, declared: bool, prefix: str
) -> None:
    own = client(world, root_path=prefix)

    def post(size: int) -> Any:
        world.read = 0
        pieces = (b"x" * min(65_536, size - start) for start in range(0, size, 65_536))
        return own.post(prefix + path, content=b"x" * size if declared else pieces, headers=headers)

    fits, exceeds = post(limit), post(limit + 1)
    assert (fits.status_code, fits.text) == (200, f"{limit} bytes")
    assert (exceeds.status_code, exceeds.headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert f"larger than {limit // 2**20} MiB" in exceeds.text
    assert world.read <= limit
    assert_carries_all(fits)
    assert_carries_all(exceeds)


@pytest.mark.parametrize(("length", "status"), [("12", None), ("x", 400), ("-1", 400), ("1" * 5_000, 413)])
def test_a_wrong_length(length: str, status: int | None) -> None:
    headers = [(b"host", b"localhost"), (b"content-length", length.encode())]
    scope = {"type": "http", "method": "POST", "path": "/sessions", "headers": headers}
    refusal = Gate(Starlette(), settings()).judge(scope)
    assert (refusal and refusal.status) == status


# What every answer carries


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/static/1/gone.css", 404),
        ("POST", "/", 405),
        ("TRACE", "/", 405),
        ("GET", "/conflict", 409),
        ("GET", "/broken", 500),
        ("GET", "/inject", 500),
        ("GET", "/cors", 200),
        ("GET", "/events", 200),
    ],
)
def test_every_answer_carries_all(world: World, method: str, path: str, status: int) -> None:
    world.go_on.set()
    answer = client(world).request(method, path)
    assert answer.status_code == status
    assert_carries_all(answer)
    assert "set-cookie" not in answer.headers


def test_a_file_keeps_its_sandbox(world: World) -> None:
    assert_carries_all(client(world).get("/file"), content_security_policy="sandbox")


def test_our_headers_stand_once() -> None:
    doubled = [(b"X-Content-Type-Options", b"a"), (b"Cache-Control", b"public"), (b"Referrer-Policy", b"b")]
    names = [name for name, _ in dress(doubled, public=False)]
    assert sorted(names) == sorted(name.encode() for name in CARRIED)


@contextmanager
def spoken() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}{exception}", diagnose=True, backtrace=True)
    try:
        yield lines
    finally:
        logger.remove(sink)


async def bare_failure(scope: Any, receive: Any, send: Any) -> None:
    raise ExceptionGroup("several", [KeyError("a secret word")])


async def silence(scope: Any, receive: Any, send: Any) -> None:
    pass


def test_an_exception_is_answered_and_logged_without_what_it_quotes() -> None:
    with spoken() as lines:
        answer = TestClient(Gate(bare_failure, settings()), base_url=HERE).get(
            "/a%0Ab", headers={"x-key": "hush"}
        )
    assert answer.status_code == 500 and answer.text.startswith("Something failed here")
    assert_carries_all(answer)
    assert len(lines) == 1 and "GET /a?b failed with KeyError" in lines[0]
    assert "secret word" not in lines[0] and "hush" not in lines[0]


def test_an_exception_behind_the_apps_own_500_is_logged_too(world: World) -> None:
    with spoken() as lines:
        answer = client(world).post("/broken", content=b"a secret word")
    assert answer.status_code == 500
    assert len(lines) == 1 and "POST /broken failed with RuntimeError" in lines[0] and "in broken" in lines[0]
    assert "secret word" not in lines[0]


def test_an_app_that_says_nothing_is_a_500() -> None:
    answer = TestClient(Gate(silence, settings()), base_url=HERE).get("/")
    assert answer.status_code == 500
    assert_carries_all(answer)


def test_lifespan_reaches_the_app() -> None:
    seen: list[str] = []

    async def on_start(app: Starlette) -> AsyncIterator[None]:
        seen.append("up")
        yield
        seen.append("down")

    with TestClient(Gate(Starlette(lifespan=asynccontextmanager(on_start)), settings()), base_url=HERE):
        assert seen == ["up"]
    assert seen == ["up", "down"]


# On the wire, by a real server


@contextmanager
def served(world: World, **options: Any) -> Iterator[socket.socket]:
    """A connection to a real server that runs in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Gate(small_app(world), settings()),
        http="h11",
        log_level="critical",
        timeout_graceful_shutdown=1,
        **options,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with socket.create_connection(listener.getsockname(), timeout=20) as connection:
            yield connection
    finally:
        world.go_on.set()
        server.should_exit = True
        thread.join()
        listener.close()


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What arrives up to `end`; an assertion fails if the connection closes before."""
    read = b""
    while end not in read:
        piece = connection.recv(65_536)
        assert piece, f"closed before {end!r}: {read!r}"
        read += piece
    return read


def assert_wire_carries_all(head: bytes) -> None:
    lines = head.decode().split("\r\n")
    missing = [line for line in (f"{name}: {value}" for name, value in CARRIED.items()) if line not in lines]
    assert not missing


def test_a_streams_first_words_arrive_before_its_end(world: World) -> None:
    with served(world) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        read = read_until(connection, b"data: first\n\n")
        assert not world.go_on.is_set() and b"data: last" not in read
        world.go_on.set()
        assert b"data: last" in read_until(connection, b"0\r\n\r\n")
    assert_wire_carries_all(read)


def test_an_endless_body_is_cut_off(world: World) -> None:
    """The answer comes while the body still has no end."""
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with served(world) as connection:
        connection.sendall(
            b"POST /sessions/s/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(BODY_BYTES // 65_536 + 1):
            connection.sendall(chunk)
        read = read_until(connection, b"Send less.\n")
    assert read.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in read
    assert world.read <= BODY_BYTES
    assert_wire_carries_all(read)


def test_a_refused_upload_still_gets_to_read_why(world: World) -> None:
    """Some clients send the whole body before they look at the answer; they are not reset."""
    size = 8 * BODY_BYTES
    with served(world) as connection:
        connection.sendall(
            f"POST /import HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        connection.sendall(b"x" * size)
        read = read_until(connection, b"Send less.\n")
        assert connection.recv(1) == b""
    assert read.startswith(b"HTTP/1.1 413 ") and world.read == 0


def test_a_client_that_asks_first_is_told_no_without_waiting() -> None:
    """It sends its body only if it is asked to, so there is nothing to wait for."""
    sent: list[Any] = []

    async def receive() -> Any:
        pytest.fail("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"9" * 15), (b"expect", b"100-continue")]
    scope = {"type": "http", "method": "POST", "path": "/import", "headers": headers}
    asyncio.run(Gate(silence, settings())(scope, receive, send))
    assert [message.get("status") for message in sent] == [413, None]
    assert not sent[-1]["more_body"] and (b"connection", b"close") in sent[0]["headers"]


def test_a_browser_that_leaves_is_no_failure(world: World) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    headers = [(b"host", b"localhost"), (b"content-length", b"10")]
    scope = {"type": "http", "method": "POST", "path": "/import", "headers": headers, "query_string": b""}
    with spoken() as lines:
        asyncio.run(Gate(small_app(world), settings())(scope, receive, send))
    assert lines == []


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.mark.parametrize("ws", ["none", "websockets-sansio"])
def test_a_websocket_handshake_is_refused(world: World, ws: str) -> None:
    if ws != "none":
        pytest.importorskip("websockets")
    with served(world, ws=ws) as connection:
        connection.sendall(HANDSHAKE)
        read = read_until(connection, b"plain requests.\n")
    assert read.startswith(b"HTTP/1.1 403 ") and world.reached == []


@pytest.mark.parametrize(("path", "status"), [("/x/static/1/a.css", 200), ("/x/healthz", 200), ("/x/", 403)])
def test_the_prefix_is_not_part_of_an_address(world: World, path: str, status: int) -> None:
    """Behind a prefix, static files are still public and pages still private."""
    assert client(world, root_path="/x").get(path, headers={"origin": EVIL}).status_code == status

"""The server: one workspace, one socket, until it is told to stop."""

import asyncio
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import NoReturn

import uvicorn
from loguru import logger
from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings import Settings
from ..web.app import make_app
from . import served
from .ports import WILDCARDS, address_of, listen


def serve(settings: Settings, say: Callable[[str], None], warn: Callable[[str], None], browser: bool) -> None:
    """Serves until Ctrl-C or SIGTERM; a workspace that is served already is only opened."""
    _configure_log()
    claim = served.claim(settings.workspace / "conversations")
    if isinstance(claim, served.Server):
        say(f"This workspace is served already: {claim.address} (process {claim.pid}).")
        if browser:
            webbrowser.open(claim.address)
        return
    try:
        bound = listen(settings.host, settings.port)
        with bound:
            settings = _with_host(replace(settings, port=bound.getsockname()[1]), warn)
            address = address_of(settings.host, settings.port, settings.prefix)
            claim.tell(address)
            _run(
                Prefixed(make_app(settings), settings.prefix),
                bound,
                lambda: _listens(settings, address, say, browser),
            )
    finally:
        claim.release()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _with_host(settings: Settings, warn: Callable[[str], None]) -> Settings:
    """The settings with the host itself allowed, and a word of warning where others can reach it."""
    if is_loopback(settings.host):
        return settings
    warn("There is no login: whoever reaches this address can read and change everything in the workspace.")
    if settings.host in WILDCARDS:
        warn("Name the host that others will open with --allow-host; without it they are turned away.")
        return settings
    return replace(settings, allowed_hosts=(*settings.allowed_hosts, settings.host))


def _listens(settings: Settings, address: str, say: Callable[[str], None], browser: bool) -> None:
    say(f"Assistant at {address} (workspace {settings.workspace}). Stop with Ctrl-C.")
    if browser:  # some browsers' starters wait until the browser ends
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


class Prefixed:
    """Gives every request the prefix, whether the proxy in front of us cut it off or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.prefix and scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path != self.prefix and not path.startswith(f"{self.prefix}/"):
                path = self.prefix + path
            scope = {**scope, "root_path": self.prefix, "path": path}
        await self.app(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn's server, which tells us when it listens, and the app when it is about to stop.

    uvicorn waits for open streams before it ends the app's lifespan, so the app hands out an event for
    them in its lifespan state.
    """

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = self.lifespan.state.get("ending")
        if isinstance(ending, asyncio.Event):
            ending.set()
        await super().shutdown(sockets)


def _run(app: ASGIApp, bound: socket.socket, on_start: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app, http="h11", ws="none", loop="asyncio", lifespan="on", limit_concurrency=2_000,
        timeout_graceful_shutdown=2, log_level="warning", log_config=None, access_log=False,
        server_header=False,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, _stopped)  # uvicorn raises the signal again once it has shut down
    server = _Server(config, on_start)
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        pass  # the way to stop it
    if not server.started:
        sys.exit(1)  # uvicorn has said why


def _stopped(*_: object) -> NoReturn:
    sys.exit(0)


def _configure_log() -> None:
    """Short lines, and no values of variables in tracebacks: they may be secrets."""
    logger.remove()
    logger.add(
        sys.stderr, format="{time:HH:mm:ss} {level} {message}", level="INFO", backtrace=False, diagnose=False
    )

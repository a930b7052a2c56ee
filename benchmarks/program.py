"""The real program as a process of its own, a workspace for it, and a browser to look at it."""

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

from .figures import ROOT

COMMAND = (sys.executable, "-m", "assistant")
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NOBODY = "127.0.0.1:9"  # where no Ollama answers
START_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """The program, serving `workspace` at `host`:`port`."""

    process: subprocess.Popen[bytes]
    workspace: Path
    port: int
    started: float  # when its process was started, by time.perf_counter

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> bytes:
        """The body of a page; it must be there."""
        return self._ask("GET", path)[2]

    def post(self, path: str, **form: str) -> str:
        """Sends a form; where it leads to."""
        return self._ask("POST", path, urlencode(form))[1]

    def begin(self, workflow: str = "link_graph") -> str:
        """A new session's path, `/sessions/...`."""
        return self.post("/sessions", workflow=workflow)

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, bytes]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, kind)
            answer = connection.getresponse()
            found = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {found[:300]!r}")
        return answer.status, answer.headers.get("Location") or "", found

    def cpu(self) -> float:
        """Seconds of CPU that the process has used so far, in steps of 10 ms."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime

    def memory(self) -> float:
        """Memory that the process holds now, in MB."""
        told = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmRSS:\s+(\d+) kB", told, re.MULTILINE)
        assert found
        return int(found[1]) * 1024 / 1e6


@contextmanager
def workspace() -> Iterator[Path]:
    """An empty workspace, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in ("workflows", "prompts", "conversations"):
            (Path(folder) / name).mkdir(mode=0o700)
        yield Path(folder)


@contextmanager
def server(folder: Path, ollama: str = NOBODY, model: str = "") -> Iterator[Server]:
    """The program on a free port, once its first page was answered."""
    port = free_port()
    given = {k: v for k, v in os.environ.items() if not k.startswith("ASSISTANT_")} | {"OLLAMA_HOST": ollama}
    options = ["--port", str(port), "--no-browser", "--workspace", str(folder)]
    options += ["--model", model] if model else []
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*COMMAND, "serve", *options], cwd=ROOT, env=given, stdout=said, stderr=said
        )
        made = Server(process, folder, port, started)
        try:
            if not _answers(made):
                said.seek(0)
                raise RuntimeError(
                    f"The program did not start: {said.read().decode(errors='replace')[-2000:]}"
                )
            yield made
        finally:
            process.terminate()
            process.wait(10)


def _answers(server: Server) -> bool:
    """Whether the first page came; asked again until it does."""
    end = server.started + START_SECONDS
    while time.perf_counter() < end and server.process.poll() is None:
        try:
            server.get("/")
        except OSError:
            time.sleep(0.002)
        else:
            return True
    return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield found
        finally:
            found.close()


@contextmanager
def fresh_page(found: Browser) -> Iterator[Page]:
    """A page with nothing kept from before."""
    context = found.new_context(viewport={"width": 1440, "height": 900})
    try:
        yield context.new_page()
    finally:
        context.close()


def open_session(page: Page, address: str) -> None:
    """Opens a session's page and waits until its stream has brought its first message."""
    page.add_init_script(_WATCH_STREAM)
    page.goto(address)
    page.wait_for_selector("html[data-stream-open]", state="attached", timeout=10_000)


_WATCH_STREAM = """
addEventListener("htmx:sse:after:connection", () => document.documentElement.dataset.streamOpen = "1", true);
addEventListener("htmx:sse:after:message", () => document.documentElement.dataset.streamOpen = "1", true);
"""

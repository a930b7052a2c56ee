"""For tests: the real program, `assistant serve`, in a process of its own, with a workspace of its own.

with serving(workspace) as server:          # a free port; it has answered when the block begins
    sid = server.begin("small")
    with Stream(server, sid) as stream: stream.until(lambda m: "#runs" in m.targets)
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from bs4 import BeautifulSoup

import assistant
from assistant.log import Entry, Fact, Log, read

ROOT = Path(assistant.__file__).resolve().parent.parent
DEAD = "http://127.0.0.1:9"  # where no Ollama is
PATIENCE = 30.0  # seconds until a test gives up; nothing waits so long where all is well
HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def environment(ollama: str = DEAD) -> dict[str, str]:
    """This process's environment without what would change the program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    return kept | {"PYTHONPATH": str(ROOT), "OLLAMA_HOST": ollama, "TZ": "UTC"}


def make_workspace(folder: Path, **workflows: str) -> Path:
    """A workspace with these workflow files, by stem."""
    (folder / "workflows").mkdir(parents=True)
    (folder / "conversations").mkdir(mode=0o700)
    for stem, source in workflows.items():
        (folder / "workflows" / f"{stem}.py").write_text(source, "utf-8")
    return folder


class Server:
    """A server's process, which can be killed and started again (a class: it has a life)."""

    def __init__(self, workspace: Path, *options: str, ollama: str = DEAD) -> None:
        self.workspace, self.options, self.ollama = workspace, options, ollama
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx.Client()
        self.address = ""

    def start(self) -> "Server":
        arguments = [sys.executable, "-m", "assistant", "serve", "--port", "0", "--no-browser"]
        with (self.workspace / "server.err").open("a") as errors:
            self.process = subprocess.Popen(
                [*arguments, "--workspace", str(self.workspace), *self.options],
                cwd=self.workspace, env=environment(self.ollama), text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        assert self.process.stdout
        told = self.process.stdout.readline()
        if not told.startswith("Assistant at "):
            self.end(signal.SIGKILL)
            raise AssertionError(f"It did not start: {told}{self.errors()}")
        self.address = told.split()[2]
        self.client.close()
        self.client = httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False)
        return self

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        """Send the signal; the exit status once it has ended."""
        self.client.close()
        if self.process is None:
            return 0
        self.process.send_signal(by)
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout
            self.process.stdout.close()
        self.process = None
        return status

    def errors(self) -> str:
        """What it wrote on stderr."""
        return (self.workspace / "server.err").read_text("utf-8")

    # what tests do all the time

    def get(self, address: str, **more: Any) -> httpx.Response:
        return self.client.get(address, **more)

    def post(self, address: str, data: Any = None, **more: Any) -> httpx.Response:
        return self.client.post(address, data=data, **more)

    def begin(self, workflow: str) -> str:
        """A new session's id."""
        answer = self.post("sessions", {"workflow": workflow})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].rsplit("/", 1)[1]

    def next(self, sid: str, step: str, data: Any = None, status: int = 303, **more: Any) -> httpx.Response:
        """Press a card's Next."""
        answer = self.post(f"sessions/{sid}/steps/{step}", data, **more)
        assert answer.status_code == status, f"{answer.status_code}: {reasons(answer)}"
        return answer

    def state(self, sid: str) -> dict[str, Any]:
        return self.get(f"sessions/{sid}", headers=JSON).json()

    def page(self, address: str, status: int = 200) -> BeautifulSoup:
        answer = self.get(address)
        assert answer.status_code == status, answer.text
        return soup(answer)

    def folder(self, sid: str) -> Path:
        return self.workspace / "conversations" / sid

    def entries(self, sid: str) -> list[Entry]:
        """The session's log as its file is; it must be whole."""
        entries, damage = read(self.folder(sid) / "log.jsonl")
        assert damage is None, damage
        return entries

    def did(self, sid: str, did: str) -> list[Entry]:
        return [entry for entry in self.entries(sid) if entry.did == did]

    def tell(self, sid: str, *facts: Fact) -> list[Entry]:
        """Append to the session's log, as another program does."""
        log = Log(self.folder(sid))
        try:
            return log.append(lambda _: facts)
        finally:
            log.close()

    def wait(self, sid: str, until: Callable[[Any], bool]) -> None:
        """Follow the session's stream until `until(self)` holds."""
        with Stream(self, sid) as stream:
            while not until(self):
                stream.next()

    def run(self, sid: str) -> dict[str, Any]:
        """Start a run and wait for its end; the state's `run`."""
        assert self.post(f"sessions/{sid}/runs").status_code == 303
        self.wait(sid, lambda server: server.state(sid)["run"]["state"] != "running")
        found: dict[str, Any] = self.state(sid)["run"]
        return found


@contextmanager
def serving(workspace: Path, *options: str, ollama: str = DEAD) -> Iterator[Server]:
    server = Server(workspace, *options, ollama=ollama)
    try:
        yield server.start()
    finally:
        server.end()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls return, all made at the same moment."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def soup(answer: httpx.Response) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def reasons(answer: httpx.Response) -> str:
    """What a page complains about."""
    said = [p.get_text() for p in soup(answer).select(".error, [role=alert]")]
    return "; ".join(text for text in said if text) or answer.text[:200]


# --- the stream ----------------------------------------------------------------------------------------


@dataclass
class Message:
    """One message of a stream: its id, and its fragments by their target, in order."""

    id: str | None = None
    data: str = ""
    targets: dict[str, str] = field(default_factory=dict)


class Stream:
    """A connection to a session's stream, read in a thread (a class: it has a life)."""

    def __init__(
        self, server: Server, sid: str, after: int | None = None, last_event_id: str | None = None
    ) -> None:
        query = "" if after is None else f"?after={after}"
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        self._queue: queue.Queue[Message | None] = queue.Queue()
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False)
        request = self._client.build_request(
            "GET", f"{server.address}sessions/{sid}/events{query}", headers=headers
        )
        self.answer = self._client.send(request, stream=True)
        assert self.answer.status_code == 200, self.answer.read()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            message, lines = Message(), []
            for line in self.answer.iter_lines():
                if line.startswith("id:"):
                    message.id = line[3:].strip()
                elif line.startswith("data:"):
                    lines.append(line[5:].removeprefix(" "))
                elif not line and (message.id is not None or lines):
                    message.data = "\n".join(lines)
                    for part in BeautifulSoup(message.data, "html.parser").find_all("hx-partial"):
                        before = message.targets.get(part["hx-target"], "")
                        message.targets[part["hx-target"]] = before + part.decode_contents()
                    self._queue.put(message)
                    message, lines = Message(), []
        except (httpx.HTTPError, httpx.StreamError, OSError):
            pass  # cut off: an end like another
        self._queue.put(None)

    def next(self) -> Message:
        """The next message; an AssertionError where the stream has ended."""
        message = self._queue.get(timeout=PATIENCE)
        assert message is not None, "the stream has ended"
        return message

    def come(self) -> list[Message]:
        """The messages that have come and were not looked at."""
        return [self.next() for _ in range(self._queue.qsize())]

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        """The first message from here on that is wanted."""
        while not wanted(message := self.next()):
            pass
        return message

    def ended(self) -> bool:
        """Wait for the end, whatever comes before it."""
        while self._queue.get(timeout=PATIENCE) is not None:
            pass
        return True

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        try:  # which wakes the thread
            self.answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended
        self._thread.join(PATIENCE)
        self.answer.close()
        self._client.close()

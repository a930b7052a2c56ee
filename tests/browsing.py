"""For browser tests: the real program, Chromium's tabs, workflows, and what tests do on a page all the time.

The fixtures are in browser.py, which a test file takes as a plugin: `pytest_plugins = ["browser"]`.
"""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect
from serving import DEAD, PATIENCE, Server, environment

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
REFUSED = r"status of (422|409)"  # how Chromium reports an answer that the page shows as a refusal
GONE = r"net::ERR_|Failed to fetch|network error|NetworkError"  # what it says while the server is down

TRIP = '''"""A trip, in three cards; quick to run."""
from typing import Annotated, Literal

from assistant import Ask, Note, Progress, Secret, Table, Upload, Workflow

flow = Workflow("Trip", "Plan a trip and see what each day costs.")


@flow.step
def place(
    city: Annotated[str, Ask("City", max_length=40)],
    nights: Annotated[int, Ask("Nights", ge=1, le=90, unit="nights")] = 3,
):
    """Where does the trip go?

    Any city will do, and the nights are those spent there.
    """


@flow.step
def budget(
    city,
    money: Annotated[int, Ask("Budget", ge=1, unit="euros")],
    pace: Annotated[Literal["slow", "quick"], Ask("Pace")] = "slow",
):
    """What may it cost?

    The whole budget, without the way there.
    """


@flow.step
def papers(
    ticket: Annotated[Upload | None, Ask("Ticket", accept=".txt")] = None,
    key: Annotated[Secret | None, Ask("Key")] = None,
    remark: Annotated[str, Ask("Remark", long=True)] = "",
):
    """Which papers go along?

    All of them may be left out.
    """


@flow.run
def plan(city, nights, money, ticket):
    import pandas as pd

    yield Progress(1, 1, "planned")
    days = range(1, nights + 1)
    yield Table("days", pd.DataFrame({"day": list(days), "where": city, "cost": [money // d for d in days]}))
    yield Note(f"To **{city}**, {ticket.read_text().strip() if ticket else 'no ticket'}")
'''

ENDLESS = '''"""A run that ends only when it is told to."""
import time
from pathlib import Path
from typing import Annotated

from assistant import Ask, Note, Progress, Workflow

flow = Workflow("Endless", "Runs until its file is there.")


@flow.step
def until(file: Annotated[str, Ask("File")]):
    """Which file ends it?"""


@flow.run
def wait(file):
    yield Progress(1, 4, "waiting")
    while not Path(file).exists():
        time.sleep(0.01)
    yield Note("It is over.")
'''
SMALL = {"trip": TRIP, "endless": ENDLESS}


# --- the program ---------------------------------------------------------------------------------------


class Program(Server):
    """The server with an Ollama of the test's choice, which keeps its port as it is started again."""

    def __init__(self, workspace: Path, ollama: str = DEAD) -> None:
        super().__init__(workspace)
        self.ollama = ollama

    def start(self) -> "Program":
        port = urlsplit(self.address).port or 0
        command = [sys.executable, "-m", "assistant", "serve", "--port", str(port), "--no-browser"]
        with (self.workspace / "server.err").open("a") as errors:
            self.process = subprocess.Popen(
                [*command, "--workspace", str(self.workspace)],
                cwd=self.workspace,
                env=environment() | {"OLLAMA_HOST": self.ollama},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout
        told = self.process.stdout.readline()
        assert told.startswith("Assistant at "), f"{told}{self.errors()}"
        self.address = told.split()[2]
        self.client.close()
        self.client = httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False)
        return self

    def kill(self) -> None:
        """End it as a crash would, without a chance to do anything more."""
        self.end(signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that it started and that still live."""
        assert self.process
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def page_of(self, sid: str) -> str:
        return f"{self.address}sessions/{sid}"

    def sid_of(self, page: Page) -> str:
        return urlsplit(page.url).path.rsplit("/", 1)[1]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- the tabs ------------------------------------------------------------------------------------------


class Tabs:
    """Tabs of one browser profile, and what went wrong in them (a class: it gathers during a test)."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.hosts: set[str] = set()
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.requests: list[str] = []
        context.set_default_timeout(10_000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        context.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def expect(self, pattern: str) -> None:
        """Errors that are part of this test."""
        self.expected.append(pattern)

    def __call__(self, address: str) -> Page:
        self.hosts.add(urlsplit(address).netloc)
        page = self.context.new_page()
        page.goto(address)
        return page

    def verdict(self) -> list[str]:
        found = [p for p in self.problems if not any(re.search(pattern, p) for pattern in self.expected)]
        for url in self.requests:
            parts = urlsplit(url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.hosts:
                found.append(f"a request to another host: {url}")
        return found


# --- what tests do all the time ------------------------------------------------------------------------


def card(page: Page, step: str) -> Locator:
    return page.locator(f"#card-{step}")


def is_open(page: Page, step: str) -> None:
    """Wait until the step's card is the open one."""
    expect(card(page, step)).to_have_attribute("data-state", "open")


def next_(page: Page, step: str) -> None:
    """Press the card's Next."""
    page.locator(f"#form-{step} button.next").click()


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"#cards [name={name}]").fill(value)


def say(page: Page, text: str) -> None:
    page.locator("#chat-input").fill(text)
    page.locator("#chat-send").click()


def words(page: Page, by: str) -> Locator:
    """What was said by `user`, `guide` or `model`."""
    return page.locator(f".message[data-did=said][data-by={by}]")


def until(page: Page, script: str) -> None:
    """Wait until the script gives true. (Playwright's own way needs eval, which our policy forbids.)"""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(script):
        assert time.monotonic() < end, f"never came true: {script}"
        page.wait_for_timeout(20)


def follows(page: Page) -> None:
    """Wait until the page follows the session's stream: what others do is seen from here on."""
    until(page, "!!document.querySelector('#stream')._htmx?.sse?.lastEventId")


def run_state(page: Page, state: str) -> None:
    expect(page.locator(f"#runs .run[data-state={state}]")).to_be_visible(timeout=20_000)


def focus_of(page: Page) -> str:
    """The name of the field that has the focus, or else its id."""
    return str(page.evaluate("document.activeElement.getAttribute('name') || document.activeElement.id"))


def hide(page: Page, hidden: bool) -> None:
    """Let the page believe that its tab went behind another one, or came back. (Headless, none ever does.)"""
    page.evaluate(
        """(hidden) => { Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange")); }""",
        hidden,
    )

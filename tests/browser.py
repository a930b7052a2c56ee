"""Fixtures for browser tests: Chromium on the real program, with everything that goes wrong on a page noticed.

A test file takes them with `pytest_plugins = ["browser"]`. `program` makes servers with workspaces of their own,
`tab` makes tabs of one browser profile, `double` is a scripted Ollama. A test fails on an error in the console,
on an uncaught exception, on a violation of the content security policy and on any request to another host;
a screenshot of each tab is left in the temporary folder of a test that failed.
"""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from double import Double
from pages import ENDLESS, TRIP, WIDE, Program, Tabs
from playwright.sync_api import Browser, expect, sync_playwright
from serving import DEAD, make_workspace

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
]
FAILED: pytest.StashKey[bool] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file; its event loop must not outlive them."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=10_000)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def double() -> Iterator[Double]:
    """A scripted Ollama without models."""
    with Double(scripts=False) as double:
        yield double


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes the program with the small workflows, or those given by stem, and starts it."""
    made: list[Program] = []

    def make(ollama: str = DEAD, **workflows: str) -> Program:
        folder = tmp_path / f"workspace-{len(made)}"
        make_workspace(folder, **(workflows or {"trip": TRIP, "endless": ENDLESS}))
        made.append(Program(folder, ollama))
        return made[-1].start()

    make.made = made  # type: ignore[attr-defined]
    yield make
    for each in made:
        each.end(signal.SIGKILL)


@pytest.fixture
def tabs(
    chromium: Browser, program: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Tabs]]:
    """Makes browser profiles, each of which makes tabs."""
    made: list[Tabs] = []

    def make(**options: Any) -> Tabs:
        context = chromium.new_context(**{"viewport": WIDE, "accept_downloads": True, **options})
        made.append(Tabs(context, lambda: {urlsplit(p.address).netloc for p in program.made}))
        return made[-1]

    yield make
    found = [problem for each in made for problem in each.verdict()]
    failed = request.node.stash.get(FAILED, False) or bool(found)
    for n, page in enumerate(page for each in made for page in each.context.pages):
        if failed:
            page.screenshot(path=tmp_path / f"tab-{n}.png")
    for each in made:
        each.context.close()
    assert not found, "\n".join(found)


@pytest.fixture
def tab(tabs: Callable[..., Tabs]) -> Tabs:
    """Tabs of one profile, as wide as a desktop."""
    return tabs()

"""Fixtures for browser tests: Chromium on the real program, where everything that goes wrong is noticed.

A test file takes them with `pytest_plugins = ["browser"]`. `program` makes programs with workspaces of their
own, `shared_program` is one for a whole file, `tab` makes tabs of one browser profile, `double` is a scripted
Ollama. A test fails on an error in the console, on an uncaught exception, on a violation of the content
security policy and on any request to another host; a screenshot of each tab is left in the temporary folder
of a test that failed.
"""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import SMALL, WIDE, Program, Tabs
from double import Double
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


@contextmanager
def programs(folder: Path) -> Iterator[Callable[..., Program]]:
    """Makes the program with the small workflows, or those given by stem, and starts it."""
    made: list[Program] = []

    def make(ollama: str = DEAD, **workflows: str) -> Program:
        workspace = make_workspace(folder / f"workspace-{len(made)}", **(workflows or SMALL))
        made.append(Program(workspace, ollama))
        return made[-1].start()

    try:
        yield make
    finally:
        for each in made:
            each.end(signal.SIGKILL)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs of the test's own, which it may kill."""
    with programs(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def shared_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for tests that keep to sessions of their own."""
    with programs(tmp_path_factory.mktemp("shared")) as make:
        yield make()


@pytest.fixture
def tabs(chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Tabs]]:
    """Makes browser profiles, each of which makes tabs."""
    made: list[Tabs] = []

    def make(**options: Any) -> Tabs:
        made.append(Tabs(chromium.new_context(**{"viewport": WIDE, **options})))
        return made[-1]

    yield make
    found = [problem for each in made for problem in each.verdict()]
    if found or request.node.stash.get(FAILED, False):
        for n, page in enumerate(page for each in made for page in each.context.pages):
            page.screenshot(path=tmp_path / f"tab-{n}.png")
    for each in made:
        each.context.close()
    assert not found, "\n".join(found)


@pytest.fixture
def tab(tabs: Callable[..., Tabs]) -> Tabs:
    """Tabs of one profile, as wide as a desktop."""
    return tabs()

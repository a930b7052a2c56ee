"""The picture in the README: `python -m benchmarks.screenshot`. A session with the guide, halfway through.

The site that is crawled is Python's documentation as Debian's python3-doc has it, served from this machine.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from . import program
from .figures import ROOT

SITE = Path("/usr/share/doc/python3-doc/html")
PICTURE = ROOT / "docs" / "session.png"
SIZE: ViewportSize = {"width": 1440, "height": 1040}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def site() -> Iterator[str]:
    """The address of the documentation, as long as it is served."""
    with ThreadingHTTPServer(
        ("127.0.0.1", program.free_port()), partial(Quiet, directory=str(SITE))
    ) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}/"
        found.shutdown()


def main() -> int:
    if not SITE.is_dir():
        print("Python's documentation is not here. Install Debian's package python3-doc.", file=sys.stderr)
        return 1
    PICTURE.parent.mkdir(exist_ok=True)
    with program.workspace() as folder, program.server(folder) as server, site() as address:
        with program.browser() as browser:
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            program.open_session(page, server.address + server.begin())
            go_halfway(page, address)
            page.screenshot(path=str(PICTURE), animations="disabled")
    print(f"{PICTURE.relative_to(ROOT)} was written.")
    return 0


def go_halfway(page: Page, address: str) -> None:
    """The first two cards by hand, part of the third in words."""
    press_next(page, "start")
    page.fill("[name=start]", address)
    press_next(page, "scope")
    say(page, "only the tutorial and the library please, and wait half a second")
    say(page, "why do you need a pause?")
    page.evaluate("() => scrollTo(0, 0)")


def press_next(page: Page, step: str) -> None:
    """Completes the open card; `step` is the one that opens then."""
    page.click('article.card[data-state="open"] button.next')
    page.wait_for_selector(f'#card-{step}[data-state="open"]')


def say(page: Page, words: str) -> None:
    """Says something and waits until it was answered."""
    answers = page.locator('article.message[data-did="said"][data-by="guide"]')
    known = answers.count()
    page.fill("#chat-input", words)
    page.press("#chat-input", "Enter")
    answers.nth(known).wait_for()


if __name__ == "__main__":
    sys.exit(main())

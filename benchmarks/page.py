"""The session page in a browser: what its first load costs, when it can be used, and Next."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from assistant.log import Fact, Log

from . import program
from .figures import Figure, median


@dataclass
class Load:
    """What the browser's network said while a page was loading. Times in seconds, on the browser's clock."""

    hosts: list[str] = field(default_factory=list)
    bytes: float = 0.0
    begun: float | None = None
    stream: str = ""
    stream_open: float = 0.0
    parsed: float = 0.0


def measure(runs: int) -> Iterator[Figure]:
    with program.workspace() as folder, program.server(folder) as server, program.browser() as browser:
        yield from first_load(browser, server, runs)
        path = server.begin()
        value = median(lambda: largest_paint(browser, server.address + path), runs)
        yield Figure("largest paint", value, "ms", 150, "a fresh browser profile")
        value = median(lambda: load(browser, server.address + path)[1], runs)
        yield Figure("chat usable", value, "ms", 150, "page parsed, scripts run, its stream open")
        value = next_card(browser, server, 3 * runs)
        yield Figure("Next pressed to next card visible", value, "ms", 60, "by pointer, saved on disk")
        value = others_value(browser, server, 3 * runs)
        yield Figure("another program's value, visible", value, "ms", 500, "its line on disk to the page")


def first_load(browser: Browser, server: program.Server, runs: int) -> Iterator[Figure]:
    own = urlsplit(server.address).netloc
    loads = [load(browser, server.address + server.begin())[0] for _ in range(runs)]
    requests = statistics.median(len(each.hosts) for each in loads)
    others = max(sum(host != own for host in each.hosts) for each in loads)
    yield Figure("first load, requests", requests, "", 10, "the stream among them")
    yield Figure(
        "first load, on the wire",
        statistics.median(each.bytes for each in loads) / 1e3,
        "kB",
        80,
        "with headers",
    )
    yield Figure("first load, requests to another host", others, "", 0)


def load(browser: Browser, address: str) -> tuple[Load, float]:
    """What loading a session's page took, and the milliseconds until its chat could be used."""
    seen = Load()
    with program.fresh_page(browser) as page:
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Page.enable")
        wire.on("Network.requestWillBeSent", lambda event: _asked(seen, event))
        wire.on("Network.responseReceived", lambda event: _answered(seen, event))
        wire.on("Network.dataReceived", lambda event: _stream_data(seen, event))
        wire.on("Network.loadingFinished", lambda event: _loaded(seen, event))
        wire.on("Page.domContentEventFired", lambda event: _parsed(seen, event))
        program.open_session(page, address)
        if not page.is_enabled("#chat-input"):
            raise RuntimeError("The chat can not be written to.")
        page.wait_for_timeout(300)  # what comes late belongs to the load too
    assert seen.begun is not None
    return seen, 1e3 * (max(seen.stream_open, seen.parsed) - seen.begun)


def _asked(seen: Load, event: dict[str, Any]) -> None:
    if not event["request"]["url"].startswith("data:"):
        seen.hosts.append(urlsplit(event["request"]["url"]).netloc)
    if seen.begun is None:
        seen.begun = event["timestamp"]


def _answered(seen: Load, event: dict[str, Any]) -> None:
    if event["response"]["mimeType"] == "text/event-stream":
        seen.stream, seen.stream_open = event["requestId"], event["timestamp"]
        seen.bytes += event["response"]["encodedDataLength"]


def _stream_data(seen: Load, event: dict[str, Any]) -> None:
    if event["requestId"] == seen.stream:  # it does not finish, so it is counted as it comes
        seen.bytes += event["encodedDataLength"]


def _loaded(seen: Load, event: dict[str, Any]) -> None:
    if event["requestId"] != seen.stream:
        seen.bytes += event["encodedDataLength"]


def _parsed(seen: Load, event: dict[str, Any]) -> None:
    seen.parsed = event["timestamp"]


def largest_paint(browser: Browser, address: str) -> float:
    """Milliseconds to the largest contentful paint."""
    with program.fresh_page(browser) as page:
        program.open_session(page, address)
        page.wait_for_timeout(300)
        return float(page.evaluate(_LARGEST))


_LARGEST = """() => new Promise((done) => new PerformanceObserver((list) =>
    done(Math.max(...list.getEntries().map((entry) => entry.startTime)))
).observe({ type: "largest-contentful-paint", buffered: true }))"""


def next_card(browser: Browser, server: program.Server, runs: int) -> float:
    """Median milliseconds from the pointer's press on Next until another card is open and laid out."""
    times = []
    for _ in range(runs + 1):
        with program.fresh_page(browser) as page:
            program.open_session(page, server.address + server.begin())
            times.append(_press_next(page))
    return statistics.median(times[1:])


def _press_next(page: Page) -> float:
    page.evaluate(_WATCH_CARDS)
    page.click('article.card[data-state="open"] button.next')
    return float(page.evaluate("() => window.nextCard"))


_WATCH_CARDS = """() => {
    const open = () => document.querySelector('article.card[data-state="open"]');
    const first = open().id;
    let pressed;
    addEventListener("pointerdown", () => (pressed = performance.now()), { capture: true, once: true });
    window.nextCard = new Promise((done, fail) => {
        setTimeout(() => fail(new Error("No other card opened within 10 s.")), 10_000);
        new MutationObserver((_, observer) => {
            const card = open();
            if (!card || card.id === first || !card.querySelector("form")?.offsetHeight) return;
            observer.disconnect();
            done(performance.now() - pressed);
        }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
}"""


def others_value(browser: Browser, server: program.Server, runs: int) -> float:
    """Median milliseconds from the line that another program appends until its value stands on the page."""
    times = []
    for n in range(runs + 1):
        with program.fresh_page(browser) as page:
            path = server.begin()
            program.open_session(page, server.address + path)
            page.evaluate(_WATCH_CARDS_OF_OTHERS)
            page.wait_for_timeout(37 * n % 250)  # at any moment between two looks at the file
            log = Log(server.workspace / "conversations" / path.rsplit("/", 1)[1])
            log.append(lambda _: [Fact("cli", "set", {"step": "source", "values": {"source": "csv"}})])
            written = 1e3 * time.time()
            log.close()
            times.append(float(page.evaluate("() => window.seen")) - written)
    return statistics.median(times[1:])


_WATCH_CARDS_OF_OTHERS = """() => {
    window.seen = new Promise((done, fail) => {
        setTimeout(() => fail(new Error("The value did not come within 10 s.")), 10_000);
        new MutationObserver((_, observer) => {
            if (!document.querySelector('#cards [data-by="cli"]')?.offsetHeight) return;
            observer.disconnect();
            done(performance.timeOrigin + performance.now());
        }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
}"""

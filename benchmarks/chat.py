"""Replies of a scripted model: how soon its first word is seen, and how soon all of them."""

import dataclasses
import http.client
import json
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.sync_api import Browser

from tests.double import Round, tokens

from . import model, program
from .figures import Figure, median

PAUSE = 0.1  # seconds between two questions: a model that rested is asked by a page that rested
WORDS = "Tell me more about this."  # no command, which the guide would carry out
FIRST = "Zebra"
END = "the very end"


@dataclass(frozen=True)
class Bench:
    """What every measure here needs."""

    model: model.Model
    server: program.Server
    browser: Browser


def measure(runs: int) -> Iterator[Figure]:
    with model.scripted() as found, program.workspace() as folder:
        with program.server(folder, found.address, model.NAME) as server, program.browser() as browser:
            bench = Bench(found, server, browser)
            yield from first_token(bench, 3 * runs)
            yield from many_tokens(bench, runs)
            yield from slow_tokens(bench, runs)


def first_token(bench: Bench, runs: int) -> Iterator[Figure]:
    reply = Round(text=(FIRST, " and", " more", "\n\n", END))
    own = median(lambda: bare(bench, reply)[0], runs)
    first, *others = in_browser(bench, reply, runs + 1)
    seen = statistics.median(each.first for each in others)
    note = f"of a model that takes {own:.1f} ms itself"
    yield Figure("first token, added", seen - own, "ms", 10, f"Enter to text in the page, {note}")
    yield Figure(
        "first token of a page, added", first.first - own, "ms", None, "the first message after it opened"
    )
    sent = median(lambda: on_stream(bench, reply), runs)
    yield Figure("first token, added by the server", sent - own, "ms", None, f"POST to stream, {note}")


def many_tokens(bench: Bench, runs: int) -> Iterator[Figure]:
    few = median(lambda: in_browser(bench, ended(tokens(500)))[0].all, runs)
    yield Figure("500 tokens without delay", few, "ms", 150, "all visible, Markdown rendered")
    many = median(lambda: in_browser(bench, ended(tokens(5_000)))[0].all, max(1, runs // 2))
    yield Figure("5,000 tokens without delay", many, "ms", None, f"{many / few:.1f} times that of 500")
    least, most = cpu_of(bench, 500, runs), cpu_of(bench, 5_000, runs)
    note = f"{most / least:.1f} times that of 500, which take {1e3 * least:.0f} ms"
    yield Figure("5,000 tokens, the server's CPU", 1e3 * most, "ms", None, note)


def cpu_of(bench: Bench, count: int, runs: int) -> float:
    """Seconds of the server's CPU for a reply of so many tokens, on average."""
    reply = ended(tokens(count))
    begun = bench.server.cpu()
    for _ in range(runs):
        on_stream(bench, dataclasses.replace(reply, text=(FIRST, *reply.text)))
    return (bench.server.cpu() - begun) / runs


def slow_tokens(bench: Bench, runs: int) -> Iterator[Figure]:
    reply = ended(tokens(500, 0.005))
    own = bare(bench, reply)[1]
    seen = median(lambda: in_browser(bench, reply)[0].all, max(1, runs // 2), warm=0)
    yield Figure("500 tokens at 5 ms each", seen, "ms", 2_520, f"the model itself {own:,.0f} ms")


def ended(reply: Round) -> Round:
    """The reply with its last token replaced by one that can be looked for."""
    return dataclasses.replace(reply, text=(*reply.text[:-1], f"\n\n{END}"))


def bare(bench: Bench, reply: Round) -> tuple[float, float]:
    """Milliseconds to the first and the last line where nothing stands between the model and its reader."""
    bench.model.enqueue(reply)
    time.sleep(PAUSE)
    body = json.dumps({"model": model.NAME, "messages": [{"role": "user", "content": "go"}]})
    connection = http.client.HTTPConnection("127.0.0.1", bench.model.port)
    connection.connect()
    begun = time.perf_counter()
    connection.request("POST", "/api/chat", body)
    answer = connection.getresponse()
    answer.readline()
    first = time.perf_counter()
    answer.read()
    ended = time.perf_counter()
    connection.close()
    return 1e3 * (first - begun), 1e3 * (ended - begun)


@dataclass(frozen=True)
class Seen:
    """Milliseconds from Enter to the first text of the reply in the page, and to all of it."""

    first: float
    all: float


SAID = 'article.message[data-did="said"][data-by="model"]'


def in_browser(bench: Bench, reply: Round, times: int = 1) -> list[Seen]:
    """Says something `times` times in one new session, each time with this reply."""
    found = []
    with program.fresh_page(bench.browser) as page:
        program.open_session(page, bench.server.address + bench.server.begin())
        for n in range(times):
            bench.model.enqueue(reply)
            page.fill("#chat-input", WORDS)
            page.evaluate(_WATCH_REPLY, [END, SAID])
            time.sleep(PAUSE)
            page.press("#chat-input", "Enter")
            found.append(Seen(**page.evaluate("() => window.reply")))
            said = page.locator(SAID).nth(n)
            _check(said.locator(".words").text_content() or "", reply)
            page.wait_for_selector("#draft[hidden]", state="attached")
    return found


def _check(shown: str, reply: Round) -> None:
    """All of the reply is there, and its Markdown is not."""
    wanted = re.sub(r"[\s*`-]", "", "".join(reply.text))
    if re.sub(r"\s", "", shown) != wanted:
        raise RuntimeError(f"The page does not show the whole reply, rendered; it ends in {shown[-80:]!r}.")


_WATCH_REPLY = """([end, said]) => {
    let pressed, first;
    const known = document.querySelectorAll(said).length;
    const parts = () => [
        ...document.querySelectorAll("#draft-done, #draft-tail"),
        ...[...document.querySelectorAll(said)].slice(known).map((each) => each.querySelector(".words")),
    ];
    const changes = { subtree: true, childList: true, characterData: true };
    addEventListener("keydown", () => (pressed ??= performance.now()), { capture: true, once: true });
    window.reply = new Promise((done, fail) => {
        setTimeout(() => fail(new Error("The reply did not come within 60 s.")), 60_000);
        new MutationObserver((_, observer) => {
            for (const part of parts()) {
                if (part.firstElementChild) first ??= performance.now() - pressed;
                if (!part.lastElementChild?.textContent.includes(end)) continue;
                observer.disconnect();
                done({ first, all: performance.now() - pressed });
                return;
            }
        }).observe(document.querySelector("#chat-log"), changes);
    });
}"""


def on_stream(bench: Bench, reply: Round) -> float:
    """Milliseconds from sending the user's words until the stream brings the reply's first word."""
    bench.model.enqueue(reply)
    path = bench.server.begin()
    stream = http.client.HTTPConnection("127.0.0.1", bench.server.port, timeout=30)
    stream.request("GET", f"{path}/events?after=1")
    answer = stream.getresponse()
    _read_until(answer, "</hx-partial>")  # what the page could not know
    sender = http.client.HTTPConnection("127.0.0.1", bench.server.port, timeout=30)
    sender.connect()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    time.sleep(PAUSE)
    begun = time.perf_counter()
    sender.request("POST", f"{path}/messages", urlencode({"text": WORDS}), kind)
    seen = _read_until(answer, FIRST)
    sender.getresponse().read()
    _read_until(answer, END)
    sender.close()
    stream.close()
    return 1e3 * (seen - begun)


def _read_until(answer: http.client.HTTPResponse, text: str) -> float:
    """When the stream brought `text`."""
    while text.encode() not in (line := answer.readline()):
        if not line:
            raise RuntimeError(f"The stream ended before {text!r} came.")
    return time.perf_counter()

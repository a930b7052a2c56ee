"""One page of the web, for link_graph: its address in one form, fetched with bounds, its links read.

Pages are written by strangers: whatever one holds, it costs at most some seconds and some megabytes.
"""

import codecs
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import quote, urljoin, urlsplit

import httpx

AGENT = "link-graph"  # the name that robots.txt may speak to
DEADLINE = 20.0  # seconds for one address
REDIRECTS = 10
PAGE_BYTES = 5 * 2**20  # a longer page is cut here
TITLE = 300  # characters kept
LINK_TEXT = 100
NO_HTML = "no HTML page"
NO_PAGES = tuple(
    ".7z .avi .bz2 .css .csv .epub .exe .gif .gz .ico .iso .jpeg .jpg .json .mov .mp3 .mp4 .ogg .pdf .png"
    " .rar .svg .tar .tgz .ttf .txt .wav .webm .webp .woff .woff2 .xml .xz .zip".split()
)  # endings not worth a request: only HTML pages are pages here
# browsers read the first two as Windows-1252; the others are no charsets of pages, and slow or undefined
NO_CHARSETS = set("ascii iso8859-1 idna punycode unicode_escape raw-unicode-escape utf-7 undefined".split())


# --- addresses -------------------------------------------------------------------------------------------


def address(href: str, base: str = "") -> str:
    """The one form of a web address: no fragment, default port or dot segments; '' if it is none."""
    try:
        url = urlsplit(urljoin(base, re.sub(r"[\t\r\n]", "", href).strip()))
        host, port = url.hostname or "", url.port
    except ValueError:
        return ""
    if url.scheme not in ("http", "https") or not host:
        return ""
    kept: list[str] = []
    parts = url.path.split("/")[1:] or [""]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    host = f"[{host}]" if ":" in host else host
    at = "" if port in (None, {"http": 80, "https": 443}[url.scheme]) else f":{port}"
    rest = "/" + "/".join(kept) + (f"?{url.query}" if url.query else "")
    rest = quote(rest, safe="/%:@!$&'()*+,;=~?[]|")
    rest = re.sub("%[0-9a-f]{2}", lambda code: code[0].upper(), rest, flags=re.IGNORECASE)
    return f"{url.scheme}://{host}{at}{rest}"


def may_be_page(url: str) -> bool:
    return bool(url) and not urlsplit(url).path.lower().endswith(NO_PAGES)


# --- fetch -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What an address gave: where it led to, and the page; or the `problem`; or how a page was `cut`."""

    url: str
    status: int = 0
    problem: str = ""
    html: str = ""
    cut: str = ""


def anywhere(url: str) -> bool:
    return True


def open_client(parallel: int = 1, delay: float = 0.0) -> httpx.Client:
    """A client whose requests start at least `delay` seconds after each other."""
    lock, next_start = threading.Lock(), time.monotonic()

    def wait(request: httpx.Request) -> None:
        nonlocal next_start
        with lock:
            mine = max(next_start, time.monotonic())
            next_start = mine + delay
        time.sleep(max(0.0, mine - time.monotonic()))

    return httpx.Client(
        headers={"User-Agent": f"{AGENT}/1.0", "Accept": "text/html, application/xhtml+xml"},
        limits=httpx.Limits(max_connections=parallel + 1),
        timeout=DEADLINE,
        event_hooks={"request": [wait]},
    )


def fetch(
    client: httpx.Client, url: str, may_go: Callable[[str], bool] = anywhere, html_only: bool = True
) -> Answer:
    """The page at `url`. Redirects are followed one by one, as long as they lead to where we may go."""
    asked, status = url, 0
    try:
        for _ in range(REDIRECTS + 1):
            with client.stream("GET", url) as response:
                status = response.status_code
                if not response.has_redirect_location:
                    return read_answer(response, url, html_only)
                url = address(response.headers["location"], url)
            if not url:
                return Answer(asked, status, "leads to something that is no web address")
            if not may_go(url):
                return Answer(asked, status, f"leads to {url[:300]}, which is left out")
        return Answer(asked, status, f"more than {REDIRECTS} redirects, one after the other")
    except httpx.TimeoutException:
        return Answer(asked, status, f"no answer in {DEADLINE:g} seconds")
    except httpx.ConnectError as error:
        return Answer(asked, status, f"nobody answers there ({error})")
    except httpx.HTTPError as error:
        return Answer(asked, status, f"the answer broke off ({error})")
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: a host name that can not be encoded
        return Answer(asked, status, f"it is no valid address ({error})")


def read_answer(response: httpx.Response, url: str, html_only: bool) -> Answer:
    status = response.status_code
    if status >= 400:
        known = status in HTTPStatus._value2member_map_
        return Answer(url, status, f"{status} {HTTPStatus(status).phrase}" if known else str(status))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if html_only and kind not in ("text/html", "application/xhtml+xml"):
        return Answer(url, status, NO_HTML)
    body, cut, end = bytearray(), "", time.monotonic() + DEADLINE
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > PAGE_BYTES:
            del body[PAGE_BYTES:]
            cut = f"longer than {PAGE_BYTES // 2**20} MB, cut there"
        elif time.monotonic() > end:
            cut = f"slower than {DEADLINE:g} seconds, cut there"
        if cut:
            break
    return Answer(url, status, "", decode(bytes(body), response.charset_encoding, bool(cut)), cut)


# --- read ------------------------------------------------------------------------------------------------


def decode(body: bytes, declared: str | None, cut: bool = False) -> str:
    """Text by the first charset that fits: BOM, header, meta element, UTF-8, else Windows-1252."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    named = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", body[:4096], re.IGNORECASE)
    in_meta = named[1].decode("ascii", "replace").lower() if named else ""
    in_meta = "" if in_meta.startswith("utf-16") else in_meta  # or the element itself could not be read
    marked = [name for mark, name in marks.items() if body.startswith(mark)]
    for name in [*marked, declared, in_meta, "utf-8"]:
        try:
            if name and codecs.lookup(name).name not in NO_CHARSETS:
                return body.decode(name, "ignore" if cut else "strict")  # the cut may go through a letter
        except (LookupError, ValueError):
            continue
    return body.decode("cp1252", "replace")


def read_page(html: str, url: str) -> tuple[str, list[tuple[str, str]]]:
    """Title, and (address, text) of each link to something that may be a page, in the order of the page."""
    reader, end = PageReader(), time.monotonic() + DEADLINE
    try:
        for at in range(0, len(html), 2**16):  # in pieces: a malicious page must not hold the crawl up
            reader.feed(html[at : at + 2**16])
            if time.monotonic() > end:
                break
    except AssertionError:  # the parser's word for a declaration that it does not know; keep what came before
        pass
    base = address(reader.base, url) or url
    found = ((address(href, base), one_line(text, LINK_TEXT)) for href, text in reader.links)
    return one_line(reader.title, TITLE), [(target, text) for target, text in found if may_be_page(target)]


class PageReader(HTMLParser):
    """Collects the title, the base address, and the target and text of each link."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.base, self.in_title = "", "", False
        self.links: list[list[str]] = []
        self.link: list[str] | None = None  # the one that text belongs to

    def handle_starttag(self, tag, attributes) -> None:
        href = dict(reversed(attributes)).get("href")  # of two, a browser takes the first
        if tag == "title":
            self.in_title = not self.title
        elif tag == "base":
            self.base = self.base or href or ""
        elif tag in ("a", "area"):
            self.link = [href, ""] if href is not None and tag == "a" else None
            if href is not None:
                self.links.append(self.link or [href, ""])

    def handle_endtag(self, tag) -> None:
        if tag == "title":
            self.in_title = False
        elif tag == "a":
            self.link = None

    def handle_data(self, data) -> None:
        if self.in_title and len(self.title) < TITLE:
            self.title += data[:TITLE]
        elif self.link and len(self.link[1]) < LINK_TEXT:
            self.link[1] += data[:LINK_TEXT]


def one_line(text: str, most: int) -> str:
    return " ".join(text.split())[:most]

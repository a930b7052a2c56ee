"""Link graph: crawl a web site, or read a file of links, and see how its pages link to each other.

Read it from top to bottom: the cards, the run, then what the run calls in the order in which it calls it:
crawl, fetch, read a page, which addresses belong, the numbers, the picture, the summary.
"""

import codecs
import csv
import io
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import translate
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote, urljoin, urlsplit

import httpx
from pydantic import HttpUrl

from assistant import Ask, Graph, Note, Progress, Table, Upload, Workflow

NO_HTML = "no HTML page"
AGENT = "link-graph"  # the name that robots.txt may speak to
DEADLINE = 20.0  # seconds for one address
REDIRECTS = 10
PAGE_BYTES = 5 * 2**20  # a longer page is cut here
TEXT = 300  # characters kept of a title: pages are written by strangers
LINK_TEXT = 100
NO_PAGES = tuple(
    ".7z .avi .bz2 .css .csv .epub .exe .gif .gz .ico .iso .jpeg .jpg .json .mov .mp3 .mp4 .ogg .pdf .png"
    " .rar .svg .tar .tgz .ttf .txt .wav .webm .webp .woff .woff2 .xml .xz .zip".split()
)  # endings not worth a request: only HTML pages are pages here
# browsers read the first two as Windows-1252; the others are no charsets of pages, and slow or undefined
NO_CHARSETS = {
    "ascii",
    "iso8859-1",
    "idna",
    "punycode",
    "unicode_escape",
    "raw-unicode-escape",
    "utf-7",
    "undefined",
}

flow = Workflow("Link graph", "Crawl a web site and see how its pages link to each other.")


# --- the cards -------------------------------------------------------------------------------------------


def is_site(source):
    return source == "site"


def is_csv(source):
    return source == "csv"


def found(sections_found):
    return sections_found


def usual_colour(source, sections):
    if source == "csv":
        return "component"
    return "depth" if len(sections or []) == 1 else "section"  # one section would be one colour


@flow.step
def source(
    source: Annotated[
        Literal["site", "csv"],
        Ask("Links from", aliases={"web site": "site", "crawl": "site", "file": "csv", "spreadsheet": "csv"}),
    ] = "site",
):
    """Where do the links come from?

    Crawl a web site (site), or read a file that already lists who links to whom (csv).
    """


@flow.step(when=is_site)
def start(
    start: Annotated[
        HttpUrl,
        Ask("First page", help="the address where the crawl begins", example="https://docs.python.org/3/"),
    ],
    depth: Annotated[
        int, Ask("Clicks deep", unit="clicks", ge=0, le=20, help="0 is the first page alone")
    ] = 2,
    limit: Annotated[int, Ask("At most", unit="pages", ge=1, le=50_000, help="the crawl ends there")] = 500,
):
    """Where should the crawl start?

    The crawl opens this page, follows its links, then theirs, as many clicks deep as you say. It stays on
    this page's host and below its folder unless you say otherwise on the next card. Next opens the page
    once, to see that it answers and which sections it links to.
    """
    with open_client() as client:
        answer = fetch(client, address(str(start)), belongs=anywhere)
    if answer.problem:
        raise ValueError(no_start(str(start), answer))
    folder = folder_of(answer.url)
    targets = [target for target, _ in read_page(answer.html, answer.url)[1]]
    sections = dict.fromkeys(section_of(target, folder) for target in targets if target.startswith(folder))
    return {"sections_found": [section for section in sections if section][:100]}


@flow.step(when=is_site)
def scope(
    sections_found,
    sections: Annotated[
        list[str], Ask("Sections", default=[], options=found, help="found on the first page")
    ],
    include: Annotated[
        list[str],
        Ask("Only", default=[], help="patterns of addresses, one a line, optional", example="*/api/*"),
    ],
    exclude: Annotated[
        list[str],
        Ask(
            "Leave out",
            default=[],
            help="patterns of addresses, one a line, optional",
            example="*/genindex-*.html",
        ),
    ],
    stay: Annotated[
        Literal["folder", "host", "anywhere"],
        Ask(
            "Stay",
            help="below the first page's folder, on its host, or follow links to other hosts too",
            aliases={"below the folder": "folder", "site": "host", "other sites too": "anywhere"},
        ),
    ] = "folder",
    delay: Annotated[
        float, Ask("Pause", unit="seconds", ge=0, le=60, help="between the starts of two requests")
    ] = 0.2,
    parallel: Annotated[int, Ask("Requests at a time", ge=1, le=16, help="at most so many under way")] = 4,
    robots: Annotated[
        bool, Ask("Obey robots.txt", help="leave out what the site asks robots to leave out")
    ] = True,
):
    """Which part of the site?

    Choose the sections that you care about. A page counts if its address begins with one of them; leave all
    unchecked for the whole site. In a pattern, * stands for anything; a pattern without * may match anywhere
    in the address. Each request costs the site something: with a pause of 1 second, 500 pages take about
    eight minutes; with 0.2, under two.
    """


@flow.step(when=is_csv)
def links_file(
    file: Annotated[
        Upload, Ask("File of links", accept=".csv", help="one link a line, with a line of column names")
    ],
    source_column: Annotated[
        str, Ask("Linking page", help="the column with the page that has the link", max_length=200)
    ] = "source",
    target_column: Annotated[
        str, Ask("Linked page", help="the column with the page that it leads to", max_length=200)
    ] = "target",
):
    """Which file of links?

    A table as text (CSV), with commas, semicolons or tabs between the columns. Two of its columns are used:
    the page that has the link, and the page that it leads to. It stays on this machine.
    """
    for _ in read_links(file, source_column, target_column):
        return None
    raise ValueError(f"{file.name} has a line of column names, but no link below it.")


@flow.step
def picture(
    source,
    sections,
    colour_by: Annotated[
        Literal["section", "depth", "component", "status", "in_degree", "out_degree", "pagerank"],
        Ask(
            "Colour by",
            default=usual_colour,
            help="section: the folder of the page; component: what hangs together",
        ),
    ],
    size_by: Annotated[
        Literal["pagerank", "in_degree", "out_degree"],
        Ask(
            "Size by",
            help="pagerank: how often a random reader comes by; in_degree, out_degree: links to it, on it",
        ),
    ] = "pagerank",
):
    """What should the picture show?

    Each page is a dot, each link a line. Here you choose what the first picture shows; colour and size can
    also be changed in the picture.
    """


# --- the run ---------------------------------------------------------------------------------------------


@flow.run
def link_graph(source, start, depth, limit, sections, include, exclude, stay, delay, parallel, robots,
               file, source_column, target_column, colour_by, size_by):  # fmt: skip
    import pandas as pd

    if source == "site":
        with open_client(parallel) as client:
            pace = make_pace(delay)
            first = fetch(client, address(str(start)), belongs=anywhere, pace=pace)
            if first.problem:
                raise ValueError(no_start(str(start), first))
            rules = make_rules(client, pace, robots)
            if not rules(first.url):
                raise ValueError(
                    f"robots.txt of this host asks robots to leave {first.url} alone, or could not be read. "
                    "If the site is yours, switch “Obey robots.txt” off."
                )
            belongs = make_scope(first.url, stay, sections or [], include or [], exclude or [])
            pages, links, left_out = yield from crawl(
                client, first, depth, limit, parallel, belongs, rules, pace
            )
        pages, links = pd.DataFrame(pages), pd.DataFrame(links, columns=["source", "target", "text", "times"])
    else:
        links = pd.DataFrame(read_links(file, source_column, target_column), columns=["source", "target"])
        links = links.groupby(["source", "target"], sort=False).size().rename("times").reset_index()
        pages = pages_of_links(links)
        links, left_out = links[links["source"] != links["target"]].reset_index(drop=True), {}

    yield Progress(len(pages), len(pages), "counting links")
    pages["section"] = [section_of(url, folder_of(pages["url"][0])) or "(top)" for url in pages["url"]]
    ends = numbered(pages, links)
    pages["in_degree"], pages["out_degree"] = degrees(len(pages), ends)
    pages["pagerank"] = pagerank(len(pages), ends)
    pages["component"] = components(len(pages), ends)
    yield Table("pages", pages)
    yield Table("links", links)
    yield Progress(len(pages), len(pages), "placing the pages in the picture")
    yield Graph("graph", placed(pages, ends), links[["source", "target"]], colour=colour_by, size=size_by)
    yield Note(summary(pages, links, left_out))


# --- crawl: level by level, each in the order of the pages that link to it -------------------------------


@dataclass(frozen=True)
class Answer:
    """What an address gave: where it led to, and the page; or the `problem`; or how a page was `cut`."""

    url: str
    status: int = 0
    problem: str = ""
    html: str = ""
    cut: str = ""


def crawl(client, first, depth, limit, parallel, belongs, rules, pace) -> Generator[Progress, None, Any]:
    """Pages breadth first from `first`, their links, and what was left out, by reason.

    Several requests are under way at once, but their answers are taken in the order of the links: so two
    crawls of one site are equal, and `depth` is the least number of clicks.
    """
    pages: dict[str, dict[str, Any]] = {}
    links: dict[tuple[str, str], list[Any]] = {}  # source and target: the first text, how many times
    led_to: dict[str, str] = {}  # where an address ended after its redirects
    left_out = {"no HTML page": 0, "robots.txt": 0, "the limit": 0}
    seen, waiting = {first.url}, deque([first.url])

    def ask(url: str) -> Answer:
        return first if url == first.url else fetch(client, url, belongs, rules, pace)

    with ThreadPoolExecutor(parallel) as pool:
        for clicks in range(depth + 1):
            next_level: deque[str] = deque()
            for url, answer, under_way in in_order(pool, ask, waiting, pages, limit, parallel):
                if answer.problem == NO_HTML:
                    left_out["no HTML page"] += 1
                    continue
                led_to[url] = answer.url
                if answer.url in pages:
                    continue
                title, targets = read_page(answer.html, answer.url)
                problem = answer.problem or answer.cut
                pages[answer.url] = dict(
                    url=answer.url, title=title, depth=clicks, status=answer.status, problem=problem
                )
                for target, text in targets:
                    if not belongs(target):
                        continue
                    links.setdefault((answer.url, target), [text, 0])[1] += 1
                    if target not in seen and clicks < depth:
                        seen.add(target)
                        if rules(target):
                            next_level.append(target)
                        else:
                            left_out["robots.txt"] += 1
                total = len(pages) + under_way + len(waiting) + len(next_level)
                yield Progress(len(pages), min(limit, total), urlsplit(answer.url).path)
            if len(pages) >= limit:
                left_out["the limit"] = len(waiting) + len(next_level)
                break
            waiting = next_level
    return list(pages.values()), between(pages, links, led_to), left_out


def in_order(pool, ask, waiting, pages, limit, parallel) -> Iterator[tuple[str, Answer, int]]:
    """Asks the `waiting` addresses, several at once, never more than there is room for below `limit`.

    Gives address, answer and how many are under way, in the order of the addresses.
    """
    under_way: deque[tuple[str, Future[Answer]]] = deque()
    while waiting or under_way:
        while waiting and len(under_way) < min(parallel, limit - len(pages)):
            url = waiting.popleft()
            if url not in pages:  # it may be where another address led to
                under_way.append((url, pool.submit(ask, url)))
        if not under_way:
            return
        url, answer = under_way.popleft()
        yield url, answer.result(), len(under_way)


def between(pages, links, led_to) -> list[tuple[str, str, str, int]]:
    """Each pair of linked pages once: source, target, the first link's text, how many times."""
    kept: dict[tuple[str, str], list[Any]] = {}
    for (source, target), (text, times) in links.items():
        target = led_to.get(target, target)
        if target in pages and target != source:
            kept.setdefault((source, target), [text, 0])[1] += times
    return [(source, target, text, times) for (source, target), (text, times) in kept.items()]


# --- fetch one address -----------------------------------------------------------------------------------


def anywhere(url: str) -> bool:
    return True


def no_wait() -> None:
    return None


def open_client(parallel: int = 1) -> httpx.Client:
    limits = httpx.Limits(max_connections=parallel + 1)
    headers = {"User-Agent": f"{AGENT}/1.0", "Accept": "text/html, application/xhtml+xml"}
    return httpx.Client(headers=headers, limits=limits, timeout=DEADLINE)


def make_pace(delay: float) -> Callable[[], None]:
    """A function that returns when the next request may start: `delay` seconds after the one before."""
    lock, next_start = threading.Lock(), time.monotonic()

    def pace() -> None:
        nonlocal next_start
        with lock:
            mine = max(next_start, time.monotonic())
            next_start = mine + delay
        time.sleep(max(0.0, mine - time.monotonic()))

    return pace


def fetch(client, url, belongs, rules=anywhere, pace=no_wait, html_only=True) -> Answer:
    """The page at `url`. Redirects are followed one by one, as long as they stay where the crawl may go."""
    asked, status = url, 0
    try:
        for _ in range(REDIRECTS + 1):
            pace()
            end = time.monotonic() + DEADLINE
            with client.stream("GET", url) as response:
                status = response.status_code
                if not response.has_redirect_location:
                    return read_answer(response, url, end, html_only)
                url = address(response.headers["location"], url)
            if not url:
                return Answer(asked, status, "leads to something that is no web address")
            if not (belongs(url) and rules(url)):
                return Answer(asked, status, f"leads to {url[:TEXT]}, which is left out")
        return Answer(asked, status, f"more than {REDIRECTS} redirects, one after the other")
    except httpx.TimeoutException:
        return Answer(asked, status, f"no answer in {DEADLINE:g} seconds")
    except httpx.ConnectError as error:
        return Answer(asked, status, f"nobody answers there ({error})")
    except httpx.HTTPError as error:
        return Answer(asked, status, f"the answer broke off ({error})")
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: a host name that can not be encoded
        return Answer(asked, status, f"it is no valid address ({error})")


def read_answer(response: httpx.Response, url: str, end: float, html_only: bool) -> Answer:
    status = response.status_code
    if status >= 400:
        known = status in HTTPStatus._value2member_map_
        return Answer(url, status, f"{status} {HTTPStatus(status).phrase}" if known else str(status))
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if html_only and kind not in ("text/html", "application/xhtml+xml"):
        return Answer(url, status, NO_HTML)
    body, cut = read_body(response, end)
    return Answer(url, status, "", decode(body, response.charset_encoding, bool(cut)), cut)


def read_body(response: httpx.Response, end: float) -> tuple[bytes, str]:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > PAGE_BYTES:
            return bytes(body[:PAGE_BYTES]), f"longer than {PAGE_BYTES // 2**20} MB, cut there"
        if time.monotonic() > end:
            return bytes(body), f"slower than {DEADLINE:g} seconds, cut there"
    return bytes(body), ""


def no_start(start: str, answer: Answer) -> str:
    what = "it is not an HTML page" if answer.problem == NO_HTML else answer.problem
    return f"{start} can not be the first page: {what}. Look at the address, or open it in a browser."


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


# --- read a page -----------------------------------------------------------------------------------------


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
        if self.in_title and len(self.title) < TEXT:
            self.title += data[:TEXT]
        elif self.link and len(self.link[1]) < LINK_TEXT:
            self.link[1] += data[:LINK_TEXT]


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
    return one_line(reader.title, TEXT), [(target, text) for target, text in found if may_be_page(target)]


def may_be_page(url: str) -> bool:
    return bool(url) and not urlsplit(url).path.lower().endswith(NO_PAGES)


def one_line(text: str, most: int) -> str:
    return " ".join(text.split())[:most]


# --- addresses: which are equal, which belong ------------------------------------------------------------


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
    rest = re.sub(
        "%[0-9a-f]{2}", lambda code: code[0].upper(), quote(rest, safe="/%:@!$&'()*+,;=~?[]|"), flags=re.I
    )
    return f"{url.scheme}://{host}{at}{rest}"


def folder_of(url: str) -> str:
    """The address of the folder that a page lies in: up to the last slash of its path."""
    path = url.partition("?")[0]
    return path[: path.rfind("/") + 1]


def section_of(url: str, folder: str) -> str:
    """First part of the path below `folder` ('' for a page right in it); elsewhere /part, or the host."""
    if url.startswith(folder):
        return url[len(folder) :].partition("?")[0].rpartition("/")[0].partition("/")[0]
    host, part = re.match(r"(?:\w+://([^/]*)/?)?([^/?]*)", url).groups()  # a file's names may be no addresses
    return host if host and host not in folder.split("/") else f"/{part}"


def make_scope(first: str, stay: str, sections, include, exclude) -> Callable[[str], bool]:
    """A function that says whether an address is part of the crawl. The first page always is."""
    folder, host = folder_of(first), urlsplit(first).netloc
    wanted, unwanted = [[pattern(text) for text in texts] for texts in (include, exclude)]

    def belongs(url: str) -> bool:
        if url == first:
            return True
        if stay == "folder" and not url.startswith(folder):
            return False
        if stay == "host" and urlsplit(url).netloc != host:
            return False
        if sections and section_of(url, folder) not in sections:
            return False
        if any(one.fullmatch(url) for one in unwanted):
            return False
        return not wanted or any(one.fullmatch(url) for one in wanted)

    return belongs


def pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text if "*" in text else f"*{text}*"))


def make_rules(client: httpx.Client, pace: Callable[[], None], obey: bool) -> Callable[[str], bool]:
    """A function that says whether robots.txt of an address's host lets us go there (RFC 9309).

    No robots.txt (4xx) allows everything; one that can not be had (5xx, no answer) nothing.
    """
    if not obey:
        return anywhere
    from protego import Protego

    known: dict[str, Protego] = {}
    lock = threading.Lock()

    def rules(url: str) -> bool:
        host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        with lock:
            if host not in known:
                answer = fetch(client, f"{host}/robots.txt", anywhere, pace=pace, html_only=False)
                unread = answer.problem and not 400 <= answer.status < 500
                known[host] = Protego.parse("User-agent: *\nDisallow: /" if unread else answer.html)
        return known[host].can_fetch(url, AGENT)

    return rules


# --- a file of links -------------------------------------------------------------------------------------


def read_links(file: Upload, source: str, target: str) -> Iterator[tuple[str, str]]:
    """The (source, target) of each line; ValueError where the file has no such columns."""
    text = decode(file.read_bytes(), None).replace("\0", "").lstrip()
    mark = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    columns = [name.strip() for name in next(rows, [])]
    missing = [name for name in (source, target) if name not in columns]
    if missing:
        raise ValueError(
            f"{file.name} has no column {' and no column '.join(missing)}. "
            f"Its columns are: {', '.join(columns)[:TEXT] or 'none, it is empty'}. Name two of them."
        )
    at = [columns.index(source), columns.index(target)]
    for row in rows:
        ends = [row[place].strip()[:2000] if place < len(row) else "" for place in at]
        if all(ends):
            yield ends[0], ends[1]


def pages_of_links(links):
    """A page for each name in the links; `depth` counts the clicks from the first page of the file."""
    import pandas as pd

    names = pd.unique(links[["source", "target"]].to_numpy().ravel())
    targets = links.groupby("source", sort=False)["target"].agg(list).to_dict()
    depth, waiting = {names[0]: 0}, deque([names[0]])
    while waiting:
        page = waiting.popleft()
        for target in targets.get(page, []):
            if target not in depth:
                depth[target] = depth[page] + 1
                waiting.append(target)
    return pd.DataFrame({
        "url": names, "title": "", "depth": pd.array([depth.get(name) for name in names], dtype="Int64"),
        "status": pd.array([None] * len(names), dtype="Int64"), "problem": "",
    })  # fmt: skip


# --- the numbers -----------------------------------------------------------------------------------------


def numbered(pages, links):
    """The links as an array of shape (links, 2): the row of the source, the row of the target."""
    import numpy as np

    row = {url: at for at, url in enumerate(pages["url"])}
    return np.array([links["source"].map(row), links["target"].map(row)], dtype=np.int64).T


def degrees(pages: int, ends):
    """Links to each page, and links on it; a pair of pages counts once."""
    import numpy as np

    return np.bincount(ends[:, 1], minlength=pages), np.bincount(ends[:, 0], minlength=pages)


def pagerank(pages: int, ends, damping: float = 0.85):
    """Where a reader is who follows a random link, and every now and then opens a random page; sums to 1.

    rank = (1 - d) / N + d * (sum over linking pages of rank / their links + rank of pages without links / N),
    by Brin and Page, The Anatomy of a Large-Scale Hypertextual Web Search Engine, 1998, with d = 0.85.
    """
    import numpy as np

    out = np.bincount(ends[:, 0], minlength=pages)
    rank = np.full(pages, 1 / pages)
    for _ in range(200):
        share = np.where(out > 0, rank / np.maximum(out, 1), 0)
        follow = np.bincount(ends[:, 1], weights=share[ends[:, 0]], minlength=pages)
        newer = (1 - damping) / pages + damping * (follow + rank[out == 0].sum() / pages)
        if np.abs(newer - rank).sum() < 1e-10:
            break
        rank = newer
    return newer


def components(pages: int, ends):
    """The group that each page hangs together with, whichever way the links point; 1 is the largest."""
    import numpy as np

    above = list(range(pages))

    def top(page: int) -> int:
        while above[page] != page:
            above[page] = page = above[above[page]]
        return page

    for source, target in ends.tolist():
        above[max(top(source), top(target))] = min(top(source), top(target))
    tops = [top(page) for page in range(pages)]
    found, times = np.unique(tops, return_counts=True)
    order = {found[at]: number for number, at in enumerate(np.argsort(-times, kind="stable"), 1)}
    return [order[page] for page in tops]


# --- the picture and the words ---------------------------------------------------------------------------


def placed(pages, ends):
    """The pages with x and y: ForceAtlas2 draws linked pages together and pushes the others apart."""
    from crategraph_forceatlas2 import infer_settings, layout

    nodes = pages.rename(columns={"url": "id"})
    nodes.insert(1, "label", labels(pages))
    xy = layout(len(pages), ends, **infer_settings(len(pages)))
    # names, not amounts: each gets a colour of its own, where a number gets one on a scale
    names = {column: pages[column].astype("string") for column in ("status", "component")}
    return nodes.assign(x=xy[:, 0].round(2), y=xy[:, 1].round(2), **names).drop(columns="title")


def labels(pages):
    """The titles without the site's name, which most of them end with; where there is none, the address."""
    ends = pages["title"].str.extract(r"(\s+[-\u2013\u2014|\u00b7:]\s+[^-\u2013\u2014|\u00b7:]+)$")[0]
    usual = ends.mode()
    if len(usual) and (ends == usual[0]).sum() > len(pages) / 2:
        titles = pages["title"].str.removesuffix(usual[0])
    else:
        titles = pages["title"]
    return titles.where(titles != "", pages["url"]).str.slice(0, 80)


def summary(pages, links, left_out: dict[str, int]) -> str:
    """What was found, in a few sentences of Markdown; a page's own words only as code."""
    most = pages.loc[pages["in_degree"].idxmax()]
    said = [f"**{count(len(pages), 'page')}** and **{count(len(links), 'link')}** between them."]
    if len(links):
        url = most["url"].replace("`", "")
        said.append(f"Most linked: `{url}`, from {count(most['in_degree'], 'page')}.")
    if groups := int(pages["component"].max()) - 1:
        said.append(f"{count(groups, 'group')} of pages without a link to the rest.")
    if broken := int((pages["problem"] != "").sum()):
        said.append(f"{count(broken, 'page')} with a problem: see the column problem.")
    if reasons := [f"{number:,} for {reason}" for reason, number in left_out.items() if number]:
        said.append(f"Addresses left out: {', '.join(reasons)}.")
    return " ".join(said)


def count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

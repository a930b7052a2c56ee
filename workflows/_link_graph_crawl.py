"""The crawl of link_graph: level by level, each in the order of the pages that link to it.

Several requests are under way at once, but their answers are taken in the order of the links: so two crawls
of one site are equal, and `depth` is the least number of clicks.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fnmatch import translate
from typing import Any
from urllib.parse import urlsplit

import httpx
from _link_graph_pages import AGENT, NO_HTML, Answer, address, anywhere, fetch, open_client, read_page

from assistant import Progress


def sections_of(start: str) -> list[str]:
    """The sections that the first page links to. ValueError: it does not answer."""
    with open_client() as client:
        first = first_page(client, start)
    folder = folder_of(first.url)
    targets = [target for target, _ in read_page(first.html, first.url)[1] if target.startswith(folder)]
    sections = dict.fromkeys(section_of(target, folder) for target in targets)
    return [section for section in sections if section][:100]


def crawl(start, depth, limit, stay, sections, include, exclude, delay, parallel, robots):
    """Yields Progress; returns pages, links (source, target, first text, times), and left out by reason."""
    with open_client(parallel, delay) as client:
        first = first_page(client, start)
        allows = make_robots(client) if robots else anywhere
        if not allows(first.url):
            raise ValueError(
                f"robots.txt of this host asks robots to leave {first.url} alone, or could not be read. "
                "If the site is yours, switch “Obey robots.txt” off."
            )
        belongs = make_scope(first.url, stay, sections or [], include or [], exclude or [])
        return (yield from walk(client, first, depth, limit, parallel, belongs, allows))


def first_page(client: httpx.Client, start: str) -> Answer:
    answer = fetch(client, address(start))
    if answer.problem:
        what = "it is not an HTML page" if answer.problem == NO_HTML else answer.problem
        raise ValueError(
            f"{start} can not be the first page: {what}. Look at the address, or open it in a browser."
        )
    return answer


def walk(client, first, depth, limit, parallel, belongs, allows) -> Generator[Progress, None, Any]:
    pages: dict[str, dict[str, Any]] = {}
    links: dict[tuple[str, str], list[Any]] = {}  # source and target: the first text, how many times
    led_to: dict[str, str] = {}  # where an address ended after its redirects
    left_out = {"no HTML page": 0, "robots.txt": 0, "the limit": 0}
    seen, waiting = {first.url}, deque([first.url])

    def ask(url: str) -> Answer:
        return first if url == first.url else fetch(client, url, lambda to: belongs(to) and allows(to))

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
                page = dict(url=answer.url, title=title, depth=clicks, status=answer.status, problem=problem)
                pages[answer.url] = page
                for target, text in targets:
                    if not belongs(target):
                        continue
                    links.setdefault((answer.url, target), [text, 0])[1] += 1
                    if target not in seen and clicks < depth:
                        seen.add(target)
                        if allows(target):
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


# --- which addresses belong ------------------------------------------------------------------------------


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


def make_robots(client: httpx.Client) -> Callable[[str], bool]:
    """A function that says whether robots.txt of an address's host lets us go there (RFC 9309).

    No robots.txt (4xx) allows everything; one that can not be had (5xx, no answer) nothing.
    """
    from protego import Protego

    known: dict[str, Protego] = {}
    lock = threading.Lock()

    def allows(url: str) -> bool:
        host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        with lock:
            if host not in known:
                answer = fetch(client, f"{host}/robots.txt", html_only=False)
                unread = answer.problem and not 400 <= answer.status < 500
                known[host] = Protego.parse("User-agent: *\nDisallow: /" if unread else answer.html)
        return known[host].can_fetch(url, AGENT)

    return allows

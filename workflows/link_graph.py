"""Link graph: crawl a web site, or read a file of links, and see how its pages link to each other.

Read it from top to bottom: the cards, the run, then what the run calls: a file of links, the numbers, the
picture, the summary. How a site is crawled is in two files beside this one, _link_graph_crawl.py and
_link_graph_pages.py; a copy of this file needs them beside it, too.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Literal

from _link_graph_crawl import crawl, folder_of, section_of, sections_of
from _link_graph_pages import decode
from pydantic import HttpUrl

from assistant import Ask, Graph, Note, Progress, Table, Upload, Workflow

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
    return {"sections_found": sections_of(str(start))}


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
        pages, links, left_out = yield from crawl(
            str(start), depth, limit, stay, sections, include, exclude, delay, parallel, robots
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
    yield Note(summary(pages, links, left_out))
    yield Progress(len(pages), len(pages), "placing the pages in the picture")
    yield Graph("graph", placed(pages, ends), links[["source", "target"]], colour=colour_by, size=size_by)
    yield Table("pages", pages)
    yield Table("links", links)


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
            f"Its columns are: {', '.join(columns)[:300] or 'none, it is empty'}. Name two of them."
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

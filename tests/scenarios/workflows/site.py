"""Link graph of a site, without a site: the cards alone, for scenarios."""

from typing import Annotated, Literal

from pydantic import HttpUrl

from assistant import Ask, Note, Workflow

flow = Workflow("Site", "Crawl a web site and see how its pages link to each other.")


def found(sections_found):
    return sections_found


@flow.step
def start(
    start: Annotated[HttpUrl, Ask("First page", help="the address where the crawl begins")],
    depth: Annotated[
        int, Ask("Clicks deep", unit="clicks", ge=0, le=10, help="0 is the first page alone")
    ] = 2,
    limit: Annotated[int, Ask("At most", unit="pages", ge=1, le=50_000, help="the crawl ends there")] = 500,
):
    """Where should the crawl start?

    It stays on this page's host. A click is one link followed.
    """
    if "nowhere" in str(start):
        raise ValueError("This page does not answer. Look at the address.")
    return {"sections_found": ["tutorial", "library", "c-api", "whatsnew"]}


@flow.step
def scope(
    sections_found,
    sections: Annotated[
        list[str], Ask("Sections", default=[], options=found, help="found on the first page")
    ],
    exclude: Annotated[list[str], Ask("Leave out", default=[], help="patterns of addresses, one a line")],
    stay: Annotated[
        Literal["folder", "host", "anywhere"],
        Ask("Stay", help="where to", aliases={"below the folder": "folder", "other sites too": "anywhere"}),
    ] = "folder",
    delay: Annotated[float, Ask("Pause", unit="seconds", ge=0, le=60, help="between two requests")] = 0.2,
    robots: Annotated[bool, Ask("Obey robots.txt", help="leave out what the site asks to leave out")] = True,
):
    """Which part of the site?

    Choose the sections that you care about; leave all unchecked for the whole site.
    """


@flow.step
def picture(
    sections,
    colour: Annotated[Literal["section", "depth", "component"], Ask("Colour by")],
    size: Annotated[
        Literal["pagerank", "in_degree"], Ask("Size by", help="what makes a dot large")
    ] = "pagerank",
):
    """What should the picture show?"""


@flow.run
def crawl(start, depth, limit, sections, exclude, stay, delay, robots, colour, size):
    yield Note("done")

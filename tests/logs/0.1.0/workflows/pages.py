"""Which pages of a small, invented site link to which."""

from typing import Annotated, Literal

from assistant import Ask, Graph, Note, Progress, Refused, Table, Workflow

flow = Workflow("Pages", "A graph of the pages of a site that is not there.")
SECTIONS = {"docs": ["tutorial", "library", "faq"], "blog": ["2025", "2026"]}


def sections(site):
    return SECTIONS[site]


@flow.step
def source(site: Annotated[Literal["docs", "blog"], Ask("Site")] = "docs"):
    """Which site?"""


@flow.step
def scope(
    site,
    depth: Annotated[int, Ask("Depth", ge=1, le=5, unit="clicks")] = 2,
    only: Annotated[list[str], Ask("Sections", options=sections)] = [],
    pause: Annotated[float, Ask("Pause", ge=0, le=10, unit="seconds")] = 0.5,
):
    """How far does it go?

    The depth is counted in clicks from the first page.
    """
    if depth > 3 and not only:
        raise Refused("only", None, "So deep only within sections: choose at least one.")
    return {"wanted": only or SECTIONS[site]}


@flow.step(when=lambda depth: depth > 2)
def bounds(depth, most: Annotated[int, Ask("At most", ge=1, unit="pages")] = 100):
    """Where does it stop?"""


@flow.run
def crawl(site, depth, wanted):
    yield Progress(1, 2, "reading")
    nodes = [{"id": site}, *({"id": name} for name in wanted)]
    edges = [{"source": site, "target": name} for name in wanted]
    yield Table("pages", [{"page": node["id"], "links": depth} for node in nodes])
    yield Graph("links", nodes, edges)
    yield Progress(2, 2, "done")
    yield Note(f"{len(nodes)} pages")

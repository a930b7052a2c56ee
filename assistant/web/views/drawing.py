"""A drawing as SVG: attributes and classes only, colours in app.css, each box a link to its entry."""

from collections.abc import Callable
from html import escape
from typing import Any

from fastcore.xml import Safe
from fasthtml.components import Div, P, Span

from ...record.drawing import drawing_of_workflow
from ...record.layout import Drawing, Edge, Node
from ...workflow import Workflow
from .base import by_tag

ROUND = 5  # radius of a line's corners


def drawing_view(drawing: Drawing, link: Callable[[Node], str | None]) -> Any:
    """The drawing, which scrolls where it is wide, and whose colour is whose. `link`: where a box leads."""
    parts = [*map(_edge, drawing.edges), *(_node(node, link(node)) for node in drawing.nodes)]
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="graphics-document" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" aria-roledescription="drawing" '
        f'aria-label="{escape(drawing.summary)}">{"".join(parts)}</svg>'
    )
    legend = P(*[part for by in drawing.by for part in (by_tag(by), " ")], cls="legend") if drawing.by else ""
    scroll = Div(Safe(svg), cls="scroll", tabindex="0", role="region", aria_label="Drawing")
    return Div(scroll, legend, P(Span(drawing.summary, cls="quiet")))


def workflow_view(flow: Workflow) -> Any:
    """The workflow's own graph; each step and parameter leads to its place on the workflow's page."""
    address = f"workflows/{flow.stem}"
    there = {f"value-{name}" for name in flow.fields()} | {f"step-{step.name}" for step in flow.steps}
    return drawing_view(
        drawing_of_workflow(flow),
        lambda node: f"{address}#{node.id}" if node.id in there else None,
    )


def _edge(edge: Edge) -> str:
    title = f"<title>{escape(edge.title)}</title>" if edge.title else ""
    ends = f'data-from="{escape(edge.source)}" data-to="{escape(edge.target)}"'
    return f'<path class="edge {edge.kind}" {ends} d="{_path(edge.points)}">{title}</path>{_arrow(edge)}'


def _arrow(edge: Edge) -> str:
    x, y = edge.points[-1]
    return f'<path class="arrow {edge.kind}" d="M{x - 5:g} {y - 3:g}L{x:g} {y:g}L{x - 5:g} {y + 3:g}z"/>'


def _path(points: tuple[tuple[float, float], ...]) -> str:
    """Through the points, with round corners."""
    found = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _towards(corner, before), _towards(corner, after)
        found.append(f"L{ax:g} {ay:g}Q{corner[0]:g} {corner[1]:g} {bx:g} {by:g}")
    found.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return "".join(found)


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The point near the corner where its rounding begins."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    part = min(ROUND, length / 2) / length if length else 0
    return corner[0] + dx * part, corner[1] + dy * part


def _node(node: Node, href: str | None) -> str:
    marks = f'class="node {node.kind} {node.state}" data-by="{escape(node.by)}" data-node="{escape(node.id)}"'
    x, y = f"{node.x:g}", f"{node.y:g}"
    box = f'<rect class="box" x="{x}" y="{y}" width="{node.width:g}" height="{node.height:g}" rx="6"/>'
    side = f'<rect class="side" x="{x}" y="{node.y + 6:g}" width="3" height="{node.height - 12:g}"/>'
    inner = f"<title>{escape(node.title)}</title>{box}{side if node.by else ''}{_texts(node)}"
    if href and (node.n or node.kind in ("step", "value")):
        return f'<a href="{escape(href)}" {marks}>{inner}</a>'
    return f"<g {marks}>{inner}</g>"


def _texts(node: Node) -> str:
    """The lines, in the middle of the box's height."""
    lines = [(i == len(node.lines) - 1, line) for i, line in enumerate(node.lines) if line]
    y = node.y + node.height / 2 - 7.5 * len(lines) + 11
    return "".join(
        f'<text class="{"last" if last else "first"}" x="{node.x + 10:g}" y="{y + 15 * i:g}">'
        f"{escape(line)}</text>"
        for i, (last, line) in enumerate(lines)
    )

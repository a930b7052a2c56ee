"""Drawings: what is drawn of a session and of a workflow, where, and as which markup."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from fastcore.xml import to_xml

from assistant import actions
from assistant.log import Entry
from assistant.record.drawing import drawing_of_session, drawing_of_workflow
from assistant.record.layout import MOST, fit, folded
from assistant.session import fold
from assistant.web.views.drawing import drawing_view
from assistant.web.views.workflow import workflow_page
from assistant.workflow import load

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script>'
WIDE = """
from typing import Annotated
from assistant import Ask, Note, Workflow

flow = Workflow("Wide")

{steps}

@flow.run
def go(**values):
    return Note("done")
"""


def entries(*lines):
    return [Entry(n, f"2026-01-01T00:00:{n:02}.000Z", by, did, fields)
            for n, (by, did, fields) in enumerate(lines, 1)]  # fmt: skip


def parsed(drawing, link=lambda node: f"record#p{node.n}"):
    """The SVG of the drawing, read as XML."""
    view = str(drawing_view(drawing, link).children[0].children[0])
    return ElementTree.fromstring(view)


def nodes(drawing):
    return {node.id: node for node in drawing.nodes}


def wide(folder: Path, steps: int, fields: int):
    one = "@flow.step\ndef s{0}({1}):\n    '''Which {0}?'''\n"
    texts = [one.format(s, ", ".join(f"v{s}_{f}: int = 1" for f in range(fields))) for s in range(steps)]
    path = folder / "wide.py"
    path.write_text(WIDE.format(steps="\n\n".join(texts)))
    return load(path)


@pytest.fixture
async def trip(workspace):
    """A session of the workflow in which every dependency occurs, its first two cards done."""
    handle = await actions.begin(workspace, "trip")
    await actions.complete(handle, "start", {"country": "France", "days": "9"})
    await actions.fill(handle, {"town": "Paris"}, "model", "t1", "to Paris")
    await actions.complete(handle, "city", {"town": "Paris"})
    return handle


@pytest.mark.anyio
async def test_values_stand_below_their_step_and_say_who_set_them(trip):
    drawing = drawing_of_session(trip.session(), trip.workflow())
    found = nodes(drawing)
    assert [node.id for node in drawing.nodes if node.kind == "step"] == [
        "step-start", "step-city", "step-hotel", "step-ticket"
    ]  # fmt: skip
    assert found["step-start"].state == found["step-city"].state == "done"
    assert found["step-hotel"].state == "open" and found["step-ticket"].state == "locked"
    assert found["value-country"].by == "user" and found["value-address"].by == "workflow"
    assert found["value-town"].by == "model" and found["value-town"].lines == ("Town", "Paris")
    assert found["value-stars"].state == "empty" and found["value-stars"].n == 0
    for name, step in {"country": "start", "town": "city", "address": "city", "name": "ticket"}.items():
        assert found[f"value-{name}"].x == found[f"step-{step}"].x
        assert found[f"value-{name}"].y > found[f"step-{step}"].y
    session = trip.session()
    assert found["value-town"].n == session.setting("town").n
    assert drawing.summary.startswith("4 steps, 2 done, 4 values.")


@pytest.mark.anyio
async def test_lines_lead_from_values_to_the_steps_that_take_them(trip):
    drawing = drawing_of_session(trip.session(), trip.workflow())
    takes = {(edge.source, edge.target) for edge in drawing.edges if edge.kind == "takes"}
    assert takes == {
        ("value-country", "step-city"),
        ("value-days", "step-hotel"),
        ("value-address", "step-ticket"),
    }
    run = {edge.source for edge in drawing.edges if edge.kind == "run"}
    assert run == {"step-city"}  # town and address; stars and name have no value yet
    assert "which the run does not take" in nodes(drawing)["value-days"].title
    order = [(edge.source, edge.target) for edge in drawing.edges if edge.kind == "next"]
    assert order[0] == ("step-start", "step-city") and order[-1] == ("step-ticket", "run")


@pytest.mark.anyio
async def test_a_line_begins_at_its_value_and_ends_at_its_step(trip):
    drawing = drawing_of_session(trip.session(), trip.workflow())
    found = nodes(drawing)
    for edge in drawing.edges:
        if edge.kind == "takes":
            (x, y), (to_x, to_y) = edge.points[0], edge.points[-1]
            a, b = found[edge.source], found[edge.target]
            assert x == a.x + a.width and a.y <= y <= a.y + a.height
            assert to_x == b.x and b.y <= to_y <= b.y + b.height
        for x, y in edge.points:
            assert 0 <= x <= drawing.width and 0 <= y <= drawing.height


def test_boxes_do_not_lie_on_each_other(tmp_path):
    boxes = drawing_of_workflow(wide(tmp_path, 6, 7)).nodes
    for i, one in enumerate(boxes):
        for two in boxes[:i]:
            beside = one.x + one.width <= two.x or two.x + two.width <= one.x
            below = one.y + one.height <= two.y or two.y + two.height <= one.y
            assert beside or below, (one.id, two.id)


def test_a_workflow_shows_what_its_steps_ask_and_derive(workspace):
    drawing = drawing_of_workflow(workspace.workflow("trip"))
    found = nodes(drawing)
    assert found["value-country"].lines[1] == "one of: France, Ita…"
    assert found["value-address"].lines[1] == "derived" and found["value-address"].x == found["step-city"].x
    takes = {(edge.source, edge.target) for edge in drawing.edges if edge.kind == "takes"}
    assert ("value-address", "step-ticket") in takes
    assert "only if needed" in found["step-hotel"].lines
    assert found["run"].lines == ("Run", "takes 4 values")


def test_the_run_and_its_results_stand_at_the_end():
    session = fold(entries(
        ("user", "began", {"workflow": "gone", "title": "Gone"}),
        ("app", "opened", {"step": "start"}),
        ("user", "set", {"step": "start", "values": {"depth": 3}}),
        ("user", "advanced", {"step": "start"}),
        ("user", "started", {"run": "r1"}),
        ("workflow", "produced", {"run": "r1", "name": "pages", "file": "p.csv", "rows": 412}),
        ("workflow", "finished", {"run": "r1"}),
    ))  # fmt: skip
    drawing = drawing_of_session(session, None)  # also without its workflow
    found = nodes(drawing)
    assert found["run"].lines == ("Run", "finished") and found["run"].n == 7
    assert found["result-0"].lines == ("pages", "412 rows") and found["result-0"].n == 6
    assert found["value-depth"].lines == ("depth", "3") and found["value-depth"].n == 3
    assert found["run"].x == max(node.x for node in drawing.nodes)
    assert drawing.summary == "1 step, 1 done, 1 value. Its run is finished."


def test_a_drawing_has_bounds(tmp_path):
    for steps, fields in ((3, 200), (60, 5), (100, 100)):
        drawing = drawing_of_workflow(wide(tmp_path, steps, fields))
        values = [node for node in drawing.nodes if node.kind == "value"]
        assert len(values) <= MOST and len(drawing.nodes) <= 2 * MOST
        assert len(ElementTree.tostring(parsed(drawing))) < 80_000
        assert any(node.kind == "more" for node in drawing.nodes)
    more = {n.id: n.lines[0] for n in drawing_of_workflow(wide(tmp_path, 1, 20)).nodes if n.kind == "more"}
    assert more == {"more-value-v0_0": "and 6 more"}


def test_each_box_links_to_its_entry_and_user_text_is_only_text(workspace):
    session = fold(entries(
        ("user", "began", {"workflow": "trip", "title": "Trip"}),
        ("app", "opened", {"step": "start"}),
        ("user", "set", {"step": "start", "values": {"country": HOSTILE, "days": 3}}),
        ("user", "set", {"step": "ticket", "values": {"name": "&<>'\""}}),
    ))  # fmt: skip
    svg = parsed(drawing_of_session(session, workspace.workflow("trip")))
    assert svg.tag == f"{SVG}svg" and svg.get("aria-label")
    links = {link.get("data-node"): link for link in svg.iter(f"{SVG}a")}
    assert links["value-country"].get("href") == links["value-days"].get("href") == "record#p3"
    assert links["value-name"].get("data-by") == "user" and links["step-start"].get("href") == "record#p2"
    title = links["value-country"].find(f"{SVG}title").text
    assert title.startswith(f"country: {HOSTILE}, entry 3")
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {
        "svg", "a", "g", "rect", "path", "text", "title"
    }  # fmt: skip
    for element in svg.iter():
        assert not {name for name in element.attrib if name == "style" or name.startswith("on")}


def test_each_link_of_a_workflows_drawing_leads_to_something_on_its_page(workspace):
    page = BeautifulSoup(to_xml(workflow_page("", workspace.workflow("trip"), [])), "html.parser")
    links = [link["href"] for link in page.select("svg a")]
    assert "workflows/trip#value-country" in links and "workflows/trip#value-address" not in links
    assert {link.partition("#")[2] for link in links} <= {each["id"] for each in page.select("[id]")}


def test_a_text_is_cut_to_its_line():
    assert fit("tutorial, library", 20) == "tutorial, library"
    assert fit("x" * 30, 20) == f"{'x' * 19}…" and fit("  a \n b ", 20) == "a b"
    assert fit("漢" * 20, 20) == f"{'漢' * 9}…"
    assert folded("Where do the links come from?", 19) == ("Where do the links", "come from?")
    assert folded("x" * 40, 19) == (f"{'x' * 18}…",) and folded("Short", 19) == ("Short",)

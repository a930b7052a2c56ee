"""What axe finds on each page, light and dark, wide and narrow: nothing."""

from importlib.resources import files

import pytest
from browsing import NARROW, WIDE, expect

from assistant.log import Fact

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
FIND = """async (options) => {
    const found = await axe.run({ resultTypes: ["violations"], ...options });
    return found.violations.flatMap((each) =>
        each.nodes.map((node) => `${each.id}: ${node.html} ${node.failureSummary}`));
}"""
PAGES = """
    sessions/{sid} sessions/{ran} sessions/{sid}?at=3 sessions/{sid}/record sessions/{ran}/record?at=9
    sessions/{sid}/earlier?before=99 sessions/{sid}/redact?entry=3 compare?a={sid}&b={ran} search?q=lisbon
    workflows/trip compose?workflow=trip models retention nothing
""".split()
TEXT = "## Done\n\n| day | cost |\n|---|--:|\n| 1 | 20 |\n\n```python\nx = 1  # one\n```"


@pytest.fixture(scope="module")
def names(shared_program):
    """A session with everything that the chat shows, and one with results."""
    ran = shared_program.begin("trip")
    shared_program.next(ran, "place", {"city": "Lisbon", "nights": "3"})
    shared_program.next(ran, "budget", {"money": "400", "pace": "slow"})
    shared_program.next(ran, "papers", {})
    shared_program.run(ran)
    sid = shared_program.begin("trip")
    place, asked = {"step": "place", "turn": "t1"}, {"id": "q1", "options": ["slow", "quick"], "turn": "t1"}
    figures = {"tokens": 9, "rate": 20.0, "seconds": 1.0, "first": 0.2, "thinking": "Hm."}
    shared_program.tell(
        sid,
        Fact("app", "helped", {"step": "place"}),
        Fact("user", "said", {"text": "Lisbon, perhaps", "turn": "t1"}),
        Fact("model", "set", place | {"values": {"city": "Lisbon"}, "why": "you said it"}),
        Fact("model", "refused", place | {"name": "nights", "value": 99, "reason": "It is 1 to 90 nights."}),
        Fact("model", "proposed", place | {"id": "p1", "values": {"nights": 7}}),
        Fact("model", "asked", asked | {"question": "Slow or quick?"}),
        Fact("model", "said", figures | {"text": TEXT, "turn": "t1", "model": "small:4b"}),
        Fact("app", "failed", {"where": "model", "reason": "The model fell over.", "turn": "t2"}),
    )
    return {"sid": sid, "ran": ran}


@pytest.mark.parametrize("address", ["", *PAGES])
def test_axe_finds_nothing(shared_program, names, chromium, address):
    context = chromium.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(shared_program.address + address.format(**names))
        page.evaluate(AXE)
        assert page.evaluate(FIND, {}) == []
        page.set_viewport_size(NARROW)
        assert page.evaluate(FIND, {}) == []
        page.emulate_media(color_scheme="dark")
        expect(page.locator("#theme")).to_have_text("Light")
        assert page.evaluate(FIND, {"runOnly": ["color-contrast"]}) == []
    finally:
        context.close()

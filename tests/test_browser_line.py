"""The whole line in Chromium, from the first page to the results, with the workflow that is shipped."""

import csv
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browsing import expect, fill, follows, is_open, next_, run_state, say, words

pytest_plugins = ["browser"]
pytestmark = pytest.mark.browser

# each page of the site: its title, and the pages that it links to; one lies three clicks away
PAGES = {
    "/docs/": ("Start", ["/docs/guide/one", "/docs/api/one"]),
    "/docs/guide/one": ("Guide one", ["/docs/guide/two", "/docs/"]),
    "/docs/guide/two": ("Guide two", ["/docs/guide/three"]),
    "/docs/guide/three": ("Guide three", []),
    "/docs/api/one": ("Reference", ["/docs/"]),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        title, links = PAGES.get(self.path, ("Gone", []))
        body = f"<title>{title}</title>" + "".join(f"<a href={link}>{link}</a> " for link in links)
        self.send_response(200 if self.path in PAGES else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site():
    """The address of a small site on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/docs/"
        server.shutdown()
        thread.join()


def rows_of(path: Path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_site_is_crawled_by_hand_and_the_results_are_there(program, tab, site, tmp_path):
    server = program()
    page = tab(server.address)
    page.locator("[data-workflow=link_graph]").get_by_role("button", name="Start").click()
    is_open(page, "source")
    follows(page)
    sid = server.sid_of(page)
    next_(page, "source")
    is_open(page, "start")
    fill(page, start=site, depth="2", limit="50")
    next_(page, "start")
    is_open(page, "scope")
    page.get_by_label("api").check()
    page.get_by_label("guide").check()
    fill(page, delay="0")
    next_(page, "scope")
    is_open(page, "picture")
    next_(page, "picture")
    page.locator("#card-run button").click()
    run_state(page, "finished")

    tables = page.locator("article.table-result")
    expect(tables).to_have_count(2)
    expect(tables.first).to_contain_text("Guide two")
    expect(tables.first).not_to_contain_text("Guide three")
    graph = page.locator(".graph")
    expect(graph.locator("canvas").first).to_be_visible()
    graph.get_by_label("Find a page").fill("refer")
    page.keyboard.press("Enter")
    expect(graph.locator(".graph-side strong")).to_have_text("Reference")
    with page.expect_download() as download:
        tables.first.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "pages.csv")
    assert download.value.suggested_filename == "pages.csv"
    found = {row["url"]: (row["title"], row["depth"]) for row in rows_of(tmp_path / "pages.csv")}
    assert found == {
        site: ("Start", "0"),
        f"{site}guide/one": ("Guide one", "1"),
        f"{site}api/one": ("Reference", "1"),
        f"{site}guide/two": ("Guide two", "2"),
    }

    page.reload()
    expect(page.locator(".graph canvas").first).to_be_visible()
    page.get_by_role("link", name="Record").click()
    expect(page.locator("#conversation")).to_contain_text("Where should the crawl start?")
    expect(page.locator("#parameters")).to_contain_text(site)
    page.locator("#timeline-at").evaluate("e => { e.value = 3; e.dispatchEvent(new Event('input')); }")
    expect(page).to_have_url(re.compile(r"at=3"))
    expect(page.locator("#parameters")).not_to_contain_text(site)
    page.goto(server.address)
    expect(page.locator(".sessions")).to_contain_text("done")
    assert page.locator(f".sessions a[href$='{sid}']").count() == 1


def test_a_site_is_crawled_by_chat_alone_with_the_guide(program, tab, site):
    server = program()
    sid = server.begin("link_graph")
    page = tab(server.page_of(sid))
    follows(page)
    say(page, f"crawl {site} two clicks deep, at most 200 pages")
    expect(words(page, "guide")).to_have_count(1)
    wanted = {"start": site, "depth": 2, "limit": 200}
    for step in ("start", "scope", "picture"):
        say(page, "next")
        is_open(page, step)
        if step == "start":
            expect(page.locator("[name=start]")).to_have_value(site)
            expect(page.locator("[name=depth]")).to_have_value("2")
            expect(page.locator("[name=limit]")).to_have_value("200")
    assert wanted.items() <= server.state(sid)["values"].items()
    say(page, "next")
    expect(page.locator("#card-run button")).to_be_enabled()
    say(page, "run it")
    run_state(page, "finished")
    expect(page.locator("article.table-result").first).to_contain_text("Guide two")
    assert {server.state(sid)["origins"][name] for name in wanted} == {"guide"}

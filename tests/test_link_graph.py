"""The workflow link_graph: on a real site, counted again by other means; on small sites made for a point.

And the graph that it gives, in a browser.
"""

import importlib
import posixpath
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from assistant.errors import Refused
from assistant.results import Graph, Note, Table, save
from assistant.workflow import load

WORKFLOWS = Path(__file__).parent.parent / "workflows"
flow = load(WORKFLOWS / "link_graph.py")
workflow = sys.modules[flow.run_function.__module__]
web = importlib.import_module("_link_graph_pages")  # loading the workflow made its folder importable


@contextmanager
def serving(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Site:
    """A small site: what it answers by path (text, or (status, headers, bytes), or a function that gives
    either), and the paths that it was asked for."""

    def __init__(self, answers):
        self.answers, self.asked, self.address = answers, [], ""

    def handler(site):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                answer = site.answers.get(self.path, (404, {"Content-Type": "text/html"}, b"gone"))
                answer = answer() if callable(answer) else answer
                if isinstance(answer, str):
                    answer = (200, {"Content-Type": "text/html; charset=utf-8"}, answer.encode())
                status, headers, body = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # the crawl had read enough

            def log_message(self, *arguments):
                pass

        return Handler


@pytest.fixture
def made():
    """Makes a Site that is served until the test ends."""
    opened = []

    def make(answers):
        site = Site(answers)
        context = serving(site.handler())
        site.address = context.__enter__()
        opened.append(context)
        return site

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def linking(*targets, title="A page"):
    return f"<title>{title}</title>" + "".join(f'<a href="{target}">to {target}</a>' for target in targets)


def redirect(target, status=302):
    return (status, {"Location": target}, b"")


def crawl(start, **values):
    """The results of a run by kind and name, with addresses cut to paths below the host of `start`."""
    host = re.match(r"https?://[^/]+", start)[0]
    results = flow(**({"source": "site", "start": start, "delay": 0.0, "depth": 9} | values))
    tables = {result.name: result.frame for result in results if isinstance(result, Table)}
    for frame in tables.values():
        for column in frame.columns.intersection(["url", "source", "target"]):
            frame[column] = frame[column].str.removeprefix(host)
    (tables["graph"],) = (result for result in results if isinstance(result, Graph))
    (tables["note"],) = (result.markdown for result in results if isinstance(result, Note))
    return tables


def paths(found):
    return list(found["pages"]["url"])


def pairs(found):
    return set(zip(found["links"]["source"], found["links"]["target"], strict=True))


def problems(found):
    return dict(zip(found["pages"]["url"], found["pages"]["problem"], strict=True))


# --- a real site -----------------------------------------------------------------------------------------


def python_documentation():
    """The folder of Debian's package python3-doc."""
    found = sorted(Path("/usr/share/doc").glob("python3*/html/library/index.html"))
    assert found, "the package python3-doc is not installed: apt-get install python3-doc"
    return found[0].parent.parent.resolve()


def counted_in_files(root, first):
    """Depth by page and all links, from the files alone: no server, no HTML parser, no URL library."""
    depth, links, waiting = {first: 0}, set(), deque([first])
    while waiting:
        page = waiting.popleft()
        if not (root / page).is_file():
            continue
        text = (root / page).read_text(encoding="utf-8")
        text = re.sub(r"<!--.*?-->|<script\b.*?</script>", "", text, flags=re.DOTALL)
        for href in re.findall(r'<a\b[^>]*?\shref="([^"]*)"', text):
            href = unescape(href).partition("#")[0]
            if not href or ":" in href or not href.endswith(".html"):
                continue
            target = posixpath.normpath(posixpath.join("/", posixpath.dirname(page), unquote(href)))[1:]
            if target == page:
                continue
            links.add((page, target))
            if target not in depth:
                depth[target] = depth[page] + 1
                waiting.append(target)
    return depth, links


def test_pages_links_and_depth_of_a_real_site_equal_a_count_in_its_files():
    root = python_documentation()
    depth, links = counted_in_files(root, "index.html")
    with serving(partial(Quiet, directory=str(root))) as address:
        found = crawl(f"{address}/index.html", depth=20, limit=5000, parallel=8)
    pages = found["pages"]
    assert len(pages) > 300
    assert dict(zip(pages["url"].str[1:], pages["depth"], strict=True)) == depth
    assert {(source[1:], target[1:]) for source, target in pairs(found)} == links
    missing = {page for page in depth if not (root / page).is_file()}
    assert set(pages.loc[pages["status"] == 404, "url"].str[1:]) == missing
    linked = Counter(target for _, target in links)
    assert list(pages["in_degree"]) == [linked[page] for page in pages["url"].str[1:]]
    assert "library" in set(pages["section"])
    assert np.isfinite(found["graph"].nodes[["x", "y"]].to_numpy()).all()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


# --- what belongs to the crawl ---------------------------------------------------------------------------


def test_the_first_page_offers_its_sections_and_only_those(made):
    site = made({"/docs/": linking("a/1", "a/2", "b/", "top", "/other/x"), "/docs/a/1": linking("../b/")})
    assert workflow.start(f"{site.address}/docs/", 2, 500) == {"sections_found": ["a", "b"]}
    found = crawl(f"{site.address}/docs/", sections=["a"])
    assert paths(found) == ["/docs/", "/docs/a/1", "/docs/a/2"]
    assert found["graph"].colour == "depth"
    with pytest.raises(Refused, match="sections"):
        crawl(f"{site.address}/docs/", sections=["c"])


@pytest.mark.parametrize(
    ("stay", "expected"),
    [
        ("folder", ["/d/", "/d/a"]),
        ("host", ["/d/", "/d/a", "/up"]),
        ("anywhere", ["/d/", "/d/a", "/up", "OTHER"]),
    ],
)
def test_it_stays_below_the_folder_unless_told_otherwise(made, stay, expected):
    other = made({"/": linking()})
    site = made({"/d/": linking("a", "/up", f"{other.address}/"), "/d/a": linking(), "/up": linking()})
    found = [
        path.replace(f"{other.address}/", "OTHER") for path in paths(crawl(f"{site.address}/d/", stay=stay))
    ]
    assert found == expected
    assert bool(other.asked) == (stay == "anywhere")


def test_patterns_say_what_is_crawled_and_what_is_left_out(made):
    site = made({"/": linking("/api/a", "/api/b-1", "/blog"), "/api/a": linking(), "/api/b-1": linking()})
    assert paths(crawl(f"{site.address}/", include=["*/api/*"])) == ["/", "/api/a", "/api/b-1"]
    assert paths(crawl(f"{site.address}/", include=["*/api/*"], exclude=["*/b-*"])) == ["/", "/api/a"]
    assert paths(crawl(f"{site.address}/", exclude=["blog"])) == ["/", "/api/a", "/api/b-1"]


def test_robots_txt_is_obeyed_unless_switched_off(made):
    rules = "User-agent: *\nDisallow: /no\nAllow: /no/but\nDisallow: /*.php$"
    site = made({"/robots.txt": rules, "/": linking("/no/1", "/no/but", "/x.php", "/yes")})
    found = crawl(f"{site.address}/")
    assert paths(found) == ["/", "/no/but", "/yes"]
    assert not {"/no/1", "/x.php"} & set(site.asked)
    assert "2 for robots.txt" in found["note"]
    assert paths(crawl(f"{site.address}/", robots=False)) == ["/", "/no/1", "/no/but", "/x.php", "/yes"]


def test_robots_txt_that_answers_with_a_server_error_forbids_all(made):
    site = made({"/robots.txt": (503, {}, b""), "/": linking("/a")})
    with pytest.raises(ValueError, match=r"robots\.txt.*switch"):
        crawl(f"{site.address}/")
    assert "/a" not in site.asked


def test_depth_and_limit_end_the_crawl(made):
    site = made(
        {"/robots.txt": "", "/": linking("/1", "/2", "/3")} | {f"/{n}": linking(f"/{n}0") for n in (1, 2, 3)}
    )
    assert paths(crawl(f"{site.address}/", depth=0)) == ["/"]
    assert paths(crawl(f"{site.address}/", depth=1)) == ["/", "/1", "/2", "/3"]
    site.asked.clear()
    found = crawl(f"{site.address}/", limit=3, parallel=8)
    assert paths(found) == ["/", "/1", "/2"]
    assert sorted(site.asked) == ["/", "/", "/1", "/2", "/robots.txt"]  # nothing is fetched for nothing
    assert "3 for the limit" in found["note"]


def test_a_pause_lies_between_the_starts_of_requests(made):
    site = made({"/": linking("/1", "/2", "/3", "/4")} | {f"/{n}": linking() for n in range(1, 5)})
    begin = time.monotonic()
    crawl(f"{site.address}/", delay=0.1, parallel=4)
    assert time.monotonic() - begin >= 0.1 * 5  # the first page, robots.txt and four more: five pauses


def test_the_order_is_that_of_the_links_however_slow_a_page_is(made):
    last_asked = threading.Event()
    site = made({"/": linking("/slow", "/b", "/c")})
    site.answers["/slow"] = lambda: linking("/x" if last_asked.wait(30) else "/never")
    site.answers["/c"] = lambda: (last_asked.set(), linking("/y", "/x"))[1]
    found = crawl(f"{site.address}/", parallel=3)
    assert paths(found) == ["/", "/slow", "/b", "/c", "/x", "/y"]
    assert list(found["pages"]["depth"]) == [0, 1, 1, 1, 2, 2]


# --- pages that hurt -------------------------------------------------------------------------------------


def test_only_html_is_a_page(made):
    pdf = (200, {"Content-Type": "application/pdf"}, b"%PDF")
    site = made(
        {
            "/": linking("/a", "/paper", "/b.pdf", "mailto:x@y.z", "javascript:1", "http://["),
            "/paper": pdf,
            "/a": linking(),
        }
    )
    found = crawl(f"{site.address}/")
    assert paths(found) == ["/", "/a"]
    assert "/b.pdf" not in site.asked
    assert "1 for no HTML page" in found["note"]
    with pytest.raises(ValueError, match="not an HTML page"):
        crawl(f"{site.address}/paper")


def test_redirects_are_followed_to_the_page_where_they_end(made):
    site = made({"/": linking("/old", "/new"), "/old": redirect("/new#part"), "/new": linking("/", "/old")})
    found = crawl(f"{site.address}/")
    assert paths(found) == ["/", "/new"]
    assert pairs(found) == {("/", "/new"), ("/new", "/")}  # /new's link to /old is a link to itself
    assert list(found["links"]["times"]) == [2, 1]


def test_endless_redirects_end(made):
    site = made({"/": linking("/a"), "/a": redirect("/b"), "/b": redirect("/a", 301)})
    assert "more than 10 redirects" in problems(crawl(f"{site.address}/"))["/a"]
    with pytest.raises(ValueError, match="more than 10 redirects"):
        crawl(f"{site.address}/a")


def test_a_redirect_does_not_lead_the_crawl_away(made):
    other = made({"/": linking()})
    site = made({"/d/": linking("out", "up", "odd"), "/d/out": redirect(f"{other.address}/"),
                 "/d/up": redirect("/private"), "/d/odd": redirect("file:///etc/passwd")})  # fmt: skip
    found = problems(crawl(f"{site.address}/d/"))
    assert f"leads to {other.address}/" in found["/d/out"]
    assert "left out" in found["/d/up"]
    assert "no web address" in found["/d/odd"]
    assert not other.asked and "/private" not in site.asked


def test_a_page_of_10_mb_is_cut_and_said_so(made):
    page = linking("/early") + "x" * (10 * 2**20) + linking("/late")
    site = made({"/": page, "/early": linking()})
    found = crawl(f"{site.address}/")
    assert paths(found) == ["/", "/early"]
    assert "longer than 5 MB" in problems(found)["/"]


def test_what_does_not_answer_is_a_row_with_its_reason(made):
    site = made(
        {"/": linking("/gone", "/broken", "/teapot"), "/broken": (500, {}, b""), "/teapot": (499, {}, b"")}
    )
    found = problems(crawl(f"{site.address}/"))
    assert found == {
        "/": "",
        "/gone": "404 Not Found",
        "/broken": "500 Internal Server Error",
        "/teapot": "499",
    }


def test_a_first_page_that_does_not_answer_is_refused_in_a_sentence(made):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    with pytest.raises(ValueError, match="can not be the first page: nobody answers there"):
        crawl(f"http://127.0.0.1:{closed}/")
    with pytest.raises(ValueError, match="404 Not Found"):
        crawl(f"{made({}).address}/")


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ("utf-8", "Größe".encode()),
        ("utf-8", "Größe".encode("cp1252")),  # says what it is not
        ("iso-8859-1", "Größe".encode("cp1252")),
        ("no-such-charset", "Größe".encode()),
        ("base64", "Größe".encode()),
        ("", b'<meta charset="utf-16">' + "Größe".encode()),
        ("", b"\xff\xfe" + "Größe".encode("utf-16-le")),
        ("", b'<meta charset="iso-8859-15">' + "Größe".encode("iso-8859-15")),
        (
            "",
            b"<meta http-equiv=Content-Type content='text/html; charset=latin1'>" + "Größe".encode("cp1252"),
        ),
    ],
)
def test_a_wrong_charset_does_no_harm(declared, body):
    assert web.decode(body, declared or None).endswith("Größe")


def test_a_cut_in_the_middle_of_a_letter_keeps_the_rest():
    assert web.decode("Größe".encode()[:3], "utf-8", cut=True) == "Gr"


def test_odd_markup_is_read_as_far_as_it_goes():
    title, links = web.read_page(
        '<base href="/b/"><title>\n One\ttwo </title><a href=x>a<b>b</b></a><a href="" href="y"></a>'
        '<map><area href="z">'
        "<!-- <a href=n> --><script>'<a href=n>'</script><a>none</a><![odd[ <a href=late>",
        "http://h/a/page",
    )
    assert title == "One two"
    assert links[:3] == [("http://h/b/x", "ab"), ("http://h/b/", ""), ("http://h/b/z", "")]


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("HTTP://H:80/%7euser/../a b?q=ä#part", "http://h/a%20b?q=%C3%A4"),
        ("../../..", "http://h/"),
        ("./x/./y/..", "http://h/a/x/"),
        ("//other:8080", "http://other:8080/"),
        ("?q", "http://h/a/b?q"),
        ("http://user:secret@h/", "http://h/"),
        ("http://[::1]:443/", "http://[::1]:443/"),
        ("http://h:99999/", ""),
        ("ftp://h/", ""),
        ("mailto:a@b.c", ""),
    ],
)
def test_an_address_has_one_form(href, expected):
    assert web.address(href, "http://h/a/b") == expected


def test_a_title_that_looks_like_a_formula_is_safe_in_the_download(made, tmp_path):
    formula = '=HYPERLINK("http://x")'
    site = made({"/": linking("/a", title="+1"), "/a": linking(title=formula.replace('"', "&quot;"))})
    found = crawl(f"{site.address}/")
    assert list(found["pages"]["title"]) == ["+1", formula]
    entry = save(Table("pages", found["pages"]), tmp_path)
    assert entry["file"] == "pages.csv"
    written = (tmp_path / "pages.csv").read_text(encoding="utf-8")
    assert "'+1" in written and "'=HYPERLINK" in written and ",=" not in written


def test_the_note_comes_first_then_the_picture_then_the_tables(made):
    results = flow(source="site", start=f"{made({'/': linking()}).address}/", delay=0.0)
    assert [type(result) for result in results] == [Note, Graph, Table, Table]


def test_a_copy_in_another_folder_uses_the_helpers_beside_it(tmp_path):
    for path in WORKFLOWS.glob("*link_graph*.py"):
        shutil.copy(path, tmp_path)
    code = (
        "import sys; from pathlib import Path; from assistant.workflow import load; "
        "load(Path(sys.argv[1])); print(*(m.__file__ for n, m in sys.modules.items() if n[0:5] == '_link'))"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "link_graph.py")]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=WORKFLOWS.parent)
    assert {Path(file).parent for file in found.stdout.split()} == {tmp_path}


# --- a file of links -------------------------------------------------------------------------------------


def test_a_file_of_links_gives_the_same_tables(tmp_path):
    file = tmp_path / "links.csv"
    lines = 'source,target,note\na,b,"x\ny"\nb,c,\n\na,b,again\nc,c,self\nd,e,\n,e,half\nshort\n'
    file.write_text(lines, encoding="utf-8-sig")
    found = {
        result.name: result.frame for result in flow(source="csv", file=file) if isinstance(result, Table)
    }
    assert found["links"].to_dict("list") == {
        "source": ["a", "b", "d"],
        "target": ["b", "c", "e"],
        "times": [2, 1, 1],
    }
    pages = found["pages"]
    assert list(pages["url"]) == ["a", "b", "c", "d", "e"]
    assert [None if pd.isna(depth) else depth for depth in pages["depth"]] == [0, 1, 2, None, None]
    assert list(pages["component"]) == [1, 1, 1, 2, 2]


def test_other_columns_marks_and_charsets_will_do(tmp_path):
    file = tmp_path / "links.csv"
    file.write_bytes("von;nach\nGröße;b\n".encode("cp1252"))
    (graph,) = (
        r
        for r in flow(source="csv", file=file, source_column="von", target_column="nach")
        if isinstance(r, Graph)
    )
    assert list(graph.nodes["id"]) == ["Größe", "b"]
    assert graph.colour == "component"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("from,to\na,b\n", "no column source and no column target. Its columns are: from, to"),
        ("source,to\na,b\n", "no column target"),
        ("", "none, it is empty"),
        ("source,target\n", "no link below it"),
    ],
)
def test_a_file_without_the_columns_is_refused_with_those_it_has(tmp_path, text, reason):
    file = tmp_path / "links.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(reason)):
        flow(source="csv", file=file)


# --- the graph in a browser ------------------------------------------------------------------------------

STATIC = Path(__file__).parent.parent / "assistant" / "web" / "static"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
PAGE = """<!doctype html><html lang="en"><title>Graph</title><main><h1>Results</h1>
<div class="graph" data-src="graph.json"></div></main><script src="static/graph.js"></script></html>"""
WEBGL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@contextmanager
def graph_page(made, tmp_path, arguments):
    """A page under our content security policy with a graph of four pages, and its errors."""
    pages = {"/": linking("/a/1", "/a/2", title="Home"), "/b/x": linking(title="Deep")}
    pages |= {"/a/1": linking("/", "/b/x", title="First"), "/a/2": linking("/", title="&lt;b>Second&lt;/b>")}
    start = made(pages)
    save(crawl(f"{start.address}/")["graph"], tmp_path)
    types = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
    files = {f"/static/{path.relative_to(STATIC)}": path for path in STATIC.rglob("*.*")}
    files["/graph.json"] = tmp_path / "graph.json"
    html = {"Content-Type": "text/html", "Content-Security-Policy": POLICY}
    answers = {
        name: (200, html | {"Content-Type": types.get(path.suffix, "text/plain")}, path.read_bytes())
        for name, path in files.items()
    }
    answers["/"] = (200, html, PAGE.encode())
    site, errors = made(answers), []
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *arguments])
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(site.address)
        yield page, site, errors
        browser.close()


@pytest.mark.browser
def test_a_graph_is_drawn_searched_and_walked(made, tmp_path):
    with graph_page(made, tmp_path, WEBGL) as (page, _, errors):
        page.wait_for_selector(".graph-legend li + li")
        assert page.locator(".graph-legend li").all_inner_texts() == [
            "section",
            "a (2)",
            "(top) (1)",
            "b (1)",
        ]
        page.get_by_label("Find a page").fill("fir")
        page.keyboard.press("Enter")
        assert page.locator(".graph-side strong").inner_text() == "First"
        assert page.locator(".graph-status").inner_text() == "First: linked from 1, links to 2"
        assert page.locator(".graph-in + ul button").all_inner_texts() == ["Home"]
        page.locator(".graph-out + ul button", has_text="Home").click()
        assert page.locator(".graph-out + ul button").all_inner_texts() == ["First", "<b>Second</b>"]
        page.get_by_role("combobox", name="Colour", exact=True).select_option("depth")
        assert page.locator(".graph-legend li").all_inner_texts() == ["depth", "0", "1", "2"]
        page.locator(".graph-stage").press("Escape")
        assert page.locator(".graph-side").is_hidden()
        assert page.evaluate("document.querySelector('.graph').graphRenderer.getGraph().size") == 5
        assert errors == []


@pytest.mark.browser
def test_without_webgl_the_page_says_so_and_loads_nothing(made, tmp_path):
    with graph_page(made, tmp_path, ["--disable-gpu", "--disable-3d-apis"]) as (page, site, _):
        page.get_by_text("no WebGL").wait_for()
        assert "The tables have all of it" in page.locator(".graph").inner_text()
        assert sorted(site.asked) == ["/", "/static/graph.js"]


# --- the numbers -----------------------------------------------------------------------------------------


def test_pagerank_solves_its_equation():
    ends = np.array([[0, 1], [0, 2], [1, 2], [2, 0], [3, 2]])  # page 4 has no links, page 3 none to it
    matrix = np.zeros((5, 5))
    for source, target in ends:
        matrix[target, source] = 1 / (ends[:, 0] == source).sum()
    matrix[:, 4] = 1 / 5
    exact = np.linalg.solve(np.eye(5) - 0.85 * matrix, np.full(5, 0.15 / 5))
    assert np.allclose(workflow.pagerank(5, ends), exact, atol=1e-9)
    assert exact.sum() == pytest.approx(1)


def test_a_single_page_without_links_has_a_picture_too(made):
    found = crawl(f"{made({'/': linking()}).address}/")
    assert found["pages"].loc[0, ["in_degree", "pagerank", "component"]].tolist() == [0, 1.0, 1]
    assert found["links"].empty
    assert len(found["graph"].nodes) == 1

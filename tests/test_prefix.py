"""The whole program below a prefix, whether the proxy in front of it cuts the prefix off or not."""

from urllib.parse import urljoin

import httpx
import pytest
from samples import SMALL, complete
from serving import HTMX, JSON, PATIENCE, Stream, make_workspace, serving, soup

PREFIX = "/user/ada/proxy"
ADDRESSES = (
    "href src action formaction hx-get hx-post hx-sse:connect data-src data-copy data-graph "
    "data-sigma data-styles"
).split()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("prefix") / "work", small=SMALL)
    with serving(workspace, "--prefix", PREFIX) as server:
        yield server


@pytest.fixture(scope="module")
def ran(server):
    sid = complete(server, server.begin("small"))
    server.run(sid)
    return sid


def test_the_address_that_it_prints_has_the_prefix(server):
    assert httpx.URL(server.address).path == f"{PREFIX}/"
    assert server.get("healthz").status_code == 200


def test_every_address_of_every_page_stays_below_it(server, ran):
    seen = set()
    for address in (
        "",
        f"sessions/{ran}",
        f"sessions/{ran}?at=3",
        f"sessions/{ran}/record",
        f"compare?a={ran}&b={ran}@3",
        "compose?workflow=small",
        "sessions/nothing",
    ):
        page = soup(server.get(address))
        base = urljoin(server.address, page.find("base")["href"])
        assert base == server.address
        for element in page.find_all(True):
            for name in ADDRESSES:
                if element.get(name) and element.name != "base":
                    full = httpx.URL(urljoin(base, element[name]))
                    assert full.path.startswith(f"{PREFIX}/"), element
                    if name in ("src", "data-src", "data-copy", "data-graph") or element.name in (
                        "a",
                        "link",
                    ):
                        seen.add(str(full.copy_with(fragment=None)))
    for address in seen:
        assert server.get(address).status_code == 200, address


def test_every_redirect_stays_below_it(server):
    sid = server.begin("small")
    answers = [
        server.post("sessions", {"workflow": "small"}),
        server.post(f"sessions/{sid}/steps/start/help"),
        server.next(sid, "start", {"depth": "2"}),
        server.post(f"sessions/{sid}/steps/start/reopen"),
        server.post(f"sessions/{sid}/undo"),
        server.post(f"sessions/{sid}/redo"),
        server.post(f"sessions/{sid}/messages", {"text": "help"}),
        server.post(f"sessions/{sid}/messages/stop"),
        server.post(f"sessions/{sid}/name", {"name": "x"}),
        server.post(f"sessions/{sid}/fork"),
        server.post(f"sessions/{sid}/again"),
        server.post("compose", {"workflow": "small"}),
        server.post(f"sessions/{sid}/delete"),
    ]
    for answer in answers:
        assert answer.status_code == 303
        place = httpx.URL(urljoin(str(answer.request.url), answer.headers["location"]))
        assert place.path.startswith(f"{PREFIX}/")
        assert place.host == answer.request.url.host
    assert server.get(answers[0].headers["location"].removeprefix(f"{PREFIX}/")).status_code == 200


def test_a_proxy_that_cuts_the_prefix_off(server, ran):
    root = str(httpx.URL(server.address).copy_with(path="/"))
    with httpx.Client(base_url=root, timeout=PATIENCE, trust_env=False) as client:
        page = client.get(f"sessions/{ran}")
        assert page.status_code == 200
        assert soup(page).find("base")["href"] == f"{PREFIX}/"
        answer = client.post("sessions", data={"workflow": "small"})
        assert answer.headers["location"].startswith(f"{PREFIX}/sessions/")
        assert client.get("healthz").status_code == 200
        script = soup(page).select_one("script[src]")["src"]
        assert client.get(script).status_code == 200
        assert client.get(f"sessions/{ran}", headers=JSON).json()["session"] == ran


def test_the_stream_and_the_fragments_stay_below_it(server):
    sid = server.begin("small")
    with Stream(server, sid) as stream:
        first = stream.until(lambda message: "#card-start" in message.targets)
        fragment = server.next(sid, "start", {"depth": "99"}, 422, headers=HTMX).text
        for markup in (first.data, fragment):
            assert f'action="sessions/{sid}/' in markup
            assert 'action="/' not in markup
            assert 'href="/' not in markup

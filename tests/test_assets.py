"""Static files: addresses that change with the content, compressed once, and nothing else of the disk."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from assistant.web import assets as module
from assistant.web.assets import FOREVER, Assets, takes_gzip

CSS = b"body { color: black }\n" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "vendor").mkdir(parents=True)
    (static / "app.css").write_bytes(CSS)
    (static / "vendor" / "lib.min.js").write_bytes(b"let a = 1\n" * 50)
    (static / "icon.png").write_bytes(b"\x89PNG" + bytes(500))
    (static / "tiny.svg").write_bytes(b"<svg/>")
    (static / "odd.bin").write_bytes(b"?" * 100)
    (static / "with blank.txt").write_bytes(b"blank")
    (static / ".hidden").write_bytes(b"hidden")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return static


@pytest.fixture
def assets(folder: Path) -> Assets:
    return Assets(folder)


@pytest.fixture
def client(assets: Assets) -> TestClient:
    return TestClient(Starlette(routes=[assets.route()]), headers={"accept-encoding": "identity"})


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:8]


def change(path: Path, body: bytes) -> None:
    """Write the file and make sure that its time differs, however coarse the clock of the disk is."""
    before = path.stat()
    path.write_bytes(body)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))


def test_an_address_names_the_content_and_is_relative(assets: Assets) -> None:
    assert assets.asset("app.css") == f"static/{digest_of(CSS)}/app.css"
    assert assets.asset("vendor/lib.min.js").endswith("/vendor/lib.min.js")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("app.css", "text/css; charset=utf-8"),
        ("vendor/lib.min.js", "text/javascript; charset=utf-8"),
        ("icon.png", "image/png"),
        ("tiny.svg", "image/svg+xml"),
        ("with blank.txt", "text/plain; charset=utf-8"),
        ("odd.bin", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_is_served_to_be_kept(
    assets: Assets, client: TestClient, folder: Path, name: str, content_type: str, method: str
) -> None:
    answer = client.request(method, assets.asset(name))
    body = (folder / name).read_bytes()
    assert (answer.status_code, answer.content) == (200, body if method == "GET" else b"")
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == FOREVER == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] == f'"{digest_of(body)}"'
    assert "content-encoding" not in answer.headers


def test_a_digest_is_known_before_any_page_named_it(client: TestClient) -> None:
    """A browser may still ask for a page's files after a restart."""
    assert client.get(f"/static/{digest_of(CSS)}/app.css").content == CSS


def test_gzip_is_made_once_and_the_same_each_time(assets: Assets, client: TestClient) -> None:
    first, second = (
        client.get(assets.asset("app.css"), headers={"accept-encoding": "br, gzip"}) for _ in "12"
    )
    assert first.content == CSS
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < len(CSS)
    assert first.headers["etag"] == second.headers["etag"] == f'"{digest_of(CSS)}-gzip"'
    small = assets.table["app.css"].zipped
    assert small is not None and gzip.decompress(small) == CSS and small is assets.table["app.css"].zipped


@pytest.mark.parametrize("name", ["icon.png", "tiny.svg"])
def test_what_gzip_does_not_help_is_sent_as_it_is(assets: Assets, client: TestClient, name: str) -> None:
    assert (
        "content-encoding" not in client.get(assets.asset(name), headers={"accept-encoding": "gzip"}).headers
    )


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        *(
            (yes, True)
            for yes in ("gzip", "GZIP", "br, gzip", "gzip;q=0.5", "gzip ; q=1", "gzip, deflate, br, zstd")
        ),
        *((no, False) for no in ("", "identity", "br", "gzip;q=0", "br, gzip; q=0.000", "*", "xgzip")),
    ],
)
def test_takes_gzip(accept: str, taken: bool) -> None:
    assert takes_gzip(accept) is taken


@pytest.mark.parametrize(
    ("known", "status"),
    [('"{0}"', 304), ('W/"{0}"', 304), ('"a", "{0}"', 304), ('"{0}-gzip"', 200), ('"a"', 200)],
)
def test_what_the_browser_has_is_not_sent_again(
    assets: Assets, client: TestClient, known: str, status: int
) -> None:
    answer = client.get(assets.asset("app.css"), headers={"if-none-match": known.format(digest_of(CSS))})
    assert (answer.status_code, answer.content) == (status, CSS if status == 200 else b"")
    assert answer.headers["cache-control"] == FOREVER


@pytest.mark.parametrize(
    "path",
    [
        "/static/00000000/app.css",
        "/static/{0}/nothing.css",
        "/static/{0}/vendor/app.css",
        "/static/{0}/../secret.txt",
        "/static/{0}/%2e%2e/secret.txt",
        "/static/{0}/..%2fsecret.txt",
        "/static/{0}//app.css",
        "/static/{0}/.hidden",
        "/static/{0}/",
        "/static/app.css",
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    for digest in (digest_of(CSS), digest_of(b"secret"), digest_of(b"hidden")):
        answer = client.get(path.format(digest))
        assert answer.status_code == 404
        assert "cache-control" not in answer.headers


def test_only_get_and_head(assets: Assets, client: TestClient) -> None:
    assert client.post(assets.asset("app.css")).status_code == 405


def test_a_changed_file_shows_without_a_restart(assets: Assets, client: TestClient, folder: Path) -> None:
    old = assets.asset("app.css")
    assert client.get(old, headers={"accept-encoding": "gzip"}).content == CSS
    change(folder / "app.css", CSS + b"p { margin: 0 }")
    new = assets.asset("app.css")
    assert new != old
    assert client.get(new, headers={"accept-encoding": "gzip"}).content == CSS + b"p { margin: 0 }"
    assert client.get(old).status_code == 404


def test_a_new_file_shows_and_a_missing_one_is_named(
    assets: Assets, client: TestClient, folder: Path
) -> None:
    (folder / "new.css").write_bytes(b"new")
    assert client.get(f"/static/{digest_of(b'new')}/new.css").status_code == 404
    assert client.get(assets.asset("new.css")).content == b"new"
    with pytest.raises(FileNotFoundError, match=r"gone\.css"):
        assets.asset("gone.css")


def test_several_files_as_one(folder: Path, assets: Assets, client: TestClient) -> None:
    first = assets.bundle("page.css", "app.css", "app.css")
    assert client.get(first).content == CSS + b"\n" + CSS
    assert client.get(first).headers["content-type"] == "text/css; charset=utf-8"
    change(folder / "app.css", CSS + b"p { margin: 0 }")
    assert assets.bundle("page.css", "app.css", "app.css") != first
    assert client.get(first).status_code == 404


def test_an_unchanged_file_is_read_once_and_none_at_the_start(folder: Path) -> None:
    assets = Assets(folder)
    assert all("body" not in vars(known) for known in assets.table.values())
    assets.asset("app.css")
    body = assets.table["app.css"].body
    assets.asset("app.css")
    assert assets.table["app.css"].body is body
    assert "body" not in vars(assets.table["icon.png"])


def test_a_missing_folder_serves_nothing(tmp_path: Path) -> None:
    assert Assets(tmp_path / "none").table == {}


def test_our_own_files_are_in_the_table() -> None:
    own = module.Assets(module.assets.folder)
    client = TestClient(Starlette(routes=[own.route()]))
    assert "vendor/htmx.min.js" in own.table
    for name in own.table:
        assert client.get(own.asset(name)).status_code == 200

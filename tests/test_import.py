"""A session from elsewhere: what was exported comes back as it was, and nothing else comes in."""

import hashlib
import io
import json
import os
import re
import stat
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import SMALL, complete
from serving import HTMX, JSON, ROOT, make_workspace, serving, soup
from test_fields_web import CHOSEN, EVERY, KEY, LETTER, SCALARS, SEVERAL

from assistant.errors import WriteFailed
from assistant.export import archive as archives
from assistant.export import export
from assistant.export.archive import allowed, write_archive
from assistant.export.importing import PREFIX, ImportRefused, import_session
from assistant.files import keep_upload
from assistant.log import Fact, create, read
from assistant.log.lines import Entry
from assistant.settings import Settings
from assistant.workspace import SID, Workspace

SID1 = "2026-11-20-small-00aa"
AT = "2026-11-20T10:00:00.000Z"


def lines(*facts: Fact) -> bytes:
    """A log."""
    entries = [Entry(n, AT, fact.by, fact.did, dict(fact.fields)) for n, fact in enumerate(facts, 1)]
    return b"".join(line(entry) + b"\n" for entry in entries)


def line(entry: Entry) -> bytes:
    """A line with a right checksum, also of what our writer would refuse."""
    body = json.dumps(entry.as_dict(), ensure_ascii=False).encode()[:-1]
    return body + b',"crc":"%08x"}' % zlib.crc32(body)


GOOD = {"log.jsonl": b"", "files/a.txt": b"a"}
BEGAN = Fact("user", "began", {"workflow": "small", "title": "Small one", "format": 1, "source": "0" * 16})
ADDED = Fact("user", "added", {"file": "a.txt", "bytes": 1, "sha256": hashlib.sha256(b"a").hexdigest()})
LOG = GOOD["log.jsonl"] = lines(BEGAN, ADDED, Fact("user", "set", {"step": "start", "values": {"depth": 3}}))


def manifest_of(files: dict[str, bytes], **changes: Any) -> bytes:
    listed = [
        {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    whole = {
        "format": 1,
        "session": SID1,
        "workflow": "small",
        "source": "0" * 16,
        "files": listed,
        "missing": [],
    }
    return json.dumps(whole | changes).encode()


def packed(
    files: dict[str, bytes] | None = None,
    manifest: bytes | None = None,
    change: Callable[[zipfile.ZipInfo], None] | None = None,
    more: tuple[tuple[str, bytes], ...] = (),
    how: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """An archive; a good one without arguments."""
    files = GOOD if files is None else files
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, data in [*files.items(), ("manifest.json", manifest or manifest_of(files)), *more]:
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            if change:
                change(info)
            archive.writestr(info, data)
    return made.getvalue()


@pytest.fixture
def space(tmp_path) -> Workspace:
    return Workspace(Settings(make_workspace(tmp_path / "w", small=SMALL), upload_bytes=2**20))


def sessions(space: Workspace) -> list[str]:
    """Everything in the folder of sessions, whatever it is."""
    return sorted(path.name for path in space.conversations.iterdir())


def reasons(space: Workspace, data: bytes) -> list[str]:
    """Why the file is refused; nothing may be left of it."""
    before = sessions(space)
    with pytest.raises(ImportRefused) as caught:
        import_session(space, io.BytesIO(data))
    assert sessions(space) == before
    assert all(len(reason) < 400 and reason.isprintable() for reason in caught.value.reasons)
    return caught.value.reasons


# --- what comes in --------------------------------------------------------------------------------------


def test_a_good_archive_becomes_the_session_that_it_was(space):
    assert import_session(space, io.BytesIO(packed())) == SID1
    folder = space.conversations / SID1
    assert (folder / "log.jsonl").read_bytes() == LOG
    assert sorted(path.name for path in folder.iterdir()) == ["files", "log.jsonl"]
    assert (folder / "files" / "a.txt").read_bytes() == b"a"
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((folder / "files").stat().st_mode) == 0o700
    for path in (folder / "log.jsonl", folder / "files" / "a.txt"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert space.open(SID1).session().values == {"depth": 3}
    assert [summary.sid for summary in space.summaries()] == [SID1]


def test_where_its_id_is_taken_it_gets_another_and_says_so(space):
    first, second = (import_session(space, io.BytesIO(packed())) for _ in range(2))
    assert first == SID1 and second != SID1 and SID.fullmatch(second)
    assert second.startswith("2026-11-20-small-")
    entries, damage = read(space.conversations / second / "log.jsonl")
    assert damage is None
    assert (space.conversations / second / "log.jsonl").read_bytes().startswith(LOG)
    assert [(e.by, e.did) for e in entries[3:]] == [("app", "noted")] and SID1 in entries[3]["text"]
    space.discard(first)  # it can still be brought back
    assert import_session(space, io.BytesIO(packed())) != SID1


def test_a_log_alone_gets_an_id_of_its_own(space):
    sid = import_session(space, io.BytesIO(LOG))
    assert sid.startswith("2026-11-20-small-") and SID.fullmatch(sid)
    assert (space.conversations / sid / "log.jsonl").read_bytes() == LOG
    bare = import_session(space, io.BytesIO(LOG[:-1]))  # an editor took its last newline
    assert space.open(bare).session().values == {"depth": 3}


def test_a_workflow_that_is_not_here_and_an_id_that_is_none(space):
    log = lines(Fact("user", "began", {"workflow": "Other one", "format": 1}))
    files = {"log.jsonl": log}
    data = packed(files, manifest_of(files, workflow="Other one", source=None, session="../../x"))
    sid = import_session(space, io.BytesIO(data))
    assert sid.startswith("2026-11-20-other-one-")


def test_a_file_that_was_gone_before_the_export_may_be_missing(space):
    files = {"log.jsonl": LOG}
    assert import_session(space, io.BytesIO(packed(files, manifest_of(files, missing=["a.txt"])))) == SID1


ENTRIES = st.lists(
    st.builds(
        Fact,
        st.sampled_from(["user", "model", "app", "somebody <b>"]),
        st.sampled_from(["said", "set", "noted", "named", "opened", "unheard"]),
        st.fixed_dictionaries(
            {},
            optional={
                "text": st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
                "values": st.dictionaries(
                    st.sampled_from("abc"), st.integers() | st.text("xyé\n", max_size=5)
                ),
                "step": st.sampled_from(["start", "x"]),
            },
        ),
    ),
    max_size=12,
)
FILES = st.dictionaries(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30),
    st.binary(max_size=300),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, FILES)
def test_a_session_comes_back_byte_for_byte(tmp_path_factory, facts, files):
    here = Workspace(Settings(make_workspace(tmp_path_factory.mktemp("here") / "w")))
    there = Workspace(Settings(make_workspace(tmp_path_factory.mktemp("there") / "w")))
    added = [
        Fact("user", "added", keep_upload(here.conversations / SID1 / "files", name, io.BytesIO(data)))
        for name, data in files.items()
    ]
    create(here.conversations / SID1, [BEGAN, *added, *facts]).close()
    handle = here.open(SID1)
    handle.keep_secrets({"key": KEY})
    with export(handle, "session.zip")[0] as data:
        assert import_session(there, data) == SID1
    one, other = here.conversations / SID1, there.conversations / SID1
    assert (other / "log.jsonl").read_bytes() == (one / "log.jsonl").read_bytes()
    contents = {p.name: p.read_bytes() for p in (one / "files").glob("*")}
    assert {p.name: p.read_bytes() for p in (other / "files").glob("*")} == contents
    assert not (other / "secrets.json").exists()
    assert there.open(SID1).session() == handle.session()


def test_a_file_that_packs_too_well_comes_back_too(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 2**20)
    here = Workspace(Settings(make_workspace(tmp_path / "here")))
    there = Workspace(Settings(make_workspace(tmp_path / "there")))
    fields = keep_upload(here.conversations / SID1 / "files", "zeros", io.BytesIO(bytes(3 * 2**20)))
    create(here.conversations / SID1, [BEGAN, Fact("user", "added", fields)]).close()
    with write_archive(here.open(SID1)) as data:
        assert import_session(there, data) == SID1


# --- what does not --------------------------------------------------------------------------------------


def renamed(name: str) -> bytes:
    files = {"log.jsonl": LOG, "files/a.txt": b"a", name: b"x"}
    return packed(files)


def marked(bit: int) -> bytes:
    """An archive whose entries have a bit in their flags."""
    data = bytearray(packed(how=zipfile.ZIP_STORED))
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(sign), bytes(data)):
            data[found.start() + at] |= bit
    return bytes(data)


def linked(info: zipfile.ZipInfo) -> None:
    if info.filename == "files/a.txt":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def lying() -> bytes:
    """An archive that says its file is smaller than it is."""
    data = bytearray(packed({"log.jsonl": LOG, "files/a.txt": bytes(100_000)}))
    for sign, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        for found in re.finditer(re.escape(sign), bytes(data)):
            if struct.unpack_from("<I", data, found.start() + at)[0] == 100_000:
                struct.pack_into("<I", data, found.start() + at, 1)
    return bytes(data)


def zip64() -> bytes:
    data = packed()
    return data[:-22] + b"PK\6\7" + bytes(16) + data[-22:]


def log_with(*facts: Fact) -> bytes:
    return lines(BEGAN, *facts)


def produced(**fields: Any) -> bytes:
    whole = {"run": "r", "name": "x", "kind": "table", "file": "x.csv", **fields}
    return log_with(Fact("workflow", "produced", whole))


def first(**fields: Any) -> bytes:
    return lines(Fact("user", "began", {**BEGAN.fields, **fields}))


NAMES = [
    "../x", "files/../x", "/etc/x", "files/", "files/a/b", "files\\x", "files/a\\b", "C:x", "files/C:x",
    "secrets.json", "files/.hidden", "files/con", "prompts/x.json", "files/..", "log.lock", "./log.jsonl",
    "files//x", "LOG.JSONL", "files/a\nb", "files/\u202eb",
]  # fmt: skip
REFUSED = {
    "nothing": (b"", "neither an archive"),
    "a text": (b"hello", "neither an archive"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "neither an archive"),
    "another zip": (packed({"x.txt": b"x"}, b"{}"), "has no place in it"),
    "cut off": (packed()[:-30], "damaged or cut off"),
    "cut in the middle": (packed()[: len(packed()) // 2], "damaged or cut off"),
    "with a comment": (packed()[:-2] + b"\1\0x", "damaged or cut off"),
    "ZIP64": (zip64(), "ZIP64"),
    "encrypted": (marked(1), "is encrypted"),
    "a link": (packed(change=linked), "is a link"),
    "a lie about size": (lying(), "damaged"),
    "packed otherwise": (packed(how=zipfile.ZIP_LZMA), "packed in a way"),
    "too many": (packed(more=tuple((f"files/{n}", b"") for n in range(5_100))), "at most 5,000 are taken"),
    "too large a file": (packed({"log.jsonl": LOG, "files/a.txt": bytes(2**20 + 1)}), "at most 1,048,576"),
    "too large in all": (
        packed({"log.jsonl": LOG, **{f"files/{n}": bytes(2**20 - 1) for n in range(5)}}),
        "unpacks to",
    ),
    "no log": (packed({"files/a.txt": b"a"}), "It has no log.jsonl"),
    "no manifest": (packed(GOOD).replace(b"manifest.json", b"files/abcdefg"), "It has no manifest.json"),
    "a manifest that is none": (packed(manifest=b"[" * 100_000), "is not JSON"),
    "a manifest of another": (packed(manifest=b'{"format": 1}'), "not that of a session"),
    "a newer manifest": (packed(manifest=manifest_of({}, format=2)), "newer version"),
    "a large manifest": (packed(manifest=b" " * (2 * 2**20) + b"{}"), "manifest.json' has 2,097,154 bytes"),
    "a manifest that lists more": (
        packed(manifest=manifest_of(GOOD | {"files/b": b""})),
        "files/b', which is not in it",
    ),
    "a manifest that lists less": (
        packed(manifest=manifest_of({"log.jsonl": LOG})),
        "files/a.txt' is not listed",
    ),
    "a changed file": (packed(manifest=manifest_of(GOOD | {"files/a.txt": b"b"})), "it was changed"),
    "another workflow": (packed(manifest=manifest_of(GOOD, workflow="x")), "another workflow"),
    "a file too few": (packed({"log.jsonl": LOG}), "files/a.txt, which entry 2 names, is not in it"),
    "a file too many": (packed(GOOD | {"files/b": b""}), "files/b is in it, and the log does not name it"),
    "another file than was added": (packed(GOOD | {"files/a.txt": b"b"}), "its SHA-256 differs"),
    "a changed log": (LOG.replace(b'"depth": 3', b'"depth": 4'), "its checksum does not fit"),
    "a line too few": (b"".join(LOG.splitlines(True)[::2]), "a line is missing"),
    "a line twice": (b"".join(LOG.splitlines(True)[:2] * 2), "a line is there twice"),
    "a torn end": (LOG[:-20], "no whole line"),
    "no first line": (b"".join(LOG.splitlines(True)[1:]), "a line is missing"),
    "JSON of another": (b'{"a": 1}\n', "checksum"),
    "not begun": (lines(ADDED), "does not begin a session"),
    "begun twice": (log_with(BEGAN), "Entry 2 begins the session once more"),
    "a newer log": (first(format=2), "newer version"),
    "a format that is none": (first(format="1"), "newer version"),
    "an older format": (first(format=0), "names no workflow in the form"),
    "no workflow": (first(workflow=None), "names no workflow"),
    "a workflow elsewhere": (first(workflow="../x"), "names no workflow"),
    "a deep line": (
        log_with(Fact("user", "set", {"values": {"a": json.loads("[" * 200 + "]" * 200)}})),
        "deep",
    ),
    "a very deep line": (b'{"n":1,' + b"[" * 100_000 + b',"crc":"00000000"}\n', "checksum"),
    "a long line": (log_with(Fact("user", "said", {"text": "x" * 2**20})), "bytes and a line may have"),
    "values that are none": (log_with(Fact("user", "set", {"values": [1]})), "of another type"),
    "columns that are none": (produced(columns={"a": ["text"]}), "of another type"),
    "rows that are none": (produced(rows="many"), "of another type"),
    "a file elsewhere": (produced(file="../../../etc/passwd"), "names a file that can not be in a session"),
    "an upload elsewhere": (
        log_with(Fact("user", "added", {"file": "/etc/passwd"})),
        "names a file that can not",
    ),
    "output elsewhere": (
        log_with(Fact("workflow", "finished", {"run": "r", "output": "../secrets.json"})),
        "names a file that can not",
    ),
    **{f"named {name!r}": (renamed(name), "has no place in it") for name in NAMES},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why(space, what):
    data, why = REFUSED[what]
    assert any(why in reason for reason in reasons(space, data)), reasons(space, data)


@pytest.mark.parametrize(
    "at", ["20261120", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", ""]
)
def test_a_time_that_can_not_be_read(space, at):
    entry = Entry(1, at, "user", "began", dict(BEGAN.fields))
    assert "no time that can be read" in reasons(space, line(entry) + b"\n")[0]


def test_a_list_of_names_that_is_too_long_is_not_read(space, monkeypatch):
    data = packed(more=tuple((f"files/{n:0200}", b"") for n in range(10_000)))
    monkeypatch.setattr("assistant.export.archive.zipfile.ZipFile", None)
    assert reasons(space, data) == ["It lists more than 5,000 files."]


def test_two_files_of_one_name(space):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(more=(("files/a.txt", b"b"),))
    assert reasons(space, data) == ["'files/a.txt' is in it twice."]


def test_all_reasons_are_told_but_not_more_than_can_be_read(space):
    told = reasons(space, log_with(*[BEGAN] * 50))
    assert len(told) == 21 and told[-1] == "And 30 more reasons."


def test_a_bomb_is_refused_before_it_is_unpacked(space, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 2**16)
    written = []
    monkeypatch.setattr(archives, "_extract", lambda *a: written.append(a))
    files = {"log.jsonl": LOG, "files/a.txt": bytes(2**20 - 1)}
    data = packed(files)
    assert len(data) * 100 < 2**20 and allowed(len(data)) < 2**20
    assert "unpacks to" in reasons(space, data)[0]
    assert not written


def test_what_is_unpacked_is_counted(space, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 2**16)
    monkeypatch.setattr(archives, "_check_infos", lambda *_: None)
    data = packed({"log.jsonl": LOG, "files/a.txt": bytes(2**20 - 1)})
    assert reasons(space, data) == ["It unpacks to more than it says, and more than is taken."]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_archive_is_refused_or_the_same_session(tmp_path_factory, data):
    space = Workspace(Settings(make_workspace(tmp_path_factory.mktemp("w") / "w")))
    whole = bytearray(packed())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        sid = import_session(space, io.BytesIO(bytes(whole)))
    except ImportRefused:
        assert not sessions(space)
    else:
        assert (space.conversations / sid / "log.jsonl").read_bytes().startswith(LOG)
        assert (space.conversations / sid / "files" / "a.txt").read_bytes() == b"a"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", b"{", LOG]))
def test_any_bytes_are_refused_with_a_sentence(tmp_path_factory, data, start):
    space = Workspace(Settings(make_workspace(tmp_path_factory.mktemp("w") / "w")))
    if start + data != LOG:
        assert reasons(space, start + data)


# --- what is left ---------------------------------------------------------------------------------------


def test_what_a_killed_import_left_goes_with_the_next(space):
    old, young = (space.conversations / f"{PREFIX}{name}" for name in ("old", "young"))
    for folder in (old, young):
        (folder / "files").mkdir(parents=True)
        (folder / "log.jsonl").write_bytes(LOG)
    os.utime(old, (time.time() - 3_600,) * 2)
    assert space.session_ids() == []  # listed nowhere
    assert import_session(space, io.BytesIO(packed())) == SID1
    assert sessions(space) == [young.name, SID1]


STUCK = """
import sys, time
from pathlib import Path
from assistant.export import importing
from assistant.settings import Settings
from assistant.workspace import Workspace

def check(path):
    print(path.parent.name, flush=True)
    time.sleep(600)

importing._check_log = check
importing.import_session(Workspace(Settings(Path(sys.argv[1]))), open(sys.argv[2], "rb"))
"""


def test_an_import_that_is_killed_leaves_no_session(space, tmp_path):
    (tmp_path / "a.zip").write_bytes(packed())
    child = subprocess.Popen(
        [sys.executable, "-c", STUCK, space.settings.workspace, tmp_path / "a.zip"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert child.stdout
        folder = space.conversations / child.stdout.readline().strip()
        assert (folder / "files" / "a.txt").read_bytes() == b"a"
        assert space.session_ids() == [] and space.summaries() == []
        os.utime(folder, (time.time() - 3_600,) * 2)
        import_session(space, io.BytesIO(LOG))
        assert folder.is_dir()  # it lives, and holds its folder
    finally:
        child.kill()
        child.communicate()
    assert space.session_ids() and folder.name not in space.session_ids()
    import_session(space, io.BytesIO(LOG))
    assert not folder.exists()


def test_a_full_disk_leaves_nothing(space, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assistant.export.archive.os.fsync", full)
    with pytest.raises(WriteFailed, match="disk is full"):
        import_session(space, io.BytesIO(packed()))
    assert sessions(space) == []


# --- on the page ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("one") / "work", every=EVERY, small=SMALL)) as server:
        yield server


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("two") / "work", every=EVERY, small=SMALL)) as server:
        yield server


def sent(server: Any, data: bytes, name: str = "x", **more: Any) -> Any:
    return server.post("import", files={"file": (name, data)}, **more)


def test_an_archive_goes_from_one_machine_to_another(server, other):
    sid = server.begin("every")
    for step, form in (("scalars", SCALARS), ("chosen", CHOSEN), ("several", SEVERAL), ("perhaps", {})):
        server.next(sid, step, form)
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    assert server.run(sid)["state"] == "finished"
    data = server.get(f"sessions/{sid}/export/session.zip").content
    answer = sent(other, data, "whatever.txt")
    assert answer.status_code == 303 and answer.headers["location"].endswith(f"/sessions/{sid}")
    here, there = server.state(sid), other.state(sid)
    assert here == there
    (table,) = [r["file"] for r in here["run"]["results"] if r["kind"] == "table"]
    assert (
        other.get(f"sessions/{sid}/files/{table}").content
        == server.get(f"sessions/{sid}/files/{table}").content
    )
    assert not (other.folder(sid) / "secrets.json").exists()
    # the secret did not come along: the run is not started, and its card asks again
    assert other.post(f"sessions/{sid}/runs").status_code == 409
    assert other.state(sid)["open"] == "given"
    form = {"letter": '{"file": "letter.txt"}'}
    refused = other.next(sid, "given", form, 422)
    assert "enter it again" in soup(refused).select_one("#error-key").text
    other.next(sid, "given", form | {"key": KEY})
    assert other.run(sid)["state"] == "finished"


def test_a_run_that_was_under_way_elsewhere_is_interrupted_here(server):
    log = log_with(Fact("user", "started", {"run": "r1"}))
    answer = sent(server, log)
    sid = answer.headers["location"].rsplit("/", 1)[1]
    assert server.state(sid)["run"]["state"] == "interrupted"


def test_without_its_workflow_it_opens_for_review(server):
    answer = sent(server, first(workflow="gone"))
    sid = answer.headers["location"].rsplit("/", 1)[1]
    assert "no workflow" in server.page(f"sessions/{sid}").select_one("#notice").text
    assert server.get(f"sessions/{sid}/record").status_code == 200
    assert server.get("").status_code == 200


def test_a_log_without_its_files_can_be_looked_at(server):
    log = log_with(
        ADDED,
        Fact("user", "started", {"run": "r1"}),
        Fact("workflow", "produced", {"run": "r1", "name": "t", "kind": "table", "file": "t.csv", "rows": 1,
                                      "columns": {"a": "int"}}),
        Fact("workflow", "produced", {"run": "r1", "name": "g", "kind": "graph", "file": "g.json"}),
        Fact("workflow", "produced", {"run": "r1", "name": "n", "kind": "note", "file": "n.md"}),
        Fact("workflow", "finished", {"run": "r1", "seconds": 1}),
    )  # fmt: skip
    sid = sent(server, log).headers["location"].rsplit("/", 1)[1]
    for address in (
        "",
        "/record",
        "?at=3",
        "/export/session.zip",
        "/export/script.py",
        "/export/notebook.ipynb",
    ):
        assert server.get(f"sessions/{sid}{address}").status_code == 200, address
    assert server.get(f"sessions/{sid}/files/t.csv").status_code == 404


def test_the_words_of_an_imported_log_are_shown_as_they_are(server):
    evil = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    log = lines(
        Fact(evil, "began", {"workflow": "small", "title": evil, "format": 1}),
        Fact(evil, "said", {"text": evil, "turn": evil, "model": evil}),
        Fact(
            evil, "set", {"step": "start", "values": {"depth": evil, evil: [evil, {evil: evil}]}, "why": evil}
        ),
        Fact(evil, "noted", {"about": 1, "text": evil}),
        Fact(evil, "asked", {"id": evil, "question": evil, "options": [evil]}),
        Fact(evil, evil, {evil: evil}),
    )
    sid = sent(server, log).headers["location"].rsplit("/", 1)[1]
    for address in (f"sessions/{sid}", f"sessions/{sid}/record", ""):
        page = server.page(address)
        assert not page.select("img[onerror]"), address
        assert all("alert" not in script.text for script in page.select("script")), address


def test_a_refused_file_is_answered_with_all_reasons(server):
    before = os.listdir(server.workspace / "conversations")
    answer = sent(server, log_with(BEGAN, BEGAN, Fact("<b>", "<b>", {"file": 1})))
    assert answer.status_code == 422
    page = soup(answer)
    assert [li.text[:8] for li in page.select("[role=alert] li")][:2] == ["Entry 2 ", "Entry 3 "]
    form = page.select_one("form#import")
    assert form["method"] == "post" and form["enctype"] == "multipart/form-data"
    assert form.select_one("input[type=file]")["name"] == "file"
    told = sent(server, b"x", headers=JSON)
    assert told.status_code == 422 and len(told.json()["reasons"]) == 1
    assert sent(server, b"x", headers=HTMX).status_code == 422
    for files in ({}, {"file": ("", b"")}, {"other": ("a", LOG)}):
        answer = server.post("import", files=files) if files else server.post("import", {"file": "text"})
        assert answer.status_code == 422 and "No file was sent" in answer.text
    assert os.listdir(server.workspace / "conversations") == before


def test_a_large_file_is_taken_and_the_program_goes_on(server):
    content = os.urandom(3 * 2**20)
    added = Fact(
        "user",
        "added",
        {"file": "big.bin", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    )
    files = {"log.jsonl": log_with(added), "files/big.bin": content}
    answer = sent(server, packed(files, manifest_of(files, session="2026-11-20-small-00bb")))
    assert answer.status_code == 303, answer.text
    assert (server.folder("2026-11-20-small-00bb") / "files" / "big.bin").read_bytes() == content
    assert server.post("import", content=bytes(2**20 + 1)).status_code == 413  # no form, no upload


def test_an_imported_session_goes_on_as_any_other(server, other):
    sid = complete(server, server.begin("small"))
    data = server.get(f"sessions/{sid}/export/session.zip").content
    assert sent(other, data).status_code == 303
    assert other.run(sid)["state"] == "finished"
    assert other.post(f"sessions/{sid}/undo").status_code == 303
    again = sent(other, data).headers["location"].rsplit("/", 1)[1]
    assert again != sid and other.did(again, "noted")

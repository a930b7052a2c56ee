"""The log: what is written can be read, and what is damaged, torn, full or locked is noticed. Real files."""

import asyncio
import errno
import fcntl
import json
import math
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import pytest

from assistant.errors import AssistantError, Conflict, NotFound, ReadOnly, Refused, WriteFailed
from assistant.log import Entry, Fact, Log, create, decode, encode, lines, lock, read
from assistant.verify import verify_log

ROOT = Path(__file__).resolve().parent.parent
BEGAN = Fact("app", "began", {"workflow": "link_graph", "title": "Link graph", "format": 1})
DEPTH = Fact("user", "set", {"step": "start", "values": {"depth": 3}})


def said_of(path):
    """What a verification says of a log file."""
    return verify_log(path)[1]


def small(folder: Path) -> bytes:
    """A session of four lines in three writes; its bytes."""
    made = create(folder, [BEGAN])
    made.append(lambda _: [Fact("user", "said", {"text": "Tiefe drei — «schön»", "turn": 1})])
    made.append(lambda _: [DEPTH, Fact("user", "advanced", {"step": "start"})])
    made.close()
    return (folder / "log.jsonl").read_bytes()


def put(folder: Path, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_bytes(data)
    return folder


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def signed(text: str) -> bytes:
    """A line of any text with a right checksum, as a careless program might write it."""
    body = text.removesuffix("}").encode()
    return b'%b,"crc":"%08x"}' % (body, crc32(body))


# Lines


def test_a_line_reads_as_a_sentence_and_ends_with_its_checksum():
    entry = Entry(7, "2026-11-21T10:03:01.123Z", "user", "set", {"step": "start", "values": {"depth": 3}})
    line = encode(entry)
    assert line == (
        b'{"n":7,"at":"2026-11-21T10:03:01.123Z","by":"user","did":"set",'
        b'"step":"start","values":{"depth":3},"crc":"bd226573"}'
    )
    assert int(line[-10:-2], 16) == crc32(line[: line.rindex(b',"crc"')])
    assert decode(line) == entry
    assert list(entry.as_dict()) == ["n", "at", "by", "did", "step", "values"]
    assert entry["step"] == "start" and entry.get("turn") is None and entry.get("turn", 4) == 4


@pytest.mark.parametrize(
    "text",
    [
        "schön 雪 🎈",
        "a\u2028b\x85c\x0bd\x0ce\rf\ng",
        '","crc":"00000000"}',
        "\x00\x1f\x7f",
        "back\\ud800slash",
        "",
    ],
)
def test_any_text_comes_back_and_is_one_line(tmp_path, text):
    made = create(tmp_path / "s", [BEGAN, Fact("user", "said", {"text": text})])
    made.append(lambda _: [Fact("user", "said", {"text": text, text: [text]})])
    entries, damage = read(tmp_path / "s" / "log.jsonl")
    assert damage is None and entries == made.entries
    assert [e["text"] for e in entries[1:]] == [text, text] and entries[2][text] == [text]
    assert (tmp_path / "s" / "log.jsonl").read_bytes().count(b"\n") == 3


def test_text_is_not_escaped(tmp_path):
    create(tmp_path / "s", [Fact("user", "said", {"text": "schön 雪"})])
    assert "schön 雪" in (tmp_path / "s" / "log.jsonl").read_text(encoding="utf-8")


def deep(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"text": "half \ud83d"}, "U+D83D"),
        ({"values": {"\udc00": 1}}, "U+DC00"),
        ({"values": {"x": math.nan}}, "NaN or infinite"),
        ({"values": {"x": [math.inf]}}, "NaN or infinite"),
        ({"values": {"x": -math.inf}}, "NaN or infinite"),
        ({"text": "x" * 2**20}, "(1 MiB)"),
        ({"text": "雪" * 2**19}, "(1 MiB)"),
        ({"arguments": deep(200)}, "nested"),
        ({"arguments": deep(100_000)}, "nested"),
        ({"values": {"x": 10**5000}}, "4300"),
    ],
)
def test_what_can_not_be_a_line_is_refused_and_nothing_of_its_action_is_written(tmp_path, fields, word):
    before = small(tmp_path / "s")
    made = Log(tmp_path / "s")
    with pytest.raises(Refused) as refused:
        made.append(lambda _: [DEPTH, Fact("model", "called", fields)])
    assert word in str(refused.value) and "called by model" in str(refused.value)
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before
    assert [e.n for e in made.append(lambda _: [DEPTH])] == [5]


def test_a_line_may_have_exactly_one_mebibyte(tmp_path):
    made = create(tmp_path / "s", [BEGAN])
    room = 2**20 - 1 - len(encode(Entry(2, made.entries[0].at, "user", "said", {"text": ""})))
    made.append(lambda _: [Fact("user", "said", {"text": "x" * room})])
    assert len((tmp_path / "s" / "log.jsonl").read_bytes().split(b"\n")[1]) + 1 == 2**20
    with pytest.raises(Refused, match="1,048,577 bytes"):
        made.append(lambda _: [Fact("user", "said", {"text": "x" * (room + 1)})])


@pytest.mark.parametrize("name", ["n", "at", "by", "did", "crc"])
def test_own_fields_can_not_take_the_common_names(name):
    with pytest.raises(ValueError, match=name):
        encode(Entry(1, "", "user", "set", {name: "x"}))


@pytest.mark.parametrize(
    "text",
    [
        '{"n":1,"at":"t","by":"user","did":"set","x":NaN}',
        '{"n":1,"at":"t","by":"user","did":"set","x":-Infinity}',
        '{"n":1,"at":"t","by":"user","did":"set","x":1e999}',
        '{"n":1,"at":"t","by":"user","did":"set","x":"\\ud800"}',
        '{"n":1,"at":"t","by":"user","did":"set","x":"\\uDfff"}',
        '{"n":1,"at":"t","by":"user","did":"set","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"n":true,"at":"t","by":"user","did":"set"}',
        '{"n":1.0,"at":"t","by":"user","did":"set"}',
        '{"n":1,"at":1,"by":"user","did":"set"}',
        '{"n":1,"at":"t","did":"set"}',
        '{"n":1,"at":"t","by":"user","did":"set"}}',
        "{}",
        "[1}",
        "",
    ],
)
def test_a_right_checksum_alone_makes_no_entry(text):
    with pytest.raises(ValueError):
        decode(signed(text))


def test_bytes_that_are_no_text_make_no_entry():
    body = b'{"n":1,"at":"t","by":"user","did":"set","x":"\xff"'
    with pytest.raises(ValueError, match="UTF-8"):
        decode(b'%b,"crc":"%08x"}' % (body, crc32(body)))


# Reading and writing


def test_entries_in_memory_are_what_a_reader_gets(tmp_path):
    made = create(tmp_path / "s", [BEGAN])
    values = {"pair": (1, 2), 5: None, "nested": {"deep": [1.5, True]}}
    written = made.append(lambda _: [Fact("user", "set", {"values": values})])
    values["pair"] = (3, 4)
    assert written[0]["values"] == {"pair": [1, 2], "5": None, "nested": {"deep": [1.5, True]}}
    assert made.entries == Log(tmp_path / "s").entries == read(tmp_path / "s" / "log.jsonl")[0]


def test_lines_of_one_write_share_a_time_that_no_other_write_has(tmp_path):
    made = create(tmp_path / "s", [BEGAN, DEPTH])
    for _ in range(50):
        made.append(lambda _: [DEPTH, DEPTH])
    times = [e.at for e in made.entries]
    assert times[::2] == times[1::2]
    assert times[::2] == sorted(set(times))
    assert [e.n for e in made.entries] == list(range(1, 103))


@pytest.mark.parametrize(
    ("last", "following"),
    [
        ("2999-12-31T23:59:59.999Z", "3000-01-01T00:00:00.000Z"),
        ("2999-12-31T23:59:59.999+00:00", "3000-01-01T00:00:00.000Z"),
    ],
)
def test_time_never_goes_back(tmp_path, last, following):
    made = create(tmp_path / "s", [Entry(1, last, "app", "began", {"format": 1})])
    assert made.append(lambda _: [DEPTH])[0].at == following


@pytest.mark.parametrize("last", ["yesterday", "9999-12-31T23:59:59.999Z", ""])
def test_a_time_that_is_no_use_does_not_stop_the_log(tmp_path, last):
    made = create(tmp_path / "s", [Entry(1, last, "app", "began", {"format": 1})])
    assert made.append(lambda _: [DEPTH])[0].at[:2] == "20"


def test_catching_up_returns_only_what_is_new(tmp_path):
    first = create(tmp_path / "s", [BEGAN])
    second = Log(tmp_path / "s")
    assert second.catch_up() == []
    written = first.append(lambda _: [DEPTH]) + first.append(lambda _: [DEPTH])
    assert second.catch_up() == written and second.catch_up() == []
    mine = second.append(lambda entries: [Fact("cli", "set", {"values": {"depth": len(entries)}})])
    assert mine[0].n == 4 and mine[0]["values"] == {"depth": 3}
    assert second.catch_up() == [], "its own line is not news"
    assert first.catch_up() == mine
    assert first.entries == second.entries
    assert first.generation == second.generation == 1, "read from its start more than once"


def test_nothing_decided_is_nothing_written(tmp_path):
    before = small(tmp_path / "s")
    made = Log(tmp_path / "s")
    assert made.append(lambda _: []) == []
    with pytest.raises(Conflict):
        made.append(decide_conflict)
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before
    put(tmp_path / "s", before + b'{"n":5')
    assert made.append(lambda _: []) == []
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before + b'{"n":5', (
        "mended though nothing was written"
    )
    assert made.append(lambda _: [DEPTH])[0].n == 5


def decide_conflict(entries: list[Entry]) -> list[Fact]:
    raise Conflict("This card is done.")


def test_unknown_entries_are_kept_like_any_other(tmp_path):
    made = create(tmp_path / "s", [BEGAN, Fact("robot", "danced", {"steps": ["left", "right"]})])
    made.append(lambda _: [DEPTH])
    entries = Log(tmp_path / "s").entries
    assert entries[1].did == "danced" and entries[1].fields == {"steps": ["left", "right"]}
    assert entries[2].n == 3


@pytest.mark.parametrize("said", [2, 1.5, "1", None])
def test_a_newer_format_is_read_only(tmp_path, said):
    made = create(tmp_path / "s", [Fact("app", "began", {"format": said}), DEPTH])
    assert made.newer_format
    before = (tmp_path / "s" / "log.jsonl").read_bytes()
    opened = Log(tmp_path / "s")
    assert opened.newer_format and len(opened.entries) == 2
    with pytest.raises(ReadOnly, match="newer version"):
        opened.append(lambda _: [DEPTH])
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before
    assert "newer version" in said_of(tmp_path / "s" / "log.jsonl")[0]


def test_a_first_entry_without_a_format_is_not_newer(tmp_path):
    made = create(tmp_path / "s", [Fact("app", "began", {"workflow": "w"})])
    assert made.append(lambda _: [DEPTH])[0].n == 2


# Damage


def test_every_cut_point_gives_a_prefix_and_the_next_writer_keeps_the_rest_aside(tmp_path):
    data = small(tmp_path / "whole")
    true = Log(tmp_path / "whole").entries
    ends = [i for i, byte in enumerate(data) if byte == 10]
    for cut in range(len(data) + 1):
        folder = put(tmp_path / f"cut-{cut}", data[:cut])
        whole = sum(end <= cut for end in ends)  # a line counts without its newline too
        assert read(folder / "log.jsonl") == (true[:whole], None)
        assert (folder / "log.jsonl").read_bytes() == data[:cut], "a reader changed the file"
        opened = Log(folder)
        written = opened.append(lambda _: [DEPTH])
        opened.close()
        assert read(folder / "log.jsonl") == (true[:whole] + written, None)
        start = ends[whole - 1] + 1 if whole else 0
        aside = [f.read_bytes() for f in folder.glob("log.torn-*")]
        assert aside == ([data[start:cut]] if cut > start else [])


def test_no_single_bit_flip_passes_unseen(tmp_path):
    data = small(tmp_path / "whole")
    true = Log(tmp_path / "whole").entries
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            entries: list[Entry] = []
            found = lines.scan(bytes(flipped), entries)
            assert entries == true[: len(entries)]
            assert len(entries) < len(true), "a changed line was taken for good"
            in_last_newline = place == len(data) - 1
            assert (found.damage is None) == in_last_newline
            if found.damage:
                assert found.damage.line == found.damage.last_good + 1 == len(entries) + 1


def swap(whole: list[bytes]) -> list[bytes]:
    return [whole[0], whole[2], whole[1], whole[3]]


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (lambda w: w[:1] + w[2:], 2, "missing"),
        (lambda w: w[1:], 1, "missing"),
        (lambda w: w[:2] + w[1:], 3, "twice"),
        (swap, 2, "missing"),
        (lambda w: [*w, w[-1]], 5, "twice"),
        (lambda w: [w[0], b"\n", *w[1:]], 2, "checksum"),
        (lambda w: [w[0], w[1][:-1] + b"\r\n", *w[2:]], 2, "checksum"),
        (lambda w: [*w[:2], w[2].replace(b"3", b"4", 1), w[3]], 3, "checksum"),
        (lambda w: [*w[:3], b"\0" * 40 + b"\n"], 4, "checksum"),
        (lambda w: [*w[:3], w[2][:-1]], 4, "twice"),
    ],
)
def test_damage_is_named_kept_and_read_only(tmp_path, change, line, word):
    whole = small(tmp_path / "whole").splitlines(keepends=True)
    true = Log(tmp_path / "whole").entries
    data = b"".join(change(whole))
    opened = Log(put(tmp_path / "s", data))
    assert opened.damage is not None
    assert (opened.damage.line, opened.damage.last_good) == (line, line - 1)
    assert word in opened.damage.reason
    assert opened.entries == true[: line - 1]
    with pytest.raises(ReadOnly, match=f"line {line}:"):
        opened.append(lambda _: [DEPTH])
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == data
    assert not list((tmp_path / "s").glob("log.torn-*"))
    assert f"line {line}" in said_of(tmp_path / "s" / "log.jsonl")[0]


def test_damage_that_comes_while_the_log_is_open_is_seen(tmp_path):
    data = small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    put(tmp_path / "s", data + b"not a line\n")
    assert opened.catch_up() == []
    assert opened.damage is not None and opened.damage.line == 5 and len(opened.entries) == 4
    put(tmp_path / "s", data)  # repaired
    assert opened.catch_up() == [] and opened.damage is None
    assert opened.append(lambda _: [DEPTH])[0].n == 5


def test_damage_is_judged_again_under_the_lock(tmp_path):
    data = small(tmp_path / "s")
    put(tmp_path / "s", data.replace(b"drei", b"vier"))  # as if the file was seen in the midst of a write
    opened = Log(tmp_path / "s")
    assert opened.damage is not None and opened.damage.line == 2
    put(tmp_path / "s", data)
    assert opened.append(lambda _: [DEPTH])[0].n == 5 and opened.damage is None


def test_an_open_log_notices_that_what_it_read_is_gone(tmp_path):
    data = small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    later = signed('{"n":5,"at":"t","by":"cli","did":"noted","text":"never acknowledged"}') + b"\n"
    put(tmp_path / "s", data + later)  # as a reader sees another's write that is then cut back
    assert [e.n for e in opened.catch_up()] == [5]
    other = signed('{"n":5,"at":"t","by":"cli","did":"noted","text":"another line, and longer"}') + b"\n"
    put(tmp_path / "s", data + other)
    opened.catch_up()
    assert opened.entries == read(tmp_path / "s" / "log.jsonl")[0]
    assert opened.entries[4]["text"] == "another line, and longer" and opened.generation == 2
    put(tmp_path / "s", data)
    assert opened.catch_up() == [] and len(opened.entries) == 4
    assert opened.append(lambda _: [DEPTH])[0].n == 5


def test_a_replaced_file_is_read_afresh_and_written_to(tmp_path):
    small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    opened.append(lambda _: [DEPTH])
    create(tmp_path / "other", [BEGAN, DEPTH]).close()
    os.replace(tmp_path / "other" / "log.jsonl", tmp_path / "s" / "log.jsonl")
    assert opened.append(lambda _: [DEPTH])[0].n == 3
    assert read(tmp_path / "s" / "log.jsonl") == (opened.entries, None)


def test_a_newline_that_comes_later_belongs_to_its_line(tmp_path):
    data = small(tmp_path / "s")
    put(tmp_path / "s", data[:-1])
    opened, other = Log(tmp_path / "s"), Log(tmp_path / "s")
    assert len(opened.entries) == 4
    assert "has no newline" in said_of(tmp_path / "s" / "log.jsonl")[0]
    put(tmp_path / "s", data)
    assert opened.catch_up() == [] and opened.damage is None
    assert [opened.append(lambda _: [DEPTH])[0].n, other.append(lambda _: [DEPTH])[0].n] == [5, 6]
    assert said_of(tmp_path / "s" / "log.jsonl") == []


def test_torn_lines_never_overwrite_each_other(tmp_path):
    data = small(tmp_path / "s")
    for _ in range(3):
        opened = Log(put(tmp_path / "s", data + b'{"n":5,"at'))
        assert "10 bytes" in said_of(tmp_path / "s" / "log.jsonl")[0]
        opened.append(lambda _: [DEPTH])
    aside = sorted(f.name for f in (tmp_path / "s").glob("log.torn-*"))
    assert aside == ["log.torn-5", "log.torn-5-2", "log.torn-5-3"]
    assert {stat.S_IMODE((tmp_path / "s" / name).stat().st_mode) for name in aside} == {0o600}


# Files


def test_folders_and_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        create(tmp_path / "conversations" / "s", [BEGAN]).close()
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "conversations").rglob("*")}
    assert modes == {"s": 0o700, "log.jsonl": 0o600, "log.lock": 0o600}
    assert stat.S_IMODE((tmp_path / "conversations").stat().st_mode) == 0o700


def test_a_session_is_made_once(tmp_path):
    before = small(tmp_path / "s")
    with pytest.raises(Conflict, match="s already"):
        create(tmp_path / "s", [BEGAN])
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before


def test_a_session_that_could_not_be_begun_is_not_there(tmp_path):
    with pytest.raises(Refused):
        create(tmp_path / "s", [BEGAN, Fact("app", "opened", {"offered": {"x": [math.nan]}})])
    with pytest.raises(NotFound):
        Log(tmp_path / "s")


def test_a_fork_keeps_who_and_when(tmp_path):
    small(tmp_path / "s")
    source = Log(tmp_path / "s").entries[:3]
    fork = create(tmp_path / "fork", source)
    assert fork.entries == source
    with pytest.raises(ValueError, match="entry 3 can not stand at line 2"):
        create(tmp_path / "gap", [source[0], source[2]])


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "nothing"])
def test_only_a_plain_file_is_a_log(tmp_path, kind):
    small(tmp_path / "whole")
    path = tmp_path / "s" / "log.jsonl"
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(tmp_path / "whole" / "log.jsonl")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    for use in (lambda: Log(path.parent), lambda: read(path), lambda: said_of(path)):
        with pytest.raises(NotFound):
            use()


@pytest.mark.parametrize("name", ["log.jsonl", "log.lock"])
def test_a_link_put_there_later_is_not_followed(tmp_path, name):
    small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "s" / name).unlink()
    (tmp_path / "s" / name).symlink_to(victim)
    with pytest.raises(AssistantError):
        opened.append(lambda _: [DEPTH])
    assert victim.read_bytes() == b"precious"


def remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


@pytest.mark.parametrize("used", [False, True])
def test_a_deleted_session_stays_deleted(tmp_path, used):
    small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    if used:
        opened.append(lambda _: [DEPTH])
    remove(tmp_path / "s")
    for use in (lambda: opened.append(lambda _: [DEPTH]), opened.catch_up):
        with pytest.raises(NotFound, match="deleted"):
            use()
    assert not (tmp_path / "s").exists()


def test_a_deleted_lock_file_does_not_let_two_in(tmp_path):
    small(tmp_path / "s")
    first = Log(tmp_path / "s")
    first.append(lambda _: [DEPTH])
    (tmp_path / "s" / "log.lock").unlink()
    second = Log(tmp_path / "s")
    seen = []

    def decide(entries: list[Entry]) -> list[Fact]:
        seen.append(first._try_lock())
        return [DEPTH]

    assert second.append(decide)[0].n == 6
    assert seen == [False]
    assert first.append(lambda _: [DEPTH])[0].n == 7


def test_closing_gives_the_descriptors_back(tmp_path):
    made = create(tmp_path / "s", [BEGAN])
    made.append(lambda _: [DEPTH])
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 2
    made.close()
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert before - after == 2
    assert made.append(lambda _: [DEPTH])[0].n == 3
    made.close()
    made.close()


# A failing disk

LIMITED = """
import resource, signal, sys
from pathlib import Path
from assistant.errors import WriteFailed
from assistant.log import Fact, Log
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Log(Path(sys.argv[1]))
size, room = (Path(sys.argv[1]) / "log.jsonl").stat().st_size, int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
for _ in range(2):
    try:
        log.append(lambda _: [Fact("user", "noted", {"text": text}) for text in ("x" * 200, "y")])
    except WriteFailed as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(log.append(lambda _: [Fact("user", "noted", {"text": "fits"})])[0].n)
"""


@pytest.mark.parametrize("room", [0, 1, 100, 295, 300])
def test_a_write_that_finds_no_room_leaves_nothing(tmp_path, room):
    before = small(tmp_path / "s")
    child = python(LIMITED, tmp_path / "s", room)
    said = child.communicate()[0].splitlines()
    assert len(said) == 3 and said[-1] == "5"
    for sentence in said[:2]:
        assert sentence.startswith("Nothing was written: ")
        assert ("File too large" if room == 0 else f"only {room} of") in sentence
    entries, damage = read(tmp_path / "s" / "log.jsonl")
    assert damage is None and [e.n for e in entries] == [1, 2, 3, 4, 5] and entries[4]["text"] == "fits"
    assert (tmp_path / "s" / "log.jsonl").read_bytes().startswith(before)
    assert not list((tmp_path / "s").glob("log.torn-*"))


READ_ONLY = """
import os, sys
from pathlib import Path
from assistant.errors import WriteFailed
from assistant.log import Fact, Log
os.chdir(sys.argv[1])
if os.geteuid() == 0:  # root may write everywhere
    os.chown(".", 65534, -1)
    os.chown("log.jsonl", 65534, -1)
    os.seteuid(65534)
log = Log(Path.cwd())
try:
    log.append(lambda _: [Fact("user", "noted", {})])
except WriteFailed as error:
    print(len(log.entries), error)
"""


def test_a_read_only_folder_can_be_read_and_says_why_not_written(tmp_path):
    before = small(tmp_path / "s")
    (tmp_path / "s" / "log.lock").unlink()
    (tmp_path / "s" / "log.jsonl").chmod(0o400)
    (tmp_path / "s").chmod(0o500)
    try:
        said = python(READ_ONLY.replace("Path.cwd()", 'Path(".")'), tmp_path / "s").communicate()[0]
    finally:
        (tmp_path / "s").chmod(0o700)
    assert said.startswith("4 Nothing was written: the folder") and "read-only" in said
    assert (tmp_path / "s" / "log.jsonl").read_bytes() == before


class Failing(Log):
    """A log on a disk that fails as it is told: the write or the fsync raises `error` while one is set."""

    write_error: int | None = None
    fsync_error: int | None = None
    fsyncs = 0

    def _os_write(self, descriptor: int, data: bytes) -> int:
        if self.write_error is not None:
            raise OSError(self.write_error, os.strerror(self.write_error))
        return super()._os_write(descriptor, data)

    def _os_fsync(self, descriptor: int) -> None:
        self.fsyncs += 1
        if self.fsync_error is not None:
            raise OSError(self.fsync_error, os.strerror(self.fsync_error))
        super()._os_fsync(descriptor)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_refused_write_says_why_and_is_not_written_later(tmp_path, code, word):
    before = small(tmp_path / "s")
    failing = Failing(tmp_path / "s")
    failing.write_error = code
    with pytest.raises(WriteFailed, match=word):
        failing.append(lambda _: [Fact("user", "noted", {"text": "refused"})])
    assert len(failing.entries) == 4
    failing.write_error = None
    failing.append(lambda _: [Fact("user", "noted", {"text": "taken"})])
    failing.close()
    data = (tmp_path / "s" / "log.jsonl").read_bytes()
    assert data.startswith(before) and b"refused" not in data and data.count(b"\n") == 5


def test_after_a_failed_fsync_nothing_is_written_until_the_log_is_read_again(tmp_path):
    small(tmp_path / "s")
    failing = Failing(tmp_path / "s")
    failing.fsync_error = errno.EIO
    with pytest.raises(WriteFailed, match="may be lost"):
        failing.append(lambda _: [DEPTH])
    failing.fsync_error = None
    size = (tmp_path / "s" / "log.jsonl").stat().st_size
    for _ in range(2):
        with pytest.raises(WriteFailed, match="may be lost"):
            failing.append(lambda _: [DEPTH])
    assert failing.fsyncs == 1, "a second fsync on that descriptor would succeed and mean nothing"
    assert (tmp_path / "s" / "log.jsonl").stat().st_size == size
    failing.read_again()
    assert failing.append(lambda _: [DEPTH])[0].n == 6 and failing.fsyncs == 2
    with pytest.raises(WriteFailed, match="may be lost"):
        failing._sync(1)  # one who still waits for the failed write is not answered by a later one
    assert read(tmp_path / "s" / "log.jsonl") == (failing.entries, None)


def test_progress_is_not_synced(tmp_path):
    create(tmp_path / "s", [BEGAN])
    counting = Failing(tmp_path / "s")
    counting.append(lambda _: [Fact("app", "progressed", {"run": "r", "done": 1}, sync=False)])
    assert counting.fsyncs == 0
    counting.append(lambda _: [Fact("app", "progressed", {"run": "r", "done": 2}, sync=False), DEPTH])
    assert counting.fsyncs == 1 and len(read(tmp_path / "s" / "log.jsonl")[0]) == 4


# Several writers

WRITER = """
import sys
from pathlib import Path
from assistant.log import Fact, Log
log = Log(Path(sys.argv[1]))
sys.stdin.readline()
for i in range(int(sys.argv[3])):
    fields = {"who": sys.argv[2], "i": i}
    log.append(lambda entries: [Fact("cli", "noted", fields | {"seen": len(entries)})] * (1 + i % 3))
"""


def test_four_processes_lose_nothing(tmp_path):
    create(tmp_path / "s", [BEGAN]).close()
    writers = [python(WRITER, tmp_path / "s", name, 60) for name in "abcd"]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    entries, damage = read(tmp_path / "s" / "log.jsonl")
    assert damage is None and [e.n for e in entries] == list(range(1, 4 * 120 + 2))
    actions: dict[str, list[Entry]] = {}
    for entry in entries[1:]:
        actions.setdefault(entry.at, []).append(entry)
    assert list(actions) == sorted(actions) and len(actions) == 240
    for written in actions.values():  # an action is not interleaved, and was decided on what stood before it
        assert len({(e["who"], e["i"]) for e in written}) == 1 and len(written) == 1 + written[0]["i"] % 3
        assert {e["seen"] for e in written} == {written[0].n - 1}
    for name in "abcd":
        assert [w[0]["i"] for w in actions.values() if w[0]["who"] == name] == list(range(60))


def test_threads_share_one_log(tmp_path):
    made = create(tmp_path / "s", [BEGAN])

    def work(name: str) -> None:
        for i in range(40):
            made.append(lambda _, i=i: [Fact("app", "noted", {"who": name, "i": i})])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.n for e in made.entries] == list(range(1, 162))
    assert read(tmp_path / "s" / "log.jsonl") == (made.entries, None)


class Recording(Log):
    """Knows how much of the file was there as the last finished fsync began."""

    fsyncs = 0
    safe = 0

    def _os_fsync(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        super()._os_fsync(descriptor)
        self.fsyncs += 1
        self.safe = max(self.safe, size)


def test_closing_waits_for_lines_that_are_not_on_disk_yet(tmp_path):
    create(tmp_path / "s", [BEGAN]).close()
    recording = Recording(tmp_path / "s")
    assert recording._try_lock()
    _, goal = recording._write_locked(lambda _: [DEPTH])
    recording.close()
    recording._sync(goal)
    assert recording.safe == (tmp_path / "s" / "log.jsonl").stat().st_size and recording.fsyncs == 1


@pytest.mark.anyio
async def test_those_who_wait_share_an_fsync_and_each_waits_for_one_that_has_its_line(tmp_path):
    create(tmp_path / "s", [BEGAN]).close()
    recording = Recording(tmp_path / "s")

    async def write(i: int) -> int:
        written = await recording.write(lambda _: [Fact("app", "noted", {"i": i})])
        data = (tmp_path / "s" / "log.jsonl").read_bytes()
        assert recording.safe >= data.index(encode(written[0])) + len(encode(written[0])) + 1
        if i % 10 == 0:
            await write(1_001 + i)
        return written[0].n

    numbers = await asyncio.gather(*(write(i) for i in range(100)))
    assert numbers == list(range(2, 102))
    assert 1 <= recording.fsyncs < 50
    entries, damage = read(tmp_path / "s" / "log.jsonl")
    assert damage is None and len(entries) == 111 and entries == recording.entries


@pytest.mark.anyio
async def test_tasks_and_threads_write_at_the_same_time(tmp_path):
    recording = Recording(create(tmp_path / "s", [BEGAN]).folder)
    append = [
        asyncio.to_thread(recording.append, lambda _: [Fact("app", "noted", {"from": "thread"})])
        for _ in range(30)
    ]
    write = [recording.write(lambda _: [Fact("app", "noted", {"from": "task"})]) for _ in range(30)]
    written = await asyncio.gather(*append, *write)
    assert sorted(w[0].n for w in written) == list(range(2, 62))
    assert read(tmp_path / "s" / "log.jsonl") == (recording.entries, None)
    assert recording.safe == (tmp_path / "s" / "log.jsonl").stat().st_size


@pytest.mark.anyio
async def test_a_failed_fsync_fails_all_who_waited_for_it(tmp_path):
    create(tmp_path / "s", [BEGAN]).close()
    failing = Failing(tmp_path / "s")
    failing.fsync_error = errno.EIO
    results = await asyncio.gather(
        *(failing.write(lambda _: [DEPTH]) for _ in range(20)), return_exceptions=True
    )
    assert all(isinstance(r, WriteFailed) and "may be lost" in str(r) for r in results)
    assert failing.fsyncs == 1
    failing.fsync_error = None
    failing.read_again()
    stands = len(read(tmp_path / "s" / "log.jsonl")[0])  # those who came after the failure wrote nothing
    assert 2 <= stands <= 21
    assert [e.n for e in await failing.write(lambda _: [DEPTH])] == [stands + 1]


@pytest.mark.anyio
async def test_one_who_is_cancelled_does_not_take_the_others_along(tmp_path):
    create(tmp_path / "s", [BEGAN]).close()
    held, go = threading.Event(), threading.Event()

    class Waiting(Recording):
        def _os_fsync(self, descriptor: int) -> None:
            held.set()
            assert go.wait(30)
            super()._os_fsync(descriptor)

    waiting = Waiting(tmp_path / "s")
    tasks = [asyncio.create_task(waiting.write(lambda _: [DEPTH])) for _ in range(3)]
    await asyncio.to_thread(held.wait, 30)
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert not tasks[1].done() and not tasks[2].done(), "acknowledged before the fsync"
    go.set()
    assert [w[0].n for w in await asyncio.gather(*tasks[1:])] == [3, 4]
    assert (await waiting.write(lambda _: [DEPTH]))[0].n == 5


HOLDER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1] + "/log.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.anyio
async def test_a_lock_held_by_another_program_does_not_stop_the_loop(tmp_path):
    small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    holder = python(HOLDER, tmp_path / "s")
    assert holder.stdout.readline() == "held\n"
    tasks = [asyncio.create_task(opened.write(lambda _: [DEPTH])) for _ in range(20)]
    for _ in range(100):
        await asyncio.sleep(0)
        assert opened.catch_up() == []  # reading goes on too
    assert not any(task.done() for task in tasks)
    tasks[0].cancel()
    holder.communicate("go\n")
    written = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(written[0], asyncio.CancelledError)
    assert sorted(w[0].n for w in written[1:]) == list(range(5, 24))


def test_a_lock_that_is_never_given_back_is_said(tmp_path, monkeypatch):
    small(tmp_path / "s")
    descriptor = os.open(tmp_path / "s" / "log.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.05)
    opened = Log(tmp_path / "s")
    with pytest.raises(WriteFailed, match=r"log\.lock"):
        opened.append(lambda _: [DEPTH])
    os.close(descriptor)
    assert opened.append(lambda _: [DEPTH])[0].n == 5


@pytest.mark.anyio
async def test_a_hanging_function_in_the_loops_threads_does_not_stop_the_log(tmp_path):
    made = create(tmp_path / "s", [BEGAN])
    loop, go = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    hanging = loop.run_in_executor(None, go.wait, 60)
    try:
        assert (await made.write(lambda _: [DEPTH]))[0].n == 2
        assert not hanging.done()
    finally:
        go.set()
        await hanging


@pytest.mark.anyio
async def test_a_deleted_session_is_not_found_by_a_task_either(tmp_path):
    small(tmp_path / "s")
    opened = Log(tmp_path / "s")
    await opened.write(lambda _: [DEPTH])
    remove(tmp_path / "s")
    with pytest.raises(NotFound):
        await opened.write(lambda _: [DEPTH])


# Checking a file


def test_verify_has_nothing_to_say_of_a_good_log(tmp_path):
    small(tmp_path / "s")
    assert said_of(tmp_path / "s" / "log.jsonl") == []
    assert said_of(put(tmp_path / "empty", b"") / "log.jsonl") == ["The log has no entry."]


def test_the_log_is_plain_json_lines_for_everyone_else(tmp_path):
    small(tmp_path / "s")
    with open(tmp_path / "s" / "log.jsonl", encoding="utf-8", newline="\n") as file:
        seen = [json.loads(line) for line in file]
    assert [(e["n"], e["did"]) for e in seen] == [(1, "began"), (2, "said"), (3, "set"), (4, "advanced")]
    assert all(list(e)[:4] == ["n", "at", "by", "did"] and list(e)[-1] == "crc" for e in seen)

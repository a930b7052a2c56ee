"""The search over all sessions: what is found, where, how often, and what is not."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

import pytest
from browsing import NARROW, fill, next_
from playwright.sync_api import expect
from samples import SMALL, complete
from serving import make_workspace, serving

from assistant import search as searching
from assistant.log import Fact, Log, create
from assistant.log.lines import Entry, encode
from assistant.search import Hit, Page, Query, Search
from assistant.search import matching as needles
from assistant.search.matching import excerpt, words_of

pytest_plugins = ["browser"]


def write(folder: Path, sid: str, *facts: Fact, workflow: str = "trip") -> Path:
    """A session with these lines after its first."""
    began = Fact("user", "began", {"workflow": workflow, "title": workflow.title(), "format": 1})
    create(folder / sid, [began, *facts]).close()
    return folder / sid / "log.jsonl"


def told(text: str, by: str = "user", **more: Any) -> Fact:
    return Fact(by, "said", {"text": text, "turn": "t1", **more})


def sid_of(n: int) -> str:
    return f"2026-01-01-trip-{n:04x}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "conversations"


def find(where: Path | Search, text: str, **filters: str) -> Page:
    """What a fresh search, or one that knows the sessions, finds for what was typed."""
    search = where if isinstance(where, Search) else Search(where)
    return search.find(Query(words_of(text), **filters))


def hits(where: Path | Search, text: str, **filters: str) -> list[Hit]:
    return [hit for group in find(where, text, **filters).groups for hit in group.hits]


def places(where: Path | Search, text: str, **filters: str) -> list[str]:
    """Where in its entries it was found, in words."""
    found = [passage for hit in hits(where, text, **filters) for passage in hit.passages]
    return [f"{passage.where} {passage.name}".strip() for passage in found]


# --- each kind of place -------------------------------------------------------------------------------------

EVERYWHERE = [
    (told("where is the needle?"), "conversation"),
    (told("in the hay", "model", model="m:1b", thinking="a needle, then"), "thinking"),
    (Fact("user", "set", {"step": "a", "values": {"depth": 3, "tool": "a needle"}}), "value of tool"),
    (Fact("user", "set", {"step": "a", "values": {"needle": 3}}), "value of needle"),
    (Fact("user", "set", {"step": "a", "values": {"l": ["x", "needle"]}}), "value of l"),
    (Fact("user", "set", {"step": "a", "values": {"f": {"file": "needle.csv"}}}), "value of f"),
    (Fact("model", "set", {"step": "a", "values": {"x": 1}, "why": "a needle"}), "why"),
    (
        Fact("model", "proposed", {"id": "p", "step": "a", "values": {"x": "needle"}, "turn": "t"}),
        "suggested value of x",
    ),
    (
        Fact("user", "refused", {"step": "a", "name": "x", "value": "needle", "reason": "no"}),
        "refused x",
    ),
    (Fact("user", "refused", {"step": "a", "name": None, "value": 1, "reason": "needle"}), "refused"),
    (
        Fact(
            "model", "called", {"turn": "t", "tool": "set_values", "arguments": {"x": "needle"}, "result": {}}
        ),
        "tool call set_values",
    ),
    (
        Fact(
            "model", "called", {"turn": "t", "tool": "q", "arguments": {}, "result": {"rows": [["needle"]]}}
        ),
        "tool call q",
    ),
    (Fact("workflow", "helped", {"step": "a", "text": "Which?\n\nThe needle."}), "help"),
    (Fact("model", "asked", {"id": "q", "question": "Which needle?", "turn": "t"}), "question"),
    (
        Fact("model", "asked", {"id": "q", "question": "Which?", "turn": "t", "options": ["needle"]}),
        "question",
    ),
    (Fact("user", "answered", {"id": "q", "action": "accept", "value": "the needle"}), "answer"),
    (
        Fact("workflow", "produced", {"run": "r", "name": "needles", "kind": "table", "file": "a.csv"}),
        "result",
    ),
    (Fact("workflow", "produced", {"run": "r", "name": "a", "kind": "file", "file": "needle.txt"}), "result"),
    (Fact("user", "noted", {"about": 1, "text": "a needle here"}), "note"),
    (Fact("user", "added", {"file": "needle.txt", "bytes": 1, "sha256": "0"}), "file"),
    (Fact("workflow", "failed", {"where": "step", "step": "a", "reason": "no needle"}), "failure"),
    (Fact("user", "named", {"name": "the needle"}), "name of the session"),
]


@pytest.mark.parametrize(("fact", "place"), EVERYWHERE, ids=lambda each: each if type(each) is str else "")
def test_each_place_is_found_and_named(folder: Path, fact: Fact, place: str) -> None:
    write(folder, sid_of(1), told("hay"), fact, told("more hay"))
    search = Search(folder)
    assert places(search, "NEEDLE") == [place]
    assert [hit.n for hit in hits(search, "needle")] == [3]  # and again, now that the session is known


def test_the_text_of_a_note_that_a_run_gave_back(folder: Path) -> None:
    fields = {"run": "r", "name": "note", "kind": "note", "file": "note.md"}
    (write(folder, sid_of(1), Fact("workflow", "produced", fields)).parent / "files").mkdir()
    (folder / sid_of(1) / "files" / "note.md").write_text('# Done\n\nA "needle" in GRÜN.\n', "utf-8")
    search = Search(folder)
    for _ in range(2):
        assert places(search, '"a "needle"" grün') == places(search, "needle") == ["result"]
    outside = {"run": "r", "name": "note", "kind": "note", "file": "../log.jsonl"}
    write(folder, sid_of(2), Fact("workflow", "produced", outside), told("straw"))
    assert len(hits(search, "straw")) == 1
    assert not hits(search, "trip")  # which stands in that log, in no text


MACHINE = (
    "crc turn text values step began workflow 2026 t7c1 arguments result format title file kind said called "
    "user source 00000000 a1b2c3 secret redacted trip"
).split()


@pytest.mark.parametrize("word", MACHINE)
def test_what_only_the_program_wrote_is_not_found(folder: Path, word: str) -> None:
    facts = [
        told("hay", turn="t7c1", prompt="a1b2c3"),
        Fact("user", "set", {"step": "trip", "values": {"key": {"secret": True}}, "turn": "t7c1"}),
        Fact("user", "set", {"step": "trip", "values": {"key": {"redacted": True}}}),
        Fact("model", "called", {"turn": "t7c1", "tool": "x", "arguments": {"y": 1}, "result": {"ok": 1}}),
        Fact("user", "added", {"file": "b", "bytes": 1, "sha256": "a1b2c3"}),
        Fact("workflow", "progressed", {"run": "a1b2c3", "done": 1, "total": 2, "note": "secret"}),
        Fact("user", "unheard", {"text": "secret"}),
    ]
    write(folder, sid_of(1), *facts * 30)
    search = Search(folder)
    assert not hits(search, word)
    assert not hits(search, word)
    assert hits(search, "hay")


@pytest.mark.parametrize("many", [1, 2 * needles.FEW])
def test_a_parameter_may_have_the_name_of_a_field(folder: Path, many: int) -> None:
    facts = [Fact("user", "set", {"step": "a", "values": {"depth": 1, "turn": "x"}, "turn": "t2"})]
    write(folder, sid_of(1), *[told("hay")] * 30, *facts * many)
    assert find(folder, "turn").groups[0].more + len(hits(folder, "turn")) == many
    assert places(folder, "turn x")[:1] == ["value of turn"]


def test_a_secret_is_found_by_its_name_and_says_nothing(folder: Path) -> None:
    write(folder, sid_of(1), Fact("user", "set", {"step": "a", "values": {"key": {"secret": True}}}))
    [hit] = hits(folder, "key")
    assert hit.passages[0].text == ""


# --- words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Red  APPLE", ("red", "apple")),
        ('"Red  apple" pie', ("red apple", "pie")),
        ("“Red apple”", ("red apple",)),
        ('"red', ("red",)),
        ('""', ()),
        (' "', ()),
        ("red red", ("red",)),
        ("GRÖSSE größe", ("grösse",)),
        ("w " * 500, ("w",)),
    ],
)
def test_what_is_typed_as_words(typed: str, words: tuple[str, ...]) -> None:
    assert words_of(typed) == words


def test_all_words_must_be_in_one_entry(folder: Path) -> None:
    write(folder, sid_of(1), told("a red apple"), told("a green pear"))
    write(folder, sid_of(2), told("an apple is red"))
    assert {hit.n for hit in hits(folder, "red apple")} == {2}
    assert len(hits(folder, "red apple")) == 2
    assert not hits(folder, "red pear")
    assert len(hits(folder, '"red apple"')) == 1
    assert not hits(folder, '"apple red"')


def test_words_of_one_entry_may_stand_in_different_values(folder: Path) -> None:
    write(folder, sid_of(1), Fact("user", "set", {"step": "a", "values": {"x": "red", "y": "apple", "z": 7}}))
    assert places(folder, "red apple") == ["value of x", "value of y"]
    assert places(folder, "z 7") == ["value of z"]
    assert places(folder, '"z 7"') == ["value of z"]


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("Größe", "GRÖSSE"),
        ("GRÖSSE", "größe"),
        ("STRASSE", "straße"),
        ("Straße", "strasse"),
        ("ПРИВЕТ", "привет"),
        ("привет", "Привет"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("日本語のテキスト", "本語"),
        ("the ﬁne print", "fine"),
        ("\u212bngström", "ångström"),
        ('she said "no"', 'said "no"'),
        ("back\\slash", "K\\S"),
        ("one\ntwo\tthree", '"one two three"'),
        ("a\u0001bell", "bell"),
        ("an emoji 🙂 here", "🙂"),
        ("x", "X"),
        ("ab cd", "AB"),
    ],
)
def test_neither_case_nor_escapes_hide_a_word(folder: Path, said: str, typed: str) -> None:
    write(folder, sid_of(1), told("hay"), told(said), told("hay"))
    search = Search(folder)
    for _ in range(2):
        assert [hit.n for hit in hits(search, typed)] == [3]
    assert not hits(search, "öx")


def test_accents_count(folder: Path) -> None:
    write(folder, sid_of(1), told("café"))
    assert not hits(folder, "cafe")


def test_another_programs_way_to_write_json(folder: Path) -> None:
    log = write(folder, sid_of(1))
    head = b'{"n":2,"at":"2026-01-01T00:00:00.000Z","by":"mcp","did":"said"'
    line = head + rb',"text":"Gr\u00f6\u00dfe \ud83d\ude42 a\/b \\u0041"'
    with log.open("ab") as file:
        file.write(line + b',"crc":"%08x"}\n' % crc32(line))
    for typed in ("grösse", "🙂", "a/b", "\\u0041"):
        assert [hit.n for hit in hits(folder, typed)] == [2], typed


def test_an_excerpt_marks_each_word_and_is_short() -> None:
    text = "start " + "hay " * 200 + "the Straße of NEEDLES " + "hay " * 200
    pieces = excerpt(text, ("strasse", "needle"))
    assert [piece for piece, marked in pieces if marked] == ["Straße", "NEEDLE"]
    whole = "".join(piece for piece, _ in pieces)
    assert whole.startswith("… ") and whole.endswith(" …") and len(whole) < 300
    assert "".join(piece for piece, _ in excerpt("ßßß here", ("here",))) == "ßßß here"
    assert excerpt("ß" * 500 + " x", ("x",))[-1] == ("x", True)
    assert excerpt("plain", ("other",)) == [("plain", False)]


# --- filters ------------------------------------------------------------------------------------------------


@pytest.fixture
def various(folder: Path) -> Path:
    """Two sessions with one word of many kinds."""
    write(
        folder,
        sid_of(1),
        told("word", "user", turn="t1"),
        told("word", "model", turn="t1", model="qwen3:4b"),
        told("word", "user", turn="t2"),
        told("word", "guide", turn="t2", model="guide"),
        Fact("user", "set", {"step": "a", "values": {"x": "word", "y": "word"}, "defaulted": ["y"]}),
    )
    write(folder, sid_of(2), Fact("mcp", "noted", {"about": 1, "text": "word"}), workflow="links")
    return folder


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"workflow": "links"}, [(2, 2)]),
        ({"workflow": "none"}, []),
        ({"by": "model"}, [(1, 3)]),
        ({"by": "user"}, [(1, 6), (1, 4), (1, 2)]),
        ({"by": "mcp"}, [(2, 2)]),
        ({"by": "default"}, [(1, 6)]),
        ({"by": "cli"}, []),
        ({"what": "note"}, [(2, 2)]),
        ({"what": "value"}, [(1, 6)]),
        ({"what": "help"}, []),
        ({"model": "qwen3:4b"}, [(1, 3), (1, 2)]),
        ({"model": "QWEN3"}, [(1, 3), (1, 2)]),
        ({"model": "guide"}, [(1, 5), (1, 4)]),
        ({"model": "none"}, []),
        ({"session": sid_of(2)}, [(2, 2)]),
        ({"since": "2999-01-01"}, []),
        ({"until": "1999-01-01"}, []),
        ({"what": "conversation", "by": "user"}, [(1, 4), (1, 2)]),
    ],
    ids=str,
)
def test_filters(various: Path, filters: dict[str, str], found: list[tuple[int, int]]) -> None:
    search = Search(various)
    for _ in range(2):
        page = find(search, "word", **filters)
        assert [(int(g.headline.sid[-4:], 16), hit.n) for g in page.groups for hit in g.hits] == found
    assert len(find(search, "word").groups) == 2


def test_dates_are_those_of_the_entries(folder: Path) -> None:
    (folder / sid_of(1)).mkdir(parents=True)
    days = ("2026-01-01", "2026-01-02", "2026-01-03")
    entries = [Entry(1, f"{days[0]}T00:00:00.000Z", "user", "began", {"workflow": "w", "format": 1})]
    entries += [
        Entry(n, f"{day}T23:00:00.000Z", "user", "said", {"text": "word"}) for n, day in enumerate(days, 2)
    ]
    (folder / sid_of(1) / "log.jsonl").write_bytes(b"".join(encode(entry) + b"\n" for entry in entries))
    assert [hit.n for hit in hits(folder, "word", since=days[1])] == [4, 3]
    assert [hit.n for hit in hits(folder, "word", until=days[1])] == [3, 2]
    assert [hit.n for hit in hits(folder, "word", since=days[1], until=days[1])] == [3]


# --- sessions that change -----------------------------------------------------------------------------------


def test_a_new_entry_is_found_at_once(folder: Path) -> None:
    write(folder, sid_of(1), told("hay"))
    search = Search(folder)
    assert not hits(search, "needle")
    other = Log(folder / sid_of(1))  # as another process has it
    other.append(lambda _: [told("a needle")])
    other.close()
    assert [hit.n for hit in hits(search, "needle")] == [3]
    write(folder, sid_of(2), told("a needle"))
    assert len(find(search, "needle").groups) == 2


def test_what_is_gone_from_a_file_is_not_found_any_more(folder: Path) -> None:
    log = write(folder, sid_of(1), told("hay"), told("needle"))
    search = Search(folder)
    assert hits(search, "needle")
    kept = log.read_bytes().split(b"\n")
    entry = Entry(3, "2026-01-01T00:00:00.000Z", "user", "said", {"text": "[redacted]", "turn": "t1"})
    part = log.with_suffix(".part")
    part.write_bytes(b"\n".join([*kept[:2], encode(entry), b""]))
    part.replace(log)
    assert not hits(search, "needle")
    assert [hit.n for hit in hits(search, "[redacted]")] == [3]
    log.unlink()
    assert not hits(search, "hay")


def test_a_file_of_the_same_size_with_other_words(folder: Path) -> None:
    log = write(folder, sid_of(1), told("needle"))
    search = Search(folder)
    assert hits(search, "needle")
    head = log.read_bytes().split(b"\n")[0]
    entry = Entry(2, "2026-01-01T00:00:00.000Z", "user", "said", {"text": "noodle", "turn": "t1"})
    log.write_bytes(head + b"\n" + encode(entry) + b"\n")
    os.utime(log, ns=(1, time.time_ns() + 10**9))
    assert not hits(search, "needle")
    assert hits(search, "noodle")


def test_undone_entries_are_marked_and_the_name_is_that_of_the_session(folder: Path) -> None:
    facts = [
        Fact("user", "set", {"step": "a", "values": {"x": "needle"}}),
        Fact("user", "undid", {"entries": [2]}),
        Fact("user", "named", {"name": "Hay & <co>"}),
    ]
    write(folder, sid_of(1), *facts)
    [group] = find(folder, "needle").groups
    assert group.hits[0].undone
    assert group.headline.name == "Hay & <co>"
    assert group.headline.title == "Trip"


# --- damage -------------------------------------------------------------------------------------------------


def damage(log: Path, at: int, by: bytes) -> None:
    lines = log.read_bytes().split(b"\n")
    lines[at] = by
    log.write_bytes(b"\n".join(lines))


@pytest.mark.parametrize(
    "by", [b"", b"\xff\xfe", b"{}", b'{"n":3,"did":"said","text":"needle"}', b"[" * 99_999]
)
def test_a_damaged_log_is_searched_up_to_there(folder: Path, by: bytes) -> None:
    log = write(folder, sid_of(1), told("needle one"), told("needle two"), told("needle three"))
    write(folder, sid_of(2), told("needle"))
    damage(log, 2, by)
    search = Search(folder)
    for _ in range(2):
        page = find(search, "needle")
        assert [[hit.n for hit in group.hits] for group in page.groups] == [[2], [2]]
        assert sorted(group.headline.damaged for group in page.groups) == [False, True]


def test_a_line_too_few_and_a_torn_one(folder: Path) -> None:
    log = write(folder, sid_of(1), told("needle one"), told("needle two"), told("needle three"))
    whole = log.read_bytes().split(b"\n")
    log.write_bytes(b"\n".join([whole[0], whole[1], whole[3], b""]))
    assert [hit.n for hit in hits(folder, "needle")] == [2]
    log.write_bytes(b"\n".join(whole)[:-10])
    assert [hit.n for hit in hits(folder, "needle")] == [3, 2]
    assert not find(folder, "needle").groups[0].headline.damaged
    log.write_bytes(b"\n".join(whole)[:-1])  # whole, but for its newline
    assert [hit.n for hit in hits(folder, "needle")] == [4, 3, 2]
    for left in (b"", b"\n", b"needle", b"\x00" * 99):
        log.write_bytes(left)
        assert not hits(folder, "needle")
    log.unlink()
    log.mkdir()
    assert not hits(folder, "needle")


# --- how much -----------------------------------------------------------------------------------------------


def test_pages_are_bounded_and_lead_to_all_sessions_once(folder: Path) -> None:
    for n in range(2 * searching.SESSIONS + 3):
        log = write(folder, sid_of(n), told("needle"))
        os.utime(log, ns=(10**18, 10**18 + n // 4))  # many at the same moment
    search, after, seen = Search(folder), "", []
    for expected in (searching.SESSIONS, searching.SESSIONS, 3):
        page = search.find(Query(("needle",)), after)
        assert len(page.groups) == expected
        seen += [group.headline.sid for group in page.groups]
        after = page.older or ""
    assert not after
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 2 * searching.SESSIONS + 3


def test_a_full_page_with_nothing_behind_it_has_no_older_one(folder: Path) -> None:
    for n in range(searching.SESSIONS):
        write(folder, sid_of(n), told("needle"))
    write(folder, sid_of(999), told("hay"))
    os.utime(folder / sid_of(999) / "log.jsonl", ns=(1, 1))
    assert find(folder, "needle").older is None


def test_hits_of_a_session_are_counted_so_far(folder: Path) -> None:
    write(folder, sid_of(1), *[told(f"needle {n}") for n in range(10)])
    write(folder, sid_of(2), *[told(f"needle {n}") for n in range(500)])
    many, few = find(folder, "needle").groups
    assert [hit.n for hit in few.hits] == [11, 10, 9, 8]
    assert (few.more, few.open_ended) == (6, False)
    assert (many.more, many.open_ended) == (searching.COUNTED - searching.HITS, True)
    [one] = find(folder, "needle", session=sid_of(1)).groups
    assert (len(one.hits), one.more) == (10, 0)
    [most] = find(folder, "needle", session=sid_of(2)).groups
    assert (len(most.hits), most.more, most.open_ended) == (searching.ALL, 1, True)


def test_what_is_kept_of_logs_is_small_and_holds_no_descriptor(folder: Path) -> None:
    for n in range(30):
        write(folder, sid_of(n), *[told(f"hay {n} {k}") for k in range(200)])
    search, before = Search(folder), os.listdir("/proc/self/fd")
    assert not hits(search, "needle")
    assert os.listdir("/proc/self/fd") == before
    assert search.memory() == 30 * 8192


def test_a_session_that_was_not_learned_in_time_is_searched_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LEARN_SECONDS", 0.0)
    write(folder, sid_of(1), told("Größe"))
    write(folder, sid_of(2), told("hay"))
    search = Search(folder)
    assert len(hits(search, "grösse")) == 1
    assert search.behind
    search.learn(lambda: False)
    assert len(hits(search, "grösse")) == 1
    assert not search.behind
    assert search.memory() == 2 * 8192


def test_a_large_log_has_several_sieves_and_is_searched_through_its_last_line(folder: Path) -> None:
    lines = [told(f"{n} " + "hay " * 500) for n in range(400)]
    write(folder, sid_of(1), told("first needle"), *lines, told("last needle"))
    search = Search(folder)
    assert [hit.n for hit in hits(search, "needle")] == [403, 2]
    assert search.memory() > 2 * 8192
    assert not hits(search, "zzyzx")


def test_what_finds_nothing_is_remembered_as_long_as_the_log_is_the_same(folder: Path) -> None:
    write(folder, sid_of(1), told("a needle"), told("some hay"))
    search, query = Search(folder), Query(("needle", "hay"))
    assert not search.find(query).groups
    assert not search._known[sid_of(1)].may_hold(query)
    log = Log(folder / sid_of(1))
    log.append(lambda _: [told("a needle in hay")])
    log.close()
    assert len(search.find(query).groups) == 1


def test_it_stops_when_nobody_waits(folder: Path) -> None:
    write(folder, sid_of(1), told("needle"))
    assert not Search(folder).find(Query(("needle",)), stop=lambda: True).groups


# --- the page -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    workspace = make_workspace(tmp_path_factory.mktemp("search") / "work", small=SMALL)
    with serving(workspace, "--prefix", "/p") as server:
        yield server


def test_a_form_and_a_hint_where_nothing_is_asked(server: Any) -> None:
    page = server.page("search")
    form = page.select_one("main search form")
    assert (form["method"], form["action"]) == ("get", "search")
    assert {field["name"] for field in form.select("input, select")} == set(
        "q workflow by what model since until".split()
    )
    assert "in one entry" in page.select_one("[role=status]").text
    assert not page.select(".found")


def test_what_was_said_is_shown_as_text_and_leads_to_its_entry(server: Any) -> None:
    sid = server.begin("small")
    [entry] = server.tell(sid, told('a haystack <script>alert(1)</script> & "needle-1"'))
    answer = server.get("search", params={"q": "NEEDLE-1 <script>"})
    assert "<script>alert" not in answer.text
    page = server.page("search?q=NEEDLE-1+%3Cscript%3E")
    [hit] = page.select(".found li")
    assert [mark.text for mark in hit.select("mark")] == ["<script>", "needle-1"]
    assert hit.select_one(".words").text == 'a haystack <script>alert(1)</script> & "needle-1"'
    assert hit.select_one(".place").text == "conversation"
    assert hit.select_one(".by").text == "you"
    href = hit.select_one("a.words")["href"]
    assert href == f"sessions/{sid}/record?at={entry.n}#c{entry.n}"
    assert server.get(href).status_code == 200
    assert page.select_one(".found h2 a")["href"] == f"sessions/{sid}"
    assert page.select_one("input[name=q]")["value"] == "NEEDLE-1 <script>"


def test_the_form_keeps_its_filters_and_says_what_it_can_not_use(server: Any) -> None:
    page = server.page(
        "search?q=x&workflow=small&by=user&what=note&model=m&since=2026-01-02&until=2026-01-03"
    )
    values = {field["name"]: field.get("value") for field in page.select("main form input")}
    assert values == {"q": "x", "model": "m", "since": "2026-01-02", "until": "2026-01-03"}
    chosen = [option["value"] for option in page.select("main select option[selected]")]
    assert chosen == ["small", "user", "note"]
    assert "Nothing was found" in page.select_one("[role=status]").text
    page = server.page(
        "search?q=x&by=nobody&what=%3Cb%3E&since=2026-13-01&until=tomorrow&after=x&session=..%2F.."
    )
    assert page.select_one("[role=alert]").text.count("“") == 4
    assert not page.select("b")


def test_any_address_is_answered(server: Any) -> None:
    for query in (
        "q=%00",
        "q=%ff",
        "q=%ed%a0%80",
        "q=" + "a" * 5_000,
        "q=%5C",
        "q=%22",
        "q=(",
        "q=a&after=" + "9" * 99,
    ):
        assert server.get(f"search?{query}").status_code == 200, query


def test_a_run_is_found_by_its_results(server: Any) -> None:
    sid = complete(server, server.begin("small"))
    server.run(sid)
    found = server.page(f"search?q=numbers&session={sid}")
    assert "result" in [place.text for place in found.select(".place")]
    found = server.page(f"search?q=alert(1)&what=result&session={sid}")
    assert "# Done <script>alert(1)</script>" in found.select_one(".found .words").text


def test_older_sessions_are_a_page_further(server: Any) -> None:
    sids = [server.begin("small") for _ in range(searching.SESSIONS + 1)]
    for sid in sids:
        server.tell(sid, told("lighthouse"))
    os.utime(server.folder(sids[0]) / "log.jsonl", (10**9, 10**9))
    page = server.page("search?q=lighthouse&by=user")
    older = page.select_one("nav a[rel=next]")["href"]
    assert parse_qs(urlsplit(older).query)["by"] == ["user"]
    assert len(page.select(".found")) == searching.SESSIONS
    rest = server.page(older)
    assert [group["data-sid"] for group in rest.select(".found")] == [sids[0]]
    assert not rest.select("a[rel=next]")


def test_many_searches_at_once_are_all_answered(server: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: server.get(f"search?q=word{n}").status_code, range(16)))
    assert answers == [200] * 16


# --- in the browser -----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_from_the_first_page_to_the_entry(shared_program: Any, tab: Any) -> None:
    program = shared_program
    sid = program.begin("trip")
    page = tab(program.page_of(sid))
    fill(page, city="Reykjavik", nights="5")
    next_(page, "place")
    expect(page.locator("#card-place")).to_have_attribute("data-state", "done")
    page.goto(program.address)
    page.get_by_role("searchbox", name="Search all sessions").fill("reykja")
    page.keyboard.press("Enter")
    hit = page.locator(f".found[data-sid='{sid}'] li").first
    expect(hit.locator("mark")).to_have_text("Reykja")
    expect(hit.locator(".place")).to_have_text("value of city")
    n = hit.get_attribute("data-n")
    hit.locator("a.words").click()
    assert page.url.endswith(f"sessions/{sid}/record?at={n}#c{n}")
    expect(page.locator("#parameters .at").first).to_contain_text("Reykjavik")


@pytest.mark.browser
def test_on_a_narrow_page_the_search_is_behind_a_link(shared_program: Any, tabs: Any) -> None:
    page = tabs(viewport=NARROW)(shared_program.address)
    expect(page.get_by_role("searchbox", name="Search all sessions")).to_be_hidden()
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.locator("main input[name=q]")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

"""Search over 1,000 sessions of 1,000 entries: the first one, the next ones, one for words just written."""

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from assistant.log import Fact, Log
from assistant.log.lines import Entry, encode

from . import program
from .figures import Figure

SESSIONS = 1_000
ENTRIES = 1_000
RARE = 20  # words that only one session has, each looked for once
SYLLABLES = (
    "ba con der fi gra har in jo ker lo ment nor ou pre qui ris ster tion ur ver wil xen yo zu al".split()
)


def measure(runs: int) -> Iterator[Figure]:
    with program.workspace() as folder:
        sids = build(folder / "conversations")
        firsts, rares, commons, freshes = [], [], [], []
        for run in range(max(1, runs // 2)):
            with program.server(folder) as server:
                before = server.memory()
                firsts.append(timed(server, f"first{run}"))
                rares += [timed(server, f"zyzzyva{n:02}", 1) for n in range(RARE)]
                commons += [timed(server, word) for word in ("tion", "depth 3", "example.org", "gra fi")]
                freshes.append(fresh(server, folder / "conversations" / sids[run], f"kwijibo{run}"))
                more = server.memory() - before
    size = SESSIONS * ENTRIES
    yield Figure("first search", statistics.median(firsts), "s", 2.0, f"{size:,} entries, never read before")
    for what, times in (("a rare word", rares), ("common words", commons), ("a word just appended", freshes)):
        yield Figure(f"next search, {what}", 1e3 * statistics.median(times), "ms", 200.0, "the whole page")
    yield Figure("memory more after searches", more, "MB", None, f"over {SESSIONS:,} sessions")


def timed(server: program.Server, words: str, sessions: int | None = None) -> float:
    """Seconds for the page; it must show so many sessions, if that is known."""
    begun = time.perf_counter()
    page = server.get(f"/search?q={quote(words)}")
    taken = time.perf_counter() - begun
    found = page.count(b'class="found"')
    if sessions is not None and found != sessions:
        raise RuntimeError(f"The search for {words} found {found} sessions, not {sessions}.")
    return taken


def fresh(server: program.Server, session: Path, word: str) -> float:
    """A search for what another program has just written."""
    log = Log(session)
    try:
        log.append(lambda _: [Fact("mcp", "said", {"text": f"about {word}", "turn": "t"})])
    finally:
        log.close()
    return timed(server, word, 1)


def build(conversations: Path) -> list[str]:
    """Writes the sessions, as an export would be; their ids, the oldest first."""
    chance = random.Random(1)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / n for n in range(1, len(words) + 1)]  # as in any language
    texts = [" ".join(chance.choices(words, weights, k=chance.randint(5, 40))) for _ in range(20_000)]
    sids = []
    for number in range(SESSIONS):
        sids.append(f"2026-01-01-link-graph-{number:04x}")
        lines = [encode(entry) + b"\n" for entry in _entries(number, texts, chance)]
        folder = conversations / sids[-1]
        folder.mkdir(mode=0o700)
        (folder / "log.jsonl").write_bytes(b"".join(lines))
    return sids


def _entries(number: int, texts: list[str], chance: random.Random) -> Iterator[Entry]:
    """A session of words, calls and values; the twenty words of RARE are in one session each."""
    began = {"workflow": "link_graph", "title": "Link graph", "format": 1, "source": "0" * 16}
    yield Entry(1, _at(1), "user", "began", began)
    for n in range(2, ENTRIES + 1):
        turn, text, depth = f"t{n // 5}", chance.choice(texts), n % 20
        match n % 5:
            case 1:
                if n == 501 and number % 40 == 0 and number // 40 < RARE:
                    text = f"{text} Zyzzyva{number // 40:02}"
                yield Entry(n, _at(n), "user", "said", {"text": text, "turn": turn})
            case 2:
                call = {
                    "tool": "set_values",
                    "arguments": {"depth": depth},
                    "result": {"set": {"depth": depth}},
                }
                yield Entry(n, _at(n), "model", "called", {"turn": turn, **call})
            case 3:
                values = {"step": "start", "values": {"depth": depth}, "turn": turn}
                yield Entry(n, _at(n), "model", "set", values)
            case 4:
                said = {"text": text, "turn": turn, "model": "scripted", "tokens": 9, "seconds": 0.5}
                yield Entry(n, _at(n), "model", "said", said)
            case _:
                start = {"start": f"https://example.org/{number}/{n}", "limit": 1 + n % 500}
                yield Entry(n, _at(n), "user", "set", {"step": "start", "values": start})


def _at(n: int) -> str:
    return f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000Z"

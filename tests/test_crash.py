"""Killed at any moment: what was acknowledged is in the log, and the log opens and takes the next line.

Run as a program, this file is the small writers' cradle: it forks them, kills them with SIGKILL in the midst
of writing, and looks at what they leave. It is a process of its own: forking is safe only without threads.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from assistant.log import Fact, Log, create, read

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 110
WRITERS = 2
SESSIONS = 10  # so that a log is opened again and again, but stays small


def write_until_killed(folder: Path, name: str, acknowledged: int) -> None:
    """Append actions of one to three lines, of 100 bytes to 200 kB, and tell each n once it is on disk."""
    chance = random.Random(name)
    log = Log(folder)
    while True:
        text = "schön" * chance.choice([1, 20, 1_000, 30_000])
        facts = [Fact("app", "noted", {"who": name, "text": text}) for _ in range(chance.randint(1, 3))]
        for entry in log.append(lambda _, facts=facts: facts):
            os.write(acknowledged, b"%d\n" % entry.n)


def start_writer(folder: Path, name: str) -> tuple[int, int]:
    """The pid of a new writer, and the pipe where its acknowledgements come."""
    ours, theirs = os.pipe()
    if pid := os.fork():
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        write_until_killed(folder, name, theirs)
    finally:
        os._exit(1)  # only if it failed


def all_of(pipe: int) -> bytes:
    with open(pipe, "rb") as file:
        return file.read()


def kill_many(parent: Path) -> dict[str, int]:
    """Do all rounds and count; an AssertionError if something acknowledged is gone or a log does not open."""
    chance = random.Random(20_261_121)
    promised: dict[Path, dict[int, str]] = {}
    counts = {"kills": 0, "acknowledged": 0, "torn": 0}
    for turn in range(ROUNDS):
        folder = parent / f"s{turn % SESSIONS}"
        if folder not in promised:
            create(folder, [Fact("app", "began", {"format": 1})]).close()
            promised[folder] = {}
        names = [f"{turn}-{i}" for i in range(WRITERS)]
        writers = [start_writer(folder, name) for name in names]
        first = os.read(writers[0][1], 4)  # it writes
        for _ in range(chance.randrange(20_000)):  # somewhere in the midst
            pass
        for name, (pid, pipe) in zip(names, writers, strict=True):
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"writer {name} failed"
            counts["kills"] += 1
            said = (first if pipe == writers[0][1] else b"") + all_of(pipe)
            for n in said.split():
                promised[folder][int(n)] = name
                counts["acknowledged"] += 1
        check(folder, promised[folder])
    counts["torn"] = sum(1 for _ in parent.glob("*/log.torn-*"))
    return counts


def check(folder: Path, promised: dict[int, str]) -> None:
    entries, damage = read(folder / "log.jsonl")
    assert damage is None, f"{folder.name}: {damage}"
    for n, name in promised.items():
        assert len(entries) >= n and entries[n - 1]["who"] == name, (
            f"{folder.name}: entry {n} of {name} is gone"
        )
    log = Log(folder)
    written = log.append(lambda _: [Fact("app", "noted", {"who": "check"})])
    log.close()
    assert [e.n for e in written] == [len(entries) + 1]
    promised[written[0].n] = "check"
    assert read(folder / "log.jsonl") == (entries + written, None)


def test_hundreds_of_killed_writers_lose_nothing_that_was_acknowledged(tmp_path):
    cradle = subprocess.run(
        [sys.executable, __file__, tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert cradle.returncode == 0, cradle.stderr
    counts = json.loads(cradle.stdout)
    assert counts["kills"] == ROUNDS * WRITERS >= 200
    assert counts["acknowledged"] >= ROUNDS


if __name__ == "__main__":
    print(json.dumps(kill_many(Path(sys.argv[1]))))

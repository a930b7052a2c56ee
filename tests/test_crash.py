"""Killed at any moment: what was acknowledged is in the log, and the log opens and takes the next line.

Run as a program, this file is the small writers' cradle: it forks them, kills them with SIGKILL in the midst
of writing, and looks at what they leave. It is a process of its own: forking is safe only without threads.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import httpx
from samples import SMALL, complete, soon
from serving import PATIENCE, Server, make_workspace, serving

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


# --- the real server -----------------------------------------------------------------------------------

KILLS = 12
HANDS = 6
NOTES = '''
"""Two cards that take any text and a file, and a run."""
from assistant import Note, Upload, Workflow

flow = Workflow("Notes")


@flow.step
def write(text: str, paper: Upload | None = None):
    """Which text?"""
    return {"length": len(text)}


@flow.step
def check(length, name: str = ""):
    """Whose is it?"""


@flow.run
def keep(text):
    yield Note(text)
'''


class Promises:
    """What the server has answered with 2xx or 3xx, from all hands (a class: they share it)."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.words: list[tuple[str, str]] = []  # session, what was said
        self.values: list[tuple[str, str]] = []  # session, the text that was set
        self.files: list[tuple[str, str]] = []  # session, the content's digest

    def __len__(self) -> int:
        return len(self.sessions) + len(self.words) + len(self.values) + len(self.files)


def hand(address: str, name: str, sids: list[str], promises: Promises) -> None:
    """Says, fills cards, gives files and begins sessions until the server is gone."""
    chance = random.Random(name)
    with httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False) as client:
        for number in count():
            sid, text = chance.choice(sids), f"{name}-{number} schön"
            try:
                match chance.randrange(8):
                    case 0:
                        answer = client.post("sessions", data={"workflow": "notes"})
                        assert answer.status_code == 303
                        promises.sessions.add(answer.headers["location"].rsplit("/", 1)[1])
                    case 1 | 2 | 3:
                        answer = client.post(f"sessions/{sid}/messages", data={"text": text})
                        assert answer.status_code == 303
                        promises.words.append((sid, text))
                    case 4:
                        content = text.encode() * chance.choice([1, 10_000])
                        files = {"paper": ("paper.txt", content)}
                        answer = client.post(f"sessions/{sid}/steps/write", data={"text": text}, files=files)
                        if answer.status_code == 303:
                            promises.values.append((sid, text))
                            promises.files.append((sid, hashlib.sha256(content).hexdigest()))
                    case 5 | 6:
                        answer = client.post(f"sessions/{sid}/steps/write", data={"text": text})
                        if answer.status_code == 303:
                            promises.values.append((sid, text))
                    case _:
                        answer = client.post(f"sessions/{sid}/steps/write/reopen")
                assert answer.status_code in (204, 303, 409), answer.text
            except httpx.TransportError:
                return  # it was killed


def keeps(server: Server, promises: Promises) -> None:
    """Every promise is in the logs and the files, as they lie there; each log is whole."""
    for folder in (server.workspace / "conversations").glob("2*"):
        if (folder / "log.jsonl").is_file() and (entries := server.entries(folder.name)):
            assert entries[0].did == "began"
        else:  # killed before its first line: nobody was told of it
            assert folder.name not in promises.sessions
    entries = {sid: server.entries(sid) for sid in promises.sessions}
    said = {(sid, e["text"]) for sid in entries for e in entries[sid] if e.did == "said" and e.by == "user"}
    assert set(promises.words) <= said
    values = {
        (s, e["values"].get("text")) for s in entries for e in entries[s] if e.did == "set" and e.by == "user"
    }
    assert set(promises.values) <= values
    added = {(sid, e["sha256"]): e["file"] for sid in entries for e in entries[sid] if e.did == "added"}
    for sid, digest in promises.files:
        content = (server.folder(sid) / "files" / added[sid, digest]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def test_a_dozen_kills_of_the_real_server_under_load(tmp_path):
    chance, promises = random.Random(20_261_121), Promises()
    server = Server(make_workspace(tmp_path / "work", notes=NOTES)).start()
    try:
        sids = [server.begin("notes") for _ in range(4)]
        promises.sessions.update(sids)
        for kill in range(KILLS):
            before = len(promises)
            hands = [
                threading.Thread(target=hand, args=(server.address, f"k{kill}h{n}", sids, promises))
                for n in range(HANDS)
            ]
            for thread in hands:
                thread.start()
            goal = before + chance.randrange(5, 60)
            soon(lambda goal=goal: len(promises) >= goal)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            for thread in hands:
                thread.join(PATIENCE)
            keeps(server, promises)
            server.start()
            for address in ("", *(f"sessions/{sid}" for sid in sids)):
                assert server.get(address).status_code == 200
        for sid in promises.sessions:
            assert server.get(f"sessions/{sid}").status_code == 200
            assert server.post(f"sessions/{sid}/messages", {"text": "after all"}).status_code == 303
        keeps(server, promises)
        assert len(promises.words) >= KILLS
        assert len(promises.values) >= KILLS
        assert promises.files
    finally:
        server.end(signal.SIGKILL)
    assert "Traceback" not in server.errors()


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            _, _, rest = (folder / "stat").read_text().rpartition(") ")
        except OSError:
            continue  # it has just ended
        state, parent = rest.split()[:2]
        if int(parent) == pid and state != "Z":
            found.append(int(folder.name))
    return found


def lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_a_kill_in_the_middle_of_a_run_leaves_no_process_and_the_run_can_be_started_again(tmp_path):
    with serving(make_workspace(tmp_path / "work", small=SMALL)) as server:
        sid = complete(server, server.begin("small"), 3)
        for turn in (1, 2):
            server.post(f"sessions/{sid}/runs")
            server.wait(sid, lambda s, turn=turn: len(s.did(sid, "progressed")) == turn)
            run = server.state(sid)["run"]
            assert run["state"] == "running"
            left = children(server.process.pid)
            assert left
            server.end(signal.SIGKILL)
            soon(lambda left=left: not any(lives(pid) for pid in left))
            server.start()
            state = server.state(sid)
            assert (state["run"]["run"], state["run"]["state"]) == (run["run"], "interrupted")
            assert len(server.did(sid, "interrupted")) == turn
            page = server.page(f"sessions/{sid}")
            assert "interrupted" in page.select_one("#runs").text
            assert page.select_one("#runs form")["action"] == f"sessions/{sid}/runs"
        server.post(f"sessions/{sid}/steps/start/reopen")
        server.next(sid, "start", {"depth": "2"})
        server.next(sid, "finish", {})
        assert server.run(sid)["state"] == "finished"


if __name__ == "__main__":
    print(json.dumps(kill_many(Path(sys.argv[1]))))

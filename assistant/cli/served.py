"""Which server has a workspace: `conversations/.server.json` {"address", "pid"}, locked while it serves."""

import fcntl
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..disk import make_folder
from ..errors import AssistantError

NAME = ".server.json"
START_SECONDS = 5.0  # for a server that has the lock and does not answer yet


@dataclass(frozen=True)
class Server:
    """A running server, as its file says."""

    address: str
    pid: int


class Claim:
    """The lock on a workspace's server file (a class: it has a life, that of the server)."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, address: str) -> None:
        """Writes where the server is."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"address": address, "pid": os.getpid()}).encode(), 0)

    def release(self) -> None:
        """Empties the file and lets others have it. It stays: a lock on a deleted file holds nobody off."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def claim(conversations: Path) -> Claim | Server:
    """The workspace's claim, or the server that has it. AssistantError: one has it and does not answer."""
    end = time.monotonic() + START_SECONDS
    while True:
        if made := _try_claim(conversations):
            return made
        server = server_of(conversations)
        if server and answers(server):
            return server
        if time.monotonic() > end:
            who = f"process {server.pid} at {server.address}" if server else "another process"
            raise AssistantError(
                f"This workspace is served already, by {who}, which does not answer. End it, and start again."
            )
        time.sleep(0.1)


def _try_claim(conversations: Path) -> Claim | None:
    try:
        make_folder(conversations)
        descriptor = os.open(conversations / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise AssistantError(
            f"The workspace can not be written to: {conversations}: {error.strerror}. "
            "Change that, or choose another with --workspace."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Claim(descriptor)


def server_of(conversations: Path) -> Server | None:
    """The server that has the workspace now, as far as it has told where it is."""
    try:
        descriptor = os.open(conversations / NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # nobody holds it
    except BlockingIOError:
        found = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        return Server(str(found["address"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(descriptor)


def answers(server: Server) -> bool:
    """Whether the server is there and well."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine's: no proxy
    try:
        with opener.open(f"{server.address}healthz", timeout=2.0) as response:
            return bool(response.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False

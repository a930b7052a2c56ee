"""Listening on an address, and who has a port that is taken."""

import errno
import os
import socket
from pathlib import Path

from ..errors import AssistantError

LISTENING = "0A"  # the state in /proc/net/tcp
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. AssistantError says why it can not be."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise AssistantError(
            f"There is no host {host!r} to listen on. Leave --host away, or give an address."
        ) from None
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits a minute
        made.bind(address)
        made.listen(1024)  # here: two sockets may be bound to one port as long as neither listens
    except OSError as error:
        made.close()
        raise AssistantError(_why_not(error, host, port)) from None
    return made


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            by = f" by {holder}" if (holder := holder_of(port)) else ""
            return f"Port {port} is taken{by}. Choose another with --port, or end that."
        case errno.EACCES | errno.EPERM:
            return f"Port {port} is not allowed for this user. Choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine. Leave --host away, or give one that is."
    return f"{host}, port {port}, can not be listened on: {error.strerror}. Try another with --port."


def address_of(host: str, port: int, prefix: str = "") -> str:
    """The address that a browser on this machine opens."""
    name = WILDCARDS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{prefix}/"


def holder_of(port: int) -> str | None:
    """Which program listens on the port, such as "nginx (process 812)"; None where that can not be told."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(each) in sockets for each in (process / "fd").iterdir()):
                return f"{_command(process)} (process {process.name})"
        except OSError:  # gone meanwhile, or another user's
            continue
    return None


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on the port, as Linux lists them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for parts in map(str.split, lines):
            if parts[3] == LISTENING and int(parts[1].rpartition(":")[2], 16) == port:
                found.add(parts[9])
    return found


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
    text = "".join(c if c.isprintable() else "?" for c in words.strip())
    return text if len(text) <= 80 else f"{text[:80]}…"

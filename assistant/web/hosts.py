"""Hosts and origins, as headers and options name them."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, ip_address

from ..errors import AssistantError

_HOST = re.compile(
    r"(?:\[(?P<ip6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?)(?::(?P<port>[0-9]{1,5}))?"
)
_IP4_LOOPBACK = IPv4Network("127.0.0.0/8")


@dataclass(frozen=True)
class Host:
    """A host in lower case, without brackets and last dot; `port` is None where none is named."""

    name: str
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        if self.name == "localhost":
            return True
        try:
            address = ip_address(self.name)
        except ValueError:
            return False
        return address in _IP4_LOOPBACK or address == IPv6Address("::1")


def parse_host(text: str) -> Host | None:
    """`name`, `name:port`, `[v6]` or `[v6]:port`; None for anything else (user info, blanks, lists)."""
    found = _HOST.fullmatch(text.lower()) if len(text) <= 300 else None
    if found is None or int(found["port"] or 0) > 65_535:
        return None
    name = found["name"]
    if name is None:
        try:
            name = str(IPv6Address(found["ip6"]))
        except ValueError:
            return None
    return Host(name, int(found["port"]) if found["port"] else None)


def parse_origin(text: str) -> tuple[str, Host] | None:
    """An origin's scheme, and its host with the port it stands for; None for `null` and all else."""
    scheme, _, rest = text.lower().partition("://")
    host = parse_host(rest) if scheme in ("http", "https") else None
    return (scheme, with_port(host, scheme)) if host else None


def with_port(host: Host, scheme: str) -> Host:
    """The host with the port that the scheme stands for, where none is named."""
    return host if host.port is not None else Host(host.name, 443 if scheme == "https" else 80)


def allowed_host(text: str) -> Host:
    bare = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    if host := parse_host(bare):
        return host
    raise AssistantError(f"--allow-host {printable(text)}: not a host. Give a name such as app.example.org.")


def allowed_origin(text: str) -> tuple[str, Host]:
    if origin := parse_origin(text.removesuffix("/")):
        return origin
    raise AssistantError(
        f"--allow-origin {printable(text)}: not an origin. Give one such as https://app.example.org."
    )


def printable(text: str) -> str:
    """Somebody else's text, fit for one line of an answer or of our output: ASCII, at most 100 characters."""
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text[:100])

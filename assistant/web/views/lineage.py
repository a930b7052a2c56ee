"""Where a session comes from, and what was made from it, in words."""

from typing import Any

from fasthtml.components import A, Small

from ...workspace import Summary
from .shown import Shown

NAMED = 3  # sessions in one sentence


def lineage(shown: Shown) -> Any:
    """Where the session comes from, and what was made from it; "" where it stands alone."""
    session, known = shown.session, {summary.sid: summary for summary in shown.kin}
    forked, again = _origin(session.began.get("forked_from")), _origin(session.began.get("again_of"))
    parts: list[list[Any]] = []
    if forked:
        there = f"sessions/{forked[0]}/record?at={forked[1]}#c{forked[1]}"
        parts.append(["forked from ", _link(known, forked[0], there), f" at entry {forked[1]}"])
    if sources := session.sources:
        parts.append([f"{'made from the' if again else 'with'} values of ", *_links(known, sources)])
    if into := [s.sid for s in shown.kin if s.forked_from == shown.sid]:
        parts.append(["forked into ", *_links(known, into)])
    if taken := [s.sid for s in shown.kin if shown.sid in s.sources and s.sid != shown.sid]:
        parts.append(["its values went into ", *_links(known, taken)])
    if not parts:
        return ""
    origins = [*([forked[0]] if forked else []), *sources]
    near = next((sid for sid in origins if sid in known), None)
    if near:
        parts.append([A("compare", href=f"compare?a={near}&b={shown.sid}")])
    first = parts[0][0]
    parts[0][0] = first[0].upper() + first[1:]
    told = [piece for part in parts for piece in (" · ", *part)]
    return Small(*told[1:], cls="lineage")


def _origin(found: Any) -> tuple[str, int] | None:
    """The session and entry of a first line's `forked_from` or `again_of`."""
    if isinstance(found, dict) and isinstance(found.get("session"), str) and type(found.get("n")) is int:
        return found["session"], found["n"]
    return None


def _links(known: dict[str, Summary], sids: Any) -> list[Any]:
    named = [_link(known, sid, f"sessions/{sid}") for sid in sids[:NAMED]]
    more = [f" and {len(sids) - NAMED} more"] if len(sids) > NAMED else []
    return [piece for n, link in enumerate(named) for piece in ([", "] if n else []) + [link]] + more


def _link(known: dict[str, Summary], sid: str, address: str) -> Any:
    """The session by its name; one that is gone by its id."""
    name, when = (known[sid].name, known[sid].changed[:16].replace("T", " ")) if sid in known else ("", "")
    return A(name, href=address, title=when) if name else f"{sid[:60]} (not here)"


def taken_from(shown: Shown, name: str) -> tuple[str, str] | None:
    """The name and the address of the earlier session that the parameter's value is taken from."""
    setting = shown.session.setting(name)
    origin = _origin(setting.source) if setting else None
    if origin is None:
        return None
    sid, n = origin
    found = next((summary.name for summary in shown.kin if summary.sid == sid), sid)
    return found, f"sessions/{sid}/record?at={n}#p{n}"

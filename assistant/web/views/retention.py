"""The page that says which sessions would go by a rule, before any does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fasthtml.components import (
    H1,
    A,
    Button,
    Form,
    Input,
    Label,
    Li,
    Main,
    P,
    Pre,
    Small,
    Span,
    Time,
    Ul,
)

from ...settings import Retention
from ...workspace.retention import Due, changed, freed, is_on
from .base import page, reload, size_text, top
from .sessions import ago

SHOWN = 200  # sessions; the sentence above them counts all


def retention_page(
    prefix: str, rule: Retention, tried: Retention, found: Sequence[Due], unread: int, now: datetime
) -> Any:
    """`rule` is that of the settings, `tried` the one that is shown; `unread`: sessions not read so far."""
    content = [
        H1("Retention"),
        P(_in_effect(rule)),
        _form(tried),
        P(f"Not all is counted yet: {unread:,} still to be read.", cls="notice") if unread else "",
        *_dry_run(tried, found, now),
        *([] if tried == rule or not is_on(tried) else _to_keep(tried)),
    ]
    head = (reload(2),) if unread else ()
    header = top("Retention", A("All sessions", href=".", cls="chip"))
    return page("Retention", prefix, header, Main(*content), cls="plain retention", head=head)


def _in_effect(rule: Retention) -> str:
    if not is_on(rule):
        return (
            "No rule is set: every session stays until you delete it. Here you can try what a rule would "
            "remove; trying removes nothing."
        )
    return (
        f"The rule in settings.toml: {rule_text(rule)}. It is applied when the program starts, and once a "
        "day. Pinned and running sessions stay, and the one that was changed last."
    )


def rule_text(rule: Retention) -> str:
    parts = []
    if rule.days is not None:
        parts.append(f"sessions that were not changed for more than {rule.days:,g} days go")
    if rule.megabytes is not None:
        parts.append(f"the oldest go until all take at most {rule.megabytes:,g} MB")
    return ", and ".join(parts)


def _form(tried: Retention) -> Any:
    def field(name: str, label: str, value: float | None) -> Any:
        text = "" if value is None else f"{value:g}"
        return Label(label, Input(type="number", name=name, value=text, min="1", step="any"))

    return Form(
        field("days", "Days without a change", tried.days),
        field("megabytes", "Storage at most, MB", tried.megabytes),
        Button("Try", cls="plain"),
        method="get",
        action="retention",
        cls="filter",
    )


def _dry_run(tried: Retention, found: Sequence[Due], now: datetime) -> list[Any]:
    if not is_on(tried):
        return []
    if not found:
        return [P("No session would go.", cls="quiet")]
    what = "session" if len(found) == 1 else "sessions"
    rows = [
        Li(
            Span(A(one.summary.name, href=f"sessions/{one.summary.sid}"), Small(one.why), cls="name"),
            Time(ago(changed(one.summary), now), datetime=one.summary.changed, cls="when"),
            Small(size_text(one.summary.bytes), cls="size"),
        )
        for one in found[:SHOWN]
    ]
    more = P(f"And {len(found) - SHOWN:,} more.", cls="quiet") if len(found) > SHOWN else ""
    return [
        P(f"{len(found):,} {what} would go, which frees {size_text(freed(found))}:"),
        Ul(*rows, cls="sessions"),
        more,
    ]


def _to_keep(tried: Retention) -> list[Any]:
    lines = ["[retention]"]
    lines += [f"days = {tried.days:g}"] if tried.days is not None else []
    lines += [f"megabytes = {tried.megabytes:g}"] if tried.megabytes is not None else []
    return [
        P("To apply it, put this into the workspace's settings.toml and start the program again:"),
        Pre("\n".join(lines), tabindex="0"),
    ]

"""The frame of every page: head, header, the list of sessions; and small parts that many views use."""

from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Aside,
    Base,
    Body,
    Button,
    Code,
    Form,
    Head,
    Header,
    Html,
    Input,
    Li,
    Link,
    Main,
    Meta,
    Nav,
    Noscript,
    Script,
    Small,
    Span,
    Strong,
    Title,
    Ul,
)

from ...workspace import Summary
from ..assets import asset, bundle

WHO = {
    "user": "you",
    "model": "assistant",
    "guide": "guide",
    "default": "default",
    "workflow": "workflow",
    "app": "app",
    "cli": "command line",
    "mcp": "another program",
}


def by_tag(by: str, title: str | None = None, text: str = "") -> Any:
    """The small tag that says where a value came from; `text` in place of who set it."""
    return Span(text or WHO.get(by, by), cls="by", data_by=by, title=title)


def clock(at: str) -> str:
    """The time of day of an entry, as the log has it (UTC)."""
    return at[11:19]


def with_code(sentence: str) -> list[Any]:
    """A sentence whose words between backticks are something to type."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:  # one that is left open is a backtick
        return [sentence]
    return [Code(part) if n % 2 else part for n, part in enumerate(parts) if part]


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def page(
    title: str, prefix: str, *content: Any, cls: str = "", head: tuple[Any, ...] = (), **attributes: Any
) -> Any:
    """A whole page. Every address in it is relative to the one `<base>`."""
    config = (
        '{"includeIndicatorCSS":false,"history":false,"defaultSwap":"none","defaultTimeout":0,"defaultSettleDelay":0,'
        '"morphIgnore":["data-htmx-powered","data-typed"],"sse":{"reconnectMaxDelay":2000,"pauseOnBackground":true}}'
    )
    return Html(
        Head(
            Meta(charset="utf-8"),
            Meta(name="viewport", content="width=device-width, initial-scale=1"),
            Meta(
                name="description", content="A local assistant that guides through workflows, step by step."
            ),
            Meta(name="color-scheme", content="light dark"),
            Meta(name="htmx-config", content=config),
            Title(title),
            Base(href=f"{prefix}/"),
            Link(rel="icon", href=asset("icon.svg"), type="image/svg+xml"),
            Script(src=asset("theme.js")),
            Link(rel="stylesheet", href=bundle("page.css", "vendor/pico.min.css", "app.css")),
            *head,
        ),
        Body(*content, *_scripts(), cls=cls, **attributes),
        lang="en",
    )


def _scripts() -> tuple[Any, ...]:
    """At the end, not deferred: while the page is read htmx waits; else it may start before its extension."""
    return (
        Script(
            src=bundle("page.js", "vendor/htmx.min.js", "vendor/hx-sse.min.js", "app.js"),
            data_graph=asset("graph.js"),
            data_sigma=asset("vendor/sigma.min.js"),
            data_graphology=asset("vendor/graphology.umd.min.js"),
            data_styles=asset("graph.css"),
        ),
    )


def top(where: Any, *controls: Any, search: bool = True) -> Any:
    """The header: the program, where one is, the search over all sessions, and what can be done here."""
    theme = Button("Dark", cls="plain", id="theme", type="button", hidden=True)
    return Header(
        A(Strong("Assistant"), href=".", cls="home", title="All workflows and sessions"),
        where_view(where),
        Nav(*(_search() if search else ()), *controls, theme, aria_label="Tools"),
    )


def _search() -> tuple[Any, ...]:
    """A field where there is room for it, else a link."""
    words = Input(type="search", name="q", placeholder="Search", aria_label="Search all sessions")
    form = Form(words, method="get", action="search", role="search", cls="find")
    return form, A("Search", href="search", cls="chip find-link")


def where_view(where: Any) -> Any:
    """Where one is; on a session's page it changes with the session's name."""
    return Span(where, cls="quiet where", id="where")


def rail(sessions: list[Summary], current: str | None, today: str) -> Any:
    """The sessions at the left: the pinned, those of today, the others."""
    groups = {
        "Pinned": [s for s in sessions if s.pinned],
        "Today": [s for s in sessions if not s.pinned and s.changed[:10] == today],
        "Earlier": [s for s in sessions if not s.pinned and s.changed[:10] != today],
    }
    lists = [
        part
        for name, group in groups.items()
        if group
        for part in (H2(name), Ul(*[_rail_item(s, s.sid == current) for s in group]))
    ]
    new = A("New session", href=".", role="button")
    more = A("All sessions", href=".#sessions", cls="quiet")
    return Aside(new, *lists, more, cls="rail", id="rail", aria_label="Sessions")


def _rail_item(summary: Summary, current: bool) -> Any:
    attributes = {"aria_current": "page"} if current else {}
    title = summary.title if summary.name != summary.title else ""
    line = " · ".join(part for part in (title, summary.state) if part)
    return Li(A(summary.name, Small(line), href=f"sessions/{summary.sid}", **attributes))


def size_text(count: int) -> str:
    """Bytes as a person reads them."""
    for unit, size in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 9.95 * size else f"{count / size:,.0f} {unit}"
    return f"{count} B"


def reload(seconds: int) -> Any:
    """The page loads itself again, as what it shows is still being read."""
    return Meta(http_equiv="refresh", content=str(seconds))


def refresh(seconds: int) -> Any:
    """For browsers without JavaScript: the page loads itself again while something is under way."""
    return Noscript(Meta(http_equiv="refresh", content=str(seconds)))


def problem_page(prefix: str, title: str, sentence: str, back: str = ".") -> Any:
    """A page that says what is wrong and where to go."""
    return page(
        title,
        prefix,
        top(title),
        Main(Nav(A("Back", href=back)), H1(sentence), cls="problem"),
        cls="plain",
    )

"""What can be done with a session as a whole where it is open, and what was deleted just now."""

from collections.abc import Mapping
from typing import Any

from fasthtml.components import H1, A, Button, Details, Div, Form, Input, Main, Nav, Small, Span, Summary

from .base import page, top
from .shown import Shown


def rename_form(address: str, name: str, *more: Any) -> Any:
    return Form(
        Input(name="name", value=name, maxlength=120, required=True, aria_label="Name", autocomplete="off"),
        *more,
        Button("Save", cls="plain"),
        method="post",
        action=f"{address}/name",
        cls="rename",
    )


def session_menu(shown: Shown) -> Any:
    """What an open session's page offers to do with it as a whole."""
    address, session = shown.address, shown.session

    def form(text: str, what: str, on: bool = True) -> Any:
        return Form(
            Input(type="hidden", name="on", value=str(on).lower()),
            Button(text, cls="plain"),
            method="post",
            action=f"{address}/{what}",
        )

    return Details(
        Summary("Session", cls="chip", role="button"),
        Div(
            rename_form(address, shown.name),
            Div(
                form("Unpin" if session.pinned else "Pin", "pin", not session.pinned),
                form("Unarchive" if session.archived else "Archive", "archive", not session.archived),
                form("Delete", "delete"),
                A("Compare", href=f"compare?a={shown.sid}", cls="chip"),
                cls="row",
            ),
        ),
        cls="menu wide session-menu",
    )


def deleted_bar(names: Mapping[str, str], seconds: float) -> Any:
    """What was deleted just now, with Undo; empty where nothing was. `names`: by session."""
    if not names:
        return ""
    told = f"“{next(iter(names.values()))}”" if len(names) == 1 else f"{len(names):,} sessions"
    return Form(
        Span(f"Deleted {told}.", role="status"),
        *[Input(type="hidden", name="sid", value=sid) for sid in names],
        Button("Undo", name="action", value="undelete", cls="plain"),
        Small(f"within {seconds:g} seconds"),
        method="post",
        action="sessions/bulk",
        cls="deleted",
    )


def deleted_page(prefix: str, sid: str, name: str, seconds: float) -> Any:
    """The page of a session that was deleted and can still be brought back."""
    bar = Form(
        Span(f"“{name}” was deleted."),
        Button("Undo", cls="plain"),
        Small(f"within {seconds:g} seconds"),
        method="post",
        action=f"sessions/{sid}/undelete",
        cls="deleted",
    )
    main = Main(Nav(A("All sessions", href=".")), H1("Deleted"), bar)
    return page("Deleted", prefix, top("Deleted"), main, cls="plain")

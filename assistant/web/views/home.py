"""The first page: workflows to start, and the list of sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Article,
    Button,
    Code,
    Div,
    Form,
    Header,
    Input,
    Main,
    P,
    Section,
    Small,
)

from ...errors import BrokenWorkflow
from ...workflow import Workflow
from ...workspace.listing import Listing
from .base import page, reload, top
from .sessions import list_section
from .shelf import deleted_bar


def home_page(
    prefix: str,
    workflows: Mapping[str, Workflow | BrokenWorkflow],
    listing: Listing,
    deleted: Mapping[str, str],
    seconds: float,
    now: datetime,
) -> Any:
    """The whole page. `deleted`: names of the sessions that `seconds` have not removed yet."""
    cards = [
        _broken(stem, w) if isinstance(w, BrokenWorkflow) else _start(stem, w)
        for stem, w in workflows.items()
    ]
    none = P(
        "There are no workflows yet. Put a Python file into workflows/ and load this page again.", cls="quiet"
    )
    titles = {stem: w.title if isinstance(w, Workflow) else stem for stem, w in workflows.items()}
    return page(
        "Assistant",
        prefix,
        top("Workflows, step by step", A("Models", href="models", cls="chip")),
        Main(
            deleted_bar(deleted, seconds),
            Section(H1("Start"), Div(*cards, cls="tiles") if cards else none, cls="start"),
            list_section(listing, titles, now),
        ),
        cls="home-page",
        head=(reload(2),) if listing.unread else (),
    )


def _start(stem: str, flow: Workflow) -> Any:
    steps = len(flow.steps)
    form = Form(
        Input(type="hidden", name="workflow", value=stem),
        Button("Start", type="submit"),
        method="post",
        action="sessions",
    )
    count = f"{steps} {'step' if steps == 1 else 'steps'}"
    earlier = A("From earlier sessions", href=f"compose?workflow={stem}", cls="quiet")
    return Article(
        Header(H2(A(flow.title, href=f"workflows/{stem}"))),
        P(flow.description),
        Div(form, Small(count), earlier, cls="row"),
        cls="card tile",
        data_workflow=stem,
    )


def _broken(stem: str, error: BrokenWorkflow) -> Any:
    return Article(
        Header(H2(stem.replace("_", " ").capitalize())),
        P("This workflow does not load:"),
        P(Code(str(error))),
        P("Correct the file and load this page again.", cls="quiet"),
        cls="card tile broken",
        data_workflow=stem,
    )

"""The first page: workflows to start, sessions to go on with."""

from typing import Any

from fasthtml.components import (
    H1,
    H2,
    H3,
    A,
    Article,
    Button,
    Code,
    Div,
    Form,
    Header,
    Input,
    Li,
    Main,
    P,
    Section,
    Small,
    Ul,
)

from ...errors import BrokenWorkflow
from ...workflow import Workflow
from ...workspace import Summary
from .base import page, top


def home_page(prefix: str, workflows: dict[str, Workflow | BrokenWorkflow], sessions: list[Summary]) -> Any:
    cards = [
        _broken(stem, w) if isinstance(w, BrokenWorkflow) else _start(stem, w)
        for stem, w in workflows.items()
    ]
    none = P(
        "There are no workflows yet. Put a Python file into workflows/ and load this page again.", cls="quiet"
    )
    listed = [_session(s) for s in sessions if not s.archived][:200]
    return page(
        "Assistant",
        prefix,
        top("Workflows, step by step"),
        Main(
            Section(H1("Start"), Div(*cards, cls="tiles") if cards else none, cls="start"),
            Section(H2("Go on"), Ul(*listed, cls="sessions"), cls="go-on") if listed else "",
        ),
        cls="home-page",
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
    return Article(
        Header(H3(flow.title)),
        P(flow.description),
        Div(form, Small(count), cls="row"),
        cls="card tile",
        data_workflow=stem,
    )


def _broken(stem: str, error: BrokenWorkflow) -> Any:
    return Article(
        Header(H3(stem.replace("_", " ").capitalize())),
        P("This workflow does not load:"),
        P(Code(str(error))),
        P("Correct the file and load this page again.", cls="quiet"),
        cls="card tile broken",
        data_workflow=stem,
    )


def _session(summary: Summary) -> Any:
    when = summary.changed[:16].replace("T", " ")
    title = f"{summary.title} · " if summary.name != summary.title else ""
    return Li(
        A(summary.name, href=f"sessions/{summary.sid}"),
        Small(f"{title}{summary.state}"),
        Small(when, cls="when"),
    )

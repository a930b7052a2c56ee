"""A workflow's own page: its steps and what they ask, the graph of what depends on what, its sessions."""

import inspect
from typing import Any
from urllib.parse import urlencode

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
    Span,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
    Ul,
)

from ...cards import static_default
from ...parameters import MISSING, Field, lengths, limits, noun, show
from ...workflow import Step, Workflow
from ...workspace import Summary
from ..markdown import markdown
from .base import page, top
from .drawing import workflow_view
from .timeline import styles

HEADS = ("Parameter", "What", "Range", "Default", "")


def workflow_page(prefix: str, flow: Workflow, sessions: list[Summary]) -> Any:
    """`sessions` are the workflow's latest ones."""
    start = Form(
        Input(type="hidden", name="workflow", value=flow.stem),
        Button("Start", type="submit"),
        method="post",
        action="sessions",
    )
    compose = A(
        "Compose from earlier sessions", href=f"compose?{urlencode({'workflow': flow.stem})}", cls="chip"
    )
    rows = [
        Li(
            A(s.name, href=f"sessions/{s.sid}"),
            Small(s.state),
            Small(s.changed[:16].replace("T", " "), cls="when"),
        )
        for s in sessions
    ]
    body = Main(
        Section(H1(flow.title), P(flow.description), Div(start, compose, cls="row"), cls="about"),
        Section(H2("What depends on what"), workflow_view(flow), cls="graph-of"),
        Section(H2("Steps"), *[_step(step, i) for i, step in enumerate(flow.steps, 1)]),
        Section(H2("Its sessions"), Ul(*rows, cls="sessions")) if rows else "",
        cls="workflow",
    )
    header = top(flow.title, A("All workflows", href=".", cls="chip"))
    return page(flow.title, prefix, header, body, cls="plain", head=(styles(),))


def _step(step: Step, number: int) -> Any:
    takes = [Code(name) for name in sorted(step.takes)]
    told: list[Any] = [Small("takes ", *[part for name in takes for part in (name, " ")])] if takes else []
    if step.when:
        told.append(Small(f"only if {_words(step.when)}"))
    head = Thead(Tr(*[Th(text, scope="col") if text else Td() for text in HEADS]))
    table = Table(head, Tbody(*[_field(field) for field in step.fields]))
    return Article(
        Header(Span(str(number), cls="num"), H3(step.question), Small(*told)),
        Div(
            markdown(step.help, False) if step.help else "",
            Div(table, cls="scroll", tabindex="0", role="region", aria_label=f"Parameters of step {number}")
            if step.fields
            else "",
            cls="asks",
        ),
        cls="card",
        id=f"step-{step.name}",
    )


def _words(when: Any) -> str:
    """What decides whether the step is needed: its function by name."""
    name = getattr(when, "__name__", "")
    if name == "<lambda>":
        taken = ", ".join(inspect.signature(when).parameters)
        return f"{taken} ask for it" if taken else "it is needed"
    return name.replace("_", " ")


def _field(field: Field) -> Any:
    label = field.label if field.label != field.name else ""
    range_ = " · ".join(part for part in (limits(field), lengths(field)) if part)
    name = Td(Code(field.name), Small(label), id=f"value-{field.name}")
    return Tr(name, Td(noun(field)), Td(range_), Td(_default(field)), Td(Small(field.ask.help)))


def _default(field: Field) -> str:
    if callable(field.ask.default):
        return "depends on earlier values"
    default = static_default(field)
    if default is MISSING:
        return "may be left out" if field.optional else ""
    return "none" if field.kind == "secret" else show(field, default)

"""A workflow begun with values of earlier sessions: for each parameter those that fit, to pick one."""

from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Button,
    Div,
    Fieldset,
    Form,
    Input,
    Label,
    Legend,
    Li,
    Main,
    P,
    Section,
    Small,
    Span,
    Ul,
)

from ...again import Candidate
from ...parameters import Field, show
from ...workflow import Step, Workflow
from .base import by_tag, page, top

PICK = "pick."
TEXT = 160  # characters of a value
SECRET = {"secret": True}


def compose_page(prefix: str, flow: Workflow, found: dict[str, list[Candidate]]) -> Any:
    """The cards in order, with what earlier sessions offer for each parameter."""
    offered = [step for step in flow.steps if any(found.get(field.name) for field in step.fields)]
    without = [field.label for field in flow.fields().values() if not found.get(field.name)]
    about = "Pick values from earlier sessions. What is left open is asked on its card, as always."
    if not offered:
        about = "No earlier session has a value that fits here. Begin without one."
    rest = P(f"Nothing fits yet for {', '.join(without)}.", cls="quiet") if offered and without else ""
    form = Form(
        Input(type="hidden", name="workflow", value=flow.stem),
        *[_step(step, found) for step in offered],
        rest,
        Div(Button("Begin" if not offered else "Begin with these values", type="submit"), cls="row"),
        method="post",
        action="compose",
        cls="compose-form",
    )
    title = f"{flow.title} · from earlier sessions"
    return page(title, prefix, top(title), Main(H1(flow.title), P(about), form), cls="plain compose")


def _step(step: Step, found: dict[str, list[Candidate]]) -> Any:
    fields = [_field(field, found[field.name]) for field in step.fields if found.get(field.name)]
    return Section(H2(step.question), *fields, cls="run")


def _field(field: Field, offered: list[Candidate]) -> Any:
    name = f"{PICK}{field.name}"
    leave = Li(Label(Input(type="radio", name=name, value="", checked=True), "leave open"))
    return Fieldset(
        Legend(field.label),
        Ul(*[_candidate(field, name, each) for each in offered], leave),
        data_name=field.name,
    )


def _candidate(field: Field, name: str, candidate: Candidate) -> Any:
    taken = candidate.taken
    text = "secret" if taken.value == SECRET else show(field, taken.value)
    short = (text if len(text) <= TEXT else f"{text[: TEXT - 1]}…") or "empty"
    there = f"sessions/{taken.sid}/record?at={taken.n}#p{taken.n}"
    when = taken.at[:16].replace("T", " ")
    return Li(
        Label(Input(type="radio", name=name, value=candidate.reference), Span(short)),
        by_tag(taken.by),
        Small("from ", A(candidate.name, href=there), f" · {when}"),
    )

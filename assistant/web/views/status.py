"""The header's parts: what is going on, the model picker, and notices that concern the whole session."""

from typing import Any

from fasthtml.components import A, Button, Div, Form, Input, Label, Optgroup, Option, P, Select, Small, Span

from ...models import GUIDE, ModelInfo
from .chat import PHASES
from .messages import model_name
from .models import first_run
from .shown import Shown


def status_view(shown: Shown) -> Any:
    """One word on what is going on."""
    run = shown.session.run
    if shown.at is not None:
        text, state = f"entry {shown.at} of {shown.last}", "past"
    elif shown.draft:
        text, state = PHASES.get(shown.draft.phase, "writing"), "busy"
    elif run and run.state == "running":
        text, state = "running", "busy"
    else:
        text, state = "ready", "ready"
    return Span(Span(cls="dot"), text, cls="quiet wide", id="status", data_state=state, role="status")


def can(model: ModelInfo) -> str:
    return {True: "tools", False: "no tools", None: ""}[model.tools]


def model_picker(shown: Shown) -> Any:
    """Who answers: the guide, or one of the local models."""
    found = shown.catalogue.models if shown.catalogue else ()
    names = [m.name for m in found]
    options = [Option("Built-in guide", value=GUIDE, selected=shown.model == GUIDE)]
    for model in found:
        text = " · ".join(part for part in (model.name, can(model)) if part)
        options.append(Option(text, value=model.name, selected=shown.model == model.name))
    if shown.model != GUIDE and shown.model not in names:
        options.append(Option(f"{model_name(shown.model)} · not there", value=shown.model, selected=True))
    problem = shown.catalogue.problem if shown.catalogue else None
    if problem:
        options.append(Optgroup(label=problem))
    elif shown.catalogue and not found:
        options.append(Optgroup(label="Ollama is there, but has no model yet"))
    address = f"{shown.address}/model"
    sends = {
        "method": "post",
        "action": address,
        "hx_post": address,
        "hx_trigger": "change",
        "hx_swap": "none",
    }
    # the button is for browsers without scripts
    link = A(
        "Models", href=f"models?session={shown.sid}", cls="chip wide", title="Get, compare and delete models"
    )
    return Form(
        Label("Model", fr="model-select", cls="hidden"),
        Select(
            *options,
            name="model",
            id="model-select",
            aria_label="Model",
            disabled=shown.fixed,
            title=problem or "Who answers in the chat",
        ),
        "" if shown.fixed else Button("Use", cls="plain no-script"),
        link,
        id="model",
        **({} if shown.fixed else sends),
    )


def notice(shown: Shown) -> Any:
    """What keeps the session from being changed, and what to do; empty where nothing does."""
    parts: list[Any] = []
    if shown.problem:
        parts.append(P(shown.problem, role="alert"))
        if shown.damaged:
            address = f"{shown.address}/fork"
            fork = Form(
                Input(type="hidden", name="at", value=str(shown.last_good)),
                Button("Go on from the last good entry in a new session"),
                method="post",
                action=address,
            )
            parts.append(Div(fork, cls="row"))
    if shown.catalogue and not shown.catalogue.problem and not shown.catalogue.models and not shown.fixed:
        parts.append(first_run(shown.suggested, shown.sid))
    if shown.catalogue and shown.catalogue.notice:
        parts.append(P(Small(shown.catalogue.notice)))
    return Div(*parts, id="notice", cls="notice" if parts else "")

"""A drawing of a session or a workflow: its steps, values and run, and what depends on what. Pure.

┌ source ┐  ┌ start ─┐  ┌ scope ─┐  ┌ Run ───┐     a column for each step: its card, below it its values
│ site  ─┼─▶│ depth  │  │        │  │ results│     a line leads from a value to the steps that take it, and
└────┬───┘  └───┬────┘  └───┬────┘  └────▲───┘     one below all from the steps whose values the run takes
     └──────────┴───────────┴────────────┘
"""

import inspect

from ..calling import parameters_of
from ..cards import Card, cards
from ..parameters import noun, show
from ..session import Session
from ..workflow import Step, Workflow
from .layout import Box, Column, Drawing, laid_out


def drawing_of_session(session: Session, flow: Workflow | None) -> Drawing:
    """The session's steps with their values and who set them, the newest run and its results."""
    found = cards(session, flow) if flow else _bare_cards(session)
    used = _run_takes(flow)
    columns = [_step_column(session, card, used) for card in found]
    columns.append(_run_column(session, flow, used))
    by = tuple(dict.fromkeys(session.origins.values()))
    done = sum(card.state in ("done", "skipped") for card in found)
    run = f" Its run is {session.run.state}." if session.run else ""
    summary = f"{_many(len(found), 'step')}, {done} done, {_many(len(session.values), 'value')}.{run}"
    return laid_out(columns, summary, by)


def drawing_of_workflow(flow: Workflow) -> Drawing:
    """The workflow's steps with what they ask, and which of them take it."""
    used, makers = _run_takes(flow), _makers(flow)
    columns = []
    for step in flow.steps:
        boxes = [
            Box(
                f"value-{each.name}",
                "value",
                (each.label, noun(each)),
                f"{each.name}: {noun(each)}",
                state="" if used is None or each.name in used else "unused",
            )
            for each in step.fields
        ]
        derived = [name for name, maker in makers.items() if maker == step.name]
        boxes += [Box(f"value-{n}", "value", (n, "derived"), f"{n}: derived", "workflow") for n in derived]
        when = "only if needed" if step.when else ""
        head = Box(f"step-{step.name}", "step", (step.question, when), step.question)
        columns.append(_column(head, boxes, step.takes, used))
    columns.append(Column(_run_box(flow, used), takes=frozenset(used or ())))
    asked = len(flow.fields())
    return laid_out(
        columns, f"{_many(len(flow.steps), 'step')}, {_many(asked, 'parameter')}, then the run.", ()
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _step_column(session: Session, card: Card, used: frozenset[str] | None) -> Column:
    step = card.step
    names = [each.name for each in step.fields]
    derived = [
        name
        for name, changes in session.history.items()
        if changes and changes[-1].step == step.name and name not in names and name in session.values
    ]
    boxes = [_value_box(session, step, name, used) for name in (*names, *derived)]
    mark = session.mark(step.name, "opened", "advanced", "skipped", "reopened")
    head = Box(
        f"step-{step.name}",
        "step",
        (step.question, card.state),
        f"{step.question} ({card.state})",
        state=card.state,
        n=mark.n if mark else 0,
    )
    return _column(head, boxes, step.takes, used)


def _value_box(session: Session, step: Step, name: str, used: frozenset[str] | None) -> Box:
    asked, setting = step.field(name), session.setting(name)
    label = asked.label if asked else name
    if setting is None:
        return Box(f"value-{name}", "value", (label, ""), f"{name}: no value", state="empty")
    text = show(asked, setting.value)
    unused = used is not None and name not in used
    title = f"{name}: {text[:200]}, entry {setting.n}{', which the run does not take' if unused else ''}"
    state = "unused" if unused else ""
    return Box(f"value-{name}", "value", (label, text), title, setting.by, state, setting.n)


def _column(head: Box, boxes: list[Box], takes: frozenset[str], used: frozenset[str] | None) -> Column:
    names = [box.id.removeprefix("value-") for box in boxes if box.state != "empty"]
    return Column(head, boxes, takes, [name for name in names if used is None or name in used])


def _run_column(session: Session, flow: Workflow | None, used: frozenset[str] | None) -> Column:
    run, head = session.run, _run_box(flow, used)
    if run is None:
        return Column(head, takes=frozenset(used or ()))
    head.lines, head.state = (
        ("Run", run.state),
        {"finished": "done", "running": "open"}.get(run.state, "stale"),
    )
    head.title, head.n = f"The newest run, {run.state}", run.ended or run.n
    boxes = []
    for i, result in enumerate(run.results):
        rows = f"{result['rows']} rows" if result.get("rows") is not None else str(result.get("kind"))
        name = str(result.get("name"))
        boxes.append(Box(f"result-{i}", "result", (name, rows), f"{name}: {rows}", n=int(result["n"])))
    return Column(head, boxes, frozenset(used or ()))


def _run_box(flow: Workflow | None, used: frozenset[str] | None) -> Box:
    takes = "takes all values" if used is None else f"takes {len(used)} values"
    return Box("run", "run", ("Run", takes if flow else ""), f"The run {takes}")


def _run_takes(flow: Workflow | None) -> frozenset[str] | None:
    """The names that the run takes; None: all there are."""
    if flow is None or flow.run_function is None:
        return None
    kinds = [p.kind for p in inspect.signature(flow.run_function).parameters.values()]
    return None if inspect.Parameter.VAR_KEYWORD in kinds else frozenset(parameters_of(flow.run_function))


def _makers(flow: Workflow) -> dict[str, str]:
    """The step that derives a name, where only one can."""
    asked, found = flow.fields(), dict[str, str]()
    run = _run_takes(flow) or frozenset()
    for i, step in enumerate([*flow.steps, None]):
        for name in sorted((step.takes if step else run) - asked.keys() - found.keys()):
            able = [earlier.name for earlier in flow.steps[:i] if earlier.body]
            if len(able) == 1:
                found[name] = able[0]
    return found


def _bare_cards(session: Session) -> list[Card]:
    """The steps of a session whose workflow is not there: what its entries tell."""
    found = []
    for name in session.marks:
        status = session.status(name)
        state = "done" if status and status.did == "advanced" else "open"
        step = Step(name, name.replace("_", " "), "", (), (), frozenset(), _nothing, False)
        found.append(Card(step, state))
    return found


def _nothing() -> None:
    """The function of a step that is not there any more."""

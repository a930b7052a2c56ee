"""A workflow: one Python file of plain functions, whose signatures are its cards.

flow = Workflow("Count words", "How often ...?")
@flow.step    signature = fields, docstring = question and help, body = check and derived values
@flow.run     gets the values by name, yields Progress and results
"""

import asyncio
import hashlib
import inspect
import sys
import traceback
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BrokenWorkflow, Refused
from .parameters import MISSING, Field, Place, Upload, judge, make_field, to_json
from .results import Progress

Function = Callable[..., Any]


@dataclass(frozen=True)
class Step:
    """One card. `passed` are the bare names, `takes` all earlier names that anything on the card looks at."""

    name: str
    question: str
    help: str
    fields: tuple[Field, ...]
    passed: tuple[str, ...]
    takes: frozenset[str]
    function: Function
    body: bool
    when: Function | None = None

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


class Workflow:
    """What a workflow file makes, and fills with `@flow.step` and `@flow.run`; callable as plain Python."""

    def __init__(self, title: str, description: str = "") -> None:
        self.title, self.description = title, description
        self.steps: list[Step] = []
        self.run_function: Function | None = None
        self.stem = self.digest = ""

    def step(self, function: Function | None = None, *, when: Function | None = None) -> Any:
        """Adds a card: `@flow.step` or `@flow.step(when=function of earlier values)`."""
        if function is None:
            return lambda function: self.step(function, when=when)
        self.steps.append(self._make_step(function, when))
        return function

    def run(self, function: Function) -> Function:
        """Names the function that gets the values when every step is done."""
        if self.run_function is not None:
            raise TypeError(f"a workflow has one @flow.run; {function.__name__} is a second one")
        for name in _names(function):
            self._check_known(name, f"the run function {function.__name__}")
        self.run_function = function
        return function

    def fields(self) -> dict[str, Field]:
        """All asked names in the order of the cards."""
        return {field.name: field for step in self.steps for field in step.fields}

    def find(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def step_of(self, name: str) -> Step | None:
        """The step that asks the parameter `name`."""
        return next((step for step in self.steps if step.field(name)), None)

    def call_run(self, values: Mapping[str, Any]) -> Any:
        """What the run function returns for these (typed) values: a result, a generator, a coroutine ..."""
        if self.run_function is None:
            raise TypeError(f"the workflow {self.title!r} has no @flow.run")
        return call(self.run_function, values)

    def __call__(self, **parameters: Any) -> list[Any]:
        """Runs the workflow in plain Python, with the same checks, and returns its results.

        Raises Refused, which names the parameter, where a value does not pass or is missing.
        """
        known = self.fields()
        for name in parameters:
            if name not in known:
                raise Refused(name, None, f"there is no such parameter; there are {', '.join(known)}.")
        values: dict[str, Any] = {}
        for step in self.steps:
            values |= self._answered(step, parameters, values)
        return [item for item in iterate(self.call_run(values)) if not isinstance(item, Progress)]

    def _answered(self, step: Step, given: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        if step.when and not call(step.when, values):
            return {field.name: default_of(field, values, None) for field in step.fields}
        own: dict[str, Any] = {}
        for field in step.fields:
            raw = given[field.name] if field.name in given else default_of(field, values, MISSING)
            own[field.name] = _judge_plain(field, raw, values | own)
        derived = call(step.function, values | own) if step.body else None
        return own | (derived or {})

    def _make_step(self, function: Function, when: Function | None) -> Step:
        hints = typing.get_type_hints(function, include_extras=True)
        fields, passed = [], []
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"step {function.__name__}: *{name} cannot be a field; name each value")
            if name not in hints:
                if fields:
                    raise TypeError(f"step {function.__name__}: bare names come first, {name} comes too late")
                self._check_known(name, f"step {function.__name__}")
                passed.append(name)
                continue
            if self.step_of(name) or any(field.name == name for field in fields):
                raise TypeError(f"step {function.__name__}: {name} is asked twice")
            default = MISSING if parameter.default is parameter.empty else parameter.default
            fields.append(make_field(name, hints[name], default))
        if self.find(function.__name__):
            raise TypeError(f"there are two steps named {function.__name__}")
        question, _, help_text = inspect.cleandoc(function.__doc__ or "").partition("\n")
        asking = [f for field in fields for f in (field.ask.options, field.ask.default) if callable(f)]
        takes = set(passed).union(*(_names(f) for f in [*asking, *([when] if when else [])]))
        for name in takes:
            self._check_known(name, f"step {function.__name__}")
        title = question.strip() or function.__name__.replace("_", " ").capitalize()
        return Step(function.__name__, title, help_text.strip(), tuple(fields), tuple(passed),
                    frozenset(takes), function, _has_body(function), when)  # fmt: skip

    def _check_known(self, name: str, where: str) -> None:
        # a body may derive any name, so only a workflow without bodies can be sure
        if not self.step_of(name) and not any(step.body for step in self.steps):
            raise TypeError(f"{where} takes {name}, which no earlier step asks or derives")


def _names(function: Function) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def call(function: Function, values: Mapping[str, Any]) -> Any:
    """Calls a workflow's function with those of `values` that it names (all, with `**`).

    Raises TypeError where it names a value that is not there and has no default. A coroutine is awaited.
    """
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        outcome = function(**values)
    else:
        for p in parameters:
            if p.name not in values and p.default is p.empty:
                raise TypeError(f"{function.__name__} takes {p.name}, which no earlier step asked or derived")
        outcome = function(**{p.name: values[p.name] for p in parameters if p.name in values})
    return asyncio.run(outcome) if inspect.iscoroutine(outcome) else outcome


def iterate(outcome: Any) -> Iterator[Any]:
    """What a run function gives, item by item: a sync or async generator, a list of results or one result."""
    if isinstance(outcome, AsyncIterator):
        with asyncio.Runner() as runner:
            while True:
                try:
                    yield runner.run(_next(outcome))
                except StopAsyncIteration:
                    return
    elif isinstance(outcome, Iterator | list | tuple):
        yield from outcome
    elif outcome is not None:
        yield outcome


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


def options_of(field: Field, values: Mapping[str, Any]) -> list[Any] | None:
    """The field's options (JSON values) given the earlier values; None where it has none."""
    options = field.ask.options
    if options is None:
        return None
    return [to_json(option) for option in (call(options, values) if callable(options) else options)]


def default_of(field: Field, values: Mapping[str, Any], otherwise: Any) -> Any:
    """The field's default, a function of earlier values or a constant; `otherwise` where it has none."""
    default = field.ask.default if field.ask.default is not MISSING else field.default
    if callable(default) and not isinstance(default, type):
        return call(default, values)
    if default is MISSING:
        return None if field.optional else otherwise
    return default


def _judge_plain(field: Field, raw: Any, values: Mapping[str, Any]) -> Any:
    if raw is MISSING:
        raise Refused(field.name, None, f"{field.label} is missing.")
    if field.kind == "upload" and isinstance(raw, str | Path):
        if not Path(raw).is_file():
            raise Refused(field.name, str(raw), f"There is no file {raw}.")
        raw = Upload(Path(raw))
    if isinstance(raw, Upload):
        return judge(field, {"file": raw.path.name}, place=Place(files=raw.path.parent))
    if field.kind == "secret":
        return judge(field, raw)
    return judge(field, to_json(raw), offered=options_of(field, values))


def _has_body(function: Function) -> bool:
    return function.__code__.co_code != _docstring_only.__code__.co_code


def _docstring_only() -> None:
    """Its bytecode is that of every function without a body."""


def load(path: Path) -> Workflow:
    """Executes a workflow file; raises BrokenWorkflow with the line where it does not load."""
    source = path.read_bytes()
    module = types.ModuleType(f"workflow_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and type hints look their module up there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except SyntaxError as error:
        raise BrokenWorkflow(path.stem, error.msg, error.lineno) from error
    except (Exception, SystemExit) as error:  # whatever the file does wrong is the file's, not ours
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        raise BrokenWorkflow(
            path.stem, f"{type(error).__name__}: {error}", lines[-1] if lines else None
        ) from error
    flows = [value for value in vars(module).values() if isinstance(value, Workflow)]
    if not flows:
        raise BrokenWorkflow(
            path.stem, "there is no Workflow in it; it needs `flow = Workflow(title, description)`"
        )
    flow = flows[0]
    if flow.run_function is None:
        raise BrokenWorkflow(path.stem, "no function is marked with @flow.run")
    flow.stem, flow.digest = path.stem, hashlib.sha256(source).hexdigest()[:16]
    return flow

"""A workflow: one Python file of plain functions, whose signatures are its cards.

flow = Workflow("Count words", "How often ...?")
@flow.step    signature = fields, docstring = question and help, body = check and derived values
@flow.run     gets the values by name, yields Progress and results
"""

import hashlib
import inspect
import sys
import traceback
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .calling import Function, call, iterate, parameters_of
from .errors import BrokenWorkflow, Refused
from .parameters import MISSING, Field, Place, Upload, judge, make_field, to_json
from .results import Progress, Result
from .settings import shipped


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
        self._check_names(function, f"the run function {function.__name__}")
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
        results = []
        for item in iterate(self.call_run(values)):
            if not isinstance(item, Progress | Result):
                raise TypeError(f"a run gives back Table, Graph, Download or Note, not {type(item).__name__}")
            if not isinstance(item, Progress):
                results.append(item)
        return results

    def _answered(self, step: Step, given: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        if step.when and not call(step.when, values):
            return typed_values(self, {f.name: skipped_value(f, values) for f in step.fields}, Place())
        own: dict[str, Any] = {}
        for field in step.fields:
            raw = given[field.name] if field.name in given else default_of(field, values, MISSING)
            own[field.name] = _judge_plain(field, raw, values | own)
        try:
            return own | self.derive(step, values | own)
        except Refused:
            raise
        except ValueError as error:  # a body's way to refuse the card as a whole
            raise Refused(None, None, str(error)) from error

    def derive(self, step: Step, values: Mapping[str, Any]) -> dict[str, Any]:
        """Runs the step's body on typed values: what it derives, as JSON. Its ValueError refuses them."""
        found = call(step.function, values) if step.body else None
        if found is None:
            return {}
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
            raise TypeError(f"{step.name} returned {type(found).__name__}; a step returns a dict or nothing")
        if asked := [name for name in found if self.step_of(name)]:
            raise TypeError(f"{step.name} returned {asked[0]}, which a card asks; derived names are new ones")
        return {name: to_json(value) for name, value in found.items()}

    def _make_step(self, function: Function, when: Function | None) -> Step:
        where = f"step {function.__name__}"
        if self.find(function.__name__):
            raise TypeError(f"there are two steps named {function.__name__}")
        hints = typing.get_type_hints(function, include_extras=True)
        fields: list[Field] = []
        passed: list[str] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"{where}: *{name} cannot be a field; name each value")
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise TypeError(f"{where}: {name} is given by name; take the / out of the signature")
            if name not in hints:
                if fields:
                    raise TypeError(f"{where}: bare names come first, {name} comes too late")
                if parameter.default is not parameter.empty:
                    raise TypeError(
                        f"{where}: {name} has a default and no type; write {name}: type = ... to ask it, "
                        f"or {name} alone to take it from an earlier step"
                    )
                passed.append(name)
                continue
            if self.step_of(name):
                raise TypeError(f"{where}: {name} is asked twice")
            default = MISSING if parameter.default is parameter.empty else parameter.default
            fields.append(make_field(name, hints[name], default))
        question, _, help_text = inspect.cleandoc(function.__doc__ or "").partition("\n")
        asking = [f for field in fields for f in (field.ask.options, field.ask.default) if callable(f)]
        takes = set(passed)
        for taker in [*asking, *([when] if when else [])]:
            self._check_names(taker, f"{where}: {getattr(taker, '__name__', 'a function')}")
            takes |= set(parameters_of(taker))
        for name in passed:
            self._check_known(name, where)
        title = question.strip() or function.__name__.replace("_", " ").capitalize()
        return Step(function.__name__, title, help_text.strip(), tuple(fields), tuple(passed),
                    frozenset(takes), function, _has_body(function), when)  # fmt: skip

    def _check_names(self, function: Function, where: str) -> None:
        for name, parameter in parameters_of(function).items():
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise TypeError(f"{where}: {name} is given by name; take the / out of the signature")
            if parameter.default is parameter.empty:
                self._check_known(name, where)

    def _check_known(self, name: str, where: str) -> None:
        # a body may derive any name, so only a workflow without bodies can be sure
        if not self.step_of(name) and not any(step.body for step in self.steps):
            raise TypeError(f"{where} takes {name}, which no earlier step asks or derives")


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


def skipped_value(field: Field, values: Mapping[str, Any]) -> Any:
    """What a field is as the `when` of its step says no: its default, or None, as JSON."""
    value = default_of(field, values, None)
    return None if value is None else to_json(judge(field, to_json(value)))


def typed_values(flow: Workflow, values: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """JSON values of the log as the Python values that the workflow's functions get.

    Asked ones are judged again; derived ones and the None of a skipped step are as they are.
    """
    fields = flow.fields()
    return {
        name: judge(fields[name], value, place=place) if name in fields and value is not None else value
        for name, value in values.items()
    }


def _judge_plain(field: Field, raw: Any, values: Mapping[str, Any]) -> Any:
    if raw is MISSING:
        raise Refused(field.name, None, f"{field.label} is missing.")
    return judge(field, _opened(field, raw, field.name), offered=options_of(field, values))


def _opened(field: Field, raw: Any, name: str) -> Any:
    """The value with an Upload for each path in it, where the field takes a file; Refused: there is none."""
    if field.kind == "upload" and isinstance(raw, str | Path | Upload):
        path = raw.path if isinstance(raw, Upload) else Path(raw)
        if not path.is_file():
            raise Refused(name, str(path), f"There is no file {path}.")
        return Upload(path)
    if field.item and isinstance(raw, list | tuple):
        return [_opened(field.item, each, name) for each in raw]
    if field.item and isinstance(raw, dict):
        return {key: _opened(field.item, each, name) for key, each in raw.items()}
    if isinstance(raw, dict):
        parts = {part.name: part for part in field.fields}
        return {key: _opened(parts[key], each, name) if key in parts else each for key, each in raw.items()}
    return raw


def _has_body(function: Function) -> bool:
    code = function.__code__
    return code.co_code not in (_docstring_only.__code__.co_code, _passing.__code__.co_code)


def _docstring_only() -> None:
    """Its bytecode is that of every function that is only this, and `_passing`'s that of those without."""


def _passing() -> None:
    pass


def load(path: Path) -> Workflow:
    """Executes a workflow file; raises BrokenWorkflow with the line where it does not load."""
    stem = path.stem
    try:
        source = path.read_bytes()
    except OSError as error:
        raise BrokenWorkflow(stem, f"the file can not be read: {error.strerror}") from error
    module = types.ModuleType(f"workflow_{stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and type hints look their module up there
    for folder in (path.parent, shipped("workflows")):  # a copy of a shipped file finds its helpers there
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:  # whatever the file does wrong is the file's, not ours
        raise _broken(path, error) from error
    flows = {id(value): value for value in vars(module).values() if isinstance(value, Workflow)}
    if len(flows) != 1:
        found = "there is no Workflow in it" if not flows else f"there are {len(flows)} Workflows in it"
        raise BrokenWorkflow(stem, f"{found}; it needs one `flow = Workflow(title, description)`")
    flow = next(iter(flows.values()))
    if flow.run_function is None:
        raise BrokenWorkflow(stem, "no function is marked with @flow.run")
    flow.stem, flow.digest = stem, hashlib.sha256(source).hexdigest()[:16]
    return flow


def _broken(path: Path, error: BaseException) -> BrokenWorkflow:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return BrokenWorkflow(path.stem, error.msg, error.lineno)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    reason = str(error) if isinstance(error, TypeError) else f"{type(error).__name__}: {error}"
    return BrokenWorkflow(path.stem, reason, lines[-1] if lines else None)

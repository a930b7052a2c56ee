"""Calls the functions of a workflow with those values that each names, sync or async, in a loop or not."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Function = Callable[..., Any]


def parameters_of(function: Function) -> dict[str, inspect.Parameter]:
    """What a function takes by name, without `*` and `**`."""
    parameters = inspect.signature(function).parameters
    return {n: p for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def call(function: Function, values: Mapping[str, Any]) -> Any:
    """Calls a workflow's function with those of `values` that it names (all, with `**`).

    Raises TypeError where it names a value that is not there and has no default. A coroutine is awaited.
    """
    parameters = parameters_of(function)
    for name, p in parameters.items():
        if name not in values and p.default is p.empty:
            raise TypeError(f"{function.__name__} takes {name}, which no earlier step asked or derived")
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values()):
        outcome = function(**values)
    else:
        outcome = function(**{name: values[name] for name in parameters if name in values})
    return _awaited(outcome) if inspect.iscoroutine(outcome) else outcome


def iterate(outcome: Any) -> Iterator[Any]:
    """What a run function gives, item by item: a generator (sync or async), a list or one result."""
    if isinstance(outcome, AsyncIterator):
        if _in_loop():
            yield from _in_thread(lambda: list(iterate(outcome)))
            return
        with asyncio.Runner() as runner:
            while True:
                try:
                    item = runner.run(_next(outcome))
                except StopAsyncIteration:
                    return
                yield from iterate(item)
    elif isinstance(outcome, Iterator | list | tuple):
        for item in outcome:
            yield from iterate(item)
    elif outcome is not None:
        yield outcome


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return _in_thread(lambda: asyncio.run(coroutine)) if _in_loop() else asyncio.run(coroutine)


def _in_loop() -> bool:
    """Whether an event loop runs in this thread, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()

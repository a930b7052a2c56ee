"""The scripted model in a process of its own: what measures must not take its time from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from tests.double import Double, Round

NAME = "scripted"


@dataclass(frozen=True)
class Model:
    """One model, named NAME, behind Ollama's wire at 127.0.0.1:`port`."""

    port: int
    process: BaseProcess
    _said: Connection

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def enqueue(self, reply: Round) -> None:
        """Gives the model its next reply."""
        self._said.send(reply)
        self._said.recv()


@contextmanager
def scripted() -> Iterator[Model]:
    """The model, until it is not needed any more."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Model(ours.recv(), process, ours)
    finally:
        ours.close()
        process.join()


def _serve(said: Connection) -> None:
    with Double(scripts=False) as double:
        double.add(NAME)
        said.send(double.port)
        while True:
            try:
                double.enqueue(NAME, said.recv())
            except EOFError:
                return
            said.send(None)

"""A workflow whose functions fail."""

from typing import Annotated

from assistant import Ask, Note, Workflow

flow = Workflow("Fails", "Divides by what it is given.")


def likely(by):
    return [10 // by, 1]


@flow.step
def start(by: Annotated[int, Ask("By", ge=0, le=9)] = 1):
    """By what?"""
    if by == 7:
        raise ValueError("Seven is not for us.")


@flow.step
def guess(by, result: Annotated[int, Ask("Result", options=likely)]):
    """What do you expect?"""


@flow.run
def divide(by, result):
    print("about to divide")
    if by == 5:
        raise RuntimeError("Five can not be done.")
    yield Note(f"{10 / by:g}, and {result} was expected")

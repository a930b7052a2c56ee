"""Prints of a photograph: sizes and two choices on one card, two days on the next, for scenarios."""

from datetime import date
from typing import Annotated, Literal

from assistant import Ask, Note, Workflow

flow = Workflow("Prints", "How large, on what, and for whom?")


@flow.step
def photo(
    width: Annotated[int, Ask("Width", ge=10, le=200, unit="cm")],
    height: Annotated[int, Ask("Height", ge=10, le=200, unit="cm")],
    tags: Annotated[list[str], Ask("Tags", default=[])],
    paper: Annotated[Literal["matt", "glossy", "canvas"], Ask("Paper")] = "matt",
    delivery: Annotated[Literal["standard", "express"], Ask("Delivery")] = "standard",
):
    """Which size and paper?"""


@flow.step
def dates(
    needed_by: Annotated[date, Ask("Needed by")],
    pick_up: Annotated[date, Ask("Pick-up day")],
):
    """When do you want it?"""


@flow.step
def friends(
    people: Annotated[list[str], Ask("Who", min_length=1, help="who gets a print")],
    note: Annotated[str | None, Ask("Note")] = None,
):
    """Who gets one?"""


@flow.run
def prints(width, height, paper, delivery, tags, needed_by, pick_up, people, note):
    return Note(f"{width} by {height} cm on {paper}")

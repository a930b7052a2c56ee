"""A poster: two sides that a "30 by 40" may mean either way, and numbers that move, for scenarios."""

from datetime import date
from typing import Annotated

from assistant import Ask, Note, Workflow

flow = Workflow("Poster", "How large, how many, and by when?")


@flow.step
def size(
    width: Annotated[int, Ask("Width", ge=1, le=300, unit="cm")],
    height: Annotated[int, Ask("Height", ge=1, le=300, unit="cm")],
    margin: Annotated[float, Ask("Margin", ge=0, le=20, unit="mm")] = 5.0,
):
    """How large?"""


@flow.step
def copies(
    count: Annotated[int, Ask("Copies", ge=1, le=500, unit="copies", help="on the same paper")],
    spare: Annotated[int, Ask("Spare ones", ge=0, le=50, unit="copies")] = 0,
    deposit: Annotated[float, Ask("Deposit", ge=1, unit="euros")] = 20.0,
):
    """How many?"""


@flow.step
def delivery(day: Annotated[date, Ask("Day of delivery")]):
    """By when?"""


@flow.run
def poster(width, height, margin, count, spare, deposit, day):
    return Note(f"{count} posters of {width} by {height} cm")

"""Every kind of question there is."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel

from assistant import Ask, Note, Secret, Table, Upload, Workflow

flow = Workflow("Every kind", "Asks for one of each.")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Person(BaseModel):
    name: str
    age: int = 0


@dataclass
class Point:
    x: float
    y: float = 0.0


@flow.step
def single(
    text: Annotated[str, Ask("Text", min_length=1, max_length=80, example="any words")],
    long: Annotated[str, Ask("More text", long=True)] = "",
    whole: Annotated[int, Ask("Whole number", ge=0, le=1_000)] = 3,
    broken: Annotated[float, Ask("Number", gt=0, unit="metres")] = 0.5,
    exact: Annotated[Decimal, Ask("Price")] = Decimal("1.50"),
    yes: bool = True,
    day: date = date(2026, 11, 21),
    moment: datetime = datetime(2026, 11, 21, 10, 3),
    hour: time = time(10, 3),
    maybe: int | None = None,
):
    """Which single values?

    Each is what its annotation says.
    """
    return {"shouted": text.upper()}


@flow.step
def chosen(
    size: Size = Size.SMALL,
    way: Literal["slow", "quick", 3] = "slow",
    colors: Annotated[list[str], Ask("Colours", options=["red", "green", "blue"])] = ["red"],
):
    """Which choices?"""


@flow.step
def several(
    lines: list[str],
    numbers: set[int] = {1, 2},
    pair: tuple[int, str] = (1, "one"),
    table: dict[str, int] = {"a": 1},
    person: Person = Person(name="Ann"),
    people: list[Person] = [],
    point: Point = Point(1.0),
):
    """Which compound values?"""


@flow.step
def kept(
    notes: Annotated[Upload, Ask("Notes", accept=".txt")],
    key: Annotated[Secret | None, Ask("Key")] = None,
):
    """What stays out of the log?"""


@flow.run
def tell(text, shouted, notes, **others):
    yield Table("values", [{"name": name, "value": str(value)} for name, value in others.items()])
    yield Note(f"{shouted}: {len(notes.read_text())} characters")

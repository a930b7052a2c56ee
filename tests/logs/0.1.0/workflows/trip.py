"""A trip: what depends on what."""

from typing import Annotated, Literal

from assistant import Ask, Note, Workflow

flow = Workflow("Trip", "Where to, and for how long?")
TOWNS = {"France": ["Paris", "Lyon"], "Italy": ["Rome", "Lyon"]}


@flow.step
def start(
    country: Literal["France", "Italy"],
    days: Annotated[int, Ask("Days", ge=1, le=30, unit="days")] = 4,
):
    """Where to?

    Days are those spent there.
    """


@flow.step
def city(country, town: Annotated[str, Ask("Town", options=lambda country: TOWNS[country])]):
    """Which town?"""
    return {"address": f"{town}, {country}"}


@flow.step(when=lambda days: days > 7)
def hotel(days, nights: Annotated[int, Ask("Nights", default=lambda days: days - 1)], stars: int = 3):
    """Which hotel?"""


@flow.step
def ticket(address, name: str, window: bool = False):
    """Who travels?"""


@flow.run
def plan(address, name, nights):
    yield Note(f"{name} goes to {address}, {nights or 'no'} nights")

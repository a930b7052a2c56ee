"""Plan a journey: what depends on what, and values of many kinds, for scenarios."""

from datetime import date
from typing import Annotated, Literal

from assistant import Ask, Note, Secret, Workflow

flow = Workflow("Journey", "Where to, and for how long?")
TOWNS = {"France": ["Paris", "Lyon"], "Italy": ["Rome", "Lyon"]}


def towns(country):
    return TOWNS[country]


def is_long(days):
    return days > 7


@flow.step
def where(
    country: Annotated[Literal["France", "Italy"], Ask("Country", help="the ticket depends on it")],
    days: Annotated[int, Ask("Days", ge=1, le=30, unit="days", help="nights are one fewer")] = 4,
):
    """Where to?"""


@flow.step
def city(country, town: Annotated[str, Ask("Town", options=towns)]):
    """Which town?"""
    if (country, town) == ("Italy", "Lyon"):
        raise ValueError("Lyon is in France.")
    return {"address": f"{town}, {country}"}


@flow.step(when=is_long)
def hotel(days, stars: Annotated[int, Ask("Stars", ge=1, le=5, unit="stars")] = 3):
    """Which hotel?"""


@flow.step
def ticket(
    address,
    name: Annotated[str, Ask("Name", help="as it is in the passport", max_length=40)],
    leave: Annotated[date, Ask("Day of departure")],
    window: Annotated[bool, Ask("Window seat")] = False,
    meal: Annotated[Literal["vegetarian", "vegan", "fish"] | None, Ask("Meal")] = None,
    code: Annotated[Secret | None, Ask("Loyalty code")] = None,
):
    """Who travels?"""


@flow.run
def plan(address, days, stars, name, leave, window, meal, code):
    return Note(f"{name} goes to {address}")

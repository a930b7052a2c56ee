"""A loan: amounts, percents, years and days that look alike, for scenarios."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from assistant import Ask, Note, Workflow

flow = Workflow("Loan", "What does a loan cost?")


@flow.step
def loan(
    amount: Annotated[Decimal, Ask("Amount", gt=0, unit="euros", help="what is paid out")],
    rate: Annotated[float, Ask("Interest rate", ge=0, le=30, unit="%", help="a year")],
    years: Annotated[int, Ask("Years", ge=1, le=40, unit="years", help="until it is paid back")] = 10,
    kind: Annotated[
        Literal["annuity", "linear", "bullet"], Ask("Kind", aliases={"all at the end": "bullet"})
    ] = "annuity",
):
    """Which loan?"""


@flow.step
def details(
    years,
    start: Annotated[date, Ask("First payment")],
    purpose: Annotated[str | None, Ask("Purpose")] = None,
    insured: Annotated[bool, Ask("Insurance")] = True,
    fee: Annotated[Decimal, Ask("Fee", ge=0, unit="euros")] = Decimal(0),
):
    """What else?"""


@flow.run
def cost(amount, rate, years, kind, start, purpose, insured, fee):
    return Note("paid")

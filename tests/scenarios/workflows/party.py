"""Plan a party: free lists, lists with a default, two numbers without one, and texts, for scenarios."""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import EmailStr, HttpUrl

from assistant import Ask, Note, Secret, Workflow

flow = Workflow("Party", "Who comes, when, and what is needed?")


@flow.step
def what(
    title: Annotated[str, Ask("Title", help="it stands on the invitation", max_length=60)],
    adults: Annotated[int, Ask("Adults", ge=1, le=80, unit="people", help="they pay")],
    children: Annotated[int, Ask("Children", ge=0, le=80, unit="people", help="they eat less")],
    day: Annotated[date, Ask("Day")],
    begins: Annotated[time | None, Ask("Begins", help="when the door opens")] = None,
):
    """What is it?"""


@flow.step
def guests(
    invited: Annotated[list[str], Ask("Guests", default=[], help="one a line")],
    tables: Annotated[list[int], Ask("Tables", default=[4, 4], help="how many sit at each")],
    links: Annotated[list[HttpUrl], Ask("Web pages", default=[], help="where it can be read about")],
    extras: Annotated[
        list[str],
        Ask("Extras", default=["cake"], options=["cake", "candles", "balloons", "fireworks"]),
    ],
    music: Annotated[Literal["jazz", "rock", "classical"] | None, Ask("Music")] = None,
):
    """Who comes?"""


@flow.step
def send(
    adults,
    mail: Annotated[EmailStr, Ask("Your e-mail address", help="answers go there")],
    budget: Annotated[float, Ask("Budget", gt=0, unit="euros", help="for everything")],
    remind: Annotated[int, Ask("Remind", ge=0, le=30, unit="days", help="so many days before")] = 7,
    outdoors: Annotated[bool, Ask("Outdoors")] = False,
    password: Annotated[Secret | None, Ask("Mail password", help="to send the invitations")] = None,
    remarks: Annotated[str | None, Ask("Remarks", long=True)] = None,
):
    """How are they told?"""


@flow.run
def plan(title, adults, children, day, begins, invited, tables, links, extras, music, mail, budget, remind):
    return Note(f"{title} on {day}")

"""What to take along: two lists of free texts side by side, for scenarios."""

from typing import Annotated

from pydantic import EmailStr

from assistant import Ask, Note, Workflow

flow = Workflow("Packing", "What is taken along, and what has to be bought?")


@flow.step
def things(
    bring: Annotated[list[str], Ask("To bring", default=[], help="what is in the house")],
    buy: Annotated[list[str], Ask("Shopping", default=[], help="what is not")],
    tell: Annotated[list[EmailStr], Ask("Tell", default=[], help="who gets the lists")],
):
    """What is needed?"""


@flow.step
def tags(
    title: Annotated[str, Ask("Title")],
    names: Annotated[list[str], Ask("Names", default=[])],
    places: Annotated[list[str], Ask("Places", default=[])],
):
    """Who and where?"""


@flow.run
def pack(bring, buy, tell, title, names, places):
    return Note(title)

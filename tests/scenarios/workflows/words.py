"""Count words: a long text, what is counted, and a short list that is computed from it, for scenarios."""

from collections import Counter
from typing import Annotated

from assistant import Ask, Note, Workflow

flow = Workflow("Count words", "How often does each word occur in a text?")


def frequent(text):
    return [word for word, _ in Counter(text.lower().split()).most_common(5)]


@flow.step
def source(
    text: Annotated[str, Ask("Text", long=True, help="what is counted")],
    name: Annotated[str, Ask("Name of the list", max_length=30)],
):
    """Which text?"""


@flow.step
def which(
    text,
    ignore: Annotated[list[str], Ask("Words to ignore", default=[], options=frequent)],
    shortest: Annotated[int, Ask("Shortest word", ge=1, le=20, unit="letters")] = 4,
    most: Annotated[int, Ask("Rows", ge=1, le=1000, unit="words", help="how long the list is")] = 20,
    capitals: Annotated[bool, Ask("Tell capitals apart")] = False,
):
    """Which words count?"""


@flow.run
def count(text, shortest, most, ignore, capitals):
    return Note("counted")

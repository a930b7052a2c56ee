"""What every test shares: no way out to the network, and a small workspace of real files."""

import os
import signal
import socket
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from assistant.settings import Settings
from assistant.workspace import Workspace

# a shell starts what is in its background with Ctrl-C ignored, and so would we our programs
signal.signal(signal.SIGINT, signal.default_int_handler)

# one and the same examples where a change is judged, new ones everywhere else
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

COUNT_WORDS = '''
"""Count words: how often does each word occur in a text?"""
from collections import Counter
from typing import Annotated

from assistant import Ask, Progress, Table, Upload, Workflow

flow = Workflow("Count words", "How often does each word occur in a text?")


def frequent_words(text):
    return [word for word, times in Counter(text.read_text().split()).most_common(20)]


@flow.step
def source(text: Annotated[Upload, Ask("Text file", accept=".txt")]):
    """Which text?

    Any plain text file. It stays on this machine.
    """


@flow.step
def filter_words(
    text,
    shortest: Annotated[int, Ask("Shortest word", ge=1, le=20, unit="letters")] = 4,
    ignore: Annotated[list[str], Ask("Words to ignore", options=frequent_words)] = [],
):
    """Which words count?"""


@flow.run
def count(text, shortest, ignore):
    import pandas as pd

    words = [w for w in text.read_text().split() if len(w) >= shortest and w not in ignore]
    yield Progress(1, 1, "counted")
    yield Table("words", pd.DataFrame(Counter(words).most_common(), columns=["word", "times"]))
'''

TRIP = '''
"""Plan a trip: what depends on what."""
from typing import Annotated, Literal

from assistant import Ask, Note, Secret, Workflow


flow = Workflow("Plan a trip", "Where to, and for how long?")
TOWNS = {"France": ["Paris", "Lyon"], "Italy": ["Rome", "Lyon"]}


def towns(country):
    return TOWNS[country]


def is_long(days):
    return days > 7


def usual_nights(days):
    return days - 1


@flow.step
def start(country: Literal["France", "Italy"], days: Annotated[int, Ask(ge=1, le=30)] = 4):
    """Where to?"""


@flow.step
def city(country, town: Annotated[str, Ask("Town", options=towns)]):
    """Which town?"""
    if (country, town) == ("Italy", "Lyon"):
        raise ValueError("Lyon is in France.")
    return {"address": f"{town}, {country}"}


@flow.step(when=is_long)
def hotel(days, nights: Annotated[int, Ask(default=usual_nights)], stars: int = 3):
    """Which hotel?"""


@flow.step
def ticket(address, name: str, key: Secret | None = None, window: bool = False):
    """Who travels?"""


@flow.run
def plan(town, address, stars, name):
    return Note(f"{name} goes to {address}, {stars} stars")
'''


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails at once."""

    def only_here(real: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            local = self.family == socket.AF_UNIX or str(address[0]) in ("127.0.0.1", "::1", "localhost")
            if not local:
                raise OSError(f"A test wanted to connect to {address[0]}.")
            return real(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, only_here(getattr(socket.socket, name)))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two workflows: `count_words` asks for a file, `trip` has options, a default, a `when` and a body."""
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "count_words.py").write_text(COUNT_WORDS)
    (folder / "trip.py").write_text(TRIP)
    return Workspace(Settings(tmp_path, card_seconds=5.0))

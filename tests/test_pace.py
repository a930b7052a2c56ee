"""How fast a run goes."""

import pytest

from assistant.runs.pace import Pace


def test_pace():
    pace = Pace()
    assert (pace.rate(), pace.left(10)) == (None, None)
    pace.add(100.0, 0)
    assert pace.rate() is None
    pace.add(102.0, 4)
    assert (pace.rate(), pace.left(10), pace.left(0), pace.left(2)) == (2.0, 3.0, None, 0.0)
    for second in range(20):
        pace.add(103.0 + second, 5 + second)
    assert pace.rate() == 1.0  # the quick beginning is forgotten
    pace.add(200.0, 100)
    assert pace.rate() == pytest.approx(76 / 78)
    pace.add(201.0, 0)
    assert pace.rate() is None  # a new count

"""The scores as a table that fits a terminal, with what its heads mean."""

from collections.abc import Sequence
from textwrap import wrap

from ..cli.console import columns
from . import Score

WIDTH = 80  # characters of a line
LEAST = 8  # of a model's name
HEADS = ("model", "right", "wrong", "miss", "inv", "corr", "spur", "rec", "sec", "tok/s")
LEGEND = """\
right, wrong, miss: values that the user said, as the model gave them
inv    invented: nobody said, proposed or asked about them; none of them was set
corr   corrections: of the values that the user changed, those changed rightly
spur   spurious: values that were set though the words did not mean them
rec    recovered: of the values that were refused, those put right in that turn
sec    seconds for a turn
tok/s  tokens in a second"""


def lines_of(scores: Sequence[Score]) -> list[str]:
    """The table, the names in full that found no room in it, and the legend."""
    cells = [HEADS[1:], *(_cells(score) for score in scores)]
    taken = sum(2 + max(map(len, column)) for column in zip(*cells, strict=True))
    room = max(LEAST, WIDTH - taken)
    names = [HEADS[0], *(shortened(score.model, room) for score in scores)]
    cut = [score.model for score in scores if len(score.model) > room]
    in_full = ["", "In full, in this order:", *(f"  {name}" for name in cut)] if cut else []
    table = columns([(name, *row) for name, row in zip(names, cells, strict=True)])
    return [*table, *in_full, "", *LEGEND.splitlines()]


def shortened(name: str, most: int) -> str:
    """A name without its middle: whose model it is stands at its beginning, which one at its end."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[-end:]}"


def wrapped(text: str) -> str:
    """A sentence on as many lines as it takes."""
    return "\n".join(wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))


def _cells(score: Score) -> tuple[str, ...]:
    """The score as texts, in the order of HEADS, without its model."""
    counts = (score.right, score.wrong, score.missed, score.invented)
    return (
        *(str(count) for count in counts),
        f"{score.corrected}/{score.corrections}",
        str(score.spurious),
        f"{score.recovered}/{score.refused}",
        f"{score.seconds / score.turns:.2f}" if score.turns else "-",
        f"{score.tokens / score.speaking:.0f}" if score.speaking else "-",
    )

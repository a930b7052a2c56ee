"""The garbage collector kept away from long logs: what is read of one lives long, and has no cycles.

It would go through all the new entries again and again as they are made, which takes as long as reading them,
and through all that was kept whenever it looks at everything, while nothing else gets its turn.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """It does not run meanwhile; of several that overlap in threads, one may end it early, to no harm."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def spare_what_is_there() -> None:
    """It never looks again at anything that there is now; what nobody needs any more still goes."""
    gc.freeze()

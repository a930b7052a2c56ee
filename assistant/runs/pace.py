"""How fast a run goes, and how long it will still take."""

from collections import deque

RATE_SECONDS = 10.0


class Pace:
    """The rate of the last ten seconds, or of the last two steps where steps are slower."""

    def __init__(self) -> None:
        self.seen: deque[tuple[float, float]] = deque(maxlen=200)

    def add(self, now: float, done: float) -> None:
        if self.seen and done < self.seen[-1][1]:  # a new count begins
            self.seen.clear()
        self.seen.append((now, done))
        while len(self.seen) > 2 and now - self.seen[0][0] > RATE_SECONDS:
            self.seen.popleft()

    def rate(self) -> float | None:
        """Per second; None before there are two steps."""
        if len(self.seen) < 2 or self.seen[-1][0] <= self.seen[0][0]:
            return None
        (first, few), (last, many) = self.seen[0], self.seen[-1]
        return (many - few) / (last - first)

    def left(self, total: float) -> float | None:
        """Seconds; None where the total or the rate is not known."""
        rate = self.rate()
        return max(0.0, total - self.seen[-1][1]) / rate if rate and total else None

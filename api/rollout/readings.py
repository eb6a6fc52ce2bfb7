"""What one process has seen of a challenger, and when that is enough to take it out at once.

It does: count errors and walks, keep the last times of both arms, and name the fault. It does not: act, or look at
approvals (models.stopping does). The rule it keeps: each bound is stated here, and none waits for another.
"""

from collections import deque
from threading import Lock
from typing import Final, Literal

Fault = Literal["walk", "errors", "slow"]
MOST_ERRORS: Final = 0.001  # of what the challenger decided; so the first error of fewer than a thousand is too many
LEAST_TIMED: Final = 250  # decisions of both arms on the same facts, before their times are compared
_KEPT: Final = 1_000
MOST_TIMES_SLOWER: Final = 2.0


class Readings:
    """Counts of one trial in this process; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked = self._failed = 0
        self._walks_differ = False
        self._seconds: dict[str, deque[float]] = {arm: deque(maxlen=_KEPT) for arm in ("champion", "challenger")}
        self.last_error: str | None = None

    def asked(self) -> None:
        """The challenger is asked for a decision."""
        with self._lock:
            self._asked += 1

    def timed(self, arm: str, seconds: float) -> None:
        """The processor's time that a decision of one arm took."""
        with self._lock:
            self._seconds[arm].append(seconds)

    def failed(self, error: Exception) -> None:
        """The challenger raised."""
        with self._lock:
            self._failed += 1
            self.last_error = type(error).__name__

    def walked(self, *, same: bool) -> None:
        """A score of the challenger was worked out again by the independent walk."""
        if not same:
            self._walks_differ = True

    def fault(self) -> Fault | None:
        """What takes the challenger out now, if anything does."""
        if self._walks_differ:
            return "walk"
        with self._lock:
            if self._failed > MOST_ERRORS * self._asked:
                return "errors"
            champion, challenger = (list(self._seconds[arm]) for arm in ("champion", "challenger"))
        if min(len(champion), len(challenger)) < LEAST_TIMED:
            return None
        return "slow" if quantile(challenger) > MOST_TIMES_SLOWER * quantile(champion) else None


def quantile(seconds: list[float]) -> float:
    """The 99th percentile: the smallest value that 99 in 100 do not exceed."""
    rank = -(-len(seconds) * 99 // 100)
    return sorted(seconds)[rank - 1]

"""When a failed request is sent a second time, and how long before that.

It does: keep the retry budget of a source, and judge one failure at a time. It does not: send anything. The rule
it keeps: at most one more try a request, at most one for every ten requests, and none that could not end in time.
"""

import random
import time
from collections.abc import Callable

from stamina.instrumentation import set_on_retry_hooks

from api.metrics import SOURCE_RETRIES
from api.sources import SourceFailed

# The library logs every retry with the arguments of what it retries, for all users of the process: those would be
# personal data. Retries are counted instead.
set_on_retry_hooks(())

TRIES = 2
_SHARE = 0.1  # of all requests may be sent again
_MOST_SAVED = 3.0  # retries in a burst; also what a source begins with
_LONGEST_WAIT_S = 0.1  # full jitter: anything from nothing to this


class RetryBudget:
    """The retries that one source may still be sent: each request earns a tenth of one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._saved = _MOST_SAVED

    def earn(self) -> None:
        """A request is sent for the first time."""
        self._saved = min(_MOST_SAVED, self._saved + _SHARE)

    def spend(self) -> bool:
        """Take a retry, if there is one."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        SOURCE_RETRIES.labels(self.name).inc()
        return True


class Patience:
    """Judges the failures of one request; `ends` and `clock` are monotonic seconds.

    `passing` says of a failure whether it may be gone at the second try.
    """

    def __init__(
        self,
        budget: RetryBudget,
        ends: float,
        passing: Callable[[SourceFailed], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget, self._ends, self._passing, self._clock = budget, ends, passing, clock
        self._began = clock()
        self._tries = 0
        budget.earn()

    def __call__(self, failure: Exception) -> bool | float:
        """Seconds to wait before another try, or False; asked by stamina after every failure."""
        self._tries += 1
        if self._tries >= TRIES or not isinstance(failure, SourceFailed) or not self._passing(failure):
            return False
        now = self._clock()
        wait = random.uniform(0.0, _LONGEST_WAIT_S)
        # The second try is expected to take as long as the first one did.
        if self._ends - now <= wait + (now - self._began) or not self._budget.spend():
            return False
        return wait

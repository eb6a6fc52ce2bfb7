"""A circuit breaker: a source that keeps failing is left alone for a while.

It does: count how conversations ended, and say whether the next one may begin. It does not: know what a failure
is (api.sources.exchange does), nor the network. The rule it keeps: after a rest one conversation tries, alone,
and its outcome alone decides; what began before the last change of state counts for nothing.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from api.metrics import BREAKER

# "neither": the conversation says nothing about the source's health (cancelled, too little time, nothing asked).
Verdict = Literal["well", "sick", "neither"]

_CLOSED, _HALF_OPEN, _OPEN = 0, 1, 2


class Breaker:
    """One source's breaker.

    It opens after `in_a_row` sick conversations, or once `share` of the last `window` were sick; it rests for
    `rest_s` seconds of `clock`, which is monotonic.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        in_a_row: int = 5,
        window: int = 20,
        share: float = 0.5,
        rest_s: float = 5.0,
    ) -> None:
        self._name, self._clock, self._rest_s = name, clock, rest_s
        self._in_a_row, self._most_sick = in_a_row, share * window
        self._recent: deque[bool] = deque(maxlen=window)  # True for sick
        self._row = 0
        self._rests_until = 0.0
        self._turns = 0  # changes of state so far: a permit of an earlier turn no longer counts
        self._turn_to(_CLOSED)

    def admit(self) -> int | None:
        """A permit to begin a conversation, to be handed to `tell`; None if the source is to be left alone."""
        if self._state == _OPEN and self._clock() >= self._rests_until:
            self._turn_to(_HALF_OPEN)
            return self._turns
        return self._turns if self._state == _CLOSED else None

    def tell(self, permit: int, verdict: Verdict) -> None:
        """How the conversation of this permit ended; to be told exactly once for each."""
        if permit != self._turns:
            return
        if self._state == _HALF_OPEN:
            if verdict == "well":
                self._turn_to(_CLOSED)
            else:
                # A trial that told nothing is followed by another one, without a rest.
                self._open(self._rest_s if verdict == "sick" else 0.0)
        elif verdict != "neither":
            self._row = self._row + 1 if verdict == "sick" else 0
            self._recent.append(verdict == "sick")
            full = len(self._recent) == self._recent.maxlen
            if self._row >= self._in_a_row or (full and sum(self._recent) >= self._most_sick):
                self._open(self._rest_s)

    def _open(self, rest_s: float) -> None:
        self._rests_until = self._clock() + rest_s
        self._turn_to(_OPEN)

    def _turn_to(self, state: int) -> None:
        self._state = state
        self._turns += 1
        self._row = 0
        self._recent.clear()
        BREAKER.labels(self._name).set(state)

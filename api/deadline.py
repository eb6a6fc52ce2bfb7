"""The time a request has: `Request-Deadline-Ms`, a relative budget shared out over the stages of a decision.

It does: read the header, say how long each stage may take, and bound what is awaited. It does not: stop a write
that has begun: that is finished, and the caller is told that the outcome is not known yet. The rule it keeps: a
write is begun only while there is time left to finish it.
"""

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from sqlalchemy import Connection

from api.errors import Problem
from api.metrics import DEADLINES
from api.store.database import Database

T = TypeVar("T")
DEFAULT_MS, LEAST_MS, MOST_MS = 2_000, 50, 10_000
SOURCES_SHARE = 0.5  # of the budget, for everything outside this process together
KEPT_S, KEPT_SHARE = 0.2, 0.3  # kept back for the commit: so much, or so much of a short budget
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Budget:
    """From `began` to `ends`, both moments of time.monotonic()."""

    began: float
    ends: float

    @classmethod
    def of(cls, header: str | None, began: float | None = None) -> Self:
        """The budget that a header asks for; Problem `invalid-deadline` for anything but 50 to 10000."""
        milliseconds = DEFAULT_MS
        if header is not None:
            if not _NUMBER.fullmatch(header.strip()) or not LEAST_MS <= int(header) <= MOST_MS:
                raise Problem("invalid-deadline")
            milliseconds = int(header)
        start = time.monotonic() if began is None else began
        return cls(start, start + milliseconds / 1000)

    @property
    def sources_until(self) -> float:
        """When outside data is no longer waited for."""
        return self.began + (self.ends - self.began) * SOURCES_SHARE

    @property
    def begin_until(self) -> float:
        """The last moment at which the write that keeps a decision may begin."""
        whole = self.ends - self.began
        return self.ends - min(KEPT_S, whole * KEPT_SHARE)

    async def within(self, awaitable: Awaitable[T]) -> T:
        """Await it to the end of the budget; Problem `deadline-exceeded` after that. For what writes nothing."""
        try:
            async with asyncio.timeout_at(self.ends):
                return await awaitable
        except TimeoutError:
            raise exceeded() from None

    async def write(self, database: Database, work: Callable[[Connection], T]) -> T:
        """Run a write that begins in time; Problem `deadline-exceeded` if it did not, `outcome-unknown` if it did."""
        if time.monotonic() > self.begin_until:
            raise exceeded()
        turn = _Turn(self.begin_until)

        def taking_its_turn(connection: Connection) -> T:
            turn.take()
            return work(connection)

        try:
            async with asyncio.timeout_at(self.ends):
                return await database.write(taking_its_turn)
        except TimeoutError:
            raise exceeded() if turn.give_up() else Problem("outcome-unknown") from None


def exceeded() -> Problem:
    """There was not enough time."""
    DEADLINES.inc()
    return Problem("deadline-exceeded")


class _Turn:
    """Whether a write has begun: asked from its own thread when it does, and by whoever stops waiting for it."""

    def __init__(self, until: float) -> None:
        self._lock = threading.Lock()
        self._until = until
        self._begun = self._given_up = False

    def take(self) -> None:
        """Begin; raises where it is too late or nobody waits any more, so that nothing is written.

        A second turn follows a first that was surely rolled back, so that refusing it leaves nothing begun.
        """
        with self._lock:
            self._begun = not self._given_up and time.monotonic() <= self._until
            if not self._begun:
                raise TimeoutError("there is no time left for this write")

    def give_up(self) -> bool:
        """Stop waiting; True if it had not begun, and now never will."""
        with self._lock:
            self._given_up = True
            return not self._begun

"""The 24 hours of a case: elapsed time from the last required document, paused while the applicant is waited for.

It does: compute everything from three values that events set, so that the clock can be worked out again from them. It
does not: know holidays or shifts; a promise to the applicant is in hours, and daylight saving does not touch it. The
rule it keeps: every moment is taken to UTC first, since Python subtracts two times of one zone by their faces; a moment
without a zone is a ValueError.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

PROMISE = timedelta(hours=24)
FIRST_TOUCH = timedelta(hours=2)
ALERT_HOURS = (2, 12, 18, 22, 24)  # the first only until somebody has touched the case


@dataclass(frozen=True, slots=True)
class Clock:
    """`complete_at`: when it began, none before; `paused_at`: since when it stands; `paused`: in all before that."""

    complete_at: datetime | None = None
    paused_at: datetime | None = None
    paused: timedelta = timedelta()

    def __post_init__(self) -> None:
        for name in ("complete_at", "paused_at"):
            if (at := getattr(self, name)) is not None:
                object.__setattr__(self, name, _utc(at))

    @classmethod
    def of(cls, complete_at: datetime | None, paused_at: datetime | None, paused_us: int) -> "Clock":
        """From the three values as they are stored."""
        return cls(complete_at, paused_at, timedelta(microseconds=paused_us))

    def started(self, at: datetime) -> "Clock":
        """Running: begun now, or going on from where it stood."""
        if self.complete_at is None:
            return Clock(complete_at=at)
        if self.paused_at is None:
            return self
        return replace(self, paused_at=None, paused=self.paused_for(at))

    def stopped(self, at: datetime) -> "Clock":
        """Paused from now on; a clock that never began, or stands already, is left as it is."""
        return self if self.complete_at is None or self.paused_at is not None else replace(self, paused_at=at)

    @property
    def due_at(self) -> datetime | None:
        """The deadline if there is no further pause; the one under way is added when it ends."""
        return None if self.complete_at is None else self.complete_at + PROMISE + self.paused

    def elapsed(self, now: datetime) -> timedelta:
        """How much of the 24 hours has gone; a clock set back makes it nought at least."""
        if self.complete_at is None:
            return timedelta()
        return max((self.paused_at or _utc(now)) - self.complete_at - self.paused, timedelta())

    def paused_for(self, now: datetime) -> timedelta:
        """How long it has stood in all, until now."""
        return self.paused + (max(_utc(now) - self.paused_at, timedelta()) if self.paused_at else timedelta())

    def alert(self, now: datetime, touched: bool) -> int:
        """The highest mark passed, in hours: 0, 2 (only while nobody has touched the case), 12, 18, 22 or 24."""
        hours = self.elapsed(now) / timedelta(hours=1)
        return max(
            (mark for mark in ALERT_HOURS if hours >= mark and not (mark == ALERT_HOURS[0] and touched)), default=0
        )


def clock_of(moves: Iterable[tuple[str, datetime]]) -> Clock:
    """The clock after a case came into these states at these moments, in order: its events tell both."""
    clock = Clock()
    for state, at in moves:
        clock = clock.stopped(at) if state == "waiting" else clock.started(at) if state == "open" else clock
    return clock


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return at.astimezone(UTC)

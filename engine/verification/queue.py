"""The order of the queue, and the chance that all of it is done in time.

It does: give a case its place and say why, and forecast. It does not: take cases. The rule it keeps: the earliest
deadline goes first; what a case is worth breaks ties within a quarter of an hour and nothing more, so no case ever
waits for one whose deadline is a quarter of an hour or more after its own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil, erf, sqrt

QUARTER_MINUTES = 15
_BPS = 10_000
_CLEAN_BPS, _MOST_BPS = 500, 9_000
_ADDS_BPS = {"fail": 2_000, "warn": 500, "unread": 250}


def queue_at(due_at: datetime) -> datetime:
    """The deadline's quarter of an hour, begun: cases of one quarter are near-ties."""
    return due_at.replace(minute=due_at.minute // QUARTER_MINUTES * QUARTER_MINUTES, second=0, microsecond=0)


def chance_of_change(verdicts: Iterable[str]) -> int:
    """The chance, in basis points, that looking at a case changes its outcome, from the verdicts of its checks.

    An assumption and no measurement: one in twenty of a clean case, more with each check that did not pass, at most
    nine in ten. Only the order of near-ties rests on it.
    """
    return min(_CLEAN_BPS + sum(_ADDS_BPS.get(verdict, 0) for verdict in verdicts), _MOST_BPS)


def rank(change_bps: int, exposure_cents: int) -> int:
    """The lower the sooner among near-ties: minus the exposure that looking at it is expected to change, in cents."""
    return -(exposure_cents * change_bps // _BPS)


def order_reason(due_at: datetime, rank: int, now: datetime) -> str:
    """Why a case stands where it stands, in words."""
    left = due_at - now
    if left < timedelta():
        return "past its 24 hours"
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    words = f"due in {hours} h {minutes:02d} min"
    return f"{words}; ${-rank // 100:,} expected to depend on it" if rank else words


def forecast(ahead_minutes: tuple[tuple[float, float], ...], people: float) -> float:
    """The chance, from 0 to 1, that every case is done before its deadline.

    Each pair is, in the order of the queue, (minutes of work up to and including a case, minutes until its deadline).
    The model: `people` work side by side without a pause, each on one case at a time, so the nth case ends with the
    nth of them, rounded up to whole rounds; a case's minutes have a standard deviation of half their mean; the sum of
    a round's is taken for normal. The chances are multiplied as if cases were independent: what delays one delays the
    next, so the figure is on the low side.
    """
    if people <= 0:
        return 0.0 if ahead_minutes else 1.0
    chance = 1.0
    for count, (work, left) in enumerate(ahead_minutes, 1):
        rounds, minutes = ceil(count / people), work / count
        mean, deviation = rounds * minutes, sqrt(rounds) * minutes / 2
        chance *= 0.5 * (1 + erf((left - mean) / (deviation * sqrt(2)))) if deviation else float(left >= mean)
    return chance

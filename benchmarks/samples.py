"""Timings and what is said of them: quantiles, and several tasks timed in turn.

It does: time tasks round by round, so that what disturbs the machine disturbs all of them alike. It does not: know
what is timed. The rule it keeps: a ratio is of medians from the same run, never of figures from two runs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

Task = Callable[[], object]
_NS_A_MS = 1_000_000
_WARM_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Timing:
    """Quantiles of one task's times, milliseconds."""

    count: int
    least_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    most_ms: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Self:
        """Sum up times; ValueError where there are none."""
        ordered = sorted(times_ms)
        if not ordered:
            raise ValueError("nothing was timed")
        return cls(
            count=len(ordered),
            least_ms=ordered[0],
            p50_ms=median(ordered),
            p90_ms=quantile(ordered, 0.90),
            p95_ms=quantile(ordered, 0.95),
            p99_ms=quantile(ordered, 0.99),
            most_ms=ordered[-1],
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest time that at least this share of the times do not exceed (nearest rank)."""
    place = -(-len(ordered) * round(share * 1_000) // 1_000)
    return ordered[max(place - 1, 0)]


def interleave(tasks: Mapping[str, Task], rounds: int) -> dict[str, Timing]:
    """Time every task once a round, starting with another one each round; the collector stays on, as in service."""
    names = list(tasks)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-_WARM_ROUNDS, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            task = tasks[name]
            start = time.perf_counter_ns()
            task()
            spent = time.perf_counter_ns() - start
            if turn >= 0:
                times[name].append(spent / _NS_A_MS)
    return {name: Timing.of(found) for name, found in times.items()}

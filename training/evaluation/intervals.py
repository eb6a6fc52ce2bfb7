"""Bootstrap intervals: how far a figure would move had other examples of the same kind come in.

It does: draw examples anew, bads among bads and goods among goods, from a seed. It does not: know which figure it
serves. The rule it keeps: the same seed gives the same interval, and two scores are drawn together.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats, Floats], float]
Interval = tuple[float, float]
_LOW, _HIGH = 0.025, 0.975


def draws(y: Floats, weight: Floats, resamples: int, seed: int) -> Iterator[Floats]:
    """The weight of every example in each resample: its own times how often it was drawn, stratified by outcome."""
    generator = np.random.Generator(np.random.PCG64(seed))
    strata = [np.flatnonzero(y == outcome) for outcome in (0, 1)]
    for _ in range(resamples):
        times = np.zeros(len(y))
        for rows in strata:
            if len(rows):
                times[rows] = np.bincount(generator.integers(0, len(rows), len(rows)), minlength=len(rows))
        yield weight * times


def bootstrap(
    statistics: Mapping[str, Statistic], y: Floats, score: Floats, weight: Floats, resamples: int, seed: int
) -> dict[str, Interval]:
    """95 % percentile intervals of several figures from the same resamples; NaN where there are none."""
    if not resamples:
        return dict.fromkeys(statistics, (float("nan"), float("nan")))
    order = np.argsort(score, kind="stable")  # once: every figure below finds the scores in order
    y, score, weight = y[order], score[order], weight[order]
    found = {name: np.empty(resamples) for name in statistics}
    for i, drawn in enumerate(draws(y, weight, resamples, seed)):
        for name, statistic in statistics.items():
            found[name][i] = statistic(y, score, drawn)
    return {name: between(values) for name, values in found.items()}


def between(values: Floats) -> Interval:
    """The middle 95 % of what resamples gave; NaN where none gave anything."""
    if np.isnan(values).all():
        return float("nan"), float("nan")
    return float(np.nanquantile(values, _LOW)), float(np.nanquantile(values, _HIGH))

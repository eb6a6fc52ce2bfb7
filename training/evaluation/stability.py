"""Has the population moved: the population stability index of score and features.

It does: compare two sets of values by weighted shares in bins cut on the first. It does not: say whether the model
still ranks (evaluate does). The rule it keeps: missing is a bin of its own, and an empty bin never makes an infinity.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen

Floats = NDArray[np.float64]
_LEAST = 1e-4  # a share: what an empty bin counts as
_STIRRED, _MOVED = 0.1, 0.25  # the field's usual marks
Reading = Literal["steady", "stirred", "moved"]


class Drift(Frozen):
    """One column's PSI and what the usual marks (0.1, 0.25) call it."""

    name: str
    psi: float
    missing_before: float
    missing_after: float
    reading: Reading


def drift(name: str, before: Floats, after: Floats, weight_before: Floats, weight_after: Floats,
    category: bool = False) -> Drift:  # fmt: skip
    """PSI of one column between two sets of examples; NaN is missing."""
    expected = shares(before, weight_before, edges := cuts(before, weight_before, category))
    seen = shares(after, weight_after, edges)
    value = psi(expected, seen)
    return Drift(
        name=name, psi=value, missing_before=float(expected[-1]), missing_after=float(seen[-1]),
        reading="moved" if value >= _MOVED else "stirred" if value >= _STIRRED else "steady",
    )  # fmt: skip


def psi(expected: Floats, seen: Floats) -> float:
    """Sum over bins of (seen - expected) times ln(seen / expected), shares held at a ten-thousandth at least."""
    e, s = np.maximum(expected, _LEAST), np.maximum(seen, _LEAST)
    return float(((s - e) * np.log(s / e)).sum())


def cuts(values: Floats, weight: Floats, category: bool = False, count: int = 10) -> Floats:
    """Where bins end: weighted quantiles of what is there, or every value of a category. The last bin is open."""
    there = ~np.isnan(values)
    v, w = values[there], weight[there]
    if not len(v):
        return np.empty(0)
    distinct = np.unique(v)
    if category or len(distinct) <= count:
        return distinct[:-1]
    order = np.argsort(v, kind="stable")
    cumulative = np.cumsum(w[order])
    places = np.searchsorted(cumulative, cumulative[-1] * np.arange(1, count) / count)
    return np.unique(v[order][np.minimum(places, len(v) - 1)])


def shares(values: Floats, weight: Floats, edges: Floats) -> Floats:
    """Weighted share in each bin (up to and including its edge), the missing last."""
    missing = np.isnan(values)
    codes = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return np.asarray(np.bincount(codes, weight, minlength=len(edges) + 2) / weight.sum(), dtype=np.float64)

"""How well a score ranks: AUC, KS, average precision, H-measure, and how sure the AUC is.

It does: weighted figures from outcomes and scores, ties counted fairly. It does not: judge the height of a PD
(errors does). Shapes: y, score, weight are (n,); y is 1 for bad and a higher score means riskier.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

Floats = NDArray[np.float64]
_TINY = 1e-12


def auc(y: Floats, score: Floats, weight: Floats) -> float:
    """Weighted area under the ROC curve, ties counted half; NaN where one outcome is absent."""
    _, good, bad = _tied(y, score, weight)
    if bad.sum() <= 0 or good.sum() <= 0:
        return float("nan")
    good_below = np.cumsum(good) - good
    return float((bad * (good_below + good / 2)).sum() / (bad.sum() * good.sum()))


def ks(y: Floats, score: Floats, weight: Floats) -> float:
    """Kolmogorov-Smirnov distance between the scores of bads and goods, weighted."""
    _, good, bad = _tied(y, score, weight)
    gap = np.cumsum(bad) / max(bad.sum(), _TINY) - np.cumsum(good) / max(good.sum(), _TINY)
    return float(np.abs(gap).max())


def average_precision(y: Floats, score: Floats, weight: Floats) -> float:
    """Area under the precision-recall curve as the step sum of precision over recall; NaN without a bad."""
    _, good, bad = _tied(y, score, weight)
    if bad.sum() <= 0:
        return float("nan")
    good, bad = good[::-1], bad[::-1]
    precision = np.cumsum(bad) / np.maximum(np.cumsum(bad) + np.cumsum(good), _TINY)
    return float((bad * precision).sum() / bad.sum())


def hull(y: Floats, score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The ROC curve's upper convex hull: shares of goods and of bads rejected, from (0, 0) to (1, 1).

    Only cut-offs on the hull are ever best, whatever the costs, so whoever looks for the best one looks here.
    """
    _, good, bad = _tied(y, score, weight)
    x = np.concatenate(([0.0], np.cumsum(good[::-1]) / max(good.sum(), _TINY)))
    z = np.concatenate(([0.0], np.cumsum(bad[::-1]) / max(bad.sum(), _TINY)))
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1 and _turns_up(x, z, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    return x[kept], z[kept]


def _turns_up(x: Floats, z: Floats, a: int, b: int, c: int) -> bool:
    return bool((x[b] - x[a]) * (z[c] - z[a]) >= (z[b] - z[a]) * (x[c] - x[a]))


def h_measure(y: Floats, score: Floats, weight: Floats) -> float:
    """Hand's H: the share of the least possible loss that the score saves, averaged over costs.

    Costs c of rejecting a good (1 - c of accepting a bad) are weighted by Beta(1 + share of bads, 1 + share of
    goods), Hand and Anagnostopoulos (2014), so that another score is judged by the same costs. NaN where one
    outcome is absent.
    """
    bads, all_ = float((weight * y).sum()), float(weight.sum())
    pi = bads / all_
    if not 0 < pi < 1:
        return float("nan")
    a, b = 1 + pi, 2 - pi
    rejected_good, rejected_bad = hull(y, score, weight)
    rise, run = pi * np.diff(rejected_bad), (1 - pi) * np.diff(rejected_good)
    edges = np.concatenate(([1.0], rise / np.maximum(rise + run, _TINY), [0.0]))
    below = a / (a + b) * betainc(a + 1, b, edges)  # integral of c over costs up to an edge
    above = b / (a + b) * betainc(a, b + 1, edges)  # integral of 1 - c
    loss = (1 - pi) * rejected_good * -np.diff(below) + pi * (1 - rejected_bad) * -np.diff(above)
    trivial = (1 - pi) * a / (a + b) * betainc(a + 1, b, pi) + pi * b / (a + b) * (1 - betainc(a, b + 1, pi))
    return float(1 - loss.sum() / trivial)


@dataclass(frozen=True, slots=True)
class Spread:
    """DeLong's parts of one AUC: the area, and what each bad and each good adds to it."""

    area: float
    bads: Floats
    goods: Floats
    bad_shares: Floats
    good_shares: Floats

    def covariance(self, other: "Spread") -> float:
        """Covariance of two AUCs on the same examples (DeLong, DeLong and Clarke-Pearson 1988), weighted."""
        total = 0.0
        for mine, theirs, shares in (
            (self.bads, other.bads, self.bad_shares),
            (self.goods, other.goods, self.good_shares),
        ):
            n = len(shares)
            if n > 1:
                total += n / (n - 1) * float((shares**2 * (mine - self.area) * (theirs - other.area)).sum())
        return total


def spread(y: Floats, score: Floats, weight: Floats) -> Spread:
    """What DeLong's variance is made of; both outcomes must be present."""
    codes, good, bad = _tied(y, score, weight)
    good_below = (np.cumsum(good) - good / 2) / good.sum()
    bad_above = (bad.sum() - np.cumsum(bad) + bad / 2) / bad.sum()
    is_bad = y == 1
    bad_weight, good_weight = weight[is_bad], weight[~is_bad]
    return Spread(
        area=auc(y, score, weight),
        bads=good_below[codes[is_bad]],
        goods=bad_above[codes[~is_bad]],
        bad_shares=bad_weight / bad_weight.sum(),
        good_shares=good_weight / good_weight.sum(),
    )


def auc_error(y: Floats, score: Floats, weight: Floats) -> float:
    """Standard error of the AUC after DeLong; NaN where one outcome is absent."""
    if (weight * y).sum() <= 0 or (weight * (1 - y)).sum() <= 0:
        return float("nan")
    parts = spread(y, score, weight)
    return float(np.sqrt(max(parts.covariance(parts), 0.0)))


def _tied(y: Floats, score: Floats, weight: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Each example's rank among the distinct scores, and the weight of goods and bads at each, lowest first."""
    if len(score) and (score[1:] >= score[:-1]).all():  # in order already, as the bootstrap has them
        codes = np.concatenate(([0], np.cumsum(score[1:] != score[:-1])))
    else:
        codes = np.unique(score, return_inverse=True)[1]
    good, bad = np.bincount(codes, weight * (1 - y)), np.bincount(codes, weight * y)
    return codes, good.astype(np.float64, copy=False), bad.astype(np.float64, copy=False)

"""What every cut-off would do: how many applicants, goods and bads it rejects. ROC, gains and KS are drawn from it.

It does: walk the scores from the riskiest down, weighted, ties together, and thin the walk to a drawable number of
points that keeps the KS point. It does not: draw, or choose a cut-off. Shapes: y, pd, weight are (n,).
"""

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen

Floats = NDArray[np.float64]
POINTS = 100


class CutOff(Frozen):
    """Rejecting every applicant whose PD is `pd` or more: which shares of all, of goods and of bads that turns away."""

    pd: float
    rejected: float
    goods: float
    bads: float


class Walk(Frozen):
    """Cut-offs from the riskiest down to rejecting all, and the one at which bads and goods lie furthest apart."""

    cuts: tuple[CutOff, ...]
    widest: CutOff


def walk(y: Floats, pd: Floats, weight: Floats, points: int = POINTS) -> Walk:
    """The cut-offs, at most `points` and the widest; ValueError where one outcome has no weight."""
    levels, codes = np.unique(-pd, return_inverse=True)  # riskiest first
    good, bad = (np.bincount(codes, weight * part, minlength=len(levels)) for part in (1 - y, y))
    if not (good.sum() > 0 and bad.sum() > 0):
        raise ValueError("a curve needs goods and bads: widen the span")
    goods, bads = np.cumsum(good) / good.sum(), np.cumsum(bad) / bad.sum()
    rejected = np.cumsum(good + bad) / (good + bad).sum()
    widest = int((bads - goods).argmax())
    wanted = np.searchsorted(rejected, np.arange(1, points + 1) / points - 1e-9)
    kept = np.unique(np.append(np.minimum(wanted, len(levels) - 1), widest))

    def at(i: int) -> CutOff:
        return CutOff(pd=float(-levels[i]), rejected=float(rejected[i]), goods=float(goods[i]), bads=float(bads[i]))

    return Walk(cuts=tuple(at(int(i)) for i in kept), widest=at(widest))

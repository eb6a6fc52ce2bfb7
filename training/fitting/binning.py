"""Monotone weight-of-evidence bins: the bricks of a scorecard.

It does: cut a number into at most a few bins whose bad rates run one way, missing apart; group categories by
themselves. It does not: look at any example it was not given. The rule it keeps: where the catalogue declares a
direction the bins run that way, or the column becomes one bin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.stability import cuts

Floats = NDArray[np.float64]
_START_BINS = 20
_LEAST_SHARE = 0.03
_HALF = 0.5  # added to goods and bads, so that a pure bin has a finite weight of evidence


@dataclass(frozen=True, slots=True)
class Bins:
    """One column's bins: upper edges (the last is open), or category codes; weight of evidence of each and of missing.

    A weight of evidence is ln(share of bads / share of goods): above 0 is riskier than the whole.
    """

    name: str
    edges: Floats
    codes: Floats
    woe: Floats
    missing: float
    information: float

    def values(self, column: Floats) -> Floats:
        """Weight of evidence of each value; a category never seen has none (0)."""
        if len(self.codes):
            place = np.searchsorted(self.codes, column).clip(max=len(self.codes) - 1)
            found = np.where(self.codes[place] == column, self.woe[place], 0.0)
        else:
            found = self.woe[np.searchsorted(self.edges, column, side="left").clip(max=len(self.woe) - 1)]
        return np.where(np.isnan(column), self.missing, found)


def bins(name: str, column: Floats, y: Floats, weight: Floats, direction: int = 0, category: bool = False) -> Bins:
    """Bin one column on training examples."""
    missing = np.isnan(column)
    there, good, bad = column[~missing], (weight * (1 - y)), (weight * y)
    totals = (float(good.sum()), float(bad.sum()))
    scale = float(weight.mean())  # half an example, in the weights' own unit
    if category:
        codes, place = np.unique(there, return_inverse=True)
        edges = np.empty(0)
    else:
        codes, edges = np.empty(0), cuts(there, weight[~missing], count=_START_BINS)
        place = np.searchsorted(edges, there, side="left")
    count = max(len(codes) if category else len(edges) + 1, 1)
    goods, bads = (np.bincount(place, of[~missing], count).astype(np.float64) for of in (good, bad))
    if not category:
        edges, goods, bads = _merged(edges, goods, bads, direction, sum(totals))
    apart = np.array([good[missing].sum()]), np.array([bad[missing].sum()])
    woe, missing_woe = _woe(goods, bads, totals, scale), float(_woe(*apart, totals, scale)[0])
    information = float(((bads / totals[1] - goods / totals[0]) * woe).sum())
    information += float(apart[1][0] / totals[1] - apart[0][0] / totals[0]) * missing_woe
    return Bins(name, edges, codes, woe, missing_woe if missing.any() else 0.0, information)


def _merged(edges: Floats, goods: Floats, bads: Floats, direction: int, total: float) -> tuple[Floats, Floats, Floats]:
    """Pool small bins with a neighbour, then bins that run against the direction (both ways are tried where free)."""
    ends, g, b = list(edges), list(goods), list(bads)

    def pool(i: int) -> None:
        g[i] += g.pop(i + 1)
        b[i] += b.pop(i + 1)
        ends.pop(i)

    while len(g) > 1 and min(x + z for x, z in zip(g, b, strict=True)) < _LEAST_SHARE * total:
        smallest = min(range(len(g)), key=lambda i: g[i] + b[i])
        pool(max(smallest - 1, 0))
    ways = (direction,) if direction else (1, -1)
    tried = [_monotone(ends, g, b, way) for way in ways]
    best = max(tried, key=lambda found: _gain(found[1], found[2]))
    return np.array(best[0]), np.array(best[1]), np.array(best[2])


def _monotone(
    ends: list[float], goods: list[float], bads: list[float], way: int
) -> tuple[list[float], list[float], list[float]]:
    """Pool adjacent violators until the bad rate runs one way."""
    kept: list[tuple[float, float, float]] = []  # upper end, goods, bads
    for end, good, bad in zip([*ends, np.inf], goods, bads, strict=True):
        kept.append((end, good, bad))
        while len(kept) > 1 and way * (_rate(kept[-1]) - _rate(kept[-2])) <= 0:
            last, before = kept.pop(), kept.pop()
            kept.append((last[0], last[1] + before[1], last[2] + before[2]))
    return [end for end, _, _ in kept[:-1]], [good for _, good, _ in kept], [bad for _, _, bad in kept]


def _rate(kept: tuple[float, float, float]) -> float:
    return kept[2] / max(kept[1] + kept[2], 1e-12)


def _gain(goods: list[float], bads: list[float]) -> float:
    """Between-bin spread of the bad rate: which way of running keeps more."""
    total, rate = sum(goods) + sum(bads), sum(bads) / max(sum(goods) + sum(bads), 1e-12)
    return sum((g + b) / total * (b / max(g + b, 1e-12) - rate) ** 2 for g, b in zip(goods, bads, strict=True))


def _woe(goods: Floats, bads: Floats, totals: tuple[float, float], scale: float) -> Floats:
    half = _HALF * scale
    return np.asarray(np.log((bads + half) / totals[1]) - np.log((goods + half) / totals[0]), dtype=np.float64)

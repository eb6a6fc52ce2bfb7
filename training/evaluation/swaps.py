"""Champion and challenger at the same approval rate: who is swapped in and out, and what is not known of them.

It does: count the four groups, and bound what the swapped-in can do to the book. It does not: infer outcomes of those
who were rejected as if they were known. The rule it keeps: a point estimate never stands without its bounds and the
bad rate at which the swap stops paying. An outcome that is not known is NaN in y.
"""

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen
from training.evaluation.profit import Prices

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Group(Frozen):
    """Some of the applicants: how many, what the two models say and what happened, where it is known."""

    rows: int
    share: float
    known: int
    bads: int
    bad_rate: float | None
    champion_pd: float | None
    challenger_pd: float | None


class Bounds(Frozen):
    """The bad rate and the profit of those swapped in: observed where known, bounded where not."""

    rows: int
    unknown_share: float
    best_bad_rate: float
    worst_bad_rate: float
    estimate_bad_rate: float
    """By the challenger's PD where the outcome is not known: it judges itself, so read the bounds first."""
    best_cents: float
    worst_cents: float
    estimate_cents: float
    break_even_bad_rate: float
    """The bad rate among the unknown (of all, where all are known) at which the swap-in earns nothing.

    Above 1 it always pays, below 0 never.
    """
    break_even_multiple: float | None
    """That rate over the challenger's own mean PD of the same: how wrong it may be before the swap stops paying."""


class Swap(Frozen):
    """Two models at one approval rate."""

    approval_rate: float
    both: Group
    swap_in: Group
    swap_out: Group
    neither: Group
    bad_rate_change: float | None
    """Of the whole book, challenger less champion, where outcomes are known."""
    bounds: Bounds | None
    """None where nobody is swapped in."""


def swap(y: Floats, champion: Floats, challenger: Floats, weight: Floats, rate: float, prices: Prices) -> Swap:
    """Compare two models' PDs when each approves its safest `rate` of the weight."""
    old, new = safest(champion, weight, rate), safest(challenger, weight, rate)

    def group(rows: Mask) -> Group:
        return _group(y, champion, challenger, weight, rows)

    before, after = group(old).bad_rate, group(new).bad_rate
    return Swap(
        approval_rate=rate, both=group(old & new), swap_in=group(new & ~old), swap_out=group(old & ~new),
        neither=group(~old & ~new),
        bad_rate_change=None if before is None or after is None else after - before,
        bounds=bounds(y, challenger, weight, new & ~old, prices) if (weight * (new & ~old)).sum() > 0 else None,
    )  # fmt: skip


def safest(pd: Floats, weight: Floats, rate: float) -> Mask:
    """The lowest PDs that together come nearest to `rate` of the weight; equal PDs go by their place."""
    order = np.argsort(pd, kind="stable")
    middle = np.cumsum(weight[order]) - weight[order] / 2
    chosen = np.zeros(len(pd), dtype=bool)
    chosen[order] = middle <= rate * weight.sum()
    return chosen


def known_under(y: Floats, pd: Floats, weight: Floats, rate: float) -> Floats:
    """Outcomes as a lender knows them who approves its safest `rate` by this PD: of all others NaN."""
    return np.where(safest(pd, weight, rate), y, np.nan)


def bounds(y: Floats, pd: Floats, weight: Floats, rows: Mask, prices: Prices) -> Bounds:
    """What the rows may do: all unknown good, all bad, as the PD says; and the bad rate that breaks even."""
    y, pd, weight = y[rows], pd[rows], weight[rows]
    unknown, total = np.isnan(y), float(weight.sum())
    good, bad = prices.values(pd)

    def bad_rate(of_unknown: Floats | float) -> float:
        return float((weight * np.where(unknown, of_unknown, y)).sum() / total)

    def cents(of_unknown: Floats | float) -> float:
        p = np.where(unknown, of_unknown, y)
        return float((weight * (good * (1 - p) + bad * p)).sum() / total)

    best, worst = cents(0.0), cents(1.0)
    mass = float((weight * unknown).sum())
    asked = unknown if mass else np.ones(len(y), dtype=bool)  # of whom the break-even rate is told
    settled = float((weight * np.where(asked, 0.0, np.where(y == 1, bad, good))).sum())
    all_good, all_bad = (settled + float((weight * of)[asked].sum()) for of in (good, bad))
    break_even = all_good / (all_good - all_bad)
    said = float((weight * pd)[asked].sum() / weight[asked].sum())
    return Bounds(
        rows=len(y), unknown_share=mass / total, best_bad_rate=bad_rate(0.0), worst_bad_rate=bad_rate(1.0),
        estimate_bad_rate=bad_rate(pd), best_cents=best, worst_cents=worst, estimate_cents=cents(pd),
        break_even_bad_rate=break_even, break_even_multiple=break_even / said if said else None,
    )  # fmt: skip


def _group(y: Floats, champion: Floats, challenger: Floats, weight: Floats, rows: Mask) -> Group:
    known = rows & ~np.isnan(y)
    mass, seen = float((weight * rows).sum()), float((weight * known).sum())
    return Group(
        rows=int(rows.sum()), share=mass / float(weight.sum()), known=int(known.sum()), bads=int(y[known].sum()),
        bad_rate=float((weight * y)[known].sum() / seen) if seen else None,
        champion_pd=float((weight * champion)[rows].sum() / mass) if mass else None,
        challenger_pd=float((weight * challenger)[rows].sum() / mass) if mass else None,
    )  # fmt: skip

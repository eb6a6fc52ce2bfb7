"""Periods and segments of a record: what was there, with intervals.

It does: count. It does not: alarm (series does). The rule it keeps: where too few decisions stand behind a figure the
figure says so.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.release import Baseline
from models.watching import Calibration, Outcomes, Period, Rate, Segment, Shift
from training.evaluation.errors import wilson
from training.evaluation.stability import psi
from training.monitor import evidence, series
from training.monitor.baselines import codes, column, effective
from training.monitor.rows import weeks_or_months

if TYPE_CHECKING:
    from training.monitor.watching import Held

Mask = NDArray[np.bool_]
_SCORE_ROWS = 100
_MOST_SEGMENTS = 60  # labels of one kind


def periods(held: "Held") -> tuple[Period, ...]:
    """Every week or month that has decisions."""
    rows, told, found = held.rows, held.baselines, []
    begun = weeks_or_months(held.days, held.by)
    for a, b in zip(held.starts, (*held.starts[1:], len(held.days)), strict=True):
        of = (held.day >= a) & (held.day < b)
        alike = of & held.alike
        x, weight, start = rows.x[alike], rows.weight[alike], begun[a]
        shifts = [shift(each, told.rows, x[:, i], weight, series.PSI_FEATURE) for i, each in enumerate(told.features)]
        found.append(Period(
            name=str(start.astype("datetime64[M]") if held.by == "month" else start), start=start.item(),
            decisions=int(of.sum()), score=shift(told.score, told.rows, rows.pd[alike], weight, series.PSI_SCORE),
            features=tuple(shifts), outcomes=outcomes(held, of), calibration=calibration(held, of),
        ))  # fmt: skip
    return tuple(found)


def segments(held: "Held") -> tuple[Segment, ...]:
    """Every label among the decisions after the first ones, beside those."""
    earlier = held.earlier
    late = held.day >= (held.day[earlier].max() + 1 if earlier is not None else 0)
    found = []
    for by, labels in held.rows.segments.items():
        for label in np.unique(labels)[:_MOST_SEGMENTS]:
            of, now = labels == label, (labels == label) & late
            if not now.any():
                continue
            before = of & earlier if earlier is not None else None
            found.append(Segment(
                by=by, value=str(label), decisions=int(now.sum()), share=_share(held, now, late),
                share_before=None if before is None else _share(held, before, earlier),
                score=None if before is None else _own_past(held, before, now), outcomes=outcomes(held, now),
                approved_before=None if before is None or not before.any() or (told := outcomes(held, before)) is None
                else told.approved,
                calibration=calibration(held, of),
            ))  # fmt: skip
    return tuple(found)


def shift(
    baseline: Baseline, rows: float, values: NDArray[np.float64], weight: NDArray[np.float64], mark: float
) -> Shift:
    """How far values lie from a baseline, less what chance alone gives where it is read."""
    expected, n = np.array(baseline.shares), effective(weight)
    counts = np.bincount(codes(baseline, values), weight, minlength=len(expected))
    seen = counts / max(float(counts.sum()), 1e-9)
    bins = max(int(((expected > 0) | (seen > 0)).sum()), 2)
    noise, found, usual = evidence.noise(bins, n, rows), psi(expected, seen), float(evidence.usual(bins, n, rows))
    return Shift(
        name=baseline.name, psi=found, noise=noise, missing=float(seen[-1]), unseen=float(seen[-2]),
        reading=series.read(found - usual, mark, noise - usual, len(values)),
    )  # fmt: skip


def outcomes(held: "Held", of: Mask) -> Outcomes | None:
    """What was decided on some of them; by the score alone where nothing was decided."""
    rows, told = held.rows, held.baselines
    if rows.outcome is None or rows.overridden is None or rows.limit is None:
        if told.approved_to_pd is None:
            return None
        return Outcomes(approved=_rate(np.round(rows.pd[of], 4) <= told.approved_to_pd, rows.weight[of]))
    outcome, weight, limits = rows.outcome[of], rows.weight[of], rows.limit[of]
    lent = limits[np.isfinite(limits)]
    return Outcomes(
        approved=_rate(outcome == "approve", weight), referred=_rate(outcome == "refer", weight),
        overridden=_rate(rows.overridden[of], weight),
        limit_mean_cents=round(float(lent.mean())) * 100 if len(lent) else None,
    )  # fmt: skip


def calibration(held: "Held", of: Mask) -> Calibration | None:
    """Known outcomes among some of them, beside what their PDs said."""
    rows = held.rows
    there = of & np.isfinite(rows.y) & np.isfinite(rows.pd_settled)
    if not there.any():
        return None
    y, pd, weight = rows.y[there], rows.pd_settled[there], rows.weight[there]
    mass = float(weight.sum())
    observed, expected = float((weight * y).sum() / mass), float((weight * pd).sum() / mass)
    low, high = wilson(observed, effective(weight))
    floor = max(expected, 1e-9)
    return Calibration(
        closed=len(y), bads=int(y.sum()), observed=observed, expected=expected, ratio=observed / floor,
        low=low / floor, high=high / floor,
    )  # fmt: skip


def _own_past(held: "Held", before: Mask, now: Mask) -> Shift | None:
    rows = held.rows
    if before.sum() < _SCORE_ROWS or now.sum() < _SCORE_ROWS:
        return None
    past = column("score", rows.pd[before], rows.weight[before])
    return shift(past, effective(rows.weight[before]), rows.pd[now], rows.weight[now], series.PSI_SCORE)


def _rate(hit: Mask, weight: NDArray[np.float64]) -> Rate:
    share = float((weight * hit).sum() / weight.sum())
    low, high = wilson(share, effective(weight))
    return Rate(share=share, low=low, high=high, of=len(hit))


def _share(held: "Held", part: Mask, whole: "Mask | None") -> float:
    weight = held.rows.weight
    return float(weight[part].sum() / weight[whole].sum()) if whole is not None else 0.0

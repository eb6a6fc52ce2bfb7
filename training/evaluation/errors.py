"""How right the height of a PD is: Brier score, log loss, the calibration line and curve.

It does: weighted figures from outcomes and PDs. It does not: change a PD (fitting calibrates).
Shapes: y, pd, raw, weight are (n,).
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine.scoring import score_points
from engine.values import Frozen

Floats = NDArray[np.float64]
_TINY = 1e-12
_SETTLED = 1e-10


def brier(y: Floats, pd: Floats, weight: Floats) -> float:
    """Weighted mean of (PD - outcome) squared."""
    return float((weight * (pd - y) ** 2).sum() / weight.sum())


def log_loss(y: Floats, pd: Floats, weight: Floats) -> float:
    """Weighted mean of minus the log of the probability given to what happened."""
    p = np.clip(pd, _TINY, 1 - _TINY)
    return float(-(weight * (y * np.log(p) + (1 - y) * np.log1p(-p))).sum() / weight.sum())


def log_odds(pd: Floats) -> Floats:
    """Log-odds of bad; PDs of 0 and 1 are held just inside."""
    p = np.clip(pd, _TINY, 1 - _TINY)
    return np.asarray(np.log(p) - np.log1p(-p))


def calibration_line(y: Floats, raw: Floats, weight: Floats) -> tuple[float, float]:
    """Slope and intercept of the weighted logistic regression of outcome on raw score, by Newton's method.

    Slope 1 and intercept 0 mean that the log-odds were right. ValueError where the fit does not settle.
    """
    share = weight / weight.sum()
    middle = float((share * raw).sum())
    unit = float(np.sqrt((share * (raw - middle) ** 2).sum()))
    if unit < _TINY:
        raise ValueError("all raw scores are the same: there is no line to calibrate by")
    beta = np.array([1.0, 0.0])  # of the standardised score, or a narrow one would walk to its line for ever
    design = np.column_stack([(raw - middle) / unit, np.ones(len(raw))])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (share * (y - p))
        hessian = (design * (share * p * (1 - p))[:, None]).T @ design + _TINY * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < _SETTLED:
            slope = float(beta[0]) / unit
            return slope, float(beta[1]) - slope * middle
    raise ValueError("the calibration line did not settle: the score separates the outcomes, or they are too few")


class Band(Frozen):
    """Examples of neighbouring PDs: what was said and what happened, with the observed rate's 95 % interval."""

    pd_from: float
    pd_to: float
    points_from: float = Field(description="score points at pd_to: a higher PD is a lower score")
    points_to: float
    rows: int
    bads: int
    share: float
    mean_pd: float
    bad_rate: float
    bad_rate_low: float
    bad_rate_high: float


def bands(y: Floats, pd: Floats, weight: Floats, count: int = 10) -> tuple[Band, ...]:
    """The calibration curve and the score bands in one: at most `count` bands of equal weight, safest first.

    Equal PDs stay together, so there may be fewer. Wilson intervals, on the weights' effective number.
    """
    order = np.argsort(pd, kind="stable")
    p, cum = pd[order], np.cumsum(weight[order])
    first = np.searchsorted(p, p, side="left")  # ties take the place of their first
    place = np.minimum((np.concatenate(([0.0], cum))[first] / cum[-1] * count + 1e-9).astype(int), count - 1)
    found = []
    for code in np.unique(place):
        rows = order[place == code]
        found.append(_band(y[rows], pd[rows], weight[rows], float(cum[-1])))
    return tuple(found)


def _band(y: Floats, pd: Floats, weight: Floats, total: float) -> Band:
    mass = float(weight.sum())
    rate = float((weight * y).sum() / mass) if mass else 0.0
    low, high = wilson(rate, mass**2 / float((weight**2).sum()) if mass else 0.0)
    pd_from, pd_to = float(pd.min()), float(pd.max())
    return Band(
        pd_from=pd_from, pd_to=pd_to, points_from=_points(pd_to), points_to=_points(pd_from), rows=len(y),
        bads=int(y.sum()), share=mass / total, mean_pd=float((weight * pd).sum() / mass) if mass else 0.0,
        bad_rate=rate, bad_rate_low=low, bad_rate_high=high,
    )  # fmt: skip


def _points(pd: float) -> float:
    return round(score_points(min(max(pd, _TINY), 1 - _TINY)), 2)


def wilson(rate: float, number: float, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen among `number` (which may be a fraction); (0, 1) of nothing."""
    if number <= 0:
        return 0.0, 1.0
    middle = (rate + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * np.sqrt(rate * (1 - rate) / number + z * z / (4 * number * number))
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)

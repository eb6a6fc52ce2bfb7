"""How good a model is: rank, calibration and error, weighted, with bootstrap intervals.

It does: compute the field's usual figures from outcomes and PDs. It does not: fit, or report on the examples
a model learnt from (the caller splits by time). Shapes: y, pd, weight are (n,).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one model on one set of examples."""

    rows: int
    bads: int
    bad_rate: float
    auc: float
    auc_low: float
    auc_high: float
    gini: float
    ks: float
    brier: float
    log_loss: float
    calibration_slope: float
    calibration_intercept: float

    def as_metrics(self, prefix: str) -> dict[str, float]:
        """Name to figure, rounded to four decimals, for a manifest."""
        return {f"{prefix}.{name}": round(float(getattr(self, name)), 4) for name in self.__dataclass_fields__}


def auc(y: Floats, score: Floats, weight: Floats) -> float:
    """Weighted area under the ROC curve, ties counted half; NaN where one outcome is absent."""
    order = np.argsort(score, kind="stable")
    s, bad = score[order], (weight * y)[order]
    good = (weight * (1 - y))[order]
    if bad.sum() <= 0 or good.sum() <= 0:
        return float("nan")
    starts = np.flatnonzero(np.concatenate(([True], s[1:] != s[:-1])))
    bad_tied, good_tied = np.add.reduceat(bad, starts), np.add.reduceat(good, starts)
    good_below = np.concatenate(([0.0], np.cumsum(good_tied)[:-1]))
    return float((bad_tied * (good_below + good_tied / 2)).sum() / (bad.sum() * good.sum()))


def ks(y: Floats, score: Floats, weight: Floats) -> float:
    """Kolmogorov-Smirnov distance between the scores of bads and goods, weighted."""
    order = np.argsort(score, kind="stable")
    s, bad, good = score[order], (weight * y)[order], (weight * (1 - y))[order]
    ends = np.flatnonzero(np.concatenate((s[1:] != s[:-1], [True])))
    gap = np.cumsum(bad)[ends] / max(bad.sum(), _TINY) - np.cumsum(good)[ends] / max(good.sum(), _TINY)
    return float(np.abs(gap).max())


def calibration_line(y: Floats, raw: Floats, weight: Floats) -> tuple[float, float]:
    """Slope and intercept of the weighted logistic regression of outcome on raw score, by Newton's method.

    Slope 1 and intercept 0 mean that the log-odds were right. ValueError where the fit does not settle.
    """
    beta = np.array([1.0, 0.0])
    design = np.column_stack([raw, np.ones(len(raw))])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weight * (y - p))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - settled
            return float(beta[0]), float(beta[1])
    raise ValueError("the calibration line did not settle")


def evaluate(y: Floats, pd: Floats, weight: Floats, seed: int = 0, resamples: int = 200) -> Evaluation:
    """All figures, the AUC with a 95 % bootstrap interval over examples."""
    p = np.clip(pd, _TINY, 1 - _TINY)
    mean = weight / weight.sum()
    log_odds = np.log(p / (1 - p))
    constant = float(np.ptp(log_odds)) < _TINY  # one PD for all has no slope to speak of
    slope, intercept = (float("nan"), float("nan")) if constant else calibration_line(y, log_odds, weight)
    generator = np.random.Generator(np.random.PCG64(seed))
    draws = [generator.integers(0, len(y), len(y)) for _ in range(resamples)]
    spread = np.array([auc(y[d], pd[d], weight[d]) for d in draws])
    area = auc(y, pd, weight)
    return Evaluation(
        rows=len(y),
        bads=int(y.sum()),
        bad_rate=float((mean * y).sum()),
        auc=area,
        auc_low=float(np.nanquantile(spread, 0.025)) if resamples else float("nan"),
        auc_high=float(np.nanquantile(spread, 0.975)) if resamples else float("nan"),
        gini=2 * area - 1,
        ks=ks(y, pd, weight),
        brier=float((mean * (p - y) ** 2).sum()),
        log_loss=float(-(mean * (y * np.log(p) + (1 - y) * np.log(1 - p))).sum()),
        calibration_slope=slope,
        calibration_intercept=intercept,
    )

"""The figures of one model on one set of examples, with intervals.

It does: bring rank, error and calibration together in one record. It does not: fit, or report on the examples a
model learnt from (the caller splits by time). Shapes: y, pd, weight are (n,). A figure that cannot be had is None.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen
from training.evaluation.errors import brier, calibration_line, log_loss, log_odds
from training.evaluation.intervals import Statistic, bootstrap
from training.evaluation.ranking import auc, auc_error, average_precision, h_measure, ks

Floats = NDArray[np.float64]
Figure = float | None
_FLAT = 1e-12
_INTERVALS: dict[str, Statistic] = {"auc": auc, "ks": ks, "average_precision": average_precision, "brier": brier,
    "log_loss": log_loss}  # fmt: skip
RESAMPLES = 200
MOST_DRAWN = 40_000_000  # examples times resamples: beyond it fewer resamples are drawn, and the record says how many


class Evaluation(Frozen):
    """The figures of one model on one set of examples; every rate and error is weighted."""

    rows: int
    bads: int
    bad_rate: float
    mean_pd: float
    auc: Figure
    auc_low: Figure
    auc_high: Figure
    auc_error: Figure
    gini: Figure
    ks: Figure
    ks_low: Figure
    ks_high: Figure
    h_measure: Figure
    average_precision: Figure
    average_precision_low: Figure
    average_precision_high: Figure
    brier: Figure
    brier_low: Figure
    brier_high: Figure
    brier_of_rate: float
    log_loss: Figure
    log_loss_low: Figure
    log_loss_high: Figure
    calibration_slope: Figure
    calibration_intercept: Figure
    resamples: int

    def as_metrics(self, prefix: str) -> dict[str, float]:
        """Name to figure, rounded to four decimals, for a manifest; what cannot be had is left out."""
        return {f"{prefix}.{name}": round(float(value), 4) for name, value in self if value is not None}


def evaluate(y: Floats, pd: Floats, weight: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Evaluation:
    """All figures, with 95 % bootstrap intervals stratified by outcome."""
    resamples = affordable(len(y), resamples)
    rate = float((weight * y).sum() / weight.sum())
    spans = bootstrap(_INTERVALS, y, pd, weight, resamples, seed)
    area = auc(y, pd, weight)
    slope, intercept = _line(y, pd, weight)
    told = {
        "auc": area, "auc_error": auc_error(y, pd, weight), "gini": 2 * area - 1, "ks": ks(y, pd, weight),
        "h_measure": h_measure(y, pd, weight), "average_precision": average_precision(y, pd, weight),
        "brier": brier(y, pd, weight), "log_loss": log_loss(y, pd, weight), "calibration_slope": slope,
        "calibration_intercept": intercept,
    }  # fmt: skip
    for name, (low, high) in spans.items():
        told |= {f"{name}_low": low, f"{name}_high": high}
    return Evaluation(
        rows=len(y), bads=int(y.sum()), bad_rate=rate, mean_pd=float((weight * pd).sum() / weight.sum()),
        brier_of_rate=rate * (1 - rate), resamples=resamples,
        **{name: float(value) if math.isfinite(value) else None for name, value in told.items()},
    )  # fmt: skip


def affordable(rows: int, resamples: int) -> int:
    """How many of the resamples asked for are drawn: fewer on many examples, whose figures move less, yet 20."""
    return min(resamples, max(MOST_DRAWN // max(rows, 1), 20))


def _line(y: Floats, pd: Floats, weight: Floats) -> tuple[float, float]:
    odds = log_odds(pd)
    if float(np.ptp(odds)) < _FLAT or y.min() == y.max():  # one PD for all has no slope to speak of
        return math.nan, math.nan
    try:
        return calibration_line(y, odds, weight)
    except ValueError:
        return math.nan, math.nan

"""The calibrating line from sums over rows that lie on many machines.

It does: the weighted logistic regression of outcome on raw score by Newton's method, as training.evaluation.errors does
on rows at hand. It does not: see a row. The rule it keeps: each step needs six sums, so six numbers a worker travel.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SETTLED, _TINY, _STEPS = 1e-10, 1e-12, 100


class Total(Protocol):
    """Adds a function of (outcome, raw score, weight, *arguments) up over all rows."""

    def __call__(self, function: Callable[..., Floats], *arguments: float) -> Floats: ...


def calibrating_line(total: Total) -> tuple[float, float]:
    """Slope and intercept; ValueError where there is no line or the fit does not settle."""
    mass, first = total(_first)
    middle = first / mass
    unit = float(np.sqrt(total(_second, middle)[0] / mass))
    if unit < _TINY:
        raise ValueError("all raw scores are the same: there is no line to calibrate by")
    beta = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        sums = total(_newton, middle, unit, *beta.tolist()) / mass
        step = np.linalg.solve(sums[[2, 3, 3, 4]].reshape(2, 2) + _TINY * np.eye(2), sums[:2])
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < _SETTLED:
            slope = float(beta[0]) / unit
            return slope, float(beta[1]) - slope * middle
    raise ValueError("the calibration line did not settle: the score separates the outcomes, or they are too few")


def _first(y: Floats, raw: Floats, weight: Floats) -> Floats:
    return np.array([weight.sum(), (weight * raw).sum()])


def _second(y: Floats, raw: Floats, weight: Floats, middle: float) -> Floats:
    return np.array([(weight * (raw - middle) ** 2).sum()])


def _newton(y: Floats, raw: Floats, weight: Floats, middle: float, unit: float, slope: float, base: float) -> Floats:
    """Two sums of the gradient, three of the curvature."""
    z = (raw - middle) / unit
    p = 1 / (1 + np.exp(-np.clip(slope * z + base, -30, 30)))
    off, bend = weight * (y - p), weight * p * (1 - p)
    return np.array([(off * z).sum(), off.sum(), (bend * z * z).sum(), (bend * z).sum(), bend.sum()])

"""What moves a score: exact contributions of every input, and how the PD answers when one input alone is moved.

It does: mean size of contributions in score points, and partial dependence beside what was seen, bin by bin. It does
not: claim causes. The rule it keeps: contributions are the engine's exact ones, on evenly spread examples, no draw.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.scoring import Calibration, Scorer
from engine.scoring.scale import FACTOR
from engine.values import Frozen
from training.data import Dataset
from training.evaluation.errors import wilson
from training.evaluation.stability import cuts

Floats = NDArray[np.float64]
MOST_EXPLAINED, MOST_MOVED = 2_000, 500
_BINS, _MOST_CATEGORIES = 8, 12
_PD_FLOOR, _PD_CEILING = 0.0001, 0.9999


@dataclass(frozen=True, slots=True)
class Explained:
    """A model that can be asked why: its scorer and its line."""

    scorer: Scorer
    calibration: Calibration

    def pd(self, x: Floats) -> Floats:
        """Calibrated PDs (n,) of rows (n, f)."""
        odds = self.calibration.slope * self.scorer.raw_many(x) + self.calibration.intercept
        return np.clip(1 / (1 + np.exp(-np.clip(odds, -500, 500))), _PD_FLOOR, _PD_CEILING)


class Importance(Frozen):
    """How far one input moves the score: its contributions in points, without sign, on average."""

    name: str
    mean_points: float


class Step(Frozen):
    """One bin of an input. `value` is its middle (None: missing); `answer` the mean PD of all were they there."""

    value: float | None
    rows: int
    share: float
    answer: float
    mean_pd: float
    bad_rate: float
    bad_rate_low: float
    bad_rate_high: float


class Dependence(Frozen):
    """One input moved alone, beside what those who were there did."""

    name: str
    category: bool
    steps: tuple[Step, ...]


def importance(model: Explained, data: Dataset) -> tuple[Importance, ...]:
    """Every input, the strongest first, over at most MOST_EXPLAINED evenly spread examples."""
    rows = evenly(len(data.y), MOST_EXPLAINED)
    sizes = np.abs([model.scorer.contributions(row)[:-1] for row in data.x[rows]])
    weight = data.weight[rows]
    points = FACTOR * model.calibration.slope * (weight @ sizes) / weight.sum()
    found = [Importance(name=n, mean_points=float(p)) for n, p in zip(data.names, points, strict=True)]
    return tuple(sorted(found, key=lambda each: (-each.mean_points, each.name)))


def dependence(model: Explained, data: Dataset, name: str, pd: Floats) -> Dependence:
    """How the mean PD answers to one input, in bins of equal weight, or in a category's commonest values."""
    column = data.names.index(name)
    values, category = data.x[:, column], column in data.categorical
    moved = data.x[evenly(len(data.y), MOST_MOVED)].copy()
    weight = data.weight[evenly(len(data.y), MOST_MOVED)]
    steps = []
    for rows in _bins(values, data.weight, category):
        middle = float(np.median(values[rows])) if not np.isnan(values[rows]).any() else np.nan
        moved[:, column] = middle
        answer = float((weight * model.pd(moved)).sum() / weight.sum())
        steps.append(_step(data, pd, rows, None if np.isnan(middle) else middle, answer))
    return Dependence(name=name, category=category, steps=tuple(steps))


def evenly(rows: int, most: int) -> NDArray[np.int64]:
    """At most `most` places, evenly spread over the rows."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))


def _bins(values: Floats, weight: Floats, category: bool) -> list[NDArray[np.bool_]]:
    """Masks of the bins that hold weight, in rising order (a category: the commonest first), the missing last."""
    missing = np.isnan(values)
    if category:
        codes = np.unique(values[~missing])
        heavy = sorted(codes, key=lambda code: (-float(weight[values == code].sum()), code))[:_MOST_CATEGORIES]
        masks = [values == code for code in heavy]
    else:
        edges = np.concatenate(([-np.inf], cuts(values, weight, count=_BINS), [np.inf]))
        masks = [(values > low) & (values <= high) for low, high in pairwise(edges)]
    return [mask for mask in (*masks, missing) if weight[mask].sum() > 0]


def _step(data: Dataset, pd: Floats, rows: NDArray[np.bool_], value: float | None, answer: float) -> Step:
    weight, y = data.weight[rows], data.y[rows]
    mass = float(weight.sum())
    rate = float((weight * y).sum() / mass)
    low, high = wilson(rate, mass**2 / float((weight**2).sum()))
    return Step(
        value=value, rows=int(rows.sum()), share=mass / float(data.weight.sum()), answer=answer,
        mean_pd=float((weight * pd[rows]).sum() / mass), bad_rate=rate, bad_rate_low=low, bad_rate_high=high,
    )  # fmt: skip

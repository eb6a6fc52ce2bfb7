"""Fairness by region, industry and size: who is approved, and is the PD right for each group.

It does: approval rates with adverse-impact ratios (four-fifths rule as an alarm), and observed over predicted bad
rates. It does not: find causes or correct anything. The rule it keeps: a ratio stands beside its number of examples
and its interval, and a group too small to judge is shown but raises no alarm.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen
from training.evaluation.ranking import auc

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]
FOUR_FIFTHS = 0.8
LEAST_ROWS = 30
_Z = 1.959964


class FairGroup(Frozen):
    """One group of one attribute."""

    group: str
    rows: int
    share: float
    approval_rate: float
    impact_ratio: float | None
    """Its approval rate over that of the group approved most often (of those large enough)."""
    impact_low: float | None
    impact_high: float | None
    mean_pd: float
    bad_rate: float
    observed_to_predicted: float | None
    """Above 1 the model is too kind to the group, below 1 too hard."""
    auc: float | None
    alarm: bool


class Fairness(Frozen):
    """One attribute: its groups, the largest first."""

    attribute: str
    groups: tuple[FairGroup, ...]


def fairness(attribute: str, labels: Texts, y: Floats, pd: Floats, weight: Floats,
    approved: NDArray[np.bool_]) -> Fairness:  # fmt: skip
    """Judge one attribute's groups; weights count in every rate."""
    masks = {str(label): labels == label for label in np.unique(labels)}
    rates = {label: _rate(rows, approved, weight) for label, rows in masks.items()}
    judged = [label for label, rows in masks.items() if rows.sum() >= LEAST_ROWS]
    top = max(judged, key=lambda label: rates[label], default=None)
    found = []
    for label, rows in sorted(masks.items(), key=lambda item: -float(weight[item[1]].sum())):
        ratio, low, high = _impact(rates, masks, label, top, weight)
        mass = float(weight[rows].sum())
        said, seen = float((weight * pd)[rows].sum()) / mass, float((weight * y)[rows].sum()) / mass
        area = auc(y[rows], pd[rows], weight[rows])
        found.append(FairGroup(
            group=label, rows=int(rows.sum()), share=mass / float(weight.sum()), approval_rate=rates[label],
            impact_ratio=ratio, impact_low=low, impact_high=high, mean_pd=said, bad_rate=seen,
            observed_to_predicted=seen / said if said else None, auc=area if math.isfinite(area) else None,
            alarm=ratio is not None and ratio < FOUR_FIFTHS and label in judged,
        ))  # fmt: skip
    return Fairness(attribute=attribute, groups=tuple(found))


def _rate(rows: NDArray[np.bool_], approved: NDArray[np.bool_], weight: Floats) -> float:
    return float((weight * approved)[rows].sum() / weight[rows].sum())


def _impact(
    rates: dict[str, float], masks: dict[str, NDArray[np.bool_]], label: str, top: str | None, weight: Floats
) -> tuple[float | None, float | None, float | None]:
    """The adverse-impact ratio and its 95 % interval (on the log scale, by the weights' effective number)."""
    if top is None or not rates[top]:
        return None, None, None
    ratio = rates[label] / rates[top]
    if not ratio or label == top:
        return ratio, None, None
    error = math.sqrt(sum((1 - rates[name]) / (rates[name] * _number(weight[masks[name]])) for name in (label, top)))
    return ratio, ratio * math.exp(-_Z * error), ratio * math.exp(_Z * error)


def _number(weight: Floats) -> float:
    return float(weight.sum() ** 2 / (weight**2).sum())

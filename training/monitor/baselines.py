"""What training looked like, column by column: bins with their shares, small enough for a manifest.

It does: cut score and features of the training rows into bins. It does not: hold a row, or say that anything moved.
The rules it keeps: missing and unseen have bins of their own; what is counted against a baseline uses its own edges.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.release import Baseline, Baselines
from training.data import Dataset
from training.evaluation.profit import Prices
from training.evaluation.stability import cuts, shares
from training.fitting import Fitted

Floats = NDArray[np.float64]
_PLACES = 6  # of a share


def fitted_baselines(fitted: Fitted, train: Dataset, prices: Prices | None) -> Baselines:
    """The baselines of a fit: its training span, scored by itself."""
    return baselines(train, fitted.model.pd(train.x), prices)


def stored_baselines(told: Mapping[str, Any]) -> Baselines | None:
    """The baselines of a draft as it is kept; none in one that was made without."""
    return None if told.get("baselines") is None else Baselines.model_validate(told["baselines"])


def baselines(train: Dataset, pd: Floats, prices: Prices | None = None) -> Baselines:
    """The baselines of examples with their PDs; with prices, whom the grade table would take by the PD alone."""
    labels = dict(zip(train.categorical, train.levels, strict=False))
    weight = train.weight
    rate = None if prices is None else float(weight[prices.approved(pd)].sum() / weight.sum())
    return Baselines(
        rows=max(round(effective(weight)), 1), population="approved" if train.approved_only else "applicants",
        score=column("score", pd, weight),
        features=tuple(
            column(name, train.x[:, i], weight, i in train.categorical, labels.get(i))
            for i, name in enumerate(train.names)
        ),
        approved_to_pd=None if prices is None else prices.pd_most[-1],
        approval_rate=None if rate is None else round(min(rate, 1.0), _PLACES),
    )  # fmt: skip


def column(
    name: str, values: Floats, weight: Floats, category: bool = False, labels: Sequence[str] | None = None
) -> Baseline:
    """One column's bins: the values of a category, or tenths of a number; a number of few values has one for each."""
    if labels is not None:
        edges = np.arange(len(labels), dtype=float)
    else:
        edges, there = cuts(values, weight, category), values[~np.isnan(values)]
        if len(there):
            edges = np.unique(np.append(edges, there.max()))  # the bin beyond is of what training never saw
    return Baseline(
        name=name, edges=tuple(edges.tolist()),
        shares=tuple(np.round(np.minimum(shares(values, weight, edges), 1.0), _PLACES).tolist()),
        labels=None if labels is None else tuple(labels),
    )  # fmt: skip


def codes(baseline: Baseline, values: Floats) -> NDArray[np.int64]:
    """The bin of each value."""
    edges = np.array(baseline.edges)
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def effective(weight: Floats) -> float:
    """How many equal examples say as much as these weighted ones (Kish)."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0

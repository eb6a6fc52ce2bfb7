"""The plain models that a boosted one must beat: a weight-of-evidence scorecard and a logistic regression.

It does: fit both on the same examples and weights as the champion, and calibrate them alike. It does not: search. The
rule it keeps: they see what the champion sees, so that what it wins by is its shape alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from engine.scoring import Calibration
from training.data import Dataset
from training.fitting.binning import Bins, bins
from training.fitting.calibration import calibrate, pds

Floats = NDArray[np.float64]
SCORECARD = "WoE scorecard"
LOGISTIC = "logistic regression"
_LEAST_INFORMATION = 0.005
_ROUNDS = 2_000
_COMMON = 10  # a category seen less often goes with the others


@dataclass(frozen=True, slots=True)
class Challenger:
    """A fitted plain model: its raw scores (n,) of rows (n, f), and the line that calibrates them."""

    name: str
    raw: Callable[[Floats], Floats]
    calibration: Calibration
    bins: tuple[Bins, ...] = ()
    coefficients: tuple[float, ...] = ()

    def pd(self, x: Floats) -> Floats:
        """Calibrated PDs (n,)."""
        return pds(self.calibration, self.raw(x))


def challengers(train: Dataset, validation: Dataset, weight: Floats) -> tuple[Challenger, ...]:
    """Both, fitted on `train` under `weight` and calibrated on `validation`."""
    return scorecard(train, validation, weight), logistic(train, validation, weight)


def scorecard(train: Dataset, validation: Dataset, weight: Floats) -> Challenger:
    """Monotone bins, and a regression on their weights of evidence that leaves out what runs the wrong way."""
    found = [
        bins(name, train.x[:, i], train.y, weight, train.directions[i], i in train.categorical)
        for i, name in enumerate(train.names)
    ]
    used = [i for i, made in enumerate(found) if made.information >= _LEAST_INFORMATION] or [
        max(range(len(found)), key=lambda i: found[i].information)
    ]
    while True:
        model = LogisticRegression(max_iter=_ROUNDS).fit(_evidence(train.x, found, used), train.y, weight)
        wrong = [i for i, slope in zip(used, model.coef_[0], strict=True) if slope <= 0]
        if not wrong or len(wrong) == len(used):  # a negative weight would turn a bin's meaning round
            break
        used = [i for i in used if i not in wrong]
    slopes, base = model.coef_[0].astype(float), float(model.intercept_[0])

    def raw(x: Floats) -> Floats:
        return np.asarray(_evidence(x, found, used) @ slopes + base, dtype=np.float64)

    line = _line(validation, raw(validation.x))
    return Challenger(SCORECARD, raw, line, tuple(found[i] for i in used), tuple(slopes.tolist()))


def _evidence(x: Floats, found: list[Bins], used: list[int]) -> Floats:
    return np.column_stack([found[i].values(x[:, i]) for i in used])


def logistic(train: Dataset, validation: Dataset, weight: Floats) -> Challenger:
    """Medians for what is missing (and a mark that it was), standardised numbers, categories one by one."""
    numbers = [i for i in range(len(train.names)) if i not in train.categorical]
    known = [i for i in numbers if not np.isnan(train.x[:, i]).all()]
    model: Any = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), known),
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_COMMON), list(train.categorical)),
        ),
        LogisticRegression(max_iter=_ROUNDS),
    ).fit(train.x, train.y, logisticregression__sample_weight=weight / weight.mean())

    def raw(x: Floats) -> Floats:
        return np.asarray(model.decision_function(x), dtype=np.float64)

    return Challenger(LOGISTIC, raw, _line(validation, raw(validation.x)))


def _line(validation: Dataset, raw: Floats) -> Calibration:
    """The calibrating line; a challenger that ranks backwards keeps its own log-odds, and its figures tell."""
    try:
        return calibrate(validation.y, raw, validation.weight)
    except ValueError:
        return Calibration(slope=1.0, intercept=0.0)

"""Fit a LightGBM model with monotone constraints, stop early, calibrate, evaluate out of time.

It does: learn on the oldest examples, stop and calibrate on the next, judge on the newest. It does not: search
(a later room) or publish. The rule it keeps: same examples, seed, machine and lock give the same bytes, so
threads are fixed and recorded and LightGBM runs deterministic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

import models
from engine.scoring import Calibration, parse_model
from training.dataset import Dataset
from training.evaluation import Evaluation, calibration_line, evaluate

Floats = NDArray[np.float64]
Progress = Callable[[int], None]

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 12,
    "max_depth": 5,
    "min_data_in_leaf": 80,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 255,
    "monotone_constraints_method": "basic",  # "advanced" breaks directions in LightGBM 4.7 (DECISIONS.md, 16)
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbose": -1,
}
MOST_TREES = 600
PATIENCE = 40


@dataclass(frozen=True, slots=True)
class Split:
    """Three spans of time, oldest first: learn up to, stop and calibrate up to, judge up to (None: the newest)."""

    train_to: date
    validate_to: date
    test_to: date | None = None
    train_from: date | None = None

    def parts(self, data: Dataset) -> tuple[Dataset, Dataset, Dataset]:
        """Train, validation and test examples; ValueError where a part lacks one of the outcomes."""
        day = np.timedelta64(1, "D")
        parts = (
            data.between(self.train_from, self.train_to),
            data.between((np.datetime64(self.train_to) + day).item(), self.validate_to),
            data.between((np.datetime64(self.validate_to) + day).item(), self.test_to),
        )
        for name, part in zip(("training", "validation", "test"), parts, strict=True):
            if part.bads in (0, len(part.y)):
                raise ValueError(f"the {name} span has {len(part.y)} examples and {part.bads} bads: it needs both")
        return parts


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model: its text, the line that calibrates it, and its figures out of time."""

    model_text: str
    calibration: Calibration
    trees: int
    validation: Evaluation
    test: Evaluation
    seed: int


def fit(data: Dataset, split: Split, seed: int, progress: Progress = lambda tree: None, **changed: Any) -> Fitted:
    """Fit, calibrate and judge; `changed` overrides single LightGBM parameters."""
    train, validation, test = split.parts(data)
    parameters = {**PARAMETERS, "seed": seed, "monotone_constraints": list(data.directions), **changed}
    booster = lightgbm.train(
        parameters,
        _binned(train),
        num_boost_round=MOST_TREES,
        valid_sets=[_binned(validation, _binned(train))],
        callbacks=[
            lightgbm.early_stopping(PATIENCE, verbose=False),
            lambda env: progress(env.iteration + 1),
        ],
    )
    trees = booster.best_iteration
    text = booster.model_to_string(num_iteration=trees)
    models.prove(parse_model(text), data.directions)  # a direction that is not proved ends the fit, by name
    raw_validation = raw_scores(text, validation.x)
    slope, intercept = calibration_line(validation.y, raw_validation, validation.weight)
    if slope <= 0:
        raise ValueError("the model ranks the validation span backwards: it learnt nothing that holds over time")
    calibration = Calibration(slope=round(slope, 6), intercept=round(intercept, 6))
    return Fitted(
        model_text=text,
        calibration=calibration,
        trees=trees,
        validation=evaluate(validation.y, pds(calibration, raw_validation), validation.weight, seed),
        test=evaluate(test.y, pds(calibration, raw_scores(text, test.x)), test.weight, seed),
        seed=seed,
    )


def raw_scores(model_text: str, x: Floats) -> Floats:
    """Raw scores (n,) of rows (n, f)."""
    booster = lightgbm.Booster(model_str=model_text)
    return np.asarray(booster.predict(x, raw_score=True, num_threads=2), dtype=np.float64)


def pds(calibration: Calibration, raw: Floats) -> Floats:
    """Calibrated PDs (n,)."""
    return np.array([calibration.pd(value) for value in raw.tolist()])


def _binned(data: Dataset, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        data.x, label=data.y, weight=data.weight, feature_name=list(data.names),
        categorical_feature=list(data.categorical), reference=reference, free_raw_data=False,
    )  # fmt: skip

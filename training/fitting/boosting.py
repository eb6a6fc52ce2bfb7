"""Grow a LightGBM model with monotone constraints, stop early and calibrate.

It does: learn on the oldest examples, stop and calibrate on the next. It does not: search (search does) or judge. The
rule it keeps: same examples, seed, machine and lock give the same bytes, so threads are fixed and recorded and
LightGBM runs deterministic; each set of examples is binned once and no row is copied on the way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm
import numpy as np
from numpy.typing import NDArray

import models
from engine.scoring import Calibration, parse_model
from training.data import Dataset
from training.fitting.calibration import calibrate, pds
from training.fitting.split import drawn_folds

Floats = NDArray[np.float64]
Progress = Callable[[int], None]
Weighting = Literal["sample", "balanced"]

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
# Few bads teach few splits: trees of four leaves, each tree shown fewer columns.
FEW_BADS = 1_000
_SMALL: dict[str, Any] = {
    "learning_rate": 0.03, "num_leaves": 4, "max_depth": 3, "min_data_in_leaf": 20, "feature_fraction": 0.5,
}  # fmt: skip
MOST_TREES = 600
PATIENCE = 40


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted and calibrated model: its text, the line, and what it was grown with."""

    model_text: str
    calibration: Calibration
    trees: int
    seed: int
    parameters: Mapping[str, Any]

    def pd(self, x: Floats) -> Floats:
        """Calibrated PDs (n,) of rows (n, f)."""
        return pds(self.calibration, raw_scores(self.model_text, x, self.parameters["num_threads"]))


def parameters(data: Dataset, seed: int, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a model of these examples is grown with, unless changed: smaller trees where bads are few."""
    return parameters_for(data.bads, data.directions, seed, changed)


def parameters_for(
    bads: int, directions: Sequence[int], seed: int, changed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The same for examples that lie elsewhere."""
    small = _SMALL if bads < FEW_BADS else {}
    return {**PARAMETERS, **small, "seed": seed, "monotone_constraints": list(directions), **(changed or {})}


def training_weight(data: Dataset, weighting: Weighting) -> Floats:
    """The weight each example teaches with: its own, or so scaled that goods and bads weigh alike together.

    Calibration always goes by the examples' own weights, so this moves no PD, only what the trees attend to.
    """
    if weighting == "sample":
        return data.weight
    of_bad, of_good = class_weights(
        weighting, float((data.weight * data.y).sum()), float((data.weight * (1 - data.y)).sum())
    )
    return data.weight * np.where(data.y == 1, of_bad, of_good)


def class_weights(weighting: Weighting, bad: float, good: float) -> tuple[float, float]:
    """By how much the weight of a bad and of a good is multiplied, from the whole weight of either."""
    if weighting == "sample":
        return 1.0, 1.0
    if not (bad and good):
        raise ValueError("all the weight is on one outcome: no class weight can balance it; check the weight column")
    return (bad + good) / (2 * bad), (bad + good) / (2 * good)


def train(
    learn: Dataset, stop: Dataset, seed: int, weighting: Weighting = "sample",
    changed: Mapping[str, Any] | None = None, progress: Progress = lambda tree: None,
) -> Model:  # fmt: skip
    """Grow on `learn`, stop early and calibrate on `stop`; `changed` overrides single LightGBM parameters.

    ValueError where the model breaks a declared direction or ranks `stop` backwards.
    """
    told = parameters(learn, seed, changed)
    booster, raw = grow(learn, stop, told, weighting, progress)
    text = booster.model_to_string(num_iteration=booster.best_iteration)
    models.prove(parse_model(text), learn.directions)  # a direction that is not proved ends the fit, by name
    return Model(text, calibrate(stop.y, raw, stop.weight), booster.best_iteration, seed, told)


def grow(
    learn: Dataset, stop: Dataset, told: Mapping[str, Any], weighting: Weighting = "sample",
    progress: Progress = lambda tree: None,
) -> tuple[lightgbm.Booster, Floats]:  # fmt: skip
    """The trees, and their raw scores of `stop`."""
    examples = binned(learn, training_weight(learn, weighting))
    booster = lightgbm.train(
        dict(told),
        examples,
        num_boost_round=MOST_TREES,
        valid_sets=[binned(stop, stop.weight, examples)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False), lambda env: progress(env.iteration + 1)],
    )
    raw = booster.predict(
        stop.x, raw_score=True, num_iteration=booster.best_iteration, num_threads=told["num_threads"]
    )  # fmt: skip
    return booster, np.asarray(raw, dtype=np.float64)


def train_drawn(
    data: Dataset, seed: int, folds: int = 5, weighting: Weighting = "sample", changed: Mapping[str, Any] | None = None
) -> Model:
    """For examples that have no time: folds drawn by outcome say how many trees to grow and calibrate, all teach."""
    told = parameters(data, seed, changed)
    raw, trees = np.empty(len(data.y)), []
    for learn, held in drawn_folds(data, folds, seed):
        mask = np.zeros(len(data.y), dtype=bool)
        mask[learn] = True
        booster, scores = grow(data.where(mask), data.where(~mask), told, weighting)
        raw[held] = scores
        trees.append(booster.best_iteration)
    count = max(round(float(np.mean(trees))), 1)
    booster = lightgbm.train(told, binned(data, training_weight(data, weighting)), num_boost_round=count)
    text = booster.model_to_string()
    models.prove(parse_model(text), data.directions)
    return Model(text, calibrate(data.y, raw, data.weight), count, seed, told)


def binned(data: Dataset, weight: Floats, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    """The examples as LightGBM bins them, once; the rows stay the caller's."""
    return lightgbm.Dataset(
        data.x, label=data.y, weight=weight, feature_name=list(data.names),
        categorical_feature=list(data.categorical), reference=reference,
    )  # fmt: skip


def raw_scores(model_text: str, x: Floats, threads: int = 1) -> Floats:
    """Raw scores (n,) of rows (n, f)."""
    booster = lightgbm.Booster(model_str=model_text)
    return np.asarray(booster.predict(x, raw_score=True, num_threads=threads), dtype=np.float64)

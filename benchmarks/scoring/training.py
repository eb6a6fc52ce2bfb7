"""Training: `creditline-train fit` beside LightGBM by itself with the same parameters on the same examples.

It does: simulate a small market once, then fit both ways in turn. It does not: compare models; ours adds early
stopping, calibration, the proof of directions and the figures out of time. The rule it keeps: plain LightGBM grows as
many trees as ours grew, the ones after the best included.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import lightgbm

from training.data import Dataset, from_market
from training.fitting import MOST_TREES, PARAMETERS, PATIENCE, Split, fit
from training.simulate import write_market

SPLIT = Split(train_to=date(2024, 12, 31), validate_to=date(2025, 4, 30))
SEED = 7
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Training:
    """Seconds of each, the medians of the rounds, and what they were fitted on."""

    derived_s: float
    ours_s: float
    plain_s: float
    examples: int
    trees: int


def measure(folder: Path, businesses: int, rounds: int) -> Training:
    """Fit both ways, in turn."""
    market = folder / "training.sqlite"
    write_market(market, count=businesses, seed=SEED, jobs=2)
    data, derived = _timed(lambda: from_market(market, 2))
    ours, plain, trees = list[float](), list[float](), 0
    for _ in range(rounds):
        fitted, seconds = _timed(lambda: fit(data, SPLIT, SEED))
        ours.append(seconds)
        trees = min(fitted.trees + PATIENCE, MOST_TREES)
        plain.append(_timed(partial(_plain, data, trees))[1])
    return Training(derived, median(ours), median(plain), len(data.y), trees)


def _plain(data: Dataset, trees: int) -> object:
    train, _, _ = SPLIT.parts(data)
    binned = lightgbm.Dataset(
        train.x, label=train.y, weight=train.weight, categorical_feature=list(data.categorical),
        feature_name=list(data.names),
    )  # fmt: skip
    parameters = {**PARAMETERS, "seed": SEED, "monotone_constraints": list(data.directions)}
    return lightgbm.train(parameters, binned, num_boost_round=trees)


def _timed(task: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    found = task()
    return found, time.perf_counter() - began

"""The models that are scored: a synthetic one trained here from a seed, and the shipped release's own.

It does: train, draw rows, and lay both in a contest's folder. It does not: score. The rule it keeps: same seed, same
lock, same bytes; rows hold missing values and categories that the model never saw.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

import models
from benchmarks.machine import ROOT
from benchmarks.peers.suites.given import ROWS
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import Facts
from engine.features import FEATURE_NAMES, Evidence, row_of
from training.simulate import make

Floats = NDArray[np.float64]
TREES, LEAVES, FEATURES, CATEGORICAL, CATEGORIES = 300, 31, 40, 6, 30
SEED = 7
MISSING_SHARE = 0.1
_EXAMPLES = 20_000
_KEPT = ROOT / "var" / "bench-models"
_BUSINESSES = 200
_PARAMETERS = {
    "objective": "binary", "learning_rate": 0.05, "min_data_in_leaf": 20, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbose": -1, "max_cat_to_onehot": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """A model's text with its features' names, and rows like those it was trained on."""

    text: str
    names: tuple[str, ...]
    rows: Floats

    def lay(self, folder: Path) -> Path:
        """Write it where contestants look."""
        folder.mkdir(parents=True)
        (folder / "model.txt").write_text(self.text)
        (folder / "names.json").write_text(json.dumps(self.names))
        np.save(folder / "rows.npy", self.rows)
        return folder


def drawn(count: int, seed: int, categorical: int = CATEGORICAL) -> Floats:
    """Rows of standard normal values, the last `categorical` ones codes; a tenth is missing; (count, 40)."""
    dice = np.random.default_rng(seed)
    rows = dice.standard_normal((count, FEATURES))
    rows[:, FEATURES - categorical :] = dice.integers(0, CATEGORIES + 2, (count, categorical))
    rows[dice.random(rows.shape) < MISSING_SHARE] = np.nan
    return rows


def trained(
    rows: Floats,
    names: tuple[str, ...],
    seed: int,
    trees: int = TREES,
    leaves: int = LEAVES,
    categorical: tuple[int, ...] = (),
) -> str:
    """The text of a model with exactly so many trees, on labels made of bends and products of the columns."""
    dice = np.random.default_rng(seed + 1)
    spread = np.nanstd(rows, axis=0)
    known = np.nan_to_num((rows - np.nanmean(rows, axis=0)) / np.where(spread > 0, spread, 1))
    weights = dice.standard_normal(known.shape[1]) / np.sqrt(known.shape[1])
    pairs = dice.integers(0, known.shape[1], (2, known.shape[1]))
    log_odds = np.sin(known) @ weights + (known[:, pairs[0]] * known[:, pairs[1]]) @ weights / 2 - 2.5
    labels = dice.random(len(rows)) < 1 / (1 + np.exp(-log_odds))
    data = lightgbm.Dataset(rows, label=labels, feature_name=list(names), categorical_feature=list(categorical))
    booster = lightgbm.train({**_PARAMETERS, "num_leaves": leaves, "seed": seed}, data, num_boost_round=trees)
    return booster.model_to_string()


@cache
def synthetic(trees: int = TREES, categorical: int = CATEGORICAL) -> Model:
    """300 trees of 31 leaves on 40 features with missing and categorical values, all from one seed."""
    names = tuple(f"x{place}" for place in range(FEATURES))
    codes = tuple(range(FEATURES - categorical, FEATURES))
    text = kept(
        f"synthetic-{trees}-{categorical}",
        lambda: trained(drawn(_EXAMPLES, SEED, categorical), names, SEED, trees, categorical=codes),
    )
    return Model(text, names, drawn(ROWS, SEED + 10, categorical))


@cache
def heavy() -> Model:
    """As many trees and leaves as the synthetic one, on the engine's features, so that it can decide."""
    text = kept(f"heavy-{TREES}", lambda: trained(business_rows(_EXAMPLES), FEATURE_NAMES, SEED))
    return Model(text, FEATURE_NAMES, business_rows(ROWS))


def kept(name: str, make: Callable[[], str]) -> str:
    """A model's text, made once for this LightGBM and kept under var/: training it takes longer than timing it."""
    file = _KEPT / f"{name}-lightgbm-{lightgbm.__version__}.txt"
    if not file.exists():
        text = make()
        _KEPT.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".new").write_text(text)
        file.with_suffix(".new").rename(file)
    return file.read_text()


@cache
def shipped() -> Model:
    """The champion's model, and rows of made-up businesses."""
    release = models.champion()
    text = (Path(models.__file__).parent / release.name / "model.txt").read_text()
    return Model(text, FEATURE_NAMES, business_rows(ROWS))


def business_rows(count: int) -> Floats:
    """Rows drawn column by column from 200 made-up businesses', (count, features)."""
    real, dice = _real_rows(), np.random.default_rng(SEED)
    places = dice.integers(0, len(real), (count, real.shape[1]))
    return np.take_along_axis(real, places, axis=0)


@cache
def _real_rows() -> Floats:
    rows = []
    for index in range(_BUSINESSES):
        made = make(SEED, index)
        application = Application.model_validate_json(canonical_bytes(made.application))
        rows.append(row_of(Evidence.of(application, Facts.model_validate_json(made.facts_bytes))))
    return np.array(rows)

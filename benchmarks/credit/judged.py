"""Champion, default LightGBM, logistic regression and scorecard on the same examples in the same run.

It does: fit and judge. It does not: print. The rule it keeps: the default model has the library's own settings, the
others ours, and all see the same columns, rows and weights.
"""

from dataclasses import dataclass
from datetime import date

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from benchmarks.credit.sets import FOLDED, sba30k
from training.data import Dataset
from training.evaluation import Contest, auc, auc_error, brier, contest, evaluate
from training.fitting import LOGISTIC, SCORECARD, Split, challengers, train, train_drawn

Floats = NDArray[np.float64]
OURS, DEFAULT = "champion", "default LightGBM"
SEED, FOLDS, DEFAULT_TREES = 42, 5, 100
SPLIT = Split(
    train_from=date(1990, 1, 1), train_to=date(2001, 12, 31), validate_to=date(2002, 12, 31), test_to=date(2004, 12, 31)
)


@dataclass(frozen=True, slots=True)
class Line:
    """One model's figures: AUC with its standard error or interval, Brier."""

    model: str
    auc: float
    error: float
    low: float
    high: float
    brier: float


def plain(learn: Dataset, threads: int = 1) -> lightgbm.Booster:
    """LightGBM as its authors ship it."""
    told = {"objective": "binary", "verbose": -1, "seed": SEED, "num_threads": threads, "deterministic": True}
    examples = lightgbm.Dataset(
        learn.x, learn.y, weight=learn.weight, categorical_feature=list(learn.categorical)
    )  # fmt: skip
    return lightgbm.train(told, examples, num_boost_round=DEFAULT_TREES)


def development() -> tuple[list[Line], list[Contest]]:
    """sba30k: learn from 1990-2001, stop and calibrate on 2002, judge on 2003-2004, weighted."""
    learn, stop, test = SPLIT.parts(sba30k())
    scored = {OURS: train(learn, stop, SEED, changed={"num_threads": 1}).pd(test.x)}
    scored[DEFAULT] = np.asarray(plain(learn).predict(test.x, num_threads=1), dtype=np.float64)
    for other in challengers(learn, stop, learn.weight):
        scored[other.name] = other.pd(test.x)
    lines = []
    for name, pd in scored.items():
        f = evaluate(test.y, pd, test.weight, SEED)
        lines.append(Line(
            name, f.auc or 0, f.auc_error or 0, f.auc_low or 0, f.auc_high or 0, f.brier or 0
        ))  # fmt: skip
    rivals = [name for name in scored if name != OURS]
    return lines, [contest(test.y, scored[OURS], scored[n], test.weight, n) for n in rivals]


@dataclass(frozen=True, slots=True)
class Folded:
    """One set: mean AUC over the folds by model, with the standard error of that mean, and Brier."""

    name: str
    rows: int
    bads: int
    lines: tuple[Line, ...]

    @property
    def goal(self) -> tuple[float, bool]:
        """The better of default and logistic less one standard error (of that model's mean), and whether it is met."""
        by_name = {line.model: line for line in self.lines}
        better = max(by_name[DEFAULT], by_name[LOGISTIC], key=lambda line: line.auc)
        return better.auc - better.error, by_name[OURS].auc >= better.auc - better.error


def folded(name: str) -> Folded:
    """Five folds, stratified, seed 42; the champion finds its own trees and line inside each fold's training rows."""
    data = FOLDED[name]()
    found: dict[str, list[tuple[float, float, float]]] = {}
    for learn_rows, held in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(data.x, data.y):
        mask = np.zeros(len(data.y), dtype=bool)
        mask[learn_rows] = True
        learn, test = data.where(mask), data.where(~mask)
        scored = {
            OURS: train_drawn(learn, SEED, changed={"num_threads": 1}).pd(test.x),
            DEFAULT: np.asarray(plain(learn).predict(test.x, num_threads=1), dtype=np.float64),
            **{c.name: c.pd(test.x) for c in challengers(learn, learn, learn.weight)},
        }
        for model, pd in scored.items():
            figures = (auc(test.y, pd, test.weight), auc_error(test.y, pd, test.weight), brier(test.y, pd, test.weight))
            found.setdefault(model, []).append(figures)
        assert len(held) == len(test.y)
    return Folded(name, len(data.y), data.bads, tuple(_line(m, np.array(f)) for m, f in found.items()))


def _line(model: str, figures: Floats) -> Line:
    mean, error = float(figures[:, 0].mean()), float(figures[:, 0].std(ddof=1) / np.sqrt(len(figures)))
    return Line(model, mean, error, mean - 1.96 * error, mean + 1.96 * error, float(figures[:, 2].mean()))


MODELS = (OURS, DEFAULT, LOGISTIC, SCORECARD)

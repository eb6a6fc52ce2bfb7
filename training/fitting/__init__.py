"""Champion and challengers from examples: split by time, search, grow, calibrate, and judge them all together.

split cuts spans and folds, search looks for parameters, boosting grows the trees, calibration sets the line, binning
and challengers make the plain models that a champion must beat. `fit` does it all but the search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.scoring import Calibration
from training.data import Dataset
from training.evaluation.figures import Evaluation, evaluate
from training.evaluation.judgement import Beside, Judgement, judge
from training.evaluation.profit import Prices
from training.evaluation.segments import Segments
from training.fitting.boosting import (
    MOST_TREES,
    PARAMETERS,
    PATIENCE,
    Model,
    Progress,
    Weighting,
    raw_scores,
    train,
    train_drawn,
    training_weight,
)
from training.fitting.calibration import Curves, curves, pds
from training.fitting.challengers import LOGISTIC, SCORECARD, Challenger, challengers
from training.fitting.search import Found, Plan, search
from training.fitting.split import Split, drawn_folds, span, time_folds

__all__ = [
    "LOGISTIC", "MOST_TREES", "PARAMETERS", "PATIENCE", "SCORECARD", "Challenger", "Curves", "Fitted", "Found",
    "Model", "Plan", "Recipe", "Split", "Weighting", "challengers", "curves", "drawn_folds",
    "fit", "judged", "pds", "raw_scores", "search", "span", "time_folds", "train", "train_drawn", "training_weight",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fit and what to judge by, beyond examples, split and seed."""

    weighting: Weighting = "sample"
    changed: Mapping[str, Any] | None = None
    segments: Segments | None = None  # of all examples, in their order
    prices: Prices | None = None
    resamples: int = 200


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model with its figures out of time, beside its challengers'."""

    model: Model
    validation: Evaluation
    judgement: Judgement
    curves: Curves

    @property
    def model_text(self) -> str:
        """LightGBM's text."""
        return self.model.model_text

    @property
    def calibration(self) -> Calibration:
        """The line from raw score to log-odds."""
        return self.model.calibration

    @property
    def trees(self) -> int:
        """How many trees it has."""
        return self.model.trees

    @property
    def seed(self) -> int:
        """What chance was drawn from."""
        return self.model.seed

    @property
    def test(self) -> Evaluation:
        """The figures on the newest examples."""
        return self.judgement.figures


def fit(
    data: Dataset, split: Split, seed: int, progress: Progress = lambda tree: None, recipe: Recipe | None = None,
    **changed: Any,
) -> Fitted:  # fmt: skip
    """Fit, calibrate and judge beside both challengers; `changed` overrides single LightGBM parameters."""
    how = recipe or Recipe()
    learn, stop, test = split.parts(data)
    model = train(learn, stop, seed, how.weighting, {**(how.changed or {}), **changed}, progress)
    return judged(model, (learn, stop, test), _part(how.segments or {}, data, test), how)


def judged(model: Model, parts: tuple[Dataset, Dataset, Dataset], segments: Segments, how: Recipe) -> Fitted:
    """A model beside its challengers: `parts` taught, stopped and judge it, `segments` label the last."""
    (learn, stop, test), seed = parts, model.seed
    threads = model.parameters["num_threads"]
    raw_stop, raw_test = (raw_scores(model.model_text, part.x, threads) for part in (stop, test))
    others = challengers(learn, stop, training_weight(learn, how.weighting))
    pd = pds(model.calibration, raw_test)
    beside = Beside(
        rivals={other.name: other.pd(test.x) for other in others},
        segments=segments,
        prices=how.prices, before=learn, before_pd=model.pd(learn.x),
    )  # fmt: skip
    validation = evaluate(stop.y, pds(model.calibration, raw_stop), stop.weight, seed, how.resamples)
    return Fitted(
        model=model,
        validation=validation,
        judgement=judge(test, pd, "champion", beside, seed, how.resamples),
        curves=curves((stop.y, raw_stop, stop.weight), (test.y, raw_test, test.weight), model.calibration),
    )


def _part(segments: Segments, data: Dataset, part: Dataset) -> Segments:
    """The labels of a part: parts are runs of the whole, so its place is where its first day's run begins."""
    low = int(np.searchsorted(data.time, part.time[0], side="left"))
    return {name: labels[low : low + len(part.y)] for name, labels in segments.items()}

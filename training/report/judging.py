"""The examples that a model is judged on, and the judgement.

It does: choose inputs and spans, judge with training.evaluation. It does not: judge by rules of its own. The rules it
keeps: without dates a draft is judged on its own test span; challengers fitted beside a draft are told only where they
were judged on these very examples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.policy import PolicyBook
from training.data import Dataset, checked
from training.data.tables import in_codes
from training.evaluation import Beside, Judgement, Prices, judge
from training.evaluation.explaining import Explained
from training.evaluation.segments import Segments
from training.fitting import Split, span
from training.report.subject import Subject

Floats = NDArray[np.float64]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Examples:
    """What the model is judged on, and what is told of it; `options` name it on a command line, without its place."""

    data: Dataset
    segments: Segments = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    options: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever makes the report chooses; `policy` sets prices where the model brings no policy of its own."""

    policy: PolicyBook
    start: date | None = None
    end: date | None = None
    dated: str = ""
    seed: int | None = None
    """Of the bootstrap; None: the model's own, so that a draft's intervals are those that `fit` gave."""
    resamples: int = 200
    options: str = ""
    """Of the command that makes this report."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that only examples give."""

    part: Dataset
    pd: Floats
    before: Dataset | None
    segments: Segments
    judgement: Judgement


def judge_model(subject: Subject, examples: Examples, asked: Asked, prices: Prices) -> Judged:
    data = seen_by(subject, examples.data)
    before, part = _parted(data, subject, asked)
    low = int(data.time.searchsorted(part.time[0], side="left"))
    segments = {name: labels[low : low + len(part.y)] for name, labels in examples.segments.items()}
    pd = score(subject, part)
    beside = Beside(
        segments=segments, prices=prices, before=before, before_pd=None if before is None else score(subject, before)
    )  # fmt: skip
    told = judge(part, pd, subject.identity.name, beside, seed_of(subject, asked), asked.resamples)
    if (kept := subject.judgement) and _same_examples(kept, told):
        told = told.model_copy(update={"rivals": kept.rivals})
    return Judged(part, pd, before, segments, told)


def seed_of(subject: Subject, asked: Asked) -> int:
    return int(training_of(subject)["seed"]) if asked.seed is None else asked.seed


def seen_by(subject: Subject, data: Dataset) -> Dataset:
    """The examples with the model's inputs alone, in its order; ValueError where they lack one."""
    lacking = [name for name in subject.features if name not in data.names]
    if lacking:
        raise ValueError(
            f"{subject.identity.name} needs inputs that these examples do not have: {', '.join(lacking[:8])}"
        )
    categories = subject.told.get("categories", {})
    if subject.features == data.names:
        return in_codes(data, categories)
    places = [data.names.index(name) for name in subject.features]
    levels = dict(zip(data.categorical, data.levels, strict=False))
    kept = [(new, old) for new, old in enumerate(places) if old in data.categorical]
    ordered = replace(
        data, names=subject.features, x=data.x[:, places], directions=tuple(data.directions[i] for i in places),
        categorical=tuple(new for new, _ in kept), levels=tuple(levels[old] for _, old in kept if old in levels),
    )  # fmt: skip
    return in_codes(ordered, categories)


def fitted_on(subject: Subject, data: Dataset) -> bool:
    """Whether these are the examples that the model was fitted on, by digest."""
    return data.source_sha256 == str(training_of(subject)["data_sha256"])


def split_of(subject: Subject) -> Split | None:
    """The split of the draft; None of a release or a scorecard, which tell none."""
    told = subject.told.get("split")
    if told is None:
        return None
    days: dict[str, Any] = {
        key: None if value == "None" else date.fromisoformat(value)
        for key, value in told.items()
        if key != "embargo_days"
    }
    return Split(**days, embargo_days=int(told["embargo_days"]))


def _parted(data: Dataset, subject: Subject, asked: Asked) -> tuple[Dataset | None, Dataset]:
    """What drift is measured against, if there is anything, and what is judged."""
    split, start = split_of(subject), asked.start
    if split is not None and fitted_on(subject, data):
        taught, _, test = split.parts(data)
        return taught, checked(test if start is None and asked.end is None else span(data, start, asked.end))
    if split is not None and start is None:  # other examples than it was fitted on: yet none of the days that taught
        start = split.validate_to + _DAY
    older = None if start is None else span(data, None, start - _DAY)
    return (None if older is None or not len(older.y) else older), checked(span(data, start, asked.end))


def _same_examples(kept: Judgement, told: Judgement) -> bool:
    """Whether a record was made of the very examples and PDs of another."""
    same = (kept.span, kept.figures.rows, kept.figures.bads) == (told.span, told.figures.rows, told.figures.bads)
    return same and kept.figures.auc == told.figures.auc and kept.figures.brier == told.figures.brier


def training_of(subject: Subject) -> dict[str, Any]:
    """What draft or manifest tells of the training."""
    return dict(subject.told["training"])


def score(subject: Subject, data: Dataset) -> Floats:
    """Calibrated PDs (n,) of examples with the model's inputs."""
    return Explained(subject.scorer, subject.calibration).pd(data.x)

"""Spans of time to learn, stop and judge by, with an embargo between them; folds that keep the same order.

It does: cut examples by day, without copying a row. It does not: draw at random where there is a time. The rule it
keeps: nothing that judges is older than what taught it, and the embargo's days belong to nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from training.data import Dataset

_DAY = timedelta(days=1)
Rows = NDArray[np.int64]
Span = tuple[date | None, date | None]
SPANS = ("training", "validation", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """Three spans, oldest first: learn up to, stop and calibrate up to, judge up to (None: the newest).

    The first `embargo_days` of validation and of test are left out: who applied then was decided while the outcomes
    of the span before were not all known.
    """

    train_to: date
    validate_to: date
    test_to: date | None = None
    train_from: date | None = None
    embargo_days: int = 0

    @property
    def spans(self) -> tuple[Span, Span, Span]:
        """First and last day to learn, to stop and calibrate, and to judge by."""
        pause = _DAY + timedelta(days=self.embargo_days)
        return (
            (self.train_from, self.train_to),
            (self.train_to + pause, self.validate_to),
            (self.validate_to + pause, self.test_to),
        )

    def parts(self, data: Dataset) -> tuple[Dataset, Dataset, Dataset]:
        """Train, validation and test examples; ValueError where a part lacks an outcome."""
        learn, stop, test = (span(data, *days) for days in self.spans)
        for name, part in zip(SPANS, (learn, stop, test), strict=True):
            least = min((part.weight * part.y).sum(), (part.weight * (1 - part.y)).sum())
            require_both_outcomes(name, len(part.y), part.bads, float(least))
        return learn, stop, test


def require_both_outcomes(name: str, rows: int, bads: int, least_weight: float) -> None:
    """ValueError where a span lacks an outcome, or all its weight is on one."""
    if bads in (0, rows):
        raise ValueError(
            f"the {name} span has {rows} examples and {bads} bads: it needs both; "
            "move its dates, or shorten the embargo"
        )
    if least_weight <= 0:
        raise ValueError(f"the {name} span has all its weight on one outcome: check the weight column")


def span(data: Dataset, start: date | None, end: date | None) -> Dataset:
    """The examples with start <= time <= end, as a view: examples are in order of time."""
    if not (data.time[1:] >= data.time[:-1]).all():
        raise ValueError("the examples are not in order of time")
    low = 0 if start is None else int(np.searchsorted(data.time, np.datetime64(start), side="left"))
    high = len(data.y) if end is None else int(np.searchsorted(data.time, np.datetime64(end), side="right"))
    return view(data, slice(low, max(low, high)))


def view(data: Dataset, rows: slice) -> Dataset:
    """A run of examples that shares the memory of the whole."""
    return replace(data, x=data.x[rows], y=data.y[rows], weight=data.weight[rows], time=data.time[rows])


def time_folds(data: Dataset, folds: int, embargo_days: int = 0) -> Iterator[tuple[Dataset, Dataset]]:
    """Growing windows: each fold learns from all that is older than what it is judged on, less the embargo.

    Blocks hold about as many examples each and end between days. ValueError where a part lacks an outcome.
    """
    edges = [int(len(data.y) * i / (folds + 1)) for i in range(1, folds + 1)]
    days = [data.time[edge] for edge in edges]
    for i, first in enumerate(days):
        low = int(np.searchsorted(data.time, first - np.timedelta64(embargo_days, "D"), side="left"))
        start = int(np.searchsorted(data.time, first, side="left"))
        end = int(np.searchsorted(data.time, days[i + 1], side="left")) if i + 1 < len(days) else len(data.y)
        train, judged = view(data, slice(0, low)), view(data, slice(start, end))
        for part in (train, judged):
            if part.bads in (0, len(part.y)):
                raise ValueError(
                    f"fold {i + 1} of {folds} has a part of {len(part.y)} examples and {part.bads} bads: "
                    "ask for fewer folds, or shorten the embargo"
                )
        yield train, judged


def drawn_folds(data: Dataset, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows to learn from and to judge on, drawn by outcome from a seed: for examples that have no time."""
    generator = np.random.Generator(np.random.PCG64(seed))
    place = np.empty(len(data.y), dtype=np.int64)
    for outcome in (0, 1):
        rows = generator.permutation(np.flatnonzero(data.y == outcome))
        if len(rows) < folds:
            raise ValueError(f"{len(rows)} examples with outcome {outcome} do not fill {folds} folds: ask for fewer")
        place[rows] = np.arange(len(rows)) % folds
    for fold in range(folds):
        yield np.flatnonzero(place != fold), np.flatnonzero(place == fold)

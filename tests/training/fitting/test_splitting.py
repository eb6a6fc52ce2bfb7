"""Spans, embargo and folds follow time; folds without a time follow the seed."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from training.data import Dataset
from training.fitting import Split, drawn_folds, span, time_folds


def daily(rows: int = 400) -> Dataset:
    """An example a day, every fourth bad."""
    x = np.arange(rows, dtype=float)[:, None]
    time = np.datetime64("2023-01-01") + np.arange(rows)
    y = (np.arange(rows) % 4 == 0).astype(float)
    return Dataset(("x",), x, y, np.ones(rows), time, (0,), (), "made for a test", "0" * 64)


def test_the_embargo_belongs_to_nobody() -> None:
    """Thirty days after training and after validation are left out; without embargo nothing is."""
    spans = [(0, 99), (130, 199), (230, 399)]
    split = Split(train_to=date(2023, 4, 10), validate_to=date(2023, 7, 19), embargo_days=30)
    assert [(int(p.x[0, 0]), int(p.x[-1, 0])) for p in split.parts(daily())] == spans
    whole = Split(train_to=date(2023, 4, 10), validate_to=date(2023, 7, 19)).parts(daily())
    assert sum(len(p.y) for p in whole) == 400


def test_an_embargo_that_leaves_nothing_is_named() -> None:
    """The span and the remedy are in the error."""
    split = Split(train_to=date(2023, 4, 10), validate_to=date(2023, 5, 1), embargo_days=60)
    with pytest.raises(ValueError, match=r"validation span has 0 examples.*shorten the embargo"):
        split.parts(daily())


def test_a_span_copies_nothing() -> None:
    """A span shares the memory of the whole, and asks for examples in order of time."""
    data = daily()
    assert np.shares_memory(span(data, date(2023, 2, 1), None).x, data.x)
    backwards = data.where(np.ones(400, dtype=bool))
    backwards.time[:] = backwards.time[::-1].copy()
    with pytest.raises(ValueError, match="not in order of time"):
        span(backwards, None, None)


def test_folds_grow_and_never_look_ahead() -> None:
    """Each fold learns from what ends before the embargo before what it is judged on; what is judged never overlaps."""
    ends = []
    for learn, judged in time_folds(daily(), 3, embargo_days=10):
        assert (judged.time[0] - learn.time[-1]).astype(int) == 11
        assert learn.time[0] == np.datetime64("2023-01-01")
        ends.append((judged.time[0], judged.time[-1]))
    assert len(ends) == 3
    assert all(a[1] < b[0] for a, b in pairwise(ends))
    with pytest.raises(ValueError, match="fewer folds"):
        list(time_folds(daily(12), 4))


def test_drawn_folds_are_stratified_and_seeded() -> None:
    """Every example is judged once, bads are dealt evenly, and the seed decides who goes where."""
    data = daily()
    folds = list(drawn_folds(data, 5, 1))
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(400))
    assert {int(data.y[held].sum()) for _, held in folds} == {20}
    assert all(not set(learn) & set(held) for learn, held in folds)
    assert [h.tolist() for _, h in drawn_folds(data, 5, 1)] == [h.tolist() for _, h in folds]
    assert [h.tolist() for _, h in drawn_folds(data, 5, 2)] != [h.tolist() for _, h in folds]
    with pytest.raises(ValueError, match="do not fill 5 folds"):
        list(drawn_folds(daily(8), 5, 1))

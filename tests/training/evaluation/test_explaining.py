"""Cut-offs against a brute walk, contributions against their sum, dependence against the declared direction."""

import numpy as np
import pytest

from engine.scoring import Scorer
from tests.training.fitting.test_models import QUICK, made
from training.data import Dataset
from training.evaluation.curves import walk
from training.evaluation.explaining import MOST_EXPLAINED, Explained, dependence, evenly, importance
from training.evaluation.ranking import auc, ks
from training.fitting import train

HALF = 1_600


def grown() -> tuple[Explained, Dataset]:
    """A model of the first rows of a small table, and the rest of it."""
    data = made()
    rows = np.arange(len(data.y)) < HALF
    model = train(data.where(rows), data.where(~rows), 3, changed=QUICK)
    return Explained(Scorer(model.model_text, data.names), model.calibration), data.where(~rows)


# -- cut-offs ------------------------------------------------------------------------------------------------


def test_a_walk_is_what_each_cut_off_rejects() -> None:
    """Every cut-off against a count by hand, ties together; the whole walk encloses the AUC and holds the KS."""
    generator = np.random.default_rng(1)
    y, weight = generator.integers(0, 2, 400).astype(float), generator.random(400)
    pd = np.asarray(np.round(np.clip(0.3 * y + generator.random(400) * 0.7, 0.01, 0.99), 2), dtype=np.float64)
    told = walk(y, pd, weight, points=1_000)
    for cut in told.cuts:
        rejected = pd >= cut.pd
        assert cut.rejected == pytest.approx(weight[rejected].sum() / weight.sum())
        assert cut.goods == pytest.approx((weight * (1 - y))[rejected].sum() / (weight * (1 - y)).sum())
        assert cut.bads == pytest.approx((weight * y)[rejected].sum() / (weight * y).sum())
    x, z = ([0.0, *(getattr(cut, name) for cut in told.cuts)] for name in ("goods", "bads"))
    assert np.trapezoid(z, x) == pytest.approx(auc(y, pd, weight))
    assert told.widest.bads - told.widest.goods == pytest.approx(ks(y, pd, weight))


def test_a_thinned_walk_keeps_its_ends_and_the_widest() -> None:
    """Few points: the last rejects all, and the KS point is among them."""
    generator = np.random.default_rng(2)
    y = generator.integers(0, 2, 5_000).astype(float)
    told = walk(y, generator.random(5_000) + 0.2 * y, np.ones(5_000), points=10)
    assert len(told.cuts) in {10, 11}
    assert told.cuts[-1].rejected == 1
    assert told.widest in told.cuts


def test_a_walk_needs_both_outcomes() -> None:
    """One outcome alone has no curve, and the error says what to do."""
    with pytest.raises(ValueError, match="widen the span"):
        walk(np.zeros(5), np.linspace(0, 1, 5), np.ones(5))


# -- explaining ----------------------------------------------------------------------------------------------


def test_importance_is_the_mean_of_exact_contributions() -> None:
    """By hand from the scorer's own, which add up to the raw score; the input that the outcome follows comes first."""
    model, data = grown()
    told = importance(model, data)
    rows = np.array([model.scorer.contributions(row) for row in data.x[evenly(len(data.y), MOST_EXPLAINED)]])
    assert rows.sum(axis=1) == pytest.approx(model.scorer.raw_many(data.x), abs=1e-9)
    first = data.names.index("a")
    by_hand = 20 / np.log(2) * model.calibration.slope * np.average(np.abs(rows[:, first]), weights=data.weight)
    assert told[0].name == "a"
    assert told[0].mean_points == pytest.approx(by_hand)
    assert [each.mean_points for each in told] == sorted((each.mean_points for each in told), reverse=True)


def test_dependence_keeps_the_declared_direction_and_shows_the_missing() -> None:
    """The PD never falls as a rises nor rises as b does; bins hold all rows once, the missing apart and last."""
    model, data = grown()
    rising = dependence(model, data, "a", model.pd(data.x))
    assert [s.answer for s in rising.steps] == sorted(s.answer for s in rising.steps)
    assert sum(s.rows for s in rising.steps) == len(data.y)
    falling = dependence(model, data, "b", model.pd(data.x))
    there = [s.answer for s in falling.steps if s.value is not None]
    assert there == sorted(there, reverse=True)
    assert falling.steps[-1].value is None
    assert falling.steps[-1].rows == np.isnan(data.x[:, 1]).sum()
    category = dependence(model, data, "d", model.pd(data.x))
    assert category.category
    assert sorted(s.value for s in category.steps if s.value is not None) == [0, 1, 2, 3]


def test_evenly_takes_the_ends_and_no_row_twice() -> None:
    """All rows where they are few, else as many as asked, first and last among them."""
    assert evenly(5, 10).tolist() == [0, 1, 2, 3, 4]
    found = evenly(1_001, 11)
    assert found.tolist() == list(range(0, 1_001, 100))

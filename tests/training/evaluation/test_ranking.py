"""Rank figures against scikit-learn, brute force and hand-worked cases."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from training.evaluation.intervals import bootstrap
from training.evaluation.ranking import auc, auc_error, average_precision, h_measure, hull, spread

Floats = NDArray[np.float64]
Case = tuple[Floats, Floats, Floats]


def case(seed: int, rows: int = 300, ties: bool = True) -> Case:
    """Outcomes, scores and weights; many scores are equal where asked."""
    generator = np.random.default_rng(seed)
    y = (generator.random(rows) < 0.3).astype(float)
    score = y + generator.normal(0, 1.5, rows)
    return y, np.round(score, 1) if ties else score, generator.random(rows) + 0.1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ties", [True, False])
def test_auc_and_precision_are_scikit_learns(seed: int, ties: bool) -> None:
    """Weighted AUC and average precision agree with scikit-learn, with ties and without."""
    y, score, weight = case(seed, ties=ties)
    assert auc(y, score, weight) == pytest.approx(roc_auc_score(y, score, sample_weight=weight))
    assert average_precision(y, score, weight) == pytest.approx(average_precision_score(y, score, sample_weight=weight))


def test_one_outcome_has_no_rank() -> None:
    """Without goods or without bads the figures are not numbers instead of nonsense."""
    ones, score = np.ones(5), np.arange(5.0)
    assert np.isnan([auc(ones, score, ones), h_measure(ones, score, ones), auc_error(ones, score, ones)]).all()
    assert np.isnan(average_precision(np.zeros(5), score, ones))


def test_the_hull_by_hand() -> None:
    """Scores 4 to 1 of bad, good, bad, good: cut-offs reject (0, .5), (.5, 1) and all; the middle one is dented."""
    goods, bads = hull(np.array([1.0, 0, 1, 0]), np.array([4.0, 3, 2, 1]), np.ones(4))
    assert goods.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert bads.tolist() == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("seed", range(4))
def test_h_measure_is_its_definition(seed: int) -> None:
    """One minus the loss at the best cut-off over that of the best blind one, averaged over Beta-weighted costs."""
    y, score, weight = case(seed, 200)
    pi = (weight * y).sum() / weight.sum()
    costs = (np.arange(40_000) + 0.5) / 40_000
    density = beta.pdf(costs, 1 + pi, 2 - pi)
    cut_offs = [np.inf, *np.unique(score)]
    goods, bads = weight * (1 - y), weight * y
    losses = [
        costs * goods[score >= cut].sum() / weight.sum() + (1 - costs) * bads[score < cut].sum() / weight.sum()
        for cut in cut_offs
    ]
    blind = np.minimum(costs * (1 - pi), (1 - costs) * pi)
    expected = 1 - (np.min(losses, axis=0) * density).sum() / (blind * density).sum()
    assert h_measure(y, score, weight) == pytest.approx(expected, abs=1e-6)


def test_h_measure_ends() -> None:
    """A perfect score saves everything, a constant nothing."""
    y = np.array([0.0, 0, 0, 1, 1])
    assert h_measure(y, y, np.ones(5)) == pytest.approx(1)
    assert h_measure(y, np.ones(5), np.ones(5)) == pytest.approx(0)


def test_delong_is_its_definition() -> None:
    """With equal weights the variance is that of DeLong's placement values, counted pair by pair."""
    y, score, _ = case(7, 120)
    bad, good = score[y == 1], score[y == 0]
    wins = (bad[:, None] > good[None, :]) + 0.5 * (bad[:, None] == good[None, :])
    expected = wins.mean(axis=1).var(ddof=1) / len(bad) + wins.mean(axis=0).var(ddof=1) / len(good)
    assert auc_error(y, score, np.ones(120)) == pytest.approx(np.sqrt(expected))
    assert spread(y, score, np.ones(120)).area == pytest.approx(wins.mean())


def test_delong_and_the_bootstrap_tell_the_same() -> None:
    """The weighted standard error is that of the stratified bootstrap, within a tenth."""
    y, score, weight = case(3, 1_500)
    low, high = bootstrap({"auc": auc}, y, score, weight, 600, 1)["auc"]
    assert (high - low) / (2 * 1.96) == pytest.approx(auc_error(y, score, weight), rel=0.1)
    assert low < auc(y, score, weight) < high


def test_the_bootstrap_is_seeded_and_stratified() -> None:
    """The same seed gives the same interval, another seed another; the number of bads never changes."""
    y, score, weight = case(3, 200)
    ones = np.ones(200)

    def rate(y: Floats, score: Floats, w: Floats) -> float:
        return float((w * y).sum() / w.sum())

    assert bootstrap({"auc": auc}, y, score, weight, 20, 1) == bootstrap({"auc": auc}, y, score, weight, 20, 1)
    assert bootstrap({"auc": auc}, y, score, weight, 20, 1) != bootstrap({"auc": auc}, y, score, weight, 20, 2)
    assert bootstrap({"rate": rate}, y, score, ones, 20, 1)["rate"] == pytest.approx((y.mean(), y.mean()))

"""Brier, log loss, the calibration line and bands, against scikit-learn and by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from training.evaluation import errors
from training.evaluation.figures import affordable, evaluate

Floats = NDArray[np.float64]


def made(rows: int = 2_000, seed: int = 1) -> tuple[Floats, Floats, Floats]:
    """Outcomes that follow their PDs, and weights."""
    generator = np.random.default_rng(seed)
    pd = 1 / (1 + np.exp(2 - generator.normal(size=rows)))
    return (generator.random(rows) < pd).astype(float), pd, generator.random(rows) + 0.2


def test_errors_are_scikit_learns() -> None:
    """Weighted Brier score and log loss agree with scikit-learn."""
    y, pd, weight = made()
    assert errors.brier(y, pd, weight) == pytest.approx(brier_score_loss(y, pd, sample_weight=weight))
    assert errors.log_loss(y, pd, weight) == pytest.approx(log_loss(y, pd, sample_weight=weight))


def test_the_line_is_the_logistic_regression() -> None:
    """Slope and intercept agree with scikit-learn's regression without regularisation, whatever the weights' unit."""
    y, pd, weight = made()
    raw = 0.5 * errors.log_odds(pd) + 1
    other = LogisticRegression(C=1e9, tol=1e-10, max_iter=1_000).fit(raw[:, None], y, weight)
    for unit in (1.0, 1e6, 1e-6):
        slope, intercept = errors.calibration_line(y, raw, weight * unit)
        assert slope == pytest.approx(other.coef_[0, 0], abs=1e-4)
        assert intercept == pytest.approx(other.intercept_[0], abs=1e-4)


def test_a_narrow_score_far_from_nought_has_a_line_too() -> None:
    """A score of a few small trees, squeezed a hundredfold about -2, gets the line a hundred times as steep."""
    y, pd, weight = made()
    slope, intercept = errors.calibration_line(y, errors.log_odds(pd), weight)
    steep, moved = errors.calibration_line(y, errors.log_odds(pd) / 100 - 2, weight)
    assert (steep, moved) == pytest.approx((100 * slope, intercept + 200 * slope))
    with pytest.raises(ValueError, match="no line"):
        errors.calibration_line(y, np.full(len(y), 0.3), weight)


def test_a_score_that_separates_has_no_line() -> None:
    """Where the score tells every bad the line runs away, and the error says so."""
    with pytest.raises(ValueError, match="did not settle"):
        errors.calibration_line(np.array([0.0, 0, 1, 1]), np.array([-2.0, -1, 1, 2]), np.ones(4))


def test_bands_by_hand() -> None:
    """Two bands of two: safest first, weighted rates, and score points that fall as the PD rises."""
    found = errors.bands(
        np.array([0.0, 1, 1, 0]), np.array([0.2, 0.1, 0.4, 0.3]), np.array([1.0, 3.0, 2.0, 2.0]), count=2
    )  # fmt: skip
    assert [(b.rows, b.bads, b.share) for b in found] == [(2, 1, 0.5), (2, 1, 0.5)]
    assert [b.bad_rate for b in found] == [0.75, 0.5]
    assert [b.mean_pd for b in found] == pytest.approx([0.125, 0.35])
    assert found[0].points_from > found[1].points_to
    assert all(b.bad_rate_low < b.bad_rate < b.bad_rate_high for b in found)


def test_equal_pds_stay_together() -> None:
    """One PD for all is one band that holds everybody."""
    found = errors.bands(np.array([0.0, 1, 0, 0]), np.full(4, 0.2), np.ones(4))
    assert [(b.rows, b.share) for b in found] == [(4, 1.0)]


@pytest.mark.parametrize(("bads", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634)])
def test_wilson_by_hand(bads: int, of: int, low: float, high: float) -> None:
    """Published values of Wilson's interval."""
    assert errors.wilson(bads / of, of) == pytest.approx((low, high), abs=1e-4)


def test_what_cannot_be_had_is_left_out_of_a_manifest() -> None:
    """Examples of one outcome have no AUC: the record says None, the manifest has no such figure, the rest stands."""
    told = evaluate(np.zeros(50), np.full(50, 0.1), np.ones(50), resamples=5)
    assert told.auc is None
    assert told.calibration_slope is None
    metrics = told.as_metrics("test")
    assert "test.auc" not in metrics
    assert metrics["test.brier"] == 0.01


def test_resamples_are_fewer_on_many_examples() -> None:
    """The interval of a large set is cheaper, and the record says by how many resamples it was made."""
    assert [affordable(rows, 200) for rows in (1_000, 400_000, 10_000_000)] == [200, 100, 20]
    assert affordable(1_000, 0) == 0
    assert evaluate(*made(500), resamples=30).resamples == 30

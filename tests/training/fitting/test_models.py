"""The champion and its challengers: weights, directions, bins, calibration, and who beats whom."""

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from engine.scoring import Calibration, parse_model
from training.data import Dataset
from training.evaluation.ranking import auc
from training.fitting import Recipe, Split, challengers, curves, fit, pds, train, train_drawn, training_weight
from training.fitting.binning import bins
from training.fitting.calibration import calibrate
from training.fitting.split import span

Floats = NDArray[np.float64]
QUICK = {"num_threads": 1, "min_data_in_leaf": 20}
SPLIT = Split(train_to=date(2024, 8, 31), validate_to=date(2024, 10, 31))


def made(rows: int = 2_400, seed: int = 1, bend: float = 0.0, timed: bool = True) -> Dataset:
    """Three numbers and a category; the outcome follows the first, the category and, as asked, a bend."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 4))
    x[:, 3] = generator.integers(0, 4, rows)
    x[generator.random(rows) < 0.1, 1] = np.nan
    pull = x[:, 0] + 0.8 * (x[:, 3] == 2) + bend * (np.abs(x[:, 2]) - 0.8)
    y = (generator.random(rows) < 1 / (1 + np.exp(1 - pull))).astype(float)
    time = np.datetime64("2024-01-01") + (np.sort(generator.integers(0, 366, rows)) if timed else np.zeros(rows, int))
    return Dataset(
        ("a", "b", "c", "d"), x, y, generator.random(rows) + 0.5, time, (1, -1, 0, 0), (3,), "made", "0" * 64
    )


# -- weights -------------------------------------------------------------------------------------------------


def test_balanced_weights_make_both_outcomes_alike() -> None:
    """Goods and bads weigh the same in all, and the whole weight stays."""
    data = made()
    weight = training_weight(data, "balanced")
    assert float((weight * data.y).sum()) == pytest.approx(float((weight * (1 - data.y)).sum()))
    assert weight.sum() == pytest.approx(data.weight.sum())
    assert training_weight(data, "sample") is data.weight


def test_weights_on_one_outcome_are_refused() -> None:
    """Where all bads weigh nothing no class weight helps, and the error names the weights."""
    data = made(100)
    data.weight[data.y == 1] = 0
    with pytest.raises(ValueError, match="all the weight is on one outcome"):
        training_weight(data, "balanced")


def test_a_span_whose_bads_weigh_nothing_is_refused() -> None:
    """Weights that leave a span without goods or bads are an error that names the span and the column."""
    data = made()
    data.weight[(data.y == 1) & (data.time > np.datetime64("2024-10-31"))] = 0
    with pytest.raises(ValueError, match="test span has all its weight on one outcome: check the weight column"):
        SPLIT.parts(data)


def test_balancing_moves_no_mean_pd() -> None:
    """Calibration goes by the examples' own weights: balanced learning leaves the validation's mean PD right."""
    learn, stop, _ = SPLIT.parts(made())
    pd = train(learn, stop, 3, "balanced", QUICK).pd(stop.x)
    rate = (stop.weight * stop.y).sum() / stop.weight.sum()
    assert (stop.weight * pd).sum() / stop.weight.sum() == pytest.approx(rate, abs=1e-4)


# -- the champion --------------------------------------------------------------------------------------------


def test_a_sure_champion_says_so_and_a_doubtful_one_too() -> None:
    """Where the outcome bends it beats both plain models; where it is straight it does not, and the verdict says it."""
    bent = fit(made(6_000, bend=2.0), SPLIT, 3, recipe=Recipe(changed=QUICK, resamples=20)).judgement
    assert [rival.contest.verdict for rival in bent.rivals] == ["better", "better"]
    straight = fit(made(1_200), SPLIT, 3, recipe=Recipe(changed=QUICK, resamples=20)).judgement
    assert "better" not in [rival.contest.verdict for rival in straight.rivals]
    assert all("would show (80 % power" in sentence for sentence in straight.verdicts)


def test_few_bads_get_small_trees() -> None:
    """Below a thousand bads trees have at most four leaves, unless told."""
    learn, stop, _ = SPLIT.parts(made())
    assert (
        max(len(t.leaf_value) for t in parse_model(train(learn, stop, 3, changed={"num_threads": 1}).model_text).trees)
        <= 4
    )
    many = train(learn, stop, 3, changed={**QUICK, "num_leaves": 12, "max_depth": 5})
    assert max(len(t.leaf_value) for t in parse_model(many.model_text).trees) > 4


def test_examples_without_time_are_fitted_by_folds() -> None:
    """Trees and line come from folds drawn by the seed: it ranks new examples, is repeatable, and is calibrated."""
    data, new = made(timed=False), made(seed=2, timed=False)
    model = train_drawn(data, 4, changed=QUICK)
    pd = model.pd(new.x)
    assert auc(new.y, pd, new.weight) > 0.7
    assert train_drawn(data, 4, changed=QUICK).model_text == model.model_text
    assert (new.weight * pd).sum() / new.weight.sum() == pytest.approx(
        (new.weight * new.y).sum() / new.weight.sum(), abs=0.04
    )


def test_a_model_that_ranks_backwards_is_refused() -> None:
    """Outcomes turned round in the validation span are an error with a remedy."""
    learn, stop, _ = SPLIT.parts(made())
    turned = Dataset(stop.names, stop.x, 1 - stop.y, stop.weight, stop.time, stop.directions, (3,), "", "")
    with pytest.raises(ValueError, match=r"backwards.*look at drift"):
        train(learn, turned, 3, changed=QUICK)


# -- calibration ---------------------------------------------------------------------------------------------


def test_the_line_keeps_order_and_pds_match_the_engines() -> None:
    """PDs are those that the engine's calibration gives one by one, and rise with the raw score."""
    line = Calibration(slope=0.8, intercept=-1.5)
    raw = np.linspace(-800, 800, 1_001)
    assert pds(line, raw) == pytest.approx([line.pd(value) for value in raw.tolist()], abs=1e-15)
    assert (np.diff(pds(line, raw)) >= 0).all()


def test_a_bent_score_is_told_by_the_curves() -> None:
    """A score whose log-odds bend is better served by isotonic, a straight one is not: the diagnostic says which."""
    generator = np.random.default_rng(1)
    raw = generator.uniform(-3, 3, 8_000)
    ones = np.ones(4_000)

    def told(odds: Floats) -> bool:
        y = (generator.random(8_000) < 1 / (1 + np.exp(-odds))).astype(float)
        first, second = (y[:4_000], raw[:4_000], ones), (y[4_000:], raw[4_000:], ones)
        return curves(first, second, calibrate(*first)).bent

    assert told(np.where(raw > 0, 3 * raw, 0.1 * raw))
    assert not told(raw)


# -- bins and challengers ------------------------------------------------------------------------------------


def test_weight_of_evidence_by_hand() -> None:
    """A category with 1 bad of 4 and one with 3 bads of 4: ln of the shares, with half an example added."""
    column = np.repeat([0.0, 1.0], 4)
    y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    made_bins = bins("c", column, y, np.ones(8), category=True)
    assert made_bins.woe.tolist() == pytest.approx(
        [np.log(1.5 / 4) - np.log(3.5 / 4), np.log(3.5 / 4) - np.log(1.5 / 4)]
    )
    assert made_bins.values(np.array([0.0, 1, 9, np.nan])).tolist() == pytest.approx([-0.8473, 0.8473, 0, 0], abs=1e-4)
    assert made_bins.information == pytest.approx(0.5 * 2 * 0.8473, abs=1e-4)


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_bins_run_one_way(direction: int) -> None:
    """Bad rates of neighbouring bins run in the declared direction, or in one of both; against it one bin is left."""
    generator = np.random.default_rng(2)
    column = generator.normal(size=4_000)
    y = (generator.random(4_000) < 1 / (1 + np.exp(1 - column))).astype(float)
    found = bins("x", column, y, np.ones(4_000), direction)
    steps = np.diff(found.woe)
    assert (steps > 0).all()
    assert (len(found.woe) == 1) == (direction == -1)
    assert len(found.woe) < 20


def test_missing_values_have_evidence_of_their_own() -> None:
    """Missing is riskier here, and its weight of evidence says so."""
    generator = np.random.default_rng(3)
    column = generator.normal(size=2_000)
    gone = generator.random(2_000) < 0.3
    y = (generator.random(2_000) < np.where(gone, 0.6, 0.2)).astype(float)
    found = bins("x", np.where(gone, np.nan, column), y, np.ones(2_000))
    assert found.missing > found.woe.max()


def test_the_logistic_regression_is_scikit_learns_own() -> None:
    """On plain numbers it is the regression one would write: standardised, weighted, then calibrated."""
    data = made()
    x = data.x[:, [0, 2]]
    plain = Dataset(("a", "c"), x, data.y, data.weight, data.time, (0, 0), (), "", "")
    learn, stop = span(plain, None, date(2024, 8, 31)), span(plain, date(2024, 9, 1), None)
    _, logistic = challengers(learn, stop, learn.weight)
    scaled = (learn.x - learn.x.mean(axis=0)) / learn.x.std(axis=0)
    other = LogisticRegression().fit(scaled, learn.y, learn.weight / learn.weight.mean())
    expected = other.decision_function((stop.x - learn.x.mean(axis=0)) / learn.x.std(axis=0))
    assert logistic.raw(stop.x) == pytest.approx(expected, abs=1e-3)


def test_challengers_take_missing_and_new_categories() -> None:
    """A row of nothing known and a category never seen still get a PD."""
    learn, stop, _ = SPLIT.parts(made())
    for other in challengers(learn, stop, learn.weight):
        pd = other.pd(np.array([[np.nan, np.nan, np.nan, np.nan], [0.0, 0.0, 0.0, 77.0]]))
        assert ((pd > 0) & (pd < 1)).all()


def test_the_scorecard_leaves_out_what_turns_a_bin_round() -> None:
    """No used bin has a negative weight, and a column without information is not used."""
    data = made()
    data.x[:, 2] = 1.0
    learn, stop, _ = SPLIT.parts(data)
    card, _ = challengers(learn, stop, learn.weight)
    assert min(card.coefficients) > 0
    assert {b.name for b in card.bins} >= {"a", "d"}
    assert "c" not in {b.name for b in card.bins}

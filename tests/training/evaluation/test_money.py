"""Profit under the price grid, expected maximum profit, swap sets and bounds."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.policy import PolicyBook
from training.evaluation.profit import Prices, emp, loss_masses, profit
from training.evaluation.swaps import bounds, safest, swap

Floats = NDArray[np.float64]
PRICES = Prices.of(
    PolicyBook.parse((Path(__file__).parents[3] / "training" / "policy.toml").read_text()).on(date(2026, 1, 1))
)
SIMPLE = Prices(
    policy="two-grades", grades=("A", "B"), pd_most=(0.1, 0.2), good_cents=(100, 300), bad_cents=(-900, -700),
    exposure_cents=10_000, loss_given_default=0.65,
)  # fmt: skip


def test_a_line_is_valued_as_the_economics_say() -> None:
    """Grade A at 1.20 % a month, 40,000 drawn of 60,000: worked by hand from the policy's assumptions."""
    revenue = 12 * (4_000_000 * 120 // 10_000 + 2_500)  # interest, and the minimum fee of $25
    funding = 4_000_000 * 0.075 * 0.9
    assert PRICES.good_cents[0] == revenue - funding - 90_000
    assert PRICES.bad_cents[0] == PRICES.good_cents[0] - 0.65 * 4_800_000
    assert PRICES.exposure_cents == 4_800_000


def test_profit_by_hand() -> None:
    """Three approved of four: a good and a bad at grade A, a good at B, one beyond the grades."""
    y, pd = np.array([0.0, 1, 0, 1]), np.array([0.05, 0.10, 0.2, 0.3])
    told = profit(y, pd, np.ones(4), SIMPLE, points=4)
    assert told.approval_rate == 0.75
    assert told.bad_rate_approved == pytest.approx(1 / 3)
    assert told.realised_cents == (100 - 900 + 300) / 4
    assert told.expected_cents == pytest.approx((95 - 45 + 90 - 90 + 240 - 140) / 4)
    assert (told.best_approval_rate, told.best_cents) == (0.25, 25)
    assert told.curve == ((0.25, 25.0), (0.5, -200.0), (0.75, -125.0), (1.0, -300.0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("nothing", "everything"), [(0.55, 0.1), (0.175, 0.475)])
def test_emp_is_its_definition(seed: int, nothing: float, everything: float) -> None:
    """The best cut-off's profit for each loss, averaged over the published distribution of losses, by brute force."""
    generator = np.random.default_rng(seed)
    y = (generator.random(150) < 0.25).astype(float)
    pd: Floats = np.round(np.clip(0.2 + 0.15 * y + generator.normal(0, 0.2, 150), 0, 1), 2).astype(np.float64)
    weight = generator.random(150)
    roi, share = 0.2644, weight / weight.sum()
    cut_offs = [np.inf, *np.unique(pd)]
    saved = np.array([(share * y)[pd >= cut].sum() for cut in cut_offs])
    cost = np.array([roi * (share * (1 - y))[pd >= cut].sum() for cut in cut_offs])
    rejected = np.array([share[pd >= cut].sum() for cut in cut_offs])
    losses = (np.arange(20_000) + 0.5) / 20_000
    at = [int((loss * saved - cost).argmax()) for loss in losses]
    gain = (1 - nothing - everything) * float(np.mean(losses * saved[at] - cost[at])) + everything * (
        saved - cost
    ).max()
    whom = (1 - nothing - everything) * rejected[at].mean() + everything * rejected[int((saved - cost).argmax())]
    assert emp(y, pd, weight, roi, nothing, everything) == pytest.approx((gain, whom), abs=1e-4)


@pytest.mark.parametrize("mean", [0.0, 0.275, 0.65, 1.0])
def test_losses_have_the_policys_mean(mean: float) -> None:
    """Masses at nothing and at all, and an even share between: probabilities whose mean is the one asked for."""
    nothing, everything = loss_masses(mean)
    assert min(nothing, everything) >= 0
    assert nothing + everything <= 1 + 1e-12
    assert everything + (1 - nothing - everything) / 2 == pytest.approx(mean)
    assert loss_masses(0.275) == pytest.approx((0.55, 0.1))  # the published form


def test_the_safest_are_taken_up_to_the_rate() -> None:
    """Weights count: the safest that come nearest to half the weight."""
    assert safest(np.array([0.3, 0.1, 0.2]), np.array([2.0, 1.0, 1.0]), 0.5).tolist() == [False, True, True]


def test_a_swap_set_by_hand() -> None:
    """Two approved of four by each: one by both, one in, one out, with observed bad rates."""
    y = np.array([0.0, 1, 0, 1])
    champion, challenger = np.array([0.05, 0.06, 0.2, 0.3]), np.array([0.05, 0.3, 0.1, 0.2])
    told = swap(y, champion, challenger, np.ones(4), 0.5, SIMPLE)
    assert [g.rows for g in (told.both, told.swap_in, told.swap_out, told.neither)] == [1, 1, 1, 1]
    assert (told.swap_in.bad_rate, told.swap_out.bad_rate) == (0, 1)
    assert told.bad_rate_change == -0.5
    assert told.bounds is not None
    assert told.bounds.unknown_share == 0
    assert told.bounds.best_cents == told.bounds.worst_cents == 100
    # Nothing is unknown, so break-even is that of the whole swap-in: 100 / (100 + 900), the PD said being 0.1.
    assert (told.bounds.break_even_bad_rate, told.bounds.break_even_multiple) == (0.1, 1.0)


def test_the_same_model_swaps_nobody() -> None:
    """A model in its own place has no swap set and no bounds."""
    pd = np.array([0.1, 0.2, 0.3])
    assert swap(np.zeros(3), pd, pd, np.ones(3), 0.7, SIMPLE).bounds is None


def test_bounds_and_break_even_by_hand() -> None:
    """One known good and three unknown at grade A: 100 a good, -900 a bad."""
    y, pd = np.array([0.0, np.nan, np.nan, np.nan]), np.array([0.1, 0.04, 0.04, 0.04])
    told = bounds(y, pd, np.ones(4), np.ones(4, dtype=bool), SIMPLE)
    assert told.unknown_share == 0.75
    assert (told.best_bad_rate, told.worst_bad_rate) == (0.0, 0.75)
    assert told.estimate_bad_rate == pytest.approx(0.03)
    assert (told.best_cents, told.worst_cents) == (100, -650)
    # At break-even b: (100 + 3 (100 - 1000 b)) / 4 = 0, so b = 400 / 3000; over the PD of 0.04 that is 3.33 times.
    assert told.break_even_bad_rate == pytest.approx(0.4 / 3)
    assert told.break_even_multiple == pytest.approx(0.4 / 3 / 0.04)

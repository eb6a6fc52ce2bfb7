"""The stopping rule: false stops are bounded at every look at once, and planted differences are found."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.stopping import TESTS, Tally, Terms, difference, interval, judge

RUNS, LOOKS = 150, tuple(range(25, 1_501, 50))
SLACK = 0.05  # nearly three standard errors of a share of 5 % in 150 runs


def terms(**changes: float) -> Terms:
    """A plan's terms: 5 % for one stage, nothing tolerated but chance, unless a test says otherwise."""
    told = {
        "alpha": 0.05, "looks": 1, "expected": 0.0, "margin": 0.0, "most_differing": 1.0, "least_compared": 500,
        "least_made": 20,
    }  # fmt: skip
    return Terms(**(told | changes))  # type: ignore[arg-type]


def stopped(tallies: NDArray[np.int64], told: Terms, *, split: bool = False) -> bool:
    """Whether somebody who looks again and again ever sees a stop; a row is one look's counts."""
    return any(judge(Tally(*map(int, row)), told, split=split).stops for row in tallies)


def paired(rng: np.random.Generator, gained: float, lost: float) -> NDArray[np.int64]:
    """Counts at every look of one run in shadow, where so many in all are gained and lost."""
    drawn = rng.random(LOOKS[-1])
    up, down = np.cumsum(drawn < gained), np.cumsum((drawn >= gained) & (drawn < gained + lost))
    looks = np.array(LOOKS)
    nothing = np.zeros_like(looks)
    return np.column_stack([looks, up[looks - 1], down[looks - 1], up[looks - 1] + down[looks - 1], *[nothing] * 4])


def apart(rng: np.random.Generator, champion: float, challenger: float, share: float) -> NDArray[np.int64]:
    """Counts at every look of one run of a split with these approval rates, each decision the same beside."""
    looks = np.array(LOOKS)
    challenged = rng.random(LOOKS[-1]) < share
    approved = rng.random(LOOKS[-1]) < np.where(challenged, challenger, champion)
    sums = [
        np.cumsum(each)[looks - 1] for each in (~challenged, ~challenged & approved, challenged, challenged & approved)
    ]
    nothing = np.zeros_like(looks)
    return np.column_stack([looks, nothing, nothing, nothing, *sums])


@pytest.mark.parametrize("moved", [0.005, 0.05, 0.25])
def test_without_a_difference_hardly_any_run_in_shadow_is_ever_stopped(moved: float) -> None:
    """As many gained as lost: of 150 runs that are looked at 30 times each, no more than alpha stop."""
    rng = np.random.default_rng(1)
    stops = sum(stopped(paired(rng, moved, moved), terms()) for _ in range(RUNS))
    assert stops / RUNS <= 0.05 + SLACK


@pytest.mark.parametrize(("rate", "share"), [(0.1, 0.25), (0.5, 0.05), (0.9, 1.0)])
def test_without_a_difference_hardly_any_split_is_ever_stopped(rate: float, share: float) -> None:
    """The same for two arms, however uneven."""
    rng = np.random.default_rng(2)
    stops = sum(stopped(apart(rng, rate, rate, share), terms(), split=True) for _ in range(RUNS))
    assert stops / RUNS <= 0.05 + SLACK


def test_at_the_edge_of_what_is_tolerated_hardly_any_run_is_stopped() -> None:
    """The bound holds for every challenger that keeps to its plan, the worst of them too."""
    rng = np.random.default_rng(3)
    told = terms(margin=0.03, expected=0.02, most_differing=0.11)
    stops = sum(stopped(paired(rng, 0.08, 0.03), told) for _ in range(RUNS))
    assert stops / RUNS <= 0.05 + SLACK


@pytest.mark.parametrize("moved", [(0.00, 0.08), (0.14, 0.03)])
def test_a_planted_difference_is_found(moved: tuple[float, float]) -> None:
    """Ten points of approvals lost or gained where five are tolerated: nearly every run stops within 1,500."""
    rng = np.random.default_rng(4)
    stops = sum(stopped(paired(rng, *moved), terms(margin=0.03)) for _ in range(100))
    assert stops >= 95


def test_a_planted_difference_between_arms_is_found() -> None:
    """Seventy against forty per cent in a split of a quarter is stopped."""
    rng = np.random.default_rng(5)
    found = [stopped(apart(rng, 0.7, 0.4, 0.25), terms(margin=0.02), split=True) for _ in range(100)]
    assert sum(found) >= 95


def test_too_many_different_outcomes_are_found_where_approvals_balance() -> None:
    """As many gained as lost, and one in five apart where one in twenty is tolerated."""
    judged = judge(Tally(1_000, 100, 100, 200), terms(margin=0.05, most_differing=0.05), split=False)
    assert (judged.says, judged.stops) == ("outcomes", True)


@given(st.integers(0, 3_000), st.data())
def test_an_interval_holds_its_rate_and_no_ruled_out_one(trials: int, data: st.DataObject) -> None:
    """Its ends are where the mixture of likelihood ratios reaches 1/alpha, worked out in whole numbers' own way."""
    successes = data.draw(st.integers(0, trials))
    low, high = interval(successes, trials, 0.01)
    assert 0.0 <= low <= high <= 1.0
    if trials:
        assert low <= successes / trials <= high
    for edge in (low, high):
        if 0.0 < edge < 1.0:
            assert abs(log_mixture(successes, trials) - log_likelihood(successes, trials, edge) - log(100)) < 1e-6


def log_mixture(successes: int, trials: int) -> float:
    """log B(k + 1/2, n - k + 1/2) / B(1/2, 1/2), as the chance of one order of events in Polya's urn."""
    told = sum(log((2 * each + 1) / 2) for each in range(successes))
    told += sum(log((2 * each + 1) / 2) for each in range(trials - successes))
    return told - sum(log(each + 1) for each in range(trials))


def log_likelihood(successes: int, trials: int, p: float) -> float:
    """The log of the chance of one order of events."""
    return successes * log(p) + (trials - successes) * log(1 - p)


def test_the_first_looks_say_nothing() -> None:
    """No count at all, and a handful, rule out nothing that matters."""
    assert interval(0, 0, 0.05) == (0.0, 1.0)
    assert difference((0, 0), (0, 0), 0.05) == (-1.0, 1.0)
    assert judge(Tally(), terms(), split=False).says == "wait"


def test_more_of_the_same_narrows() -> None:
    """The same rate on ten times as many is known better, and a smaller alpha asks for more."""
    few, many = interval(30, 100, 0.05), interval(300, 1_000, 0.05)
    assert few[0] < many[0] < 0.3 < many[1] < few[1]
    assert interval(30, 100, 0.001)[1] > few[1]


def test_enough_takes_its_least_numbers_and_in_a_split_its_own_decisions() -> None:
    """A stage is done with enough compared, and where the challenger decides, with enough of its own."""
    shadow = Tally(compared=500)
    assert judge(Tally(compared=499), terms(), split=False).says == "wait"
    assert judge(shadow, terms(), split=False).says == "enough"
    assert judge(shadow, terms(), split=True).says == "wait"
    assert judge(Tally(500, champion_made=480, challenger_made=20), terms(), split=True).says == "enough"


def test_alpha_is_spread_over_stages_and_tests() -> None:
    """With ten stages each test has a thirtieth of alpha, so its interval is that of the smaller one."""
    judged = judge(Tally(1_000, 40, 10, 50), terms(looks=10, margin=1.0), split=False)
    assert judged.differing == interval(50, 1_000, 0.05 / (10 * TESTS))


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int]) -> None:
    """More successes than trials, or fewer than none."""
    with pytest.raises(ValueError, match="between none and all"):
        interval(*counts, 0.05)


def test_the_exact_chance_of_ever_ruling_out_the_truth() -> None:
    """Of all orders of 200 fair events, worked out exactly: the true half is ever ruled out in at most alpha."""
    alpha, alive, lost = 0.05, {0: 1.0}, 0.0
    for trials in range(1, 201):
        after: dict[int, float] = {}
        for successes, chance in alive.items():
            for more in (0, 1):
                after[successes + more] = after.get(successes + more, 0.0) + chance / 2
        alive = {}
        for successes, chance in after.items():
            low, high = interval(successes, trials, alpha)
            if low <= 0.5 <= high:
                alive[successes] = chance
            else:
                lost += chance
    assert 0.001 < lost <= alpha
    assert abs(sum(alive.values()) + lost - 1) < 1e-12

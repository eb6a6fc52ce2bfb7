"""Calibration, points, horizons and grades against the scale's published vectors.

The scale (600 points at odds of 30 to 1, 20 points to double the odds) and its vectors were computed
apart from the code under test.
"""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.scoring import (
    PD_CEILING,
    PD_FLOOR,
    Calibration,
    Row,
    Score,
    grade_of,
    pd_over_months,
    score,
    score_points,
)

GRADES = (("A", 0.02), ("B", 0.04), ("C", 0.08))


class Linear:
    """A scorer whose raw score is the plain sum of its features, each contributing itself."""

    def __init__(self, *names: str) -> None:
        self.feature_names = names

    def raw(self, row: Row) -> float:
        """The sum."""
        return float(np.sum(row))

    def raw_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The raw score of each row."""
        return np.array([self.raw(row) for row in rows])

    def contributions(self, row: Row) -> NDArray[np.float64]:
        """Each value, and a base of nothing."""
        return np.append(np.asarray(row, dtype=np.float64), 0.0)


@pytest.mark.parametrize(
    ("pd", "points"),
    [
        *((0.01, 634.45), (0.02, 614.16), (0.04, 593.56), (0.05, 586.82)),
        *((0.08, 572.33), (0.10, 565.26), (0.15, 551.91), (0.20, 541.86)),
    ],
)
def test_points_follow_the_scale(pd: float, points: float) -> None:
    """The eight vectors of the scale."""
    assert round(score_points(pd), 2) == points


def test_odds_of_thirty_are_six_hundred_and_doubling_them_adds_twenty() -> None:
    """The two facts that define the scale."""
    assert score_points(1 / 31) == pytest.approx(600.0, abs=1e-9)
    assert score_points(1 / 61) == pytest.approx(620.0, abs=1e-9)


@pytest.mark.parametrize("pd", [0.0, 1.0, -0.1, 1.1, float("nan")])
def test_points_exist_only_strictly_inside_zero_and_one(pd: float) -> None:
    """A certain PD has no log-odds."""
    with pytest.raises(ValueError, match="PD"):
        score_points(pd)


@pytest.mark.parametrize(("months", "percent"), [(1, 0.3396), (6, 2.0204), (12, 4.0), (24, 7.84)])
def test_four_per_cent_a_year_over_other_horizons(months: int, percent: float) -> None:
    """4 % in 12 months is 0.3396 % in one, 2.0204 % in 6 and 7.84 % in 24."""
    assert round(100 * pd_over_months(0.04, months), 4) == percent


def test_horizons_at_the_ends() -> None:
    """No time, no default; a certain default stays certain; nonsense is refused."""
    assert pd_over_months(0.3, 0) == 0.0
    assert pd_over_months(1.0, 3) == 1.0
    assert pd_over_months(0.0, 60) == 0.0
    with pytest.raises(ValueError, match="PD"):
        pd_over_months(1.2, 12)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 100), st.floats(-50, 50))
def test_a_calibrated_pd_stays_inside_its_bounds(raw: float, slope: float, intercept: float) -> None:
    """Whatever the raw score, the PD is the logistic of the line, held at floor and ceiling."""
    pd = Calibration(slope=slope, intercept=intercept).pd(raw)
    assert PD_FLOOR <= pd <= PD_CEILING
    line = slope * raw + intercept
    if abs(line) < 9:
        assert pd == pytest.approx(1 / (1 + math.exp(-line)), rel=1e-12)


@given(st.floats(-20, 20), st.floats(0, 5))
def test_a_higher_raw_score_is_never_a_lower_pd(raw: float, more: float) -> None:
    """Calibration keeps the model's order."""
    line = Calibration(slope=0.8, intercept=-1.0)
    assert line.pd(raw) <= line.pd(raw + more)


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (-1.0, 0.0), (float("inf"), 0.0), (1.0, float("nan"))])
def test_a_calibration_that_turns_or_loses_the_order_cannot_be_built(slope: float, intercept: float) -> None:
    """The slope is above zero and both numbers are finite."""
    with pytest.raises(ValueError, match="validation error"):
        Calibration(slope=slope, intercept=intercept)


def test_a_grade_covers_pds_up_to_its_bound() -> None:
    """Bounds belong to the better grade, in floats or decimals; beyond the last there is no grade."""
    assert [grade_of(pd, GRADES) for pd in (0.0001, 0.02, 0.0201, 0.08, 0.0801)] == ["A", "A", "B", "C", None]
    assert grade_of(0.02, (("A", Decimal("0.02")), ("B", Decimal("0.04")))) == "A"


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.floats(0.2, 3), st.floats(-8, 2))
def test_contributions_in_points_add_up_to_the_score(row: list[float], slope: float, intercept: float) -> None:
    """Base and features sum to the points, and a feature that raises the PD takes points away."""
    calibration = Calibration(slope=slope, intercept=intercept)
    found = score(row, Linear("a", "b", "c"), calibration, GRADES)
    assert found.base_points + math.fsum(points for _, points in found.contributions) == pytest.approx(
        found.points, abs=1e-6
    )
    assert found.points == round(score_points(found.pd), 2)
    for (_, points), value in zip(found.contributions, row, strict=True):
        assert points == pytest.approx(-20 / math.log(2) * slope * value, abs=1e-4)


def test_a_score_holds_exactly_what_a_record_keeps() -> None:
    """recorded() rounds PD and raw score to four decimals and leaves grade and points as they were."""
    found = score([0.1234567, -3.9], Linear("sales", "age"), Calibration(slope=1.0, intercept=0.0), GRADES)
    kept = found.recorded()
    assert (kept.pd, kept.raw) == (round(found.pd, 4), -3.7765)
    assert (kept.grade, kept.points, kept.contributions) == (found.grade, found.points, found.contributions)
    assert all(repr(points) == repr(round(points, 4)) for _, points in kept.contributions)


def test_the_grade_is_that_of_the_recorded_pd() -> None:
    """A PD that is recorded as 0.0200 has the grade of 0.0200, though its hidden digits lie above."""
    raw = math.log(0.020001 / 0.979999)
    found = score([raw], Linear("only"), Calibration(slope=1.0, intercept=0.0), GRADES)
    assert found.pd > 0.02
    assert (found.recorded().pd, found.grade) == (0.02, "A")


def test_a_pd_held_at_its_floor_still_adds_up() -> None:
    """Where the PD was held, the base takes up the difference."""
    found = score([-40.0], Linear("only"), Calibration(slope=1.0, intercept=0.0), GRADES)
    assert found.pd == PD_FLOOR
    assert found.base_points + found.contributions[0][1] == pytest.approx(found.points, abs=1e-6)


def test_a_score_that_does_not_add_up_cannot_be_built() -> None:
    """Illegal scores are refused on construction."""
    with pytest.raises(ValueError, match="add up"):
        Score(pd=0.02, points=614.16, grade="A", base_points=600.0, contributions=(("a", 1.0),), raw=0.0)
    with pytest.raises(ValueError, match="PD"):
        Score(pd=0.0, points=614.16, grade="A", base_points=614.16, contributions=(), raw=0.0)

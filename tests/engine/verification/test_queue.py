"""The order of the queue and the forecast."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.verification.queue import chance_of_change, forecast, order_reason, queue_at, rank

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
exposures = st.integers(500_000, 30_000_000)


@given(moments)
def test_a_deadline_has_the_quarter_of_an_hour_that_it_lies_in(due_at: datetime) -> None:
    """Down to the last quarter, and the same for all of one quarter."""
    place = queue_at(due_at)
    assert place <= due_at < place + QUARTER
    assert (place.minute % 15, place.second, place.microsecond) == (0, 0, 0)


@given(st.tuples(moments, st.integers(0, 10_000), exposures), st.tuples(moments, st.integers(0, 10_000), exposures))
def test_no_case_waits_for_one_that_is_due_much_later(
    one: tuple[datetime, int, int], two: tuple[datetime, int, int]
) -> None:
    """Whatever they are worth, a deadline that is a quarter of an hour earlier goes first."""
    first, second = ((queue_at(due), rank(bps, cents)) for due, bps, cents in (one, two))
    if one[0] + QUARTER <= two[0]:
        assert first < second


def test_among_near_ties_what_may_change_most_goes_first() -> None:
    """Chance of changing the outcome times exposure: a likelier and a larger one first; no chance is no hurry."""
    assert rank(5_000, 10_000_000) < rank(4_000, 10_000_000) < rank(4_000, 2_000_000) < rank(0, 30_000_000) == 0
    assert rank(10_000, 30_000_000) == -30_000_000


@pytest.mark.parametrize(
    ("minutes", "place", "said"),
    [
        (95, 0, "due in 1 h 35 min"),
        (1_440, -123_456, "due in 24 h 00 min; $1,234 expected to depend on it"),
        (0, 0, "due in 0 h 00 min"),
        (-1, -500, "past its 24 hours"),
    ],
)
def test_the_reason_of_a_place_is_said(minutes: int, place: int, said: str) -> None:
    """Time left, and what is expected to depend on it where that broke a tie."""
    assert order_reason(NOON + timedelta(minutes=minutes), place, NOON) == said


# -- forecast ------------------------------------------------------------------------------------------------


def ahead(cases: int, minutes: float, left: float) -> tuple[tuple[float, float], ...]:
    """So many cases of so many minutes each, all due after as many."""
    return tuple((minutes * n, left) for n in range(1, cases + 1))


def test_the_ends_of_the_forecast() -> None:
    """Nothing to do is done; nobody does nothing; ample time is certain and no time hopeless."""
    assert forecast((), 0) == 1.0
    assert forecast(ahead(1, 20, 600), 0) == 0.0
    assert forecast(ahead(10, 20, 6_000), 2) == pytest.approx(1, abs=1e-6)
    assert forecast(ahead(10, 20, -60), 2) == pytest.approx(0, abs=1e-6)
    assert forecast(ahead(1, 20, 20), 1) == pytest.approx(0.5)


def test_three_people_do_not_share_one_case() -> None:
    """One case takes one person its whole time, however many there are."""
    assert forecast(ahead(1, 60, 30), 3) == forecast(ahead(1, 60, 30), 1) < 0.25


@given(st.integers(1, 30), st.integers(1, 120), st.integers(0, 3_000), st.integers(1, 8))
def test_more_people_more_time_or_less_work_never_hurt(cases: int, minutes: int, left: int, people: int) -> None:
    """The chance lies between 0 and 1 and goes the right way with each of them."""
    chance = forecast(ahead(cases, minutes, left), people)
    assert 0 <= chance <= 1
    assert forecast(ahead(cases, minutes, left + 30), people) >= chance
    assert forecast(ahead(cases + 1, minutes, left), people) <= chance
    assert forecast(ahead(cases, minutes, left), people + 1) >= chance


@pytest.mark.parametrize(("cases", "minutes", "left", "people"), [(6, 30, 120, 2), (12, 25, 110, 3), (4, 40, 200, 1)])
def test_it_is_on_the_low_side_of_what_a_simulation_finds(cases: int, minutes: int, left: int, people: int) -> None:
    """Against 4,000 simulated afternoons with the same times a case: never promised more than 8 points above."""
    draws, kept = random.Random(7), 0
    for _ in range(4_000):
        free = [0.0] * people
        for _ in range(cases):
            free.sort()
            free[0] += max(draws.gauss(minutes, minutes / 2), 1.0)
        kept += max(free) <= left
    assert forecast(ahead(cases, minutes, left), people) <= kept / 4_000 + 0.08


def test_a_case_with_more_against_it_is_likelier_to_change() -> None:
    """Each failed, doubtful or unread check adds; a clean case has a little, and nothing is certain."""
    clean = chance_of_change(["pass", "pass"])
    assert 0 < clean < chance_of_change(["unread"]) < chance_of_change(["warn"]) < chance_of_change(["fail"])
    assert chance_of_change(["fail"] * 50) == 9_000
    assert rank(chance_of_change(["fail"]), 100) < rank(clean, 100)

"""Periods of documents in a row: gaps, overlaps and what is missing are found, whatever the order they came in."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.verification.documents import KINDS
from engine.verification.periods import PERIODIC, Period, coverage, periods_of

FIRST = date(2025, 1, 1)
DAY = timedelta(days=1)
QUARTERS: list[Period] = [
    (date(2025, 10, 1), date(2025, 12, 31)),
    (date(2026, 1, 1), date(2026, 3, 31)),
    (date(2026, 4, 1), date(2026, 6, 30)),
    (date(2026, 7, 1), date(2026, 9, 30)),
]
YEAR = date(2025, 10, 1), date(2026, 9, 30)
PERIODS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 25)).map(
        lambda each: (FIRST + each[0] * DAY, FIRST + (each[0] + each[1]) * DAY)
    ),
    max_size=6,
)


@given(st.permutations(range(4)), st.integers(0, 3))
def test_four_quarters_follow_one_another_in_any_order(order: list[int], again: int) -> None:
    """They cover the year whole, also where one of them was sent twice."""
    found = coverage("activity_statement", [*(QUARTERS[each] for each in order), QUARTERS[again]], YEAR)
    assert found.contiguous
    assert found.whole
    assert (found.gaps, found.overlaps, found.missing) == ((), (), ())
    assert found.covered_days == found.wanted_days == 365


def test_a_quarter_that_is_not_there_is_a_gap_and_missing() -> None:
    """The days between its neighbours are named, and counted as not covered."""
    found = coverage("activity_statement", [QUARTERS[0], QUARTERS[2], QUARTERS[3]], YEAR)
    assert not found.contiguous
    assert not found.whole
    assert found.gaps == found.missing == (QUARTERS[1],)
    assert found.covered_days == 365 - 90


def test_the_first_or_last_quarter_missing_is_no_gap_but_not_whole() -> None:
    """What is there is contiguous; what was wanted is not covered."""
    for gone in (0, 3):
        found = coverage("activity_statement", [each for each in QUARTERS if each is not QUARTERS[gone]], YEAR)
        assert found.contiguous
        assert not found.whole
        assert found.gaps == ()
        assert found.missing == (QUARTERS[gone],)


def test_what_covers_more_than_wanted_is_whole() -> None:
    """Days before and after the wanted time do no harm and are not counted."""
    found = coverage("bank_statement", [(date(2026, 1, 1), date(2026, 6, 30))], (date(2026, 2, 1), date(2026, 2, 28)))
    assert found.whole
    assert found.covered_days == found.wanted_days == 28


def test_bank_statements_may_share_the_day_on_which_one_ends() -> None:
    """A day in common is usual of banks and an overlap of activity statements; two days are one of both."""
    one, other = (date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 1, 31), date(2026, 2, 28))
    assert coverage("bank_statement", [one, other]).contiguous
    assert coverage("activity_statement", [one, other]).overlaps == ((one[1], one[1]),)
    earlier = other[0] - DAY, other[1]
    assert coverage("bank_statement", [one, earlier]).overlaps == ((earlier[0], one[1]),)


def test_a_period_inside_another_is_an_overlap() -> None:
    """A month's statement beside its quarter's: the month is covered twice, and no gap comes after it."""
    month = date(2025, 11, 1), date(2025, 11, 30)
    found = coverage("activity_statement", [QUARTERS[0], month, QUARTERS[1]])
    assert found.overlaps == (month,)
    assert found.gaps == ()
    assert not found.contiguous


def test_a_period_that_ends_before_it_begins_counts_for_nothing() -> None:
    """It is told, it covers no day, and what is there is not called contiguous."""
    wrong = date(2026, 3, 31), date(2026, 1, 1)
    found = coverage("activity_statement", [QUARTERS[0], wrong], YEAR)
    assert found.backwards == (wrong,)
    assert not found.contiguous
    assert found.covered_days == 92


def test_no_periods_cover_nothing() -> None:
    """All of the wanted time is missing; where nothing is wanted either, nothing is."""
    found = coverage("bank_statement", [], YEAR)
    assert (found.contiguous, found.missing, found.covered_days) == (False, (YEAR,), 0)
    assert coverage("bank_statement", []).wanted_days == 0


def test_the_last_day_of_the_calendar_is_a_day() -> None:
    """A mistyped year does not end in an error."""
    found = coverage("bank_statement", [(date.min, date(2026, 1, 1)), (date(2026, 1, 2), date.max)])
    assert found.whole
    assert found.covered_days == date.max.toordinal()


@given(PERIODS, st.tuples(st.integers(0, 60), st.integers(0, 60)), st.sampled_from(sorted(PERIODIC)))
def test_days_are_counted_as_a_list_of_days_counts_them(
    periods: list[Period], span: tuple[int, int], kind: str
) -> None:
    """Gaps, missing days and coverage are those of writing every day down."""
    wanted = FIRST + span[0] * DAY, FIRST + (span[0] + span[1]) * DAY
    found = coverage(kind, periods, wanted)
    days = {first + n * DAY for first, last in periods for n in range((last - first).days + 1)}
    asked = {wanted[0] + n * DAY for n in range(span[1] + 1)}
    told = {first + n * DAY for first, last in found.missing for n in range((last - first).days + 1)}
    assert told == asked - days
    assert found.covered_days == len(asked & days)
    assert found.wanted_days == len(asked)
    between = {min(days) + n * DAY for n in range((max(days) - min(days)).days)} - days if days else set()
    assert {first + n * DAY for first, last in found.gaps for n in range((last - first).days + 1)} == between
    assert found.contiguous == (bool(periods) and not found.gaps and not found.overlaps)


def test_periods_are_taken_from_values_that_have_both_days() -> None:
    """As recorded or as read, both are ISO text; a document without one of them says no period."""
    said = [{"period_from": "2026-01-01", "period_to": "2026-03-31", "sales_cents": 1}, {"period_to": "2026-06-30"}]
    assert periods_of(said) == (QUARTERS[1],)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(PERIODIC))
def test_kinds_with_periods_record_them(kind: str) -> None:
    """Each kind that is held against itself records both days of its period."""
    assert {"period_from", "period_to"} <= {field.name for field in KINDS[kind].fields}
    assert {each.name for each in KINDS.values() if {"period_from"} <= {f.name for f in each.fields}} == PERIODIC

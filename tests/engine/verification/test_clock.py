"""The clock: 24 elapsed hours, whatever the faces of clocks in Sydney show, and only the applicant stops it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.store.queries.case_work import ALERT_HOURS as STORED_ALERT_HOURS
from engine.verification.clock import ALERT_HOURS, FIRST_TOUCH, PROMISE, Clock, clock_of

SYDNEY = ZoneInfo("Australia/Sydney")
BEGUN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
spans = st.timedeltas(timedelta(), timedelta(days=3))


@pytest.mark.parametrize(
    ("evening", "due"),
    [
        (datetime(2026, 10, 3, 20, tzinfo=SYDNEY), datetime(2026, 10, 4, 21, tzinfo=SYDNEY)),  # an hour is skipped
        (datetime(2027, 4, 3, 20, tzinfo=SYDNEY), datetime(2027, 4, 4, 19, tzinfo=SYDNEY)),  # an hour comes twice
    ],
)
def test_daylight_saving_changes_nothing(evening: datetime, due: datetime) -> None:
    """24 hours are 24 hours: in Sydney's faces an hour more or less on the two Sundays of 2026 and 2027."""
    clock = Clock().started(evening)
    assert clock.due_at == due.astimezone(UTC)
    assert clock.elapsed(due) == PROMISE
    assert clock.elapsed(due.astimezone(UTC)) == PROMISE


def test_a_pause_over_daylight_saving_is_as_long_as_it_was() -> None:
    """Stopped at 20:00 and going on at 21:00 the next day, with an hour skipped between: 24 hours stood."""
    clock = Clock().started(datetime(2026, 10, 3, 19, tzinfo=SYDNEY)).stopped(datetime(2026, 10, 3, 20, tzinfo=SYDNEY))
    clock = clock.started(datetime(2026, 10, 4, 21, tzinfo=SYDNEY))
    assert (clock.paused, clock.elapsed(datetime(2026, 10, 4, 22, tzinfo=SYDNEY))) == (24 * HOUR, 2 * HOUR)


def test_a_moment_without_a_zone_is_refused() -> None:
    """Nobody knows when it was."""
    bare = BEGUN.replace(tzinfo=None)
    for mistake in (lambda: Clock(bare), lambda: Clock(BEGUN).stopped(bare), lambda: Clock(BEGUN).elapsed(bare)):
        with pytest.raises(ValueError, match="needs its zone"):
            mistake()


@given(run=spans, stand=spans, again=spans)
def test_it_goes_on_from_where_it_stood(run: timedelta, stand: timedelta, again: timedelta) -> None:
    """What passes while the applicant is waited for is no time of the lender's, and moves the deadline by itself."""
    stopped = Clock().started(BEGUN).stopped(BEGUN + run)
    assert stopped.elapsed(BEGUN + run + stand) == run
    assert stopped.paused_for(BEGUN + run + stand) == stand
    clock = stopped.started(BEGUN + run + stand)
    assert clock.elapsed(BEGUN + run + stand + again) == run + again
    assert clock.due_at == BEGUN + PROMISE + stand


@given(
    st.lists(st.tuples(st.sampled_from(["waiting", "open", "claimed", "verified"]), spans), max_size=12), spans, spans
)
def test_it_never_goes_back(moves: list[tuple[str, timedelta]], one: timedelta, two: timedelta) -> None:
    """Later is never less, and elapsed and paused together are all that has passed since it began."""
    at, dated = BEGUN, []
    for state, after in moves:
        at += after
        dated.append((state, at))
    clock = clock_of(dated)
    assert timedelta() <= clock.elapsed(at + one) <= clock.elapsed(at + one + two)
    if clock.complete_at is not None:
        assert clock.elapsed(at + one) + clock.paused_for(at + one) == at + one - clock.complete_at


def test_a_clock_that_was_set_back_counts_nothing() -> None:
    """A moment before the beginning, or a pause that ends before it began, is no time at all."""
    assert Clock(BEGUN).elapsed(BEGUN - HOUR) == timedelta()
    stopped = Clock(BEGUN).stopped(BEGUN + 5 * HOUR)
    assert stopped.started(BEGUN + 4 * HOUR).paused == timedelta()


def test_waiting_before_the_documents_are_in_is_not_counted() -> None:
    """The first wait for the applicant is before the promise begins; starting twice or stopping twice is once."""
    assert Clock().stopped(BEGUN) == Clock()
    assert (Clock().due_at, Clock().elapsed(BEGUN), Clock().alert(BEGUN, touched=False)) == (None, timedelta(), 0)
    running = Clock().started(BEGUN)
    assert running.started(BEGUN + HOUR) == running
    stopped = running.stopped(BEGUN + HOUR)
    assert stopped.stopped(BEGUN + 2 * HOUR) == stopped


def test_it_is_the_same_from_what_the_store_keeps() -> None:
    """The three columns of a case make the clock that its events make."""
    events = [("open", BEGUN), ("claimed", BEGUN + HOUR), ("waiting", BEGUN + 2 * HOUR), ("open", BEGUN + 5 * HOUR)]
    assert clock_of(events) == Clock.of(BEGUN, None, 3 * 3_600_000_000)


@pytest.mark.parametrize(
    ("hours", "untouched", "touched"),
    [(0, 0, 0), (1.99, 0, 0), (2, 2, 0), (11.99, 2, 0), (12, 12, 12), (18, 18, 18), (22, 22, 22), (24, 24, 24)],
)
def test_the_marks_are_passed_on_the_hour(hours: float, untouched: int, touched: int) -> None:
    """First touch 2 h unless somebody has touched it, warning 12 h, alerts 18 h and 22 h, breach 24 h."""
    now = BEGUN + hours * HOUR
    assert Clock(BEGUN).alert(now, touched=False) == untouched
    assert Clock(BEGUN).alert(now, touched=True) == touched


def test_no_alert_comes_of_time_that_stood() -> None:
    """Three days of waiting for the applicant raise nothing."""
    assert Clock(BEGUN).stopped(BEGUN + HOUR).alert(BEGUN + 72 * HOUR, touched=False) == 0


def test_the_marks_are_those_of_the_store() -> None:
    """The page of due alerts and the clock speak of the same hours."""
    assert ALERT_HOURS == STORED_ALERT_HOURS
    assert (ALERT_HOURS[0] * HOUR, ALERT_HOURS[-1] * HOUR) == (FIRST_TOUCH, PROMISE)

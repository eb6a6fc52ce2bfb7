"""The circuit breaker, with the clock in the test's hand."""

from api.metrics import REGISTRY
from api.sources.breaker import Breaker, Verdict

SICK_AND_WELL: tuple[Verdict, ...] = ("sick", "well")
NEITHER: tuple[Verdict, ...] = ("neither",)


class Clock:
    """A monotonic clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _breaker(clock: Clock, in_a_row: int = 3, window: int = 8) -> Breaker:
    return Breaker("synthetic", clock, in_a_row=in_a_row, window=window, rest_s=5.0)


def _tell(breaker: Breaker, *verdicts: Verdict) -> None:
    for verdict in verdicts:
        permit = breaker.admit()
        assert permit is not None
        breaker.tell(permit, verdict)


def _state() -> float | None:
    return REGISTRY.get_sample_value("creditline_source_breaker", {"source": "synthetic"})


def test_failures_in_a_row_open_it() -> None:
    """The third failure of three in a row opens it; a success in between starts the count anew."""
    breaker = _breaker(Clock())
    _tell(breaker, "sick", "sick", "well", "sick", "sick")
    assert (_state(), breaker.admit() is None) == (0, False)
    _tell(breaker, "sick")
    assert (_state(), breaker.admit()) == (2, None)


def test_a_share_of_failures_opens_it() -> None:
    """Half of the last eight being failures opens it, though no two of them followed each other."""
    breaker = _breaker(Clock())
    _tell(breaker, *SICK_AND_WELL * 3, "sick")
    assert breaker.admit() is not None
    _tell(breaker, "well")
    assert breaker.admit() is None


def test_what_says_nothing_counts_for_nothing() -> None:
    """Neither verdict interrupts a row nor extends it."""
    breaker = _breaker(Clock())
    _tell(breaker, *NEITHER * 50, "sick", "neither", "sick", "neither")
    assert breaker.admit() is not None
    _tell(breaker, "sick")
    assert breaker.admit() is None


def test_after_the_rest_one_may_try() -> None:
    """Nobody is admitted during the rest; after it one is, and the others wait for that one."""
    clock = Clock()
    breaker = _breaker(clock)
    _tell(breaker, "sick", "sick", "sick")
    clock.now += 4.9
    assert breaker.admit() is None
    clock.now += 0.2
    trial = breaker.admit()
    assert trial is not None
    assert (_state(), breaker.admit(), breaker.admit()) == (1, None, None)
    breaker.tell(trial, "well")
    assert (_state(), breaker.admit() is None) == (0, False)


def test_a_failed_trial_begins_another_rest() -> None:
    """The whole rest begins again when the one that tries fails."""
    clock = Clock()
    breaker = _breaker(clock)
    _tell(breaker, "sick", "sick", "sick")
    clock.now += 5.0
    _tell(breaker, "sick")
    assert _state() == 2
    clock.now += 4.9
    assert breaker.admit() is None
    clock.now += 0.2
    assert breaker.admit() is not None


def test_a_trial_without_an_outcome_makes_room_for_the_next() -> None:
    """A trial that was cancelled neither closes it, nor costs a rest, nor blocks the following one."""
    clock = Clock()
    breaker = _breaker(clock)
    _tell(breaker, "sick", "sick", "sick")
    clock.now += 5.0
    _tell(breaker, "neither", "neither")
    assert _state() == 2
    _tell(breaker, "well")
    assert _state() == 0


def test_stragglers_do_not_count() -> None:
    """What was admitted before it opened says nothing later: not for closing, not for the trial."""
    clock = Clock()
    breaker = _breaker(clock)
    early, late = breaker.admit(), breaker.admit()
    assert early is not None
    assert late is not None
    _tell(breaker, "sick", "sick", "sick")
    breaker.tell(early, "well")
    assert breaker.admit() is None
    clock.now += 5.0
    trial = breaker.admit()
    assert trial is not None
    breaker.tell(late, "sick")
    assert _state() == 1
    breaker.tell(trial, "well")
    assert _state() == 0

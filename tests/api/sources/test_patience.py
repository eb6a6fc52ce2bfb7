"""When a failed request is sent again, with the clock in the test's hand."""

import pytest
from stamina.instrumentation import get_on_retry_hooks

from api.metrics import REGISTRY
from api.sources import SourceFailed
from api.sources.patience import Patience, RetryBudget

RESET = SourceFailed("reset")


class Clock:
    """A monotonic clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _patience(clock: Clock, ends: float = 110.0, budget: RetryBudget | None = None) -> Patience:
    return Patience(budget or RetryBudget("synthetic"), ends, lambda failure: failure.why == "reset", clock)


def _counted() -> float:
    return REGISTRY.get_sample_value("creditline_source_retries_total", {"source": "synthetic"}) or 0.0


def test_one_more_try_and_no_third() -> None:
    """A failure that may pass is tried again after at most a tenth of a second; its second failure is final."""
    patience = _patience(Clock())
    wait = patience(RESET)
    assert isinstance(wait, float)
    assert 0.0 <= wait <= 0.1
    assert patience(RESET) is False


def test_the_waits_are_spread() -> None:
    """Callers that fail together do not come back together: the whole interval is used."""
    waits = [_patience(Clock())(RESET) for _ in range(200)]
    assert min(waits) < 0.02
    assert max(waits) > 0.08


@pytest.mark.parametrize("failure", [SourceFailed("timeout"), SourceFailed("schema"), ValueError("a bug")])
def test_other_failures_are_final(failure: Exception) -> None:
    """What will not pass by itself is not tried again, and a mistake of ours least of all."""
    assert _patience(Clock())(failure) is False


@pytest.mark.parametrize(("took", "again"), [(4.8, True), (5.0, False), (9.0, False)])
def test_a_try_that_could_not_end_is_not_begun(took: float, again: bool) -> None:
    """There is another try only if as much time is left as the first one took, and the wait."""
    clock = Clock()
    patience = _patience(clock)
    clock.now += took
    assert (patience(RESET) is not False) is again


def test_retries_stay_within_a_tenth() -> None:
    """Of a thousand failing requests one hundred are sent again, and three more from what was saved."""
    budget = RetryBudget("synthetic")
    before = _counted()
    sent = sum(_patience(Clock(), budget=budget)(RESET) is not False for _ in range(1_000))
    assert 95 <= sent <= 103
    assert _counted() - before == sent


def test_the_library_logs_nothing() -> None:
    """No hook of the retry library is left that could write down what was asked."""
    assert get_on_retry_hooks() == ()

"""The figures on real data: what is met, what is never kept, and that the timed fit still runs."""

import pytest

from benchmarks.credit import sets, size
from benchmarks.credit.judged import DEFAULT, OURS, Folded, Line
from training.fitting import LOGISTIC


def line(model: str, auc: float, error: float) -> Line:
    """A model's line."""
    return Line(model, auc, error, auc - error, auc + error, 0.1)


@pytest.mark.parametrize(("ours", "met"), [(0.79, True), (0.781, True), (0.779, False)])
def test_the_goal_is_the_better_of_two_less_its_error(ours: float, met: bool) -> None:
    """With .76 and .79 +- .01 the least that meets the goal is .78."""
    found = Folded("x", 10, 5, (line(OURS, ours, 0.03), line(DEFAULT, 0.76, 0.02), line(LOGISTIC, 0.79, 0.01)))
    least, reached = found.goal
    assert least == pytest.approx(0.78)
    assert reached is met


def test_without_the_folder_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable to set."""
    monkeypatch.delenv(sets.VARIABLE, raising=False)
    with pytest.raises(sets.NoData, match=sets.VARIABLE):
        sets.gmsc()


def test_the_timed_fit_runs_both_ways() -> None:
    """Both ways grow the trees that were asked for and tell time and memory."""
    for which in ("ours", "plain"):
        told = size.child(which, 4_000, 5, 1)
        assert told["trees"] == 5
        assert told["peak"] >= told["base"] > 0

"""When a challenger has shown enough, and when it is stopped: a pure function of counts, valid at every look.

It does: hold what was counted in one stage of a roll-out against what its plan tolerates. It does not: count, or act.
The rule it keeps: however often anybody looks, a challenger that keeps to its plan is stopped in the whole roll-out
with a probability of at most alpha.

The intervals are a confidence sequence for a rate: all p that a Beta(1/2, 1/2) mixture of likelihood ratios has not
ruled out. Under p the mixture is a martingale of mean 1, so it ever reaches 1/alpha with a probability of at most alpha
(Ville 1939; Robbins 1970, Annals of Mathematical Statistics 41; in use for tests that are watched: Johari, Koomen,
Pekelis and Walsh 2022, Operations Research 70). docs/champion-challenger.md works through the formula.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, lgamma, log
from typing import Final, Literal

TESTS: Final = 3  # paired approvals, approvals of the two arms, different outcomes
_HALVINGS: Final = 40


@dataclass(frozen=True, slots=True)
class Tally:
    """What one stage counted: of every decision the release that made it, and what the other said of it.

    `gained` and `lost`: the challenger alone approves, the champion alone does. `differing`: any two outcomes apart.
    The last four are of decisions that each arm made itself.
    """

    compared: int = 0
    gained: int = 0
    lost: int = 0
    differing: int = 0
    champion_made: int = 0
    champion_approved: int = 0
    challenger_made: int = 0
    challenger_approved: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan tolerates, as shares; `looks` is the number of stages over which alpha is spread."""

    alpha: float
    looks: int
    expected: float  # challenger's approval rate less the champion's, as the back-test says
    margin: float
    most_differing: float
    least_compared: int
    least_made: int  # by the challenger itself, in a stage that has a share


Says = Literal["wait", "enough", "approvals", "arms", "outcomes"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the counts say: wait, enough, or which test stops it; with the intervals that were looked at."""

    says: Says
    paired: tuple[float, float]
    arms: tuple[float, float]
    differing: tuple[float, float]

    @property
    def stops(self) -> bool:
        """Whether the challenger is to be taken out."""
        return self.says not in ("wait", "enough")


def judge(tally: Tally, terms: Terms, *, split: bool) -> Judgement:
    """Hold the counts of a stage against its terms; `split` where the challenger makes decisions itself."""
    alpha = terms.alpha / (TESTS * terms.looks)
    paired = difference((tally.gained, tally.compared), (tally.lost, tally.compared), alpha)
    of_challenger = (tally.challenger_approved, tally.challenger_made)
    arms = difference(of_challenger, (tally.champion_approved, tally.champion_made), alpha)
    differing = interval(tally.differing, tally.compared, alpha)
    says: Says = "wait"
    if not _meets(paired, terms):
        says = "approvals"
    elif not _meets(arms, terms):
        says = "arms"
    elif differing[0] > terms.most_differing:
        says = "outcomes"
    elif tally.compared >= terms.least_compared and (not split or tally.challenger_made >= terms.least_made):
        says = "enough"
    return Judgement(says, paired, arms, differing)


def difference(more: tuple[int, int], less: tuple[int, int], alpha: float) -> tuple[float, float]:
    """Where one rate less another lies, at every look at once, with a chance of at most alpha of ever being wrong.

    Each rate takes half of alpha, so nothing is asked of how the two hang together: paired or apart.
    """
    low, high = interval(*more, alpha / 2)
    other_low, other_high = interval(*less, alpha / 2)
    return low - other_high, high - other_low


def interval(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Where a rate lies, at every look at once, with a chance of at most alpha of ever being wrong.

    All p with log B(k + 1/2, n - k + 1/2) - log B(1/2, 1/2) - k log p - (n - k) log(1 - p) < log(1/alpha).
    """
    if not 0 <= successes <= trials:
        raise ValueError("successes lie between none and all of the trials")
    if trials == 0:
        return 0.0, 1.0
    failures, rate = trials - successes, successes / trials
    bound = -log(alpha) - _log_beta(successes + 0.5, failures + 0.5) + _log_beta(0.5, 0.5)

    def ruled_out(p: float) -> bool:
        return _surprise(successes, p) + _surprise(failures, 1.0 - p) >= bound

    return _edge(ruled_out, rate, 0.0), _edge(ruled_out, rate, 1.0)


def _edge(ruled_out: Callable[[float], bool], inside: float, outside: float) -> float:
    """The end of the interval between the rate itself and 0 or 1, on the outer side of the last halving."""
    if not ruled_out(outside):
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if ruled_out(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _meets(found: tuple[float, float], terms: Terms) -> bool:
    """Whether an interval has anything in common with what is tolerated."""
    return found[0] <= terms.expected + terms.margin and found[1] >= terms.expected - terms.margin


def _surprise(times: int, p: float) -> float:
    """What so many events of probability p weigh against p."""
    return 0.0 if times == 0 else inf if p <= 0.0 else -times * log(p)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)

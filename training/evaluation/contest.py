"""Two scores on the same examples: which ranks better, how surely, and how small a difference could have shown.

It does: DeLong's paired comparison, beside a paired bootstrap, and the power of both. It does not: decide which
model is used. The rule it keeps: a difference is never told without the difference that these bads could show.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.values import Frozen
from training.evaluation.errors import brier
from training.evaluation.intervals import between, draws
from training.evaluation.ranking import auc, spread

Floats = NDArray[np.float64]
_TWO_SIDED = 1.959964  # 5 %
_POWER = 0.841621  # 80 %
Verdict = Literal["better", "worse", "not told apart"]


class Contest(Frozen):
    """One score against another on the same examples: differences are of the first less the second."""

    against: str
    rows: int
    bads: int
    auc: float
    auc_against: float
    difference: float
    error: float
    """Standard error of the difference in AUC, paired (DeLong)."""
    low: float
    high: float
    p_value: float
    bootstrap_low: float | None
    bootstrap_high: float | None
    detectable: float
    """The least true difference in AUC that this many bads show with 80 % power at 5 %, two-sided."""
    brier_difference: float
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """The comparison in words, with its power."""
        said = {
            "better": f"beats {self.against}",
            "worse": f"is beaten by {self.against}",
            "not told apart": f"cannot be told apart from {self.against}",
        }[self.verdict]
        return (
            f"{said}: AUC {self.auc:.4f} against {self.auc_against:.4f}, difference {self.difference:+.4f} "
            f"({self.low:+.4f} to {self.high:+.4f}); with {self.bads:,} bads a true difference of "
            f"{self.detectable:.4f} or more would show (80 % power, 5 %)"
        )


def contest(
    y: Floats, score: Floats, other: Floats, weight: Floats, against: str, seed: int = 0, resamples: int = 0
) -> Contest:  # fmt: skip
    """Compare two PDs of the same examples; ValueError where one outcome is absent."""
    if (weight * y).sum() <= 0 or (weight * (1 - y)).sum() <= 0:
        raise ValueError("a comparison needs goods and bads: widen the span")
    mine, theirs = spread(y, score, weight), spread(y, other, weight)
    variance = mine.covariance(mine) + theirs.covariance(theirs) - 2 * mine.covariance(theirs)
    error, difference = math.sqrt(max(variance, 0.0)), mine.area - theirs.area
    low, high = difference - _TWO_SIDED * error, difference + _TWO_SIDED * error
    drawn = [auc(y, score, w) - auc(y, other, w) for w in draws(y, weight, resamples, seed)]
    boot_low, boot_high = between(np.array(drawn)) if drawn else (None, None)
    return Contest(
        against=against, rows=len(y), bads=int(y.sum()), auc=mine.area, auc_against=theirs.area, difference=difference,
        error=error, low=low, high=high,
        p_value=math.erfc(abs(difference) / error / math.sqrt(2)) if error else float(difference == 0),
        bootstrap_low=boot_low, bootstrap_high=boot_high, detectable=(_TWO_SIDED + _POWER) * error,
        brier_difference=brier(y, score, weight) - brier(y, other, weight),
        verdict="better" if low > 0 else "worse" if high < 0 else "not told apart",
    )  # fmt: skip

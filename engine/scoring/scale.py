"""From raw score to PD, points and grade, and a row's Score with what each feature did to it.

It does: calibrate, scale, grade. It does not: load models or choose cut-offs (policy holds the grade
table). The rule it keeps: points are a straight line in log-odds, so contributions in points add up to
the score.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import itemgetter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine.scoring.scorer import Row
from engine.values import Frozen

PD_FLOOR: Final = 0.0001
PD_CEILING: Final = 0.9999
BASE_POINTS: Final = 600.0  # the score at the base odds
BASE_ODDS: Final = 30.0  # good to bad
POINTS_TO_DOUBLE: Final = 20.0  # points that double the odds
FACTOR: Final = POINTS_TO_DOUBLE / math.log(2)
MONTHS_A_YEAR: Final = 12
RECORD_DECIMALS: Final = 4  # what decision records hold of any float

_POINTS = itemgetter(1)
GradeTable = Sequence[tuple[str, float | Decimal]]  # name and highest PD, in rising order


class Calibration(Frozen):
    """The line from raw score to log-odds of default within 12 months; a rising raw score is a rising PD."""

    slope: float = Field(gt=0, allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)

    def pd(self, raw: float) -> float:
        """Probability of default within 12 months, held inside [0.0001, 0.9999]: no model knows more."""
        log_odds = self.slope * raw + self.intercept
        if log_odds >= 0:
            probability = 1.0 / (1.0 + math.exp(-log_odds))
        else:  # the same value, without overflow far out
            growth = math.exp(log_odds)
            probability = growth / (1.0 + growth)
        return min(max(probability, PD_FLOOR), PD_CEILING)


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one row.

    `pd` and `raw` keep every digit; recorded() rounds them for a record. `contributions` are (feature,
    points) in model order, positive where the feature raised the score, and base_points plus all of them
    is `points`.
    """

    pd: float
    points: float
    grade: str | None
    base_points: float
    contributions: tuple[tuple[str, float], ...]
    raw: float

    def __post_init__(self) -> None:
        if not PD_FLOOR <= self.pd <= PD_CEILING:
            raise ValueError("a PD lies in [0.0001, 0.9999]")
        total = self.base_points + math.fsum(map(_POINTS, self.contributions))
        if abs(total - self.points) > 10**-RECORD_DECIMALS:
            raise ValueError("contributions and base do not add up to the score")

    def recorded(self) -> "Score":
        """The same score with PD and raw score rounded to the four decimals that records hold."""
        return replace(self, pd=round(self.pd, RECORD_DECIMALS), raw=round(self.raw, RECORD_DECIMALS))


def score_points(pd: float) -> float:
    """600 at odds of 30 to 1, 20 points to double the odds: 600 + 20/ln2 * (ln((1-pd)/pd) - ln 30).

    Raises ValueError outside (0, 1).
    """
    if not 0.0 < pd < 1.0:
        raise ValueError("a PD to be scaled lies strictly between 0 and 1")
    return BASE_POINTS + FACTOR * (math.log((1.0 - pd) / pd) - math.log(BASE_ODDS))


def pd_over_months(pd_12_months: float, months: float) -> float:
    """PD over another horizon under a constant hazard: 1 - (1 - PD)^(months/12)."""
    if not 0.0 <= pd_12_months <= 1.0 or months < 0:
        raise ValueError("a PD lies in [0, 1] and a horizon is not negative")
    if pd_12_months == 1.0:
        return 1.0 if months > 0 else 0.0
    return -math.expm1(months / MONTHS_A_YEAR * math.log1p(-pd_12_months))


def grade_of(pd: float, grades: GradeTable) -> str | None:
    """The first grade whose highest PD is not below this one, None beyond the last grade."""
    # As floats on both sides: the float 0.02 is a hair above the decimal 0.02.
    return next((name for name, pd_max in grades if pd <= float(pd_max)), None)


def graded(raw: float, calibration: Calibration, grades: GradeTable) -> tuple[float, str | None]:
    """PD and grade of a raw score.

    The grade is that of the PD as recorded (four decimals), so that a record explains its own grade and
    the last bit of a machine's exp() never moves one.
    """
    pd = calibration.pd(raw)
    return pd, grade_of(round(pd, RECORD_DECIMALS), grades)


class RowScorer(Protocol):
    """What score() needs of a Scorer."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names in model order."""
        ...

    def raw(self, row: Row) -> float:
        """One row's raw score."""
        ...

    def raw_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw scores of a block of rows, the same bits as raw() gives."""
        ...

    def contributions(self, row: Row) -> NDArray[np.float64]:
        """One row's contributions, the base last."""
        ...


def score(row: Row, scorer: RowScorer, calibration: Calibration, grades: GradeTable) -> Score:
    """Score one row in model order: calibrated PD, points, grade, and each feature's share of the points.

    Where the PD was held at its floor or ceiling the base takes up the rest.
    """
    raw = scorer.raw(row)
    pd, grade = graded(raw, calibration, grades)
    points = round(score_points(pd), 2)
    moved = -FACTOR * calibration.slope * scorer.contributions(row)[:-1]
    shares = (moved.round(RECORD_DECIMALS) + 0.0).tolist()  # adding 0.0 turns -0.0 into 0.0
    contributions = tuple(zip(scorer.feature_names, shares, strict=True))
    base = round(points - math.fsum(shares), RECORD_DECIMALS)
    return Score(
        pd=pd,
        points=points,
        grade=grade,
        base_points=base,
        contributions=contributions,
        raw=raw,
    )

"""From raw scores to PDs: the line that a release carries, and two bent curves beside it as a diagnostic.

It does: fit the line by weighted logistic regression and show what isotonic and beta calibration would have gained.
It does not: put a curve in a release. The rule it keeps: the order of applicants is the trees' own.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from engine.scoring import PD_CEILING, PD_FLOOR, Calibration
from engine.values import Frozen
from training.evaluation.errors import calibration_line, log_loss

Floats = NDArray[np.float64]
_WORTH_A_LOOK = 0.02
_WEAK = 1e6  # scikit-learn's inverse of regularisation: so weak that it is none


class Curves(Frozen):
    """Weighted log loss on the judged span of each way to calibrate; the line is the one that is used."""

    line: float
    isotonic: float
    beta: float

    @property
    def bent(self) -> bool:
        """Whether a curve would have gained more than a fiftieth of the line's loss: look at the raw score."""
        return min(self.isotonic, self.beta) < (1 - _WORTH_A_LOOK) * self.line


def calibrate(y: Floats, raw: Floats, weight: Floats) -> Calibration:
    """The line in log-odds; ValueError where it would turn the order round."""
    return calibration_of(*calibration_line(y, raw, weight))


def calibration_of(slope: float, intercept: float) -> Calibration:
    """The line as a release carries it; ValueError where it would turn the order round."""
    if slope <= 0:
        raise ValueError(
            "the model ranks the validation span backwards: it learnt nothing that holds over time; "
            "look at drift between the spans, or take other inputs"
        )
    return Calibration(slope=round(slope, 6), intercept=round(intercept, 6))


def pds(calibration: Calibration, raw: Floats) -> Floats:
    """Calibrated PDs (n,), held where a release holds them."""
    odds = calibration.slope * raw + calibration.intercept
    return np.clip(1 / (1 + np.exp(-np.clip(odds, -500, 500))), PD_FLOOR, PD_CEILING)


Scored = tuple[Floats, Floats, Floats]  # y, raw score, weight


def curves(fit_on: Scored, judge_on: Scored, line: Calibration) -> Curves:
    """Fit isotonic and beta calibration where the line was fitted, and judge all three elsewhere."""
    (y, raw, w), (y_new, raw_new, w_new) = fit_on, judge_on
    steps = IsotonicRegression(y_min=PD_FLOOR, y_max=PD_CEILING, out_of_bounds="clip").fit(raw, y, w)
    beta = LogisticRegression(C=_WEAK).fit(_beta(pds(line, raw)), y, w)
    return Curves(
        line=log_loss(y_new, pds(line, raw_new), w_new),
        isotonic=log_loss(y_new, np.asarray(steps.predict(raw_new), dtype=np.float64), w_new),
        beta=log_loss(y_new, beta.predict_proba(_beta(pds(line, raw_new)))[:, 1], w_new),
    )


def _beta(pd: Floats) -> Floats:
    """Kull, Silva Filho and Flach (2017): ln p and -ln(1 - p) have a slope each."""
    return np.column_stack([np.log(pd), -np.log1p(-pd)])

"""How good a model is, on examples it did not learn from: every figure a risk committee asks for, weighted.

ranking and errors hold the figures, intervals the bootstrap, contest the comparison and its power, stability the
PSI, profit the price grid's money, swaps the swap set and the bounds of reject inference, fairness the groups;
judgement puts them in one record.
"""

from training.evaluation.contest import Contest, contest
from training.evaluation.errors import Band, bands, brier, calibration_line, log_loss
from training.evaluation.fairness import Fairness, fairness
from training.evaluation.figures import Evaluation, evaluate
from training.evaluation.judgement import Beside, Judgement, Rival, Slice, judge
from training.evaluation.profit import Prices, Profit, emp, profit
from training.evaluation.ranking import auc, auc_error, average_precision, h_measure, ks
from training.evaluation.stability import Drift, drift, psi
from training.evaluation.swaps import Bounds, Swap, bounds, swap

__all__ = [
    "Band", "Beside", "Bounds", "Contest", "Drift", "Evaluation", "Fairness", "Judgement", "Prices", "Profit", "Rival",
    "Slice", "Swap", "auc", "auc_error", "average_precision", "bands", "bounds", "brier", "calibration_line",
    "contest", "drift", "emp", "evaluate", "fairness", "h_measure", "judge", "ks", "log_loss",
    "profit", "psi", "swap",
]  # fmt: skip

"""Model text in, calibrated PD, grade, points and contributions out; read scale.score first, then Scorer.

It does: parse model texts strictly, score with a kernel of its own (kernel.c, or NumPy where it is not compiled), and
walk the same trees in plain Python. It does not: read files (the text is an argument) or decide anything. The rule it
keeps: one raw score, to the last bit, from LightGBM, from each back end and from the walk.
"""

from engine.scoring.ensemble import Ensemble, ModelRejected, Tree
from engine.scoring.parsing import parse_model, validate_model_text
from engine.scoring.scale import (
    PD_CEILING,
    PD_FLOOR,
    Calibration,
    GradeTable,
    Score,
    grade_of,
    pd_over_months,
    score,
    score_points,
)
from engine.scoring.scorer import Backend, KernelMissing, Row, Scorer, backends
from engine.scoring.walk import walk_paths, walk_raw

__all__ = [
    "PD_CEILING",
    "PD_FLOOR",
    "Backend",
    "Calibration",
    "Ensemble",
    "GradeTable",
    "KernelMissing",
    "ModelRejected",
    "Row",
    "Score",
    "Scorer",
    "Tree",
    "backends",
    "grade_of",
    "parse_model",
    "pd_over_months",
    "score",
    "score_points",
    "validate_model_text",
    "walk_paths",
    "walk_raw",
]

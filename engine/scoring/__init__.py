"""Model text in, calibrated PD, grade, points and contributions out; read scale.score first, then Scorer.

It does: parse model texts strictly, score through LightGBM's shared library, and walk the same trees in
plain Python. It does not: read files (the text is an argument) or decide anything. The rule it keeps: one
raw score, to the last bit, from LightGBM and from the walk.
"""

from engine.scoring.ensemble import Ensemble, ModelRejected, Tree
from engine.scoring.library import LibraryError, LibraryMissing
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
from engine.scoring.scorer import Row, Scorer
from engine.scoring.walk import walk_paths, walk_raw

__all__ = [
    "PD_CEILING",
    "PD_FLOOR",
    "Calibration",
    "Ensemble",
    "GradeTable",
    "LibraryError",
    "LibraryMissing",
    "ModelRejected",
    "Row",
    "Score",
    "Scorer",
    "Tree",
    "grade_of",
    "parse_model",
    "pd_over_months",
    "score",
    "score_points",
    "validate_model_text",
    "walk_paths",
    "walk_raw",
]

"""A model as a draft or a release keeps it, ready to score examples.

It does: read model text, calibration and inputs from either folder. It does not: check signatures or digests (models
does, before anything decides). The rule it keeps: examples with other inputs, or in another order, are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.scoring import Calibration, parse_model
from training.data import Dataset
from training.data.tables import in_codes
from training.fitting.boosting import raw_scores
from training.fitting.calibration import pds
from training.folder import told_in

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stored:
    """A calibrated model; `categories` are what the codes of its categories stand for, where it tells."""

    model_text: str
    calibration: Calibration
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def pd(self, x: Floats) -> Floats:
        """Calibrated PDs (n,) of rows (n, f)."""
        return pds(self.calibration, raw_scores(self.model_text, x))

    def pd_of(self, data: Dataset) -> Floats:
        """Calibrated PDs (n,) of examples, whatever codes their table gave to categories."""
        return self.pd(in_codes(data, self.categories).x)


def stored(folder: Path, names: Sequence[str]) -> Stored:
    """The model of a folder; ValueError where it is neither draft nor release, or has other inputs than `names`."""
    facts = told_in(folder)
    if list(facts["features"]) != list(names):
        raise ValueError(f"{folder.name} was fitted on other inputs than these examples have")
    text = parse_model((folder / "model.txt").read_text()).lightgbm_text()  # only what was understood is run
    return Stored(text, Calibration.model_validate(facts["calibration"]), facts.get("categories", {}))

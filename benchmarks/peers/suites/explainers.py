"""The explanation libraries: shap's and shapiq's exact values of trees, path-dependent, one row at a time.

It does: explain. It does not: add the base value where a library keeps it apart: answers are (features..., base).
"""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.peers.suites.given import ROWS, Floats, model_file, singles
from benchmarks.peers.worker import Call

__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a library; shap twice, since by default it asks LightGBM. Their own code knows no categorical splits."""
    rows, booster = singles(folder), lightgbm.Booster({"num_threads": 1}, model_file=str(model_file(folder)))
    return {
        "shap TreeExplainer (asks LightGBM)": _shap(booster, rows),
        "shap TreeExplainer, its own C++": _shap_itself(booster, rows),
        "shapiq TreeExplainer (wrong where a value is missing)": _shapiq(booster, rows),
    }


def _shap(booster: Any, rows: list[Floats]) -> Call:
    import shap  # noqa: PLC0415 - slow to import

    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    return lambda place: np.append(explainer.shap_values(rows[place]), explainer.expected_value)


def _shap_itself(booster: Any, rows: list[Floats]) -> Call:
    import shap  # noqa: PLC0415 - slow to import

    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    base = booster.predict(rows[0], pred_contrib=True)[0, -1]
    categories = "cat_boundaries" in booster.model_to_string()
    explainer.model.model_type = "internal"  # what it calls a model that no other library need be asked about

    def call(place: int) -> Any:
        if categories:
            raise NotImplementedError("it knows no categorical splits, and would be wrong without saying so")
        return np.append(explainer.shap_values(rows[place], check_additivity=False), base)

    return call


def _shapiq(booster: Any, rows: list[Floats]) -> Call:
    import shapiq  # noqa: PLC0415 - slow to import

    explainer = shapiq.TreeExplainer(booster, max_order=1, min_order=1, index="SV")
    features = rows[0].shape[1]

    def call(place: int) -> Any:
        found = explainer.explain(rows[place][0])
        values = np.zeros(features + 1)
        values[features] = found.baseline_value
        for players, at in found.interaction_lookup.items():
            if len(players) == 1:
                values[players[0]] = found.values[at]
        return values

    return call

"""LightGBM's own exact contributions: its Python package, and its C interface prepared for single rows; one thread."""

from pathlib import Path

import lightgbm

from benchmarks.peers.suites.given import ROWS, model_file, singles
from benchmarks.peers.suites.lightgbm_scores import prepared
from benchmarks.peers.worker import Call

__all__ = ["ROWS", "tasks"]
CONTRIB = "LightGBM predict(pred_contrib=True)"
_CONTRIBUTIONS = 3


def tasks(folder: Path) -> dict[str, Call]:
    """The package's way, and the quickest that its library has."""
    booster, rows = lightgbm.Booster(model_file=str(model_file(folder))), singles(folder)
    return {
        CONTRIB: lambda place: booster.predict(rows[place], pred_contrib=True, num_threads=1),
        "LightGBM C API contributions, single-row fast": prepared(
            booster, rows, _CONTRIBUTIONS, rows[0].shape[1] + 1
        ),
    }  # fmt: skip

"""LightGBM itself: a block of many rows on two threads; answers are every thousandth score."""

from pathlib import Path

import lightgbm

from benchmarks.peers.suites.given import EVERY, THREADS, block, model_file
from benchmarks.peers.worker import Call

ROWS = 1
__all__ = ["PREDICT", "ROWS", "tasks"]
PREDICT = "LightGBM Booster.predict"


def tasks(folder: Path) -> dict[str, Call]:
    """The package's way."""
    booster, rows = lightgbm.Booster(model_file=str(model_file(folder))), block(folder)
    return {PREDICT: lambda _: booster.predict(rows, raw_score=True, num_threads=THREADS)[::EVERY]}

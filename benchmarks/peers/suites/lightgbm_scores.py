"""LightGBM by itself: its Python package, and its C interface prepared for single rows; one thread.

It does: score. It does not: explain (`lightgbm_contributions` does).
"""

import ctypes
from ctypes import byref, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.peers.suites.given import ROWS, Floats, model_file, singles
from benchmarks.peers.worker import Call

__all__ = ["ROWS", "prepared", "tasks"]
PREDICT = "LightGBM Booster.predict"
_RAW, _FLOAT64 = 1, 1


def tasks(folder: Path) -> dict[str, Call]:
    """The package's way, and the quickest that its library has."""
    booster, rows = lightgbm.Booster(model_file=str(model_file(folder))), singles(folder)
    return {
        PREDICT: lambda place: booster.predict(rows[place], raw_score=True, num_threads=1),
        "LightGBM C API, single-row fast": prepared(booster, rows, _RAW, 1),
    }


def prepared(booster: Any, rows: list[Floats], kind: int, outputs: int) -> Call:
    """A call of the C interface with everything prepared beforehand."""
    library, handle = lightgbm.basic._LIB, c_void_p()  # type: ignore[attr-defined, unused-ignore]
    fault = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, c_int(kind), c_int(0), c_int(-1), c_int(_FLOAT64), c_int(rows[0].shape[1]),
        ctypes.c_char_p(b"num_threads=1"), byref(handle),
    )  # fmt: skip
    if fault:
        raise RuntimeError("LightGBM refused to prepare")
    written, found = c_int64(0), np.zeros(outputs)
    into = c_void_p(found.ctypes.data)
    places = [c_void_p(row.ctypes.data) for row in rows]
    predict, at = library.LGBM_BoosterPredictForMatSingleRowFast, byref(written)

    def call(place: int, _keep: Any = (booster, rows)) -> Any:
        predict(handle, places[place], at, into)
        return found

    return call

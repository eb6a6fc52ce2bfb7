"""A loaded model: raw scores and contributions through LightGBM's C interface.

It does: parse a model text strictly, hand LightGBM the rewritten text, and predict row by row without
allocating. It does not: calibrate, read files, or start threads. The rule it keeps: bit-equal to
lightgbm.Booster.predict and to engine.scoring.walk, whatever thread asks.
"""

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_int, c_int64, c_void_p
from typing import Final, Never

import numpy as np
from numpy.typing import NDArray

from engine.scoring.ensemble import Ensemble, ModelRejected
from engine.scoring.library import LibraryError, call, max_threads
from engine.scoring.parsing import parse_model
from engine.scoring.walk import walk_raw

Row = Sequence[float] | NDArray[np.float64]

_RAW: Final = 1
_CONTRIBUTIONS: Final = 3
_FLOAT64: Final = 1
_ROW_MAJOR: Final = 1
_ALL_TREES: Final = (0, -1)
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"
_THREAD_CAP = threading.Lock()


class Scorer:
    """One model ready to score: shared between threads, never copied, freed with its last reference.

    Raises ModelRejected for a text the strict parser refuses or whose features are not the ones given, in
    order. A row is a sequence or float64 array in model order, NaN where missing; an infinite value
    raises ValueError.
    """

    def __init__(self, model_text: str, feature_names: tuple[str, ...]) -> None:
        self.ensemble: Final[Ensemble] = parse_model(model_text)
        self.feature_names: Final = feature_names
        if self.ensemble.feature_names != feature_names:
            raise ModelRejected("features", "the model's features are not the ones expected, in order")
        self._booster = _booster(self.ensemble)
        self._lock = threading.Lock()
        self._raw = _Predictor(self._booster, _RAW, len(feature_names), 1)
        self._contributions = _Predictor(self._booster, _CONTRIBUTIONS, len(feature_names), len(feature_names) + 1)

    def raw(self, row: Row) -> float:
        """The raw score: the sum of one leaf a tree, log-odds before calibration."""
        values = self._checked(np.asarray(row, dtype=np.float64), (len(self.feature_names),))
        with self._lock:
            return float(self._raw.predict(values)[0])

    def contributions(self, row: Row) -> NDArray[np.float64]:
        """How far each feature moved this row's raw score (tree Shapley values); the last value is the base.

        They add up to the raw score but for rounding in the last digits.
        """
        values = self._checked(np.asarray(row, dtype=np.float64), (len(self.feature_names),))
        with self._lock:
            return self._contributions.predict(values).copy()

    def raw_many(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw scores of a block of rows, one to a row, the same bits as raw() gives."""
        block = np.ascontiguousarray(rows, dtype=np.float64)
        self._checked(block, (len(block), len(self.feature_names)))
        scores = np.zeros(len(block), dtype=np.float64)
        written = c_int64(0)
        if len(block):
            call(
                "LGBM_BoosterPredictForMat", self._booster.handle, block.ctypes.data, _FLOAT64, *block.shape,
                _ROW_MAJOR, _RAW, *_ALL_TREES, _PARAMETERS, byref(written), scores.ctypes.data,
            )  # fmt: skip
        return scores

    def walk(self, row: Row) -> float:
        """The raw score again, from the independent walk in plain Python (slow; the arbiter)."""
        return walk_raw(self.ensemble, [float(value) for value in row])

    def __reduce__(self) -> Never:
        """Refuse copies and pickles: a copy would free the same handles twice."""
        raise TypeError("a Scorer is made from a model text, never copied or pickled")

    @staticmethod
    def _checked(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
        if values.shape != shape:
            raise ValueError(f"rows have the shape {shape}, not {values.shape}")
        if np.isinf(values).any():
            raise ValueError("a row holds an infinite value")
        return values


class _Booster:
    """Owner of one booster handle; predictors hold a reference, so it outlives them."""

    def __init__(self, handle: c_void_p) -> None:
        self.handle: Final = handle
        self._free = weakref.finalize(self, call, "LGBM_BoosterFree", handle)


class _Predictor:
    """One prepared single-row call with buffers of its own; the caller holds the lock."""

    def __init__(self, booster: _Booster, kind: int, inputs: int, outputs: int) -> None:
        handle = c_void_p()
        with _one_thread():
            call(
                "LGBM_BoosterPredictForMatSingleRowFastInit", booster.handle, kind, *_ALL_TREES, _FLOAT64,
                inputs, _PARAMETERS, byref(handle),
            )  # fmt: skip
        self._booster: Final = booster
        self._free = weakref.finalize(self, call, "LGBM_FastConfigFree", handle)
        self._input = np.zeros(inputs, dtype=np.float64)
        self._output = np.zeros(outputs, dtype=np.float64)
        self._written = c_int64(0)
        self._arguments = (handle, self._input.ctypes.data, byref(self._written), self._output.ctypes.data)

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The output buffer, overwritten by the next call."""
        self._input[:] = values
        call("LGBM_BoosterPredictForMatSingleRowFast", *self._arguments)
        return self._output


def _booster(ensemble: Ensemble) -> _Booster:
    """Load the rewritten text; LightGBM never sees the one that came in."""
    handle, trees, features = c_void_p(), c_int(0), c_int(0)
    with _one_thread():
        text = ensemble.lightgbm_text().encode("ascii")
        call("LGBM_BoosterLoadModelFromString", text, byref(trees), byref(handle))
    booster = _Booster(handle)
    call("LGBM_BoosterGetNumFeature", handle, byref(features))
    if (trees.value, features.value) != (len(ensemble.trees), len(ensemble.feature_names)):
        raise LibraryError("LightGBM read another number of trees or features than the text holds")
    return booster


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep LightGBM from opening an OpenMP team while a model loads: a process forked after one would hang.

    The cap is the whole process's, so it is put back: training in the same process keeps its threads.
    """
    with _THREAD_CAP:
        before = max_threads()
        call("LGBM_SetMaxThreads", 1)
        try:
            yield
        finally:
            call("LGBM_SetMaxThreads", before)

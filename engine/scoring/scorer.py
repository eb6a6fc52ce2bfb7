"""A loaded model: raw scores and contributions, by the compiled kernel or else in NumPy.

It does: parse a model text strictly, pack it, and score row by row or in blocks. It does not: calibrate, read files, or
start threads. The rule it keeps: raw scores are bit-equal to lightgbm.Booster.predict and to
engine.scoring.walk whichever back end gives them; contributions agree to 1e-12, and records hold four decimals of them.
"""

from collections.abc import Sequence
from typing import Final, Literal, Never, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.scoring.ensemble import Ensemble, ModelRejected
from engine.scoring.native import NativeModel, kernel
from engine.scoring.packing import Packed, pack
from engine.scoring.parsing import parse_model
from engine.scoring.portable import PortableModel
from engine.scoring.walk import walk_raw

Row = Sequence[float] | NDArray[np.float64]
Floats = NDArray[np.float64]
Backend = Literal["native", "portable"]


class KernelMissing(RuntimeError):
    """The kernel was asked for by name and is not compiled on this machine."""


class _Model(Protocol):
    """What both back ends do, for rows of checked shape."""

    def raw(self, row: Floats) -> float: ...
    def contributions(self, row: Floats) -> Floats: ...
    def raw_many(self, rows: Floats) -> Floats: ...


class Scorer:
    """One model ready to score, shared between threads.

    Raises ModelRejected for a text the strict parser refuses or whose features are not the ones given, in order. A row
    is a sequence or float64 array in model order, NaN where missing; an infinite value raises ValueError. The back end
    is the kernel where there is one, unless named; KernelMissing where it is named and absent.
    """

    def __init__(self, model_text: str, feature_names: tuple[str, ...], backend: Backend | None = None) -> None:
        self.ensemble: Final[Ensemble] = parse_model(model_text)
        self.feature_names: Final = feature_names
        if self.ensemble.feature_names != feature_names:
            raise ModelRejected("features", "the model's features are not the ones expected, in order")
        self.backend: Final[Backend] = backend or backends()[0]
        self._shape = (len(feature_names),)
        self._model: Final[_Model] = _loaded(pack(self.ensemble), self.backend)

    def raw(self, row: Row) -> float:
        """The raw score: the sum of one leaf a tree, log-odds before calibration."""
        return self._model.raw(self._checked(row))

    def contributions(self, row: Row) -> Floats:
        """How far each feature moved this row's raw score (tree Shapley values); the last value is the base.

        Path-dependent, as LightGBM's pred_contrib. They add up to the raw score but for rounding in the last digits.
        """
        return self._model.contributions(self._checked(row))

    def raw_many(self, rows: Floats) -> Floats:
        """Raw scores of a block of rows, one to a row, the same bits as raw() gives; threads may each take a part."""
        block = np.ascontiguousarray(rows, dtype=np.float64)
        if block.shape != (len(block), *self._shape):
            raise ValueError(f"a block has rows of {self._shape[0]} values, not the shape {block.shape}")
        return self._model.raw_many(block)

    def walk(self, row: Row) -> float:
        """The raw score again, from the independent walk in plain Python (slow; the arbiter)."""
        return walk_raw(self.ensemble, [float(value) for value in row])

    def __reduce__(self) -> Never:
        """Refuse copies and pickles: rooms that calls write to belong to one scorer."""
        raise TypeError("a Scorer is made from a model text, never copied or pickled")

    def _checked(self, row: Row) -> Floats:
        values = np.asarray(row, dtype=np.float64)
        if values.shape != self._shape:
            raise ValueError(f"rows have the shape {self._shape}, not {values.shape}")
        return values


def backends() -> tuple[Backend, ...]:
    """The back ends of this machine, the quickest first."""
    return ("portable",) if kernel() is None else ("native", "portable")


def _loaded(packed: Packed, backend: Backend) -> _Model:
    if backend == "portable":
        return PortableModel(packed)
    library = kernel()
    if library is None:
        raise KernelMissing("the scoring kernel is not compiled for this machine")
    return NativeModel(packed, library)

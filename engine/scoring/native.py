"""The scoring kernel, compiled: found beside this file, loaded without any package.

It does: load the shared library, hand it a packed model, and call it. It does not: compile (setup.py does), and where
there is no library it says so with None. The rule it keeps: rooms that a call writes to belong to one call at a time.
"""

import ctypes
import importlib.util
import threading
from ctypes import c_double, c_int, c_int64, c_uint32, c_void_p
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.scoring.packing import LANES, Packed

Floats = NDArray[np.float64]

_KERNEL: Final = "engine.scoring.kernel"  # found as a module would be, but no module: only its functions are called
_ALIGNMENT: Final = 64
_ROWS: Final = 32  # rows the kernel takes through a tree together


class _Pass(ctypes.Structure):
    _fields_ = (
        ("odds", c_double * LANES), ("rest", c_double * LANES), ("weight", c_double * LANES), ("inverses", c_void_p),
        ("tree", c_uint32), ("end", c_uint32),
    )  # fmt: skip


_ARRAYS: Final = (
    *("inputs", "words", "steps", "roots", "heights", "order", "cuts", "swept", "in_order"),
    *("splits", "trees", "leaves", "passes"),
    *("row", "known", "values", "up", "down", "shares", "result", "codes", "turned", "open"),
)
_COUNTS: Final = ("features", "n_inputs", "n_order", "n_trees", "n_passes", "level")


class _Model(ctypes.Structure):
    _fields_ = (*((name, c_void_p) for name in _ARRAYS), *((name, c_uint32) for name in _COUNTS))


@cache
def kernel() -> ctypes.CDLL | None:
    """The loaded kernel, None where none was compiled for this machine and this version of the project."""
    spec = importlib.util.find_spec(_KERNEL)
    if spec is None or spec.origin is None:
        return None
    try:
        loaded = ctypes.CDLL(spec.origin)
        if loaded.creditline_form() != ctypes.sizeof(_Model) << 16 | ctypes.sizeof(_Pass):
            return None
    except (OSError, AttributeError):
        return None
    loaded.creditline_raw.argtypes, loaded.creditline_raw.restype = (c_void_p,), c_double
    loaded.creditline_contributions.argtypes, loaded.creditline_contributions.restype = (c_void_p,), c_int
    loaded.creditline_raw_many.argtypes = (c_void_p, c_void_p, c_int64, c_void_p, c_void_p)
    loaded.creditline_raw_many.restype = c_int64
    loaded.creditline_level.argtypes, loaded.creditline_level.restype = (), c_uint32
    return loaded


class NativeModel:
    """A packed model with the rooms that its calls write to; each method may be called from any thread.

    `level` caps how wide the processor's registers may be used: 0 plain, 1 AVX2; results are the same.
    A row that holds an infinite value is a ValueError.
    """

    def __init__(self, packed: Packed, library: ctypes.CDLL, level: int | None = None) -> None:
        self._packed: Final = packed
        self._kernel: Final = library
        has = library.creditline_level()
        self.level: Final[int] = has if level is None else min(has, level)
        deepest = int(packed.trees["splits"].max(initial=0))
        inputs = len(packed.inputs)
        self._row = np.zeros(packed.features)
        self._result = np.zeros(packed.features)
        self._arrays = {
            **{name: np.ascontiguousarray(getattr(packed, name)) for name in _ARRAYS[:12]},
            "row": self._row,
            "result": self._result,
            "known": np.zeros(inputs + 1),
            "codes": np.zeros(inputs + 1, dtype=np.uint8),
            "values": np.zeros(len(packed.roots)),
            "up": _aligned((2 * deepest + 1) * LANES),
            "down": _aligned((2 * deepest + 1) * LANES),
            "shares": _aligned(packed.features * LANES),
            "turned": np.zeros(deepest, dtype=np.uint8),
            "open": np.zeros(deepest, dtype=np.uint8),
        }
        self._inverses = [_aligned_copy(each.inverses) for each in packed.passes]
        passes = (_Pass * len(packed.passes))()
        for filled, each, inverses in zip(passes, packed.passes, self._inverses, strict=True):
            filled.odds[:], filled.rest[:], filled.weight[:] = (
                each.odds.tolist(),
                each.rest.tolist(),
                each.weight.tolist(),
            )
            filled.inverses, filled.tree, filled.end = inverses.ctypes.data, each.first, each.end
        self._passes = passes
        self._model = _Model(
            **{name: array.ctypes.data for name, array in self._arrays.items()},
            passes=ctypes.addressof(passes),
            features=packed.features, n_inputs=inputs, n_order=len(packed.order), n_trees=len(packed.roots),
            n_passes=len(passes), level=self.level,
        )  # fmt: skip
        self._pointer = c_void_p(ctypes.addressof(self._model))
        self._lock = threading.Lock()

    def raw(self, row: Floats) -> float:
        """The raw score of one row."""
        with self._lock:
            self._row[:] = row
            score: float = self._kernel.creditline_raw(self._pointer)
        if score != score:  # noqa: PLR0124  (only a row with an infinite value gives NaN)
            raise ValueError("a row holds an infinite value")
        return score

    def contributions(self, row: Floats) -> Floats:
        """Each feature's share of one row's raw score, the base last."""
        shares = np.empty(self._packed.features + 1)
        with self._lock:
            self._row[:] = row
            finite = self._kernel.creditline_contributions(self._pointer)
            shares[:-1] = self._result
        if not finite:
            raise ValueError("a row holds an infinite value")
        shares[-1] = self._packed.base
        return shares

    def raw_many(self, rows: Floats) -> Floats:
        """Raw scores of a block in row order, in rooms of this call's own: other threads may score beside it."""
        room, scores = _aligned(_ROWS * (len(self._packed.inputs) + 1)), np.empty(len(rows))
        refused = self._kernel.creditline_raw_many(
            self._pointer, rows.ctypes.data, len(rows), room.ctypes.data, scores.ctypes.data
        )
        if refused >= 0:
            raise ValueError("a row holds an infinite value")
        return scores


def _aligned(length: int) -> Floats:
    """Zeros that begin where a whole register can be loaded."""
    room = np.zeros(length + _ALIGNMENT // 8)
    skip = -room.ctypes.data % _ALIGNMENT // 8
    return room[skip : skip + length]


def _aligned_copy(values: Floats) -> Floats:
    copy = _aligned(values.size)
    copy[:] = values.ravel()
    return copy

"""The same scores and contributions without the kernel, in NumPy: slower, for machines it was not compiled for.

It does: answer a packed model's inputs and splits, and walk all its trees abreast. It does not: share a score out
(shares.py). The rule it keeps: raw scores are LightGBM's to the bit, the leaves added one after the other.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.scoring.ensemble import ZERO_BELOW
from engine.scoring.packing import IN_SET, NO_CODE, Packed, Rule
from engine.scoring.shares import Shares

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint64]

_CELLS: Final = 1 << 20  # rows x trees walked together
_MANY_CODES: Final = 2.0**31 - 1
_ON_MISSING: Final = {Rule.NONE_IS_ZERO: 0.0, Rule.ZERO_LEFT: -np.inf, Rule.NONE_LEFT: -np.inf}  # else NaN: right
_ON_ZERO: Final = {Rule.ZERO_LEFT: -np.inf, Rule.ZERO_RIGHT: np.nan}


class PortableModel:
    """A packed model ready to score; to its callers a call changes nothing in it. Raises as NativeModel does."""

    def __init__(self, packed: Packed) -> None:
        self._inputs: Final = _Inputs(packed)
        self._steps: Final = _Questions(packed.steps)
        self._child: Final = packed.steps["child"].astype(np.intp)
        self._roots: Final = packed.roots.astype(np.intp)
        self._height: Final = int(packed.heights.max())
        self._shares: Final = Shares(packed)
        self._splits: Final = _Questions(packed.splits[self._shares.order])

    def raw(self, row: Floats) -> float:
        """The raw score of one row."""
        below = self._child + self._steps.all_right(*self._inputs.answers(row))
        at = self._roots
        for _ in range(self._height):
            at = below[at]
        return float(_added(self._steps.threshold[at]))

    def raw_many(self, rows: Floats) -> Floats:
        """Raw scores of a block in row order."""
        together = max(_CELLS // len(self._roots), 1)
        parts = [self._block(rows[start : start + together]) for start in range(0, len(rows), together)]
        return np.concatenate(parts) if parts else np.empty(0)

    def contributions(self, row: Floats) -> Floats:
        """Each feature's share of one row's raw score, the base last."""
        return self._shares.of(self._splits.all_right(*self._inputs.answers(row)))

    def _block(self, rows: Floats) -> Floats:
        known, codes = self._inputs.answers(rows)
        line = np.arange(len(rows))[:, None]
        at = np.tile(self._roots, (len(rows), 1))
        for _ in range(self._height):
            at = self._child[at] + self._steps.right(at, known, codes, line)
        return _added(self._steps.threshold[at])


def _added(leaves: Floats) -> Floats:
    return np.asarray(np.add.accumulate(leaves, axis=-1)[..., -1])  # one after the other, as sum() would not


class _Inputs:
    """What each input makes of a row, as the kernel's `answer` does; the place after the last is a leaf's."""

    def __init__(self, packed: Packed) -> None:
        rule = packed.inputs["rule"].tolist()
        features = packed.inputs["feature"].astype(np.intp)
        self._feature: Final = features
        self._on_missing: Final = np.array([_ON_MISSING.get(each, np.nan) for each in rule])
        self._on_zero: Final = np.array([_ON_ZERO.get(each, 0.0) for each in rule])
        self._coded: Final = np.flatnonzero(packed.inputs["rule"] == Rule.CODE)
        self._wide: Final = [
            (place, features[place], packed.words[first:][:count])
            for place, (kind, first, count) in enumerate(packed.inputs[["rule", "first", "words"]].tolist())
            if kind == Rule.WIDE
        ]

    def answers(self, rows: Floats) -> tuple[Floats, Codes]:
        """Values to compare and codes to look up, for one row or a block."""
        if np.isinf(rows).any():
            raise ValueError("a row holds an infinite value")
        values = rows[..., self._feature]
        known = np.full((*rows.shape[:-1], len(self._feature) + 1), -np.inf)
        answered = np.where(np.abs(values) <= ZERO_BELOW, self._on_zero, values)
        known[..., :-1] = np.where(np.isnan(values), self._on_missing, answered)
        codes = np.full(known.shape, NO_CODE, dtype=np.uint64)
        if len(self._coded):
            coded = values[..., self._coded]
            codes[..., self._coded] = np.where((coded > -1.0) & (coded < NO_CODE), coded, NO_CODE).astype(np.uint64)
        for place, feature, words in self._wide:
            known[..., place] = np.where(_in_words(rows[..., feature], words), -np.inf, np.nan)
        return known, codes


def _in_words(values: Floats, words: NDArray[np.uint32]) -> Flags:
    inside = (values > -1.0) & (values < min(len(words) * 32, _MANY_CODES))
    code = np.where(inside, values, 0.0).astype(np.int64)
    return np.asarray(inside & ((words[code // 32] >> (code % 32).astype(np.uint32) & np.uint32(1)) != 0))


class _Questions:
    """Splits' thresholds or sets, and the inputs they ask."""

    def __init__(self, splits: NDArray[np.void]) -> None:
        self._sets: Final = np.ascontiguousarray(splits["threshold"])
        self.threshold: Final = self._sets.view(np.float64)
        self._in_set: Final = (splits["input"] & IN_SET) != 0
        self._input: Final = (splits["input"] & np.uint32(IN_SET - 1)).astype(np.intp)
        self._set_places: Final = np.flatnonzero(self._in_set)
        self._set_inputs, self._only_sets = self._input[self._set_places], self._sets[self._set_places]

    def all_right(self, known: Floats, codes: Codes) -> Flags:
        """Whether one row is turned right, at every split."""
        left = known[self._input] <= self.threshold
        left[self._set_places] = self._only_sets >> codes[self._set_inputs] & np.uint64(1)
        return np.asarray(~left)

    def right(self, at: Indices, known: Floats, codes: Codes, line: Indices) -> Flags:
        """Whether each row is turned right at the splits given for it."""
        asked = self._input[at]
        left = known[line, asked] <= self.threshold[at]
        if len(self._set_places):
            member = self._sets[at] >> codes[line, asked] & np.uint64(1)
            left = np.where(self._in_set[at], member != 0, left)
        return np.asarray(~left)

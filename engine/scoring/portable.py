"""The same scores and contributions without the kernel, in NumPy: slower, for machines it was not compiled for.

It does: walk all trees of a packed model abreast, and run the kernel's two recurrences level by level over all trees.
It does not: give the kernel's last bits of contributions, whose sums it adds in another order. The rule it keeps: raw
scores are LightGBM's to the bit, the leaves added one after the other.
"""

import threading
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.scoring.ensemble import ZERO_BELOW
from engine.scoring.packing import IN_SET, NO_CODE, Packed, Rule, quadrature

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_CELLS: Final = 1 << 20  # rows x trees walked together
_MANY_CODES: Final = 2.0**31 - 1


class PortableModel:
    """A packed model ready to score; a call changes nothing in it. Raises as NativeModel does."""

    def __init__(self, packed: Packed) -> None:
        self._packed: Final = packed
        self._steps: Final = _Questions(packed.steps)
        self._child: Final = packed.steps["child"].astype(np.intp)
        self._shares: Final = _Shares(packed)

    def raw(self, row: Floats) -> float:
        """The raw score of one row."""
        return float(self.raw_many(row[None, :])[0])

    def raw_many(self, rows: Floats) -> Floats:
        """Raw scores of a block in row order."""
        together = max(_CELLS // len(self._packed.roots), 1)
        parts = [self._block(rows[start : start + together]) for start in range(0, len(rows), together)]
        return np.concatenate(parts) if parts else np.empty(0)

    def contributions(self, row: Floats) -> Floats:
        """Each feature's share of one row's raw score, the base last."""
        known, codes = _answers(self._packed, row[None, :])
        return self._shares.of(known, codes)

    def _block(self, rows: Floats) -> Floats:
        known, codes = _answers(self._packed, rows)
        line = np.arange(len(rows))[:, None]
        at = np.tile(self._packed.roots.astype(np.intp), (len(rows), 1))
        for _ in range(int(self._packed.heights.max())):
            at = self._child[at] + self._steps.right(at, known, codes, line)
        leaves = self._steps.threshold[at]
        return np.asarray(np.add.accumulate(leaves, axis=1)[:, -1])  # one after the other, as sum() would not


class _Questions:
    """Splits' thresholds or sets, and the inputs they ask."""

    def __init__(self, splits: NDArray[np.void]) -> None:
        self.sets = np.ascontiguousarray(splits["threshold"])
        self.threshold = self.sets.view(np.float64)
        self.in_set = (splits["input"] & IN_SET) != 0
        self.any_set = bool(self.in_set.any())
        self.input = (splits["input"] & np.uint32(IN_SET - 1)).astype(np.intp)

    def all_right(self, known: Floats, codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether one row is turned right, at every split."""
        left = known[self.input] <= self.threshold
        if self.any_set:
            member = self.sets >> codes[self.input] & np.uint64(1)
            left = np.where(self.in_set, member != 0, left)
        return np.asarray(~left)

    def right(self, at: Indices, known: Floats, codes: NDArray[np.uint64], line: Indices) -> NDArray[np.bool_]:
        """Whether each row is turned right at the splits given for it."""
        asked = self.input[at]
        left = known[line, asked] <= self.threshold[at]
        if self.any_set:
            member = self.sets[at] >> codes[line, asked] & np.uint64(1)
            left = np.where(self.in_set[at], member != 0, left)
        return np.asarray(~left)


def _answers(packed: Packed, rows: Floats) -> tuple[Floats, NDArray[np.uint64]]:
    """What each input makes of each row, as the kernel's `answer` does; the column after the last is a leaf's."""
    if np.isinf(rows).any():
        raise ValueError("a row holds an infinite value")
    inputs = packed.inputs
    rule, values = inputs["rule"], rows[:, inputs["feature"]]
    missing, zero = np.isnan(values), np.abs(values) <= ZERO_BELOW
    codes = np.full((len(rows), len(inputs) + 1), NO_CODE, dtype=np.uint64)
    known = np.full(codes.shape, -np.inf)
    is_code = rule == Rule.CODE
    whole = np.where((values > -1.0) & (values < NO_CODE) & is_code, values, NO_CODE)
    codes[:, :-1] = whole.astype(np.uint64)
    values = np.where(zero, 0.0, values)
    values[missing & (rule == Rule.NONE_IS_ZERO)] = 0.0
    values[(missing | zero) & (rule == Rule.ZERO_LEFT) | missing & (rule == Rule.NONE_LEFT)] = -np.inf
    values[zero & (rule == Rule.ZERO_RIGHT)] = np.nan
    for place in np.flatnonzero(rule == Rule.WIDE).tolist():
        words = packed.words[inputs["first"][place] :][: inputs["words"][place]]
        values[:, place] = np.where(_in_words(rows[:, inputs["feature"][place]], words), -np.inf, np.nan)
    known[:, :-1] = values
    return known, codes


def _in_words(values: Floats, words: NDArray[np.uint32]) -> NDArray[np.bool_]:
    inside = (values > -1.0) & (values < min(len(words) * 32, _MANY_CODES))
    code = np.where(inside, values, 0.0).astype(np.int64)
    return np.asarray(inside & ((words[code // 32] >> (code % 32).astype(np.uint32) & np.uint32(1)) != 0))


class _Shares:
    """Contributions of one row over all trees at once: a column a split, a row a quadrature node.

    Columns are in order of depth, so that the splits of one depth lie together; leaves follow. All trees take the
    nodes that the one with most features on a way needs.
    """

    def __init__(self, packed: Packed) -> None:
        splits, trees = packed.splits, packed.trees
        self._base, self._features = packed.base, packed.features
        tree = np.repeat(np.arange(len(trees)), trees["splits"])
        inside = np.arange(len(splits)) - trees["split"][tree]
        depth = _depths(splits, trees, tree)
        order = np.lexsort((tree, depth))
        column = np.empty(len(order), dtype=np.intp)
        column[order] = np.arange(len(order))
        bounds = np.searchsorted(depth[order], np.arange(depth.max(initial=-1) + 2)).tolist()
        self._levels: Final = [slice(*each) for each in pairwise(bounds)]  # the roots first
        child, count, first = splits["child"].astype(np.intp), trees["splits"][tree][:, None], trees["split"][tree]
        at_split = column[np.minimum(first[:, None] + child, max(len(splits) - 1, 0))]
        at_leaf = len(splits) + trees["leaf"][tree][:, None] + child - count
        self._child: Final = np.where(child < count, at_split, at_leaf)[order].T.copy()
        self._parent, self._came = _parents(self._child, len(splits))
        lone = (splits["above"] == inside)[order]
        self._below: Final = np.flatnonzero(~lone)  # splits below one of the same feature, parents first
        self._above: Final = column[first + splits["above"]][order][self._below].tolist()
        self._side: Final = (splits["side"][order][self._below] == 1).tolist()
        self._asked: Final = _Questions(splits[order])
        self._share: Final = splits["share"][order].T.copy()
        self._above_share: Final = splits["above_share"][order]
        self._feature: Final = splits["feature"][order]
        points, weights = quadrature((packed.widest + 1) // 2)
        self._odds: Final = (points / (1.0 - points))[:, None]
        self._weights: Final = weights / (1.0 - points)
        rest = (1.0 - points)[:, None]
        self._inverse: Final = np.where(lone, rest, 1.0 / (1.0 + self._odds * self._above_share))
        self._twice: Final = self._inverse * (1.0 + self._odds)
        part = self._inverse.shape
        # Held from call to call: rooms of this size would be taken from the system each time, page by page.
        self._rooms: Final = tuple(np.empty(part) for _ in range(5))
        self._up: Final = np.empty((part[0], part[1] + len(packed.leaves)))
        self._up[:, part[1] :] = packed.leaves
        self._lock: Final = threading.Lock()

    def of(self, known: Floats, codes: NDArray[np.uint64]) -> Floats:
        """The contributions of one answered row, the base last."""
        way = self._asked.all_right(known[0], codes[0])
        shut = self._shut(way)
        to, past = np.where(way, self._child[1], self._child[0]), np.where(way, self._child[0], self._child[1])
        share, above = np.where(way, self._share[1], self._share[0]), self._above_share.copy()
        share[shut] = above[shut] = 0.0
        reached = np.where(way[self._parent] == self._came, share[self._parent], 0.0)
        with self._lock:
            inverse, grow, passed, failed, here = self._rooms
            np.copyto(inverse, self._inverse)
            inverse[:, shut] = 1.0
            np.multiply(self._odds, share, out=grow)
            grow += 1.0
            for span in reversed(self._levels):
                above_it = self._up[:, span]
                _take(self._up, to[span], passed[:, span])
                _take(self._up, past[span], failed[:, span])
                np.multiply(passed[:, span], grow[:, span], out=above_it)
                above_it += failed[:, span]
                above_it *= inverse[:, span]
            np.multiply(self._odds, reached, out=grow)
            grow += 1.0
            grow *= inverse
            for span in self._levels[:1]:
                here[:, span] = inverse[:, span]
            for span in self._levels[1:]:
                _take(here, self._parent[span], here[:, span])
                here[:, span] *= grow[:, span]
            passed *= share - above
            failed *= above
            passed -= failed
            passed *= here
            passed *= self._twice
            moved = self._weights @ passed
        shares = np.bincount(self._feature, weights=moved, minlength=self._features)
        return np.append(shares, self._base)

    def _shut(self, way: NDArray[np.bool_]) -> Indices:
        """The splits whose feature's splits above the row has failed already."""
        shut: set[int] = set()
        below = self._below.tolist()
        for split, above, side in zip(below, self._above, self._side, strict=True):
            if above in shut or bool(way[above]) != side:
                shut.add(split)
        return np.array(sorted(shut), dtype=np.intp)


def _take(rooms: Floats, columns: Indices, out: Floats) -> None:
    np.take(rooms, columns, axis=1, out=out, mode="clip")  # clip: the default would copy `out` first


def _parents(child: Indices, splits: int) -> tuple[Indices, NDArray[np.bool_]]:
    """Each split's parent, and whether it is its right child; a root is its own."""
    parent, came = np.arange(splits), np.zeros(splits, dtype=np.bool_)
    for side in (0, 1):
        is_split = np.flatnonzero(child[side] < splits)
        parent[child[side][is_split]], came[child[side][is_split]] = is_split, bool(side)
    return parent, came


def _depths(splits: NDArray[np.void], trees: NDArray[np.void], tree: Indices) -> Indices:
    """Each split's depth in its tree; parents come before their children."""
    depth = np.zeros(len(splits), dtype=np.intp)
    firsts, counts = trees["split"][tree].tolist(), trees["splits"][tree].tolist()
    for place, (first, count) in enumerate(zip(firsts, counts, strict=True)):
        for child in splits["child"][place].tolist():
            if child < count:
                depth[first + child] = depth[place] + 1
    return depth

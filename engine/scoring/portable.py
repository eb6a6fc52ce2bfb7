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
        self._steps: Final = _Questions(packed.steps["threshold"], packed.steps["input"])
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

    def __init__(self, bits: NDArray[np.uint64], inputs: NDArray[np.uint32]) -> None:
        self.bits = np.ascontiguousarray(bits)
        self.threshold = self.bits.view(np.float64)
        self.in_set = (inputs & IN_SET) != 0
        self.any_set = bool(self.in_set.any())
        self.input = (inputs & np.uint32(IN_SET - 1)).astype(np.intp)

    def right(self, at: Indices, known: Floats, codes: NDArray[np.uint64], line: Indices) -> NDArray[np.bool_]:
        """Whether each row is turned right at the splits given for it."""
        asked = self.input[at]
        left = known[line, asked] <= self.threshold[at]
        if self.any_set:
            member = self.bits[at] >> codes[line, asked] & np.uint64(1)
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
        depth = _depths(splits, trees, tree, inside)
        order = np.lexsort((tree, depth))
        column = np.empty(len(order), dtype=np.intp)
        column[order] = np.arange(len(order))
        bounds = np.searchsorted(depth[order], np.arange(depth.max(initial=-1) + 2)).tolist()
        self._levels: Final = [slice(*each) for each in pairwise(bounds)][::-1]  # the deepest splits first
        self._roots: Final = len(trees)
        child, count, first = splits["child"].astype(np.intp), trees["splits"][tree][:, None], trees["split"][tree]
        at_split = column[np.minimum(first[:, None] + child, max(len(splits) - 1, 0))]
        at_leaf = len(splits) + trees["leaf"][tree][:, None] + child - count
        self._child: Final = np.where(child < count, at_split, at_leaf)[order].T.copy()
        self._above: Final = column[first + splits["above"]][order]
        self._side: Final = splits["side"][order] == 1
        self._lone: Final = (splits["above"] == inside)[order]
        self._asked: Final = _Questions(splits["threshold"][order], splits["input"][order])
        self._share: Final = splits["share"][order].T.copy()
        above_share = splits["above_share"][order]
        self._feature: Final = splits["feature"][order]
        self._leaves: Final = packed.leaves
        points, weights = quadrature(max((each.nodes for each in packed.passes), default=1))
        self._odds: Final = (points / (1.0 - points))[:, None]
        self._weights: Final = weights / (1.0 - points)
        first_one = (1.0 - points)[:, None]
        self._inverse: Final = np.where(self._lone, first_one, 1.0 / (1.0 + self._odds * above_share))
        self._twice: Final = self._inverse * (1.0 + self._odds)
        self._above_part: Final = np.where(self._lone, 1.0, above_share)
        whole, part = (len(points), len(splits) + len(self._leaves)), (len(points), len(splits))
        # Held from call to call: rooms of this size would be taken from the system each time, page by page.
        self._rooms: Final = tuple(np.empty(shape) for shape in (part, part, part, part, whole, whole, part))
        self._rooms[4][:, len(splits) :] = self._leaves
        self._lock: Final = threading.Lock()

    def of(self, known: Floats, codes: NDArray[np.uint64]) -> Floats:
        """The contributions of one answered row, the base last."""
        count = len(self._feature)
        columns = np.arange(count)
        way = self._asked.right(columns, known, codes, np.zeros(1, dtype=np.intp))
        pick, shut = way.astype(np.intp), self._shut(way)
        to, past = self._child[pick, columns], self._child[1 - pick, columns]
        share, above = np.where(shut, 0.0, self._share[pick, columns]), np.where(shut, 0.0, self._above_part)
        with self._lock:
            inverse, grow, passed, failed, up, down, part = self._rooms
            np.copyto(inverse, self._inverse)
            inverse[:, shut] = 1.0
            np.multiply(self._odds, share, out=grow)
            grow += 1.0
            for span in self._levels:
                self._take(up, to[span], passed[:, span])
                self._take(up, past[span], failed[:, span])
                np.multiply(passed[:, span], grow[:, span], out=part[:, span])
                part[:, span] += failed[:, span]
                np.multiply(part[:, span], inverse[:, span], out=up[:, span])
            down[:, : self._roots] = 1.0
            for span in reversed(self._levels):
                down[:, span] *= inverse[:, span]
                np.multiply(down[:, span], grow[:, span], out=part[:, span])
                down[:, to[span]], down[:, past[span]] = part[:, span], down[:, span]
            passed *= share - above
            failed *= above
            passed -= failed
            passed *= down[:, :count]
            passed *= self._twice
            moved = self._weights @ passed
        shares = np.bincount(self._feature, weights=moved, minlength=self._features)
        return np.append(shares, self._base)

    @staticmethod
    def _take(rooms: Floats, columns: Indices, out: Floats) -> None:
        np.take(rooms, columns, axis=1, out=out, mode="clip")  # clip: the default would copy `out` first

    def _shut(self, way: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Where the row already failed a split of the same feature above."""
        shut = np.zeros(len(way), dtype=np.bool_)
        for span in reversed(self._levels):
            above = self._above[span]
            shut[span] = ~self._lone[span] & (shut[above] | (way[above] != self._side[span]))
        return shut


def _depths(splits: NDArray[np.void], trees: NDArray[np.void], tree: Indices, inside: Indices) -> Indices:
    """Each split's depth in its tree; parents come before their children."""
    depth = np.zeros(len(splits), dtype=np.intp)
    firsts, counts = trees["split"][tree].tolist(), trees["splits"][tree].tolist()
    for place, (first, count) in enumerate(zip(firsts, counts, strict=True)):
        for child in splits["child"][place].tolist():
            if child < count:
                depth[first + child] = depth[place] + 1
    return depth

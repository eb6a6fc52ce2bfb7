"""A model as flat arrays, the same for every back end: what each split asks, and how its trees hang together.

It does: turn an Ensemble into arrays once, when a model is loaded. It does not: score. The rule it keeps: a split is
one comparison. Which values count as missing, and where they go, is settled per feature and rule before any tree is
looked at (an Input: minus infinity goes left of every threshold, NaN right), and a set of categories below 63 is one
64-bit word in the threshold's place; so all a tree asks is `known <= threshold` or one bit.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.scoring.ensemble import (
    CATEGORICAL_BIT,
    DEFAULT_LEFT_BIT,
    MISSING_NAN,
    MISSING_SHIFT,
    MISSING_ZERO,
    WORD_BITS,
    Ensemble,
    Tree,
)

IN_SET: Final = 1 << 31  # of an input's number: the threshold's place holds a set of codes
WALKED: Final = (1 << 32) - 1  # in the place of the first leaf of a tree with more leaves than a word has bits
_BITS: Final = 64
NO_CODE: Final = 63  # stands for every code that is in no set of one word
_NEWTON_STEPS: Final = 6  # from the usual first guess three are enough
LANES: Final = 4  # quadrature nodes worked on together: enough for eight features on one way through a tree

INPUT: Final = np.dtype([("feature", "<u4"), ("rule", "<u4"), ("first", "<u4"), ("words", "<u4")])
STEP: Final = np.dtype([("threshold", "<u8"), ("child", "<u4"), ("input", "<u4")])
SPLIT: Final = np.dtype(
    [
        ("threshold", "<u8"),
        ("share", "<f8", 2),
        ("above_share", "<f8"),
        ("input", "<u4"),
        ("inverse", "<u4"),
        ("child", "<u2", 2),
        ("feature", "<u2"),
        ("above", "<u2"),
        ("side", "<u2"),
        ("spare", "<u2", 3),
    ]
)
CUT: Final = np.dtype([("threshold", "<u8"), ("others", "<u8"), ("input", "<u4"), ("spare", "<u4")])
SWEPT: Final = np.dtype([("cut", "<u4"), ("set", "<u4"), ("end", "<u4"), ("leaf", "<u4")])
TREE: Final = np.dtype([("split", "<u4"), ("splits", "<u4"), ("leaf", "<u4"), ("inverse", "<u4")])

Floats = NDArray[np.float64]


class Rule(IntEnum):
    """What an input makes of a feature's value, zero being anything LightGBM takes for it."""

    NONE_IS_ZERO = 0  # missing counts as zero
    ZERO_LEFT = 1  # missing and zero go left
    ZERO_RIGHT = 2
    NONE_LEFT = 3  # missing goes left
    NONE_RIGHT = 4
    CODE = 5  # the whole part, a category
    WIDE = 6  # left where the code is in a set of any width


@dataclass(frozen=True, slots=True)
class Pass:
    """Trees whose contributions are exact with the same quadrature nodes, and one batch of four of them.

    odds = t/(1-t), rest = 1-t and weight = w/(1-t) of the nodes t and weights w on [0, 1]; `inverses` has one row to
    a split below another of the same feature, (1 + odds * share above)^-1.
    """

    odds: Floats
    rest: Floats
    weight: Floats
    first: int
    end: int
    inverses: Floats


@dataclass(frozen=True, slots=True)
class Packed:
    """A model's arrays.

    `steps` is every node and leaf, a left child beside its right one; a leaf stays where it is and its threshold is
    its value. Thresholds are held as their bits, since some are sets. `roots` and `heights` are by tree in the model's
    order, `order` is by rising height, eight at a time.
    `cuts`, `swept` and `in_order` (leaf values from left to right) are for many rows at once: a cut is a split with a
    bit for each of its tree's leaves but those on its left side. A tree of more leaves than bits has WALKED for them.
    `splits`, parents first, and `leaves` (value x share of the rows) serve contributions; a child is a split of the
    tree, or the number of splits plus a leaf. `base` is the mean raw score, `widest`
    the most features on one way through each of `trees`.
    """

    features: int
    inputs: NDArray[np.void]
    words: NDArray[np.uint32]
    steps: NDArray[np.void]
    roots: NDArray[np.uint32]
    heights: NDArray[np.uint32]
    order: NDArray[np.uint32]
    cuts: NDArray[np.void]
    swept: NDArray[np.void]
    in_order: Floats
    splits: NDArray[np.void]
    trees: NDArray[np.void]
    leaves: Floats
    passes: tuple[Pass, ...]
    base: float
    widest: NDArray[np.intp]


Question = tuple[int, int]  # the threshold's bits, or a set's; the input's number


def pack(ensemble: Ensemble) -> Packed:
    """All arrays of a model; the same model gives the same arrays."""
    inputs = _Inputs()
    asked = [[inputs.question(tree, node) for node in range(len(tree.left))] for tree in ensemble.trees]
    roots: list[int] = []
    heights: list[int] = []
    steps: list[tuple[int, int, int]] = []
    for tree, questions in zip(ensemble.trees, asked, strict=True):
        roots.append(len(steps))
        heights.append(_append_steps(steps, tree, questions, len(inputs)))
    grown = [_Grown.of(tree, questions) for tree, questions in zip(ensemble.trees, asked, strict=True) if tree.left]
    grown.sort(key=lambda tree: tree.nodes)
    splits, trees, leaves = _joined(grown)
    cuts, swept, in_order = _swept(ensemble.trees, asked)
    order = np.argsort(heights, kind="stable")
    return Packed(
        features=len(ensemble.feature_names),
        inputs=np.array(inputs.rows, dtype=INPUT),
        words=np.array(inputs.words, dtype=np.uint32),
        steps=np.array(steps, dtype=STEP),
        roots=np.array(roots, dtype=np.uint32),
        heights=np.array(heights, dtype=np.uint32),
        order=np.pad(order, (0, -len(order) % 8), mode="edge").astype(np.uint32),
        cuts=cuts,
        swept=swept,
        in_order=in_order,
        splits=splits,
        trees=trees,
        leaves=leaves,
        passes=tuple(_passes(grown)),
        widest=np.array([tree.widest for tree in grown], dtype=np.intp),
        base=float(sum(tree.leaf_value[0] for tree in ensemble.trees if not tree.left)) + float(leaves.sum()),
    )


class _Inputs:
    """The inputs that splits ask for, each kept once."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.words: list[int] = []
        self._numbers: dict[tuple[object, ...], int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def question(self, tree: Tree, node: int) -> Question:
        """What a node asks, as the threshold's place and the input's number."""
        decision, feature = tree.decision[node], tree.split_feature[node]
        if decision & CATEGORICAL_BIT:
            start, end = (tree.category_starts[int(tree.threshold[node]) + k] for k in (0, 1))
            return self._membership(feature, tree.category_words[start:end])
        left = bool(decision & DEFAULT_LEFT_BIT)
        match decision >> MISSING_SHIFT:
            case missing if missing == MISSING_NAN:
                rule = Rule.NONE_LEFT if left else Rule.NONE_RIGHT
            case missing if missing == MISSING_ZERO:
                rule = Rule.ZERO_LEFT if left else Rule.ZERO_RIGHT
            case _:
                rule = Rule.NONE_IS_ZERO
        return _bits(tree.threshold[node]), self._number((feature, rule))

    def _membership(self, feature: int, words: tuple[int, ...]) -> Question:
        codes = sum(word << WORD_BITS * place for place, word in enumerate(words))
        if codes < 1 << NO_CODE:
            return codes, self._number((feature, Rule.CODE)) | IN_SET
        return _bits(0.0), self._number((feature, Rule.WIDE), words)

    def _number(self, asked: tuple[int, Rule], words: tuple[int, ...] = ()) -> int:
        key = (*asked, words)
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append((*asked, len(self.words), len(words)))
            self.words.extend(words)
        return self._numbers[key]


def _append_steps(steps: list[tuple[int, int, int]], tree: Tree, questions: list[Question], idle: int) -> int:
    """Append one tree, breadth first so that children lie side by side, and return its height.

    A leaf asks the input after the last one, which always answers left, and is its own left child.
    """
    root, height = len(steps), 0
    waiting = [(0 if tree.left else ~0, 0)]
    place = root + 1
    for node, depth in waiting:  # grows as it is walked
        height = max(height, depth)
        if node < 0:
            steps.append((_bits(tree.leaf_value[~node]), len(steps), idle))
            continue
        threshold, number = questions[node]
        steps.append((threshold, place, number))
        place += 2
        waiting += [(tree.left[node], depth + 1), (tree.right[node], depth + 1)]
    return height


def _swept(trees: Iterable[Tree], asked: Iterable[list[Question]]) -> tuple[NDArray[np.void], NDArray[np.void], Floats]:
    """Every tree's cuts, those that compare before those that look into a set, and its leaves from left to right."""
    cuts: list[tuple[int, int, int, int]] = []
    swept: list[tuple[int, int, int, int]] = []
    in_order: list[float] = []
    for tree, questions in zip(trees, asked, strict=True):
        if len(tree.leaf_value) > _BITS:
            swept.append((0, 0, 0, WALKED))
            continue
        leaves, others = _from_left(tree)
        mine = sorted(
            ((bits, others[node], number & ~IN_SET, number >> 31) for node, (bits, number) in enumerate(questions)),
            key=lambda cut: cut[3],
        )
        sets = sum(cut[3] for cut in mine)
        swept.append((len(cuts), len(cuts) + len(mine) - sets, len(cuts) + len(mine), len(in_order)))
        cuts += [(*cut[:3], 0) for cut in mine]
        in_order += [tree.leaf_value[leaf] for leaf in leaves]
    return np.array(cuts, dtype=CUT), np.array(swept, dtype=SWEPT), np.array(in_order, dtype=np.float64)


def _from_left(tree: Tree) -> tuple[list[int], dict[int, int]]:
    """Leaves from left to right, and of each split a bit to every leaf but those on its left side."""
    leaves: list[int] = []
    others: dict[int, int] = {}
    waiting: list[tuple[int, int]] = [(0 if tree.left else ~0, -1)]  # -1: not seen; else where its left side began
    while waiting:
        node, began = waiting.pop()
        if node < 0:
            leaves.append(~node)
        elif began < 0:
            waiting += [(node, len(leaves)), (tree.left[node], -1)]
        else:
            others[node] = (1 << _BITS) - 1 ^ (1 << len(leaves)) - (1 << began)
            waiting.append((tree.right[node], -1))
    return leaves, others


@dataclass(frozen=True, slots=True)
class _Grown:
    """One tree that splits, for contributions: rows of SPLIT, its leaves, and the nodes that make it exact."""

    rows: list[tuple[object, ...]]
    above_shares: list[float]  # of the splits below another of the same feature
    leaves: list[float]
    widest: int  # features on one way, at the most

    @property
    def nodes(self) -> int:
        """Quadrature nodes that make it exact, rounded up to whole batches."""
        return -(-self.widest // (2 * LANES)) * LANES

    @classmethod
    def of(cls, tree: Tree, questions: list[Question]) -> "_Grown":
        """Walk the tree breadth first, carrying what each feature's splits let through on the way."""
        places = {node: place for place, node in enumerate(_breadth_first(tree))}
        ways: dict[int, dict[int, _Way]] = {0: {}}
        rows: list[tuple[object, ...]] = []
        above_shares: list[float] = []
        widest = 0
        for node, place in places.items():
            feature, way = tree.split_feature[node], ways.pop(node)
            above = way.get(feature)
            share = 1.0 if above is None else above.share
            sides, children = [], (tree.left[node], tree.right[node])
            for side, child in enumerate(children):
                sides.append(share * _rows(tree, child) / tree.node_count[node])
                to = {**way, feature: _Way(place, side, sides[-1])}
                widest = max(widest, len(to))
                if child >= 0:
                    ways[child] = to
            rows.append((
                questions[node][0], tuple(1.0 / each for each in sides), 1.0 / share, questions[node][1],
                len(above_shares), tuple(places[c] if c >= 0 else len(places) + ~c for c in children), feature,
                place if above is None else above.place, 0 if above is None else above.side, (0, 0, 0),
            ))  # fmt: skip
            if above is not None:
                above_shares.append(1.0 / share)
        counts = zip(tree.leaf_value, tree.leaf_count, strict=True)
        return cls(rows, above_shares, [value * count / tree.node_count[0] for value, count in counts], widest)


@dataclass(frozen=True, slots=True)
class _Way:
    """The last split of a feature on the way: its place, the side taken, and the share of rows let through so far."""

    place: int
    side: int
    share: float


def _breadth_first(tree: Tree) -> list[int]:
    nodes = [0]
    for node in nodes:  # grows as it is walked
        nodes += [child for child in (tree.left[node], tree.right[node]) if child >= 0]
    return nodes


def _rows(tree: Tree, child: int) -> int:
    return tree.node_count[child] if child >= 0 else tree.leaf_count[~child]


def _joined(grown: list[_Grown]) -> tuple[NDArray[np.void], NDArray[np.void], Floats]:
    """Splits, trees and leaves of all trees, one after the other; inverses are counted anew for every pass."""
    trees: list[tuple[int, int, int, int]] = []
    split = 0
    for _, group in groupby(grown, key=lambda tree: tree.nodes):
        inverse = 0
        for tree in group:
            trees.append((split, len(tree.rows), split + len(trees), inverse))
            split, inverse = split + len(tree.rows), inverse + len(tree.above_shares)
    return (
        np.array([row for tree in grown for row in tree.rows], dtype=SPLIT),
        np.array(trees, dtype=TREE),
        np.array([leaf for tree in grown for leaf in tree.leaves], dtype=np.float64),
    )


def _passes(grown: list[_Grown]) -> Iterator[Pass]:
    """One pass for every batch of nodes; `grown` is in order of how many nodes a tree needs."""
    end = 0
    for nodes, group in groupby(grown, key=lambda tree: tree.nodes):
        trees = list(group)
        first, end = end, end + len(trees)
        above = np.array([share for tree in trees for share in tree.above_shares], dtype=np.float64)[:, None]
        points, weights = quadrature(nodes)
        for start in range(0, nodes, LANES):
            t, w = points[start : start + LANES], weights[start : start + LANES]
            odds = t / (1.0 - t)
            yield Pass(odds, 1.0 - t, w / (1.0 - t), first, end, 1.0 / (1.0 + odds * above))


@cache
def quadrature(nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on [0, 1]: exact for polynomials of a degree below twice as many.

    The nodes are the Legendre polynomial's roots, by Newton's method. NumPy's own would load its polynomials and linear
    algebra into every process that scores.
    """
    x = np.cos(np.pi * (np.arange(nodes) + 0.75) / (nodes + 0.5))
    for _ in range(_NEWTON_STEPS):
        below, value = np.ones(nodes), x.copy()
        for degree in range(2, nodes + 1):
            below, value = value, ((2 * degree - 1) * x * value - (degree - 1) * below) / degree
        slope = nodes * (below - x * value) / (1.0 - x * x)
        x = x - value / slope
    return (1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope)


def _bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])

"""Exact contributions of one row in NumPy alone: the kernel's two recurrences, over all trees at once.

It does: lay a packed model out once, so that a row takes a few passes over long arrays, and no array is gathered that
can be written in its place. It does not: answer the splits, or give the kernel's last bits, since it adds in another
order. The rule it keeps: as many quadrature nodes as a tree's widest way needs, so that nothing is approximated.

An element is one split under one node of its tree's. Elements lie by depth, so that all splits of a depth are one
slice; within it those below a split of the same feature come last. Each element has two places for what lies below it,
one a side: leaves stand in theirs from the start, weighed by what all splits above have in common, (1-t) to the power
of the features on their way; a split writes into its parent's.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.scoring.packing import Packed, quadrature

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Splits by depth: places in `packed.splits`, how they hang together, and where their elements begin."""

    order: Indices
    parent: Indices  # a root is its own
    came: Flags  # whether it is its parent's right child
    above: Indices  # the split above it of the same feature; itself where there is none
    depths: list[int]  # where each depth begins, and the end
    nodes: Indices
    start: Indices

    @classmethod
    def of(cls, packed: Packed) -> "_Layout":
        """Sort the splits by depth, those below one of the same feature last."""
        splits, trees = packed.splits, packed.trees
        tree = np.repeat(np.arange(len(trees)), trees["splits"])
        first = trees["split"][tree].astype(np.intp)
        parent, came = np.arange(len(splits)), np.zeros(len(splits), dtype=np.bool_)
        for side in (0, 1):
            child = splits["child"][:, side]
            is_split = np.flatnonzero(child < trees["splits"][tree])
            kids = first[is_split] + child[is_split]
            parent[kids], came[kids] = is_split, bool(side)
        depth, above = _depths(parent), first + splits["above"]
        order = np.lexsort((above != np.arange(len(splits)), depth))
        column = np.empty_like(order)
        column[order] = np.arange(len(order))
        nodes = (packed.widest[tree[order]] + 1) // 2
        return cls(
            order, column[parent][order], came[order], column[above][order],
            np.searchsorted(depth[order], np.arange(depth.max(initial=-1) + 2)).tolist(),
            nodes, np.cumsum(nodes) - nodes,
        )  # fmt: skip


class Shares:
    """A packed model's contributions; `of` may be called from any thread."""

    def __init__(self, packed: Packed) -> None:
        laid = _Layout.of(packed)
        splits, self._base, self._features = packed.splits[laid.order], packed.base, packed.features
        self._parent, self._came, self._nodes, self.order = laid.parent, laid.came, laid.nodes, laid.order
        of = np.repeat(np.arange(len(splits)), laid.nodes)  # each element's split
        node = np.arange(len(of)) - laid.start[of]
        t, weights = _points(laid.nodes[of], node)
        odds = t / (1.0 - t)
        self._inverse_odds: Final = 1.0 / odds
        self._feature: Final = splits["feature"].astype(np.intp)[of]
        self._grow: Final = np.stack([odds * splits["share"][:, side][of] for side in (0, 1)])
        self._above_it: Final = laid.start[laid.parent][of] + node  # the same node of the parent
        self._place: Final = self._above_it + laid.came[of] * len(of)
        self._step: Final = self._grow.ravel()[self._place]
        self._sides: Final = np.zeros((2, len(of)))
        features_above = _features_above(laid)[of]
        for side, leaves in enumerate(_leaves(packed, laid)):
            np.multiply(leaves[of], (1.0 - t) ** features_above, out=self._sides[side])
        bounds = np.append(laid.start, len(of))[laid.depths]
        self._levels: Final = [slice(*each) for each in pairwise(bounds.tolist())]  # the roots first
        self._roots: Final = weights[slice(*bounds[:2].tolist())]
        # What follows has one item to an element below another of the same feature.
        self._ranks: Final = list(_ranks(laid, splits["side"] == 1))
        self._again: Final = np.flatnonzero(laid.above[of] != of)
        self._again_of: Final = of[self._again]
        self._again_levels: Final = [slice(*e) for e in pairwise(np.searchsorted(self._again, bounds).tolist())]
        share = splits["above_share"][self._again_of]
        self._undo: Final = 1.0 / (1.0 + odds[self._again] * share)
        self._past: Final = self._undo * share * (1.0 + odds[self._again])
        self._beyond: Final = self._undo * (1.0 + odds[self._again])
        # Held from call to call: rooms of this size would be taken from the system each time, page by page.
        self._rooms: Final = tuple(np.empty(len(of)) for _ in range(3))
        self._lock: Final = threading.Lock()

    def of(self, way: Flags) -> Floats:
        """The contributions of a row, the base last; `way` says of each split, in `order`, whether it turns right."""
        unfailed = np.ones(len(way), dtype=np.bool_)  # by the feature's splits above
        for splits, above, side in self._ranks:
            unfailed[splits] = unfailed[above] & (way[above] == side)
        on = np.repeat((way[self._parent] == self._came) & unfailed[self._parent], self._nodes)
        counts = unfailed[self._again_of]
        undo = np.where(counts, self._undo, 1.0)
        with self._lock:
            passed, both, here = self._rooms
            self._gather(np.repeat(way, self._nodes), counts, undo, passed, both)
            self._lead(on, undo, here)
            # What the feature moves: its passed side by 1/z of itself, less both sides.
            passed *= self._inverse_odds
            passed[self._again] *= self._beyond
            both[self._again] *= self._past * counts
            passed -= both
            passed *= here
            moved = np.bincount(self._feature, weights=passed, minlength=self._features)
        return np.append(moved, self._base)

    def _gather(self, way: Flags, counts: Flags, undo: Floats, passed: Floats, both: Floats) -> None:
        """From the leaves up: what lies on both sides of each split, and what its passed side grows by."""
        flat = self._sides.ravel()
        for level, again in zip(reversed(self._levels), reversed(self._again_levels), strict=True):
            sides, grown = self._sides[:, level], self._grow[:, level] * self._sides[:, level]
            np.add(sides[0], sides[1], out=both[level])
            passed[level] = np.where(way[level], grown[1], grown[0])
            if count := again.stop - again.start:
                passed[level][-count:] *= counts[again]
            if level.start:
                above = both[level] + passed[level]
                if count:
                    above[-count:] *= undo[again]
                flat[self._place[level]] = above

    def _lead(self, on: Flags, undo: Floats, here: Floats) -> None:
        """From the roots down: what leads to each split, its own feature left out."""
        reach = self._step * on
        reach += 1.0
        reach[self._again] *= undo
        for level in self._levels[:1]:
            here[level] = self._roots
        for level in self._levels[1:]:
            led = here[level]
            np.take(here, self._above_it[level], out=led, mode="clip")  # clip: the default would copy `led` first
            led *= reach[level]


def _depths(parent: Indices) -> Indices:
    """Each split's depth, the roots' being 0."""
    depth, at = np.zeros(len(parent), dtype=np.intp), np.arange(len(parent))
    while (moving := parent[at] != at).any():
        depth += moving
        at = parent[at]
    return depth


def _features_above(laid: _Layout) -> Indices:
    """How many other features than a split's own its way asks."""
    count = (laid.above == np.arange(len(laid.above))).astype(np.intp)
    for start, end in pairwise(laid.depths[1:]):
        count[start:end] += count[laid.parent[start:end]]
    return np.asarray(count - 1)


def _leaves(packed: Packed, laid: _Layout) -> Iterator[Floats]:
    """For each side, the leaf at each split: its value x its share of the rows, 0 where there is a split."""
    splits, trees = packed.splits, packed.trees
    tree = np.repeat(np.arange(len(trees)), trees["splits"])
    for side in (0, 1):
        child, count = splits["child"][:, side].astype(np.intp), trees["splits"][tree].astype(np.intp)
        leaf = np.where(child < count, 0, trees["leaf"][tree] + child - count)
        yield np.where(child < count, 0.0, packed.leaves[leaf])[laid.order]


def _ranks(laid: _Layout, side: Flags) -> Iterator[tuple[Indices, Indices, Flags]]:
    """Splits below others of the same feature, in turns: those of a turn hang on those before alone."""
    turn = _depths(laid.above)
    for number in range(1, int(turn.max(initial=0)) + 1):
        splits = np.flatnonzero(turn == number)
        yield splits, laid.above[splits], side[splits]


def _points(nodes: Indices, node: Indices) -> tuple[Floats, Floats]:
    """The quadrature's point and weight of each element, the `node`-th of so many `nodes`."""
    points, weights = np.empty(len(nodes)), np.empty(len(nodes))
    for count in np.unique(nodes).tolist():
        mine = nodes == count
        all_points, all_weights = quadrature(count)
        points[mine], weights[mine] = all_points[node[mine]], all_weights[node[mine]]
    return points, weights

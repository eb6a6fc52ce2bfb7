"""The certificate of monotonicity: every declared direction proved from the trees, or a pair of rows that breaks it.

It does: cut each feature's values into the cells between which no tree can tell apart, and follow two neighbouring
cells of one feature through every tree at once, over boxes of all the other features. It does not: sample, or trust
the constraint that LightGBM was given. The rule it keeps: a proof covers every finite value of the feature and every
setting of the others, each of them at any value, any category code, or missing.

What is said of missing values: a feature's direction compares its present values alone, for where a missing value goes
is a choice of the model and not a step up or down; every other feature may be missing on both sides of the comparison.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine.release import Certificate, Proof
from engine.scoring import Ensemble, Tree, walk_raw
from engine.scoring.ensemble import (
    CATEGORICAL_BIT,
    DEFAULT_LEFT_BIT,
    MISSING_NAN,
    MISSING_SHIFT,
    MISSING_ZERO,
    ZERO_BELOW,
)

MOST_STEPS: Final = 4_000_000  # pieces looked at, about ten seconds; counted, so that every machine comes to one answer
CLAIM: Final = (
    "For every pair of rows that differ in this feature alone, both values present, the raw score never moves against "
    "the direction; the other features take any finite value, category code or missing. Nothing is claimed between a "
    "missing and a present value of the feature itself."
)

Box = Mapping[int, int]  # feature -> the cells it may be in, one bit a cell; a feature that is not named is free
Piece = tuple[Box, float]  # one part of the other features' space, and the step that a tree makes there


@dataclass(frozen=True, slots=True)
class Witness:
    """Two rows in model order that differ in one feature by the least step, and what the score does (NaN: missing)."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    raw_low: float
    raw_high: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one declared direction; `open` where it is neither proved nor refuted within the steps."""

    feature: str
    direction: Literal[-1, 1]
    by: Literal["trees", "sum", "unused", "broken", "open"]
    cuts: int
    witness: Witness | None = None

    @property
    def proved(self) -> bool:
        """Whether the direction holds for all rows."""
        return self.by in ("trees", "sum", "unused")

    def sentence(self) -> str:
        """Why it is not proved, for a person."""
        way = "rise" if self.direction > 0 else "fall"
        if self.witness is None:
            return f"{self.feature}: not proved within {MOST_STEPS:,} steps that the score may only {way}"
        at = next(i for i, (a, b) in enumerate(zip(self.witness.low, self.witness.high, strict=True)) if _differ(a, b))
        return (
            f"{self.feature}: the score may only {way}, yet from {self.witness.low[at]:.6g} to "
            f"{self.witness.high[at]:.6g} it goes from {self.witness.raw_low:.9g} to {self.witness.raw_high:.9g}"
        )


class NotProved(ValueError):
    """A model that breaks a declared direction, or for which it could not be proved; `findings` say which."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(finding.sentence() for finding in findings))


def certify(ensemble: Ensemble, directions: Sequence[int], most_steps: int = MOST_STEPS) -> tuple[Finding, ...]:
    """What holds of each directed feature, in model order; `directions` are -1, 0 or 1 a feature."""
    if len(directions) != len(ensemble.feature_names):
        raise ValueError("as many directions as features")
    grid = _Grid(ensemble)
    budget = _Budget(most_steps)
    return tuple(
        _of_feature(grid, feature, 1 if direction > 0 else -1, budget)
        for feature, direction in enumerate(directions)
        if direction
    )


def prove(ensemble: Ensemble, directions: Sequence[int]) -> Certificate:
    """The certificate a manifest carries; raises NotProved with a witness where a direction does not hold."""
    findings = certify(ensemble, directions)
    if failed := [finding for finding in findings if not finding.proved]:
        raise NotProved(failed)
    stated = [{key: getattr(finding, key) for key in Proof.model_fields} for finding in findings]
    return Certificate(claim=CLAIM, proofs=tuple(map(Proof.model_validate, stated)))


def _differ(a: float, b: float) -> bool:
    return a != b and not (math.isnan(a) and math.isnan(b))


# -- cells ---------------------------------------------------------------------------------------------------


class _Grid:
    """Each feature's values as cells in rising order, missing last; each split as the set of cells it sends left."""

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble
        self.values: list[list[float]] = []  # one value of each cell but the last, which is missing
        self.left: list[list[int]] = [[0] * len(tree.left) for tree in ensemble.trees]
        splits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, tree in enumerate(ensemble.trees):
            for node, feature in enumerate(tree.split_feature):
                splits[feature].append((number, node))
        for feature in range(len(ensemble.feature_names)):
            self._cut(splits[feature])
        self.full = [(2 << len(values)) - 1 for values in self.values]
        self.splits = splits

    def _cut(self, splits: list[tuple[int, int]]) -> None:
        trees = self.ensemble.trees
        values = _candidates([(trees[number], node) for number, node in splits])
        answers = np.array([_goes_left(trees[number], node, values) for number, node in splits], dtype=bool)
        answers = answers.reshape(len(splits), len(values))
        last = np.append((answers[:, 1:-1] != answers[:, :-2]).any(axis=0), True)  # of its cell: the next is told apart
        kept = np.append(np.flatnonzero(last), len(values) - 1)
        self.values.append(values[kept[:-1]].tolist())
        for (number, node), row in zip(splits, answers[:, kept], strict=True):
            self.left[number][node] = int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")

    def cuts(self, feature: int) -> dict[int, set[int]]:
        """Cell -> the trees that tell it from the next one."""
        found: dict[int, set[int]] = defaultdict(set)
        present = (1 << len(self.values[feature])) - 1
        for number, node in self.splits[feature]:
            mask = self.left[number][node] & present
            changes = (mask ^ mask >> 1) & present >> 1
            while changes:
                low = changes & -changes
                found[low.bit_length() - 1].add(number)
                changes ^= low
        return found


def _candidates(splits: Sequence[tuple[Tree, int]]) -> NDArray[np.float64]:
    """Values of which every cell has at least one, rising, and NaN at the end.

    Answers change only behind a threshold, around what counts as zero, and where a whole part changes its set.
    """
    found = {0.0, math.nextafter(-ZERO_BELOW, -math.inf), math.nextafter(ZERO_BELOW, math.inf)}
    for tree, node in splits:
        threshold = tree.threshold[node]
        if not tree.decision[node] & CATEGORICAL_BIT:
            found |= {threshold, math.nextafter(threshold, math.inf)}
            continue
        codes = np.array(_codes(tree, int(threshold)), dtype=np.float64)
        found |= {-1.0, math.nextafter(-1.0, 0.0), *codes.tolist(), *(codes + 1.0).tolist()}
    cleaned = {0.0 if abs(value) <= ZERO_BELOW else value for value in found if math.isfinite(value)}
    return np.array([*sorted(cleaned), math.nan])


def _codes(tree: Tree, index: int) -> list[int]:
    start, end = tree.category_starts[index], tree.category_starts[index + 1]
    words = np.array(tree.category_words[start:end], dtype="<u4")
    return np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist()


def _goes_left(tree: Tree, node: int, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the candidates a split sends left; as engine.scoring.walk does one by one."""
    decision, threshold = tree.decision[node], tree.threshold[node]
    if decision & CATEGORICAL_BIT:
        whole = np.where(np.isnan(values), -1.0, np.trunc(values))
        return np.isin(whole, np.array(_codes(tree, int(threshold)), dtype=np.float64))
    missing, default = decision >> MISSING_SHIFT, bool(decision & DEFAULT_LEFT_BIT)
    known = values if missing == MISSING_NAN else np.nan_to_num(values, nan=0.0)
    gone = np.isnan(known) if missing == MISSING_NAN else (known == 0.0) & (missing == MISSING_ZERO)
    return np.where(gone, default, known <= threshold)


# -- proofs --------------------------------------------------------------------------------------------------


class _Budget:
    """Steps still to be spent."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> bool:
        """Whether there are still any."""
        self.left -= steps
        return self.left >= 0


def _of_feature(grid: _Grid, feature: int, direction: Literal[-1, 1], budget: _Budget) -> Finding:
    """One direction: neighbouring cells in turn, for a step over several cells is the sum of theirs."""
    name, cuts = grid.ensemble.feature_names[feature], grid.cuts(feature)
    by: Literal["trees", "sum"] = "trees"
    for cell in sorted(cuts):
        steps = []
        for number in sorted(cuts[cell]):
            pieces = list(_pieces(grid, number, feature, cell, direction, budget))
            if budget.left < 0:
                return Finding(name, direction, "open", len(cuts))
            steps.append(pieces)
        lows = [min(step for _, step in pieces) for pieces in steps]
        if min(lows) >= 0:
            continue
        by = "sum"
        if math.fsum(lows) >= 0:
            continue
        box, least = _least(steps, budget)
        if box is not None:
            witness = _witness(grid, feature, cell, box)
            broken = (witness.raw_high - witness.raw_low) * direction < 0
            return Finding(name, direction, "broken" if broken else "open", len(cuts), witness if broken else None)
        if least < 0:
            return Finding(name, direction, "open", len(cuts))
    return Finding(name, direction, by if cuts else "unused", len(cuts))


def _pieces(grid: _Grid, number: int, feature: int, cell: int, direction: int, budget: _Budget) -> Iterator[Piece]:
    """One tree's step from a cell of a feature to the next, over boxes that share out all settings of the others."""
    tree, left = grid.ensemble.trees[number], grid.left[number]
    telling = _telling(tree, left, feature, cell)
    waiting: list[tuple[int, int, Box]] = [(0, 0, {})]
    while waiting and budget.spend():
        low, high, box = waiting.pop()
        if low == high and low not in telling:
            yield box, 0.0
            continue
        node = low if low >= 0 else high
        if node < 0:
            yield box, (tree.leaf_value[~high] - tree.leaf_value[~low]) * direction
            continue
        both = low == high
        asked = tree.split_feature[node]
        if asked == feature:
            below, above = (tree.left[node] if left[node] >> at & 1 else tree.right[node] for at in (cell, cell + 1))
            waiting.append((below if both or node == low else low, above if both or node == high else high, box))
            continue
        room = box.get(asked, grid.full[asked])
        for part, child in ((room & left[node], tree.left[node]), (room & ~left[node], tree.right[node])):
            if part:
                inside = {**box, asked: part}
                waiting.append((child if both or node == low else low, child if both or node == high else high, inside))


def _telling(tree: Tree, left: Sequence[int], feature: int, cell: int) -> set[int]:
    """The nodes at or below which some split tells a cell of a feature from the next."""
    above = {child: node for node in range(len(tree.left)) for child in (tree.left[node], tree.right[node])}
    found: set[int] = set()
    for node, asked in enumerate(tree.split_feature):
        if asked == feature and (left[node] >> cell ^ left[node] >> cell + 1) & 1:
            at: int | None = node
            while at is not None and at not in found:
                found.add(at)
                at = above.get(at)
    return found


def _least(steps: list[list[Piece]], budget: _Budget) -> tuple[Box | None, float]:
    """The box in which all trees together go furthest down, and how far; None where they never go below zero.

    Branch and bound over the trees: what the rest can do at worst is the sum of their least pieces. Out of steps
    without a box, the figure is the bound that stands.
    """
    bound = math.fsum(min(step for _, step in pieces) for pieces in steps)
    best: tuple[Box | None, float] = (None, 0.0)
    waiting: list[tuple[Box, list[float], list[list[Piece]]]] = [({}, [], steps)]
    while waiting:
        box, taken, rest = waiting.pop()
        fitting = [[piece for piece in pieces if _meet(box, piece[0]) is not None] for pieces in rest]
        if not budget.spend(sum(map(len, rest)) + 1):
            return best if best[0] is not None else (None, bound)
        taken = [*taken, *(pieces[0][1] for pieces in fitting if len(pieces) == 1)]
        fitting = [pieces for pieces in fitting if len(pieces) > 1]
        if math.fsum([*taken, *(min(step for _, step in pieces) for pieces in fitting)]) >= best[1]:
            continue
        if not fitting:
            best = (box, math.fsum(taken))
            continue
        widest = max(fitting, key=lambda pieces: max(p[1] for p in pieces) - min(p[1] for p in pieces))
        others = [pieces for pieces in fitting if pieces is not widest]
        for part, step in sorted(widest, key=lambda piece: -piece[1]):  # the lowest is looked at first
            inside = _meet(box, part)
            assert inside is not None
            waiting.append((inside, [*taken, step], others))
    return best


def _meet(box: Box, other: Box) -> Box | None:
    """What lies in both, None where nothing does."""
    both = dict(box)
    for feature, cells in other.items():
        both[feature] = both.get(feature, cells) & cells
        if not both[feature]:
            return None
    return both


def _witness(grid: _Grid, feature: int, cell: int, box: Box) -> Witness:
    """Two rows inside a box, missing in everything that does not matter, with the scores the walk gives them."""
    row = [math.nan] * len(grid.values)
    for asked, cells in box.items():
        at = (cells & -cells).bit_length() - 1
        row[asked] = grid.values[asked][at] if at < len(grid.values[asked]) else math.nan
    low, high = list(row), list(row)
    low[feature], high[feature] = grid.values[feature][cell], grid.values[feature][cell + 1]
    return Witness(tuple(low), tuple(high), walk_raw(grid.ensemble, low), walk_raw(grid.ensemble, high))

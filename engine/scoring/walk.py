"""An independent raw score: the trees walked in plain Python, bit-identical to LightGBM's.

It does: follow one row through every tree and add the leaves in order. It does not: use numpy or
LightGBM, explain, or calibrate. The rule it keeps: same additions in the same order, so that the last bit
agrees; this is the arbiter of golden rows and of any decision that is audited.
"""

import math
from collections.abc import Sequence

from engine.scoring.ensemble import (
    CATEGORICAL_BIT,
    DEFAULT_LEFT_BIT,
    MISSING_NAN,
    MISSING_SHIFT,
    MISSING_ZERO,
    WORD_BITS,
    ZERO_BELOW,
    Ensemble,
    Tree,
)


def walk_raw(ensemble: Ensemble, row: Sequence[float]) -> float:
    """The raw score (log-odds before calibration) of one row in model order; NaN is missing.

    Raises ValueError for a row of another length or an infinite value.
    """
    values = _clean(row, len(ensemble.feature_names))
    total = 0.0
    for tree in ensemble.trees:
        total += tree.leaf_value[_leaf(tree, values)]
    return total


def walk_paths(ensemble: Ensemble, row: Sequence[float]) -> tuple[tuple[int, ...], ...]:
    """The way this row takes through each tree: nodes from the root, then ~leaf."""
    values = _clean(row, len(ensemble.feature_names))
    return tuple(_path(tree, values) for tree in ensemble.trees)


def _clean(row: Sequence[float], features: int) -> list[float]:
    """Python floats with LightGBM's idea of zero."""
    values = [float(value) for value in row]
    if len(values) != features:
        raise ValueError(f"a row has {features} values, not {len(values)}")
    if any(map(math.isinf, values)):
        raise ValueError("a row holds an infinite value")
    return [0.0 if -ZERO_BELOW <= value <= ZERO_BELOW else value for value in values]


def _leaf(tree: Tree, values: list[float]) -> int:
    node = 0 if tree.left else ~0
    while node >= 0:
        node = _step(tree, node, values)
    return ~node


def _path(tree: Tree, values: list[float]) -> tuple[int, ...]:
    path = [0 if tree.left else ~0]
    while path[-1] >= 0:
        path.append(_step(tree, path[-1], values))
    return tuple(path)


def _step(tree: Tree, node: int, values: list[float]) -> int:
    """The child that a row goes to from a node."""
    value = values[tree.split_feature[node]]
    decision = tree.decision[node]
    if decision & CATEGORICAL_BIT:
        goes_left = _in_set(tree, int(tree.threshold[node]), value)
    else:
        goes_left = _below(value, tree.threshold[node], decision)
    return tree.left[node] if goes_left else tree.right[node]


def _below(value: float, threshold: float, decision: int) -> bool:
    """A numeric split; which values count as missing is the split's own matter."""
    missing = decision >> MISSING_SHIFT
    if math.isnan(value):
        if missing == MISSING_NAN:
            return bool(decision & DEFAULT_LEFT_BIT)
        value = 0.0
    if missing == MISSING_ZERO and value == 0.0:
        return bool(decision & DEFAULT_LEFT_BIT)
    return value <= threshold


def _in_set(tree: Tree, index: int, value: float) -> bool:
    """A categorical split: a value's whole part is its code; missing, negative, unknown codes go right."""
    if math.isnan(value):
        return False
    code = int(value)
    if code < 0:
        return False
    word, bit = divmod(code, WORD_BITS)
    start, end = tree.category_starts[index], tree.category_starts[index + 1]
    return word < end - start and bool(tree.category_words[start + word] >> bit & 1)

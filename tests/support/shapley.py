"""Contributions of a tree model by their definition, in decimals of 200 digits: slow, and exact.

It does: weigh every leaf by the path-dependent game, feature by feature, with the polynomials written out. It does
not: share anything with the engine's arrays, nor know missing values and categories. The rule it keeps: no float is
added to another.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from engine.scoring import Ensemble, Tree

Way = dict[int, tuple[int, Decimal]]  # by feature: whether the row passes its splits, the share of rows let through


def exact_contributions(ensemble: Ensemble, row: Sequence[float]) -> NDArray[np.float64]:
    """Each feature's Shapley value for one row, without the base; splits are numeric and no value is missing.

    A leaf gives a feature the integral over [0, 1] of the product over the other features on its way of
    passes * t + share * (1 - t), times (passes - share) of its own.
    """
    with localcontext() as digits:
        digits.prec = 200
        return _moved(ensemble, row)


def _moved(ensemble: Ensemble, row: Sequence[float]) -> NDArray[np.float64]:
    moved = [Decimal(0)] * len(ensemble.feature_names)
    for tree in ensemble.trees:
        right = [row[f] > threshold for f, threshold in zip(tree.split_feature, tree.threshold, strict=True)]
        for value, way in _leaves(tree, right, 0, {}):
            whole = _product(way.values())
            for feature, (passes, share) in way.items():
                others = _without(whole, passes, share)
                mean = sum((term / (power + 1) for power, term in enumerate(others)), Decimal(0))
                moved[feature] += Decimal(value) * (passes - share) * mean
    return np.array([float(each) for each in moved])


def _leaves(tree: Tree, right: list[bool], node: int, way: Way) -> Iterator[tuple[float, Way]]:
    """Each leaf's value and the way to it."""
    if node < 0:
        yield tree.leaf_value[~node], way
        return
    feature = tree.split_feature[node]
    passes, share = way.get(feature, (1, Decimal(1)))
    for side, child in enumerate((tree.left[node], tree.right[node])):
        count = tree.node_count[child] if child >= 0 else tree.leaf_count[~child]
        let = (passes * (right[node] == bool(side)), share * Decimal(count) / tree.node_count[node])
        yield from _leaves(tree, right, child, {**way, feature: let})


def _product(factors: Iterable[tuple[int, Decimal]]) -> list[Decimal]:
    """The coefficients of the product of share + (passes - share) * t, the constant first."""
    terms = [Decimal(1)]
    for passes, share in factors:
        shifted = zip([*terms, Decimal(0)], [Decimal(0), *terms], strict=True)
        terms = [low * share + high * (passes - share) for low, high in shifted]
    return terms


def _without(product: list[Decimal], passes: int, share: Decimal) -> list[Decimal]:
    """The product divided by one of its factors, from the constant up; a share is never zero."""
    quotient: list[Decimal] = []
    for term in product[:-1]:
        quotient.append((term - (quotient[-1] * (passes - share) if quotient else 0)) / share)
    return quotient

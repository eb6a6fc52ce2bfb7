"""A scorecard as a model text: each feature's points one small tree, as LightGBM writes trees.

It does: write text. It does not: fit. The rule it keeps: a record shows the very points of the file. Contributions are
measured from the mean over a tree's rows, so all rows but one a leaf are said to lie in the neutral leaf, worth
nothing: the mean is then a millionth of a point, which four decimals do not show.
"""

from collections.abc import Sequence
from typing import Final

from engine.features import FEATURES
from engine.scoring.scale import FACTOR
from training.scorecard.description import Scorecard, ScoredFeature

NEUTRAL_ROWS: Final = 2_000_000_000  # a count is below 2^31
_PRESENT: Final = 1.7976931348623157e308  # every finite value is below it, so only a missing one goes right
_MISSING_RIGHT: Final = 8  # a split on numbers whose missing values have a side, the right one


def model_text(scorecard: Scorecard) -> str:
    """LightGBM's text of a two-class model whose raw score is the points turned into log-odds of default."""
    places = {feature.name: place for place, feature in enumerate(FEATURES)}
    blocks = [
        _tree(number, places[feature.name], feature) + "\n\n\n" for number, feature in enumerate(scorecard.features)
    ]
    return "\n".join(
        [
            "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
            f"max_feature_idx={len(FEATURES) - 1}", "objective=binary sigmoid:1",
            "feature_names=" + " ".join(feature.name for feature in FEATURES),
            "monotone_constraints=" + " ".join(str(feature.direction) for feature in FEATURES),
            "feature_infos=" + " ".join(_info(feature.low, feature.high) for feature in FEATURES),
            "tree_sizes=" + " ".join(str(len(block)) for block in blocks),
            "", "".join(blocks) + "end of trees", "", "feature_importances:",
            *(f"{feature.name}={len(feature.bands)}" for feature in scorecard.features),
            "", "pandas_categorical:null", "",
        ]
    )  # fmt: skip


def _tree(number: int, place: int, feature: ScoredFeature) -> str:
    """Missing goes aside at the root; below it a chain over the bands, the lowest first.

    Leaf 0 is the missing one, leaf 1 the lowest band.
    """
    points = [feature.missing.points, *(band.points for band in feature.bands)]
    counts = [1] * len(points)
    counts[1 + feature.neutral] = NEUTRAL_ROWS
    nodes = len(points) - 1
    left = [1, *(~(node + 1) for node in range(nodes - 1))]
    right = [~0, *range(2, nodes), ~nodes]
    below = [sum(counts), *(sum(counts[node:]) for node in range(1, nodes))]
    values: dict[str, list[int] | list[float]] = {
        "num_leaves": [len(points)], "num_cat": [0], "split_feature": [place] * nodes, "split_gain": [0] * nodes,
        "threshold": [_PRESENT, *feature.cuts], "decision_type": [_MISSING_RIGHT] * nodes,
        "left_child": left, "right_child": right, "leaf_value": [-worth / FACTOR + 0.0 for worth in points],
        "leaf_weight": [1] * len(points), "leaf_count": counts, "internal_value": [0] * nodes,
        "internal_weight": [0] * nodes, "internal_count": below, "is_linear": [0], "shrinkage": [1],
    }  # fmt: skip
    return "\n".join([f"Tree={number}", *(f"{key}={_numbers(row)}" for key, row in values.items())])


def _numbers(row: Sequence[int] | Sequence[float]) -> str:
    return " ".join(str(value) if isinstance(value, int) else format(value, ".17g") for value in row)


def _info(low: float, high: float) -> str:
    return f"[{low:g}:{high:g}]"

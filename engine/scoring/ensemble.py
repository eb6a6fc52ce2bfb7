"""A boosted model as checked values: what a model text means once engine.scoring.parsing accepted it.

It does: hold the trees, and write the only text LightGBM is ever given of a model that was not its own. It does not:
check anything (the parser did) and it does not predict. The rule it keeps: what the parser did not understand never
reaches LightGBM, which kills the process on many malformed texts.
"""

from dataclasses import dataclass
from typing import Final

CATEGORICAL_BIT: Final = 1
DEFAULT_LEFT_BIT: Final = 2
MISSING_SHIFT: Final = 2
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
WORD_BITS: Final = 32
# LightGBM treats anything this small as a zero; it keeps the constant as a 32-bit float, hence the digits.
ZERO_BELOW: Final = 1.0000000180025095e-35


class ModelRejected(ValueError):
    """A model text that will not be scored with; says the stage that refused it and why."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree in LightGBM's own arrays: nodes 0 to n-2 split, leaves 0 to n-1 hold values.

    A child >= 0 is a node, a child < 0 is the leaf ~child. `decision` packs the categorical bit, the
    default-left bit and the missing type. A categorical node's threshold is the index of its bit set in
    category_words, which begins at category_starts[index].
    """

    split_feature: tuple[int, ...]
    threshold: tuple[float, ...]
    decision: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaf_value: tuple[float, ...]
    leaf_count: tuple[int, ...]
    node_count: tuple[int, ...]
    category_starts: tuple[int, ...]
    category_words: tuple[int, ...]

    @property
    def categories(self) -> int:
        """How many of the nodes split on a set of categories."""
        return max(len(self.category_starts) - 1, 0)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """All trees of a two-class model, its features in model order; a raw score adds one leaf a tree."""

    feature_names: tuple[str, ...]
    objective: str
    monotone: tuple[int, ...]
    trees: tuple[Tree, ...]

    def lightgbm_text(self) -> str:
        """The model written anew from these values: only what a raw score or a contribution uses.

        Gains, weights, training parameters and names are left out, so a text that differs only there
        loads alike. Without the list of tree sizes LightGBM reads tree after tree in one thread and
        starts no OpenMP team, which a later fork would inherit broken. Floats carry 17 digits, so they
        read back bit for bit.
        """
        features = range(len(self.feature_names))
        head = [
            "tree",
            "version=v4",
            "num_class=1",
            "num_tree_per_iteration=1",
            "label_index=0",
            f"max_feature_idx={len(features) - 1}",
            "feature_names=" + " ".join(f"f{index}" for index in features),
            "feature_infos=" + " ".join("none" for _ in features),
            "",
        ]
        blocks = (_tree_text(index, tree) for index, tree in enumerate(self.trees))
        return "\n".join([*head, *blocks, "end of trees", ""])


def _tree_text(index: int, tree: Tree) -> str:
    """One tree's block; the key order is LightGBM's own."""
    lines = [
        f"Tree={index}",
        f"num_leaves={len(tree.leaf_value)}",
        f"num_cat={tree.categories}",
        "split_feature=" + _integers(tree.split_feature),
        "threshold=" + _floats(tree.threshold),
        "decision_type=" + _integers(tree.decision),
        "left_child=" + _integers(tree.left),
        "right_child=" + _integers(tree.right),
        "leaf_value=" + _floats(tree.leaf_value),
        "leaf_count=" + _integers(tree.leaf_count),
        "internal_count=" + _integers(tree.node_count),
    ]
    if tree.categories:
        lines.append("cat_boundaries=" + _integers(tree.category_starts))
        lines.append("cat_threshold=" + _integers(tree.category_words))
    return "\n".join([*lines, "is_linear=0", "shrinkage=1", "", ""])


def _integers(values: tuple[int, ...]) -> str:
    return " ".join(map(str, values))


def _floats(values: tuple[float, ...]) -> str:
    return " ".join(format(value, ".17g") for value in values)

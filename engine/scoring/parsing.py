"""The strict reader of LightGBM model texts: a text becomes an Ensemble or is refused with stage and reason.

It does: accept what LightGBM 4 writes for a two-class model and nothing else. It does not: repair, guess,
or judge whether the model is any good. The rule it keeps: one value has one spelling. LightGBM's own
reader takes the last of two equal keys, reads `left_child=X` as a number and aborts the interpreter on a
wrong size; so every key must stand once and in order, every number must be spelled as LightGBM spells it,
and every node and leaf must be reached once.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from engine.scoring.ensemble import (
    CATEGORICAL_BIT,
    DEFAULT_LEFT_BIT,
    MISSING_NAN,
    MISSING_SHIFT,
    Ensemble,
    ModelRejected,
    Tree,
)

MAX_MODEL_BYTES: Final = 64 * 1024 * 1024
MAX_TREES: Final = 5_000
MAX_LEAVES: Final = 4_096
MAX_FEATURES: Final = 512
MAX_DEPTH: Final = 128  # contributions take memory and time with the square of the depth
MAX_CATEGORY_WORDS: Final = 2_048  # category codes up to 65,535 in one split
_MAX_COUNT: Final = 2**31 - 1
_MAX_WORD: Final = 2**32 - 1

_FIXED_HEAD: Final = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}
_HEAD_KEYS: Final = (
    *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective"),
    *("feature_names", "monotone_constraints", "feature_infos", "tree_sizes"),
)
_TREE_KEYS: Final = (
    *("num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type"),
    *("left_child", "right_child", "leaf_value", "leaf_weight", "leaf_count"),
    *("internal_value", "internal_weight", "internal_count"),
)
_CATEGORY_KEYS: Final = ("cat_boundaries", "cat_threshold")
_END_KEYS: Final = ("is_linear", "shrinkage")
_UNPRINTABLE: Final = re.compile(r"[^\n\x20-\x7e]")
_OBJECTIVE: Final = re.compile(r"binary sigmoid:(\S+)|cross_entropy")
_INFO: Final = re.compile(r"none|\[\S+:\S+\]|-?\d+(?::-?\d+)*")
_TAIL: Final = re.compile(
    r"end of trees\n\nfeature_importances:\n((?:\S+=\d+\n)*)"
    r"(?:\nparameters:\n(?:\[[a-z0-9_]+: [^\n]*\]\n)+\n+end of parameters\n)?"
    r"(?:\npandas_categorical:([^\n]*))?\n{0,2}"
)


def parse_model(text: str) -> Ensemble:
    """Read a whole model text; raises ModelRejected at the first thing LightGBM 4 would not have written.

    Stages: size, encoding, header, layout (the blocks and their sizes), tree (one tree's arrays and
    shape), tail. Linear trees, several classes, random forests and pandas categories are refused by name.
    """
    if len(text) > MAX_MODEL_BYTES:
        raise ModelRejected("size", f"longer than {MAX_MODEL_BYTES} bytes")
    if not text.isascii() or _UNPRINTABLE.search(text):
        raise ModelRejected("encoding", "holds something other than printable ASCII and line feeds")
    head_end = text.find("\n\n")
    if head_end < 0:
        raise ModelRejected("header", "does not end")
    head = _read_head(text[:head_end].split("\n"))
    names = _feature_names(head)
    trees, position = [], head_end + 2
    for index, size in enumerate(_tree_sizes(head["tree_sizes"], len(text) - position)):
        trees.append(_read_tree(text[position : position + size], index, len(names)))
        position += size
    _check_tail(text[position:], frozenset(names))
    return Ensemble(names, head["objective"], _monotone(head, len(names)), tuple(trees))


def validate_model_text(text: str) -> None:
    """Raise ModelRejected unless the text is a model that can be scored with."""
    parse_model(text)


def _read_head(lines: list[str]) -> dict[str, str]:
    """The header's keys, each once, in order, with the values that make it a two-class model of trees."""
    if lines[0] != "tree":
        raise ModelRejected("header", "first line is not 'tree'")
    if "average_output" in lines:
        raise ModelRejected("header", "a random forest (averaged output) is not supported")
    pairs = [line.partition("=") for line in lines[1:]]
    keys = [key for key, _, _ in pairs]
    expected = [key for key in _HEAD_KEYS if key != "monotone_constraints" or key in keys]
    if keys != expected:
        raise ModelRejected("header", "keys are not those LightGBM 4 writes for two classes, each once and in order")
    head = {key: value for key, _, value in pairs}
    for key, value in _FIXED_HEAD.items():
        if head[key] != value:
            raise ModelRejected("header", f"{key} is not {value}")
    objective = _OBJECTIVE.fullmatch(head["objective"])
    if objective is None:
        raise ModelRejected("header", "objective is neither binary nor cross_entropy")
    if objective[1] is not None:
        _floats(objective[1], 1, "g", "header", "sigmoid")
    return head


def _feature_names(head: dict[str, str]) -> tuple[str, ...]:
    """Names in model order, as many as max_feature_idx and feature_infos say."""
    names = tuple(head["feature_names"].split(" "))
    count = _integers(head["max_feature_idx"], 1, (0, MAX_FEATURES - 1), "header", "max_feature_idx")[0] + 1
    infos = head["feature_infos"].split(" ")
    if len(names) != count or len(infos) != count:
        raise ModelRejected("header", f"feature names or infos are not {count}")
    if "" in names or len(set(names)) != count:
        raise ModelRejected("header", "a feature name is empty or stands twice")
    if not all(_INFO.fullmatch(info) for info in infos):
        raise ModelRejected("header", "a feature info is malformed")
    return names


def _monotone(head: dict[str, str], features: int) -> tuple[int, ...]:
    """The sign each feature was held to in training, 0 where free."""
    if "monotone_constraints" not in head:
        return (0,) * features
    return _integers(head["monotone_constraints"], features, (-1, 1), "header", "monotone_constraints")


def _tree_sizes(line: str, available: int) -> tuple[int, ...]:
    """Bytes of each tree's block; they must fit the text, or LightGBM would read past its end."""
    count = line.count(" ") + 1 if line else 0
    if not 1 <= count <= MAX_TREES:
        raise ModelRejected("layout", f"{count} trees are not 1 to {MAX_TREES}")
    sizes = _integers(line, count, (1, available), "layout", "tree_sizes")
    if sum(sizes) > available:
        raise ModelRejected("layout", "tree_sizes exceed the text")
    return sizes


def _read_tree(block: str, index: int, features: int) -> Tree:
    """One block of exactly the announced size: its name, its keys, two blank lines."""
    start = f"Tree={index}\n"
    if not block.startswith(start) or not block.endswith("\n\n\n"):
        raise ModelRejected("layout", f"tree {index} does not fill its announced size")
    lines = block[len(start) : -3].split("\n")
    if "is_linear=1" in lines:
        raise ModelRejected("tree", f"tree {index}: linear trees are not supported")
    pairs = [line.partition("=") for line in lines]
    values = {key: value for key, _, value in pairs}
    keys = [*_TREE_KEYS, *(_CATEGORY_KEYS if values.get("num_cat") != "0" else ()), *_END_KEYS]
    if [key for key, _, _ in pairs] != keys:
        raise ModelRejected("tree", f"tree {index}: keys are not LightGBM's, each once and in order")
    try:
        tree = _tree_of(values, features)
        _check_shape(tree)
        _check_categories(tree)
    except ModelRejected as refusal:
        raise ModelRejected(refusal.stage, f"tree {index}: {refusal.reason}") from None
    return tree


def _tree_of(values: dict[str, str], features: int) -> Tree:
    """The arrays of one tree, each of its exact length, in range, finite, in the one spelling."""
    leaves = _tree_integers(values, "num_leaves", 1, (1, MAX_LEAVES))[0]
    nodes = leaves - 1
    categories = _tree_integers(values, "num_cat", 1, (0, nodes))[0]
    if _tree_integers(values, "is_linear", 1, (0, 1))[0] or values["is_linear"] != "0":
        raise ModelRejected("tree", "linear trees are not supported")
    for key, count in (
        ("split_gain", nodes),
        ("internal_value", nodes),
        ("internal_weight", nodes),
        ("shrinkage", 1),
    ):
        _tree_floats(values, key, count, "g")
    lone = leaves == 1  # a tree that never split writes no leaf weight
    _tree_floats(values, "leaf_weight", 0 if lone and not values["leaf_weight"] else leaves, ".17g")
    starts: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    if categories:
        limit = categories * MAX_CATEGORY_WORDS
        starts = _tree_integers(values, "cat_boundaries", categories + 1, (0, limit))
        words = _tree_integers(values, "cat_threshold", starts[-1], (0, _MAX_WORD))
    return Tree(
        split_feature=_tree_integers(values, "split_feature", nodes, (0, features - 1)),
        threshold=_tree_floats(values, "threshold", nodes, ".17g"),
        decision=_tree_integers(values, "decision_type", nodes, (0, CATEGORICAL_BIT + DEFAULT_LEFT_BIT + 8)),
        left=_tree_integers(values, "left_child", nodes, (-leaves, nodes - 1)),
        right=_tree_integers(values, "right_child", nodes, (-leaves, nodes - 1)),
        leaf_value=_tree_floats(values, "leaf_value", leaves, ".17g"),
        leaf_count=_tree_integers(values, "leaf_count", leaves, (0 if lone else 1, _MAX_COUNT)),
        node_count=_tree_integers(values, "internal_count", nodes, (1, _MAX_COUNT)),
        category_starts=starts,
        category_words=words,
    )


def _check_shape(tree: Tree) -> None:
    """From the root each node and leaf is reached exactly once; each node counts its children's rows.

    The counts weigh the contributions; a wrong one would bend every explanation without touching a score.
    """
    leaves = len(tree.leaf_value)
    if leaves == 1:
        return
    reached: set[int] = {0}
    waiting = [(0, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ModelRejected("tree", f"deeper than {MAX_DEPTH}")
        rows = 0
        for child in (tree.left[node], tree.right[node]):
            if child in reached:
                raise ModelRejected("tree", "a node or leaf is reached twice")
            reached.add(child)
            rows += tree.node_count[child] if child >= 0 else tree.leaf_count[~child]
            if child >= 0:
                waiting.append((child, depth + 1))
        if rows != tree.node_count[node]:
            raise ModelRejected("tree", "a node's count is not the sum of its children's")
    if len(reached) != 2 * leaves - 1:
        raise ModelRejected("tree", "a node or leaf is never reached")


def _check_categories(tree: Tree) -> None:
    """Missing types exist, each categorical split owns one bit set, and the sets fill their words."""
    used: list[float] = []
    for decision, threshold in zip(tree.decision, tree.threshold, strict=True):
        if decision >> MISSING_SHIFT > MISSING_NAN:
            raise ModelRejected("tree", "an unknown missing type")
        if decision & CATEGORICAL_BIT:
            if decision & DEFAULT_LEFT_BIT:
                raise ModelRejected("tree", "a categorical split with a default side")
            used.append(threshold)
    if sorted(used) != list(range(tree.categories)):
        raise ModelRejected("tree", "categorical splits and category sets do not pair up")
    starts = tree.category_starts
    lengths = [end - start for start, end in pairwise(starts)]
    if starts and (starts[0] != 0 or not all(1 <= length <= MAX_CATEGORY_WORDS for length in lengths)):
        raise ModelRejected("tree", "category sets do not follow one another")


def _check_tail(tail: str, names: frozenset[str]) -> None:
    """What follows the trees has LightGBM's layout; none of it is used for scoring."""
    match = _TAIL.fullmatch(tail)
    if match is None:
        raise ModelRejected("tail", "what follows the trees is not what LightGBM 4 writes")
    if match[2] not in (None, "null", "[]"):
        raise ModelRejected("tail", "pandas categories are not supported: features are numbers before they come here")
    important = [line.rpartition("=")[0] for line in match[1].splitlines()]
    if len(set(important)) != len(important) or not names.issuperset(important):
        raise ModelRejected("tail", "feature importances name an unknown feature or one twice")


def _tree_integers(values: dict[str, str], key: str, count: int, span: tuple[int, int]) -> tuple[int, ...]:
    return _integers(values[key], count, span, "tree", key)


def _tree_floats(values: dict[str, str], key: str, count: int, spelling: str) -> tuple[float, ...]:
    return _floats(values[key], count, spelling, "tree", key)


def _tokens(line: str, count: int, stage: str, key: str) -> Sequence[str]:
    tokens = line.split(" ") if line else []
    if len(tokens) != count:
        raise ModelRejected(stage, f"{key} holds {len(tokens)} values instead of {count}")
    return tokens


def _integers(line: str, count: int, span: tuple[int, int], stage: str, key: str) -> tuple[int, ...]:
    """`count` integers inside the closed span, spelled as Python and C both print them."""
    tokens = _tokens(line, count, stage, key)
    try:
        values = tuple(map(int, tokens))
    except ValueError:
        raise ModelRejected(stage, f"{key} holds something other than integers") from None
    if any(str(value) != token for value, token in zip(values, tokens, strict=True)):
        raise ModelRejected(stage, f"{key} holds a number in another spelling")
    if values and not (span[0] <= min(values) and max(values) <= span[1]):
        raise ModelRejected(stage, f"{key} leaves the range {span[0]} to {span[1]}")
    return values


def _floats(line: str, count: int, spelling: str, stage: str, key: str) -> tuple[float, ...]:
    """`count` finite floats spelled as C's printf does with this format, which bars 1_0, nan and 0x1 too.

    A threshold alone may be `inf`: LightGBM writes it where a split parts missing values from all others.
    """
    tokens = _tokens(line, count, stage, key)
    try:
        values = tuple(map(float, tokens))
    except ValueError:
        raise ModelRejected(stage, f"{key} holds something other than numbers") from None
    if not all(math.isfinite(value) or (key == "threshold" and value == math.inf) for value in values):
        raise ModelRejected(stage, f"{key} holds a value that is not finite")
    if any(format(value, spelling) != token for value, token in zip(values, tokens, strict=True)):
        raise ModelRejected(stage, f"{key} holds a number in another spelling")
    return values

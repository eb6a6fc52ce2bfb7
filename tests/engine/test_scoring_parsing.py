"""What the strict reader of model texts refuses, and at which stage; tests/models adds random mutants."""

import re
from collections.abc import Callable

import lightgbm
import numpy as np
import pytest

from engine.scoring import ModelRejected, parse_model, validate_model_text
from engine.scoring import parsing as parsing_module

Change = Callable[[str], str]


@pytest.fixture(scope="module")
def text() -> str:
    """A small real model text: four features, one of them categorical, six trees."""
    rng = np.random.default_rng(3)
    block = rng.normal(size=(400, 4))
    block[:, 2] = rng.integers(0, 40, 400)
    block[:, 0][::7] = np.nan
    chosen = np.isin(block[:, 2], [3, 7, 11, 20, 35, 36, 38])
    outcome = (np.nan_to_num(block[:, 0]) + 3 * chosen + rng.normal(size=400) > 1).astype(int)
    data = lightgbm.Dataset(block, outcome, feature_name=list("abcd"), categorical_feature=[2])
    parameters = {
        **{"objective": "binary", "num_leaves": 6, "verbose": -1, "monotone_constraints": [1, 0, 0, -1]},
        **{"min_data_per_group": 5, "cat_smooth": 1, "cat_l2": 1},
    }
    return lightgbm.train(parameters, data, 6).model_to_string()


def _line(key: str, change: Change, tree: int = 2) -> Change:
    """Change the value of one key in one tree, and keep the announced sizes right."""

    def apply(text: str) -> str:
        start = text.index(f"\nTree={tree}\n")
        found = re.compile(rf"^{key}=(.*)$", re.M).search(text, start)
        assert found is not None
        return _resized(text[: found.start(1)] + change(found[1]) + text[found.end(1) :])

    return apply


def _resized(text: str) -> str:
    """The same text with tree_sizes that fit its blocks."""
    body = text[text.index("\n\n") + 2 : text.index("end of trees")]
    sizes = [len(block) for block in re.split(r"(?=Tree=\d+\n)", body) if block]
    return re.sub(r"tree_sizes=.*", "tree_sizes=" + " ".join(map(str, sizes)), text, count=1)


def _set(position: int, value: str) -> Change:
    """Replace one number of an array."""

    def apply(line: str) -> str:
        numbers = line.split(" ")
        numbers[position] = value
        return " ".join(numbers)

    return apply


def _swap(old: str, new: str) -> Change:
    def apply(text: str) -> str:
        assert old in text
        return _resized(text.replace(old, new, 1))

    return apply


REFUSED: dict[str, tuple[str, Change]] = {
    "nothing": ("header", lambda text: ""),
    "not a model": ("header", lambda text: "hello\n\n"),
    "header alone": ("layout", lambda text: text[: text.index("\n\n") + 2]),
    "an accent": ("encoding", _swap("binary", "bin\u00e4ry")),
    "a NUL": ("encoding", _swap("feature_names=a", "feature_names=\0")),
    "a tab": ("encoding", _swap("feature_names=a b", "feature_names=a\tb")),
    "Windows line ends": ("encoding", lambda text: text.replace("\n", "\r\n")),
    "another version": ("header", _swap("version=v4", "version=v3")),
    "two classes": ("header", _swap("num_class=1", "num_class=2")),
    "two trees an iteration": ("header", _swap("num_tree_per_iteration=1", "num_tree_per_iteration=2")),
    "a header key twice": ("header", _swap("label_index=0", "label_index=0\nlabel_index=0")),
    "a header key gone": ("header", _swap("feature_infos=", "feature_info=")),
    "an unknown header key": ("header", _swap("label_index=0", "label_index=0\nextra=1")),
    "averaged output": ("header", _swap("\nfeature_names", "\naverage_output\nfeature_names")),
    "another objective": ("header", _swap("binary sigmoid:1", "regression")),
    "a sigmoid in words": ("header", _swap("sigmoid:1", "sigmoid:nan")),
    "a feature name twice": ("header", _swap("feature_names=a b", "feature_names=a a")),
    "a feature name too many": ("header", _swap("feature_names=a", "feature_names=z a")),
    "a feature index too high": ("header", _swap("max_feature_idx=3", "max_feature_idx=4")),
    "a feature index in hexadecimal": ("header", _swap("max_feature_idx=3", "max_feature_idx=0x3")),
    "a malformed feature info": ("header", _swap("feature_infos=[", "feature_infos=(")),
    "a monotone sign of two": ("header", _swap("monotone_constraints=1", "monotone_constraints=2")),
    "a size too small": ("layout", lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=7", text)),
    "a size too large": ("layout", lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=999999999", text)),
    "a size below zero": ("layout", lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=-5", text)),
    "sizes that overlap": ("layout", lambda text: re.sub(r"(tree_sizes=\d+) \d+", r"\1 1", text)),
    "a size missing": ("tail", lambda text: re.sub(r"(tree_sizes=.*) \d+", r"\1", text)),
    "trees out of order": ("layout", _swap("Tree=1\n", "Tree=2\n")),
    "a tree key twice": ("tree", _line("leaf_value", lambda line: f"{line}\nleaf_value={line}")),
    "a tree key gone": ("tree", _line("is_linear", lambda line: line + "\nleaf_const=0")),
    "a linear tree": ("tree", _line("is_linear", lambda line: "1")),
    "no leaves": ("tree", _line("num_leaves", lambda line: "0")),
    "a billion leaves": ("tree", _line("num_leaves", lambda line: "1000000000")),
    "leaves that do not count": ("tree", _line("num_leaves", lambda line: "5")),
    "a leaf value short": ("tree", _line("leaf_value", lambda line: line.rpartition(" ")[0])),
    "a leaf value long": ("tree", _line("leaf_value", lambda line: line + " 0")),
    "a leaf value nan": ("tree", _line("leaf_value", _set(1, "nan"))),
    "a leaf value inf": ("tree", _line("leaf_value", _set(1, "inf"))),
    "a leaf value beyond floats": ("tree", _line("leaf_value", _set(1, "1e999"))),
    "a leaf value in words": ("tree", _line("leaf_value", _set(1, "X"))),
    "a leaf value with underscores": ("tree", _line("leaf_value", _set(1, "1_0"))),
    "a leaf value in hexadecimal": ("tree", _line("leaf_value", _set(1, "0x1p3"))),
    "a leaf value with a plus": ("tree", _line("leaf_value", _set(1, "+1"))),
    "a leaf value with idle zeros": ("tree", _line("leaf_value", _set(1, "1.50"))),
    "a leaf value with two spaces": ("tree", _line("leaf_value", lambda line: line.replace(" ", "  ", 1))),
    "a threshold of minus infinity": ("tree", _line("threshold", _set(0, "-inf"))),
    "a child in words": ("tree", _line("left_child", _set(0, "X"))),
    "a child that is its parent": ("tree", _line("left_child", _set(1, "1"))),
    "a child that is the root": ("tree", _line("left_child", _set(3, "0"))),
    "a node beyond the last": ("tree", _line("right_child", _set(0, "5"))),
    "a leaf beyond the last": ("tree", _line("right_child", _set(0, "-7"))),
    "a leaf reached twice": ("tree", _line("right_child", lambda line: _set(0, line.split(" ")[-1])(line))),
    "a feature beyond the last": ("tree", _line("split_feature", _set(0, "4"))),
    "a feature below zero": ("tree", _line("split_feature", _set(0, "-1"))),
    "an unknown missing type": ("tree", _line("decision_type", _set(0, "12"))),
    "a decision of a byte's sign": ("tree", _line("decision_type", _set(0, "-128"))),
    "a leaf that counts nobody": ("tree", _line("leaf_count", _set(0, "0"))),
    "a leaf that counts too many": ("tree", _line("leaf_count", lambda line: "1" + line)),
    "a node that counts none": ("tree", _line("internal_count", _set(0, "0"))),
    "a number without end": ("tree", _line("leaf_count", _set(0, "9" * 5000))),
    "a category set that is not there": ("tree", _line("num_cat", lambda line: "0")),
    "a tail of another kind": ("tail", lambda text: text + "more\n"),
    "the tail gone": ("tail", lambda text: text[: text.index("end of trees")]),
    "an importance of an unknown feature": ("tail", _swap("importances:\n", "importances:\nz=3\n")),
    "importances twice": ("tail", lambda text: re.sub(r"(importances:\n)(\w=\d+\n)", r"\1\2\2", text)),
    "pandas categories": ("tail", _swap("pandas_categorical:null", 'pandas_categorical:[["x"]]')),
    "a parser of one's own": ("tail", _swap("\npandas_cat", "\nparser:\nx\nend of parser\n\npandas_cat")),
}  # fmt: skip


def test_the_real_text_is_read_whole(text: str) -> None:
    """The untouched model passes, with its names, constraints and all six trees."""
    ensemble = parse_model(text)
    assert ensemble.feature_names == ("a", "b", "c", "d")
    assert ensemble.monotone == (1, 0, 0, -1)
    assert ensemble.objective == "binary sigmoid:1"
    assert [len(tree.leaf_value) for tree in ensemble.trees] == [6] * 6
    assert any(tree.categories for tree in ensemble.trees)
    validate_model_text(text)


@pytest.mark.parametrize("case", REFUSED)
def test_each_malformed_text_is_refused_at_its_stage(case: str, text: str) -> None:
    """One change that LightGBM 4 would never write is refused, naming the stage."""
    stage, change = REFUSED[case]
    changed = change(text)
    assert changed != text
    with pytest.raises(ModelRejected) as refusal:
        parse_model(changed)
    assert refusal.value.stage == stage, refusal.value.reason


def test_two_nodes_in_a_ring_are_refused(text: str) -> None:
    """Nodes that only reach each other are never reached from the root: LightGBM would load them."""
    ring = _line("left_child", lambda line: "-1 2 1 -4 -5")(text)
    ring = _line("right_child", lambda line: "3 -2 -3 4 -6")(ring)
    with pytest.raises(ModelRejected, match="node"):
        parse_model(ring)


@pytest.mark.parametrize(
    ("cap", "value"),
    [
        *(("MAX_MODEL_BYTES", 1000), ("MAX_TREES", 5), ("MAX_LEAVES", 5)),
        *(("MAX_FEATURES", 3), ("MAX_DEPTH", 1), ("MAX_CATEGORY_WORDS", 1)),
    ],
)
def test_every_cap_holds(cap: str, value: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model one step above any cap is refused; the caps are lowered here so that the text stays small."""
    monkeypatch.setattr(parsing_module, cap, value)
    with pytest.raises(ModelRejected):
        parse_model(text)


def test_category_sets_must_follow_one_another(text: str) -> None:
    """Boundaries that start late, stand still or leave words over are refused."""
    tree = next(index for index, tree in enumerate(parse_model(text).trees) if tree.categories)
    for boundaries in ("1 2", "0 0", "0 9", "2 0"):
        with pytest.raises(ModelRejected):
            parse_model(_line("cat_boundaries", lambda line, new=boundaries: new, tree)(text))  # type: ignore[misc]
    with pytest.raises(ModelRejected):
        parse_model(_line("cat_threshold", lambda line: line + " 1", tree)(text))
    with pytest.raises(ModelRejected):
        parse_model(_line("cat_threshold", _set(0, str(2**32)), tree)(text))

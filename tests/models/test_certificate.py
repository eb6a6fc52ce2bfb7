"""The certificate: what it calls proved no row breaks, what it calls broken its own two rows break."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.scoring import Ensemble, Tree, parse_model, walk_paths, walk_raw
from models.certificate import Finding, NotProved, _Grid, certify, prove

Floats = NDArray[np.float64]
_NAN = 8  # of a split's decision: missing values have a side of their own
_LEFT, _ZERO = 2, 4


def tree(feature: Sequence[int], threshold: Sequence[float], left: Sequence[int], right: Sequence[int],
         leaf: Sequence[float], decision: int | Sequence[int] = _NAN) -> Tree:  # fmt: skip
    """A tree written by hand; counts do not matter here."""
    decisions = (decision,) * len(feature) if isinstance(decision, int) else tuple(decision)
    return Tree(tuple(feature), tuple(threshold), decisions, tuple(left), tuple(right), tuple(leaf),
                (1,) * len(leaf), (1,) * len(feature), (), ())  # fmt: skip


def ensemble(features: int, *trees: Tree) -> Ensemble:
    """Trees over features a, b, c, ..."""
    return Ensemble(tuple("abcdefgh"[:features]), "binary sigmoid:1", (0,) * features, trees)


def grown(seed: int, *, constrained: bool, trees: int = 6, leaves: int = 5, features: int = 3) -> lightgbm.Booster:
    """A small model on random rows with missing values, zeros and a category in the last column."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, size=(400, features)).astype(float)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[:, -1] = rng.integers(0, 6, 400)
    pull = np.nan_to_num(x[:, 0]) * 0.7 + np.isin(x[:, -1], [1, 4]) + np.nan_to_num(x[:, 1] * x[:, 0]) * 0.2
    y = (rng.random(400) < 1 / (1 + np.exp(-pull))).astype(int)
    parameters = {
        "objective": "binary", "num_leaves": leaves, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1,
        "seed": seed, "min_data_per_group": 5, "cat_smooth": 1, "zero_as_missing": bool(seed % 2),
        "use_missing": seed % 5 != 0,
    }  # fmt: skip
    if constrained:
        parameters["monotone_constraints"] = [1] + [0] * (features - 1)
    names = list("abcdefgh"[:features])
    data = lightgbm.Dataset(x, y, feature_name=names, categorical_feature=[features - 1], params=parameters)
    return lightgbm.train(parameters, data, trees)


def worst_step(model: Ensemble, feature: int) -> float:
    """The largest fall from one present value to a higher one, over every row that could differ: the brute force."""
    grid = []
    for index in range(len(model.feature_names)):
        cuts = {
            each.threshold[node]
            for each in model.trees
            for node, asked in enumerate(each.split_feature)
            if asked == index and not each.decision[node] & 1
        }
        codes = {float(code) for code in range(-1, 8)} if index == len(model.feature_names) - 1 else set()
        between = {math.nextafter(cut, math.inf) for cut in cuts}
        grid.append([*sorted(cuts | between | codes | {0.0, -1e-9, 1e-9}), math.nan])
    worst = 0.0
    for others in itertools.product(*(values for index, values in enumerate(grid) if index != feature)):
        raws = [walk_raw(model, [*others[:feature], value, *others[feature:]]) for value in grid[feature][:-1]]
        highest = -math.inf
        for raw in raws:
            worst = min(worst, raw - highest) if highest > -math.inf else worst
            highest = max(highest, raw)
    return worst


def breaks(finding: Finding, model: Ensemble) -> bool:
    """Whether the witness differs in that feature alone, by a rise, and moves the score the wrong way."""
    found = finding.witness
    if found is None:
        return False
    index = model.feature_names.index(finding.feature)
    others = [same for at, same in enumerate(zip(found.low, found.high, strict=True)) if at != index]
    same = all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in others)
    step = walk_raw(model, found.high) - walk_raw(model, found.low)
    return same and found.low[index] < found.high[index] and step * finding.direction < 0


# -- against brute force ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("constrained", [True, False])
def test_verdicts_are_those_of_brute_force(seed: int, constrained: bool) -> None:
    """Proved where no setting breaks the direction, broken with its witness where one does."""
    model = parse_model(grown(seed, constrained=constrained, trees=3, leaves=4).model_to_string())
    for sign in (1, -1):
        mirrored = replace(model, trees=tuple(_scaled(each, sign) for each in model.trees))
        for finding in certify(model, [sign] * 3):
            fall = worst_step(mirrored, model.feature_names.index(finding.feature))
            assert finding.by != "open"
            assert finding.proved == (fall > -1e-12)
            if not finding.proved:
                assert breaks(finding, model)


def _scaled(old: Tree, by: int) -> Tree:
    return replace(old, leaf_value=tuple(by * value for value in old.leaf_value))


@pytest.mark.parametrize("seed", range(8))
def test_cells_answer_as_the_walk_does(seed: int) -> None:
    """Any value lies in a cell whose stand-in takes the same way through every tree."""
    model = parse_model(grown(seed, constrained=False, trees=20, leaves=12).model_to_string())
    grid, rng = _Grid(model), np.random.default_rng(seed)
    for feature in range(3):
        values = grid.values[feature]
        tried = [*rng.normal(0, 3, 60).tolist(), *rng.integers(-3, 9, 20).tolist(), 1e-36, -1e-36, 0.0, 1e308, -1e308]
        for row in rng.integers(-3, 6, size=(3, 3)).astype(float).tolist():
            ways = {_way(model, row, feature, value) for value in [*values, math.nan]}
            assert {_way(model, row, feature, float(value)) for value in tried} <= ways


def _way(model: Ensemble, row: list[float], feature: int, value: float) -> tuple[tuple[int, ...], ...]:
    return walk_paths(model, [*row[:feature], value, *row[feature + 1 :]])


def test_lightgbms_own_constraint_is_not_enough() -> None:
    """Where zeros count as missing, a model constrained to rise falls at zero: LightGBM's own scores show it."""
    booster = grown(9, constrained=True, trees=40, leaves=8)
    [finding] = certify(parse_model(booster.model_to_string()), [1, 0, 0])
    assert finding.witness is not None
    low, high = booster.predict(np.array([finding.witness.low, finding.witness.high]), raw_score=True, num_threads=1)
    assert finding.witness.low[0] < finding.witness.high[0]
    assert low > high


def test_a_constrained_model_of_real_size_is_proved_tree_by_tree() -> None:
    """LightGBM's basic method holds what it is asked to hold, and a free feature of the same model is refuted."""
    booster = grown(4, constrained=True, trees=150, leaves=15, features=6)
    first, second = certify(parse_model(booster.model_to_string()), [1, 1, 0, 0, 0, 0])
    assert (first.by, first.witness) == ("trees", None)
    assert second.by == "broken"
    found = second.witness
    assert found is not None
    given = np.asarray(booster.predict(np.array([found.low, found.high]), raw_score=True, num_threads=1))
    assert given.tolist() == [found.raw_low, found.raw_high]  # LightGBM's own scorer confirms the pair


# -- planted -------------------------------------------------------------------------------------------------


def test_a_planted_wrong_leaf_is_found() -> None:
    """One leaf of one tree of a proved model, lowered under its neighbours: refuted, with rows that show it."""
    model = parse_model(grown(8, constrained=True, trees=12, leaves=8).model_to_string())
    [before] = certify(model, [1, 0, 0])
    assert before.proved
    spots = [
        (number, ~each.right[node])
        for number, each in enumerate(model.trees)
        for node, feature in enumerate(each.split_feature)
        if feature == 0 and each.right[node] < 0
    ]
    found = 0
    for number, leaf in spots:
        old = model.trees[number]
        leaves = tuple(value - 50.0 * (at == leaf) for at, value in enumerate(old.leaf_value))
        trees = (*model.trees[:number], replace(old, leaf_value=leaves), *model.trees[number + 1 :])
        spoiled = replace(model, trees=trees)
        [finding] = certify(spoiled, [1, 0, 0])
        reached = worst_step(spoiled, 0) < -1.0  # some leaves take missing values alone, and those are no step
        assert breaks(finding, spoiled) == reached
        assert finding.proved != reached
        found += reached
    assert found > 5


def test_a_sum_is_proved_where_single_trees_are_not() -> None:
    """A tree that falls by 1 beside one that rises by 2 at the same threshold: together they only rise."""
    rises = tree([0], [5.0], [~0], [~1], [0.0, 2.0])
    falls = tree([0], [5.0], [~0], [~1], [1.0, 0.0])
    [finding] = certify(ensemble(1, rises, falls), [1])
    assert (finding.by, finding.proved, finding.cuts) == ("sum", True, 1)


def test_a_sum_is_judged_where_its_parts_meet() -> None:
    """A fall for b <= 0 that another tree makes good just there is no fall; made good for b > 0 alone, it is one."""
    fall = tree([1, 0], [0.0, 5.0], [1, ~0], [~2, ~1], [1.0, 0.0, 0.0])  # at a = 5, where b <= 0
    mends = tree([1, 0], [0.0, 5.0], [1, ~0], [~2, ~1], [0.0, 1.5, 0.0])
    misses = tree([1, 0], [0.0, 5.0], [~0, ~1], [1, ~2], [0.0, 0.0, 1.5])  # where b > 0
    assert certify(ensemble(2, fall, mends), [1, 0])[0].by == "sum"
    spoiled = ensemble(2, fall, misses)
    [finding] = certify(spoiled, [1, 0])
    assert finding.by == "broken"
    assert breaks(finding, spoiled)
    assert finding.witness is not None
    assert finding.witness.low[0] == 5.0  # the least step, from the threshold itself


@pytest.mark.parametrize("side", [0, _LEFT])
def test_missing_values_of_the_feature_itself_are_no_step(side: int) -> None:
    """Where a missing value goes is free: the same present values are proved whichever side it takes."""
    only = tree([0], [5.0], [~0], [~1], [0.0, 2.0], decision=_NAN | side)
    assert certify(ensemble(1, only), [1])[0].proved


def test_another_feature_that_is_missing_is_a_setting_like_any() -> None:
    """A fall that shows only where b is missing is found, and the witness has it missing."""
    fall = tree([1, 1, 0], [1e300, -1e300, 5.0], [1, ~0, ~2], [2, ~1, ~3], [0.0, 0.0, 1.0, 0.0])
    model = ensemble(2, fall)
    [finding] = certify(model, [1, 0])
    assert breaks(finding, model)


def test_a_zero_that_counts_as_missing_breaks_a_rise() -> None:
    """Zero sent to the high side of a split at 5: from 0 to 1 the score falls, and the certificate says so."""
    model = ensemble(1, tree([0], [5.0], [~0], [~1], [0.0, 2.0], decision=_ZERO))
    [finding] = certify(model, [1])
    assert breaks(finding, model)


def test_out_of_steps_is_not_proved() -> None:
    """With too few steps nothing is claimed either way, and the certificate is refused."""
    model = parse_model(grown(3, constrained=True, trees=30, leaves=8).model_to_string())
    [finding] = certify(model, [1, 0, 0], most_steps=10)
    assert (finding.by, finding.proved, finding.witness) == ("open", False, None)


def test_a_certificate_is_refused_with_the_rows_that_break_it() -> None:
    """The message names the feature, the step and both scores."""
    with pytest.raises(NotProved, match=r"a: the score may only rise, yet from 5 to 5 it goes from 1 to 0"):
        prove(ensemble(1, tree([0], [5.0], [~0], [~1], [1.0, 0.0])), [1])

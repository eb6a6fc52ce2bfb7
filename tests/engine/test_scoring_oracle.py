"""The scorer and the walk against the real lightgbm package, on random models of every supported kind."""

import ctypes
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib.machinery import ModuleSpec

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.scoring import Backend, KernelMissing, ModelRejected, Scorer, backends, native, parse_model, walk_raw
from engine.scoring.ensemble import ZERO_BELOW
from engine.scoring.native import NativeModel, kernel
from engine.scoring.packing import pack
from tests.support.shapley import exact_contributions
from training.rescoring import raw_scores

NAMES = tuple(f"feature_{index}" for index in range(9))
CATEGORICAL = 3
EXACT = 1e-12
MODELS, ROWS = 20, 50_000

# What of LightGBM changes the text or the sums: sampling, missing rules, constraints, averaging, rounding.
VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "bagging": {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.6},
    "goss": {"data_sample_strategy": "goss"},
    "dart": {"boosting": "dart"},
    "quantised": {"use_quantized_grad": True},
    "zero as missing": {"zero_as_missing": True},
    "no missing": {"use_missing": False},
    "monotone": {
        "monotone_constraints": [1, -1, 0, 0, 0, 0, 0, 0, 0],
        "monotone_constraints_method": "advanced",
    },
    "no average": {"boost_from_average": False},
    "cross entropy": {"objective": "cross_entropy"},
    "extra trees": {"extra_trees": True, "path_smooth": 1.0},
    "weights": {"scale_pos_weight": 5.5, "sigmoid": 0.7},
    "gain importances": {
        "saved_feature_importance_type": 1,
        "interaction_constraints": [[0, 1, 2, 3], [4, 5]],
    },
    "tiny leaves": {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0, "num_leaves": 63},
    "stumps": {"min_data_in_leaf": 590},
    "deep": {"num_leaves": 200, "min_data_in_leaf": 2},
}


def _market(seed: int, rows: int = 600) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows with missing values, many zeros, one category of 70 codes, and an outcome that depends on them."""
    rng = np.random.default_rng(seed)
    block = rng.normal(size=(rows, len(NAMES)))
    block[:, CATEGORICAL] = rng.integers(0, 70, rows)
    block[:, 4] = np.where(rng.random(rows) < 0.6, 0.0, block[:, 4])
    block[:, 5] = np.round(block[:, 5], 1)
    block[:, :4][rng.random((rows, 4)) < 0.15] = np.nan
    latent = np.nan_to_num(block[:, 0]) + np.isin(block[:, CATEGORICAL], [1, 5, 33, 64]) * 1.5 + block[:, 4]
    return block, (latent + np.isnan(block[:, 1]) + rng.normal(size=rows) > 0.8).astype(np.int64)


def _train(seed: int, options: Mapping[str, object], trees: int = 25) -> tuple[lightgbm.Booster, NDArray[np.float64]]:
    block, outcome = _market(seed)
    parameters = {
        "objective": "binary",
        "num_leaves": 15,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
        **options,
    }
    data = lightgbm.Dataset(
        block, outcome, feature_name=list(NAMES), categorical_feature=[CATEGORICAL], params=parameters
    )
    return lightgbm.train(parameters, data, trees), block


def _strange_rows(block: NDArray[np.float64], booster: lightgbm.Booster) -> NDArray[np.float64]:
    """Training rows, rows on and beside thresholds, and values no training row had."""
    rng = np.random.default_rng(7)
    edges = [
        value for tree in parse_model(booster.model_to_string()).trees for value in tree.threshold if np.isfinite(value)
    ]
    rows = block[rng.integers(0, len(block), 400)].copy()
    spots = rng.random(rows.shape) < 0.3
    rows[spots] = rng.choice(np.array(edges or [0.0]), size=int(spots.sum()))
    odd = np.array(
        [
            0.0,
            -0.0,
            1e-36,
            -1e-36,
            ZERO_BELOW,
            1.1e-35,
            1e300,
            -1e300,
            5e-324,
            1e10,
            -1.5,
            -0.5,
            0.999,
            64.0,
            2.0**31,
        ]
    )
    spots = rng.random(rows.shape) < 0.1
    rows[spots] = rng.choice(odd, size=int(spots.sum()))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return np.vstack([block[:200], rows, np.nextafter(rows[:100], np.inf), np.full((1, len(NAMES)), np.nan)])


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    """One plain model."""
    return _train(1, {})[0]


@pytest.fixture(params=["native", "portable"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each back end; the kernel is compiled wherever the tests run, so its absence is a failure."""
    name: Backend = request.param
    assert name in backends()
    return name


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_score_is_bit_equal_to_lightgbm(variant: str, backend: Backend) -> None:
    """Raw scores one by one, in blocks and walked have lightgbm's own bits; contributions agree to 1e-12."""
    booster, block = _train(sum(map(ord, variant)), VARIANTS[variant])
    scorer = Scorer(booster.model_to_string(), NAMES, backend)
    rows = _strange_rows(block, booster)
    raw = np.asarray(booster.predict(rows, raw_score=True, num_threads=1)).tolist()
    shares = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
    assert scorer.backend == backend
    assert [scorer.raw(row) for row in rows] == raw
    assert [scorer.walk(row) for row in rows] == raw
    assert scorer.raw_many(rows).tolist() == raw
    assert max(np.abs(scorer.contributions(row) - found).max() for row, found in zip(rows, shares, strict=True)) < EXACT


@pytest.mark.parametrize("number", range(MODELS))
def test_a_million_random_rows_over_twenty_random_models_have_lightgbms_bits(number: int) -> None:
    """50,000 rows of each random model, one call a row and in blocks, equal Booster.predict to the last bit."""
    rng = np.random.default_rng(number)
    shape = {
        "num_leaves": int(rng.integers(2, 130)), "max_depth": int(rng.integers(-1, 9)), "learning_rate": 0.3,
        "min_data_in_leaf": int(rng.integers(1, 40)), "max_cat_to_onehot": int(rng.choice([1, 4, 100])),
        "zero_as_missing": bool(rng.integers(2)), "use_missing": bool(rng.integers(5)), "feature_fraction": 0.8,
    }  # fmt: skip
    booster, block = _train(number, shape, trees=int(rng.integers(1, 60)))
    rows = np.vstack([rng.normal(scale=2.0, size=(ROWS, len(NAMES))), _strange_rows(block, booster)])[-ROWS:]
    plain = rows[:-1_000]
    plain[:, CATEGORICAL] = rng.integers(-2, 90, len(plain))
    plain[rng.random(plain.shape) < 0.1] = np.nan
    plain[rng.random(plain.shape) < 0.1] = 0.0
    wanted = np.asarray(booster.predict(rows, raw_score=True, num_threads=2))
    scorer = Scorer(booster.model_to_string(), NAMES, "native")
    assert np.fromiter(map(scorer.raw, rows), float, ROWS).tobytes() == wanted.tobytes()
    assert raw_scores(scorer, rows, threads=2).tobytes() == wanted.tobytes()


def _chain(length: int, features: int) -> str:
    """A model of one tree that is one long way down: split after split, each with a leaf at its side."""
    names, nodes = [f"f{n}" for n in range(features)], range(length)
    arrays: dict[str, list[object]] = {
        "num_leaves": [length + 1],
        "num_cat": [0],
        "split_feature": [n % features for n in nodes],
        "split_gain": [1] * length,
        "threshold": [f"{0.01 * (n + 1):.17g}" for n in nodes],
        "decision_type": [2] * length,
        "left_child": [~n for n in nodes],
        "right_child": [*(n + 1 for n in nodes[:-1]), ~length],
        "leaf_value": [f"{(-1) ** n * (0.1 + n / 7):.17g}" for n in range(length + 1)],
        "leaf_weight": [1] * (length + 1),
        "leaf_count": [n % 5 + 1 for n in range(length + 1)],
        "internal_value": [0] * length,
        "internal_weight": [0] * length,
        "internal_count": [sum(m % 5 + 1 for m in range(n, length + 1)) for n in nodes],
        "is_linear": [0],
        "shrinkage": [1],
    }
    block = "Tree=0\n" + "".join(f"{key}={' '.join(map(str, line))}\n" for key, line in arrays.items()) + "\n\n"
    head = {
        "version": "v4", "num_class": 1, "num_tree_per_iteration": 1, "label_index": 0,
        "max_feature_idx": features - 1, "objective": "binary sigmoid:1", "feature_names": " ".join(names),
        "feature_infos": " ".join(["[0:1]"] * features), "tree_sizes": len(block),
    }  # fmt: skip
    stated = "".join(f"{key}={value}\n" for key, value in head.items())
    return f"tree\n{stated}\n{block}end of trees\n\nfeature_importances:\n"


@pytest.mark.parametrize(
    ("length", "features"), [(1, 1), (7, 7), (9, 9), (16, 16), (17, 17), (40, 33), (128, 70), (128, 5)]
)
def test_long_ways_through_a_tree_have_exact_contributions(length: int, features: int, backend: Backend) -> None:
    """Up to the deepest tree that is read, with as many features on one way: exact against arithmetic of 200 digits."""
    scorer = Scorer(_chain(length, features), tuple(f"f{n}" for n in range(features)), backend)
    rng = np.random.default_rng(length)
    for row in rng.random((1, features)) * 0.012 * length:
        wanted = exact_contributions(scorer.ensemble, row.tolist())
        assert np.abs(scorer.contributions(row)[:-1] - wanted).max() < EXACT


def test_contributions_add_up_to_the_raw_score(booster: lightgbm.Booster) -> None:
    """A row's contributions, the base among them, sum to its raw score."""
    scorer = Scorer(booster.model_to_string(), NAMES)
    for row in _market(2)[0][:50]:
        assert scorer.contributions(row).sum() == pytest.approx(scorer.raw(row), abs=1e-12)


def test_the_text_lightgbm_is_given_holds_only_what_scores_depend_on(booster: lightgbm.Booster) -> None:
    """Gains, importances, parameters and names never reach LightGBM; the rest reads back alike."""
    ensemble = parse_model(booster.model_to_string())
    text = ensemble.lightgbm_text()
    assert not any(word in text for word in ("split_gain", "parameters", "tree_sizes", "feature_0", "importances"))
    again = lightgbm.Booster(model_str=text)
    rows = _market(3)[0]
    assert (
        np.asarray(again.predict(rows, raw_score=True))
        == np.asarray(booster.predict(rows, raw_score=True, num_threads=1))
    ).all()


@pytest.mark.parametrize("form", ["model_to_string", "save_model", "pandas", "no importances"])
def test_every_way_lightgbm_writes_a_model_is_read(
    form: str, booster: lightgbm.Booster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A model saved to a file, kept as a string or trained from a frame without categories is accepted."""
    if form == "pandas":
        pandas = pytest.importorskip("pandas")
        block, outcome = _market(4)
        data = lightgbm.Dataset(pandas.DataFrame(block, columns=list(NAMES)), outcome)
        text = lightgbm.train({"objective": "binary", "verbose": -1}, data, 3).model_to_string()
    elif form == "save_model":
        path = tmp_path_factory.mktemp("saved") / "model.txt"
        booster.save_model(path)
        text = path.read_text()
    elif form == "no importances":
        text = _train(5, {"min_data_in_leaf": 599})[0].model_to_string()
    else:
        text = booster.model_to_string(num_iteration=5)
    assert parse_model(text).feature_names == NAMES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"linear_tree": True}, "linear trees"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "random forest"),
        ({"objective": "multiclass", "num_class": 2}, "num_class"),
        ({"objective": "regression"}, "objective"),
    ],
)
def test_models_of_other_kinds_are_refused_by_name(options: dict[str, object], said: str) -> None:
    """A linear, forest, multi-class or regression model is a value the parser names, never a wrong score."""
    booster, _ = _train(6, options)
    with pytest.raises(ModelRejected, match=said):
        parse_model(booster.model_to_string())


def test_pandas_categories_are_refused_by_name() -> None:
    """A model whose codes live in the Python package's own tail is refused: its rows mean other things."""
    pandas = pytest.importorskip("pandas")
    block, outcome = _market(8)
    frame = pandas.DataFrame(block[:, :2], columns=["a", "b"])
    frame["c"] = pandas.Categorical(np.where(outcome > 0, "x", "y"))
    text = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(frame, outcome), 3).model_to_string()
    with pytest.raises(ModelRejected, match="pandas categories"):
        parse_model(text)


def test_features_must_be_the_expected_ones_in_order(booster: lightgbm.Booster) -> None:
    """A model for the same features in another order is refused."""
    swapped = (NAMES[1], NAMES[0], *NAMES[2:])
    with pytest.raises(ModelRejected, match="features"):
        Scorer(booster.model_to_string(), swapped)


@pytest.mark.parametrize("row", [[0.0] * 8, [0.0] * 10, [[0.0] * 9], [float("inf")] + [0.0] * 8])
def test_a_row_of_another_shape_or_an_infinite_value_is_refused(
    row: list[float], booster: lightgbm.Booster, backend: Backend
) -> None:
    """LightGBM would read past the row's end or meet undefined casts; the scorer raises instead."""
    scorer = Scorer(booster.model_to_string(), NAMES, backend)
    with pytest.raises((ValueError, TypeError)):
        scorer.raw(row)
    with pytest.raises((ValueError, TypeError)):
        scorer.contributions(row)
    with pytest.raises((ValueError, TypeError)):
        walk_raw(scorer.ensemble, row)
    with pytest.raises(ValueError, match="row"):
        scorer.raw_many(np.array([row], dtype=np.float64))


def test_no_rows_have_no_scores(booster: lightgbm.Booster, backend: Backend) -> None:
    """An empty block gives an empty answer."""
    assert Scorer(booster.model_to_string(), NAMES, backend).raw_many(np.empty((0, len(NAMES)))).shape == (0,)


def test_threads_share_a_scorer_without_mixing_rows(booster: lightgbm.Booster, backend: Backend) -> None:
    """Eight threads on one scorer get each row's own score and contributions."""
    scorer = Scorer(booster.model_to_string(), NAMES, backend)
    rows = _market(9)[0][:80]
    wanted = [(scorer.raw(row), scorer.contributions(row).tolist()) for row in rows]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for step in range(400):
            index = (start * 11 + step) % len(rows)
            if (scorer.raw(rows[index]), scorer.contributions(rows[index]).tolist()) != wanted[index]:
                wrong.append(index)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_scorer_is_never_copied(booster: lightgbm.Booster) -> None:
    """The rooms that a call writes to belong to one scorer."""
    with pytest.raises(TypeError, match="never copied"):
        Scorer(booster.model_to_string(), NAMES).__reduce__()


def test_a_kernel_of_another_version_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library compiled for other structs, or before it said for which, is not called: NumPy scores instead."""
    assert kernel.__wrapped__() is not None
    with monkeypatch.context() as patch:
        patch.setattr(native, "_Pass", ctypes.c_double * 99)
        assert kernel.__wrapped__() is None
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: ModuleSpec("kernel", None, origin=None))
    assert kernel.__wrapped__() is None
    libc = ModuleSpec("kernel", None, origin="libc.so.6")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: libc)
    assert kernel.__wrapped__() is None


def test_registers_of_any_width_give_the_same_bits(booster: lightgbm.Booster) -> None:
    """Contributions and blocks in the widest registers of this machine and in plain ones agree to the last bit."""
    packed, library = pack(parse_model(booster.model_to_string())), kernel()
    assert library is not None
    wide, plain = NativeModel(packed, library), NativeModel(packed, library, level=0)
    assert plain.level == 0
    rows = _market(2)[0]
    assert all((wide.contributions(row) == plain.contributions(row)).all() for row in rows[:100])
    assert wide.raw_many(rows).tobytes() == plain.raw_many(rows).tobytes()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 95])
def test_trees_of_up_to_64_leaves_and_larger_ones_add_up_in_order(count: int) -> None:
    """Trees that are swept and one that is walked alternate in one model; part blocks and whole ones have its bits."""
    small, block = _train(11, {"num_leaves": 64, "min_data_in_leaf": 1}, trees=6)
    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 65, "min_data_in_leaf": 1}
    data = lightgbm.Dataset(block, _market(11)[1], feature_name=list(NAMES), categorical_feature=[CATEGORICAL])
    mixed = lightgbm.train(parameters, data, 6, init_model=small)
    scorer = Scorer(mixed.model_to_string(), NAMES, "native")
    sizes = {len(tree.leaf_value) for tree in scorer.ensemble.trees}
    assert {64, 65} <= sizes
    rows = _strange_rows(block, mixed)[-count:]
    assert scorer.raw_many(rows).tolist() == np.asarray(mixed.predict(rows, raw_score=True, num_threads=1)).tolist()


def test_a_forked_process_scores_and_the_package_is_never_imported(
    booster: lightgbm.Booster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A process that scored and forked scores in the child too, and never has lightgbm or scipy loaded."""
    path = tmp_path_factory.mktemp("forked") / "model.txt"
    booster.save_model(path)
    program = f"""
import os, sys
from engine.scoring import Scorer
text, names = open({str(path)!r}).read(), {NAMES!r}
row = [0.5] * len(names)
here = Scorer(text, names).raw(row)
child = os.fork()
if child == 0:
    os._exit(0 if Scorer(text, names).raw(row) == here else 1)
_, status = os.waitpid(child, 0)
loaded = sorted(set(sys.modules) & {{"lightgbm", "scipy", "sklearn", "pandas"}})
print(os.waitstatus_to_exitcode(status), loaded)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0 []"


def test_a_machine_without_the_kernel_scores_in_numpy(
    booster: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no kernel was compiled the portable back end is taken, and naming the kernel is refused in words."""
    monkeypatch.setattr(native, "_KERNEL", "engine.scoring.absent")
    native.kernel.cache_clear()
    try:
        assert backends() == ("portable",)
        assert Scorer(booster.model_to_string(), NAMES).backend == "portable"
        with pytest.raises(KernelMissing, match="not compiled"):
            Scorer(booster.model_to_string(), NAMES, "native")
    finally:
        native.kernel.cache_clear()

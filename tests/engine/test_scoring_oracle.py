"""The scorer and the walk against the real lightgbm package, on random models of every supported kind."""

import ctypes
import importlib.util
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.scoring import LibraryMissing, ModelRejected, Scorer, parse_model, walk_raw
from engine.scoring.library import library, max_threads, remedy
from engine.scoring.walk import ZERO_BELOW

NAMES = tuple(f"feature_{index}" for index in range(9))
CATEGORICAL = 3

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


def _train(seed: int, options: Mapping[str, object]) -> tuple[lightgbm.Booster, NDArray[np.float64]]:
    block, outcome = _market(seed)
    parameters = {
        "objective": "binary",
        "num_leaves": 15,
        "verbose": -1,
        "num_threads": 2,
        "seed": seed,
        **options,
    }
    data = lightgbm.Dataset(
        block, outcome, feature_name=list(NAMES), categorical_feature=[CATEGORICAL], params=parameters
    )
    return lightgbm.train(parameters, data, 25), block


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


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_score_is_bit_equal_to_lightgbm(variant: str) -> None:
    """Raw scores one by one, in blocks and walked, and contributions, have lightgbm's own bits."""
    booster, block = _train(sum(map(ord, variant)), VARIANTS[variant])
    scorer = Scorer(booster.model_to_string(), NAMES)
    rows = _strange_rows(block, booster)
    raw = np.asarray(booster.predict(rows, raw_score=True, num_threads=1)).tolist()
    shares = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
    assert [scorer.raw(row) for row in rows] == raw
    assert [scorer.walk(row) for row in rows] == raw
    assert scorer.raw_many(rows).tolist() == raw
    assert all((scorer.contributions(row) == wanted).all() for row, wanted in zip(rows, shares, strict=True))


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
def test_a_row_of_another_shape_or_an_infinite_value_is_refused(row: list[float], booster: lightgbm.Booster) -> None:
    """LightGBM would read past the row's end or meet undefined casts; the scorer raises instead."""
    scorer = Scorer(booster.model_to_string(), NAMES)
    with pytest.raises((ValueError, TypeError)):
        scorer.raw(row)
    with pytest.raises((ValueError, TypeError)):
        scorer.contributions(row)
    with pytest.raises((ValueError, TypeError)):
        walk_raw(scorer.ensemble, row)
    with pytest.raises(ValueError, match="row"):
        scorer.raw_many(np.array([row], dtype=np.float64))


def test_no_rows_have_no_scores(booster: lightgbm.Booster) -> None:
    """An empty block gives an empty answer."""
    assert Scorer(booster.model_to_string(), NAMES).raw_many(np.empty((0, len(NAMES)))).shape == (0,)


def test_threads_share_a_scorer_without_mixing_rows(booster: lightgbm.Booster) -> None:
    """Eight threads on one scorer get each row's own score and contributions."""
    scorer = Scorer(booster.model_to_string(), NAMES)
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


def test_handles_are_freed_with_the_scorer_and_never_copied(booster: lightgbm.Booster) -> None:
    """Dropping the last reference frees booster and predictors once; a copy is refused."""
    scorer = Scorer(booster.model_to_string(), NAMES)
    with pytest.raises(TypeError, match="never copied"):
        scorer.__reduce__()
    finalisers: list[weakref.finalize[..., Any]] = [
        scorer._booster._free,
        scorer._raw._free,
        scorer._contributions._free,
    ]
    assert all(finaliser.alive for finaliser in finalisers)
    del scorer
    assert not any(finaliser.alive for finaliser in finalisers)


def test_loading_a_model_leaves_the_processs_threads_alone(booster: lightgbm.Booster) -> None:
    """The cap of one thread while a model loads is put back: training beside it keeps its threads."""
    before = max_threads()
    Scorer(booster.model_to_string(), NAMES)
    assert max_threads() == before


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


def test_a_missing_openmp_runtime_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the loader lacks libgomp.so.1 the error says which package to install."""

    def refuse(path: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(LibraryMissing, match="apt-get install libgomp1"):
        library.__wrapped__()


def test_a_missing_package_or_another_loader_error_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not installed, and installed but broken, read differently."""
    assert "libomp" in remedy(["dlopen: Library not loaded: @rpath/libomp.dylib"])
    assert "wrong ELF class" in remedy(["wrong ELF class"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LibraryMissing, match="not installed"):
        library.__wrapped__()

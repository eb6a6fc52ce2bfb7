"""A fit on two real processes beside the fit on one machine; what travels; what is wrong with a table."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from dask.sizeof import sizeof

import models
from engine.scoring import Ensemble, parse_model
from tests.training.cluster.conftest import DESCRIPTION, GROUP, ROWS, SPLIT, asked, frame, write
from training.cluster import Cluster, Fit, Made, fit_on
from training.data import Dataset, TableFaults, from_table, read_description
from training.data.tables import Reading
from training.evaluation.ranking import auc
from training.fitting import Fitted, Recipe, fit

# Nothing drawn and no count of rows to be held to: what two machines do otherwise than one.
ALIKE: dict[str, Any] = {
    "bagging_fraction": 1.0,
    "min_data_in_leaf": 1,
    "num_leaves": 8,
    "max_depth": 4,
    "feature_fraction": 0.7,
}


def alone(described: Path, **changed: Any) -> tuple[Dataset, Fitted]:
    """The examples, and the fit on this machine alone."""
    data = from_table(described)
    recipe = Recipe(changed={"num_threads": 1, **changed}, resamples=20)
    return data, fit(data, SPLIT, 7, recipe=recipe)


# -- the same model ------------------------------------------------------------------------------------------


def test_the_model_is_that_of_one_machine_within_tolerance(usual: Made, described: Path) -> None:
    """Out of time: AUC within 0.01, PDs within 0.02 in the mean and 0.1 at the most, order nearly the same."""
    data, single = alone(described)
    test = SPLIT.parts(data)[2]
    one, two = single.model.pd(test.x), usual.fitted.model.pd(test.x)
    assert abs(auc(test.y, one, test.weight) - auc(test.y, two, test.weight)) < 0.01
    assert np.abs(one - two).mean() < 0.02
    assert np.abs(one - two).max() < 0.1
    assert np.corrcoef(one, two)[0, 1] > 0.98
    assert usual.fitted.test.auc == pytest.approx(auc(test.y, two, test.weight), abs=1e-9)


def test_trees_are_equal_where_nothing_is_drawn_or_counted(cluster: Cluster, numbers: Path) -> None:
    """Same bins, and neither bagging nor least rows in a leaf: every split, leaf, the round and the line are equal."""
    _, single = alone(numbers, **ALIKE)
    both = fit_on(cluster, asked(numbers, **ALIKE)).fitted
    one, two = parse_model(single.model_text), parse_model(both.model_text)
    assert splits(one) == splits(two)
    assert len(one.trees) == both.trees > 20
    for mine, theirs in zip(one.trees, two.trees, strict=True):
        assert theirs.leaf_value == pytest.approx(mine.leaf_value, abs=1e-9)
    assert both.calibration.slope == pytest.approx(single.calibration.slope, abs=2e-6)
    assert both.calibration.intercept == pytest.approx(single.calibration.intercept, abs=2e-6)


def splits(ensemble: Ensemble) -> list[tuple[object, ...]]:
    """What every tree asks, in order."""
    return [
        (tree.split_feature, tree.threshold, tree.decision, tree.left, tree.right, tree.category_words)
        for tree in ensemble.trees
    ]


def test_the_same_workers_give_the_same_bytes(cluster: Cluster, described: Path, usual: Made) -> None:
    """A second fit of the same table and seed is the first, to the byte, and the text names no machine."""
    assert fit_on(cluster, asked(described)).fitted.model_text == usual.fitted.model_text
    assert "127.0.0.1" not in usual.fitted.model_text
    assert "machines" not in usual.fitted.model_text


def test_directions_are_proved(usual: Made) -> None:
    """The certificate of the catalogue's directions holds for trees grown by two machines."""
    assert [p.feature for p in models.prove(parse_model(usual.fitted.model_text), (1, 0, 0, 0)).proofs] == ["a"]


def test_parts_with_one_outcome_teach(cluster: Cluster, tmp_path: Path) -> None:
    """A table in order of its outcome: every part but one, and one worker's span, has goods or bads alone."""
    table = frame().sort("bad", "day")
    made = fit_on(cluster, asked(write(tmp_path, table, ROWS // 2, category=False), **ALIKE))
    _, single = alone(tmp_path / "table.toml", **ALIKE)
    assert splits(parse_model(made.fitted.model_text)) == splits(parse_model(single.model_text))


def test_balanced_weights_balance_over_all_workers(cluster: Cluster, numbers: Path) -> None:
    """The class weights come from the whole table's weights: the first forty trees are those of one machine."""
    plain, how = asked(numbers, **ALIKE), Recipe("balanced", ALIKE, resamples=20)
    made = fit_on(cluster, Fit(plain.described, plain.table, SPLIT, 7, how))
    single = fit(from_table(numbers), SPLIT, 7, recipe=Recipe("balanced", {"num_threads": 1, **ALIKE}, resamples=20))
    unweighed = parse_model(alone(numbers, **ALIKE)[1].model_text)
    one, two = parse_model(single.model_text), parse_model(made.fitted.model_text)
    assert splits(one)[:40] == splits(two)[:40] != splits(unweighed)[:40]


# -- what travels --------------------------------------------------------------------------------------------


def test_rows_stay_where_they_were_read(cluster: Cluster, described: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads no column and gets less than a tenth of the matrix; a worker holds its rows and the sample; no
    worker gets more from another than samples.
    """
    got: list[int] = []
    gather: Any = type(cluster.client).gather

    def weighed(client: Any, *arguments: Any, **named: Any) -> Any:
        result: Any = gather(client, *arguments, **named)
        got.append(sizeof(result))
        return result

    monkeypatch.setattr(type(cluster.client), "gather", weighed)
    monkeypatch.setattr(Reading, "series", _never)
    _came(cluster)
    made = fit_on(cluster, asked(described, sample_rows=120))
    monkeypatch.undo()
    rows = [span[2] for span in made.learnt.spans]
    matrix = ROWS * 4 * 8
    model = len(made.fitted.model_text)
    assert sum(rows) == ROWS
    assert sum(got) - 2 * model < matrix / 10 + 100 * 1_000
    assert [held["training"] for held in made.held] == pytest.approx([rows[0] / 2] * 2, abs=GROUP)
    assert sum(held["validation"] for held in made.held) == rows[1]
    assert {held["sample"] for held in made.held} == {120}
    assert 0 < _came(cluster) < 3 * 2 * 120 * (4 + 3) * 8 + 40_000 < matrix
    assert "120 rows drawn of each of training, validation, test" in made.learnt.data.description


def _never(self: Reading, name: str) -> pl.Series:
    raise AssertionError(f"the client read {name}")


def _came(cluster: Cluster) -> int:
    """Bytes of data that came to workers from other workers since this was last asked."""

    def came(dask_worker: Any) -> int:
        total = sum(int(entry["total"]) for entry in dask_worker.transfer_incoming_log)
        dask_worker.transfer_incoming_log.clear()
        return total

    return sum(cluster.client.run(came).values())


# -- bad tables ----------------------------------------------------------------------------------------------


def test_faults_are_told_by_the_whole_tables_rows(cluster: Cluster, tmp_path: Path) -> None:
    """Faults of one kind in several parts are one fault, rows counted over the whole; other kinds stand beside it."""
    table = frame().with_row_index().with_columns(
        w=pl.when(pl.col("index").is_in([5, 700, 3_599])).then(-1.0).otherwise(pl.col("w")),
        a=pl.when(pl.col("index") == 1_000).then(float("inf")).otherwise(pl.col("a")),
    )  # fmt: skip
    with pytest.raises(TableFaults) as caught:
        fit_on(cluster, asked(write(tmp_path, table)))
    assert str(caught.value).splitlines() == [
        "table.parquet: 2 faults",
        "  column w: rows 5, 700, 3599 is a negative weight",
        "  column a: row 1000 holds an infinite value",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"a": None}, "column a: is missing; the table has b, c"),
        ({"bad": pl.lit(0)}, r"column bad: all 3,600 rows have the same outcome \(good\)"),
        ({"w": pl.lit(0.0)}, "column w: weights do not add up to anything above zero"),
        ({"day": pl.lit(date(2024, 2, 2))}, "the validation span has 0 examples"),
    ],
)
def test_a_useless_table_is_refused(cluster: Cluster, tmp_path: Path, change: dict[str, Any], says: str) -> None:
    """A missing column, one outcome, no weight and an empty span are named as one machine names them."""
    gone = [name for name, value in change.items() if value is None]
    table = frame().with_columns(**{name: value for name, value in change.items() if value is not None}).drop(gone)
    with pytest.raises(ValueError, match=says):
        fit_on(cluster, asked(write(tmp_path, table)))


def test_a_table_that_workers_cannot_read_is_named(cluster: Cluster, tmp_path: Path, described: Path) -> None:
    """No table, another format and a damaged file are one line with what to do."""
    told = read_description(described)
    (tmp_path / "table.csv").write_text("a,b\n")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing PAR1")
    for name, says in (
        ("none.parquet", "finds no table at .*: every worker must see it at the same path"),
        ("table.csv", "is not Parquet, which a cluster reads by parts"),
        ("bad.parquet", "cannot be read as a table"),
    ):
        with pytest.raises(ValueError, match=says):
            fit_on(cluster, Fit(told, tmp_path / name, SPLIT, 7))


def test_a_folder_of_files_is_a_table(cluster: Cluster, tmp_path: Path, usual: Made) -> None:
    """The same rows in two files of a folder, cut alike, give the same model."""
    folder = tmp_path / "table.parquet"
    folder.mkdir()
    for i, start in enumerate((0, ROWS // 2)):
        frame()[start : start + ROWS // 2].write_parquet(folder / f"{i}.parquet", row_group_size=GROUP)
    (tmp_path / "table.toml").write_text(DESCRIPTION.format(table="table.parquet"))
    assert fit_on(cluster, asked(tmp_path / "table.toml")).fitted.model_text == usual.fitted.model_text
    assert from_table(tmp_path / "table.toml").y.sum() == frame()["bad"].sum()

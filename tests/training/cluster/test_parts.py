"""Cutting and dealing a table, when to stop, and the line from sums: beside what one machine does."""

from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import pytest

from training.cluster.attempt import stopped
from training.cluster.line import Floats, calibrating_line
from training.cluster.parts import cut, dealt
from training.evaluation.errors import calibration_line
from training.fitting import PATIENCE


def test_parts_are_the_row_groups_and_long_ones_are_cut(tmp_path: Path) -> None:
    """Every row is in one part, in order; no part is longer than told or crosses a row group."""
    pl.DataFrame({"n": range(1_000)}).write_parquet(tmp_path / "t.parquet", row_group_size=300)
    parts = cut(tmp_path / "t.parquet", 250)
    assert [part.rows for part in parts] == [250, 50, 250, 50, 250, 50, 100]
    read = [part.scan().collect()["n"].to_list() for part in parts]
    assert [n for of in read for n in of] == list(range(1_000))
    assert [of[0] for of in read] == [part.first for part in parts]


def test_parts_are_dealt_evenly() -> None:
    """Each goes to the worker with the fewest rows, the first of equals."""
    assert dealt([5, 5, 5, 1, 1, 3], 2) == [0, 1, 0, 1, 1, 1]
    assert dealt([], 3) == []


@pytest.mark.parametrize("seed", range(6))
def test_trees_stop_as_lightgbm_stops(seed: int) -> None:
    """On losses that fall and turn, the kept trees are those that LightGBM's early stopping keeps."""
    chance = np.random.default_rng(seed)
    losses = ((np.arange(300) - 120) ** 2 / 20_000 + 0.05 * chance.random(300)).round(3).tolist()
    told = iter(losses)
    x = chance.normal(size=(100, 1))
    data = lightgbm.Dataset(x, x[:, 0] > 0)
    booster = lightgbm.train(
        {"objective": "binary", "metric": "None", "num_threads": 1, "verbose": -1}, data, num_boost_round=300,
        valid_sets=[data.create_valid(x, x[:, 0] > 0)], feval=lambda pd, of: ("loss", next(told), False),
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    assert stopped(losses) == booster.best_iteration
    assert stopped(losses[: booster.best_iteration + PATIENCE - 1]) is None


def test_the_line_from_sums_is_the_line_from_rows() -> None:
    """Split over three places, weighted, the Newton steps settle on the line of all rows together."""
    chance = np.random.default_rng(3)
    raw, weight = chance.normal(-2, 0.3, 3_000), chance.random(3_000) + 0.2
    y = (chance.random(3_000) < 1 / (1 + np.exp(-1.4 * raw - 0.6))).astype(float)
    places = [slice(0, 700), slice(700, 701), slice(701, 3_000)]

    def total(function: object, *arguments: float) -> Floats:
        assert callable(function)
        sums = [function(y[at], raw[at], weight[at], *arguments) for at in places]
        return np.asarray(np.sum(sums, axis=0), dtype=np.float64)

    assert calibrating_line(total) == pytest.approx(calibration_line(y, raw, weight), rel=1e-8)
    with pytest.raises(ValueError, match="all raw scores are the same"):
        calibrating_line(lambda f, *a: f(y, np.ones(3_000), weight, *a))

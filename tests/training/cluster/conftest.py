"""One cluster of two processes for all these tests, and a made-up table in twelve row groups."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from training.cluster import Cluster, Fit, Made, fit_on, joined
from training.data import read_description
from training.fitting import Recipe, Split

DESCRIPTION = """
table = "{table}"
target = "bad"
time = "day"
weight = "w"
description = "made for a test"
[columns]
a = {{ kind = "number", direction = 1 }}
b = {{ kind = "number" }}
c = {{ kind = "number" }}
kind = {{ kind = "category" }}
"""
ROWS, GROUP = 3_600, 300
SPLIT = Split(train_to=date(2024, 8, 31), validate_to=date(2024, 10, 31))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two processes on loopback; they end with the session."""
    with joined("local:2", timeout_seconds=120) as two:
        yield two


def frame(rows: int = ROWS, seed: int = 1) -> pl.DataFrame:
    """Three numbers, one of them with gaps, and a category, over a year; all but `c` tell."""
    r = np.random.default_rng(seed)
    x, kind, gone = np.round(r.normal(size=(rows, 3)), 1), r.integers(0, 4, rows), r.random(rows) < 0.1
    y = r.random(rows) < 1 / (1 + np.exp(1 - x[:, 0] - 0.5 * x[:, 1] - 0.8 * (kind == 2)))
    first = date(2024, 1, 1).toordinal()
    return pl.DataFrame({
        "a": x[:, 0], "b": [None if g else v for g, v in zip(gone.tolist(), x[:, 1].tolist(), strict=True)],
        "c": x[:, 2], "kind": [f"kind {k}" for k in kind], "w": r.random(rows) + 0.5, "bad": y.astype(int),
        "day": [date.fromordinal(first + day) for day in np.sort(r.integers(0, 366, rows)).tolist()],
    })  # fmt: skip


def write(folder: Path, rows: pl.DataFrame, group: int = GROUP, category: bool = True) -> Path:
    """A table in row groups and its description, whose path it is."""
    rows.write_parquet(folder / "table.parquet", row_group_size=group)
    text = DESCRIPTION.format(table="table.parquet")
    (folder / "table.toml").write_text(text if category else text.split("kind = { kind")[0])
    return folder / "table.toml"


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description of the usual table."""
    return write(tmp_path_factory.mktemp("table"), frame())


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description of its numbers alone: where a category may split, LightGBM's two learners look differently."""
    return write(tmp_path_factory.mktemp("numbers"), frame(), category=False)


@pytest.fixture
def where(cluster: Cluster) -> str:
    """The cluster's address, as an option names it."""
    return str(cluster.client.scheduler_info()["address"])


def asked(described: Path, *, sample_rows: int = 200_000, **changed: Any) -> Fit:
    """A fit of a described table."""
    told = read_description(described)
    recipe = Recipe(changed=changed, resamples=20)
    return Fit(told, (described.parent / told.table).resolve(), SPLIT, 7, recipe, sample_rows)


@pytest.fixture(scope="session")
def usual(cluster: Cluster, described: Path) -> Made:
    """The usual table fitted as it comes."""
    return fit_on(cluster, asked(described))

"""A small table with its drafts, fitted once: a model, a champion without one of its inputs, and names that bite."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.policy import PolicyBook
from training.data import Dataset
from training.evaluation.segments import Segments
from training.fitting import Recipe, Split, fit
from training.publishing import write_draft
from training.report import Asked, Examples, Report, gather, read_subject

HOUSE = Path(__file__).parents[3] / "training"
SPLIT = Split(train_to=date(2024, 7, 31), validate_to=date(2024, 9, 15), embargo_days=5)
HOSTILE = "</td><script>alert(1)</script> & $x^2$ \"'"
QUICK = {"num_threads": 1, "min_data_in_leaf": 20}


def policy() -> PolicyBook:
    """The draft policy."""
    return PolicyBook.parse((HOUSE / "policy.toml").read_text())


def examples(rows: int = 2_400, seed: int = 1, base: float = 2.0) -> Dataset:
    """Three numbers and a category over a year; the outcome follows the first and the category."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 4))
    x[:, 3] = generator.integers(0, 4, rows)
    x[generator.random(rows) < 0.1, 1] = np.nan
    pull = 1.2 * x[:, 0] - 1.2 * np.nan_to_num(x[:, 1]) + 0.8 * (x[:, 3] == 2)
    y = (generator.random(rows) < 1 / (1 + np.exp(base - pull))).astype(float)
    time = np.datetime64("2024-01-01") + np.sort(generator.integers(0, 366, rows))
    weight = generator.random(rows) + 0.5
    return Dataset(
        ("debts", "sales", "noise", "trade"), x, y, weight, time, (1, -1, 0, 0), (3,), f"made for a test {HOSTILE}",
        "5" * 64,
    )  # fmt: skip


def draft(folder: Path, data: Dataset, segments: Segments | None = None, seed: int = 7, **changed: object) -> Path:
    """A draft of these examples, in the place named."""
    recipe = Recipe(changed={**QUICK, **changed}, resamples=20, segments=segments)
    write_draft(folder, fit(data, SPLIT, seed, recipe=recipe), data, SPLIT)
    return folder


def labels(data: Dataset) -> Segments:
    """A region that is a name that bites for some, and a numbered band."""
    place = np.where(data.x[:, 3] == 2, HOSTILE, np.where(data.x[:, 3] == 1, "north", "south"))
    size = np.where(data.x[:, 2] > 0, "2: large", "1: small")
    return {"region": place, "size": size}


def without(data: Dataset, name: str) -> Dataset:
    """The same examples without one of their columns."""
    kept = [i for i, each in enumerate(data.names) if each != name]
    return replace(
        data, names=tuple(data.names[i] for i in kept), x=data.x[:, kept],
        directions=tuple(data.directions[i] for i in kept),
        categorical=tuple(new for new, old in enumerate(kept) if old in data.categorical),
    )  # fmt: skip


def asked() -> Asked:
    """Prices of the draft policy, few resamples."""
    return Asked(policy=policy(), resamples=20, options="this")


@dataclass(frozen=True, slots=True)
class Desk:
    """The folders, the examples and the report on the model beside the champion."""

    model: Path
    champion: Path
    data: Dataset
    report: Report


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Model and champion fitted once, and the report made of them."""
    place, data = tmp_path_factory.mktemp("desk"), examples()
    model = draft(place / "new <b>model", data, labels(data))
    champion = draft(place / "old", without(data, "sales"), seed=3, num_leaves=3)
    shown = Examples(data, labels(data), {f"left out {HOSTILE}": 5}, {"bad": f"late {HOSTILE}"}, "--table t.parquet")
    report = gather(read_subject(model), read_subject(champion), shown, asked())
    return Desk(model, champion, data, report)

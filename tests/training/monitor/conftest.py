"""A small simulated market, decided once, and a way to draw from it as if time went on. Synthetic."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

import models
from engine.release import Baselines, Release
from models.watching import Watch
from tests.support.monitoring import Decided, decided, lines, spread, write
from training.data import Dataset
from training.evaluation import Prices
from training.monitor import Plan, Rows, baselines, from_decisions, watch
from training.simulate import write_market

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = np.datetime64("2025-01-01")


@pytest.fixture(scope="session")
def shipped() -> Release:
    """The release that comes with the project."""
    return models.champion()


@pytest.fixture(scope="session")
def businesses(shipped: Release, tmp_path_factory: pytest.TempPathFactory) -> list[Decided]:
    """600 simulated businesses under the shipped release."""
    market = tmp_path_factory.mktemp("market") / "market.sqlite"
    write_market(market, count=600, seed=19, jobs=2)
    return decided(market, shipped)


@pytest.fixture(scope="session")
def pool(businesses: list[Decided], shipped: Release, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The same businesses as they are watched, each once."""
    export = write(
        tmp_path_factory.mktemp("export") / "export.jsonl", lines(spread(businesses, date(2025, 1, 1), 60), shipped)
    )
    return from_decisions(export, shipped)


@pytest.fixture(scope="session")
def trained(pool: Rows, shipped: Release) -> Baselines:
    """What training would have looked like, had it been ten times these businesses."""
    rows = len(pool.time)
    data = Dataset(
        pool.names, pool.x, np.zeros(rows), np.ones(rows), pool.time, (0,) * len(pool.names), (), "market", "0" * 64
    )
    made = baselines(data, pool.pd, Prices.of(shipped.policy.on(date(2026, 1, 1))))
    return made.model_copy(update={"rows": 10 * rows})


def drawn(pool: Rows, seed: int, per_day: int, days: int, moved_from: int | None = None) -> Rows:
    """Businesses drawn anew, so many a day; from a day on every second one comes from the riskiest third."""
    generator = np.random.default_rng(seed)
    day = np.arange(per_day * days) // per_day
    picked = generator.integers(0, len(pool.time), len(day))
    if moved_from is not None:
        risky = np.argsort(-pool.pd)[: len(pool.time) // 3]
        late = (day >= moved_from) & (generator.random(len(day)) < 0.5)
        picked[late] = risky[generator.integers(0, len(risky), late.sum())]
    return replace(pool.where(picked), time=DAY + day)


def watched(rows: Rows, told: Baselines | None, by: str = "month") -> Watch:
    """The record of rows."""
    return watch(rows, told, Plan("a-release", NOW, by))


def exported(folder: Path, businesses: list[Decided], release: Release, days: int = 120) -> Path:
    """An export of the same businesses over so many days."""
    return write(folder / "export.jsonl", lines(spread(businesses, date(2025, 1, 1), days), release))

"""A small synthetic market, the shipped release as champion of a root of its own, and its recorded decisions."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from training.backtest import Wanted
from training.backtest.keeping import write_decided, write_replay_set
from training.backtest.records import Export, Record
from training.simulate import write_market

POLICY = Path(__file__).parents[3] / "training" / "policy.toml"
SHIPPED = "synthetic-2026-11"
Changed = Callable[..., Path]


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred made-up businesses."""
    path = tmp_path_factory.mktemp("market") / "market.sqlite"
    write_market(path, count=200, seed=5, jobs=1)
    return path


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root where the shipped release serves; nothing is written there."""
    root = tmp_path_factory.mktemp("releases")
    shutil.copytree(models.ROOT / SHIPPED, root / SHIPPED)
    models.promote(SHIPPED, root)
    return root


@pytest.fixture
def root(shipped: Path, tmp_path: Path) -> Path:
    """The same, to publish into."""
    return Path(shutil.copytree(shipped, tmp_path / "releases"))


@pytest.fixture(scope="session")
def export(market: Path, shipped: Path) -> Path:
    """What the shipped release decided of the market, as the service exports it."""
    path = market.with_name("decisions.jsonl")
    write_decided(market, Wanted(shipped), path, jobs=1)
    return path


@pytest.fixture(scope="session")
def replay_set(export: Path) -> Path:
    """A fixed set of these."""
    path = export.with_name("set.jsonl")
    write_replay_set(export, path, 60, jobs=1)
    return path


@pytest.fixture(scope="session")
def records(export: Path) -> list[Record]:
    """The decisions, read."""
    source = Export(export)
    return [record for part in source.parts() for record in source.read(part, b"\1" * len(source.index(part)))]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """The draft policy with texts replaced, in a file."""

    def policy(*replaced: tuple[str, str]) -> Path:
        text = POLICY.read_text()
        for old, new in replaced:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "changed.toml"
        path.write_text(text)
        return path

    return policy

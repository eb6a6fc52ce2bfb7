"""`creditline-train` on a cluster: a draft that evaluates and publishes, a market decided, a back-test."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import models
from engine.features import FEATURES
from engine.scoring import parse_model
from training.backtest import Export, Market, Plan, Work, decide_market, indexed, run
from training.backtest import Wanted as Tried
from training.backtest.keeping import write_decided
from training.cli import main
from training.cluster import Cluster, ClusterFault, decide_market_on, run_on
from training.cluster.deciding import counted, decided
from training.simulate import write_market

POLICY = Path(__file__).parents[3] / "training/policy.toml"


def engine_table(folder: Path, rows: int = 900) -> Path:
    """The engine's own features by chance, within their ranges; the outcome follows four of them."""
    r = np.random.default_rng(5)
    unit = r.random((rows, len(FEATURES)))
    pull = sum(f.direction * (unit[:, i] - 0.5) for i, f in enumerate(FEATURES) if f.direction and i % 12 == 0)
    y = r.random(rows) < 1 / (1 + np.exp(1 - 4 * np.asarray(pull)))
    first = date(2024, 1, 1).toordinal()
    pl.DataFrame({
        **{f.name: f.low + unit[:, i] * (min(f.high, f.low + 1_000) - f.low) for i, f in enumerate(FEATURES)},
        "bad": y.astype(int),
        "day": [date.fromordinal(first + day) for day in np.sort(r.integers(0, 366, rows)).tolist()],
    }).write_parquet(folder / "engine.parquet", row_group_size=150)  # fmt: skip
    columns = [f'{f.name} = {{ kind = "number", direction = {f.direction} }}' for f in FEATURES]
    (folder / "engine.toml").write_text(
        "\n".join(['table = "engine.parquet"', 'target = "bad"', 'time = "day"', "[columns]", *columns])
    )
    return folder / "engine.toml"


def test_a_cluster_s_draft_is_evaluated_and_published(where: str, tmp_path: Path) -> None:
    """fit on a running cluster by its address, evaluate, publish and load: as after a fit on one machine."""
    table = str(engine_table(tmp_path))
    draft, root = str(tmp_path / "draft"), str(tmp_path / "releases")
    run = CliRunner().invoke
    told = run(main, ["fit", "--cluster", where, "--described-by", table, "--train-to", "2024-08-31", "--validate-to",
        "2024-10-31", "--out", draft])  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "(fitted by 2 workers)" in told.output
    parse_model((tmp_path / "draft/model.txt").read_text())
    assert sorted(file.name for file in (tmp_path / "draft").iterdir()) == [
        "audit.json", "draft.json", "golden.jsonl", "judgement.json", "model.txt",
    ]  # fmt: skip
    told = run(main, ["evaluate", draft, "--described-by", table, "--from", "2024-11-01"])
    assert told.exit_code == 0, told.output
    told = run(main, ["publish", draft, "--policy", str(POLICY), "--name", "from-a-cluster", "--root", root])
    assert told.exit_code == 0, told.output
    assert models.load("from-a-cluster", tmp_path / "releases").name == "from-a-cluster"
    again = run(main, ["fit", "--cluster", where, "--described-by", table, "--train-to", "2024-08-31",
        "--validate-to", "2024-10-31", "--out", draft])  # fmt: skip
    assert "is not empty; --force replaces it" in again.output


def test_a_market_is_decided_on_a_cluster(cluster: Cluster, where: str, tmp_path: Path) -> None:
    """Every count, limit and rule is that of one machine; a worker with another release refuses."""
    market = tmp_path / "market.sqlite"
    write_market(market, count=60, seed=3)
    there = decide_market_on(cluster, market, None, models.ROOT)
    assert there == decide_market(market, None, models.ROOT, jobs=1)
    assert there.businesses == 60
    name = models.champion(models.ROOT).name
    with pytest.raises(ClusterFault, match="another release under the name"):
        list(cluster.each(decided, [((0, 60), Market(market), name, "0" * 64, models.ROOT)]))
    told = CliRunner().invoke(main, ["outcomes", "--market", str(market), "--cluster", where])
    assert told.exit_code == 0, told.output
    assert "60 businesses" in told.output


def test_recorded_decisions_are_decided_again_on_a_cluster(cluster: Cluster, where: str, tmp_path: Path) -> None:
    """Counts, causes, money and examples are those of one machine; a worker with another policy refuses."""
    market, export = tmp_path / "market.sqlite", tmp_path / "decisions.jsonl"
    write_market(market, count=60, seed=3)
    write_decided(market, Tried(models.ROOT), export, jobs=1)
    stricter = tmp_path / "stricter.toml"
    stricter.write_text(POLICY.read_text().replace("least_trading_months = 6", "least_trading_months = 36"))
    assert stricter.read_text() != POLICY.read_text()
    work = Work(Plan(Export(export), Tried(models.ROOT, policy=stricter)))
    span = indexed(work.plan)
    there = run_on(cluster, work, span)
    assert there == run(work, span, jobs=1)
    assert 0 < there.changed < there.decisions == 60
    with pytest.raises(ClusterFault, match="another engine, policy or model"):
        list(cluster.each(counted, [(span.parts[0], span.marks[0], work.plan, "0" * 64)]))
    told = CliRunner().invoke(
        main, ["backtest", "--export", str(export), "--policy", str(stricter), "--cluster", where]
    )
    assert told.exit_code == 0, told.output
    export.rename(tmp_path / "moved.jsonl")
    with pytest.raises(ClusterFault, match="finds no file"):
        run_on(cluster, work, span)

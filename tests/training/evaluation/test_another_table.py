"""A draft is judged on a table it was not fitted on, which gives its categories other codes."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from click.testing import CliRunner

from training.cli import main

TRADES = np.array(["baker", "cafe", "dentist", "electrician"])  # the first and the third go bad
DESCRIPTION = """
table = "all.parquet"
target = "bad"
time = "day"
[columns]
trade = { kind = "category" }
amount = { kind = "number" }
"""


def _tables(folder: Path) -> Path:
    """Two years of examples by trade, and the second year alone without the bakers and with a trade that is new."""
    r = np.random.default_rng(3)
    rows = 2_000
    trade = TRADES[r.integers(0, 4, rows)]
    bad = r.random(rows) < np.where(np.isin(trade, TRADES[[0, 2]]), 0.6, 0.1)
    day = [date(2023, 1, 1) + timedelta(days=int(each)) for each in np.sort(r.integers(0, 730, rows))]
    frame = pl.DataFrame({"trade": trade, "amount": r.random(rows), "bad": bad.astype(int), "day": day})
    frame.write_parquet(folder / "all.parquet")
    late = frame.filter((pl.col("day") >= date(2024, 7, 1)) & (pl.col("trade") != "baker"))
    late.write_parquet(folder / "late.parquet")
    late.with_columns(pl.col("trade").replace("cafe", "aquarium")).write_parquet(folder / "new.parquet")
    (folder / "tables.toml").write_text(DESCRIPTION)
    return folder / "tables.toml"


def _judged(described: Path, draft: Path, table: str, record: Path) -> float:
    command = ["evaluate", str(draft), "--described-by", str(described), "--table", str(described.parent / table),
               "--json", str(record)]  # fmt: skip
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 0, told.output
    return float(json.loads(record.read_text())["figures"]["auc"])


def test_categories_mean_the_same_in_every_table(tmp_path: Path) -> None:
    """Without the bakers dentists have another code, and are as bad as before; a trade that is new costs no more."""
    described, draft = _tables(tmp_path), tmp_path / "draft"
    told = CliRunner().invoke(main, ["fit", "--described-by", str(described), "--train-to", "2023-12-31",
        "--validate-to", "2024-06-30", "--threads", "1", "--out", str(draft)])  # fmt: skip
    assert told.exit_code == 0, told.output
    assert json.loads((draft / "draft.json").read_text())["categories"] == {"trade": TRADES.tolist()}
    assert _judged(described, draft, "late.parquet", tmp_path / "late.json") > 0.7
    assert _judged(described, draft, "new.parquet", tmp_path / "new.json") > 0.7

"""The audit on made-up tables: a planted leak is found by the trace it leaves, and honest columns are left alone."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.tables import HONEST, PLANTED, table
from training.audit import Report, audit
from training.data import TableFaults

KINDS = {
    "status text": "one_outcome",
    "a code for a third of the bads": "one_outcome",
    "a date that only bads have": "after_decision",
    "an amount that is nothing for goods": "one_outcome",
    "a term rewritten for bads": "one_outcome",
    "equal to another column for goods only": "relation",
    "a ratio to another column": "relation",
    "a date after the decision": "after_decision",
    "a score taken again afterwards": "outranks",
    "cleared for bads": "outranks",
    "a copy rewritten later": "rewritten_copy",
    "filled in later for the living": "filled_in_later",
}


def looked_at(folder: Path, frame: pl.DataFrame, time: str | None = "day") -> Report:
    """The audit of a frame."""
    frame.write_parquet(folder / "table.parquet")
    return audit(folder / "table.parquet", "bad", time)


def kinds(report: Report, column: str) -> set[str]:
    """What was found about a column."""
    return {finding.kind for finding in report.findings if finding.column == column}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_leak_is_found_by_its_trace(tmp_path: Path, planted: str) -> None:
    """The column, and no honest one, is barred, for the reason it was planted for."""
    frame, (leak,) = table(0, (planted,))
    report = looked_at(tmp_path, frame)
    assert list(report.betraying) == [leak]
    assert KINDS[planted] in kinds(report, leak)


def test_all_leaks_at_once_hide_nothing_and_taint_nothing(tmp_path: Path) -> None:
    """Twelve leaks in one table are twelve barred columns; the seventeen honest ones stay clean."""
    frame, leaks = table(1, tuple(PLANTED))
    assert set(looked_at(tmp_path, frame).betraying) == set(leaks)


@pytest.mark.parametrize(
    ("rows", "level", "pull_of"), [(6_000, 1.7, 0.8), (1_500, 1.7, 0.8), (6_000, 4.0, 0.8), (6_000, 2.3, 1.3)]
)
def test_honest_columns_are_left_alone(tmp_path: Path, rows: int, level: float, pull_of: float) -> None:
    """Ordinary, small, with few bads, or with columns that rank well: nothing is barred."""
    report = looked_at(tmp_path, table(7, (), rows, level, pull_of)[0])
    assert report.betraying == {}
    assert len(report.columns) == len(HONEST)


def test_without_a_time_column_a_fixed_shuffle_splits(tmp_path: Path) -> None:
    """Leaks that need no time are found all the same, and twice the same."""
    frame, (leak,) = table(2, ("status text",))
    frame = frame.drop("day", "opened")
    report = looked_at(tmp_path, frame, time=None)
    assert list(report.betraying) == [leak]
    assert report.newer.start == ""
    assert looked_at(tmp_path, frame, time=None) == report


def test_a_rate_that_moves_over_time_betrays_nothing(tmp_path: Path) -> None:
    """A column that only tells the year is clean though early years went bad nine times in ten."""
    generator = np.random.default_rng(5)
    day = np.sort(generator.integers(0, 4_000, 8_000))
    frame = pl.DataFrame(
        {
            "bad": (generator.random(8_000) < np.where(day < 800, 0.9, 0.1)).astype(int),
            "day": day + np.datetime64("2010-01-01"), "year": day // 365, "x": generator.normal(size=8_000),
        }
    )  # fmt: skip
    assert looked_at(tmp_path, frame).betraying == {}


def test_quality_is_noted_and_bars_nothing(tmp_path: Path) -> None:
    """An identifier, a constant, a mostly missing and a drifted column, and rows that return: notes with numbers."""
    generator, rows = np.random.default_rng(6), 4_000
    new = np.arange(rows) >= 2_700
    frame = pl.DataFrame(
        {
            "bad": generator.integers(0, 2, rows), "day": np.arange(rows) // 2 + np.datetime64("2015-01-01"),
            "id": generator.permutation(rows), "one": np.ones(rows),
            "gap": np.where(generator.random(rows) < 0.95, np.nan, generator.normal(size=rows)),
            "moved": generator.normal(size=rows) + 2 * new,
        },
        nan_to_null=True,
    )  # fmt: skip
    again = frame.head(40).with_columns(day=pl.lit(date(2020, 6, 1)))
    report = looked_at(tmp_path, pl.concat([frame, again]).with_columns(id=pl.int_range(pl.len())))
    assert report.betraying == {}
    found = {(finding.column, finding.kind) for finding in report.findings}
    assert {("id", "identifier"), ("one", "constant"), ("gap", "missing"), ("moved", "drifted")} <= found
    [returned] = [finding for finding in report.findings if finding.kind == "duplicates"]
    assert returned.evidence["rows"] == 40
    assert all(finding.sentence and finding.evidence for finding in report.findings)


def test_a_weight_that_tells_the_outcome_is_noted(tmp_path: Path) -> None:
    """A sample balanced by outcome has such a weight."""
    frame, _ = table(3)
    frame.with_columns(w=1.0 + 4 * (1 - pl.col("bad"))).write_parquet(tmp_path / "t.parquet")
    report = audit(tmp_path / "t.parquet", "bad", "day", "w")
    assert [finding.other for finding in report.findings if finding.kind == "weight"] == ["w"]


def test_an_unusable_table_is_refused(tmp_path: Path) -> None:
    """No such column, a target of three values, one outcome in the newer span."""
    frame, _ = table(4, rows=1_500)
    path = tmp_path / "t.parquet"
    frame.write_parquet(path)
    with pytest.raises(TableFaults, match="column outcome: is missing"):
        audit(path, "outcome", "day")
    with pytest.raises(TableFaults, match=r"column term_asked: rows .* is neither 0 nor 1"):
        audit(path, "term_asked", "day")
    frame.with_columns(bad=pl.when(pl.int_range(pl.len()) > 800).then(0).otherwise(pl.col("bad"))).write_parquet(path)
    with pytest.raises(TableFaults, match="newer span holds one outcome only"):
        audit(path, "bad", "day")

"""Any table by its description: what is read, and every fault by row and column at once."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from training.data import TableFaults, from_table

DESCRIPTION = """
table = "loans.csv"
target = "bad"
time = "day"
weight = "weight"
[columns]
amount = { kind = "number", direction = 1, least = 0, most = 1000 }
trade = { kind = "category", first = 2 }
late = { kind = "flag" }
"""
TODAY = date(2026, 1, 1)
ROWS = 40


def written(folder: Path, description: str = DESCRIPTION, **changed: Any) -> Path:
    """A small table as CSV, and its description; `changed` replaces columns."""
    columns: dict[str, object] = {
        "bad": [0, 1] * (ROWS // 2),
        "day": [f"2024-01-{day:02d}" for day in range(31, 1, -1)] + ["2024-03-01"] * 10,
        "weight": [1.0] * ROWS,
        "amount": [float(i) for i in range(ROWS)],
        "trade": ["retail", "wholesale", None, "retailer"] * (ROWS // 4),
        "late": [0, 1, None, 1] * (ROWS // 4),
    }
    columns |= changed
    pl.DataFrame(columns, strict=False).write_csv(folder / "loans.csv")
    (folder / "loans.toml").write_text(description)
    return folder / "loans.toml"


def faults(description: Path) -> list[str]:
    """What reading finds wrong, a line each."""
    with pytest.raises(TableFaults) as raised:
        from_table(description, today=TODAY)
    return [str(fault) for fault in raised.value.faults]


def test_a_table_is_read_by_its_description(tmp_path: Path) -> None:
    """Rows come in order of time, categories as codes of their first characters, missing as NaN."""
    data = from_table(written(tmp_path), today=TODAY)
    assert data.names == ("amount", "trade", "late")
    assert data.directions == (1, 0, 0)
    assert data.categorical == (1,)
    assert (data.time[1:] >= data.time[:-1]).all()
    assert data.x[0, 0] == 29.0
    assert sorted({v for v in data.x[:, 1].tolist() if v == v}) == [0.0, 1.0]  # noqa: PLR0124 - skips NaN
    assert np.isnan(data.x[:, 2]).sum() == 10


def test_parquet_and_csv_give_the_same_examples(tmp_path: Path) -> None:
    """The same table in either form is the same matrix, times and weights."""
    described = written(tmp_path)
    frame = pl.read_csv(tmp_path / "loans.csv", try_parse_dates=True)
    frame.write_parquet(tmp_path / "loans.parquet")
    one, other = from_table(described, today=TODAY), from_table(described, tmp_path / "loans.parquet", today=TODAY)
    assert np.array_equal(one.x, other.x, equal_nan=True)
    assert (one.time == other.time).all()
    assert (one.y == other.y).all()


def test_the_target_may_be_told_in_words(tmp_path: Path) -> None:
    """`bad` names the value that means bad."""
    described = written(tmp_path, DESCRIPTION.replace("time =", 'bad = "lost"\ntime ='), bad=["paid", "lost"] * 20)
    assert from_table(described, today=TODAY).bads == 20


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"bad": [0, 1, 2, 1] * 10}, "column bad: rows 2, 6, 10, 14, 18 and 5 more is neither 0 nor 1"),
        ({"bad": [0] * ROWS}, "column bad: all 40 rows have the same outcome (good): nothing can be learnt"),
        ({"amount": ["1"] * 39 + ["much"]}, "column amount: row 39 is not a number"),
        ({"amount": [1.0] * 39 + [float("inf")]}, "column amount: row 39 holds an infinite value"),
        ({"amount": [1.0] * 39 + [-1.0]}, "column amount: row 39 is below 0"),
        ({"amount": [1.0] * 39 + [1001.0]}, "column amount: row 39 is above 1000"),
        ({"late": [0] * 39 + [7]}, "column late: row 39 holds more than a flag's 0 and 1"),
        ({"day": ["2024-01-05"] * 39 + ["soon"]}, "column day: row 39 is not a date"),
        ({"day": ["2024-01-05"] * 39 + ["2031-01-05"]}, "column day: row 39 lies in the future, after 2026-01-01"),
        ({"weight": [1.0] * 39 + [-2.0]}, "column weight: row 39 is a negative weight"),
        ({"weight": [1.0] * 39 + [float("nan")]}, "column weight: row 39 is not a number"),
        ({"weight": [0.0] * ROWS}, "column weight: weights do not add up to anything above zero"),
    ],
)
def test_a_fault_is_told_by_row_and_column(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    """Each kind of bad input names its column and rows, and not the value."""
    assert told in faults(written(tmp_path, **changed))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Five things wrong are five lines of one error."""
    changed: dict[str, Any] = {
        "bad": [0, 1, 5, 1] * 10, "day": ["x"] * ROWS, "weight": [-1.0] * ROWS, "amount": ["a"] * ROWS,
        "late": [3] * ROWS,
    }  # fmt: skip
    told = faults(written(tmp_path, **changed))
    assert {line.split(":")[0] for line in told} == {
        "column bad", "column day", "column weight", "column amount", "column late"
    }  # fmt: skip


def test_missing_columns_are_told_together(tmp_path: Path) -> None:
    """Every column that the table lacks is named, with what it has."""
    told = faults(written(tmp_path, DESCRIPTION.replace("amount =", "sum_asked =").replace('"day"', '"decided"')))
    assert [line.split(":")[0] for line in told] == ["column decided", "column sum_asked"]
    assert "the table has bad, day" in told[0]


def test_what_was_known_later_is_no_input(tmp_path: Path) -> None:
    """A column described as known later is refused, and so is a row whose value was dated after the decision."""
    later = DESCRIPTION.replace('late = { kind = "flag" }', 'late = { kind = "flag", known = "later" }')
    assert faults(written(tmp_path, later)) == [
        "column late: is described as known only after the decision: it cannot be an input"
    ]
    dated = DESCRIPTION.replace('late = { kind = "flag" }', 'late = { kind = "flag", known_on = "seen" }')
    seen = ["2024-01-01"] * 39 + ["2024-12-31"]
    assert faults(written(tmp_path, dated, seen=seen)) == ["column late: row 39 was known only after the decision"]


def test_a_list_of_values_and_required_values_hold(tmp_path: Path) -> None:
    """A value beyond the list, and a gap where none may be, are named."""
    strict = DESCRIPTION.replace("first = 2 }", 'values = ["retail", "wholesale"], required = true }')
    told = faults(written(tmp_path, strict))
    assert any(line.startswith("column trade: rows 3, 7") and "not in its list" in line for line in told)
    assert any("is required and missing" in line for line in told)


def test_a_broken_description_or_table_is_named(tmp_path: Path) -> None:
    """A description with an unknown word, a table that is not there, and one that is no table."""
    described = written(tmp_path, DESCRIPTION.replace("direction = 1", "directions = 1"))
    with pytest.raises(ValueError, match=r"columns\.amount\.directions"):
        from_table(described)
    described = written(tmp_path)
    with pytest.raises(ValueError, match="there is no table at"):
        from_table(described, tmp_path / "elsewhere.csv")
    (tmp_path / "noise.parquet").write_bytes(b"this is not parquet")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        from_table(described, tmp_path / "noise.parquet")

"""Decisions as they were exported, joined with what became of them."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.application import Application
from engine.facts import Facts
from engine.features import FEATURE_NAMES, feature_row
from tests.support.businesses import business
from training.cli import main
from training.data import TableFaults, from_export
from training.data.performance import Definitions, read_definitions, statuses

DEFINITIONS = """
window_months = 12
bad_from_days = 90
indeterminate_from_days = 30
cut_off = 2026-06-30
"""
BY = Definitions(window_months=12, bad_from_days=90, indeterminate_from_days=30, cut_off=date(2026, 6, 30))


def performance(folder: Path, rows: list[tuple[str, str, object]]) -> Path:
    """A table of (application, day, days past due)."""
    path = folder / "performance.csv"
    lines = ["application_id,on,days_past_due", *(f"{key},{on},{past}" for key, on, past in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def became(folder: Path, decided: str, *rows: tuple[str, object], by: Definitions = BY) -> str | None:
    """What became of one application."""
    table = performance(folder, [("a", on, past) for on, past in rows])
    return statuses({"a": date.fromisoformat(decided)}, table, by).get("a")


def test_ninety_days_within_the_window_is_bad(tmp_path: Path) -> None:
    """The worst of the window counts, up to its last day and not a day later."""
    assert became(tmp_path, "2025-01-10", ("2025-06-30", 0), ("2026-01-10", 90)) == "bad"
    assert became(tmp_path, "2025-01-10", ("2025-06-30", 0), ("2026-01-11", 90)) == "good"
    assert became(tmp_path, "2025-01-10", ("2025-06-30", 30), ("2025-09-30", 0)) == "indeterminate"
    assert became(tmp_path, "2025-01-10", ("2025-06-30", 29)) == "good"


def test_an_open_window_is_too_young_even_for_a_bad(tmp_path: Path) -> None:
    """Counting early bads of open windows would make the youngest decisions bad ones only."""
    assert became(tmp_path, "2025-07-01", ("2026-01-01", 120)) == "too young"
    assert became(tmp_path, "2025-06-30", ("2026-01-01", 120)) == "bad"


def test_no_performance_in_the_window_is_no_outcome(tmp_path: Path) -> None:
    """A line never drawn, or seen before the decision only, is neither good nor bad."""
    assert became(tmp_path, "2025-01-10", ("2025-01-09", 200)) is None


def test_a_bad_performance_table_is_refused_by_row(tmp_path: Path) -> None:
    """A day past the cut-off, days past due that are no number or negative: all told at once."""
    table = performance(tmp_path, [("a", "2026-07-01", 0), ("a", "2025-02-01", "many"), ("a", "2025-03-01", -1)])
    with pytest.raises(TableFaults) as raised:
        statuses({"a": date(2025, 1, 1)}, table, BY)
    assert [str(fault) for fault in raised.value.faults] == [
        "column on: row 0 lies after the cut-off 2026-06-30",
        "column days_past_due: row 1 is not a number",
        "column days_past_due: row 2 is negative",
    ]


def exported(folder: Path, count: int = 6) -> tuple[Path, Application, Facts]:
    """An export of decisions on one made-up business under several ids; the last is erased."""
    application, facts = business()
    path = folder / "export.jsonl"
    with path.open("w") as file:
        for i in range(count):
            record = {
                "decision_id": f"d{i}", "application_id": f"a{i}", "decided_at": f"2025-0{i + 1}-05T03:00:00+00:00",
                "application": application.model_dump(mode="json"), "facts": facts.model_dump(mode="json"),
            }  # fmt: skip
            file.write(json.dumps(record | ({"application": None, "facts": None} if i == count - 1 else {})) + "\n")
        again = {"decision_id": "d0b", "application_id": "a0", "decided_at": "2025-01-06T03:00:00+00:00"}
        file.write(json.dumps(record | again) + "\n")
    return path, application, facts


def test_an_export_gives_the_features_as_known_then(tmp_path: Path) -> None:
    """Good and bad decisions are examples with the very row the engine derives; the rest is counted."""
    export, application, facts = exported(tmp_path)
    table = performance(
        tmp_path,
        [("a0", "2025-06-01", 95), ("a1", "2025-06-01", 0), ("a2", "2025-06-01", 45), ("a4", "2025-06-01", 0)],
    )
    (tmp_path / "definitions.toml").write_text(DEFINITIONS)
    joined = from_export(export, table, tmp_path / "definitions.toml", jobs=1)
    data = joined.data
    assert data.names == FEATURE_NAMES
    assert data.y.tolist() == [1.0, 0.0, 0.0]
    assert np.array_equal(data.x[0], feature_row(application, facts), equal_nan=True)
    assert data.time.astype(str).tolist() == ["2025-01-06", "2025-02-05", "2025-05-05"]
    assert joined.counts == {
        "bad": 1, "good": 2, "indeterminate": 1, "erased": 1, "followed by another decision": 1,
        "without performance": 1,
    }  # fmt: skip


def test_a_line_that_is_no_decision_is_named(tmp_path: Path) -> None:
    """The number of the line is in the error."""
    export, _, _ = exported(tmp_path)
    with export.open("a") as file:
        file.write('{"something": "else"}\n')
    (tmp_path / "definitions.toml").write_text(DEFINITIONS)
    with pytest.raises(ValueError, match="line 8 is not an exported decision"):
        from_export(export, performance(tmp_path, [("a0", "2025-06-01", 0)]), tmp_path / "definitions.toml", jobs=1)


def test_definitions_are_checked(tmp_path: Path) -> None:
    """Indeterminate above bad, and an unknown word, are refused."""
    (tmp_path / "definitions.toml").write_text(DEFINITIONS.replace("= 30", "= 120"))
    with pytest.raises(ValueError, match="may not be above"):
        from_export(tmp_path / "x", tmp_path / "y", tmp_path / "definitions.toml")
    (tmp_path / "definitions.toml").write_text(DEFINITIONS + "windows = 3\n")
    with pytest.raises(ValueError, match="windows"):
        from_export(tmp_path / "x", tmp_path / "y", tmp_path / "definitions.toml")


def test_the_shipped_definitions_are_readable() -> None:
    """The example beside the tables' descriptions parses, and says what the documentation says."""
    by = read_definitions(Path(__file__).parents[3] / "training" / "tables" / "performance.toml")
    assert (by.window_months, by.bad_from_days, by.indeterminate_from_days) == (12, 90, 30)


def test_an_export_without_performance_is_refused_by_the_command(tmp_path: Path) -> None:
    """`evaluate --export` alone says which options it lacks; so do two sources at once."""
    export, _, _ = exported(tmp_path)
    alone = CliRunner().invoke(main, ["evaluate", str(tmp_path), "--export", str(export)])
    assert "--export needs --performance and --definitions" in alone.output
    both = CliRunner().invoke(main, ["evaluate", str(tmp_path), "--export", str(export), "--market", str(export)])
    assert "give --market, --described-by, or --export" in both.output

"""What is watched: decisions as exported, later ones as what people made of them, tables coded as in training."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.release import Baselines, Release
from tests.support.monitoring import Decided, lines, spread, write
from tests.training.monitor.conftest import drawn, exported, watched
from training.data import Column, Dataset, TableDescription, TableFaults, from_table
from training.data.performance import Definitions
from training.evaluation import psi
from training.fitting.stored import Stored
from training.monitor import Rows, baselines, from_decisions, from_watched_table
from training.monitor.rows import weeks_or_months

BY = Definitions(window_months=6, bad_from_days=90, indeterminate_from_days=30, cut_off=date(2025, 9, 30))


def test_an_export_is_read_as_it_was_decided(businesses: list[Decided], shipped: Release, tmp_path: Path) -> None:
    """Features, outcome and limit are the record's, and the PD is the one that was decided by."""
    rows = from_decisions(exported(tmp_path, businesses[:80], shipped), shipped)
    assert rows.outcome is not None
    assert rows.limit is not None
    for i, each in enumerate(businesses[:80]):
        told = each.decision
        recorded = [np.nan if value is None else value for value in told["features"].values()]
        assert np.array_equal(rows.x[i], recorded, equal_nan=True)
        assert rows.outcome[i] == told["outcome"]
        assert told["offer"] is None or rows.limit[i] == told["offer"]["limit_cents"] / 100
        assert told["score"] is None or round(rows.pd[i], 4) == told["score"]["pd"]
    assert set(rows.segments) == {"region", "industry", "turnover", "size"}
    assert rows.segments["region"][0] == businesses[0].application["business"]["state"]


def test_what_people_made_of_it_is_an_override(businesses: list[Decided], shipped: Release, tmp_path: Path) -> None:
    """A later decision with an officer's review, or an approver's no to a case, overrides the first one."""
    records = lines(spread(businesses[:50], date(2025, 1, 1), 50), shipped)
    for i, review in enumerate(({"set_aside": ["young_business"]}, {"declined": "R10"}, {"most_cents": 500_000}, {})):
        later = deepcopy(records[i])
        later |= {"decision_id": f"dec_later{i}", "decided_at": "2025-03-01T01:00:00+00:00"}
        later["facts"]["review"] = {"status": "present", "value": review}
        later["decision"] |= {"outcome": "decline", "offer": None}
        records.append(later)
    records[7]["case_state"] = "rejected"
    rows = from_decisions(write(tmp_path / "export.jsonl", records), shipped)
    assert len(rows.time) == 50
    assert rows.overridden is not None
    assert rows.outcome is not None
    assert np.flatnonzero(rows.overridden).tolist() == [0, 1, 2, 7]
    assert rows.outcome.tolist() == [each.decision["outcome"] for each in businesses[:50]]


def test_only_closed_windows_have_an_outcome(businesses: list[Decided], shipped: Release, tmp_path: Path) -> None:
    """A window that closes after the cut-off, an indeterminate and nobody's performance are no outcome."""
    records = lines(spread(businesses[:5], date(2025, 3, 29), 5), shipped)  # the last two windows close in October
    told = [(0, 95), (1, 0), (2, 45), (3, 120)]
    table = tmp_path / "performance.csv"
    table.write_text(
        "application_id,on,days_past_due\n"
        + "".join(f"{records[i]['application_id']},2025-08-01,{past}\n" for i, past in told)
    )
    rows = from_decisions(write(tmp_path / "export.jsonl", records), shipped, table, BY)
    assert rows.y[:2].tolist() == [1.0, 0.0]
    assert np.isnan(rows.y[2:]).all()
    assert rows.left_out == {"outcome: indeterminate": 1, "outcome: too young": 1}
    assert rows.windows == "bad from 90 days past due within 6 months"


def test_other_releases_and_erased_records_are_counted(
    businesses: list[Decided], shipped: Release, tmp_path: Path
) -> None:
    """They are left out by name; a line that is no decision ends the reading by its number; none at all is an error."""
    records = deepcopy(lines(spread(businesses[:4], date(2025, 1, 1), 4), shipped))
    records[1]["release_digest"] = "0" * 64
    records[2] |= {"application": None, "facts": None}
    path = write(tmp_path / "export.jsonl", records)
    assert from_decisions(path, shipped).left_out == {"decided by another release": 1, "erased": 1}
    del records[3]["decision"]["features"]
    with pytest.raises(ValueError, match="line 4 is not an exported decision"):
        from_decisions(write(path, records), shipped)
    with pytest.raises(ValueError, match=f"no decision by {shipped.name}"):
        from_decisions(write(path, records[1:2]), shipped)


def test_a_release_without_baselines_is_held_against_its_first_decisions(pool: Rows) -> None:
    """The record says so, and a later shift fires all the same."""
    found = watched(drawn(pool, 3, 30, 180, moved_from=100), None)
    assert found.baseline == "first decisions"
    assert found.reference is not None
    assert found.reference.end == date(2025, 1, 31)
    assert "score" in {alarm.kind for alarm in found.alarms}
    with pytest.raises(ValueError, match="too few decisions to take the first for one"):
        watched(drawn(pool, 3, 5, 20), None)


def test_rates_limits_and_segments_alarm(pool: Rows, trained: Baselines) -> None:
    """Fewer approvals in one region, smaller limits, people overriding more: each is told by name, and no other."""
    rows = drawn(pool, 6, 60, 120)
    assert rows.outcome is not None
    assert rows.limit is not None
    late, generator = rows.time >= np.datetime64("2025-03-01"), np.random.default_rng(1)
    region = max(set(rows.segments["region"]), key=list(rows.segments["region"]).count)
    here = late & (rows.segments["region"] == region)
    declined = replace(rows, outcome=np.where(here & (generator.random(len(late)) < 0.5), "decline", rows.outcome))
    names = {(alarm.kind, alarm.name) for alarm in watched(declined, trained).alarms}
    assert ("approval", f"region {region}") in names
    assert {name for kind, name in names if name.startswith("region")} == {f"region {region}"}
    lower = replace(rows, limit=np.where(late, rows.limit * 0.8, rows.limit))
    [alarm] = watched(lower, trained).alarms
    assert (alarm.kind, alarm.before is not None and alarm.now is not None) == ("limit", True)
    assert "average limit went from $" in alarm.sentence
    more = replace(rows, overridden=late & (generator.random(len(late)) < 0.12))
    assert [alarm.kind for alarm in watched(more, trained).alarms] == ["override"]


def test_who_learnt_from_approved_alone_watches_them_alone(pool: Rows, trained: Baselines) -> None:
    """A release fitted on outcomes of the approved has its score held against theirs; rates are of everybody still."""
    rows = drawn(pool, 2, 30, 60)
    assert rows.outcome is not None
    approved = rows.where(rows.outcome == "approve")
    told = watched(rows, trained.model_copy(update={"population": "approved"}))
    assert told.periods[0].score == watched(approved, trained).periods[0].score
    assert told.periods[0].features == watched(approved, trained).periods[0].features
    assert told.periods[0].outcomes == watched(rows, trained).periods[0].outcomes
    assert told.decisions == len(rows.time) > len(approved.time)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """The two ways to cut time."""
    days = np.array(["2026-11-01", "2026-11-02", "2026-11-08", "2026-11-09"], dtype="datetime64[D]")
    assert weeks_or_months(days, "week").astype(str).tolist() == [
        "2026-10-26",
        "2026-11-02",
        "2026-11-02",
        "2026-11-09",
    ]
    assert set(weeks_or_months(days, "month").astype(str)) == {"2026-11-01"}


# -- tables --------------------------------------------------------------------------------------------------

DESCRIBED = TableDescription(
    table="loans.csv", target="bad", time="day",
    columns={"amount": Column(kind="number"), "trade": Column(kind="category")},
)  # fmt: skip
MODEL = """
table = "loans.csv"
target = "bad"
time = "day"
[columns]
amount = { kind = "number" }
trade = { kind = "category" }
"""


class Coded(Stored):
    """A model whose PD is the code of the trade, so that coding shows."""

    def pd(self, x: np.ndarray) -> np.ndarray:
        """A tenth for each code; missing is 0.9."""
        return np.where(np.isnan(x[:, 1]), 0.9, (x[:, 1] + 1) / 10)


def table(path: Path, rows: list[tuple[str, float, str, str]]) -> Path:
    """Day, amount, trade, bad."""
    path.write_text("day,amount,trade,bad\n" + "".join(f"{d},{a},{t},{b}\n" for d, a, t, b in rows))
    return path


def training(folder: Path) -> tuple[Dataset, Baselines]:
    """Baselines of a table with the trades b and d."""
    (folder / "loans.toml").write_text(MODEL)
    rows = [(f"2025-01-{1 + i % 28:02d}", float(i), "bd"[i % 2], str(i % 3 // 2)) for i in range(300)]
    data = from_table(folder / "loans.toml", table(folder / "loans.csv", rows))
    return data, baselines(data, np.full(300, 0.1))


def test_categories_are_coded_as_in_training(tmp_path: Path) -> None:
    """In a table with other trades the known ones keep their codes; the unseen score as missing, and are counted."""
    data, told = training(tmp_path)
    assert data.levels == (("b", "d"),)
    new = [("2025-06-01", 1.0, trade, "") for trade in ("a", "b", "c", "d", "")]
    rows = from_watched_table(table(tmp_path / "new.csv", new), DESCRIBED, Coded("", None), told)  # type: ignore[arg-type]
    assert rows.pd.tolist() == [0.9, 0.1, 0.9, 0.2, 0.9]
    assert np.isnan(rows.y).all()
    trade = watched(rows, told).periods[0].features[1]
    assert (trade.name, trade.unseen, trade.missing) == ("trade", 0.4, 0.2)


def test_unseen_values_alarm(tmp_path: Path) -> None:
    """A new trade that one in ten brings is an alarm of its own, told in words."""
    _, told = training(tmp_path)
    new = [(f"2025-06-{1 + i // 20:02d}", float(i % 300), "e" if i % 10 == 0 else "bd"[i % 2], "") for i in range(600)]
    rows = from_watched_table(table(tmp_path / "new.csv", new), DESCRIBED, Coded("", None), told)  # type: ignore[arg-type]
    found = {alarm.kind: alarm for alarm in watched(rows, told).alarms}
    assert found["unseen"].sentence.startswith("trade holds values that training never saw: ")


def test_a_bad_table_is_refused_by_row(tmp_path: Path) -> None:
    """An outcome that is neither, and a missing column, are named; without a time there is nothing to watch."""
    _, told = training(tmp_path)
    path = table(tmp_path / "new.csv", [("2025-06-01", 1.0, "b", "maybe")])
    with pytest.raises(TableFaults, match="row 0 is neither 0 nor 1 nor missing"):
        from_watched_table(path, DESCRIBED, Coded("", None), told)  # type: ignore[arg-type]
    path.write_text("day,amount\n2025-06-01,1\n")
    with pytest.raises(TableFaults, match="column trade: is missing"):
        from_watched_table(path, DESCRIBED, Coded("", None), told)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without a time column"):
        from_watched_table(
            table(path, [("2025-06-01", 1.0, "b", "0")]), DESCRIBED.model_copy(update={"time": None}),
            Coded("", None), told,  # type: ignore[arg-type]
        )  # fmt: skip


def test_psi_of_a_period_is_the_judgements_own(pool: Rows, trained: Baselines) -> None:
    """What a period tells of the score is the PSI over the baseline's bins, missing last, counted by hand."""
    rows = drawn(pool, 1, 30, 30)
    told = watched(rows, trained).periods[0].score
    edges = np.array(trained.score.edges)
    seen = np.array(
        [((rows.pd > low) & (rows.pd <= high)).mean() for low, high in zip([-1, *edges], [*edges, 2], strict=True)]
    )
    assert told.psi == pytest.approx(psi(np.array(trained.score.shares), np.append(seen, 0.0)))

"""The benchmark of claiming runs at a small size, and what it claims is claimed once."""

import pytest

from benchmarks.claiming import Size, measure, table
from tests.support.postgres import Server


@pytest.mark.postgres
def test_the_benchmark_claims_every_case_once_by_its_index(postgres: Server) -> None:
    """With and without event and audit: none is won twice, none is lost, and the plan is one of the index."""
    runs, plan, settings = measure(postgres, (Size(cases=2_000, open=500, seconds=0.5, held_seconds=0.2),))
    won = [each for run in runs for each in run.won]
    assert 0 < len(won) == len(set(won)) == sum(len(run.times_ms) - run.failures for run in runs)
    assert "Index Scan using ix_verification_case_verify" in plan
    assert not any(word in plan for word in ("Sort", "Seq Scan", "Bitmap"))
    assert settings.startswith("PostgreSQL")
    assert table(runs).count("2,000 cases, 500 open") == 2

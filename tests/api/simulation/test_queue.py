"""The queue through simulated weeks: nothing lost, nothing worked by two, everything escalated before it is late.

A few weeks here, fifteen in `make campaigns`, 200 in `make simulate`. Nothing of it sleeps.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cases import working
from api.store import queries as store
from tests.api.simulation import running
from tests.api.simulation.running import Failed, Outcome, simulate
from tests.api.simulation.world import Template, copied, template
from tests.support.campaign import WHOLE
from tests.support.postgres import Server

SEEDS = 15 if WHOLE else 4
POSTGRES_SEEDS = 2 if WHOLE else 1


@pytest.fixture(scope="module")
def made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Offers to be taken up, on SQLite."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("offers") / "store.sqlite")
    return template(f"sqlite:///{file}")


@pytest.fixture(scope="module")
def made_on_postgres(postgres: Server, postgres_template: str) -> Iterator[Template]:
    """The same on PostgreSQL."""
    url = postgres.create_database(postgres_template)
    yield template(url)
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def weeks() -> dict[int, Outcome]:
    """The weeks that were simulated, by their seed."""
    return {}


def _week(made: Template, seed: int) -> Outcome:
    with copied(made) as url:
        return simulate(made, url, seed)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_week_loses_nothing_and_is_late_with_nothing_unannounced(
    made: Template, weeks: dict[int, Outcome], seed: int
) -> None:
    """After every transaction: events lead where the table says, one holds, the clocks agree, who is late is known."""
    outcome = weeks[seed] = _week(made, seed)
    assert outcome.cases > 0
    assert outcome.tally["approved"] > 0
    assert outcome.events > outcome.cases


def test_the_same_seed_is_the_same_week(made: Template, weeks: dict[int, Outcome]) -> None:
    """A seed that fails can be run again: the audit of two runs ends in the same entry."""
    assert _week(made, 3) == (weeks.get(3) or _week(made, 3))


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(1_000, 1_000 + POSTGRES_SEEDS))
def test_a_week_on_postgresql(postgres: Server, made_on_postgres: Template, seed: int) -> None:
    """The same weeks hold on the other database."""
    url = postgres.create_database(made_on_postgres.url)
    try:
        assert simulate(made_on_postgres, url, seed).cases > 0
    finally:
        postgres.drop_database(url)


# -- that it can fail ------------------------------------------------------------------------------------------


def _no_tick(patch: pytest.MonkeyPatch) -> None:
    async def idle(desk: Any) -> int:
        return 0

    patch.setattr(running, "tick", idle)


def _anybodys_case(patch: pytest.MonkeyPatch) -> None:
    def seen(connection: Any, case_id: str, actor: Any, version: int, at: Any) -> store.CaseRow:
        found = store.get_case(connection, case_id)
        assert found is not None
        return found

    patch.setattr(working, "held_by", seen)


def _nothing_to_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "claim_next", lambda connection, stage, staff_id, now, lease: None)


def _forgotten_escalation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("api.cases.ticking.ESCALATED_FROM_HOURS", 24)


@pytest.mark.parametrize(
    ("sabotage", "said"),
    [
        (_no_tick, "not done at two ticks"), (_anybodys_case, "by who did not hold it"),
        (_nothing_to_do, "never given to anybody"), (_forgotten_escalation, "never escalated"),
    ],
)  # fmt: skip
def test_what_must_hold_is_really_watched(
    made: Template, monkeypatch: pytest.MonkeyPatch, sabotage: Callable[[pytest.MonkeyPatch], None], said: str
) -> None:
    """With a rule taken out of the service, one of the first weeks fails, and says which rule and which seed."""
    sabotage(monkeypatch)
    with pytest.raises(Failed, match=f"seed .*{said}"):
        [_week(made, seed) for seed in (7, 0, 5, 9)]

"""What is used of a brake, counted from the decisions that stand; and which brakes there can be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.store import queries
from api.store.database import Database
from api.store.queries import Place
from engine.facts.standing import Brake
from tests.support.records import NOON, a_decision, a_record, a_refusal

HERE = Place(amount_cents=1_000_000, division="G", state="VIC", entity_type="company", group_cents=700_000)


def _keep(database: Database, *decisions: queries.NewDecision) -> None:
    with database.transaction() as connection:
        for decision in decisions:
            queries.record_decision(connection, a_record(decision))


def _on(database: Database, place: Place = HERE, *, days: float = 0) -> list[Brake]:
    with database.transaction(read_only=True) as connection:
        return list(queries.brakes_on(connection, place, NOON + timedelta(days=days)))


def _set(database: Database, kind: str, **more: Any) -> int:
    with database.transaction() as connection:
        return queries.set_brake(connection, kind, NOON, "officer", **more)


VICTORIAN = {"division": "G", "state": "VIC", "entity_type": "company"}


def test_a_day_is_counted_in_its_segment(database: Database) -> None:
    """Approvals of the Sydney day that stand, by segment; rows from before there were segments count in the whole."""
    builder = {"division": "E", "state": "VIC", "entity_type": "trust"}
    _keep(
        database,
        a_decision(limit_cents=1_000_000, **VICTORIAN),
        a_decision(limit_cents=2_000_000, **builder),
        a_decision(limit_cents=3_000_000),
        a_decision(limit_cents=4_000_000, decided_at=NOON - timedelta(days=1), **VICTORIAN),
        a_refusal(**VICTORIAN),
    )
    for segment in ("*", "state:VIC", "division:G", "entity:company", "division:E"):
        _set(database, "daily_dollars", value=9_000_000, segment=segment)
    used = {brake.segment: (brake.used_cents, brake.limit_cents) for brake in _on(database)}
    cents = {"all": 6_000_000, "state:VIC": 3_000_000, "division:G": 1_000_000, "entity:company": 1_000_000}
    assert used == {segment: (each, 9_000_000) for segment, each in cents.items()}, "division:E is somebody else's"
    assert {brake.used_cents for brake in _on(database, days=1)} == {0}


def test_a_concentration_is_a_share_of_the_book_with_this_request_in_it(database: Database) -> None:
    """A quarter of 15 + 1 million is 4 million, of which 4 are used; expired and superseded offers are in no book."""
    late = NOON + timedelta(days=20)
    _keep(
        database,
        a_decision(limit_cents=4_000_000, **VICTORIAN),
        a_decision(limit_cents=6_000_000),
        a_decision(limit_cents=5_000_000, expires_at=NOON + timedelta(days=30)),
    )
    _set(database, "concentration", segment="state:VIC", value=2_500)
    _set(database, "concentration", segment="group", value=2_500)
    state, group = _on(database)
    assert (state.limit_cents, state.used_cents) == (4_000_000, 4_000_000)
    assert (group.segment, group.limit_cents, group.used_cents) == ("group", 4_000_000, 700_000)
    assert state.stops(1_000_000)
    assert not group.stops(1_000_000)
    state, _ = _on(database, days=20)
    assert (state.limit_cents, state.used_cents) == (1_500_000, 0), f"only one offer stands at {late}"


def test_a_book_of_billions_is_counted(database: Database) -> None:
    """A brake's figures are those of a whole book, which is far more than any one amount in a decision."""
    _set(database, "daily_dollars", value=10**15)
    (brake,) = _on(database)
    assert brake.limit_cents == 10**15


def test_an_empty_book_refers(database: Database) -> None:
    """With nothing lent, anything is more than its share: the first are for a person."""
    _set(database, "concentration", segment="state:VIC", value=9_999)
    (brake,) = _on(database)
    assert (brake.used_cents, brake.limit_cents) == (0, 999_900)
    assert brake.stops(HERE.amount_cents)


def test_deciding_again_leaves_out_what_it_replaces(database: Database) -> None:
    """The application's own earlier offer is used neither of the day nor of the book."""
    _keep(database, a_decision(application_id="app_own", limit_cents=4_000_000, **VICTORIAN))
    _set(database, "daily_dollars", value=5_000_000)
    _set(database, "concentration", segment="state:VIC", value=5_000)
    again = replace(HERE, application_id="app_own")
    assert [brake.used_cents for brake in _on(database)] == [4_000_000, 4_000_000]
    assert [brake.used_cents for brake in _on(database, again)] == [0, 0]


def test_a_brake_holds_as_soon_as_it_is_there(database: Database) -> None:
    """A worker whose clock is behind obeys all the same, and one that lags behind the lifting brakes on."""
    number = _set(database, "refer_all")
    assert len(_on(database, days=-1)) == 1
    with database.transaction() as connection:
        assert queries.lift_brake(connection, number, NOON - timedelta(hours=1), "officer", "A slow clock.")
    assert len(_on(database, days=-1)) == 1
    assert _on(database) == []


@pytest.mark.parametrize(
    ("kind", "segment", "value", "fault"),
    [
        ("refer_all", "industry H", None, "a segment is"),
        ("refer_all", "division:T", None, "a segment is"),
        ("refer_all", "state:nsw", None, "a segment is"),
        ("refer_all", "entity:pty", None, "a segment is"),
        ("refer_all", "group", None, "for concentration alone"),
        ("daily_dollars", "group", 1, "for concentration alone"),
        ("daily_dollars", "*", None, "a number that a day could have"),
        ("daily_dollars", "*", -1, "a number that a day could have"),
        ("daily_dollars", "*", 10**16, "a number that a day could have"),
        ("concentration", "*", 2_500, "needs a segment"),
        ("concentration", "state:NSW", 0, "more than nothing"),
        ("concentration", "state:NSW", None, "more than nothing"),
        ("concentration", "state:NSW", 10_000, "less than the whole"),
    ],
)
def test_a_brake_that_could_brake_nothing_is_refused(
    database: Database, kind: str, segment: str, value: int | None, fault: str
) -> None:
    """A mistyped segment or an impossible share is an error when it is set, not a brake that never brakes."""
    with pytest.raises(ValueError, match=fault):
        _set(database, kind, segment=segment, value=value)


def test_no_more_brakes_than_a_decision_can_hold(database: Database) -> None:
    """The hundred and first in force is refused; lifting one makes room."""
    numbers = [_set(database, "refer_all", segment="division:A") for _ in range(100)]
    with pytest.raises(ValueError, match="in force already"):
        _set(database, "refer_all")
    with database.transaction() as connection:
        queries.lift_brake(connection, numbers[0], NOON, "officer")
        queries.set_brake(connection, "refer_all", NOON, "officer", segment="division:G")
    assert len(_on(database)) == 1

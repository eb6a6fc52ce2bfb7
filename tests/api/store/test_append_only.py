"""The database itself refuses to change or delete what is kept for good, and allows the few named changes."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.postgres import PostgresDatabase
from tests.support.records import NOON, a_claim, a_decision, a_query, a_record, a_signal

KEPT = ["audit", "decision", "application", "fact_set", "person", "idempotency", "brake", "attempt", "signal"]
LATER = NOON + timedelta(days=40)


@pytest.fixture
def kept(database: Database) -> Database:
    """A database with a row in every table."""
    with database.transaction() as connection:
        decision = a_decision(id="dec_kept")
        queries.record_decision(connection, a_record(decision, claim=a_claim()))
        queries.add_attempt(connection, a_query(decision, a_signal("device", "one")).attempt(refused=False), NOON)
        queries.set_brake(connection, "daily_dollars", NOON, "officer", value=1_000_000_00, because="A test.")
    return database


def _refused(database: Database, statement: str) -> None:
    with pytest.raises(IntegrityError, match="is append-only"), database.transaction() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", KEPT)
def test_nothing_is_deleted(kept: Database, table: str) -> None:
    """DELETE is refused on every table of kept rows."""
    _refused(kept, f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "change",
    [
        "audit SET body = '{}'",
        "audit SET seq = seq",
        "decision SET limit_cents = 30000000",
        "decision SET expires_at = expires_at + 1",
        "application SET channel = 'web'",
        "fact_set SET bytes_raw = 1",
        "person SET body = '{}'",
        "person SET body = NULL, erased_at = 1, role = 'owner'",
        "idempotency SET fingerprint = '" + "0" * 64 + "'",
        "idempotency SET status = 200",
        "idempotency SET decision_id = NULL",
        "idempotency SET reply = CAST('other' AS BLOB)",
        "brake SET value = 5",
        "brake SET value = NULL, lifted_at = set_at, lifted_by = 'x'",
        "brake SET set_by = 'x', lifted_at = set_at, lifted_by = 'x'",
        "brake SET because = 'x', lifted_at = set_at, lifted_by = 'x'",
        "brake SET because = NULL, lifted_at = set_at, lifted_by = 'x'",
        "attempt SET at = 0",
        "signal SET abn = '00000000000'",
    ],
)
def test_nothing_is_edited(kept: Database, change: str) -> None:
    """UPDATE is refused, also where it comes along with a change that is allowed."""
    if isinstance(kept, PostgresDatabase):
        change = change.replace("BLOB", "BYTEA")
    _refused(kept, f"UPDATE {change}")


@pytest.mark.postgres
@pytest.mark.parametrize("table", KEPT)
def test_nothing_is_truncated(postgres_url: str, table: str) -> None:
    """TRUNCATE, which fires no row trigger, is refused as well."""
    with Database.open(postgres_url) as database:
        _refused(database, f"TRUNCATE {table} CASCADE")


def test_nothing_is_replaced(sqlite_url: str) -> None:
    """INSERT OR REPLACE, which deletes without a DELETE, is refused."""
    with Database.open(sqlite_url) as database:
        with database.transaction() as connection:
            queries.record_decision(connection, a_record(a_decision(id="dec_kept")))
        _refused(database, "INSERT OR REPLACE INTO audit SELECT seq, at, '{}', sha256, prev FROM audit")


def test_a_person_is_erased_once_and_for_good(kept: Database) -> None:
    """Erasing leaves the row without its content; it can neither be repeated nor undone."""
    with kept.transaction() as connection:
        assert queries.erase_person(connection, "per_dec_kept", LATER)
        assert not queries.erase_person(connection, "per_dec_kept", LATER)
        assert not queries.erase_person(connection, "per_nobody", LATER)
        application = queries.get_decision(connection, "dec_kept")
        assert application is not None
        (person,) = queries.people_of(connection, application.application_id)
    assert (person.body, person.erased_at, person.role) == (None, LATER, "director")
    _refused(kept, "UPDATE person SET body = '{}', erased_at = NULL")


def test_a_reply_is_pruned_and_the_key_stays_taken(kept: Database) -> None:
    """Pruning drops the bytes of old replies, at most as many as asked, and nothing else of the row."""
    with kept.transaction() as connection:
        assert queries.prune_replies(connection, before=NOON) == 0
        assert queries.prune_replies(connection, before=LATER, limit=1) == 1
        assert queries.prune_replies(connection, before=LATER) == 0
        row = queries.find_idempotent(connection, "key_caller", "/v1/applications", a_claim().key)
    assert row is not None
    assert (row.reply, row.decision_id, row.status) == (None, "dec_kept", 201)


def test_a_brake_is_lifted_once(kept: Database) -> None:
    """Lifting dates the row; what was in force before can still be told."""
    with kept.transaction() as connection:
        (brake,) = queries.brakes_in_force(connection, NOON)
        assert queries.lift_brake(connection, brake.id, LATER, "officer")
        assert not queries.lift_brake(connection, brake.id, LATER, "officer")
        assert queries.brakes_in_force(connection, LATER) == ()
        (before,) = queries.brakes_in_force(connection, LATER - timedelta(seconds=1))
    assert (before.kind, before.value, before.segment) == ("daily_dollars", 1_000_000_00, "*")

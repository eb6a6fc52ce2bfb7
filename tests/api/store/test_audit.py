"""The audit chain holds, and names the first entry that does not."""

import asyncio
import hashlib
import json
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from api.store.queries import AuditEvent
from tests.support.records import NOON, a_decision, a_record, recording

EVENT = AuditEvent("officer", "credit", "note", "dec_1", {"ticket": 7})


def _open_for_tampering(database: Database) -> None:
    with database.transaction() as connection:
        on = "" if connection.dialect.name == "sqlite" else " ON audit"
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(text(f"DROP TRIGGER {trigger}{on}"))


def _written(database: Database, entries: int) -> None:
    with database.transaction() as connection:
        for _ in range(entries):
            queries.append_audit(connection, EVENT, NOON)


def test_entries_are_numbered_without_a_gap_and_linked(database: Database) -> None:
    """Also when written by forty tasks at once, some of which fail after having taken a number."""

    async def write_all() -> None:
        records = [a_record(a_decision(pd=2.0 if number % 4 == 0 else 0.5)) for number in range(40)]
        results = await asyncio.gather(
            *(database.write(recording(record)) for record in records),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Exception) for each in results) == 10

    asyncio.run(write_all())
    with database.transaction(read_only=True) as connection:
        tail = queries.audit_tail(connection, limit=100)
        assert [entry.seq for entry in tail] == list(range(30, 0, -1))
        assert all(newer.prev == older.sha256 for newer, older in pairwise(tail))
        assert tail[-1].prev == "0" * 64
        assert queries.verify_audit(connection) is None


def test_time_in_the_chain_never_goes_back(database: Database) -> None:
    """An entry written after the clock was set back is dated one microsecond after the one before it."""
    with database.transaction() as connection:
        for moment in (NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)):
            queries.append_audit(connection, EVENT, moment)
        times = [entry.at for entry in reversed(queries.audit_tail(connection))]
    assert times == [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("tampering", "first_bad"),
    [
        ("UPDATE audit SET body = replace(body, 'officer', 'another') WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 4", 4),
        ("UPDATE audit SET sha256 = prev WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET seq = 100 WHERE seq = 6", 6),
        ("UPDATE audit SET body = 'x' WHERE seq = 6", 6),
    ],
)
def test_a_tampered_row_is_named(database: Database, tampering: str, first_bad: int) -> None:
    """With the triggers dropped, whatever is done to a row is found at that row."""
    _written(database, 6)
    _open_for_tampering(database)
    with database.transaction() as connection:
        connection.execute(text(tampering))
        if "seq = 100" not in tampering:
            queries.append_audit(connection, EVENT, NOON)
        assert queries.verify_audit(connection) == first_bad


def test_a_row_rewritten_with_its_digest_is_found_at_the_next(database: Database) -> None:
    """Whoever recomputes the digest of a changed entry breaks the link from the entry after it."""
    _written(database, 6)
    _open_for_tampering(database)
    with database.transaction() as connection:
        entry = queries.audit_entry(connection, 3)
        assert entry is not None
        told = json.loads(entry.body) | {"actor": "another"}
        body = json.dumps(told, sort_keys=True, separators=(",", ":"))
        values = {"body": body, "sha": hashlib.sha256(body.encode()).hexdigest()}
        connection.execute(text("UPDATE audit SET body = :body, sha256 = :sha WHERE seq = 3"), values)
        assert queries.verify_audit(connection) == 4


def test_swapped_rows_are_found(database: Database) -> None:
    """Two whole entries that change places are found at the first of the two."""
    _written(database, 6)
    _open_for_tampering(database)
    with database.transaction() as connection:
        for old, new in ((2, 99), (5, 2), (99, 5)):
            connection.execute(text(f"UPDATE audit SET seq = {new} WHERE seq = {old}"))
        assert queries.verify_audit(connection) == 2


def test_verification_goes_over_pages(database: Database) -> None:
    """A chain longer than a page is verified to its end."""
    _written(database, 4_500)
    with database.transaction() as connection:
        assert queries.verify_audit(connection) is None
    _open_for_tampering(database)
    with database.transaction() as connection:
        connection.execute(text("UPDATE audit SET body = '{}' WHERE seq = 4321"))
        assert queries.verify_audit(connection) == 4321

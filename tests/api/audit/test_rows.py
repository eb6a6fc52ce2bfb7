"""Rows are compared with what their entries swore: each column that was changed, each row that is gone, is named."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from api.store import queries
from api.store.database import Database
from api.store.queries.audit_rows import AUDITED
from api.store.tables import decision, metadata
from tests.support.casework import a_document, an_event, an_open_case, changed, hire, verified
from tests.support.records import NOON, a_decision
from tests.support.service import Service, body_of
from tests.support.witnessing import disarm, findings, words_of

OTHER = "0" * 64
OF_DECISION = [
    ("application_id = 'app_other'", "application_id"),
    ("supersedes = 'dec_other'", "supersedes"), ("decided_at = decided_at + 1", "decided_at"),
    ("as_of = as_of + 1", "as_of"), ("limit_cents = limit_cents + 50000", "offer"),
    ("monthly_rate_bps = monthly_rate_bps + 1", "offer"), ("expires_at = expires_at + 1", "offer"),
    ("outcome = 'refer', limit_cents = NULL, monthly_rate_bps = NULL, expires_at = NULL", "outcome"),
    ("grade = 'A'", "score"), ("pd = 0.5", "score"), ("release_name = 'another'", "release_name"),
    (f"release_digest = '{OTHER}'", "release_digest"), (f"engine_digest = '{OTHER}'", "engine_digest"),
    (f"facts_sha256 = '{OTHER}'", "facts_sha256"), (f"body_sha256 = '{OTHER}'", "body_sha256"),
    ("body = CAST('{}' AS {bytes})", "body"), ("abn = '51900000000'", "abn"),
    ("synthetic = NOT synthetic", "synthetic"), ("division = 'B'", "division"),
    ("state = 'TAS'", "state"), ("entity_type = 'trust'", "entity_type"),
]  # fmt: skip
BESIDE = [
    ("UPDATE application SET body = CAST('{}' AS {bytes})", "application"),
    (f"UPDATE application SET body_sha256 = '{OTHER}'", "application"),
    ("UPDATE fact_set SET body = CAST('x' AS {bytes})", "facts"),
    ("UPDATE fact_set SET encoding = CASE encoding WHEN 'raw' THEN 'zlib' ELSE 'raw' END", "facts"),
    ("UPDATE fact_set SET bytes_raw = 1", "facts"),
]
OF_EVENT = [
    ("case_id = 'case_other'", "case_id"), ("version = 9", "version"), ("at = at + 1000000", "at"),
    ("actor = 'x'", "actor"), ("actor_role = 'x'", "actor_role"), ("event = 'x'", "event"),
    ("state = 'expired'", "state"), ("document_id = NULL", "document_id"), ("body = '{}'", "body"),
]  # fmt: skip
OF_CASE = [
    "limit_cents = limit_cents + 50000", "state = 'open', verified_by = NULL, content_sha256 = NULL",
    "escalated = NOT escalated", "verified_by = 'stf_ben'", "expires_at = expires_at + 1", "rank = 7",
    "abn = '51900000001'",
]  # fmt: skip


def after(connection: Connection, change: str) -> str:
    """What is found after a change, which is undone."""
    undone = connection.begin_nested()
    kind = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    assert connection.execute(text(change.replace("{bytes}", kind))).rowcount > 0
    found = words_of(findings(connection))
    undone.rollback()
    return found


def unbind(connection: Connection) -> None:
    """Have foreign keys not looked at for the rest of a transaction, as an owner can."""
    lite = connection.dialect.name == "sqlite"
    connection.execute(
        text("PRAGMA defer_foreign_keys = ON" if lite else "SET LOCAL session_replication_role = replica")
    )


def test_every_table_that_names_an_entry_is_compared() -> None:
    """A table with a column `audit_seq` is one of those whose rows are read beside the chain."""
    assert {table for table in metadata.tables.values() if "audit_seq" in table.c} == set(AUDITED)


def test_a_changed_decision_is_named_with_its_column(service: Service) -> None:
    """Whatever column repeats what was sworn or stands behind a digest; the decision of the real engine holds."""
    decision_id = service.apply(body_of()).json()["decision_id"]
    disarm(service.database, "decision", "application", "fact_set")
    with service.database.transaction() as connection:
        unbind(connection)
        assert findings(connection) == ()
        for change, column in OF_DECISION:
            told = f"1: decision {decision_id} differs from its entry in {column}"
            assert after(connection, f"UPDATE decision SET {change}") == told, change
        for change, what in BESIDE:
            assert after(connection, change) == f"1: decision {decision_id} differs from its entry in {what}", change
        connection.rollback()


def test_rows_that_are_gone_or_were_never_sworn_are_found(service: Service) -> None:
    """A decision deleted, one under another's entry, one that names an entry beyond the last."""
    service.apply(body_of())
    with service.database.transaction() as connection:
        queries.append_audit(connection, queries.AuditEvent("x", "y", "note", "z"), a_decision().decided_at)
    disarm(service.database, "decision")
    with service.database.transaction() as connection:
        unbind(connection)
        assert after(connection, "DELETE FROM decision") == "1: entry 1 tells of a decision that is missing"
        assert "differs from its entry in id" in after(connection, "UPDATE decision SET audit_seq = 2")
        names = [column.name for column in decision.c]
        copied = [{"id": "'dec_copy'", "audit_seq": "9"}.get(name, name) for name in names]
        beyond = f"INSERT INTO decision ({', '.join(names)}) SELECT {', '.join(copied)} FROM decision"
        assert after(connection, beyond) == "3: rows name entry 9, which is missing"
        connection.rollback()


@pytest.fixture
def casework(url: str) -> Iterator[Database]:
    """A database with a case that was opened, noted with a document, and verified."""
    with Database.open(url) as database:
        with database.transaction() as connection:
            hire(connection)
            case = an_open_case(connection, a_decision(id="dec_one"))
            document = queries.insert_document(connection, a_document(case), NOON)
            verified(connection, changed(connection, case, an_event("document", document_id=document.id)))
        disarm(database, "case_event", "verification_case")
        yield database


def test_a_changed_event_is_named_with_its_column(casework: Database) -> None:
    """Every column of an event of a case, and events that are gone."""
    with casework.transaction() as connection:
        unbind(connection)
        assert findings(connection) == ()
        for change, column in OF_EVENT:
            seq = "(SELECT min(audit_seq) FROM case_event WHERE document_id IS NOT NULL)"
            seq = seq if column == "document_id" else "(SELECT min(audit_seq) FROM case_event)"
            found = after(connection, f"UPDATE case_event SET {change} WHERE audit_seq = {seq}")
            assert f"differs from its entry in {column}" in found, change
        assert "tells of an event that is missing" in after(connection, "DELETE FROM case_event WHERE version = 2")
        connection.rollback()


def test_a_changed_case_is_named(casework: Database) -> None:
    """The head of a case is what its last event left; another version has no event."""
    with casework.transaction() as connection:
        unbind(connection)
        for change in OF_CASE:
            assert "is not as its last event left it" in after(connection, f"UPDATE verification_case SET {change}")
        adrift = after(connection, "UPDATE verification_case SET version = 77")
        assert adrift == "1: case case_dec_one stands where no event of its left it"
        connection.rollback()

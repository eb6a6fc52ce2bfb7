"""Five hundred tamperings with real databases, their folders of checkpoints among them: verification finds each."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.audit.checkpoints import Finding
from api.audit.export import export
from api.store.database import Database
from api.store.queries import AuditEvent, append_audit
from tests.support.tampering import FOUND_BY_COPIES, WAYS, a_record
from tests.support.witnessing import KEYRING, NOW, SIGNER, disarm, findings, put_entries, put_lines, words_of

EACH = 10  # of every way, on each database
ENTRIES, EVERY = 20, 4
RECORD = replace(a_record(SIGNER, ENTRIES, EVERY), another=a_record(SIGNER, ENTRIES, EVERY, "another"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with the record in it, on either kind, whose owner is not to be trusted."""
    with Database.open(url) as opened:
        disarm(opened, "audit")
        with opened.transaction() as connection:
            put_entries(connection, RECORD)
        yield opened


def tampered_with(database: Database, folder: Path, name: str, draw: Random) -> tuple[Finding, ...] | None:
    """What verification finds after one tampering, which is undone; none where the database refuses it."""
    tampered = WAYS[name](RECORD, draw)
    ours = put_lines(folder / "ours", tampered.record.lines)
    kept = put_lines(folder / "kept", RECORD.lines)
    with database.transaction() as connection:
        undone = connection.begin_nested()
        try:
            put_entries(connection, tampered.record)
        except DBAPIError:
            undone.rollback()
            return None
        found = findings(connection, *((ours, kept) if name in FOUND_BY_COPIES else (ours,)))
        undone.rollback()
    assert found, name
    assert found[0].seq <= tampered.entry + 1, f"{name}: named too late"
    return found


def test_every_tampering_is_found(database: Database, tmp_path: Path) -> None:
    """Ten of each way, drawn by a seed; the entry that is named is the first concerned or the one after it."""
    draw, refused = Random(11), 0
    with database.transaction(read_only=True) as connection:
        assert findings(connection, put_lines(tmp_path / "ours", RECORD.lines)) == ()
    for name in WAYS:
        for _ in range(EACH):
            outcome = tampered_with(database, tmp_path, name, draw)
            refused += outcome is None
            assert outcome is not None or name == "a bit of a number"  # two entries of one number
    assert refused < EACH


def test_an_export_is_what_the_tests_take_it_for(database: Database, tmp_path: Path) -> None:
    """The lines that the ten thousand tamperings start from are those that `export` writes."""
    out = io.BytesIO()
    with database.transaction(read_only=True) as connection:
        export(connection, put_lines(tmp_path / "ours", RECORD.lines), KEYRING, out)
    assert out.getvalue() == b"".join(line + b"\n" for line in RECORD.exported())


def test_the_first_bad_entry_is_named(database: Database, tmp_path: Path) -> None:
    """An edited, missing or cut entry by its own number; a rebuilt chain from the last entry that was signed for."""
    ours = put_lines(tmp_path / "ours", RECORD.lines)
    for change, told in (
        ("UPDATE audit SET body = replace(body, 'caller', 'nobody') WHERE seq = 7", "7: entry 7 was altered"),
        ("DELETE FROM audit WHERE seq = 7", "7: entry 7 is missing"),
        (
            "DELETE FROM audit WHERE seq > 13",
            "13: entries 14 to 16 are missing: they were signed for, and nothing else vouches for 13 to 13",
        ),
    ):
        with database.transaction() as connection:
            undone = connection.begin_nested()
            connection.execute(text(change))
            assert words_of(findings(connection, ours)) == told
            undone.rollback()
    fork = WAYS["forked"](RECORD, Random(3))
    with database.transaction() as connection:
        put_entries(connection, fork.record)
        covered = (fork.entry - 1) // EVERY * EVERY
        assert f"the chain was rebuilt after entry {covered}" in words_of(findings(connection, ours))


def test_entries_may_wait_two_minutes_for_a_checkpoint(database: Database, tmp_path: Path) -> None:
    """The newest entries need none yet; when they are older, that none was written is found."""
    ours = put_lines(tmp_path / "ours", RECORD.lines)
    with database.transaction() as connection:
        append_audit(connection, AuditEvent("officer", "risk", "note", "app_1"), NOW)
        assert findings(connection, ours, now=NOW + timedelta(seconds=110)) == ()
        late = findings(connection, ours, now=NOW + timedelta(seconds=130))
    assert words_of(late) == "21: entries 21 to 21 have no checkpoint"


def test_text_that_is_none_is_found(sqlite_url: str, tmp_path: Path) -> None:
    """SQLite keeps any bytes as text; such an entry is named, and does not stop the reading."""
    with Database.open(sqlite_url) as database:
        disarm(database, "audit")
        with database.transaction() as connection:
            put_entries(connection, RECORD)
            connection.execute(text("UPDATE audit SET body = CAST(x'ff00fe' AS TEXT) WHERE seq = 5"))
            assert (
                words_of(findings(connection, put_lines(tmp_path / "ours", RECORD.lines))) == "5: entry 5 was altered"
            )

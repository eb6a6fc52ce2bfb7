"""The roles of a real PostgreSQL: the service works as its own, and what is kept for good is refused twice."""

import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api.audit import roles
from api.audit.export import export
from api.audit.roles import APP, BACKUP, READONLY, guarded_tables
from api.store import queries
from api.store.database import Database
from tests.support.casework import a_document, an_event, an_open_case, changed, hire, verified
from tests.support.commands import failed, ran
from tests.support.postgres import Server
from tests.support.records import NOON, a_decision
from tests.support.service import body_of, telling
from tests.support.tampering import a_record
from tests.support.witnessing import KEYRING, SIGNER, findings, put_entries, put_lines

pytestmark = pytest.mark.postgres
KEPT = ("audit", "decision", "application", "fact_set", "attempt", "signal", "case_event")


@pytest.fixture(scope="module")
def owned(postgres: Server, postgres_template: str) -> Iterator[str]:
    """The database as its owner sees it, with roles, a user for each, and something in every table that is kept."""
    url = postgres.create_database(postgres_template)
    assert "the roles of" in ran(url, "db", "roles")
    with Database.open(url) as database, database.transaction() as connection:
        for role in (APP, READONLY, BACKUP):
            name = f"user_of_{role}"
            connection.execute(text(f"DROP ROLE IF EXISTS {name}"))
            connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'made up'"))
            connection.execute(text(f"GRANT {role} TO {name}"))
    yield url
    postgres.drop_database(url)


def as_role(url: str, role: str) -> str:
    """The address for a user who has this role alone."""
    return make_url(url).set(username=f"user_of_{role}", password="made up").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def used(owned: str) -> str:
    """The same after the service worked on it as its own role: an application, a case, its document, its events."""
    with telling(as_role(owned, APP)) as service:
        assert service.apply(body_of()).status_code == 201
        with service.database.transaction() as connection:
            hire(connection)
            case = an_open_case(connection, a_decision(id="dec_one"))
            queries.insert_document(connection, a_document(case), NOON)
            verified(connection, changed(connection, case, an_event()))
    return owned


def refused(connection: Connection, statement: str, error: type[Exception], words: str) -> None:
    """A statement is refused in these words, and the transaction goes on."""
    undone = connection.begin_nested()
    with pytest.raises(error, match=words):
        connection.execute(text(statement))
    undone.rollback()


def test_the_service_works_as_its_own_role(used: str) -> None:
    """An application is decided, a case worked on; all of it verifies as read by the role that only reads."""
    with Database.open(as_role(used, READONLY)) as database, database.transaction(read_only=True) as connection:
        assert findings(connection) == ()
        assert queries.audit_tail(connection, 1)[0].seq >= 4


@pytest.mark.parametrize("table", KEPT)
def test_what_is_kept_for_good_is_refused_by_privilege(used: str, table: str) -> None:
    """The service's role may neither change, delete nor truncate it, nor take its triggers off."""
    with Database.open(as_role(used, APP)) as database, database.transaction() as connection:
        column = "abn" if table == "signal" else next(iter(connection.execute(text(f"SELECT * FROM {table}")).keys()))
        for statement in (
            f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE",
        ):  # fmt: skip
            refused(connection, statement, ProgrammingError, "permission denied")
        refused(connection, f"ALTER TABLE {table} DISABLE TRIGGER ALL", ProgrammingError, "must be owner")
        refused(connection, "CREATE TABLE more (id int)", ProgrammingError, "permission denied")


def test_what_is_kept_for_good_is_refused_by_trigger_as_well(used: str) -> None:
    """Even with every privilege granted the triggers refuse it, to the owner too."""
    for url in (used, as_role(used, APP)):
        with Database.open(used) as database, database.transaction() as connection:
            connection.execute(text(f"GRANT UPDATE, DELETE, TRUNCATE ON audit TO {APP}"))
        with Database.open(url) as database, database.transaction() as connection:
            for statement in ("UPDATE audit SET seq = seq", "DELETE FROM audit", "TRUNCATE audit CASCADE"):
                if url == used or "TRUNCATE" not in statement:  # that also wants privileges on what refers to it
                    refused(connection, statement, IntegrityError, "is append-only")
    assert "the roles of" in ran(used, "db", "roles")  # which takes the grants back
    with Database.open(as_role(used, APP)) as database, database.transaction() as connection:
        refused(connection, "DELETE FROM audit", ProgrammingError, "permission denied")
        assert not roles.may_rewrite(connection)
    with Database.open(used) as database, database.transaction() as connection:
        assert roles.may_rewrite(connection)


def test_grants_are_never_wider_than_triggers(used: str) -> None:
    """Of every table: the service's role may change or delete exactly where no trigger refuses all of it."""
    held = "has_table_privilege(:role, :name, :act)"
    with Database.open(used) as database, database.transaction() as connection:
        tables = guarded_tables(connection)
        assert {table.name for table in tables if table.frozen} >= set(KEPT)
        for table in tables:
            for act in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
                given = {"role": APP, "name": table.name, "act": act}
                assert connection.execute(text(f"SELECT {held}"), given).scalar_one() is (act in table.app), given


def test_who_only_reads_sees_no_secret_and_writes_nothing(used: str) -> None:
    """Neither hashes of passwords and keys nor sessions; the role of backups reads all of it."""
    with Database.open(as_role(used, READONLY)) as database, database.transaction() as connection:
        for table in ("staff", "staff_session", "caller_key", "passkey"):
            refused(connection, f"SELECT * FROM {table}", ProgrammingError, "permission denied")
        refused(connection, "INSERT INTO audit VALUES (99, 1, '', '', '')", ProgrammingError, "permission denied")
    with Database.open(as_role(used, BACKUP)) as database, database.transaction() as connection:
        for each in guarded_tables(connection):
            connection.execute(text(f"SELECT * FROM {each.name}"))
        refused(connection, "DELETE FROM outbox", ProgrammingError, "permission denied")


def test_an_auditor_may_export_as_who_only_reads(postgres: Server, postgres_template: str, tmp_path: Path) -> None:
    """The role that only reads suffices for verifying and exporting."""
    url = postgres.create_database(postgres_template)
    record = a_record(SIGNER, 8, 4)
    ran(url, "db", "roles")
    with Database.open(url) as database, database.transaction() as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        put_entries(connection, record)
        connection.execute(text(f"SET LOCAL ROLE {READONLY}"))
        out = io.BytesIO()
        assert export(connection, put_lines(tmp_path / "kept", record.lines), KEYRING, out).entries == 8
        assert findings(connection, put_lines(tmp_path / "kept", record.lines)) == ()
    postgres.drop_database(url)


def test_the_statements_may_be_run_by_somebody_else(used: str) -> None:
    """`--print` gives what `db roles` would run; the service's own role may not run it, and is told in one line."""
    printed = ran(used, "db", "roles", "--print")
    assert printed.startswith("BEGIN;\n")
    assert printed.endswith("COMMIT;\n")
    assert f"GRANT SELECT, INSERT ON public.audit TO {APP};" in printed
    assert "this user may not make roles or grant" in failed(as_role(used, APP), "db", "roles")


def test_a_database_without_its_triggers_gets_no_roles(postgres: Server) -> None:
    """Before `db upgrade` there is nothing to grant on."""
    url = postgres.create_database()
    assert "run `creditline db upgrade` first" in failed(url, "db", "roles")
    postgres.drop_database(url)


def test_sqlite_has_a_file_mode_instead(tmp_path: Path) -> None:
    """No roles there: the file that `db upgrade` makes is its owner's alone."""
    url = f"sqlite:///{tmp_path / 'new' / 'store.sqlite'}"
    ran(url, "db", "upgrade")
    assert "SQLite has no roles" in failed(url, "db", "roles")
    assert stat.S_IMODE((tmp_path / "new" / "store.sqlite").stat().st_mode) == 0o600

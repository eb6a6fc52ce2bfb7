"""The roles of a PostgreSQL database, and what each may do; SQLite has none, there the file's mode guards the rows.

It does: make `creditline_app`, `creditline_readonly` and `creditline_backup`, which cannot log in themselves, and grant
each what it needs, read from the triggers that the steps made; whoever runs it is the owner. It does not: make users or
passwords. The rule it keeps: a grant is never wider than a trigger, so changing what is kept for good is refused twice.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

APP, READONLY, BACKUP = "creditline_app", "creditline_readonly", "creditline_backup"
_MAY_NOT = "42501"  # PostgreSQL's code
_STEPS = "alembic_version"
# Hashes of secrets, sealed seeds and live sessions: nobody reads these to report.
_SIGN_IN = frozenset({"caller_key", "enrolment", "passkey", "recovery_code", "sign_in", "staff", "staff_session"})
_TABLES = text("""
SELECT c.relname AS name,
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_no_update'
               AND t.tgqual IS NULL) AS frozen,
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_no_delete') AS kept
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
ORDER BY c.relname
""")


class NoRoles(Exception):
    """The database cannot be given roles; the message says why."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A table, and what its triggers refuse: every change, every deletion."""

    name: str
    frozen: bool
    kept: bool

    @property
    def app(self) -> str:
        """What the service may do with it."""
        if self.name == _STEPS:
            return "SELECT"
        return "SELECT, INSERT" + ("" if self.frozen else ", UPDATE") + ("" if self.kept else ", DELETE")


def guarded_tables(connection: Connection) -> tuple[Guarded, ...]:
    """Every table with what its triggers refuse; NoRoles on SQLite, or where the audit chain has no triggers."""
    if connection.dialect.name != "postgresql":
        raise NoRoles("SQLite has no roles: its file is readable by its owner alone")
    tables = tuple(Guarded(*row) for row in connection.execute(_TABLES))
    audit = next((table for table in tables if table.name == "audit"), None)
    if audit is None or not audit.frozen or not audit.kept:
        raise NoRoles("the audit chain is not append-only here: run `creditline db upgrade` first")
    return tables


def statements(connection: Connection) -> tuple[str, ...]:
    """What brings the roles up to date, from any state, in one transaction; see `guarded_tables` for NoRoles."""
    tables = guarded_tables(connection)
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(str(connection.execute(text("SELECT current_schema()")).scalar_one()))
    every = f"{APP}, {READONLY}, {BACKUP}"
    found = [_made(role) for role in (APP, READONLY, BACKUP)]
    found += [
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {every}",
        f"GRANT USAGE ON SCHEMA {schema} TO {every}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {every}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC, {every}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {APP}",
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {BACKUP}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {BACKUP}",
    ]
    for table in tables:
        name = f"{schema}.{quote(table.name)}"
        found.append(f"GRANT {table.app} ON {name} TO {APP}")
        if table.name not in _SIGN_IN:
            found.append(f"GRANT SELECT ON {name} TO {READONLY}")
    return tuple(found)


def apply(connection: Connection) -> None:
    """Bring the roles up to date, as the owner of the tables; NoRoles where that user may not."""
    try:
        for statement in statements(connection):
            connection.exec_driver_sql(statement)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _MAY_NOT:
            raise
        raise NoRoles("this user may not make roles or grant: give the SQL of `--print` to whoever may") from None


def may_rewrite(connection: Connection) -> bool:
    """Whether whoever is connected could change the audit chain but for its triggers; the service should not be."""
    if connection.dialect.name != "postgresql":
        return False
    asked = "SELECT has_table_privilege(current_user, 'audit', 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
    return bool(connection.execute(text(asked)).scalar_one())


def _made(role: str) -> str:
    """Two at once, in two databases of one server, is no error either."""
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; "
        "END IF; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )

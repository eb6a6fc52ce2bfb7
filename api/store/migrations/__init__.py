"""Makes the tables and brings them up to date: one set of steps for SQLite and PostgreSQL.

The program runs them by `upgrade`. The steps are in versions/ and are frozen once released. There is no way
down: rows that must not be deleted cannot be migrated away either, so the way back is a restored backup.
The rule: a step runs whole or not at all.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from api.store.database import Limits, parse
from api.store.sqlite_file import engine_of, secure_file

_MIGRATION_LOCK = 7_310_001  # any number no one else locks in this database


def upgrade(url: str) -> None:
    """Bring the database at this URL to the newest step; several processes may do so at once."""
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def is_current(url: str) -> bool:
    """Whether the database at this URL has had every step: a service refuses to start on one that has not."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            return found == ScriptDirectory.from_config(_config(connection)).get_current_head()
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    target = parse(url)
    if target.get_backend_name() == "sqlite":
        return engine_of(secure_file(str(target.database)), Limits(busy_ms=30_000), begin="BEGIN IMMEDIATE")
    return create_engine(target, poolclass=NullPool)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

"""The steps make exactly the tables that tables.py tells of, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from api.store.database import Database, parse
from api.store.migrations import is_current, upgrade
from api.store.tables import metadata


def test_an_empty_database_is_brought_up_to_date_and_once_is_enough(empty_url: str) -> None:
    """A second upgrade finds nothing to do, and a database without tables is told from a current one."""
    assert not is_current(empty_url)
    upgrade(empty_url)
    assert is_current(empty_url)
    upgrade(empty_url)
    assert is_current(empty_url)


def test_alembic_finds_no_difference_between_steps_and_tables(database: Database) -> None:
    """alembic's own comparison of migrated tables with the metadata is empty."""
    with database.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_checks_keys_and_indexes_are_the_same_too(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What alembic does not compare, CHECKs above all, is equal to what the metadata would create."""
    if url.startswith("sqlite"):
        other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    else:
        other = request.getfixturevalue("postgres").create_database()
    engine = create_engine(parse(other), poolclass=NullPool)
    metadata.create_all(engine)
    with Database.open(url) as database, database.transaction() as migrated, engine.connect() as made:
        assert _shape(migrated) == _shape(made)
    if not url.startswith("sqlite"):
        request.getfixturevalue("postgres").drop_database(other)


def _shape(connection: Connection) -> dict[str, object]:
    inspector = inspect(connection)
    return {
        table: (
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            inspector.get_pk_constraint(table),
            sorted((check["name"] or "", check["sqltext"]) for check in inspector.get_check_constraints(table)),
            sorted((key["name"] or "", key["column_names"]) for key in inspector.get_unique_constraints(table)),
            sorted(repr(sorted(key.items())) for key in inspector.get_foreign_keys(table)),
            sorted(
                (
                    index["name"] or "",
                    index["column_names"],
                    [(name, str(value)) for name, value in sorted(index["dialect_options"].items())],
                )
                for index in inspector.get_indexes(table)
            ),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_a_step_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    """With the last table in the way the upgrade fails, and none of the tables before it exists."""
    engine = create_engine(parse(empty_url), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE brake (id INTEGER)"))
    with pytest.raises(DBAPIError):
        upgrade(empty_url)
    assert inspect(engine).get_table_names() == ["brake"]


def test_several_processes_may_upgrade_at_once(empty_url: str) -> None:
    """Four upgrades at the same moment end without an error in a current database."""
    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(upgrade, empty_url) for _ in range(4)]:
            each.result()
    assert is_current(empty_url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "sqlite:///x?mode=ro"])
def test_other_databases_are_refused_by_name(url: str) -> None:
    """A database in memory would be another one for each connection; MySQL is not supported at all."""
    with pytest.raises(ValueError, match=r"SQLite"):
        Database.open(url)

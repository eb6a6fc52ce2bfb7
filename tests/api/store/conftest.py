"""The store's tests run on both databases, each on tables of its own, migrated and empty."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.store.database import Database
from api.store.migrations import upgrade
from tests.support.postgres import Server, running_server

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running PostgreSQL server."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> Iterator[str]:
    """A migrated database that nobody connects to, to be copied: that is quicker than migrating each time."""
    url = postgres.create_database()
    upgrade(url)
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'store.sqlite')}"


@pytest.fixture
def postgres_url(postgres: Server, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database."""
    url = postgres.create_database(postgres_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind."""
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, opened."""
    with Database.open(url) as opened:
        yield opened

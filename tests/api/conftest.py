"""What the tests of the shell share: databases of both kinds, a market, the service in process and on a socket."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.store.migrations import upgrade
from tests.support.postgres import Server as PostgresServer
from tests.support.postgres import running_server
from tests.support.server import Server, serving
from tests.support.service import Service, opened, telling
from training.simulate import write_market

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
BUSINESSES = 60


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[str]:
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


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'store.sqlite')}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database."""
    url = postgres.create_database(postgres_template)
    yield url
    postgres.leave_database(url)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind."""
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market of sixty made-up businesses."""
    path = tmp_path_factory.mktemp("market") / "market.sqlite"
    write_market(path, count=BUSINESSES, seed=11)
    return path


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    """The service on either database; everyone is the ordinary, healthy business, and the clock stands still."""
    with telling(url) as running:
        yield running


@pytest.fixture
def lone_service(sqlite_url: str) -> Iterator[Service]:
    """The same on SQLite alone, where the database makes no difference."""
    with telling(sqlite_url) as running:
        yield running


@pytest.fixture
def market_service(sqlite_url: str, market: Path) -> Iterator[Service]:
    """The service as it is set up for development: the champion, the market, the real clock."""
    with opened(sqlite_url, market=market) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, market: Path) -> Iterator[Server]:
    """`creditline serve --development` on a real socket; whatever the tests send, it never logs a traceback."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(sqlite_template, folder / "store.sqlite")
    with serving(f"sqlite:///{folder / 'store.sqlite'}", folder, market) as running:
        yield running
        assert "Traceback" not in running.log
        assert "internal_error" not in running.log

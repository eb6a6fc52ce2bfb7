"""The store's tests run on both databases, each on tables of its own; the folder above says where they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.store.database import Database
from tests.support.postgres import Server

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.leave_database(url)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, opened."""
    with Database.open(url) as opened:
        yield opened

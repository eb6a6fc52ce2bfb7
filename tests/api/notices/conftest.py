"""What the tests of notices share."""

from collections.abc import Iterator

import pytest

from api.store.database import Database
from tests.support.service import Clock


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database of either kind, opened."""
    with Database.open(url) as opened:
        yield opened


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[Database]:
    """The same on SQLite alone, where the database makes no difference."""
    with Database.open(sqlite_url) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test moves it."""
    return Clock()

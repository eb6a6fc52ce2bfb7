"""The tests of staff sign-in: a door on either database, and on SQLite alone where the database makes no difference."""

from collections.abc import Iterator

import pytest

from tests.support.staffing import House, house


@pytest.fixture
def both(url: str) -> Iterator[House]:
    """A door over either database."""
    with house(url) as opened:
        yield opened


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[House]:
    """A door over SQLite."""
    with house(sqlite_url) as opened:
        yield opened

"""Houses for applicants: on either database, and on SQLite alone where the database makes no difference."""

from collections.abc import Iterator

import pytest

from tests.support.applying import House, house


@pytest.fixture
def either(url: str) -> Iterator[House]:
    """The ordinary, healthy business on either database."""
    with house(url) as found:
        yield found


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[House]:
    """The same on SQLite alone."""
    with house(sqlite_url) as found:
        yield found

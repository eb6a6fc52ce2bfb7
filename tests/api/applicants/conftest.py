"""Lobbies on either database, and on SQLite alone where the database makes no difference."""

from collections.abc import Iterator

import pytest

from tests.support.applying import House, house
from tests.support.lobbying import Foyer, foyer


@pytest.fixture
def either(url: str) -> Iterator[Foyer]:
    """A lobby over either database."""
    with foyer(url) as found:
        yield found


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[Foyer]:
    """A lobby over SQLite."""
    with foyer(sqlite_url) as found:
        yield found


@pytest.fixture
def both(url: str) -> Iterator[House]:
    """The whole service with its pages, over either database."""
    with house(url) as found:
        yield found


@pytest.fixture
def pages(sqlite_url: str) -> Iterator[House]:
    """The whole service with its pages, over SQLite."""
    with house(sqlite_url) as found:
        yield found

"""The office of a service whose applications are referred, on either database, and the console of one on SQLite."""

from collections.abc import Iterator

import pytest

from tests.support.referring import TAX, Referring
from tests.support.service import telling


@pytest.fixture
def referring(url: str) -> Iterator[Referring]:
    """Referred for overdue tax, on either database."""
    with telling(url, TAX) as service:
        yield Referring.of(service)


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[Referring]:
    """The same on SQLite alone."""
    with telling(sqlite_url, TAX) as service:
        yield Referring.of(service)

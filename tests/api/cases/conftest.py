"""An office on either database, and one on SQLite alone where the database makes no difference."""

from collections.abc import Iterator

import pytest

from tests.support.deskwork import Office
from tests.support.service import Service, telling


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    """Three members of staff over either database."""
    with telling(url) as service:
        yield Office.of(service)


@pytest.fixture
def lone_office(lone_service: Service) -> Office:
    """The same on SQLite alone."""
    return Office.of(lone_service)

"""The samples of the console on a loopback port and a browser to look at them; the floor of a whole service."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium
from tests.support.console_samples.floor import Floor
from tests.support.console_samples.floor import floor as opened_floor
from tests.support.console_samples.serving import Served, serving
from tests.support.service import Service


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The samples on a loopback port."""
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; each visit has a window of its own."""
    with chromium() as running:
        yield running


@pytest.fixture
def floor(lone_service: Service) -> Iterator[Floor]:
    """The console of a service on SQLite."""
    with opened_floor(lone_service) as found:
        yield found

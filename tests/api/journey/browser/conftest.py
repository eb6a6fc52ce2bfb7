"""The real service beside the real sandbox, once a module, and a browser to look at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium
from tests.support.journeying.staging import Stage, staged
from tests.support.postgres import Server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; each visit has a window of its own."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Stage]:
    """On SQLite; not started where there is no browser to look at it."""
    folder = tmp_path_factory.mktemp("journey")
    shutil.copy(sqlite_template, folder / "store.sqlite")
    with staged(f"sqlite:///{folder / 'store.sqlite'}", folder) as running:
        yield running
        assert "Traceback" not in running.server.log
        assert "internal_error" not in running.server.log


@pytest.fixture
def postgres_stage(browser: Browser, postgres: Server, postgres_template: str, tmp_path: Path) -> Iterator[Stage]:
    """On PostgreSQL."""
    url = postgres.create_database(postgres_template)
    with staged(url, tmp_path) as running:
        yield running
        assert "internal_error" not in running.server.log
    postgres.drop_database(url)

"""Several workers over one PostgreSQL: they share nothing else, and any of them tells the figures of all."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.store.migrations import upgrade
from tests.support.postgres import Server as Postgres
from tests.support.server import SERVE, Server, serving
from tests.support.service import fresh_key, market_bodies

_RESPAWN_S = 60.0


@pytest.fixture
def server(postgres: Postgres, market: Path, tmp_path: Path) -> Iterator[Server]:
    """The service with two workers."""
    url = postgres.create_database()
    upgrade(url)
    with serving(url, tmp_path, market, (*SERVE, "--workers", "2")) as running:
        yield running
    postgres.drop_database(url)


@pytest.mark.postgres
def test_any_worker_tells_the_figures_of_all_and_of_the_dead(server: Server, market: Path) -> None:
    """Every decision and one release, whoever is asked: before a worker is killed, and after another took its place."""
    bodies = market_bodies(market)
    for body in bodies[:6]:
        assert server.apply(body).status_code == 201
    assert {_told(server) for _ in range(6)} == {(6, 1)}
    first = _workers(server)
    os.kill(first[0], signal.SIGKILL)
    for body in bodies[6:9]:
        assert _surely(server, body).status_code == 201
    give_up = time.monotonic() + _RESPAWN_S
    while len(now := _workers(server)) < len(first) or now == first:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    assert {_told(server) for _ in range(6)} == {(9, 1)}


def _told(server: Server) -> tuple[int, int]:
    """How many decisions and how many releases /metrics tells of."""
    families = {each.name: each for each in text_string_to_metric_families(_metrics(server))}
    decided = sum(each.value for each in families["creditline_decisions"].samples if each.name.endswith("_total"))
    return int(decided), len(families["creditline_release_info"].samples)


def _metrics(server: Server) -> str:
    return server.ask("GET", "/metrics").text


def _surely(server: Server, body: dict[str, Any]) -> httpx.Response:
    """Send an application until it is answered: a connection may be one that the killed worker had taken."""
    key = fresh_key()
    while True:
        try:
            return server.apply(body, key)
        except httpx.TransportError:
            time.sleep(0.1)


def _workers(server: Server) -> list[int]:
    """The processes that the server has started and that run."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                state, parent, *_ = (each / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if int(parent) == server.pid and state != "Z":
                found.append(int(each.name))
    return sorted(found)

"""How many durable decisions a second, how late at which part of that, and what a second worker brings.

It does: find the capacity in closed loop, then send at parts of it in open loop; let one and two workers on PostgreSQL
take turns; replay what was recorded. It does not: draw (`plots` does). The rule it keeps: latency counts from the
moment a request was meant to be sent, and each stretch starts on a service with room for it.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import models
from api.replay import replay_row
from api.store import queries as store
from api.store.database import Database
from benchmarks import traffic
from benchmarks.chaining import syncing_server
from benchmarks.durable.loaded import Kept, Load, kept, kept_of, load, warm
from benchmarks.http.capacity import loaded
from benchmarks.http.load import Plan
from benchmarks.processes import scratch
from benchmarks.service import Service
from benchmarks.unguarded import unguarded

CONNECTIONS = 16
SQLITE, ONE, TWO = "SQLite, 1 worker", "PostgreSQL, 1 worker", "PostgreSQL, 2 workers"


@dataclass(frozen=True, slots=True)
class Size:
    """How long to measure."""

    capacity_seconds: float = 5.0
    rounds: int = 3
    half_seconds: float = 30.0
    shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.65, 0.8, 0.9, 1.0)
    share_seconds: float = 8.0
    replays: int = 1_000


@dataclass(frozen=True, slots=True)
class Durable:
    """All of it; rates are decisions a second, a figure a round."""

    capacity: Mapping[str, Sequence[float]]
    half: Load
    curve: Sequence[Load]
    kept: Kept
    replayed: int
    replays_a_second: float

    def rate(self, name: str) -> float:
        """Median capacity."""
        return median(self.capacity[name])


def measure(size: Size) -> Durable:
    """Measure; Lost where an acknowledged decision is not in the database."""
    with scratch() as folder:
        market = folder / "market.sqlite"
        traffic.make_market(market)
        with warm(folder / "capacity", market) as (service, bodies):
            rates = _capacity(service, bodies, size)
            url = service.database_url
        replayed, a_second = _replay(url, size.replays)
        rate = median(rates)
        with warm(folder / "half", market) as (service, bodies):
            half = load(service, bodies, rate=rate / 2, seconds=size.half_seconds, seed=300)
            held = kept_of(service, bodies, [half])
        curve = _curve(folder, market, rate, size)
        capacity = {SQLITE: rates, **_workers(folder, market, size)}
    return Durable(capacity, half, curve, held, replayed, a_second)


def _capacity(service: Service, bodies: Sequence[str], size: Size) -> list[float]:
    """Decisions a second with 16 requests always on their way."""
    rounds = [_closed(service, bodies, size.capacity_seconds) for _ in range(size.rounds)]
    refused = sum(sum(each["others"].values()) for each in rounds)
    kept(service, len(bodies) + sum(each["sent"] for each in rounds) - refused, refused)
    return [each["answered"] / each["seconds"] for each in rounds]


def _closed(service: Service, bodies: Sequence[str], seconds: float) -> dict[str, Any]:
    plan = Plan(service.port, tuple(bodies), seconds, connections=CONNECTIONS, run=secrets.token_hex(8))
    return loaded(plan, core=None)


def _curve(folder: Path, market: Path, rate: float, size: Size) -> list[Load]:
    """Latency at parts of the capacity, on two services, so that no business reaches the most lent to it."""
    found: list[Load] = []
    middle = (len(size.shares) + 1) // 2 + 1
    for part, shares in enumerate((size.shares[:middle], size.shares[middle:])):
        with warm(folder / f"curve-{part}", market) as (service, bodies):
            some = [
                load(service, bodies, rate=rate * share, seconds=size.share_seconds, seed=400 + place)
                for place, share in enumerate(shares)
            ]
            kept_of(service, bodies, some)
        found += some
    return found


def _workers(folder: Path, market: Path, size: Size) -> dict[str, list[float]]:
    """One and two workers on PostgreSQL that waits for the disk, in turn; the idle service sleeps."""
    rates: dict[str, list[float]] = {ONE: [], TWO: []}
    with ExitStack() as stack:
        server = stack.enter_context(syncing_server(folder / "postgres"))
        running = {
            name: stack.enter_context(
                warm(folder / f"workers-{workers}", market, server.create_database(), workers)
            )
            for name, workers in ((ONE, 1), (TWO, 2))
        }  # fmt: skip
        for turn in range(size.rounds):
            for name in (ONE, TWO) if turn % 2 else (TWO, ONE):
                service, bodies = running[name]
                counted = _closed(service, bodies, size.capacity_seconds)
                rates[name].append(counted["answered"] / counted["seconds"])
    return rates


def _replay(url: str, most: int) -> tuple[int, float]:
    """Recorded decisions made again, one after another in this process; ValueError where a byte differs."""
    release, engine = unguarded(models.champion()), models.engine_digest()
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        rows = [row for row, _ in zip(store.decisions_since(connection, 0), range(most), strict=False)]
        began = time.perf_counter()
        for row in rows:
            again = replay_row(connection, row, lambda name: release, engine)
            if not again.match:
                raise ValueError(f"a replay differs: {again.difference}")
        return len(rows), len(rows) / (time.perf_counter() - began)

"""The durable decision over HTTP: latency at a steady rate.

It does: load the real service from another process and count what it kept. It does not: tune the service. The rule
it keeps: every reply of 201 is a row in the database afterwards, or the run is void.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import traffic
from benchmarks.durable.loaded import Kept, Load, kept_of, load, pooled, warm
from benchmarks.processes import scratch
from benchmarks.samples import Timing
from benchmarks.service import Service

_TURNS = 4


@dataclass(frozen=True, slots=True)
class Serving:
    """All of it."""

    rate: float
    seconds: float
    health: Sequence[Load]
    decisions: Sequence[Load]
    plain: Timing
    stated: Timing
    statement_bytes: int
    kept: Kept
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Size:
    """How long to measure."""

    rate: float = 100.0
    seconds: float = 30.0
    health_seconds: float = 10.0
    rounds: int = 3
    one_by_one: int = 6  # a turn, four turns; more would reach the most lent to one business


def measure(size: Size) -> Serving:
    """Load, count, in turn; Lost where an acknowledged decision is not in the database."""
    with scratch() as folder:
        market = folder / "market.sqlite"
        traffic.make_market(market)
        with warm(folder / "steady", market) as (service, bodies):
            before = service.stages()
            health, decisions = _steady(service, bodies, size)
            stages = _stage_ms(before, service.stages())
            kept = kept_of(service, bodies, decisions)
        with warm(folder / "one-by-one", market) as (service, bodies):
            statement = traffic.with_statement(market, service.key)
            plain, stated = _one_by_one(service, bodies, statement, size.one_by_one)
            kept_of(service, bodies, [*plain, *stated])
    return Serving(
        rate=size.rate, seconds=size.seconds, health=health, decisions=decisions,
        plain=pooled(plain), stated=pooled(stated), statement_bytes=len(statement.encode()),
        kept=kept, stages=stages,
    )  # fmt: skip


def _steady(service: Service, bodies: list[str], size: Size) -> tuple[list[Load], list[Load]]:
    health, decisions = [], []
    for turn in range(size.rounds):
        asked = (traffic.HEALTH,)
        health.append(load(service, asked, rate=size.rate, seconds=size.health_seconds, seed=turn))
        decisions.append(load(service, bodies, rate=size.rate, seconds=size.seconds, seed=100 + turn))
    return health, decisions


def _one_by_one(service: Service, bodies: list[str], statement: str, count: int) -> tuple[list[Load], list[Load]]:
    """One request at a time, with and without a statement in it, in turn."""
    plain, stated = [], []
    for turn in range(_TURNS):
        plain.append(load(service, bodies[turn * count :][:count], rate=0, count=count))
        stated.append(load(service, (statement,), rate=0, count=count))
    return plain, stated


def _stage_ms(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Mean milliseconds of each stage between two readings of the service's metrics."""
    return {
        stage: (seconds - before[stage][0]) * 1_000 / max(count - before[stage][1], 1)
        for stage, (seconds, count) in after.items()
    }

"""The durable decision over HTTP: latency at a steady rate, where it bends, memory, and time to the first one.

It does: load the real service from another process and count what it kept. It does not: tune the service. The rule
it keeps: every reply of 201 is a row in the database afterwards, or the run is void.
"""

import json
import secrets
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import traffic
from benchmarks.arrivals import Plan
from benchmarks.machine import ROOT
from benchmarks.processes import Memory, memory, processor_seconds, scratch
from benchmarks.samples import Timing
from benchmarks.service import BARE, UNGUARDED, Service, serving

_TURNS = 4
_BENT_MS = 1_500.0  # a step whose median is slower ends the ramp: most of the 2,000 ms a request has are waiting


class Lost(AssertionError):
    """The database does not hold what the service acknowledged."""


@dataclass(frozen=True, slots=True)
class Load:
    """One stretch of load: what was asked, what came back, what it cost the worker."""

    rate: float
    sent: int
    status: Mapping[str, int]
    latencies_ms: tuple[float, ...]
    late_p99_ms: float
    a_second: float
    cpu_ms: float  # of the worker, a request

    @property
    def latency(self) -> Timing:
        """Quantiles of the latency."""
        return Timing.of(self.latencies_ms)

    @property
    def errors(self) -> dict[str, int]:
        """Replies other than 200 and 201, and requests without one, by kind."""
        return {status: count for status, count in self.status.items() if status not in {"200", "201"}}


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds at the end, beside the replies of 201."""

    acknowledged: int
    decisions: int
    keys: int
    audit: int
    outcomes: Mapping[str, int]
    scored: int


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from starting a server to its first answer, and memory before any load."""

    seconds: float
    memory: Memory


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
    ramp: Sequence[Load]
    kept: Kept
    stages: Mapping[str, float]
    worker: Memory
    parent: Memory
    starts: Sequence[Start]
    bare_starts: Sequence[Start]


@dataclass(frozen=True, slots=True)
class Size:
    """How long to measure."""

    rate: float = 100.0
    seconds: float = 30.0
    health_seconds: float = 10.0
    rounds: int = 3
    one_by_one: int = 6  # a turn, four turns; more would reach the most lent to one business
    ramp: tuple[int, ...] = (50, 100, 150, 200, 300)
    ramp_seconds: float = 8.0
    starts: int = 5


def measure(size: Size) -> Serving:
    """Start, load, count, in turn; Lost where an acknowledged decision is not in the database."""
    with scratch() as folder:
        market = folder / "market.sqlite"
        traffic.make_market(market)
        starts, bare = _starts(folder, market, size.starts)
        with _warm(folder / "steady", market) as (service, bodies):
            before = service.stages()
            health, decisions = _steady(service, bodies, size)
            stages = _stage_ms(before, service.stages())
            worker, parent = memory(service.worker()), memory(service.process.pid)
            kept = _kept(service, bodies, decisions)
        with _warm(folder / "one-by-one", market) as (service, bodies):
            statement = traffic.with_statement(market, service.key)
            plain, stated = _one_by_one(service, bodies, statement, size.one_by_one)
            _kept(service, bodies, [*plain, *stated])
        with _warm(folder / "ramp", market) as (service, bodies):
            ramp = _ramp(service, bodies, size)
            _kept(service, bodies, ramp)
    return Serving(
        rate=size.rate, seconds=size.seconds, health=health, decisions=decisions,
        plain=pooled(plain), stated=pooled(stated), statement_bytes=len(statement.encode()),
        ramp=ramp, kept=kept, stages=stages, worker=worker, parent=parent, starts=starts, bare_starts=bare,
    )  # fmt: skip


def _starts(folder: Path, market: Path, count: int) -> tuple[list[Start], list[Start]]:
    """Start the service and a bare server in turn; the first start of a fresh folder makes the database."""
    place = folder / "starts"
    place.mkdir()
    with serving(place, UNGUARDED, market=market) as service:
        service.await_reply(_get(service, "/ready"), 200)
        key = service.key
    body = traffic.applications(market, key)[0]
    starts, bare = [], []
    for _ in range(count):
        with serving(place, UNGUARDED, market=market) as service:
            seconds = service.await_reply(_post(service, body), 201)
            starts.append(Start(seconds, memory(service.worker())))
        with serving(place, BARE) as service:
            seconds = service.await_reply(_get(service, "/health"), 200)
            bare.append(Start(seconds, memory(service.worker())))
    return starts, bare


@contextmanager
def _warm(folder: Path, market: Path) -> Iterator[tuple[Service, list[str]]]:
    """A fresh service that has decided each business once, so that its sources are in memory."""
    folder.mkdir()
    with serving(folder, UNGUARDED, market=market) as service:
        service.await_reply(_get(service, "/ready"), 200)
        bodies = traffic.applications(market, service.key)
        warm = _load(service, bodies, rate=0, count=len(bodies))
        if warm.status != {"201": len(bodies)}:
            raise Lost(f"warming up: {dict(warm.status)}")
        yield service, bodies


def _steady(service: Service, bodies: list[str], size: Size) -> tuple[list[Load], list[Load]]:
    health, decisions = [], []
    for turn in range(size.rounds):
        asked = (traffic.HEALTH,)
        health.append(_load(service, asked, rate=size.rate, seconds=size.health_seconds, seed=turn))
        decisions.append(_load(service, bodies, rate=size.rate, seconds=size.seconds, seed=100 + turn))
    return health, decisions


def _one_by_one(service: Service, bodies: list[str], statement: str, count: int) -> tuple[list[Load], list[Load]]:
    """One request at a time, with and without a statement in it, in turn."""
    plain, stated = [], []
    for turn in range(_TURNS):
        plain.append(_load(service, bodies[turn * count :][:count], rate=0, count=count))
        stated.append(_load(service, (statement,), rate=0, count=count))
    return plain, stated


def _ramp(service: Service, bodies: list[str], size: Size) -> list[Load]:
    steps = []
    for place, rate in enumerate(size.ramp):
        steps.append(_load(service, bodies, rate=rate, seconds=size.ramp_seconds, seed=200 + place))
        if steps[-1].latency.p50_ms > _BENT_MS:
            break
    return steps


def _load(
    service: Service, requests: Sequence[str], *, rate: float, seconds: float = 0, count: int = 0, seed: int = 0
) -> Load:
    """Run the client in its own process and sum up what came back."""
    plan = Plan(service.port, seed, rate, seconds, tuple(requests), count, secrets.token_hex(8))
    worker = service.worker()
    before = processor_seconds(worker)
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.arrivals"),
        cwd=ROOT, input=json.dumps(asdict(plan)), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    replies = json.loads(done.stdout)
    sent = sum(replies["status"].values())
    return Load(
        rate=rate,
        sent=sent,
        status=replies["status"],
        latencies_ms=tuple(replies["latency_ms"]),
        late_p99_ms=Timing.of(replies["late_ms"]).p99_ms,
        a_second=sent / replies["seconds"],
        cpu_ms=(processor_seconds(worker) - before) * 1_000 / sent,
    )


def pooled(loads: Sequence[Load]) -> Timing:
    """Quantiles over several stretches together."""
    return Timing.of([latency for load in loads for latency in load.latencies_ms])


def _kept(service: Service, warm: Sequence[str], loads: Sequence[Load]) -> Kept:
    """Count the rows; Lost unless there is one of each kind to every reply of 201, the warming up's included.

    A 503 may say that the outcome is not known yet: such a request may have been kept. A 504 surely was not.
    """
    acknowledged = len(warm) + sum(load.status.get("201", 0) for load in loads)
    unknown = sum(load.status.get("503", 0) for load in loads)
    with closing(sqlite3.connect(f"{service.database.as_uri()}?mode=ro", uri=True)) as connection:

        def count(query: str) -> int:
            return int(connection.execute(query).fetchone()[0])

        kept = Kept(
            acknowledged=acknowledged,
            decisions=count("SELECT count(*) FROM decision"),
            keys=count("SELECT count(*) FROM idempotency WHERE decision_id IS NOT NULL"),
            audit=count("SELECT count(*) FROM audit"),
            outcomes=dict(
                connection.execute("SELECT outcome, count(*) FROM decision GROUP BY outcome ORDER BY 2 DESC")
            ),
            scored=count("SELECT count(*) FROM decision WHERE pd IS NOT NULL"),
        )
    if not (kept.decisions == kept.keys == kept.audit and 0 <= kept.decisions - acknowledged <= unknown):
        raise Lost(f"{acknowledged} replies of 201, {unknown} of 503, but {kept}")
    return kept


def _stage_ms(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Mean milliseconds of each stage between two readings of the service's metrics."""
    return {
        stage: (seconds - before[stage][0]) * 1_000 / max(count - before[stage][1], 1)
        for stage, (seconds, count) in after.items()
    }


def _get(service: Service, path: str) -> urllib.request.Request:
    return urllib.request.Request(f"http://127.0.0.1:{service.port}{path}")


def _post(service: Service, text: str) -> urllib.request.Request:
    """A prepared request for the standard library's client."""
    head, _, body = text.replace("{key}", secrets.token_hex(16), 1).partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    method, path, _ = first.split()
    url = f"http://127.0.0.1:{service.port}{path}"
    return urllib.request.Request(url, data=body.encode(), headers=headers, method=method)

"""A warm service under load: what is sent, what comes back, and what the database holds afterwards.

It does: start a service that has decided each business once, load it from another process in open loop, and count its
rows. It does not: choose how much load. The rule it keeps: every reply of 201 is a row in the database afterwards, or
the run is void.
"""

import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from benchmarks import traffic
from benchmarks.arrivals import Plan
from benchmarks.machine import ROOT
from benchmarks.processes import processor_seconds
from benchmarks.samples import Timing
from benchmarks.service import UNGUARDED, Service, serving


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


@contextmanager
def warm(
    folder: Path, market: Path, database: str | None = None, workers: int = 1
) -> Iterator[tuple[Service, list[str]]]:
    """A fresh service that has decided each business once, so that its sources are in memory."""
    folder.mkdir()
    with serving(folder, UNGUARDED, market=market, database=database, workers=workers) as service:
        service.await_reply(get(service, "/ready"), 200)
        bodies = traffic.applications(market, service.key)
        first = load(service, bodies, rate=0, count=len(bodies))
        if first.status != {"201": len(bodies)}:
            raise Lost(f"warming up: {dict(first.status)}")
        yield service, bodies


def load(
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


def kept(service: Service, acknowledged: int, unknown: int) -> Kept:
    """Count the rows; Lost unless there is one of each kind to every reply of 201.

    A 503 may say that the outcome is not known yet: such a request may have been kept. A 504 surely was not.
    """
    engine = create_engine(service.database_url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:

        def count(query: str) -> int:
            return int(connection.execute(text(query)).scalar_one())

        outcomes = connection.execute(text("SELECT outcome, count(*) FROM decision GROUP BY outcome ORDER BY 2 DESC"))
        found = Kept(
            acknowledged=acknowledged,
            decisions=count("SELECT count(*) FROM decision"),
            keys=count("SELECT count(*) FROM idempotency WHERE decision_id IS NOT NULL"),
            audit=count("SELECT count(*) FROM audit"),
            outcomes={str(outcome): int(number) for outcome, number in outcomes},
            scored=count("SELECT count(*) FROM decision WHERE pd IS NOT NULL"),
        )
    if not (found.decisions == found.keys == found.audit and 0 <= found.decisions - acknowledged <= unknown):
        raise Lost(f"{acknowledged} replies of 201, {unknown} of 503, but {found}")
    return found


def kept_of(service: Service, before: Sequence[str], loads: Sequence[Load]) -> Kept:
    """The same after some stretches of load, `before` having been decided in warming up."""
    acknowledged = len(before) + sum(each.status.get("201", 0) for each in loads)
    return kept(service, acknowledged, sum(each.status.get("503", 0) for each in loads))


def get(service: Service, path: str) -> urllib.request.Request:
    return urllib.request.Request(f"http://127.0.0.1:{service.port}{path}")


def post(service: Service, written: str) -> urllib.request.Request:
    """A prepared request for the standard library's client."""
    head, _, body = written.replace("{key}", secrets.token_hex(16), 1).partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    method, path, _ = first.split()
    url = f"http://127.0.0.1:{service.port}{path}"
    return urllib.request.Request(url, data=body.encode(), headers=headers, method=method)

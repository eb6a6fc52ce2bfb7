"""Applications sent one after another to a running service, each with what its conversations took.

It does: write the bodies, send them on one connection, and read the service's own figures around each. It does not:
start a source, or draw arrivals (benchmarks.arrivals does). The rule it keeps: anything but a decision ends the run.
"""

import http.client
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from api.commands import example_body
from api.routes.decisions import APPLICATIONS
from api.sources.bank import PAGE_SIZE
from api.sources.ladder import FREE
from api.sources.market import MarketFile
from benchmarks.service import Service, serving
from benchmarks.traffic import BUSINESSES

PATIENT_MS = 10_000
_PENDING = 2  # rows that the sandbox adds to each account
_LIST = "creditline_sanctions_list_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Business:
    """A request body, and how many round trips one after another its bank takes."""

    abn: str
    body: bytes
    trips: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One durable decision: the client's clock, and the conversations by the service's, all milliseconds."""

    ms: float
    outcome: str
    exchanges: Mapping[str, float]

    @property
    def rungs_ms(self) -> float:
        """The slowest conversation of the first rung and that of the second, by the service's clock."""
        return max(self.exchanges.get(name, 0.0) for name in FREE) + self.exchanges.get("bureau", 0.0)


class Client:
    """One connection to a service, one request at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENT_MS / 1_000 + 5)
        self._headers = {"Authorization": f"Bearer {service.key}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, business: Business, deadline_ms: int | None) -> Reply:
        """Apply, with the default budget where none is given; ConnectionError for anything but a decision."""
        headers = {**self._headers, "Idempotency-Key": f"bench-{business.abn}"}
        if deadline_ms is not None:
            headers["Request-Deadline-Ms"] = str(deadline_ms)
        before = _exchanges(self.service)
        started = time.perf_counter()
        self._connection.request("POST", APPLICATIONS, business.body, headers)
        reply = self._connection.getresponse()
        body = reply.read()
        took = (time.perf_counter() - started) * 1_000
        if reply.status != 201:
            said = (self.service.folder / "server.log").read_text(errors="replace")[-2_000:]
            raise ConnectionError(f"status {reply.status} from the server, which said last: {said}")
        after = _exchanges(self.service)
        exchanges = {name: (after[name] - before.get(name, 0.0)) * 1_000 for name in after}
        told: dict[str, Any] = json.loads(body)
        return Reply(took, str(told["outcome"]), {name: ms for name, ms in exchanges.items() if ms > 0})


@contextmanager
def client_of(folder: Path, market: Path | None = None, sandbox: str | None = None) -> Iterator[Client]:
    """A service that is ready, with its sanctions list where it has one to load."""
    with serving(folder, market=market, sandbox=sandbox) as service:
        service.await_reply(urllib.request.Request(f"http://127.0.0.1:{service.port}/ready"), 200)
        until = time.monotonic() + 60
        while sandbox is not None and service.series()[_LIST] == 0:
            if time.monotonic() > until:
                raise TimeoutError("the sanctions list was not loaded")
            time.sleep(0.05)
        with Client(service) as client:
            yield client


def _exchanges(service: Service) -> dict[str, float]:
    """Seconds of all conversations with each source so far, however they ended."""
    found: dict[str, float] = {}
    for name, seconds in service.series().items():
        if name.startswith("creditline_source_seconds_sum{"):
            source = name.split('source="')[1].partition('"')[0]
            found[source] = found.get(source, 0.0) + seconds
    return found


def businesses_of(market: Path, count: int) -> list[Business]:
    """The first businesses of the market whose bank is connected."""
    now, found = datetime.now(UTC), dict[str, Business]()
    with MarketFile.open(market) as file:
        for index in range(BUSINESSES):
            body = example_body(market, index, now)
            abn = body["business"]["abn"]
            facts = file.facts_for(abn) if abn not in found else None
            if facts is not None and facts.bank.value is not None:
                most = int(np.bincount(facts.bank.value.transactions["account"]).max(initial=0)) + _PENDING
                found[abn] = Business(abn, json.dumps(body).encode(), 2 if most <= PAGE_SIZE else 3)
            if len(found) == count:
                break
    return list(found.values())

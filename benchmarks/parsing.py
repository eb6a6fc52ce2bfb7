"""`python -m benchmarks.parsing`: what parsing documents costs the decisions that are made meanwhile.

It does: load one service with applications at a steady rate, in turn while documents are inspected and checked without
a pause and while none is, and print both and their ratio. It does not: measure how long a document takes. The rule it
keeps: both are of one run of one service, turn about, and each stretch with documents ends with none left.

Documents are sent over HTTP beside the load, so their reception is in the figures too. The service runs on SQLite, as
`creditline serve --development` does, with the guards off.
"""

import argparse
import json
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from statistics import median
from typing import Any

from benchmarks import traffic
from benchmarks.durable.loaded import Load, load, pooled, post, warm
from benchmarks.machine import Machine
from benchmarks.processes import scratch
from benchmarks.samples import Timing
from benchmarks.service import Service
from tests.support.hostile import pictures
from tests.support.hostile.honest import statement

GOAL = 2.0
_KIND = "bank_account_proof"
_A_CASE = 25  # documents, below what a case may send in a day
_WAITING = 3  # documents that always wait while a stretch lasts
_DRAIN_SECONDS = 300.0
_UNSEEN = "SELECT count(*) FROM document WHERE state IN ('received', 'quarantined', 'clean')"
_SEEN = "SELECT state, count(*) FROM document GROUP BY state"


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: requests a second, seconds a stretch, pairs of stretches, cases that take documents."""

    rate: float = 60.0
    seconds: float = 20.0
    rounds: int = 6
    cases: int = 40


QUICK = Size(rate=20.0, seconds=5.0, rounds=2, cases=4)


@dataclass
class Papers:
    """Sends documents so that some always wait: statements of ten pages with text, and photographs of 12 megapixels."""

    service: Service
    cases: Sequence[str]
    sent: int = 0
    kinds: Sequence[tuple[bytes, str]] = field(
        default_factory=lambda: (
            (statement(10), "application/pdf"),
            (pictures.saved(pictures.scene((4_000, 3_000)), "JPEG"), "image/jpeg"),
        )
    )

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Documents are parsed for as long as the block lasts, and all of them have been at its end."""
        over, failures = threading.Event(), list[BaseException]()

        def keep_sending() -> None:
            try:
                while not over.wait(0.1):
                    if self.unseen() < _WAITING:
                        self._send()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=keep_sending)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if failures:
            raise failures[0]
        until = time.monotonic() + _DRAIN_SECONDS
        while self.unseen():
            if time.monotonic() > until:
                raise TimeoutError("documents wait that nobody looks at")
            time.sleep(0.1)

    def unseen(self) -> int:
        """How many nobody has looked at."""
        return int(self._rows(_UNSEEN)[0][0])

    def states(self) -> dict[str, int]:
        """How many documents there are in each state."""
        return dict(self._rows(_SEEN))

    def _rows(self, query: str) -> list[Any]:
        with closing(
            sqlite3.connect(f"file:{self.service.folder}/var/creditline.sqlite?mode=ro", uri=True)
        ) as connection:
            return connection.execute(query).fetchall()

    def _send(self) -> None:
        """The next document, each a file of its own."""
        content, media_type = self.kinds[self.sent % len(self.kinds)]
        mark = b"\n%%%d" % self.sent if media_type == "application/pdf" else b"%d" % self.sent
        case = self.cases[self.sent // _A_CASE]
        url = f"http://127.0.0.1:{self.service.port}/v1/applications/{case}/documents?kind={_KIND}"
        headers = {"Authorization": f"Bearer {self.service.key}", "Content-Type": media_type}
        with urllib.request.urlopen(urllib.request.Request(url, content + mark, headers, method="POST")) as reply:
            reply.read()
        self.sent += 1


@dataclass(frozen=True, slots=True)
class Parsed:
    """Stretches without and with documents, in the order in which they were measured, and what became of those."""

    size: Size
    quiet: Sequence[Load]
    parsing: Sequence[Load]
    documents: dict[str, int]
    a_second: float

    @property
    def ratio_p99(self) -> float:
        """The p99 of all decisions with documents, to that of all without."""
        return pooled(self.parsing).p99_ms / pooled(self.quiet).p99_ms

    @property
    def ratios_p50(self) -> list[float]:
        """The medians' ratio, pair by pair."""
        pairs = zip(self.parsing, self.quiet, strict=True)
        return [with_.latency.p50_ms / without.latency.p50_ms for with_, without in pairs]


def main() -> int:
    """Measure and print; 1 where a decision failed or a document was not looked at."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.parsing", description="About five minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    arguments.add_argument("--rate", type=float, help="requests a second")
    told = arguments.parse_args()
    size = QUICK if told.quick else Size()
    if told.rate:
        size = Size(told.rate, size.seconds, size.rounds, size.cases)
    machine = Machine.here()
    sys.stdout.write(f"{machine.processor}, {machine.cores} cores, load {machine.load} before the run\n\n")
    parsed = measure(size)
    sys.stdout.write(table(parsed))
    return 1 if any(load.errors for load in (*parsed.quiet, *parsed.parsing)) else 0


def measure(size: Size) -> Parsed:
    """Pairs of stretches, every second one beginning with the documents."""
    quiet, parsing, busy = list[Load](), list[Load](), 0.0
    with scratch() as folder:
        market = folder / "market.sqlite"
        traffic.make_market(market)
        with warm(folder / "parsing", market) as (service, bodies):
            papers = Papers(service, list(islice(_accepted(service, bodies), size.cases)))
            load(service, bodies, rate=size.rate, seconds=min(size.seconds, 5.0), seed=0)
            for turn, seed in zip(range(size.rounds * 2), count(1)):
                if turn % 4 in (0, 3):
                    quiet.append(load(service, bodies, rate=size.rate, seconds=size.seconds, seed=seed))
                    continue
                began = time.monotonic()
                with papers.coming():
                    parsing.append(load(service, bodies, rate=size.rate, seconds=size.seconds, seed=seed))
                busy += time.monotonic() - began
            return Parsed(size, quiet, parsing, papers.states(), papers.sent / busy)


def _accepted(service: Service, bodies: Sequence[str]) -> Iterator[str]:
    """Applications whose offer was taken up, one after another."""
    for body in bodies:
        with urllib.request.urlopen(post(service, body)) as reply:
            decision = json.load(reply)
        if decision["outcome"] != "approve":
            continue
        application: str = decision["application_id"]
        url = f"http://127.0.0.1:{service.port}/v1/applications/{application}/acceptance"
        headers = {"Authorization": f"Bearer {service.key}", "Content-Type": "application/json"}
        taken = json.dumps({"decision_id": decision["decision_id"]}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, taken, headers, method="POST")):
            yield application


def table(parsed: Parsed) -> str:
    """The figures, as a table of Markdown and two lines."""
    size = parsed.size
    rows = [
        f"| decisions at {size.rate:.0f} a second, ms | number | p50 | p90 | p99 | most | own lateness p99 | errors |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, loads in (("no documents", parsed.quiet), ("documents being parsed", parsed.parsing)):
        times: Timing = pooled(loads)
        late = max(load.late_p99_ms for load in loads)
        errors = sum(sum(load.errors.values()) for load in loads)
        rows.append(
            f"| {name} | {times.count:,} | {times.p50_ms:.1f} | {times.p90_ms:.1f} | {times.p99_ms:.1f}"
            f" | {times.most_ms:.1f} | {late:.1f} | {errors} |"
        )
    pairs = ", ".join(f"{ratio:.2f}" for ratio in parsed.ratios_p50)
    states = ", ".join(f"{number} {state}" for state, number in sorted(parsed.documents.items()))
    held = "under" if parsed.ratio_p99 < GOAL else "NOT under"
    return "\n".join(
        (
            *rows,
            "",
            f"p99 with documents is {parsed.ratio_p99:.2f} times that without: {held} {GOAL:g} times.",
            f"p50, pair by pair: {pairs}; median {median(parsed.ratios_p50):.2f}.",
            f"Documents: {states}; {parsed.a_second:.2f} a second.",
            "",
        )
    )


if __name__ == "__main__":
    sys.exit(main())

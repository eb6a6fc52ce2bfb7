"""`python -m benchmarks.claiming`: how long it takes to claim the next case on PostgreSQL, with a million of them.

It does: fill a database with made-up cases, claim in an open loop through the store as the service does, and print a
table and the plan. It does not: fill what a claim never reads (applications, decisions). The rule it keeps: latency
counts from the moment a claim was meant to be made, whether or not earlier ones were answered.

A claim alone is the statement that takes a case; with its event and audit entry it is what people get. Each claimed
case is held for two seconds and then verified, so the queue moves on as it does in use.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from api.store import queries
from api.store.database import Database
from api.store.errors import StoreError
from api.store.migrations import upgrade
from api.store.moment import microseconds
from api.store.queries import CaseRow, NewCaseEvent, case_work
from api.store.queries.case_work import take
from benchmarks.machine import Machine
from benchmarks.samples import Timing
from tests.support.postgres import Server, running_server

RATE = 50.0
STAFF = 200
LEASE = timedelta(minutes=30)
_SEED = 7
Claiming = Callable[[Connection, str, datetime], CaseRow | None]


@dataclass(frozen=True, slots=True)
class Size:
    """How many cases there are, how many of them are open, for how long claims are made, how long one is held."""

    cases: int
    open: int
    seconds: float
    held_seconds: float = 2.0


FULL = (Size(10_000, 10_000, 30), Size(1_000_000, 10_000, 30))
QUICK = (Size(1_000, 1_000, 1), Size(5_000, 1_000, 1))


@dataclass(slots=True)
class Run:
    """What came of one run; `late_ms` is how late the clients themselves were in asking."""

    size: Size
    what: str
    times_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    won: list[str] = field(default_factory=list)
    failures: int = 0


def main() -> int:
    """Measure and print; 1 where a claim failed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.claiming", description="About five minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    quick: bool = arguments.parse_args().quick
    machine = Machine.here()
    with running_server() as server:
        runs, plan, settings = measure(server, QUICK if quick else FULL)
    sys.stdout.write(f"{machine.processor}, {machine.cores} cores shared, load {machine.load}; {settings}\n\n")
    sys.stdout.write(table(runs))
    sys.stdout.write(f"\nThe claim among {runs[-1].size.cases:,} cases:\n{plan}\n")
    return 1 if any(run.failures for run in runs) else 0


def measure(server: Server, sizes: tuple[Size, ...]) -> tuple[list[Run], str, str]:
    """Every run, the plan of the claim at the last size, and the server's version and settings."""
    runs, plan, settings = [], "", ""
    for size in sizes:
        url = server.create_database()
        upgrade(url)
        with Database.open(url) as database:
            fill(database, size)
            for what, claim in (("taken alone", _taken_alone), ("with event and audit", _claimed)):
                runs.append(asyncio.run(_run(database, size, what, claim)))
            with database.transaction() as connection:
                plan, settings = _plan(connection), _settings(connection)
        server.drop_database(url)
    return runs, plan, settings


def table(runs: list[Run]) -> str:
    """The figures, as a table of Markdown."""
    rows = [
        f"| claims at {RATE:.0f} a second, ms | claims | p50 | p95 | p99 | most | own lateness p99 | failed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        times, late = Timing.of(run.times_ms), Timing.of(run.late_ms)
        name = f"{run.size.cases:,} cases, {run.size.open:,} open: {run.what}"
        rows.append(
            f"| {name} | {times.count:,} | {times.p50_ms:.1f} | {times.p95_ms:.1f} | {times.p99_ms:.1f}"
            f" | {times.most_ms:.1f} | {late.p99_ms:.1f} | {run.failures} |"
        )
    return "\n".join(rows) + "\n"


# -- filling -------------------------------------------------------------------------------------------------

# Foreign keys are not looked at while filling: what a case refers to is not there, and no claim asks for it.
_STAFF = text(
    "INSERT INTO staff (id, login, name, roles, created_at, created_by, demo)"
    " SELECT 'stf_' || i, 'stf_' || i, 'made up', 'verifier', 0, 'benchmark', true FROM generate_series(0, :staff) i"
)
_CASES = text(
    """
    INSERT INTO verification_case (id, application_id, accepted_decision_id, decision_id, abn, name_key, state, version,
        limit_cents, opened_at, expires_at, complete_at, paused_us, due_at, touched_at, alerted_hours, queue_at, rank,
        escalated, sampled, closed_at)
    SELECT 'case_' || md5(i::text), 'app_' || i, 'dec_' || i, 'dec_' || i, lpad(i::text, 11, '5'),
        'made up ' || md5(i::text), CASE WHEN is_open THEN 'open' WHEN i % 10 = 1 THEN 'rejected' ELSE 'approved' END,
        1, 6000000, :now, :now + 1000000 * i, due - 86400000000, 0, due, NULL, 0, due, -(i % 1000), false, false,
        CASE WHEN is_open THEN NULL ELSE due END
    FROM (
        SELECT i, i % :every = 0 AS is_open, :now + 86400000000 * (i % 997) / 997 AS due
        FROM generate_series(CAST(1 AS bigint), CAST(:cases AS bigint)) i
    ) AS made
    """
)


def fill(database: Database, size: Size) -> None:
    """Make the cases, the open ones spread over the table as they would be after years."""
    values = {"now": microseconds(datetime.now(UTC)), "every": size.cases // size.open, "cases": size.cases}
    with database.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(_STAFF, {"staff": STAFF})
        connection.execute(_CASES, values)
    with database.transaction() as connection:
        connection.execute(text("ANALYZE"))


def _plan(connection: Connection) -> str:
    """PostgreSQL's account of one more claim, which is undone; without the list of columns."""
    asked = case_work._TAKE_NEXT["verify"].compile(connection)
    now = microseconds(datetime.now(UTC))
    values = {**asked.params, "now": now, "until": now, "me": "stf_0", "worked": "claimed"}
    undone = connection.begin_nested()
    rows = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {asked}", values).scalars().all()
    undone.rollback()
    return "\n".join(rows)


def _settings(connection: Connection) -> str:
    version, fsync = (connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("server_version", "fsync"))
    return f"PostgreSQL {version}, fsync {fsync}"


# -- claiming ------------------------------------------------------------------------------------------------


def _taken_alone(connection: Connection, staff_id: str, now: datetime) -> CaseRow | None:
    taken = take(connection, "verify", staff_id, now, LEASE)
    return None if taken is None else taken[1]


def _claimed(connection: Connection, staff_id: str, now: datetime) -> CaseRow | None:
    return queries.claim_next(connection, "verify", staff_id, now, LEASE)


async def _run(database: Database, size: Size, what: str, claim: Claiming) -> Run:
    """Claims at moments drawn beforehand, each by the next member of staff; and what is done with the cases."""
    run, draw, moment = Run(size, what), random.Random(_SEED), time.perf_counter() + 0.5
    ends = moment + size.seconds
    jobs = []
    number = 0
    while (moment := moment + draw.expovariate(RATE)) < ends:
        jobs.append(asyncio.create_task(_one(database, run, claim, moment, f"stf_{number % STAFF}")))
        number += 1
    await asyncio.gather(*jobs)
    return run


async def _one(database: Database, run: Run, claim: Claiming, moment: float, staff_id: str) -> None:
    await asyncio.sleep(max(moment - time.perf_counter(), 0))
    run.late_ms.append((time.perf_counter() - moment) * 1_000)
    now = datetime.now(UTC)
    try:
        found = await database.write(lambda connection: claim(connection, staff_id, now))
    except StoreError:
        found = None
    run.times_ms.append((time.perf_counter() - moment) * 1_000)
    if found is None:
        run.failures += 1
        return
    run.won.append(found.id)
    await asyncio.sleep(run.size.held_seconds)
    await database.write(lambda connection: _verify(connection, found, staff_id))


def _verify(connection: Connection, found: CaseRow, staff_id: str) -> object:
    event = NewCaseEvent("verify", staff_id, "verifier", datetime.now(UTC))
    change: queries.CaseChange = {"state": "verified", "verified_by": staff_id, "owner": None, "lease_until": None}
    return queries.change_case(connection, found.id, found.version, change, event)


if __name__ == "__main__":
    sys.exit(main())

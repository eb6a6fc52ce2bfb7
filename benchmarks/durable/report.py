"""The part of the page about durable decisions under load.

It does: put capacity, latency against load, workers and replay into goals, tables and pictures. It does not: measure.
"""

from benchmarks.durable.capacity import CONNECTIONS, SQLITE, Durable
from benchmarks.durable.plots import LATENCY, WORKERS
from benchmarks.page import Goal, Part, table
from benchmarks.results import LOAD_HEAD, load_row


def part(found: Durable) -> Part:
    """Goals and section."""
    late = found.half.latency.p99_ms
    goal = Goal(
        "durable decision, open loop at half of the measured capacity, p99", 60, late, "ms",
        f"The median is {found.half.latency.p50_ms:.1f} ms; the client itself was {found.half.late_p99_ms:.1f} ms late "
        f"at p99. A decision takes the worker {found.half.cpu_ms:.1f} ms of processor time, two thirds of it in the "
        "loop's thread (checking JSON, looking up, deciding, bytes, compression), a third in the store's (some "
        "sixteen statements and COMMIT), which share one interpreter, and two cores with client and system: arrivals "
        "that bunch wait.",
    )  # fmt: skip
    return Part((goal,), _section(found))


def _section(found: Durable) -> str:
    rates = [
        (name, f"{found.rate(name):,.0f}", " ".join(f"{rate:,.0f}" for rate in rounds))
        for name, rounds in found.capacity.items()
    ]
    rows = [load_row(f"half of capacity, {found.half.rate:.0f} a second", found.half)]
    rows += [
        load_row(f"{load.rate / found.rate(SQLITE):.0%} of capacity, {load.rate:.0f} a second", load)
        for load in found.curve
    ]
    return (
        "## Durable decisions under load\n\n"
        f"The whole service over HTTP, everything recorded before it is answered. Capacity: {CONNECTIONS} connections "
        "with one request on its way on each, closed loop. Client, service and database share two cores, so a second "
        "worker has only what they leave. PostgreSQL waits for the disk as well.\n\n"
        + table(("", "decisions a second, median", "rounds"), rates)
        + f"\n\n![throughput against workers](../docs/pictures/{WORKERS.name})\n\n"
        "Latency against load: open loop, Poisson arrivals, from the moment a request was meant to be sent, so that a "
        "stalled server cannot hide. One worker on SQLite.\n\n"
        + table(LOAD_HEAD, rows)
        + f"\n\n![latency against load](../docs/pictures/{LATENCY.name})\n\n"
        f"The database held {found.kept.decisions:,} decisions for {found.kept.acknowledged:,} replies of 201; the run "
        "fails where one is missing.\n\n"
        f"Replay: {found.replayed:,} recorded decisions made again from the record alone, each equal to the byte, "
        f"{found.replays_a_second:,.0f} a second in one process, reading and checking digests included."
    )

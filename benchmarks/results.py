"""Words and tables of the decision in process, of the service over HTTP, and of the disk.

It does: put measurements into words and tables. It does not: measure, or choose among runs. The rule it keeps: why a
goal was missed is read off the same run.
"""

from benchmarks.deciding import Deciding
from benchmarks.disk import Disk
from benchmarks.durable.loaded import Kept, Load, pooled
from benchmarks.page import MORE, Goal, Part, table, timings
from benchmarks.samples import Timing
from benchmarks.serving import Serving
from benchmarks.traffic import ASKED_CENTS, BUSINESSES

_SLOW_FSYNC_MS = 1.0


def deciding_part(deciding: Deciding) -> Part:
    """A decision in process."""
    goal = Goal(
        "whole decision in process (features from 1,800 transactions, policy, price, reasons), median", 1,
        deciding.whole.p50_ms, "ms", _why_slow(deciding),
    )  # fmt: skip
    return Part((goal,), _deciding(deciding))


def serving_part(serving: Serving) -> Part:
    """The service over HTTP."""
    decided = pooled(serving.decisions)
    goal = Goal(
        f"durable decision over HTTP at {serving.rate:.0f} a second, p99", 100, decided.p99_ms, "ms",
        _why_late(serving, decided),
    )  # fmt: skip
    return Part((goal,), _serving(serving))


def disk_part(disk: Disk) -> Part:
    """What sharing commits brings."""
    slow = disk.fsync.p50_ms >= _SLOW_FSYNC_MS
    one, together = (
        (disk.alone_a_second, disk.shared_a_second) if slow else (disk.slow_alone_a_second, disk.slow_shared_a_second)
    )
    here = "" if slow else f" (an fsync takes {disk.fsync.p50_ms:.2f} ms here: with a sleep of 1 ms before each COMMIT)"
    goal = Goal(
        f"commits on SQLite at 32 concurrent writers, shared against one fsync each{here}", 10, together / one,
        "times", f"One by one {one:,.0f} a second, shared {together:,.0f}.", MORE,
    )  # fmt: skip
    return Part((goal,), _disk(disk))


def _why_slow(deciding: Deciding) -> str:
    ranked = sorted(deciding.stages.items(), key=lambda item: -item[1].p50_ms)
    shares = ", ".join(
        f"{name} {timing.p50_ms:.2f} ms ({timing.p50_ms / deciding.whole.p50_ms:.0%})" for name, timing in ranked[:3]
    )
    return f"By stage, the most expensive first: {shares}."


def _why_late(serving: Serving, decided: Timing) -> str:
    cpu_ms = sum(load.cpu_ms for load in serving.decisions) / len(serving.decisions)
    busy = cpu_ms * serving.rate / 1_000
    limit = (
        f"A decision takes the one worker {cpu_ms:.1f} ms of processor time, so {serving.rate:.0f} a second ask "
        f"for {busy:.0%} of the one core that Python code can use at a time"
    )
    queue = (
        ": requests queue, and the latency is that of the queue. "
        if busy > 0.8
        else f"; the median is {decided.p50_ms:.0f} ms, and the tail comes from arrivals that bunch. "
    )
    return (
        f"{limit}{queue}By the service's own clock, waiting included, the stages took on average: {_stages(serving)}. "
        f"Deciding itself is {serving.stages.get('decide', 0.0):.1f} ms of it."
    )


def _deciding(deciding: Deciding) -> str:
    whole = deciding.whole
    parts = {"decide(), reasons included": whole, **deciding.stages}
    stages = timings(parts, whole.p50_ms, "of decide()")
    beside = timings({**deciding.beside, **deciding.peers}, whole.p50_ms, "of decide()")
    return (
        f"## A decision in process\n\n{deciding.story[0].upper()}{deciding.story[1:]}. "
        f"{whole.count:,} rounds, each timing every line of both tables once, starting with another line each "
        "round; the garbage collector runs as it does in service. Stages are timed by themselves on the values "
        f"that decide() hands them; what they leave of its median, {deciding.rest_ms:.2f} ms, builds and checks "
        f"the decision.\n\n{stages}\n\n"
        "Beside it, what the service does to facts and record, and the same model through LightGBM's own Python "
        f"package on one thread. The facts are {deciding.facts_bytes:,} bytes of JSON, {deciding.stored_bytes:,} as "
        f"kept.\n\n{beside}"
    )


def _serving(serving: Serving) -> str:
    steady = [load_row(f"GET /health, round {n}", load) for n, load in enumerate(serving.health, 1)]
    steady += [load_row(f"decision, round {n}", load) for n, load in enumerate(serving.decisions, 1)]
    stated = f"statement of 1,800 transactions in the request ({serving.statement_bytes / 1e3:,.0f} kB)"
    singles = {"facts from the sources": serving.plain, stated: serving.stated}
    parts = (
        "## A durable decision over HTTP",
        _method(serving),
        table(LOAD_HEAD, steady),
        _compared(serving),
        _counted(serving.kept),
        f"By the service's own clock, a decision spent on average, waiting included: {_stages(serving)}.",
        "### One at a time",
        "One request after the other on one connection, the two kinds in turn.",
        timings(singles, serving.plain.p50_ms, "of the first"),
    )
    return "\n\n".join(parts)


def _method(serving: Serving) -> str:
    return (
        "`creditline serve --development` in a process of its own: one worker, SQLite with synchronous=FULL on the "
        f"file system above, the stand-in for sources with {BUSINESSES} made-up businesses, each decided once "
        "beforehand so that its facts are in memory. The client is another process on the same cores: Poisson "
        "arrivals, open loop, kept-alive connections, a fresh Idempotency-Key each; latency counts from the moment a "
        f"request was meant to be sent. Rounds of {serving.seconds:g} s of decisions at {serving.rate:g} a second, "
        "each after a stretch of an empty handler (GET /health) at the same rate on the same server. Every "
        f"application asks for ${ASKED_CENTS // 100:,} at most, so that repeated offers do not reach the most lent "
        "to one business."
    )


def _compared(serving: Serving) -> str:
    decided, healthy = pooled(serving.decisions), pooled(serving.health)
    return (
        f"Over all rounds a decision's median is {decided.p50_ms:,.1f} ms and its p99 {decided.p99_ms:,.1f} ms, "
        f"against {healthy.p50_ms:.1f} ms and {healthy.p99_ms:.1f} ms of the empty handler: "
        f"{decided.p50_ms / healthy.p50_ms:,.1f} times the median."
    )


def _counted(kept: Kept) -> str:
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in kept.outcomes.items())
    return (
        f"Afterwards the database held {kept.decisions:,} decisions, {kept.keys:,} keys and {kept.audit:,} audit "
        f"entries for {kept.acknowledged:,} replies of 201 (warming up included; a 503 may have been kept too): "
        f"{outcomes}; {kept.scored:,} of them "
        "scored. The run fails unless these agree; they are compared after the single requests as well."
    )


def _stages(serving: Serving) -> str:
    return ", ".join(f"{name} {ms:.1f} ms" for name, ms in serving.stages.items())


LOAD_HEAD = (
    "", "sent", "errors", "p50 ms", "p90 ms", "p99 ms", "answered a second", "worker's CPU ms each",
    "client late, p99 ms",
)  # fmt: skip


def load_row(name: str, load: Load) -> tuple[str, ...]:
    """A row of such a table."""
    latency = load.latency
    figures = (latency.p50_ms, latency.p90_ms, latency.p99_ms, load.a_second, load.cpu_ms, load.late_p99_ms)
    errors = ", ".join(f"{count:,} {kind}" for kind, count in load.errors.items()) or "0"
    return (name, f"{load.sent:,}", errors, *(f"{figure:,.1f}" for figure in figures))


def _disk(disk: Disk) -> str:
    ratio = disk.shared_a_second / disk.alone_a_second
    slow_ratio = disk.slow_shared_a_second / disk.slow_alone_a_second
    return (
        "## The disk\n\n"
        f"An fsync of 4 KiB appended to a file takes {disk.fsync.p50_ms:.2f} ms (median of {disk.fsync.count}; p90 "
        f"{disk.fsync.p90_ms:.2f} ms, p99 {disk.fsync.p99_ms:.2f} ms). With 32 small transactions always waiting, the "
        f"store commits {disk.alone_a_second:,.0f} a second one to an fsync and {disk.shared_a_second:,.0f} a second "
        f"when up to 32 share one: {ratio:.1f} times. With a sleep of 1 ms before every COMMIT, as a slower disk would "
        f"take, {disk.slow_alone_a_second:,.0f} and {disk.slow_shared_a_second:,.0f} a second: {slow_ratio:.1f} times "
        "(medians of three rounds in turn, synchronous=FULL in all)."
    )

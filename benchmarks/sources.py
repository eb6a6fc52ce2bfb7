"""`python -m benchmarks.sources`: what it costs that facts come from outside, and the goals for it; some three minutes.

It does: measure and print these goals and their section of benchmarks/RESULTS.md, which `python -m benchmarks` makes
part of the page. It does not: write the page. The rule it keeps: a goal that was missed says so with its reason.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from api.deadline import DEFAULT_MS, SOURCES_SHARE
from benchmarks import asking, statement, transport
from benchmarks.asking import LONG_MS, SHORT_MS, SLOW_MS, Asked, Flood, Paired, Silence
from benchmarks.machine import Machine
from benchmarks.page import Goal, Part, page, table, timings
from benchmarks.processes import scratch
from benchmarks.samples import Timing, interleave

COMMAND = "python -m benchmarks.sources"
_EXCESS_MS, _LATE_MS, _PARSED_MS, _RISE_MB = 50, 100, 20, 16


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure."""

    asking: asking.Size
    parsing_rounds: int = 100
    transport_rounds: int = 40


QUICK = Size(asking.Size(businesses=4, waited=1, settling=5, oversized=5), parsing_rounds=15, transport_rounds=5)


@dataclass(frozen=True, slots=True)
class Sources:
    """All of it; `transport` in microseconds of processor time a request."""

    asked: Asked
    parsed: Mapping[str, Timing]
    transport: Mapping[str, float]


def measure(size: Size | None = None) -> Sources:
    """Measure each in turn."""
    size = size or Size(asking.Size())
    with scratch() as folder:
        asked = asking.measure(folder, size.asking)
    loop = asyncio.new_event_loop()
    try:
        parsed = interleave(statement.tasks(loop), size.parsing_rounds)
    finally:
        loop.close()
    return Sources(asked, parsed, transport.measure(size.transport_rounds))


# -- goals -----------------------------------------------------------------------------------------------------


def goals(found: Sources) -> tuple[Goal, ...]:
    """The goals with the reason that a miss would have."""
    asked, parsed = found.asked, found.parsed
    late = max(asked.silence.waited)
    return (
        Goal(
            f"decision with every source at {SLOW_MS} ms, beyond what the sources take, median",
            _EXCESS_MS, median(pair.excess_ms for pair in asked.paired), "ms", _why_excess(asked.paired),
        ),
        Goal(
            f"decision with every source silent, budget {DEFAULT_MS:,} ms, slowest", DEFAULT_MS + _LATE_MS, late, "ms",
            f"The slowest of {len(asked.silence.waited)} came {late - DEFAULT_MS:,.0f} ms after its budget.",
        ),
        Goal(
            f"statement of {statement.ROWS:,} transactions, bytes to summary, median",
            _PARSED_MS, parsed[statement.WHOLE].p50_ms, "ms", _why_long(parsed),
        ),
        Goal(
            "the same where every text differs", _PARSED_MS, parsed[statement.DISTINCT].p50_ms, "ms",
            "A text is read for its words once, however often it stands there: here that is once a row.",
        ),
        Goal(
            f"rise of the worker's peak memory over {asked.flood.answers} answers of 50 MB", _RISE_MB,
            asked.flood.rise_mb, "MB", _why_rise(asked.flood),
        ),
    )  # fmt: skip


def _why_excess(pairs: Sequence[Paired]) -> str:
    outside = median(pair.outside_ms for pair in pairs)
    inside = median(pair.slow.rungs_ms - pair.nominal_ms for pair in pairs)
    return (
        f"{outside:.0f} ms of it pass while nobody is asked (receiving, keeping, deciding, recording), {inside:.0f} ms "
        "in the conversations beyond the delay (the sandbox's writing, the wire, our reading)."
    )


def _why_long(parsed: Mapping[str, Timing]) -> str:
    whole, read = parsed[statement.WHOLE].p50_ms, parsed[statement.READ].p50_ms
    return f"Reading takes {read:.1f} ms of it, summing up {whole - read:.1f} ms."


def _why_rise(flood: Flood) -> str:
    return (
        f"It is {flood.rise_mb / flood.answers:.1f} MB an answer; the {flood.settled} ordinary ones just before raised "
        f"it by {flood.settling_mb:.1f} MB."
    )


def part(found: Sources) -> Part:
    """Its part of the page."""
    return Part(goals(found), section(found))


# -- words -----------------------------------------------------------------------------------------------------


def section(found: Sources) -> str:
    """The section of the page."""
    parts = (
        "## Facts from outside",
        "`creditline sandbox` plays every source over HTTP in a process of its own, `creditline serve --development` "
        "asks it, a client in a third one sends applications one after another; all on the same cores, over "
        "127.0.0.1. Each business applies once to each service.",
        _slow(found.asked),
        _silent(found.asked.silence),
        _parsed(found.parsed),
        _flooded(found.asked.flood),
        _carried(found.transport),
    )
    return "\n\n".join(parts)


def _slow(asked: Asked) -> str:
    pairs = asked.paired
    trips = sorted({pair.business.trips for pair in pairs})
    excess = Timing.of([pair.excess_ms for pair in pairs])
    rows = {
        f"every source at {SLOW_MS} ms": Timing.of([pair.slow.ms for pair in pairs]),
        "of it: beyond the sources' own time": excess,
        "of it: while nobody is asked": Timing.of([pair.outside_ms for pair in pairs]),
        "every source at 0 ms": Timing.of([pair.quick.ms for pair in pairs]),
        "market file read within the process, no socket": Timing.of([pair.inside.ms for pair in pairs]),
    }
    return (
        "### Slow sources\n\n"
        f"{len(pairs)} businesses, each sent to all three services in turn; {asked.skipped} more were declined before "
        f"the bureau was asked and are left out. The sources' own time is the bank's {_either(trips)} round trips of "
        f"{SLOW_MS} ms (three where an account has more than one page) and the bureau's one: the slowest conversation "
        "of each rung, from the delay alone. What the sandbox itself takes to answer counts against us. The time while "
        "nobody is asked is the client's clock less the service's for those two conversations. The sandbox has read "
        "each business from its file beforehand; the last line reads it within the request "
        f"({asked.enrich_inside_ms:.1f} ms on average).\n\n"
        + timings(rows, rows["every source at 0 ms"].p50_ms, "of that at 0 ms")
    )


def _either(trips: Sequence[int]) -> str:
    return " or ".join({2: "two", 3: "three"}[count] for count in trips)


def _silent(silence: Silence) -> str:
    rows = [
        _silence_row(f"budget {DEFAULT_MS:,} ms (the default)", silence.waited, DEFAULT_MS),
        _silence_row(f"budget {SHORT_MS:,} ms", silence.short, SHORT_MS),
        _silence_row(f"budget {LONG_MS:,} ms", silence.long, LONG_MS),
        _silence_row(f"budget {DEFAULT_MS:,} ms, breakers open", silence.rested, DEFAULT_MS),
    ]
    return (
        "### Silent sources\n\n"
        "Every source takes the request and says nothing; the sanctions list was loaded before. "
        f"{SOURCES_SHARE:.0%} of a budget are the sources', the rest is for deciding and keeping. Outcomes: "
        f"{', '.join(sorted(silence.outcomes))}. Five timeouts in a row open a source's breaker, so "
        f"{silence.services} fresh service{'s'[: silence.services != 1]} took turns; a short budget says nothing about "
        "a source and opens none.\n\n"
        + table(("", "answers", "median ms", "slowest ms", "slowest, of the budget"), rows)
    )  # fmt: skip


def _silence_row(name: str, times: Sequence[float], budget: int) -> tuple[str, ...]:
    return name, str(len(times)), f"{median(times):,.0f}", f"{max(times):,.0f}", f"{max(times) / budget:.2f}"


def _parsed(parsed: Mapping[str, Timing]) -> str:
    story, whole = statement.statement().story, parsed[statement.WHOLE]
    return (
        "### A bank's answer, read\n\n"
        f"{story[0].upper()}{story[1:]}. {whole.count} rounds, each line once a round. The first line is what a "
        "decision needs; the last two stop at parsed rows, with nothing checked against anything or summed up.\n\n"
        + timings(parsed, whole.p50_ms, "of the first")
    )


def _flooded(flood: Flood) -> str:
    rows = [
        ("worker before", f"{flood.before_mb:.1f}"),
        (f"worker after {flood.answers} such answers", f"{flood.after_mb:.1f}"),
        ("rise", f"{flood.rise_mb:.1f}"),
        (f"rise over the {flood.settled} ordinary answers just before", f"{flood.settling_mb:.1f}"),
        ("rise of a process that reads one such answer whole (aiohttp, bare)", f"{flood.without_limits_mb:.1f}"),
    ]
    return (
        "### An answer of 50 MB\n\n"
        "The bureau sends 50 MB without saying how much, every second time, so that its breaker stays closed. We stop "
        "at 2 MB, and the decision is made without it. Peak resident memory (VmHWM).\n\n" + table(("", "MB"), rows)
    )  # fmt: skip


def _carried(costs: Mapping[str, float]) -> str:
    bare = costs[transport.BARE]
    rows = [(name, f"{cost:.0f}", f"{cost / bare:.2f}") for name, cost in costs.items()]
    return (
        "### The transport\n\n"
        f"Processor time of the asking process for one GET of {transport.BODY_BYTES // 1_024} KiB over a kept-alive "
        "connection, user and system, in rounds that take turns; the server is another process. Ours includes limits, "
        "the check of UTF-8, the digest, breaker and retry budget.\n\n"
        + table(("", "microseconds, median of the rounds", "of aiohttp"), rows)
    )


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(prog=COMMAND, description="Measure sources; takes about three minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    quick: bool = arguments.parse_args().quick
    machine = Machine.here()
    found = measure(QUICK if quick else None)
    sys.stdout.write(page(machine, COMMAND, (part(found),)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.credit`: figures on real credit data, and the times of a large fit and a large back-test.

It does: run the parts that are asked for and print them; `--write` keeps them in benchmarks/credit/FIGURES.md. It does
not: keep a figure of a set whose terms forbid it. The rule it keeps: a figure stands beside its alternatives from the
same run.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.credit import backtest, judged, sets, size
from benchmarks.machine import Machine

PAGE = Path(__file__).with_name("FIGURES.md")
PARTS = ("sba30k", *sets.FOLDED, "size", "backtest")


def main() -> int:
    """Measure and print; 1 where the data is not there."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.credit", description=__doc__)
    asked.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all where none is named")
    asked.add_argument("--rounds", type=int, default=3, help="of the timed fit and back-test")
    asked.add_argument("--decisions", type=int, default=100_000, help="of the timed back-test")
    asked.add_argument("--trees", type=int, default=100, help="of the timed fit")
    asked.add_argument("--write", action="store_true", help=f"keep in {PAGE.name}, but for sets printed only")
    given = asked.parse_args()
    parts = given.parts or list(PARTS)
    if unknown := sorted(set(parts) - set(PARTS)):
        asked.error(f"no part {', '.join(unknown)}")
    kept = [_head()]
    for part in parts:
        try:
            text = _part(part, given)
        except sets.NoData as missing:
            sys.stderr.write(f"{missing}\n")
            return 1
        sys.stdout.write(text)
        sys.stdout.flush()
        if part not in sets.PRINTED_ONLY:
            kept.append(text)
    if given.write:
        PAGE.write_text("".join(kept), encoding="utf-8")
    return 0


def _part(part: str, given: argparse.Namespace) -> str:
    if part == "sba30k":
        return _development()
    if part == "size":
        return _size(size.measure(rounds=given.rounds, trees=given.trees))
    if part == "backtest":
        return _backtest(backtest.measure(given.decisions, given.rounds), given.decisions)
    return _folded(judged.folded(part))


def _head() -> str:
    machine = Machine.here()
    return (
        f"# Figures on real credit data\n\nWritten by `python -m benchmarks.credit --write` on {machine.measured_at} "
        f"({machine.processor}, {machine.cores} cores; {machine.packages}). The data is not part of this "
        f"project; {sets.VARIABLE} names its folder, its README the splits. "
        "Two more sets are printed by the same command, and their terms keep their figures out of here.\n"
    )


def _development() -> str:
    lines, contests = judged.development()
    rows = [
        (line.model, f"{line.auc:.4f}", f"{line.low:.4f} to {line.high:.4f}", f"{line.brier:.4f}") for line in lines
    ]
    told = "".join(f"\n- the champion {contest.sentence}" for contest in contests)
    return (
        "\n## sba30k\n\nLearnt from approvals of 1990-2001, stopped and calibrated on 2002, judged on 2003-2004, "
        "weighted; columns known at application alone. Default LightGBM is not calibrated.\n\n"
        + _table(("model", "AUC", "95 % (bootstrap)", "Brier"), rows)
        + told
        + "\n"
    )


def _folded(found: judged.Folded) -> str:
    least, met = found.goal
    rows = [(line.model, f"{line.auc:.4f}", f"{line.error:.4f}", f"{line.brier:.4f}") for line in found.lines]
    return (
        f"\n## {found.name}\n\n{found.rows:,} rows, {found.bads:,} bads, 5 folds stratified by outcome, seed 42.\n\n"
        + _table(("model", "mean AUC", "standard error", "Brier"), rows)
        + f"\nThe better of default and logistic less one standard error is {least:.4f}: "
        + ("met.\n" if met else "**missed.**\n")
    )


def _size(found: size.Measured) -> str:
    rows = [
        ("ours, with calibration", *_times(found.ours), *_times(found.ours_cpu), f"{found.ours_mib:,.0f}"),
        ("plain LightGBM", *_times(found.plain), *_times(found.plain_cpu), f"{found.plain_mib:,.0f}"),
    ]
    return (
        f"\n## One fit of {found.rows:,} rows x {size.FEATURES} features\n\nMade up from a seed; {found.trees} trees, "
        "one thread, the same parameters but for the directions; each round in a process of its own, in turn.\n\n"
        + _table(("fit", "median s", "least s", "processor, median s", "least s", "peak memory, MiB"), rows)
        + f"\nRatio of medians {found.ratio:.2f} by the clock, {found.ratio_cpu:.2f} by the processor (aim < 1.3); "
        f"load average {Machine.here().load} at the end. The rows themselves are {found.data_mib:,.0f} MiB, and "
        f"the process holds {found.base_mib:,.0f} MiB before it fits.\n"
    )


def _backtest(found: backtest.Measured, decisions: int) -> str:
    rows = [
        (line.way, f"{line.decisions:,}", *_times(line.seconds), *_times(line.cpu),
         f"{min(line.seconds) / line.decisions * 1_000:.2f}", f"{line.peak_mib:,.0f}")
        for line in found.lines
    ]  # fmt: skip
    head = (
        "way",
        "decisions",
        "median s",
        "least s",
        "processor, median s",
        "least s",
        "least ms each",
        "peak memory, MiB",
    )
    return (
        f"\n## Back-test of {decisions:,} synthetic decisions\n\nA simulated market of {backtest.BUSINESSES:,} "
        "businesses decided by the shipped release, each decision repeated under ids of its own; a rule and a price "
        f"changed; each change put down to its cause ({found.changed:,} changed). Each round in a process of its own, "
        "in turn, the command's start and tables included; the plain loop finds no causes and sums nothing.\n\n"
        + _table(head, rows)
        + "\nAim: under 60 s from rows, under 300 s from raw facts, on 2 cores; load average "
        f"{Machine.here().load} at the end. The export is {found.raw_mib:,.0f} MiB, condensed {found.rows_mib:,.0f} "
        "MiB. Memory is the sum over the processes, shared pages counted each time.\n"
    )


def _times(seconds: Iterable[float]) -> tuple[str, str]:
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2]:.1f}", f"{ordered[0]:.1f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`: measure everything and write benchmarks/RESULTS.md.

It does: run the parts one after the other and write the page. It does not: measure two parts at once. The rule it
keeps: a quick run, made to see that it works, is printed and never written to the page.
"""

import argparse
import sys

from benchmarks import deciding, disk, results, serving, sources
from benchmarks.machine import RESULTS, ROOT, Machine
from benchmarks.processes import scratch

APART = "\n<!-- measured apart -->\n"
_ROUNDS = 1_000
_QUICK_ROUNDS = 100
_QUICK = serving.Size(seconds=6, health_seconds=2, rounds=1, one_by_one=2, ramp=(25, 50), ramp_seconds=3, starts=1)


def main() -> int:
    """Measure and write; 1 where an acknowledged decision was not kept."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; takes about eight minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, printed instead of written")
    quick: bool = arguments.parse_args().quick
    machine = Machine.here()
    _say("deciding in process")
    decided = deciding.measure(_QUICK_ROUNDS if quick else _ROUNDS)
    _say("the disk")
    with scratch() as folder:
        written = disk.measure(folder)
    _say("serving")
    try:
        served = serving.measure(_QUICK if quick else serving.Size())
    except serving.Lost as lost:
        _say(f"void: {lost}")
        return 1
    _say("sources")
    asked = sources.measure(sources.QUICK if quick else None)
    page = results.written(machine, decided, served, written, sources.goals(asked), sources.section(asked))
    if quick:
        sys.stdout.write(page)
    else:
        RESULTS.write_text(page + _apart(RESULTS.read_text(encoding="utf-8")), encoding="utf-8")
        _say(f"written: {RESULTS.relative_to(ROOT)}")
    return 0


def _apart(page: str) -> str:
    """What other commands measured, under its mark: it stays."""
    return page[page.index(APART) :] if APART in page else ""


def _say(what: str) -> None:
    sys.stderr.write(f"benchmarks: {what}\n")


if __name__ == "__main__":
    sys.exit(main())

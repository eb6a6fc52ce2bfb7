"""`python -m benchmarks [--quick] [PART ...]`: measure everything and write benchmarks/RESULTS.md; `make bench` does.

It does: run the parts one after the other and write the page. It does not: measure two parts at once. The rule it
keeps: a quick run, and one of chosen parts, is printed and never written to the page.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from benchmarks import deciding, disk, results, serving, sources, starts
from benchmarks.durable import capacity, plots
from benchmarks.durable import report as durable
from benchmarks.http import report as http
from benchmarks.machine import RESULTS, ROOT, Machine
from benchmarks.page import COMMAND, Part, page
from benchmarks.peers.environments import described
from benchmarks.processes import scratch
from benchmarks.scoring import report as scoring

APART = "\n<!-- measured apart -->\n"
_QUICK_SERVING = serving.Size(seconds=6, health_seconds=2, rounds=1, one_by_one=2)
_QUICK_DURABLE = capacity.Size(2, 1, 4, (0.25, 0.5, 0.9), 3, 100)


def _scoring(quick: bool) -> Part:
    return scoring.part(scoring.measure(scoring.QUICK if quick else scoring.Size()))


def _http(quick: bool) -> Part:
    return http.part(http.measure(http.QUICK if quick else http.Size()))


def _deciding(quick: bool) -> Part:
    return results.deciding_part(deciding.measure(100 if quick else 1_000))


def _serving(quick: bool) -> Part:
    return results.serving_part(serving.measure(_QUICK_SERVING if quick else serving.Size()))


def _starting(quick: bool) -> Part:
    return starts.part(starts.measure(1 if quick else 5))


def _durable(quick: bool) -> Part:
    found = capacity.measure(_QUICK_DURABLE if quick else capacity.Size())
    if not quick:
        plots.draw(found)
    return durable.part(found)


def _disk(quick: bool) -> Part:
    with scratch() as folder:
        return results.disk_part(disk.measure(folder))


def _sources(quick: bool) -> Part:
    return sources.part(sources.measure(sources.QUICK if quick else None))


PARTS: Mapping[str, Callable[[bool], Part]] = {
    "scoring": _scoring,
    "deciding": _deciding,
    "http": _http,
    "durable": _durable,
    "disk": _disk,
    "serving": _serving,
    "starting": _starting,
    "sources": _sources,
}


def main() -> int:
    """Measure and write."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; takes some 25 minutes.")
    arguments.add_argument("--quick", action="store_true", help="a short run, printed instead of written")
    arguments.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    told = arguments.parse_args()
    quick, chosen = bool(told.quick), list(told.parts) or list(PARTS)
    machine, found = replace(Machine.here(), peers=described()), []
    for name in chosen:
        sys.stderr.write(f"benchmarks: {name}\n")
        found.append(PARTS[name](quick))
    text = page(machine, COMMAND, found)
    if quick or told.parts:
        sys.stdout.write(text)
    else:
        RESULTS.write_text(text + _apart(RESULTS.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stderr.write(f"benchmarks: written: {RESULTS.relative_to(ROOT)}\n")
    return 0


def _apart(written: str) -> str:
    """What other commands measured, under its mark: it stays."""
    return written[written.index(APART) :] if APART in written else ""


if __name__ == "__main__":
    sys.exit(main())

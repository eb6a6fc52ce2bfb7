"""`python -m benchmarks.screening`: measure, and write the tables of docs/sanctions.md; under a minute.

It does: replace what stands between the two marks of the page. It does not: touch the words around them. The rule it
keeps: `--quick` prints and writes nothing.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from api.sources.sanctions import THRESHOLD
from benchmarks.machine import ROOT, Machine
from benchmarks.screening.measure import APPLICANTS, FOUND, THRESHOLDS, TIMED_NAMES, Measured, Rate, measure

PAGE = ROOT / "docs" / "sanctions.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def main() -> int:
    """Measure and write."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.screening", description="Who is taken for whom.")
    arguments.add_argument("--quick", action="store_true", help="a twentieth of the people, printed, not written")
    quick: bool = arguments.parse_args().quick
    machine = Machine.here()
    found = measure(applicants=APPLICANTS // 20, found=FOUND // 20) if quick else measure()
    text = written(machine, found)
    if quick:
        sys.stdout.write(text)
        return 0
    page = PAGE.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(before + text + after, encoding="utf-8")
    return 0


def written(machine: Machine, found: Measured) -> str:
    """The measured part of the page."""
    applicants = next(iter(found.dated.values()))[THRESHOLD].of
    median, tail = found.check_ms
    return "\n".join(
        (
            f"Measured on {machine.measured_at}, commit {machine.commit}, {machine.processor}, {machine.cores} cores, "
            f"load average {machine.load} before the run.",
            "",
            f"**False positives, date of birth known**: share of {applicants:,} made-up applicants of each origin, "
            f"none of them on the list of {found.listed:,} made-up names, who get a hit all the same, with its 95 % "
            "interval.",
            "",
            _by_origin(found.dated),
            "**False positives, date of birth not known**, the same people:",
            "",
            _by_origin(found.undated),
            "**Found**: share of listed people found under another way of writing their name, on a list that holds "
            "the first way alone.",
            "",
            _found(found.found),
            f"**Found at {THRESHOLD:.2f}, by origin**; a dash where the pools hold no such name:",
            "",
            _found_by_origin(found),
            f"**Time**: four names against {TIMED_NAMES:,} listed ones take {median:.1f} ms (99 of 100 under "
            f"{tail:.1f} ms). Reading such a list takes {found.read_ms / 1000:.1f} s and making it ready "
            f"{found.ready_ms / 1000:.1f} s, on a thread of its own, once each time that it is loaded.",
            "",
        )
    )


def _by_origin(rates: dict[str, dict[float, Rate]]) -> str:
    return _table(
        ("origin of the name", *(f"{threshold:.2f}" for threshold in THRESHOLDS)),
        (
            (_words(origin), *(_with_interval(row[threshold]) for threshold in THRESHOLDS))
            for origin, row in rates.items()
        ),
    )


def _found(rates: dict[str, dict[float, Rate]]) -> str:
    return _table(
        ("written", "people", *(f"{threshold:.2f}" for threshold in THRESHOLDS)),
        (
            (way, f"{row[THRESHOLD].of:,}", *(f"{row[threshold].share:.1%}" for threshold in THRESHOLDS))
            for way, row in rates.items()
        ),
    )


def _found_by_origin(found: Measured) -> str:
    ways = [way for way in found.found if way not in ("exact", "reordered")]
    return _table(
        ("origin of the name", *ways),
        (
            (_words(origin), *(_one(found.found_by_origin[way].get(origin)) for way in ways))
            for origin in found.dated
        ),
    )  # fmt: skip


def _one(rates: dict[float, Rate] | None) -> str:
    return "–" if rates is None else f"{rates[THRESHOLD].share:.1%} of {rates[THRESHOLD].of}"


def _with_interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.share:.1%} ({low * 100:.1f}–{high * 100:.1f})"


def _words(origin: str) -> str:
    return "-".join(part.capitalize() for part in origin.split("_"))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.papers`: check made-up documents, print the tables, and with --write put them into the docs.

It does: replace what stands between the two marks of docs/checks.md. It does not: touch the words around them. The
rule it keeps: the tables say that they are of synthetic documents, with the command, seed and method.
"""

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from itertools import chain

from api.checks.reading.ocr import reader
from api.documents.confinement import ChildFailed
from benchmarks.machine import ROOT, Machine
from benchmarks.papers.measure import Checker, Measured, Tally, measure
from benchmarks.papers.timing import Timed, timed
from tests.support.papers import ELECTRONIC, SCANNED, papers

PAGE = ROOT / "docs" / "checks.md"
BEGIN, END = "<!-- accuracy -->\n", "<!-- /accuracy -->\n"
SEED = 1


def main() -> int:
    """Measure and print, or write; 1 where a tax file number was kept."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.papers", description="A few minutes.")
    arguments.add_argument("--count", type=int, default=960, help="electronic papers")
    arguments.add_argument("--scans", type=int, default=72, help="scanned papers, some seconds each")
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    arguments.add_argument("--untimed", action="store_true", help="without times and memory")
    given = arguments.parse_args()
    machine = Machine.here()
    check: Checker = importlib.import_module("api.checks").check
    some = chain(papers(given.seed, given.count, ELECTRONIC), papers(given.seed, given.scans, SCANNED))
    found = measure(some, check, _say)
    try:
        times = [] if given.untimed else timed()
    except ChildFailed as failed:
        _say(f"the times are not measured: {failed}")
        times = []
    command = f"python -m benchmarks.papers --count {given.count} --scans {given.scans} --seed {given.seed}"
    text = written(machine, command, (given.count, given.scans), found, times)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
        PAGE.write_text(before + text + after, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 1 if found.leaks else 0


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def written(machine: Machine, command: str, counts: tuple[int, int], found: Measured, times: Sequence[Timed]) -> str:
    """The measured part of the page."""
    parts = [
        f"Measured on {machine.measured_at}, commit {machine.commit}, {machine.processor}, with `{command}`.",
        f"The documents are synthetic: {counts[0]} electronic ones and {counts[1]} scans drawn from a seed by "
        "`tests/support/papers`, each kind in one to three layouts of our own, so the figures say how the checks do on "
        "such documents and not how they do on those of real banks, offices and printers. Scans were read by "
        f"{reader()}. Each is compared with what "
        "the same applicant would declare; a paper knows which of its checks ought not to pass.",
        "**By variant.** *Found* counts papers with something wrong where no check concerned passed, *missed* those "
        "where one passed; *false alarm* those where a check that ought to pass warned or failed; *all passed* those "
        "with no check but passes.",
        _variants(found),
        "**By check**, over all kinds that have it. *Caught* and *missed* are documents wrong in it, *passed* and "
        "*false alarm* those that are not; *unread* says that it read nothing, in wrong / right documents. Precision "
        "is caught of all that it warned of, recall caught of all wrong ones; unread counts as not caught.",
        _checks(found),
        "**Values read**, by kind: the fields that a reviewer records.",
        _fields(found),
        f"**Tax file numbers**: {found.canaries} planted, {found.leaks} kept in what the checks return, {found.bare} "
        "not covered by a redaction.",
        *([_times(times)] if times else []),
        *(
            [f"Papers are wrong in these, and no check has that name: {', '.join(sorted(found.unasked))}."]
            if found.unasked
            else []
        ),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _variants(found: Measured) -> str:
    order = list[str](ELECTRONIC + SCANNED)
    return _table(
        ("variant", "papers", "found", "missed", "false alarm", "all passed"),
        (
            (
                _plain(name), str(each.papers),
                *((str(each.flagged), str(each.missed)) if _is_wrong(name) else ("", "")),
                str(each.alarms), str(each.straight),
            )
            for name, each in sorted(found.variants.items(), key=lambda item: order.index(item[0]))
        ),
    )  # fmt: skip


def _is_wrong(variant: str) -> bool:
    return variant not in {"clean", "tax_number", "scanned", "low_resolution", "scanned_tax_number"}


def _checks(found: Measured) -> str:
    summed: dict[str, Tally] = {}
    for (_, name), each in found.checks.items():
        total = summed.setdefault(name, Tally())
        for part in Tally.__slots__:
            setattr(total, part, getattr(total, part) + getattr(each, part))
    return _table(
        ("check", "caught", "missed", "passed", "false alarm", "unread", "precision", "recall"),
        (
            (
                f"`{name}`", str(each.caught), str(each.missed), str(each.passed), str(each.alarms),
                f"{each.wrong_unread} / {each.right_unread}", _share(each.precision), _share(each.recall),
            )
            for name, each in sorted(summed.items())
        ),
    )  # fmt: skip


def _fields(found: Measured) -> str:
    return _table(
        ("kind", "read from", "values", "right", "wrong", "not read"),
        (
            (
                _plain(kind), "its own text" if electronic else "a scan", str(each.right + each.wrong + each.unread),
                str(each.right), str(each.wrong), str(each.unread),
            )
            for (kind, electronic), each in sorted(found.fields.items(), key=lambda item: (not item[0][1], item[0][0]))
        ),
    )  # fmt: skip


def _times(times: Sequence[Timed]) -> str:
    rows = (
        (
            each.what, f"{sorted(each.seconds)[len(each.seconds) // 2]:.1f} ({min(each.seconds):.1f} to "
            f"{max(each.seconds):.1f})", f"{sorted(each.processor)[len(each.processor) // 2]:.1f}",
            f"{each.goal:.0f}", f"{each.peak_mib:.0f}",
        )
        for each in times
    )  # fmt: skip
    return (
        "**Time and memory** of the process that checks one document, its start included, on one core; seconds are the "
        "median (least to most); on a machine that does other work besides, they count that too.\n\n"
        + _table(("document", "seconds", "of them processor", "goal", "peak RSS MiB"), rows)
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.2f}"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.guards`: a prober and honest applicants against the guards; writes figures into docs/guards.md.

It does: replace what stands between the two marks of the page; about two minutes. It does not: measure time. The rule
it keeps: the seed is fixed and the clock is the run's own, so the figures are the same on every machine.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.store.migrations import upgrade
from benchmarks.machine import ROOT
from tests.support.businesses import AS_OF
from tests.support.neighbours import NeighbourSources
from tests.support.probing import ALONE, BOOKKEEPER, FAMILY, SECOND, Honest, Probed, apply_honestly, probe
from tests.support.releases import fake_release
from tests.support.service import Clock, Service, opened

PAGE = ROOT / "docs" / "guards.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
TRIES = 200
APPLICANTS = 5_000


def main() -> int:
    """Measure and write."""
    with _service(guarded=True) as service:
        guarded = probe(service, TRIES)
    with _service(guarded=False) as service:
        bare = probe(service, TRIES)
    with _service(guarded=True) as service:
        honest = apply_honestly(service, APPLICANTS)
    text = written(guarded, bare, honest)
    page = PAGE.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(before + text + after, encoding="utf-8")
    return 0


def written(guarded: Probed, bare: Probed, honest: Honest) -> str:
    """The measured part of the page."""
    return "\n".join(
        (
            f"| a prober's {guarded.sent} applications over five businesses | with the guards | without |",
            "|---|---|---|",
            f"| lent to the five honest ones | {_dollars(guarded.first_cents)} | {_dollars(bare.first_cents)} |",
            f"| gained by all the others | {_dollars(guarded.gained_cents)} | {_dollars(bare.gained_cents)} |",
            f"| replies | {_counted(guarded.replies)} | {_counted(bare.replies)} |",
            "",
            "| honest applicants | applied | hit by a guard | share |",
            "|---|---|---|---|",
            *(_row(honest, kind, kind) for kind in (ALONE, SECOND, FAMILY)),
            _row(honest, "these together", ALONE, SECOND, FAMILY),
            _row(honest, BOOKKEEPER, BOOKKEEPER),
            _row(honest, "all", *honest.applicants),
            "",
            f"By guard: {_counted(honest.rules)}.",
            "",
        )
    )


def _row(honest: Honest, name: str, *kinds: str) -> str:
    applied, hit = (sum(counts[kind] for kind in kinds) for counts in (honest.applicants, honest.hit))
    return f"| {name} | {applied:,} | {hit:,} | {honest.share(*kinds):.2%} |"


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.0f}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} `{name}`" for name, count in counts.most_common())


@contextmanager
def _service(*, guarded: bool) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.sqlite'}"
        upgrade(url)
        release = fake_release(guarded=guarded)
        with opened(url, sources=NeighbourSources(), release=release, clock=Clock(AS_OF)) as running:
            yield running


if __name__ == "__main__":
    sys.exit(main())

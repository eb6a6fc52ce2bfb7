"""A market file as examples.

It does: read the businesses of a simulated market. It does not: know how a market is made. The rule it keeps: only a
closed performance window has an outcome.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from training.data.derived import Progress, Raw, derived
from training.data.examples import Dataset


def from_market(path: Path, jobs: int = 2, progress: Progress = lambda done: None) -> Dataset:
    """Every business of a market with a closed performance window, derived as the live service would.

    ValueError where the market has no such business or only one outcome.
    """
    return derived(
        businesses(path),
        jobs,
        progress,
        "simulated market, {rows} businesses with a closed window (synthetic)",
        f"{path} holds no business with a closed performance window",
    )


def businesses(path: Path, closed_only: bool = True) -> Iterator[Raw]:
    """(application JSON, compressed facts, day, bad) of each business, in the order of the market."""
    where = "WHERE bad IS NOT NULL" if closed_only else ""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as market:
        yield from market.execute(f"SELECT application, facts, applied_on, bad FROM business {where} ORDER BY idx")


def count_closed(path: Path) -> int:
    """How many businesses of a market have a closed performance window."""
    return _count(path, "WHERE bad IS NOT NULL")


def count_all(path: Path) -> int:
    """How many businesses a market has."""
    return _count(path, "")


def _count(path: Path, where: str) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as market:
        return int(market.execute(f"SELECT count(*) FROM business {where}").fetchone()[0])

"""A simulated market's file, read row by row.

It does: hand out its businesses as they were written, and count them. It does not: derive or learn anything. The rule
it keeps: it needs nothing but the standard library, since the service's own set-up reads a market too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

CHUNK = 500  # businesses handed to a process at a time
Raw = tuple[str, bytes, str, int]


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

"""A whole market decided on a cluster: each worker reads a run of businesses from the market's file and counts.

It does: hand out runs, and add counts up in the market's order. It does not: decide otherwise than training.backtest
does. The rule it keeps: every worker decides under the very release that this machine named, by its digest.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import models
from training.backtest import Outcomes, _decide_chunk, _release
from training.cluster.waiting import Cluster, ClusterFault
from training.market import CHUNK, Raw, count_all


def decide_market_on(
    cluster: Cluster, market: Path, release: str | None, root: Path, progress: Callable[[int], None] = lambda done: None
) -> Outcomes:
    """Decide every business of a market under a release (None: the champion)."""
    market, root = market.resolve(), root.resolve()
    wanted = models.champion(root) if release is None else models.load(release, root)
    runs = [(market, first, wanted.name, wanted.digest, root) for first in range(0, count_all(market), CHUNK)]
    total = Outcomes()
    for part in cluster.each(decided, runs):
        total.add(part)
        progress(part.businesses)
    return total


def decided(market: Path, first: int, release: str, digest: str, root: Path) -> Outcomes:
    """The counts of one run of businesses. Runs on a worker."""
    found = _release(release, root)
    if found.digest != digest:
        raise ClusterFault(
            f"a worker has another release under the name {release} at {root}: it must see the same files"
        )
    return _decide_chunk(_run(market, first), release, root)


def _run(market: Path, first: int) -> list[Raw]:
    if not market.is_file():
        raise ClusterFault(f"a worker finds no market at {market}: every worker must see it at the same path")
    with closing(sqlite3.connect(f"file:{market}?mode=ro", uri=True)) as file:
        query = "SELECT application, facts, applied_on, bad FROM business ORDER BY idx LIMIT ? OFFSET ?"
        return file.execute(query, (CHUNK, first)).fetchall()

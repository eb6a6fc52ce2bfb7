"""Our own scorer: a block of many rows on two threads, by the first back end; answers are every thousandth score."""

from pathlib import Path

from benchmarks.peers.suites.given import EVERY, THREADS, Floats, block
from benchmarks.peers.worker import Call
from benchmarks.scoring.backends import scorers
from engine.scoring import Scorer
from training.rescoring import raw_scores

ROWS = 1
__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task: NumPy would take minutes."""
    rows = block(folder)
    name, scorer = next(iter(scorers(folder).items()))
    return {name: _call(scorer, rows)}


def _call(scorer: Scorer, rows: Floats) -> Call:
    return lambda _: raw_scores(scorer, rows, THREADS)[::EVERY]

"""Our own scorer: the raw score of one row, by each back end that this machine has."""

from pathlib import Path

from benchmarks.peers.suites.given import ROWS, Floats, singles
from benchmarks.peers.worker import Call
from benchmarks.scoring.backends import scorers
from engine.scoring import Scorer

__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a back end."""
    rows = [row[0] for row in singles(folder)]
    return {name: _call(scorer, rows) for name, scorer in scorers(folder).items()}


def _call(scorer: Scorer, rows: list[Floats]) -> Call:
    return lambda place: scorer.raw(rows[place])

"""Our own scorer: the raw score of one row, by each back end that this machine has.

It does: score. It does not: explain (`ours_contributions` does).
"""

from pathlib import Path

from benchmarks.peers.suites.given import ROWS, model_file, names, singles
from benchmarks.peers.worker import Call
from engine.scoring import Scorer

__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a back end."""
    scorer = Scorer(model_file(folder).read_text(), names(folder))
    rows = [row[0] for row in singles(folder)]
    return {"creditline Scorer.raw": lambda place: scorer.raw(rows[place])}

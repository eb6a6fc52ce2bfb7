"""Our own scorer: a block of many rows on two threads, by each back end; answers are every thousandth score."""

from pathlib import Path

from benchmarks.peers.suites.given import EVERY, Floats, block
from benchmarks.peers.worker import Call
from benchmarks.scoring.backends import on_threads, scorers
from engine.scoring import Scorer

ROWS = 1
__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a back end."""
    rows = block(folder)
    return {name: _call(scorer, rows) for name, scorer in scorers(folder).items()}


def _call(scorer: Scorer, rows: Floats) -> Call:
    return lambda _: on_threads(scorer, rows)[::EVERY]

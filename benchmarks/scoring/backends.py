"""Our scorer by each back end of this machine.

It does: make them, named for a table, and score a block on several threads. It does not: choose one: the service takes
the first.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.peers.suites.given import THREADS, Floats, model_file, names
from engine.scoring import Scorer, backends

NATIVE, PORTABLE = "creditline, compiled kernel", "creditline, NumPy alone"
_NAMES = {"native": NATIVE, "portable": PORTABLE}


def scorers(folder: Path) -> dict[str, Scorer]:
    """One scorer a back end, for the model in a contest's folder."""
    text, features = model_file(folder).read_text(), names(folder)
    return {_NAMES[backend]: Scorer(text, features, backend) for backend in backends()}


def on_threads(scorer: Scorer, rows: Floats) -> Floats:
    """Raw scores of a block, each thread taking an equal part: the kernel holds no lock of Python's."""
    with ThreadPoolExecutor(THREADS) as threads:
        return np.concatenate(list(threads.map(scorer.raw_many, np.array_split(rows, THREADS))))

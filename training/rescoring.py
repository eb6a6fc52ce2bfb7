"""A portfolio scored anew: many rows, several threads.

It does: divide a block of feature rows among threads and put the raw scores together. It does not: read or keep rows.
The rule it keeps: the scores are those of one row after the other, to the bit, however many threads there are.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.scoring import Scorer


def raw_scores(scorer: Scorer, rows: NDArray[np.float64], threads: int | None = None) -> NDArray[np.float64]:
    """Raw scores of rows in model order, shape (rows,), by as many threads as there are processors unless stated."""
    wanted = threads or os.cpu_count() or 1
    bounds = np.linspace(0, len(rows), wanted + 1).astype(int).tolist()
    with ThreadPoolExecutor(wanted) as pool:  # the scorer lets go of the interpreter while it works
        parts = list(pool.map(lambda span: scorer.raw_many(rows[span[0] : span[1]]), pairwise(bounds)))
    return np.concatenate(parts)

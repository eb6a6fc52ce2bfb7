"""What lies in a contest's folder: the model's text and the rows, the same for every contestant.

It does: read them. It does not: import anything but numpy, which every environment has.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS = 1_000
THREADS = 2  # of a block
EVERY = 1_000  # of a block's scores, one is compared
Floats = NDArray[np.float64]


def model_file(folder: Path) -> Path:
    """The model as LightGBM wrote it."""
    return folder / "model.txt"


def names(folder: Path) -> tuple[str, ...]:
    """The features in model order."""
    return tuple(json.loads((folder / "names.json").read_text()))


def singles(folder: Path) -> list[Floats]:
    """The rows, each an array (1, features) of its own, as one would hand over a single request."""
    rows = np.load(folder / "rows.npy")
    return [np.ascontiguousarray(rows[place : place + 1]) for place in range(ROWS)]


def block(folder: Path) -> Floats:
    """The block of many rows, (n, features)."""
    return np.asarray(np.load(folder / "block.npy", mmap_mode="r"))

"""What every fit learns from: a matrix of inputs with outcome, weight and time.

It does: hold examples and cut them by time. It does not: read files. The rule it keeps: rows are in order of time.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples in order of time: x (n, f) with NaN missing, y (n,) 0 or 1, weight (n,), time (n,) days.

    `directions` are the monotone signs by column, `categorical` the columns that hold category codes, `levels` what
    the codes of each of these stand for (empty where nobody says). `approved_only` where nobody else has an outcome.
    """

    names: tuple[str, ...]
    x: Floats
    y: Floats
    weight: Floats
    time: Days
    directions: tuple[int, ...]
    categorical: tuple[int, ...]
    description: str
    source_sha256: str
    levels: tuple[tuple[str, ...], ...] = ()
    approved_only: bool = False

    def between(self, start: date | None, end: date | None) -> Self:
        """The examples with start <= time <= end; an open end takes all."""
        keep = np.ones(len(self.y), dtype=bool)
        if start is not None:
            keep &= self.time >= np.datetime64(start)
        if end is not None:
            keep &= self.time <= np.datetime64(end)
        return self.where(keep)

    def where(self, keep: NDArray[np.bool_]) -> Self:
        """The examples that a mask keeps."""
        return replace(self, x=self.x[keep], y=self.y[keep], weight=self.weight[keep], time=self.time[keep])

    @property
    def bads(self) -> int:
        """How many examples went bad."""
        return int(self.y.sum())


def checked(data: Dataset) -> Dataset:
    """The same examples, or ValueError that names what makes them useless."""
    if not len(data.y):
        raise ValueError("no examples")
    if data.bads in (0, len(data.y)):
        raise ValueError("all examples have the same outcome: nothing can be learnt")
    if not (np.isfinite(data.weight).all() and (data.weight >= 0).all() and data.weight.sum() > 0):
        raise ValueError("weights must be finite, not negative, and not all zero")
    if np.isinf(data.x).any():
        column = data.names[int(np.flatnonzero(np.isinf(data.x).any(axis=0))[0])]
        raise ValueError(f"column {column} holds an infinite value")
    return data

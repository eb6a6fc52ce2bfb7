"""Labels to judge by that are not inputs: region, industry and size of each example.

It does: read them from a market's applications, or from named columns of a table, in the order of the examples. It
does not: let a label become an input. The rule it keeps: labels whose order cannot be shown to be the examples' own
are refused.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.values import division_of
from training.data import Dataset, TableDescription
from training.data.tables import Reading, scanned
from training.market import businesses

Texts = NDArray[np.str_]
Segments = Mapping[str, Texts]
UNKNOWN = "not known"
_MOST_GROUPS = 40
_FEW_VALUES = 12
_TURNOVER_CENTS = (20_000_000, 50_000_000, 200_000_000, 1_000_000_000)
_TURNOVER_BANDS = ("1: under $200k", "2: $200k to $500k", "3: $500k to $2m", "4: $2m to $10m", "5: $10m and more")


def of_market(path: Path, data: Dataset) -> Segments:
    """State, industry division, size by turnover and by staff of every business with a closed window."""
    rows, days, bads = [], [], []
    for application, _, day, bad in businesses(path):
        told = json.loads(application)
        business, band = told["business"], turnover_band(told["finances"]["turnover_12m_cents"])
        rows.append((business["state"], division_of(business["anzsic"]) or UNKNOWN, band, business["staff_band"]))
        days.append(day)
        bads.append(bad)
    order = np.argsort(np.array(days, dtype="datetime64[D]"), kind="stable")
    _same_order(np.array(bads, dtype=float)[order], data)
    columns = np.array(rows, dtype=str)[order].T
    return dict(zip(("region", "industry", "turnover", "staff"), columns, strict=True))


def turnover_band(cents: int) -> str:
    """The band of a year's turnover."""
    return _TURNOVER_BANDS[int(np.searchsorted(_TURNOVER_CENTS, cents, side="right"))]


def of_table(path: Path, described: TableDescription, names: Sequence[str], data: Dataset) -> Segments:
    """Named columns of a table as labels; a number with many values becomes five bands of equal count."""
    with scanned(path) as scan:
        reading = Reading(path.name, scan)
        reading.require((*names, described.target, *filter(None, (described.time,))))
        y = reading.outcome(described.target, described.bad)
        order = np.argsort(reading.time(described.time, len(y), date.max), kind="stable")
        reading.finish()
        _same_order(y[order], data)
        return {name: labels(reading.series(name))[order] for name in names}


def labels(values: pl.Series) -> Texts:
    """A column as labels: its 40 commonest texts (the rest is "other"), or bands of a number with many values."""
    missing, numbers = values.is_null().to_numpy(), values.cast(pl.Float64, strict=False)
    if numbers.null_count() == values.null_count() and values.n_unique() > _FEW_VALUES:
        known = numbers.to_numpy()
        edges = np.unique(np.nanquantile(known, [0.2, 0.4, 0.6, 0.8]))
        ends = [f"to {edges[0]:,g}", *(f"{a:,g} to {b:,g}" for a, b in pairwise(edges)), f"above {edges[-1]:,g}"]
        texts = np.array([f"{i}: {end}" for i, end in enumerate(ends, 1)])  # numbered, so that they sort by size
        found = texts[np.searchsorted(edges, known, side="left").clip(max=len(edges))]
    else:
        told = values.cast(pl.String)
        counts = told.drop_nulls().value_counts(name="n").sort(["n", told.name], descending=[True, False])
        common = counts[told.name].head(_MOST_GROUPS).to_list()
        found = np.where(
            told.is_in(common).fill_null(value=False).to_numpy(), told.fill_null(UNKNOWN).to_list(), "other"
        )
    return np.where(missing, UNKNOWN, found).astype(str)


def _same_order(y: NDArray[np.float64], data: Dataset) -> None:
    if not np.array_equal(y, data.y):
        raise ValueError("the labels to judge by are not in the order of the examples: read both from the same file")

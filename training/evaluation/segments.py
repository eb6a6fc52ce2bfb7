"""Labels to judge by that are not inputs: region, industry and size of each example.

It does: read them from a market's applications, or from named columns of a table, in the order of the examples. It
does not: let a label become an input. The rule it keeps: labels whose order cannot be shown to be the examples' own
are refused.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.values import division_of
from training.dataset import Dataset, TableDescription, businesses

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
        business, turnover = told["business"], told["finances"]["turnover_12m_cents"]
        band = _TURNOVER_BANDS[int(np.searchsorted(_TURNOVER_CENTS, turnover, side="right"))]
        rows.append((business["state"], division_of(business["anzsic"]) or UNKNOWN, band, business["staff_band"]))
        days.append(day)
        bads.append(bad)
    order = np.argsort(np.array(days, dtype="datetime64[D]"), kind="stable")
    _same_order(np.array(bads, dtype=float)[order], data)
    columns = np.array(rows, dtype=str)[order].T
    return dict(zip(("region", "industry", "turnover", "staff"), columns, strict=True))


def of_table(path: Path, described: TableDescription, names: Sequence[str], data: Dataset) -> Segments:
    """Named columns of a table as labels; a number with many values becomes five bands of equal count."""
    wanted = list(dict.fromkeys([*names, described.target, *filter(None, (described.time,))]))
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    if absent := [name for name in wanted if name not in frame.columns]:
        raise ValueError(f"{path.name} has no column {', '.join(absent)} to judge by")
    if described.time:
        day = pd.to_datetime(frame[described.time]).to_numpy().astype("datetime64[D]")
        frame = frame.iloc[np.argsort(day, kind="stable")]
    _same_order(frame[described.target].to_numpy(dtype=float), data)
    return {name: labels(frame[name]) for name in names}


def labels(values: "pd.Series[Any]") -> Texts:
    """A column as labels: its 40 commonest texts (the rest is "other"), or bands of a number with many values."""
    missing = values.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > _FEW_VALUES:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        edges = np.unique(np.nanquantile(numbers, [0.2, 0.4, 0.6, 0.8]))
        ends = [f"to {edges[0]:,g}", *(f"{a:,g} to {b:,g}" for a, b in pairwise(edges)), f"above {edges[-1]:,g}"]
        names = np.array([f"{i}: {end}" for i, end in enumerate(ends, 1)])  # numbered, so that they sort by size
        found = names[np.searchsorted(edges, numbers, side="left").clip(max=len(edges))]
    else:
        texts = values.astype(str).where(~missing, UNKNOWN)
        common = set(texts.value_counts().index[:_MOST_GROUPS])
        found = np.array([text if text in common else "other" for text in texts.tolist()], dtype=str)
    return np.where(missing, UNKNOWN, found).astype(str)


def _same_order(y: NDArray[np.float64], data: Dataset) -> None:
    if not np.array_equal(y, data.y):
        raise ValueError("the labels to judge by are not in the order of the examples: read both from the same file")

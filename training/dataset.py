"""Examples to learn from: feature rows with outcome, weight and time, from a market file or from any table.

It does: derive rows from a market with the very features that decide (engine.features), or read a table with a
small description file. It does not: clean, impute or select silently; what is wrong is named by row and column.
The rule it keeps: an example's time is when it was decided, and splits go by time.
"""

import sqlite3
import tomllib
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from engine.application import Application
from engine.canonical import digest
from engine.facts import Facts
from engine.features import FEATURE_NAMES, FEATURES, feature_row
from engine.values import Frozen

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
CHUNK = 500
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples in order of time: x (n, f) with NaN missing, y (n,) 0 or 1, weight (n,), time (n,) days.

    `directions` are the monotone signs by column, `categorical` the columns that hold category codes.
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
        return type(self)(
            self.names, self.x[keep], self.y[keep], self.weight[keep], self.time[keep], self.directions,
            self.categorical, self.description, self.source_sha256,
        )  # fmt: skip

    @property
    def bads(self) -> int:
        """How many examples went bad."""
        return int(self.y.sum())


# -- a market file -------------------------------------------------------------------------------------------


def from_market(path: Path, jobs: int = 2, progress: Progress = lambda done: None) -> Dataset:
    """Every business of a market with a closed performance window, derived as the live service would.

    ValueError where the market has no such business or only one outcome.
    """
    rows, outcomes, days = [], [], []
    hashes = []
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for chunk in pool.map(_derive, _chunks(path)):
            rows.append(chunk.x)
            outcomes.append(chunk.y)
            days.append(chunk.time)
            hashes.append(chunk.source_sha256)
            progress(len(chunk.y))
    if not rows:
        raise ValueError(f"{path} holds no business with a closed performance window")
    x, y, time = np.concatenate(rows), np.concatenate(outcomes), np.concatenate(days)
    order = np.argsort(time, kind="stable")
    return checked(
        Dataset(
            names=FEATURE_NAMES, x=x[order], y=y[order], weight=np.ones(len(y)), time=time[order],
            directions=tuple(f.direction for f in FEATURES), categorical=(),
            description=f"simulated market, {len(y)} businesses with a closed window (synthetic)",
            source_sha256=digest(hashes),
        )
    )  # fmt: skip


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


Raw = tuple[str, bytes, str, int]


def businesses(path: Path, closed_only: bool = True) -> Iterator[Raw]:
    """(application JSON, compressed facts, day, bad) of each business, in the order of the market."""
    where = "WHERE bad IS NOT NULL" if closed_only else ""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as market:
        yield from market.execute(f"SELECT application, facts, applied_on, bad FROM business {where} ORDER BY idx")


def count_closed(path: Path) -> int:
    """How many businesses of a market have a closed performance window."""
    return _count(path, "WHERE bad IS NOT NULL")


def count_all(path: Path) -> int:
    """How many businesses a market has."""
    return _count(path, "")


def _count(path: Path, where: str) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as market:
        return int(market.execute(f"SELECT count(*) FROM business {where}").fetchone()[0])


def _chunks(path: Path) -> Iterator[list[Raw]]:
    stream = businesses(path)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _derive(chunk: list[Raw]) -> Dataset:
    x = np.empty((len(chunk), len(FEATURE_NAMES)))
    for i, (application, facts, _, _) in enumerate(chunk):
        x[i] = feature_row(
            Application.model_validate_json(application), Facts.model_validate_json(zlib.decompress(facts))
        )
    return Dataset(
        names=FEATURE_NAMES, x=x, y=np.array([row[3] for row in chunk], dtype=float), weight=np.ones(len(chunk)),
        time=np.array([row[2] for row in chunk], dtype="datetime64[D]"), directions=(), categorical=(),
        description="", source_sha256=digest([digest(row[1]) for row in chunk]),
    )  # fmt: skip


# -- any table -----------------------------------------------------------------------------------------------


class Column(Frozen):
    """How one column of a table is read."""

    kind: Literal["number", "category", "flag"]
    direction: Literal[-1, 0, 1] = 0
    first: Annotated[int, Field(ge=0, le=20)] = 0  # keep only this many leading characters of a category


class TableDescription(Frozen):
    """The small description file of a table (TOML); `columns` are the inputs, nothing else is read."""

    table: str
    target: str
    time: str | None = None
    weight: str | None = None
    description: Annotated[str, Field(max_length=500)] = ""
    columns: Annotated[dict[str, Column], Field(min_length=1)]


def from_table(description_file: Path, table: Path | None = None) -> Dataset:
    """A Parquet or CSV table as examples, by its description; ValueError names column and row of every fault found.

    The table lies beside its description unless `table` says where. Category codes are the sorted distinct values,
    most frequent 200 at most; the rest is missing.
    """
    described = TableDescription.model_validate(tomllib.loads(description_file.read_text()))
    path = table or description_file.parent / described.table
    if not path.exists():
        raise ValueError(f"{description_file}: there is no table at {path}")
    wanted = [described.target, *filter(None, (described.time, described.weight)), *described.columns]
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    if missing := [name for name in wanted if name not in frame.columns]:
        raise ValueError(f"{described.table} has no column {', '.join(missing)}")
    y = _target(frame[described.target])
    time = (
        pd.to_datetime(frame[described.time]).to_numpy().astype("datetime64[D]")
        if described.time
        else np.zeros(len(frame), dtype="datetime64[D]")
    )
    weight = frame[described.weight].to_numpy(dtype=float) if described.weight else np.ones(len(frame))
    x = np.column_stack([_column(frame[name], how) for name, how in described.columns.items()])
    order = np.argsort(time, kind="stable")
    return checked(
        Dataset(
            names=tuple(described.columns), x=x[order], y=y[order], weight=weight[order], time=time[order],
            directions=tuple(c.direction for c in described.columns.values()),
            categorical=tuple(i for i, c in enumerate(described.columns.values()) if c.kind == "category"),
            description=described.description or described.table, source_sha256=digest(path.read_bytes()),
        )
    )  # fmt: skip


def _target(values: "pd.Series[Any]") -> Floats:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = ~numbers.isin([0, 1])
    if wrong.any():
        raise ValueError(f"target column {values.name}: row {int(np.flatnonzero(wrong)[0])} is neither 0 nor 1")
    return numbers.to_numpy(dtype=float)


_MOST_CATEGORIES = 200


def _column(values: "pd.Series[Any]", how: Column) -> Floats:
    if how.kind == "category":
        texts = values.astype(str).where(values.notna())
        texts = texts.str[: how.first] if how.first else texts
        known = sorted(texts.value_counts().index[:_MOST_CATEGORIES])
        codes = pd.Categorical(texts, categories=known).codes
        return np.where(codes < 0, np.nan, codes).astype(float)
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        raise ValueError(f"column {values.name}: row {int(np.flatnonzero(wrong)[0])} is not a number")
    if how.kind == "flag" and not numbers.dropna().isin([0, 1]).all():
        raise ValueError(f"column {values.name}: a flag holds only 0 and 1")
    return numbers.to_numpy(dtype=float)

"""A table as the audit sees it: columns as numbers, the outcome, two spans of time and eight buckets of it.

It does: read one column at a time from a lazy scan, evenly thinned where the table is long. It does not: look. The
rule it keeps: nothing is asked of a column's name.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.examples import Floats
from training.data.faults import Fault, TableFaults
from training.data.tables import Reading

MOST_ROWS = 60_000  # looked at
BUCKETS = 8
OLDER_SHARE = 0.65
_NUMBER_SHARE = 0.99  # of a text column's values that read as numbers, for it to be one
_SEED = 20_260_101
_STRATUM_ROWS = 100
_MOST_STRATA = 64

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One column as numbers, NaN missing: a number itself, a date as days since 1970, a category as a code.

    Codes of text are shared by all columns, so that equal texts are equal codes.
    """

    name: str
    kind: Literal["number", "category", "date"]
    values: Floats
    whole: bool  # every number is a whole one

    @cached_property
    def missing(self) -> Mask:
        """Where nothing stands."""
        return np.isnan(self.values)

    @cached_property
    def distinct(self) -> int:
        """How many different values stand there."""
        return len(np.unique(self.values[~self.missing]))


@dataclass(frozen=True)
class Table:
    """What is looked at. `older` marks the rows that teach; `bucket` (n,) is each row's eighth
    of time, and `stratum` (n,) a finer slice, of a hundred rows at least, that shares a bad rate."""

    columns: tuple[Column, ...]
    y: Floats
    weight: Floats
    day: Floats  # days since 1970; NaN throughout where the table names no time
    older: Mask
    bucket: Ints
    stratum: Ints
    rows: int
    texts: tuple[str, ...]  # what the codes of categories stand for

    @property
    def timed(self) -> bool:
        """Whether the table tells when."""
        return not bool(np.isnan(self.day).any())


def read(path: Path, scan: pl.LazyFrame, target: str, bad: str | None, time: str | None, weight: str | None) -> Table:
    """The table of a scan; TableFaults where target, time or weight are unusable."""
    reading = Reading(path.name, scan)
    reading.require(tuple(filter(None, (target, time, weight))))
    rows = reading.rows()
    thinned = scan.gather_every(max(1, -(-rows // MOST_ROWS)))
    reading = Reading(path.name, thinned)
    y = reading.outcome(target, bad)
    day = reading.day_of_each_row(time, None, "") if time else None
    weights = reading.weight(weight, len(y))
    reading.finish()
    days = day.astype(np.int64).astype(float) if day is not None else np.full(len(y), np.nan)
    older, bucket, stratum = _spans(days)
    for name, part in (("older", older), ("newer", ~older)):
        if len(np.unique(y[part])) < 2:  # noqa: PLR2004 - both outcomes
            raise TableFaults(path.name, [Fault(target, f"the {name} span holds one outcome only")])
    names = [name for name in scan.collect_schema() if name not in (target, time, weight)]
    texts: dict[str, int] = {}
    columns = tuple(c for name in names if (c := _column(name, reading.series(name), texts)) is not None)
    return Table(columns, y, weights, days, older, bucket, stratum, rows, tuple(texts))


def _spans(days: Floats) -> tuple[Mask, Ints, Ints]:
    """The older span, buckets and strata: by time, or where there is none a fixed shuffle, one bucket, one stratum."""
    if np.isnan(days).any():
        shuffled = np.random.Generator(np.random.PCG64(_SEED)).permutation(len(days))
        nothing = np.zeros(len(days), dtype=np.int64)
        return shuffled < OLDER_SHARE * len(days), nothing, nothing
    strata = int(np.clip(len(days) // _STRATUM_ROWS, BUCKETS, _MOST_STRATA))
    return days <= np.quantile(days, OLDER_SHARE), _slices(days, BUCKETS), _slices(days, strata)


def _slices(days: Floats, many: int) -> Ints:
    """Slices of time with about as many rows each; a day is never cut in two."""
    edges = np.quantile(days, np.linspace(0, 1, many + 1)[1:-1])
    return np.searchsorted(edges, days, side="right").astype(np.int64)


def _column(name: str, series: pl.Series, codes: dict[str, int]) -> Column | None:
    """A column as numbers; None for one that holds lists or structures."""
    if series.dtype.is_nested() or series.dtype == pl.Binary:
        return None
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        texts = series.cast(pl.String).str.strip_chars().replace("", None)
        told = max(len(texts) - texts.null_count(), 1)
        numbers = texts.cast(pl.Float64, strict=False)
        dates = texts.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        if (len(texts) - numbers.null_count()) / told >= _NUMBER_SHARE:
            series = numbers
        elif (len(texts) - dates.null_count()) / told >= _NUMBER_SHARE:
            series = dates
        else:
            return Column(name, "category", _coded(texts, codes), whole=True)
    if series.dtype.is_temporal() and series.dtype not in (pl.Time, pl.Duration):
        return Column(name, "date", _floats(series.cast(pl.Date).cast(pl.Int32)), whole=True)
    values = _floats(series.to_physical() if series.dtype.is_temporal() else series)
    values[np.isinf(values)] = np.nan
    told_values = values[~np.isnan(values)]
    return Column(name, "number", values, whole=bool((told_values == np.rint(told_values)).all()))


def _coded(texts: pl.Series, codes: dict[str, int]) -> Floats:
    for text in texts.drop_nulls().unique(maintain_order=True).to_list():
        codes.setdefault(text, len(codes))
    return _floats(texts.replace_strict(codes, default=None, return_dtype=pl.Float64)) if codes else _floats(texts)


def _floats(series: pl.Series) -> Floats:
    return series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)

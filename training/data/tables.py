"""Any Parquet or CSV table as examples, by its description.

It does: scan lazily and read one column at a time, so that memory holds the finished matrix and two columns, never the
table; check schema, types and ranges. It does not: repair a value. The rule it keeps: every fault is told at once.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from training.data.description import Column, TableDescription, read_description
from training.data.examples import Dataset, Days, Floats, checked
from training.data.faults import Fault, TableFaults, rows_fault

MOST_CATEGORIES = 200
_EPOCH = np.datetime64("1970-01-01")


@contextmanager
def scanned(table: Path) -> Iterator[pl.LazyFrame]:
    """A lazy look at a table. A CSV is turned once into a passing Parquet file, so that columns are read singly.

    ValueError where the file is neither.
    """
    try:
        if table.suffix == ".parquet":
            scan = pl.scan_parquet(table)
            scan.collect_schema()
            yield scan
            return
        with tempfile.TemporaryDirectory(prefix="creditline-") as folder:
            passing = Path(folder) / "table.parquet"
            pl.scan_csv(table, infer_schema=False).sink_parquet(passing, compression="lz4")
            yield pl.scan_parquet(passing)
    except PolarsError as error:
        raise ValueError(f"{table} cannot be read as a table: {str(error).splitlines()[0]}") from None


def from_table(description_file: Path, table: Path | None = None, today: date | None = None) -> Dataset:
    """A table as examples; TableFaults names column and rows of everything that is wrong with it.

    The table lies beside its description unless `table` says where. Category codes are the sorted distinct values,
    most frequent 200 at most; the rest is missing. No decision may be dated after `today` (default: this day).
    """
    described = read_description(description_file)
    path = described_table(description_file, described, table)
    with scanned(path) as scan:
        reading = Reading(path.name, scan)
        reading.require(described.read)
        rows = reading.rows()
        y = reading.outcome(described.target, described.bad)
        time = reading.time(described.time, rows, today or date.today())
        weight = reading.weight(described.weight, rows)
        order = np.argsort(time, kind="stable")
        x = np.empty((rows, len(described.columns)))
        for i, (name, how) in enumerate(described.columns.items()):
            x[:, i] = reading.column(name, how, time)[order]
        reading.finish()
    return checked(
        Dataset(
            names=tuple(described.columns), x=x, y=y[order], weight=weight[order], time=time[order],
            directions=tuple(c.direction for c in described.columns.values()),
            categorical=tuple(i for i, c in enumerate(described.columns.values()) if c.kind == "category"),
            description=described.description or described.table, source_sha256=file_sha256(path),
            levels=tuple(reading.levels[name] for name, c in described.columns.items() if c.kind == "category"),
        )
    )  # fmt: skip


def in_codes(data: Dataset, categories: Mapping[str, Sequence[str]]) -> Dataset:
    """The same examples with categories in the codes that a model learnt, by what they stand for.

    Codes are given by the values a table happens to hold, so another table's mean something else. What the model never
    saw has a code of its own, as every value beyond the most frequent is missing.
    """
    x, told = data.x.copy(), list(data.levels)
    for place, (i, levels) in enumerate(zip(data.categorical, data.levels, strict=False)):
        learnt = categories.get(data.names[i])
        if learnt is not None and tuple(learnt) != levels:
            unseen = float(len(learnt)) if len(learnt) < MOST_CATEGORIES else np.nan
            code_of = {level: float(code) for code, level in enumerate(learnt)}
            codes = np.array([*(code_of.get(level, unseen) for level in levels), np.nan])  # the last is of the missing
            x[:, i] = codes[np.where(np.isnan(x[:, i]), len(levels), x[:, i]).astype(int)]
            told[place] = (*learnt, "unseen")
    return replace(data, x=x, levels=tuple(told))


def described_table(description_file: Path, described: TableDescription, table: Path | None = None) -> Path:
    """Where the described table lies; ValueError where nothing does."""
    path = table or description_file.parent / described.table
    if not path.exists():
        raise ValueError(f"{description_file}: there is no table at {path}")
    return path


def table_files(table: Path) -> list[Path]:
    """The files of a table: itself, or the Parquet files of a folder in order of name."""
    return sorted(table.glob("*.parquet")) if table.is_dir() else [table]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read in pieces; of a folder, over those of its Parquet files."""
    if path.is_dir():
        return folder_sha256([file_sha256(file) for file in table_files(path)])
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(files: list[str]) -> str:
    """The SHA-256 of a table in several files, from theirs."""
    return hashlib.sha256("".join(files).encode()).hexdigest()


class Reading:
    """One pass over a table, column after column; what is wrong gathers in `faults`.

    Of a part of a table (not `whole`) one outcome or no weight is no fault.
    """

    def __init__(self, name: str, scan: pl.LazyFrame, whole: bool = True) -> None:
        self.name, self.scan, self.schema, self.faults = name, scan, scan.collect_schema(), list[Fault]()
        self.whole = whole
        self.tells_unseen = False  # whether a category that is not among given levels has a code of its own
        self.levels = dict[str, tuple[str, ...]]()  # of each category: what its codes stand for, given or found

    def require(self, wanted: tuple[str, ...]) -> None:
        """TableFaults where a column is missing: without it nothing else can be said."""
        missing = [name for name in dict.fromkeys(wanted) if name not in self.schema]
        if missing:
            has = ", ".join(list(self.schema)[:40])
            raise TableFaults(self.name, [Fault(name, f"is missing; the table has {has}") for name in missing])

    def rows(self) -> int:
        """How many rows the table has."""
        return int(self.scan.select(pl.len()).collect(engine="streaming").item())

    def finish(self) -> None:
        """TableFaults where anything was found."""
        if self.faults:
            raise TableFaults(self.name, self.faults)

    def outcome(self, name: str, bad: str | int | None) -> Floats:
        """1 bad, 0 good; `bad` is the value that means bad, where the column is not 0 and 1."""
        series = self.series(name)
        if bad is not None:
            self.faults += rows_fault(name, series.is_null().to_numpy(), "has no outcome")
            y = (series.cast(pl.String) == str(bad)).fill_null(value=False).to_numpy().astype(float)
        else:
            y = self._floats(name, series, "is neither 0 nor 1", missing_too=True)
            told = np.isfinite(y)
            self.faults += rows_fault(name, told & (y != 0) & (y != 1), "is neither 0 nor 1")
        if self.whole and not self.faults and len(found := np.unique(y)) == 1:
            means = "bad" if found[0] else "good"
            self.faults.append(
                Fault(name, f"all {len(y):,} rows have the same outcome ({means}): nothing can be learnt")
            )
        return y

    def time(self, name: str | None, rows: int, today: date) -> Days:
        """The day of each decision; the same day for all where the table tells none."""
        if name is None:
            return np.zeros(rows, dtype="datetime64[D]")
        return self.day_of_each_row(name, today, "lies in the future, after")

    def day_of_each_row(self, name: str, last: date | None, says: str) -> Days:
        """A date on every row, none after the last, where there is a last."""
        days = self._days(name)
        self.faults += rows_fault(name, np.isnat(days), "is not a date")
        if last is not None:
            self.faults += rows_fault(name, days > np.datetime64(last), f"{says} {last}")
        return days

    def numbers(self, name: str) -> Floats:
        """A finite number on every row."""
        values = self._floats(name, self.series(name), "is not a number", missing_too=True)
        self.faults += rows_fault(name, np.isinf(values), "is infinite")
        return values

    def flags(self, name: str) -> Floats:
        """0, 1 or missing on every row."""
        return self._number(name, Column(kind="flag"), self.series(name))

    def weight(self, name: str | None, rows: int) -> Floats:
        """The weight of each example; 1 where the table tells none."""
        if name is None:
            return np.ones(rows)
        values = self.numbers(name)
        self.faults += rows_fault(name, values < 0, "is a negative weight")
        if self.whole and rows and not np.nansum(values) > 0:
            self.faults.append(Fault(name, "weights do not add up to anything above zero"))
        return values

    def column(self, name: str, how: Column, time: Days) -> Floats:
        """The values of an input, NaN missing."""
        if how.known == "later":
            self.faults.append(Fault(name, "is described as known only after the decision: it cannot be an input"))
        if how.known_on is not None:
            self.faults += rows_fault(name, self._days(how.known_on) > time, "was known only after the decision")
        series = self.series(name)
        values = self._category(name, how, series) if how.kind == "category" else self._number(name, how, series)
        if how.required:
            self.faults += rows_fault(name, series.is_null().to_numpy(), "is required and missing")
        return values

    def _category(self, name: str, how: Column, series: pl.Series) -> Floats:
        texts = series.cast(pl.String)
        if how.values is not None:
            strange = texts.is_not_null() & ~texts.is_in(how.values)
            self.faults += rows_fault(name, strange.to_numpy(), "holds a value that is not in its list")
        texts = texts.str.slice(0, how.first) if how.first else texts
        if name not in self.levels:
            counts = texts.drop_nulls().value_counts(name="n").sort(["n", name], descending=[True, False])
            self.levels[name] = tuple(sorted(counts[name].head(MOST_CATEGORIES).to_list()))
        known = self.levels[name]
        # Of the most categories the rare ones count as missing; else the levels tell all that there was.
        unseen = float(len(known)) if self.tells_unseen and len(known) < MOST_CATEGORIES else None
        codes = texts.replace_strict(list(known), list(range(len(known))), default=unseen, return_dtype=pl.Float64)
        return _numpy(codes.set(texts.is_null(), None))

    def _number(self, name: str, how: Column, series: pl.Series) -> Floats:
        values = self._floats(name, series, "is not a number")
        self.faults += rows_fault(name, np.isinf(values), "holds an infinite value")
        if how.kind == "flag":
            told = np.isfinite(values)
            self.faults += rows_fault(name, told & (values != 0) & (values != 1), "holds more than a flag's 0 and 1")
        if how.least is not None:
            self.faults += rows_fault(name, values < how.least, f"is below {how.least}")
        if how.most is not None:
            self.faults += rows_fault(name, values > how.most, f"is above {how.most}")
        return values

    def _floats(self, name: str, series: pl.Series, says: str, missing_too: bool = False) -> Floats:
        """Numbers of a column; a value that is none, and where told a missing one, is a fault."""
        if series.dtype.is_temporal():
            self.faults.append(Fault(name, f"holds {series.dtype}, not numbers"))
            return np.full(len(series), np.nan)
        trimmed = series.str.strip_chars() if series.dtype == pl.String else series
        numbers = trimmed.cast(pl.Float64, strict=False)
        wrong = numbers.is_null() if missing_too else numbers.is_null() & series.is_not_null()
        self.faults += rows_fault(name, wrong.to_numpy(), says)
        if missing_too:
            self.faults += rows_fault(name, numbers.is_nan().fill_null(False).to_numpy(), says)
        return _numpy(numbers)

    def _days(self, name: str) -> Days:
        """Days of a date column, or of texts that begin with one (2026-01-31); not-a-time where there is none."""
        series = self.series(name)
        if series.dtype == pl.String:
            series = series.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        if not series.dtype.is_temporal():
            self.faults.append(Fault(name, f"holds {series.dtype}, not dates"))
            return np.full(len(series), _EPOCH)
        return series.cast(pl.Date).to_numpy().astype("datetime64[D]")

    def series(self, name: str) -> pl.Series:
        """One column, whole."""
        return self.scan.select(name).collect(engine="streaming").to_series()


def _numpy(series: pl.Series) -> Floats:
    return series.fill_null(float("nan")).to_numpy().astype(np.float64)

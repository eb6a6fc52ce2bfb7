"""Look a table through part by part: what is wrong with it, what each span holds, which categories there are.

It does: check every column of a part as a whole table's columns are checked, and add parts up. It does not: hold a row
once its part is done. The rule it keeps: every fault of the whole table is told at once, by the whole table's rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl

from training.cluster.parts import Part
from training.data import Column, Dataset, Fault, TableDescription, TableFaults
from training.data.tables import MOST_CATEGORIES, Reading
from training.fitting.split import SPANS, Split, require_both_outcomes

MOST_COUNTED = 20_000  # distinct values of a category that a part tells of, the most frequent first
_SHOWN = 5
Levels = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Held:
    """What one span holds, of a part or of the whole."""

    rows: int = 0
    bads: int = 0
    good_weight: float = 0.0
    bad_weight: float = 0.0
    first: str = "9999"
    last: str = ""

    def add(self, other: "Held") -> None:
        """Take in another part."""
        self.rows, self.bads = self.rows + other.rows, self.bads + other.bads
        self.good_weight, self.bad_weight = self.good_weight + other.good_weight, self.bad_weight + other.bad_weight
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)


@dataclass(slots=True)
class Looked:
    """What was seen of a part, or of parts put together in order."""

    rows: int = 0
    weight: float = 0.0
    bads: int = 0
    spans: tuple[Held, ...] = field(default_factory=lambda: tuple(Held() for _ in SPANS))
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)

    def add(self, other: "Looked") -> None:
        """Take in the part that follows."""
        self.rows, self.weight, self.bads = self.rows + other.rows, self.weight + other.weight, self.bads + other.bads
        for mine, theirs in zip(self.spans, other.spans, strict=True):
            mine.add(theirs)
        for name, counts in other.categories.items():
            self.categories.setdefault(name, Counter()).update(counts)
        for key, fault in other.faults.items():
            known = self.faults.get(key)
            self.faults[key] = fault if known is None else replace(
                known, count=known.count + fault.count, rows=(*known.rows, *fault.rows)[:_SHOWN]
            )  # fmt: skip

    @property
    def levels(self) -> Levels:
        """The values that a category's codes stand for: the most frequent, in order of their text."""
        ranked = {
            name: sorted(counts.items(), key=lambda of: (-of[1], of[0])) for name, counts in self.categories.items()
        }
        return {name: tuple(sorted(value for value, _ in of[:MOST_CATEGORIES])) for name, of in ranked.items()}


def look(part: Part, described: TableDescription, split: Split, today: date) -> Looked:
    """Check every column of a part and count what its spans hold. Runs on a worker."""
    reading, data, categories = _read(part, described, {}, today)
    faults = {
        (fault.column, fault.says): replace(fault, rows=tuple(row + part.first for row in fault.rows))
        for fault in reading.faults
    }
    if data is None or faults:
        return Looked(rows=part.rows, faults=faults)
    return Looked(
        rows=part.rows, weight=float(data.weight.sum()), bads=data.bads, categories=categories,
        spans=tuple(_held(data.between(*span)) for span in split.spans),
    )  # fmt: skip


def _held(data: Dataset) -> Held:
    if not len(data.y):
        return Held()
    bad = float((data.weight * data.y).sum())
    days = str(data.time.min()), str(data.time.max())
    return Held(len(data.y), data.bads, float(data.weight.sum()) - bad, bad, *days)


def read(part: Part, described: TableDescription, split: Split, levels: Levels, today: date) -> tuple[Dataset, ...]:
    """The examples of a part, each span's in order of time. Runs on a worker; the part was looked at before."""
    reading, data, _ = _read(part, described, levels, today)
    reading.finish()
    if data is None:
        raise ValueError(f"{part.file} has changed since it was looked at: run the same command again")
    return tuple(data.between(*span) for span in split.spans)


def _read(
    part: Part, described: TableDescription, levels: Levels, today: date
) -> tuple[Reading, Dataset | None, dict[str, Counter[str]]]:
    """A part as examples in order of time, None where a column is missing; and how often each category occurs."""
    reading = Reading(part.file.name, part.scan(), whole=False)
    reading.levels.update(levels)
    try:
        reading.require(described.read)
    except TableFaults as missing:
        reading.faults += missing.faults
        return reading, None, {}
    y = reading.outcome(described.target, described.bad)
    time = reading.time(described.time, part.rows, today)
    weight = reading.weight(described.weight, part.rows)
    order = np.argsort(time, kind="stable")
    x = np.empty((part.rows, len(described.columns)))
    counted = {}
    for i, (name, how) in enumerate(described.columns.items()):
        x[:, i] = reading.column(name, how, time)[order]
        if how.kind == "category" and not levels:
            counted[name] = _counted(reading.series(name), how)
    data = Dataset(
        names=tuple(described.columns), x=x, y=y[order], weight=weight[order], time=time[order],
        directions=directions(described), categorical=categorical(described),
        description=described.description or described.table, source_sha256="",
    )  # fmt: skip
    return reading, data, counted


def _counted(series: pl.Series, how: Column) -> Counter[str]:
    texts = series.cast(pl.String).alias("value")
    texts = texts.str.slice(0, how.first) if how.first else texts
    counts = texts.drop_nulls().value_counts(name="n").sort(["n", "value"], descending=[True, False]).head(MOST_COUNTED)
    return Counter(dict(zip(counts["value"].to_list(), counts["n"].to_list(), strict=True)))


def directions(described: TableDescription) -> tuple[int, ...]:
    """The monotone sign of each column."""
    return tuple(column.direction for column in described.columns.values())


def categorical(described: TableDescription) -> tuple[int, ...]:
    """The columns that hold category codes."""
    return tuple(i for i, column in enumerate(described.columns.values()) if column.kind == "category")


def require_sound(name: str, described: TableDescription, looked: Sequence[Looked]) -> Looked:
    """The whole table's counts; TableFaults or ValueError say everything that is wrong with it, or with a span."""
    total = Looked()
    for part in looked:
        total.add(part)
    faults = list(total.faults.values())
    if not faults and total.bads in (0, total.rows):
        means = "bad" if total.bads else "good"
        says = f"all {total.rows:,} rows have the same outcome ({means}): nothing can be learnt"
        faults.append(Fault(described.target, says))
    if not faults and not total.weight > 0:
        faults.append(Fault(described.weight or "weight", "weights do not add up to anything above zero"))
    if faults:
        raise TableFaults(name, faults)
    for span, held in zip(SPANS, total.spans, strict=True):
        require_both_outcomes(span, held.rows, held.bads, min(held.good_weight, held.bad_weight))
    return total

"""A Parquet table cut into parts that are read one by one, each where it is worked on.

It does: cut by row groups (a long one is cut again), and deal parts to workers. It does not: read rows. The rule it
keeps: the same table is cut and dealt alike whatever the workers' addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet

from training.data.tables import table_files

MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """A run of rows of one file; `number` counts parts, `first` the row of the whole table it begins with."""

    number: int
    file: Path
    start: int
    rows: int
    first: int

    def scan(self) -> pl.LazyFrame:
        """A lazy look at these rows alone."""
        return pl.scan_parquet(self.file).slice(self.start, self.rows)


def cut(table: Path, most_rows: int = MOST_ROWS) -> list[Part]:
    """The parts of a Parquet file, or of a folder of them in order of name. Runs on a worker."""
    if not table.exists():
        raise ValueError(f"a worker finds no table at {table}: every worker must see it at the same path")
    if table.suffix != ".parquet":
        raise ValueError(f"{table} is not Parquet, which a cluster reads by parts: turn it into Parquet first")
    parts: list[Part] = []
    first = 0
    for file in table_files(table):
        start = 0
        try:
            told = pyarrow.parquet.read_metadata(file)
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise ValueError(f"{file} cannot be read as a table: {str(error).splitlines()[0]}") from None
        for group in range(told.num_row_groups):
            end = start + told.row_group(group).num_rows
            while start < end:
                rows = min(most_rows, end - start)
                parts.append(Part(len(parts), file, start, rows, first))
                start, first = start + rows, first + rows
    if not parts:
        raise ValueError(f"{table} has no rows")
    return parts


def dealt(sizes: Sequence[int], workers: int) -> list[int]:
    """Which worker takes each part: each in turn goes to the one with the fewest rows so far, the first of equals."""
    held, places = [0] * workers, []
    for size in sizes:
        place = min(range(workers), key=lambda worker: (held[worker], worker))
        held[place] += size
        places.append(place)
    return places

"""What is wrong with a table, by row and column.

It does: gather every fault of a table and tell all of them at once. It does not: quote a value (it may be somebody's).
The rule it keeps: rows count from 0, as the file holds them, its heading not counted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one column: how many rows, and the first of them (none: the whole column)."""

    column: str
    says: str
    count: int = 0
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.rows:
            return f"column {self.column}: {self.says}"
        first = self.rows[0] if self.count == 1 else f"{', '.join(map(str, self.rows))}"
        more = f" and {self.count - len(self.rows):,} more" if self.count > len(self.rows) else ""
        return f"column {self.column}: row{'s' if self.count > 1 else ''} {first}{more} {self.says}"


class TableFaults(ValueError):
    """Everything that is wrong with a table; the text has a line for each fault."""

    def __init__(self, table: str, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [f"{table}: {len(faults)} fault{'s' if len(faults) != 1 else ''}", *(f"  {fault}" for fault in faults)]
        super().__init__("\n".join(lines))


def rows_fault(column: str, wrong: NDArray[np.bool_], says: str) -> list[Fault]:
    """The fault of the rows that a mask marks, in a list; an empty list where it marks none."""
    rows = np.flatnonzero(wrong)
    return [Fault(column, says, len(rows), tuple(rows[:_SHOWN].tolist()))] if len(rows) else []

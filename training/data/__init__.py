"""Examples to learn from: feature rows with outcome, weight and time.

It does: read them from a market file (`market`), from any table with a description (`tables`), or from the service's
export joined with later performance (`export`). It does not: clean, impute or select silently; what is wrong is named
by row and column, all of it at once. The rule it keeps: an example's time is when it was decided, splits go by time.
"""

from training.data.description import Column, TableDescription, read_description
from training.data.examples import Dataset, Days, Floats, checked
from training.data.export import Joined, from_export
from training.data.faults import Fault, TableFaults
from training.data.market import from_market
from training.data.tables import described_table, from_table, scanned

__all__ = [
    "Column",
    "Dataset",
    "Days",
    "Fault",
    "Floats",
    "Joined",
    "TableDescription",
    "TableFaults",
    "checked",
    "described_table",
    "from_export",
    "from_market",
    "from_table",
    "read_description",
    "scanned",
]

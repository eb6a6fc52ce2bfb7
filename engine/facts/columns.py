"""Columnar blocks: many rows of checked integers, held as read-only NumPy arrays.

It does: validate whole columns at once (length, range, order) and serialise them as plain lists. It does
not: hold one object a row; a statement of 5,000 transactions is five arrays. The rule it keeps: a block
that exists is valid, sorted by day, and cannot be changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from engine.canonical import canonical_bytes
from engine.values import problem

MAX_ROWS = 20_000
Ints = NDArray[np.int64]


class Block:
    """A table of integer columns; subclasses declare `columns` as name -> (lowest, highest)."""

    columns: ClassVar[Mapping[str, tuple[int, int]]] = {}
    unsaid: ClassVar[Mapping[str, int]] = {}  # columns that may be left out, and the value that then stands in each row
    day_column: ClassVar[str] = ""
    __slots__ = ("_data", "_length")

    def __init__(self, data: Mapping[str, Sequence[int] | Ints]) -> None:
        if not set(self.columns) - set(self.unsaid) <= set(data) <= set(self.columns):
            raise problem("block_columns", "Columns must be exactly: " + ", ".join(self.columns))
        arrays = {name: _column(data[name], *self.columns[name]) for name in self.columns if name in data}
        for name in self.unsaid.keys() - data.keys():
            arrays[name] = _column(np.full(len(arrays[self.day_column]), self.unsaid[name]), *self.columns[name])
        lengths = {len(a) for a in arrays.values()}
        if len(lengths) > 1:
            raise problem("block_lengths", "All columns must have the same number of rows")
        self._length = lengths.pop() if lengths else 0
        if self._length > MAX_ROWS:
            raise problem("block_rows", f"At most {MAX_ROWS} rows")
        days = arrays[self.day_column]
        if self._length and bool((days[1:] < days[:-1]).any()):
            raise problem("block_order", f"Rows must be in order of {self.day_column}")
        self._data = arrays

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Ints:
        return self._data[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.as_json() == other.as_json()

    def __hash__(self) -> int:
        return hash(canonical_bytes(self.as_json()))

    def as_json(self) -> dict[str, list[int]]:
        """The block as plain lists, column by column."""
        return {name: self._data[name].tolist() for name in self.columns}

    @classmethod
    def empty(cls) -> Self:
        """A block of no rows."""
        return cls({name: [] for name in cls.columns})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(cls.as_json)
        )

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise problem("block_type", "Must be an object of columns")
        return cls(value)


def _column(values: Sequence[int] | Ints, low: int, high: int) -> Ints:
    if isinstance(values, np.ndarray) and values.dtype.kind == "i":  # floats, flags and unsigned would be bent to fit
        array = values.astype(np.int64)
    elif isinstance(values, list | tuple) and all(type(v) is int for v in values):
        try:
            array = np.array(values, dtype=np.int64)
        except OverflowError:
            raise problem("block_range", f"Values must be between {low} and {high}") from None
    else:
        raise problem("block_type", "Columns must be lists of integers")
    if array.ndim != 1 or (len(array) and not (low <= array.min() and array.max() <= high)):
        raise problem("block_range", f"Values must be between {low} and {high}")
    array.setflags(write=False)
    return array

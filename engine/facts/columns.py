"""Columnar blocks: many rows of checked integers, held as one read-only NumPy table.

It does: validate whole columns at once (length, range, order), read them from JSON and write them as plain lists. It
does not: hold one object a row; a statement of 5,000 transactions is one table. The rule it keeps: a block that exists
is valid, sorted by day, and cannot be changed.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from engine.values import problem

MAX_ROWS = 20_000
Ints = NDArray[np.int64]
_COLUMNS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_INT = frozenset({int})


class Block:
    """A table of integer columns; subclasses declare `columns` as name -> (lowest, highest)."""

    columns: ClassVar[Mapping[str, tuple[int, int]]] = {}
    unsaid: ClassVar[Mapping[str, int]] = {}  # columns that may be left out, and the value that then stands in each row
    day_column: ClassVar[str] = ""
    __slots__ = ("_data", "_table")

    def __init__(self, data: Mapping[str, Sequence[int] | Ints]) -> None:
        if not set(self.columns) - set(self.unsaid) <= set(data) <= set(self.columns):
            raise problem("block_columns", "Columns must be exactly: " + ", ".join(self.columns))
        arrays = {name: _column(data[name], *self.columns[name]) for name in self.columns if name in data}
        for name in self.unsaid.keys() - data.keys():
            arrays[name] = np.full(len(arrays[self.day_column]), self.unsaid[name], dtype=np.int64)
        if len({len(array) for array in arrays.values()}) > 1:
            raise problem("block_lengths", "All columns must have the same number of rows")
        self._table: Ints = np.array([arrays[name] for name in self.columns], dtype=np.int64)
        self._table.setflags(write=False)
        self._data: dict[str, Ints] = dict(zip(self.columns, self._table, strict=True))
        if len(self):
            self._check()

    def _check(self) -> None:
        lowest, highest = self._table.min(axis=1).tolist(), self._table.max(axis=1).tolist()
        for (low, high), least, most in zip(self.columns.values(), lowest, highest, strict=True):
            if least < low or most > high:
                raise _range_problem(low, high)
        if len(self) > MAX_ROWS:
            raise problem("block_rows", f"At most {MAX_ROWS} rows")
        days = self._data[self.day_column]
        if bool((days[1:] < days[:-1]).any()):
            raise problem("block_order", f"Rows must be in order of {self.day_column}")

    def __len__(self) -> int:
        return int(self._table.shape[1])

    def __getitem__(self, name: str) -> Ints:
        return self._data[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and np.array_equal(self._table, other._table)

    def __hash__(self) -> int:
        return hash(self._table.tobytes())

    def as_json(self) -> dict[str, list[int]]:
        """The block as plain lists, column by column."""
        return dict(zip(self.columns, self._table.tolist(), strict=True))

    def canonical(self) -> bytes:
        """The block's only byte form (see engine.canonical)."""
        return msgspec.json.encode(self.as_json(), order="sorted")

    @classmethod
    def of_json(cls, columns: Mapping[str, msgspec.Raw]) -> Self:
        """A block from each column's JSON, without blanks; ValueError where it is none, or not within its limits."""
        return cls({name: _listed(bytes(values)) for name, values in columns.items()})

    @classmethod
    def empty(cls) -> Self:
        """A block of no rows."""
        return cls({name: [] for name in cls.columns})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(cls.as_json)
        )

    @classmethod
    def _validate(cls, value: object, info: core_schema.ValidationInfo) -> object:
        if isinstance(value, cls):
            return value
        if isinstance(info.context, Aside) and value == MARK and cls in info.context.blocks:
            return info.context.blocks[cls]
        if not isinstance(value, dict):
            raise problem("block_type", "Must be an object of columns")
        return cls(value)


# What stands in JSON for a block that was set aside. A number and not a word, since JSON writes a whole number in one
# way only: bytes without these digits do not hold it.
MARK = -8_170_639_425_170_639_425


@dataclass(frozen=True, slots=True)
class Aside:
    """Blocks that were read before the JSON around them, by their type: the context of a validation that meets MARK."""

    blocks: Mapping[type[Block], Block]

    @classmethod
    def cut(cls, raw: bytes, keys: Mapping[bytes, type[Block]]) -> tuple[bytes, Self] | None:
        """JSON with MARK in the place of the blocks under these keys, and those blocks; None where it is not to be had.

        Only JSON without blanks is cut. Where a key comes twice the first is cut, and the last counts, as always.
        """
        mark, blocks = b"%d" % MARK, dict[type[Block], Block]()
        for key, kind in keys.items():
            head = raw.find(b'"%b":{' % key)
            if head < 0:
                continue
            start = head + len(key) + 3
            end = raw.find(b"}", start) + 1
            try:
                blocks[kind] = kind.of_json(_COLUMNS.decode(memoryview(raw)[start:end]))
            except ValueError:  # no such columns, or not within the limits of a block
                return None
            raw = raw[:start] + mark + raw[end:]
        return (raw, cls(blocks)) if raw.count(mark) == len(blocks) else None


def _listed(raw: bytes) -> Ints:
    """A JSON list of whole numbers without blanks; ValueError for another. Beyond 64 bits it is their largest."""
    if raw.translate(None, b"0123456789-,") != b"[]":
        raise ValueError("not a list of whole numbers")
    return np.fromstring(raw[1:-1], dtype=np.int64, sep=",")


def _column(values: Sequence[int] | Ints, low: int, high: int) -> Ints:
    if isinstance(values, np.ndarray) and values.dtype.kind == "i":  # floats, flags and unsigned would be bent to fit
        array = values
    elif isinstance(values, list | tuple) and _INT.issuperset(map(type, values)):
        try:
            array = packed(values)
        except struct.error:
            raise _range_problem(low, high) from None
    else:
        raise problem("block_type", "Columns must be lists of integers")
    if array.ndim != 1:
        raise _range_problem(low, high)
    return array


def packed(values: Sequence[int]) -> Ints:
    """Python's integers as an array, half the time that NumPy takes to look at each; struct.error beyond 64 bits."""
    return np.frombuffer(struct.pack(f"{len(values)}q", *values), dtype=np.int64)


def _range_problem(low: int, high: int) -> Exception:
    return problem("block_range", f"Values must be between {low} and {high}")

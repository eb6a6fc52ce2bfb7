"""The small file that says how a table is read: columns, types, ranges, target, time, weight, what was known when.

It does: parse a description (TOML). It does not: open the table. The rule it keeps: only what is described is read.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from engine.values import Frozen

Number = float | int


class Column(Frozen):
    """How one column of a table is read, and what its values must be.

    `known` says when a value came to be: only what was there at the decision may be an input. `known_on` names a date
    column that says it row by row.
    """

    kind: Literal["number", "category", "flag"]
    direction: Literal[-1, 0, 1] = 0
    first: Annotated[int, Field(ge=0, le=20)] = 0  # keep only this many leading characters of a category
    least: Number | None = None
    most: Number | None = None
    values: list[str] | None = None  # of a category: nothing else may stand there
    required: bool = False
    known: Literal["at_decision", "later"] = "at_decision"
    known_on: str | None = None


class TableDescription(Frozen):
    """The description of a table (TOML); `columns` are the inputs, nothing else is read.

    `bad` is the value of the target that means bad, where the target is not 0 and 1.
    """

    table: str
    target: str
    bad: str | int | None = None
    time: str | None = None
    weight: str | None = None
    description: Annotated[str, Field(max_length=500)] = ""
    columns: Annotated[dict[str, Column], Field(min_length=1)]

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that reading needs."""
        known = [column.known_on for column in self.columns.values()]
        return tuple(filter(None, (self.target, self.time, self.weight, *self.columns, *known)))


def read_description(file: Path) -> TableDescription:
    """The description in a file; ValueError says what is wrong with it."""
    try:
        return TableDescription.model_validate(tomllib.loads(file.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: not TOML: {error}") from None
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise ValueError("\n".join([f"{file}: not a description of a table", *lines])) from None

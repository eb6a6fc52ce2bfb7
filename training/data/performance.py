"""What became of decisions: good, bad, indeterminate or too young, by a lender's own definitions.

It does: read a table of days past due, out of core, and say for each decision what happened within its window. It does
not: guess where there is no performance. The rule it keeps: a decision whose window is not closed counts as nothing,
not even as bad, or the youngest decisions would be bad ones only.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, ValidationError, model_validator

from engine.values import Frozen
from training.data.faults import rows_fault
from training.data.tables import Reading, scanned

Status = Literal["good", "bad", "indeterminate", "too young"]
STATUSES: tuple[Status, ...] = ("good", "bad", "indeterminate", "too young")
_Days = Annotated[int, Field(ge=1, le=3650)]


class Definitions(Frozen):
    """What is bad, what is neither, within which time, and up to which day the performance table tells (TOML).

    `written_off` names a column of 0 and 1: a debt written off is bad whatever its days past due.
    """

    key: Literal["decision_id", "application_id"] = "application_id"
    on: str = "on"
    days_past_due: str = "days_past_due"
    written_off: str | None = None
    window_months: Annotated[int, Field(ge=1, le=120)]
    bad_from_days: _Days
    indeterminate_from_days: _Days
    cut_off: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.indeterminate_from_days > self.bad_from_days:
            raise ValueError("indeterminate_from_days may not be above bad_from_days")
        return self


def read_definitions(file: Path) -> Definitions:
    """The definitions in a file; ValueError says what is wrong with it."""
    try:
        return Definitions.model_validate(tomllib.loads(file.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: not TOML: {error}") from None
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise ValueError("\n".join([f"{file}: not definitions of performance", *lines])) from None


def statuses(decided: dict[str, date], performance: Path, by: Definitions) -> dict[str, Status]:
    """What became of each decision, by key; a key without any performance in its window is left out.

    TableFaults names what is wrong with the performance table by row and column.
    """
    with scanned(performance) as scan:
        _check(scan, performance.name, by)
        days = pl.LazyFrame(
            {"key": list(decided), "decided": list(decided.values())}, schema={"key": pl.String, "decided": pl.Date}
        ).with_columns(closes=pl.col("decided").dt.offset_by(f"{by.window_months}mo"))
        off = pl.col(by.written_off).cast(pl.Float64) == 1 if by.written_off else pl.lit(value=False)
        told = scan.select(
            key=pl.col(by.key).cast(pl.String), on=_day(scan, by.on),
            past_due=pl.col(by.days_past_due).cast(pl.Float64), off=off,
        )  # fmt: skip
        past_due, off = pl.col("past_due"), pl.col("off")
        status = (
            pl.when(pl.col("closes").first() > by.cut_off)
            .then(pl.lit("too young"))
            .when((past_due >= by.bad_from_days).any() | off.fill_null(value=False).any())
            .then(pl.lit("bad"))
            .when((past_due >= by.indeterminate_from_days).any())
            .then(pl.lit("indeterminate"))
            .otherwise(pl.lit("good"))
        )
        found = (
            told.join(days, on="key", how="inner")
            .filter(pl.col("on") > pl.col("decided"), pl.col("on") <= pl.col("closes"), pl.col("on") <= by.cut_off)
            .group_by("key")
            .agg(status=status)
            .collect(engine="streaming")
        )
    return dict(zip(found["key"].to_list(), found["status"].to_list(), strict=True))


def _check(scan: pl.LazyFrame, name: str, by: Definitions) -> None:
    """TableFaults where a column is missing, a key or day is none, or days past due are no such number."""
    reading = Reading(name, scan)
    optional = (by.written_off,) if by.written_off else ()
    reading.require((by.key, by.on, by.days_past_due, *optional))
    reading.faults += rows_fault(by.key, reading.series(by.key).is_null().to_numpy(), "names no decision")
    reading.day_of_each_row(by.on, by.cut_off, "lies after the cut-off")
    past_due = reading.numbers(by.days_past_due)
    reading.faults += rows_fault(by.days_past_due, past_due < 0, "is negative")
    if by.written_off:
        reading.flags(by.written_off)
    reading.finish()


def _day(scan: pl.LazyFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if scan.collect_schema()[name] == pl.String:
        return column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return column.cast(pl.Date)

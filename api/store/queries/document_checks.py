"""What was found in documents: the verdicts of machine checks, and the values that people or machines read.

Both are written once; a correction is one more value. It does not know what a field means, nor compare it with what
was declared.
The rule: the last value of a field of a document is the one that counts.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from api.store.tables import document, document_check, recorded_value


@dataclass(frozen=True, slots=True)
class NewCheck:
    """What one machine check found; `body` is canonical JSON, redacted."""

    name: str
    verdict: str
    confidence_bps: int
    body: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check as kept."""

    id: int
    document_id: str
    name: str
    verdict: str
    confidence_bps: int
    body: str = dataclasses.field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class NewValue:
    """A figure or word read in a document; `value` is canonical JSON."""

    document_id: str
    field: str
    value: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A recorded value as kept."""

    id: int
    case_id: str
    document_id: str
    field: str
    value: str = dataclasses.field(repr=False)
    recorded_at: datetime
    recorded_by: str


_CHECKS = (
    select(document_check).where(document_check.c.document_id == bindparam("sought")).order_by(document_check.c.id)
)
_CHECKS_OF_CASE = (
    select(document_check)
    .join(document, document.c.id == document_check.c.document_id)
    .where(document.c.case_id == bindparam("sought"))
    .order_by(document_check.c.id)
)
_VALUES = select(recorded_value).where(recorded_value.c.case_id == bindparam("sought")).order_by(recorded_value.c.id)
_NEWEST = (
    select(func.max(recorded_value.c.id))
    .where(recorded_value.c.case_id == bindparam("sought"))
    .group_by(recorded_value.c.document_id, recorded_value.c.field)
)
_LATEST = _VALUES.where(recorded_value.c.id.in_(_NEWEST))


def insert_checks(connection: Connection, document_id: str, checks: tuple[NewCheck, ...], at: datetime) -> None:
    """Keep what machine checks found; raises IntegrityError for a check that was made before."""
    rows = [
        {
            "document_id": document_id, "name": each.name, "verdict": each.verdict,
            "confidence_bps": each.confidence_bps, "body": each.body, "at": at,
        }
        for each in checks
    ]  # fmt: skip
    if rows:
        connection.execute(insert(document_check), rows)


def checks_of(connection: Connection, document_id: str) -> tuple[CheckRow, ...]:
    """The checks of one document, in the order in which they were made."""
    return tuple(CheckRow(*row) for row in connection.execute(_CHECKS, {"sought": document_id}))


def checks_of_case(connection: Connection, case_id: str) -> tuple[CheckRow, ...]:
    """The checks of all documents of a case."""
    return tuple(CheckRow(*row) for row in connection.execute(_CHECKS_OF_CASE, {"sought": case_id}))


def insert_values(connection: Connection, case_id: str, values: tuple[NewValue, ...], by: str, at: datetime) -> None:
    """Keep what somebody, or the machine, read in documents; a correction is one more value."""
    rows = [
        {
            "case_id": case_id, "document_id": each.document_id, "field": each.field, "value": each.value,
            "recorded_at": at, "recorded_by": by,
        }
        for each in values
    ]  # fmt: skip
    if rows:
        connection.execute(insert(recorded_value), rows)


def recorded_values(connection: Connection, case_id: str) -> tuple[ValueRow, ...]:
    """Everything recorded in a case, corrected values included, in order."""
    return tuple(ValueRow(*row) for row in connection.execute(_VALUES, {"sought": case_id}))


def latest_values(connection: Connection, case_id: str) -> tuple[ValueRow, ...]:
    """The last value of each field of each document of a case: two statements may show two balances."""
    return tuple(ValueRow(*row) for row in connection.execute(_LATEST, {"sought": case_id}))
